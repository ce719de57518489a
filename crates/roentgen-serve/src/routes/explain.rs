//! `POST /v1/explain`: where a model looked on a film, as a picture or as numbers.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use roentgen_data::pixels::{self, Filter, Plane};
use roentgen_eval::HeatMap;
use roentgen_models::{Method, overlay};
use roentgen_tasks::FindingPrediction;
use safetensors::tensor::{Dtype, TensorView};
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

use super::accepts;
use super::predict::bad_query;
use crate::answer::json_answer;
use crate::app::App;
use crate::films;
use crate::models::{Target, failed};
use crate::problem::{Problem, Reason};

/// The longest edge of a picture in pixels; a smaller film keeps its size.
const LONGEST_EDGE: u32 = 1024;
/// The media types of the raw map, besides JSON.
const SAFETENSORS: &str = "application/vnd.safetensors";

/// What the query may contain.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    model: Option<String>,
    finding: Option<String>,
    method: Option<String>,
}

/// What an answer consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Picture,
    Json,
    Safetensors,
}

impl Form {
    fn asked(headers: &HeaderMap) -> Result<Self, Problem> {
        let forms = [
            (Self::Picture, "image", "png"),
            (Self::Json, "application", "json"),
            (Self::Safetensors, "application", "vnd.safetensors"),
        ];
        let form = forms.into_iter().find(|(_, group, kind)| accepts(headers, group, kind));
        form.map(|(form, ..)| form).ok_or_else(|| {
            let detail =
                format!("a heat map can be `image/png`, `application/json` or `{SAFETENSORS}`");
            Problem::new(Reason::NotAcceptable, detail)
        })
    }
}

pub(super) async fn explain(
    State(app): State<Arc<App>>,
    asked: Result<Query<Asked>, QueryRejection>,
    request: Request,
) -> Result<Response, Problem> {
    let Query(asked) = asked.map_err(|error| bad_query(&error))?;
    let deadline = Instant::now() + app.limits.time;
    let form = Form::asked(request.headers())?;
    let target = app.models().target(asked.model.as_deref())?;
    let (method, output) = check(&target, &asked)?;
    let (head, body) = request.into_parts();
    let body = app.bodies.read(&head.headers, body, &app.limits, deadline).await?;
    let upload = films::upload(&head.headers, body.bytes).await?;
    let _places = app.take(1)?;
    let model = target.first()?.clone();
    let (reader, limit) = (model.reader, app.limits.pixels);
    let bytes = upload.bytes;
    let read = films::decode_apart(app.clone(), move || films::read_whole(&bytes, reader, limit));
    let (film, own) = read.await.map_err(|reason| films::unusable(upload.name, reason))?;
    // The engine that predicts may be another one than Burn, which computes the map.
    let findings = model.predict_one(film.clone()).await?.findings;
    let output = output.unwrap_or_else(|| most_probable(&findings));
    let finding = *findings.get(output).ok_or_else(failed)?;
    let computed = model.explain(film, method, output).await?;
    let map = computed.map_err(|problem| {
        let about = json!({ "model": model.name, "problem": problem });
        app.log.write(crate::log::Level::Error, "explanation failed", about);
        failed()
    })?;
    match form {
        Form::Json => Ok(numbers(&target, method, &finding, &map)),
        Form::Safetensors => tensor(method, &finding, &map),
        Form::Picture => {
            let what = (method, finding.finding.to_string());
            let png = films::decode_apart(app, move || draw(own, &map, what)).await;
            let png = png.map_err(|_| failed())?;
            let finding = header_of(finding.finding.name());
            let headers = [
                (header::CONTENT_TYPE, HeaderValue::from_static("image/png")),
                (HeaderName::from_static("x-finding"), finding),
                (HeaderName::from_static("x-method"), header_of(method.name())),
            ];
            Ok((headers, png).into_response())
        }
    }
}

/// Checks method and finding before anything is read.
fn check(target: &Target, asked: &Asked) -> Result<(Method, Option<usize>), Problem> {
    let bad = |detail: String| Problem::new(Reason::BadRequest, detail);
    if target.members.len() > 1 {
        return Err(bad("an ensemble has no heat map; name one of its models".to_owned()));
    }
    let description = &target.first()?.description;
    let pool = description.network.pool;
    let method = match &asked.method {
        None => Method::default_for(pool),
        Some(name) => name.parse::<Method>().map_err(|error| bad(error.to_string()))?,
    };
    method.check(pool).map_err(|error| bad(error.to_string()))?;
    let output = |name: &String| {
        let output = description.findings.iter().position(|finding| finding.name() == name);
        output.ok_or_else(|| {
            let known: Vec<&str> = description.findings.iter().map(|f| f.name()).collect();
            bad(format!("the model does not have that finding; it has {}", known.join(", ")))
        })
    };
    Ok((method, asked.finding.as_ref().map(output).transpose()?))
}

fn most_probable(findings: &[FindingPrediction]) -> usize {
    let numbered = findings.iter().map(|one| one.probability).enumerate();
    numbered.max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0))).map_or(0, |(output, _)| output)
}

fn numbers(
    target: &Target,
    method: Method,
    finding: &FindingPrediction,
    map: &HeatMap,
) -> Response {
    json_answer(&json!({
        "model": target.name,
        "identity": target.identity(),
        "method": method.name(),
        "finding": finding.finding.name(),
        "probability": finding.probability,
        "height": map.height,
        "width": map.width,
        "values": map.values,
    }))
}

/// Returns the map as the tensor `map` of a safetensors file, `[height, width]`.
fn tensor(method: Method, finding: &FindingPrediction, map: &HeatMap) -> Result<Response, Problem> {
    let bytes: Vec<u8> = map.values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let view = TensorView::new(Dtype::F32, vec![map.height, map.width], &bytes);
    let about = [
        ("finding".to_owned(), finding.finding.name().to_owned()),
        ("method".to_owned(), method.name().to_owned()),
        ("probability".to_owned(), finding.probability.to_string()),
    ];
    let file = view.and_then(|view| {
        safetensors::serialize([("map", view)], Some(about.into_iter().collect()))
    });
    let file = file.map_err(|_| failed())?;
    Ok(([(header::CONTENT_TYPE, SAFETENSORS)], file).into_response())
}

/// Draws the film under its map, as `roentgen explain` does.
fn draw(own: Plane, map: &HeatMap, (method, finding): (Method, String)) -> Result<Vec<u8>, String> {
    let plane = if own.height.max(own.width) > LONGEST_EDGE {
        pixels::fit(own, LONGEST_EDGE, Filter::Lanczos3).map_err(|error| error.to_string())?
    } else {
        own
    };
    let (ends, lines) = match method {
        Method::Attention => (
            overlay::mask_ends(map),
            ["attention mask,".to_owned(), "one for all findings".to_owned()],
        ),
        Method::Cam | Method::GradCam | Method::GradCamPlusPlus | Method::Occlusion => {
            (overlay::evidence_ends(map), [format!("{} for", method.name()), finding])
        }
    };
    let picture = overlay::picture(&plane, map, ends, [&lines[0], &lines[1]]);
    Ok(pixels::rgb_to_png(picture.width, picture.height, &picture.pixels))
}

fn header_of(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}
