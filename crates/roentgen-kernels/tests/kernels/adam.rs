//! The step of Adam against Burn's own.

use burn::optim::{AdamConfig, Optimizer};
use burn::tensor::{DType, Device, Tensor, TensorData};
use roentgen_kernels::{AdamStep, adam};

use crate::support::noise;

#[test]
fn adam_over_many_values_of_any_layout_is_burns_on_every_device() {
    let device = Device::flex();
    let shape = [4, 100, 10, 10];
    let double = |seed| {
        let values = noise(shape.iter().product(), seed);
        Tensor::<4>::from_data(TensorData::new(values, shape), (&device, DType::F64))
    };
    let (mut parameter, mut state) = (double(1), None);
    let (mut ours, mut fast) = ([double(1), double(2) * 0.0, double(2) * 0.0], None);
    let burns = AdamConfig::new().with_epsilon(1e-7).build();
    for time in 1..=3 {
        // A gradient arrives in whatever layout the last operation left.
        let gradient = double(3 + time as u64).permute([1, 0, 2, 3]).reshape([100, 4, 10, 10]);
        let gradient = gradient.permute([1, 0, 2, 3]);
        let step = AdamStep { betas: [0.9, 0.999], epsilon: 1e-7, rate: 1e-2, time };
        (parameter, state) = burns.step(1e-2, parameter, gradient.clone(), state);
        let single = |tensors: [Tensor<4>; 3]| tensors.map(|tensor| tensor.cast(DType::F32));
        let before = fast.take().unwrap_or_else(|| single(ours.clone()));
        fast = Some(adam(before, gradient.clone().cast(DType::F32), step));
        // In double precision it is the form that other devices run.
        ours = adam(ours, gradient, step);
    }

    let [plain, ..] = ours;
    let [fast, ..] = fast.unwrap();
    for found in [plain, fast.cast(DType::F64)] {
        let off = (found - parameter.clone()).abs().max().into_scalar::<f64>();
        assert!(off < 1e-6, "{off:e}");
    }
}
