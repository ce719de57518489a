//! The kinds of curves: their titles, captions and texts for screen readers.

use roentgen_figures::decimals;

use super::decision::describe_use;
use crate::format::count;
use crate::{Evaluation, FindingFigures, Interval, NetBenefit};

/// The kind of curve that the panels show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::report) enum Kind {
    Roc,
    PrecisionRecall,
    Reliability,
    Decision,
}

impl Kind {
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Roc => "ROC curves",
            Self::PrecisionRecall => "Precision and recall",
            Self::Reliability => "Reliability",
            Self::Decision => "Decision curves",
        }
    }

    /// States what the panel of a finding shows, for screen readers.
    pub(super) fn describe(self, figures: &FindingFigures, curve: &[NetBenefit]) -> String {
        let name = figures.name.replace('_', " ");
        let (positives, films) = (figures.positives, figures.positives + figures.negatives);
        let of = format!("{} positive of {} films", count(positives), count(films));
        let with_interval = |value: Option<f64>, interval: Option<Interval>| {
            let ends = interval.map(|Interval { low, high }| format!(" ({low:.3} to {high:.3})"));
            format!("{}{}", decimals(value, 3), ends.unwrap_or_default())
        };
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
            Self::Decision => format!("Decision curve of {name}: {}, {of}", describe_use(curve)),
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
