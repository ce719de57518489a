//! A feature map whose batch norm and activation are left to whoever reads it.
//!
//! A convolution takes them along, so that on the CPU what they make of the map is never stored; all
//! others ask for the [`value`](Pending::value).

use burn::nn::BatchNorm;
use burn::nn::conv::Conv2d;
use burn::tensor::Tensor;
use roentgen_kernels::{
    norm_activate_mean_pool, norm_add_activate, norm_convolve, reference, scale_convolve,
};

use super::norm::{folded, follow, normalizes_by_batch};
use super::{Activation, Padding, conv, convolve, normalize};

/// A feature map, or the input of a norm.
#[derive(Debug)]
pub struct Pending<'a> {
    x: Tensor<4>,
    norm: Option<(&'a BatchNorm, Activation)>,
}

impl From<Tensor<4>> for Pending<'_> {
    fn from(x: Tensor<4>) -> Self {
        Self { x, norm: None }
    }
}

impl<'a> Pending<'a> {
    /// The input of a norm and an activation.
    pub fn new(x: Tensor<4>, norm: &'a BatchNorm, activation: Activation) -> Self {
        Self { x, norm: Some((norm, activation)) }
    }

    /// The feature map, its norm and activation applied.
    ///
    /// # Shapes
    ///
    /// - output: `[batch, channels, height, width]`
    pub fn value(self) -> Tensor<4> {
        match self.norm {
            Some((norm, activation)) => normalize(norm, self.x, activation),
            None => self.x,
        }
    }

    /// The feature map with a shortcut added, its norm applied before and an activation after that.
    ///
    /// # Shapes
    ///
    /// - `shortcut`, output: `[batch, channels, height, width]`
    ///
    /// # Panics
    ///
    /// Panics where an activation stands before the shortcut.
    pub fn add(self, shortcut: Tensor<4>, behind: Activation) -> Tensor<4> {
        let own = self.norm.map_or(Activation::Linear, |(_, activation)| activation);
        assert_eq!(own, Activation::Linear, "the end of a block has no activation of its own");
        match self.norm {
            Some((norm, _)) if normalizes_by_batch(norm, &self.x) => {
                let affine = [norm.gamma.val(), norm.beta.val()];
                let (y, mean, variance) =
                    norm_add_activate(self.x, affine, shortcut, norm.epsilon, behind);
                follow(norm, mean, variance);
                y
            }
            _ => reference::activate(self.value() + shortcut, behind),
        }
    }

    /// The mean of each two by two values of the feature map; an odd row or column is left out.
    ///
    /// # Shapes
    ///
    /// - output: `[batch, channels, height / 2, width / 2]`
    pub fn mean_pool(self) -> Tensor<4> {
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
    /// As [`convolve`].
    pub fn convolve(self, layer: &Conv2d, padding: Padding) -> Tensor<4> {
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
            // A frozen norm in a network that trains has no kernel.
            convolve(layer, self.value(), padding)
        } else {
            scale_convolve(self.x, folded(norm, &device), activation, weight, convolution)
        }
    }
}
