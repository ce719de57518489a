//! Normalization over the channels of each pixel (layer normalization).

use burn_cubecl::tensor::CubeTensor;

use super::gpu::{Kernel, Scratch, arg, enqueue};
use super::norm::partial_bytes;
use super::rows::{by_row, dims, element, empty_floats, empty_rows, row_sizes, rows, some};
use super::source::File;

/// What the backward pass needs.
#[derive(Clone, Debug)]
pub(crate) struct ChannelNorm {
    x: CubeTensor,
    gamma: CubeTensor,
    /// `[rows, 2]`: mean and inverse standard deviation.
    statistics: CubeTensor,
}

impl ChannelNorm {
    /// Returns the output for `[x, gamma, beta]`.
    pub(crate) fn forward(
        [x, gamma, beta]: [CubeTensor; 3],
        epsilon: f64,
    ) -> (CubeTensor, ChannelNorm) {
        let x = rows(x);
        let (count, channels, at_once) = row_sizes(&x);
        let y = empty_rows(&x, dims(&x), element(&x));
        let [statistics] = empty_floats(&x, [&[count, 2]]);
        let name = if at_once == 1 { "channel_norm_one" } else { "channel_norm_wide" };
        let (kernel, grid) = (kernel(name, &x), by_row(count, channels, at_once));
        enqueue(&[&x, &gamma, &beta, &y, &statistics], move |gpu, at| {
            let (rows, channels, epsilon) = (count as i64, channels as i32, epsilon as f32);
            let mut arguments = [
                arg(&at[0]),
                arg(&at[1]),
                arg(&at[2]),
                arg(&at[3]),
                arg(&at[4]),
                arg(&rows),
                arg(&channels),
                arg(&epsilon),
            ];
            gpu.launch(kernel, grid, &mut arguments);
        });
        (y, Self { x, gamma, statistics })
    }

    /// The gradients of `x`, gamma and beta.
    pub(crate) fn backward(&self, gradient: CubeTensor) -> [CubeTensor; 3] {
        let Self { x, gamma, statistics } = self;
        let gradient = rows(gradient);
        let (count, channels, at_once) = row_sizes(x);
        let dx = empty_rows(x, dims(x), element(x));
        let [dgamma, dbeta] = empty_floats(x, [&[channels], &[channels]]);
        let (back, sums) = match at_once {
            1 => ("channel_norm_back_one", "channel_norm_sums_one"),
            _ => ("channel_norm_back_wide", "channel_norm_sums_wide"),
        };
        let (back, sums) = (kernel(back, x), kernel(sums, x));
        let (grid, of_sums) = (by_row(count, channels, at_once), some(count, channels, at_once));
        let partial = partial_bytes(of_sums, channels);
        enqueue(&[&gradient, x, gamma, statistics, &dx, &dbeta, &dgamma], move |gpu, at| {
            let (rows, channels) = (count as i64, channels as i32);
            let mut arguments = [
                arg(&at[0]),
                arg(&at[1]),
                arg(&at[2]),
                arg(&at[3]),
                arg(&at[4]),
                arg(&rows),
                arg(&channels),
            ];
            gpu.launch(back, grid, &mut arguments);
            let (waiting, partial) = (gpu.waiting(), gpu.scratch(Scratch::Sums, partial));
            let mut arguments = [
                arg(&at[0]),
                arg(&at[1]),
                arg(&at[3]),
                arg(&partial),
                arg(&waiting),
                arg(&rows),
                arg(&channels),
                arg(&at[5]),
                arg(&at[6]),
            ];
            gpu.launch(sums, of_sums, &mut arguments);
        });
        [dx, dgamma, dbeta]
    }
}

fn kernel(name: &'static str, x: &CubeTensor) -> Kernel {
    Kernel { file: File::ChannelNorm, name, element: element(x) }
}
