//! Batch normalization: measured in one pass over the activations, applied in one, and two on the way back.

use burn::tensor::DType;
use burn_cubecl::tensor::CubeTensor;

use super::gpu::{Grid, Kernel, arg, enqueue};
use super::rows::{dims, each, element, empty, empty_rows, flat, parts_of, rows, some, wide};
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
            Curve::Cut(limits) => Bend { limits, is_silu: 0 },
            Curve::Silu => Bend { limits: [f32::NEG_INFINITY, f32::INFINITY], is_silu: 1 },
        }
    }
}

/// What is done to each channel of an input before it is used: `(x - mean) * scale + shift`, then the curve.
#[derive(Clone, Debug)]
pub(crate) struct Lines {
    /// `[3, channels]`: mean, scale, shift.
    pub(crate) line: CubeTensor,
    pub(crate) curve: Curve,
}

impl Lines {
    /// The line of a scale and a shift; without a scale it is one.
    pub(crate) fn of(scale: Option<CubeTensor>, shift: CubeTensor, curve: Curve) -> Self {
        let [channels] = dims(&shift);
        let line = empty(&shift, [3, channels], DType::F32);
        let kernel = kernel("scale_line", &shift);
        let has_scale = scale.is_some();
        let scale = scale.unwrap_or_else(|| shift.clone());
        enqueue(&[&scale, &shift, &line], move |gpu, at| {
            let scale = if has_scale { at[0] } else { 0 };
            let count = channels as i32;
            let mut arguments = [arg(&scale), arg(&at[1]), arg(&at[2]), arg(&count)];
            gpu.launch(kernel, flat(channels), &mut arguments);
        });
        Self { line, curve }
    }

    /// What becomes of `x`, a shortcut added before the curve where there is one.
    pub(crate) fn apply(&self, x: &CubeTensor, shortcut: Option<&CubeTensor>) -> CubeTensor {
        let shape @ [batch, channels, height, width] = dims(x);
        let y = empty_rows(x, shape, element(x));
        let rows = batch * height * width;
        let at_once = wide(element(x), channels);
        let kernel = kernel(if at_once == 1 { "norm_apply_one" } else { "norm_apply_wide" }, x);
        let bend = Bend::from(self.curve);
        let grid = strided(rows, channels, at_once);
        let has_shortcut = shortcut.is_some();
        enqueue(&[x, &self.line, shortcut.unwrap_or(x), &y], move |gpu, at| {
            let shortcut = if has_shortcut { at[2] } else { 0 };
            let (rows, channels) = (rows as i64, channels as i32);
            let mut arguments = [
                arg(&at[0]),
                arg(&at[1]),
                arg(&shortcut),
                arg(&at[3]),
                arg(&rows),
                arg(&channels),
                arg(&bend),
            ];
            gpu.launch(kernel, grid, &mut arguments);
        });
        y
    }
}

fn kernel(name: &'static str, x: &CubeTensor) -> Kernel {
    Kernel { file: File::Norm, name, element: element(x) }
}

/// Blocks of a pass that leaves no partial sums: four rows a thread.
fn strided(rows: usize, channels: usize, at_once: usize) -> Grid {
    let grid = each(rows, channels, at_once);
    Grid { blocks: [grid.blocks[0].div_ceil(4), grid.blocks[1]], ..grid }
}

/// A norm's input with all that its output, and the way back from it, are made of.
#[derive(Clone, Debug)]
pub(crate) struct Normed {
    pub(crate) x: CubeTensor,
    pub(crate) lines: Lines,
    pub(crate) mean: CubeTensor,
    pub(crate) variance: CubeTensor,
    epsilon: f64,
}

