//! ONNX Runtime, loaded from a shared library at run time.
//!
//! A process can load only one copy, and keeps it; after a library that cannot be used, another one
//! can be tried.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use ort::environment::Environment;
use ort::session::Session;

/// ONNX Runtime.
#[derive(Clone)]
pub struct Runtime {
    environment: Environment,
    path: PathBuf,
}

/// An error of ONNX Runtime.
#[derive(Debug, thiserror::Error)]
#[error("ONNX Runtime {attempted}: {reason}")]
pub struct Error {
    attempted: String,
    reason: String,
}

impl Error {
    pub(crate) fn new(attempted: impl Into<String>, reason: impl Display) -> Self {
        Self { attempted: attempted.into(), reason: reason.to_string() }
    }
}

/// Behavior of its threads between two operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// They look for work for a while before they sleep: fastest if nothing else needs the cores.
    Spinning,
    /// They leave the cores to other threads, such as those that decode the next films.
    Sleeping,
}

impl Runtime {
    /// Loads the shared library `path`, version 1.17 or newer.
    ///
    /// # Errors
    ///
    /// Returns an error if the file is not such a library, or has an older version.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let refused = |reason: &dyn Display| {
            Error::new(format!("could not be loaded from `{}`", path.display()), reason)
        };
        let builder = ort::init_from(path).map_err(|error| refused(&error))?;
        let environment = builder
            .with_name("roentgen")
            .with_telemetry(false)
            .build()
            .map_err(|error| refused(&error))?;
        Ok(Self { environment, path: path.to_owned() })
    }

    /// Returns the path of the library.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns its build information.
    pub fn build(&self) -> &'static str {
        ort::info()
    }

    /// Prepares the network of an ONNX file to run on `threads` threads.
    pub(crate) fn session(
        &self,
        model: &[u8],
        threads: usize,
        waiting: Waiting,
    ) -> Result<Session, Error> {
        let refused = |reason: &dyn Display| Error::new("rejected the exported network", reason);
        Session::builder(&self.environment)
            .map_err(|error| refused(&error))?
            .with_intra_threads(threads)
            .map_err(|error| refused(&error))?
            .with_intra_op_spinning(waiting == Waiting::Spinning)
            .map_err(|error| refused(&error))?
            .commit_from_memory(model)
            .map_err(|error| refused(&error))
    }
}
