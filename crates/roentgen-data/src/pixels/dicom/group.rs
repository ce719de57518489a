//! The elements before the data set, in the bytes that the length of their group covers.
//!
//! The reader of the crate `dicom-object` takes all elements there, whatever their group, and reserves
//! what each claims.

use std::io::{self, ErrorKind, Read, Seek, SeekFrom};

/// The value representations whose length has two bytes; that of all others has four.
const SHORT: [&[u8; 2]; 21] = [
    b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO", b"LT", b"PN",
    b"SH", b"SL", b"SS", b"ST", b"TM", b"UI", b"UL", b"US",
];

/// Checks that the elements from here on, which begin with the length of the group, are in a file of
/// `length` bytes.
///
/// # Errors
///
/// Returns an error if an element is not in the file.
pub(super) fn check(file: &mut (impl Read + Seek), length: u64) -> io::Result<()> {
    let mut end = None;
    while end.is_none_or(|end| file.stream_position().is_ok_and(|at| at < end)) {
        let bytes = value_length(file)?;
        let at = file.stream_position()?;
        if bytes > length.saturating_sub(at) {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        if end.is_none() {
            let mut group = [0; 4];
            file.read_exact(&mut group)?;
            end = Some(at + 4 + u64::from(u32::from_le_bytes(group)));
        }
        file.seek(SeekFrom::Start(at + bytes))?;
    }
    Ok(())
}

/// Reads the head of an element, and returns the length of its value.
fn value_length(file: &mut impl Read) -> io::Result<u64> {
    let mut head = [0; 8];
    file.read_exact(&mut head)?;
    let [.., vr0, vr1, length0, length1] = head;
    if SHORT.contains(&&[vr0, vr1]) {
        return Ok(u16::from_le_bytes([length0, length1]).into());
    }
    let mut length = [0; 4];
    file.read_exact(&mut length)?;
    Ok(u32::from_le_bytes(length).into())
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// The length of the group, followed by these bytes.
    fn checked(group: u32, rest: &[u8]) -> bool {
        let bytes = [&b"\x02\0\0\0UL\x04\0"[..], &group.to_le_bytes(), rest].concat();
        check(&mut Cursor::new(&bytes), bytes.len() as u64).is_ok()
    }

    #[test]
    fn elements_that_claim_more_than_the_file_has_are_refused() {
        let short = b"\x02\0\x10\0UI\x04\x001.2\0";
        let long = b"\x02\0\x01\0OB\0\0\x02\0\0\0\0\x01";

        assert!(checked(26, &[&short[..], long].concat()));
        assert!(!checked(27, &[&short[..], long].concat()));
        assert!(!checked(4_000_000_000, short));
        // An element of the data set, which claims 4 GiB.
        assert!(!checked(40, &[&short[..], b"\x80\x02\0\x01OB\0\0\xff\xff\xff\xff"].concat()));
    }
}
