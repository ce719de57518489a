//! Published AUROC of the same findings, each with the split it was measured on.
//!
//! The split changes the mean more than most methods do: 0.80 to 0.835 on the official list, 0.84
//! to 0.86 on random ones. A row is never shown without its split, and only rows of the same split
//! are comparable. Values were read in the works themselves, or in a work that quotes them; if only
//! the mean was available, the findings are empty.

use crate::NIH_FINDINGS;

/// One published row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Published {
    /// The work and the setting.
    pub work: &'static str,
    /// The split it was measured on. Never leave it out.
    pub split: &'static str,
    /// The mean over its findings, if given.
    pub mean: Option<f64>,
    /// Findings that were not measured.
    without: &'static [&'static str],
    /// In the order of [`NIH_FINDINGS`], without those.
    values: &'static [f64],
}

impl Published {
    /// Returns the AUROC of a finding, if given.
    pub fn auroc(&self, finding: &str) -> Option<f64> {
        let mut measured = NIH_FINDINGS.iter().filter(|name| !self.without.contains(name));
        let index = measured.position(|name| *name == finding)?;
        self.values.get(index).copied()
    }

    /// Whether both were measured on the whole official test list, the only split shared by several
    /// works.
    pub fn is_comparable_with(&self, split: Option<&str>, films: usize) -> bool {
        self.split == OFFICIAL && split == Some("official test") && films == OFFICIAL_FILMS
    }
}

/// Number of films on NIH's `test_list.txt`, of 2,797 patients.
const OFFICIAL_FILMS: usize = 25_596;
/// NIH's `test_list.txt`.
const OFFICIAL: &str = "official test list, by patient";
/// The split of the CVPR 2017 paper, which predates the official list.
const BEFORE: &str = "own split of 2017, before the official list";
/// The 2019 study's split: patients on both sides, films without findings left out.
const STUDY: &str = "2019 study: by film, leaky; films with findings only, augmented";

/// The findings that ChestX-ray8, the data set of 2017, did not have.
const NOT_IN_EIGHT: &[&str] =
    &["Consolidation", "Edema", "Emphysema", "Fibrosis", "Hernia", "Pleural_Thickening"];
/// The finding that the 2019 study dropped.
const NOT_IN_STUDY: &[&str] = &["Hernia"];

const fn official(work: &'static str, mean: f64, values: &'static [f64]) -> Published {
    Published { work, split: OFFICIAL, mean: Some(mean), without: &[], values }
}

const fn before(work: &'static str, values: &'static [f64; 8]) -> Published {
    Published { work, split: BEFORE, mean: None, without: NOT_IN_EIGHT, values }
}

const fn study(work: &'static str, mean: f64, values: &'static [f64; 13]) -> Published {
    Published { work, split: STUDY, mean: Some(mean), without: NOT_IN_STUDY, values }
}

