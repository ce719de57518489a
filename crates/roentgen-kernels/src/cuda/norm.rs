//! Batch normalization: one pass over the activations measures them, and two passes make the gradients.

use burn::tensor::DType;
use burn_cubecl::tensor::CubeTensor;

use super::affine::{Bend, ChannelAffine, kernel, strided};
use super::gpu::{Gpu, Grid, Scratch, arg, enqueue};
use super::rows::{dims, element, empty, empty_floats, empty_rows, row_sizes, rows, some, wide};
use crate::activation::Curve;

/// Bytes of the sums that blocks leave.
pub(crate) fn partial_bytes(grid: Grid, channels: usize) -> usize {
    grid.blocks[0] * 2 * channels * 4
}

/// The gradient of a norm's output, in rows.
pub(crate) struct OutputGradient {
    /// The gradient, or any tensor if the gradient is in scratch.
    tensor: CubeTensor,
    /// The bytes of [`Scratch::Between`] that hold it.
    scratch: Option<usize>,
}

impl OutputGradient {
    pub(crate) fn in_tensor(tensor: CubeTensor) -> Self {
        Self { tensor, scratch: None }
    }

    /// A gradient of this many bytes in scratch, on the device of another tensor.
    pub(crate) fn in_scratch(bytes: usize, beside: &CubeTensor) -> Self {
        Self { tensor: beside.clone(), scratch: Some(bytes) }
    }
}

/// The address of a gradient, of which `tensor` is the address of [`OutputGradient::tensor`].
fn address(gpu: &Gpu, scratch: Option<usize>, tensor: u64) -> u64 {
    scratch.map_or(tensor, |bytes| gpu.scratch(Scratch::Between, bytes))
}

/// A norm's input with everything that its output, and the backward pass, are computed from.
#[derive(Clone, Debug)]
pub(crate) struct BatchNorm {
    pub(crate) x: CubeTensor,
    pub(crate) affine: ChannelAffine,
    pub(crate) mean: CubeTensor,
    pub(crate) variance: CubeTensor,
    epsilon: f64,
}

