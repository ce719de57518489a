//! The header of a NumPy array file, `.npy`: type, order and shape.
//!
//! A magic number and a version are followed by a Python dictionary as text, padded with spaces.
//! Only integers in row-major order are supported. NEP 1 of NumPy defines the format.

use std::io::{self, Read};

/// Type and shape of an array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// Bytes per value, in little-endian order.
    pub(crate) width: usize,
    /// Length of each axis.
    pub(crate) shape: Vec<usize>,
}

/// Reads the header of an array of integers; the values follow in `file`.
///
/// # Errors
///
/// Returns an error if the type or order is not supported, or if the file is not an array file.
pub(crate) fn read_header(file: &mut impl Read) -> io::Result<Header> {
    let mut start = [0; 8];
    file.read_exact(&mut start)?;
    if !start.starts_with(b"\x93NUMPY") {
        return Err(invalid("the file does not begin like a NumPy array"));
    }
    let length = match start[6] {
        1 => {
            let mut length = [0; 2];
            file.read_exact(&mut length)?;
            usize::from(u16::from_le_bytes(length))
        }
        2 | 3 => {
            let mut length = [0; 4];
            file.read_exact(&mut length)?;
            // A header has a few hundred bytes; a damaged length must not exhaust memory.
            usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX).min(1 << 20)
        }
        version => {
            return Err(invalid(format!("version {version} of the format is not supported")));
        }
    };
    let mut header = vec![0; length];
    file.read_exact(&mut header)?;
    parse(&String::from_utf8_lossy(&header))
}

/// Reads `{'descr': '|u1', 'fortran_order': False, 'shape': (78468, 28, 28), }`.
fn parse(header: &str) -> io::Result<Header> {
    let value = |key: &str| {
        let (_, rest) = header.split_once(&format!("'{key}':"))?;
        Some(rest.trim_start())
    };
    let descr = value("descr").and_then(|descr| descr.strip_prefix('\''));
    let descr = descr.and_then(|descr| descr.split('\'').next()).unwrap_or_default();
    let width = match descr {
        "|u1" | "|i1" | "|b1" => 1,
        "<u2" | "<i2" => 2,
        "<u4" | "<i4" => 4,
        "<u8" | "<i8" => 8,
        _ => return Err(invalid(format!("values of type `{descr}` are not supported"))),
    };
    if !value("fortran_order").is_some_and(|order| order.starts_with("False")) {
        return Err(invalid("the values are not in row-major order"));
    }
    let inside = value("shape")
        .and_then(|shape| shape.strip_prefix('('))
        .and_then(|shape| shape.split_once(')'));
    let (inside, _) = inside.ok_or_else(|| invalid("the header has no shape"))?;
    let shape = inside
        .split(',')
        .map(str::trim)
        .filter(|number| !number.is_empty())
        .map(|number| {
            number
                .parse()
                .map_err(|_| invalid(format!("the shape ({inside}) is not a list of integers")))
        })
        .collect::<io::Result<_>>()?;
    Ok(Header { width, shape })
}

fn invalid(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(version: u8, header: &str) -> Vec<u8> {
        let mut bytes = b"\x93NUMPY".to_vec();
        bytes.extend([version, 0]);
        match version {
            1 => bytes.extend((header.len() as u16).to_le_bytes()),
            _ => bytes.extend((header.len() as u32).to_le_bytes()),
        }
        bytes.extend(header.as_bytes());
        bytes
    }

    #[test]
    fn shapes_of_one_and_three_axes_are_read_in_both_versions() {
        let films = "{'descr': '|u1', 'fortran_order': False, 'shape': (78468, 28, 30), }     \n";
        let list = "{'descr': '<i8', 'fortran_order': False, 'shape': (7,), }\n";
        let header = |version, text| read_header(&mut file(version, text).as_slice()).unwrap();

        assert_eq!(header(1, films), Header { width: 1, shape: vec![78468, 28, 30] });
        assert_eq!(header(2, list), Header { width: 8, shape: vec![7] });
    }

    #[test]
    fn what_is_no_array_of_whole_numbers_row_by_row_is_refused() {
        for (header, what) in [
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }", "`<f4`"),
            ("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 2), }", "row-major"),
            ("{'descr': '|u1', 'fortran_order': False, 'shape': (2, x), }", "(2, x)"),
            ("{'descr': '|u1', 'fortran_order': False, }", "no shape"),
        ] {
            let error = read_header(&mut file(1, header).as_slice()).unwrap_err().to_string();
            assert!(error.contains(what), "{error}");
        }
        assert!(read_header(&mut &b"PNG"[..]).is_err());
        assert!(read_header(&mut &b"not an array file"[..]).is_err());
    }
}
