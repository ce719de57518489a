//! Inception-ResNet-V2, from [Inception-v4, Inception-ResNet and the Impact of Residual Connections
//! on Learning][paper].
//!
//! Mixed modules are scaled down and added to their input; the scaling keeps the sum from
//! diverging. The published network, which this file implements, differs from the paper's: its stem
//! is InceptionV3's, it has twice as many blocks, and its stages have 320, 1088 and 2080 channels
//! instead of 384, 1152 and 2144. Its single average pool does not count the zeros around the film.
//! Its weights expect values from -1 to 1. The dropout before the last layer is left out.
//!
//! [paper]: https://arxiv.org/abs/1602.07261

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use super::inception_v3::STEM;
use roentgen_data::preprocess::Normalize;

use super::{Backbone, Blueprint, PublishedFile, Scale, Spelling};
use crate::layers::{
    Border, Branch, BranchConfig, ConvConfig, Mixed, MixedConfig, Padding, Step, convolve,
};

use Step::{Average, Conv, Max, Valid};

/// Channels of the 1x1 convolution after the last block, and of the feature map.
const LAST: usize = 1536;

/// timm's names of the steps of the stem.
const STEM_NAMES: [&str; 7] =
    ["conv2d_1a", "conv2d_2a", "conv2d_2b", "maxpool_3a", "conv2d_3b", "conv2d_4a", "maxpool_5a"];

/// The stages in network order, for freezing the first of them.
const STAGES: &[&[&str]] = &[&["stem"], &["stages.0"], &["stages.1"], &["stages.2"], &["last"]];

/// Inception-ResNet-V2.
pub(super) const BLUEPRINT: Blueprint = Blueprint {
    name: "inception-resnet-v2",
    native_size: 299,
    least_size: 75,
    normalization: Normalize::MinusOneToOne,
    activations: 420.3,
    stochastic_depth: None,
    init: |scale, device| Backbone::InceptionResNetV2(InceptionResNetV2::init(scale, device)),
    out_channels: InceptionResNetV2::out_channels,
    stages: STAGES,
    published,
    spellings: &[Spelling::Newest, Spelling::Own],
    weights: Some(PublishedFile::timm("inception_resnet_v2-940b1cd6.pth")),
};

/// A mixed module, followed by blocks of one table, each added to its input.
struct Table {
    mixed: Vec<Vec<Step>>,
    block: Vec<Vec<Step>>,
    scale: f64,
    blocks: usize,
    /// timm's names of the mixed module, of the blocks, and of one more block, which is not scaled
    /// and has no ReLU after it.
    names: (&'static str, &'static str, Option<&'static str>),
}

impl Table {
    /// Returns timm's name of a block.
    fn name(&self, number: &str) -> Option<String> {
        let (_, blocks, last) = self.names;
        match number.parse::<usize>().ok()? {
            inner if inner < self.blocks => Some(format!("{blocks}.{inner}")),
            next if next == self.blocks => last.map(str::to_string),
            _ => None,
        }
    }
}

/// The stages (figures 16, 7, 17, 18 and 19), with the published channels.
fn tables() -> [Table; 3] {
    [
        Table {
            mixed: vec![
                vec![Conv(96, [1, 1])],
                vec![Conv(48, [1, 1]), Conv(64, [5, 5])],
                vec![Conv(64, [1, 1]), Conv(96, [3, 3]), Conv(96, [3, 3])],
                vec![Average(Border::Outside), Conv(64, [1, 1])],
            ],
            block: vec![
                vec![Conv(32, [1, 1])],
                vec![Conv(32, [1, 1]), Conv(32, [3, 3])],
                vec![Conv(32, [1, 1]), Conv(48, [3, 3]), Conv(64, [3, 3])],
            ],
            scale: 0.17,
            blocks: 10,
            names: ("mixed_5b", "repeat", None),
        },
        Table {
            mixed: vec![
                vec![Valid(384, 2)],
                vec![Conv(256, [1, 1]), Conv(256, [3, 3]), Valid(384, 2)],
                vec![Max],
            ],
            block: vec![
                vec![Conv(192, [1, 1])],
                vec![Conv(128, [1, 1]), Conv(160, [1, 7]), Conv(192, [7, 1])],
            ],
            scale: 0.10,
            blocks: 20,
            names: ("mixed_6a", "repeat_1", None),
        },
        Table {
            mixed: vec![
                vec![Conv(256, [1, 1]), Valid(384, 2)],
                vec![Conv(256, [1, 1]), Valid(288, 2)],
                vec![Conv(256, [1, 1]), Conv(288, [3, 3]), Valid(320, 2)],
                vec![Max],
            ],
            block: vec![
                vec![Conv(192, [1, 1])],
                vec![Conv(192, [1, 1]), Conv(224, [1, 3]), Conv(256, [3, 1])],
            ],
            scale: 0.20,
            blocks: 9,
            names: ("mixed_7a", "repeat_2", Some("block8")),
        },
    ]
}

/// The convolutional part of Inception-ResNet-V2.
#[derive(Module, Debug)]
pub(crate) struct InceptionResNetV2 {
    stem: Branch,
    stages: Vec<Stage>,
    last: Branch,
}

/// A mixed module and the blocks after it.
#[derive(Module, Debug)]
struct Stage {
    mixed: Mixed,
    blocks: Vec<Block>,
}

/// A mixed module projected to the channels of its input, scaled and added to it.
#[derive(Module, Debug)]
struct Block {
    mixed: Mixed,
    up: Conv2d,
    #[module(skip)]
    scale: f64,
    #[module(skip)]
    is_linear: bool,
}

impl InceptionResNetV2 {
    /// Creates the network with random weights.
    fn init(scale: Scale, device: &Device) -> InceptionResNetV2 {
        let stem = Self::branch(scale, scale.in_channels, &STEM);
        let mut channels = stem.out_channels();
        let stages = tables().map(|table| {
            let mixed = Self::mixed(scale, channels, &table.mixed);
            channels = mixed.out_channels();
            let blocks = (0..table.blocks + usize::from(table.names.2.is_some()))
                .map(|number| Self::block(scale, channels, &table, number == table.blocks, device));
            Stage { mixed: mixed.init(device), blocks: blocks.collect() }
        });
        let last = Self::branch(scale, channels, &[Conv(LAST, [1, 1])]);
        InceptionResNetV2 {
            stem: stem.init(device),
            stages: stages.into(),
            last: last.init(device),
        }
    }

