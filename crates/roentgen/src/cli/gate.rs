//! The flags of the input gate, which commands that take films share.

use clap::Args;
use roentgen_tasks::sources::Gate;

#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct GateFlags {
    /// Correct films that are turned or inverted instead of refusing them.
    #[arg(long, conflicts_with = "no_gate")]
    fix: bool,
    /// Accept files that do not look like upright frontal chest films instead of refusing them.
    #[arg(long)]
    no_gate: bool,
}

impl GateFlags {
    /// Returns what happens to files that do not look like upright frontal chest films.
    pub(crate) fn gate(self) -> Gate {
        match (self.fix, self.no_gate) {
            (_, true) => Gate::Off,
            (true, false) => Gate::Fix,
            (false, false) => Gate::Refuse,
        }
    }
}
