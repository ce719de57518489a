//! The spellings of tensor names that have been in use for the same weights.
//!
//! A file uses one spelling throughout, so the one that finds the most tensors is the file's.

use std::fmt;

use super::{PublishedTensor, WeightFile};
use crate::published_file::Spelling;

/// The source of one of our tensors.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Source {
    /// A tensor of the file, in our own order of axes.
    Tensor(String),
    /// A tensor of the file whose axes are `[out, height, width, in]`.
    ChannelsLast(String),
    /// A constant: what remains of a folded norm.
    Constant(f32),
    /// The file does not have the tensor.
    Nowhere,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Tensor(name) | Source::ChannelsLast(name) => f.write_str(name),
            Source::Constant(value) => write!(f, "{value} throughout"),
            Source::Nowhere => f.write_str("nowhere"),
        }
    }
}

impl Spelling {
    /// Finds the source of a tensor, given its newest name.
    pub(super) fn find(self, file: &WeightFile, prefix: &str, wanted: &PublishedTensor) -> Source {
        let name = wanted.name.as_str();
        let named = |name: String| {
            let name = format!("{prefix}{name}");
            if file.shape(&name).is_some() { Source::Tensor(name) } else { Source::Nowhere }
        };
        match self {
            Spelling::Newest => named(name.to_owned()),
            Spelling::Own => named(wanted.path.clone()),
            Spelling::CountedThrough => named(count_through(name)),
            Spelling::Dotted => named(add_dots(name)),
            Spelling::TimmConvNext => named(timm_convnext(name)),
            Spelling::FoldedTensorflow => find_folded(file, name),
        }
    }

    /// Returns the prefixes in the file of a tensor with this newest name, such as `module.`: one for
    /// each tensor whose name ends in it.
    pub(super) fn prefixes<'a>(self, file: &'a WeightFile, name: &str) -> Vec<&'a str> {
        let spelled = match self {
            Spelling::Newest => name.to_owned(),
            Spelling::CountedThrough => count_through(name),
            Spelling::Dotted => add_dots(name),
            Spelling::TimmConvNext => timm_convnext(name),
            Spelling::Own | Spelling::FoldedTensorflow => return vec![""],
        };
        let prefixes = file.shapes().filter_map(|(name, _)| name.strip_suffix(&spelled));
        prefixes.filter(|prefix| prefix.is_empty() || prefix.ends_with('.')).collect()
    }
}

/// Changes `features.3.conv.1.0.weight` to `features.3.conv.3.weight`.
fn count_through(name: &str) -> String {
    let parts: Vec<_> = name.split('.').collect();
    match *parts.as_slice() {
        ["features", feature, "conv", layer, inner, leaf] => {
            let number = layer.parse::<usize>().unwrap_or(0) * 3 + usize::from(inner == "1");
            format!("features.{feature}.conv.{number}.{leaf}")
        }
        ["features", feature, "conv", layer, leaf] => {
            // Layers before the last come as blocks of three: 2 and 3 become 6 and 7, and in the
            // first row, which has one block less, 1 and 2 become 3 and 4.
            let layer = layer.parse::<usize>().unwrap_or(0);
            let number = if feature == "1" { layer + 2 } else { layer + 4 };
            format!("features.{feature}.conv.{number}.{leaf}")
        }
        _ => name.to_owned(),
    }
}

/// Changes `denselayer1.norm2.weight` to `denselayer1.norm.2.weight`.
fn add_dots(name: &str) -> String {
    let mut parts = name.split('.').map(str::to_owned).collect::<Vec<_>>();
    if parts.iter().any(|part| part.starts_with("denselayer"))
        && let [.., layer, _] = parts.as_mut_slice()
        && let Some((kind, number)) = layer.split_at_checked(layer.len().saturating_sub(1))
    {
        *layer = format!("{kind}.{number}");
    }
    parts.join(".")
}

