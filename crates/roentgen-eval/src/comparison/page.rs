//! All the texts of a comparison, which both templates fill in.

use serde::Serialize;

use super::curves::{Chart, Curve, chart};
use super::table::{keys, setting};
use super::verdict::with_interval;
use super::{ComparedRun, Comparison, Criterion, Failure, Repeats, RunEpoch, Spread};
use crate::evaluation::names_phantom;
use crate::format::{count, figure, figure_or_dash};
use crate::split::says_leaky;

/// The maximum number of runs whose loss is shown epoch by epoch; more would not fit on a page.
const BY_EPOCH: usize = 12;
/// The maximum number of characters of a failure's reason.
const REASON: usize = 240;
/// Shades of the heat map.
const SHADES: f64 = 9.0;

/// The data of the templates.
#[derive(Debug, Serialize)]
pub(super) struct ComparisonPage {
    title: String,
    version: &'static str,
    style: &'static str,
    plot_style: &'static str,
    own_style: &'static str,
    split: String,
    dataset: String,
    is_phantom: bool,
    is_leaky: bool,
    runs: usize,
    open: usize,
    failed: Vec<Failure>,
    verdicts: Vec<Sentence>,
    /// What the runs were selected and are sorted by; `None` if they differ in it.
    best_by: Option<&'static str>,
    sorted_by: &'static str,
    repeats: Vec<Repeated>,
    keys: Vec<String>,
    rows: Vec<RunRow>,
    has_reported: bool,
    reported_by: String,
    heat: Option<Heat>,
    loss_curves: Chart,
    auroc_curves: Option<Chart>,
    by_epoch: Option<ByEpoch>,
    resamples: usize,
    seed: u64,
}

#[derive(Debug, Serialize)]
struct Sentence {
    text: String,
    is_selection: bool,
    is_clear: bool,
}

#[derive(Debug, Serialize)]
struct RunRow {
    name: String,
    settings: Vec<String>,
    /// The figure, and its interval.
    loss: [String; 2],
    auroc: [String; 2],
    accuracy: String,
    accuracy_all_negative: String,
    best_epoch: String,
    parameters: String,
    minutes: String,
    films_per_second: String,
    memory: String,
    reported: String,
}

/// Runs that differ only in seed or fold.
#[derive(Debug, Serialize)]
struct Repeated {
    settings: String,
    over: String,
    runs: usize,
    loss: String,
    auroc: String,
    films: &'static str,
}

impl Repeated {
    fn of(repeats: &Repeats) -> Self {
        let settings: Vec<String> =
            repeats.settings.iter().map(|(key, value)| format!("{key} = {value}")).collect();
        let spread = |spread: Option<Spread>| {
            spread.map_or_else(
                || figure_or_dash(None),
                |Spread { mean, deviation }| format!("{mean:.4} ± {deviation:.4}"),
            )
        };
        Self {
            settings: if settings.is_empty() { "all settings".into() } else { settings.join(", ") },
            over: repeats.over.join(", "),
            runs: repeats.runs.len(),
            loss: spread(repeats.loss),
            auroc: spread(repeats.auroc),
            films: if repeats.has_same_films { "the same" } else { "differ between runs" },
        }
    }
}

/// The figure of each run by two settings.
#[derive(Debug, Serialize)]
struct Heat {
    what: &'static str,
    better: &'static str,
    down: String,
    across: String,
    columns: Vec<String>,
    rows: Vec<(String, Vec<Cell>)>,
}

#[derive(Debug, Serialize)]
struct Cell {
    text: String,
    /// 0 is the best, 9 the worst, `None` a point without a figure.
    shade: Option<u32>,
}

/// The loss of each run, epoch by epoch.
#[derive(Debug, Serialize)]
struct ByEpoch {
    names: Vec<String>,
    rows: Vec<(usize, Vec<String>)>,
}

