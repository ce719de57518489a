//! The step of Adam in one pass over each parameter.
//!
//! Written as tensor operations it is a dozen passes, each of which takes memory for its result.

use burn_flex::FlexTensor;
use rayon::prelude::*;

use crate::cpu::simd::{fma, multiversion};
use crate::cpu::storage::contiguous;
use crate::settings::AdamStep;

/// Values that a task takes.
const BLOCK: usize = 1 << 14;

/// Moves a parameter, the mean and the mean square in the memory that they have.
pub(crate) fn step(
    moments: [FlexTensor; 3],
    gradient: FlexTensor,
    step: AdamStep,
) -> (FlexTensor, FlexTensor, FlexTensor) {
    let gradient = contiguous(gradient);
    let corrections = step.corrections();
    let [mut parameter, mut mean, mut square] = moments.map(contiguous);
    let parameters = parameter.storage_mut::<f32>().par_chunks_mut(BLOCK);
    let means = mean.storage_mut::<f32>().par_chunks_mut(BLOCK);
    let squares = square.storage_mut::<f32>().par_chunks_mut(BLOCK);
    let moments = parameters.zip(means).zip(squares);
    moments.zip(gradient.storage::<f32>().par_chunks(BLOCK)).for_each(
        |(((parameter, mean), square), gradient)| {
            adam_step(parameter, mean, square, gradient, step, corrections);
        },
    );
    (parameter, mean, square)
}

multiversion! {
    fn adam_step(
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
