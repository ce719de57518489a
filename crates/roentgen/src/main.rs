//! `roentgen`: from a folder of chest films to a trained, honestly evaluated classifier.

#![recursion_limit = "256"]

mod allocator;
mod cli;
mod commands;
mod context;
mod download;
mod inputs;
mod memory;
mod mlflow;
mod output;
mod privacy;
mod progress;

use std::io;
use std::process::ExitCode;

use clap::Parser;
use roentgen_tasks::fault;

use cli::Cli;
use output::{Ending, Output};

fn main() -> ExitCode {
    restore_on_the_cpu();
    fault::silence();
    let cli = Cli::parse();
    if cli.command.uses_device() {
        allocator::keep_pages();
    }
    let is_json = cli.global.json;
    match fault::catch(|| run(cli)) {
        Ok(output) => finish(&output, is_json),
        Err(error) => fail(&error),
    }
}

/// Makes the CPU Burn's default device, on which it restores the state of an optimizer before the
/// next step moves it to the device that trains. In a build with CUDA it would be a GPU, also on a
/// machine that has none.
fn restore_on_the_cpu() {
    #[expect(unsafe_code, reason = "the environment must not be read at the same time")]
    // SAFETY: no other thread has been started yet.
    unsafe {
        std::env::set_var("BURN_DEVICE", "flex");
    }
}

fn run(cli: Cli) -> anyhow::Result<Output> {
    let context = context::Context::new(&cli.global, &cli.command)?;
    commands::run(cli.command, &context)
}

fn finish(output: &Output, is_json: bool) -> ExitCode {
    match output.print(is_json) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => fail(&error.into()),
        // On a broken pipe the reader has read enough.
        _ => match output.ending {
            Ending::Done => ExitCode::SUCCESS,
            Ending::BadFilms | Ending::FailedPoints => ExitCode::FAILURE,
            Ending::Interrupted => ExitCode::from(130),
        },
    }
}

fn fail(error: &anyhow::Error) -> ExitCode {
    output::note(&format!("error: {error:#}"));
    ExitCode::FAILURE
}
