//! The commands, one file each: each calls a library with the values of its flags, and says what
//! came of it.

mod bench;
mod calibrate;
mod compare;
mod completions;
mod describe;
mod doctor;
mod ensemble;
mod evaluate;
mod explain;
mod export;
pub(crate) mod fetch;
mod init;
mod join;
mod man;
mod phantom;
mod predict;
mod prepare;
mod quickstart;
mod serve;
pub(crate) mod sweep;
mod train;
mod verify;
mod view;
mod weights;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use anyhow::bail;
use roentgen_kernels::GpuFailure;

use crate::cli::Command;
use crate::context::Context;
use crate::output::Output;

/// Runs a command.
pub(crate) fn run(command: Command, context: &Context) -> anyhow::Result<Output> {
    if context.is_cpu {
        return run_command(command, context);
    }
    // Burn panics if a GPU fails or runs out of memory.
    let ended = catch_unwind(AssertUnwindSafe(|| run_command(command, context)));
    // The process would be aborted if it ended while a GPU still had work to do.
    let _ = catch_unwind(AssertUnwindSafe(|| context.device.sync()));
    let failure = match (ended, roentgen_kernels::failure()) {
        (Ok(output), None) => return output,
        (_, Some(failure)) => failure.clone(),
        (Err(panic), None) => {
            GpuFailure::new(&text(&*panic), roentgen_kernels::gpu_memory(&context.device))
        }
    };
    bail!("stopped on {}: {failure}; saved files are kept", context.device_name)
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
        Command::Describe(args) => describe::run(&args, context),
        Command::Verify(args) => verify::run(&args, context),
        Command::Init(args) => init::run(&args),
        Command::Train(args) => train::run(&args, context),
        Command::Resume(args) => train::resume(&args, context),
        Command::Calibrate(args) => calibrate::run(&args, context),
        Command::Sweep(args) => sweep::run(&args, context),
        Command::Compare(args) => compare::run(&args, context),
        Command::Show(args) => train::show(&args),
        Command::Predict(args) => predict::run(&args, context),
        Command::Join(args) => join::run(&args, context),
        Command::Evaluate(args) => evaluate::run(&args, context),
        Command::Ensemble(args) => ensemble::run(&args, context),
        Command::Explain(args) => explain::run(&args, context),
        Command::Serve(args) => serve::run(&args, context),
        Command::View(args) => view::run(&args, context),
        Command::Export(args) => export::run(&args, context),
        Command::Fetch(args) => fetch::run(&args, context),
        Command::Weights(args) => weights::run(&args, context),
        Command::Bench(args) => bench::run(&args, context),
        Command::Doctor => Ok(doctor::run(context)),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
    }
}
