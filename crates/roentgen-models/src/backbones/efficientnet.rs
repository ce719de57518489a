//! EfficientNet-B0, from [EfficientNet: Rethinking Model Scaling for Convolutional Neural
//! Networks][paper].
//!
//! MobileNetV2's inverted bottlenecks with SiLU and squeeze-and-excitation. Padding and epsilon are
//! those of torchvision, not of TensorFlow. The paper's stochastic depth and dropout are left out.
//!
//! [paper]: https://arxiv.org/abs/1905.11946

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use roentgen_data::preprocess::Normalize;

use super::{Backbone, Blueprint, PublishedFile, Scale, Spelling};
use crate::layers::{Activation, ConvNorm, ConvNormConfig, SqueezeExcite};

/// Channels of the first convolution, which has stride 2 (table 1).
const STEM: usize = 32;
/// Expansion, kernel size, first stride, output channels and number of bottlenecks of each stage
/// (table 1).
const BOTTLENECKS: [(usize, usize, usize, usize, usize); 7] = [
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
];
/// Channels of the last convolution (table 1).
const LAST: usize = 1280;
/// Input channels of a bottleneck per value inside its squeeze-and-excitation.
const SQUEEZE: usize = 4;

/// Prefixes of module paths by stage; each of the first four ends where the film is halved.
const STAGES: &[&[&str]] = &[
    &["stem", "stages.0"],
    &["stages.1"],
    &["stages.2"],
    &["stages.3", "stages.4"],
    &["stages.5", "stages.6"],
    &["last"],
];

/// EfficientNet-B0.
pub(super) const BLUEPRINT: Blueprint = Blueprint {
    name: "efficientnet-b0",
    native_size: 224,
    least_size: 32,
    normalization: Normalize::Imagenet,
    activations: 268.7,
    stochastic_depth: None,
    init: |scale, device| Backbone::EfficientNet(EfficientNet::init(scale, device)),
    out_channels: EfficientNet::out_channels,
    stages: STAGES,
    published,
    spellings: &[Spelling::Newest, Spelling::Own],
    weights: Some(PublishedFile::torchvision("efficientnet_b0_rwightman-7f5810bc.pth")),
};

/// The convolutional part of EfficientNet-B0.
#[derive(Module, Debug)]
pub(crate) struct EfficientNet {
    stem: ConvNorm,
    stages: Vec<Vec<Bottleneck>>,
    last: ConvNorm,
}

/// Expansion, depthwise convolution, squeeze-and-excitation and projection, added to the input if
/// the shapes allow it.
#[derive(Module, Debug)]
struct Bottleneck {
    expand: Option<ConvNorm>,
    depthwise: ConvNorm,
    excitation: SqueezeExcite,
    project: ConvNorm,
    #[module(skip)]
    is_residual: bool,
}

impl EfficientNet {
    /// Creates the network with random weights.
    fn init(scale: Scale, device: &Device) -> EfficientNet {
        let mut inputs = scale.channels(STEM);
        let stem = ConvNormConfig { stride: 2, ..silu([scale.in_channels, inputs], 3) };
        let stages = BOTTLENECKS.map(|(expansion, kernel, stride, channels, count)| {
            let mut bottleneck = |stride| {
                let channels = [inputs, scale.channels(channels)];
                inputs = channels[1];
                Bottleneck::init(channels, expansion, kernel, stride, device)
            };
            (0..count).map(|number| bottleneck(if number == 0 { stride } else { 1 })).collect()
        });
        let last = silu([inputs, Self::out_channels(scale)], 1);
        EfficientNet { stem: stem.init(device), stages: stages.into(), last: last.init(device) }
    }

    /// Returns the number of channels of the feature map.
    fn out_channels(scale: Scale) -> usize {
        scale.channels(LAST)
    }
}

impl EfficientNet {
    /// Extracts the feature map.
    ///
    /// # Shapes
    ///
    /// - `films`: `[batch, in_channels, height, width]`
    /// - output: `[batch, 1280 * width, ceil(height / 32), ceil(width / 32)]`
    pub(crate) fn forward(&self, films: Tensor<4>) -> Tensor<4> {
        let x = self.stem.forward(films);
        let x = self.stages.iter().flatten().fold(x, |x, bottleneck| bottleneck.forward(x));
        self.last.forward(x)
    }
}

impl Bottleneck {
    /// Creates a bottleneck, given its input and output channels.
    fn init(
        [inputs, outputs]: [usize; 2],
        expansion: usize,
        kernel: usize,
        stride: usize,
        device: &Device,
    ) -> Self {
        let inside = expansion * inputs;
        let depthwise = ConvNormConfig { stride, groups: inside, ..silu([inside; 2], kernel) };
        let project =
            ConvNormConfig { activation: Activation::Linear, ..silu([inside, outputs], 1) };
        Self {
            expand: (expansion > 1).then(|| silu([inputs, inside], 1).init(device)),
            depthwise: depthwise.init(device),
            excitation: SqueezeExcite::init(inside, (inputs / SQUEEZE).max(1), device),
            project: project.init(device),
            is_residual: stride == 1 && inputs == outputs,
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let expanded = match &self.expand {
            Some(expand) => expand.forward(x.clone()),
            None => x.clone(),
        };
        let weighed = self.excitation.forward(self.depthwise.forward(expanded));
        let projected = self.project.chain(weighed.into());
        if self.is_residual { projected.add(x, Activation::Linear) } else { projected.value() }
    }
}

fn silu(channels: [usize; 2], kernel: usize) -> ConvNormConfig {
    ConvNormConfig { activation: Activation::Silu, ..ConvNormConfig::new(channels, kernel) }
}

/// Returns torchvision's name of a module.
fn published(path: &[&str]) -> Option<String> {
    let part = match *path.last()? {
        "conv" => "0",
        "norm" => "1",
        "squeeze" => "fc1",
        "excite" => "fc2",
        _ => return None,
    };
    Some(match path {
        ["stem", _] => format!("features.0.{part}"),
        ["last", _] => format!("features.{}.{part}", BOTTLENECKS.len() + 1),
        ["stages", stage, bottleneck, unit, _] => {
            let stage = stage.parse::<usize>().ok()?;
            let (expansion, ..) = BOTTLENECKS.get(stage)?;
            // Units are numbered consecutively; without an expansion, numbering starts at the next
            // unit.
            let units = ["expand", "depthwise", "excitation", "project"];
            let unit = units.iter().skip((*expansion == 1).into()).position(|name| name == unit)?;
            format!("features.{}.{bottleneck}.block.{unit}.{part}", stage + 1)
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_numbered_from_the_first_that_is_there() {
        let name = |stage| published(&["stages", stage, "0", "project", "norm"]);

        assert_eq!(name("0").unwrap(), "features.1.0.block.2.1");
        assert_eq!(name("1").unwrap(), "features.2.0.block.3.1");
    }
}
