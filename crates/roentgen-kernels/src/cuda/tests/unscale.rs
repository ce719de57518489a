//! Division of gradients by the scale of their loss.

use burn_cubecl::CubeDevice;

use super::super::element::Element;
use super::super::unscale::{all_finite, note};
use super::{download, noise, upload};

const SCALE: f32 = 65536.0;

/// More gradients than a launch takes: of one value, of few, and of more values than a launch has threads.
fn gradients() -> Vec<Vec<f32>> {
    let lens = (0..300).map(|index| 1 + 7 * index % 50).chain([9_001]);
    lens.zip(1..).map(|(len, seed)| noise(len, seed)).collect()
}

#[test]
#[ignore = "needs a GPU or tests/fake_gpu/run.sh"]
fn gradients_are_divided_to_the_bit_and_a_shared_one_keeps_its_values() {
    let device = CubeDevice::Cuda(Default::default());
    let gradients = gradients();
    let mut found = Vec::new();
    let mut shared = Vec::new();
    for (index, values) in gradients.iter().enumerate() {
        let gradient = upload(values, [1, values.len(), 1, 1], Element::F32, &device);
        if index % 3 == 0 {
            shared.push((values, gradient.clone()));
        }
        found.push(note(gradient, SCALE.recip()));
    }

    assert!(all_finite());
    for (found, values) in found.into_iter().zip(&gradients) {
        let expected: Vec<f32> = values.iter().map(|value| value / SCALE).collect();
        assert!(download(found) == expected);
    }
    for (values, gradient) in shared {
        assert!(download(gradient) == *values);
    }
}

#[test]
#[ignore = "needs a GPU or tests/fake_gpu/run.sh"]
fn one_value_that_is_not_finite_is_found_and_forgotten_with_its_step() {
    let device = CubeDevice::Cuda(Default::default());
    let are_finite = |gradients: &[Vec<f32>]| {
        for values in gradients {
            let _ = note(upload(values, [1, values.len(), 1, 1], Element::F32, &device), 0.5);
        }
        all_finite()
    };
    let good = gradients();

    assert!(are_finite(&good));
    for bad in [f32::INFINITY, f32::NEG_INFINITY, f32::NAN] {
        for (index, at) in [(0, 0), (129, 3), (300, 9_000)] {
            let mut gradients = good.clone();
            gradients[index][at] = bad;
            assert!(!are_finite(&gradients), "{bad} in gradient {index}");
        }
    }
    assert!(are_finite(&good));
    // Without gradients there is nothing that could be wrong.
    assert!(all_finite());
}
