//! Films with map and boxes, for the template.

use serde::Serialize;

use crate::films::{FilmCard, boxes, data};
use crate::format::readable;

/// A film under its map, with the boxes.
#[derive(Debug, Serialize)]
pub(super) struct FilmUnderMap {
    image: String,
    source: String,
    boxes: String,
    finding: String,
    probability: String,
    text: String,
}

impl FilmUnderMap {
    pub(super) fn of(card: &FilmCard) -> Self {
        Self {
            image: card.choice.image.clone(),
            source: data("image/png", &card.png),
            boxes: boxes(card),
            finding: readable(&card.choice.finding),
            probability: format!("{:.3}", card.choice.probability),
            text: card.text.clone(),
        }
    }
}
