//! The flags of `sweep` and `compare`.

use std::path::PathBuf;

use clap::Args;

use super::{positive, setting};
use crate::commands::sweep::shard::Shard;

#[derive(Args, Debug)]
pub(crate) struct Sweep {
    /// An experiment file with a table `[sweep]`.
    pub(crate) experiment: PathBuf,
    /// Where points and comparison go; a second call goes on, and several processes may share it.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Changes a key of the experiment for all points, such as `train.epochs=5`.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = setting)]
    pub(crate) settings: Vec<String>,
    /// Run only part I of N; by default what SLURM or Kubernetes say, else all.
    #[arg(long, value_name = "I/N")]
    pub(crate) shard: Option<Shard>,
    /// Run only points with this in their names.
    #[arg(long, value_name = "TEXT")]
    pub(crate) only: Option<String>,
    /// Record finished points at an MLflow server, such as http://127.0.0.1:5000.
    #[arg(long, value_name = "URL")]
    pub(crate) mlflow: Option<String>,
    /// Run failed points again.
    #[arg(long)]
    pub(crate) retry: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Compare {
    /// Finished runs, or folders of sweeps.
    #[arg(required = true)]
    pub(crate) runs: Vec<PathBuf>,
    /// Where comparison.html, comparison.md and comparison.csv go.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Patients are drawn this many times for the intervals.
    #[arg(long, default_value_t = 1000, value_name = "N", value_parser = positive)]
    pub(crate) resamples: usize,
    /// What the page is called.
    #[arg(long, default_value = "Comparison", value_name = "TEXT")]
    pub(crate) title: String,
}