    /// Returns the number of channels of the feature map.
    fn out_channels(scale: Scale) -> usize {
        scale.channels(LAST)
    }

    fn branch(scale: Scale, in_channels: usize, steps: &[Step]) -> BranchConfig {
        BranchConfig { in_channels, steps: steps.to_vec(), width: scale.width }
    }

    fn mixed(scale: Scale, in_channels: usize, branches: &[Vec<Step>]) -> MixedConfig {
        MixedConfig { in_channels, branches: branches.to_vec(), width: scale.width }
    }

    fn block(
        scale: Scale,
        channels: usize,
        table: &Table,
        is_linear: bool,
        device: &Device,
    ) -> Block {
        let mixed = Self::mixed(scale, channels, &table.block);
        let up =
            ConvConfig { has_bias: true, ..ConvConfig::new([mixed.out_channels(), channels], 1) };
        let scale = if is_linear { 1.0 } else { table.scale };
        Block { mixed: mixed.init(device), up: up.init(device), scale, is_linear }
    }
}

impl InceptionResNetV2 {
    /// Extracts the feature map.
    ///
    /// # Shapes
    ///
    /// - `films`: `[batch, in_channels, height, width]`, height and width at least 75
    /// - output: `[batch, 1536 * width, …]`: 8 for 299 pixels, otherwise about a thirty-second
    pub(crate) fn forward(&self, films: Tensor<4>) -> Tensor<4> {
        let features = self.stages.iter().fold(self.stem.forward(films), |x, stage| {
            let x = stage.mixed.forward(x);
            stage.blocks.iter().fold(x, |x, block| block.forward(x))
        });
        self.last.forward(features)
    }
}

impl Block {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let residual = convolve(&self.up, self.mixed.forward(x.clone()), Padding::None);
        let sum = residual * self.scale + x;
        if self.is_linear { sum } else { relu(sum) }
    }
}

/// Returns timm's name of the module at `path`; a branch with one step has no step number.
fn published(path: &[&str]) -> Option<String> {
    let table = |stage: &str| tables().into_iter().nth(stage.parse().ok()?);
    let (name, layer) = match *path {
        ["stem", "steps", step, "convs", _, layer] => {
            (STEM_NAMES.get(step.parse::<usize>().ok()?)?.to_string(), layer)
        }
        ["stages", stage, "mixed", "branches", branch, "steps", step, "convs", _, layer] => {
            let Table { mixed, names, .. } = table(stage)?;
            (format!("{}.{}", names.0, name_step(&mixed, branch, step)?), layer)
        }
        [
            "stages",
            stage,
            "blocks",
            number,
            "mixed",
            "branches",
            branch,
            "steps",
            step,
            "convs",
            _,
            layer,
        ] => {
            let table = table(stage)?;
            (format!("{}.{}", table.name(number)?, name_step(&table.block, branch, step)?), layer)
        }
        ["stages", stage, "blocks", number, "up"] => {
            return Some(format!("{}.conv2d", table(stage)?.name(number)?));
        }
        ["last", "steps", "0", "convs", "0", layer] => ("conv2d_7b".to_string(), layer),
        _ => return None,
    };
    match layer {
        "conv" => Some(format!("{name}.conv")),
        "norm" => Some(format!("{name}.bn")),
        _ => None,
    }
}

/// Returns timm's name of a step within a module.
fn name_step(branches: &[Vec<Step>], branch: &str, step: &str) -> Option<String> {
    let steps = branches.get(branch.parse::<usize>().ok()?)?.len();
    Some(if steps == 1 { format!("branch{branch}") } else { format!("branch{branch}.{step}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_block_has_a_name_of_its_own() {
        let name = |path: &str| published(&path.split('.').collect::<Vec<_>>());

        for (path, expected) in [
            ("stem.steps.4.convs.0.conv", "conv2d_3b.conv"),
            ("stages.0.mixed.branches.3.steps.1.convs.0.norm", "mixed_5b.branch3.1.bn"),
            (
                "stages.1.blocks.19.mixed.branches.0.steps.0.convs.0.conv",
                "repeat_1.19.branch0.conv",
            ),
            ("stages.2.blocks.8.up", "repeat_2.8.conv2d"),
            ("stages.2.blocks.9.mixed.branches.1.steps.2.convs.0.norm", "block8.branch1.2.bn"),
        ] {
            assert_eq!(name(path).as_deref(), Some(expected));
        }
        assert_eq!(name("stages.1.blocks.20.up"), None);
    }
}
