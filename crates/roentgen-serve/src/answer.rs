//! Makes JSON documents the bodies of answers.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// Returns a JSON document as a response.
pub(crate) fn json_response(
    status: StatusCode,
    kind: &'static str,
    document: &impl serde::Serialize,
) -> Response {
    let (status, text) = match serde_json::to_vec(document) {
        Ok(text) => (status, text),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, b"{}".to_vec()),
    };
    (status, [(header::CONTENT_TYPE, HeaderValue::from_static(kind))], text).into_response()
}

/// Returns a JSON document as the answer to a request.
pub(crate) fn json_answer(document: &impl serde::Serialize) -> Response {
    json_response(StatusCode::OK, "application/json", document)
}
