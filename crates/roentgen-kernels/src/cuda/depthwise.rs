//! Depthwise convolutions: our own kernels, which apply the affine of a norm to the values that they read.

use burn::tensor::DType;
use burn_cubecl::tensor::CubeTensor;

use super::affine::{Bend, ChannelAffine};
use super::element::Element;
use super::gpu::{Gpu, Grid, Kernel, Scratch, arg, enqueue};
use super::rows::{THREADS, Window, dims, each, empty, empty_rows, flat, numbers, some};
use super::source::{File, window_channels};
use crate::activation::Activation;
use crate::geometry::WindowGeometry;

/// Outputs of a row that a thread makes, `STRIP` in the source.
const STRIP: usize = 4;
/// Channels that a thread computes at once on the forward pass.
const AT_ONCE: usize = 4;

/// `struct Taps` of the source.
#[derive(Clone, Copy)]
#[repr(C)]
struct Taps {
    sizes: [i32; 3],
    is_turned: i32,
    strides: [i64; 3],
}

/// A convolution with a window for each channel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DepthwiseCall {
    batch: usize,
    channels: usize,
    window: WindowGeometry,
    element: Element,
}

impl DepthwiseCall {
    /// The convolution of an input of these dimensions.
    pub(crate) fn new(
        [batch, channels, ..]: [usize; 4],
        window: WindowGeometry,
        element: Element,
    ) -> Self {
        Self { batch, channels, window, element }
    }

    /// Returns the output for rows `x` after their affine.
    pub(crate) fn forward(
        self,
        x: &CubeTensor,
        affine: Option<&ChannelAffine>,
        weight: &CubeTensor,
    ) -> CubeTensor {
        self.slide(x, affine, weight, false)
    }

    /// The gradient of the input, of a gradient in rows.
    pub(crate) fn x_gradient(self, gradient: &CubeTensor, weight: &CubeTensor) -> CubeTensor {
        if let Some(window) = self.window.reverse() {
            return Self { window, ..self }.slide(gradient, None, weight, true);
        }
        let WindowGeometry { size, .. } = self.window;
        let dx = empty_rows(gradient, [self.batch, self.channels, size[0], size[1]], self.element);
        let packed = self.packed();
        let pixels = self.batch * size[0] * size[1];
        let is_wide = self.channels.is_multiple_of(AT_ONCE);
        let (name, at_once) =
            if is_wide { ("depthwise_x_wide", AT_ONCE) } else { ("depthwise_x_one", 1) };
        let kernel = self.kernel(name);
        let grid = each(pixels, self.channels, at_once);
        let (window, pack) = (Window::new(self.window, self.channels), self.packing(weight, false));
        enqueue(&[gradient, weight, &dx], move |gpu, at| {
            let packed = gpu.scratch(Scratch::Weight, packed);
            pack.run(gpu, [at[1], packed]);
            let pixels = pixels as i64;
            let mut arguments =
                [arg(&at[0]), arg(&packed), arg(&at[2]), arg(&pixels), arg(&window)];
            gpu.launch(kernel, grid, &mut arguments);
        });
        dx
    }

    /// The gradient of the weight, in float, of gradient and input in rows.
    pub(crate) fn weight_gradient(
        self,
        gradient: &CubeTensor,
        x: &CubeTensor,
        affine: Option<&ChannelAffine>,
    ) -> CubeTensor {
        let WindowGeometry { kernel: [height, width], out, stride, .. } = self.window;
        let (channels, taps) = (self.channels, height * width);
        let dw = empty(x, [channels, 1, height, width], DType::F32);
        let window = Window::new(self.window, self.channels);
        let bend = bend(affine);
        let has_affine = affine.is_some();
        let coefficients = affine.map_or(x, |affine| &affine.coefficients);
        let Some((_, name)) = self.known() else {
            let kernel = self.kernel("depthwise_weight_any");
            let grid = Grid { blocks: [channels, taps], threads: [THREADS, 1] };
            let pixels = (self.batch * out[0] * out[1]) as i64;
            enqueue(&[gradient, x, coefficients, &dw], move |gpu, at| {
                let coefficients = if has_affine { at[2] } else { 0 };
                let mut arguments = [
                    arg(&at[0]),
                    arg(&at[1]),
                    arg(&coefficients),
                    arg(&at[3]),
                    arg(&pixels),
                    arg(&window),
                    arg(&bend),
                ];
                gpu.launch(kernel, grid, &mut arguments);
            });
            return dw;
        };
        let strips = self.batch * out[0] * out[1].div_ceil(STRIP);
        let grid = some(strips, channels, window_channels(height));
        let parts = grid.blocks[0];
        let partial = parts * taps * channels * 4;
        let kernel = Kernel { file: File::Window(height, stride), name, element: self.element };
        let sum = self.kernel("depthwise_sum");
        let sums = Grid { blocks: [(channels * taps).div_ceil(32), 1], threads: [32, 8] };
        enqueue(&[gradient, x, coefficients, &dw], move |gpu, at| {
            let coefficients = if has_affine { at[2] } else { 0 };
            let strips = strips as i64;
            let partial = gpu.scratch(Scratch::Sums, partial);
            let mut arguments = [
                arg(&at[0]),
                arg(&at[1]),
                arg(&coefficients),
                arg(&partial),
                arg(&strips),
                arg(&window),
                arg(&bend),
            ];
            gpu.launch(kernel, grid, &mut arguments);
            let [parts, channels, taps] = numbers([parts, channels, taps]);
            let mut arguments =
                [arg(&partial), arg(&parts), arg(&at[3]), arg(&channels), arg(&taps)];
            gpu.launch(sum, sums, &mut arguments);
        });
        dw
    }

