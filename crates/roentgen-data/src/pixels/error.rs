//! Why a film could not be read.

use std::io;

/// Why a film could not be read. The caller knows which film.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file could not be read.
    #[error("the file could not be read: {0}")]
    Read(io::Error),
    /// The file is an archive that cannot be opened.
    #[error("the archive cannot be opened ({0}); copy or download it again")]
    Archive(String),
    /// The file is empty.
    #[error("the file is empty (0 bytes)")]
    Empty,
    /// The first bytes are those of no kind of film.
    #[error("the file is not a PNG, JPEG or DICOM file (it begins with `{0}`)")]
    Unknown(String),
    /// The DICOM file is whole, but not a film that can be used.
    #[error("the DICOM file is refused: {0}")]
    Refused(String),
    /// The image could not be decoded.
    #[error("the {kind} is broken or cut off: {what}")]
    Decode {
        /// PNG, JPEG or DICOM file.
        kind: &'static str,
        /// What the decoder says.
        what: String,
    },
    /// The JPEG has no end.
    #[error("the JPEG is broken or cut off: its end is missing")]
    CutOff,
    /// The picture is larger than any film.
    #[error("the film has {width} x {height} pixels; at most 16384 x 16384 are read")]
    TooLarge {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
    /// Decoding would take too much memory.
    #[error("decoding the film takes {mib} MiB of memory, and the limit is {limit} MiB")]
    Memory {
        /// What it takes.
        mib: u64,
        /// The limit.
        limit: u64,
    },
    /// The plane could not be resized.
    #[error("the film could not be resized: {0}")]
    Resize(String),
}
