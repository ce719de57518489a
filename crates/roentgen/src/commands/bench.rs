//! `bench`: how fast this machine does it. Prints figures; passes no judgement.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, bail};
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Distribution, Tensor};
use roentgen_data::phantom;
use roentgen_data::pixels::{self, Filter};
use roentgen_data::prepare::{self, Prepared};
use roentgen_eval::{Options, Scores, evaluate};
use roentgen_models::{Architecture, ClassifierConfig, Pool};
use serde_json::{Value, json};

use super::Context;
use crate::cli::{Bench, BenchWhat};
use crate::output::Output;

/// Steps that warm caches and pages before the measured ones.
const WARM_UP: usize = 2;
/// Films drawn for `input` where none are given.
const DRAWN: usize = 12;
const DRAWN_SIZE: u32 = 1024;

/// Measures.
pub(crate) fn run(args: &Bench, context: &Context) -> anyhow::Result<Output> {
    let mut document = match args.what {
        BenchWhat::Input => input(args)?,
        BenchWhat::Train => train(args, &context.device)?,
        BenchWhat::Predict => forward(args, &context.device)?,
        BenchWhat::Evaluate => figures(args)?,
    };
    document["device"] = json!(context.device_name);
    let threads = if args.what == BenchWhat::Input { 1 } else { rayon::current_num_threads() };
    document["threads"] = json!(threads);
    document["peak_memory_mib"] = json!(peak_memory_mib());
    let lines = document.as_object().into_iter().flatten();
    let text: Vec<String> = lines.map(|(key, value)| format!("{key}: {value}")).collect();
    Ok(Output::done(text.join("\n"), document))
}

