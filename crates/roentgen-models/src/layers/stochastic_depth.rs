//! [Stochastic depth][paper]: a residual block is skipped for a film at random in training.
//!
//! [paper]: https://arxiv.org/abs/1603.09382

use burn::module::Module;
use burn::tensor::{Bool, Device, Distribution, Tensor};

/// A factor for each film: zero with a probability, and otherwise one over the probability of being
/// kept; in inference there are none.
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

    /// Draws the factor of each film on an autodiff device; `None` where no film is skipped.
    ///
    /// # Shapes
    ///
    /// - output: `[batch]`
    pub(crate) fn factors(&self, batch: usize, device: &Device) -> Option<Tensor<1>> {
        if self.rate == 0.0 || !device.is_autodiff() {
            return None;
        }
        let kept = 1.0 - self.rate;
        let skipped: Tensor<1, Bool> =
            Tensor::<1>::random([batch], Distribution::Uniform(0.0, 1.0), device)
                .greater_equal_elem(kept);
        Some(Tensor::<1>::full([batch], 1.0 / kept, device).mask_fill(skipped, 0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn films_are_skipped_as_often_as_the_rate_says_and_the_mean_stays() {
        let device = Device::flex().autodiff();
        device.seed(3);
        let factors = StochasticDepth::new(0.25).factors(2000, &device).unwrap();
        let factors = factors.into_data().try_to_vec::<f32>().unwrap();

        let skipped = factors.iter().filter(|factor| **factor == 0.0).count();
        // Three standard errors of 2000 draws are 58.
        assert!((442..=558).contains(&skipped), "{skipped}");
        assert!(factors.iter().all(|&factor| factor == 0.0 || (factor - 4.0 / 3.0).abs() < 1e-6));
    }

    #[test]
    fn inference_and_a_rate_of_zero_skip_nothing() {
        for (device, rate) in [(Device::flex(), 0.5), (Device::flex().autodiff(), 0.0)] {
            assert!(StochasticDepth::new(rate).factors(3, &device).is_none());
        }
    }
}
