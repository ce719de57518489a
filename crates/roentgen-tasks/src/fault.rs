//! Faults of the program, and GPU failures: a panic becomes an error like any other.
//!
//! Panics are not printed where they happen. Some are expected and caught (the decoders of other
//! crates panic on damaged films, which are then listed as bad), and the rest is reported once, with
//! its place, when the command or the call from Python ends.

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::sync::{Mutex, PoisonError};

use anyhow::bail;
use roentgen_kernels::GpuFailure;

/// The last panic, with its place.
static LAST: Mutex<Option<String>> = Mutex::new(None);

/// Keeps panics off standard error.
pub fn silence() {
    set_hook(Box::new(|panic| {
        let text = panic.to_string().replace('\n', " ");
        *LAST.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
    }));
}

/// Does `work`.
///
/// # Errors
///
/// Returns the error of `work`, or one that describes its panic, with its place after [`silence`]. The
/// failure of a GPU is not a fault of the program, and the error says what to do.
pub fn catch<T>(work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result,
        Err(_) => {
            let last = LAST.lock().unwrap_or_else(PoisonError::into_inner).take();
            let last = last.unwrap_or_else(|| "unknown".to_owned());
            if let Some(failure) = gpu_failure(&last) {
                bail!("the GPU failed: {failure}");
            }
            bail!(
                "a fault in roentgen itself: {last}; please report it with the command and the file \
                 that caused it"
            )
        }
    }
}

/// Returns what failed on a GPU if that is what a panic is about.
fn gpu_failure(panic: &str) -> Option<GpuFailure> {
    let recorded = roentgen_kernels::failure().filter(|_| panic.contains("the GPU failed"));
    recorded.cloned().or_else(|| GpuFailure::of_memory(panic, None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_with_its_place() {
        silence();
        let error = catch(|| -> anyhow::Result<()> {
            let none: Option<u8> = std::env::args().nth(999).map(|_| 1);
            none.map(|_| ()).expect("there are not that many");
            Ok(())
        });
        let _ = std::panic::take_hook();

        let text = error.unwrap_err().to_string();
        assert!(text.contains("fault.rs") && text.contains("not that many"), "{text}");
        assert!(catch::<()>(|| bail!("no such file")).is_err());
    }

    #[test]
    fn a_gpu_without_memory_is_not_a_fault_of_the_program() {
        let panic = "panicked at bench.rs:1:1: Error while reading data: out of device memory \
                     allocating 1048576 bytes No backtrace available";

        let failure = gpu_failure(panic).unwrap().to_string();

        assert!(failure.starts_with("out of memory (1 MiB requested); use a smaller batch"));
        assert_eq!(gpu_failure("panicked at main.rs:1:1: no such film"), None);
    }
}