impl ComparisonPage {
    pub(super) fn of(comparison: &Comparison) -> Self {
        let keys = keys(&comparison.rows);
        let mut ranked: Vec<&ComparedRun> = comparison.rows.iter().collect();
        let by = comparison.best_by.unwrap_or(Criterion::Loss);
        let rank = |row: &ComparedRun| by.rank(row).unwrap_or(f64::INFINITY);
        ranked.sort_by(|a, b| rank(a).total_cmp(&rank(b)));
        let mut splits: Vec<String> =
            ranked.iter().filter_map(|row| row.entrant.scores.split()).collect();
        splits.sort();
        splits.dedup();
        let mut datasets: Vec<String> =
            ranked.iter().filter_map(|row| row.entrant.scores.dataset()).collect();
        datasets.sort();
        datasets.dedup();
        let reported =
            |row: &&ComparedRun| row.entrant.reported != super::ReportedFigures::default();
        let auroc_curves = ranked.iter().any(|row| row.auroc.is_some());
        Self {
            title: comparison.title.clone(),
            version: env!("CARGO_PKG_VERSION"),
            style: include_str!("../report/report.css"),
            plot_style: roentgen_figures::STYLE,
            own_style: include_str!("comparison.css"),
            is_phantom: datasets.iter().any(|dataset| names_phantom(dataset)),
            is_leaky: splits.iter().any(|split| says_leaky(split)),
            split: splits.join("; "),
            dataset: datasets.join("; "),
            runs: ranked.len(),
            open: comparison.open,
            failed: comparison.failed.iter().map(shorten).collect(),
            verdicts: comparison
                .verdicts
                .iter()
                .map(|verdict| Sentence {
                    text: verdict.sentence(),
                    is_selection: verdict.is_selection,
                    is_clear: verdict.is_clear(),
                })
                .collect(),
            best_by: comparison.best_by.map(Criterion::name),
            sorted_by: by.name(),
            repeats: comparison.repeats.iter().map(Repeated::of).collect(),
            rows: ranked.iter().map(|row| RunRow::of(row, &keys)).collect(),
            reported_by: comparison.reported_by.clone(),
            has_reported: ranked.iter().any(reported),
            heat: heat(&comparison.rows, &keys, by),
            loss_curves: chart(
                &curves(&ranked, |epoch| Some(epoch.valid_loss), |epoch| Some(epoch.train_loss)),
                "Loss by epoch",
            ),
            auroc_curves: auroc_curves.then(|| {
                chart(
                    &curves(&ranked, |epoch| epoch.valid_auroc, |_| None),
                    "Validation AUROC by epoch",
                )
            }),
            by_epoch: (ranked.len() <= BY_EPOCH).then(|| group_by_epoch(&comparison.rows)),
            keys,
            resamples: comparison.options.resamples,
            seed: comparison.options.seed,
        }
    }
}

/// Shortens the reason of a failure to fit on a page; the CSV has all of it.
fn shorten(failure: &Failure) -> Failure {
    let short: String = failure.reason.chars().take(REASON).collect();
    let reason = if short.len() < failure.reason.len() { short + "…" } else { short };
    Failure { name: failure.name.clone(), reason }
}

impl RunRow {
    fn of(row: &ComparedRun, keys: &[String]) -> Self {
        let entrant = &row.entrant;
        let reported = &entrant.reported;
        let of = |value: Option<f64>, what: &str| value.map(|value| format!("{what} {value}"));
        let reported = [
            of(reported.valid_loss, "loss"),
            of(reported.auroc, "AUROC"),
            of(reported.binary_accuracy, "accuracy"),
        ];
        let reported: Vec<String> = reported.into_iter().flatten().collect();
        let epochs = entrant.epochs.len();
        let best = row.best_epoch().map_or_else(|| "n/a".to_owned(), |best| best.epoch.to_string());
        Self {
            name: entrant.name.clone(),
            settings: keys.iter().map(|key| setting(row, key).to_owned()).collect(),
            loss: with_interval(row.loss),
            auroc: with_interval(row.auroc),
            accuracy: figure(row.accuracy),
            accuracy_all_negative: figure(row.accuracy_all_negative),
            best_epoch: format!(
                "{best} of {epochs}{}",
                if entrant.is_stopped { ", stopped early" } else { "" }
            ),
            parameters: format!("{:.2}", entrant.cost.parameters as f64 / 1e6),
            minutes: format!("{:.1}", entrant.cost.seconds / 60.0),
            films_per_second: format!("{:.1}", entrant.cost.films_per_second),
            memory: entrant.cost.peak_memory_mib.map_or_else(
                || figure_or_dash(None),
                |memory| count(usize::try_from(memory).unwrap_or(usize::MAX)),
            ),
            reported: if reported.is_empty() { figure_or_dash(None) } else { reported.join(", ") },
        }
    }
}

