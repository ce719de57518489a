//! `GET /v1/models`: what is served.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};

use crate::answer::json_answer;
use crate::app::App;

pub(super) async fn list(State(app): State<Arc<App>>) -> Response {
    let models: Vec<Value> =
        app.models().targets().iter().map(|target| target.describe()).collect();
    json_answer(&json!({ "models": models }))
}
