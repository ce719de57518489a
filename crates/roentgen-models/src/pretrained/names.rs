//! The name of each tensor of a backbone in its published weights.
//!
//! Burn names a norm's tensors `gamma` and `beta`, PyTorch `weight` and `bias`; the backbone
//! determines the rest of a name.

use crate::zoo::Architecture;

/// A tensor of our network that published weights should contain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedTensor {
    /// Its path in our network.
    pub path: String,
    /// Its name in the published weights, in their newest spelling.
    pub name: String,
    /// Its shape in our network.
    pub shape: Vec<usize>,
}

/// Lists the tensors of a backbone, given the paths and shapes of a whole classifier.
///
/// Paths outside the backbone are left out. A path of the backbone without a published name, which
/// would be a bug, keeps its own path.
pub fn list_wanted<'a>(
    architecture: Architecture,
    tensors: impl Iterator<Item = (&'a str, Vec<usize>)>,
) -> Vec<PublishedTensor> {
    tensors
        .filter_map(|(path, shape)| {
            let mut parts = path.split('.');
            if parts.next() != Some("backbone") {
                return None;
            }
            // The second part is the variant of the enum.
            let parts: Vec<_> = parts.skip(1).collect();
            let (leaf, module) = parts.split_last()?;
            let leaf = match *leaf {
                "gamma" => "weight",
                "beta" => "bias",
                leaf => leaf,
            };
            let name = match (architecture.blueprint().published)(module) {
                Some(module) => format!("{module}.{leaf}"),
                None => path.to_owned(),
            };
            Some(PublishedTensor { path: path.to_owned(), name, shape })
        })
        .collect()
}
