//! MobileNetV2, from [MobileNetV2: Inverted Residuals and Linear Bottlenecks][paper].
//!
//! Each block widens, convolves depthwise and narrows again. The narrow ends have no activation,
//! and are added if a block changes neither size nor channels. Padding and epsilon are
//! torchvision's, like the published weights.
//!
//! [paper]: https://arxiv.org/abs/1801.04381

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use roentgen_data::preprocess::Normalize;

use super::{Backbone, Blueprint, PublishedFile, Scale, Spelling};
use crate::layers::{Activation, ConvNorm, ConvNormConfig};

/// Channels of the first convolution, which has stride 2 (table 2).
const STEM: usize = 32;
/// Expansion, output channels, number of blocks and stride of the first block of each row of table
/// 2.
const ROWS: [[usize; 4]; 7] = [
    [1, 16, 1, 1],
    [6, 24, 2, 2],
    [6, 32, 3, 2],
    [6, 64, 4, 2],
    [6, 96, 3, 1],
    [6, 160, 3, 2],
    [6, 320, 1, 1],
];
/// Channels of the feature map.
const LAST: usize = 1280;

/// Prefixes of module paths by stage.
const STAGES: &[&[&str]] = &[
    &["stem", "rows.0"],
    &["rows.1"],
    &["rows.2"],
    &["rows.3", "rows.4"],
    &["rows.5", "rows.6", "last"],
];

/// MobileNetV2.
pub(super) const BLUEPRINT: Blueprint = Blueprint {
    name: "mobilenet-v2",
    native_size: 224,
    least_size: 32,
    normalization: Normalize::Imagenet,
    activations: 266.2,
    stochastic_depth: None,
    init: |scale, device| Backbone::MobileNetV2(MobileNetV2::init(scale, device)),
    out_channels: MobileNetV2::out_channels,
    stages: STAGES,
    published,
    spellings: &[Spelling::Newest, Spelling::Own, Spelling::CountedThrough],
    weights: Some(PublishedFile::torchvision("mobilenet_v2-b0353104.pth")),
};

/// The convolutional part of MobileNetV2.
#[derive(Module, Debug)]
pub(crate) struct MobileNetV2 {
    stem: ConvNorm,
    rows: Vec<Vec<InvertedResidual>>,
    last: ConvNorm,
}

/// Widen, depthwise 3x3, narrow.
#[derive(Module, Debug)]
struct InvertedResidual {
    widen: Option<ConvNorm>,
    depthwise: ConvNorm,
    narrow: ConvNorm,
    #[module(skip)]
    is_residual: bool,
}

impl MobileNetV2 {
    /// Creates the network with random weights.
    fn init(scale: Scale, device: &Device) -> MobileNetV2 {
        let block = |channels, kernel| ConvNormConfig {
            activation: Activation::Relu6,
            ..ConvNormConfig::new(channels, kernel)
        };
        let mut channels = scale.channels(STEM);
        let stem = ConvNormConfig { stride: 2, ..block([scale.in_channels, channels], 3) };
        let rows = ROWS
            .map(|[widening, out, blocks, stride]| {
                let out = scale.channels(out);
                let row = (0..blocks).map(|index| {
                    let stride = if index == 0 { stride } else { 1 };
                    let made = inverted_residual([channels, out], widening, stride, device);
                    channels = out;
                    made
                });
                row.collect()
            })
            .into();
        MobileNetV2 {
            stem: stem.init(device),
            rows,
            last: block([channels, Self::out_channels(scale)], 1).init(device),
        }
    }

    /// Returns the number of channels of the feature map.
    fn out_channels(scale: Scale) -> usize {
        scale.channels(LAST)
    }
}

fn inverted_residual(
    [channels, out]: [usize; 2],
    widening: usize,
    stride: usize,
    device: &Device,
) -> InvertedResidual {
    let block = |channels, kernel, activation| ConvNormConfig {
        activation,
        ..ConvNormConfig::new(channels, kernel)
    };
    let wide = channels * widening;
    let widen = (widening > 1).then(|| block([channels, wide], 1, Activation::Relu6));
    let depthwise =
        ConvNormConfig { groups: wide, stride, ..block([wide; 2], 3, Activation::Relu6) };
    InvertedResidual {
        widen: widen.map(|widen| widen.init(device)),
        depthwise: depthwise.init(device),
        narrow: block([wide, out], 1, Activation::Linear).init(device),
        is_residual: stride == 1 && channels == out,
    }
}

impl MobileNetV2 {
    /// Extracts the feature map.
    ///
    /// # Shapes
    ///
    /// - `films`: `[batch, in_channels, height, width]`
    /// - output: `[batch, 1280 * width, ceil(height / 32), ceil(width / 32)]`
    pub(crate) fn forward(&self, films: Tensor<4>) -> Tensor<4> {
        let blocks = self.rows.iter().flatten();
        self.last.forward(blocks.fold(self.stem.forward(films), |x, block| block.forward(x)))
    }
}

impl InvertedResidual {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let wide = match &self.widen {
            Some(widen) => widen.chain(x.clone().into()),
            None => x.clone().into(),
        };
        let out = self.narrow.chain(self.depthwise.chain(wide));
        if self.is_residual { out.add(x, Activation::Linear) } else { out.value() }
    }
}

/// Returns the name of a module in torchvision's `mobilenet_v2`.
fn published(path: &[&str]) -> Option<String> {
    let part = |part: &str| if part == "conv" { "0" } else { "1" };
    let name = match *path {
        ["stem", inner] => format!("features.0.{}", part(inner)),
        ["last", inner] => format!("features.18.{}", part(inner)),
        ["rows", row, block, layer, inner] => {
            let row = row.parse::<usize>().ok()?;
            let before: usize = ROWS.get(..row)?.iter().map(|[.., blocks, _]| blocks).sum();
            let feature = 1 + before + block.parse::<usize>().ok()?;
            // The first row does not widen, so its layer numbers are lower by one.
            let first = if row == 0 { 0 } else { 1 };
            let layer = match (layer, inner) {
                ("widen", _) => format!("0.{}", part(inner)),
                ("depthwise", _) => format!("{first}.{}", part(inner)),
                ("narrow", "conv") => format!("{}", first + 1),
                _ => format!("{}", first + 2),
            };
            format!("features.{feature}.conv.{layer}")
        }
        _ => return None,
    };
    Some(name)
}
