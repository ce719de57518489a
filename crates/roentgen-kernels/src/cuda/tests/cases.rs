//! The operations under test, each beside the CPU's, over windows, pools and activations.

use burn::tensor::Tensor;

use crate::activation::Activation;
use crate::algorithm::Algorithm;
use crate::geometry::WindowGeometry;
use crate::operation::Operation;
use crate::{Convolution, NormConvolution};

/// An operation of the CPU on a list of tensors, the first of them the activations.
pub(super) type OnCpu = Box<dyn Fn(&[Tensor<4>]) -> Tensor<4>>;

pub(super) struct Case {
    pub(super) name: String,
    pub(super) operation: Operation,
    pub(super) on_cpu: OnCpu,
    /// Activations first; `[1, channels, 1, 1]` is a vector.
    pub(super) shapes: Vec<[usize; 4]>,
    /// How many of the inputs, from the first on, are activations, and which others.
    pub(super) activations: Vec<usize>,
    pub(super) rank_of_output: usize,
}

fn flat(tensor: &Tensor<4>) -> Tensor<1> {
    tensor.clone().flatten(0, 3)
}

const WINDOWS: [([usize; 2], usize, [usize; 4]); 9] = [
    ([3, 3], 1, [1, 1, 1, 1]),
    ([3, 3], 2, [0, 0, 1, 1]),
    ([3, 3], 2, [1, 1, 1, 1]),
    ([1, 1], 1, [0, 0, 0, 0]),
    ([1, 1], 2, [0, 0, 0, 0]),
    ([5, 5], 1, [2, 2, 2, 2]),
    ([5, 5], 2, [1, 2, 2, 1]),
    ([7, 7], 1, [3, 3, 3, 3]),
    ([2, 3], 3, [1, 2, 0, 1]),
];

