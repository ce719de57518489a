//! The comparison as CSV: one line per run, with all digits.

use super::{ComparedRun, Criterion, Failure};
use crate::Measured;

/// Writes one line per run; an undefined figure is an empty cell.
pub(super) fn csv(rows: &[ComparedRun], failed: &[Failure]) -> Result<String, crate::Error> {
    let keys = keys(rows);
    let mut writer = csv::Writer::from_writer(Vec::new());
    let failure = |source: csv::Error| crate::Error::Csv { path: "comparison.csv".into(), source };
    let mut header = vec!["name".to_owned()];
    header.extend(keys.iter().cloned());
    header.extend(FIGURES.map(str::to_owned));
    writer.write_record(&header).map_err(failure)?;
    for row in rows {
        let mut cells = vec![row.entrant.name.clone()];
        cells.extend(keys.iter().map(|key| setting(row, key).to_owned()));
        cells.extend(figures(row));
        writer.write_record(&cells).map_err(failure)?;
    }
    for failed in failed {
        let mut cells = vec![String::new(); header.len()];
        cells[0].clone_from(&failed.name);
        if let Some(last) = cells.last_mut() {
            last.clone_from(&failed.reason);
        }
        writer.write_record(&cells).map_err(failure)?;
    }
    let bytes = writer.into_inner().map_err(|error| failure(error.into_error().into()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

const FIGURES: [&str; 20] = [
    "best_by",
    "epochs",
    "best_epoch",
    "valid_loss",
    "valid_loss_low",
    "valid_loss_high",
    "valid_auroc",
    "valid_auroc_low",
    "valid_auroc_high",
    "binary_accuracy",
    "binary_accuracy_all_negative",
    "parameters",
    "seconds",
    "films_per_second",
    "peak_memory_mib",
    "reported_valid_loss",
    "reported_auroc",
    "reported_binary_accuracy",
    "split",
    "failed",
];

fn figures(row: &ComparedRun) -> [String; 20] {
    let given = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    let three = |measured: Option<Measured>| {
        let interval = measured.and_then(|measured| measured.interval);
        [
            given(measured.map(|measured| measured.value)),
            given(interval.map(|interval| interval.low)),
            given(interval.map(|interval| interval.high)),
        ]
    };
    let [loss, loss_low, loss_high] = three(row.loss);
    let [auroc, auroc_low, auroc_high] = three(row.auroc);
    let (cost, reported) = (&row.entrant.cost, &row.entrant.reported);
    let best_by = match row.entrant.best_by {
        Criterion::Loss => "loss",
        Criterion::Auroc => "auroc",
    };
    [
        best_by.to_owned(),
        row.entrant.epochs.len().to_string(),
        row.best_epoch().map_or_else(String::new, |epoch| epoch.epoch.to_string()),
        loss,
        loss_low,
        loss_high,
        auroc,
        auroc_low,
        auroc_high,
        given(row.accuracy),
        given(row.accuracy_all_negative),
        cost.parameters.to_string(),
        format!("{:.3}", cost.seconds),
        format!("{:.3}", cost.films_per_second),
        cost.peak_memory_mib.map_or_else(String::new, |memory| memory.to_string()),
        given(reported.valid_loss),
        given(reported.auroc),
        given(reported.binary_accuracy),
        row.entrant.scores.split().unwrap_or_default(),
        String::new(),
    ]
}

/// Lists all keys in which the runs differ, in the order in which they appear.
pub(super) fn keys(rows: &[ComparedRun]) -> Vec<String> {
    let mut keys: Vec<String> = Vec::new();
    for (key, _) in rows.iter().flat_map(|row| &row.entrant.settings) {
        if !keys.contains(key) {
            keys.push(key.clone());
        }
    }
    keys
}

/// Returns a run's value of a key, or an empty text if the run does not set it.
pub(super) fn setting<'a>(row: &'a ComparedRun, key: &str) -> &'a str {
    let found = row.entrant.settings.iter().find(|(own, _)| own == key);
    found.map_or("", |(_, value)| value.as_str())
}
