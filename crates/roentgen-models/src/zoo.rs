//! The architectures by name, with what one must know to use them.

use serde::{Deserialize, Serialize};

use roentgen_data::preprocess::Normalize;

/// A backbone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Architecture {
    /// MobileNetV1, [paper](https://arxiv.org/abs/1704.04861).
    Mobilenet,
}

impl Architecture {
    /// All of them.
    pub const ALL: [Architecture; 1] = [Architecture::Mobilenet];

    /// The name in experiments and tables.
    pub fn name(self) -> &'static str {
        match self {
            Architecture::Mobilenet => "mobilenet",
        }
    }

    /// The size of film its paper trains on, in pixels.
    pub fn native_size(self) -> usize {
        match self {
            Architecture::Mobilenet => 224,
        }
    }

    /// The smallest film it takes, in pixels: below it the feature map is empty.
    pub fn least_size(self) -> usize {
        match self {
            Architecture::Mobilenet => 32,
        }
    }

    /// The normalization its published weights expect.
    pub fn normalization(self) -> Normalize {
        match self {
            Architecture::Mobilenet => Normalize::MinusOneToOne,
        }
    }
}

/// How a feature map becomes one vector, and with it which of the 2019 study's heads follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pool {
    /// The mean over the film; dropout, dense 512, dropout, dense.
    Average,
    /// The mean under a learned mask; dropout, dense 128 with ELU, dropout, dense.
    Attention,
}
