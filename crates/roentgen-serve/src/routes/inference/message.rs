//! Requests of the protocol: JSON, with tensors in it or behind it.

use axum::http::{HeaderMap, HeaderName};
use serde::Deserialize;

use super::data::Data;
use crate::problem::{Problem, Reason};

/// The header with the length of the JSON in front of binary tensors.
pub(super) const JSON_LENGTH: HeaderName =
    HeaderName::from_static("inference-header-content-length");

/// The JSON of a request.
#[derive(Debug, Deserialize)]
pub(super) struct Message {
    pub(super) id: Option<String>,
    #[serde(default)]
    parameters: Parameters,
    pub(super) inputs: Vec<InputTensor>,
    pub(super) outputs: Option<Vec<WantedOutput>>,
}

/// An input.
#[derive(Debug, Deserialize)]
pub(super) struct InputTensor {
    pub(super) name: String,
    pub(super) datatype: String,
    pub(super) shape: Vec<u64>,
    #[serde(default)]
    parameters: Parameters,
    pub(super) data: Option<Data>,
}

/// An output that the client wants.
#[derive(Debug, Deserialize)]
pub(super) struct WantedOutput {
    pub(super) name: String,
    #[serde(default)]
    parameters: Parameters,
}

/// The parameters that this server knows; the protocol lets clients send others.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
struct Parameters {
    binary_data_size: Option<u64>,
    binary_data: Option<bool>,
    binary_data_output: Option<bool>,
}

/// How a tensor is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Json,
    Binary,
}

/// A request, divided into JSON and the bytes of its binary tensors.
#[derive(Debug)]
pub(super) struct Divided<'a> {
    pub(super) message: Message,
    /// The bytes of each input that is binary.
    pub(super) binary: Vec<Option<&'a [u8]>>,
}

pub(super) fn bad(detail: impl Into<String>) -> Problem {
    Problem::new(Reason::BadRequest, detail)
}

/// Reads a request.
///
/// # Errors
///
/// Returns a problem if the JSON is not a request, or if the lengths do not add up.
pub(super) fn divide<'a>(headers: &HeaderMap, body: &'a [u8]) -> Result<Divided<'a>, Problem> {
    let length = match headers.get(JSON_LENGTH) {
        None => body.len(),
        Some(length) => length
            .to_str()
            .ok()
            .and_then(|length| length.parse().ok())
            .filter(|&length: &usize| length <= body.len())
            .ok_or_else(|| {
                bad("`Inference-Header-Content-Length` is not the length of the JSON")
            })?,
    };
    let (json, mut rest) = body.split_at(length);
    let message: Message = serde_json::from_slice(json)
        .map_err(|error| bad(format!("the JSON is not an inference request: {error}")))?;
    let mut binary = Vec::with_capacity(message.inputs.len());
    for input in &message.inputs {
        let bytes = match (input.parameters.binary_data_size, &input.data) {
            (None, _) => None,
            (Some(_), Some(_)) => return Err(bad("an input has both `data` and binary data")),
            (Some(size), None) => {
                let size = usize::try_from(size).ok().filter(|&size| size <= rest.len());
                let size = size.ok_or_else(|| bad("the binary data is shorter than it says"))?;
                let (own, others) = rest.split_at(size);
                rest = others;
                Some(own)
            }
        };
        binary.push(bytes);
    }
    if !rest.is_empty() {
        return Err(bad("there is more binary data than the inputs say"));
    }
    Ok(Divided { message, binary })
}

impl Message {
    /// Returns how an output is sent.
    pub(super) fn coding(&self, output: Option<&WantedOutput>) -> Coding {
        let own = output.and_then(|output| output.parameters.binary_data);
        match own.or(self.parameters.binary_data_output) {
            Some(true) => Coding::Binary,
            Some(false) | None => Coding::Json,
        }
    }
}
