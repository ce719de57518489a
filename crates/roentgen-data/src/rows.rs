//! `NAME.safetensors`: rows of numbers: the features that a frozen backbone computes of each film, or
//! heat maps.
//!
//! The file contains one tensor `rows` of shape `[rows, ...]` in single precision. It grows as
//! `NAME.safetensors.part` next to a one-line note of its purpose, so that an interrupted run can
//! resume.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use safetensors::Dtype;

use crate::files;
use crate::tensor_file::{DATA_START, Fault, TensorFile, write_header};

/// Name of the tensor.
const NAME: &str = "rows";
/// Bytes per number.
const BYTES: usize = 4;

/// Rows of numbers in a file.
#[derive(Debug)]
pub struct RowStore {
    file: TensorFile,
}

impl RowStore {
    /// Opens the file at `path`; returns `None` if there is none.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read or was not written by [`RowWriter`].
    pub fn open(path: &Path) -> io::Result<Option<Self>> {
        if !path.exists() {
            return Ok(None);
        }
        let file = TensorFile::open(path, NAME, Dtype::F32).map_err(|fault| match fault {
            Fault::Read(error) => error,
            Fault::Damaged(what) => io::Error::new(io::ErrorKind::InvalidData, what),
        })?;
        Ok(Some(Self { file }))
    }

    /// Returns the number of rows.
    pub fn len(&self) -> usize {
        self.file.shape()[0]
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the shape of each row.
    pub fn shape(&self) -> &[usize] {
        &self.file.shape()[1..]
    }

    /// Returns what the rows were written for; `None` if the file does not say, as those of earlier
    /// versions.
    pub fn purpose(&self) -> Option<&str> {
        self.file.purpose()
    }

    /// Appends row `index` to `values`.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read, or has been cut off since it was opened.
    ///
    /// # Panics
    ///
    /// Panics if there are not that many rows.
    pub fn append(&self, index: usize, values: &mut Vec<f32>) -> io::Result<()> {
        let row = self.file.row(index)?;
        values.extend(row.as_chunks().0.iter().map(|&number| f32::from_le_bytes(number)));
        Ok(())
    }
}

/// Writes rows, under a temporary name until they are complete.
#[derive(Debug)]
pub struct RowWriter {
    file: File,
    path: PathBuf,
    shape: Vec<usize>,
    rows: usize,
    purpose: String,
}

impl RowWriter {
    /// Starts the file for `path`, or resumes one that was started for the same `purpose`.
    ///
    /// # Errors
    ///
    /// Returns an error if a file cannot be read or written.
    pub fn open(path: &Path, shape: &[usize], purpose: &str) -> io::Result<Self> {
        let aside = files::temporary_path(path);
        let note = note_of(&aside);
        let is_same = fs::read_to_string(&note).is_ok_and(|line| line == purpose);
        if !is_same {
            // The note is removed first, so that it is never next to rows of another purpose.
            for old in [&note, &aside] {
                match fs::remove_file(old) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            }
        }
        let mut file =
            OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&aside)?;
        if !is_same {
            fs::write(&note, purpose)?;
        }
        let bytes = (shape.iter().product::<usize>() * BYTES) as u64;
        let written = file.metadata()?.len().saturating_sub(DATA_START as u64);
        let rows = written / bytes;
        let end = DATA_START as u64 + rows * bytes;
        file.set_len(end)?;
        file.seek(SeekFrom::Start(end))?;
        let purpose = purpose.to_owned();
        let (path, shape, rows) = (path.to_owned(), shape.to_vec(), rows as usize);
        Ok(Self { file, path, shape, rows, purpose })
    }

    /// Starts the file for `path` afresh.
    ///
    /// # Errors
    ///
    /// Returns an error if a file cannot be removed or written.
    pub fn start(path: &Path, shape: &[usize]) -> io::Result<Self> {
        match fs::remove_file(note_of(&files::temporary_path(path))) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Self::open(path, shape, ""),
        }
    }

    /// Returns the number of rows already written.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Appends whole rows.
    ///
    /// # Errors
    ///
    /// Returns an error if the rows cannot be written.
    pub fn append(&mut self, values: &[f32]) -> io::Result<()> {
        let row: usize = self.shape.iter().product();
        debug_assert!(values.len().is_multiple_of(row));
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.file.write_all(&bytes)?;
        self.rows += values.len() / row;
        Ok(())
    }

    /// Writes the header, with the purpose, and gives the file its final name.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be written or renamed.
    pub fn finish(mut self) -> io::Result<()> {
        let shape = [&[self.rows], self.shape.as_slice()].concat();
        let purpose = Some(&*self.purpose).filter(|purpose| !purpose.is_empty());
        write_header(&mut self.file, NAME, "F32", &shape, BYTES, purpose)?;
        let aside = files::temporary_path(&self.path);
        fs::rename(&aside, &self.path)?;
        files::sync_folder(&self.path)?;
        // A leftover note without its rows does no harm.
        let _ = fs::remove_file(note_of(&aside));
        Ok(())
    }
}

fn note_of(aside: &Path) -> PathBuf {
    let mut name = aside.as_os_str().to_owned();
    name.push(".txt");
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(rows: &RowStore, index: usize) -> Vec<f32> {
        let mut values = Vec::new();
        rows.append(index, &mut values).unwrap();
        values
    }

    #[test]
    fn rows_come_back_and_a_broken_call_is_gone_on_with() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("train.safetensors");
        let mut writer = RowWriter::open(&path, &[3, 1, 2], "these").unwrap();
        writer.append(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
        writer.append(&[0.5; 6]).unwrap();
        drop(writer);
        // An incomplete row at the end is truncated.
        let aside = files::temporary_path(&path);
        let length = fs::metadata(&aside).unwrap().len();
        OpenOptions::new().write(true).open(&aside).unwrap().set_len(length - 3).unwrap();
        assert!(RowStore::open(&path).unwrap().is_none());

        let mut writer = RowWriter::open(&path, &[3, 1, 2], "these").unwrap();
        assert_eq!(writer.rows(), 1);
        writer.append(&[-1.0; 6]).unwrap();
        writer.finish().unwrap();
        let rows = RowStore::open(&path).unwrap().unwrap();

        assert_eq!((rows.len(), rows.shape()), (2, [3, 1, 2].as_slice()));
        assert_eq!(rows.purpose(), Some("these"));
        assert_eq!(row(&rows, 0), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(row(&rows, 1), [-1.0; 6]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn rows_of_another_purpose_are_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("train.safetensors");
        RowWriter::open(&path, &[2], "these").unwrap().append(&[1.0; 4]).unwrap();

        assert_eq!(RowWriter::open(&path, &[2], "those").unwrap().rows(), 0);
        RowWriter::start(&path, &[2]).unwrap().append(&[1.0; 4]).unwrap();
        assert_eq!(RowWriter::start(&path, &[2]).unwrap().rows(), 0);
    }

    #[test]
    fn a_cut_file_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("train.safetensors");
        let mut writer = RowWriter::open(&path, &[2], "these").unwrap();
        writer.append(&[1.0; 4]).unwrap();
        writer.finish().unwrap();
        OpenOptions::new().write(true).open(&path).unwrap().set_len(4100).unwrap();

        assert!(RowStore::open(&path).is_err());
    }
}
