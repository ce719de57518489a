//! A bias on each channel and a clamp after it, in the memory of the input.
//!
//! The backward pass needs the output alone: where it is clamped, the gradient is zero.

use burn_flex::FlexTensor;
use rayon::prelude::*;

use crate::activation::Curve;
use crate::cpu::norm::channel::{Channel, scale_shift};
use crate::cpu::norm::gradient::clamped_gradient_sum;
use crate::cpu::storage::{dims, split_by_channel, tensor, values};

/// Zeroes the gradient where the output is clamped, and returns its sum over each channel.
pub(crate) fn backward(gradient: &mut FlexTensor, y: &FlexTensor, limits: [f32; 2]) -> FlexTensor {
    let [_, channels, height, width] = dims(y);
    let plane = height * width;
    let sums = split_by_channel(gradient.storage_mut(), channels, plane)
        .into_par_iter()
        .enumerate()
        .map(|(index, mut gradient)| {
            let channel = Channel { values: values(y), channels, plane, index };
            clamped_gradient_sum(channel, limits, &mut gradient) as f32
        })
        .collect();
    tensor(sums, [channels])
}

/// Adds to each channel and clamps, in the memory of `x`.
pub(crate) fn forward(mut x: FlexTensor, shift: &FlexTensor, limits: [f32; 2]) -> FlexTensor {
    let [_, channels, height, width] = dims(&x);
    let shift = values(shift);
    split_by_channel(x.storage_mut(), channels, height * width)
        .into_par_iter()
        .zip(shift)
        .for_each(|(mut planes, &shift)| {
            scale_shift([1.0, shift], Curve::Clamp(limits), &mut planes)
        });
    x
}
