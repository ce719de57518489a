//! `POST /v1/pixels`: a film at the depth of its file, for the viewer.
//!
//! The answer is a safetensors file with the tensor `film`, `[height, width]` of unsigned 16-bit
//! samples, and in the text `about` of its header, as JSON, how they become gray. Patient ID and study
//! date are in it and nowhere else: the viewer compares films of one patient.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use roentgen_data::pixels::{DeepFilm, FilmFile};
use safetensors::tensor::{Dtype, TensorView};
use serde::Deserialize;
use tokio::time::Instant;

use super::accepts;
use super::predict::bad_query;
use crate::app::App;
use crate::films;
use crate::problem::{Problem, Reason};

pub(super) const SAFETENSORS: &str = "application/vnd.safetensors";

/// What the query may contain.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    /// The longest edge of a smaller film.
    edge: Option<u32>,
}

pub(super) async fn pixels(
    State(app): State<Arc<App>>,
    asked: Result<Query<Asked>, QueryRejection>,
    request: Request,
) -> Result<Response, Problem> {
    let Query(asked) = asked.map_err(|error| bad_query(&error))?;
    let deadline = Instant::now() + app.limits.time;
    if asked.edge == Some(0) {
        return Err(Problem::new(Reason::BadRequest, "`edge` is 0; give at least 1 pixel"));
    }
    if !accepts(request.headers(), "application", "vnd.safetensors") {
        let detail = format!("pixels can only be `{SAFETENSORS}`");
        return Err(Problem::new(Reason::NotAcceptable, detail));
    }
    let (head, body) = request.into_parts();
    let body = app.bodies.read(&head.headers, body, &app.limits, deadline).await?;
    let upload = films::upload(&head.headers, body.bytes).await?;
    let _places = app.take(1)?;
    let (bytes, limit) = (upload.bytes, app.limits.pixels);
    let read = films::decode_apart(app.clone(), move || {
        films::check_pixels(&bytes, limit)?;
        let film = FilmFile::from_bytes(&bytes).read_deep().map_err(|error| error.to_string())?;
        let film = match asked.edge {
            Some(edge) => film.shrunk(edge),
            None => film,
        };
        packed(&film)
    });
    let file = read.await.map_err(|reason| films::unusable(upload.name, reason))?;
    Ok(([(header::CONTENT_TYPE, SAFETENSORS)], file).into_response())
}

/// Returns a film as a safetensors file.
pub(super) fn packed(film: &DeepFilm) -> Result<Vec<u8>, String> {
    let about = serde_json::to_string(&film.about).map_err(|error| error.to_string())?;
    let bytes: Vec<u8> = film.samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let shape = vec![film.height as usize, film.width as usize];
    let view = TensorView::new(Dtype::U16, shape, &bytes);
    let about = [("about".to_owned(), about)];
    view.and_then(|view| safetensors::serialize([("film", view)], Some(about.into())))
        .map_err(|error| error.to_string())
}
