//! [Stochastic depth][paper]: a residual block is skipped for a film at random in training.
//!
//! [paper]: https://arxiv.org/abs/1603.09382

use burn::module::Module;
use burn::tensor::{Bool, Distribution, Tensor};

/// Sets the values of a film to zero with a probability, and divides the others by the probability
/// of being kept; does nothing in inference.
#[derive(Module, Debug)]
pub(crate) struct StochasticDepth {
    #[module(skip)]
    rate: f64,
}

impl StochasticDepth {
    /// Creates the layer with the probability that a film is skipped.
    pub(crate) fn new(rate: f64) -> Self {
        Self { rate }
    }

    /// Skips films at random on an autodiff device.
    ///
    /// # Shapes
    ///
    /// - `x`, output: `[batch, channels, height, width]`
    pub(crate) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let device = x.device();
        if self.rate == 0.0 || !device.is_autodiff() {
            return x;
        }
        let kept = 1.0 - self.rate;
        let shape = [x.dims()[0], 1, 1, 1];
        let skipped: Tensor<4, Bool> =
            Tensor::<4>::random(shape, Distribution::Uniform(0.0, 1.0), &device)
                .greater_equal_elem(kept);
        let factor = Tensor::<4>::full(shape, 1.0 / kept, &device).mask_fill(skipped, 0.0);
        let dtype = x.dtype();
        x * factor.cast(dtype)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn whole_films_are_skipped_as_often_as_the_rate_says_and_the_mean_stays() {
        let device = Device::flex().autodiff();
        device.seed(3);
        let x = Tensor::<4>::ones([2000, 2, 1, 2], &device);
        let y = StochasticDepth::new(0.25).forward(x).into_data().try_to_vec::<f32>().unwrap();
        let films: Vec<&[f32]> = y.chunks(4).collect();

        assert!(films.iter().all(|film| film.iter().all(|value| *value == film[0])));
        let skipped = films.iter().filter(|film| film[0] == 0.0).count();
        // Three standard errors of 2000 draws are 58.
        assert!((442..=558).contains(&skipped), "{skipped}");
        assert!(films.iter().all(|film| film[0] == 0.0 || (film[0] - 4.0 / 3.0).abs() < 1e-6));
    }

    #[test]
    fn inference_and_a_rate_of_zero_change_nothing() {
        for (device, rate) in [(Device::flex(), 0.5), (Device::flex().autodiff(), 0.0)] {
            let x = Tensor::<4>::ones([3, 1, 2, 2], &device);
            let y = StochasticDepth::new(rate).forward(x.clone());
            y.into_data().assert_eq(&x.into_data(), true);
        }
    }
}
