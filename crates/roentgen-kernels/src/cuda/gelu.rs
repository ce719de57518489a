//! A shift of each channel and the Gaussian error linear unit after it.

use burn_cubecl::tensor::CubeTensor;

use super::affine::strided;
use super::gpu::{Kernel, Scratch, arg, enqueue};
use super::norm::partial_bytes;
use super::rows::{dims, element, empty_floats, empty_rows, row_sizes, rows, some};
use super::source::File;

/// Returns the output for rows `x`.
pub(crate) fn forward(x: &CubeTensor, shift: &CubeTensor) -> CubeTensor {
    let (count, channels, at_once) = row_sizes(x);
    let y = empty_rows(x, dims(x), element(x));
    let name = if at_once == 1 { "shift_gelu_one" } else { "shift_gelu_wide" };
    let (kernel, grid) = (kernel(name, x), strided(count, channels, at_once));
    enqueue(&[x, shift, &y], move |gpu, at| {
        let (rows, channels) = (count as i64, channels as i32);
        let mut arguments = [arg(&at[0]), arg(&at[1]), arg(&at[2]), arg(&rows), arg(&channels)];
        gpu.launch(kernel, grid, &mut arguments);
    });
    y
}

/// The gradients of `x` and of the shift.
pub(crate) fn backward(
    gradient: CubeTensor,
    x: &CubeTensor,
    shift: &CubeTensor,
) -> [CubeTensor; 2] {
    let gradient = rows(gradient);
    let (count, channels, at_once) = row_sizes(x);
    let dx = empty_rows(x, dims(x), element(x));
    let [dshift] = empty_floats(x, [&[channels]]);
    let name = if at_once == 1 { "shift_gelu_back_one" } else { "shift_gelu_back_wide" };
    let (kernel, grid) = (kernel(name, x), some(count, channels, at_once));
    let partial = partial_bytes(grid, channels);
    enqueue(&[&gradient, x, shift, &dx, &dshift], move |gpu, at| {
        let (rows, channels) = (count as i64, channels as i32);
        let (waiting, partial) = (gpu.waiting(), gpu.scratch(Scratch::Sums, partial));
        let mut arguments = [
            arg(&at[0]),
            arg(&at[1]),
            arg(&at[2]),
            arg(&at[3]),
            arg(&partial),
            arg(&waiting),
            arg(&rows),
            arg(&channels),
            arg(&at[4]),
        ];
        gpu.launch(kernel, grid, &mut arguments);
    });
    [dx, dshift]
}

fn kernel(name: &'static str, x: &CubeTensor) -> Kernel {
    Kernel { file: File::Gelu, name, element: element(x) }
}
