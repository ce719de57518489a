//! Why a server does not start.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A name is not one.
    #[error(
        "`{name}` cannot name the model `{text}`; give `NAME=PATH` with a name of at most 64 letters, \
         digits, `-`, `_` and `.`, other than `ensemble`"
    )]
    Name {
        /// The name.
        name: String,
        /// What was given.
        text: String,
    },
    /// Two models have one name.
    #[error("two models are called `{name}`; give them names, as in `NAME=PATH`")]
    Twice {
        /// The name.
        name: String,
    },
    /// A request could have more films than the queue.
    #[error(
        "`--max-films {films}` is more than `--queue {queue}`; choose a longer queue or fewer films"
    )]
    Queue {
        /// Films of a request.
        films: usize,
        /// Films of the queue.
        queue: usize,
    },
    /// A stop could cut a request that was taken.
    #[error(
        "`--stop-time {stop}` is shorter than `--time {time}` and a tenth of a second, so a stop could \
         cut a request that was taken; leave `--stop-time` out, or give a shorter `--time`"
    )]
    StopTime {
        /// Seconds from the headers to the answer.
        time: f64,
        /// Seconds to finish what was taken.
        stop: f64,
    },
    /// There is nothing to take the mean of.
    #[error("`--ensemble` is the mean of two or more models, but one was given; leave it out")]
    Alone,
    /// A name of this machine cannot be in the header `Host`.
    #[error(
        "`--host {host}` is not a name of a machine; give `NAME` or `NAME:PORT`, without `http://` and \
         path, and an address of IPv6 in brackets"
    )]
    Host {
        /// What was given.
        host: String,
    },
    /// Others could reach the server without a token and TLS.
    #[error(
        "other machines could reach `{address}` without a token and without encryption; give \
         `--token-file`, or `--tls-cert` and `--tls-key`, or say `--insecure`"
    )]
    Open {
        /// The address.
        address: SocketAddr,
    },
    /// The token file cannot be used.
    #[error("could not use the token file `{path}`: {problem}")]
    Tokens {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Certificate or key cannot be used.
    #[error("could not use `{path}` for TLS: {problem}")]
    Tls {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A model cannot be loaded.
    #[error("could not load the model `{name}`: {problem}")]
    Model {
        /// Its name.
        name: String,
        /// The chain of reasons.
        problem: String,
    },
    /// The models of an ensemble do not fit each other.
    #[error(
        "`{name}` does not have the findings of `{first}`, so that they have no mean; serve models of \
         the same findings, or leave `--ensemble` out"
    )]
    Findings {
        /// The first model.
        first: String,
        /// The other.
        name: String,
    },
    /// The scores of a data set are of another model.
    #[error(
        "the scores are of the model {scored}, but the files of the model were replaced meanwhile; \
         start again"
    )]
    Replaced {
        /// Identity of the model of the scores.
        scored: String,
    },
    /// The address cannot be listened on.
    #[error("could not listen on `{address}`; choose another `--address`")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The reason.
        source: io::Error,
    },
    /// The threads of the server cannot be started.
    #[error("could not start the threads of the server")]
    Threads(#[source] io::Error),
}