fn curves<'a>(
    rows: &[&'a ComparedRun],
    valid: impl Fn(&RunEpoch) -> Option<f64>,
    train: impl Fn(&RunEpoch) -> Option<f64>,
) -> Vec<Curve<'a>> {
    let curve = |row: &&'a ComparedRun| Curve {
        name: &row.entrant.name,
        valid: row.entrant.epochs.iter().map(&valid).collect(),
        train: row.entrant.epochs.iter().map(&train).collect(),
    };
    rows.iter().map(curve).collect()
}

/// Arranges the figures in a grid, if the runs are the pairs of values of two settings.
fn heat(rows: &[ComparedRun], keys: &[String], by: Criterion) -> Option<Heat> {
    let values = |key: &str| {
        let mut values: Vec<String> = Vec::new();
        for row in rows {
            let value = setting(row, key);
            if !values.iter().any(|known| known == value) {
                values.push(value.to_owned());
            }
        }
        values
    };
    let varied: Vec<&String> = keys.iter().filter(|key| values(key).len() > 1).collect();
    let [down, across] = varied.as_slice() else { return None };
    let (down, across) = (down.as_str(), across.as_str());
    let (lines, columns) = (values(down), values(across));
    // Named points that happen to differ in two keys do not form a grid.
    if 2 * rows.len() <= lines.len() * columns.len() {
        return None;
    }
    let ranks = rows.iter().filter_map(|row| by.rank(row));
    let (least, greatest) =
        ranks.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    let cell = |line: &str, column: &str| {
        let row =
            rows.iter().find(|row| setting(row, down) == line && setting(row, across) == column);
        match row.and_then(|row| by.rank(row)) {
            Some(rank) => {
                let share = (rank - least) / (greatest - least).max(1e-12);
                Cell {
                    text: format!("{:.4}", rank.abs()),
                    shade: Some((share * SHADES).round() as u32),
                }
            }
            None => Cell { text: figure_or_dash(None), shade: None },
        }
    };
    let of_line = |line: &String| {
        (line.clone(), columns.iter().map(|column| cell(line, column)).collect::<Vec<_>>())
    };
    let rows = lines.iter().map(of_line).collect();
    let (what, better) = match by {
        Criterion::Loss => ("Validation loss", "lower"),
        Criterion::Auroc => ("Validation AUROC", "higher"),
    };
    Some(Heat { what, better, down: down.to_owned(), across: across.to_owned(), rows, columns })
}

fn group_by_epoch(rows: &[ComparedRun]) -> ByEpoch {
    let epochs = rows.iter().map(|row| row.entrant.epochs.len()).max().unwrap_or(0);
    let loss = |row: &ComparedRun, epoch: usize| {
        row.entrant
            .epochs
            .get(epoch)
            .map_or_else(String::new, |epoch| format!("{:.4}", epoch.valid_loss))
    };
    ByEpoch {
        names: rows.iter().map(|row| row.entrant.name.clone()).collect(),
        rows: (0..epochs)
            .map(|epoch| (epoch + 1, rows.iter().map(|row| loss(row, epoch)).collect()))
            .collect(),
    }
}
