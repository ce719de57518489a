//! `bench`: measures the speed of this machine and prints the figures without a verdict.

mod work;

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, bail};
use burn::tensor::activation::softplus;
use burn::tensor::{Device, Tensor, TensorData};
use roentgen_data::pixels::{self, Filter};
use roentgen_data::prepare::{self, Prepared};
use roentgen_data::preprocess::{Input, Normalize};
use roentgen_eval::{
    BootstrapOptions, Calibration, Given, Scores, WithIsotonic, calibrate, evaluate_with,
};
use roentgen_models::{Classifier, Precision};
use roentgen_onnx::Waiting;
use roentgen_phantom as phantom;
use roentgen_tasks::engine::{self, EngineChoice};
use roentgen_train::augment::Augment;
use roentgen_train::dataset::SelectedFilms;
use roentgen_train::loss_scale::{LossScale, StepOutcome};
use roentgen_train::optimizer::Optimizer;
use roentgen_train::trainer::{optimizer_step, weight_gradients};
use serde_json::{Value, json};

use work::Work;

use crate::cli::{Bench, BenchEvaluate, BenchInput, BenchNetwork, BenchPredict, BenchWhat, Steps};
use crate::context::Context;
use crate::memory;
use crate::output::Output;

/// Steps that warm caches and pages before the measured ones.
const WARM_UP: usize = 2;
/// Number and size of the films drawn for `input` if the user gives none.
const DRAWN: usize = 12;
const DRAWN_SIZE: u32 = 1024;

/// Measures one part of the program.
pub(crate) fn run(args: &Bench, context: &Context) -> anyhow::Result<Output> {
    let (precision, threads) = match &args.what {
        BenchWhat::Input(_) => (Precision::F32, 1),
        BenchWhat::Train(args) => (args.precision, rayon::current_num_threads()),
        BenchWhat::Predict(args) => (args.network.precision, rayon::current_num_threads()),
        BenchWhat::Evaluate(_) => (Precision::F32, rayon::current_num_threads()),
    };
    if precision != Precision::F32 && !roentgen_kernels::is_cuda(&context.device) {
        bail!("`--precision {precision}` needs an NVIDIA GPU and `--device cuda`");
    }
    let mut document = match &args.what {
        BenchWhat::Input(args) => input(args, &context.device)?,
        BenchWhat::Train(args) => train(args, &context.device)?,
        BenchWhat::Predict(args) => predict(args, context)?,
        BenchWhat::Evaluate(args) => figures(args)?,
    };
    document["device"] = json!(context.device_name);
    document["precision"] = json!(precision);
    document["threads"] = json!(threads);
    document["peak_memory_mib"] = json!(memory::peak_mib());
    let lines = document.as_object().into_iter().flatten();
    let text: Vec<String> = lines.map(|(key, value)| format!("{key}: {value}")).collect();
    Ok(Output::done(text.join("\n"), document))
}

fn predict(args: &BenchPredict, context: &Context) -> anyhow::Result<Value> {
    match args.engine {
        EngineChoice::Onnx if context.names_gpu => bail!(
            "`--engine onnx` runs on the CPU, but `--device {}` asks for another device",
            context.device_name
        ),
        EngineChoice::Onnx => forward_onnx(args),
        EngineChoice::Auto | EngineChoice::Burn => forward(args, &context.device),
    }
}

/// Runs `step` repeatedly and returns the figures that all benches share.
fn measure(
    Steps { steps }: Steps,
    films: usize,
    mut step: impl FnMut() -> anyhow::Result<()>,
) -> anyhow::Result<Value> {
    let began = Instant::now();
    step()?;
    let first_ms = began.elapsed().as_secs_f64() * 1e3;
    for _ in 1..WARM_UP {
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
        "first_ms": first_ms,
        "median_ms": median,
        "p95_ms": quantile(0.95),
        "films_per_second": films as f64 / median * 1e3,
        "steps": steps,
    }))
}

fn loss(model: &Classifier, films: &Tensor<4>, labels: &Tensor<2>) -> Tensor<1> {
    loss_of(model.forward(films.clone()), labels)
}

fn loss_of(logits: Tensor<2>, labels: &Tensor<2>) -> Tensor<1> {
    (softplus(logits.clone(), 1.0) - logits * labels.clone()).mean()
}

fn train(args: &BenchNetwork, device: &Device) -> anyhow::Result<Value> {
    let Work { model, films, labels, what } = Work::new(args, "train", &device.clone().autodiff())?;
    let mut model = Some(model);
    let mut optimizer = Optimizer::ADAM.init();
    let films = args.precision.films(films);
    let mut first = None;
    let mut scale = LossScale::of(args.precision);
    let measured = measure(args.steps, films.dims()[0], || {
        let now = model.take().context("the model is put back after each step")?;
        let loss = loss(&now, &films, &labels);
        let gradients = weight_gradients(&loss, &now, scale);
        first.get_or_insert(loss.into_scalar::<f64>());
        let (now, outcome) = optimizer_step(&mut optimizer, 1e-3, now, gradients, scale.as_mut());
        model = Some(now);
        if outcome == StepOutcome::Impossible {
            bail!("a gradient is not a finite number, although the loss scale has fallen to 1");
        }
        Ok(())
    })?;
    let scale = scale.map_or(json!({}), |scale| json!({ "loss_scale": scale.scale }));
    let found = merge(json!({ "first_loss": first }), scale);
    Ok(merge(merge(what, measured), found))
}

