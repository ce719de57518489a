//! The operations under test, each beside the plain Burn one, all inputs as rank four.

use burn::tensor::{Device, Tensor, TensorData};
use roentgen_kernels as kernels;
use roentgen_kernels::{Activation, Convolution, NormConvolution, norm_convolve, reference};

/// An operation on a list of tensors, the first of them the activations.
pub(crate) type Operation = Box<dyn Fn(&[Tensor<4>]) -> Tensor<4> + Send + Sync>;

/// An operation, its plain counterpart and the shapes that both take.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) fast: Operation,
    pub(crate) plain: Operation,
    pub(crate) shapes: Vec<[usize; 4]>,
}

/// Zeros at the top, left, bottom and right, as Keras pads a step of one and of two.
const PADDINGS: [(usize, [usize; 4]); 5] =
    [(1, [1, 1, 1, 1]), (2, [0, 0, 1, 1]), (2, [1, 1, 1, 1]), (1, [2, 0, 1, 2]), (2, [2, 1, 0, 2])];

/// Windows of the backbones: height and width, step, padding.
const WINDOWS: [([usize; 2], usize, [usize; 4]); 10] = [
    ([1, 1], 1, [0, 0, 0, 0]),
    ([5, 5], 1, [2, 2, 2, 2]),
    ([5, 5], 2, [1, 2, 2, 1]),
    ([3, 3], 1, [1, 1, 1, 1]),
    ([3, 3], 2, [0, 0, 1, 1]),
    ([3, 3], 1, [0, 0, 0, 0]),
    ([1, 1], 2, [0, 0, 0, 0]),
    ([1, 7], 1, [0, 3, 0, 3]),
    ([7, 7], 2, [3, 3, 3, 3]),
    ([2, 3], 3, [1, 2, 0, 1]),
];

/// Pools of the backbones: window, step, padding.
const POOLS: [(usize, usize, [usize; 4]); 4] =
    [(3, 2, [1, 1, 1, 1]), (2, 2, [0, 0, 0, 0]), (3, 2, [0, 0, 1, 1]), (3, 1, [1, 0, 0, 1])];

