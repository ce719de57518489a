//! A feature map whose batch norm and activation are left to its reader.
//!
//! A convolution fuses them, so that on the CPU the normalized map is never stored; all other
//! layers call [`value`](Pending::value).

use burn::nn::BatchNorm;
use burn::nn::conv::Conv2d;
use burn::tensor::Tensor;
use roentgen_kernels::{
    norm_activate_mean_pool, norm_add_activate, norm_convolve, reference, scale_convolve,
};

use super::norm::{fold, follow, normalizes_by_batch};
use super::{Activation, Padding, conv, convolve, normalize};

/// A feature map, or the input of a norm.
#[derive(Debug)]
pub(crate) struct Pending<'a> {
    x: Tensor<4>,
    norm: Option<(&'a BatchNorm, Activation)>,
}

impl From<Tensor<4>> for Pending<'_> {
    fn from(x: Tensor<4>) -> Self {
        Self { x, norm: None }
    }
}

impl<'a> Pending<'a> {
    /// Wraps the input of a norm and an activation.
    pub(crate) fn new(x: Tensor<4>, norm: &'a BatchNorm, activation: Activation) -> Self {
        Self { x, norm: Some((norm, activation)) }
    }

    /// Returns the feature map with its norm and activation applied.
    ///
    /// # Shapes
    ///
    /// - output: `[batch, channels, height, width]`
    pub(crate) fn value(self) -> Tensor<4> {
        match self.norm {
            Some((norm, activation)) => normalize(norm, self.x, activation),
            None => self.x,
        }
    }

    /// Applies the norm, adds a shortcut, and applies an activation to the sum.
    ///
    /// # Shapes
    ///
    /// - `shortcut`, output: `[batch, channels, height, width]`
    ///
    /// # Panics
    ///
    /// Panics if an activation is pending before the shortcut.
    pub(crate) fn add(self, shortcut: Tensor<4>, activation: Activation) -> Tensor<4> {
        let own = self.norm.map_or(Activation::Linear, |(_, activation)| activation);
        assert_eq!(own, Activation::Linear, "the end of a block has no activation of its own");
        match self.norm {
            Some((norm, _)) if normalizes_by_batch(norm, &self.x) => {
                let affine = [norm.gamma.val(), norm.beta.val()];
                let (y, mean, variance) =
                    norm_add_activate(self.x, affine, shortcut, norm.epsilon, activation);
                follow(norm, mean, variance);
                y
            }
            _ => reference::activate(self.value() + shortcut, activation),
        }
    }

    /// Returns the mean of each 2x2 block of the feature map; an odd row or column is left out.
    ///
    /// # Shapes
    ///
    /// - output: `[batch, channels, height / 2, width / 2]`
    pub(crate) fn mean_pool(self) -> Tensor<4> {
        match self.norm {
            Some((norm, activation)) if normalizes_by_batch(norm, &self.x) => {
                let affine = [norm.gamma.val(), norm.beta.val()];
                let (y, mean, variance) =
                    norm_activate_mean_pool(self.x, affine, norm.epsilon, activation);
                follow(norm, mean, variance);
                y
            }
            _ => reference::mean_pool(self.value()),
        }
    }

    /// Convolves the feature map.
    ///
    /// # Shapes
    ///
    /// See [`convolve`].
    pub(crate) fn convolve(self, layer: &Conv2d, padding: Padding) -> Tensor<4> {
        let (Some((norm, activation)), Some(convolution)) =
            (self.norm, conv::plain(layer, &self.x, padding))
        else {
            return convolve(layer, self.value(), padding);
        };
        let (device, weight) = (self.x.device(), layer.weight.val());
        if normalizes_by_batch(norm, &self.x) {
            let affine = [norm.gamma.val(), norm.beta.val()];
            let (y, mean, variance) =
                norm_convolve(self.x, affine, norm.epsilon, activation, weight, convolution);
            follow(norm, mean, variance);
            y
        } else if device.is_autodiff() {
            // There is no kernel for a frozen norm in a network that is trained.
            convolve(layer, self.value(), padding)
        } else {
            scale_convolve(self.x, fold(norm, &device), activation, weight, convolution)
        }
    }
}