/// Runs `step` and gives what all benches share.
fn measure(
    steps: usize,
    films: usize,
    mut step: impl FnMut() -> anyhow::Result<()>,
) -> anyhow::Result<Value> {
    for _ in 0..WARM_UP {
        step()?;
    }
    let mut times = Vec::with_capacity(steps);
    for _ in 0..steps {
        let began = Instant::now();
        step()?;
        times.push(began.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    let quantile = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize];
    let median = quantile(0.5);
    Ok(json!({
        "median_ms": median,
        "p95_ms": quantile(0.95),
        "films_per_second": films as f64 / median * 1e3,
        "steps": steps,
    }))
}

fn network(args: &Bench) -> anyhow::Result<ClassifierConfig> {
    let architecture = Architecture::ALL
        .into_iter()
        .find(|architecture| architecture.name() == args.architecture)
        .with_context(|| {
            let known: Vec<_> = Architecture::ALL.iter().map(|known| known.name()).collect();
            format!("`{}` is no architecture; known are {}", args.architecture, known.join(", "))
        })?;
    let config =
        ClassifierConfig { architecture, width: args.width, pool: Pool::Average, dropout: 0.5 };
    config.check(args.size, 3)?;
    Ok(config)
}

fn films(args: &Bench, device: &Device) -> Tensor<4> {
    Tensor::random([args.batch, 3, args.size, args.size], Distribution::Normal(0.0, 1.0), device)
}

fn what(args: &Bench, name: &str) -> Value {
    let Bench { architecture, width, size, batch, .. } = args;
    json!({ "what": name, "architecture": architecture, "width": width, "size": size, "batch": batch, "channels": 3 })
}

fn train(args: &Bench, device: &Device) -> anyhow::Result<Value> {
    let device = device.clone().autodiff();
    device.seed(1);
    let mut model = Some(network(args)?.init(3, 14, &device));
    let mut optimizer = AdamConfig::new().init();
    let films = films(args, &device);
    let measured = measure(args.steps, args.batch, || {
        let now = model.take().context("the model is put back after each step")?;
        let loss = sigmoid(now.forward(films.clone())).log().neg().mean();
        let gradients = GradientsParams::from_grads(loss.backward(), &now);
        model = Some(optimizer.step(1e-3, now, gradients));
        Ok(())
    })?;
    Ok(merge(what(args, "train"), measured))
}

fn forward(args: &Bench, device: &Device) -> anyhow::Result<Value> {
    let device = device.clone().without_autodiff();
    device.seed(1);
    let model = network(args)?.init(3, 14, &device);
    let films = films(args, &device);
    let measured = measure(args.steps, args.batch, || {
        model.forward(films.clone()).try_into_data()?;
        Ok(())
    })?;
    Ok(merge(what(args, "predict"), measured))
}

/// Decode and Lanczos resize on one thread, and reading of prepared films.
fn input(args: &Bench) -> anyhow::Result<Value> {
    let folder = std::env::temp_dir().join(format!("roentgen-bench-{}", std::process::id()));
    let measured = input_in(&folder, args);
    let _ = std::fs::remove_dir_all(&folder);
    measured
}

fn input_in(folder: &Path, args: &Bench) -> anyhow::Result<Value> {
    let (paths, kind) = match &args.films {
        Some(films) => (film_files(films)?, "given"),
        None => {
            let settings = phantom::Settings { films: DRAWN, size: DRAWN_SIZE, seed: 1 };
            phantom::write(&folder.join("films"), &settings, &|_| ())?;
            (film_files(&folder.join("films"))?, "drawn by phantom")
        }
    };
    let size = args.size as u32;
    let decode = measure(args.steps, paths.len(), || {
        for path in &paths {
            pixels::resize(pixels::read(path)?, size, Filter::Lanczos3)?;
        }
        Ok(())
    })?;

    let source = folder.join("few");
    let settings = phantom::Settings { films: 64, size: 64, seed: 1 };
    phantom::write(&source, &settings, &|_| ())?;
    let settings =
        prepare::Settings { size, filter: Filter::Lanczos3, labels: None, any_size: false };
    prepare::prepare(&source, &folder.join("prepared"), &settings, &|_| ())?;
    let prepared = Prepared::open(&folder.join("prepared"))?;
    let mut sum = 0_u64;
    let read = measure(args.steps, prepared.rows.len(), || {
        for row in 0..prepared.rows.len() {
            let plane = prepared.store.plane(row).iter().map(|&value| u64::from(value));
            sum = sum.wrapping_add(plane.sum::<u64>());
        }
        Ok(())
    })?;
    let rate = |measured: &Value| measured["films_per_second"].as_f64().unwrap_or(f64::NAN);
    let document = json!({
        "what": "decode and Lanczos3 resize on one thread",
        "films": paths.len(),
        "films_are": kind,
        "size": size,
        "prepared_films_per_second": rate(&read),
        "prepared_over_decoded": rate(&read) / rate(&decode),
        "checksum": sum,
    });
    Ok(merge(document, decode))
}

fn film_files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let files = roentgen_data::nih::walk(folder)?;
    let films: Vec<PathBuf> =
        files.into_iter().filter(|path| roentgen_data::nih::is_film(path)).collect();
    if films.is_empty() {
        bail!("there are no PNG or JPEG films below `{}`", folder.display());
    }
    Ok(films)
}

fn figures(args: &Bench) -> anyhow::Result<Value> {
    let path = args.scores.as_ref().context("`bench evaluate` needs `--scores CSV`")?;
    let scores = Scores::read(path)?;
    let options = Options { resamples: 1000, seed: 1 };
    let measured = measure(args.steps, scores.len(), || {
        evaluate(&scores, &options)?;
        Ok(())
    })?;
    let document = json!({
        "what": "evaluate with 1000 resamples of patients",
        "films": scores.len(),
        "findings": scores.findings().len(),
    });
    Ok(merge(document, measured))
}

fn merge(mut first: Value, second: Value) -> Value {
    if let (Some(first), Value::Object(second)) = (first.as_object_mut(), second) {
        first.extend(second);
    }
    first
}

/// The most memory this process has held, where the system says so.
fn peak_memory_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib / 1024)
}
