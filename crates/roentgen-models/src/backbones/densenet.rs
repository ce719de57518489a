//! DenseNet-121, from [Densely Connected Convolutional Networks][paper].
//!
//! Each layer sees the features of all earlier layers in its block. Norm and ReLU come before the
//! convolution, and the last norm and its ReLU after all blocks. The paper's dropout is left out;
//! the published weights were trained without it. In the published file `norm1` is called `norm.1`.
//!
//! [paper]: https://arxiv.org/abs/1608.06993

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::nn::{BatchNorm, BatchNormConfig};
use burn::tensor::{Device, Tensor};
use roentgen_data::preprocess::Normalize;
use roentgen_kernels::{NormConvolution, dense_layer};

use super::{Backbone, Blueprint, PublishedFile, Scale, Spelling};
use crate::layers::{
    Activation, ConvConfig, ConvNorm, ConvNormConfig, Padding, Pending, convolve, follow, max_pool,
    normalize, normalizes_by_batch, plain,
};

/// Channels of the first convolution (section 4.2).
const STEM: usize = 64;
/// Channels that each layer adds (table 1).
const GROWTH: usize = 32;
/// Channels between the two convolutions of a layer, per channel that it adds (section 3).
const BOTTLENECK: usize = 4;
/// Layers of each block (table 1).
const LAYERS: [usize; 4] = [6, 12, 24, 16];

/// Prefixes of module paths by stage.
const STAGES: &[&[&str]] =
    &[&["stem"], &["blocks.0"], &["blocks.1"], &["blocks.2"], &["blocks.3", "norm"]];

/// DenseNet-121.
pub(super) const BLUEPRINT: Blueprint = Blueprint {
    name: "densenet121",
    native_size: 224,
    least_size: 32,
    normalization: Normalize::Imagenet,
    activations: 449.8,
    stochastic_depth: None,
    init: |scale, device| Backbone::DenseNet(DenseNet::init(scale, device)),
    out_channels: DenseNet::out_channels,
    stages: STAGES,
    published,
    spellings: &[Spelling::Newest, Spelling::Own, Spelling::Dotted],
    weights: Some(PublishedFile::torchvision("densenet121-a639ec97.pth")),
};

/// The convolutional part of DenseNet-121.
#[derive(Module, Debug)]
pub(crate) struct DenseNet {
    stem: ConvNorm,
    blocks: Vec<Block>,
    norm: BatchNorm,
}

/// Layers that add features, then a transition to half the channels and half the size.
#[derive(Module, Debug)]
struct Block {
    layers: Vec<Layer>,
    transition: Option<NormConv>,
}

/// A 1x1 convolution, then the 3x3 convolution that computes the new features.
#[derive(Module, Debug)]
struct Layer {
    bottleneck: NormConv,
    growth: NormConv,
}

/// Batch norm, ReLU, convolution.
#[derive(Module, Debug)]
struct NormConv {
    norm: BatchNorm,
    conv: Conv2d,
}

impl DenseNet {
    /// Creates the network with random weights.
    fn init(scale: Scale, device: &Device) -> DenseNet {
        let mut channels = scale.channels(STEM);
        let growth = scale.channels(GROWTH);
        let stem =
            ConvNormConfig { stride: 2, ..ConvNormConfig::new([scale.in_channels, channels], 7) };
        let blocks = (1..).zip(LAYERS).map(|(number, layers)| {
            let mut layer = || {
                let inputs = channels;
                channels += growth;
                Layer::init([inputs, growth], device)
            };
            let layers = (0..layers).map(|_| layer()).collect();
            let transition = (number < LAYERS.len()).then(|| {
                let inputs = channels;
                channels /= 2;
                NormConv::init([inputs, channels], 1, device)
            });
            Block { layers, transition }
        });
        DenseNet {
            stem: stem.init(device),
            blocks: blocks.collect(),
            norm: BatchNormConfig::new(Self::out_channels(scale)).init(device),
        }
    }

