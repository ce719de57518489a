//! Pooled features to logits, as in the 2019 study: dropout, dense, dropout, dense.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig};
use burn::tensor::{Device, Tensor};

use crate::layers::elu;
use crate::zoo::Pool;

/// Two dense layers with dropout before each.
#[derive(Module, Debug)]
pub struct Head {
    dropout: Dropout,
    hidden: Linear,
    logits: Linear,
    is_linear: bool,
}

impl Head {
    /// Makes the head that belongs to `pool`: 512 linear units after the average, 128 with ELU after
    /// attention.
    pub fn init(
        pool: Pool,
        channels: usize,
        findings: usize,
        dropout: f64,
        device: &Device,
    ) -> Self {
        let (units, is_linear) = match pool {
            Pool::Average => (512, true),
            Pool::Attention => (128, false),
        };
        Self {
            dropout: DropoutConfig::new(dropout).init(),
            hidden: LinearConfig::new(channels, units).init(device),
            logits: LinearConfig::new(units, findings).init(device),
            is_linear,
        }
    }

    /// Applies the head.
    ///
    /// # Shapes
    ///
    /// - `pooled`: `[batch, channels]`
    /// - output: logits, `[batch, findings]`
    pub fn forward(&self, pooled: Tensor<2>) -> Tensor<2> {
        let x = self.hidden.forward(self.dropout.forward(pooled));
        let x = if self.is_linear { x } else { elu(x) };
        self.logits.forward(self.dropout.forward(x))
    }
}
