//! The work of `bench train` and `bench predict`: a network, films and targets, random or from
//! files.

use std::path::Path;

use anyhow::{Context as _, bail};
use burn::tensor::{Device, Distribution, Tensor, TensorData};
use roentgen_data::preprocess::Input;
use roentgen_models::pretrained::{self, ClassifierPart, WeightFile};
use roentgen_models::{Architecture, Classifier, ClassifierConfig, ModelInfo, Pool, model_dir};
use roentgen_tasks::batch::check_batch;
use roentgen_train::memory;
use serde_json::{Value, json};

use crate::cli::BenchNetwork;

/// A network, and films and targets for it.
pub(super) struct Work {
    pub(super) model: Classifier,
    pub(super) films: Tensor<4>,
    /// 0 or 1 for each film and finding.
    pub(super) labels: Tensor<2>,
    /// A description of the work, for the document.
    pub(super) what: Value,
}

impl Work {
    /// Makes the work of random values, or of those in `--like`.
    pub(super) fn new(args: &BenchNetwork, name: &str, device: &Device) -> anyhow::Result<Self> {
        device.seed(1);
        let architecture: Architecture = args.architecture.parse()?;
        let file = args.like.as_deref().map(WeightFile::open).transpose()?;
        let (pool, dropout) =
            if file.is_some() { (Pool::Linear, 0.0) } else { (Pool::Average, 0.5) };
        let config = ClassifierConfig {
            architecture,
            width: args.width,
            pool,
            dropout,
            stochastic_depth: (file.is_some() && architecture.has_stochastic_depth())
                .then_some(0.0),
        };
        if !args.force {
            // Before the films are made or read, which may be too many as well.
            let (batch, size) = batch_and_size(file.as_ref(), args.batch, args.size);
            check_memory(&config, size, batch, device)?;
        }
        let shape = [args.batch, 3, args.size, args.size];
        let (films, labels) = Self::films(file.as_ref(), shape, 14, device)?;
        let [_, channels, size, _] = films.dims();
        let [_, findings] = labels.dims();
        let what = Self::describe_work(name, &args.architecture, args.width, films.dims());
        config.check(size, channels)?;
        let model = config.init(channels, findings, device);
        let model = match &file {
            Some(file) => pretrained::fit(model, architecture, ClassifierPart::Whole, file)?.0,
            None => model,
        };
        Ok(Self { model, films, labels, what })
    }

    /// Loads a model directory and makes films that fit it.
    pub(super) fn of_model(
        args: &BenchNetwork,
        folder: &Path,
        name: &str,
        device: &Device,
    ) -> anyhow::Result<Self> {
        let (films, labels, what) = Self::for_model(args, folder, name, device)?;
        let model = model_dir::load(folder, device)?.network;
        Ok(Self { model, films, labels, what })
    }

    /// Makes films that fit a model directory, their targets, and a description of the work.
    pub(super) fn for_model(
        args: &BenchNetwork,
        folder: &Path,
        name: &str,
        device: &Device,
    ) -> anyhow::Result<(Tensor<4>, Tensor<2>, Value)> {
        device.seed(1);
        let description = ModelInfo::read(folder)?;
        let Input { size, channels, .. } = description.input;
        let file = args.like.as_deref().map(WeightFile::open).transpose()?;
        if !args.force {
            let (batch, _) = batch_and_size(file.as_ref(), args.batch, size);
            check_batch(&description, batch, batch, device)?;
        }
        let findings = description.findings.len();
        let shape = [args.batch, channels, size, size];
        let (films, labels) = Self::films(file.as_ref(), shape, findings, device)?;
        if films.dims()[1..] != shape[1..] || labels.dims()[1] != findings {
            bail!(
                "`--like` has films of {:?} and {} targets, but the model in `{}` takes {:?} and \
                 has {findings} outputs",
                &films.dims()[1..],
                labels.dims()[1],
                folder.display(),
                &shape[1..],
            );
        }
        let network = description.network;
        let what =
            Self::describe_work(name, network.architecture.name(), network.width, films.dims());
        Ok((films, labels, what))
    }

    /// Reads the films of `--like`, or makes films of noise with one in five labels positive.
    fn films(
        file: Option<&WeightFile>,
        shape: [usize; 4],
        findings: usize,
        device: &Device,
    ) -> anyhow::Result<(Tensor<4>, Tensor<2>)> {
        if let Some(file) = file {
            return Ok((tensor(file, "films", device)?, tensor(file, "targets", device)?));
        }
        let noise = Tensor::<2>::random([shape[0], findings], Distribution::Default, device);
        let films = Tensor::random(shape, Distribution::Normal(0.0, 1.0), device);
        Ok((films, noise.lower_elem(0.2).float()))
    }

    fn describe_work(name: &str, architecture: &str, width: f64, films: [usize; 4]) -> Value {
        let [batch, channels, size, _] = films;
        json!({
            "what": name,
            "architecture": architecture,
            "width": width,
            "size": size,
            "batch": batch,
            "channels": channels,
        })
    }
}

/// Returns number and size of the films in a file, or of those to be made.
fn batch_and_size(file: Option<&WeightFile>, batch: usize, size: usize) -> (usize, usize) {
    match file.and_then(|file| file.shape("films")) {
        Some(&[batch, _, height, _]) => (batch, height),
        _ => (batch, size),
    }
}

/// Refuses work on the CPU whose activations need more memory than is available.
fn check_memory(
    config: &ClassifierConfig,
    size: usize,
    batch: usize,
    device: &Device,
) -> anyhow::Result<()> {
    let is_cpu = device.clone().without_autodiff() == Device::flex();
    let need = config.activation_bytes(size, batch) as u64;
    match memory::available() {
        Some(available) if is_cpu && need > available.bytes => bail!(
            "the activations need about {} MiB of memory, but {} MiB are available; choose a smaller \
             `--batch` or `--size`, or pass `--force`",
            need >> 20,
            available.bytes >> 20
        ),
        _ => Ok(()),
    }
}

fn tensor<const D: usize>(
    file: &WeightFile,
    name: &str,
    device: &Device,
) -> anyhow::Result<Tensor<D>> {
    let values = file.values(name)?;
    let shape: [usize; D] = file
        .shape(name)
        .and_then(|shape| shape.try_into().ok())
        .with_context(|| format!("`{name}` in `{}` does not have {D} axes", file.path.display()))?;
    Ok(Tensor::from_data(TensorData::new(values, shape), device))
}
