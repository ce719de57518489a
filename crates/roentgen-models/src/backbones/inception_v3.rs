//! InceptionV3, from [Rethinking the Inception Architecture for Computer Vision][paper].
//!
//! Modules of parallel branches, with larger windows factored into 1x7 and 7x1, or 1x3 and 3x1. The
//! modules are torchvision's, whose weights come from TensorFlow, but whose average pools count the
//! zeros around the film, unlike TensorFlow's. Torchvision's `transform_input` converts input
//! normalized by ImageNet's mean and deviation to -1 to 1, which the weights expect. The auxiliary
//! classifier and the dropout before the last layer are left out.
//!
//! [paper]: https://arxiv.org/abs/1512.00567

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use roentgen_data::preprocess::Normalize;

use super::{Backbone, Blueprint, PublishedFile, Scale, Spelling};
use crate::layers::{Border, Branch, BranchConfig, Mixed, MixedConfig, Step};

use Step::{Average, Conv, Fork, Max, Valid};

/// The steps before the first module, as published (the paper's table 1 has others);
/// Inception-ResNet-V2 has the same.
pub(super) const STEM: [Step; 7] =
    [Valid(32, 2), Valid(32, 1), Conv(64, [3, 3]), Max, Conv(80, [1, 1]), Valid(192, 1), Max];

/// Torchvision's names of the steps of the stem.
const STEM_NAMES: [&str; 7] = [
    "Conv2d_1a_3x3",
    "Conv2d_2a_3x3",
    "Conv2d_2b_3x3",
    "maxpool1",
    "Conv2d_3b_1x1",
    "Conv2d_4a_3x3",
    "maxpool2",
];

/// The stages in network order, for freezing the first of them.
const STAGES: &[&[&str]] = &[&["stem"], &["stages.0"], &["stages.1"], &["stages.2"]];

/// InceptionV3.
pub(super) const BLUEPRINT: Blueprint = Blueprint {
    name: "inception-v3",
    native_size: 299,
    least_size: 75,
    normalization: Normalize::MinusOneToOne,
    activations: 196.8,
    stochastic_depth: None,
    init: |scale, device| Backbone::InceptionV3(InceptionV3::init(scale, device)),
    out_channels: InceptionV3::out_channels,
    stages: STAGES,
    published,
    spellings: &[Spelling::Newest, Spelling::Own],
    weights: Some(PublishedFile::torchvision("inception_v3_google-0cc3c7bd.pth")),
};

