//! Checkpoints of PyTorch: `torch.save`'s zip archives since version 1.6, and the files of pickles
//! and storages before it.
//!
//! `pickle.rs` reads pickles as data, `tensors.rs` finds the tensors in them. Values of a tensor are
//! read on request.

mod pickle;
mod tensors;

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Mutex;

use burn::tensor::DType;
use zip::ZipArchive;

use pickle::Graph;
use tensors::Tensor;

/// Bytes at the beginning of a zip archive.
const ZIP: &[u8] = b"PK\x03\x04";
/// Name of the pickle in an archive, below the archive's own folder.
const PICKLE: &str = "data.pkl";
/// The number at the beginning of old files, as protocol 2 writes it.
const OLD: &[u8] = &[0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19];

/// A checkpoint: its tensors by name, and where their values are.
#[derive(Debug)]
pub(super) struct Checkpoint {
    tensors: BTreeMap<String, Tensor>,
    container: Mutex<Container>,
}

#[derive(Debug)]
enum Container {
    Zip {
        archive: Box<ZipArchive<BufReader<File>>>,
        folder: String,
    },
    /// The offset of each storage.
    Old {
        file: BufReader<File>,
        places: HashMap<String, u64>,
    },
}

/// Why a checkpoint could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(super) enum Error {
    /// The file could not be opened.
    #[error("the file could not be opened")]
    Open(#[source] io::Error),
    /// The file could not be read.
    #[error("the file is truncated or cannot be read")]
    Read(#[from] io::Error),
    /// The zip archive is damaged.
    #[error("the zip archive is damaged")]
    Zip(#[from] zip::result::ZipError),
    /// A pickle is damaged.
    #[error(transparent)]
    Pickle(#[from] pickle::Error),
    /// The file is of another kind.
    #[error("it does not begin as PyTorch's files do since version 0.1.10")]
    Kind,
    /// The archive has no pickle.
    #[error("the zip archive contains no `data.pkl`")]
    NoPickle,
    /// The values are in the other byte order.
    #[error("its values are in big-endian order; save it again on another machine")]
    BigEndian,
    /// A tensor does not fit its storage.
    #[error("a tensor reaches beyond its storage")]
    Tensor,
    /// The values refer to each other too often.
    #[error("its values are nested too deeply")]
    Nested,
    /// A storage is not in the file.
    #[error("the values of storage `{0}` are missing")]
    NoStorage(String),
}

/// Bytes that say whether a file is a checkpoint.
pub(super) const START: u64 = 16;

/// Whether a file begins as a checkpoint does.
pub(super) fn begins_like_one(start: &[u8]) -> bool {
    start.starts_with(ZIP) || start.windows(OLD.len()).take(3).any(|window| window == OLD)
}

impl Checkpoint {
    /// Opens a checkpoint and finds its tensors.
    ///
    /// # Errors
    ///
    /// Returns an error if the file is damaged or of another kind.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let mut file = BufReader::new(File::open(path).map_err(Error::Open)?);
        let is_zip = file.fill_buf()?.starts_with(ZIP);
        let (graph, container) = if is_zip { zip(file)? } else { open_old(file)? };
        Ok(Self { tensors: tensors::tensors(&graph)?, container: Mutex::new(container) })
    }

    /// Returns names and shapes.
    pub(super) fn shapes(&self) -> impl Iterator<Item = (&str, &[usize])> {
        self.tensors.iter().map(|(name, tensor)| (name.as_str(), tensor.shape.as_slice()))
    }

    /// Returns the type of a tensor and its values as bytes in row-major order; the type is `None`
    /// and there are no values if they are not floating-point numbers.
    ///
    /// # Errors
    ///
    /// Returns an error if the values are missing or damaged.
    pub(super) fn values(&self, name: &str) -> Result<(Option<DType>, Vec<u8>), Error> {
        let tensor = self.tensors.get(name).ok_or_else(|| Error::NoStorage(name.to_owned()))?;
        if tensor.kind.float.is_none() {
            return Ok((None, Vec::new()));
        }
        let end = tensor.end().ok_or(Error::Tensor)?;
        let bytes = |elements: usize| elements.checked_mul(tensor.kind.bytes).ok_or(Error::Tensor);
        let (skipped, end, length) = (bytes(tensor.offset)?, bytes(end)?, bytes(tensor.length)?);
        let mut container = self.container.lock().unwrap_or_else(|error| error.into_inner());
        let storage = container.read(&tensor.key, [skipped, end, length])?;
        Ok((tensor.kind.float, tensor.gather(&storage)))
    }
}

fn zip(file: BufReader<File>) -> Result<(Graph, Container), Error> {
    let mut archive = Box::new(ZipArchive::new(file)?);
    let is_pickle = |name: &&str| {
        name.strip_suffix(PICKLE).is_some_and(|folder| folder.is_empty() || folder.ends_with('/'))
    };
    let pickle = archive.file_names().find(is_pickle).ok_or(Error::NoPickle)?.to_owned();
    let folder = pickle[..pickle.len() - PICKLE.len()].to_owned();
    if let Ok(entry) = archive.by_name(&format!("{folder}byteorder")) {
        let mut order = String::new();
        entry.take(16).read_to_string(&mut order)?;
        if order.trim() != "little" {
            return Err(Error::BigEndian);
        }
    }
    let mut reader = BufReader::new(archive.by_name(&pickle)?);
    let graph = pickle::read(&mut reader)?;
    // The checksum is compared at the end.
    io::copy(&mut reader.take(1 << 20), &mut io::sink())?;
    Ok((graph, Container::Zip { archive, folder }))
}

/// Opens an old file: pickles of a number, the version, facts of the system, the checkpoint and the
/// order of the storages, and then the storages.
fn open_old(mut file: BufReader<File>) -> Result<(Graph, Container), Error> {
    if !begins_like_one(file.fill_buf()?) {
        return Err(Error::Kind);
    }
    for _ in 0..2 {
        pickle::read(&mut file)?;
    }
    let system = pickle::read(&mut file)?;
    check_little_endian(&system)?;
    let graph = pickle::read(&mut file)?;
    let keys = pickle::read(&mut file)?;
    let storages = tensors::storages(&graph);
    let mut place = file.stream_position()?;
    let size = file.get_ref().metadata()?.len();
    let mut places = HashMap::new();
    for key in keys.group(keys.root).map_or(&[][..], |keys| &keys.items) {
        let key = keys.key(*key).ok_or(Error::Tensor)?;
        let [elements, bytes] = storages.get(&key).ok_or(Error::Tensor)?;
        places.insert(key, place);
        let bytes = elements.checked_mul(*bytes).ok_or(Error::Tensor)? as u64;
        place = place.checked_add(bytes).and_then(|end| end.checked_add(8)).ok_or(Error::Tensor)?;
        if place > size {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
    }
    Ok((graph, Container::Old { file, places }))
}

fn check_little_endian(system: &Graph) -> Result<(), Error> {
    let facts = system.group(system.root).map_or(&[][..], |facts| &facts.pairs);
    let is_order = |[key, _]: &&[_; 2]| system.text(*key) == Some("little_endian");
    match facts.iter().find(is_order).and_then(|[_, value]| system.size(*value)) {
        Some(1) => Ok(()),
        Some(_) => Err(Error::BigEndian),
        None => Err(Error::Kind),
    }
}

impl Container {
    /// Returns the bytes from `skipped` to `end` of a storage of `length` bytes.
    fn read(&mut self, key: &str, [skipped, end, length]: [usize; 3]) -> Result<Vec<u8>, Error> {
        match self {
            Container::Zip { archive, folder } => {
                let name = format!("{folder}data/{key}");
                let missing = || Error::NoStorage(key.to_owned());
                let index = archive.index_for_name(&name).ok_or_else(missing)?;
                let (size, has_sum, is_stored) = {
                    let entry = archive.by_index_raw(index)?;
                    let is_stored = entry.compression() == zip::CompressionMethod::Stored;
                    (entry.size(), entry.crc32() != 0, is_stored)
                };
                if size != length as u64 {
                    return Err(Error::Tensor);
                }
                // PyTorch can leave the checksums out; they are then 0.
                let mut entry = if is_stored && !has_sum {
                    archive.by_index_raw(index)?
                } else {
                    archive.by_index(index)?
                };
                io::copy(&mut entry.by_ref().take(skipped as u64), &mut io::sink())?;
                let values = exactly(&mut entry, end - skipped)?;
                if end == length {
                    // The checksum is compared at the end.
                    io::copy(&mut entry.take(1), &mut io::sink())?;
                }
                Ok(values)
            }
            Container::Old { file, places } => {
                let place = places.get(key).ok_or_else(|| Error::NoStorage(key.to_owned()))?;
                // The number of elements comes first.
                file.seek(SeekFrom::Start(place + 8 + skipped as u64))?;
                exactly(file, end - skipped)
            }
        }
    }
}

fn exactly(reader: &mut impl Read, length: usize) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    reader.take(length as u64).read_to_end(&mut bytes)?;
    if bytes.len() < length {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    Ok(bytes)
}
