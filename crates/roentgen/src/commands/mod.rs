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

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use anyhow::{Context as _, bail};
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
    pub(crate) fn new(global: &Global, command: &Command) -> anyhow::Result<Self> {
        if let Some(threads) = global.threads {
            rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build_global()
                .context("could not set `--threads`")?;
        }
        let choice = match global.device {
            // A command that needs no device does not start a GPU's driver.
            device::Choice::Auto if !command.uses_device() => device::Choice::Cpu,
            asked => device::resolve(asked),
        };
        if choice != global.device && !choice.is_cpu() {
            // The last digits of figures differ from the CPU's.
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
    if context.is_cpu {
        return run_command(command, context);
    }
    // Burn panics when a GPU fails or has no memory left, and its threads may panic again until the process ends.
    std::panic::set_hook(Box::new(|_| ()));
    let ended = catch_unwind(AssertUnwindSafe(|| run_command(command, context)));
    // A process that ends with work on its way to a GPU is aborted by the driver's own cleaning up.
    let _ = catch_unwind(AssertUnwindSafe(|| context.device.sync()));
    let reason = match ended {
        Ok(output) => match roentgen_kernels::failure() {
            Some(failure) => failure.to_owned(),
            None => return output,
        },
        Err(panic) => roentgen_kernels::failure().map_or_else(|| text(&*panic), str::to_owned),
    };
    match reason.lines().find(|line| line.contains("out of device memory")) {
        Some(line) => bail!(
            "the memory of the GPU ran out ({}); what was saved before stays, and a smaller batch, or a smaller \
             `train.micro_batch_size`, needs less",
            line.trim()
        ),
        None => bail!("the GPU failed: {reason}; what was saved before stays"),
    }
}

/// What a panic said.
fn text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("it does not say why")
        .to_owned()
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
