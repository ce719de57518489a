//! The affine of a norm, applied in one pass: a scale and a shift for each channel, and the activation after them.

use burn::tensor::DType;
use burn_cubecl::tensor::CubeTensor;

use super::gpu::{Gpu, Grid, Kernel, arg, enqueue};
use super::rows::{dims, each, element, empty, empty_floats, empty_rows, flat, wide};
use super::source::File;
use crate::activation::Curve;

/// A curve as kernels take it.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct Bend {
    limits: [f32; 2],
    is_silu: i32,
}

impl From<Curve> for Bend {
    fn from(curve: Curve) -> Self {
        match curve {
            Curve::Clamp(limits) => Bend { limits, is_silu: 0 },
            Curve::Silu => Bend { limits: [f32::NEG_INFINITY, f32::INFINITY], is_silu: 1 },
        }
    }
}

/// What is done to each channel of an input before it is used: `(x - mean) * scale + shift`, then the curve.
#[derive(Clone, Debug)]
pub(crate) struct ChannelAffine {
    /// `[3, channels]`: mean, scale, shift.
    pub(crate) coefficients: CubeTensor,
    pub(crate) curve: Curve,
}

impl ChannelAffine {
    /// Makes the affine of a scale and a shift; without a scale, the scale is one.
    pub(crate) fn of(scale: Option<CubeTensor>, shift: CubeTensor, curve: Curve) -> Self {
        let [channels] = dims(&shift);
        let coefficients = empty(&shift, [3, channels], DType::F32);
        let kernel = kernel("scale_affine", &shift);
        let has_scale = scale.is_some();
        let scale = scale.unwrap_or_else(|| shift.clone());
        enqueue(&[&scale, &shift, &coefficients], move |gpu, at| {
            let scale = if has_scale { at[0] } else { 0 };
            let count = channels as i32;
            let mut arguments = [arg(&scale), arg(&at[1]), arg(&at[2]), arg(&count)];
            gpu.launch(kernel, flat(channels), &mut arguments);
        });
        Self { coefficients, curve }
    }

    /// What becomes of `x`, a shortcut added before the curve where there is one.
    pub(crate) fn apply(&self, x: &CubeTensor, shortcut: Option<&CubeTensor>) -> CubeTensor {
        let y = empty_rows(x, dims(x), element(x));
        let application = Application::new(x, self.curve);
        let has_shortcut = shortcut.is_some();
        enqueue(&[x, &self.coefficients, shortcut.unwrap_or(x), &y], move |gpu, at| {
            let shortcut = if has_shortcut { at[2] } else { 0 };
            application.run(gpu, [at[0], at[1], shortcut, at[3]]);
        });
        y
    }
}

/// The launch that applies an affine.
#[derive(Clone, Copy)]
pub(crate) struct Application {
    kernel: Kernel,
    grid: Grid,
    rows: i64,
    channels: i32,
    bend: Bend,
}

impl Application {
    pub(crate) fn new(x: &CubeTensor, curve: Curve) -> Self {
        let [batch, channels, height, width] = dims(x);
        let rows = batch * height * width;
        let at_once = wide(element(x), channels);
        let kernel = kernel(if at_once == 1 { "norm_apply_one" } else { "norm_apply_wide" }, x);
        let grid = strided(rows, channels, at_once);
        Self { kernel, grid, rows: rows as i64, channels: channels as i32, bend: curve.into() }
    }

    /// Launches on the addresses of `x`, coefficients, shortcut or zero, and output.
    pub(crate) fn run(&self, gpu: &Gpu, [x, coefficients, shortcut, y]: [u64; 4]) {
        let mut arguments = [
            arg(&x),
            arg(&coefficients),
            arg(&shortcut),
            arg(&y),
            arg(&self.rows),
            arg(&self.channels),
            arg(&self.bend),
        ];
        gpu.launch(self.kernel, self.grid, &mut arguments);
    }
}

/// A kernel of the norms for the element of `x`.
pub(crate) fn kernel(name: &'static str, x: &CubeTensor) -> Kernel {
    Kernel { file: File::Norm, name, element: element(x) }
}

/// A norm by its running statistics as one scale and one shift a channel.
pub(crate) fn fold(
    [gamma, beta]: [&CubeTensor; 2],
    [mean, variance]: [&CubeTensor; 2],
    epsilon: f64,
) -> (CubeTensor, CubeTensor) {
    let [channels] = dims(gamma);
    let [scale, shift] = empty_floats(gamma, [&[channels], &[channels]]);
    let kernel = kernel("fold", gamma);
    enqueue(&[gamma, beta, mean, variance, &scale, &shift], move |gpu, at| {
        let (epsilon, count) = (epsilon as f32, channels as i32);
        let mut arguments = [
            arg(&at[0]),
            arg(&at[1]),
            arg(&at[2]),
            arg(&at[3]),
            arg(&epsilon),
            arg(&at[4]),
            arg(&at[5]),
            arg(&count),
        ];
        gpu.launch(kernel, flat(channels), &mut arguments);
    });
    (scale, shift)
}

/// Blocks of a pass that leaves no partial sums: four rows a thread.
pub(crate) fn strided(rows: usize, channels: usize, at_once: usize) -> Grid {
    let grid = each(rows, channels, at_once);
    Grid { blocks: [grid.blocks[0].div_ceil(4), grid.blocks[1]], ..grid }
}
