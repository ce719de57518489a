//! `predict --dicom-out`: writes DICOM objects.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::bail;
use chrono::Local;
use roentgen_data::files::create_folder;
use roentgen_dicom::Moment;
use roentgen_tasks::dicom_out::{self, DicomFilm, DicomRequest, DicomWritten, WithoutStudy};
use roentgen_tasks::predict::PredictedTable;
use roentgen_tasks::sources::Privacy;

use super::name_bad_films;
use crate::cli::Predict;
use crate::context::Context;
use crate::output::{films, thousands};

/// Makes the folder of the objects, before films are predicted, and refuses one that is read: its next
/// reader would take the objects for films.
///
/// # Errors
///
/// Returns an error that names the folder, and the input.
pub(super) fn make_folder(folder: &Path, inputs: &[PathBuf]) -> anyhow::Result<()> {
    // It may not exist yet, but the folder that it will be in does.
    let there = folder.ancestors().find_map(|part| {
        let part = if part.as_os_str().is_empty() { Path::new(".") } else { part };
        fs::canonicalize(part).ok()
    });
    for input in inputs {
        let (Some(there), Ok(input_there)) = (&there, fs::canonicalize(input)) else { continue };
        let is_read = match input_there.is_dir() {
            true => there.starts_with(&input_there),
            // Beside a file that is named, a new folder may be made.
            false => {
                let is_there = fs::canonicalize(folder).is_ok_and(|folder| folder == *there);
                is_there && input_there.parent() == Some(there.as_path())
            }
        };
        if is_read {
            bail!(
                "`{}` is where the input `{}` is, so its objects would be taken for films; name \
                 another folder for `--dicom-out`",
                folder.display(),
                input.display()
            );
        }
    }
    create_folder(folder)?;
    Ok(())
}

/// Writes the objects of a table, and names the films that have none.
pub(super) fn write(
    table: &PredictedTable,
    folder: &Path,
    args: &Predict,
    privacy: &Privacy,
    context: &Context,
) -> anyhow::Result<DicomWritten> {
    let now = Local::now();
    let request = DicomRequest {
        model: &args.model,
        onnx: args.onnx.as_deref(),
        folder,
        without_study: match args.new_study {
            true => WithoutStudy::NewStudy,
            false => WithoutStudy::Refuse,
        },
        privacy,
        written: Moment {
            date: now.format("%Y%m%d").to_string(),
            time: now.format("%H%M%S").to_string(),
        },
    };
    let written = dicom_out::write(table, &request, &context.device, &context.listener())?;
    name_bad_films(&written.bad, None);
    Ok(written)
}

/// Says how many objects were written.
pub(super) fn describe(written: &DicomWritten, folder: &Path) -> String {
    let objects = written.films.iter().map(DicomFilm::objects).sum();
    let of = films(written.films.len());
    format!("{} DICOM objects of {of}: {}", thousands(objects), folder.display())
}
