//! Optimizers by name.
//!
//! A variant without settings is an empty struct and not a unit: serde ignores unknown keys beside
//! a unit variant, and a misspelled setting must be refused. Keys with their default are not
//! written, so that the experiment of an earlier version stays the same text.

use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdaGradConfig, AdamWConfig, ModuleOptimizer, SgdConfig};
use serde::{Deserialize, Serialize};

use crate::adadelta::Adadelta;
use crate::adam::Adam;
use crate::invalid::Invalid;

/// Decay rates of the means of the gradient and of its square.
const BETAS: [f64; 2] = [0.9, 0.999];
/// Keras' epsilon of Adam.
const ADAM_EPSILON: f64 = 1e-7;
/// Burn's epsilon of AdamW.
const ADAMW_EPSILON: f64 = 1e-5;

/// `[train.optimizer]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Optimizer {
    /// Stochastic gradient descent.
    Sgd {
        /// Momentum; 0 for none.
        #[serde(default)]
        momentum: f64,
        /// Whether the gradient is taken where the momentum leads, from Nesterov, 1983.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        nesterov: bool,
        /// Share of a weight that is added to its gradient (L2).
        #[serde(default, skip_serializing_if = "is_zero")]
        weight_decay: f64,
    },
    /// Adagrad, from Duchi et al., 2011.
    Adagrad {},
    /// Adadelta, from Zeiler, 2012.
    Adadelta {},
    /// Adam, from Kingma and Ba, 2015.
    Adam {
        /// Decay rates of the means of the gradient and of its square.
        #[serde(default = "betas", skip_serializing_if = "are_usual")]
        betas: [f64; 2],
        /// Keeps the quotient finite.
        #[serde(default = "adam_epsilon", skip_serializing_if = "is_adams")]
        epsilon: f64,
        /// Share of a weight that is added to its gradient (L2), as in PyTorch's `Adam`.
        #[serde(default, skip_serializing_if = "is_zero")]
        weight_decay: f64,
    },
    /// Adam with decoupled weight decay, from Loshchilov and Hutter, 2019.
    #[serde(rename = "adamw")]
    AdamW {
        /// Decay rates of the means of the gradient and of its square.
        #[serde(default = "betas", skip_serializing_if = "are_usual")]
        betas: [f64; 2],
        /// Keeps the quotient finite.
        #[serde(default = "adamw_epsilon", skip_serializing_if = "is_adamws")]
        epsilon: f64,
        /// Fraction of the learning rate by which weights shrink in a step.
        #[serde(default = "decay")]
        weight_decay: f64,
    },
}

fn decay() -> f64 {
    0.01
}

fn betas() -> [f64; 2] {
    BETAS
}

fn adam_epsilon() -> f64 {
    ADAM_EPSILON
}

fn adamw_epsilon() -> f64 {
    ADAMW_EPSILON
}

fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

fn are_usual(betas: &[f64; 2]) -> bool {
    *betas == BETAS
}

fn is_adams(epsilon: &f64) -> bool {
    *epsilon == ADAM_EPSILON
}

fn is_adamws(epsilon: &f64) -> bool {
    *epsilon == ADAMW_EPSILON
}

impl Optimizer {
    /// Adam with its default settings.
    pub const ADAM: Self =
        Optimizer::Adam { betas: BETAS, epsilon: ADAM_EPSILON, weight_decay: 0.0 };

