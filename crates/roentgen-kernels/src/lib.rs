//! Operations that Burn's backends lack in speed: convolutions, norms and pools with the activations
//! between them, the step of Adam, and the division of gradients by a loss scale; on the CPU (`flex`)
//! and, with the feature `cuda`, on NVIDIA GPUs.
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! use roentgen_kernels::{Convolution, convolve};
//!
//! let device = Device::flex();
//! let films = Tensor::<4>::ones([1, 1, 4, 6], &device);
//! let weight = Tensor::<4>::ones([2, 1, 3, 3], &device);
//! let same = Convolution { is_depthwise: false, stride: 1, padding: [1; 4] };
//!
//! let features = convolve(films, weight, same);
//!
//! assert_eq!(features.dims(), [1, 2, 4, 6]);
//! // Nine pixels are under the window in the middle of the film.
//! assert_eq!(features.max().into_scalar::<f32>(), 9.0);
//! ```
//!
//! They take and return ordinary tensors, `[batch, channels, height, width]`: on the CPU in `f32`, on
//! a GPU in `f32`, `bf16` or `f16` with weights in `f32`. The operations of training have gradients. On any
//! other device they are the plain Burn operations of [`mod@reference`]. Results do not depend on the
//! number of threads.

mod activation;
mod algorithm;
mod cpu;
#[cfg(feature = "cuda")]
mod cuda;
mod failure;
mod geometry;
mod gpu_memory;
mod operation;
mod ops;
mod place;
pub mod reference;
mod settings;
mod tape;

use burn::tensor::Device;

pub use activation::Activation;
pub use failure::GpuFailure;
pub use gpu_memory::GpuMemory;
pub use ops::*;
pub use settings::{AdamStep, Convolution};

#[cfg(feature = "cuda")]
pub use cuda::Libraries;

/// Returns the instruction set with which loops on the CPU run on this machine.
pub fn instruction_set() -> &'static str {
    cpu::instruction_set()
}

/// Whether the device is an NVIDIA GPU of CUDA's, with or without autodiff.
pub fn is_cuda(device: &Device) -> bool {
    #[cfg(feature = "cuda")]
    return cuda::is_cuda(device.as_dispatch());
    #[cfg(not(feature = "cuda"))]
    {
        let _ = device;
        false
    }
}

/// What failed first on a GPU, if anything did: whatever was computed since then means nothing.
pub fn failure() -> Option<&'static GpuFailure> {
    #[cfg(feature = "cuda")]
    return cuda::failure();
    #[cfg(not(feature = "cuda"))]
    None
}

/// Returns the memory of an NVIDIA GPU, with or without autodiff; `None` for other devices, and if
/// CUDA does not start. This process keeps memory that it has freed, which therefore counts as free.
pub fn gpu_memory(device: &Device) -> Option<GpuMemory> {
    #[cfg(feature = "cuda")]
    return cuda::gpu_memory(device.as_dispatch());
    #[cfg(not(feature = "cuda"))]
    {
        let _ = device;
        None
    }
}

/// Prepares this process for CUDA devices; to be called before the first is made.
#[cfg(feature = "cuda")]
pub fn prepare_cuda() {
    cuda::prepare();
}
