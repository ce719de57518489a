//! Classifiers as ONNX files, and ONNX Runtime as an engine.
//!
//! ```no_run
//! use std::path::Path;
//!
//! let bytes = roentgen_onnx::export::export(Path::new("runs/first"))?;
//! std::fs::write("model.onnx", bytes)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`export`](mod@export) writes a model directory to one `.onnx` file, with everything its user
//! must know in its [`metadata`]. [`runtime`] finds ONNX Runtime on this machine; no part of it is
//! linked or shipped. [`engine`] predicts with it like `roentgen_models::Predictor`.

pub mod engine;
mod erf;
pub mod export;
pub mod metadata;
mod relu6;
pub mod runtime;
mod unused;

pub use engine::OnnxEngine;
pub use runtime::{Runtime, Waiting};
