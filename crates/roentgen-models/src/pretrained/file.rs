//! Tensors in files: PyTorch's `.pth` and `.pt`, `.safetensors`, and this program's `.bpk`.
//!
//! The header is read first, and the values of a tensor only on request, so that a file of a
//! gigabyte costs only the tensors that are used.

use std::collections::BTreeMap;
use std::io;
use std::io::Read;
use std::path::{Path, PathBuf};

use burn::tensor::{Bytes, DType, bf16, f16};
use roentgen_data::files;
use safetensors::SafeTensors;
use sha2::{Digest, Sha256};

use super::pytorch::{self, Checkpoint};
use crate::model_dir::WEIGHTS;

/// A file of named tensors.
#[derive(Debug)]
pub struct WeightFile {
    /// Path of the file.
    pub path: PathBuf,
    tensors: BTreeMap<String, Stored>,
    /// Where the values of a PyTorch checkpoint are.
    checkpoint: Option<Checkpoint>,
    prefix: Option<String>,
}

/// A tensor in a file.
#[derive(Debug)]
struct Stored {
    shape: Vec<usize>,
    values: Values,
}

#[derive(Debug)]
enum Values {
    /// In the checkpoint.
    Pytorch,
    Bytes(DType, Vec<u8>),
}

/// Why a file of weights could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The file could not be read.
    #[error("could not read the weights `{path}`")]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The file is not a PyTorch checkpoint.
    #[error(
        "`{path}` is not a PyTorch checkpoint that can be read as data, or it is truncated; \
         download it again, or save its `state_dict()`"
    )]
    Pytorch {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The file is not a safetensors file.
    #[error("`{path}` is not a safetensors file, or it is truncated; download it again")]
    Safetensors {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: safetensors::SafeTensorError,
    },
    /// The file was not written by a run.
    #[error("`{path}` is not a model written by roentgen, or it is truncated")]
    Burnpack {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: burn_pack::Error,
    },
    /// The file has an unknown extension.
    #[error(
        "`{path}` is not a supported file of weights: it must be a PyTorch checkpoint, or its name \
         must end in .safetensors or .bpk"
    )]
    Kind {
        /// The file.
        path: PathBuf,
    },
    /// The file has no tensors.
    #[error("`{path}` contains no tensors")]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The values are not floating-point numbers.
    #[error("`{name}` in `{path}` contains {kind}, but weights must be floating-point numbers")]
    Kindless {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// The type of its values.
        kind: String,
    },
    /// The file has no such tensor.
    #[error("`{path}` contains no tensor `{name}`")]
    Missing {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
    },
}

impl WeightFile {
    /// Opens a file of weights, or the folder of a run, and reads the names of its tensors.
    ///
    /// # Errors
    ///
    /// Returns an error if the file is missing, of another type, damaged, or without tensors.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let path = if path.is_dir() { &path.join(WEIGHTS) } else { path };
        let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        let (mut tensors, mut checkpoint) = (BTreeMap::new(), None);
        match ending.as_str() {
            "safetensors" => tensors = safetensors(path)?,
            "bpk" => tensors = burnpack(path)?,
            "pth" | "pt" | "tar" | "bin" | "ckpt" => checkpoint = Some(pytorch(path)?),
            _ if is_checkpoint(path)? => checkpoint = Some(pytorch(path)?),
            _ => return Err(FileError::Kind { path: path.to_owned() }),
        }
        for (name, shape) in checkpoint.iter().flat_map(Checkpoint::shapes) {
            let stored = Stored { shape: shape.to_vec(), values: Values::Pytorch };
            tensors.insert(name.to_owned(), stored);
        }
        if tensors.is_empty() {
            return Err(FileError::Empty { path: path.to_owned() });
        }
        Ok(Self { path: path.to_owned(), tensors, checkpoint, prefix: None })
    }

    /// Chooses the copy of a network whose names begin with `prefix`, for files with several
    /// copies. The dot at its end can be left out; an empty prefix is the copy without one.
    pub fn with_prefix(mut self, prefix: &str) -> Self {
        let dot = if prefix.is_empty() || prefix.ends_with('.') { "" } else { "." };
        self.prefix = Some(format!("{prefix}{dot}"));
        self
    }

    /// Returns the chosen prefix.
    pub(super) fn prefix(&self) -> Option<&str> {
        self.prefix.as_deref()
    }

    /// Returns the name of the file, the SHA-256 of its bytes and the chosen prefix, for the
    /// record.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read.
    pub fn origin(&self) -> Result<String, FileError> {
        let mut digest = Sha256::new();
        files::open(&self.path)
            .and_then(|mut file| io::copy(&mut file, &mut digest))
            .map_err(|source| FileError::Read { path: self.path.clone(), source })?;
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let digest: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let copy = self.prefix().map(|prefix| format!(", `{prefix}`")).unwrap_or_default();
        Ok(format!("{name}, SHA-256 {digest}{copy}"))
    }

    /// Returns names and shapes, in the order of the names.
    pub fn shapes(&self) -> impl Iterator<Item = (&str, &[usize])> {
        self.tensors.iter().map(|(name, stored)| (name.as_str(), stored.shape.as_slice()))
    }

    /// Returns the shape of a tensor; `None` if there is no such tensor.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.tensors.get(name).map(|stored| stored.shape.as_slice())
    }

    /// Returns the values of a tensor in row-major order, always in single precision.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no such tensor, if its values are not floating-point numbers,
    /// or if the file is truncated.
    pub fn values(&self, name: &str) -> Result<Vec<f32>, FileError> {
        let path = || self.path.clone();
        let missing = || FileError::Missing { path: path(), name: name.to_owned() };
        let stored = self.tensors.get(name).ok_or_else(missing)?;
        let read;
        let (dtype, bytes) = match (&stored.values, &self.checkpoint) {
            (Values::Bytes(dtype, bytes), _) => (Some(*dtype), bytes),
            (Values::Pytorch, Some(checkpoint)) => {
                let source = |error: pytorch::Error| FileError::Pytorch {
                    path: path(),
                    source: error.into(),
                };
                read = checkpoint.values(name).map_err(source)?;
                (read.0, &read.1)
            }
            (Values::Pytorch, None) => return Err(missing()),
        };
        dtype.and_then(|dtype| floats(dtype, bytes)).ok_or_else(|| {
            let kind = dtype.map_or("whole numbers".into(), |dtype| format!("{dtype:?}"));
            FileError::Kindless { path: path(), name: name.to_owned(), kind }
        })
    }
}