/// All operations over all shapes that fit.
pub(crate) fn cases(shapes: &[[usize; 4]], out: usize) -> Vec<Case> {
    let mut cases = Vec::new();
    for &shape in shapes {
        let [batch, channels, height, width] = shape;
        let mut convolutions = Vec::new();
        for (stride, padding) in PADDINGS {
            let [top, left, bottom, right] = padding;
            if height + top + bottom < 3 || width + left + right < 3 {
                continue;
            }
            convolutions.push(([3, 3], Convolution { is_depthwise: true, stride, padding }));
        }
        for (kernel, stride, padding) in WINDOWS {
            let [top, left, bottom, right] = padding;
            if height + top + bottom < kernel[0] || width + left + right < kernel[1] {
                continue;
            }
            for is_depthwise in [true, false] {
                convolutions.push((kernel, Convolution { is_depthwise, stride, padding }));
            }
        }
        for (kernel, convolution) in convolutions {
            let weight = match convolution.is_depthwise {
                true => [channels, 1, kernel[0], kernel[1]],
                false => [out, channels, kernel[0], kernel[1]],
            };
            cases.push(Case {
                name: format!("{shape:?}, {kernel:?}, {convolution:?}"),
                fast: Box::new(move |t| kernels::convolve(t[0].clone(), t[1].clone(), convolution)),
                plain: Box::new(move |t| {
                    reference::convolve(t[0].clone(), t[1].clone(), convolution)
                }),
                shapes: vec![shape, weight],
            });
            cases.push(Case {
                name: format!("norm, {shape:?}, {kernel:?}, {convolution:?}"),
                fast: Box::new(move |t| {
                    let weight = t[3].clone();
                    norm_convolve(
                        t[0].clone(),
                        affine(t),
                        1e-3,
                        Activation::Relu6,
                        weight,
                        convolution,
                    )
                    .0
                }),
                plain: Box::new(move |t| {
                    let y = norm(t, Activation::Relu6, reference::norm_activate);
                    reference::convolve(y, t[3].clone(), convolution)
                }),
                shapes: vec![shape, [channels, 1, 1, 1], [channels, 1, 1, 1], weight],
            });
        }
        // Two norms in a row over a few values would lose digits, whoever computes them.
        if batch * height * width > 12 {
            cases.push(dense_layer(shape, out));
        }
        for (kernel, stride, padding) in POOLS {
            let [top, left, bottom, right] = padding;
            if height + top + bottom < kernel || width + left + right < kernel {
                continue;
            }
            cases.push(Case {
                name: format!("max {shape:?}, {kernel} by {stride}, {padding:?}"),
                fast: Box::new(move |t| kernels::max_pool(t[0].clone(), kernel, stride, padding)),
                plain: Box::new(move |t| {
                    reference::max_pool(t[0].clone(), kernel, stride, padding)
                }),
                shapes: vec![shape],
            });
        }
        if height >= 2 && width >= 3 {
            let pool = |x| reference::max_pool(x, 3, 2, [1, 0, 1, 0]);
            cases.push(Case {
                name: format!("shift, max {shape:?}"),
                fast: Box::new(|t| {
                    let shift = flat(t[1].clone());
                    kernels::shift_activate_max_pool(
                        t[0].clone(),
                        shift,
                        Activation::Relu,
                        [3, 2],
                        [1, 0, 1, 0],
                    )
                }),
                plain: Box::new(move |t| {
                    pool(reference::shift_activate(
                        t[0].clone(),
                        flat(t[1].clone()),
                        Activation::Relu,
                    ))
                }),
                shapes: vec![shape, [channels, 1, 1, 1]],
            });
        }
        for activation in
            [Activation::Linear, Activation::Relu, Activation::Relu6, Activation::Silu]
        {
            cases.push(Case {
                name: format!("norm {shape:?}, {activation:?}"),
                fast: Box::new(move |t| norm(t, activation, kernels::norm_activate)),
                plain: Box::new(move |t| norm(t, activation, reference::norm_activate)),
                shapes: vec![shape, [channels, 1, 1, 1], [channels, 1, 1, 1]],
            });
            if height >= 2 && width >= 2 {
                cases.push(Case {
                    name: format!("norm, mean {shape:?}, {activation:?}"),
                    fast: Box::new(move |t| {
                        kernels::norm_activate_mean_pool(t[0].clone(), affine(t), 1e-3, activation)
                            .0
                    }),
                    plain: Box::new(move |t| {
                        reference::mean_pool(norm(t, activation, reference::norm_activate))
                    }),
                    shapes: vec![shape, [channels, 1, 1, 1], [channels, 1, 1, 1]],
                });
            }
            cases.push(Case {
                name: format!("residual {shape:?}, {activation:?}"),
                fast: Box::new(move |t| {
                    kernels::norm_add_activate(
                        t[0].clone(),
                        affine(t),
                        t[3].clone(),
                        1e-3,
                        activation,
                    )
                    .0
                }),
                plain: Box::new(move |t| {
                    reference::norm_add_activate(
                        t[0].clone(),
                        affine(t),
                        t[3].clone(),
                        1e-3,
                        activation,
                    )
                    .0
                }),
                shapes: vec![shape, [channels, 1, 1, 1], [channels, 1, 1, 1], shape],
            });
            cases.push(Case {
                name: format!("shift {shape:?}, {activation:?}"),
                fast: Box::new(move |t| shift(t, activation, kernels::shift_activate)),
                plain: Box::new(move |t| shift(t, activation, reference::shift_activate)),
                shapes: vec![shape, [channels, 1, 1, 1]],
            });
            cases.push(Case {
                name: format!("scale {shape:?}, {activation:?}"),
                fast: Box::new(move |t| scale(t, activation, kernels::scale_activate)),
                plain: Box::new(move |t| scale(t, activation, reference::scale_activate)),
                shapes: vec![shape, [channels, 1, 1, 1], [channels, 1, 1, 1]],
            });
        }
    }
    cases
}

/// A layer of a DenseNet with three channels between its convolutions, by 1x1 and 3x3.
fn dense_layer(shape: [usize; 4], out: usize) -> Case {
    const BETWEEN: usize = 3;
    let channels = shape[1];
    let one = Convolution { is_depthwise: false, stride: 1, padding: [0; 4] };
    let three = Convolution { padding: [1; 4], ..one };
    let affines = |t: &[Tensor<4>]| [affine(t), affine(&t[3..])];
    Case {
        name: format!("dense layer {shape:?}"),
        fast: Box::new(move |t| {
            let [first, second] = affines(t);
            let part = |affine, weight: &Tensor<4>, convolution| NormConvolution {
                affine,
                epsilon: 1e-3,
                weight: weight.clone(),
                convolution,
            };
            let parts = [part(first, &t[3], one), part(second, &t[6], three)];
            kernels::dense_layer(t[0].clone(), parts).0
        }),
        plain: Box::new(move |t| {
            let [first, second] = affines(t);
            let half = |x: &Tensor<4>, [gamma, beta]: [Tensor<1>; 2], weight: &Tensor<4>, how| {
                let x = reference::norm_activate(x.clone(), gamma, beta, 1e-3, Activation::Relu).0;
                reference::convolve(x, weight.clone(), how)
            };
            let added = half(&half(&t[0], first, &t[3], one), second, &t[6], three);
            Tensor::cat(vec![t[0].clone(), added], 1)
        }),
        shapes: vec![
            shape,
            [channels, 1, 1, 1],
            [channels, 1, 1, 1],
            [BETWEEN, channels, 1, 1],
            [BETWEEN, 1, 1, 1],
            [BETWEEN, 1, 1, 1],
            [out, BETWEEN, 3, 3],
        ],
    }
}

