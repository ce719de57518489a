//! Films of a request: from the body to what the models take.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{DefaultBodyLimit, FromRequest as _, Multipart, Request};
use axum::http::{HeaderMap, header};
use roentgen_data::pixels::{FilmFile, Plane};
use roentgen_tasks::{Film, FilmReader, sources};
use tokio::task::JoinSet;

use crate::app::App;
use crate::models::Target;
use crate::problem::{Problem, Reason, RefusedFilm};

/// The name of a film that a client sends without one.
const UNNAMED: &str = "film";
/// The longest name that is repeated in an answer, in characters.
const LONGEST_NAME: usize = 255;

/// A film's file as it was sent. Its name is only repeated in the answer.
#[derive(Clone, Debug)]
pub(crate) struct Upload {
    pub(crate) name: String,
    pub(crate) bytes: Bytes,
}

/// The films of a request that can be used, and the others.
#[derive(Debug, Default)]
pub(crate) struct ReadFilms {
    pub(crate) names: Vec<String>,
    /// What was corrected of each film.
    pub(crate) corrections: Vec<Option<String>>,
    /// The films for each member of the target.
    pub(crate) films: Vec<Vec<Film>>,
    pub(crate) refused: Vec<RefusedFilm>,
}

/// Divides a body into films: the parts of a form, or the whole body as one film.
///
/// # Errors
///
/// Returns a problem if the media type is another, if the form cannot be read, or if there are no
/// films or too many.
pub(crate) async fn uploads(
    headers: &HeaderMap,
    body: Bytes,
    most: usize,
) -> Result<Vec<Upload>, Problem> {
    let kind = headers.get(header::CONTENT_TYPE).map(|kind| kind.to_str().unwrap_or("?"));
    let essence = kind.map(|kind| kind.split(';').next().unwrap_or_default().trim());
    let films = match essence.map(str::to_ascii_lowercase).as_deref() {
        Some("multipart/form-data") => parts(headers, body, most).await?,
        None
        | Some("image/png" | "image/jpeg" | "application/dicom" | "application/octet-stream") => {
            vec![Upload { name: UNNAMED.to_owned(), bytes: body }]
        }
        Some(_) => {
            let detail = "send one film as `application/octet-stream`, `image/png`, `image/jpeg` or \
                          `application/dicom`, or several as `multipart/form-data`";
            return Err(Problem::new(Reason::WrongType, detail));
        }
    };
    if films.iter().all(|film| film.bytes.is_empty()) {
        return Err(Problem::new(Reason::BadRequest, "the request contains no film"));
    }
    Ok(films)
}

/// Takes the one film of a request.
///
/// # Errors
///
/// As [`uploads`].
pub(crate) async fn upload(headers: &HeaderMap, body: Bytes) -> Result<Upload, Problem> {
    let film = uploads(headers, body, 1).await?.pop();
    film.ok_or_else(|| Problem::new(Reason::BadRequest, "the request contains no film"))
}

/// Returns the problem of a request whose one film cannot be used.
pub(crate) fn unusable(name: String, reason: String) -> Problem {
    Problem {
        reason: Reason::Unusable,
        detail: reason.clone(),
        refused: vec![RefusedFilm { name, reason }],
    }
}

async fn parts(headers: &HeaderMap, body: Bytes, most: usize) -> Result<Vec<Upload>, Problem> {
    let bad = |detail: String| Problem::new(Reason::BadRequest, detail);
    let mut request = Request::new(Body::from(body));
    *request.headers_mut() = headers.clone();
    // The length was checked when the body was read.
    DefaultBodyLimit::disable().apply(&mut request);
    let mut form = Multipart::from_request(request, &())
        .await
        .map_err(|error| bad(format!("the form cannot be read: {}", error.body_text())))?;
    let mut films = Vec::new();
    loop {
        let part = form.next_field().await;
        let Some(part) =
            part.map_err(|error| bad(format!("the form cannot be read: {}", error.body_text())))?
        else {
            return Ok(films);
        };
        if films.len() == most {
            let detail =
                format!("the request contains more than {most} films; send several requests");
            return Err(Problem::new(Reason::TooLarge, detail));
        }
        let name = part.file_name().or(part.name()).unwrap_or(UNNAMED);
        let name = name.chars().take(LONGEST_NAME).collect();
        let bytes = whole(part)
            .await
            .map_err(|error| bad(format!("the form cannot be read: {}", error.body_text())))?;
        films.push(Upload { name, bytes });
    }
}

