//! Compares each operation on the GPU, or on the replacement for its driver, with the CPU: output and gradients.

mod bits;
mod cases;
mod memory;
mod unscale;

use burn::tensor::{Device, Tensor, TensorData};
use burn_cubecl::tensor::CubeTensor;
use burn_cubecl::{CubeBackend, CubeDevice};

use super::element::Element;
use super::rows::dims;
use crate::operation::Operation;
use crate::tape::Compute as _;
use bits::{from_bits, to_bits};
use cases::{Case, cases};

/// Repeatable values between -1 and 1.
fn noise(len: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let draw = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        ((state >> 11) as f64 / (1_u64 << 52) as f64 - 1.0) as f32
    };
    (0..len).map(draw).collect()
}

fn upload(values: &[f32], shape: [usize; 4], element: Element, device: &CubeDevice) -> CubeTensor {
    let is_vector = shape[0] == 1 && shape[2..] == [1, 1];
    let client = device.client();
    let handle = client.create_from_slice(&to_bits(values, element));
    let shape = if is_vector { vec![shape[1]] } else { shape.to_vec() };
    CubeTensor::new_contiguous(client, device.clone(), shape.into(), handle, element.dtype())
}

fn download(tensor: CubeTensor) -> Vec<f32> {
    let element = Element::of(tensor.dtype).unwrap();
    let count = tensor.meta.shape().num_elements();
    // Burn's own copy is nothing on the stand-in; ours is a gather.
    let tensor = if tensor.meta.shape().num_dims() == 4 { row_major(tensor) } else { tensor };
    let bytes = tensor.client.read_one_unchecked(tensor.handle.clone());
    from_bits(&bytes[..count * element.bytes()], element)
}

/// Our gather makes rows of channels of any strides: told that channels are the last axis, it makes row-major order.
fn row_major(tensor: CubeTensor) -> CubeTensor {
    let turned = burn_cubecl::ops::permute(tensor, &[0, 3, 1, 2]);
    burn_cubecl::ops::permute(super::rows::rows(turned), &[0, 2, 3, 1])
}

/// Rounds as the element does.
fn rounded(values: Vec<f32>, element: Element) -> Vec<f32> {
    from_bits(&to_bits(&values, element), element)
}

/// What is off by more than it may be.
fn check(case: &Case, element: Element, tolerance: f64) -> Vec<String> {
    let device = CubeDevice::Cuda(Default::default());
    let values: Vec<Vec<f32>> = case
        .shapes
        .iter()
        .zip(7..)
        .enumerate()
        .map(|(index, (shape, seed))| {
            let values = noise(shape.iter().product(), seed);
            if case.activations.contains(&index) { rounded(values, element) } else { values }
        })
        .collect();

    let flex = Device::flex().autodiff();
    let inputs: Vec<_> = values
        .iter()
        .zip(&case.shapes)
        .map(|(values, &shape)| {
            Tensor::<4>::from_data(TensorData::new(values.clone(), shape), &flex).require_grad()
        })
        .collect();
    let y = (case.on_cpu)(&inputs);
    let weights = rounded(noise(y.shape().num_elements(), 3), element);
    let weight = Tensor::<4>::from_data(TensorData::new(weights.clone(), y.dims()), &flex);
    let gradients = (y.clone() * weight).sum().backward();
    let mut expected = vec![floats(y.clone().without_autodiff())];
    expected.extend(inputs.iter().map(|input| floats(input.grad(&gradients).unwrap())));

    let inputs: Vec<_> = values
        .iter()
        .zip(&case.shapes)
        .enumerate()
        .map(|(index, (values, &shape))| {
            let is_activation = case.activations.contains(&index);
            let element = if is_activation { element } else { Element::F32 };
            upload(values, shape, element, &device)
        })
        .collect();
    let (outputs, saved) = CubeBackend::forward(case.operation, inputs);
    let of_gradient = if case.rank_of_output == 2 { Element::F32 } else { element };
    let mut gradient = upload(&weights, y.dims(), of_gradient, &device);
    if case.rank_of_output == 2 {
        let [batch, channels, ..] = y.dims();
        gradient.meta = CubeTensor::new_contiguous(
            gradient.client.clone(),
            device.clone(),
            [batch, channels].into(),
            gradient.handle.clone(),
            gradient.dtype,
        )
        .meta;
    }
    let mut found = vec![download(outputs.into_iter().next().unwrap())];
    let wanted = vec![true; case.shapes.len()];
    let gradients = CubeBackend::backward(saved, gradient, &wanted);
    // The factors of films have no gradient.
    let is_without = matches!(case.operation, Operation::ScaledAdd);
    expected.truncate(if is_without { gradients.len() + 1 } else { expected.len() });
    found.extend(gradients.into_iter().map(|gradient| download(gradient.unwrap())));

    assert_eq!(found.len(), expected.len());
    let mut wrong = Vec::new();
    for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
        let off = match element {
            Element::F32 => difference(found, expected),
            // A last digit decides on which side of a rectifier a value falls.
            Element::Bf16 | Element::F16 => distance(found, expected),
        };
        let what = if index == 0 { "output".to_owned() } else { format!("gradient {index}") };
        // A sum of few terms, and what two norms in a row make of rounding, are further off.
        let is_vector = index > 0 && case.shapes[index - 1][0] == 1;
        let is_twice = matches!(case.operation, Operation::DenseLayer(_));
        let may_be_off = if element != Element::F32 && (is_vector || is_twice) {
            4.0 * tolerance
        } else {
            tolerance
        };
        if off >= may_be_off {
            wrong.push(format!("{}, {what}: {off:.1e}", case.name));
        }
    }
    wrong
}

