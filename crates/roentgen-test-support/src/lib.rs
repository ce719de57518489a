//! Tests that are ignored, with the reason, where something outside the project is missing: a
//! program that reads what we write (a peer), or the shared data.
//!
//! Rust's own test runner decides at build time what it ignores, and a test that only returns early
//! counts as passed. A test file with `harness = false` uses this instead:
//!
//! ```no_run
//! use roentgen_test_support::{Outcome, peers, test_file};
//!
//! test_file![a_page_opens];
//!
//! fn a_page_opens() -> Outcome {
//!     let browser = peers::chromium()?;
//!     assert_eq!(browser, "chromium");
//!     Ok(())
//! }
//! ```
//!
//! A function that is left out of the list is never used, which the compiler says.

pub mod mutation;
pub mod peers;
pub mod shared;

pub use libtest_mimic::{Arguments, Completion, Failed, Trial, run};

/// Why a test cannot run on this machine.
#[derive(Debug)]
pub struct Missing(pub String);

/// What a test returns that may be ignored.
pub type Outcome = Result<(), Missing>;

/// What a test of a [`test_file!`] may return.
pub trait Conclude {
    /// Converts the value to what the test runner prints.
    fn conclude(self) -> Completion;
}

impl Conclude for () {
    fn conclude(self) -> Completion {
        Completion::Completed
    }
}

impl Conclude for Outcome {
    fn conclude(self) -> Completion {
        match self {
            Ok(()) => Completion::Completed,
            Err(Missing(reason)) => Completion::ignored_with(reason),
        }
    }
}

/// Makes the `main` of a test file without Rust's own test runner, from the names of its tests.
#[macro_export]
macro_rules! test_file {
    ($($test:ident),+ $(,)?) => {
        fn main() -> std::process::ExitCode {
            let tests = vec![$($crate::Trial::ignorable_test(stringify!($test), || {
                Ok($crate::Conclude::conclude($test()))
            })),+];
            $crate::run(&$crate::Arguments::from_args(), tests).exit_code()
        }
    };
}
