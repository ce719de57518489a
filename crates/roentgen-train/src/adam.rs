//! Adam, from [Adam: A Method for Stochastic Optimization][paper], as a Burn optimizer.
//!
//! Burn's own Adam makes a dozen passes over each parameter to do the same. Its state is used here,
//! so that each can read the other's checkpoints.
//!
//! [paper]: https://arxiv.org/abs/1412.6980

use burn::optim::{AdamState, AdaptiveMomentumState, LearningRate, Optimizer};
use burn::tensor::{Device, Tensor};
use roentgen_kernels::{AdamStep, adam};

/// Adam.
#[derive(Clone, Debug)]
pub struct Adam {
    /// Decay rates of the means of the gradient and of its square.
    pub betas: [f32; 2],
    /// Keeps the quotient finite.
    pub epsilon: f32,
    /// Share of a weight that is added to its gradient (L2).
    pub weight_decay: f32,
}

impl Optimizer for Adam {
    type State<const D: usize> = AdamState<D>;

    fn step<const D: usize>(
        &self,
        rate: LearningRate,
        tensor: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<Self::State<D>>,
    ) -> (Tensor<D>, Option<Self::State<D>>) {
        let gradient = match self.weight_decay {
            0.0 => gradient,
            decay => gradient + tensor.clone() * decay,
        };
        let (time, mean, square) = match state {
            Some(AdamState { momentum }) => (momentum.time, momentum.moment_1, momentum.moment_2),
            None => (0, gradient.zeros_like(), gradient.zeros_like()),
        };
        let step = AdamStep { betas: self.betas, epsilon: self.epsilon, rate, time: time + 1 };
        let [tensor, mean, square] = adam([tensor, mean, square], gradient, step);
        (tensor, Some(AdamState::new(AdaptiveMomentumState::new(time + 1, mean, square))))
    }

    fn to_device<const D: usize>(state: Self::State<D>, device: &Device) -> Self::State<D> {
        AdamState::new(state.momentum.to_device(device))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::optim::AdamConfig;
    use burn::optim::decay::WeightDecayConfig;

    #[test]
    fn steps_are_those_of_burns_adam_which_continues_from_our_state() {
        let device = Device::flex();
        let gradients = [[0.5, -2.0, 0.0], [1e-3, 3.0, -0.1], [-0.7, 0.2, 1e-6]];
        let gradients = gradients.map(|values| Tensor::<1>::from_floats(values, &device));
        for (betas, weight_decay) in [([0.9, 0.999], 0.0), ([0.5, 0.9], 0.1)] {
            let adam = Adam { betas, epsilon: 1e-7, weight_decay };
            let decay = WeightDecayConfig::new(weight_decay);
            let plain = AdamConfig::new()
                .with_beta_1(betas[0])
                .with_beta_2(betas[1])
                .with_epsilon(1e-7)
                .with_weight_decay((weight_decay > 0.0).then_some(decay))
                .build();
            let (mut ours, mut state) = (Tensor::<1>::from_floats([1.0, 0.0, -3.0], &device), None);
            let (mut theirs, mut other) = (ours.clone(), None);
            for gradient in &gradients[..2] {
                (ours, state) = adam.step(0.01, ours, gradient.clone(), state);
                (theirs, other) = plain.step(0.01, theirs, gradient.clone(), other);
            }
            let last = &gradients[2];
            let (from_ours, _) = plain.step(0.01, ours.clone(), last.clone(), state.clone());
            let (ours, _) = adam.step(0.01, ours, last.clone(), state);
            let (theirs, _) = plain.step(0.01, theirs, last.clone(), other);

            for ours in [ours, from_ours] {
                let off = (ours - theirs.clone()).abs().max().into_scalar::<f32>();
                assert!(off < 1e-6, "{betas:?} {weight_decay}: {off:e}");
            }
        }
    }
}
