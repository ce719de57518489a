//! The kinds of curves: their titles, captions and texts for screen readers.

use roentgen_figures::decimals;

use crate::format::count;
use crate::{Evaluation, FindingFigures, Interval};

/// The kind of curve that the panels show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::report) enum Kind {
    Roc,
    PrecisionRecall,
    Reliability,
    Decision,
}

impl Kind {
    pub(in crate::report) const ALL: [Self; 4] =
        [Self::Roc, Self::PrecisionRecall, Self::Reliability, Self::Decision];

    pub(in crate::report) fn title(self) -> &'static str {
        match self {
            Self::Roc => "ROC curves",
            Self::PrecisionRecall => "Precision and recall",
            Self::Reliability => "Reliability",
            Self::Decision => "Decision curves",
        }
    }

    /// Returns the anchor of its section on the page.
    pub(in crate::report) fn id(self) -> &'static str {
        match self {
            Self::Roc => "roc",
            Self::PrecisionRecall => "precision-recall",
            Self::Reliability => "reliability",
            Self::Decision => "decision",
        }
    }

    /// Returns the name of the picture with all panels.
    pub(in crate::report) fn file_name(self) -> &'static str {
        match self {
            Self::Roc => "roc.svg",
            Self::PrecisionRecall => "precision-recall.svg",
            Self::Reliability => "reliability.svg",
            Self::Decision => "decision-curves.svg",
        }
    }

    /// States what the panel of a finding shows, for screen readers.
    pub(super) fn describe(self, figures: &FindingFigures) -> String {
        let name = figures.name.replace('_', " ");
        let (positives, films) = (figures.positives, figures.positives + figures.negatives);
        let of = format!("{} positive of {} films", count(positives), count(films));
        match self {
            Self::Roc => {
                let auroc = with_interval(figures.auroc, figures.auroc_ci95);
                format!("ROC curve of {name}: AUROC {auroc}, {of}")
            }
            Self::PrecisionRecall => {
                let ap = with_interval(figures.average_precision, figures.average_precision_ci95);
                format!("Precision and recall of {name}: average precision {ap}, {of}")
            }
            Self::Reliability => {
                let ece = decimals(figures.ece, 3);
                format!("Reliability of {name}: expected calibration error {ece}, {of}")
            }
            Self::Decision => {
                let raw = thresholds(figures.useful_thresholds);
                let scaled = figures.platt.map(|_| {
                    format!("; after Platt scaling {}", thresholds(figures.useful_thresholds_platt))
                });
                format!(
                    "Decision curve of {name}: net benefit above acting on all films and on none \
                     {raw}{}, {of}",
                    scaled.unwrap_or_default()
                )
            }
        }
    }

    /// States what the panels of all findings show.
    pub(in crate::report) fn describe_all(self, evaluation: &Evaluation) -> String {
        let (title, mean) = (self.title(), &evaluation.mean);
        let over = format!("mean of {} findings", mean.findings);
        match self {
            Self::Roc => {
                let auroc = with_interval(mean.auroc, mean.auroc_ci95);
                format!("{title}: AUROC {auroc}, {over}")
            }
            Self::PrecisionRecall => {
                let average = with_interval(mean.average_precision, mean.average_precision_ci95);
                format!("{title}: average precision {average}, {over}")
            }
            Self::Reliability => {
                let ece = decimals(mean.ece, 3);
                format!("{title}: expected calibration error {ece}, {over}")
            }
            Self::Decision => {
                let is_useful = |each: &&FindingFigures| each.useful_thresholds.is_some();
                format!(
                    "{title}: net benefit above acting on all films and on none for {} of {} \
                     findings",
                    evaluation.findings.iter().filter(is_useful).count(),
                    evaluation.findings.len()
                )
            }
        }
    }

    /// Returns the caption, which explains how to read a panel.
    pub(in crate::report) fn caption(self, evaluation: &Evaluation) -> String {
        let dot = match (self, evaluation.main_point()) {
            (Self::Reliability | Self::Decision, _) => "",
            (_, "0.5") => " Dot: threshold 0.5.",
            _ => " Dot: threshold by Youden, fitted on other films.",
        };
        self.axes().to_owned() + dot
    }

    fn axes(self) -> &'static str {
        match self {
            Self::Roc => {
                "Sensitivity (vertical) against false positive rate (horizontal). AUROC next to \
                 the name, its 95 % interval below. Dashed: chance."
            }
            Self::PrecisionRecall => {
                "Precision (vertical) against recall (horizontal). Average precision next to the \
                 name, its 95 % interval below. Dashed: the prevalence, which is chance level. \
                "
            }
            Self::Reliability => {
                "Share of positive labels (vertical) against predicted probability (horizontal), \
                 in 15 equal bins, with 95 % intervals by patient. Each panel is zoomed to the \
                 bins of at least 10 films. The area of a dot grows with its number of films; \
                 hollow dots have fewer than 10. Expected calibration error next to the name. \
                 Dashed gray: perfect calibration. Long dashes: after Platt scaling, if it was \
                 fitted."
            }
            Self::Decision => {
                "Net benefit (vertical): true positives per film, minus false positives at the \
                 rate that the threshold (horizontal) accepts. Dashed gray: acting on every film; \
                 the floor is acting on none. A model is of use where it is above both; the lowest \
                 and the highest such threshold are below the name, on the right. Long dashes: \
                 after Platt scaling, if it was fitted."
            }
        }
    }
}

fn with_interval(value: Option<f64>, interval: Option<Interval>) -> String {
    let ends = interval.map(|Interval { low, high }| format!(" ({low:.3} to {high:.3})"));
    format!("{}{}", decimals(value, 3), ends.unwrap_or_default())
}

/// States at which thresholds a model is of use, in words.
fn thresholds(useful: Option<[f64; 2]>) -> String {
    match useful {
        Some([low, high]) => format!("at thresholds from {low} to {high}"),
        None => "at no threshold".to_owned(),
    }
}
