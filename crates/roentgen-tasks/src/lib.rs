//! What the program's commands do, without a command line: plain values in, results out.
//!
//! ```no_run
//! use std::path::Path;
//!
//! use roentgen_eval::OperatingRule;
//! use roentgen_models::Precision;
//! use roentgen_tasks::device::{self, DeviceChoice};
//! use roentgen_tasks::engine::EngineChoice;
//! use roentgen_tasks::predict::{self, PredictRequest};
//! use roentgen_tasks::sources::{Gate, Privacy};
//! use roentgen_tasks::{Shard, Silent};
//!
//! let request = PredictRequest {
//!     model: Path::new("runs/first"),
//!     inputs: &["film.png".into()],
//!     split: None,
//!     batch: 16,
//!     engine: EngineChoice::Auto,
//!     precision: Precision::F32,
//!     onnx: None,
//!     operating_point: OperatingRule::Youden,
//!     calibration: None,
//!     gate: Gate::Refuse,
//!     privacy: &Privacy::Named,
//!     shard: Shard::WHOLE,
//! };
//!
//! let table = predict::table(&request, &device::open(DeviceChoice::Cpu)?, &Silent)?;
//!
//! table.scores.write(Path::new("scores.csv"))?;
//! # Ok::<(), anyhow::Error>(())
//! ```
//!
//! The command line, a server and other languages share these functions. They print nothing: what a
//! user should see while a task works goes to a [`Listener`]. The errors of all crates meet here,
//! and a caller shows them rather than decides by them, so tasks return [`anyhow::Error`], whose
//! chain says what was attempted, on which file, and why it failed.
//!
//! [`predict`] makes score tables of films ([`sources`]) with an [`engine`] on a [`device`], a
//! [`FilmClassifier`] predicts films in memory,
//! [`calibrate`] fits calibration and thresholds,
//! [`watch`](mod@watch) predicts films as they arrive,
//! [`verify`] compares a table with what it names, a [`Shard`] is what one of several processes does,
//! [`explain`] draws where a model looked, [`dicom_out`] writes predictions as DICOM objects,
//! [`view`](mod@view) puts a data set beside its scores for a person who looks at it,
//! [`evaluate`] writes the report of a score table, and [`compare`] that of several runs. [`fault`]
//! makes errors of panics.

pub mod batch;
pub mod calibrate;
mod classifier;
pub mod compare;
pub mod device;
pub mod dicom_out;
pub mod engine;
pub mod evaluate;
pub mod explain;
pub mod fault;
mod film_box;
mod listener;
pub mod predict;
mod seed;
mod shard;
pub mod sources;
pub mod verify;
pub mod view;
pub mod watch;

pub use classifier::{
    ClassifierOptions, Film, FilmClassifier, FilmPrediction, FilmReader, FindingPrediction,
    heat_maps,
};
pub use listener::{Listener, Silent};
pub use shard::Shard;
