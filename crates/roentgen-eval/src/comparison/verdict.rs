//! The best run compared with its runner-up, on the same films and the same resamples of patients.

use super::Row;
use crate::report::format::figure;
use crate::{Interval, Options, paired_difference, paired_log_loss};

/// The figure by which runs are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The loss on the validation films; lower is better.
    Loss,
    /// The mean AUROC; higher is better.
    Auroc,
}

/// The best run and whether its lead is significant.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The figure that runs are compared by.
    pub by: By,
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
        let (what, digits) = match self.by {
            By::Loss => ("validation loss", 4),
            By::Auroc => ("mean AUROC", 3),
        };
        let Self { best, runner_up, value, .. } = self;
        let head = format!("Best by {what}: {best} ({value:.digits$}), ahead of {runner_up}.");
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

/// Returns the verdict by loss and the verdict by AUROC. A verdict needs at least two runs that
/// have the figure.
pub(super) fn verdicts(rows: &[Row], options: &Options) -> Vec<Verdict> {
    [By::Loss, By::Auroc].into_iter().filter_map(|by| verdict(rows, by, options)).collect()
}

fn verdict(rows: &[Row], by: By, options: &Options) -> Option<Verdict> {
    // Smaller is better for both once the AUROC is negated.
    let rank = |row: &&Row| match by {
        By::Loss => row.loss.map(|loss| loss.value),
        By::Auroc => row.auroc.map(|auroc| -auroc.value),
    };
    let mut ranked: Vec<(f64, &Row)> =
        rows.iter().filter_map(|row| Some((rank(&row)?, row))).collect();
    ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
    let [(value, best), (_, second), ..] = ranked.as_slice() else { return None };
    let (best, second) = (&best.entrant, &second.entrant);
    let (lead, interval) = match by {
        By::Loss => match paired_log_loss(&best.scores, &second.scores, options) {
            Ok(Some(difference)) => (Some(difference.value), difference.interval),
            Ok(None) | Err(_) => (None, None),
        },
        By::Auroc => match paired_difference(&second.scores, &best.scores, options) {
            Ok((_, mean)) => (mean.value, mean.interval),
            Err(_) => (None, None),
        },
    };
    Some(Verdict {
        by,
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
