//! Sample films of a data set: one of each finding, with its boxes.

use std::collections::HashMap;

use roentgen_data::Finding;
use roentgen_data::boxes::{FRAME, FindingBox};
use roentgen_data::manifest::ManifestRow;
use roentgen_data::pixels::{self, Plane};
use roentgen_data::prepare::Prepared;
use roentgen_figures::FilmTile;
use roentgen_models::overlay::Picture;

/// Colour of a box.
const BOX: [u8; 3] = [255, 176, 46];
/// Least side of a film with boxes, so that their lines are thin.
const LEAST_SIDE: u32 = 256;

/// Returns a film of each finding and one without a finding, where there are such films.
pub(super) fn films(prepared: &Prepared) -> anyhow::Result<Vec<FilmTile>> {
    let boxes = prepared.boxes()?;
    let mut by_film: HashMap<&str, Vec<&FindingBox>> = HashMap::new();
    for found in &boxes {
        by_film.entry(&found.image).or_default().push(found);
    }
    let boxes_of = |row: usize| by_film.get(prepared.rows[row].image.as_str());
    let tiles = choose(&prepared.rows, &|row, finding| {
        boxes_of(row).is_some_and(|boxes| boxes.iter().any(|found| found.finding == finding))
    });
    tiles
        .into_iter()
        .map(|row| tile(prepared, row, boxes_of(row).map_or(&[][..], Vec::as_slice)))
        .collect()
}

/// Chooses a row for each finding that is not yet shown, preferring films with a box of it and then
/// films with few findings, and a row without a finding.
fn choose(rows: &[ManifestRow], has_box: &dyn Fn(usize, Finding) -> bool) -> Vec<usize> {
    let mut chosen: Vec<usize> = Vec::new();
    for finding in Finding::ALL {
        let with = (0..rows.len())
            .filter(|row| rows[*row].findings.contains(finding) && !chosen.contains(row));
        let best = with.min_by_key(|&row| (!has_box(row, finding), rows[row].findings.len(), row));
        chosen.extend(best);
    }
    chosen.extend((0..rows.len()).find(|&row| rows[row].findings.is_empty()));
    chosen
}

fn tile(prepared: &Prepared, row: usize, boxes: &[&FindingBox]) -> anyhow::Result<FilmTile> {
    let size = prepared.store.size() as u32;
    let plane = Plane { width: size, height: size, pixels: prepared.store.plane(row)? };
    let film = &prepared.rows[row];
    let person = [film.view.clone(), film.sex.clone()]
        .into_iter()
        .chain(film.age.map(|age| age.to_string()))
        .collect::<Vec<_>>()
        .join(", ");
    Ok(FilmTile {
        png: png(plane, boxes)?,
        size: [size; 2],
        lines: vec![film.image.clone(), film.findings.to_string().replace('|', ", "), person],
        overlay: None,
    })
}

/// Encodes a film, with its boxes drawn on it.
fn png(plane: Plane, boxes: &[&FindingBox]) -> anyhow::Result<Vec<u8>> {
    if boxes.is_empty() {
        return Ok(pixels::to_png(&plane));
    }
    let side = plane.width.max(LEAST_SIDE);
    let mut picture = Picture::gray(&pixels::resize(plane, side, pixels::Filter::Lanczos3)?);
    let line = (side / 128).max(1);
    for found in boxes {
        let at = |value: f64| (value / FRAME * f64::from(side)).clamp(0.0, f64::from(side)) as u32;
        let [top, left] = [at(found.y), at(found.x)];
        let [height, width] = [at(found.height), at(found.width)];
        picture.fill([top, left], [line, width], BOX);
        picture.fill([top + height, left], [line, width + line], BOX);
        picture.fill([top, left], [height, line], BOX);
        picture.fill([top, left + width], [height, line], BOX);
    }
    Ok(pixels::rgb_to_png(picture.width, picture.height, &picture.pixels))
}

#[cfg(test)]
mod tests {
    use roentgen_data::FilmFindings;

    use super::*;

    fn row(findings: &str) -> ManifestRow {
        ManifestRow {
            image: findings.to_owned(),
            patient: 1,
            follow_up: 0,
            age: None,
            sex: String::new(),
            view: String::new(),
            findings: FilmFindings::parse(findings).unwrap(),
            list: None,
            file_size: [1024, 1024],
        }
    }

    #[test]
    fn a_film_with_a_box_comes_first_then_one_with_few_findings() {
        let rows = ["No Finding", "Mass|Edema|Nodule", "Mass", "Mass|Nodule", "Nodule"].map(row);

        assert_eq!(choose(&rows, &|_, _| false), [1, 2, 4, 0]);
        assert_eq!(
            choose(&rows, &|row, finding| row == 3 && finding == Finding::Mass),
            [1, 3, 4, 0]
        );
        assert_eq!(choose(&[], &|_, _| false), [0; 0]);
    }
}
