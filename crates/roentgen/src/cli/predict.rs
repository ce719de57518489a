//! The flags of `predict`.

use std::path::PathBuf;

use clap::Args;
use roentgen_data::split::Split;
use roentgen_eval::{CalibrationMethod, OperatingRule};
use roentgen_models::Precision;
use roentgen_tasks::{Shard, engine};

use super::gate::GateFlags;
use super::privacy::PrivacyFlags;
use super::values::{calibration, engine, operating_point, output, positive, shard, split};

#[derive(Args, Debug)]
pub(crate) struct Predict {
    /// Run directory, bundle, or another folder that contains `model.toml` and `model.bpk`.
    pub(crate) model: PathBuf,
    /// PNG, JPEG or DICOM files, folders of them, or prepared data sets; with `--split`, the data
    /// set of the run by default.
    #[arg(required_unless_present = "split")]
    pub(crate) inputs: Vec<PathBuf>,
    /// Score table to write, `-` for standard output; without it, the findings are printed.
    #[arg(long, value_name = "CSV", value_parser = output)]
    pub(crate) out: Option<PathBuf>,
    /// Picture of a single film to write: film, heat map and findings as one PNG.
    #[arg(long, value_name = "PNG", value_parser = output)]
    pub(crate) picture: Option<PathBuf>,
    /// Predict only this split of a prepared data set; all films by default.
    #[arg(long, value_name = "SPLIT", value_parser = split())]
    pub(crate) split: Option<Split>,
    /// Number of films in a batch.
    #[arg(long, default_value_t = 16, value_name = "N", value_parser = positive)]
    pub(crate) batch: usize,
    /// Inference engine; Burn is built in, `roentgen doctor` shows whether ONNX Runtime was found.
    ///
    /// `auto` is ONNX Runtime for 100 or more films on the CPU, if it is found, and otherwise Burn,
    /// which starts faster.
    #[arg(long, default_value = "auto", value_name = "ENGINE", value_parser = engine())]
    pub(crate) engine: engine::EngineChoice,
    /// Data type of the activations: f32, or on an NVIDIA GPU also bf16 and f16, which are faster and
    /// change the last digits of probabilities.
    #[arg(long, default_value_t = Precision::F32, value_name = "TYPE", conflicts_with_all = ["watch", "onnx"])]
    pub(crate) precision: Precision,
    /// ONNX file to predict with instead of the model's own network: one that was made of the file
    /// that `export` writes of this model, such as by `scripts/quantize.py`. Needs ONNX Runtime.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["engine", "watch", "picture", "dicom_out"])]
    pub(crate) onnx: Option<PathBuf>,
    /// Operating point of the calls, if the model has thresholds.
    #[arg(long, default_value = "youden", value_name = "NAME", value_parser = operating_point())]
    pub(crate) operating_point: OperatingRule,
    /// Method of the calibrated probabilities, which the model must then have; by default `platt`, if
    /// the model has it. `calibrate --isotonic` fits the third.
    #[arg(long, value_name = "METHOD", value_parser = calibration())]
    pub(crate) calibration: Option<CalibrationMethod>,
    /// Predict only part I of N, in whole batches; `roentgen join` joins the tables. `auto` is the
    /// part of the SLURM or Kubernetes job.
    #[arg(long, value_name = "I/N", value_parser = shard)]
    pub(crate) shard: Option<Shard>,
    /// Keep looking for new films in the folder given, and append their rows to `--out`, each film
    /// once. Ends on Ctrl-C; start it again to continue.
    #[arg(long, requires = "out", conflicts_with_all = ["split", "shard", "picture", "de_identify"])]
    pub(crate) watch: bool,
    /// AUROC of each finding with intervals to write as CSV, if the films have labels.
    #[arg(long, value_name = "CSV", value_parser = output, conflicts_with_all = ["shard", "watch"])]
    pub(crate) csv_auroc: Option<PathBuf>,
    /// Picture of the ROC curves to write as SVG, if the films have labels.
    #[arg(long, value_name = "SVG", value_parser = output, conflicts_with_all = ["shard", "watch"])]
    pub(crate) roc: Option<PathBuf>,
    /// Folder for DICOM objects of each film: a structured report, overlays of the heat maps and a
    /// presentation state with their contours.
    #[arg(long, value_name = "DIR", conflicts_with = "watch")]
    pub(crate) dicom_out: Option<PathBuf>,
    /// Write DICOM objects of films that are not in DICOM files too, each in a study of its own with
    /// the film.
    #[arg(long, requires = "dicom_out")]
    pub(crate) new_study: bool,
    #[command(flatten)]
    pub(crate) gate: GateFlags,
    #[command(flatten)]
    pub(crate) privacy: PrivacyFlags,
}

/// Flags of `join`.
#[derive(Args, Debug)]
pub(crate) struct Join {
    /// Score tables that `predict --shard` wrote, in the order of the parts.
    #[arg(required = true)]
    pub(crate) parts: Vec<PathBuf>,
    /// Score table to write, `-` for standard output.
    #[arg(long, value_name = "CSV", value_parser = output)]
    pub(crate) out: PathBuf,
}
