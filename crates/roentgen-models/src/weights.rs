//! Weights as bytes in Burn's own format; equal weights give equal bytes.
//!
//! Burn gives each parameter a random identity and writes it to the file. Here parameters are
//! numbered in network order instead, so that two runs with the same seed write equal files, and an
//! optimizer's state finds its parameters again.

mod storage;

use burn::module::Module;
use burn::store::{ModuleRecord, RecordError};
use burn::tensor::Bytes;
use burn_pack::{Reader, Writer};

pub(crate) use storage::widen;
pub use storage::{Storage, round};

/// Why weights could not be packed or loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are not weights in Burn's format, or belong to another network.
    #[error("the weights do not fit the network: {0}")]
    Record(String),
    /// The bytes could not be packed or unpacked.
    #[error("the weights are damaged: {0}")]
    Pack(String),
}

impl From<RecordError> for Error {
    fn from(error: RecordError) -> Self {
        Error::Record(error.to_string())
    }
}

impl From<burn_pack::Error> for Error {
    fn from(error: burn_pack::Error) -> Self {
        Error::Pack(error.to_string())
    }
}

/// Packs a network's weights and running statistics.
///
/// # Errors
///
/// Returns an error if Burn's packing fails; the caller cannot cause it.
pub fn to_bytes<M: Module>(model: &M) -> Result<Bytes, Error> {
    let mut tensors =
        Reader::from_bytes(model.clone().into_record().into_bytes()?)?.into_tensors()?;
    for (number, tensor) in (1..).zip(&mut tensors) {
        tensor.param_id = Some(number);
    }
    Ok(Writer::new(tensors).into_bytes()?)
}

/// Loads weights into a network of the same shape.
///
/// # Errors
///
/// Returns an error if the bytes are damaged, belong to another network, or have a tensor too many
/// or too few.
pub fn load<M: Module>(model: M, bytes: Vec<u8>) -> Result<M, Error> {
    let record = ModuleRecord::from_bytes(Bytes::from_bytes_vec(bytes))?;
    Ok(model.try_load_record(record)?)
}

/// Numbers a new network's parameters in order, so that its file and its optimizer's state do not
/// depend on chance.
///
/// # Errors
///
/// Returns an error if Burn's packing fails; the caller cannot cause it.
pub fn number_parameters<M: Module>(model: M) -> Result<M, Error> {
    let bytes = to_bytes(&model)?;
    load(model, bytes.to_vec())
}
