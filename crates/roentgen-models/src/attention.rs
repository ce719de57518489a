//! The 2019 study's attention: a learned mask over the film, and the mean of the features under it.
//!
//! The mask is computed by batch norm, 1x1 convolutions to 128, 32 and 16 channels (ELU), a 2x2
//! average pool with stride 1, and a 1x1 convolution to one channel (sigmoid). The features times
//! the mask are averaged over the film and divided by the mean of the mask. `explain` draws the
//! mask.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig};
use burn::tensor::activation::sigmoid;
use burn::tensor::module::avg_pool2d;
use burn::tensor::ops::{AvgPoolOptions, PadMode};
use burn::tensor::{Device, Tensor};
use roentgen_kernels::film_mean;

use crate::layers::elu;

/// Channels of the 1x1 convolutions before the mask.
const CHANNELS: [usize; 3] = [128, 32, 16];

/// Added to the mean of the mask before dividing by it.
const LEAST_MASK: f32 = 1e-6;

/// Masked mean pooling.
#[derive(Module, Debug)]
pub struct Attention {
    norm: BatchNorm,
    convs: Vec<Conv2d>,
    mask: Conv2d,
}

impl Attention {
    /// Creates the pooling for feature maps of `channels` channels, with random weights.
    pub fn init(channels: usize, device: &Device) -> Self {
        let pointwise = |from, to| Conv2dConfig::new([from, to], [1, 1]).init(device);
        let mut from = channels;
        let convs = CHANNELS
            .map(|to| {
                let conv = pointwise(from, to);
                from = to;
                conv
            })
            .into();
        let norm = BatchNormConfig::new(channels).init(device);
        Self { norm, convs, mask: pointwise(from, 1) }
    }

    /// Pools a feature map; also returns the mask.
    ///
    /// # Shapes
    ///
    /// - `features`: `[batch, channels, height, width]`
    /// - output: `[batch, channels]` and the mask, `[batch, 1, height, width]` in 0..1
    pub fn forward(&self, features: Tensor<4>) -> (Tensor<2>, Tensor<4>) {
        let x = self.norm.forward(features.clone());
        let x = self.convs.iter().fold(x, |x, conv| elu(conv.forward(x)));
        let mask = sigmoid(self.mask.forward(mean_of_neighbours(x)));
        let masked = film_mean(features * mask.clone());
        // A sigmoid in single precision can be zero; the constant avoids a division by zero.
        (masked / (film_mean(mask.clone()) + LEAST_MASK), mask)
    }
}

/// Computes Keras' `AveragePooling2D(2, strides=1, padding="same")`: at the lower and right edges
/// the mean is over the values that exist, which equals the mean over a film whose last row and
/// column are repeated. The ONNX exporter supports this form, but not a pool that counts the values
/// it covers.
fn mean_of_neighbours(x: Tensor<4>) -> Tensor<4> {
    avg_pool2d(x.pad((0, 1, 0, 1), PadMode::Edge), AvgPoolOptions::new([2, 2]).with_stride([1, 1]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_of_neighbours_leaves_out_what_is_not_there() {
        let x = Tensor::<4>::from_floats([[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]], &Device::flex());
        let means = mean_of_neighbours(x).into_data().try_to_vec::<f32>().unwrap();

        assert_eq!(means, [3.0, 4.0, 4.5, 4.5, 5.5, 6.0]);
    }

    #[test]
    fn what_stands_twice_at_an_edge_has_the_gradient_of_both() {
        let device = Device::flex().autodiff();
        let x = Tensor::<4>::from_floats([[[[1.0, 2.0], [4.0, 8.0]]]], &device).require_grad();
        let gradients = x.grad(&mean_of_neighbours(x.clone()).sum().backward()).unwrap();

        assert_eq!(gradients.into_data().try_to_vec::<f32>().unwrap(), [0.25, 0.75, 0.75, 2.25]);
    }

    #[test]
    fn a_constant_feature_map_pools_to_its_value_under_any_mask() {
        let device = Device::flex();
        let features = Tensor::<4>::full([2, 8, 3, 5], 1.5, &device);
        let (pooled, mask) = Attention::init(8, &device).forward(features);

        assert_eq!(mask.dims(), [2, 1, 3, 5]);
        for value in pooled.into_data().try_to_vec::<f32>().unwrap() {
            assert!((value - 1.5).abs() < 1e-5);
        }
    }
}
