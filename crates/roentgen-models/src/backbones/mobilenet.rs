//! MobileNetV1, from [MobileNets: Efficient Convolutional Neural Networks for Mobile Vision
//! Applications][paper].
//!
//! Depthwise and pointwise convolutions alternate. Padding, epsilon and width rule are those of
//! Keras, like the 2019 study and the published weights: a convolution with stride 2 is padded only
//! below and on the right, except the first, which for odd sizes is padded on all sides.
//!
//! [paper]: https://arxiv.org/abs/1704.04861

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use roentgen_data::preprocess::Normalize;

use super::{Backbone, Blueprint, Scale, Spelling};
use crate::layers::{Activation, ConvNorm, ConvNormConfig, Padding};

/// Channels of the first convolution, which has stride 2 (table 1).
const STEM: usize = 32;
/// Output channels and stride of each depthwise-pointwise pair (table 1).
const PAIRS: [(usize, usize); 13] = [
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    (512, 1),
    (512, 1),
    (512, 1),
    (512, 1),
    (512, 1),
    (1024, 2),
    (1024, 1),
];

/// Epsilon of the batch norms in Keras' MobileNet.
pub(crate) const EPSILON: f64 = 1e-3;

/// Prefixes of module paths by stage.
const STAGES: &[&[&str]] = &[
    &["stem", "pairs.0"],
    &["pairs.1", "pairs.2"],
    &["pairs.3", "pairs.4"],
    &["pairs.5", "pairs.6", "pairs.7", "pairs.8", "pairs.9", "pairs.10"],
    &["pairs.11", "pairs.12"],
];

/// MobileNetV1.
pub(super) const BLUEPRINT: Blueprint = Blueprint {
    name: "mobilenet",
    native_size: 224,
    least_size: 32,
    normalization: Normalize::MinusOneToOne,
    activations: 201.0,
    stochastic_depth: None,
    init: |scale, device| Backbone::MobileNet(MobileNet::init(scale, device)),
    out_channels: MobileNet::out_channels,
    stages: STAGES,
    published,
    spellings: &[Spelling::Newest, Spelling::Own, Spelling::FoldedTensorflow],
    weights: None,
};

/// The convolutional part of MobileNetV1.
#[derive(Module, Debug)]
pub(crate) struct MobileNet {
    stem: ConvNorm,
    pairs: Vec<Pair>,
}

/// A depthwise 3x3 convolution, then a pointwise one.
#[derive(Module, Debug)]
struct Pair {
    depthwise: ConvNorm,
    pointwise: ConvNorm,
}

impl MobileNet {
    /// Creates the network with random weights.
    fn init(scale: Scale, device: &Device) -> MobileNet {
        let block = |channels, kernel, stride, groups| ConvNormConfig {
            stride,
            groups,
            padding: if stride == 2 { Padding::Below } else { Padding::Even },
            epsilon: EPSILON,
            activation: Activation::Relu6,
            ..ConvNormConfig::new(channels, kernel)
        };
        let stem = ConvNormConfig {
            padding: Padding::Same,
            ..block([scale.in_channels, scale.channels(STEM)], 3, 2, 1)
        };
        let pairs = Self::pairs(scale).map(|[channels, out], stride| {
            let depthwise = block([channels; 2], 3, stride, channels);
            let pointwise = block([channels, out], 1, 1, 1);
            Pair { depthwise: depthwise.init(device), pointwise: pointwise.init(device) }
        });
        MobileNet { stem: stem.init(device), pairs }
    }

    /// Returns the number of channels of the feature map.
    fn out_channels(scale: Scale) -> usize {
        scale.channels(PAIRS[PAIRS.len() - 1].0)
    }

    fn pairs(scale: Scale) -> Pairs {
        Pairs(scale)
    }
}

/// Folds over the table, passing along the number of input channels.
struct Pairs(Scale);

impl Pairs {
    fn map<T>(self, mut make: impl FnMut([usize; 2], usize) -> T) -> Vec<T> {
        let mut channels = self.0.channels(STEM);
        PAIRS
            .iter()
            .map(|&(out, stride)| {
                let out = self.0.channels(out);
                let made = make([channels, out], stride);
                channels = out;
                made
            })
            .collect()
    }
}

impl MobileNet {
    /// Extracts the feature map.
    ///
    /// # Shapes
    ///
    /// - `films`: `[batch, in_channels, height, width]`
    /// - output: `[batch, 1024 * width, height / 32, width / 32]`
    pub(crate) fn forward(&self, films: Tensor<4>) -> Tensor<4> {
        let stem = self.stem.chain(films.into());
        let pairs = self.pairs.iter();
        pairs.fold(stem, |x, pair| pair.pointwise.chain(pair.depthwise.chain(x))).value()
    }
}

/// Returns the name of a module in Keras' `MobileNet`.
fn published(path: &[&str]) -> Option<String> {
    let (layer, inner) = match *path {
        ["stem", inner] => ("conv1".to_owned(), inner),
        ["pairs", index, layer, inner] => {
            let number = index.parse::<usize>().ok()? + 1;
            let kind = if layer == "depthwise" { "dw" } else { "pw" };
            (format!("conv_{kind}_{number}"), inner)
        }
        _ => return None,
    };
    Some(if inner == "conv" { layer } else { format!("{layer}_bn") })
}
