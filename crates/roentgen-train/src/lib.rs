//! One experiment file in, one run directory out.
//!
//! [`experiment`] is the file, [`overrides`] how `--set` and `extends` change it; [`trainer`] is the
//! loop, which a reader of this crate came to see; [`checkpoint`] makes a killed run end in the
//! weights of an unbroken one.

pub mod adadelta;
pub mod adam;
pub mod augment;
pub mod checkpoint;
pub mod dataset;
pub mod experiment;
pub mod facts;
pub mod features;
pub mod loss;
pub mod optimizer;
pub mod overrides;
pub mod phase;
pub mod progress;
pub mod run_dir;
pub mod schedule;
pub mod sweep;
pub mod tensorboard;
pub mod trainer;
pub mod validation;

// `derive(RecordState)` writes paths that begin at the root of the crate it is used in.
use burn::optim::{RecordState, StateSink, StateSource};

pub use experiment::Experiment;
pub use facts::Facts;
pub use progress::Progress;
pub use trainer::{Outcome, check, train};
