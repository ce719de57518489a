//! Training: reads an experiment file and writes a run directory.
//!
//! ```no_run
//! use std::path::Path;
//! use std::time::{SystemTime, UNIX_EPOCH};
//!
//! use burn::tensor::Device;
//! use roentgen_train::run_dir::Start;
//! use roentgen_train::{Progress, overrides, train};
//!
//! /// The clock of the run. Libraries do not read one.
//! struct Clock;
//!
//! impl Progress for Clock {
//!     fn seconds(&self) -> f64 {
//!         SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
//!     }
//!     fn peak_memory_mib(&self) -> Option<u64> {
//!         None
//!     }
//!     fn is_interrupted(&self) -> bool {
//!         false
//!     }
//! }
//!
//! let experiment = overrides::read(Path::new("experiment.toml"), &[])?;
//! let run = Path::new("runs/first");
//!
//! let outcome = train(&experiment, run, Start::Resume, &Device::flex(), &Clock)?;
//!
//! println!("{outcome:?}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`experiment`] is the file with all its settings, and [`overrides`] applies `--set` and
//! `extends` to it. [`trainer`] is the training loop, the heart of this crate. [`checkpoint`] makes
//! a resumed run end with the same weights as an uninterrupted one.

mod adadelta;
pub mod adam;
pub mod checkpoint;
pub mod dataset;
pub mod experiment;
pub mod facts;
pub mod features;
pub mod films;
pub mod invalid;
pub mod loss;
pub mod loss_scale;
pub mod memory;
pub mod progress;
pub mod relation;
pub mod run_dir;
pub mod seed;
mod tensorboard;
pub mod trainer;
mod validation;

// `derive(RecordState)` generates paths relative to the root of the crate that uses it.
use burn::optim::{RecordState, StateSink, StateSource};

pub use experiment::{Experiment, augment, optimizer, overrides, phase, schedule, sweep};
pub use facts::Facts;
pub use progress::Progress;
pub use trainer::{
    Checker, MemoryLimit, ResumeOptions, TrainOptions, TrainOutcome, check, resume, train,
};
