//! Batch normalization: measured in one pass over the activations, applied in one, and two on the way back.

use burn::tensor::DType;
use burn_cubecl::tensor::CubeTensor;

use super::gpu::{Grid, Kernel, arg, enqueue};
use super::rows::{dims, each, element, empty, empty_rows, flat, rows, some, wide};
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
        let partial = empty(&x, [grid.blocks[0], 2, channels], DType::F32);
        let name = if at_once == 1 { "norm_measure_one" } else { "norm_measure_wide" };
        let kernel = kernel(name, &x);
        let tensors = [&x, &partial, &gamma, &beta, &mean, &variance, &line];
        enqueue(&tensors, move |gpu, at| {
            let (rows, channels, epsilon) = (rows as i64, channels as i32, epsilon as f32);
            let waiting = gpu.waiting();
            let mut arguments = [
                arg(&at[0]),
                arg(&at[1]),
                arg(&waiting),
                arg(&rows),
                arg(&channels),
                arg(&at[2]),
                arg(&at[3]),
                arg(&epsilon),
                arg(&at[4]),
                arg(&at[5]),
                arg(&at[6]),
            ];
            gpu.launch(kernel, grid, &mut arguments);
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
        let concluded = Concluded::of(self);
        let name = if at_once == 1 { "norm_sums_one" } else { "norm_sums_wide" };
        let kernel = kernel(name, &self.x);
        let bend = Bend::from(self.lines.curve);
        let epsilon = self.epsilon;
        let [gamma, beta, slopes] = concluded.tensors();
        let tensors =
            [&gradient, &self.x, &partial, &self.lines.line, &self.variance, gamma, beta, slopes];
        enqueue(&tensors, move |gpu, at| {
            let (rows, channels) = (count as i64, channels as i32);
            let waiting = gpu.waiting();
            let sums = Sums::of_norm(&at[3..], epsilon);
            let mut arguments = [
                arg(&at[0]),
                arg(&at[1]),
                arg(&at[2]),
                arg(&waiting),
                arg(&rows),
                arg(&channels),
                arg(&bend),
                arg(&sums),
            ];
            gpu.launch(kernel, grid, &mut arguments);
        });
        self.back(&gradient, concluded, bend)
    }

    /// The gradients of input, gamma, beta and shortcut, of an output `y` with a shortcut that was cut at the limits.
    pub(crate) fn backward_with_shortcut(
        &self,
        y: &CubeTensor,
        limits: [f32; 2],
        gradient: CubeTensor,
    ) -> [CubeTensor; 4] {
        let concluded = Concluded::of(self);
        let inner = cut_sums(gradient, y, Some((self, &concluded)), &concluded.beta, limits);
        let linear = Bend::from(Curve::Cut([f32::NEG_INFINITY, f32::INFINITY]));
        let [dx, gamma, beta] = self.back(&inner, concluded, linear);
        [dx, gamma, beta, inner]
    }

    /// Rows, channels, and how many of these a thread takes at once.
    fn size(&self) -> (usize, usize, usize) {
        let [batch, channels, height, width] = dims(&self.x);
        (batch * height * width, channels, wide(element(&self.x), channels))
    }

    /// From the sums to the gradient of the input, beside those of gamma and beta.
    fn back(&self, gradient: &CubeTensor, concluded: Concluded, bend: Bend) -> [CubeTensor; 3] {
        let (count, channels, at_once) = self.size();
        let dx = empty_rows(&self.x, dims(&self.x), element(&self.x));
        let name = if at_once == 1 { "norm_back_one" } else { "norm_back_wide" };
        let kernel = kernel(name, &self.x);
        let grid = strided(count, channels, at_once);
        let Concluded { gamma, beta, slopes } = concluded;
        enqueue(&[gradient, &self.x, &self.lines.line, &slopes, &dx], move |gpu, at| {
            let (rows, channels) = (count as i64, channels as i32);
            let mut arguments = [
                arg(&at[0]),
                arg(&at[1]),
                arg(&at[2]),
                arg(&at[3]),
                arg(&at[4]),
                arg(&rows),
                arg(&channels),
                arg(&bend),
            ];
            gpu.launch(kernel, grid, &mut arguments);
        });
        [dx, gamma, beta]
    }
}

