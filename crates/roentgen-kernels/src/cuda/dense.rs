//! Dense convolutions: cuDNN's, or the plain kernels where cuDNN cannot be asked.

use burn::tensor::DType;
use burn_cubecl::tensor::CubeTensor;

use super::affine::{Application, ChannelAffine};
use super::call::DenseCall;
use super::dnn::{self, Direction, Shape};
use super::gpu::{Gpu, Kernel, Scratch, arg, enqueue};
use super::norm::OutputGradient;
use super::plain;
use super::rows::{contiguous, dims, empty, empty_rows, flat, numbers};
use super::source::File;
use crate::geometry::WindowGeometry;

/// Channels that every engine of cuDNN takes are a multiple of this.
const GROUP: usize = 8;

/// A film with zeros around it and after its channels.
#[derive(Clone, Copy)]
#[repr(C)]
struct Padded {
    size: [i32; 2],
    channels: i32,
    out: [i32; 2],
    out_channels: i32,
    before: [i32; 2],
}

/// Weights and their strides.
#[derive(Clone, Copy)]
#[repr(C)]
struct Weights {
    sizes: [i32; 4],
    strides: [i64; 4],
}

/// What a convolution reads.
struct Input {
    x: CubeTensor,
    /// Of `x` where it has still to be normalized, or anything.
    coefficients: CubeTensor,
    normalized: Option<Normalized>,
}

/// A launch that applies an affine to rows, into scratch.
#[derive(Clone, Copy)]
struct Normalized {
    application: Application,
    bytes: usize,
}

impl Normalized {
    /// From the addresses of rows and coefficients to that of the output.
    fn run(self, gpu: &Gpu, [x, coefficients]: [u64; 2]) -> u64 {
        let y = gpu.scratch(Scratch::Normalized, self.bytes);
        self.application.run(gpu, [x, coefficients, 0, y]);
        y
    }
}

impl DenseCall {
    /// Returns the output for rows `x` after their affine, and the weight as cuDNN takes it, for the backward pass.
    pub(crate) fn forward(
        self,
        x: &CubeTensor,
        affine: Option<&ChannelAffine>,
        weight: &CubeTensor,
    ) -> (CubeTensor, Option<CubeTensor>) {
        let WindowGeometry { out, .. } = self.window;
        let y = empty_rows(x, [self.batch, self.outs, out[0], out[1]], self.element);
        let Some(shape) = self.shape() else {
            let applied = affine.map(|affine| affine.apply(x, None));
            let x = applied.as_ref().unwrap_or(x);
            plain::forward(self, [x, &contiguous(weight.clone()), &y]);
            return (y, None);
        };
        let input = self.input(x, affine);
        let packed = self.packed(x);
        let weights = weights(weight);
        let place = self;
        let Input { x, coefficients, normalized } = &input;
        let normalized = *normalized;
        enqueue(&[x, coefficients, weight, &y, &packed], move |gpu, at| {
            place.pack(gpu, weights, [at[2], at[4]]);
            let x = normalized.map_or(at[0], |normalized| normalized.run(gpu, [at[0], at[1]]));
            dnn::convolve(gpu, Direction::Forward, shape, [x, at[4], at[3]]);
        });
        (y, Some(packed))
    }

    /// The gradient of the input, of a gradient in rows; `packed` is what [`forward`](Self::forward) kept.
    pub(crate) fn x_gradient(
        self,
        gradient: &CubeTensor,
        weight: &CubeTensor,
        packed: Option<&CubeTensor>,
    ) -> CubeTensor {
        let [height, width] = self.window.size;
        let whole = [self.batch, self.channels, height, width];
        let (Some(shape), Some(packed)) = (self.shape(), packed) else {
            let dx = empty_rows(gradient, whole, self.element);
            plain::x_gradient(self, [gradient, &contiguous(weight.clone()), &dx]);
            return dx;
        };
        let padded = [self.batch, shape.channels, shape.size[0], shape.size[1]];
        let dx = empty_rows(gradient, padded, self.element);
        enqueue(&[gradient, packed, &dx], move |gpu, at| {
            dnn::convolve(gpu, Direction::Input, shape, [at[2], at[1], at[0]]);
        });
        self.unpad(dx)
    }

    /// The same for the norm in front of the convolution, in scratch where nothing was padded.
    pub(crate) fn x_gradient_for_norm(
        self,
        gradient: &CubeTensor,
        weight: &CubeTensor,
        packed: Option<&CubeTensor>,
    ) -> OutputGradient {
        let (Some(shape), None, Some(packed)) = (self.shape(), self.padding(), packed) else {
            return OutputGradient::in_tensor(self.x_gradient(gradient, weight, packed));
        };
        let values = self.batch * self.channels * self.window.plane();
        let bytes = values * self.element.bytes();
        enqueue(&[gradient, packed], move |gpu, at| {
            let dx = gpu.scratch(Scratch::Between, bytes);
            dnn::convolve(gpu, Direction::Input, shape, [dx, at[1], at[0]]);
        });
        OutputGradient::in_scratch(bytes, gradient)
    }

