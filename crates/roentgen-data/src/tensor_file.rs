//! A safetensors file with one tensor, read row by row from any thread.
//!
//! The header is padded to a page, so that rows can be appended before their number is known. Rows
//! are read at their place in the file and not through a memory map: a file that is cut off while
//! it is mapped kills the process (SIGBUS), and a read that finds too few bytes is an error. The
//! bytes come from the same pages of the system's cache, which processes share.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::Metadata;

use crate::files;

/// Key of the header's metadata.
const PURPOSE: &str = "purpose";
/// Offset of the first row, in bytes.
pub(crate) const DATA_START: usize = 4096;

/// An open file with one tensor of shape `[rows, ...]`.
#[derive(Debug)]
pub(crate) struct TensorFile {
    file: File,
    shape: Vec<usize>,
    row_bytes: usize,
    purpose: Option<String>,
}

/// Why a file could not be opened.
pub(crate) enum Fault {
    /// It could not be read.
    Read(io::Error),
    /// It is not such a file, or is damaged; the problem.
    Damaged(String),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}

impl TensorFile {
    /// Opens the file at `path` whose only tensor is called `name` and has this type.
    pub(crate) fn open(path: &Path, name: &str, dtype: Dtype) -> Result<Self, Fault> {
        let damaged = |what: &str| Fault::Damaged(what.to_owned());
        let file = files::open(path)?;
        let length = file.metadata()?.len();
        let mut header = Vec::new();
        (&file).take(DATA_START as u64).read_to_end(&mut header)?;
        let json = match header.split_first_chunk() {
            Some((size, json)) if is_page(*size, json) => json,
            _ => return Err(damaged("its header is not one page long")),
        };
        let tensors: Metadata =
            serde_json::from_slice(json).map_err(|error| Fault::Damaged(error.to_string()))?;
        let Some(tensor) = tensors.info(name) else {
            return Err(Fault::Damaged(format!("it has no tensor `{name}`")));
        };
        let shape = tensor.shape.clone();
        let row_bytes = shape.iter().skip(1).try_fold(dtype.bitsize() / 8, |bytes, &edge| {
            bytes.checked_mul(edge).filter(|&bytes| bytes > 0)
        });
        let (Some(row_bytes), Some(&rows)) = (row_bytes, shape.first()) else {
            return Err(Fault::Damaged(format!("`{name}` has shape {shape:?}")));
        };
        let bytes = rows.checked_mul(row_bytes);
        let is_there = bytes.is_some_and(|bytes| tensor.data_offsets == (0, bytes));
        if tensor.dtype != dtype || !is_there {
            let what =
                format!("`{name}` is {:?} {shape:?} at {:?}", tensor.dtype, tensor.data_offsets);
            return Err(Fault::Damaged(what));
        }
        if bytes.map(|bytes| (bytes + DATA_START) as u64) != Some(length) {
            return Err(damaged("it is cut off or has more bytes than its header says"));
        }
        let purpose = tensors.metadata().as_ref().and_then(|about| about.get(PURPOSE).cloned());
        Ok(Self { file, shape, row_bytes, purpose })
    }

    /// Returns what the file says it was written for; `None` if it does not say.
    pub(crate) fn purpose(&self) -> Option<&str> {
        self.purpose.as_deref()
    }

    /// Returns the shape of the tensor; it has at least one dimension.
    pub(crate) fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Reads a row.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read or has been cut off since it was opened.
    ///
    /// # Panics
    ///
    /// Panics if there are not that many rows.
    pub(crate) fn row(&self, index: usize) -> io::Result<Vec<u8>> {
        assert!(index < self.shape[0], "row {index} of {}", self.shape[0]);
        let mut row = vec![0; self.row_bytes];
        let at = (DATA_START + index * self.row_bytes) as u64;
        read_exact_at(&self.file, &mut row, at).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                io::Error::new(error.kind(), "the file was cut off while it was in use")
            }
            _ => error,
        })?;
        Ok(row)
    }
}

