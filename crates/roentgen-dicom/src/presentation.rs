//! A presentation state: contours of heat maps that a workstation draws over the film itself.
//!
//! It is a Grayscale Softcopy Presentation State and not a Parametric Map, because a Parametric Map
//! must have a frame of reference with the place of each pixel in the patient (PS3.3, table A.75-1),
//! which a projection film does not have and which would be made up. The state refers to the film in
//! its own pixels, adds nothing to them, and can be switched off. A state overrides how the film is
//! shown (PS3.4, N.2), so it repeats LUTs and window of the film.

use dicom_core::value::{C, PrimitiveValue};
use dicom_core::{DataElement, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::InMemDicomObject;
use dicom_object::mem::InMemElement;

use crate::contour::{Grid, Point};
use crate::element::{data_set, sequence, shorts, string};
use crate::error::Error;
use crate::object::{self, Head, NAME, NOT_FOR_DIAGNOSIS, encode};
use crate::results::Results;
use crate::source::Source;

/// Where between the ends of a map its contours are.
const LEVELS: [f32; 2] = [0.5, 0.75];
/// The most points of a line; a map of coarse cells has far fewer.
const MOST_POINTS: usize = 8_000;
/// The layer of the text that belongs to no map.
const NOTE: &str = "NOTE";
/// Gray of a layer, of 65,535, on screens without colors.
const GRAY: u16 = u16::MAX;
/// Orange, in CIELab scaled to 16 bits (PS3.3, C.10.7.1.1).
const COLOR: [u16; 3] = [0xb3b3, 0x9f9f, 0xc8c8];

/// A heat map to draw.
#[derive(Clone, Debug)]
pub struct FilmMap<'a> {
    /// Names its layer: at most 16 letters.
    pub name: &'a str,
    /// What it is and of what, such as `grad-cam for Mass, probability 0.830`.
    pub what: &'a str,
    /// `[rows, columns]` of its cells.
    pub size: [usize; 2],
    /// `rows * columns` values, row by row, in the film's own geometry.
    pub values: &'a [f32],
    /// The values that count as nothing and as most; contours are between them.
    pub ends: [f32; 2],
}

