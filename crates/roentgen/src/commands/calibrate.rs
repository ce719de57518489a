//! `calibrate`: fits calibration and thresholds to a run's validation films.

use std::path::Path;

use roentgen_eval::{Calibration, OperatingRule, WithIsotonic};
use roentgen_tasks::calibrate::calibrate_run;
use roentgen_train::{overrides, run_dir};
use serde_json::json;

use crate::cli::Calibrate;
use crate::context::Context;
use crate::output::{Output, films, patients, table};

/// Calibrates a run.
pub(crate) fn run(args: &Calibrate, context: &Context) -> anyhow::Result<Output> {
    let experiment = overrides::read(&args.run.join(run_dir::EXPERIMENT), &[])?;
    let isotonic = if args.isotonic { WithIsotonic::Yes } else { WithIsotonic::No };
    let (device, listener) = (&context.device, context.listener());
    let calibration =
        calibrate_run(&args.run, &experiment, isotonic, &args.data, device, &listener)?;
    let json = json!({ "run": args.run, "calibration": calibration });
    Ok(Output::done(text(&calibration, &args.run), json))
}

fn text(calibration: &Calibration, run: &Path) -> String {
    let youden = OperatingRule::Youden;
    let number = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.4}"));
    let rows: Vec<Vec<String>> = calibration
        .findings
        .iter()
        .map(|finding| {
            vec![
                finding.finding.clone(),
                finding.positives.to_string(),
                number(finding.platt.map(|platt| platt.slope)),
                number(finding.platt.map(|platt| platt.intercept)),
                number(finding.temperature),
                number(finding.thresholds.get(&youden).copied()),
                finding.reason.clone().unwrap_or_default(),
            ]
        })
        .collect();
    let header = ["finding", "positives", "slope", "intercept", "temperature", "youden", "why not"];
    format!(
        "{}\nfitted to {} of {} ({}): {}",
        table(&header, &rows),
        films(calibration.films),
        patients(calibration.patients),
        calibration.split.as_deref().unwrap_or("split unknown"),
        run.display()
    )
}
