//! ConvNeXt, from [A ConvNet for the 2020s][paper].
//!
//! Blocks of a depthwise 7x7 convolution, a norm over the channels of each pixel, and two pointwise
//! layers with GELU between them, scaled and added to the input. In training a block is skipped for
//! a film at random (stochastic depth), more often the deeper the block is; the rates are those of
//! table 5. As in torchvision, the
//! norm after the global pooling belongs to the classifier and is not part of the backbone.
//!
//! [paper]: https://arxiv.org/abs/2201.03545

use burn::module::{Module, Param};
use burn::nn::conv::Conv2d;
use burn::tensor::{Device, Tensor};
use roentgen_data::preprocess::Normalize;
use roentgen_kernels::scaled_add;

use super::{Backbone, Blueprint, PublishedFile, Scale, Spelling};
use crate::layers::{ChannelNorm, ConvConfig, Padding, StochasticDepth, convolve, convolve_gelu};

/// Channels and number of blocks of each stage (section 2.1 and appendix A).
type Table = [(usize, usize); 4];
const TINY: Table = [(96, 3), (192, 3), (384, 9), (768, 3)];
const BASE: Table = [(128, 3), (256, 3), (512, 27), (1024, 3)];
/// Channels between the two pointwise layers, per channel of the block.
const EXPANSION: usize = 4;
/// The first value of the scale of a block (appendix A).
const FIRST_SCALE: f64 = 1e-6;

/// Module paths by stage.
const STAGES: &[&[&str]] = &[&["stem", "stages.0"], &["stages.1"], &["stages.2"], &["stages.3"]];

/// ConvNeXt-Tiny.
pub(super) const TINY_BLUEPRINT: Blueprint = Blueprint {
    name: "convnext-tiny",
    native_size: 224,
    least_size: 32,
    normalization: Normalize::Imagenet,
    activations: 327.0,
    stochastic_depth: Some(0.1),
    init: |scale, device| Backbone::ConvNext(ConvNext::init(TINY, scale, device)),
    out_channels: |scale| ConvNext::out_channels(TINY, scale),
    stages: STAGES,
    published,
    spellings: &[Spelling::Newest, Spelling::Own, Spelling::TimmConvNext],
    weights: Some(PublishedFile::torchvision("convnext_tiny-983f1562.pth")),
};

/// ConvNeXt-Base.
pub(super) const BASE_BLUEPRINT: Blueprint = Blueprint {
    name: "convnext-base",
    activations: 688.0,
    stochastic_depth: Some(0.5),
    init: |scale, device| Backbone::ConvNext(ConvNext::init(BASE, scale, device)),
    out_channels: |scale| ConvNext::out_channels(BASE, scale),
    weights: Some(PublishedFile::torchvision("convnext_base-6075fbad.pth")),
    ..TINY_BLUEPRINT
};

/// The convolutional part of a ConvNeXt.
#[derive(Module, Debug)]
pub(crate) struct ConvNext {
    stem: Conv2d,
    stem_norm: ChannelNorm,
    stages: Vec<Stage>,
}

/// A step down to half the size, except before the first stage, and blocks.
#[derive(Module, Debug)]
struct Stage {
    down_norm: Option<ChannelNorm>,
    down: Option<Conv2d>,
    blocks: Vec<Block>,
}

/// Depthwise convolution, norm, two pointwise layers, scale.
#[derive(Module, Debug)]
struct Block {
    depthwise: Conv2d,
    norm: ChannelNorm,
    widen: Conv2d,
    narrow: Conv2d,
    /// `[channels, 1, 1]`, as in the published weights.
    layer_scale: Param<Tensor<3>>,
    depth: StochasticDepth,
}

