//! `explain`: draws where a model looked, and compares it with boxes.

use roentgen_eval::BootstrapOptions;
use roentgen_eval::localization::{Figure, Localization};
use roentgen_tasks::explain::{self, ExplainRequest, Explained, Localized};

use super::predict::name_corrected_films;
use super::prepare::name_bad_films;
use crate::cli::Explain;
use crate::context::Context;
use crate::output::{Ending, Output, figure, films, table, thousands};
use crate::privacy::privacy;

/// Writes maps, overlays and the figure, and with boxes the localization.
pub(crate) fn run(args: &Explain, context: &Context) -> anyhow::Result<Output> {
    let request = ExplainRequest {
        model: &args.model,
        inputs: &args.inputs,
        split: args.split,
        method: args.method,
        findings: &args.findings,
        operating_point: args.operating_point,
        batch: args.batch,
        most: args.most,
        gate: args.gate.gate(),
        privacy: &privacy(&args.privacy)?,
    };
    let (device, listener) = (&context.device, context.listener());
    if !args.boxes {
        let explained = explain::draw(&request, &args.out, device, &listener)?;
        return output(text(&explained), &explained, serde_json::to_value(&explained)?);
    }
    let options = BootstrapOptions { resamples: args.resamples, seed: args.seed };
    let localized = explain::against_boxes(&request, &options, &args.out, device, &listener)?;
    let Localized { explained, localization, page } = &localized;
    let text = format!("{}\n{}\npage: {}", text(explained), figures(localization), page.display());
    let mut json = serde_json::to_value(explained)?;
    json["localization"] = serde_json::to_value(localization)?;
    output(text, explained, json)
}

fn output(text: String, explained: &Explained, json: serde_json::Value) -> anyhow::Result<Output> {
    name_corrected_films(&explained.corrected);
    name_bad_films(&explained.bad, None);
    let ending = if explained.bad.is_empty() { Ending::Done } else { Ending::BadFilms };
    Ok(Output { text, json, ending })
}

fn text(explained: &Explained) -> String {
    format!(
        "{} maps of {}: {}\ndrew {} of them (`--most` sets the number): {}",
        explained.method,
        films(explained.predicted),
        explained.maps.display(),
        films(explained.drawn),
        explained.figure.display()
    )
}

/// Formats the pointing game and the overlap of each finding, always beside the three other maps.
fn figures(of: &Localization) -> String {
    let findings = of.findings.iter().map(|of| (of.finding.clone(), thousands(of.boxes), &of.rows));
    let mean = [("mean".to_owned(), thousands(of.boxes), &of.mean)];
    let row =
        |(finding, boxes, rows): (String, String, &roentgen_eval::localization::MapFigures)| {
            let Figure { value, ci95 } = rows.model.pointing;
            let ends = ci95.map_or_else(
                || "n/a".to_owned(),
                |ends| format!("{:.3} to {:.3}", ends.low, ends.high),
            );
            let others = [&rows.random, &rows.mean_box, &rows.ceiling];
            let mut cells = vec![finding, boxes, figure(value), ends];
            cells.extend(others.map(|row| figure(row.pointing.value)));
            cells.push(figure(rows.model.iou.value));
            cells.extend(others.map(|row| figure(row.iou.value)));
            cells
        };
    let rows: Vec<Vec<String>> = findings.chain(mean).map(row).collect();
    let header = [
        "finding",
        "boxes",
        "pointing",
        "95 % interval",
        "random",
        "mean box",
        "ceiling",
        "IoU",
        "random",
        "mean box",
        "ceiling",
    ];
    table(&header, &rows)
}
