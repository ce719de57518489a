//! The step of [Adam][paper] in one pass over each parameter, in the memory that is there.
//!
//! Written as tensor operations it is a dozen passes, each of which takes memory for its result.
//!
//! [paper]: https://arxiv.org/abs/1412.6980

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, Flex, backend_extension};
use burn::tensor::Tensor;
use burn_flex::FlexTensor;
use rayon::prelude::*;

#[cfg(feature = "cuda")]
use crate::cuda;
use crate::on_flex;
use crate::simd::{fma, multiversion};
use crate::storage::contiguous;

/// Values that a task takes.
const BLOCK: usize = 1 << 14;

/// How a step is taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamStep {
    /// How slowly the means of the gradient and of its square forget.
    pub betas: [f32; 2],
    /// Keeps the quotient finite.
    pub epsilon: f32,
    /// Learning rate.
    pub rate: f64,
    /// The number of this step, from 1.
    pub time: usize,
}

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
    #[cfg(feature = "cuda")]
    if [&parameter, &mean, &square, &gradient].into_iter().all(|tensor| {
        cuda::takes_weight(tensor)
            && !tensor.device().is_autodiff()
            && tensor.dims() == parameter.dims()
    }) {
        return cuda::adam([parameter, mean, square], gradient, step);
    }
    let is_fast = [&parameter, &mean, &square, &gradient].into_iter().all(|tensor| {
        on_flex(tensor) && !tensor.device().is_autodiff() && tensor.dims() == parameter.dims()
    });
    if !is_fast {
        return plain([parameter, mean, square], gradient, step);
    }
    let [parameter, mean, square] = [parameter, mean, square].map(Tensor::into_dispatch);
    let (parameter, mean, square) =
        Dispatch::adam(parameter, mean, square, gradient.into_dispatch(), step);
    [parameter, mean, square].map(Tensor::from_dispatch)
}

/// Takes the steps that were noted for an NVIDIA GPU on this thread; to be called when all parameters have been given to
/// [`adam`]. Elsewhere they have been taken.
pub fn flush() {
    #[cfg(feature = "cuda")]
    cuda::flush();
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

impl AdamStep {
    /// The factors of the mean, with the rate, and of the root of the mean square.
    pub(crate) fn corrections(&self) -> [f32; 2] {
        let [first, second] = self.betas.map(|beta| 1.0 - f64::from(beta).powi(self.time as i32));
        [(self.rate / first) as f32, second.sqrt().recip() as f32]
    }
}

/// The operation on a backend's own tensors.
#[backend_extension(Flex)]
pub(crate) trait Adam: Backend {
    fn adam(
        parameter: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        square: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        step: AdamStep,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
}

impl Adam for Flex {
    fn adam(
        parameter: FlexTensor,
        mean: FlexTensor,
        square: FlexTensor,
        gradient: FlexTensor,
        step: AdamStep,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        let gradient = contiguous(gradient);
        let corrections = step.corrections();
        let [mut parameter, mut mean, mut square] = [parameter, mean, square].map(contiguous);
        let parameters = parameter.storage_mut::<f32>().par_chunks_mut(BLOCK);
        let means = mean.storage_mut::<f32>().par_chunks_mut(BLOCK);
        let squares = square.storage_mut::<f32>().par_chunks_mut(BLOCK);
        let moments = parameters.zip(means).zip(squares);
        moments.zip(gradient.storage::<f32>().par_chunks(BLOCK)).for_each(
            |(((parameter, mean), square), gradient)| {
                moved(parameter, mean, square, gradient, step, corrections);
            },
        );
        (parameter, mean, square)
    }
}

multiversion! {
    fn moved(
        parameters: &mut [f32],
        means: &mut [f32],
        squares: &mut [f32],
        gradients: &[f32],
        step: AdamStep,
        corrections: [f32; 2],
    ) {
        let [first, second] = step.betas;
        let [unbiased, root] = corrections;
        let moments = parameters.iter_mut().zip(means).zip(squares);
        for (((parameter, mean), square), gradient) in moments.zip(gradients) {
            *mean = fma::<FUSED>(*mean, first, gradient * (1.0 - first));
            *square = fma::<FUSED>(*square, second, gradient * gradient * (1.0 - second));
            *parameter -= *mean * unbiased / fma::<FUSED>(square.sqrt(), root, step.epsilon);
        }
    }
}
