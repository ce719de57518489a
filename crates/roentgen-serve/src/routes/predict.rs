//! `POST /v1/predict`: the findings of films.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State};
use axum::response::Response;
use roentgen_tasks::FindingPrediction;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use crate::answer::json_answer;
use crate::app::App;
use crate::films::{self, ReadFilms};
use crate::problem::{Problem, Reason};

/// What the query may contain.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    model: Option<String>,
}

pub(super) async fn predict(
    State(app): State<Arc<App>>,
    asked: Result<Query<Asked>, QueryRejection>,
    request: Request,
) -> Result<Response, Problem> {
    let Query(asked) = asked.map_err(|error| bad_query(&error))?;
    let deadline = Instant::now() + app.limits.time;
    let target = app.models().target(asked.model.as_deref())?;
    let (head, body) = request.into_parts();
    let body = app.bodies.read(&head.headers, body, &app.limits, deadline).await?;
    let uploads = films::uploads(&head.headers, body.bytes, app.limits.films).await?;
    let _places = app.take(uploads.len())?;
    let ReadFilms { names, corrections, films, refused } =
        films::read(&app, &target, uploads).await?;
    let predictions = target.predict(films, &app.metrics).await?;
    let answers = names.iter().zip(corrections).zip(&predictions).map(|((name, was), findings)| {
        json!({ "name": name, "corrected": was, "findings": describe(findings) })
    });
    Ok(json_answer(&json!({
        "model": target.name,
        "identity": target.identity(),
        "films": answers.collect::<Vec<_>>(),
        "refused": refused,
    })))
}

/// Returns the findings by name.
fn describe(findings: &[FindingPrediction]) -> Map<String, Value> {
    let one = |one: &FindingPrediction| {
        let about = json!({
            "probability": one.probability,
            "calibrated": one.calibrated,
            "threshold": one.threshold,
            "call": one.call,
        });
        (one.finding.name().to_owned(), about)
    };
    findings.iter().map(one).collect()
}

/// Says what is wrong with a query.
pub(super) fn bad_query(error: &QueryRejection) -> Problem {
    Problem::new(Reason::BadRequest, format!("the query is not valid: {}", error.body_text()))
}
