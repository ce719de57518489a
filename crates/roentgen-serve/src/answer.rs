//! Makes JSON documents the bodies of answers.

use axum::body::Bytes;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// Returns a JSON document as a response.
pub(crate) fn json_response(
    status: StatusCode,
    kind: &'static str,
    document: &impl serde::Serialize,
) -> Response {
    let (status, text) = written(status, document);
    (status, [(header::CONTENT_TYPE, HeaderValue::from_static(kind))], text).into_response()
}

/// Writes a JSON document, with the status of its answer: another one if it cannot be written.
pub(crate) fn written(status: StatusCode, document: &impl serde::Serialize) -> (StatusCode, Bytes) {
    match serde_json::to_vec(document) {
        Ok(text) => (status, text.into()),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, Bytes::from_static(b"{}")),
    }
}

/// Returns a JSON document as the answer to a request.
pub(crate) fn json_answer(document: &impl serde::Serialize) -> Response {
    json_response(StatusCode::OK, "application/json", document)
}
