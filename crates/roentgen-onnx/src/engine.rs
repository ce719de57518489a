//! Computes probabilities from planes with ONNX Runtime.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use ort::session::Session;
use ort::value::TensorRef;
use roentgen_data::files;
use roentgen_models::predictor::Prediction;
use roentgen_models::{ModelInfo, model_dir};

use crate::export::{self, IMAGE, LOGITS, MASK};
use crate::metadata;
use crate::runtime::{self, Runtime, Waiting};

/// Bytes of the largest ONNX file that is read; the format itself ends at 2 GiB.
const MAX_FILE: u64 = 1 << 31;

/// Height and width of the masks of a batch, and their values.
type Masks = ([usize; 2], Vec<f32>);

/// A model in ONNX Runtime, ready to predict.
pub struct OnnxEngine {
    description: ModelInfo,
    identity: String,
    session: Session,
}

/// Why a model could not be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The model could not be loaded.
    #[error(transparent)]
    Model(#[from] model_dir::Error),
    /// The model could not be exported to ONNX.
    #[error(transparent)]
    Export(#[from] export::Error),
    /// ONNX Runtime failed.
    #[error(transparent)]
    Runtime(#[from] runtime::Error),
    /// The file could not be read.
    #[error("could not read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The file is of another model, or does not say of which.
    #[error(
        "`{}` is not of the model {identity}: {found}; make it of the file that `roentgen export` \
         writes of this model",
        path.display()
    )]
    OtherModel {
        /// The file.
        path: PathBuf,
        /// The identity of the model.
        identity: String,
        /// What the file says.
        found: String,
    },
}

impl OnnxEngine {
    /// Loads the model in `folder`, exports it in memory and passes it to ONNX Runtime.
    ///
    /// # Errors
    ///
    /// Returns an error if the model cannot be loaded or exported, or if ONNX Runtime does not
    /// accept it.
    pub fn load(
        folder: &Path,
        runtime: &Runtime,
        threads: usize,
        waiting: Waiting,
    ) -> Result<Self, Error> {
        let model = model_dir::load(folder, &Device::flex())?;
        let (description, identity) = (model.description.clone(), model.identity.clone());
        let session = runtime.session(&export::export_model(model)?, threads, waiting)?;
        Ok(Self { description, identity, session })
    }

    /// Loads an ONNX file that was made of the exported model in `folder`, such as by quantization.
    ///
    /// Its probabilities are not those of the model, so it has an identity of its own, which
    /// follows from that of the model and from the file; calibration and thresholds are the model's.
    ///
    /// # Errors
    ///
    /// Returns an error if the model or the file cannot be read, if the file is of another model, or
    /// if ONNX Runtime does not accept it.
    pub fn load_file(
        folder: &Path,
        file: &Path,
        runtime: &Runtime,
        threads: usize,
        waiting: Waiting,
    ) -> Result<Self, Error> {
        let mut description = ModelInfo::read(folder)?;
        let identity = model_dir::identity(folder)?;
        let bytes = files::read_at_most(file, MAX_FILE)
            .map_err(|source| Error::Read { path: file.to_owned(), source })?;
        let session = runtime.session(&bytes, threads, waiting)?;
        let of = session.metadata().ok().and_then(|metadata| metadata.custom(metadata::MODEL));
        if of.as_ref() != Some(&identity) {
            let found = of.map_or_else(
                || "its metadata name no model".to_owned(),
                |of| format!("it is of the model {of}"),
            );
            return Err(Error::OtherModel { path: file.to_owned(), identity, found });
        }
        let both = [identity.as_bytes(), &bytes].concat();
        let of_file: String = model_dir::sha256(&both).chars().take(identity.len()).collect();
        if let Some(fitted) = &mut description.calibration
            && fitted.model.as_ref() == Some(&identity)
        {
            fitted.model = Some(of_file.clone());
        }
        Ok(Self { description, identity: of_file, session })
    }

    /// Returns the identity of the model.
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// Returns the description of the model.
    pub fn description(&self) -> &ModelInfo {
        &self.description
    }

    /// Computes the logits of films that are already normalized.
    ///
    /// # Shapes
    ///
    /// - `films`: `[films, channels, size, size]`, as the description says
    /// - output: `[films, findings]`
    ///
    /// # Errors
    ///
    /// Returns an error if ONNX Runtime fails, for example because films have another size.
    pub fn logits(&mut self, films: &[f32]) -> Result<Vec<f32>, runtime::Error> {
        Ok(self.run(films)?.0)
    }

    /// Predicts a batch of planes of the model's size.
    ///
    /// # Errors
    ///
    /// Returns an error if ONNX Runtime fails, for example because memory is too small.
    ///
    /// # Panics
    ///
    /// Panics if a plane has another size.
    pub fn predict(&mut self, planes: &[&[u8]]) -> Result<Vec<Prediction>, runtime::Error> {
        if planes.is_empty() {
            return Ok(Vec::new());
        }
        let (logits, masks) = self.run(&self.description.input.batch(planes))?;
        let masks = masks.as_ref().map(|(size, values)| (*size, values.as_slice()));
        Ok(Prediction::of_logits(&logits, self.description.findings.len(), masks))
    }

    fn run(&mut self, films: &[f32]) -> Result<(Vec<f32>, Option<Masks>), runtime::Error> {
        let failed = |error: ort::Error| runtime::Error::new("could not predict", error);
        let input = self.description.input;
        let film = input.channels * input.size * input.size;
        let count = films.len() / film;
        let shape = [count, input.channels, input.size, input.size];
        let films = TensorRef::from_array_view((shape, films)).map_err(failed)?;
        let outputs = self.session.run(ort::inputs![IMAGE => films]).map_err(failed)?;
        let Some(logits) = outputs.get(LOGITS) else {
            return Err(runtime::Error::new(
                "could not predict",
                "the file has no output `logits`",
            ));
        };
        let (shape, logits) = logits.try_extract_tensor::<f32>().map_err(failed)?;
        let expected = [count, self.description.findings.len()];
        if shape.iter().map(|&length| length as usize).ne(expected) {
            let reason = format!("`logits` has the shape {shape:?} instead of {expected:?}");
            return Err(runtime::Error::new("could not predict", reason));
        }
        let masks = match outputs.get(MASK) {
            Some(masks) => {
                let (shape, values) = masks.try_extract_tensor::<f32>().map_err(failed)?;
                Some(([shape[2] as usize, shape[3] as usize], values.to_vec()))
            }
            None => None,
        };
        Ok((logits.to_vec(), masks))
    }
}
