//! Operations that Burn's backends lack in speed: convolutions, norms and pools with the activations between
//! them, and the step of Adam; on the CPU (`flex`) and, with the feature `cuda`, on NVIDIA GPUs.
//!
//! They take and give ordinary tensors, `[batch, channels, height, width]`: on the CPU in `f32`, on a GPU in `f32`, `bf16`
//! or `f16` beside weights in `f32`. Those of training have gradients. On any other device they are the plain Burn
//! operations of [`mod@reference`]. Results do not depend on the number of threads.

mod activation;
mod adam;
mod channel;
mod convolution;
#[cfg(feature = "cuda")]
mod cuda;
mod dense;
mod dense_layer;
mod depthwise;
mod film_mean;
mod follow;
mod mean_pool;
mod norm;
mod padded;
mod pool;
mod product;
pub mod reference;
mod residual;
mod shift;
mod simd;
mod sliding;
mod source;
mod storage;
mod tiles;
mod way;
mod window;
mod winograd;

use burn::backend::DispatchDevice;
use burn::tensor::{DType, Device, Tensor};

pub use activation::Activation;
pub use adam::{AdamStep, Moments, adam, flush};
pub use convolution::{Convolution, convolve, norm_convolve, scale_convolve};
pub use dense_layer::{NormConvolution, Statistics, dense_layer};
pub use film_mean::film_mean;
pub use follow::{fold, follow};
pub use mean_pool::norm_activate_mean_pool;
pub use norm::{norm_activate, scale_activate};
pub use pool::{max_pool, shift_activate_max_pool};
pub use residual::norm_add_activate;
pub use shift::shift_activate;

#[cfg(feature = "cuda")]
pub use cuda::Libraries;

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
pub fn failure() -> Option<&'static str> {
    #[cfg(feature = "cuda")]
    return cuda::failure();
    #[cfg(not(feature = "cuda"))]
    None
}

/// Prepares this process for CUDA devices; to be called before the first is made.
#[cfg(feature = "cuda")]
pub fn prepare_cuda() {
    cuda::prepare();
}

/// Whether the kernels of this crate take the tensor.
fn on_flex<const D: usize>(x: &Tensor<D>) -> bool {
    let device = x.device();
    let flex = match device.as_dispatch() {
        DispatchDevice::Autodiff(inner) => matches!(**inner, DispatchDevice::Flex(_)),
        device => matches!(device, DispatchDevice::Flex(_)),
    };
    flex && x.dtype() == DType::F32
}