type Norm =
    fn(Tensor<4>, Tensor<1>, Tensor<1>, f64, Activation) -> (Tensor<4>, Tensor<1>, Tensor<1>);
type Shift = fn(Tensor<4>, Tensor<1>, Activation) -> Tensor<4>;
type Scale = fn(Tensor<4>, Tensor<1>, Tensor<1>, Activation) -> Tensor<4>;

/// Moves gamma and beta to where both cuts are met.
fn affine(t: &[Tensor<4>]) -> [Tensor<1>; 2] {
    [t[1].clone().mul_scalar(4.0), t[2].clone().add_scalar(3.0)].map(flat)
}

fn norm(t: &[Tensor<4>], activation: Activation, norm: Norm) -> Tensor<4> {
    let [gamma, beta] = affine(t);
    norm(t[0].clone(), gamma, beta, 1e-3, activation).0
}

fn scale(t: &[Tensor<4>], activation: Activation, scale: Scale) -> Tensor<4> {
    let [gamma, beta] = affine(t);
    scale(t[0].clone(), gamma, beta, activation) + t[0].clone()
}

fn shift(t: &[Tensor<4>], activation: Activation, shift: Shift) -> Tensor<4> {
    // The input is used elsewhere too, so it must not be written over.
    let x = t[0].clone().mul_scalar(4.0);
    shift(x.clone(), flat(t[1].clone().add_scalar(3.0)), activation) + x
}

fn flat(tensor: Tensor<4>) -> Tensor<1> {
    tensor.flatten(0, 3)
}

/// Repeatable values between -1 and 1, without the symmetries that hide mistakes.
pub(crate) fn noise(len: usize, seed: u64) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let draw = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    };
    (0..len).map(draw).collect()
}

/// Noise for each of the shapes.
pub(crate) fn inputs(shapes: &[[usize; 4]]) -> Vec<Vec<f64>> {
    shapes.iter().zip(7..).map(|(shape, seed)| noise(shape.iter().product(), seed)).collect()
}

pub(crate) fn tensor(values: &[f64], shape: [usize; 4], device: &Device) -> Tensor<4> {
    let values: Vec<f32> = values.iter().map(|&value| value as f32).collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// The output of an operation and, for a noise of output gradients, the gradient of each input.
pub(crate) fn run(operation: &Operation, shapes: &[[usize; 4]]) -> Vec<Vec<f32>> {
    let device = Device::flex().autodiff();
    let tensors: Vec<_> = inputs(shapes)
        .iter()
        .zip(shapes)
        .map(|(values, &shape)| tensor(values, shape, &device).require_grad())
        .collect();
    let y = operation(&tensors);
    let weight = tensor(&noise(y.shape().num_elements(), 3), y.dims(), &device);
    let gradients = (y.clone() * weight).sum().backward();

    let mut found = vec![floats(y.without_autodiff())];
    found.extend(
        tensors.iter().map(|t| floats(t.grad(&gradients).expect("all inputs are tracked"))),
    );
    found
}

pub(crate) fn floats(tensor: Tensor<4>) -> Vec<f32> {
    tensor.into_data().try_to_vec().expect("single precision")
}

/// Greatest difference over greatest value.
pub(crate) fn difference(found: &[f32], expected: &[f32]) -> f64 {
    assert_eq!(found.len(), expected.len());
    // What is not a number would be lost among the greatest.
    assert!(found.iter().chain(expected).all(|value| value.is_finite()), "no number");
    let greatest = expected.iter().fold(0.0f32, |max, value| max.max(value.abs()));
    let off = found.iter().zip(expected).map(|(a, b)| f64::from((a - b).abs()));
    off.fold(0.0, f64::max) / f64::from(greatest.max(1e-6))
}
