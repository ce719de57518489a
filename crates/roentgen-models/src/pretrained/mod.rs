//! Published weights trained by others: reads their files, finds each tensor of our networks in
//! them by name, and reports which were found.
//!
//! No file is trusted: a `.pth` is a pickle, which is a Python program, and is only ever read as
//! data.

mod convert;
mod copies;
mod error;
mod file;
mod fit;
mod head;
mod import;
mod layout;
mod names;
mod outputs;
mod pytorch;
mod read;
mod report;
mod spelling;
pub mod store;

pub use convert::convert;
pub use error::{FitError, Prefixes};
pub use file::{FileError, WeightFile};
pub use fit::{ClassifierPart, fit};
pub use import::{Foreign, Imported, import};
pub use names::{PublishedTensor, list_wanted};
pub use outputs::{Outputs, OutputsError};
pub use report::{FitReport, FoundTensor};
