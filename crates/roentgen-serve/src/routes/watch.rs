//! What happens around each request: its number, its log line, its metrics, its token and its time.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use serde_json::json;

use super::ErrorForm;
use crate::app::App;
use crate::config::BODY_FIRST;
use crate::log::{Level, REQUEST_ID};
use crate::problem::{Problem, Reason};

/// The name of the route in log and metrics if there is none: an address may contain anything.
const NO_ROUTE: &str = "none";

/// Numbers, logs and counts a request.
pub(super) async fn watch(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let id = app.ids.of(request.headers());
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or(NO_ROUTE, MatchedPath::as_str).to_owned();
    let method = request.method().clone();
    let mut response = next.run(request).await;
    let took = start.elapsed();
    let status = response.status();
    let reason = response.extensions().get::<Reason>().map(|reason| reason.name());
    if let Some(reason) = reason {
        app.metrics.refusal(reason);
    }
    app.metrics.request(&route, status.as_u16(), took);
    let level =
        if status == StatusCode::INTERNAL_SERVER_ERROR { Level::Error } else { Level::Info };
    let mut about = json!({
        "id": id.to_str().unwrap_or_default(),
        // A method may be any word, but those of a route are known.
        "method": if route == NO_ROUTE { "" } else { method.as_str() },
        "route": route,
        "status": status.as_u16(),
        "milliseconds": (took.as_secs_f64() * 1e4).round() / 10.0,
    });
    if let Some(reason) = reason {
        about["reason"] = json!(reason);
    }
    app.log.write(level, "request", about);
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, id);
    headers.insert("x-content-type-options", axum::http::HeaderValue::from_static("nosniff"));
    // Answers are about patients.
    headers.insert("cache-control", axum::http::HeaderValue::from_static("no-store"));
    response
}

/// Lets a request pass that shows a token, while the server takes requests, and limits its time.
pub(super) async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let form = ErrorForm::of(request.uri());
    if let Err(problem) = app.doorkeeper.check(request.headers()) {
        return form.response(problem);
    }
    let time = app.limits.time;
    match tokio::time::timeout(time + BODY_FIRST, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let seconds = time.as_secs_f64();
            form.response(Problem::busy(&format!("no answer was ready within {seconds} seconds")))
        }
    }
}
