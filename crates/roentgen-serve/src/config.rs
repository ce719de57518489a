//! What a server is told: models, address, access, limits and batches.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::http::uri::Authority;
use roentgen_tasks::ClassifierOptions;

use crate::error::Error;

/// The name under which the mean of all models is served.
pub(crate) const ENSEMBLE: &str = "ensemble";
/// How much later the time of an answer ends than that of a body, so that a late body is called late.
pub(crate) const BODY_FIRST: Duration = Duration::from_millis(100);
/// The longest name of a model.
const LONGEST_NAME: usize = 64;

/// Everything that a server is told.
#[derive(Clone, Debug)]
pub struct Config {
    /// The address to listen on; with port 0 the system chooses a port.
    pub address: SocketAddr,
    /// The models, at least one.
    pub models: Vec<ModelPlace>,
    /// How several models answer.
    pub together: Together,
    /// How films are predicted.
    pub options: ClassifierOptions,
    /// Who may ask.
    pub access: Access,
    /// What is refused.
    pub limits: Limits,
    /// How films are computed together.
    pub batching: Batching,
}

/// A model and the name under which it is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelPlace {
    /// Letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// A run directory, a bundle, or another folder with a model.
    pub path: PathBuf,
}

/// How several models answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Together {
    /// Each under its own name.
    Separate,
    /// Each under its own name, and the mean of their probabilities as the model `ensemble`, which
    /// also answers where no model is named.
    Mean,
}

/// Who may ask.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// A file with one bearer token in each line; without it no token is asked for.
    pub token_file: Option<PathBuf>,
    /// Certificate and key; without them the server speaks plain HTTP.
    pub tls: Option<TlsFiles>,
    /// Further values of the header `Host` that a server on a loopback address without tokens accepts.
    pub hosts: Vec<String>,
    /// Whether a server that others can reach may go without tokens and TLS.
    pub openness: Openness,
}

/// Whether a server that others can reach may go without tokens and TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Openness {
    /// It is refused.
    #[default]
    Refused,
    /// The user asked for it.
    Accepted,
}

/// The files of TLS, in PEM.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The certificate, followed by those of its issuers.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// What is refused.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of the body of a request.
    pub body: usize,
    /// Bytes of the bodies of all requests that are being read or answered.
    pub bodies: usize,
    /// Pixels of a film.
    pub pixels: u64,
    /// Films of a request.
    pub films: usize,
    /// Bytes of the request line and the headers, at least 8,192.
    pub header: usize,
    /// Time for the request line and the headers, for the next request of a connection, and for the
    /// handshake of TLS.
    pub header_time: Duration,
    /// Time from the headers to the answer.
    pub time: Duration,
    /// Connections at a time.
    pub connections: usize,
    /// Time to finish what was taken, after the server was told to stop; at least 100 ms more than
    /// `time`.
    pub stop_time: Duration,
}

/// How films are computed together.
#[derive(Clone, Copy, Debug)]
pub struct Batching {
    /// Films in a batch.
    pub films: usize,
    /// How long the first film of a batch waits for others.
    pub wait: Duration,
    /// Films that are taken and not yet answered.
    pub queue: usize,
}

impl ModelPlace {
    /// Reads `NAME=PATH`, or a path whose last part becomes the name.
    ///
    /// # Errors
    ///
    /// Returns an error if the name has other characters than letters, digits, `-`, `_` and `.`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let (name, path) = match text.split_once('=') {
            Some((name, path)) if !Path::new(text).exists() => (name.to_owned(), path),
            _ => (own_name(Path::new(text)), text),
        };
        let is_good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let is_name = !name.is_empty() && name.len() <= LONGEST_NAME && name.chars().all(is_good);
        if !is_name || path.is_empty() || name == ENSEMBLE {
            return Err(Error::Name { name, text: text.to_owned() });
        }
        Ok(Self { name, path: path.into() })
    }
}

/// Returns the last part of a path without the ending of a bundle. `run/.` and `.` have one too.
fn own_name(path: &Path) -> String {
    let whole = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let name = whole.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.strip_suffix(".roentgen").unwrap_or(name).to_owned()
}

impl Config {
    /// Checks what the server is told.
    ///
    /// # Errors
    ///
    /// Returns an error if two models have one name, if two settings contradict each other, if a name
    /// of this machine is not one, or if others could reach the server without a token and TLS.
    pub(crate) fn check(&self) -> Result<(), Error> {
        for (number, model) in self.models.iter().enumerate() {
            if self.models[..number].iter().any(|other| other.name == model.name) {
                return Err(Error::Twice { name: model.name.clone() });
            }
        }
        if self.limits.films > self.batching.queue {
            return Err(Error::Queue { films: self.limits.films, queue: self.batching.queue });
        }
        if self.together == Together::Mean && self.models.len() < 2 {
            return Err(Error::Alone);
        }
        if self.limits.stop_time < self.limits.time + BODY_FIRST {
            let [time, stop] = [self.limits.time, self.limits.stop_time].map(|t| t.as_secs_f64());
            return Err(Error::StopTime { time, stop });
        }
        if let Some(host) = self.access.hosts.iter().find(|host| !is_host(host)) {
            return Err(Error::Host { host: host.clone() });
        }
        let is_open = self.access.token_file.is_none() && self.access.tls.is_none();
        if is_open && !is_own(self.address.ip()) && self.access.openness == Openness::Refused {
            return Err(Error::Open { address: self.address });
        }
        Ok(())
    }
}

/// Whether a text can be the header `Host`: a name, and a port if there is a colon.
fn is_host(text: &str) -> bool {
    text.parse::<Authority>().is_ok() && !text.contains('@') && !text.ends_with(':')
}

/// Whether only this machine can reach an address.
pub(crate) fn is_own(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_has_the_name_that_is_given_or_that_of_its_folder() {
        let place = |text| ModelPlace::parse(text).map(|place| (place.name, place.path));

        assert_eq!(place("nih=runs/first").unwrap(), ("nih".into(), "runs/first".into()));
        assert_eq!(place("runs/first").unwrap().0, "first");
        assert_eq!(place("nih.roentgen").unwrap().0, "nih");
        for bad in ["a b=run", "=run", "nih=", "ensemble=run", "a/b=run", "", "..\u{e9}"] {
            assert!(place(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_host_is_a_name_with_or_without_a_port() {
        for good in ["films.example", "films.example:8443", "[2001:db8::7]", "[2001:db8::7]:80"] {
            assert!(is_host(good), "{good}");
        }
        for bad in ["films.example:", "user@films.example", "http://films.example/", "a/b", ""] {
            assert!(!is_host(bad), "{bad}");
        }
    }

    #[test]
    fn only_loopback_addresses_are_own() {
        for own in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            assert!(is_own(own.parse().unwrap()), "{own}");
        }
        for other in ["0.0.0.0", "::", "192.168.1.2", "::ffff:10.0.0.1"] {
            assert!(!is_own(other.parse().unwrap()), "{other}");
        }
    }
}
