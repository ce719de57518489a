//! The AUROC table and the ROC picture alone, without a report.

use super::tables::{MACRO, MICRO, high, low};
use super::{Report, plot};
use crate::csv_text::{cell, csv};
use crate::{Error, Evaluation, Interval};

/// Returns the AUROC of each finding and the means, each with its interval, as CSV.
///
/// # Errors
///
/// Never returns an error: the text is made in memory.
pub fn auroc_table(evaluation: &Evaluation) -> Result<String, Error> {
    let header = ["finding", "positives", "negatives", "auroc", "auroc_low", "auroc_high"];
    let mut rows = vec![header.map(str::to_owned)];
    let mut push = |name: &str, counts: [String; 2], auroc, interval: Option<Interval>| {
        let [positives, negatives] = counts;
        let (low, high) = (low(interval), high(interval));
        rows.push([name.to_owned(), positives, negatives, cell(auroc), low, high]);
    };
    for of in &evaluation.findings {
        let counts = [of.positives, of.negatives].map(|count| count.to_string());
        push(&of.name, counts, of.auroc, of.auroc_ci95);
    }
    let mean = &evaluation.mean;
    push(MACRO, Default::default(), mean.auroc, mean.auroc_ci95);
    push(MICRO, Default::default(), mean.micro_auroc, mean.micro_auroc_ci95);
    csv("auroc.csv", rows)
}

/// Returns the ROC curves of all findings as one SVG file, the `roc.svg` of a report.
#[must_use]
pub fn roc_picture(report: &Report) -> String {
    plot::picture(plot::Kind::Roc, report)
}
