//! Division of gradients by the scale of their loss.

use burn::tensor::{Device, Tensor, TensorData};
use roentgen_kernels::Unscaling;

use crate::support::noise;

fn tensor(values: Vec<f32>) -> Tensor<3> {
    Tensor::from_data(TensorData::new(values, [3, 4, 5]), &Device::flex())
}

#[test]
fn a_power_of_two_divides_without_rounding() {
    let values = || -> Vec<f32> { noise(60, 1).into_iter().map(|value| value as f32).collect() };
    let mut unscaling = Unscaling::new(65536.0);

    let divided = unscaling.divide(tensor(values()));
    let turned = unscaling.divide(tensor(values()).permute([2, 0, 1]));

    assert!(unscaling.finish());
    let scaled_again = [divided, turned.permute([1, 2, 0])].map(|tensor| tensor * 65536.0);
    for tensor in scaled_again {
        assert_eq!(tensor.into_data().try_to_vec::<f32>().unwrap(), values());
    }
}

#[test]
fn one_value_of_one_gradient_that_is_not_finite_is_enough() {
    for bad in [f32::INFINITY, f32::NEG_INFINITY, f32::NAN] {
        for which in 0..3 {
            let mut unscaling = Unscaling::new(8.0);
            for index in 0..3 {
                let mut values = vec![1.0; 60];
                values[37] = if index == which { bad } else { f32::MAX };
                let _ = unscaling.divide(tensor(values));
            }

            assert!(!unscaling.finish(), "{bad} in gradient {which}");
        }
    }
    assert!(Unscaling::new(2.0).finish());
}
