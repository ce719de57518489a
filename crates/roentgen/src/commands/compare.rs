//! `compare`: finished runs side by side.

use std::path::{Path, PathBuf};

use roentgen_train::Facts;
use roentgen_train::sweep::Point;
use serde_json::{Value, json};

use super::Context;
use crate::cli;
use crate::output::Output;

pub(crate) struct Entrant {
    name: String,
    run: PathBuf,
}
impl Entrant {
    pub(crate) fn of_point(point: &Point, run: &Path) -> anyhow::Result<Self> {
        Ok(Self { name: point.name.clone(), run: run.to_owned() })
    }
}
pub(crate) struct Compared {
    pub(crate) text: String,
    pub(crate) json: Value,
}
pub(crate) fn write(
    _title: &str,
    entrants: Vec<Entrant>,
    _failed: &[(String, String)],
    _open: usize,
    _out: &Path,
    _context: &Context,
) -> anyhow::Result<Compared> {
    let lines: Vec<String> =
        entrants.iter().map(|e| format!("{} {:?}", e.name, Facts::read(&e.run))).collect();
    Ok(Compared { text: lines.join("\n"), json: json!(null) })
}
pub(crate) fn run(_args: &cli::Compare, _context: &Context) -> anyhow::Result<Output> {
    anyhow::bail!("no")
}
