//! Batch normalization, an activation, and the mean of each two by two values: the transition between
//! two blocks of a DenseNet, without keeping the feature maps of full size.

use std::mem::MaybeUninit;

use burn_flex::FlexTensor;
use rayon::prelude::*;

use crate::cpu::conv::input::ConvInput;
use crate::cpu::norm::BatchNorm;
use crate::cpu::storage::{build_vec, dims, tensor, values};

/// Normalizes, activates and takes the means.
pub(crate) fn forward(norm: &BatchNorm) -> FlexTensor {
    let [batch, channels, height, width] = dims(&norm.x);
    let size = [height / 2, width / 2];
    let affine = norm.affine();
    let x = ConvInput::new(values(&norm.x), [channels, height * width], Some(&affine));
    let write = |y: &mut [MaybeUninit<f32>]| {
        let planes = y.par_chunks_exact_mut(size[0] * size[1]).enumerate();
        planes.for_each_init(Vec::new, |scratch, (index, y)| {
            let plane = x.plane([index / channels, index % channels], scratch);
            let pairs = plane.chunks_exact(2 * width);
            for (pair, y) in pairs.zip(y.chunks_exact_mut(size[1])) {
                let (above, below) = pair.split_at(width);
                let columns = above.as_chunks::<2>().0.iter().zip(below.as_chunks::<2>().0);
                for (y, ([a, b], [c, d])) in y.iter_mut().zip(columns) {
                    y.write(0.25 * ((a + b) + (c + d)));
                }
            }
        });
    };
    #[expect(unsafe_code, reason = "spares a pass that fills with zeros")]
    // SAFETY: the planes are the whole of `y`; each has half the rows and columns of `x`, and there is
    // a pair of rows and a pair of columns for each.
    let y = unsafe { build_vec(batch * channels * size[0] * size[1], write) };
    tensor(y, [batch, channels, size[0], size[1]])
}

/// The gradient of the values, of `shape`: a quarter of each gradient for each of four.
pub(crate) fn backward(gradient: &FlexTensor, shape: [usize; 4]) -> FlexTensor {
    let [batch, channels, height, width] = shape;
    let mut inner = vec![0.0; batch * channels * height * width];
    let planes = values(gradient).par_chunks_exact((height / 2) * (width / 2));
    inner.par_chunks_exact_mut(height * width).zip(planes).for_each(|(inner, gradient)| {
        let rows = gradient.chunks_exact(width / 2);
        for (pair, gradient) in inner.chunks_exact_mut(2 * width).zip(rows) {
            for row in pair.chunks_exact_mut(width) {
                for (pair, gradient) in row.as_chunks_mut::<2>().0.iter_mut().zip(gradient) {
                    *pair = [0.25 * gradient; 2];
                }
            }
        }
    });
    tensor(inner, shape)
}
