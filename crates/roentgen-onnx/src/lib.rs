//! Classifiers as ONNX files, and ONNX Runtime as an engine.
//!
//! [`export`](mod@export) writes a model directory as one `.onnx` file with all that its user must
//! know in its [`metadata`]. [`runtime`] finds ONNX Runtime on this machine; nothing of it is linked
//! or shipped. [`engine`] predicts with it as `roentgen_models::Predictor` does.

pub mod engine;
pub mod export;
pub mod metadata;
mod relu6;
pub mod runtime;

pub use engine::Engine;
pub use runtime::{Runtime, Waiting};
