//! Why a file could not be downloaded, and whether another try can help.

use std::io;
use std::path::PathBuf;

use roentgen_data::files::WriteError;

/// Why a file could not be downloaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Error {
    /// No answer came.
    #[error("could not reach `{url}`; is this machine connected, or does it need `HTTPS_PROXY`?")]
    Connect { url: String, source: Box<ureq::Error> },
    /// The server refused.
    #[error("could not download `{url}`: the server answered {status}")]
    Status { url: String, status: u16 },
    /// A page for people came instead of the file: a login, a notice, a hotel's network.
    #[error(
        "`{url}` answered with a web page and not with the file; open the address in a browser to \
         see what it asks for"
    )]
    WebPage { url: String },
    /// The connection ended too early.
    #[error(
        "the connection to `{url}` broke off after {bytes} of {} bytes; the same command goes on \
         from there", of.map_or_else(|| "an unknown number of".to_owned(), |of| of.to_string())
    )]
    BrokeOff { url: String, bytes: u64, of: Option<u64>, source: Option<io::Error> },
    /// The file on the server is no longer the one whose first half is here.
    #[error("`{url}` has changed since the download began; the same command begins anew")]
    Changed { url: String },
    /// The server has a file of another length.
    #[error("`{url}` is not the published file: it has {actual} bytes, {expected} were published")]
    Length { url: String, expected: u64, actual: u64 },
    /// All came, and it is something else.
    #[error(
        "`{url}` sent something else than was published: {actual}, where {expected} was expected; \
         nothing of it was kept"
    )]
    Checksum { url: String, expected: String, actual: String },
    /// Another file lies in the place.
    #[error(
        "`{path}` is not the file that is published at `{url}`: {actual}, where {expected} was \
         expected; delete it or move it away to download it"
    )]
    Other { path: PathBuf, url: String, expected: String, actual: String },
    /// Whoever asked for it stopped it.
    #[error("the download of `{url}` was stopped; the same command goes on from there")]
    Stopped { url: String },
    /// A file could not be read.
    #[error("could not read `{path}`")]
    Read { path: PathBuf, source: io::Error },
    /// A file could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl Error {
    /// Whether the address is at fault, so that another address of the same file may serve.
    pub(crate) fn is_of_the_address(&self) -> bool {
        match self {
            Error::Connect { .. }
            | Error::Status { .. }
            | Error::WebPage { .. }
            | Error::BrokeOff { .. }
            | Error::Changed { .. } => true,
            Error::Length { .. }
            | Error::Checksum { .. }
            | Error::Other { .. }
            | Error::Stopped { .. }
            | Error::Read { .. }
            | Error::Write(_) => false,
        }
    }
}

/// One try that failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// Another try may go better.
    Passing(Error),
    /// Every other try would fail alike.
    Final(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Final(error)
    }
}

impl From<WriteError> for Failure {
    fn from(error: WriteError) -> Self {
        Failure::Final(error.into())
    }
}
