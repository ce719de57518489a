//! Values and gradients against plain Burn and against differences in double precision.

use crate::support::{cases, difference, floats, inputs, noise, run, tensor};
use burn::tensor::{DType, Device, Tensor, TensorData};
use roentgen_kernels::{
    Activation, Convolution, NormConvolution, convolve, dense_layer, max_pool, norm_activate,
    norm_activate_mean_pool, norm_add_activate, norm_convolve, reference, scale_activate,
    scale_convolve,
};

const SHAPES: [[usize; 4]; 16] = [
    [5, 40, 14, 15],
    [3, 33, 13, 12],
    [3, 64, 5, 26],
    [2, 65, 10, 27],
    [2, 3, 15, 15],
    [3, 5, 21, 21],
    [2, 4, 1, 1],
    [3, 2, 2, 2],
    [2, 3, 6, 9],
    [1, 3, 17, 4],
    [2, 1, 8, 8],
    [1, 2, 16, 3],
    [5, 70, 7, 7],
    [4, 3, 40, 33],
    [1, 1, 1, 5],
    [11, 9, 14, 14],
];

const DEPTHWISE: Convolution = Convolution { is_depthwise: true, stride: 1, padding: [1; 4] };
const MIX: Convolution = Convolution { is_depthwise: false, stride: 1, padding: [0; 4] };

#[test]
fn values_and_gradients_are_those_of_plain_burn() {
    for out in [1, 67] {
        for case in cases(&SHAPES, out) {
            let fast = run(&case.fast, &case.shapes);
            let plain = run(&case.plain, &case.shapes);

            for (index, (fast, plain)) in fast.iter().zip(&plain).enumerate() {
                let off = difference(fast, plain);
                assert!(off < 1e-5, "{}: result {index} is off by {off:e}", case.name);
            }
        }
    }
}

#[test]
fn a_large_weight_is_taken_block_by_block() {
    for case in cases(&[[5, 300, 9, 7], [2, 150, 40, 33], [3, 260, 13, 14]], 530) {
        let fast = run(&case.fast, &case.shapes);
        let plain = run(&case.plain, &case.shapes);

        for (index, (fast, plain)) in fast.iter().zip(&plain).enumerate() {
            let off = difference(fast, plain);
            assert!(off < 1e-5, "{}: result {index} is off by {off:e}", case.name);
        }
    }
}

#[test]
fn gradients_are_those_of_small_differences() {
    const STEP: f64 = 1e-6;
    let device = Device::flex();
    for case in cases(&[[2, 2, 4, 3], [3, 1, 3, 5], [2, 3, 1, 2]], 2) {
        let found = run(&case.fast, &case.shapes);
        let tensors: Vec<_> = inputs(&case.shapes)
            .into_iter()
            .zip(&case.shapes)
            .map(|(values, &shape)| double(values, shape, &device))
            .collect();
        // In double precision the operation is plain Burn's.
        let loss = |tensors: &[Tensor<4>]| {
            let y: Vec<f64> = (case.fast)(tensors).into_data().try_to_vec().unwrap();
            y.iter().zip(noise(y.len(), 3)).map(|(y, weight)| y * weight).sum::<f64>()
        };

        for (input, &shape) in case.shapes.iter().enumerate() {
            let moved = |element: usize, by: f64| {
                let mut tensors = tensors.clone();
                let mut values: Vec<f64> = tensors[input].to_data().try_to_vec().unwrap();
                values[element] += by;
                tensors[input] = double(values, shape, &device);
                loss(&tensors)
            };
            let expected: Vec<f32> = (0..shape.iter().product())
                .map(|element| moved(element, STEP) - moved(element, -STEP))
                .map(|change| (change / (2.0 * STEP)) as f32)
                .collect();
            let off = difference(&found[input + 1], &expected);
            assert!(off < 2e-5, "{}: gradient {input} is off by {off:e}", case.name);
        }
    }
}

fn double(values: Vec<f64>, shape: [usize; 4], device: &Device) -> Tensor<4> {
    Tensor::from_data(TensorData::new(values, shape), (device, DType::F64))
}