/// What the sums of a norm's gradient come to: the gradients of gamma and beta, and `[3, channels]` for that of the input.
struct Concluded {
    gamma: CubeTensor,
    beta: CubeTensor,
    slopes: CubeTensor,
}

impl Concluded {
    fn of(normed: &Normed) -> Self {
        let [channels] = dims(&normed.mean);
        let vector = || empty(&normed.x, [channels], DType::F32);
        Self { gamma: vector(), beta: vector(), slopes: empty(&normed.x, [3, channels], DType::F32) }
    }

    fn tensors(&self) -> [&CubeTensor; 3] {
        [&self.gamma, &self.beta, &self.slopes]
    }
}

/// `struct Sums` of the source.
#[derive(Clone, Copy)]
#[repr(C)]
struct Sums {
    line: u64,
    variance: u64,
    epsilon: f32,
    gamma: u64,
    beta: u64,
    slopes: u64,
}

impl Sums {
    /// Of the addresses of line, variance, gamma, beta and slopes.
    fn of_norm(at: &[u64], epsilon: f64) -> Self {
        let [line, variance, gamma, beta, slopes] = [0, 1, 2, 3, 4].map(|index| at[index]);
        Self { line, variance, epsilon: epsilon as f32, gamma, beta, slopes }
    }

    /// Of a shift alone, by its address.
    fn of_shift(beta: u64) -> Self {
        Self { line: 0, variance: 0, epsilon: 0.0, gamma: 0, beta, slopes: 0 }
    }
}

/// Keeps the gradient where the output stands at no cut, and sums it into `shift` or, with a norm, into what it comes to.
fn cut_sums(
    gradient: CubeTensor,
    y: &CubeTensor,
    norm: Option<(&Normed, &Concluded)>,
    shift: &CubeTensor,
    limits: [f32; 2],
) -> CubeTensor {
    let gradient = rows(gradient);
    let shape @ [batch, channels, height, width] = dims(y);
    let count = batch * height * width;
    let at_once = wide(element(y), channels);
    let grid = some(count, channels, at_once);
    let partial = empty(y, [grid.blocks[0], 2, channels], DType::F32);
    let inner = empty_rows(y, shape, element(y));
    let kernel = kernel(if at_once == 1 { "cut_sums_one" } else { "cut_sums_wide" }, y);
    let bend = Bend::from(Curve::Cut(limits));
    let mut tensors = vec![&gradient, y, &inner, &partial, shift];
    let mut epsilon = None;
    if let Some((normed, concluded)) = norm {
        tensors.extend([&normed.x, &normed.lines.line, &normed.variance]);
        tensors.extend(concluded.tensors());
        epsilon = Some(normed.epsilon);
    }
    enqueue(&tensors, move |gpu, at| {
        let (rows, channels) = (count as i64, channels as i32);
        let waiting = gpu.waiting();
        let (x, sums) = match epsilon {
            Some(epsilon) => (at[5], Sums::of_norm(&at[6..], epsilon)),
            None => (0, Sums::of_shift(at[4])),
        };
        let mut arguments = [
            arg(&at[0]),
            arg(&at[1]),
            arg(&x),
            arg(&at[2]),
            arg(&at[3]),
            arg(&waiting),
            arg(&rows),
            arg(&channels),
            arg(&bend),
            arg(&sums),
        ];
        gpu.launch(kernel, grid, &mut arguments);
    });
    inner
}

/// The gradients of a shifted and cut input and of its shift.
pub(crate) fn shift_backward(
    gradient: CubeTensor,
    y: &CubeTensor,
    limits: [f32; 2],
) -> [CubeTensor; 2] {
    let [_, channels, ..] = dims::<4>(y);
    let shift = empty(y, [channels], DType::F32);
    let inner = cut_sums(gradient, y, None, &shift, limits);
    [inner, shift]
}
