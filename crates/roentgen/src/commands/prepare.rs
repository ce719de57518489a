//! `prepare`: checks, decodes, resizes and packs a data set.

use std::path::Path;

use roentgen_data::prepare::{self, BadFilm, PrepareOutcome, PrepareProgress, PrepareSettings};
use serde_json::json;

use crate::cli::Prepare;
use crate::context::Context;
use crate::output::{Ending, Output, films, note, patients, thousands};
use crate::progress::Bars;

/// Number of bad films to list on the terminal if a file lists all of them.
const NAMED: usize = 200;

/// Prepares a data set, lists the bad films and reports the result.
pub(crate) fn run(args: &Prepare, context: &Context) -> anyhow::Result<Output> {
    let settings = PrepareSettings {
        size: args.size,
        filter: args.filter,
        labels: args.labels.clone(),
        any_size: args.any_size,
    };
    let outcome = with_bar(context.bars, |progress| {
        prepare::prepare(&args.source, &args.out, &settings, progress)
    })?;
    name_bad_films(&outcome.bad, Some(&args.out.join(prepare::BAD_FILMS)));
    let ending = if outcome.bad.is_empty() { Ending::Done } else { Ending::BadFilms };
    Ok(Output { text: text(&outcome, args), json: json(&outcome, args), ending })
}

/// Draws progress bars while `work` runs.
pub(crate) fn with_bar<T>(
    bars: Bars,
    work: impl FnOnce(&(dyn Fn(PrepareProgress) + Sync)) -> T,
) -> T {
    let checking = bars.add_bar("checking", 0);
    let packing = bars.add_bar("packing", 0);
    let result = work(&|progress| match progress {
        PrepareProgress::Checking(done, films) => {
            checking.set_length(films as u64);
            checking.set_position(done as u64);
        }
        PrepareProgress::Packing(done, films) => {
            checking.finish_and_clear();
            packing.set_length(films as u64);
            packing.set_position(done as u64);
        }
        PrepareProgress::Sealing => packing.set_message("computing the fingerprint"),
    });
    checking.finish_and_clear();
    packing.finish_and_clear();
    result
}

/// Lists bad films with their reasons: all of them, or only the first ones if `file` lists them
/// all.
pub(crate) fn name_bad_films(bad: &[BadFilm], file: Option<&Path>) {
    let named = file.map_or(bad.len(), |_| NAMED.min(bad.len()));
    for film in &bad[..named] {
        note(&format!("skipped {}: {}", film.image, film.reason));
    }
    if let Some(file) = file.filter(|_| bad.len() > named) {
        note(&format!("and {} more; `{}` lists all of them", bad.len() - named, file.display()));
    }
}

fn text(outcome: &PrepareOutcome, args: &Prepare) -> String {
    let description = &outcome.description;
    let mut lines = vec![format!(
        "{}: {} of {} at {} px, {} skipped",
        args.out.display(),
        films(description.films),
        patients(description.patients),
        description.size,
        thousands(outcome.bad.len()),
    )];
    lines.push(if description.dataset.is_synthetic() {
        "the films are synthetic, drawn by phantom: test data, no real patients".to_owned()
    } else {
        format!("labels: {}", description.label_version)
    });
    if !outcome.duplicates.is_empty() {
        let count = |films: Option<usize>| thousands(films.unwrap_or(0));
        lines.push(format!(
            "films like one of another patient or on another official list: {} the same, {} nearly; \
             `{}` lists them",
            count(description.duplicates),
            count(description.near_duplicates),
            args.out.join(prepare::DUPLICATES).display(),
        ));
    }
    if outcome.unlisted > 0 {
        lines.push(match outcome.unlisted {
            1 => "1 film file is not in the label file and was ignored".to_owned(),
            more => {
                let more = thousands(more);
                format!("{more} film files are not in the label file and were ignored")
            }
        });
    }
    if outcome.lists_only > 0 {
        lines.push(match outcome.lists_only {
            1 => "1 name on the official lists is not in the label file".to_owned(),
            more => {
                format!("{} names on the official lists are not in the label file", thousands(more))
            }
        });
    }
    if outcome.above_100 > 0 {
        let ages = if outcome.above_100 == 1 { "age" } else { "ages" };
        lines.push(format!("{} {ages} above 100, kept unchanged", thousands(outcome.above_100)));
    }
    if description.boxes > 0 {
        let boxes = if description.boxes == 1 { "box" } else { "boxes" };
        lines.push(format!("{} {boxes}", thousands(description.boxes)));
    }
    lines.join("\n")
}

fn json(outcome: &PrepareOutcome, args: &Prepare) -> serde_json::Value {
    json!({
        "out": args.out,
        "prepared": outcome.description,
        "bad": outcome.bad,
        "duplicates": outcome.duplicates,
        "unlisted": outcome.unlisted,
        "lists_only": outcome.lists_only,
        "ages_above_100": outcome.above_100,
    })
}
