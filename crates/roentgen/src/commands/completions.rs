//! `completions`: prints the script with which a shell completes commands and flags.

use anyhow::Context as _;
use clap::CommandFactory;
use serde_json::json;

use crate::cli::{Cli, Completions};
use crate::output::Output;

/// Returns the script as the text of the command.
pub(crate) fn run(args: &Completions) -> anyhow::Result<Output> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "roentgen", &mut script);
    let script = String::from_utf8(script).context("the script is not UTF-8")?;
    let json = json!({ "shell": args.shell.to_string(), "script": script });
    Ok(Output::done(script, json))
}