impl Normed {
    /// Measures `x`, `[x, gamma, beta]` being the norm, without normalizing it.
    pub(crate) fn measure([x, gamma, beta]: [CubeTensor; 3], epsilon: f64, curve: Curve) -> Self {
        let x = rows(x);
        let [batch, channels, height, width] = dims(&x);
        let rows = batch * height * width;
        let [mean, variance] = [0, 1].map(|_| empty(&x, [channels], DType::F32));
        let line = empty(&x, [3, channels], DType::F32);
        let at_once = wide(element(&x), channels);
        let grid = some(rows, channels, at_once);
        let parts = grid.blocks[0];
        let partial = empty(&x, [parts, 2, channels], DType::F32);
        let first = if at_once == 1 { "norm_measure_one" } else { "norm_measure_wide" };
        let [first, second] = [first, "norm_line"].map(|name| kernel(name, &x));
        let tensors = [&x, &partial, &gamma, &beta, &mean, &variance, &line];
        enqueue(&tensors, move |gpu, at| {
            let (rows, channels, parts) = (rows as i64, channels as i32, parts as i32);
            let epsilon = epsilon as f32;
            let mut arguments = [arg(&at[0]), arg(&at[1]), arg(&rows), arg(&channels)];
            gpu.launch(first, grid, &mut arguments);
            let mut arguments = [
                arg(&at[1]),
                arg(&parts),
                arg(&at[0]),
                arg(&rows),
                arg(&channels),
                arg(&at[2]),
                arg(&at[3]),
                arg(&epsilon),
                arg(&at[4]),
                arg(&at[5]),
                arg(&at[6]),
            ];
            gpu.launch(second, parts_of(channels as usize), &mut arguments);
        });
        Self { x, lines: Lines { line, curve }, mean, variance, epsilon }
    }

    /// The output, a shortcut added before the curve where there is one.
    pub(crate) fn value(&self, shortcut: Option<&CubeTensor>) -> CubeTensor {
        self.lines.apply(&self.x, shortcut)
    }

    /// The gradients of input, gamma and beta.
    pub(crate) fn backward(&self, gradient: CubeTensor) -> [CubeTensor; 3] {
        let gradient = rows(gradient);
        let (count, channels, at_once) = self.size();
        let grid = some(count, channels, at_once);
        let partial = empty(&self.x, [grid.blocks[0], 2, channels], DType::F32);
        let name = if at_once == 1 { "norm_sums_one" } else { "norm_sums_wide" };
        let kernel = kernel(name, &self.x);
        let bend = Bend::from(self.lines.curve);
        enqueue(&[&gradient, &self.x, &self.lines.line, &partial], move |gpu, at| {
            let (rows, channels) = (count as i64, channels as i32);
            let mut arguments = [
                arg(&at[0]),
                arg(&at[1]),
                arg(&at[2]),
                arg(&at[3]),
                arg(&rows),
                arg(&channels),
                arg(&bend),
            ];
            gpu.launch(kernel, grid, &mut arguments);
        });
        self.back(&gradient, &partial, grid.blocks[0], bend)
    }

    /// The gradients of input, gamma, beta and shortcut, of an output `y` with a shortcut that was cut at the limits.
    pub(crate) fn backward_with_shortcut(
        &self,
        y: &CubeTensor,
        limits: [f32; 2],
        gradient: CubeTensor,
    ) -> [CubeTensor; 4] {
        let (inner, partial, parts) = cut_sums(gradient, y, Some(self), limits);
        let linear = Bend::from(Curve::Cut([f32::NEG_INFINITY, f32::INFINITY]));
        let [dx, gamma, beta] = self.back(&inner, &partial, parts, linear);
        [dx, gamma, beta, inner]
    }

    /// Rows, channels, and how many of these a thread takes at once.
    fn size(&self) -> (usize, usize, usize) {
        let [batch, channels, height, width] = dims(&self.x);
        (batch * height * width, channels, wide(element(&self.x), channels))
    }

