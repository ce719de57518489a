//! ResNet-50, from [Deep Residual Learning for Image Recognition][paper].
//!
//! Bottlenecks of three convolutions with a shortcut. As in torchvision, the 3x3 convolution has
//! the stride of 2 ("v1.5"), and not the 1x1 before it, as in the paper: the weights have the same
//! shapes either way, but work only with their own network.
//!
//! [paper]: https://arxiv.org/abs/1512.03385

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use roentgen_data::preprocess::Normalize;

use super::{Backbone, Blueprint, PublishedFile, Scale, Spelling};
use crate::layers::{Activation, ConvNorm, ConvNormConfig, Padding, max_pool};

/// Channels of the first convolution (table 1).
const STEM: usize = 64;
/// Channels inside the bottlenecks, number of bottlenecks and first stride of each stage (table 1).
const BOTTLENECKS: [(usize, usize, usize); 4] = [(64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)];
/// Output channels of a bottleneck per channel inside.
const EXPANSION: usize = 4;

/// Prefixes of module paths by stage.
const STAGES: &[&[&str]] = &[&["stem"], &["stages.0"], &["stages.1"], &["stages.2"], &["stages.3"]];

/// ResNet-50.
pub(super) const BLUEPRINT: Blueprint = Blueprint {
    name: "resnet50",
    native_size: 224,
    least_size: 32,
    normalization: Normalize::Imagenet,
    activations: 443.0,
    stochastic_depth: None,
    init: |scale, device| Backbone::ResNet(ResNet::init(scale, device)),
    out_channels: ResNet::out_channels,
    stages: STAGES,
    published,
    spellings: &[Spelling::Newest, Spelling::Own],
    weights: Some(PublishedFile::torchvision("resnet50-11ad3fa6.pth")),
};

/// The convolutional part of ResNet-50.
#[derive(Module, Debug)]
pub(crate) struct ResNet {
    stem: ConvNorm,
    stages: Vec<Vec<Bottleneck>>,
}

/// 1x1, 3x3 and 1x1 convolution, added to the input or to its projection.
#[derive(Module, Debug)]
struct Bottleneck {
    convs: Vec<ConvNorm>,
    shortcut: Option<ConvNorm>,
}

impl ResNet {
    /// Creates the network with random weights.
    fn init(scale: Scale, device: &Device) -> ResNet {
        let mut inputs = scale.channels(STEM);
        let stem =
            ConvNormConfig { stride: 2, ..ConvNormConfig::new([scale.in_channels, inputs], 7) };
        let stages = BOTTLENECKS.map(|(channels, count, stride)| {
            let mut bottleneck = |stride| {
                let channels = [inputs, scale.channels(channels)];
                inputs = EXPANSION * channels[1];
                Bottleneck::init(channels, stride, device)
            };
            (0..count).map(|number| bottleneck(if number == 0 { stride } else { 1 })).collect()
        });
        ResNet { stem: stem.init(device), stages: stages.into() }
    }

    /// Returns the number of channels of the feature map.
    fn out_channels(scale: Scale) -> usize {
        let [.., (channels, _, _)] = BOTTLENECKS;
        EXPANSION * scale.channels(channels)
    }
}

impl ResNet {
    /// Extracts the feature map.
    ///
    /// # Shapes
    ///
    /// - `films`: `[batch, in_channels, height, width]`
    /// - output: `[batch, 2048 * width, ceil(height / 32), ceil(width / 32)]`
    pub(crate) fn forward(&self, films: Tensor<4>) -> Tensor<4> {
        let x = max_pool(self.stem.forward(films), 3, 2, Padding::Even);
        self.stages.iter().flatten().fold(x, |x, bottleneck| bottleneck.forward(x))
    }
}

impl Bottleneck {
    /// Creates a bottleneck, given its input channels and those inside.
    fn init([inputs, channels]: [usize; 2], stride: usize, device: &Device) -> Self {
        let outputs = EXPANSION * channels;
        let block = |channels, kernel, stride, activation| {
            ConvNormConfig { stride, activation, ..ConvNormConfig::new(channels, kernel) }
                .init(device)
        };
        Self {
            convs: vec![
                block([inputs, channels], 1, 1, Activation::Relu),
                block([channels; 2], 3, stride, Activation::Relu),
                block([channels, outputs], 1, 1, Activation::Linear),
            ],
            shortcut: (inputs != outputs || stride != 1)
                .then(|| block([inputs, outputs], 1, stride, Activation::Linear)),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let shortcut = match &self.shortcut {
            Some(projection) => projection.forward(x.clone()),
            None => x.clone(),
        };
        self.convs.iter().fold(x.into(), |x, conv| conv.chain(x)).add(shortcut, Activation::Relu)
    }
}

/// Returns torchvision's name of a module.
fn published(path: &[&str]) -> Option<String> {
    let next = |number: &str| Some(number.parse::<usize>().ok()? + 1);
    Some(match path {
        ["stem", "conv"] => "conv1".into(),
        ["stem", "norm"] => "bn1".into(),
        ["stages", stage, block, "convs", conv, "conv"] => {
            format!("layer{}.{block}.conv{}", next(stage)?, next(conv)?)
        }
        ["stages", stage, block, "convs", conv, "norm"] => {
            format!("layer{}.{block}.bn{}", next(stage)?, next(conv)?)
        }
        ["stages", stage, block, "shortcut", "conv"] => {
            format!("layer{}.{block}.downsample.0", next(stage)?)
        }
        ["stages", stage, block, "shortcut", "norm"] => {
            format!("layer{}.{block}.downsample.1", next(stage)?)
        }
        _ => return None,
    })
}
