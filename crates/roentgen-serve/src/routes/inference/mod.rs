//! The Open Inference Protocol, version 2, over HTTP, with the extension for binary tensors, as
//! KServe and Triton speak it
//! ([specification](https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md),
//! [extension](https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md)).
//!
//! The version of a model is its identity, so a client that names it never gets the numbers of
//! another model.

mod data;
mod infer;
mod message;
mod reply;
mod tensor;

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use roentgen_tasks::FilmReader;
use serde_json::{Value, json};

use crate::answer::json_answer;
use crate::app::App;
use crate::models::Target;
use crate::problem::{Problem, Reason};

/// An error in the form that the protocol prescribes.
#[derive(Debug)]
pub(super) struct ProtocolError(Problem);

impl From<Problem> for ProtocolError {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl IntoResponse for ProtocolError {
    fn into_response(self) -> Response {
        self.0.with_document("application/json", &json!({ "error": self.0.detail }))
    }
}

/// Returns the routes of health checks, whose clients have no token.
pub(super) fn health() -> Router<Arc<App>> {
    Router::new()
        .route("/v2/health/live", get(super::health::live))
        .route("/v2/health/ready", get(super::health::ready))
}

/// Returns the other routes of the protocol.
pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/v2", get(server))
        .route("/v2/models/{model}", get(model))
        .route("/v2/models/{model}/ready", get(model_ready))
        .route("/v2/models/{model}/infer", post(infer::infer))
        .route("/v2/models/{model}/versions/{version}", get(model))
        .route("/v2/models/{model}/versions/{version}/ready", get(model_ready))
        .route("/v2/models/{model}/versions/{version}/infer", post(infer::infer))
}

/// What the address names.
#[derive(Debug, serde::Deserialize)]
struct Named {
    model: String,
    version: Option<String>,
}

/// An address that was read.
type NamedPath = Result<Path<Named>, PathRejection>;

/// Returns what an address names.
fn target_of(named: NamedPath, app: &App) -> Result<Target, Problem> {
    let Path(Named { model, version }) =
        named.map_err(|error| Problem::new(Reason::BadRequest, error.body_text()))?;
    let target = app.models().target(Some(&model))?;
    match version {
        Some(version) if version != target.identity() => {
            let identity = target.identity();
            let detail = format!("the version of this model is `{identity}`, its identity");
            Err(Problem::new(Reason::NotFound, detail))
        }
        _ => Ok(target),
    }
}

async fn server() -> Response {
    json_answer(&json!({
        "name": "roentgen",
        "version": env!("CARGO_PKG_VERSION"),
        "extensions": ["binary_tensor_data"],
    }))
}

async fn model_ready(
    State(app): State<Arc<App>>,
    named: NamedPath,
) -> Result<Response, ProtocolError> {
    let target = target_of(named, &app)?;
    Ok(json_answer(&json!({ "name": target.name, "ready": true })))
}

async fn model(State(app): State<Arc<App>>, named: NamedPath) -> Result<Response, ProtocolError> {
    let target = target_of(named, &app)?;
    let findings = target.first()?.description.findings.len();
    let tensor = |name: &str, datatype: &str, shape: Value| json!({ "name": name, "datatype": datatype, "shape": shape });
    let mut inputs = vec![tensor("films", "BYTES", json!([-1]))];
    if let Some(size) = plane_size(&target) {
        inputs.push(tensor("planes", "UINT8", json!([-1, size, size])));
    }
    let mut outputs = vec![
        tensor("probabilities", "FP32", json!([-1, findings])),
        tensor("findings", "BYTES", json!([findings])),
    ];
    if target.members.len() == 1 {
        outputs.push(tensor("calibrated", "FP32", json!([-1, findings])));
        outputs.push(tensor("calls", "INT32", json!([-1, findings])));
    }
    Ok(json_answer(&json!({
        "name": target.name,
        "versions": [target.identity()],
        "platform": "roentgen",
        "inputs": inputs,
        "outputs": outputs,
    })))
}

/// Returns the size of the planes of a target, if all its members read planes in the same way.
fn plane_size(target: &Target) -> Option<usize> {
    let reader = |member: &Arc<crate::models::Served>| -> FilmReader { member.reader };
    let first = target.members.first()?;
    let is_same = target.members.iter().all(|member| reader(member) == reader(first));
    is_same.then_some(first.description.input.size)
}
