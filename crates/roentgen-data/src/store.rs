//! `images.safetensors`: the films of a prepared data set as 8-bit gray planes, memory-mapped.
//!
//! The file contains one tensor `images` of shape `[films, size, size]`, readable from Python with
//! `safetensors`, or with `numpy.memmap` at byte 4096. The header is padded to a page, so films can
//! be appended before their number is known, and processes share the pages they read.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use memmap2::Mmap;
use safetensors::{Dtype, SafeTensors};

use crate::files;

/// Offset of the first plane, in bytes.
pub const DATA_START: usize = 4096;
/// Name of the file in a prepared data set.
pub const FILE: &str = "images.safetensors";

/// Why a store could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file could not be opened or mapped.
    #[error("could not read the films in `{path}`; run `roentgen prepare` to write them")]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
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
    map: Mmap,
    films: usize,
    size: usize,
}

impl Store {
    /// Maps the store at `path`.
    ///
    /// # Errors
    ///
    /// Returns an error if the file is missing, truncated or not a store.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let read = |source| Error::Read { path: path.to_owned(), source };
        let damaged = |what: String| Error::Damaged { path: path.to_owned(), what };
        let map = map(path).map_err(read)?;
        let tensors =
            SafeTensors::deserialize(&map).map_err(|error| damaged(format!("{error:?}")))?;
        let images = tensors
            .tensor("images")
            .map_err(|_| damaged("it has no tensor `images`".to_owned()))?;
        let &[films, height, width] = images.shape() else {
            return Err(damaged(format!(
                "`images` has shape {:?}, not [films, size, size]",
                images.shape()
            )));
        };
        let start = map.len() - images.data().len();
        if images.dtype() != Dtype::U8 || height != width || start != DATA_START {
            return Err(damaged(format!("{:?} {height} x {width} at {start}", images.dtype())));
        }
        Ok(Self { map, films, size: height })
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

    /// Returns plane `index`: `size * size` values in row-major order, straight from the mapped
    /// file.
    ///
    /// # Panics
    ///
    /// Panics if there are not that many planes.
    pub fn plane(&self, index: usize) -> &[u8] {
        let bytes = self.size * self.size;
        &self.map[DATA_START + index * bytes..DATA_START + (index + 1) * bytes]
    }
}

/// Maps a file written by this program.
pub(crate) fn map(path: &Path) -> io::Result<Mmap> {
    let file = files::open(path)?;
    #[expect(
        unsafe_code,
        reason = "a map is only sound while no one cuts the file; such files are renamed into place whole \
                  and this program never writes to them afterwards"
    )]
    unsafe {
        Mmap::map(&file)
    }
}

/// A store that grows under its temporary name.
#[derive(Debug)]
pub(crate) struct Growing {
    file: File,
    size: usize,
}

impl Growing {
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
        write_header(&mut self.file, "images", "U8", &[films, self.size, self.size], 1)
    }
}

/// Writes the header of a file with one tensor, padded to a page, and waits until all is on disk.
pub(crate) fn write_header(
    file: &mut File,
    name: &str,
    dtype: &str,
    shape: &[usize],
    bytes: usize,
) -> io::Result<()> {
    let end = shape.iter().product::<usize>() * bytes;
    let mut header =
        format!(r#"{{"{name}":{{"dtype":"{dtype}","shape":{shape:?},"data_offsets":[0,{end}]}}}}"#)
            .replace(", ", ",");
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

    #[test]
    fn planes_come_back_and_a_torn_tail_is_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let mut store = Growing::open(&path, 2, 0).unwrap();
        store.append(&[vec![1, 2, 3, 4], vec![9; 4]]).unwrap();
        drop(store);

        let mut store = Growing::open(&path, 2, 1).unwrap();
        store.append(&[vec![5, 6, 7, 8]]).unwrap();
        store.finish(2).unwrap();
        let store = Store::open(&path).unwrap();

        assert_eq!((store.len(), store.size()), (2, 2));
        assert_eq!(store.plane(0), [1, 2, 3, 4]);
        assert_eq!(store.plane(1), [5, 6, 7, 8]);
    }

    #[test]
    fn a_cut_store_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let mut store = Growing::open(&path, 2, 0).unwrap();
        store.append(&[vec![1, 2, 3, 4]]).unwrap();
        store.finish(1).unwrap();
        File::options().write(true).open(&path).unwrap().set_len(4098).unwrap();

        assert!(matches!(Store::open(&path), Err(Error::Damaged { .. })));
        assert!(matches!(Store::open(&folder.path().join("none")), Err(Error::Read { .. })));
    }
}