/// All rows: the official list, then the table that the 2019 study compared itself with, then the
/// study.
#[rustfmt::skip] // A table is read by its columns.
pub const PUBLISHED: &[Published] = &[
    official("Wang 2017 (arXiv v5), ResNet-50", 0.7451, &[0.7003, 0.8100, 0.7032, 0.8052, 0.7585, 0.8330, 0.7859, 0.8717, 0.6614, 0.6933, 0.6687, 0.6835, 0.6580, 0.7993]),
    official("Yao 2018, multi-resolution LSE", 0.761, &[]),
    official("Guendel 2018, DNetLoc, with PLCO", 0.807, &[]),
    official("Baltruschat 2019, ResNet-38, with age, sex, view", 0.806, &[]),
    official("Kim 2021, XProtoNet, DenseNet-121", 0.822, &[0.782]),
    official("SwinCheX 2022, Swin-L", 0.810, &[0.781, 0.875, 0.748, 0.848, 0.824, 0.914, 0.826, 0.855, 0.701, 0.822, 0.780, 0.778, 0.713, 0.871]),
    official("Open repository 2026, ResNet-18", 0.7893, &[0.7499, 0.8666, 0.7242, 0.8334, 0.8107, 0.8822, 0.8039, 0.9189, 0.6955, 0.7782, 0.7151, 0.7568, 0.6806, 0.8339]),
    before("Wang CVPR 2017, AlexNet", &[0.6458, 0.6925, 0.6642, 0.6041, 0.5644, 0.6487, 0.5493, 0.7425]),
    before("Wang CVPR 2017, GoogLeNet", &[0.6307, 0.7056, 0.6876, 0.6088, 0.5363, 0.5579, 0.5990, 0.7824]),
    before("Wang CVPR 2017, VGGNet-16", &[0.6281, 0.7084, 0.6502, 0.5896, 0.5103, 0.6556, 0.5100, 0.7516]),
    before("Wang CVPR 2017, ResNet-50", &[0.7069, 0.8141, 0.7362, 0.6128, 0.5609, 0.7164, 0.6333, 0.7891]),
    before("Wang CVPR 2017, CEL", &[0.7064, 0.7262, 0.7351, 0.6084, 0.5530, 0.6545, 0.5164, 0.7665]),
    before("Wang CVPR 2017, W-CEL", &[0.7069, 0.8141, 0.7362, 0.6128, 0.5609, 0.7164, 0.6333, 0.7891]),
    study("MobileNet", 0.7753, &[0.757, 0.904, 0.702, 0.846, 0.830, 0.860, 0.769, 0.680, 0.782, 0.695, 0.736, 0.677, 0.841]),
    study("Inception-ResNet-V2", 0.7699, &[0.762, 0.885, 0.687, 0.842, 0.827, 0.864, 0.755, 0.682, 0.769, 0.702, 0.717, 0.678, 0.839]),
    study("VGG19", 0.5184, &[0.538, 0.560, 0.588, 0.700, 0.586, 0.495, 0.360, 0.551, 0.452, 0.421, 0.437, 0.560, 0.491]),
    study("average of the three", 0.7845, &[0.773, 0.910, 0.703, 0.852, 0.838, 0.876, 0.772, 0.689, 0.799, 0.709, 0.735, 0.691, 0.851]),
    study("weighted .5, .3, .2", 0.7851, &[0.773, 0.911, 0.704, 0.853, 0.838, 0.877, 0.772, 0.689, 0.799, 0.708, 0.737, 0.693, 0.852]),
    study("hard vote", 0.586, &[0.619, 0.670, 0.500, 0.507, 0.739, 0.655, 0.500, 0.641, 0.578, 0.509, 0.500, 0.500, 0.700]),
    study("max", 0.781, &[0.769, 0.908, 0.701, 0.850, 0.836, 0.873, 0.767, 0.686, 0.796, 0.706, 0.730, 0.684, 0.847]),
    study("MobileNet on the board, command line", 0.7740, &[0.746, 0.892, 0.710, 0.848, 0.828, 0.848, 0.791, 0.682, 0.780, 0.696, 0.713, 0.677, 0.851]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_is_that_of_its_row() {
        for row in PUBLISHED.iter().filter(|row| row.values.len() > 8) {
            let mean = row.values.iter().sum::<f64>() / row.values.len() as f64;

            assert_eq!(row.values.len(), NIH_FINDINGS.len() - row.without.len(), "{}", row.work);
            let distance = (mean - row.mean.unwrap()).abs();
            assert!(distance < 6e-4, "{}: {mean}", row.work);
        }
    }

    #[test]
    fn every_finding_is_one_of_the_nih() {
        let names = PUBLISHED.iter().flat_map(|row| row.without);

        assert!(names.into_iter().all(|name| NIH_FINDINGS.contains(name)));
    }

    #[test]
    fn a_finding_that_was_not_measured_has_no_value() {
        let find = |work| PUBLISHED.iter().find(|row| row.work == work).unwrap();

        assert_eq!(find("MobileNet").auroc("Hernia"), None);
        assert_eq!(find("MobileNet").auroc("Pneumonia"), Some(0.677));
        assert_eq!(find("Wang CVPR 2017, AlexNet").auroc("Pneumothorax"), Some(0.7425));
        assert_eq!(find("Wang CVPR 2017, AlexNet").auroc("Edema"), None);
        let first = find("Wang 2017 (arXiv v5), ResNet-50");
        assert_eq!(first.auroc("Hernia"), Some(0.8717));
        assert_eq!(first.auroc("Consolidation"), Some(0.7032));
        assert_eq!(find("Kim 2021, XProtoNet, DenseNet-121").auroc("Atelectasis"), Some(0.782));
    }

    #[test]
    fn only_the_whole_official_list_is_comparable() {
        let comparable = |split, films| {
            PUBLISHED.iter().filter(|row| row.is_comparable_with(split, films)).count()
        };

        assert_eq!(comparable(Some("official test"), 25_596), 7);
        assert_eq!(comparable(Some("official test"), 207), 0);
        for split in [None, Some("by-image test, leaky"), Some("mixed: official test, valid")] {
            assert_eq!(comparable(split, 25_596), 0);
        }
    }
}