fn pytorch(path: &Path) -> Result<Checkpoint, FileError> {
    Checkpoint::open(path).map_err(|error| match error {
        // A missing file is not a damaged one.
        pytorch::Error::Open(source) => FileError::Read { path: path.to_owned(), source },
        error => FileError::Pytorch { path: path.to_owned(), source: error.into() },
    })
}

/// Whether a file of an unknown ending begins as a checkpoint does.
fn is_checkpoint(path: &Path) -> Result<bool, FileError> {
    let mut start = Vec::new();
    files::open(path)
        .and_then(|file| file.take(pytorch::START).read_to_end(&mut start))
        .map_err(|source| FileError::Read { path: path.to_owned(), source })?;
    Ok(pytorch::begins_like_one(&start))
}

fn safetensors(path: &Path) -> Result<BTreeMap<String, Stored>, FileError> {
    let bytes = files::read_at_most(path, u64::MAX)
        .map_err(|source| FileError::Read { path: path.to_owned(), source })?;
    let file = SafeTensors::deserialize(&bytes)
        .map_err(|source| FileError::Safetensors { path: path.to_owned(), source })?;
    let mut tensors = BTreeMap::new();
    for (name, view) in file.tensors() {
        let dtype = match view.dtype() {
            safetensors::Dtype::F64 => DType::F64,
            safetensors::Dtype::F32 => DType::F32,
            safetensors::Dtype::F16 => DType::F16,
            safetensors::Dtype::BF16 => DType::BF16,
            // Counters and masks; only a request for their values is refused.
            _ => DType::I64,
        };
        let values = Values::Bytes(dtype, view.data().to_vec());
        tensors.insert(name, Stored { shape: view.shape().to_vec(), values });
    }
    Ok(tensors)
}

fn burnpack(path: &Path) -> Result<BTreeMap<String, Stored>, FileError> {
    let bytes = files::read_at_most(path, u64::MAX)
        .map_err(|source| FileError::Read { path: path.to_owned(), source })?;
    let failed = |source| FileError::Burnpack { path: path.to_owned(), source };
    let reader = burn_pack::Reader::from_bytes(Bytes::from_bytes_vec(bytes)).map_err(failed)?;
    let mut tensors = BTreeMap::new();
    for tensor in reader.into_tensors().map_err(failed)? {
        let (name, dtype, shape, _, bytes) = tensor.into_parts().map_err(failed)?;
        let values = Values::Bytes(dtype, bytes.to_vec());
        tensors.insert(name, Stored { shape: shape.to_vec(), values });
    }
    Ok(tensors)
}

/// Converts little-endian values to single precision; returns `None` for another type of value.
fn floats(dtype: DType, bytes: &[u8]) -> Option<Vec<f32>> {
    let values = match dtype {
        DType::F64 => bytes.as_chunks().0.iter().map(|&b| f64::from_le_bytes(b) as f32).collect(),
        DType::F32 => bytes.as_chunks().0.iter().map(|&b| f32::from_le_bytes(b)).collect(),
        DType::F16 => bytes.as_chunks().0.iter().map(|&b| f16::from_le_bytes(b).to_f32()).collect(),
        DType::BF16 => {
            bytes.as_chunks().0.iter().map(|&b| bf16::from_le_bytes(b).to_f32()).collect()
        }
        _ => return None,
    };
    Some(values)
}
