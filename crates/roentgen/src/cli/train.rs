//! The flags of the commands that write and run experiments.

use std::path::PathBuf;

use clap::Args;

use super::values::{output, positive, setting};

#[derive(Args, Debug)]
pub(crate) struct Init {
    /// Experiment file to write, which must not exist; `-` for standard output.
    #[arg(default_value = "experiment.toml", value_parser = output)]
    pub(crate) file: PathBuf,
    /// Prepared data set that the file names.
    #[arg(long, value_name = "DIR", default_value = "PREPARED")]
    pub(crate) prepared: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct Train {
    /// Experiment file.
    pub(crate) experiment: PathBuf,
    /// Run directory to write.
    #[arg(long, value_name = "RUN")]
    pub(crate) out: PathBuf,
    /// Override a key of the experiment, such as `train.epochs=5`; repeatable.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = setting)]
    pub(crate) settings: Vec<String>,
    /// Shorthand for `--set seed=N`.
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Resume an unfinished run of the same experiment.
    #[arg(long)]
    pub(crate) resume: bool,
    /// Start even if the run needs more memory than is available, by the estimate.
    #[arg(long)]
    pub(crate) force: bool,
    /// Record the finished run on an MLflow server, such as http://127.0.0.1:5000.
    #[arg(long, value_name = "URL")]
    pub(crate) mlflow: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Resume {
    /// Run directory.
    pub(crate) run: PathBuf,
    /// Total number of epochs, to lengthen the run; by default the number does not change.
    #[arg(long, value_name = "N", value_parser = positive)]
    pub(crate) epochs: Option<usize>,
    /// Where the data set of the run is now, if it was moved.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Vec<PathBuf>,
    /// Start even if the run needs more memory than is available, by the estimate.
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Calibrate {
    /// Run directory.
    pub(crate) run: PathBuf,
    /// Where the data set of the run is now, if it was moved.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Vec<PathBuf>,
    /// Also fit an isotonic regression, which needs many films.
    #[arg(long)]
    pub(crate) isotonic: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Show {
    /// Experiment file.
    pub(crate) experiment: PathBuf,
    /// Override a key of the experiment, such as `train.epochs=5`; repeatable.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = setting)]
    pub(crate) settings: Vec<String>,
}
