//! The differentiable operations: what each computes, what it keeps, and how gradients go back through it.

use burn_cubecl::tensor::CubeTensor;

use super::gpu::Element;
use super::lines::Lines;
use super::norm::{self, Behind, Normed};
use super::rows::{dims, element, rows};
use super::{dense, dense_layer, depthwise, pool};
use crate::activation::{Activation, Curve};
use crate::sliding::Sliding;
use crate::way::Way;

/// An operation with what its tensors do not say. Inputs are in the order of the functions of the crate.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Operation {
    Convolve(Way),
    NormConvolve { epsilon: f64, curve: Curve, way: Way },
    Norm { epsilon: f64, curve: Curve },
    NormAdd { epsilon: f64, limits: [f32; 2] },
    NormMeanPool { epsilon: f64, curve: Curve },
    Shift { limits: [f32; 2] },
    MaxPool(Sliding),
    ShiftMaxPool { limits: [f32; 2], window: Sliding },
    FilmMean,
    DenseLayer([(Way, f64); 2]),
}

/// What the way back needs.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "the tape boxes it")]
pub(crate) enum Saved {
    Convolve { x: CubeTensor, weight: CubeTensor, packed: Option<CubeTensor>, way: Way },
    NormConvolve(BehindNorm),
    Norm(Normed),
    NormAdd { normed: Normed, y: CubeTensor, limits: [f32; 2] },
    NormMeanPool(Normed),
    Shift { y: CubeTensor, limits: [f32; 2] },
    MaxPool { taps: CubeTensor, window: Sliding },
    ShiftMaxPool { y: CubeTensor, limits: [f32; 2], taps: CubeTensor, window: Sliding },
    FilmMean { shape: [usize; 4], element: Element },
    DenseLayer(Box<[BehindNorm; 2]>),
}

impl Operation {
    /// The outputs, of which the first is differentiable, and what is kept.
    pub(crate) fn forward(self, inputs: Vec<CubeTensor>) -> (Vec<CubeTensor>, Saved) {
        match self {
            Operation::Convolve(way) => {
                let [x, weight] = all(inputs);
                let x = rows(x);
                let (y, packed) = way.on_gpu(&x, None, &weight);
                (vec![y], Saved::Convolve { x, weight, packed, way })
            }
            Operation::NormConvolve { epsilon, curve, way } => {
                let [x, gamma, beta, weight] = all(inputs);
                let (y, saved) = BehindNorm::forward([x, gamma, beta], weight, epsilon, curve, way);
                let outputs = vec![y, saved.normed.mean.clone(), saved.normed.variance.clone()];
                (outputs, Saved::NormConvolve(saved))
            }
            Operation::Norm { epsilon, curve } => {
                let normed = Normed::measure(all(inputs), epsilon, curve);
                let outputs = [normed.value(None), normed.mean.clone(), normed.variance.clone()];
                (outputs.into(), Saved::Norm(normed))
            }
            Operation::NormAdd { epsilon, limits } => {
                let [x, gamma, beta, shortcut] = all(inputs);
                let normed = Normed::measure([x, gamma, beta], epsilon, Curve::Cut(limits));
                let y = normed.value(Some(&rows(shortcut)));
                let outputs = vec![y.clone(), normed.mean.clone(), normed.variance.clone()];
                (outputs, Saved::NormAdd { normed, y, limits })
            }
            Operation::NormMeanPool { epsilon, curve } => {
                let normed = Normed::measure(all(inputs), epsilon, curve);
                let y = pool::mean(&normed.x, &normed.lines);
                let outputs = vec![y, normed.mean.clone(), normed.variance.clone()];
                (outputs, Saved::NormMeanPool(normed))
            }
            Operation::Shift { limits } => {
                let [x, shift] = all(inputs);
                let y = Lines::of(None, shift, Curve::Cut(limits)).apply(&rows(x), None);
                (vec![y.clone()], Saved::Shift { y, limits })
            }
            Operation::MaxPool(window) => {
                let [x] = all(inputs);
                let (y, taps) = pool::greatest(&rows(x), None, window);
                (vec![y], Saved::MaxPool { taps, window })
            }
            Operation::ShiftMaxPool { limits, window } => {
                let [x, shift] = all(inputs);
                let (y, taps) = pool::greatest(&rows(x), Some((&shift, limits)), window);
                (vec![y.clone()], Saved::ShiftMaxPool { y, limits, taps, window })
            }
            Operation::FilmMean => {
                let [x] = all(inputs);
                let x = rows(x);
                let saved = Saved::FilmMean { shape: dims(&x), element: element(&x) };
                (vec![pool::film_mean(&x)], saved)
            }
            Operation::DenseLayer([(way_1, epsilon_1), (way_2, epsilon_2)]) => {
                let [x, gamma_1, beta_1, weight_1, gamma_2, beta_2, weight_2] = all(inputs);
                let relu = Activation::Relu.curve();
                let line = [x, gamma_1, beta_1];
                let (between, first) = BehindNorm::forward(line, weight_1, epsilon_1, relu, way_1);
                let line = [between, gamma_2, beta_2];
                let (added, second) = BehindNorm::forward(line, weight_2, epsilon_2, relu, way_2);
                let y = dense_layer::put_behind(&first.normed.x, &added);
                let mut outputs = vec![y];
                for Normed { mean, variance, .. } in [&first.normed, &second.normed] {
                    outputs.extend([mean.clone(), variance.clone()]);
                }
                (outputs, Saved::DenseLayer(Box::new([first, second])))
            }
        }
    }
}