    /// Returns the number of channels of the feature map.
    fn out_channels(scale: Scale) -> usize {
        let growth = scale.channels(GROWTH);
        let [halved @ .., last] = LAYERS;
        let inputs = halved
            .iter()
            .fold(scale.channels(STEM), |channels, layers| (channels + layers * growth) / 2);
        inputs + last * growth
    }
}

impl DenseNet {
    /// Extracts the feature map.
    ///
    /// # Shapes
    ///
    /// - `films`: `[batch, in_channels, height, width]`, height and width at least 29
    /// - output: `[batch, 1024 * width, height / 32, width / 32]`; the first two halvings round up
    pub(crate) fn forward(&self, films: Tensor<4>) -> Tensor<4> {
        let x = max_pool(self.stem.forward(films), 3, 2, Padding::Even);
        let x = self.blocks.iter().fold(x, |x, block| block.forward(x));
        normalize(&self.norm, x, Activation::Relu)
    }
}

impl Block {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let x = self.layers.iter().fold(x, |x, layer| layer.forward(x));
        match &self.transition {
            // The mean and the 1x1 convolution commute; taking the mean first leaves a quarter of
            // the pixels to convolve.
            Some(transition) => {
                let norm = Pending::new(x, &transition.norm, Activation::Relu);
                convolve(&transition.conv, norm.mean_pool(), Padding::None)
            }
            None => x,
        }
    }
}

impl Layer {
    /// Creates a layer, given its input channels and the channels it adds.
    fn init([inputs, added]: [usize; 2], device: &Device) -> Self {
        let between = BOTTLENECK * added;
        Self {
            bottleneck: NormConv::init([inputs, between], 1, device),
            growth: NormConv::init([between, added], 3, device),
        }
    }

    /// Returns the input features followed by the new ones.
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let parts = [self.bottleneck.part(&x, Padding::None), self.growth.part(&x, Padding::Even)];
        let [Some(first), Some(second)] = parts else {
            let added = self.bottleneck.forward(x.clone(), Padding::None);
            return Tensor::cat(vec![x, self.growth.forward(added, Padding::Even)], 1);
        };
        let (x, statistics) = dense_layer(x, [first, second]);
        let norms = [&self.bottleneck.norm, &self.growth.norm];
        for (norm, [mean, variance]) in norms.into_iter().zip(statistics) {
            follow(norm, mean, variance);
        }
        x
    }
}

impl NormConv {
    fn init(channels: [usize; 2], kernel: usize, device: &Device) -> Self {
        Self {
            norm: BatchNormConfig::new(channels[0]).init(device),
            conv: ConvConfig::new(channels, kernel).init(device),
        }
    }

    /// Returns the parameters of a fused kernel for one half of a layer if the norm uses batch
    /// statistics; only the device and the size of `x` matter.
    fn part(&self, x: &Tensor<4>, padding: Padding) -> Option<NormConvolution> {
        let convolution = plain(&self.conv, x, padding)?;
        normalizes_by_batch(&self.norm, x).then(|| NormConvolution {
            affine: [self.norm.gamma.val(), self.norm.beta.val()],
            epsilon: self.norm.epsilon,
            weight: self.conv.weight.val(),
            convolution,
        })
    }

    fn forward(&self, x: Tensor<4>, padding: Padding) -> Tensor<4> {
        Pending::new(x, &self.norm, Activation::Relu).convolve(&self.conv, padding)
    }
}

/// Returns torchvision's name of a module.
fn published(path: &[&str]) -> Option<String> {
    let next = |number: &str| Some(number.parse::<usize>().ok()? + 1);
    let name = match path {
        ["stem", part] => format!("{part}0"),
        ["norm"] => "norm5".into(),
        ["blocks", block, "transition", part] => format!("transition{}.{part}", next(block)?),
        ["blocks", block, "layers", layer, unit, part] => {
            let unit = if *unit == "bottleneck" { 1 } else { 2 };
            format!("denseblock{}.denselayer{}.{part}{unit}", next(block)?, next(layer)?)
        }
        _ => return None,
    };
    Some(format!("features.{name}"))
}
