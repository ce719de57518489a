//! Options of a run that are not part of its experiment.

use crate::run_dir::Start;

/// How a run starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrainOptions {
    /// Whether it may resume an earlier one.
    pub start: Start,
    /// Whether it may need more memory than there is.
    pub memory: MemoryLimit,
}

impl From<Start> for TrainOptions {
    fn from(start: Start) -> Self {
        Self { start, memory: MemoryLimit::default() }
    }
}

/// Whether a run may need more memory than there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MemoryLimit {
    /// Refuses a run whose estimate is above the available memory: on the CPU that of the machine
    /// or its control group, on an NVIDIA GPU its own.
    #[default]
    Keep,
    /// Starts the run whatever the estimate says.
    Ignore,
}
