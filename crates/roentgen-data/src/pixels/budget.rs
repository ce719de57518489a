//! Memory for decoding films, shared by all threads.
//!
//! A picture of a few kilobytes can claim gigabytes. Each film says beforehand how many bytes it
//! needs; one that needs too many is refused, and the others wait for each other, so that all
//! threads together stay below a gigabyte.

use std::sync::{Condvar, Mutex, PoisonError};

use super::Error;

/// The most that one film may need, in bytes: a gray film of 16,384 x 16,384 pixels, twice.
pub(super) const PER_FILM: u64 = 576 << 20;
/// The most that all films may need at a time, in bytes.
const TOTAL: u64 = 640 << 20;

static SHARED: Budget = Budget::new(TOTAL);

/// Bytes that are lent and come back.
struct Budget {
    left: Mutex<u64>,
    returned: Condvar,
    total: u64,
}

/// Bytes that are lent until this is dropped.
pub(super) struct Loan<'a> {
    budget: &'a Budget,
    bytes: u64,
}

/// Waits until `bytes` are free.
///
/// # Errors
///
/// Returns an error if that is more than one film may need.
pub(super) fn borrow(bytes: u64) -> Result<Loan<'static>, Error> {
    if bytes > PER_FILM {
        return Err(Error::Memory { mib: bytes >> 20, limit: PER_FILM >> 20 });
    }
    Ok(SHARED.borrow(bytes))
}

impl Budget {
    const fn new(total: u64) -> Self {
        Self { left: Mutex::new(total), returned: Condvar::new(), total }
    }

    fn borrow(&self, bytes: u64) -> Loan<'_> {
        let bytes = bytes.min(self.total);
        let left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let mut left = self
            .returned
            .wait_while(left, |left| *left < bytes)
            .unwrap_or_else(PoisonError::into_inner);
        *left -= bytes;
        Loan { budget: self, bytes }
    }
}

impl Drop for Loan<'_> {
    fn drop(&mut self) {
        *self.budget.left.lock().unwrap_or_else(PoisonError::into_inner) += self.bytes;
        self.budget.returned.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    use super::*;

    #[test]
    fn threads_together_never_borrow_more_than_there_is() {
        let budget = Budget::new(100);
        let (now, most) = (AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for thread in 0..8_u64 {
                let (budget, now, most) = (&budget, &now, &most);
                scope.spawn(move || {
                    for turn in 0..20 {
                        let bytes = 10 + (thread * 13 + turn * 7) % 60;
                        let _loan = budget.borrow(bytes);
                        let sum = now.fetch_add(bytes, Ordering::SeqCst) + bytes;
                        most.fetch_max(sum, Ordering::SeqCst);
                        std::thread::sleep(Duration::from_micros(50));
                        now.fetch_sub(bytes, Ordering::SeqCst);
                    }
                });
            }
        });

        assert!(most.load(Ordering::SeqCst) <= 100);
        assert_eq!(*budget.left.lock().unwrap(), 100);
    }

    #[test]
    fn more_than_there_is_waits_for_all_of_it_and_more_than_a_film_may_need_is_refused() {
        let budget = Budget::new(100);

        assert_eq!(budget.borrow(1000).bytes, 100);
        assert_eq!(budget.borrow(0).bytes, 0);
        assert!(borrow(PER_FILM).is_ok());
        assert!(matches!(borrow(PER_FILM + 1), Err(Error::Memory { .. })));
    }
}