/// Reads a part of a form. One that is in memory as a whole is one chunk, which needs no copy.
async fn whole(mut part: Field<'_>) -> Result<Bytes, MultipartError> {
    let Some(first) = part.chunk().await? else { return Ok(Bytes::new()) };
    let Some(second) = part.chunk().await? else { return Ok(first) };
    let mut bytes = [first, second].concat();
    while let Some(more) = part.chunk().await? {
        bytes.extend_from_slice(&more);
    }
    Ok(bytes.into())
}

/// Decodes films for each member of a target, on as many threads as there are cores.
///
/// # Errors
///
/// Returns a problem if no film can be used.
pub(crate) async fn read(
    app: &Arc<App>,
    target: &Target,
    uploads: Vec<Upload>,
) -> Result<ReadFilms, Problem> {
    let readers: Vec<FilmReader> = target.members.iter().map(|member| member.reader).collect();
    let limit = app.limits.pixels;
    // Tasks end with the set, if the request is given up.
    let mut tasks = JoinSet::new();
    for (number, Upload { name, bytes }) in uploads.into_iter().enumerate() {
        let readers = readers.clone();
        let work = decode_apart(app.clone(), move || read_for_all(&bytes, &readers, limit));
        tasks.spawn(async move { (number, name, work.await) });
    }
    let mut decoded = tasks.join_all().await;
    decoded.sort_unstable_by_key(|(number, ..)| *number);
    let mut read = ReadFilms { films: vec![Vec::new(); readers.len()], ..ReadFilms::default() };
    for (_, name, decoded) in decoded {
        match decoded {
            Ok(films) => {
                let correction = films.first().and_then(Film::correction);
                read.corrections.push(correction.map(|position| position.to_string()));
                read.names.push(name);
                for (member, film) in read.films.iter_mut().zip(films) {
                    member.push(film);
                }
            }
            Err(reason) => {
                app.metrics.refusal(Reason::Unusable.name());
                read.refused.push(RefusedFilm { name, reason });
            }
        }
    }
    if read.names.is_empty() {
        let detail = match read.refused.as_slice() {
            [one] => one.reason.clone(),
            _ => "none of the films can be used".to_owned(),
        };
        let refused = read.refused;
        return Err(Problem { reason: Reason::Unusable, detail, refused });
    }
    Ok(read)
}

const CANNOT_BE_DECODED: &str = "the film cannot be decoded";

/// Runs a decoder on a thread for slow work; `Err` is the reason for which a film is refused.
pub(crate) async fn decode_apart<T: Send + 'static>(
    app: Arc<App>,
    decode: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    let permit = app.decoders.clone().acquire_owned().await;
    let decoded = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        decode()
    });
    // A decoder that panics is one that met a damaged film.
    decoded.await.unwrap_or_else(|_| Err(CANNOT_BE_DECODED.to_owned()))
}

/// Reads a film once for each size that a member takes.
fn read_for_all(bytes: &[u8], readers: &[FilmReader], limit: u64) -> Result<Vec<Film>, String> {
    check_pixels(bytes, limit)?;
    let mut films: Vec<(FilmReader, Film)> = Vec::with_capacity(readers.len());
    for reader in readers {
        let film = match films.iter().find(|(known, _)| known == reader) {
            Some((_, film)) => film.clone(),
            None => reader.read_bytes(bytes).map_err(|error| error.to_string())?,
        };
        films.push((*reader, film));
    }
    Ok(films.into_iter().map(|(_, film)| film).collect())
}

/// Reads a film for a model and in its own size.
pub(crate) fn read_whole(
    bytes: &[u8],
    reader: FilmReader,
    limit: u64,
) -> Result<(Film, Plane), String> {
    check_pixels(bytes, limit)?;
    reader.read_whole(bytes).map_err(|error: sources::Error| error.to_string())
}

/// Refuses a film of more pixels than the limit, by its header.
pub(crate) fn check_pixels(bytes: &[u8], limit: u64) -> Result<(), String> {
    let [height, width] = FilmFile::from_bytes(bytes).size().map_err(|error| error.to_string())?;
    if u64::from(height) * u64::from(width) > limit {
        return Err(format!(
            "the film has {width} x {height} pixels, but this server takes at most {limit}"
        ));
    }
    Ok(())
}
