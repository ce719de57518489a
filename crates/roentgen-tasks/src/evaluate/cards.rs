//! The films that a report shows, found where its score table says they are.
//!
//! A film that cannot be shown is named with the reason. A data set that is another one by now may
//! have other films under the same names, so its films are not shown.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use roentgen_data::boxes::FindingBox;
use roentgen_data::pixels::{self, Filter, Plane};
use roentgen_data::prepare::{Prepared, PreparedInfo};
use roentgen_eval::Scores;
use roentgen_eval::report::{self, FilmBox, FilmCard};

use crate::film_box::in_shares;
use crate::listener::Listener;
use crate::sources::identity_of;

/// Number of films to show of each kind: true positive, false positive, false negative.
const CARDS: usize = 6;
/// Height and width of films from files in the report, in pixels.
const CARD_SIZE: u32 = 256;
/// The most films that cannot be shown whose names are listed.
const LISTED: usize = 3;

/// A prepared data set that films come from.
struct Source {
    prepared: Prepared,
    boxes: Vec<FindingBox>,
}

/// The prepared data sets that a table names, by path, or why one cannot be used.
pub(super) struct Sources(BTreeMap<String, Result<Source, String>>);

impl Sources {
    /// Opens the data sets of a table; what is a file or absent is none.
    pub(super) fn open(scores: &Scores, listener: &dyn Listener) -> Self {
        let ids = scores.column("dataset_id");
        let rows = scores.column("source").unwrap_or_default().iter().enumerate();
        let named: BTreeSet<(&str, &str)> = rows
            .map(|(row, source)| (source.as_str(), ids.map_or("", |ids| ids[row].trim())))
            .collect();
        let mut opened = BTreeMap::new();
        for (source, id) in named {
            if Prepared::is_prepared(Path::new(source)) {
                let found = Source::open(Path::new(source), id, listener);
                opened.insert(source.to_owned(), found);
            }
        }
        Self(opened)
    }

    /// Returns what the one data set of the table says of itself; `None` if there are several, or
    /// none that can be used.
    pub(super) fn description(&self) -> Option<&PreparedInfo> {
        let mut all = self.0.values();
        let one = all.next()?.as_ref().ok()?;
        all.next().is_none().then_some(&one.prepared.description)
    }

    /// Finds the pixels and the boxes of a film, or says why that is not possible.
    fn film(&self, source: &str, image: &str) -> Result<(Plane, Vec<FilmBox>), String> {
        let path = Path::new(source);
        let Some(found) = self.0.get(source) else {
            let plane = pixels::read_resized(path, CARD_SIZE, Filter::Lanczos3);
            return plane.map(|plane| (plane, Vec::new())).map_err(|error| error.to_string());
        };
        let Source { prepared, boxes } = found.as_ref().map_err(Clone::clone)?;
        let row = prepared.rows.iter().position(|row| row.image == image);
        let row = row.ok_or_else(|| format!("it is not in `{source}`"))?;
        let size = prepared.store.size() as u32;
        let pixels = prepared.store.plane(row).map_err(|error| error.to_string())?;
        let own = boxes.iter().filter(|of| of.image == image);
        Ok((Plane { width: size, height: size, pixels }, own.map(in_shares).collect()))
    }
}

impl Source {
    /// Opens a data set whose identity in the table is `id`, or empty.
    fn open(folder: &Path, id: &str, listener: &dyn Listener) -> Result<Self, String> {
        let hashed = |done, bytes| listener.hashed(done, bytes);
        let prepared = Prepared::open_with(folder, &hashed).map_err(|error| error.to_string())?;
        let identity = identity_of(&prepared);
        // An ensemble may name the data sets of several sizes.
        if !id.is_empty() && !id.split('+').any(|id| id == identity) {
            return Err(format!("it is the data set {identity} now, but the table is of {id}"));
        }
        let boxes = prepared.boxes().map_err(|error| error.to_string())?;
        Ok(Self { prepared, boxes })
    }
}

/// Collects the films of high confidence, and notes on those that cannot be shown.
pub(super) fn collect_cards(scores: &Scores, opened: &Sources) -> (Vec<FilmCard>, Vec<String>) {
    let Some(sources) = scores.column("source") else {
        return (Vec::new(), vec!["The score table does not say where the films are.".to_owned()]);
    };
    let mut cards = Vec::new();
    let mut missing: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for choice in report::confident_films(scores, CARDS) {
        let row = choice.row;
        match opened.film(&sources[row], &choice.image) {
            Ok((plane, boxes)) => {
                let cell =
                    |name: &str| scores.column(name).map_or("", |column| column[row].as_str());
                let text = [cell("view"), cell("sex"), cell("age")];
                let text: Vec<_> = text.into_iter().filter(|cell| !cell.is_empty()).collect();
                let png = pixels::to_png(&plane);
                cards.push(FilmCard { choice, png, boxes, text: text.join(", ") });
            }
            Err(reason) => missing.entry(reason).or_default().push(choice.image),
        }
    }
    let notes = missing.iter().map(|(reason, images)| note(images, reason)).collect();
    (cards, notes)
}

/// Says which films cannot be shown for this reason.
fn note(images: &[String], reason: &str) -> String {
    let named = images.iter().take(LISTED).cloned().collect::<Vec<_>>().join(", ");
    let more = images.len().saturating_sub(LISTED);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    let films = if images.len() == 1 { "film" } else { "films" };
    let count = images.len();
    format!("{count} {films} of high confidence cannot be shown ({named}{rest}): {reason}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn films_that_cannot_be_shown_are_named() {
        let names = ["a", "b", "c", "d", "e"].map(str::to_owned);

        let text = note(&names[..1], "the file is empty (0 bytes)");
        let expected =
            "1 film of high confidence cannot be shown (a): the file is empty (0 bytes).";
        assert_eq!(text, expected);
        assert!(note(&names, "it is cut off").contains("5 films"));
        assert!(note(&names, "it is cut off").ends_with("(a, b, c and 2 more): it is cut off."));
    }
}
