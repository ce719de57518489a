//! The operations on an NVIDIA GPU: the outputs of each, what it saves, and its gradients.

use burn_cubecl::CubeBackend;
use burn_cubecl::tensor::CubeTensor;

use super::affine::ChannelAffine;
use super::call::DenseCall;
use super::channel_norm::ChannelNorm;
use super::element::Element;
use super::norm::{self, BatchNorm, OutputGradient};
use super::rows::{dims, element, rows};
use super::scaled_add::ScaledAdd;
use super::{adam, dense_layer, depthwise, gelu, pool};
use crate::activation::{Activation, Curve};
use crate::algorithm::Algorithm;
use crate::geometry::WindowGeometry;
use crate::operation::Operation;
use crate::settings::AdamStep;
use crate::tape::{Compute, Infer, exactly};

/// What the backward pass of each operation needs.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "the tape boxes it")]
pub(crate) enum Saved {
    Convolve { x: CubeTensor, weight: CubeTensor, packed: Option<CubeTensor>, algorithm: Algorithm },
    NormConvolve(NormedConv),
    Norm(BatchNorm),
    NormAdd { norm: BatchNorm, y: CubeTensor, limits: [f32; 2] },
    NormMeanPool(BatchNorm),
    Shift { y: CubeTensor, limits: [f32; 2] },
    MaxPool { taps: CubeTensor, window: WindowGeometry },
    ShiftMaxPool { y: CubeTensor, limits: [f32; 2], taps: CubeTensor, window: WindowGeometry },
    FilmMean { shape: [usize; 4], element: Element },
    DenseLayer(Box<[NormedConv; 2]>),
    ChannelNorm(ChannelNorm),
    ShiftGelu { x: CubeTensor, shift: CubeTensor },
    ScaledAdd(ScaledAdd),
}

impl Compute for CubeBackend {
    type Saved = Saved;

    fn forward(operation: Operation, inputs: Vec<CubeTensor>) -> (Vec<CubeTensor>, Saved) {
        match operation {
            Operation::Convolve(algorithm) => {
                let [x, weight] = exactly(inputs);
                let x = rows(x);
                let (y, packed) = algorithm.on_gpu(&x, None, &weight);
                (vec![y], Saved::Convolve { x, weight, packed, algorithm })
            }
            Operation::NormConvolve { epsilon, curve, algorithm } => {
                let [x, gamma, beta, weight] = exactly(inputs);
                let (y, saved) =
                    NormedConv::forward([x, gamma, beta], weight, epsilon, curve, algorithm);
                let outputs = vec![y, saved.norm.mean.clone(), saved.norm.variance.clone()];
                (outputs, Saved::NormConvolve(saved))
            }
            Operation::Norm { epsilon, curve } => {
                let norm = BatchNorm::measure(exactly(inputs), epsilon, curve);
                let outputs = [norm.value(None), norm.mean.clone(), norm.variance.clone()];
                (outputs.into(), Saved::Norm(norm))
            }
            Operation::NormAdd { epsilon, limits } => {
                let [x, gamma, beta, shortcut] = exactly(inputs);
                let norm = BatchNorm::measure([x, gamma, beta], epsilon, Curve::Clamp(limits));
                let y = norm.value(Some(&rows(shortcut)));
                let outputs = vec![y.clone(), norm.mean.clone(), norm.variance.clone()];
                (outputs, Saved::NormAdd { norm, y, limits })
            }
            Operation::NormMeanPool { epsilon, curve } => {
                let norm = BatchNorm::measure(exactly(inputs), epsilon, curve);
                let y = pool::mean(&norm.x, &norm.affine);
                let outputs = vec![y, norm.mean.clone(), norm.variance.clone()];
                (outputs, Saved::NormMeanPool(norm))
            }
            Operation::Shift { limits } => {
                let [x, shift] = exactly(inputs);
                let y = ChannelAffine::of(None, shift, Curve::Clamp(limits)).apply(&rows(x), None);
                (vec![y.clone()], Saved::Shift { y, limits })
            }
            Operation::MaxPool(window) => {
                let [x] = exactly(inputs);
                let (y, taps) = pool::max_of_windows(&rows(x), None, window);
                (vec![y], Saved::MaxPool { taps, window })
            }
            Operation::ShiftMaxPool { limits, window } => {
                let [x, shift] = exactly(inputs);
                let (y, taps) = pool::max_of_windows(&rows(x), Some((&shift, limits)), window);
                (vec![y.clone()], Saved::ShiftMaxPool { y, limits, taps, window })
            }
            Operation::FilmMean => {
                let [x] = exactly(inputs);
                let x = rows(x);
                let saved = Saved::FilmMean { shape: dims(&x), element: element(&x) };
                (vec![pool::film_mean(&x)], saved)
            }
            Operation::DenseLayer([(algorithm_1, epsilon_1), (algorithm_2, epsilon_2)]) => {
                let [x, gamma_1, beta_1, weight_1, gamma_2, beta_2, weight_2] = exactly(inputs);
                let relu = Activation::Relu.curve();
                let inputs = [x, gamma_1, beta_1];
                let (between, first) =
                    NormedConv::forward(inputs, weight_1, epsilon_1, relu, algorithm_1);
                let inputs = [between, gamma_2, beta_2];
                let (added, second) =
                    NormedConv::forward(inputs, weight_2, epsilon_2, relu, algorithm_2);
                let y = dense_layer::concat_channels(&first.norm.x, &added);
                let mut outputs = vec![y];
                for BatchNorm { mean, variance, .. } in [&first.norm, &second.norm] {
                    outputs.extend([mean.clone(), variance.clone()]);
                }
                (outputs, Saved::DenseLayer(Box::new([first, second])))
            }
            Operation::ChannelNorm { epsilon } => {
                let (y, norm) = ChannelNorm::forward(exactly(inputs), epsilon);
                (vec![y], Saved::ChannelNorm(norm))
            }
            Operation::ShiftGelu => {
                let [x, shift] = exactly(inputs);
                let x = rows(x);
                (vec![gelu::forward(&x, &shift)], Saved::ShiftGelu { x, shift })
            }
            Operation::ScaledAdd => {
                let mut inputs = inputs;
                let factor = inputs.drain(3..).next();
                let (y, saved) = ScaledAdd::forward(exactly(inputs), factor);
                (vec![y], Saved::ScaledAdd(saved))
            }
        }
    }

