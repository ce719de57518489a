//! A bundle: a model as one file, to be copied to where it predicts.

use std::io;
use std::path::Path;

use roentgen_data::files::WriteError;

use super::{
    DESCRIPTION, Error, Files, HEAVIEST, ModelInfo, WEIGHTS, identify, parts, seal, sha256, to_text,
};
use crate::weights::{self, Storage};

/// Packs the model in `folder` into a bundle: description, weights in `storage`, and those of the
/// files `others` that it has. Equal models give equal bytes; `f32` keeps the model's identity.
/// Calibration and thresholds are those of the model, also for rounded weights. Returns the identity
/// of the bundle, by which score tables name it, and its bytes.
///
/// # Errors
///
/// Returns an error if the model cannot be read, or if its weights cannot be rounded.
pub fn bundle(
    folder: &Path,
    storage: Storage,
    others: &[&str],
) -> Result<(String, Vec<u8>), Error> {
    let Files { description, identity, weights } = Files::read(folder)?;
    let path = folder.join(WEIGHTS);
    let (description, weights, own) = match storage {
        Storage::F32 => (description, weights, identity),
        rounded => {
            if let Some(rounded) = description.rounded {
                return Err(Error::Rounded { path: folder.to_owned(), rounded });
            }
            let weights = weights::round(weights, rounded)
                .map_err(|source| Error::Weights { path, source })?
                .to_vec();
            let mut description = ModelInfo {
                weights_sha256: Some(sha256(&weights)),
                rounded: Some(format!("{} of {identity}", rounded.name())),
                ..description
            };
            let rounded_identity = identify(folder, &description, &weights)?;
            if let Some(fitted) = &mut description.calibration
                && fitted.model.as_ref() == Some(&identity)
            {
                fitted.model = Some(rounded_identity.clone());
            }
            (description, weights, rounded_identity)
        }
    };
    let text = to_text(folder, &description)?;
    // What is unknown of the model stays unknown.
    let (_, is_sealed) = ModelInfo::read_sealed(folder)?;
    let text = if is_sealed { seal::seal(&text) } else { text };
    let mut files = vec![(DESCRIPTION, text.into_bytes()), (WEIGHTS, weights)];
    for &name in others {
        match parts::read_part(folder, name, HEAVIEST) {
            Ok(bytes) => files.push((name, bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(Error::Read { path: folder.join(name), source }),
        }
    }
    let bytes =
        parts::pack(&files).map_err(|source| WriteError { path: folder.to_owned(), source })?;
    Ok((own, bytes))
}
