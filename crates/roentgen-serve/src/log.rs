//! Log lines, each a JSON document, and the numbers of requests in them.
//!
//! A line never contains the name of a film, the query of a request, a token, or anything that a film
//! says of its patient.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use chrono::{SecondsFormat, Utc};
use serde_json::{Value, json};

/// The header with the number of a request.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The longest number that is taken from a client.
const LONGEST_ID: usize = 64;

/// Takes lines.
#[derive(Clone)]
pub(crate) struct Log(Arc<dyn Fn(&str) + Send + Sync>);

/// How much a line matters.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Level {
    Info,
    Error,
}

impl Log {
    pub(crate) fn new(take: Arc<dyn Fn(&str) + Send + Sync>) -> Self {
        Self(take)
    }

    /// Writes what happened, with the members of `about`, an object.
    pub(crate) fn write(&self, level: Level, event: &str, about: Value) {
        let level = match level {
            Level::Info => "info",
            Level::Error => "error",
        };
        let time = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
        let mut line = json!({ "time": time, "level": level, "event": event });
        if let (Some(line), Value::Object(about)) = (line.as_object_mut(), about) {
            line.extend(about);
        }
        (self.0)(&line.to_string());
    }
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Log")
    }
}

/// Numbers requests: by what the client says, or else by the start of the server and a counter.
#[derive(Debug)]
pub(crate) struct RequestIds {
    start: i64,
    next: AtomicU64,
}

impl RequestIds {
    pub(crate) fn new() -> Self {
        Self { start: Utc::now().timestamp_millis(), next: AtomicU64::new(1) }
    }

    pub(crate) fn of(&self, headers: &HeaderMap) -> HeaderValue {
        let given = headers.get(REQUEST_ID).filter(|given| {
            let is_plain = |c: &u8| c.is_ascii_alphanumeric() || b"-_.".contains(c);
            (1..=LONGEST_ID).contains(&given.len()) && given.as_bytes().iter().all(is_plain)
        });
        given.cloned().unwrap_or_else(|| {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            HeaderValue::try_from(format!("{:x}-{number}", self.start))
                .unwrap_or_else(|_| HeaderValue::from(number))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_client_is_kept_if_it_cannot_spoil_a_log() {
        let ids = RequestIds::new();
        let of = |given: &'static [u8]| {
            let value = HeaderValue::from_bytes(given).unwrap();
            ids.of(&HeaderMap::from_iter([(REQUEST_ID, value)])).to_str().unwrap().to_owned()
        };

        assert_eq!(of(b"ab-12_3.4"), "ab-12_3.4");
        for other in [b"with space".as_slice(), b"\"quote\"", b"", &[b'a'; 65]] {
            assert!(of(other.to_vec().leak()).contains('-'));
        }
        assert_ne!(ids.of(&HeaderMap::new()), ids.of(&HeaderMap::new()));
    }
}
