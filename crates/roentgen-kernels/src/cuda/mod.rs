//! The operations on an NVIDIA GPU: Burn holds the tensors, the tape and the small operations, cuDNN convolves, and
//! our kernels in CUDA C++ do the rest.
//!
//! Activations are stored as rows of channels (NHWC) in float, bf16 or f16, the type of the input; weights, statistics and
//! their gradients are in float. Nothing is read back except whether the gradients of a step in f16 are finite, and no choice is
//! made by a clock.

mod adam;
mod affine;
mod call;
mod channel_norm;
mod dense;
mod dense_layer;
mod depthwise;
#[expect(unsafe_code, reason = "cuDNN has a C interface")]
mod descriptor;
mod device_memory;
#[expect(unsafe_code, reason = "cuDNN has a C interface")]
mod dnn;
mod element;
mod gelu;
#[expect(unsafe_code, reason = "the CUDA driver has a C interface")]
mod gpu;
#[expect(unsafe_code, reason = "the libraries have C interfaces")]
mod libraries;
#[expect(unsafe_code, reason = "the CUDA driver has a C interface")]
mod memory;
mod norm;
mod operation;
mod plain;
mod pool;
mod rows;
mod running;
mod scaled_add;
#[expect(unsafe_code, reason = "NVRTC has a C interface")]
mod source;
#[cfg(test)]
mod tests;
mod unscale;

use burn::backend::{Dispatch, DispatchDevice};
use burn::tensor::{DType, Tensor};
use burn_cubecl::CubeDevice;
use cubecl_cuda::CudaDevice;

pub(crate) use device_memory::of_device as gpu_memory;
use element::Element;
pub(crate) use gpu::failure;
pub use libraries::Libraries;
use running::Running as _;
pub(crate) use unscale::{all_finite, forget as forget_unscaling, unscale};

/// Prepares the process for its first CUDA device.
///
/// Memory is kept by size, because each training step asks for the same sizes again; CubeCL's default search for room in its
/// pages takes longer than a launch. All threads share one stream, so that no thread overwrites an upload while the kernels
/// of another thread read it.
pub(crate) fn prepare() {
    use cubecl_environment::config::RuntimeConfig;
    use cubecl_environment::stream::StreamPolicy;
    use cubecl_server::config::CubeClRuntimeConfig;
    use cubecl_server::config::memory::PersistentMemory;
    let mut config = CubeClRuntimeConfig::default();
    config.memory.persistent_memory = PersistentMemory::Enforced;
    config.streaming.policy = StreamPolicy::Single;
    CubeClRuntimeConfig::try_set(config);
}

pub(crate) fn is_cuda(device: &DispatchDevice) -> bool {
    cuda_device(device).is_some()
}

/// The device as CubeCL names it; none if it is not one of CUDA's.
fn cuda_device(device: &DispatchDevice) -> Option<&CudaDevice> {
    match device {
        DispatchDevice::Autodiff(inner) => cuda_device(inner),
        #[allow(unreachable_patterns, reason = "CUDA may be the only runtime of the build")]
        DispatchDevice::Cube(CubeDevice::Cuda(device)) => Some(device),
        _ => None,
    }
}

/// Whether activations of this type are taken.
pub(crate) fn takes(dtype: DType) -> bool {
    Element::of(dtype).is_some()
}

/// A norm by its running statistics as one scale and one shift a channel, without gradients.
pub(crate) fn fold(
    affine: [Tensor<1>; 2],
    running: [Tensor<1>; 2],
    epsilon: f64,
) -> [Tensor<1>; 2] {
    let [gamma, beta] = affine.map(Tensor::into_dispatch);
    let [mean, variance] = running.map(Tensor::into_dispatch);
    let (scale, shift) = Dispatch::fold(gamma, beta, mean, variance, epsilon);
    [scale, shift].map(Tensor::from_dispatch)
}

/// Moves running mean and variance towards those of a batch, in place.
pub(crate) fn follow(running: [Tensor<1>; 2], batch: [Tensor<1>; 2], momentum: f64) {
    let [a, b] = running.map(Tensor::into_dispatch);
    let [c, d] = batch.map(Tensor::into_dispatch);
    Dispatch::follow(a, b, c, d, momentum);
}

/// Takes the steps of Adam that wait to be taken together.
pub(crate) fn flush() {
    adam::flush();
}