#[test]
fn statistics_are_those_that_burn_averages() {
    let device = Device::flex().autodiff();
    let x = tensor(&noise(3 * 4 * 5 * 7, 1), [3, 4, 5, 7], &device) + 2.0;
    let [gamma, beta] = [1, 2].map(|seed| tensor(&noise(4, seed), [4, 1, 1, 1], &device));
    let [gamma, beta] = [gamma, beta].map(|t| t.flatten::<1>(0, 3));

    let (_, mean, variance) =
        norm_activate(x.clone(), gamma.clone(), beta.clone(), 1e-3, Activation::Relu6);

    let plain = reference::norm_activate(x, gamma, beta, 1e-3, Activation::Relu6);
    for (fast, plain) in [(mean, plain.1), (variance, plain.2)] {
        let [fast, plain] = [fast, plain].map(|t| floats(t.reshape([1, 1, 1, 4])));
        assert!(difference(&fast, &plain) < 1e-6);
    }
}

#[test]
fn statistics_before_a_convolution_are_the_same() {
    let device = Device::flex().autodiff();
    let x = tensor(&noise(3 * 4 * 5 * 7, 1), [3, 4, 5, 7], &device) + 2.0;
    let affine =
        [1, 2].map(|seed| tensor(&noise(4, seed), [4, 1, 1, 1], &device).flatten::<1>(0, 3));
    let mix = tensor(&noise(8, 3), [2, 4, 1, 1], &device);

    let [gamma, beta] = affine.clone();
    let (_, mean, variance) = norm_activate(x.clone(), gamma, beta, 1e-3, Activation::Relu);
    let found = norm_convolve(x, affine, 1e-3, Activation::Relu, mix, MIX);

    assert_eq!(found.1.into_data(), mean.into_data());
    assert_eq!(found.2.into_data(), variance.into_data());
}

#[test]
fn statistics_inside_larger_operations_are_those_of_the_plain_ones() {
    let device = Device::flex().autodiff();
    let x = tensor(&noise(3 * 4 * 6 * 7, 1), [3, 4, 6, 7], &device) + 2.0;
    let affines = |seed, channels: usize| {
        [seed, seed + 1].map(|seed| {
            tensor(&noise(channels, seed), [channels, 1, 1, 1], &device).flatten::<1>(0, 3)
        })
    };
    let close = |found: Tensor<1>, plain: Tensor<1>| {
        let [found, plain] = [found, plain].map(|t| floats(t.reshape([1, 1, 1, -1])));
        assert!(difference(&found, &plain) < 1e-5, "{found:?}, not {plain:?}");
    };
    let [gamma, beta] = affines(1, 4);
    let plain = reference::norm_activate(x.clone(), gamma, beta, 1e-3, Activation::Relu);

    let (_, mean, variance) =
        norm_add_activate(x.clone(), affines(1, 4), x.clone(), 1e-3, Activation::Relu);
    close(mean, plain.1.clone());
    close(variance, plain.2.clone());

    let (_, mean, variance) =
        norm_activate_mean_pool(x.clone(), affines(1, 4), 1e-3, Activation::Relu);
    close(mean, plain.1.clone());
    close(variance, plain.2.clone());

    let weights = [
        tensor(&noise(12, 5), [3, 4, 1, 1], &device),
        tensor(&noise(2 * 27, 6), [2, 3, 3, 3], &device),
    ];
    let [first, second] = weights.clone();
    let window = Convolution { is_depthwise: false, ..DEPTHWISE };
    let part = |affine, weight, convolution| NormConvolution {
        affine,
        epsilon: 1e-3,
        weight,
        convolution,
    };
    let parts = [part(affines(1, 4), first.clone(), MIX), part(affines(3, 3), second, window)];
    let (_, [[mean, variance], [next_mean, next_variance]]) = dense_layer(x, parts);
    close(mean, plain.1);
    close(variance, plain.2);
    let [gamma, beta] = affines(3, 3);
    let between = reference::convolve(plain.0, first, MIX);
    let plain = reference::norm_activate(between, gamma, beta, 1e-3, Activation::Relu);
    close(next_mean, plain.1);
    close(next_variance, plain.2);
}

#[test]
fn a_folded_norm_before_a_convolution_is_the_two_in_turn() {
    let device = Device::flex();
    let affine = [1, 2].map(|seed| tensor(&noise(64, seed), [64, 1, 1, 1], &device).flatten(0, 3));
    let x = tensor(&noise(2 * 64 * 30 * 26, 3), [2, 64, 30, 26], &device);
    let shapes = [([64, 1, 3, 3], DEPTHWISE), ([64, 1, 5, 5], DEPTHWISE), ([9, 64, 1, 1], MIX)];
    let window = Convolution { is_depthwise: false, ..DEPTHWISE };
    for (shape, convolution) in [&shapes[..], &[([64, 64, 3, 3], window)]].concat() {
        let weight = tensor(&noise(shape.iter().product(), 4), shape, &device);
        let [scale, shift] = affine.clone();
        let at_once = scale_convolve(
            x.clone(),
            affine.clone(),
            Activation::Relu6,
            weight.clone(),
            convolution,
        );
        let in_turn = convolve(
            scale_activate(x.clone(), scale, shift, Activation::Relu6),
            weight,
            convolution,
        );

        let off = difference(&floats(at_once), &floats(in_turn));
        assert!(off < 1e-6, "{convolution:?}: {off:e}");
    }
}

