//! NASNet-A, from [Learning Transferable Architectures for Scalable Image Recognition][paper].
//!
//! Two cells found by search are repeated: a reduction cell halves the map, normal cells keep its
//! size, and each cell sees the outputs of the two before it. The published weights come from two
//! implementations that treat edges differently, and each member follows its own:
//!
//! - Large is timm's `nasnetalarge`. Every operation with stride 2 is padded like TensorFlow's
//!   `SAME`, and average pools with stride 2 count the zeros. The cell after a reduction in
//!   mid-network sees, in addition to its output, the input of the reduction's input, not the
//!   reduction's own.
//! - Mobile is pretrainedmodels' `nasnetamobile`. Average pools do not count zeros, the cell after
//!   a reduction sees the reduction's input, and the first cell pads evenly.
//!
//! Keras' `NASNetMobile` has the same tensors as Mobile, but gives different results at every size:
//! the pools of its reductions see zeros beyond the edge, which are ignored here by max pools and
//! not counted by average pools. Its first cell pads like `SAME`, which is not even padding for
//! sizes of 1 or 2 above a multiple of 4. pretrainedmodels accepts only sizes from 1 below to 2
//! above a multiple of 32; the maps of other sizes have odd sides before a reduction, and are
//! padded here as in Keras and Large.
//!
//! The paper's scheduled drop-path and auxiliary head are left out.
//!
//! [paper]: https://arxiv.org/abs/1707.07012

mod arm;
mod cell;

use std::iter::{once, repeat_n};

use burn::module::Module;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use roentgen_data::preprocess::Normalize;

use super::{Backbone, Blueprint, PublishedFile, Scale, Spelling};
use crate::layers::{Activation, ConvNorm, ConvNormConfig, Padding};
use arm::{Average, Edge};
use cell::{Cell, CellConfig, Handed, Map, NORMAL, REDUCTION};

/// Filters of each stage's reduction cell and of the normal cells after it, in quarters of those of
/// the first normal cell. No normal cell follows the first reduction (section 3, "ImageNet").
const STAGES_IN_QUARTERS: [(usize, Option<usize>); 4] =
    [(1, None), (2, Some(4)), (8, Some(8)), (16, Some(16))];

/// Epsilon of the batch norms in both implementations.
const EPSILON: f64 = 1e-3;

/// Module paths by stage.
const STAGES: &[&[&str]] = &[&["stem"], &["stages.0"], &["stages.1"], &["stages.2"], &["stages.3"]];

/// NASNet-A Large.
pub(super) const LARGE: Blueprint = Blueprint {
    name: "nasnet-large",
    native_size: 331,
    least_size: 32,
    normalization: Normalize::MinusOneToOne,
    activations: 1245.1,
    stochastic_depth: None,
    init: |scale, device| Backbone::NasNet(NasNet::init(NasNetVariant::Large, scale, device)),
    out_channels: |scale| NasNet::out_channels(NasNetVariant::Large, scale),
    stages: STAGES,
    published,
    spellings: &[Spelling::Newest, Spelling::Own],
    weights: Some(PublishedFile::timm("nasnetalarge-dc4a7b8b.pth")),
};

/// NASNet-A Mobile.
pub(super) const MOBILE: Blueprint = Blueprint {
    name: "nasnet-mobile",
    native_size: 224,
    activations: 249.8,
    init: |scale, device| Backbone::NasNet(NasNet::init(NasNetVariant::Mobile, scale, device)),
    out_channels: |scale| NasNet::out_channels(NasNetVariant::Mobile, scale),
    weights: Some(PublishedFile {
        folder: "http://data.lip6.fr/cadene/pretrainedmodels",
        name: "nasnetamobile-7e03cead.pth",
        licence: "pretrainedmodels, BSD-3-Clause",
    }),
    ..LARGE
};

/// A member of the family, named in the paper by cells per stage and channels of the feature map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NasNetVariant {
    /// NASNet-A (6 @ 4032), for films of 331 pixels.
    Large,
    /// NASNet-A (4 @ 1056), for films of 224 pixels.
    Mobile,
}

/// Differences between the members.
struct Plan {
    /// Channels of the first convolution.
    stem: usize,
    /// Channels of the feature map.
    penultimate: usize,
    /// Normal cells per stage.
    cells: usize,
    /// Treatment of the edge in the first cell.
    first: Edge,
    /// Treatment of the edge in the other cells.
    others: Edge,
    /// The second map that a reduction in mid-network passes on.
    handed: Handed,
}

/// The convolutional part of NASNet-A.
#[derive(Module, Debug)]
pub(crate) struct NasNet {
    stem: ConvNorm,
    stages: Vec<Vec<Cell>>,
}

impl NasNetVariant {
    fn plan(self) -> Plan {
        let same = |average| Edge { padding: Padding::Same, average };
        match self {
            NasNetVariant::Large => Plan {
                stem: 96,
                penultimate: 4032,
                cells: 6,
                first: same(Average::OfWindow),
                others: same(Average::OfWindow),
                handed: Handed::Previous,
            },
            NasNetVariant::Mobile => Plan {
                stem: 32,
                penultimate: 1056,
                cells: 4,
                first: Edge { padding: Padding::Even, average: Average::OfFilm },
                others: same(Average::OfFilm),
                handed: Handed::Current,
            },
        }
    }
}

