//! Optimizers by name.

use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdaGradConfig, AdamWConfig, ModuleOptimizer, SgdConfig};
use serde::{Deserialize, Serialize};

use crate::adadelta::Adadelta;
use crate::adam::Adam;
use crate::experiment::Invalid;

/// `[train.optimizer]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Optimizer {
    /// Stochastic gradient descent.
    Sgd {
        /// Momentum; 0 for none.
        #[serde(default)]
        momentum: f64,
    },
    /// Adagrad, from Duchi et al., 2011.
    Adagrad,
    /// Adadelta, from Zeiler, 2012.
    Adadelta,
    /// Adam, from Kingma and Ba, 2015.
    Adam,
    /// Adam with decoupled weight decay, from Loshchilov and Hutter, 2019.
    #[serde(rename = "adamw")]
    AdamW {
        /// Fraction of the learning rate by which weights shrink in a step.
        #[serde(default = "decay")]
        weight_decay: f64,
    },
}

fn decay() -> f64 {
    0.01
}

impl Optimizer {
    /// Creates the optimizer with empty state.
    pub fn init(&self) -> ModuleOptimizer {
        match self {
            Optimizer::Sgd { momentum } if *momentum > 0.0 => {
                // Keras' rule: the velocity takes the whole gradient, undamped.
                let momentum = MomentumConfig::new().with_momentum(*momentum).with_dampening(0.0);
                SgdConfig::new().with_momentum(Some(momentum)).init()
            }
            Optimizer::Sgd { .. } => SgdConfig::new().init(),
            Optimizer::Adagrad => AdaGradConfig::new().with_epsilon(1e-7).init(),
            Optimizer::Adadelta => ModuleOptimizer::from(Adadelta::default()),
            Optimizer::Adam => ModuleOptimizer::from(Adam),
            Optimizer::AdamW { weight_decay } => {
                AdamWConfig::new().with_weight_decay(*weight_decay as f32).init()
            }
        }
    }

    /// Checks the parameters.
    ///
    /// # Errors
    ///
    /// Returns an error if momentum or weight decay is out of range.
    pub fn check(&self) -> Result<(), Invalid> {
        let key = "train.optimizer";
        match *self {
            Optimizer::Sgd { momentum } if !(0.0..1.0).contains(&momentum) => {
                Err(Invalid { key, what: format!("`momentum` = {momentum} is not in 0..1") })
            }
            Optimizer::AdamW { weight_decay } if !(0.0..1.0).contains(&weight_decay) => {
                Err(Invalid {
                    key,
                    what: format!("`weight_decay` = {weight_decay} is not in 0..1"),
                })
            }
            _ => Ok(()),
        }
    }
}
