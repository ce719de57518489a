//! `POST /v2/models/MODEL/infer`.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use roentgen_data::pixels::Plane;
use roentgen_tasks::{Film, FindingPrediction};
use tokio::time::Instant;

use super::message::{Coding, Divided, Message, bad, divide};
use super::reply::answer;
use super::tensor::{Tensor, Values, films, planes};
use super::{NamedPath, ProtocolError, plane_size, target_of};
use crate::app::App;
use crate::films::{self as uploads, ReadFilms, Upload};
use crate::models::Target;
use crate::problem::{Problem, Reason};

/// What a finding without calibration or threshold has in the outputs `calibrated` and `calls`.
const NONE: i8 = -1;

/// The films of a request.
enum Films {
    Encoded(Vec<Upload>),
    Planes(Vec<Plane>),
}

pub(super) async fn infer(
    State(app): State<Arc<App>>,
    named: NamedPath,
    request: Request,
) -> Result<Response, ProtocolError> {
    let deadline = Instant::now() + app.limits.time;
    let target = target_of(named, &app)?;
    let (head, body) = request.into_parts();
    let body = app.bodies.read(&head.headers, body, &app.limits, deadline).await?;
    // A long list of numbers takes a while to read.
    let (message, films) = tokio::task::block_in_place(|| {
        let divided = divide(&head.headers, &body.bytes)?;
        let films = films_of(&app, &target, &divided)?;
        Ok::<_, Problem>((divided.message, films))
    })?;
    let wanted = wanted(&target, &message)?;
    let count = match &films {
        Films::Encoded(films) => films.len(),
        Films::Planes(planes) => planes.len(),
    };
    if count == 0 {
        return Err(bad("the request contains no film").into());
    }
    let _places = app.take(count)?;
    let films = match films {
        Films::Encoded(films) => encoded(&app, &target, films).await?,
        Films::Planes(planes) => decoded(&app, &target, planes).await?,
    };
    let predictions = target.predict(films, &app.metrics).await?;
    let outputs: Vec<(Tensor, Coding)> = wanted
        .into_iter()
        .map(|(output, coding)| (output.tensor(&target, &predictions), coding))
        .collect();
    Ok(answer(&target.name, &target.identity(), message.id.as_deref(), &outputs))
}

/// Reads the one input of a request.
fn films_of(app: &App, target: &Target, divided: &Divided<'_>) -> Result<Films, Problem> {
    let ([input], [binary]) = (divided.message.inputs.as_slice(), divided.binary.as_slice()) else {
        return Err(bad("a request has one input, `films` or `planes`"));
    };
    let most = app.limits.films;
    match input.name.as_str() {
        "films" => {
            let films = films(input, *binary, most)?;
            let upload = |(number, bytes): (usize, Vec<u8>)| Upload {
                name: format!("film {number}"),
                bytes: bytes.into(),
            };
            Ok(Films::Encoded(films.into_iter().enumerate().map(upload).collect()))
        }
        "planes" => {
            let size = plane_size(target).ok_or_else(|| {
                bad("the models of the ensemble have different sizes; send `films`")
            })?;
            planes(input, *binary, size, most).map(Films::Planes)
        }
        _ => Err(bad("the inputs are `films` and `planes`")),
    }
}

/// Decodes films, all of which must be usable, because a tensor has a row for each.
async fn encoded(
    app: &Arc<App>,
    target: &Target,
    films: Vec<Upload>,
) -> Result<Vec<Vec<Film>>, Problem> {
    let ReadFilms { films, refused, .. } = uploads::read(app, target, films).await?;
    match refused.first() {
        None => Ok(films),
        Some(film) => {
            let detail = format!("{}, counted from 0: {}", film.name, film.reason);
            Err(Problem::new(Reason::Unusable, detail))
        }
    }
}

/// Checks planes as films are checked.
async fn decoded(
    app: &Arc<App>,
    target: &Target,
    planes: Vec<Plane>,
) -> Result<Vec<Vec<Film>>, Problem> {
    let reader = target.first()?.reader;
    let read = uploads::decode_apart(app.clone(), move || {
        let films = planes.into_iter().enumerate().map(|(number, plane)| {
            let film = reader.read_plane(plane);
            film.map_err(|error| format!("film {number}, counted from 0: {error}"))
        });
        films.collect::<Result<Vec<Film>, String>>()
    });
    let films = read.await.map_err(|reason| Problem::new(Reason::Unusable, reason))?;
    Ok(vec![films; target.members.len()])
}

/// An output of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Output {
    Probabilities,
    Calibrated,
    Calls,
    Findings,
}

/// Returns the outputs that a request wants; the probabilities if it names none.
fn wanted(target: &Target, message: &Message) -> Result<Vec<(Output, Coding)>, Problem> {
    let Some(wanted) = &message.outputs else {
        return Ok(vec![(Output::Probabilities, message.coding(None))]);
    };
    let is_single = target.members.len() == 1;
    let output = |name: &str| match name {
        "probabilities" => Some(Output::Probabilities),
        "findings" => Some(Output::Findings),
        "calibrated" if is_single => Some(Output::Calibrated),
        "calls" if is_single => Some(Output::Calls),
        _ => None,
    };
    let mut outputs: Vec<(Output, Coding)> = Vec::new();
    for one in wanted {
        let output = output(&one.name).ok_or_else(|| {
            bad("the model does not have that output; its metadata lists those it has")
        })?;
        // Otherwise a small request could ask for an answer of any size.
        if outputs.iter().any(|(other, _)| *other == output) {
            return Err(bad(format!("the output `{}` is named twice", one.name)));
        }
        outputs.push((output, message.coding(Some(one))));
    }
    Ok(outputs)
}

impl Output {
    fn tensor(self, target: &Target, predictions: &[Vec<FindingPrediction>]) -> Tensor {
        let findings = target.members.first().map_or(0, |one| one.description.findings.len());
        let all = || predictions.iter().flatten();
        let rows = vec![predictions.len(), findings];
        match self {
            Self::Probabilities => Tensor {
                name: "probabilities",
                shape: rows,
                values: Values::Fp32(all().map(|one| one.probability as f32).collect()),
            },
            Self::Calibrated => {
                let value = |one: &FindingPrediction| {
                    one.calibrated.map_or(f32::from(NONE), |calibrated| calibrated as f32)
                };
                Tensor {
                    name: "calibrated",
                    shape: rows,
                    values: Values::Fp32(all().map(value).collect()),
                }
            }
            Self::Calls => Tensor {
                name: "calls",
                shape: rows,
                values: Values::Int32(
                    all().map(|one| one.call.map_or(i32::from(NONE), i32::from)).collect(),
                ),
            },
            Self::Findings => {
                let names = target.members.iter().take(1).flat_map(|one| &one.description.findings);
                let names: Vec<String> = names.map(|finding| finding.name().to_owned()).collect();
                Tensor { name: "findings", shape: vec![names.len()], values: Values::Bytes(names) }
            }
        }
    }
}
