//! A model on disk: `model.toml`, which contains everything that prediction needs to know, and
//! `model.bpk`, the weights; in a folder, or together in one file, a [`bundle`].
//!
//! Both are written completely or not at all, the weights first: if `model.toml` exists, so do its
//! weights.

mod bundle;
mod description;
mod error;
mod parts;
mod seal;

use std::path::Path;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor};
use roentgen_data::files::{self, WriteError};
use roentgen_eval::Calibration;
use sha2::{Digest, Sha256};

use crate::classifier::Classifier;
use crate::weights;

pub use bundle::bundle;
pub use description::{EarlierFilms, ModelInfo, TrainingInfo};
pub use error::Error;
pub use parts::{is_model, read_part};

/// File name of the description.
pub const DESCRIPTION: &str = "model.toml";
/// File name of the weights.
pub const WEIGHTS: &str = "model.bpk";
/// The version of the layout of `model.toml` that this program writes and reads.
pub const FORMAT: u32 = 1;
/// Most bytes of weights that are read.
const HEAVIEST: u64 = 4 << 30;
/// Digits of an identity.
const DIGITS: usize = 12;

/// Returns the SHA-256 of bytes in hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

/// Returns the identity of the model in `folder`, which may be a bundle: the first digits of a
/// SHA-256 of its description and its weights. Calibration and thresholds are not part of it, because they are fitted to what
/// the model predicts and do not change it.
///
/// # Errors
///
/// Returns an error if a file cannot be read, or if the weights are not those of the description.
pub fn identity(folder: &Path) -> Result<String, Error> {
    Ok(Files::read(folder)?.identity)
}

/// The files of a model, which belong together.
struct Files {
    description: ModelInfo,
    identity: String,
    weights: Vec<u8>,
}

impl Files {
    fn read(folder: &Path) -> Result<Self, Error> {
        let description = ModelInfo::read(folder)?;
        let path = folder.join(WEIGHTS);
        let weights = read_part(folder, WEIGHTS, HEAVIEST)
            .map_err(|source| Error::Read { path: path.clone(), source })?;
        check_sha256(&path, &weights, description.weights_sha256.as_deref())?;
        let identity = identify(folder, &description, &weights)?;
        Ok(Self { description, identity, weights })
    }
}

/// Returns the identity of a model with this description and these weights.
fn identify(folder: &Path, description: &ModelInfo, weights: &[u8]) -> Result<String, Error> {
    let mut text = to_text(folder, &ModelInfo { calibration: None, ..description.clone() })?;
    text.push_str(&sha256(weights));
    Ok(sha256(text.as_bytes())[..DIGITS].to_owned())
}

/// A loaded model.
#[derive(Clone, Debug)]
pub struct Model {
    /// Its description.
    pub description: ModelInfo,
    /// Its identity, see [`identity`].
    pub identity: String,
    /// The network, with its weights.
    pub network: Classifier,
}

/// Checks that a file beside a model is the one that its description records.
///
/// # Errors
///
/// Returns an error if the SHA-256 of `bytes` is not `recorded`.
pub fn check_sha256(path: &Path, bytes: &[u8], recorded: Option<&str>) -> Result<(), Error> {
    match recorded {
        Some(recorded) if sha256(bytes) != recorded => Err(Error::Mixed { path: path.to_owned() }),
        _ => Ok(()),
    }
}

/// Writes a model into `folder`, and the SHA-256 of its weights into its description.
///
/// # Errors
///
/// Returns an error if a file cannot be written.
pub fn save(folder: &Path, description: &ModelInfo, model: &Classifier) -> Result<(), Error> {
    let path = folder.join(WEIGHTS);
    let bytes =
        weights::to_bytes(model).map_err(|source| Error::Weights { path: path.clone(), source })?;
    files::write_whole(&path, &bytes)?;
    let description = ModelInfo { weights_sha256: Some(sha256(&bytes)), ..description.clone() };
    let text = seal::seal(&to_text(folder, &description)?);
    Ok(files::write_whole(&folder.join(DESCRIPTION), text.as_bytes())?)
}

/// Puts calibration and thresholds into the description of the model in `folder`.
///
/// # Errors
///
/// Returns an error if the description cannot be read or written.
pub fn save_calibration(folder: &Path, calibration: Calibration) -> Result<(), Error> {
    let (description, is_sealed) = ModelInfo::read_sealed(folder)?;
    let text = to_text(folder, &ModelInfo { calibration: Some(calibration), ..description })?;
    // What is unknown of a model of an earlier version stays unknown.
    let text = if is_sealed { seal::seal(&text) } else { text };
    Ok(files::write_whole(&folder.join(DESCRIPTION), text.as_bytes())?)
}

/// Lists the files of the model in `folder` of which no hash is recorded, as in models of earlier
/// versions. Whether they are as they were written is unknown.
///
/// # Errors
///
/// Returns an error if the description cannot be read.
pub fn unrecorded(folder: &Path) -> Result<Vec<&'static str>, Error> {
    let (description, is_sealed) = ModelInfo::read_sealed(folder)?;
    let files = [(DESCRIPTION, is_sealed), (WEIGHTS, description.weights_sha256.is_some())];
    Ok(files.into_iter().filter(|(_, is_recorded)| !is_recorded).map(|(name, _)| name).collect())
}

fn to_text(folder: &Path, description: &ModelInfo) -> Result<String, Error> {
    toml::to_string(description).map_err(|error| {
        let path = folder.join(DESCRIPTION);
        WriteError { path, source: std::io::Error::other(error) }.into()
    })
}

/// Loads the model in `folder`, which may be a bundle, onto `device`.
///
/// # Errors
///
/// Returns an error if files are missing, were written by another version, or do not fit each
/// other.
pub fn load(folder: &Path, device: &Device) -> Result<Model, Error> {
    let Files { description, identity, weights } = Files::read(folder)?;
    let path = folder.join(WEIGHTS);
    let network =
        description.network.init(description.input.channels, description.findings.len(), device);
    let unfit = |source| Error::Weights { path: path.clone(), source };
    let weights = match description.rounded {
        Some(_) => weights::widen(weights).map_err(unfit)?.to_vec(),
        None => weights,
    };
    let network = weights::load(network, weights).map_err(unfit)?;
    let mut finite = Finite(true);
    network.visit(&mut finite);
    if !finite.0 {
        return Err(Error::NotFinite { path });
    }
    Ok(Model { description, identity, network })
}

/// Whether all parameters seen so far are numbers.
struct Finite(bool);

impl ModuleVisitor for Finite {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let values = param.val().without_autodiff().into_data();
        self.0 &= values.iter::<f32>().all(f32::is_finite);
    }
}
