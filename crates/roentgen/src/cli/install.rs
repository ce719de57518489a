//! The flags of `completions` and `man`, for packages and shells.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

#[derive(Args, Debug)]
pub(crate) struct Completions {
    /// Shell that reads the script.
    pub(crate) shell: Shell,
}

#[derive(Args, Debug)]
pub(crate) struct Man {
    /// Folder to write `roentgen.1`, `roentgen-train.1` and the others to.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
}
