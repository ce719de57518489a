//! Batch normalization: measured in one pass over the activations, applied in one, and two on the way back.

use burn::tensor::DType;
use burn_cubecl::tensor::CubeTensor;

use super::gpu::{Gpu, Grid, Kernel, Scratch, arg, enqueue};
use super::rows::{dims, each, element, empty, empty_floats, empty_rows, flat, rows, some, wide};
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
        let y = empty_rows(x, dims(x), element(x));
        let application = Application::new(x, self.curve);
        let has_shortcut = shortcut.is_some();
        enqueue(&[x, &self.line, shortcut.unwrap_or(x), &y], move |gpu, at| {
            let shortcut = if has_shortcut { at[2] } else { 0 };
            application.run(gpu, [at[0], at[1], shortcut, at[3]]);
        });
        y
    }
}

/// The launch that applies lines.
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

    /// Runs on the addresses of `x`, line, shortcut or zero, and output.
    pub(crate) fn run(&self, gpu: &Gpu, [x, line, shortcut, y]: [u64; 4]) {
        let mut arguments = [
            arg(&x),
            arg(&line),
            arg(&shortcut),
            arg(&y),
            arg(&self.rows),
            arg(&self.channels),
            arg(&self.bend),
        ];
        gpu.launch(self.kernel, self.grid, &mut arguments);
    }
}

fn kernel(name: &'static str, x: &CubeTensor) -> Kernel {
    Kernel { file: File::Norm, name, element: element(x) }
}

/// Bytes of the sums that blocks leave.
fn partial_bytes(grid: Grid, channels: usize) -> usize {
    grid.blocks[0] * 2 * channels * 4
}

/// A gradient in rows behind a norm.
#[expect(clippy::large_enum_variant, reason = "one at a time")]
pub(crate) enum Behind {
    Tensor(CubeTensor),
    /// In [`Scratch::Between`], so many bytes.
    Scratch(usize),
}

/// Where a gradient is, for work that runs later.
#[derive(Clone, Copy)]
enum Place {
    Given,
    Scratch(usize),
}

impl Behind {
    fn tensor(&self) -> Option<&CubeTensor> {
        match self {
            Behind::Tensor(tensor) => Some(tensor),
            Behind::Scratch(_) => None,
        }
    }

    fn place(&self) -> Place {
        match self {
            Behind::Tensor(_) => Place::Given,
            Behind::Scratch(bytes) => Place::Scratch(*bytes),
        }
    }
}

impl Place {
    fn address(self, gpu: &Gpu, given: u64) -> u64 {
        match self {
            Place::Given => given,
            Place::Scratch(bytes) => gpu.scratch(Scratch::Between, bytes),
        }
    }
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
        let [line, mean, variance] = empty_floats(&x, [&[3, channels], &[channels], &[channels]]);
        let at_once = wide(element(&x), channels);
        let grid = some(rows, channels, at_once);
        let partial = partial_bytes(grid, channels);
        let name = if at_once == 1 { "norm_measure_one" } else { "norm_measure_wide" };
        let kernel = kernel(name, &x);
        enqueue(&[&x, &gamma, &beta, &mean, &variance, &line], move |gpu, at| {
            let (rows, channels, epsilon) = (rows as i64, channels as i32, epsilon as f32);
            let (waiting, partial) = (gpu.waiting(), gpu.scratch(Scratch::Sums, partial));
            let mut arguments = [
                arg(&at[0]),
                arg(&partial),
                arg(&waiting),
                arg(&rows),
                arg(&channels),
                arg(&at[1]),
                arg(&at[2]),
                arg(&epsilon),
                arg(&at[3]),
                arg(&at[4]),
                arg(&at[5]),
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
    pub(crate) fn backward(&self, gradient: Behind) -> [CubeTensor; 3] {
        let (count, channels, at_once) = self.size();
        let grid = some(count, channels, at_once);
        let partial = partial_bytes(grid, channels);
        let concluded = Concluded::of(self);
        let name = if at_once == 1 { "norm_sums_one" } else { "norm_sums_wide" };
        let kernel = kernel(name, &self.x);
        let bend = Bend::from(self.lines.curve);
        let epsilon = self.epsilon;
        let [gamma, beta, slopes] = concluded.tensors();
        let held = gradient.tensor().unwrap_or(&self.x);
        let place = gradient.place();
        let tensors = [held, &self.x, &self.lines.line, &self.variance, gamma, beta, slopes];
        enqueue(&tensors, move |gpu, at| {
            let (rows, channels) = (count as i64, channels as i32);
            let (waiting, partial) = (gpu.waiting(), gpu.scratch(Scratch::Sums, partial));
            let sums = Sums::of_norm(&at[2..], epsilon);
            let gradient = place.address(gpu, at[0]);
            let mut arguments = [
                arg(&gradient),
                arg(&at[1]),
                arg(&partial),
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
        let behind = Behind::Tensor(inner.clone());
        let [dx, gamma, beta] = self.back(&behind, concluded, linear);
        [dx, gamma, beta, inner]
    }

    /// Rows, channels, and how many of these a thread takes at once.
    fn size(&self) -> (usize, usize, usize) {
        let [batch, channels, height, width] = dims(&self.x);
        (batch * height * width, channels, wide(element(&self.x), channels))
    }

    /// From the sums to the gradient of the input, beside those of gamma and beta.
    fn back(&self, gradient: &Behind, concluded: Concluded, bend: Bend) -> [CubeTensor; 3] {
        let (count, channels, at_once) = self.size();
        let dx = empty_rows(&self.x, dims(&self.x), element(&self.x));
        let name = if at_once == 1 { "norm_back_one" } else { "norm_back_wide" };
        let kernel = kernel(name, &self.x);
        let grid = strided(count, channels, at_once);
        let Concluded { gamma, beta, slopes } = concluded;
        let held = gradient.tensor().unwrap_or(&self.x);
        let place = gradient.place();
        enqueue(&[held, &self.x, &self.lines.line, &slopes, &dx], move |gpu, at| {
            let (rows, channels) = (count as i64, channels as i32);
            let gradient = place.address(gpu, at[0]);
            let mut arguments = [
                arg(&gradient),
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
        let [slopes, gamma, beta] =
            empty_floats(&normed.x, [&[3, channels], &[channels], &[channels]]);
        Self { gamma, beta, slopes }
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
    let partial = partial_bytes(grid, channels);
    let inner = empty_rows(y, shape, element(y));
    let kernel = kernel(if at_once == 1 { "cut_sums_one" } else { "cut_sums_wide" }, y);
    let bend = Bend::from(Curve::Cut(limits));
    let mut tensors = vec![&gradient, y, &inner, shift];
    let mut epsilon = None;
    if let Some((normed, concluded)) = norm {
        tensors.extend([&normed.x, &normed.lines.line, &normed.variance]);
        tensors.extend(concluded.tensors());
        epsilon = Some(normed.epsilon);
    }
    enqueue(&tensors, move |gpu, at| {
        let (rows, channels) = (count as i64, channels as i32);
        let (waiting, partial) = (gpu.waiting(), gpu.scratch(Scratch::Sums, partial));
        let (x, sums) = match epsilon {
            Some(epsilon) => (at[4], Sums::of_norm(&at[5..], epsilon)),
            None => (0, Sums::of_shift(at[3])),
        };
        let mut arguments = [
            arg(&at[0]),
            arg(&at[1]),
            arg(&x),
            arg(&at[2]),
            arg(&partial),
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
