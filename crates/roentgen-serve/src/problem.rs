//! A request that is not answered: a problem document by RFC 9457.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;

use crate::answer::json_response;

/// The media type of problem documents.
pub(crate) const PROBLEM: &str = "application/problem+json";
/// Seconds after which a client may ask again.
const RETRY_SECONDS: u64 = 1;

/// Why a request is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    BadRequest,
    Unauthorized,
    WrongHost,
    NotFound,
    WrongMethod,
    NotAcceptable,
    TooSlow,
    TooLarge,
    WrongType,
    Unusable,
    Busy,
    Stopping,
    Failed,
}

/// A request that is not answered.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) reason: Reason,
    pub(crate) detail: String,
    pub(crate) refused: Vec<RefusedFilm>,
}

/// A film without findings.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct RefusedFilm {
    pub(crate) name: String,
    pub(crate) reason: String,
}

impl Reason {
    /// Returns the name in documents and metrics.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::BadRequest => "bad-request",
            Self::Unauthorized => "unauthorized",
            Self::WrongHost => "wrong-host",
            Self::NotFound => "not-found",
            Self::WrongMethod => "wrong-method",
            Self::NotAcceptable => "not-acceptable",
            Self::TooSlow => "too-slow",
            Self::TooLarge => "too-large",
            Self::WrongType => "wrong-type",
            Self::Unusable => "unusable-film",
            Self::Busy => "busy",
            Self::Stopping => "stopping",
            Self::Failed => "failed",
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::WrongHost => StatusCode::MISDIRECTED_REQUEST,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::WrongType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Unusable => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Busy | Self::Stopping => StatusCode::SERVICE_UNAVAILABLE,
            Self::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl Problem {
    pub(crate) fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into(), refused: Vec::new() }
    }

    /// The server has no room for more; the client may ask again.
    pub(crate) fn busy(what: &str) -> Self {
        Self::new(Reason::Busy, format!("{what}; ask again later"))
    }

    /// Returns the response in which `document` describes the problem.
    pub(crate) fn with_document(
        &self,
        kind: &'static str,
        document: &serde_json::Value,
    ) -> Response {
        let mut response = json_response(self.reason.status(), kind, document);
        let headers = response.headers_mut();
        match self.reason {
            Reason::Busy | Reason::Stopping => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(RETRY_SECONDS));
            }
            Reason::Unauthorized => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            // What is left of the request is not read.
            Reason::TooSlow | Reason::TooLarge => {
                headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            _ => {}
        }
        response.extensions_mut().insert(self.reason);
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.reason.status();
        let mut document = json!({
            "type": "about:blank",
            "title": status.canonical_reason(),
            "status": status.as_u16(),
            "detail": self.detail,
            "reason": self.reason.name(),
        });
        if !self.refused.is_empty() {
            document["refused"] = json!(self.refused);
        }
        self.with_document(PROBLEM, &document)
    }
}
