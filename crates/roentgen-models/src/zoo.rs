//! The architectures by name, with the facts needed to use them.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use roentgen_data::preprocess::Normalize;

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
}

/// Facts needed to use an architecture.
struct Facts {
    name: &'static str,
    native_size: usize,
    least_size: usize,
    normalization: Normalize,
    activations: f64,
}

impl Architecture {
    /// All architectures.
    pub const ALL: [Architecture; 11] = [
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
    ];

    fn facts(self) -> Facts {
        use Normalize::{Imagenet, MinusOneToOne};
        let facts = |name, native_size, least_size, normalization, activations| Facts {
            name,
            native_size,
            least_size,
            normalization,
            activations,
        };
        match self {
            Architecture::Mobilenet => facts("mobilenet", 224, 32, MinusOneToOne, 201.0),
            Architecture::MobilenetV2 => facts("mobilenet-v2", 224, 32, Imagenet, 266.2),
            Architecture::InceptionV3 => facts("inception-v3", 299, 75, MinusOneToOne, 196.8),
            Architecture::InceptionResnetV2 => {
                facts("inception-resnet-v2", 299, 75, MinusOneToOne, 420.3)
            }
            Architecture::Vgg16 => facts("vgg16", 224, 32, Imagenet, 270.0),
            Architecture::Vgg19 => facts("vgg19", 224, 32, Imagenet, 296.0),
            Architecture::NasnetLarge => facts("nasnet-large", 331, 32, MinusOneToOne, 1245.1),
            Architecture::NasnetMobile => facts("nasnet-mobile", 224, 32, MinusOneToOne, 249.8),
            Architecture::Resnet50 => facts("resnet50", 224, 32, Imagenet, 443.0),
            Architecture::Densenet121 => facts("densenet121", 224, 32, Imagenet, 449.8),
            Architecture::EfficientnetB0 => facts("efficientnet-b0", 224, 32, Imagenet, 268.7),
        }
    }

    /// Returns the name used in experiments and tables.
    pub fn name(self) -> &'static str {
        self.facts().name
    }

    /// Returns the size of the films that its paper trains on, in pixels.
    pub fn native_size(self) -> usize {
        self.facts().native_size
    }

    /// Returns the smallest size of films it accepts, in pixels; below it the feature map is empty.
    pub fn least_size(self) -> usize {
        self.facts().least_size
    }

    /// Returns the normalization that its published weights expect.
    pub fn normalization(self) -> Normalize {
        self.facts().normalization
    }

    /// Returns an upper estimate of the values that the forward pass keeps for the backward pass,
    /// per pixel of the film and at the paper's width: the outputs of all convolutions and norms,
    /// counted by `scripts/parity.py`. On the CPU most norms keep none.
    pub fn activations(self) -> f64 {
        self.facts().activations
    }
}

/// A name that no architecture has.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no architecture `{name}`; did you mean `{nearest}`? The names are: {all}")]
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
