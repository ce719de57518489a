//! Published checksums, and checksums computed while bytes arrive.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use md5::Md5;
use sha2::{Digest, Sha256};

use super::Error;

/// A checksum in hexadecimal, as publishers print it; compared without regard to case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Checksum {
    /// Detects accidents only: an attacker can make two files with the same MD5.
    Md5(String),
    /// Detects accidents and attacks.
    Sha256(String),
    /// The first digits of a SHA-256, as in PyTorch's file names: detects accidents only.
    Sha256Start(String),
}

impl Checksum {
    /// Returns whether a file with the checksum `actual` is the published one.
    pub(crate) fn matches(&self, actual: &Checksum) -> bool {
        match (self, actual) {
            (Checksum::Md5(a), Checksum::Md5(b)) | (Checksum::Sha256(a), Checksum::Sha256(b)) => {
                a.eq_ignore_ascii_case(b)
            }
            (Checksum::Sha256Start(start), Checksum::Sha256(sum)) => {
                sum.get(..start.len()).is_some_and(|begins| begins.eq_ignore_ascii_case(start))
            }
            _ => false,
        }
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Checksum::Md5(digits) => write!(f, "MD5 {digits}"),
            Checksum::Sha256(digits) => write!(f, "SHA-256 {digits}"),
            Checksum::Sha256Start(digits) => write!(f, "SHA-256 {digits}..."),
        }
    }
}

/// A checksum that is being computed.
#[derive(Clone, Debug)]
pub(super) enum Sum {
    Md5(Md5),
    Sha256(Sha256),
}

impl Sum {
    /// Makes a sum of the published kind, or SHA-256 if no checksum was published.
    pub(super) fn for_published(published: Option<&Checksum>) -> Self {
        match published {
            Some(Checksum::Md5(_)) => Sum::Md5(Md5::new()),
            Some(Checksum::Sha256(_) | Checksum::Sha256Start(_)) | None => {
                Sum::Sha256(Sha256::new())
            }
        }
    }

    /// Makes an empty sum of the same kind.
    pub(super) fn restart(&self) -> Self {
        match self {
            Sum::Md5(_) => Sum::Md5(Md5::new()),
            Sum::Sha256(_) => Sum::Sha256(Sha256::new()),
        }
    }

    pub(super) fn add(&mut self, bytes: &[u8]) {
        match self {
            Sum::Md5(sum) => sum.update(bytes),
            Sum::Sha256(sum) => sum.update(bytes),
        }
    }

    pub(super) fn checksum(self) -> Checksum {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        match self {
            Sum::Md5(sum) => Checksum::Md5(hex(&sum.finalize())),
            Sum::Sha256(sum) => Checksum::Sha256(hex(&sum.finalize())),
        }
    }

    /// Adds the rest of `file` and returns its number of bytes.
    pub(super) fn add_file(&mut self, file: &mut File) -> io::Result<u64> {
        let mut block = vec![0; super::BLOCK];
        let mut bytes = 0;
        loop {
            let read = file.read(&mut block)?;
            if read == 0 {
                return Ok(bytes);
            }
            self.add(&block[..read]);
            bytes += read as u64;
        }
    }

    /// Returns the length and the checksum of a file.
    pub(super) fn of_file(path: &Path, mut sum: Self) -> Result<(u64, Checksum), Error> {
        let failed = |source| Error::Read { path: path.to_owned(), source };
        let bytes =
            File::open(path).and_then(|mut file| sum.add_file(&mut file)).map_err(failed)?;
        Ok((bytes, sum.checksum()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_the_standards_and_case_does_not_matter() {
        let sum = |published: Checksum| {
            let mut sum = Sum::for_published(Some(&published));
            sum.add(b"ab");
            sum.add(b"c");
            published.matches(&sum.checksum())
        };

        assert!(sum(Checksum::Md5("900150983CD24FB0D6963F7D28E17F72".into())));
        assert!(sum(Checksum::Sha256(
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".into()
        )));
        assert!(!sum(Checksum::Md5("900150983CD24FB0D6963F7D28E17F73".into())));
        assert!(sum(Checksum::Sha256Start("BA7816bf".into())));
        assert!(!sum(Checksum::Sha256Start("ba7816be".into())));
    }
}
