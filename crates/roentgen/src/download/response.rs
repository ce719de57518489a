//! The answer of a server to a request for the rest of a file.
//!
//! A server can send the rest (206), send the whole file again (200: it does not support ranges, or
//! the file has changed), or report that the range does not exist (416). `If-Range` requests the
//! rest of one version only; the `ETag` and the length reveal a server that ignores it.

use serde::{Deserialize, Serialize};
use ureq::http::{HeaderMap, Response, header};
use ureq::{Agent, Body};

use super::Error;
use super::error::FailedAttempt;

/// The version of a file on a server, as far as the server reports it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Version {
    /// Its length.
    pub(super) bytes: Option<u64>,
    etag: Option<String>,
    last_modified: Option<String>,
}

impl Version {
    /// Returns the value for `If-Range`: a strong `ETag`, or else the date.
    pub(super) fn validator(&self) -> Option<&str> {
        let strong = self.etag.as_deref().filter(|etag| !etag.starts_with("W/"));
        strong.or(self.last_modified.as_deref())
    }

    fn of(headers: &HeaderMap, bytes: Option<u64>) -> Self {
        Self {
            bytes,
            etag: text(headers, header::ETAG),
            last_modified: text(headers, header::LAST_MODIFIED),
        }
    }

    /// Returns whether another answer's version can be this one: no value that both report differs.
    fn agrees_with(&self, other: &Self) -> bool {
        fn differ<T: PartialEq>(a: Option<&T>, b: Option<&T>) -> bool {
            a.zip(b).is_some_and(|(a, b)| a != b)
        }
        !differ(self.bytes.as_ref(), other.bytes.as_ref())
            && !differ(self.etag.as_ref(), other.etag.as_ref())
            && !differ(self.last_modified.as_ref(), other.last_modified.as_ref())
    }
}

/// The content of an answer.
#[derive(Debug)]
pub(super) enum Answer {
    /// The bytes that are missing.
    Rest,
    /// The file from its beginning.
    Whole(Version),
    /// Nothing is missing.
    AllThere,
    /// A part of another version than the one on the disk.
    Changed,
}

/// Requests the file at `url` from byte `from` on, if it still is the version of the `validator`.
pub(super) fn ask(
    agent: &Agent,
    url: &str,
    from: u64,
    validator: Option<&str>,
) -> Result<Response<Body>, FailedAttempt> {
    let mut request = agent.get(url);
    if from > 0 {
        request = request.header(header::RANGE, format!("bytes={from}-"));
        if let Some(validator) = validator {
            request = request.header(header::IF_RANGE, validator);
        }
    }
    request.call().map_err(|source| {
        let is_passing = matches!(
            source,
            ureq::Error::Io(_)
                | ureq::Error::Timeout(_)
                | ureq::Error::HostNotFound
                | ureq::Error::ConnectionFailed
                | ureq::Error::Protocol(_)
        );
        let error = Error::Connect { url: url.to_owned(), source: Box::new(source) };
        if is_passing { FailedAttempt::Passing(error) } else { FailedAttempt::Final(error) }
    })
}

/// Reads status and headers of an answer to a request from byte `from` on of the version `here`.
pub(super) fn read(
    url: &str,
    response: &Response<Body>,
    from: u64,
    here: &Version,
) -> Result<Answer, FailedAttempt> {
    let headers = response.headers();
    let status = response.status().as_u16();
    let range = text(headers, header::CONTENT_RANGE).and_then(|text| Range::parse(&text));
    match status {
        200 => {
            let kind = text(headers, header::CONTENT_TYPE).unwrap_or_default();
            if kind.trim_start().to_ascii_lowercase().starts_with("text/html") {
                return Err(FailedAttempt::Final(Error::WebPage { url: url.to_owned() }));
            }
            Ok(Answer::Whole(Version::of(headers, response.body().content_length())))
        }
        206 if from > 0 => {
            let range = range.unwrap_or_default();
            let there = Version::of(headers, range.of);
            let fits = range.from == Some(from) && here.agrees_with(&there);
            Ok(if fits { Answer::Rest } else { Answer::Changed })
        }
        416 if from > 0 => {
            let of = range.and_then(|range| range.of);
            let is_whole = of == Some(from) && here.bytes.is_none_or(|bytes| bytes == from);
            Ok(if is_whole { Answer::AllThere } else { Answer::Changed })
        }
        408 | 425 | 429 | 500.. => {
            Err(FailedAttempt::Passing(Error::Status { url: url.to_owned(), status }))
        }
        _ => Err(FailedAttempt::Final(Error::Status { url: url.to_owned(), status })),
    }
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// `Content-Range`: `bytes FROM-TO/OF`, with `*` for an unknown value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Range {
    from: Option<u64>,
    of: Option<u64>,
}

impl Range {
    fn parse(text: &str) -> Option<Self> {
        let (range, of) = text.trim().strip_prefix("bytes")?.trim().split_once('/')?;
        let from = range.split_once('-').and_then(|(from, _)| from.trim().parse().ok());
        Some(Self { from, of: of.trim().parse().ok() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_ranges_are_read() {
        let range = |from, of| Some(Range { from, of });

        assert_eq!(Range::parse("bytes 5-9/10"), range(Some(5), Some(10)));
        assert_eq!(Range::parse("bytes 5-9/*"), range(Some(5), None));
        assert_eq!(Range::parse("bytes */10"), range(None, Some(10)));
        assert_eq!(Range::parse("lines 1-2/3"), None);
    }

    #[test]
    fn a_weak_etag_does_not_vouch_for_bytes() {
        let version = |etag: &str| Version {
            bytes: Some(7),
            etag: Some(etag.into()),
            last_modified: Some("Mon, 01 Jan 2024 00:00:00 GMT".into()),
        };

        assert_eq!(version("\"a\"").validator(), Some("\"a\""));
        assert_eq!(version("W/\"a\"").validator(), Some("Mon, 01 Jan 2024 00:00:00 GMT"));
        assert!(!version("\"a\"").agrees_with(&version("\"b\"")));
        assert!(version("\"a\"").agrees_with(&Version::default()));
    }
}
