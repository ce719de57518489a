//! ELU, from [Fast and Accurate Deep Network Learning by Exponential Linear Units][paper].
//!
//! Burn's own ELU also computes the exponential of positive values and masks it afterwards; above
//! 88 it is infinite, and its gradient is not a number. Here the exponential never sees a positive
//! value.
//!
//! [paper]: https://arxiv.org/abs/1511.07289

use burn::tensor::Tensor;
use burn::tensor::activation::relu;

/// Computes `x` above zero and `e^x - 1` below.
pub(crate) fn elu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let below = relu(x.clone().neg()).neg().exp() - 1.0;
    relu(x) + below
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn values_and_gradients_are_those_of_the_paper_also_far_above_zero() {
        let device = Device::flex().autodiff();
        let x = Tensor::<1>::from_floats([-2.0, -0.5, 0.5, 200.0], &device).require_grad();
        let y = elu(x.clone());
        let gradients = x.grad(&y.clone().sum().backward()).unwrap();
        let [y, slopes] =
            [y.inner(), gradients].map(|x| x.into_data().try_to_vec::<f32>().unwrap());

        let [low, middle] = [(-2.0_f32).exp(), (-0.5_f32).exp()];
        for (got, expected) in y.iter().zip([low - 1.0, middle - 1.0, 0.5, 200.0]) {
            assert!((got - expected).abs() < 1e-6, "{y:?}");
        }
        for (got, expected) in slopes.iter().zip([low, middle, 1.0, 1.0]) {
            assert!((got - expected).abs() < 1e-6, "{slopes:?}");
        }
    }
}
