//! The source of every tensor that was loaded.

use std::collections::HashSet;

use super::WeightFile;

/// Result of loading weights.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FitReport {
    /// Each tensor of the backbone and its source.
    pub found: Vec<FoundTensor>,
    /// Tensors of the file that were not used: a classifier, counters.
    pub left: Vec<String>,
    /// Whether the first convolution was summed over the color channels.
    pub is_gray: bool,
    /// What precedes the names of the backbone in the file, such as `module.`.
    pub prefix: String,
    /// The same of other copies of the backbone.
    pub(super) others: Vec<String>,
}

impl FitReport {
    /// Records the tensors of the file that were not used.
    pub(super) fn record_unused(&mut self, file: &WeightFile) {
        let used: HashSet<_> = self.found.iter().map(|found| found.source.as_str()).collect();
        let left = file.shapes().map(|(name, _)| name).filter(|name| !used.contains(name));
        self.left = left.map(Into::into).collect();
    }

    /// Lists the convolutions of the file that were not used and are in a part of the backbone that
    /// was: those of a deeper network of the same family, such as ResNet-101 read as ResNet-50. What
    /// is beside the backbone, such as an auxiliary classifier, is not listed.
    pub(super) fn deeper_convolutions<'a>(&self, file: &'a WeightFile) -> Vec<&'a str> {
        let part = |name: &str| {
            let below = name.strip_prefix(&self.prefix)?;
            below.split_once('.').map(|(part, _)| part.to_owned())
        };
        let used: HashSet<_> = self.found.iter().map(|found| found.source.as_str()).collect();
        let parts: HashSet<_> = used.iter().filter_map(|name| part(name)).collect();
        let is_deeper = |(name, shape): &(&str, &[usize])| {
            shape.len() == 4
                && !used.contains(name)
                && part(name).is_some_and(|part| parts.contains(&part))
        };
        file.shapes().filter(is_deeper).map(|(name, _)| name).collect()
    }
}

/// A tensor and its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundTensor {
    /// Its path in our network.
    pub path: String,
    /// Its name in the file, or the value it was set to.
    pub source: String,
    /// Its shape in our network.
    pub shape: Vec<usize>,
}
