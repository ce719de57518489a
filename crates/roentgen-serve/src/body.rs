//! Reads the bodies of requests within the limits of size, time and memory.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, header};
use http_body_util::BodyExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::config::Limits;
use crate::problem::{Problem, Reason};

/// The unit in which memory is lent, in bytes.
const UNIT: usize = 1024;

/// Memory for the bodies of all requests together.
#[derive(Clone, Debug)]
pub(crate) struct Budget(Arc<Semaphore>);

/// A body that was read whole. The memory is lent as long as this lives.
#[derive(Debug)]
pub(crate) struct WholeBody {
    pub(crate) bytes: Bytes,
    _loan: Option<OwnedSemaphorePermit>,
}

impl Budget {
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new(bytes.div_ceil(UNIT).min(Semaphore::MAX_PERMITS))))
    }

    /// Borrows memory for more bytes of a body.
    fn borrow(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Problem> {
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX);
        let none_left = |_| Problem::busy("the requests in hand fill the memory for them");
        self.0.clone().try_acquire_many_owned(units).map_err(none_left)
    }

    /// Reads a body until `deadline`.
    ///
    /// # Errors
    ///
    /// Returns a problem if the body is compressed, too large or too slow, or if all bodies together
    /// are too large.
    pub(crate) async fn read(
        &self,
        headers: &HeaderMap,
        mut body: Body,
        limits: &Limits,
        deadline: Instant,
    ) -> Result<WholeBody, Problem> {
        check_encoding(headers)?;
        let too_large = || {
            let limit = limits.body;
            Problem::new(Reason::TooLarge, format!("the body has more than {limit} bytes"))
        };
        if announced(headers).is_some_and(|bytes| bytes > limits.body as u64) {
            return Err(too_large());
        }
        let mut loan: Option<OwnedSemaphorePermit> = None;
        let mut lent = 0;
        let mut bytes = Vec::new();
        loop {
            let frame = match tokio::time::timeout_at(deadline, body.frame()).await {
                Ok(Some(Ok(frame))) => frame,
                Ok(None) => break,
                Ok(Some(Err(error))) => {
                    let detail = format!("the body could not be read: {error}");
                    return Err(Problem::new(Reason::BadRequest, detail));
                }
                Err(_) => {
                    let seconds = limits.time.as_secs_f64();
                    let detail = format!("the body did not arrive within {seconds} seconds");
                    return Err(Problem::new(Reason::TooSlow, detail));
                }
            };
            let Ok(data) = frame.into_data() else { continue };
            if bytes.len() + data.len() > limits.body {
                return Err(too_large());
            }
            bytes.extend_from_slice(&data);
            // Twice the length, since a vector that grows may hold so much.
            if bytes.capacity() > lent {
                let more = self.borrow(bytes.capacity() - lent)?;
                lent = bytes.capacity();
                match &mut loan {
                    Some(loan) => loan.merge(more),
                    none => *none = Some(more),
                }
            }
        }
        Ok(WholeBody { bytes: bytes.into(), _loan: loan })
    }
}

/// Refuses a compressed body, which could be of any size when unpacked.
fn check_encoding(headers: &HeaderMap) -> Result<(), Problem> {
    match headers.get(header::CONTENT_ENCODING) {
        Some(encoding) if encoding != "identity" => Err(Problem::new(
            Reason::WrongType,
            "the body is compressed; send it without `Content-Encoding`",
        )),
        _ => Ok(()),
    }
}

/// Returns the length of the body, if the client says it.
fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::http::HeaderValue;

    use super::*;

    fn limits() -> Limits {
        Limits {
            body: 10_000,
            bodies: 16_384,
            pixels: 1,
            films: 1,
            header: 8192,
            header_time: Duration::from_secs(1),
            time: Duration::from_millis(50),
            connections: 1,
            stop_time: Duration::from_secs(1),
        }
    }

    fn read(budget: &Budget, headers: &HeaderMap, body: Body) -> Result<WholeBody, Problem> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let deadline = Instant::now() + limits().time;
            budget.read(headers, body, &limits(), deadline).await
        })
    }

    #[test]
    fn a_body_is_read_whole_and_one_byte_more_is_refused() {
        let budget = Budget::new(limits().bodies);
        let none = HeaderMap::new();

        let whole = read(&budget, &none, Body::from(vec![7; 10_000])).unwrap();
        assert_eq!(whole.bytes.as_ref(), [7; 10_000]);
        drop(whole);
        let problem = read(&budget, &none, Body::from(vec![7; 10_001])).unwrap_err();
        assert_eq!(problem.reason, Reason::TooLarge);
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("10001"));
        assert_eq!(read(&budget, &headers, Body::empty()).unwrap_err().reason, Reason::TooLarge);
    }

    #[test]
    fn bodies_share_memory_and_give_it_back() {
        let budget = Budget::new(limits().bodies);
        let none = HeaderMap::new();

        let first = read(&budget, &none, Body::from(vec![0; 10_000])).unwrap();
        let problem = read(&budget, &none, Body::from(vec![0; 10_000])).unwrap_err();
        assert_eq!(problem.reason, Reason::Busy);
        drop(first);
        assert!(read(&budget, &none, Body::from(vec![0; 10_000])).is_ok());
    }

    #[test]
    fn compressed_bodies_are_refused() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));

        let problem = read(&Budget::new(1 << 20), &headers, Body::from("x")).unwrap_err();
        assert_eq!(problem.reason, Reason::WrongType);
    }
}
