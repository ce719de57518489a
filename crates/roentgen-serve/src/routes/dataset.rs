//! `GET /v1/dataset` and `/v1/dataset/films/{number}`: the data set that `roentgen view` shows.
//!
//! A film is sent as samples, as `/v1/pixels` has them, or as a PNG of the same pixels, which a page
//! can send on to `/v1/explain`.

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use roentgen_data::pixels::{DeepFilm, Plane, to_png};
use roentgen_tasks::view::Viewed;
use serde::Deserialize;

use super::accepts;
use super::pixels::{SAFETENSORS, packed};
use super::predict::bad_query;
use crate::answer::written;
use crate::app::App;
use crate::films::decode_apart;
use crate::problem::{Problem, Reason};

/// What the query may contain.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// The longest edge of a smaller film.
    edge: Option<u32>,
}

/// What a film is sent as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Samples,
    Picture,
}

impl Form {
    fn asked(headers: &HeaderMap) -> Result<Self, Problem> {
        let forms =
            [(Self::Samples, "application", "vnd.safetensors"), (Self::Picture, "image", "png")];
        let form = forms.into_iter().find(|(_, group, kind)| accepts(headers, group, kind));
        form.map(|(form, ..)| form).ok_or_else(|| {
            let detail = format!("a film can be `{SAFETENSORS}` or `image/png`");
            Problem::new(Reason::NotAcceptable, detail)
        })
    }
}

/// Returns the routes of a data set.
pub(super) fn routes(app: Arc<App>, viewed: Arc<Viewed>) -> Router<Arc<App>> {
    // Written once: it may have a hundred megabytes.
    let (status, text) = written(StatusCode::OK, &viewed.set);
    let set = move || async move {
        (status, [(header::CONTENT_TYPE, "application/json")], text).into_response()
    };
    Router::new()
        .route("/v1/dataset", get(set))
        .route("/v1/dataset/films/{number}", get(film))
        .with_state((app, viewed))
}

async fn film(
    State((app, viewed)): State<(Arc<App>, Arc<Viewed>)>,
    number: Result<Path<usize>, PathRejection>,
    asked: Result<Query<Asked>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Query(Asked { edge }) = asked.map_err(|error| bad_query(&error))?;
    let form = Form::asked(&headers)?;
    if edge == Some(0) || (edge.is_some() && form == Form::Picture) {
        let detail = format!("`edge` is 1 or more pixels, and only for `{SAFETENSORS}`");
        return Err(Problem::new(Reason::BadRequest, detail));
    }
    let films = viewed.set.films.len();
    let missing = || {
        let detail = format!("films have numbers from 0 to {}", films.saturating_sub(1));
        Problem::new(Reason::NotFound, detail)
    };
    let number = number.ok().map(|Path(number)| number).filter(|&number| number < films);
    let number = number.ok_or_else(missing)?;
    let read = decode_apart(app, move || match viewed.film(number) {
        Some(Ok(plane)) => sent(plane, form, edge),
        Some(Err(error)) => Err(error.to_string()),
        None => Err("the data set has no such film".to_owned()),
    });
    let bytes = read.await.map_err(|reason| Problem::new(Reason::Unusable, reason))?;
    let kind = match form {
        Form::Samples => SAFETENSORS,
        Form::Picture => "image/png",
    };
    Ok(([(header::CONTENT_TYPE, kind)], bytes).into_response())
}

fn sent(plane: Plane, form: Form, edge: Option<u32>) -> Result<Vec<u8>, String> {
    match (form, edge) {
        (Form::Picture, _) => Ok(to_png(&plane)),
        (Form::Samples, Some(edge)) => packed(&DeepFilm::from(plane).shrunk(edge)),
        (Form::Samples, None) => packed(&plane.into()),
    }
}

#[cfg(test)]
mod tests {
    use roentgen_data::pixels::FilmFile;

    use super::*;

    fn plane() -> Plane {
        Plane { width: 5, height: 3, pixels: (0..15).map(|value| value * 17).collect() }
    }

    #[test]
    fn a_film_is_sent_as_if_it_had_been_a_file() {
        let png = sent(plane(), Form::Picture, None).unwrap();
        let read = FilmFile::from_bytes(&png).read_deep().unwrap();

        assert_eq!(read, DeepFilm::from(plane()));
        assert_eq!(sent(plane(), Form::Samples, None).unwrap(), packed(&read).unwrap());
        let small = sent(plane(), Form::Samples, Some(3)).unwrap();
        assert_eq!(small, packed(&read.shrunk(3)).unwrap());
    }

    #[test]
    fn samples_are_sent_unless_a_picture_is_asked_for() {
        let asks = |accept: &str| {
            let headers = HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())]);
            Form::asked(&headers).ok()
        };

        assert_eq!(asks("*/*"), Some(Form::Samples));
        assert_eq!(asks("image/png"), Some(Form::Picture));
        assert_eq!(asks("text/html"), None);
    }
}