impl ConvNext {
    /// Creates the network with random weights.
    fn init(table: Table, scale: Scale, device: &Device) -> Self {
        let first = scale.channels(table[0].0);
        let last = table.iter().map(|(_, blocks)| blocks).sum::<usize>() - 1;
        let mut index = 0;
        let mut inputs = first;
        let stages = table.map(|(channels, blocks)| {
            let channels = scale.channels(channels);
            let is_step = inputs != channels || index > 0;
            let stage = Stage {
                down_norm: is_step.then(|| ChannelNorm::init(inputs, device)),
                down: is_step.then(|| patches([inputs, channels], 2).init(device)),
                blocks: (0..blocks)
                    .map(|_| {
                        let rate = scale.stochastic_depth * index as f64 / last as f64;
                        index += 1;
                        Block::init(channels, rate, device)
                    })
                    .collect(),
            };
            inputs = channels;
            stage
        });
        Self {
            stem: patches([scale.in_channels, first], 4).init(device),
            stem_norm: ChannelNorm::init(first, device),
            stages: stages.into(),
        }
    }

    /// Returns the number of channels of the feature map.
    fn out_channels(table: Table, scale: Scale) -> usize {
        let [.., (channels, _)] = table;
        scale.channels(channels)
    }

    /// Extracts the feature map.
    ///
    /// # Shapes
    ///
    /// - `films`: `[batch, in_channels, height, width]`
    /// - output: `[batch, out_channels, floor(height / 32), floor(width / 32)]`
    pub(crate) fn forward(&self, films: Tensor<4>) -> Tensor<4> {
        let x = self.stem_norm.forward(convolve(&self.stem, films, Padding::None));
        self.stages.iter().fold(x, |x, stage| {
            let x = match (&stage.down_norm, &stage.down) {
                (Some(norm), Some(down)) => convolve(down, norm.forward(x), Padding::None),
                _ => x,
            };
            stage.blocks.iter().fold(x, |x, block| block.forward(x))
        })
    }
}

/// Configures a convolution of squares that do not overlap.
fn patches(channels: [usize; 2], size: usize) -> ConvConfig {
    ConvConfig { stride: size, has_bias: true, ..ConvConfig::new(channels, size) }
}

impl Block {
    fn init(channels: usize, rate: f64, device: &Device) -> Self {
        let dense = |channels| ConvConfig { has_bias: true, ..ConvConfig::new(channels, 1) };
        let depthwise = ConvConfig { groups: channels, ..ConvConfig::new([channels; 2], 7) };
        let scale = Tensor::full([channels, 1, 1], FIRST_SCALE, device);
        Self {
            depthwise: ConvConfig { has_bias: true, ..depthwise }.init(device),
            norm: ChannelNorm::init(channels, device),
            widen: dense([channels, EXPANSION * channels]).init(device),
            narrow: dense([EXPANSION * channels, channels]).init(device),
            layer_scale: Param::from_tensor(scale),
            depth: StochasticDepth::new(rate),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let y = self.norm.forward(convolve(&self.depthwise, x.clone(), Padding::Even));
        let y = convolve_gelu(&self.widen, y, Padding::None);
        let y = convolve(&self.narrow, y, Padding::None);
        let ([batch, channels, ..], device) = (x.dims(), x.device());
        let scale = self.layer_scale.val().reshape([channels]);
        scaled_add(x, y, scale, self.depth.factors(batch, &device))
    }
}

/// Returns torchvision's name of a module.
fn published(path: &[&str]) -> Option<String> {
    let stage = |number: &str| Some(2 * number.parse::<usize>().ok()? + 1);
    Some(match path {
        ["stem"] => "features.0.0".into(),
        ["stem_norm"] => "features.0.1".into(),
        ["stages", number, "down_norm"] => format!("features.{}.0", stage(number)? - 1),
        ["stages", number, "down"] => format!("features.{}.1", stage(number)? - 1),
        ["stages", number, "blocks", block] => format!("features.{}.{block}", stage(number)?),
        ["stages", number, "blocks", block, layer] => {
            let layer = match *layer {
                "depthwise" => 0,
                "norm" => 2,
                "widen" => 3,
                "narrow" => 5,
                _ => return None,
            };
            format!("features.{}.{block}.block.{layer}", stage(number)?)
        }
        _ => return None,
    })
}
