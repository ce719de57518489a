//! One file a command, and what they share.

mod bench;
mod compare;
mod describe;
mod doctor;
mod ensemble;
mod evaluate;
mod explain;
mod export;
pub(crate) mod fetch;
mod phantom;
mod predict;
mod prepare;
mod quickstart;
pub(crate) mod sweep;
mod train;
mod weights;

use anyhow::Context as _;
use burn::tensor::Device;

use crate::cli::{Command, Global};
use crate::device;
use crate::output::{Output, note};
use crate::progress::Bars;

/// What the global flags decided.
pub(crate) struct Context {
    pub(crate) device: Device,
    pub(crate) device_name: String,
    pub(crate) is_cpu: bool,
    /// Whether a GPU was asked for by name.
    pub(crate) names_gpu: bool,
    pub(crate) bars: Bars,
}

impl Context {
    /// Opens the device and sets the number of threads.
    pub(crate) fn new(global: &Global) -> anyhow::Result<Self> {
        if let Some(threads) = global.threads {
            rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build_global()
                .context("could not set `--threads`")?;
        }
        let choice = device::resolve(global.device);
        if choice != global.device && !choice.is_cpu() {
            // Figures differ from the CPU's in their last digits.
            note(&format!("device: {choice}"));
        }
        Ok(Self {
            device: device::open(choice)?,
            device_name: choice.to_string(),
            is_cpu: choice.is_cpu(),
            names_gpu: choice == global.device && !choice.is_cpu(),
            bars: Bars::choose(global.no_progress),
        })
    }
}

/// Runs a command.
pub(crate) fn run(command: Command, context: &Context) -> anyhow::Result<Output> {
    let output = run_command(command, context)?;
    if let Some(failure) = roentgen_kernels::failure() {
        anyhow::bail!("the GPU failed on the way, and what was written is of no use: {failure}");
    }
    Ok(output)
}

fn run_command(command: Command, context: &Context) -> anyhow::Result<Output> {
    match command {
        Command::Quickstart(args) => quickstart::run(&args, context),
        Command::Phantom(args) => phantom::run(&args, context),
        Command::Prepare(args) => prepare::run(&args, context),
        Command::Describe(args) => describe::run(&args),
        Command::Train(args) => train::run(&args, context),
        Command::Sweep(args) => sweep::run(&args, context),
        Command::Compare(args) => compare::run(&args, context),
        Command::Show(args) => train::show(&args),
        Command::Predict(args) => predict::run(&args, context),
        Command::Evaluate(args) => evaluate::run(&args),
        Command::Ensemble(args) => ensemble::run(&args),
        Command::Explain(args) => explain::run(&args, context),
        Command::Export(args) => export::run(&args),
        Command::Fetch(args) => fetch::run(&args, context),
        Command::Weights(args) => weights::run(&args, context),
        Command::Bench(args) => bench::run(&args, context),
        Command::Doctor => Ok(doctor::run(context)),
    }
}
