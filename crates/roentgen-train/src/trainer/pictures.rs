//! A few validation films for TensorBoard, with the attention mask if the network has one.

use burn::tensor::Device;
use roentgen_data::pixels::{self, Plane};
use roentgen_data::store;
use roentgen_models::{Classifier, overlay, predictor};

use crate::dataset::SelectedFilms;
use crate::tensorboard::EventImage;

/// Number of films to show.
const FILMS: usize = 4;

/// Draws the first few validation films in red, green and blue.
///
/// # Errors
///
/// Returns an error if the films cannot be read.
pub(super) fn films(
    model: &Classifier,
    films: &SelectedFilms<'_>,
    device: &Device,
) -> Result<Vec<EventImage>, store::Error> {
    let rows = &films.rows[..films.len().min(FILMS)];
    let device = device.clone().without_autodiff();
    // Without a mask to draw, the films need not pass through the network.
    let masks: Vec<_> = if model.has_attention() {
        let predictions = predictor::predictions(model, films.tensor(rows, &device)?);
        predictions.into_iter().map(|prediction| prediction.mask).collect()
    } else {
        vec![None; rows.len()]
    };
    let size = films.input.size;
    rows.iter()
        .zip(masks)
        .map(|(&row, mask)| {
            let pixels = films.prepared.store.plane(row)?;
            let film = Plane { width: size as u32, height: size as u32, pixels };
            let colours = match &mask {
                Some(mask) => overlay::overlay(&film, mask, overlay::mask_ends(mask)),
                None => film.pixels.iter().flat_map(|&gray| [gray; 3]).collect(),
            };
            let kind = if mask.is_some() { "masks" } else { "films" };
            Ok(EventImage {
                tag: format!("{kind}/{}", films.prepared.rows[row].image),
                size: [size; 2],
                png: pixels::rgb_to_png(film.width, film.height, &colours),
            })
        })
        .collect()
}
