//! Each tensor of a backbone under the name that its published weights have.
//!
//! Burn names a norm's tensors `gamma` and `beta`, PyTorch `weight` and `bias`; the rest of a name is
//! the backbone's own business.

use crate::zoo::Architecture;

/// A tensor of ours that published weights should hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its path in our network.
    pub path: String,
    /// Its name in the published weights, in their newest spelling.
    pub name: String,
    /// Its shape in our network.
    pub shape: Vec<usize>,
}

/// The tensors of a backbone, from the paths and shapes of a whole classifier's.
///
/// Paths that belong to no backbone are left out; a backbone's that the published weights do not
/// name, which would be a mistake of ours, is given under its own path.
pub fn wanted<'a>(
    architecture: Architecture,
    tensors: impl Iterator<Item = (&'a str, Vec<usize>)>,
) -> Vec<Wanted> {
    tensors
        .filter_map(|(path, shape)| {
            let mut parts = path.split('.');
            if parts.next() != Some("backbone") {
                return None;
            }
            // The second is the variant of the enum.
            let parts: Vec<_> = parts.skip(1).collect();
            let (leaf, module) = parts.split_last()?;
            let leaf = match *leaf {
                "gamma" => "weight",
                "beta" => "bias",
                leaf => leaf,
            };
            let name = match architecture.published(module) {
                Some(module) => format!("{module}.{leaf}"),
                None => path.to_owned(),
            };
            Some(Wanted { path: path.to_owned(), name, shape })
        })
        .collect()
}