impl Saved {
    /// The gradients of the inputs; those of a convolution that are not wanted are left out.
    pub(crate) fn backward(self, gradient: CubeTensor, wanted: &[bool]) -> Vec<Option<CubeTensor>> {
        match self {
            Saved::Convolve { x, weight, packed, way } => {
                let gradient = rows(gradient);
                let dw = wanted[1].then(|| way.weight_on_gpu(&gradient, &x, None, dims(&weight)));
                let x_gradient = || way.x_on_gpu(&gradient, &weight, packed.as_ref(), dims(&x));
                let dx = wanted[0].then(x_gradient);
                vec![dx, dw]
            }
            Saved::NormConvolve(saved) => {
                let gradient = rows(gradient);
                let dw = wanted[3].then(|| saved.weight_gradient(&gradient));
                let before = if wanted[..3].contains(&true) {
                    saved.line_gradients(&gradient).map(Some)
                } else {
                    [None, None, None]
                };
                before.into_iter().chain([dw]).collect()
            }
            Saved::Norm(normed) => some(normed.backward(Behind::in_tensor(rows(gradient)))),
            Saved::NormAdd { normed, y, limits } => {
                some(normed.backward_with_shortcut(&y, limits, gradient))
            }
            Saved::NormMeanPool(normed) => {
                let inner = pool::mean_backward(gradient, dims(&normed.x));
                some(normed.backward(Behind::in_tensor(inner)))
            }
            Saved::Shift { y, limits } => some(norm::shift_backward(gradient, &y, limits)),
            Saved::MaxPool { taps, window } => some([pool::to_taps(gradient, &taps, window)]),
            Saved::ShiftMaxPool { y, limits, taps, window } => {
                let [inner, shift] = norm::shift_backward(gradient, &y, limits);
                some([pool::to_taps(inner, &taps, window), shift])
            }
            Saved::FilmMean { shape, element } => {
                some([pool::film_mean_backward(gradient, shape, element)])
            }
            Saved::DenseLayer(halves) => {
                let [first, second] = *halves;
                let gradient = rows(gradient);
                let [_, channels, ..] = dims::<4>(&first.normed.x);
                let added = dense_layer::behind(&gradient, channels);
                let dw_2 = second.weight_gradient(&added);
                let [between, gamma_2, beta_2] = second.line_gradients(&added);
                let dw_1 = first.weight_gradient(&between);
                let [dx, gamma_1, beta_1] = first.line_gradients(&between);
                // What went straight through.
                dense_layer::add_front(&dx, &gradient);
                some([dx, gamma_1, beta_1, dw_1, gamma_2, beta_2, dw_2])
            }
        }
    }
}

/// A convolution behind a norm, with what both passes need of them.
#[derive(Clone, Debug)]
pub(crate) struct BehindNorm {
    normed: Normed,
    weight: CubeTensor,
    packed: Option<CubeTensor>,
    way: Way,
}

