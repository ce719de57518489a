//! Why a file could not be downloaded, and whether another attempt can help.

use std::io;
use std::path::PathBuf;

use roentgen_data::files::WriteError;

/// Why a file could not be downloaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Error {
    /// The server did not answer.
    #[error("could not reach `{url}`; check the connection, or set `HTTPS_PROXY`")]
    Connect { url: String, source: Box<ureq::Error> },
    /// The server refused the request.
    #[error("could not download `{url}`: the server answered {status}")]
    Status { url: String, status: u16 },
    /// The server sent a web page instead of the file: a login, a notice, a captive portal.
    #[error(
        "`{url}` answered with a web page instead of the file; open the address in a browser to \
         see why"
    )]
    WebPage { url: String },
    /// The connection ended too early.
    #[error(
        "the connection to `{url}` broke off after {bytes} of {} bytes; run the command again to \
         resume", of.map_or_else(|| "an unknown number of".to_owned(), |of| of.to_string())
    )]
    BrokeOff { url: String, bytes: u64, of: Option<u64>, source: Option<io::Error> },
    /// The file on the server is no longer the one that was partly downloaded.
    #[error("`{url}` has changed since the download started; run the command again to restart it")]
    Changed { url: String },
    /// The download is complete, but its checksum is wrong.
    #[error(
        "`{url}` is not the published file: expected {expected}, got {actual}; the download was \
         deleted"
    )]
    Checksum { url: String, expected: String, actual: String },
    /// Another file is in the way.
    #[error(
        "`{path}` is not the file published at `{url}`: expected {expected}, got {actual}; delete \
         it or move it away to download the published file"
    )]
    Other { path: PathBuf, url: String, expected: String, actual: String },
    /// The caller stopped the download.
    #[error("the download of `{url}` was stopped; run the command again to resume")]
    Stopped { url: String },
    /// A file could not be read.
    #[error("could not read `{path}`")]
    Read { path: PathBuf, source: io::Error },
    /// A file could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl Error {
    /// Returns whether the address is at fault, so that another address of the same file may work.
    pub(crate) fn is_of_the_address(&self) -> bool {
        match self {
            Error::Connect { .. }
            | Error::Status { .. }
            | Error::WebPage { .. }
            | Error::BrokeOff { .. }
            | Error::Changed { .. } => true,
            Error::Checksum { .. }
            | Error::Other { .. }
            | Error::Stopped { .. }
            | Error::Read { .. }
            | Error::Write(_) => false,
        }
    }
}

/// One failed attempt.
#[derive(Debug)]
pub(super) enum FailedAttempt {
    /// Another attempt may succeed.
    Passing(Error),
    /// Every further attempt would fail in the same way.
    Final(Error),
}

impl From<Error> for FailedAttempt {
    fn from(error: Error) -> Self {
        FailedAttempt::Final(error)
    }
}

impl From<WriteError> for FailedAttempt {
    fn from(error: WriteError) -> Self {
        FailedAttempt::Final(error.into())
    }
}
