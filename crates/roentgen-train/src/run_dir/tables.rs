//! The tables of a run: its films and its epochs.

use std::path::Path;

use roentgen_data::files::{self, WriteError};
use roentgen_data::manifest::ManifestRow;
use roentgen_data::split::Split;
use roentgen_models::model_dir;

use super::{EPOCHS, Error, RunDir};
use crate::films::{self, FILMS};
use crate::progress::EpochRow;

/// The longest table that is read, in bytes.
const MAX_TABLE: u64 = 64 << 20;

impl RunDir {
    /// Writes the table of films and their splits, and returns its SHA-256.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be written.
    pub(crate) fn write_films(
        &self,
        rows: &[ManifestRow],
        sides: &[Option<Split>],
    ) -> Result<String, Error> {
        let used = rows.iter().zip(sides).filter_map(|(row, side)| Some((row, (*side)?)));
        let rows = used.map(|(row, side)| {
            [row.image.clone(), row.patient.to_string(), side.name().to_owned()]
        });
        let bytes = self.write_csv(FILMS, &films::HEADER, rows)?;
        Ok(model_dir::sha256(&bytes))
    }

    /// Writes the table of epochs.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be written.
    pub(crate) fn write_epochs(&self, epochs: &[EpochRow]) -> Result<(), Error> {
        let header = [
            "epoch",
            "train_loss",
            "valid_loss",
            "valid_auroc",
            "learning_rate",
            "best",
            "seconds",
            "waiting",
        ];
        let rows = epochs.iter().map(|row| {
            [
                row.epoch.to_string(),
                row.train_loss.to_string(),
                row.valid_loss.to_string(),
                row.valid_auroc.map_or_else(String::new, |auroc| auroc.to_string()),
                row.learning_rate.to_string(),
                u8::from(row.is_best).to_string(),
                format!("{:.3}", row.seconds),
                format!("{:.3}", row.waiting),
            ]
        });
        self.write_csv(EPOCHS, &header, rows)?;
        Ok(())
    }

    fn write_csv<const N: usize>(
        &self,
        name: &str,
        header: &[&str; N],
        rows: impl Iterator<Item = [String; N]>,
    ) -> Result<Vec<u8>, Error> {
        let path = self.file(name);
        let failed = |error: csv::Error| WriteError { path: path.clone(), source: error.into() };
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(header).map_err(failed)?;
        for row in rows {
            writer.write_record(&row).map_err(failed)?;
        }
        let bytes = writer.into_inner().map_err(|error| failed(error.into_error().into()))?;
        files::write_whole(&path, &bytes)?;
        Ok(bytes)
    }
}

/// Reads `epochs.csv` of the run in `folder`.
///
/// # Errors
///
/// Returns an error if the file cannot be read or does not have the columns that a run writes.
pub fn read_epochs(folder: &Path) -> Result<Vec<EpochRow>, Error> {
    #[derive(serde::Deserialize)]
    struct CsvRow {
        epoch: usize,
        train_loss: f64,
        valid_loss: f64,
        valid_auroc: Option<f64>,
        learning_rate: f64,
        best: u8,
        seconds: f64,
        // Missing in tables of earlier versions.
        #[serde(default)]
        waiting: f64,
    }
    let path = folder.join(EPOCHS);
    let failed = |error: csv::Error| Error::Read { path: path.clone(), source: error.into() };
    let file = files::open_at_most(&path, MAX_TABLE)
        .map_err(|source| Error::Read { path: path.clone(), source })?;
    let mut reader = csv::Reader::from_reader(file);
    let rows = reader.deserialize().map(|line| {
        let line: CsvRow = line?;
        Ok(EpochRow {
            epoch: line.epoch,
            train_loss: line.train_loss,
            valid_loss: line.valid_loss,
            valid_auroc: line.valid_auroc,
            learning_rate: line.learning_rate,
            is_best: line.best == 1,
            seconds: line.seconds,
            waiting: line.waiting,
            is_by_loss_instead: false,
        })
    });
    rows.collect::<Result<_, _>>().map_err(failed)
}