/// Makes the work of `bench predict`.
fn prepare_predict_work(args: &BenchPredict, device: &Device) -> anyhow::Result<Work> {
    match &args.model {
        Some(folder) => Work::of_model(&args.network, folder, "predict", device),
        None => Work::new(&args.network, "predict", device),
    }
}

fn forward(args: &BenchPredict, device: &Device) -> anyhow::Result<Value> {
    let Work { model, films, labels, what } =
        prepare_predict_work(args, &device.clone().without_autodiff())?;
    let films = args.network.precision.films(films);
    let mut first = None;
    let measured = measure(args.network.steps, films.dims()[0], || {
        let loss = loss(&model, &films, &labels).into_scalar::<f64>();
        first.get_or_insert(loss);
        Ok(())
    })?;
    Ok(merge(merge(what, measured), json!({ "first_loss": first })))
}

/// Measures predictions by ONNX Runtime, of the network alone.
fn forward_onnx(args: &BenchPredict) -> anyhow::Result<Value> {
    let folder = args.model.as_ref().context("`--engine onnx` needs `--model DIR`")?;
    let (films, labels, what) = Work::for_model(&args.network, folder, "predict", &Device::flex())?;
    let runtime = engine::find().map_err(anyhow::Error::msg)?;
    let threads = rayon::current_num_threads();
    let mut engine = roentgen_onnx::OnnxEngine::load(folder, &runtime, threads, Waiting::Spinning)?;
    let (count, films) = (films.dims()[0], films.into_data().try_to_vec::<f32>()?);
    let mut first = None;
    let measured = measure(args.network.steps, count, || {
        let logits = engine.logits(&films)?;
        if first.is_none() {
            let logits = TensorData::new(logits, labels.dims());
            let logits = Tensor::<2>::from_data(logits, &Device::flex());
            first = Some(loss_of(logits, &labels).into_scalar::<f64>());
        }
        Ok(())
    })?;
    let engine = json!({ "engine": runtime.path(), "first_loss": first });
    Ok(merge(merge(what, measured), engine))
}

/// Measures decoding and Lanczos resizing on one thread, reading prepared films, and batches of
/// them on the device, normalized and augmented.
fn input(args: &BenchInput, device: &Device) -> anyhow::Result<Value> {
    let folder = std::env::temp_dir().join(format!("roentgen-bench-{}", std::process::id()));
    let measured = measure_input(&folder, args, device);
    let _ = std::fs::remove_dir_all(&folder);
    measured
}

fn measure_input(folder: &Path, args: &BenchInput, device: &Device) -> anyhow::Result<Value> {
    let (paths, kind) = match &args.films {
        Some(films) => (film_files(films)?, "given"),
        None => {
            let settings = phantom::PhantomSettings { films: DRAWN, size: DRAWN_SIZE, seed: 1 };
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
    let settings = phantom::PhantomSettings { films: 64, size: 64, seed: 1 };
    phantom::write(&source, &settings, &|_| ())?;
    let settings =
        prepare::PrepareSettings { size, filter: Filter::Lanczos3, labels: None, any_size: false };
    prepare::prepare(&source, &folder.join("prepared"), &settings, &|_| ())?;
    let prepared = Prepared::open(&folder.join("prepared"))?;
    let mut sum = 0_u64;
    let read = measure(args.steps, prepared.rows.len(), || {
        for row in 0..prepared.rows.len() {
            let plane = prepared.store.plane(row)?;
            let plane = plane.iter().map(|&value| u64::from(value));
            sum = sum.wrapping_add(plane.sum::<u64>());
        }
        Ok(())
    })?;
    let rows: Vec<usize> = (0..prepared.rows.len()).cycle().take(args.batch).collect();
    let films = SelectedFilms {
        prepared: &prepared,
        findings: &[],
        input: Input { size: args.size, channels: 1, normalize: Normalize::PerImage },
        rows: &rows,
    };
    let augment = Augment { flip: true, shift: [0.05; 2], rotate: 5.0, ..Augment::default() };
    let mut step = 0;
    let batches = measure(args.steps, rows.len(), || {
        step += 1;
        let _ = augment.apply(films.tensor(&rows, device)?, &rows, 1, step);
        device.sync().context("could not wait for the device")
    })?;
    let rate = |measured: &Value| measured["films_per_second"].as_f64().unwrap_or(f64::NAN);
    let document = json!({
        "what": "decode and Lanczos3 resize on one thread",
        "films": paths.len(),
        "films_are": kind,
        "size": size,
        "prepared_films_per_second": rate(&read),
        "batch_films_per_second": rate(&batches),
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
        bail!("`{}` contains no PNG or JPEG films", folder.display());
    }
    Ok(films)
}

fn figures(args: &BenchEvaluate) -> anyhow::Result<Value> {
    let scores = Scores::read(&args.scores)?;
    let fitted = args.fit.as_ref().map(|fit| -> anyhow::Result<Calibration> {
        Ok(calibrate(&Scores::read(fit)?, WithIsotonic::Yes)?)
    });
    let fitted = fitted.transpose()?;
    let given = Given { calibration: fitted.as_ref(), ..Given::default() };
    let options = BootstrapOptions { resamples: 1000, seed: 1 };
    let measured = measure(args.steps, scores.len(), || {
        evaluate_with(&scores, &options, &given)?;
        Ok(())
    })?;
    let document = json!({
        "what": match fitted {
            Some(_) => "evaluate with 1000 resamples of patients, with fitted thresholds and calibration",
            None => "evaluate with 1000 resamples of patients",
        },
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
