//! The flags of `serve`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use roentgen_eval::{CalibrationMethod, OperatingRule};
use roentgen_serve::ModelPlace;
use roentgen_tasks::engine::EngineChoice;

use super::gate::GateFlags;
use super::values::{at_most, calibration, engine, operating_point};

/// The heading of the flags that say who may ask.
const ACCESS: &str = "Access";
/// The heading of the flags that say what is refused.
const LIMITS: &str = "Limits";

#[derive(Args, Debug)]
pub(crate) struct Serve {
    /// Run directories, bundles, or other folders with a model; `NAME=PATH` gives a name, which is
    /// otherwise that of the folder.
    #[arg(required = true, value_name = "MODEL", value_parser = ModelPlace::parse)]
    pub(crate) models: Vec<ModelPlace>,
    /// Address and port; with port 0 the system chooses one, which is in the log.
    #[arg(long, default_value = "127.0.0.1:8000", value_name = "ADDRESS:PORT")]
    pub(crate) address: SocketAddr,
    /// Also serve the mean of all models, two or more, as the model `ensemble`.
    #[arg(long)]
    pub(crate) ensemble: bool,
    /// Inference engine. `auto` is Burn, which is built in.
    #[arg(long, default_value = "auto", value_name = "ENGINE", value_parser = engine())]
    pub(crate) engine: EngineChoice,
    /// Operating point of the calls, if the model has thresholds.
    #[arg(long, default_value = "youden", value_name = "NAME", value_parser = operating_point())]
    pub(crate) operating_point: OperatingRule,
    /// Method of the calibrated probabilities, which every model must then have; by default `platt`,
    /// if the model has it.
    #[arg(long, value_name = "METHOD", value_parser = calibration())]
    pub(crate) calibration: Option<CalibrationMethod>,
    /// Most films in a batch.
    #[arg(long, default_value_t = 16, value_name = "N", value_parser = at_most::<256>)]
    pub(crate) batch: usize,
    /// Milliseconds that a film waits for others to share its batch.
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u64).range(..=1000))]
    pub(crate) batch_wait: u64,
    #[command(flatten)]
    pub(crate) gate: GateFlags,
    #[command(flatten)]
    pub(crate) access: AccessFlags,
    #[command(flatten)]
    pub(crate) limits: LimitFlags,
}

#[derive(Args, Debug)]
#[command(next_help_heading = ACCESS)]
pub(crate) struct AccessFlags {
    /// File with one bearer token in each line, of which requests must show one.
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// Certificate for TLS in PEM, followed by those of its issuers.
    #[arg(long, value_name = "PEM", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// Private key for TLS in PEM.
    #[arg(long, value_name = "PEM", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Further name of this machine in the header `Host`, such as that of a proxy in front, with any
    /// port or with one; repeatable.
    #[arg(long, value_name = "NAME[:PORT]")]
    pub(crate) host: Vec<String>,
    /// Let other machines reach the server without a token and without TLS.
    #[arg(long)]
    pub(crate) insecure: bool,
}

#[derive(Args, Debug)]
#[command(next_help_heading = LIMITS)]
pub(crate) struct LimitFlags {
    /// Most films that are taken and not yet answered; further requests get 503.
    #[arg(long, default_value_t = 256, value_name = "FILMS", value_parser = at_most::<100_000>)]
    pub(crate) queue: usize,
    /// Most films of a request.
    #[arg(long, default_value_t = 64, value_name = "FILMS", value_parser = at_most::<100_000>)]
    pub(crate) max_films: usize,
    /// Most bytes of the body of a request, in MiB.
    #[arg(long, default_value_t = 64, value_name = "MIB", value_parser = at_most::<1024>)]
    pub(crate) max_body: usize,
    /// Most bytes of all bodies that are in memory, in MiB; further requests get 503.
    #[arg(long, default_value_t = 1024, value_name = "MIB", value_parser = at_most::<1_048_576>)]
    pub(crate) max_bodies: usize,
    /// Most pixels of a film, in millions.
    #[arg(long, default_value_t = 64, value_name = "MILLIONS", value_parser = at_most::<269>)]
    pub(crate) max_pixels: usize,
    /// Most bytes of the headers of a request, in KiB.
    #[arg(long, default_value_t = 16, value_name = "KIB", value_parser = header_kib)]
    pub(crate) max_header: usize,
    /// Most connections at a time.
    #[arg(long, default_value_t = 512, value_name = "N", value_parser = at_most::<65_536>)]
    pub(crate) connections: usize,
    /// Seconds for the headers of a request, and for the next request of a connection.
    #[arg(long, default_value = "10", value_name = "SECONDS", value_parser = seconds)]
    pub(crate) header_time: Duration,
    /// Seconds from the headers to the answer.
    #[arg(long, default_value = "60", value_name = "SECONDS", value_parser = seconds)]
    pub(crate) time: Duration,
    /// Seconds to finish what was taken, after SIGTERM or Ctrl-C, at least 0.1 seconds more than
    /// `--time`; by default 5 seconds more, in which the last answers are sent.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) stop_time: Option<Duration>,
}

/// Reads a time of a tenth of a second to a day.
fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.1..=86_400.0).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("give seconds from 0.1 to 86400".to_owned()),
    }
}

/// Reads the size of headers, of which the HTTP library needs at least 8 KiB.
fn header_kib(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(kib @ 8..=1024) => Ok(kib),
        _ => Err("give a whole number from 8 to 1024".to_owned()),
    }
}