/// All operations on activations of a shape.
pub(super) fn cases(shape: [usize; 4], out: usize) -> Vec<Case> {
    let [_, channels, height, width] = shape;
    let vector = [1, channels, 1, 1];
    let mut cases = Vec::new();
    let mut add =
        |name: String, operation, shapes: Vec<_>, activations: &[usize], on_cpu: OnCpu| {
            let rank_of_output = 4;
            let activations = activations.to_vec();
            cases.push(Case { name, operation, on_cpu, shapes, activations, rank_of_output });
        };
    for (kernel, stride, padding) in WINDOWS {
        let [top, left, bottom, right] = padding;
        if height + top + bottom < kernel[0] || width + left + right < kernel[1] {
            continue;
        }
        for is_depthwise in [true, false] {
            if is_depthwise && channels == 1 {
                // It is dense, and its weight would look like a vector.
                continue;
            }
            let convolution = Convolution { is_depthwise, stride, padding };
            let weight = match is_depthwise {
                true => [channels, 1, kernel[0], kernel[1]],
                false => [out, channels, kernel[0], kernel[1]],
            };
            let algorithm = Algorithm::new(shape, weight, convolution);
            let name = format!("{shape:?}, {kernel:?}, {convolution:?}");
            add(
                name.clone(),
                Operation::Convolve(algorithm),
                vec![shape, weight],
                &[0],
                Box::new(move |t| crate::convolve(t[0].clone(), t[1].clone(), convolution)),
            );
            let curve = Activation::Relu6.curve();
            add(
                format!("norm, {name}"),
                Operation::NormConvolve { epsilon: 1e-3, curve, algorithm },
                vec![shape, vector, vector, weight],
                &[0],
                Box::new(move |t| {
                    let affine = [flat(&t[1]), flat(&t[2])];
                    let weight = t[3].clone();
                    let relu = Activation::Relu6;
                    crate::norm_convolve(t[0].clone(), affine, 1e-3, relu, weight, convolution).0
                }),
            );
        }
    }
    for activation in [Activation::Linear, Activation::Relu, Activation::Relu6, Activation::Silu] {
        let curve = activation.curve();
        add(
            format!("norm {shape:?} {activation:?}"),
            Operation::Norm { epsilon: 1e-3, curve },
            vec![shape, vector, vector],
            &[0],
            Box::new(move |t| {
                crate::norm_activate(t[0].clone(), flat(&t[1]), flat(&t[2]), 1e-3, activation).0
            }),
        );
        add(
            format!("norm, mean {shape:?} {activation:?}"),
            Operation::NormMeanPool { epsilon: 1e-3, curve },
            vec![shape, vector, vector],
            &[0],
            Box::new(move |t| {
                let affine = [flat(&t[1]), flat(&t[2])];
                crate::norm_activate_mean_pool(t[0].clone(), affine, 1e-3, activation).0
            }),
        );
        let Some(limits) = activation.limits() else { continue };
        add(
            format!("residual {shape:?} {activation:?}"),
            Operation::NormAdd { epsilon: 1e-3, limits },
            vec![shape, vector, vector, shape],
            &[0, 3],
            Box::new(move |t| {
                let affine = [flat(&t[1]), flat(&t[2])];
                crate::norm_add_activate(t[0].clone(), affine, t[3].clone(), 1e-3, activation).0
            }),
        );
        add(
            format!("shift {shape:?} {activation:?}"),
            Operation::Shift { limits },
            vec![shape, vector],
            &[0],
            Box::new(move |t| crate::shift_activate(t[0].clone(), flat(&t[1]), activation)),
        );
    }
    for (kernel, stride, padding) in
        [(3, 2, [1, 1, 1, 1]), (2, 2, [0; 4]), (3, 2, [0, 0, 1, 1]), (3, 1, [1, 0, 0, 1])]
    {
        let window = WindowGeometry::new([height, width], [kernel; 2], stride, padding);
        add(
            format!("max {shape:?} {window:?}"),
            Operation::MaxPool(window),
            vec![shape],
            &[0],
            Box::new(move |t| crate::max_pool(t[0].clone(), kernel, stride, padding)),
        );
        add(
            format!("shift, max {shape:?} {window:?}"),
            Operation::ShiftMaxPool { limits: [0.0, f32::INFINITY], window },
            vec![shape, vector],
            &[0],
            Box::new(move |t| {
                let (x, shift, sizes) = (t[0].clone(), flat(&t[1]), [kernel, stride]);
                crate::shift_activate_max_pool(x, shift, Activation::Relu, sizes, padding)
            }),
        );
    }
    let one = Convolution { is_depthwise: false, stride: 1, padding: [0; 4] };
    let three = Convolution { padding: [1; 4], ..one };
    let between = 24;
    let weights = [[between, channels, 1, 1], [out, between, 3, 3]];
    let algorithms = [
        Algorithm::new(shape, weights[0], one),
        Algorithm::new([shape[0], between, height, width], weights[1], three),
    ];
    add(
        format!("dense layer {shape:?}"),
        Operation::DenseLayer(algorithms.map(|algorithm| (algorithm, 1e-3))),
        vec![shape, vector, vector, weights[0], [1, between, 1, 1], [1, between, 1, 1], weights[1]],
        &[0],
        Box::new(move |t| {
            let part = |affine: [&Tensor<4>; 2], weight: &Tensor<4>, convolution| NormConvolution {
                affine: affine.map(flat),
                epsilon: 1e-3,
                weight: weight.clone(),
                convolution,
            };
            let parts = [part([&t[1], &t[2]], &t[3], one), part([&t[4], &t[5]], &t[6], three)];
            crate::dense_layer(t[0].clone(), parts).0
        }),
    );
    add(
        format!("channel norm {shape:?}"),
        Operation::ChannelNorm { epsilon: 1e-3 },
        vec![shape, vector, vector],
        &[0],
        Box::new(|t| crate::channel_norm(t[0].clone(), [flat(&t[1]), flat(&t[2])], 1e-3)),
    );
    add(
        format!("shift, gelu {shape:?}"),
        Operation::ShiftGelu,
        vec![shape, vector],
        &[0],
        Box::new(|t| crate::shift_gelu(t[0].clone(), flat(&t[1]))),
    );
    let films = [1, shape[0], 1, 1];
    for shapes in [vec![shape, shape, vector], vec![shape, shape, vector, films]] {
        add(
            format!("scaled add {shapes:?}"),
            Operation::ScaledAdd,
            shapes,
            &[0, 1],
            Box::new(|t| {
                let factor = t.get(3).map(flat);
                crate::scaled_add(t[0].clone(), t[1].clone(), flat(&t[2]), factor)
            }),
        );
    }
    cases.push(Case {
        name: format!("film mean {shape:?}"),
        operation: Operation::FilmMean,
        on_cpu: Box::new(|t| crate::film_mean(t[0].clone()).unsqueeze_dims(&[2, 3])),
        shapes: vec![shape],
        activations: vec![0],
        rank_of_output: 2,
    });
    cases
}
