//! The routes. A further one is a line in [`router`] and an entry in `openapi.json`.

mod dataset;
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
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use roentgen_tasks::view::Viewed;

use crate::app::App;
use crate::problem::{Problem, Reason};

pub use docs::OPENAPI;

/// Returns all routes, with those of the data set that is shown, if there is one.
pub(crate) fn router(app: Arc<App>, viewed: Option<Arc<Viewed>>) -> Router {
    let films = match &viewed {
        Some(_) => viewer::Films::OfDataSet,
        None => viewer::Films::Opened,
    };
    let open = Router::new()
        .route("/health/live", get(health::live))
        .route("/healthz", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/readyz", get(health::ready))
        .merge(inference::health())
        .route("/openapi.json", get(docs::document))
        .route("/docs", get(docs::page))
        .route("/docs.css", get(docs::style))
        .merge(viewer::routes(films));
    let guarded = Router::new()
        .route("/v1/models", get(models::list))
        .route("/v1/predict", post(predict::predict))
        .route("/v1/explain", post(explain::explain))
        .route("/v1/pixels", post(pixels::pixels))
        .route("/metrics", get(metrics::metrics))
        .merge(inference::routes())
        .merge(viewed.map_or_else(Router::new, |viewed| dataset::routes(app.clone(), viewed)))
        .route_layer(from_fn_with_state(app.clone(), watch::guard));
    open.merge(guarded)
        .fallback(move |uri: Uri| async move { not_found(&uri, films) })
        .method_not_allowed_fallback(move |uri: Uri| async move { wrong_method(&uri, films) })
        .layer(from_fn_with_state(app.clone(), watch::watch))
        .with_state(app)
}

fn not_found(uri: &Uri, films: viewer::Films) -> Response {
    let detail = format!("this address is unknown; {}", listed(films));
    ErrorForm::of(uri).response(Problem::new(Reason::NotFound, detail))
}

fn wrong_method(uri: &Uri, films: viewer::Films) -> Response {
    let detail = format!("this address has other methods; {}", listed(films));
    ErrorForm::of(uri).response(Problem::new(Reason::WrongMethod, detail))
}

/// Says where the routes are listed. Those of a data set are not in `openapi.json`, which is the same
/// for a server that has none.
fn listed(films: viewer::Films) -> &'static str {
    match films {
        viewer::Films::Opened => "`/docs` lists the routes",
        viewer::Films::OfDataSet => {
            "`/docs` lists the routes other than `GET /v1/dataset` and `GET \
             /v1/dataset/films/NUMBER`"
        }
    }
}

/// How an error is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ErrorForm {
    /// As a problem document.
    Problem,
    /// As the Open Inference Protocol prescribes.
    Protocol,
}

impl ErrorForm {
    /// Returns the form of the errors of an address.
    fn of(uri: &Uri) -> Self {
        match uri.path().strip_prefix("/v2") {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => Self::Protocol,
            _ => Self::Problem,
        }
    }

    fn response(self, problem: Problem) -> Response {
        match self {
            Self::Problem => problem.into_response(),
            Self::Protocol => inference::ProtocolError::from(problem).into_response(),
        }
    }
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
    fn errors_below_v2_have_the_form_of_the_protocol() {
        for (path, expected) in [
            ("/v2", ErrorForm::Protocol),
            ("/v2/nothing?a=b", ErrorForm::Protocol),
            ("/v21", ErrorForm::Problem),
            ("/v1/v2/", ErrorForm::Problem),
        ] {
            assert_eq!(ErrorForm::of(&Uri::from_static(path)), expected, "{path}");
        }
    }

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
