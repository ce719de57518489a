//! The end of a residual block: the input plus what was computed of it, times a scale of each channel and a factor of each
//! film.

use burn_cubecl::tensor::CubeTensor;

use super::affine::strided;
use super::gpu::{Kernel, Scratch, arg, enqueue};
use super::norm::partial_bytes;
use super::rows::{contiguous, dims, element, empty_floats, empty_rows, row_sizes, rows, some};
use super::source::File;

/// What the backward pass needs.
#[derive(Clone, Debug)]
pub(crate) struct ScaledAdd {
    inner: CubeTensor,
    scale: CubeTensor,
    /// Without factors they are one.
    factor: Option<CubeTensor>,
}

impl ScaledAdd {
    /// Returns `x + inner * scale * factor`.
    pub(crate) fn forward(
        [x, inner, scale]: [CubeTensor; 3],
        factor: Option<CubeTensor>,
    ) -> (CubeTensor, ScaledAdd) {
        let [x, inner] = [x, inner].map(rows);
        let factor = factor.map(contiguous);
        let (count, channels, at_once) = row_sizes(&x);
        let [_, _, height, width] = dims(&x);
        let plane = height * width;
        assert!(u32::try_from(count).is_ok(), "a row has a number of 32 bits");
        let y = empty_rows(&x, dims(&x), element(&x));
        let name = if at_once == 1 { "scaled_add_one" } else { "scaled_add_wide" };
        let (kernel, grid) = (kernel(name, &x), strided(count, channels, at_once));
        let has_factor = factor.is_some();
        enqueue(&[&x, &inner, &scale, factor.as_ref().unwrap_or(&x), &y], move |gpu, at| {
            let factor = if has_factor { at[3] } else { 0 };
            let (rows, channels, plane) = (count as i64, channels as i32, plane as i32);
            let mut arguments = [
                arg(&at[0]),
                arg(&at[1]),
                arg(&at[2]),
                arg(&factor),
                arg(&at[4]),
                arg(&rows),
                arg(&channels),
                arg(&plane),
            ];
            gpu.launch(kernel, grid, &mut arguments);
        });
        (y, Self { inner, scale, factor })
    }

    /// The gradients of `x`, `inner` and scale; factors have none.
    pub(crate) fn backward(&self, gradient: CubeTensor) -> [CubeTensor; 3] {
        let Self { inner, scale, factor } = self;
        let gradient = rows(gradient);
        let (count, channels, at_once) = row_sizes(inner);
        let [_, _, height, width] = dims(inner);
        let plane = height * width;
        let dinner = empty_rows(inner, dims(inner), element(inner));
        let [dscale] = empty_floats(inner, [&[channels]]);
        let name = if at_once == 1 { "scaled_add_back_one" } else { "scaled_add_back_wide" };
        let (kernel, grid) = (kernel(name, inner), some(count, channels, at_once));
        let partial = partial_bytes(grid, channels);
        let has_factor = factor.is_some();
        let factor = factor.as_ref().unwrap_or(inner);
        enqueue(&[&gradient, inner, scale, factor, &dinner, &dscale], move |gpu, at| {
            let factor = if has_factor { at[3] } else { 0 };
            let (rows, channels, plane) = (count as i64, channels as i32, plane as i32);
            let (waiting, partial) = (gpu.waiting(), gpu.scratch(Scratch::Sums, partial));
            let mut arguments = [
                arg(&at[0]),
                arg(&at[1]),
                arg(&at[2]),
                arg(&factor),
                arg(&at[4]),
                arg(&partial),
                arg(&waiting),
                arg(&rows),
                arg(&channels),
                arg(&plane),
                arg(&at[5]),
            ];
            gpu.launch(kernel, grid, &mut arguments);
        });
        [gradient, dinner, dscale]
    }
}

fn kernel(name: &'static str, x: &CubeTensor) -> Kernel {
    Kernel { file: File::ScaledAdd, name, element: element(x) }
}
