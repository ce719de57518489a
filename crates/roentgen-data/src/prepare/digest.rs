//! Digests of files.

use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::Error;
use crate::files;

/// Bytes to hash between two calls of the progress callback.
const BLOCK: usize = 1 << 20;

/// Formats bytes in hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the SHA-256 of `before` followed by the file.
pub(super) fn hash(path: &Path, before: &[u8], progress: &dyn Fn(u64)) -> Result<String, Error> {
    let mut hash = Sha256::new_with_prefix(before);
    each_block(path, |block| hash.update(block), progress).map_err(read(path))?;
    Ok(hex(&hash.finalize()))
}

/// Reads a file block by block.
pub(super) fn each_block(
    path: &Path,
    mut take: impl FnMut(&[u8]),
    progress: &dyn Fn(u64),
) -> io::Result<()> {
    let mut file = files::open(path)?;
    let mut block = vec![0; BLOCK];
    let mut done = 0;
    loop {
        match file.read(&mut block) {
            Ok(0) => return Ok(()),
            Ok(read) => {
                take(&block[..read]);
                done += read as u64;
                progress(done);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

pub(super) fn read(path: &Path) -> impl FnOnce(io::Error) -> Error + '_ {
    |source| Error::Read { path: path.to_owned(), source }
}
