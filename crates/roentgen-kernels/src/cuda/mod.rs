//! The operations on an NVIDIA GPU: Burn holds the tensors, the tape and the small operations, cuDNN convolves, and
//! our kernels in CUDA C++ do the rest.
//!
//! Activations lie as rows of channels (NHWC) in float, bf16 or f16, whichever the input is in; weights, statistics and
//! their gradients are in float. Nothing is read back, and no choice is made by a clock.

mod adam;
mod dense;
mod dense_layer;
mod depthwise;
#[expect(unsafe_code, reason = "cuDNN has a C interface")]
mod descriptor;
#[expect(unsafe_code, reason = "cuDNN has a C interface")]
mod dnn;
#[expect(unsafe_code, reason = "the CUDA driver has a C interface")]
mod gpu;
#[expect(unsafe_code, reason = "the libraries have C interfaces")]
mod libraries;
mod lines;
mod norm;
mod operation;
mod plain;
mod pool;
mod rows;
#[expect(unsafe_code, reason = "NVRTC has a C interface")]
mod source;
mod tape;
#[cfg(test)]
mod tests;

use burn::backend::{Dispatch, DispatchDevice};
use burn::tensor::{DType, Tensor};
use burn_cubecl::CubeDevice;

use crate::activation::Curve;
use crate::way::Way;
use gpu::Element;
pub(crate) use gpu::failure;
pub use libraries::Libraries;
pub(crate) use operation::Operation;
use tape::{Infer, Operate};

/// Prepares the process for its first CUDA device. Memory is kept by size, since each step of a training asks for the same
/// sizes again: to search pages for room, as CubeCL does else, takes longer than a launch. All threads share one stream, so
/// that what one of them uploads is not written over while another's kernels read it.
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
    match device {
        DispatchDevice::Autodiff(inner) => is_cuda(inner),
        #[allow(unreachable_patterns, reason = "CUDA may be the only runtime of the build")]
        DispatchDevice::Cube(CubeDevice::Cuda(_)) => true,
        _ => false,
    }
}

/// Whether the tensor holds activations that these operations take.
pub(crate) fn takes<const D: usize>(x: &Tensor<D>) -> bool {
    is_cuda(x.device().as_dispatch()) && Element::of(x.dtype()).is_some()
}

/// Whether the tensor holds weights that these operations take.
pub(crate) fn takes_weight<const D: usize>(weight: &Tensor<D>) -> bool {
    is_cuda(weight.device().as_dispatch()) && weight.dtype() == DType::F32
}

/// Runs an operation of one input.
pub(crate) fn run_1<const D: usize>(x: Tensor<4>, operation: Operation) -> Tensor<D> {
    let [y] = take(Dispatch::operate_1(x.into_dispatch(), operation));
    Tensor::from_dispatch(y)
}

/// Runs an operation of an input and one weight.
pub(crate) fn run_2<const D: usize>(
    x: Tensor<4>,
    weight: Tensor<D>,
    operation: Operation,
) -> Tensor<4> {
    let [y] = take(Dispatch::operate_2(x.into_dispatch(), weight.into_dispatch(), operation));
    Tensor::from_dispatch(y)
}

/// What a norm gives: output, mean, variance.
pub(crate) type Measured = (Tensor<4>, Tensor<1>, Tensor<1>);

/// Runs a norm.
pub(crate) fn run_norm(
    x: Tensor<4>,
    [gamma, beta]: [Tensor<1>; 2],
    operation: Operation,
) -> Measured {
    let [gamma, beta] = [gamma, beta].map(Tensor::into_dispatch);
    measured(Dispatch::operate_3(x.into_dispatch(), gamma, beta, operation))
}

/// Runs a norm together with the operation that follows it. `other` is the weight of a convolution, or a shortcut.
pub(crate) fn run_norm_and(
    x: Tensor<4>,
    [gamma, beta]: [Tensor<1>; 2],
    other: Tensor<4>,
    operation: Operation,
) -> Measured {
    let [gamma, beta] = [gamma, beta].map(Tensor::into_dispatch);
    let (x, other) = (x.into_dispatch(), other.into_dispatch());
    measured(Dispatch::operate_4(x, gamma, beta, other, operation))
}

