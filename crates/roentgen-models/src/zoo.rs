//! The architectures by name, with the facts needed to use them.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use roentgen_data::preprocess::Normalize;

use crate::published_file::PublishedFile;

/// A backbone architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Architecture {
    /// MobileNetV1, [paper](https://arxiv.org/abs/1704.04861).
    Mobilenet,
    /// MobileNetV2, [paper](https://arxiv.org/abs/1801.04381).
    MobilenetV2,
    /// InceptionV3, [paper](https://arxiv.org/abs/1512.00567).
    InceptionV3,
    /// Inception-ResNet-V2, [paper](https://arxiv.org/abs/1602.07261).
    InceptionResnetV2,
    /// VGG-16, [paper](https://arxiv.org/abs/1409.1556).
    Vgg16,
    /// VGG-19, [paper](https://arxiv.org/abs/1409.1556).
    Vgg19,
    /// NASNet-A Large, [paper](https://arxiv.org/abs/1707.07012).
    NasnetLarge,
    /// NASNet-A Mobile, [paper](https://arxiv.org/abs/1707.07012).
    NasnetMobile,
    /// ResNet-50, [paper](https://arxiv.org/abs/1512.03385).
    Resnet50,
    /// DenseNet-121, [paper](https://arxiv.org/abs/1608.06993).
    Densenet121,
    /// EfficientNet-B0, [paper](https://arxiv.org/abs/1905.11946).
    EfficientnetB0,
    /// ConvNeXt-Tiny, [paper](https://arxiv.org/abs/2201.03545).
    ConvnextTiny,
    /// ConvNeXt-Base, [paper](https://arxiv.org/abs/2201.03545).
    ConvnextBase,
}

impl Architecture {
    /// All architectures.
    pub const ALL: [Architecture; 13] = [
        Architecture::Mobilenet,
        Architecture::MobilenetV2,
        Architecture::InceptionV3,
        Architecture::InceptionResnetV2,
        Architecture::Vgg16,
        Architecture::Vgg19,
        Architecture::NasnetLarge,
        Architecture::NasnetMobile,
        Architecture::Resnet50,
        Architecture::Densenet121,
        Architecture::EfficientnetB0,
        Architecture::ConvnextTiny,
        Architecture::ConvnextBase,
    ];

    /// Returns the name used in experiments and tables.
    pub fn name(self) -> &'static str {
        self.blueprint().name
    }

    /// Returns the size of the films that its paper trains on, in pixels.
    pub fn native_size(self) -> usize {
        self.blueprint().native_size
    }

    /// Returns the smallest size of films it accepts, in pixels; below it the feature map is empty.
    pub fn least_size(self) -> usize {
        self.blueprint().least_size
    }

    /// Returns the normalization that its published weights expect.
    pub fn normalization(self) -> Normalize {
        self.blueprint().normalization
    }

    /// Returns an upper estimate of the values that the forward pass keeps for the backward pass,
    /// per pixel of the film and at the paper's width: the outputs of all convolutions and norms,
    /// counted by `scripts/parity.py`. On the CPU most norms keep none.
    pub fn activations(self) -> f64 {
        self.blueprint().activations
    }

    /// Whether blocks of the backbone may be skipped at random in training.
    pub fn has_stochastic_depth(self) -> bool {
        self.blueprint().stochastic_depth.is_some()
    }

    /// Returns the prefixes of the backbone's module paths, by stage in the order of the forward
    /// pass.
    pub fn stages(self) -> Vec<Vec<String>> {
        let stages = self.blueprint().stages.iter();
        stages.map(|stage| stage.iter().map(|prefix| (*prefix).to_owned()).collect()).collect()
    }

    /// Returns the file of its published weights, or `None` if none is published in a readable
    /// format.
    pub fn published_file(self) -> Option<PublishedFile> {
        self.blueprint().weights
    }
}

/// A name that no architecture has.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown architecture `{name}`; did you mean `{nearest}`? The names are: {all}")]
pub struct UnknownArchitecture {
    /// The requested name.
    pub name: String,
    /// The most similar name.
    pub nearest: &'static str,
    /// All names.
    pub all: String,
}

impl FromStr for Architecture {
    type Err = UnknownArchitecture;

    fn from_str(name: &str) -> Result<Self, UnknownArchitecture> {
        if let Some(found) = Self::ALL.into_iter().find(|known| known.name() == name) {
            return Ok(found);
        }
        let names = Self::ALL.map(Self::name);
        let alike = |known: &&&str| (strsim::jaro_winkler(known, name) * 1e6) as u64;
        let nearest = names.iter().max_by_key(alike).copied().unwrap_or_default();
        Err(UnknownArchitecture { name: name.to_owned(), nearest, all: names.join(", ") })
    }
}

impl TryFrom<String> for Architecture {
    type Error = UnknownArchitecture;

    fn try_from(name: String) -> Result<Self, UnknownArchitecture> {
        name.parse()
    }
}

impl From<Architecture> for String {
    fn from(architecture: Architecture) -> String {
        architecture.name().to_owned()
    }
}

/// How a feature map becomes logits: two methods of the 2019 study, and CheXNet's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pool {
    /// The mean over the film; dropout, dense 512, dropout, dense.
    Average,
    /// The mean under a learned mask; dropout, dense 128 with ELU, dropout, dense.
    Attention,
    /// The mean over the film; dropout, dense. With dropout zero this is CheXNet's head. The class
    /// activation map of a finding is then exactly the feature map weighted by the finding's
    /// weights.
    Linear,
}

impl Pool {
    /// Returns the name used in experiments and in `model.toml`.
    pub fn name(self) -> &'static str {
        match self {
            Pool::Average => "average",
            Pool::Attention => "attention",
            Pool::Linear => "linear",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelled_architecture_is_answered_with_the_nearest() {
        let error = "mobilnet_v2".parse::<Architecture>().unwrap_err();

        assert_eq!(error.nearest, "mobilenet-v2");
    }

    #[test]
    fn every_name_is_read_as_what_it_names() {
        for architecture in Architecture::ALL {
            assert_eq!(architecture.name().parse(), Ok(architecture));
        }
    }
}