impl BehindNorm {
    fn forward(
        line: [CubeTensor; 3],
        weight: CubeTensor,
        epsilon: f64,
        curve: Curve,
        way: Way,
    ) -> (CubeTensor, Self) {
        let normed = Normed::measure(line, epsilon, curve);
        let (y, packed) = way.on_gpu(&normed.x, Some(&normed.lines), &weight);
        (y, Self { normed, weight, packed, way })
    }

    fn weight_gradient(&self, gradient: &CubeTensor) -> CubeTensor {
        let Normed { x, lines, .. } = &self.normed;
        self.way.weight_on_gpu(gradient, x, Some(lines), dims(&self.weight))
    }

    fn line_gradients(&self, gradient: &CubeTensor) -> [CubeTensor; 3] {
        let shape = dims(&self.normed.x);
        let packed = self.packed.as_ref();
        let inner = self.way.x_behind_on_gpu(gradient, &self.weight, packed, shape);
        self.normed.backward(inner)
    }
}

impl Way {
    /// The output, of rows `x` behind their lines, and the weight as the way back takes it.
    pub(crate) fn on_gpu(
        self,
        x: &CubeTensor,
        lines: Option<&Lines>,
        weight: &CubeTensor,
    ) -> (CubeTensor, Option<CubeTensor>) {
        let [outs, ..] = dims::<4>(weight);
        match self.slides(dims(x)) {
            Slides::Depthwise(window) => {
                let call = depthwise::Call::new(dims(x), window, element(x));
                (call.forward(x, lines, weight), None)
            }
            Slides::Dense(window) => {
                dense::Call::new(dims(x), outs, window, element(x)).forward(x, lines, weight)
            }
        }
    }

    /// The gradient of the input, of a gradient in rows.
    fn x_on_gpu(
        self,
        gradient: &CubeTensor,
        weight: &CubeTensor,
        packed: Option<&CubeTensor>,
        shape: [usize; 4],
    ) -> CubeTensor {
        let [outs, ..] = dims::<4>(weight);
        let element = element(gradient);
        match self.slides(shape) {
            Slides::Depthwise(window) => {
                depthwise::Call::new(shape, window, element).x_gradient(gradient, weight)
            }
            Slides::Dense(window) => {
                dense::Call::new(shape, outs, window, element).x_gradient(gradient, weight, packed)
            }
        }
    }

    /// The same for the norm in front.
    fn x_behind_on_gpu(
        self,
        gradient: &CubeTensor,
        weight: &CubeTensor,
        packed: Option<&CubeTensor>,
        shape: [usize; 4],
    ) -> Behind {
        let [outs, ..] = dims::<4>(weight);
        match self.slides(shape) {
            Slides::Depthwise(_) => {
                Behind::in_tensor(self.x_on_gpu(gradient, weight, packed, shape))
            }
            Slides::Dense(window) => dense::Call::new(shape, outs, window, element(gradient))
                .x_gradient_behind(gradient, weight, packed),
        }
    }

    fn weight_on_gpu(
        self,
        gradient: &CubeTensor,
        x: &CubeTensor,
        lines: Option<&Lines>,
        [outs, ..]: [usize; 4],
    ) -> CubeTensor {
        match self.slides(dims(x)) {
            Slides::Depthwise(window) => depthwise::Call::new(dims(x), window, element(x))
                .weight_gradient(gradient, x, lines),
            Slides::Dense(window) => dense::Call::new(dims(x), outs, window, element(x))
                .weight_gradient(gradient, x, lines),
        }
    }

    fn slides(self, [_, _, size @ ..]: [usize; 4]) -> Slides {
        match self {
            Way::Pointwise => Slides::Dense(Sliding::new(size, [1, 1], 1, [0; 4])),
            Way::Depthwise(window) => Slides::Depthwise(window),
            Way::Dense(window) => Slides::Dense(window),
        }
    }
}

/// A way as the GPU knows it: a single pixel is a window too.
enum Slides {
    Depthwise(Sliding),
    Dense(Sliding),
}

fn all<const N: usize>(inputs: Vec<CubeTensor>) -> [CubeTensor; N] {
    inputs.try_into().expect("as many inputs as the operation has")
}

fn some<const N: usize>(found: [CubeTensor; N]) -> Vec<Option<CubeTensor>> {
    found.into_iter().map(Some).collect()
}
