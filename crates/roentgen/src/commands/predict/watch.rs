//! `predict --watch`: predicts films as they arrive in a folder.

use std::thread;
use std::time::Duration;

use anyhow::bail;
use roentgen_data::prepare::Prepared;
use roentgen_tasks::watch::{WatchRequest, Watched, watch};
use serde_json::json;

use crate::cli::Predict;
use crate::context::Context;
use crate::output::{Output, films, is_standard, note};

/// The time between two looks into the folder.
const PAUSE: Duration = Duration::from_secs(1);

/// Watches the folder until the program is stopped.
pub(super) fn run(args: &Predict, context: &Context) -> anyhow::Result<Output> {
    let (Some(out), [folder]) = (&args.out, args.inputs.as_slice()) else {
        bail!("`--watch` needs one folder and `--out`");
    };
    if is_standard(out) {
        bail!(
            "`--watch` keeps the films that are done in its score table; name a file for `--out`"
        );
    }
    if Prepared::is_prepared(folder) {
        bail!(
            "`{}` is a prepared data set, in which no films arrive; leave `--watch` out",
            folder.display()
        );
    }
    let request = WatchRequest {
        model: &args.model,
        folder,
        out,
        batch: args.batch,
        engine: args.engine,
        operating_point: args.operating_point,
        calibration: args.calibration,
        gate: args.gate.gate(),
    };
    note(&format!("watching {}; press Ctrl-C to stop", folder.display()));
    let mut told = Watched::default();
    let watched = watch(&request, &context.device, &context.listener(), &mut |watched| {
        if watched != told {
            note(&format!("{} predicted, {} skipped", films(watched.predicted), watched.bad));
            told = watched;
        }
        thread::sleep(PAUSE);
        true
    })?;
    let text = format!("{}: {}", films(watched.predicted), out.display());
    let json = json!({ "out": out, "films": watched.predicted, "bad": watched.bad });
    Ok(Output::done(text, json))
}
