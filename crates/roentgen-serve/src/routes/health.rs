//! Whether the server lives, and whether it takes requests.

use std::sync::Arc;

use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use serde_json::json;

use super::ErrorForm;
use crate::answer::json_answer;
use crate::app::App;
use crate::problem::{Problem, Reason};

/// `GET /health/live`: the process answers.
pub(super) async fn live() -> Response {
    json_answer(&json!({ "live": true }))
}

/// `GET /health/ready`: the models are loaded, and the server does not stop.
pub(super) async fn ready(State(app): State<Arc<App>>, uri: Uri) -> Response {
    if app.is_stopping() {
        let problem = Problem::new(Reason::Stopping, "the server is about to stop");
        return ErrorForm::of(&uri).response(problem);
    }
    json_answer(&json!({ "ready": true }))
}