/// Makes the presentation state of a film, as a file; `None` for a film in colors, which a gray state
/// cannot show.
///
/// # Errors
///
/// Returns an error if it cannot be encoded.
pub fn presentation(
    source: &Source,
    results: &Results<'_>,
    maps: &[FilmMap<'_>],
) -> Result<Option<Vec<u8>>, Error> {
    if !source.shown.is_gray {
        return Ok(None);
    }
    let description = format!("AI contours, {NOT_FOR_DIAGNOSIS}");
    let names: Vec<&str> = maps.iter().map(|map| map.what).collect();
    let head = Head {
        class: uids::GRAYSCALE_SOFTCOPY_PRESENTATION_STATE_STORAGE,
        modality: "PR",
        kind: "presentation",
        series_number: 9103,
        description: &description,
        number: 1,
        detail: &names.join(", "),
    };
    let mut state = object::start(source, results.algorithm, results.written, &head);
    let written = object::moment(source, results.written);
    for (tag, vr, text) in [
        (tags::CONTENT_LABEL, VR::CS, "AI_CONTOURS"),
        (tags::CONTENT_DESCRIPTION, VR::LO, description.as_str()),
        (tags::CONTENT_CREATOR_NAME, VR::PN, NAME),
        (tags::PRESENTATION_CREATION_DATE, VR::DA, written.date.as_str()),
        (tags::PRESENTATION_CREATION_TIME, VR::TM, written.time.as_str()),
        (
            tags::PRESENTATION_LUT_SHAPE,
            VR::CS,
            if source.shown.is_inverted { "INVERSE" } else { "IDENTITY" },
        ),
    ] {
        state.put(string(tag, vr, text));
    }
    let series = data_set([
        string(tags::SERIES_INSTANCE_UID, VR::UI, source.series.as_str()),
        referenced(source),
    ]);
    state.put(sequence(tags::REFERENCED_SERIES_SEQUENCE, vec![series]));
    state.put(sequence(tags::DISPLAYED_AREA_SELECTION_SEQUENCE, vec![displayed_area(source)]));
    for element in source.shown.modality.clone() {
        state.put(element);
    }
    if source.shown.voi.iter().next().is_some() {
        state.put(sequence(tags::SOFTCOPY_VOILUT_SEQUENCE, vec![source.shown.voi.clone()]));
    }
    state.put(sequence(tags::GRAPHIC_ANNOTATION_SEQUENCE, annotations(source, results, maps)));
    let layers = std::iter::once(NOTE).chain(maps.iter().map(|map| map.name));
    let layers = (1..).zip(layers).map(|(order, name)| layer(name, order)).collect();
    state.put(sequence(tags::GRAPHIC_LAYER_SEQUENCE, layers));
    encode(state).map(Some)
}

fn referenced(source: &Source) -> InMemElement {
    sequence(tags::REFERENCED_IMAGE_SEQUENCE, vec![source.image.item()])
}

/// Shows the whole film.
fn displayed_area(source: &Source) -> InMemDicomObject {
    let [rows, columns] = source.shown.size;
    let corner = |tag, corner: [i32; 2]| {
        DataElement::new(tag, VR::SL, PrimitiveValue::I32(C::from_slice(&corner)))
    };
    let shape = match &source.shown.spacing {
        Some(spacing) => string(tags::PRESENTATION_PIXEL_SPACING, VR::DS, spacing.as_str()),
        None => {
            let ratio = source.shown.aspect.as_deref().unwrap_or("1\\1");
            string(tags::PRESENTATION_PIXEL_ASPECT_RATIO, VR::IS, ratio)
        }
    };
    data_set([
        referenced(source),
        corner(tags::DISPLAYED_AREA_TOP_LEFT_HAND_CORNER, [1, 1]),
        corner(tags::DISPLAYED_AREA_BOTTOM_RIGHT_HAND_CORNER, [columns as i32, rows as i32]),
        string(tags::PRESENTATION_SIZE_MODE, VR::CS, "SCALE TO FIT"),
        shape,
    ])
}

/// Returns the note and the contours of each map with what they are.
fn annotations(
    source: &Source,
    results: &Results<'_>,
    maps: &[FilmMap<'_>],
) -> Vec<InMemDicomObject> {
    let film = source.shown.size;
    let line = |number: usize| (film[0] as f32 * (0.02 + 0.03 * number as f32)).min(film[0] as f32);
    let note = format!("{NAME}, model {}: {NOT_FOR_DIAGNOSIS}", results.algorithm.model);
    let mut all = vec![annotation(source, NOTE, &note, line(0), Vec::new())];
    for (number, map) in (1..).zip(maps) {
        let [low, high] = map.ends;
        let grid = Grid { size: map.size, values: map.values };
        let lines = LEVELS.map(|level| grid.contours(low + level * (high - low), film));
        let graphics: Vec<InMemDicomObject> = lines
            .iter()
            .flatten()
            .filter(|line| line.len() <= MOST_POINTS)
            .map(|line| graphic(line))
            .collect();
        let what = match graphics.is_empty() {
            true => format!("{}: no contour", map.what),
            false => format!("{}, contours at 50 % and 75 %", map.what),
        };
        all.push(annotation(source, map.name, &what, line(number), graphics));
    }
    all
}

fn annotation(
    source: &Source,
    layer: &str,
    text: &str,
    row: f32,
    graphics: Vec<InMemDicomObject>,
) -> InMemDicomObject {
    let text = data_set([
        string(tags::ANCHOR_POINT_ANNOTATION_UNITS, VR::CS, "PIXEL"),
        string(tags::UNFORMATTED_TEXT_VALUE, VR::ST, text),
        floats(tags::ANCHOR_POINT, &[source.shown.size[1] as f32 * 0.02, row]),
        string(tags::ANCHOR_POINT_VISIBILITY, VR::CS, "N"),
    ]);
    let mut annotation = data_set([
        referenced(source),
        string(tags::GRAPHIC_LAYER, VR::CS, layer.to_uppercase()),
        sequence(tags::TEXT_OBJECT_SEQUENCE, vec![text]),
    ]);
    if !graphics.is_empty() {
        annotation.put(sequence(tags::GRAPHIC_OBJECT_SEQUENCE, graphics));
    }
    annotation
}

/// Makes a closed line.
fn graphic(line: &[Point]) -> InMemDicomObject {
    data_set([
        string(tags::GRAPHIC_ANNOTATION_UNITS, VR::CS, "PIXEL"),
        shorts(tags::GRAPHIC_DIMENSIONS, [2]),
        shorts(tags::NUMBER_OF_GRAPHIC_POINTS, [line.len() as u16]),
        floats(tags::GRAPHIC_DATA, line.as_flattened()),
        string(tags::GRAPHIC_TYPE, VR::CS, "POLYLINE"),
        string(tags::GRAPHIC_FILLED, VR::CS, "N"),
    ])
}

fn layer(name: &str, order: u32) -> InMemDicomObject {
    data_set([
        string(tags::GRAPHIC_LAYER, VR::CS, name.to_uppercase()),
        string(tags::GRAPHIC_LAYER_ORDER, VR::IS, order.to_string()),
        shorts(tags::GRAPHIC_LAYER_RECOMMENDED_DISPLAY_GRAYSCALE_VALUE, [GRAY]),
        shorts(tags::GRAPHIC_LAYER_RECOMMENDED_DISPLAY_CIE_LAB_VALUE, COLOR),
    ])
}

fn floats(tag: dicom_core::Tag, values: &[f32]) -> InMemElement {
    DataElement::new(tag, VR::FL, PrimitiveValue::F32(C::from_slice(values)))
}
