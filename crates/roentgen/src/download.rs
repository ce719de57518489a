//! Downloads one file over HTTP(S), resumes after an interruption and verifies the result.
//!
//! Bytes go to `NAME.part`. Next to it, `NAME.part.toml` records which version of the file they
//! belong to, so that a file that changes on the server is downloaded again from the start and
//! never joined to the old half. The file gets its name after the last byte and the checksum.
//! Proxies are taken from the environment (`HTTPS_PROXY`, `NO_PROXY` and so on). Some hosts answer
//! `HEAD` with an error where `GET` works, so `HEAD` is not used.

mod checksum;
mod display;
mod error;
mod part;
mod response;

use std::io::Read;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Duration;

use ureq::Agent;

pub(crate) use checksum::Checksum;
pub(crate) use display::{DownloadDisplay, size};
pub(crate) use error::Error;
pub(crate) use part::discard;

use checksum::Sum;
use error::FailedAttempt;
use part::Part;
use response::Answer;

/// Returns the address of a file on a mirror.
pub(crate) fn mirror_address(base: &str, name: &str) -> String {
    format!("{}/{name}", base.trim_end_matches('/'))
}

/// Default number of attempts without progress before a download is given up.
pub(crate) const TRIES: u32 = 8;
/// The first wait between two attempts; each wait is twice the one before.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The longest wait between two attempts.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// How long a server may stay silent.
const SILENCE: Duration = Duration::from_secs(60);
/// Bytes read at once.
const BLOCK: usize = 128 * 1024;

/// A file to download.
#[derive(Clone, Debug)]
pub(crate) struct Download {
    /// Where it is published.
    pub(crate) url: String,
    /// Where it goes.
    pub(crate) to: PathBuf,
    /// Its published checksum, if there is one.
    pub(crate) checksum: Option<Checksum>,
    /// Attempts without progress before the download is given up, at least one.
    pub(crate) tries: u32,
}

/// The progress of a download.
#[derive(Clone, Copy, Debug)]
pub(crate) enum DownloadProgress<'a> {
    /// The number of bytes on the disk, and the length of the file if the server sent it.
    At(u64, Option<u64>),
    /// The bytes on the disk are of no use and are about to be cut off: the next bytes are the
    /// file's first.
    StartsOver,
    /// The connection failed for this reason; the next attempt follows after this wait.
    Waits(&'a Error, Duration),
}

/// Where a complete file came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// This call downloaded it, or the rest of it.
    Downloaded,
    /// It was already there, complete.
    Kept,
}

/// A complete file.
#[derive(Clone, Debug)]
pub(crate) struct Fetched {
    /// Its length.
    pub(crate) bytes: u64,
    /// Its checksum, of the published kind, or SHA-256 if none was published.
    pub(crate) checksum: Checksum,
    /// Where it came from.
    pub(crate) origin: Origin,
}

impl Download {
    /// Downloads the file, resumes an earlier download, or finds the complete file.
    ///
    /// `progress` can stop the download; the bytes so far stay for a later call.
    ///
    /// # Errors
    ///
    /// Returns an error if the address does not answer or answers something else, if the connection
    /// breaks too often, if the checksum or the length is not the published one, or if a file
    /// cannot be read or written. After a wrong checksum nothing is kept; after a broken connection
    /// the part stays, and a later call resumes from there.
    pub(crate) fn fetch(
        &self,
        progress: &dyn Fn(DownloadProgress<'_>) -> ControlFlow<()>,
    ) -> Result<Fetched, Error> {
        if let Some(kept) = self.find_complete()? {
            return Ok(kept);
        }
        let agent = agent();
        let mut part = Part::open(&self.to, &self.url, Sum::for_published(self.checksum.as_ref()))?;
        let (mut furthest, mut tries, mut wait) = (part.bytes(), self.tries, FIRST_WAIT);
        loop {
            let error = match self.fetch_rest(&agent, &mut part, progress) {
                Ok(()) => return part.finish(self.checksum.as_ref()),
                Err(FailedAttempt::Final(error)) => return Err(error),
                Err(FailedAttempt::Passing(error)) => error,
            };
            if part.bytes() > furthest {
                (furthest, tries, wait) = (part.bytes(), self.tries, FIRST_WAIT);
            }
            tries = tries.saturating_sub(1);
            if tries == 0 {
                return Err(error);
            }
            report(progress, DownloadProgress::Waits(&error, wait), &self.url)?;
            std::thread::sleep(wait);
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    /// Returns the file, verified, if it is already there.
    ///
    /// # Errors
    ///
    /// Returns an error if the file there is not the published one: it may be the user's, so it is
    /// not deleted.
    pub(crate) fn find_complete(&self) -> Result<Option<Fetched>, Error> {
        if !self.to.is_file() {
            return Ok(None);
        }
        let (bytes, actual) = Sum::of_file(&self.to, Sum::for_published(self.checksum.as_ref()))?;
        match &self.checksum {
            Some(expected) if !expected.matches(&actual) => Err(Error::Other {
                path: self.to.clone(),
                url: self.url.clone(),
                expected: expected.to_string(),
                actual: actual.to_string(),
            }),
            _ => Ok(Some(Fetched { bytes, checksum: actual, origin: Origin::Kept })),
        }
    }

    /// Requests the missing bytes and appends them.
    fn fetch_rest(
        &self,
        agent: &Agent,
        part: &mut Part,
        progress: &dyn Fn(DownloadProgress<'_>) -> ControlFlow<()>,
    ) -> Result<(), FailedAttempt> {
        let starts_over = || report(progress, DownloadProgress::StartsOver, &self.url);
        let response = response::ask(agent, &self.url, part.bytes(), part.validator())?;
        match response::read(&self.url, &response, part.bytes(), part.version())? {
            Answer::Rest => {}
            Answer::Whole(version) => {
                if part.bytes() > 0 {
                    starts_over()?;
                }
                part.begin(version)?;
            }
            Answer::AllThere => return Ok(()),
            Answer::Changed => {
                starts_over()?;
                part.begin(response::Version::default())?;
                return Err(FailedAttempt::Passing(Error::Changed { url: self.url.clone() }));
            }
        }
        let of = part.version().bytes;
        report(progress, DownloadProgress::At(part.bytes(), of), &self.url)?;
        let mut body = response.into_body().into_with_config().limit(u64::MAX).reader();
        let mut block = vec![0; BLOCK];
        loop {
            let broke_off = |bytes, source| {
                FailedAttempt::Passing(Error::BrokeOff { url: self.url.clone(), bytes, of, source })
            };
            let read =
                body.read(&mut block).map_err(|error| broke_off(part.bytes(), Some(error)))?;
            if read == 0 {
                let is_short = of.is_some_and(|of| part.bytes() < of);
                return if is_short { Err(broke_off(part.bytes(), None)) } else { Ok(()) };
            }
            part.append(&block[..read])?;
            report(progress, DownloadProgress::At(part.bytes(), of), &self.url)?;
        }
    }
}

fn agent() -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .timeout_connect(Some(SILENCE))
        .timeout_recv_response(Some(SILENCE))
        .timeout_per_read(Some(SILENCE))
        .user_agent(concat!("roentgen/", env!("CARGO_PKG_VERSION")))
        .accept_encoding("identity")
        .build()
        .new_agent()
}

fn report(
    progress: &dyn Fn(DownloadProgress<'_>) -> ControlFlow<()>,
    event: DownloadProgress<'_>,
    url: &str,
) -> Result<(), Error> {
    match progress(event) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Error::Stopped { url: url.to_owned() }),
    }
}

#[cfg(test)]
mod tests;
