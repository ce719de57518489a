//! `images.safetensors`: the films of a prepared data set as 8-bit gray planes.
//!
//! The file contains one tensor `images` of shape `[films, size, size]`, readable from Python with
//! `safetensors`, or with `numpy.memmap` at byte 4096.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use safetensors::Dtype;

use crate::tensor_file::{DATA_START, Fault, TensorFile, write_header};

/// Name of the file in a prepared data set.
pub const FILE: &str = "images.safetensors";

/// Name of the tensor.
const NAME: &str = "images";

/// Why a store could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file could not be opened.
    #[error("could not read the films in `{path}`; run `roentgen prepare` to write them")]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A film could not be read from a file that was opened.
    #[error("could not read film {index} of `{path}`; run `roentgen prepare` again")]
    Film {
        /// The file.
        path: PathBuf,
        /// The film, from 0.
        index: usize,
        /// The cause, such as that the file was cut off meanwhile.
        source: io::Error,
    },
    /// The file was not written by `prepare`, or is damaged.
    #[error("`{path}` is not a store of films ({what}); run `roentgen prepare` again")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The problem.
        what: String,
    },
}

/// The planes of a prepared data set.
#[derive(Debug)]
pub struct Store {
    file: TensorFile,
    path: PathBuf,
    films: usize,
    size: usize,
}

impl Store {
    /// Opens the store at `path`.
    ///
    /// # Errors
    ///
    /// Returns an error if the file is missing, truncated or not a store.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let damaged = |what| Error::Damaged { path: path.to_owned(), what };
        let file = TensorFile::open(path, NAME, Dtype::U8).map_err(|fault| match fault {
            Fault::Read(source) => Error::Read { path: path.to_owned(), source },
            Fault::Damaged(what) => damaged(what),
        })?;
        match *file.shape() {
            [films, height, width] if height == width => {
                Ok(Self { file, path: path.to_owned(), films, size: height })
            }
            _ => Err(damaged(format!(
                "`{NAME}` has shape {:?}, not [films, size, size]",
                file.shape()
            ))),
        }
    }

    /// Returns the number of planes.
    pub fn len(&self) -> usize {
        self.films
    }

    /// Whether there are no planes.
    pub fn is_empty(&self) -> bool {
        self.films == 0
    }

    /// Returns height and width of every plane, in pixels.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Reads plane `index`: `size * size` values in row-major order.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read, or has been cut off since it was opened.
    ///
    /// # Panics
    ///
    /// Panics if there are not that many planes.
    pub fn plane(&self, index: usize) -> Result<Vec<u8>, Error> {
        let failed = |source| Error::Film { path: self.path.clone(), index, source };
        self.file.row(index).map_err(failed)
    }
}

/// A store that grows under its temporary name.
#[derive(Debug)]
pub(crate) struct GrowingStore {
    file: File,
    size: usize,
}

impl GrowingStore {
    /// Opens the growing store at `path`, of which `films` planes are complete; the rest is
    /// truncated.
    pub(crate) fn open(path: &Path, size: usize, films: usize) -> io::Result<Self> {
        let mut file =
            OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path)?;
        let end = (DATA_START + films * size * size) as u64;
        if films > 0 && file.metadata()?.len() < end {
            return Err(io::Error::other("the file is shorter than its recorded number of films"));
        }
        file.set_len(end)?;
        file.seek(SeekFrom::Start(end))?;
        Ok(Self { file, size })
    }

    /// Appends planes and waits until they are on disk.
    pub(crate) fn append(&mut self, planes: &[Vec<u8>]) -> io::Result<()> {
        for plane in planes {
            debug_assert_eq!(plane.len(), self.size * self.size);
            self.file.write_all(plane)?;
        }
        self.file.sync_data()
    }

    /// Writes the header once the number of films is known.
    pub(crate) fn finish(mut self, films: usize) -> io::Result<()> {
        write_header(&mut self.file, NAME, "U8", &[films, self.size, self.size], 1, None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_come_back_and_a_torn_tail_is_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let mut store = GrowingStore::open(&path, 2, 0).unwrap();
        store.append(&[vec![1, 2, 3, 4], vec![9; 4]]).unwrap();
        drop(store);

        let mut store = GrowingStore::open(&path, 2, 1).unwrap();
        store.append(&[vec![5, 6, 7, 8]]).unwrap();
        store.finish(2).unwrap();
        let store = Store::open(&path).unwrap();

        assert_eq!((store.len(), store.size()), (2, 2));
        assert_eq!(store.plane(0).unwrap(), [1, 2, 3, 4]);
        assert_eq!(store.plane(1).unwrap(), [5, 6, 7, 8]);
    }

    #[test]
    fn a_cut_store_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let mut store = GrowingStore::open(&path, 2, 0).unwrap();
        store.append(&[vec![1, 2, 3, 4]]).unwrap();
        store.finish(1).unwrap();
        File::options().write(true).open(&path).unwrap().set_len(4098).unwrap();

        assert!(matches!(Store::open(&path), Err(Error::Damaged { .. })));
        assert!(matches!(Store::open(&folder.path().join("none")), Err(Error::Read { .. })));
    }

    #[test]
    fn a_store_that_is_cut_while_it_is_open_is_an_error_that_names_the_film() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let mut store = GrowingStore::open(&path, 64, 0).unwrap();
        store.append(&[vec![3; 4096], vec![4; 4096]]).unwrap();
        store.finish(2).unwrap();
        let store = Store::open(&path).unwrap();

        File::options().write(true).open(&path).unwrap().set_len(8192).unwrap();

        assert_eq!(store.plane(0).unwrap(), [3; 4096]);
        assert!(matches!(store.plane(1), Err(Error::Film { index: 1, .. })));
    }
}