fn floats(tensor: Tensor<4>) -> Vec<f32> {
    tensor.into_data().try_to_vec().unwrap()
}

/// The greatest difference over the greatest value.
fn difference(found: &[f32], expected: &[f32]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let greatest = expected.iter().fold(0.0_f32, |max, value| max.max(value.abs()));
    let off = found.iter().zip(expected).map(|(a, b)| f64::from((a - b).abs()));
    // What is not a number is off by all there is.
    let off = off.map(|off| if off.is_finite() { off } else { f64::INFINITY });
    off.fold(0.0, f64::max) / f64::from(greatest.max(1e-6))
}

/// Length of the difference over the length of what is expected.
fn distance(found: &[f32], expected: &[f32]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let length = |values: &mut dyn Iterator<Item = f32>| {
        values.map(|value| f64::from(value).powi(2)).sum::<f64>().sqrt()
    };
    let off = length(&mut found.iter().zip(expected).map(|(a, b)| a - b));
    let off = if off.is_finite() { off } else { f64::INFINITY };
    off / length(&mut expected.iter().copied()).max(1e-6)
}

fn check_all(element: Element, tolerance: f64) {
    let mut wrong = Vec::new();
    // Channels that fill wide loads, that do not, many, and one; rectangles; odd sides.
    let shapes = [([3, 16, 7, 10], 8), ([2, 6, 9, 5], 5), ([4, 40, 5, 4], 16), ([2, 1, 8, 11], 8)];
    // f16 differs from bf16 in how values are narrowed and widened, which two shapes show.
    let most = if element == Element::F16 { 2 } else { shapes.len() };
    for (shape, out) in shapes.into_iter().take(most) {
        if shape[1] == 1 && element != Element::F32 {
            // Its sums have too few terms for 16 bits.
            continue;
        }
        wrong.extend(cases(shape, out).iter().flat_map(|case| check(case, element, tolerance)));
    }
    assert!(wrong.is_empty(), "{element:?}, {} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
#[ignore = "needs a GPU or tests/fake_gpu/run.sh"]
fn every_operation_in_float_is_the_cpus() {
    check_all(Element::F32, 1e-4);
}

#[test]
#[ignore = "needs a GPU or tests/fake_gpu/run.sh"]
fn every_operation_in_bf16_is_the_cpus_but_for_rounding() {
    check_all(Element::Bf16, 4e-2);
}

#[test]
#[ignore = "needs a GPU or tests/fake_gpu/run.sh"]
fn every_operation_in_f16_is_the_cpus_but_for_rounding() {
    check_all(Element::F16, 1e-2);
}

#[test]
#[ignore = "needs a GPU or tests/fake_gpu/run.sh"]
fn an_input_of_any_layout_is_put_into_rows() {
    let device = CubeDevice::Cuda(Default::default());
    let values = noise(2 * 3 * 4 * 5, 1);
    let tensor = upload(&values, [2, 3, 4, 5], Element::F32, &device);
    let rows = super::rows::rows(tensor);
    assert_eq!(dims::<4>(&rows), [2, 3, 4, 5]);
    assert_eq!(download(rows), values);
}

#[test]
#[ignore = "needs a GPU or tests/fake_gpu/run.sh"]
fn adam_takes_the_cpus_steps() {
    let device = CubeDevice::Cuda(Default::default());
    let step = |time| crate::AdamStep { betas: [0.9, 0.999], epsilon: 1e-7, rate: 0.01, time };
    let start = [noise(1000, 1), vec![0.0; 1000], vec![0.0; 1000]];
    let gradients = [noise(1000, 2), noise(1000, 3)];
    let cpu = Device::flex();
    let mut expected =
        start.clone().map(|values| Tensor::<1>::from_data(TensorData::new(values, [1000]), &cpu));
    let mut found = start.map(|values| upload(&values, [1, 1000, 1, 1], Element::F32, &device));
    for (time, gradient) in (1..).zip(&gradients) {
        let on_cpu = Tensor::<1>::from_data(TensorData::new(gradient.clone(), [1000]), &cpu);
        expected = crate::adam(expected, on_cpu, step(time));
        let gradient = upload(gradient, [1, 1000, 1, 1], Element::F32, &device);
        let (parameter, mean, square) = super::adam::step(found, gradient, step(time));
        super::adam::flush();
        found = [parameter, mean, square];
    }
    for (found, expected) in found.into_iter().zip(expected) {
        let expected: Vec<f32> = expected.into_data().try_to_vec().unwrap();
        assert!(difference(&download(found), &expected) < 1e-5);
    }
}
