//! Weights that others have trained and published: reading their files, finding each of our tensors
//! in them by name, and saying which were found.
//!
//! No file is trusted: a `.pth` is a pickle, a program of Python's, and is only ever read as data.

mod convert;
mod file;
mod fit;
mod head;
mod names;
mod read;
mod spelling;
pub mod store;

pub use convert::convert;
pub use file::{FileError, WeightFile};
pub use fit::{Fit, FitError, Found, Part, fit};
pub use names::{Wanted, wanted};
