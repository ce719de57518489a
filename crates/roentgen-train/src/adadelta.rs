//! Adadelta, from [ADADELTA: An Adaptive Learning Rate Method][paper], which Burn 0.22 lacks.
//!
//! With a rate of 1 this is the paper's method; the step is multiplied by the rate, as in Keras.
//!
//! [paper]: https://arxiv.org/abs/1212.5701

use burn::optim::LearningRate;
use burn::optim::Optimizer;
use burn::tensor::{Device, Tensor};

/// The two constants of Adadelta; the defaults are those of Keras.
#[derive(Clone, Debug)]
pub(crate) struct Adadelta {
    /// Decay of the two running means.
    pub(crate) rho: f64,
    /// Keeps the quotient finite.
    pub(crate) epsilon: f64,
}

impl Default for Adadelta {
    fn default() -> Self {
        Self { rho: 0.95, epsilon: 1e-7 }
    }
}

/// The two running means of a parameter.
#[derive(crate::RecordState, Clone)]
pub(crate) struct AdadeltaState<const D: usize> {
    /// Mean of squared gradients.
    gradients: Tensor<D>,
    /// Mean of squared steps.
    steps: Tensor<D>,
}

impl Optimizer for Adadelta {
    type State<const D: usize> = AdadeltaState<D>;

    fn step<const D: usize>(
        &self,
        rate: LearningRate,
        tensor: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<Self::State<D>>,
    ) -> (Tensor<D>, Option<Self::State<D>>) {
        let state = state.unwrap_or_else(|| AdadeltaState {
            gradients: gradient.zeros_like(),
            steps: gradient.zeros_like(),
        });
        let mean =
            |old: Tensor<D>, new: Tensor<D>| old * self.rho + new.square() * (1.0 - self.rho);
        let root = |x: Tensor<D>| (x + self.epsilon).sqrt();

        let gradients = mean(state.gradients, gradient.clone());
        let step = root(state.steps.clone()) / root(gradients.clone()) * gradient;
        let steps = mean(state.steps, step.clone());
        (tensor - step * rate, Some(AdadeltaState { gradients, steps }))
    }

    fn to_device<const D: usize>(state: Self::State<D>, device: &Device) -> Self::State<D> {
        AdadeltaState {
            gradients: state.gradients.to_device(device),
            steps: state.steps.to_device(device),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_steps_are_those_of_the_paper() {
        let device = Device::flex();
        let rule = Adadelta { rho: 0.95, epsilon: 1e-6 };
        let (mut x, mut gradients, mut steps) = (1.0_f64, 0.0, 0.0);
        let mut tensor = Tensor::<1>::from_floats([1.0], &device);
        let mut state = None;
        for gradient in [0.5, -2.0] {
            gradients = 0.95 * gradients + 0.05 * gradient * gradient;
            let step = -((steps + 1e-6_f64).sqrt() / (gradients + 1e-6_f64).sqrt()) * gradient;
            steps = 0.95 * steps + 0.05 * step * step;
            x += step;
            let gradient = Tensor::from_floats([gradient as f32], &device);
            (tensor, state) = rule.step(1.0, tensor, gradient, state);
        }

        assert!((f64::from(tensor.into_scalar::<f32>()) - x).abs() < 1e-6);
    }
}
