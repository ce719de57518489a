//! `serve`: answers requests over HTTP until it is stopped.

use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use roentgen_serve::{Access, Batching, Config, Limits, Openness, Server, TlsFiles, Together};
use roentgen_tasks::ClassifierOptions;
use roentgen_tasks::engine::EngineChoice;
use serde_json::json;

use crate::cli::Serve;
use crate::context::Context;
use crate::output::{Output, note};

/// Time to send the last answers after the longest that a request may take.
pub(super) const SENDING: Duration = Duration::from_secs(5);

/// Serves until the process gets SIGTERM or Ctrl-C.
pub(crate) fn run(args: &Serve, context: &Context) -> anyhow::Result<Output> {
    if args.engine == EngineChoice::Onnx && context.names_gpu {
        bail!(
            "`--engine onnx` runs on the CPU, but `--device {}` asks for another device",
            context.device_name
        );
    }
    let server = Server::start(config(args), &context.device, Arc::new(note))?;
    let address = server.address();
    server.run()?;
    Ok(Output::done("", json!({ "address": address })))
}

fn config(args: &Serve) -> Config {
    let (access, limits) = (&args.access, &args.limits);
    let tls = access.tls_cert.clone().zip(access.tls_key.clone());
    Config {
        address: args.address,
        models: args.models.clone(),
        together: if args.ensemble { Together::Mean } else { Together::Separate },
        options: ClassifierOptions {
            engine: args.engine,
            operating_point: args.operating_point,
            calibration: args.calibration,
            gate: args.gate.gate(),
        },
        access: Access {
            token_file: access.token_file.clone(),
            tls: tls.map(|(certificate, key)| TlsFiles { certificate, key }),
            hosts: access.host.clone(),
            openness: if access.insecure { Openness::Accepted } else { Openness::Refused },
        },
        limits: Limits {
            body: limits.max_body << 20,
            bodies: limits.max_bodies << 20,
            pixels: limits.max_pixels as u64 * 1_000_000,
            films: limits.max_films,
            header: limits.max_header << 10,
            header_time: limits.header_time,
            time: limits.time,
            connections: limits.connections,
            stop_time: limits.stop_time.unwrap_or(limits.time + SENDING),
        },
        batching: Batching {
            films: args.batch,
            wait: Duration::from_millis(args.batch_wait),
            queue: limits.queue,
        },
    }
}