fn is_page(size: [u8; 8], json: &[u8]) -> bool {
    json.len() + size.len() == DATA_START && json.len() as u64 == u64::from_le_bytes(size)
}

#[cfg(unix)]
fn read_exact_at(file: &File, bytes: &mut [u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, at)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut bytes: &mut [u8], mut at: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, bytes, at) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => {
                bytes = &mut bytes[read..];
                at += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Writes the header of a file with one tensor, padded to a page, and waits until all is on disk.
pub(crate) fn write_header(
    file: &mut File,
    name: &str,
    dtype: &str,
    shape: &[usize],
    bytes: usize,
    purpose: Option<&str>,
) -> io::Result<()> {
    let end = shape.iter().product::<usize>() * bytes;
    let tensor =
        format!(r#""{name}":{{"dtype":"{dtype}","shape":{shape:?},"data_offsets":[0,{end}]}}"#)
            .replace(", ", ",");
    let mut header = match purpose {
        Some(purpose) => {
            let purpose = serde_json::to_string(purpose)?;
            format!(r#"{{"__metadata__":{{"{PURPOSE}":{purpose}}},{tensor}}}"#)
        }
        None => format!("{{{tensor}}}"),
    };
    while header.len() < DATA_START - 8 {
        header.push(' ');
    }
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&(header.len() as u64).to_le_bytes())?;
    file.write_all(header.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, header: &str, data: usize) {
        let mut bytes = 4088_u64.to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        bytes.resize(DATA_START, b' ');
        bytes.resize(DATA_START + data, 7);
        std::fs::write(path, bytes).unwrap();
    }

    fn what(path: &Path) -> String {
        match TensorFile::open(path, "rows", Dtype::F32) {
            Ok(_) => "opened".to_owned(),
            Err(Fault::Read(error)) => format!("read: {error}"),
            Err(Fault::Damaged(what)) => what,
        }
    }

    #[test]
    fn only_a_header_that_agrees_with_the_file_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let header = |dtype: &str, shape: &str, end: u64| {
            format!(r#"{{"rows":{{"dtype":"{dtype}","shape":{shape},"data_offsets":[0,{end}]}}}}"#)
        };
        for (header, data, expected) in [
            (header("F32", "[2,3]", 24), 24, "opened"),
            (header("F32", "[2,3]", 24), 20, "cut off"),
            (header("F32", "[2,3]", 24), 28, "more bytes"),
            (header("F64", "[1,3]", 24), 24, "F64"),
            (header("F32", "[2,3]", 20), 20, ""),
            (header("F32", "[]", 4), 4, "shape []"),
            (header("F32", "[2,0]", 0), 0, "shape [2, 0]"),
            (header("F32", "[4611686018427387904,4]", 0), 0, ""),
            (header("F32", "[0,3]", 0), 0, "opened"),
            ("{}".to_owned(), 0, "no tensor"),
            ("[1, 2".to_owned(), 0, ""),
        ] {
            write(&path, &header, data);
            let what = what(&path);
            assert!(what.contains(expected), "{header}: {what}");
            assert_eq!(what == "opened", expected == "opened", "{header}: {what}");
        }
        for bytes in [&b""[..], b"\x01", &[0xff; 5000], &[0; 4096]] {
            std::fs::write(&path, bytes).unwrap();
            assert!(what(&path).contains("one page"), "{}", what(&path));
        }
    }

    #[test]
    fn a_file_that_is_cut_while_it_is_open_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let header = r#"{"rows":{"dtype":"F32","shape":[3000,2],"data_offsets":[0,24000]}}"#;
        write(&path, header, 24_000);
        let Ok(rows) = TensorFile::open(&path, "rows", Dtype::F32) else { panic!("opened") };
        assert_eq!(rows.row(2999).unwrap(), [7; 8]);

        File::options().write(true).open(&path).unwrap().set_len(DATA_START as u64 + 20).unwrap();

        assert_eq!(rows.row(1).unwrap(), [7; 8]);
        for row in [2, 2999] {
            let error = rows.row(row).unwrap_err();
            assert!(error.to_string().contains("cut off"), "{error}");
        }
    }
}