    /// The gradient of the weight, in float, of a gradient in rows and rows `x` after their affine.
    pub(crate) fn weight_gradient(
        self,
        gradient: &CubeTensor,
        x: &CubeTensor,
        affine: Option<&ChannelAffine>,
    ) -> CubeTensor {
        let [height, width] = self.window.kernel;
        let dw = empty(x, [self.outs, self.channels, height, width], DType::F32);
        let Some(shape) = self.shape() else {
            let applied = affine.map(|affine| affine.apply(x, None));
            let x = applied.as_ref().unwrap_or(x);
            plain::weight_gradient(self, [gradient, x, &dw]);
            return dw;
        };
        let input = self.input(x, affine);
        let taps = height * width;
        let kernel = Kernel { file: File::Layout, name: "weight_unpack", element: self.element };
        let sizes = numbers([self.outs, self.channels, taps, shape.channels]);
        let bytes = self.outs * taps * shape.channels * self.element.bytes();
        let Input { x, coefficients, normalized } = &input;
        let normalized = *normalized;
        enqueue(&[gradient, x, coefficients, &dw], move |gpu, at| {
            let x = normalized.map_or(at[1], |normalized| normalized.run(gpu, [at[1], at[2]]));
            let packed = gpu.scratch(Scratch::Weight, bytes);
            dnn::convolve(gpu, Direction::Weight, shape, [x, packed, at[0]]);
            let [outs, channels, taps, padded] = sizes;
            let mut arguments =
                [arg(&packed), arg(&at[3]), arg(&outs), arg(&channels), arg(&taps), arg(&padded)];
            let count = (outs * channels * taps) as usize;
            gpu.launch(kernel, flat(count), &mut arguments);
        });
        dw
    }

    /// Returns cuDNN's input. Rows after an affine are computed into scratch when they are needed, or earlier where they are padded.
    fn input(self, x: &CubeTensor, affine: Option<&ChannelAffine>) -> Input {
        let Some(affine) = affine else {
            let x = self.pad(x).unwrap_or_else(|| x.clone());
            return Input { coefficients: x.clone(), x, normalized: None };
        };
        if self.padding().is_some() {
            let x = affine.apply(x, None);
            let x = self.pad(&x).unwrap_or(x);
            return Input { coefficients: x.clone(), x, normalized: None };
        }
        let values = self.batch * self.channels * self.window.plane();
        let bytes = values * self.element.bytes();
        let normalized = Normalized { application: Application::new(x, affine.curve), bytes };
        Input {
            x: x.clone(),
            coefficients: affine.coefficients.clone(),
            normalized: Some(normalized),
        }
    }

    /// What cuDNN is asked for; none where it would refuse: the plain kernels then do it.
    fn shape(self) -> Option<Shape> {
        let WindowGeometry { size, out, kernel, stride, before, after, .. } = self.window;
        if !self.outs.is_multiple_of(GROUP) || !dnn::is_available() {
            return None;
        }
        let even = [0, 1].map(|axis| before[axis].min(after[axis]));
        let size = [0, 1].map(|axis| {
            // What a symmetric window leaves over.
            size[axis] + before[axis] + after[axis] - 2 * even[axis]
        });
        let channels = self.channels.next_multiple_of(GROUP);
        let (element, batch, outs) = (self.element, self.batch, self.outs);
        Some(Shape { element, batch, channels, size, outs, out, kernel, stride, padding: even })
    }

    /// How the input is padded for cuDNN; none where it is as it should be.
    fn padding(self) -> Option<Padded> {
        let shape = self.shape()?;
        let WindowGeometry { size, before, .. } = self.window;
        if shape.size == size && shape.channels == self.channels {
            return None;
        }
        Some(Padded {
            size: numbers(size),
            channels: self.channels as i32,
            out: numbers(shape.size),
            out_channels: shape.channels as i32,
            before: numbers([0, 1].map(|axis| before[axis] - shape.padding[axis])),
        })
    }

    fn pad(self, x: &CubeTensor) -> Option<CubeTensor> {
        let (padding, shape) = (self.padding()?, self.shape()?);
        let sizes = [self.batch, shape.channels, shape.size[0], shape.size[1]];
        let y = empty_rows(x, sizes, self.element);
        let count: usize = sizes.iter().product();
        self.repad("pad", padding, [x, &y], count, count / GROUP);
        Some(y)
    }

    fn unpad(self, dx: CubeTensor) -> CubeTensor {
        let Some(padding) = self.padding() else { return dx };
        let sizes = [self.batch, self.channels, self.window.size[0], self.window.size[1]];
        let inner = empty_rows(&dx, sizes, self.element);
        let count = sizes.iter().product();
        self.repad("unpad", padding, [&dx, &inner], count, count);
        inner
    }

    fn repad(
        self,
        name: &'static str,
        padding: Padded,
        tensors: [&CubeTensor; 2],
        count: usize,
        threads: usize,
    ) {
        let kernel = Kernel { file: File::Layout, name, element: self.element };
        enqueue(&tensors, move |gpu, at| {
            let number = count as i64;
            let mut arguments = [arg(&at[0]), arg(&at[1]), arg(&number), arg(&padding)];
            gpu.launch(kernel, flat(threads), &mut arguments);
        });
    }

    /// Memory for the weight as cuDNN takes it.
    fn packed(self, beside: &CubeTensor) -> CubeTensor {
        let channels = self.channels.next_multiple_of(GROUP);
        empty(beside, [self.outs * self.window.taps() * channels], self.element.dtype())
    }

    fn pack(self, gpu: &Gpu, weights: Weights, [weight, packed]: [u64; 2]) {
        let padded = self.channels.next_multiple_of(GROUP);
        let kernel = Kernel { file: File::Layout, name: "weight_pack", element: self.element };
        let number = padded as i32;
        let mut arguments = [arg(&weight), arg(&packed), arg(&weights), arg(&number)];
        let count = self.outs * self.window.taps() * padded;
        gpu.launch(kernel, flat(count), &mut arguments);
    }
}

fn weights(weight: &CubeTensor) -> Weights {
    Weights {
        sizes: numbers(dims(weight)),
        strides: std::array::from_fn(|axis| weight.meta.strides()[axis] as i64),
    }
}
