//! The best run compared with its runner-up, on the same films and the same resamples of patients.

use super::ComparedRun;
use crate::format::figure;
use crate::{BootstrapOptions, Interval, paired_difference, paired_log_loss};

/// The figure by which runs are selected and compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Criterion {
    /// The loss on the validation films; lower is better.
    Loss,
    /// The mean AUROC; higher is better.
    Auroc,
}

impl Criterion {
    /// Returns its name in a sentence.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Loss => "validation loss",
            Self::Auroc => "mean AUROC",
        }
    }

    /// Returns a run's figure, smaller for a better run.
    pub(super) fn rank(self, row: &ComparedRun) -> Option<f64> {
        match self {
            Self::Loss => row.loss.map(|loss| loss.value),
            Self::Auroc => row.auroc.map(|auroc| -auroc.value),
        }
    }
}

/// The best run and whether its lead is significant.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The figure that runs are compared by.
    pub by: Criterion,
    /// Whether all runs were selected by this figure, so that the first of them is the best run.
    pub is_selection: bool,
    /// The best run's name.
    pub best: String,
    /// Its figure.
    pub value: f64,
    /// The second best's name.
    pub runner_up: String,
    /// How much better the best run is, zero or more; `None` if the two were not measured on the
    /// same films.
    pub lead: Option<f64>,
    /// The lead's 95 % interval.
    pub interval: Option<Interval>,
}

impl Verdict {
    /// Returns whether the interval of the lead excludes zero.
    pub fn is_clear(&self) -> bool {
        self.interval.is_some_and(|interval| interval.low > 0.0)
    }

    /// Returns the verdict as a sentence.
    pub fn sentence(&self) -> String {
        let what = self.by.name();
        let digits = match self.by {
            Criterion::Loss => 4,
            Criterion::Auroc => 3,
        };
        let Self { best, runner_up, value, .. } = self;
        let head = match self.is_selection {
            true => format!("Best run by {what}, the criterion of selection: {best}"),
            false => format!("For reference, by {what}: {best}"),
        };
        let head = format!("{head} ({value:.digits$}), ahead of {runner_up}.");
        match (self.lead, self.interval) {
            (Some(lead), Some(Interval { low, high })) => {
                let end = match self.is_clear() {
                    true => "significant at the 95 % level",
                    false => "not significant at the 95 % level",
                };
                format!("{head} It leads by {lead:.4} ({low:.4} to {high:.4}), {end}.")
            }
            (Some(lead), None) => {
                format!("{head} It leads by {lead:.4}; the interval is undefined.")
            }
            _ => format!(
                "{head} They were not measured on the same films, so the difference is not tested."
            ),
        }
    }
}

/// Returns the verdict by the criterion of the runs, and then by the other one. A verdict needs at
/// least two runs that have the figure.
pub(super) fn verdicts(
    rows: &[ComparedRun],
    best_by: Option<Criterion>,
    options: &BootstrapOptions,
) -> Vec<Verdict> {
    let order = match best_by {
        Some(Criterion::Auroc) => [Criterion::Auroc, Criterion::Loss],
        Some(Criterion::Loss) | None => [Criterion::Loss, Criterion::Auroc],
    };
    let all = order.into_iter();
    all.filter_map(|by| verdict(rows, by, best_by == Some(by), options)).collect()
}

fn verdict(
    rows: &[ComparedRun],
    by: Criterion,
    is_selection: bool,
    options: &BootstrapOptions,
) -> Option<Verdict> {
    let mut ranked: Vec<(f64, &ComparedRun)> =
        rows.iter().filter_map(|row| Some((by.rank(row)?, row))).collect();
    ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
    let [(value, best), (_, second), ..] = ranked.as_slice() else { return None };
    let (best, second) = (&best.entrant, &second.entrant);
    let (lead, interval) = match by {
        Criterion::Loss => match paired_log_loss(&best.scores, &second.scores, options) {
            Ok(Some(difference)) => (Some(difference.value), difference.interval),
            Ok(None) | Err(_) => (None, None),
        },
        Criterion::Auroc => match paired_difference(&second.scores, &best.scores, options) {
            Ok((_, mean)) => (mean.value, mean.interval),
            Err(_) => (None, None),
        },
    };
    Some(Verdict {
        by,
        is_selection,
        best: best.name.clone(),
        value: value.abs(),
        runner_up: second.name.clone(),
        lead,
        interval,
    })
}

/// Formats a figure and its interval, such as `0.2911` and `0.2850 to 0.2971`. Without an interval
/// the second text is empty.
pub(super) fn with_interval(measured: Option<crate::Measured>) -> [String; 2] {
    let Some(measured) = measured else { return [figure(None), String::new()] };
    let interval = measured.interval.map(|Interval { low, high }| format!("{low:.4} to {high:.4}"));
    [format!("{:.4}", measured.value), interval.unwrap_or_default()]
}
