//! How much memory a GPU has.

use std::fmt;

/// Memory of a GPU, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GpuMemory {
    /// What this process can still get.
    pub free: u64,
    /// All memory, less what the driver keeps for itself.
    pub total: u64,
}

impl fmt::Display for GpuMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} MiB free", self.free >> 20, self.total >> 20)
    }
}