    fn backward(saved: Saved, gradient: CubeTensor, wanted: &[bool]) -> Vec<Option<CubeTensor>> {
        match saved {
            Saved::Convolve { x, weight, packed, algorithm } => {
                let gradient = rows(gradient);
                let dw =
                    wanted[1].then(|| algorithm.weight_on_gpu(&gradient, &x, None, dims(&weight)));
                let x_gradient =
                    || algorithm.x_on_gpu(&gradient, &weight, packed.as_ref(), dims(&x));
                let dx = wanted[0].then(x_gradient);
                vec![dx, dw]
            }
            Saved::NormConvolve(saved) => {
                let gradient = rows(gradient);
                let dw = wanted[3].then(|| saved.weight_gradient(&gradient));
                let before = if wanted[..3].contains(&true) {
                    saved.norm_gradients(&gradient).map(Some)
                } else {
                    [None, None, None]
                };
                before.into_iter().chain([dw]).collect()
            }
            Saved::Norm(norm) => some(norm.backward(OutputGradient::in_tensor(rows(gradient)))),
            Saved::NormAdd { norm, y, limits } => {
                some(norm.backward_with_shortcut(&y, limits, gradient))
            }
            Saved::NormMeanPool(norm) => {
                let inner = pool::mean_backward(gradient, dims(&norm.x));
                some(norm.backward(OutputGradient::in_tensor(inner)))
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
                let [_, channels, ..] = dims::<4>(&first.norm.x);
                let added = dense_layer::channels_from(&gradient, channels);
                let dw_2 = second.weight_gradient(&added);
                let [between, gamma_2, beta_2] = second.norm_gradients(&added);
                let dw_1 = first.weight_gradient(&between);
                let [dx, gamma_1, beta_1] = first.norm_gradients(&between);
                // What went straight through.
                dense_layer::add_front(&dx, &gradient);
                some([dx, gamma_1, beta_1, dw_1, gamma_2, beta_2, dw_2])
            }
            Saved::ChannelNorm(norm) => some(norm.backward(gradient)),
            Saved::ShiftGelu { x, shift } => some(gelu::backward(gradient, &x, &shift)),
            Saved::ScaledAdd(saved) => some(saved.backward(gradient)),
        }
    }
}

impl Infer for CubeBackend {
    fn scale_activate(
        x: CubeTensor,
        scale: CubeTensor,
        shift: CubeTensor,
        curve: Curve,
    ) -> CubeTensor {
        ChannelAffine::of(Some(scale), shift, curve).apply(&rows(x), None)
    }

    fn scale_convolve(
        x: CubeTensor,
        scale: CubeTensor,
        shift: CubeTensor,
        weight: CubeTensor,
        curve: Curve,
        algorithm: Algorithm,
    ) -> CubeTensor {
        algorithm.on_gpu(&rows(x), Some(&ChannelAffine::of(Some(scale), shift, curve)), &weight).0
    }

