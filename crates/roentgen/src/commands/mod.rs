//! The commands, one file each, and the context that they share.

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
mod verify;
mod weights;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use anyhow::{Context as _, bail};
use burn::tensor::Device;

use crate::cli::{Command, Global};
use crate::device;
use crate::output::{Output, note};
use crate::progress::Bars;

/// The settings from the global flags.
pub(crate) struct Context {
    pub(crate) device: Device,
    pub(crate) device_name: String,
    pub(crate) is_cpu: bool,
    /// Whether the user asked for a GPU by name.
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
            // A command without a device does not start a GPU's driver.
            device::Choice::Auto if !command.uses_device() => device::Choice::Cpu,
            asked => device::resolve(asked),
        };
        if choice != global.device && !choice.is_cpu() {
            // The last digits of the figures differ from those of the CPU.
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
    // Burn panics if a GPU fails or runs out of memory, and its threads may panic again until the
    // process ends.
    std::panic::set_hook(Box::new(|_| ()));
    let ended = catch_unwind(AssertUnwindSafe(|| run_command(command, context)));
    // The process would be aborted if it ended while a GPU still had work to do.
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
            "the GPU ran out of memory ({}); use a smaller batch or a smaller \
             `train.micro_batch_size`; saved files are kept",
            line.trim()
        ),
        None => bail!("the GPU failed: {reason}; saved files are kept"),
    }
}

/// Returns the message of a panic.
fn text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("unknown reason").to_owned()
}

fn run_command(command: Command, context: &Context) -> anyhow::Result<Output> {
    match command {
        Command::Quickstart(args) => quickstart::run(&args, context),
        Command::Phantom(args) => phantom::run(&args, context),
        Command::Prepare(args) => prepare::run(&args, context),
        Command::Describe(args) => describe::run(&args),
        Command::Verify(args) => verify::run(&args, context),
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
