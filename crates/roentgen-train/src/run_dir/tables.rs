//! The tables of a run: its films and its epochs.

use std::path::Path;

use roentgen_data::files::{self, WriteError};
use roentgen_data::manifest::ManifestRow;
use roentgen_data::split::Split;
use roentgen_models::model_dir;

use super::{EPOCHS, Error, RunDir};
use crate::films::{self, EARLIER, FILMS, FilmRow};
use crate::progress::EpochRow;

/// The longest table that is read, in bytes.
const MAX_TABLE: u64 = 64 << 20;

/// The text of `films.csv`.
pub(crate) struct FilmTable {
    bytes: Vec<u8>,
    /// Its SHA-256.
    pub(crate) sha256: String,
}

impl RunDir {
    /// Writes the table of films.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be written.
    pub(crate) fn write_films(&self, table: &FilmTable) -> Result<(), Error> {
        Ok(files::write_whole(&self.file(FILMS), &table.bytes)?)
    }

    /// Makes the table of films and their splits, and after them of the films `earlier`, on which the
    /// initial weights were trained.
    ///
    /// # Errors
    ///
    /// Returns an error if a row cannot be written.
    pub(crate) fn film_table(
        &self,
        rows: &[ManifestRow],
        sides: &[Option<Split>],
        earlier: &[FilmRow],
    ) -> Result<FilmTable, Error> {
        let used = rows.iter().zip(sides).filter_map(|(row, side)| Some((row, (*side)?)));
        let rows = used.map(|(row, side)| {
            [row.image.clone(), row.patient.to_string(), side.name().to_owned()]
        });
        let earlier =
            earlier.iter().map(|row| [row.image.clone(), row.patient.clone(), EARLIER.to_owned()]);
        let rows = rows.chain(earlier);
        let bytes = self.csv(FILMS, &films::HEADER, rows)?;
        Ok(FilmTable { sha256: model_dir::sha256(&bytes), bytes })
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
        let bytes = self.csv(EPOCHS, &header, rows)?;
        Ok(files::write_whole(&self.file(EPOCHS), &bytes)?)
    }

    fn csv<const N: usize>(
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
        Ok(writer.into_inner().map_err(|error| failed(error.into_error().into()))?)
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