/// Changes `features.3.1.block.5.weight` to `stages.1.blocks.1.mlp.fc2.weight`.
fn timm_convnext(name: &str) -> String {
    let parts: Vec<_> = name.split('.').collect();
    let half = |number: &str| number.parse::<usize>().unwrap_or(0) / 2;
    match *parts.as_slice() {
        ["features", "0", layer, leaf] => format!("stem.{layer}.{leaf}"),
        ["features", stage, block, "block", layer, leaf] => {
            let layer = match layer {
                "0" => "conv_dw",
                "2" => "norm",
                "3" => "mlp.fc1",
                _ => "mlp.fc2",
            };
            format!("stages.{}.blocks.{block}.{layer}.{leaf}", half(stage))
        }
        ["features", stage, block, "layer_scale"] => {
            format!("stages.{}.blocks.{block}.gamma", half(stage))
        }
        ["features", step, layer, leaf] => {
            format!("stages.{}.downsample.{layer}.{leaf}", half(step))
        }
        _ => name.to_owned(),
    }
}

/// Changes `conv_dw_3.weight` to `MobilenetV1/MobilenetV1/Conv2d_3_depthwise/depthwise_Fold;…`.
fn find_folded(file: &WeightFile, name: &str) -> Source {
    let Some((module, leaf)) = name.rsplit_once('.') else {
        return Source::Nowhere;
    };
    let (layer, is_norm) = match module.strip_suffix("_bn") {
        Some(layer) => (layer, true),
        None => (module, false),
    };
    let layer = if layer == "conv1" {
        "Conv2d_0".to_owned()
    } else if let Some(number) = layer.strip_prefix("conv_dw_") {
        format!("Conv2d_{number}_depthwise")
    } else if let Some(number) = layer.strip_prefix("conv_pw_") {
        format!("Conv2d_{number}_pointwise")
    } else {
        return Source::Nowhere;
    };
    let folder = format!("MobilenetV1/MobilenetV1/{layer}/");
    let find = |kind: &str| {
        let mut names = file.shapes().map(|(name, _)| name);
        names.find(|name| name.strip_prefix(&folder).is_some_and(|rest| rest.contains(kind)))
    };
    // A norm with these statistics and this scale only adds the folded bias.
    match (is_norm, leaf) {
        (false, _) => find("_Fold;").map_or(Source::Nowhere, |n| Source::ChannelsLast(n.into())),
        (true, "bias") => {
            find("BatchNorm_Fold/bias").map_or(Source::Nowhere, |n| Source::Tensor(n.into()))
        }
        (true, "running_mean") => Source::Constant(0.0),
        (true, "running_var") => Source::Constant(1.0),
        (true, _) => Source::Constant((1.0 + crate::backbones::mobilenet::EPSILON as f32).sqrt()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_spellings_are_those_of_the_files() {
        for (newest, old) in [
            ("features.0.0.weight", "features.0.0.weight"),
            ("features.1.conv.0.1.bias", "features.1.conv.1.bias"),
            ("features.1.conv.1.weight", "features.1.conv.3.weight"),
            ("features.1.conv.2.weight", "features.1.conv.4.weight"),
            ("features.2.conv.1.0.weight", "features.2.conv.3.weight"),
            ("features.2.conv.2.weight", "features.2.conv.6.weight"),
            ("features.2.conv.3.running_var", "features.2.conv.7.running_var"),
        ] {
            assert_eq!(count_through(newest), old);
        }
        for (newest, timm) in [
            ("features.0.1.bias", "stem.1.bias"),
            ("features.1.2.block.0.weight", "stages.0.blocks.2.conv_dw.weight"),
            ("features.3.1.block.2.bias", "stages.1.blocks.1.norm.bias"),
            ("features.5.8.block.3.weight", "stages.2.blocks.8.mlp.fc1.weight"),
            ("features.7.0.block.5.bias", "stages.3.blocks.0.mlp.fc2.bias"),
            ("features.7.0.layer_scale", "stages.3.blocks.0.gamma"),
            ("features.2.0.weight", "stages.1.downsample.0.weight"),
            ("features.6.1.bias", "stages.3.downsample.1.bias"),
        ] {
            assert_eq!(timm_convnext(newest), timm);
        }
        assert_eq!(
            add_dots("features.denseblock1.denselayer12.conv2.weight"),
            "features.denseblock1.denselayer12.conv.2.weight"
        );
        assert_eq!(add_dots("features.norm0.weight"), "features.norm0.weight");
    }
}
