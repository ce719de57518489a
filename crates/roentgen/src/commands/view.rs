//! `view`: shows a data set beside what a model says of it, in a browser on this machine.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use roentgen_serve::{Access, Batching, Config, Limits, ModelPlace, Server, Together};
use roentgen_tasks::ClassifierOptions;
use roentgen_tasks::engine::EngineChoice;
use roentgen_tasks::sources::Gate;
use roentgen_tasks::view::{ViewRequest, Viewed};
use serde_json::{Value, json};

use super::predict::data_set;
use super::serve::SENDING;
use crate::cli::{View, ViewedPart};
use crate::context::Context;
use crate::output::{Output, films, note};

/// The name of a model whose folder has another name than one that a model may have.
const MODEL: &str = "model";
/// Longest time of a request, such as one for a heat map by occlusion.
const TIME: Duration = Duration::from_secs(600);

/// Shows the data set until the process gets SIGTERM or Ctrl-C; a second one ends it at once.
pub(crate) fn run(args: &View, context: &Context) -> anyhow::Result<Output> {
    if args.engine == EngineChoice::Onnx && context.names_gpu {
        bail!(
            "`--engine onnx` runs on the CPU, but `--device {}` asks for another device",
            context.device_name
        );
    }
    let config = config(args);
    // The prediction of the films, which comes first, may take long.
    TcpListener::bind(config.address).with_context(|| {
        format!("could not listen on `{}`; choose another `--port`", config.address)
    })?;
    let data = args.data.clone().map_or_else(|| data_set(&args.model), Ok)?;
    let request = ViewRequest {
        model: &args.model,
        data: &data,
        split: match args.split {
            ViewedPart::Split(split) => Some(split),
            ViewedPart::All => None,
        },
        scores: args.scores.as_deref(),
        batch: args.batch,
        engine: args.engine,
        operating_point: args.operating_point,
    };
    let viewed = Viewed::open(&request, &context.device, &context.listener())?;
    let set = &viewed.set;
    let (count, split, scores) = (set.films.len(), set.split, set.scores.clone());
    let model = set.model.clone();
    let server = Server::start(config, &context.device, Arc::new(note_faults))?.show(viewed)?;
    let address = server.address();
    note(&format!("{} ({split}): http://{address}/ until Ctrl-C", films(count)));
    server.run()?;
    let json = json!({
        "address": address, "model": model, "data": data, "split": split, "scores": scores,
        "films": count,
    });
    Ok(Output::done("", json))
}

/// Passes lines about faults on; the log of requests is for servers.
fn note_faults(line: &str) {
    let is_fault = serde_json::from_str(line).is_ok_and(|line: Value| line["level"] == "error");
    if is_fault {
        note(line);
    }
}

/// Returns the model under the name of its folder.
fn place(model: &Path) -> ModelPlace {
    let place = ModelPlace::parse(&model.to_string_lossy()).ok();
    let place = place.filter(|place| place.path == model);
    place.unwrap_or_else(|| ModelPlace { name: MODEL.to_owned(), path: model.to_owned() })
}

fn config(args: &View) -> Config {
    Config {
        address: SocketAddr::from((Ipv4Addr::LOCALHOST, args.port)),
        models: vec![place(&args.model)],
        together: Together::Separate,
        options: ClassifierOptions {
            // Only heat maps are computed, which is Burn's part.
            engine: EngineChoice::Burn,
            operating_point: args.operating_point,
            calibration: None,
            // Prepared films have passed.
            gate: Gate::Off,
        },
        access: Access::default(),
        limits: Limits {
            body: 64 << 20,
            bodies: 256 << 20,
            pixels: 64_000_000,
            films: 1,
            header: 16 << 10,
            header_time: Duration::from_secs(10),
            time: TIME,
            connections: 64,
            stop_time: TIME + SENDING,
        },
        batching: Batching { films: 1, wait: Duration::ZERO, queue: 64 },
    }
}
