//! The backward pass and the optimizer step, both with the loss scale of f16.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::Tensor;
use roentgen_kernels::Unscaling;
use roentgen_models::Classifier;

use crate::loss_scale::{LossScale, StepOutcome};

/// Computes the gradients of the weights from a loss; those of a scaled loss are still multiplied by
/// the scale, and sums of them may be passed to [`optimizer_step`].
pub fn weight_gradients(
    loss: &Tensor<1>,
    model: &Classifier,
    scale: Option<LossScale>,
) -> GradientsParams {
    let gradients = match scale {
        Some(scale) => (loss.clone() * scale.factor()).backward(),
        None => loss.backward(),
    };
    GradientsParams::from_grads(gradients, model)
}

/// Takes an optimizer step on gradients of [`weight_gradients`], which are divided by the scale; a
/// step whose gradients are not all finite numbers is skipped. Updates the scale.
pub fn optimizer_step(
    optimizer: &mut ModuleOptimizer,
    rate: f64,
    model: Classifier,
    mut gradients: GradientsParams,
    scale: Option<&mut LossScale>,
) -> (Classifier, StepOutcome) {
    let outcome = match scale {
        None => StepOutcome::Taken,
        Some(scale) => match unscale(&mut gradients, &model, *scale) {
            Gradients::Finite => scale.finite_step(),
            Gradients::NotFinite => scale.infinite_step(),
        },
    };
    let model = match outcome {
        StepOutcome::Taken => {
            let model = optimizer.step(rate, model, gradients);
            roentgen_kernels::flush();
            model
        }
        StepOutcome::Skipped | StepOutcome::Impossible => model,
    };
    (model, outcome)
}

/// Whether all gradients of a step are finite numbers.
enum Gradients {
    Finite,
    NotFinite,
}

/// Divides the gradients of a network by the scale, and tests them.
fn unscale(gradients: &mut GradientsParams, model: &Classifier, scale: LossScale) -> Gradients {
    let mut visitor = Visitor { gradients, unscaling: Unscaling::new(scale.factor()) };
    model.visit(&mut visitor);
    if visitor.unscaling.finish() { Gradients::Finite } else { Gradients::NotFinite }
}

/// Divides the gradient of each parameter that has one.
struct Visitor<'a> {
    gradients: &'a mut GradientsParams,
    unscaling: Unscaling,
}

impl ModuleVisitor for Visitor<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.remove::<D>(param.id) {
            self.gradients.register(param.id, self.unscaling.divide(gradient));
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Distribution};
    use roentgen_models::{Architecture, ClassifierConfig, Pool, weights};

    use super::*;
    use crate::optimizer::Optimizer;

    /// A small network, of which each copy has memory of its own.
    struct Networks {
        config: ClassifierConfig,
        start: Vec<u8>,
        device: Device,
    }

    impl Networks {
        fn new() -> Self {
            let device = Device::flex().autodiff();
            device.seed(5);
            let config = ClassifierConfig {
                architecture: Architecture::Mobilenet,
                width: 0.0625,
                pool: Pool::Average,
                dropout: 0.0,
                stochastic_depth: None,
            };
            let start = weights::to_bytes(&config.init(1, 3, &device).valid()).unwrap().to_vec();
            Self { config, start, device }
        }

        fn network(&self) -> Classifier {
            weights::load(self.config.init(1, 3, &self.device), self.start.clone()).unwrap()
        }

        fn films(&self) -> Tensor<4> {
            Tensor::random([4, 1, 32, 40], Distribution::Default, &self.device)
        }
    }

    fn bytes(model: &Classifier) -> Vec<u8> {
        weights::to_bytes(&model.valid()).unwrap().to_vec()
    }

    fn loss(model: &Classifier, films: &Tensor<4>) -> Tensor<1> {
        (model.forward(films.clone()) - 0.3).square().mean()
    }

    fn optimizers() -> [Optimizer; 5] {
        [
            Optimizer::Sgd { momentum: 0.9, nesterov: true, weight_decay: 1e-3 },
            Optimizer::Adagrad {},
            Optimizer::Adadelta {},
            Optimizer::ADAM,
            Optimizer::AdamW { betas: [0.9, 0.999], epsilon: 1e-5, weight_decay: 0.01 },
        ]
    }

    #[test]
    fn a_scale_changes_no_bit_of_steps_in_single_precision() {
        let networks = Networks::new();
        let films = [networks.films(), networks.films()];
        for optimizer in optimizers() {
            let train = |mut scale: Option<LossScale>| {
                let (mut model, mut optimizer) = (networks.network(), optimizer.init());
                for films in &films {
                    let gradients = weight_gradients(&loss(&model, films), &model, scale);
                    let taken;
                    (model, taken) =
                        optimizer_step(&mut optimizer, 0.01, model, gradients, scale.as_mut());
                    assert_eq!(taken, StepOutcome::Taken);
                }
                (bytes(&model), scale)
            };

            let (plain, none) = train(None);
            let (scaled, scale) = train(Some(LossScale::default()));

            assert_eq!(none, None);
            assert_eq!(scale, Some(LossScale { scale: 65536, good_steps: 2 }));
            assert!(plain != networks.start, "{optimizer:?}");
            assert!(plain == scaled, "{optimizer:?}");
        }
    }

    #[test]
    fn a_step_with_an_infinite_gradient_changes_nothing_but_the_scale() {
        let networks = Networks::new();
        let films = networks.films();
        for choice in optimizers() {
            let (mut model, mut optimizer) = (networks.network(), choice.init());
            let state = |optimizer: &ModuleOptimizer| optimizer.into_bytes().unwrap().to_vec();
            let mut scale = LossScale { scale: 2, good_steps: 7 };
            let mut found = Vec::new();
            for factor in [1.0, f32::INFINITY, f32::NAN] {
                let loss = loss(&model, &films) * factor;
                let gradients = weight_gradients(&loss, &model, Some(scale));
                // After the forward pass, which moves the running statistics.
                let before = (bytes(&model), state(&optimizer));
                let outcome;
                (model, outcome) =
                    optimizer_step(&mut optimizer, 0.01, model, gradients, Some(&mut scale));
                let is_same = before == (bytes(&model), state(&optimizer));
                found.push((outcome, scale, is_same));
            }

            let halved = LossScale { scale: 1, good_steps: 0 };
            let expected = [
                (StepOutcome::Taken, LossScale { scale: 2, good_steps: 8 }, false),
                (StepOutcome::Skipped, halved, true),
                (StepOutcome::Impossible, halved, true),
            ];
            assert_eq!(found, expected, "{choice:?}");
        }
    }
}