impl NasNet {
    /// Creates the network with random weights.
    fn init(variant: NasNetVariant, scale: Scale, device: &Device) -> NasNet {
        let stem = ConvNormConfig {
            stride: 2,
            padding: Padding::None,
            epsilon: EPSILON,
            activation: Activation::Linear,
            ..ConvNormConfig::new([scale.in_channels, scale.channels(variant.plan().stem)], 3)
        };
        let cells = |stage: &Vec<CellConfig>| stage.iter().map(|cell| cell.init(device)).collect();
        NasNet {
            stem: stem.init(device),
            stages: Self::stages(variant, scale).iter().map(cells).collect(),
        }
    }

    /// Returns the number of channels of the feature map.
    fn out_channels(variant: NasNetVariant, scale: Scale) -> usize {
        Self::stages(variant, scale).iter().flatten().last().map_or(0, CellConfig::out_channels)
    }

    /// Folds over the table, passing along the input maps.
    fn stages(variant: NasNetVariant, scale: Scale) -> Vec<Vec<CellConfig>> {
        let plan = variant.plan();
        // A feature map has 24 times as many channels as filters: six outputs of a normal cell, and
        // two doublings.
        let quarter = scale.channels(plan.penultimate / 24 / 4);
        let stem = Map { channels: scale.channels(plan.stem), halvings: 0 };
        let mut maps = (None, stem);
        STAGES_IN_QUARTERS
            .iter()
            .enumerate()
            .map(|(stage, &(reduced, normal))| {
                let normals = normal.into_iter().flat_map(|normal| repeat_n(normal, plan.cells));
                once((&REDUCTION, reduced))
                    .chain(normals.map(|normal| (&NORMAL, normal)))
                    .map(|(table, quarters)| {
                        let (previous, current) = maps;
                        let cell = CellConfig {
                            table,
                            previous,
                            current,
                            filters: quarters * quarter,
                            edge: if stage == 0 { plan.first } else { plan.others },
                            handed: if stage < 2 || table.stride == 1 {
                                Handed::Current
                            } else {
                                plan.handed
                            },
                        };
                        maps = cell.outputs();
                        cell
                    })
                    .collect()
            })
            .collect()
    }
}

impl NasNet {
    /// Extracts the feature map.
    ///
    /// # Shapes
    ///
    /// - `films`: `[batch, in_channels, height, width]`
    /// - output: `[batch, 4032 (Large) or 1056 (Mobile) * width, height / 32, width / 32]`
    pub(crate) fn forward(&self, films: Tensor<4>) -> Tensor<4> {
        let stem = self.stem.forward(films);
        let maps = (stem.clone(), stem);
        let (_, last) = self.stages.iter().flatten().fold(maps, |maps, cell| cell.forward(maps));
        relu(last)
    }
}

/// Returns the name of a module in the published weights.
///
/// timm and pretrainedmodels agree in all names. They number normal cells as if there were six per
/// stage, even if there are four.
fn published(path: &[&str]) -> Option<String> {
    let (cell, within) = match path {
        ["stem", part] => return Some(format!("conv0.{}", layer(part))),
        ["stages", stage @ ("0" | "1"), "0", within @ ..] => (format!("cell_stem_{stage}"), within),
        ["stages", stage, cell, within @ ..] => {
            let [stage, cell] = [stage, cell].map(|number| number.parse::<usize>().ok());
            let name = match (stage?, cell?) {
                (stage, 0) => format!("reduction_cell_{}", stage - 2),
                (stage, cell) => format!("cell_{}", 6 * (stage - 1) + cell - 1),
            };
            (name, within)
        }
        _ => return None,
    };
    let module = match within {
        ["current", part] => format!("conv_1x1.{}", layer(part)),
        ["projected", part] => format!("conv_prev_1x1.{}", layer(part)),
        ["halved", "even"] => "path_1.conv".into(),
        ["halved", "odd"] => "path_2.conv".into(),
        ["halved", "norm"] => "final_path_bn".into(),
        ["pairs", pair, side, "rounds", round, within @ ..] => {
            let round = if *round == "0" { 1 } else { 2 };
            let module = match within {
                ["depthwise"] => format!("separable_{round}.depthwise_conv2d"),
                ["pointwise", "conv"] => format!("separable_{round}.pointwise_conv2d"),
                ["pointwise", "norm"] => format!("bn_sep_{round}"),
                _ => return None,
            };
            format!("comb_iter_{pair}_{side}.{module}")
        }
        _ => return None,
    };
    Some(format!("{cell}.{module}"))
}

/// Returns the published name of a part of a convolution with norm.
fn layer(part: &str) -> &str {
    if part == "norm" { "bn" } else { part }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_numbered_by_six() {
        let cases = [
            ("stem.norm", "conv0.bn"),
            ("stages.0.0.current.conv", "cell_stem_0.conv_1x1.conv"),
            ("stages.1.0.halved.odd", "cell_stem_1.path_2.conv"),
            ("stages.1.1.halved.norm", "cell_0.final_path_bn"),
            ("stages.2.0.projected.norm", "reduction_cell_0.conv_prev_1x1.bn"),
            (
                "stages.3.4.pairs.0.left.rounds.1.pointwise.norm",
                "cell_15.comb_iter_0_left.bn_sep_2",
            ),
        ];
        for (path, name) in cases {
            let path: Vec<_> = path.split('.').collect();

            assert_eq!(published(&path).as_deref(), Some(name));
        }
    }
}
