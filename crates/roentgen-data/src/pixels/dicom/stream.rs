//! Compares the size that a compressed picture states with that of the DICOM file around it.
//!
//! A decoder reserves what the compressed picture claims, and that is not what the film's memory was
//! borrowed for.

use dicom_dictionary_std::tags;

use super::damage;
use super::file::Object;
use super::header::{Coding, Header};
use crate::pixels::{Error, jpeg};

/// Refuses a compressed picture of another size or sign than the file states.
pub(super) fn check(object: &Object, header: &Header) -> Result<(), Error> {
    let element = object.get(tags::PIXEL_DATA).ok_or_else(|| damage("it has no pixels"))?;
    let fragments = element.fragments().unwrap_or_default();
    let start = || -> Vec<u8> { fragments.iter().flatten().take(1 << 20).copied().collect() };
    let found = match header.coding {
        Coding::None | Coding::Rle => return Ok(()),
        Coding::Jpeg => jpeg::header(&start())
            .map(|found| ([found.height, found.width], found.components, header.is_signed)),
        Coding::Jpeg2000 => jpeg_2000_size(&start()),
    };
    let Some((size, samples, is_signed)) = found else {
        return Err(damage("its compressed picture has no header"));
    };
    if size != [header.rows, header.columns] || samples != header.samples {
        let [height, width] = size;
        return Err(damage(format!(
            "its compressed picture has {width} x {height} pixels of {samples} samples, but the file \
             says {} x {} of {}",
            header.columns, header.rows, header.samples
        )));
    }
    if is_signed != header.is_signed {
        return Err(damage("its compressed picture has another sign than the file says"));
    }
    Ok(())
}

/// Reads the marker SIZ of a codestream: `[height, width]`, samples, and whether they are signed.
fn jpeg_2000_size(bytes: &[u8]) -> Option<([u32; 2], u64, bool)> {
    if !bytes.starts_with(b"\xff\x4f\xff\x51") {
        return None;
    }
    let long = |at: usize| bytes.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes);
    let edge = |end: usize, start: usize| long(end)?.checked_sub(long(start)?);
    let samples = u16::from_be_bytes(bytes.get(40..42)?.try_into().ok()?);
    Some(([edge(12, 20)?, edge(8, 16)?], samples.into(), bytes.get(42)? & 0x80 != 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_of_a_codestream_is_that_of_its_grid_without_the_offset() {
        let mut bytes = b"\xff\x4f\xff\x51\0\x29\0\0".to_vec();
        for long in [34_u32, 25, 4, 5, 30, 20, 0, 0] {
            bytes.extend(long.to_be_bytes());
        }
        bytes.extend([0, 1, 0x8b, 1, 1]);

        assert_eq!(jpeg_2000_size(&bytes), Some(([20, 30], 1, true)));
        assert_eq!(jpeg_2000_size(&bytes[..41]), None);
        assert_eq!(jpeg_2000_size(b"\xff\xd8\xff"), None);
    }
}
