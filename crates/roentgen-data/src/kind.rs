//! What a file is, by its name and by its first bytes.

use std::ffi::OsStr;
use std::path::Path;

/// Bytes that tell the kind of a file.
pub(crate) const START: usize = 132;

/// A kind of film.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Png,
    Jpeg,
    #[cfg(feature = "dicom")]
    Dicom,
}

impl Kind {
    /// Tells what a file is by its first bytes, of which [`START`] are needed.
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        if bytes.starts_with(b"\x89PNG") {
            return Some(Self::Png);
        }
        if bytes.starts_with(b"\xff\xd8\xff") {
            return Some(Self::Jpeg);
        }
        #[cfg(feature = "dicom")]
        if bytes.get(START - 4..START) == Some(b"DICM") {
            return Some(Self::Dicom);
        }
        None
    }

    /// Whether these are the first bytes of a DICOM file.
    pub(crate) fn is_dicom(bytes: &[u8]) -> bool {
        match Self::of(bytes) {
            Some(Self::Png | Self::Jpeg) | None => false,
            #[cfg(feature = "dicom")]
            Some(Self::Dicom) => true,
        }
    }
}

/// The extensions of films.
const EXTENSIONS: [&str; 5] = ["png", "jpg", "jpeg", "dcm", "dicom"];

/// Whether a file has the name of a film.
pub fn is_film(path: &Path) -> bool {
    path.extension().is_some_and(|extension| {
        EXTENSIONS.iter().any(|known| extension.eq_ignore_ascii_case(known))
    })
}

/// Returns the name of a film without its extension. A name without one may be a UID, whose last
/// number is part of it.
pub fn stem(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((stem, end)) if EXTENSIONS.iter().any(|known| end.eq_ignore_ascii_case(known)) => stem,
        _ => name,
    }
}

/// Whether a file is a `DICOMDIR`, the list of the files on a disc.
pub(crate) fn is_dicomdir(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.eq_ignore_ascii_case("DICOMDIR"))
}

/// Whether a file or folder is not looked at: its name begins with a dot, or is `__MACOSX`, where
/// macOS puts the `._` files of an archive.
pub(crate) fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".") || name == "__MACOSX"
}
