//! Answers of the protocol: JSON, with tensors in it or behind it.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use super::message::{Coding, JSON_LENGTH};
use super::tensor::Tensor;
use crate::answer::json_answer;

/// Makes the answer of a model.
pub(super) fn answer(
    model: &str,
    version: &str,
    id: Option<&str>,
    outputs: &[(Tensor, Coding)],
) -> Response {
    let mut behind = Vec::new();
    let mut described = Vec::with_capacity(outputs.len());
    for (tensor, coding) in outputs {
        let mut output = json!({
            "name": tensor.name,
            "datatype": tensor.values.datatype(),
            "shape": tensor.shape,
        });
        match coding {
            Coding::Json => output["data"] = tensor.values.to_json(),
            Coding::Binary => {
                let bytes = tensor.values.to_bytes();
                output["parameters"] = json!({ "binary_data_size": bytes.len() });
                behind.extend(bytes);
            }
        }
        described.push(output);
    }
    let mut document = json!({ "model_name": model, "model_version": version });
    if let Some(id) = id {
        document["id"] = json!(id);
    }
    document["outputs"] = json!(described);
    if outputs.iter().all(|(_, coding)| *coding == Coding::Json) {
        return json_answer(&document);
    }
    let mut body = document.to_string().into_bytes();
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")),
        (JSON_LENGTH, HeaderValue::from(body.len())),
    ];
    body.extend(behind);
    (headers, body).into_response()
}