    /// From partial sums to the gradients of input, gamma and beta.
    fn back(
        &self,
        gradient: &CubeTensor,
        partial: &CubeTensor,
        parts: usize,
        bend: Bend,
    ) -> [CubeTensor; 3] {
        let (count, channels, at_once) = self.size();
        let [gamma, beta] = [0, 1].map(|_| empty(&self.x, [channels], DType::F32));
        let slopes = empty(&self.x, [3, channels], DType::F32);
        let dx = empty_rows(&self.x, dims(&self.x), element(&self.x));
        let name = if at_once == 1 { "norm_back_one" } else { "norm_back_wide" };
        let [first, second] = ["norm_slopes", name].map(|name| kernel(name, &self.x));
        let epsilon = self.epsilon as f32;
        let grid = strided(count, channels, at_once);
        let tensors = [
            gradient,
            &self.x,
            &self.lines.line,
            &self.variance,
            partial,
            &gamma,
            &beta,
            &slopes,
            &dx,
        ];
        enqueue(&tensors, move |gpu, at| {
            let (rows, channels, parts) = (count as i64, channels as i32, parts as i32);
            let mut arguments = [
                arg(&at[4]),
                arg(&parts),
                arg(&rows),
                arg(&channels),
                arg(&at[2]),
                arg(&at[3]),
                arg(&epsilon),
                arg(&at[5]),
                arg(&at[6]),
                arg(&at[7]),
            ];
            gpu.launch(first, parts_of(channels as usize), &mut arguments);
            let mut arguments = [
                arg(&at[0]),
                arg(&at[1]),
                arg(&at[2]),
                arg(&at[7]),
                arg(&at[8]),
                arg(&rows),
                arg(&channels),
                arg(&bend),
            ];
            gpu.launch(second, grid, &mut arguments);
        });
        [dx, gamma, beta]
    }
}

/// Keeps the gradient where the output stands at no cut: it, partial sums of it, and their number.
pub(crate) fn cut_sums(
    gradient: CubeTensor,
    y: &CubeTensor,
    normed: Option<&Normed>,
    limits: [f32; 2],
) -> (CubeTensor, CubeTensor, usize) {
    let gradient = rows(gradient);
    let shape @ [batch, channels, height, width] = dims(y);
    let count = batch * height * width;
    let at_once = wide(element(y), channels);
    let grid = some(count, channels, at_once);
    let parts = grid.blocks[0];
    let partial = empty(y, [parts, 2, channels], DType::F32);
    let inner = empty_rows(y, shape, element(y));
    let kernel = kernel(if at_once == 1 { "cut_sums_one" } else { "cut_sums_wide" }, y);
    let bend = Bend::from(Curve::Cut(limits));
    let has_norm = normed.is_some();
    let (x, line) = normed.map_or((y, y), |normed| (&normed.x, &normed.lines.line));
    enqueue(&[&gradient, y, x, line, &inner, &partial], move |gpu, at| {
        let (rows, channels) = (count as i64, channels as i32);
        let [x, line] = if has_norm { [at[2], at[3]] } else { [0, 0] };
        let mut arguments = [
            arg(&at[0]),
            arg(&at[1]),
            arg(&x),
            arg(&line),
            arg(&at[4]),
            arg(&at[5]),
            arg(&rows),
            arg(&channels),
            arg(&bend),
        ];
        gpu.launch(kernel, grid, &mut arguments);
    });
    (inner, partial, parts)
}

/// The gradients of a shifted and cut input and of its shift.
pub(crate) fn shift_backward(
    gradient: CubeTensor,
    y: &CubeTensor,
    limits: [f32; 2],
) -> [CubeTensor; 2] {
    let (inner, partial, parts) = cut_sums(gradient, y, None, limits);
    let [_, channels, ..] = dims::<4>(y);
    let shift = empty(y, [channels], DType::F32);
    let kernel = kernel("shift_sums", y);
    enqueue(&[&partial, &shift], move |gpu, at| {
        let (channels, parts) = (channels as i32, parts as i32);
        let mut arguments = [arg(&at[0]), arg(&parts), arg(&channels), arg(&at[1])];
        gpu.launch(kernel, parts_of(channels as usize), &mut arguments);
    });
    [inner, shift]
}