impl BatchNorm {
    /// Measures `x`, `[x, gamma, beta]` being the norm, without normalizing it.
    pub(crate) fn measure([x, gamma, beta]: [CubeTensor; 3], epsilon: f64, curve: Curve) -> Self {
        let x = rows(x);
        let [batch, channels, height, width] = dims(&x);
        let rows = batch * height * width;
        let [coefficients, mean, variance] =
            empty_floats(&x, [&[3, channels], &[channels], &[channels]]);
        let at_once = wide(element(&x), channels);
        let grid = some(rows, channels, at_once);
        let partial = partial_bytes(grid, channels);
        let name = if at_once == 1 { "norm_measure_one" } else { "norm_measure_wide" };
        let kernel = kernel(name, &x);
        enqueue(&[&x, &gamma, &beta, &mean, &variance, &coefficients], move |gpu, at| {
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
        Self { x, affine: ChannelAffine { coefficients, curve }, mean, variance, epsilon }
    }

    /// The output, a shortcut added before the curve where there is one.
    pub(crate) fn value(&self, shortcut: Option<&CubeTensor>) -> CubeTensor {
        self.affine.apply(&self.x, shortcut)
    }

    /// The gradients of input, gamma and beta.
    pub(crate) fn backward(&self, gradient: OutputGradient) -> [CubeTensor; 3] {
        let (count, channels, at_once) = row_sizes(&self.x);
        let grid = some(count, channels, at_once);
        let partial = partial_bytes(grid, channels);
        let concluded = Concluded::of(self);
        let name = if at_once == 1 { "norm_sums_one" } else { "norm_sums_wide" };
        let kernel = kernel(name, &self.x);
        let bend = Bend::from(self.affine.curve);
        let epsilon = self.epsilon;
        let [gamma, beta, slopes] = concluded.tensors();
        let OutputGradient { tensor, scratch } = &gradient;
        let scratch = *scratch;
        let tensors =
            [tensor, &self.x, &self.affine.coefficients, &self.variance, gamma, beta, slopes];
        enqueue(&tensors, move |gpu, at| {
            let (rows, channels) = (count as i64, channels as i32);
            let (waiting, partial) = (gpu.waiting(), gpu.scratch(Scratch::Sums, partial));
            let sums = Sums::of_norm(&at[2..], epsilon);
            let gradient = address(gpu, scratch, at[0]);
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

    /// The gradients of input, gamma, beta and shortcut, of an output `y` with a shortcut that was clamped to the limits.
    pub(crate) fn backward_with_shortcut(
        &self,
        y: &CubeTensor,
        limits: [f32; 2],
        gradient: CubeTensor,
    ) -> [CubeTensor; 4] {
        let concluded = Concluded::of(self);
        let inner = cut_sums(gradient, y, Some((self, &concluded)), &concluded.beta, limits);
        let linear = Bend::from(Curve::Clamp([f32::NEG_INFINITY, f32::INFINITY]));
        let of_sum = OutputGradient::in_tensor(inner.clone());
        let [dx, gamma, beta] = self.back(&of_sum, concluded, linear);
        [dx, gamma, beta, inner]
    }

    /// From the sums to the gradient of the input, beside those of gamma and beta.
    fn back(&self, gradient: &OutputGradient, concluded: Concluded, bend: Bend) -> [CubeTensor; 3] {
        let (count, channels, at_once) = row_sizes(&self.x);
        let dx = empty_rows(&self.x, dims(&self.x), element(&self.x));
        let name = if at_once == 1 { "norm_back_one" } else { "norm_back_wide" };
        let kernel = kernel(name, &self.x);
        let grid = strided(count, channels, at_once);
        let Concluded { gamma, beta, slopes } = concluded;
        let OutputGradient { tensor, scratch } = gradient;
        let scratch = *scratch;
        enqueue(&[tensor, &self.x, &self.affine.coefficients, &slopes, &dx], move |gpu, at| {
            let (rows, channels) = (count as i64, channels as i32);
            let gradient = address(gpu, scratch, at[0]);
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
    fn of(norm: &BatchNorm) -> Self {
        let [channels] = dims(&norm.mean);
        let [slopes, gamma, beta] =
            empty_floats(&norm.x, [&[3, channels], &[channels], &[channels]]);
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
    coefficients: u64,
    variance: u64,
    epsilon: f32,
    gamma: u64,
    beta: u64,
    slopes: u64,
}

impl Sums {
    /// Of the addresses of coefficients, variance, gamma, beta and slopes.
    fn of_norm(at: &[u64], epsilon: f64) -> Self {
        let [coefficients, variance, gamma, beta, slopes] = [0, 1, 2, 3, 4].map(|index| at[index]);
        Self { coefficients, variance, epsilon: epsilon as f32, gamma, beta, slopes }
    }

    /// Of a shift alone, by its address.
    fn of_shift(beta: u64) -> Self {
        Self { coefficients: 0, variance: 0, epsilon: 0.0, gamma: 0, beta, slopes: 0 }
    }
}

/// Zeroes the gradient where the output is clamped, and sums it into `shift` or, with a norm, into the gradients of the norm.
fn cut_sums(
    gradient: CubeTensor,
    y: &CubeTensor,
    norm: Option<(&BatchNorm, &Concluded)>,
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
    let bend = Bend::from(Curve::Clamp(limits));
    let mut tensors = vec![&gradient, y, &inner, shift];
    let mut epsilon = None;
    if let Some((norm, concluded)) = norm {
        tensors.extend([&norm.x, &norm.affine.coefficients, &norm.variance]);
        tensors.extend(concluded.tensors());
        epsilon = Some(norm.epsilon);
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

/// The gradients of a shifted and clamped input and of its shift.
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
