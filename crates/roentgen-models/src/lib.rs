//! The networks, and everything needed to use them.
//!
//! ```no_run
//! use std::path::Path;
//!
//! use burn::tensor::Device;
//! use roentgen_data::pixels::{self, Filter};
//! use roentgen_models::Predictor;
//!
//! let predictor = Predictor::load(Path::new("runs/first"), &Device::flex())?;
//! let size = predictor.description.input.size as u32;
//! let film = pixels::resize(pixels::read(Path::new("film.png"))?, size, Filter::Lanczos3)?;
//!
//! let predictions = predictor.predict(&[&film.pixels]);
//! let findings = predictor.description.findings.iter();
//! for (finding, probability) in findings.zip(&predictions[0].probabilities) {
//!     println!("{finding} {probability:.3}");
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A [`Classifier`] consists of a backbone (films to a feature map), a pooling (feature map to one
//! vector, by average or by the 2019 study's attention) and a head (vector to logits, one per
//! finding). Probabilities are always the sigmoids of logits; they are computed in one place,
//! [`predictor`].
//!
//! A new backbone needs one file in `backbones/` with its blueprint, and the steps that
//! `ARCHITECTURE.md` lists.

pub mod attention;
mod backbones;
pub mod classifier;
pub mod explainer;
pub mod explanation;
pub mod freeze;
mod gpu_training;
pub mod head;
mod layers;
pub mod model_dir;
pub mod overlay;
pub mod precision;
pub mod predictor;
pub mod pretrained;
mod published_file;
pub mod weights;
pub mod zoo;

pub use classifier::{Classifier, ClassifierConfig};
pub use explainer::Explainer;
pub use explanation::Method;
pub use freeze::Freeze;
pub use model_dir::ModelInfo;
pub use precision::Precision;
pub use predictor::Predictor;
pub use zoo::{Architecture, Pool};