    fn slide(
        self,
        x: &CubeTensor,
        affine: Option<&ChannelAffine>,
        weight: &CubeTensor,
        is_turned: bool,
    ) -> CubeTensor {
        let WindowGeometry { out, .. } = self.window;
        let y = empty_rows(x, [self.batch, self.channels, out[0], out[1]], self.element);
        let packed = self.packed();
        let (kernel, grid, count) = match self.known() {
            Some((name, _)) => {
                let strips = self.batch * out[0] * out[1].div_ceil(STRIP);
                let file = File::Window(self.window.kernel[0], self.window.stride);
                let kernel = Kernel { file, name, element: self.element };
                (kernel, each(strips, self.channels, AT_ONCE), strips)
            }
            None => {
                let pixels = self.batch * out[0] * out[1];
                (self.kernel("depthwise_any"), each(pixels, self.channels, 1), pixels)
            }
        };
        let (window, pack) =
            (Window::new(self.window, self.channels), self.packing(weight, is_turned));
        let bend = bend(affine);
        let has_affine = affine.is_some();
        let coefficients = affine.map_or(x, |affine| &affine.coefficients);
        enqueue(&[x, coefficients, weight, &y], move |gpu, at| {
            let packed = gpu.scratch(Scratch::Weight, packed);
            pack.run(gpu, [at[2], packed]);
            let coefficients = if has_affine { at[1] } else { 0 };
            let count = count as i64;
            let mut arguments = [
                arg(&at[0]),
                arg(&coefficients),
                arg(&packed),
                arg(&at[3]),
                arg(&count),
                arg(&window),
                arg(&bend),
            ];
            gpu.launch(kernel, grid, &mut arguments);
        });
        y
    }

    /// The names of the kernels for a window whose size the compiler is told: forward and for the weight.
    fn known(self) -> Option<(&'static str, &'static str)> {
        let WindowGeometry { kernel: [height, width], stride, .. } = self.window;
        match (height, width, stride) {
            (3, 3, 1) => Some(("depthwise_3_1", "depthwise_weight_3_1")),
            (3, 3, 2) => Some(("depthwise_3_2", "depthwise_weight_3_2")),
            (5, 5, 1) => Some(("depthwise_5_1", "depthwise_weight_5_1")),
            (5, 5, 2) => Some(("depthwise_5_2", "depthwise_weight_5_2")),
            (7, 7, 1) => Some(("depthwise_7_1", "depthwise_weight_7_1")),
            _ => None,
        }
        .filter(|_| self.channels.is_multiple_of(AT_ONCE))
    }

    fn kernel(self, name: &'static str) -> Kernel {
        Kernel { file: File::Depthwise, name, element: self.element }
    }

    /// Bytes of the taps side by side.
    fn packed(self) -> usize {
        self.window.taps() * self.channels * 4
    }

    fn packing(self, weight: &CubeTensor, is_turned: bool) -> Packing {
        let [channels, _, height, width] = dims(weight);
        let strides = weight.meta.strides();
        let taps = Taps {
            sizes: numbers([channels, height, width]),
            is_turned: i32::from(is_turned),
            strides: [strides[0], strides[2], strides[3]].map(|stride| stride as i64),
        };
        let count = channels * height * width;
        Packing { kernel: self.kernel("depthwise_pack"), taps, count }
    }
}

/// A launch that puts the taps of all channels side by side.
#[derive(Clone, Copy)]
struct Packing {
    kernel: Kernel,
    taps: Taps,
    count: usize,
}

impl Packing {
    fn run(self, gpu: &Gpu, [weight, packed]: [u64; 2]) {
        let mut arguments = [arg(&weight), arg(&packed), arg(&self.taps)];
        gpu.launch(self.kernel, flat(self.count), &mut arguments);
    }
}

fn bend(affine: Option<&ChannelAffine>) -> Bend {
    affine.map_or(Activation::Linear.curve(), |affine| affine.curve).into()
}
