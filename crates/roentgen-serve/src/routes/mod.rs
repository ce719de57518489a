//! The routes. A further one is a line in [`router`] and an entry in `openapi.json`.

mod docs;
mod explain;
mod health;
mod inference;
mod metrics;
mod models;
mod pixels;
mod predict;
mod viewer;
mod watch;

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderMap, Uri};
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use crate::app::App;
use crate::problem::{Problem, Reason};

pub use docs::OPENAPI;

/// Returns all routes.
pub(crate) fn router(app: Arc<App>) -> Router {
    let open = Router::new()
        .route("/health/live", get(health::live))
        .route("/healthz", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/readyz", get(health::ready))
        .route("/openapi.json", get(docs::document))
        .route("/docs", get(docs::page))
        .route("/docs.css", get(docs::style))
        .merge(viewer::routes());
    let guarded = Router::new()
        .route("/v1/models", get(models::list))
        .route("/v1/predict", post(predict::predict))
        .route("/v1/explain", post(explain::explain))
        .route("/v1/pixels", post(pixels::pixels))
        .route("/metrics", get(metrics::metrics))
        .merge(inference::routes())
        .route_layer(from_fn_with_state(app.clone(), watch::guard));
    open.merge(guarded)
        .fallback(not_found)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(app.clone(), watch::watch))
        .with_state(app)
}

async fn not_found(_: Uri) -> Problem {
    Problem::new(Reason::NotFound, "this address is unknown; `/docs` lists the routes")
}

async fn wrong_method() -> Problem {
    Problem::new(Reason::WrongMethod, "this address has other methods; `/docs` lists them")
}

/// Whether the header `Accept` allows a media type of `group`, such as `image`.
fn accepts(headers: &HeaderMap, group: &str, kind: &str) -> bool {
    let Some(accept) = headers.get("accept").and_then(|accept| accept.to_str().ok()) else {
        return true;
    };
    accept.split(',').any(|one| {
        let mut parts = one.split(';').map(str::trim);
        let asked = parts.next().unwrap_or_default().to_ascii_lowercase();
        // `q=0` means never.
        let is_out = parts.any(|part| matches!(part.strip_prefix("q="), Some(q) if q.trim_end_matches(['0', '.']).is_empty()));
        !is_out && (asked == "*/*" || asked == format!("{group}/*") || asked == format!("{group}/{kind}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_gets_only_what_it_accepts() {
        let asks = |accept: &str| {
            let headers =
                HeaderMap::from_iter([("accept".parse().unwrap(), accept.parse().unwrap())]);
            accepts(&headers, "image", "png")
        };

        assert!(accepts(&HeaderMap::new(), "image", "png"));
        for yes in ["*/*", "image/png", "text/html, image/*;q=0.5", "IMAGE/PNG"] {
            assert!(asks(yes), "{yes}");
        }
        for no in ["application/json", "image/png;q=0", "image/jpeg", ""] {
            assert!(!asks(no), "{no}");
        }
    }
}
