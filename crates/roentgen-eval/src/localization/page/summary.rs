//! The figures in plain words.

use super::super::{Figure, Lead, Localization, MapFigures, RowFigures};
use crate::format::readable;
use crate::format::{count, figure, interval, percent};

/// Films below which nothing is concluded for a finding, or of random weights.
const LEAST: usize = 10;

/// Returns one paragraph for each thing that a reader should know first.
pub(crate) fn summary(of: &Localization) -> Vec<String> {
    let mut all = vec![pointing(of)];
    all.extend(flat(of));
    let chance = "so on these films it cannot be told from chance";
    all.extend(against(of, "a random map", chance, |rows| &rows.random));
    all.extend(against(
        of,
        "the mean box of the finding from other patients",
        "so knowing the finding tells as much about the place as the map does",
        |rows| &rows.mean_box,
    ));
    all.extend(ceiling(of));
    all.extend(weights(of));
    all.push(limits(of));
    all
}

fn pointing(of: &Localization) -> String {
    let Figure { value, ci95 } = of.mean.model.pointing;
    format!(
        "On {} films of {} patients with {} boxes, the highest point of the map is in a box of the \
         finding in {} of films as the mean over findings ({}).",
        count(of.films),
        count(of.patients),
        count(of.boxes),
        percent(value),
        interval(ci95)
    )
}

/// Counts the films on which the map points nowhere.
fn flat(of: &Localization) -> Option<String> {
    let flat: usize = of.findings.iter().map(|finding| finding.flat).sum();
    let maps: usize = of.findings.iter().map(|finding| finding.films).sum();
    (flat > 0).then(|| {
        format!(
            "{} of {} maps are flat: nothing on the film speaks for the finding, so they point \
             nowhere and detect no box.",
            count(flat),
            count(maps)
        )
    })
}

/// States whether the model's map is ahead of another, by both figures.
fn against(
    of: &Localization,
    what: &str,
    otherwise: &str,
    row: fn(&MapFigures) -> &RowFigures,
) -> Option<String> {
    let other = row(&of.mean);
    let Lead { pointing, iou } = other.lead?;
    let is_ahead = |figure: Figure| figure.ci95.is_some_and(|ends| ends.low > 0.0);
    pointing.value?;
    let verdict = match (is_ahead(pointing), is_ahead(iou)) {
        (true, true) => "is ahead of it by both figures".to_owned(),
        (true, false) => "points better, but does not overlap the boxes better".to_owned(),
        (false, true) => "overlaps the boxes better, but does not point better".to_owned(),
        (false, false) => format!("is not clearly ahead of it, {otherwise}"),
    };
    let ahead: Vec<String> = of
        .findings
        .iter()
        .filter(|finding| finding.films >= LEAST)
        .filter(|finding| row(&finding.rows).lead.is_some_and(|lead| is_ahead(lead.pointing)))
        .map(|finding| readable(&finding.finding))
        .collect();
    let findings = match ahead.is_empty() {
        true => format!("It points better for no single finding of at least {LEAST} films."),
        false => format!("It points better for {}.", ahead.join(", ")),
    };
    Some(format!(
        "Against {what} (pointing {}, overlap {}), the map {verdict}. {findings}",
        figure(other.pointing.value),
        figure(other.iou.value)
    ))
}

fn ceiling(of: &Localization) -> Option<String> {
    let [height, width] = of.map?;
    let hard = of
        .findings
        .iter()
        .filter(|finding| finding.rows.ceiling.iou.value.is_some_and(|overlap| overlap < 0.5));
    let hard: Vec<String> = hard.map(|finding| readable(&finding.finding)).collect();
    let end = match hard.is_empty() {
        true => String::new(),
        false => format!(
            " The boxes of {} are too small for this map: even the boxes themselves overlap by \
             less than a half at its resolution.",
            hard.join(", ")
        ),
    };
    Some(format!(
        "The boxes themselves, drawn with {height} x {width} cells, reach a pointing of {} and an \
         overlap of {}; more cannot be expected of any map of this resolution.{end}",
        figure(of.mean.ceiling.pointing.value),
        figure(of.mean.ceiling.iou.value)
    ))
}

fn weights(of: &Localization) -> Option<String> {
    let check = of.mean.random_weights;
    let value = check.value?;
    let verdict = if check.films < LEAST {
        "of too few films to conclude anything from"
    } else if value.abs() < 0.3 {
        "so the maps depend on what was learned"
    } else {
        "so a part of the maps comes from the architecture and the film and not from what was learned"
    };
    Some(format!(
        "The rank correlation with the maps of the same network with random weights is {value:.3} on \
         {} films, {verdict}.",
        count(check.films)
    ))
}

/// States what the figures do not show.
fn limits(of: &Localization) -> String {
    let mut limits = String::new();
    if of.is_phantom() {
        limits.push_str("The films are synthetic: nothing follows for real patients. ");
    }
    if of.films < 100 {
        limits.push_str(&format!("{} films are few; see the intervals. ", count(of.films)));
    }
    limits.push_str(
        "A map that is in the box does not show that the model reads the film as a radiologist \
         does, and one that is elsewhere may be right about the finding.",
    );
    limits
}
