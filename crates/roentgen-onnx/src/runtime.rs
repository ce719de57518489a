//! ONNX Runtime, loaded from a shared library while the program runs.
//!
//! A process can load one of it and keeps it; a library that cannot be used leaves the way free for the
//! next.

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

/// What ONNX Runtime answered.
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

/// What its threads do between two operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// They look for work for a while before they sleep: soonest there, where nothing else needs the
    /// cores.
    Spinning,
    /// They leave the cores to others, such as those that decode the next films.
    Sleeping,
}

impl Runtime {
    /// Loads the shared library `path`, 1.17 or newer.
    ///
    /// # Errors
    ///
    /// A file that is no such library, or of an older version.
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

    /// Where it was loaded from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it says of its build.
    pub fn build(&self) -> &'static str {
        ort::info()
    }

    /// Makes the network of an ONNX file ready to run on `threads` threads.
    pub(crate) fn session(
        &self,
        model: &[u8],
        threads: usize,
        waiting: Waiting,
    ) -> Result<Session, Error> {
        let refused =
            |reason: &dyn Display| Error::new("did not take the exported network", reason);
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
