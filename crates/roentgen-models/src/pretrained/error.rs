//! Why weights do not fit a network.

use roentgen_data::files::WriteError;

use super::FileError;
use crate::{classifier, weights};

/// Why weights do not fit.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// The file could not be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file belongs to another network.
    #[error(
        "`{path}` does not contain the weights of {architecture}: {missing} of its {all} tensors are \
         missing, such as `{example}`; the first tensor of the file is `{begins}`"
    )]
    Missing {
        /// The file.
        path: String,
        /// The requested architecture.
        architecture: &'static str,
        /// Number of missing tensors.
        missing: usize,
        /// Number of tensors that the backbone has.
        all: usize,
        /// The first missing tensor.
        example: String,
        /// The file's first tensor.
        begins: String,
    },
    /// The file has several copies of the network.
    #[error(
        "`{path}` contains several copies of {architecture}, whose names begin with {known}; \
         choose one: `--prefix` of `weights import`, `model.weights_prefix` of an experiment"
    )]
    Copies {
        /// The file.
        path: String,
        /// The requested architecture.
        architecture: &'static str,
        /// The prefix of each copy.
        known: Prefixes,
    },
    /// The file has no copy of the network with the chosen prefix.
    #[error(
        "`{path}` contains no copy of {architecture} whose names begin with `{prefix}`; those of \
         its copies begin with {known}"
    )]
    Prefix {
        /// The file.
        path: String,
        /// The requested architecture.
        architecture: &'static str,
        /// The chosen prefix.
        prefix: String,
        /// The prefix of each copy.
        known: Prefixes,
    },
    /// A tensor has another shape.
    #[error(
        "`{name}` in `{path}` has the shape {there:?}, but {architecture} has {here:?}; \
         published weights fit `width = 1` and films of 1 or 3 channels"
    )]
    Shape {
        /// The file.
        path: String,
        /// The tensor.
        name: String,
        /// The requested architecture.
        architecture: &'static str,
        /// Its shape in the file.
        there: Vec<usize>,
        /// Its shape in the network.
        here: Vec<usize>,
    },
    /// The file has convolutions that the network does not have.
    #[error(
        "`{path}` has {more} convolutions that {architecture} does not have, such as `{example}`; \
         name the architecture of the file"
    )]
    Larger {
        /// The file.
        path: String,
        /// The requested architecture.
        architecture: &'static str,
        /// Number of convolutions that were not used.
        more: usize,
        /// The first of them.
        example: String,
    },
    /// No single layer of the file can be the head.
    #[error(
        "`{path}` has {found} dense layers from {features} features to {outputs} outputs, but \
         there must be exactly one: {layers}"
    )]
    Head {
        /// The file.
        path: String,
        /// Number of layers with that shape.
        found: usize,
        /// Number of features of the backbone.
        features: usize,
        /// Number of requested outputs.
        outputs: usize,
        /// The dense layers that the file has, and what to do.
        layers: String,
    },
    /// The network cannot be built.
    #[error(transparent)]
    Network(#[from] classifier::Error),
    /// A file could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The network could not be packed.
    #[error("could not load the weights of `{path}` into the network")]
    Weights {
        /// The file.
        path: String,
        /// The cause.
        source: weights::Error,
    },
}

/// Prefixes for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefixes(pub Vec<String>);

impl std::fmt::Display for Prefixes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (number, prefix) in self.0.iter().enumerate() {
            let comma = match number {
                0 => "",
                _ if number + 1 == self.0.len() => " and ",
                _ => ", ",
            };
            match prefix.as_str() {
                "" => write!(f, "{comma}no prefix (`\"\"`)")?,
                prefix => write!(f, "{comma}`{prefix}`")?,
            }
        }
        Ok(())
    }
}
