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

    /// Returns the head as a single dense layer, weights and bias, which it is without dropout if it
    /// has no activation; `None` if it has one.
    ///
    /// # Shapes
    ///
    /// - output: `[channels, findings]`, `[findings]`
    pub(crate) fn linear(&self) -> Option<(Tensor<2>, Tensor<1>)> {
        if !self.is_linear {
            return None;
        }
        let parts = |layer: &Linear| {
            let weight = layer.weight.val();
            let [_, outputs] = weight.dims();
            let none = || Tensor::zeros([outputs], &weight.device());
            let bias = layer.bias.as_ref().map_or_else(none, |bias| bias.val());
            (weight, bias)
        };
        let (weight, bias) = parts(&self.logits);
        let Some(hidden) = &self.hidden else { return Some((weight, bias)) };
        let (inner, shift) = parts(hidden);
        let shift = shift.unsqueeze::<2>().matmul(weight.clone()).squeeze_dims(&[0]);
        Some((inner.matmul(weight), bias + shift))
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