/// Runs a layer of a DenseNet: output, and mean and variance of both norms.
pub(crate) fn dense_layer(
    x: Tensor<4>,
    parts: [crate::NormConvolution; 2],
    ways: [(Way, f64); 2],
) -> (Tensor<4>, [crate::Statistics; 2]) {
    let [a, b] = parts.map(|part| {
        let [gamma, beta] = part.line.map(Tensor::into_dispatch);
        (gamma, beta, part.weight.into_dispatch())
    });
    let operation = Operation::DenseLayer(ways);
    let x = x.into_dispatch();
    let outputs = Dispatch::operate_7(x, a.0, a.1, a.2, b.0, b.1, b.2, operation);
    let [y, mean_1, variance_1, mean_2, variance_2] = take(outputs);
    let first = [mean_1, variance_1].map(Tensor::from_dispatch);
    (Tensor::from_dispatch(y), [first, [mean_2, variance_2].map(Tensor::from_dispatch)])
}

/// Scales, shifts and activates, without gradients.
pub(crate) fn scale_activate(
    x: Tensor<4>,
    [scale, shift]: [Tensor<1>; 2],
    curve: Curve,
) -> Tensor<4> {
    let [scale, shift] = [scale, shift].map(Tensor::into_dispatch);
    Tensor::from_dispatch(Dispatch::scale(x.into_dispatch(), scale, shift, curve))
}

/// Scales, shifts, activates and convolves, without gradients.
pub(crate) fn scale_convolve(
    x: Tensor<4>,
    [scale, shift]: [Tensor<1>; 2],
    curve: Curve,
    weight: Tensor<4>,
    way: Way,
) -> Tensor<4> {
    let [scale, shift] = [scale, shift].map(Tensor::into_dispatch);
    let (x, weight) = (x.into_dispatch(), weight.into_dispatch());
    Tensor::from_dispatch(Dispatch::scale_and_convolve(x, scale, shift, weight, curve, way))
}

/// A step of Adam, taken when [`flush`] is called, into memory of its own.
pub(crate) fn adam<const D: usize>(
    [parameter, mean, square]: [Tensor<D>; 3],
    gradient: Tensor<D>,
    step: crate::AdamStep,
) -> [Tensor<D>; 3] {
    let [parameter, mean, square] = [parameter, mean, square].map(Tensor::into_dispatch);
    let gradient = gradient.into_dispatch();
    let (parameter, mean, square) = Dispatch::adam_on_gpu(parameter, mean, square, gradient, step);
    [parameter, mean, square].map(Tensor::from_dispatch)
}

/// A norm by its running statistics as one scale and one shift a channel, without gradients.
pub(crate) fn fold(line: [Tensor<1>; 2], running: [Tensor<1>; 2], epsilon: f64) -> [Tensor<1>; 2] {
    let [gamma, beta] = line.map(Tensor::into_dispatch);
    let [mean, variance] = running.map(Tensor::into_dispatch);
    let (scale, shift) = Dispatch::fold_on_gpu(gamma, beta, mean, variance, epsilon);
    [scale, shift].map(Tensor::from_dispatch)
}

/// Moves running mean and variance towards those of a batch, where they lie.
pub(crate) fn follow(running: [Tensor<1>; 2], batch: [Tensor<1>; 2], momentum: f64) {
    let [a, b] = running.map(Tensor::into_dispatch);
    let [c, d] = batch.map(Tensor::into_dispatch);
    Dispatch::follow_on_gpu(a, b, c, d, momentum);
}

/// Takes the steps of Adam that wait to be taken together.
pub(crate) fn flush() {
    adam::flush();
}

fn measured(outputs: Vec<burn::backend::DispatchTensor>) -> Measured {
    let [y, mean, variance] = take(outputs);
    (Tensor::from_dispatch(y), Tensor::from_dispatch(mean), Tensor::from_dispatch(variance))
}

fn take<T, const N: usize>(outputs: Vec<T>) -> [T; N] {
    let found = outputs.len();
    outputs.try_into().unwrap_or_else(|_| panic!("{N} outputs of an operation, not {found}"))
}
