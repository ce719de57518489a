//! Reads the arguments of opcodes.

use std::io::{self, BufRead, Read};

use super::Error;

/// The largest text, in bytes.
const LONGEST_TEXT: u64 = 64 << 20;

/// Reads as many bytes as the array has.
pub(super) fn bytes<const N: usize>(reader: &mut impl BufRead) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    reader.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Reads a text of this length.
pub(super) fn some(reader: &mut impl BufRead, length: u64) -> Result<Vec<u8>, Error> {
    if length > LONGEST_TEXT {
        return Err(Error::TooLarge);
    }
    let mut bytes = Vec::new();
    reader.take(length).read_to_end(&mut bytes)?;
    if (bytes.len() as u64) < length {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    Ok(bytes)
}

/// Reads a line without its end.
pub(super) fn line(reader: &mut impl BufRead) -> Result<String, Error> {
    let mut bytes = Vec::new();
    reader.take(LONGEST_TEXT).read_until(b'\n', &mut bytes)?;
    if bytes.pop() != Some(b'\n') {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    Ok(String::from_utf8_lossy(&bytes).trim_end_matches('\r').to_owned())
}

/// Reads a number of few digits; larger ones are of no interest.
pub(super) fn whole(digits: &[u8]) -> Option<i64> {
    let is_negative = digits.last().is_some_and(|last| last & 0x80 != 0);
    let mut all = [if is_negative { 0xFF } else { 0 }; 8];
    all.get_mut(..digits.len())?.copy_from_slice(digits);
    Some(i64::from_le_bytes(all))
}
