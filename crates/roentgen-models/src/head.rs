//! Computes logits from pooled features: the 2019 study's dropout, dense, dropout, dense, or
//! CheXNet's single dense layer.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig};
use burn::tensor::{Device, Tensor};

use crate::layers::elu;
use crate::zoo::Pool;

/// Dense layers with dropout before each.
#[derive(Module, Debug)]
pub struct Head {
    dropout: Dropout,
    hidden: Option<Linear>,
    logits: Linear,
    is_linear: bool,
}

impl Head {
    /// Creates the head for `pool`: 512 linear units after the average, 128 with ELU after
    /// attention, and no hidden layer for the plain linear head.
    pub fn init(
        pool: Pool,
        channels: usize,
        findings: usize,
        dropout: f64,
        device: &Device,
    ) -> Self {
        let units = match pool {
            Pool::Average => Some(512),
            Pool::Attention => Some(128),
            Pool::Linear => None,
        };
        Self {
            dropout: DropoutConfig::new(dropout).init(),
            hidden: units.map(|units| LinearConfig::new(channels, units).init(device)),
            logits: LinearConfig::new(units.unwrap_or(channels), findings).init(device),
            is_linear: pool != Pool::Attention,
        }
    }

    /// Applies the head.
    ///
    /// # Shapes
    ///
    /// - `pooled`: `[batch, channels]`
    /// - output: logits, `[batch, findings]`
    pub fn forward(&self, pooled: Tensor<2>) -> Tensor<2> {
        let x = match &self.hidden {
            Some(hidden) => {
                let x = hidden.forward(self.dropout.forward(pooled));
                if self.is_linear { x } else { elu(x) }
            }
            None => pooled,
        };
        self.logits.forward(self.dropout.forward(x))
    }
}