    fn adam(
        parameter: CubeTensor,
        mean: CubeTensor,
        square: CubeTensor,
        gradient: CubeTensor,
        step: AdamStep,
    ) -> (CubeTensor, CubeTensor, CubeTensor) {
        adam::step([parameter, mean, square], gradient, step)
    }
}

/// A convolution after a norm, with what the backward pass needs of both.
#[derive(Clone, Debug)]
pub(crate) struct NormedConv {
    norm: BatchNorm,
    weight: CubeTensor,
    packed: Option<CubeTensor>,
    algorithm: Algorithm,
}

impl NormedConv {
    fn forward(
        inputs: [CubeTensor; 3],
        weight: CubeTensor,
        epsilon: f64,
        curve: Curve,
        algorithm: Algorithm,
    ) -> (CubeTensor, Self) {
        let norm = BatchNorm::measure(inputs, epsilon, curve);
        let (y, packed) = algorithm.on_gpu(&norm.x, Some(&norm.affine), &weight);
        (y, Self { norm, weight, packed, algorithm })
    }

    fn weight_gradient(&self, gradient: &CubeTensor) -> CubeTensor {
        let BatchNorm { x, affine, .. } = &self.norm;
        self.algorithm.weight_on_gpu(gradient, x, Some(affine), dims(&self.weight))
    }

    fn norm_gradients(&self, gradient: &CubeTensor) -> [CubeTensor; 3] {
        let shape = dims(&self.norm.x);
        let packed = self.packed.as_ref();
        let inner = self.algorithm.x_for_norm_on_gpu(gradient, &self.weight, packed, shape);
        self.norm.backward(inner)
    }
}

impl Algorithm {
    /// Returns the output for rows `x` after their affine, and the weight as the backward pass takes it.
    pub(crate) fn on_gpu(
        self,
        x: &CubeTensor,
        affine: Option<&ChannelAffine>,
        weight: &CubeTensor,
    ) -> (CubeTensor, Option<CubeTensor>) {
        let [outs, ..] = dims::<4>(weight);
        match self.windowed(dims(x)) {
            Windowed::Depthwise(window) => {
                let call = depthwise::DepthwiseCall::new(dims(x), window, element(x));
                (call.forward(x, affine, weight), None)
            }
            Windowed::Dense(window) => {
                DenseCall::new(dims(x), outs, window, element(x)).forward(x, affine, weight)
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
        match self.windowed(shape) {
            Windowed::Depthwise(window) => {
                depthwise::DepthwiseCall::new(shape, window, element).x_gradient(gradient, weight)
            }
            Windowed::Dense(window) => {
                DenseCall::new(shape, outs, window, element).x_gradient(gradient, weight, packed)
            }
        }
    }

    /// The same for the norm in front.
    fn x_for_norm_on_gpu(
        self,
        gradient: &CubeTensor,
        weight: &CubeTensor,
        packed: Option<&CubeTensor>,
        shape: [usize; 4],
    ) -> OutputGradient {
        let [outs, ..] = dims::<4>(weight);
        match self.windowed(shape) {
            Windowed::Depthwise(_) => {
                OutputGradient::in_tensor(self.x_on_gpu(gradient, weight, packed, shape))
            }
            Windowed::Dense(window) => DenseCall::new(shape, outs, window, element(gradient))
                .x_gradient_for_norm(gradient, weight, packed),
        }
    }

    fn weight_on_gpu(
        self,
        gradient: &CubeTensor,
        x: &CubeTensor,
        affine: Option<&ChannelAffine>,
        [outs, ..]: [usize; 4],
    ) -> CubeTensor {
        match self.windowed(dims(x)) {
            Windowed::Depthwise(window) => {
                depthwise::DepthwiseCall::new(dims(x), window, element(x))
                    .weight_gradient(gradient, x, affine)
            }
            Windowed::Dense(window) => DenseCall::new(dims(x), outs, window, element(x))
                .weight_gradient(gradient, x, affine),
        }
    }

    fn windowed(self, [_, _, size @ ..]: [usize; 4]) -> Windowed {
        match self {
            Algorithm::Pointwise => Windowed::Dense(WindowGeometry::new(size, [1, 1], 1, [0; 4])),
            Algorithm::Depthwise(window) => Windowed::Depthwise(window),
            Algorithm::Dense(window) => Windowed::Dense(window),
        }
    }
}

/// An algorithm as the GPU knows it: a single pixel is a window too.
enum Windowed {
    Depthwise(WindowGeometry),
    Dense(WindowGeometry),
}

fn some<const N: usize>(found: [CubeTensor; N]) -> Vec<Option<CubeTensor>> {
    found.into_iter().map(Some).collect()
}