    /// Creates the optimizer with empty state.
    pub fn init(&self) -> ModuleOptimizer {
        match *self {
            Optimizer::Sgd { momentum, nesterov, weight_decay } => {
                // Keras' rule: the velocity takes the whole gradient, undamped.
                let rule = MomentumConfig::new()
                    .with_momentum(momentum)
                    .with_dampening(0.0)
                    .with_nesterov(nesterov);
                let decay = WeightDecayConfig::new(weight_decay as f32);
                SgdConfig::new()
                    .with_momentum((momentum > 0.0).then_some(rule))
                    .with_weight_decay((weight_decay > 0.0).then_some(decay))
                    .init()
            }
            Optimizer::Adagrad {} => AdaGradConfig::new().with_epsilon(1e-7).init(),
            Optimizer::Adadelta {} => ModuleOptimizer::from(Adadelta::default()),
            Optimizer::Adam { betas, epsilon, weight_decay } => ModuleOptimizer::from(Adam {
                betas: betas.map(|beta| beta as f32),
                epsilon: epsilon as f32,
                weight_decay: weight_decay as f32,
            }),
            Optimizer::AdamW { betas, epsilon, weight_decay } => AdamWConfig::new()
                .with_beta_1(betas[0] as f32)
                .with_beta_2(betas[1] as f32)
                .with_epsilon(epsilon as f32)
                .with_weight_decay(weight_decay as f32)
                .init(),
        }
    }

    /// Checks the settings.
    ///
    /// # Errors
    ///
    /// Returns an error if a setting is out of range.
    pub fn check(&self) -> Result<(), Invalid> {
        let refuse = |key, what: String| Err(Invalid { key, what });
        let within = |key, value: f64| match (0.0..1.0).contains(&value) {
            true => Ok(()),
            false => refuse(key, format!("{value} is not at least 0 and below 1")),
        };
        const DECAY: &str = "train.optimizer.weight_decay";
        match *self {
            Optimizer::Sgd { momentum, nesterov, weight_decay } => {
                within("train.optimizer.momentum", momentum)?;
                if nesterov && momentum == 0.0 {
                    let what = "needs a `momentum` above 0".to_owned();
                    return refuse("train.optimizer.nesterov", what);
                }
                within(DECAY, weight_decay)
            }
            Optimizer::Adagrad {} | Optimizer::Adadelta {} => Ok(()),
            Optimizer::Adam { betas, epsilon, weight_decay }
            | Optimizer::AdamW { betas, epsilon, weight_decay } => {
                betas.into_iter().try_for_each(|beta| within("train.optimizer.betas", beta))?;
                if !(epsilon > 0.0 && epsilon < 1.0) {
                    let what = format!("{epsilon} is not between 0 and 1");
                    return refuse("train.optimizer.epsilon", what);
                }
                within(DECAY, weight_decay)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Optimizer, toml::de::Error> {
        toml::from_str(text)
    }

    #[test]
    fn a_setting_that_an_optimizer_does_not_have_is_refused() {
        for text in [
            "name = \"adam\"\nlr = 0.1",
            "name = \"adam\"\nwieght_decya = \"yes\"",
            "name = \"adadelta\"\nrho = 0.5",
            "name = \"adagrad\"\nepsilon = 1e-7",
            "name = \"sgd\"\ndampening = 0.1",
            "name = \"adamw\"\namsgrad = true",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_text_of_an_optimizer_has_only_what_differs_from_the_defaults() {
        let text = |optimizer: &Optimizer| toml::to_string(optimizer).unwrap();
        assert_eq!(text(&Optimizer::ADAM), "name = \"adam\"\n");
        let other = read("name = \"adam\"\nweight_decay = 1e-4\nbetas = [0.5, 0.9]").unwrap();
        assert_eq!(read(&text(&other)).unwrap(), other);
        assert_eq!(text(&read("name = \"adagrad\"").unwrap()), "name = \"adagrad\"\n");
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        for text in [
            "name = \"sgd\"\nmomentum = 1.0",
            "name = \"sgd\"\nnesterov = true",
            "name = \"sgd\"\nweight_decay = -1e-4",
            "name = \"adam\"\nbetas = [0.9, 1.0]",
            "name = \"adam\"\nepsilon = 0.0",
            "name = \"adamw\"\nweight_decay = 2.0",
        ] {
            assert!(read(text).unwrap().check().is_err(), "{text}");
        }
    }
}
