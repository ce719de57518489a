//! The flags of `sweep` and `compare`.

use std::path::PathBuf;

use clap::Args;
use roentgen_tasks::Shard;

use super::values::{at_most, setting};

#[derive(Args, Debug)]
pub(crate) struct Sweep {
    /// Experiment file with a `[sweep]` table.
    pub(crate) experiment: PathBuf,
    /// Output folder; run again with the same folder to resume; processes can share it.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Override a key of the experiment for all points, such as `train.epochs=5`; repeatable.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = setting)]
    pub(crate) settings: Vec<String>,
    /// Run only part I of N; by default the part of the SLURM or Kubernetes job, otherwise all.
    #[arg(long, value_name = "I/N")]
    pub(crate) shard: Option<Shard>,
    /// Run only points whose name contains this text.
    #[arg(long, value_name = "TEXT")]
    pub(crate) only: Option<String>,
    /// Record finished points on an MLflow server, such as http://127.0.0.1:5000.
    #[arg(long, value_name = "URL")]
    pub(crate) mlflow: Option<String>,
    /// Start even if the run needs more memory than is available, by the estimate.
    #[arg(long)]
    pub(crate) force: bool,
    /// Run failed points again.
    #[arg(long)]
    pub(crate) retry: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Compare {
    /// Finished runs, or output folders of sweeps.
    #[arg(required = true)]
    pub(crate) runs: Vec<PathBuf>,
    /// Where a data set of the runs is now, if it was moved; repeatable, chosen by its fingerprint.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Vec<PathBuf>,
    /// Output folder for comparison.html, comparison.md and comparison.csv.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Number of bootstrap resamples of the patients for the intervals.
    #[arg(long, default_value_t = 1000, value_name = "N",
        value_parser = at_most::<100_000>)]
    pub(crate) resamples: usize,
    /// Title of the page.
    #[arg(long, default_value = "Comparison", value_name = "TEXT")]
    pub(crate) title: String,
}