/// The branches of a module, each with torchvision's name.
type Table = Vec<(&'static str, Vec<Step>)>;

/// The modules of each stage (figures 5 to 7 and 10), each with torchvision's name.
fn stages() -> [Vec<(&'static str, Table)>; 3] {
    [
        vec![("Mixed_5b", with5x5(32)), ("Mixed_5c", with5x5(64)), ("Mixed_5d", with5x5(64))],
        vec![
            ("Mixed_6a", reduction()),
            ("Mixed_6b", with7x7(128)),
            ("Mixed_6c", with7x7(160)),
            ("Mixed_6d", with7x7(160)),
            ("Mixed_6e", with7x7(192)),
        ],
        vec![
            ("Mixed_7a", last_reduction()),
            ("Mixed_7b", with_forks()),
            ("Mixed_7c", with_forks()),
        ],
    ]
}

/// Figure 5, with 5x5 not factored; the branch with the average pool has `pool` channels.
fn with5x5(pool: usize) -> Table {
    vec![
        ("branch1x1", vec![Conv(64, [1, 1])]),
        ("branch5x5", vec![Conv(48, [1, 1]), Conv(64, [5, 5])]),
        ("branch3x3dbl", vec![Conv(64, [1, 1]), Conv(96, [3, 3]), Conv(96, [3, 3])]),
        ("branch_pool", vec![Average(Border::Zero), Conv(pool, [1, 1])]),
    ]
}

/// Figure 10.
fn reduction() -> Table {
    vec![
        ("branch3x3", vec![Valid(384, 2)]),
        ("branch3x3dbl", vec![Conv(64, [1, 1]), Conv(96, [3, 3]), Valid(96, 2)]),
        ("branch_pool", vec![Max]),
    ]
}

/// Figure 6, with windows of 7; `inner` channels within a branch.
fn with7x7(inner: usize) -> Table {
    let [row, column] = [[1, 7], [7, 1]];
    vec![
        ("branch1x1", vec![Conv(192, [1, 1])]),
        ("branch7x7", vec![Conv(inner, [1, 1]), Conv(inner, row), Conv(192, column)]),
        (
            "branch7x7dbl",
            vec![
                Conv(inner, [1, 1]),
                Conv(inner, column),
                Conv(inner, row),
                Conv(inner, column),
                Conv(192, row),
            ],
        ),
        ("branch_pool", vec![Average(Border::Zero), Conv(192, [1, 1])]),
    ]
}

/// The reduction before the last stage, which no figure of the paper shows.
fn last_reduction() -> Table {
    vec![
        ("branch3x3", vec![Conv(192, [1, 1]), Valid(320, 2)]),
        (
            "branch7x7x3",
            vec![Conv(192, [1, 1]), Conv(192, [1, 7]), Conv(192, [7, 1]), Valid(192, 2)],
        ),
        ("branch_pool", vec![Max]),
    ]
}

/// Figure 7.
fn with_forks() -> Table {
    vec![
        ("branch1x1", vec![Conv(320, [1, 1])]),
        ("branch3x3", vec![Conv(384, [1, 1]), Fork(384)]),
        ("branch3x3dbl", vec![Conv(448, [1, 1]), Conv(384, [3, 3]), Fork(384)]),
        ("branch_pool", vec![Average(Border::Zero), Conv(192, [1, 1])]),
    ]
}

/// The convolutional part of InceptionV3.
#[derive(Module, Debug)]
pub(crate) struct InceptionV3 {
    stem: Branch,
    stages: Vec<Vec<Mixed>>,
}

impl InceptionV3 {
    /// Creates the network with random weights.
    fn init(scale: Scale, device: &Device) -> InceptionV3 {
        let (stages, _) = Self::fold(scale, |module| module.init(device));
        InceptionV3 { stem: Self::stem(scale).init(device), stages }
    }

    /// Returns the number of channels of the feature map.
    fn out_channels(scale: Scale) -> usize {
        Self::fold(scale, |_| ()).1
    }

    fn stem(scale: Scale) -> BranchConfig {
        BranchConfig { in_channels: scale.in_channels, steps: STEM.to_vec(), width: scale.width }
    }

    /// Folds over the modules, passing along the number of input channels.
    fn fold<T>(scale: Scale, make: impl Fn(MixedConfig) -> T) -> (Vec<Vec<T>>, usize) {
        let mut in_channels = Self::stem(scale).out_channels();
        let mut each = |(_, table): (_, Table)| {
            let branches = table.into_iter().map(|(_, steps)| steps).collect();
            let module = MixedConfig { in_channels, branches, width: scale.width };
            in_channels = module.out_channels();
            make(module)
        };
        let made = stages().map(|modules| modules.into_iter().map(&mut each).collect());
        (made.into(), in_channels)
    }
}

impl InceptionV3 {
    /// Extracts the feature map.
    ///
    /// # Shapes
    ///
    /// - `films`: `[batch, in_channels, height, width]`, height and width at least 75
    /// - output: `[batch, 2048 * width, …]`: 8 for 299 pixels, otherwise about a thirty-second
    pub(crate) fn forward(&self, films: Tensor<4>) -> Tensor<4> {
        self.stages.iter().flatten().fold(self.stem.forward(films), |x, module| module.forward(x))
    }
}

/// Returns torchvision's name of the module at `path`; a branch of several convolutions numbers
/// them.
fn published(path: &[&str]) -> Option<String> {
    let index = |part: &str| part.parse::<usize>().ok();
    let (layer, name) = match *path {
        ["stem", "steps", step, "convs", _, layer] => {
            (layer, STEM_NAMES.get(index(step)?)?.to_string())
        }
        ["stages", stage, module, "branches", branch, "steps", step, "convs", side, layer] => {
            let stages = stages();
            let (module, table) = stages.get(index(stage)?)?.get(index(module)?)?;
            let (branch, steps) = table.get(index(branch)?)?;
            let count = match (steps.as_slice(), steps.get(index(step)?)?) {
                ([_] | [Average(_), _], _) => String::new(),
                (_, Fork(_)) => format!("_{}{}", steps.len(), if side == "0" { "a" } else { "b" }),
                _ => format!("_{}", index(step)? + 1),
            };
            (layer, format!("{module}.{branch}{count}"))
        }
        _ => return None,
    };
    match layer {
        "conv" => Some(format!("{name}.conv")),
        "norm" => Some(format!("{name}.bn")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_convolutions_of_a_branch_are_counted_as_torchvision_counts_them() {
        let name = |path: &str| published(&path.split('.').collect::<Vec<_>>());

        for (path, expected) in [
            ("stem.steps.5.convs.0.norm", "Conv2d_4a_3x3.bn"),
            ("stages.0.1.branches.3.steps.1.convs.0.conv", "Mixed_5c.branch_pool.conv"),
            ("stages.1.2.branches.2.steps.4.convs.0.conv", "Mixed_6c.branch7x7dbl_5.conv"),
            ("stages.2.0.branches.0.steps.1.convs.0.norm", "Mixed_7a.branch3x3_2.bn"),
            ("stages.2.2.branches.2.steps.2.convs.1.norm", "Mixed_7c.branch3x3dbl_3b.bn"),
        ] {
            assert_eq!(name(path).as_deref(), Some(expected));
        }
        assert_eq!(name("stages.3.0.branches.0.steps.0.convs.0.conv"), None);
    }
}
