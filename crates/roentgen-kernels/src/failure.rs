//! What can fail on a GPU.
//!
//! Work on a GPU runs on a thread of CubeCL's, where a failure has no caller to return to, and Burn
//! panics when it reads a tensor that was never written. Only the text of such a panic says what was
//! missing.

use std::error::Error;
use std::fmt;

use crate::gpu_memory::GpuMemory;

/// The words before the number of bytes, in the errors of CubeCL's pool and of our own memory.
pub(crate) const OUT_OF_MEMORY: &str = "out of device memory allocating ";
/// What CUDA and cuDNN call a lack of memory elsewhere, such as for a module or a handle.
const STATUSES: [&str; 3] =
    ["CUDA_ERROR_OUT_OF_MEMORY", "CUDNN_STATUS_ALLOC_FAILED", "DEVICE_ALLOCATION_FAILED"];

/// What failed on a GPU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GpuFailure {
    /// The GPU has too little memory.
    OutOfMemory {
        /// The bytes that were requested, if that is known.
        requested: Option<u64>,
        /// The memory of the GPU just after that, if the device says.
        memory: Option<GpuMemory>,
    },
    /// Anything else, in words.
    Other(String),
}

impl GpuFailure {
    /// Reads the failure from the text of a panic or an error; `memory` is that of the GPU now.
    pub fn new(text: &str, memory: Option<GpuMemory>) -> Self {
        Self::of_memory(text, memory).unwrap_or_else(|| Self::Other(text.to_owned()))
    }

    /// The same, but `None` if the text is not about a lack of memory.
    pub fn of_memory(text: &str, memory: Option<GpuMemory>) -> Option<Self> {
        let requested = text.split_once(OUT_OF_MEMORY).and_then(|(_, rest)| {
            let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
            rest[..end].parse().ok()
        });
        let is_of_memory =
            requested.is_some() || STATUSES.iter().any(|status| text.contains(status));
        is_of_memory.then_some(Self::OutOfMemory { requested, memory })
    }
}

impl fmt::Display for GpuFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (requested, memory) = match self {
            Self::Other(text) => return f.write_str(text),
            Self::OutOfMemory { requested, memory } => (requested, memory),
        };
        let requested = requested.map(|bytes| format!("{} MiB requested", bytes.div_ceil(1 << 20)));
        let memory = memory.map(|memory| memory.to_string());
        let amounts: Vec<String> = requested.into_iter().chain(memory).collect();
        f.write_str("out of memory")?;
        if !amounts.is_empty() {
            write!(f, " ({})", amounts.join(", "))?;
        }
        f.write_str(
            "; use a smaller batch (`train.micro_batch_size` or `--batch`), or end other processes \
             on this GPU (`nvidia-smi` lists them)",
        )
    }
}

impl Error for GpuFailure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_that_were_requested_are_read_from_the_text_of_a_panic() {
        let memory = Some(GpuMemory { free: 300 << 20, total: 81_000 << 20 });
        let text = "Error while reading data: An error happened during execution\nCaused by:\n  \
                    An IO error happened\nCaused by:\n  out of device memory allocating 419430400 \
                    bytes\nNo backtrace available";

        let failure = GpuFailure::new(text, memory);

        assert_eq!(failure, GpuFailure::OutOfMemory { requested: Some(400 << 20), memory });
        let told = failure.to_string();
        assert!(told.contains("(400 MiB requested, 300 of 81000 MiB free)"), "{told}");
        assert!(told.contains("`train.micro_batch_size` or `--batch`"), "{told}");
        assert!(!told.contains('\n'), "{told}");
    }

    #[test]
    fn a_status_of_cuda_says_that_memory_is_missing_but_not_how_much() {
        let failure = GpuFailure::new("left: CUDA_ERROR_OUT_OF_MEMORY", None);

        assert_eq!(failure, GpuFailure::OutOfMemory { requested: None, memory: None });
        assert!(failure.to_string().starts_with("out of memory; use a smaller batch"));
    }

    #[test]
    fn any_other_text_is_passed_on_unchanged() {
        let text = "left: CUDA_ERROR_ILLEGAL_ADDRESS";

        assert_eq!(GpuFailure::of_memory(text, None), None);
        assert_eq!(GpuFailure::new(text, None).to_string(), text);
    }
}