#[test]
fn an_image_far_from_zero_keeps_its_variance() {
    let device = Device::flex();
    let x = tensor(&noise(2 * 16 * 16, 1), [2, 1, 16, 16], &device) + 1000.0;
    let [one, zero] = [Tensor::ones([1], &device), Tensor::zeros([1], &device)];

    let (_, _, variance) = norm_activate(x, one, zero, 1e-3, Activation::Relu6);

    let variance = variance.into_scalar::<f32>();
    assert!((variance - 1.0 / 3.0).abs() < 0.02, "{variance}");
}

#[test]
fn not_a_number_goes_through() {
    let device = Device::flex();
    let x = Tensor::<4>::from_floats([[[[f32::NAN, 1.0]]]], &device);
    let [one, zero] = [Tensor::ones([1], &device), Tensor::zeros([1], &device)];

    let y = floats(scale_activate(x, one, zero, Activation::Relu6));

    assert!(y[0].is_nan() && y[1] == 1.0);
}

#[test]
fn of_equal_values_the_first_gets_the_gradient_and_not_a_number_is_the_greatest() {
    let device = Device::flex().autodiff();
    let x = [[[[7.0, 7.0, 1.0, f32::NAN], [7.0, 2.0, 3.0, 9.0]]]];
    let x = Tensor::<4>::from_floats(x, &device).require_grad();

    let y = max_pool(x.clone(), 2, 2, [0; 4]);

    let dx = floats(x.grad(&y.clone().sum().backward()).unwrap());
    assert_eq!(dx, [1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
    let y = floats(y.without_autodiff());
    assert!(y[0] == 7.0 && y[1].is_nan());
}

#[test]
fn any_layout_of_inputs_and_gradients_is_taken() {
    let device = Device::flex().autodiff();
    let x = tensor(&noise(2 * 3 * 6 * 5, 1), [2, 6, 5, 3], &device).require_grad();
    let weight = tensor(&noise(27, 2), [3, 1, 3, 3], &device);
    let mix = tensor(&noise(12, 3), [4, 3, 1, 1], &device);
    let channels_first = || x.clone().permute([0, 3, 1, 2]).narrow(0, 1, 1);

    let fast = convolve(convolve(channels_first(), weight.clone(), DEPTHWISE), mix.clone(), MIX);
    let plain = reference::convolve(channels_first(), weight, DEPTHWISE);
    let plain = reference::convolve(plain, mix, MIX);

    let [fast, plain] =
        [fast, plain].map(|y| floats(x.grad(&y.permute([0, 2, 3, 1]).mean().backward()).unwrap()));
    assert!(difference(&fast, &plain) < 1e-5);
}

#[test]
fn untracked_weights_and_recomputing_devices_are_fine() {
    let device = Device::flex().autodiff().gradient_checkpointing();
    let x = tensor(&noise(2 * 3 * 6 * 5, 1), [2, 3, 6, 5], &device).require_grad();
    let weight = tensor(&noise(27, 2), [3, 1, 3, 3], &device);
    let halved = Convolution { stride: 2, padding: [0, 0, 1, 1], ..DEPTHWISE };
    let [one, zero] = [Tensor::ones([3], &device), Tensor::zeros([3], &device)];

    let [fast, plain] = [
        norm_activate(
            convolve(x.clone(), weight.clone(), halved),
            one.clone(),
            zero.clone(),
            1e-3,
            Activation::Relu,
        )
        .0,
        reference::norm_activate(
            reference::convolve(x.clone(), weight, halved),
            one,
            zero,
            1e-3,
            Activation::Relu,
        )
        .0,
    ]
    .map(|y| floats(x.grad(&(y.clone() * y).sum().backward()).unwrap()));

    assert!(difference(&fast, &plain) < 1e-4);
}

#[test]
#[should_panic(expected = "one window a channel")]
fn a_weight_of_other_channels_is_refused() {
    let device = Device::flex();
    convolve(Tensor::zeros([1, 2, 4, 4], &device), Tensor::zeros([3, 1, 3, 3], &device), DEPTHWISE);
}
