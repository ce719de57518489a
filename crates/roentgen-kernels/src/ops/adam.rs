//! The step of [Adam][paper].
//!
//! [paper]: https://arxiv.org/abs/1412.6980

use burn::backend::Dispatch;
use burn::tensor::Tensor;

use crate::place::{self, Place};
use crate::settings::AdamStep;
use crate::tape::Infer as _;

/// A parameter, and the means of its gradient and of the gradient's square.
pub type Moments<const D: usize> = [Tensor<D>; 3];

/// Moves a parameter against its gradient. On an NVIDIA GPU the results may be used only after [`flush`].
///
/// The means begin at zero, and the step is `rate * mean / (sqrt(square) + epsilon)` of the means
/// without the bias that this gives them.
///
/// # Shapes
///
/// All tensors have one shape.
pub fn adam<const D: usize>(
    [parameter, mean, square]: Moments<D>,
    gradient: Tensor<D>,
    step: AdamStep,
) -> Moments<D> {
    let all = [&parameter, &mean, &square, &gradient];
    let is_taken = all.iter().all(|tensor| tensor.dims() == parameter.dims())
        && place::takes(all.map(Place::of_constant));
    if !is_taken {
        return plain([parameter, mean, square], gradient, step);
    }
    let [parameter, mean, square] = [parameter, mean, square].map(Tensor::into_dispatch);
    let (parameter, mean, square) =
        Dispatch::adam(parameter, mean, square, gradient.into_dispatch(), step);
    [parameter, mean, square].map(Tensor::from_dispatch)
}

/// Takes the steps that [`adam`] noted for an NVIDIA GPU on this thread. Call it after the last
/// parameter of a step; on other devices the steps have been taken already.
pub fn flush() {
    #[cfg(feature = "cuda")]
    crate::cuda::flush();
}

/// The same in plain Burn.
fn plain<const D: usize>(
    [parameter, mean, square]: Moments<D>,
    gradient: Tensor<D>,
    step: AdamStep,
) -> Moments<D> {
    let [first, second] = step.betas;
    let mean = mean * first + gradient.clone() * (1.0 - first);
    let square = square * second + gradient.square() * (1.0 - second);
    let [unbiased, root] = step.corrections();
    let root = square.clone().sqrt() * root + step.epsilon;
    let parameter = parameter - mean.clone() * unbiased / root;
    [parameter, mean, square]
}
