//! A prepared data set: description, manifest, films, boxes.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    BAD_FILMS, BOXES, BadFilm, Checks, DUPLICATES, Duplicate, Error, PrepareSettings, digest,
};
use crate::boxes::FindingBox;
use crate::dataset::Dataset;
use crate::files::{self, WriteError};
use crate::manifest::ManifestRow;
use crate::metadata::LabelFile;
use crate::nih::Layout;
use crate::pixels::Filter;
use crate::store::Store;

/// Name of the description.
pub(super) const FILE: &str = "prepare.toml";
/// Beginning of its last line, the SHA-256 of all lines above.
const SEAL: &str = "seal = ";

/// The meaning of a patient number in the manifest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PatientNumbers {
    /// A person, as numbered by the data set.
    #[default]
    Persons,
    /// One film: the data set does not say which films are of one person. Confidence intervals are
    /// then over films, and no check can find a person on both sides of a split.
    Films,
}

impl PatientNumbers {
    fn are_persons(&self) -> bool {
        *self == PatientNumbers::Persons
    }
}

/// `prepare.toml`: the description of a prepared data set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreparedInfo {
    /// The data set. Patient numbers are comparable only within one.
    pub dataset: Dataset,
    /// The folder the films came from.
    pub source: String,
    /// The label file's name.
    pub labels: String,
    /// Which of the label files in circulation it is.
    pub label_version: String,
    /// Height and width, in pixels.
    pub size: u32,
    /// The filter used to resize films; `None` if they came in this size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Filter>,
    /// Number of films packed.
    pub films: usize,
    /// Number of patients.
    pub patients: usize,
    /// The meaning of patient numbers; left out of the file if they are persons.
    #[serde(default, skip_serializing_if = "PatientNumbers::are_persons")]
    pub patient_numbers: PatientNumbers,
    /// Number of films left out, see `bad-films.csv`.
    pub bad_films: usize,
    /// Number of films that are the same as one of another patient or on another official list, see
    /// `duplicates.csv`; `None` if nobody looked for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duplicates: Option<usize>,
    /// Number of films that are nearly the same as such a film; `None` if nobody looked for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub near_duplicates: Option<usize>,
    /// Number of boxes on the packed films, see `boxes.csv`.
    pub boxes: usize,
    /// SHA-256 of settings, tables and film names.
    pub inputs: String,
    /// SHA-256 of `manifest.csv` and `images.safetensors`.
    pub fingerprint: String,
    /// SHA-256 of `manifest.csv`; `None` if an earlier version prepared the films.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest_sha256: Option<String>,
    /// SHA-256 of `images.safetensors`; `None` if an earlier version prepared the films.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub images_sha256: Option<String>,
    /// SHA-256 of `boxes.csv`, if there is one; `None` also if an earlier version prepared the
    /// films.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boxes_sha256: Option<String>,
    /// SHA-256 of `bad-films.csv`; `None` if an earlier version prepared the films.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bad_films_sha256: Option<String>,
    /// SHA-256 of `duplicates.csv`, if there is one; `None` also if an earlier version prepared the
    /// films.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duplicates_sha256: Option<String>,
}

/// `prepare.toml` with the line that `read` takes off.
#[derive(Deserialize)]
struct Sealed {
    seal: String,
}

impl PreparedInfo {
    pub(super) fn new(
        source: &Path,
        settings: &PrepareSettings,
        layout: &Layout,
        labels: &LabelFile,
        inputs: &str,
    ) -> Self {
        let version = labels.version();
        let dataset = dataset(layout, labels);
        let labels = layout.labels.file_name().unwrap_or_default();
        Self {
            dataset,
            source: source.to_string_lossy().into_owned(),
            labels: labels.to_string_lossy().into_owned(),
            label_version: version.text().to_owned(),
            size: settings.size,
            filter: Some(settings.filter),
            films: 0,
            patients: 0,
            patient_numbers: PatientNumbers::Persons,
            bad_films: 0,
            duplicates: None,
            near_duplicates: None,
            boxes: 0,
            inputs: inputs.to_owned(),
            fingerprint: String::new(),
            manifest_sha256: None,
            images_sha256: None,
            boxes_sha256: None,
            bad_films_sha256: None,
            duplicates_sha256: None,
        }
    }

    pub(crate) fn read_if_there(folder: &Path) -> Result<Option<Self>, Error> {
        if folder.join(FILE).exists() { Self::read(folder).map(Some) } else { Ok(None) }
    }

    /// Reads `prepare.toml` in `folder`.
    ///
    /// # Errors
    ///
    /// Returns an error if the file is missing, was not written by `prepare`, or has changed since.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        Self::read_sealed(folder).map(|(description, _)| description)
    }

    /// Reads `prepare.toml`; the flag says whether it is known to be as `prepare` wrote it.
    pub(super) fn read_sealed(folder: &Path) -> Result<(Self, bool), Error> {
        match Self::read_unsealed(folder)? {
            (_, Some(false)) => Err(Error::Changed { path: folder.join(FILE) }),
            (description, seal) => Ok((description, seal.is_some())),
        }
    }

    /// Reads `prepare.toml`; the flag says whether it is as `prepare` wrote it, if that is known.
    pub(super) fn read_unsealed(folder: &Path) -> Result<(Self, Option<bool>), Error> {
        let path = folder.join(FILE);
        let bytes = files::read_at_most(&path, 1 << 20).map_err(|source| {
            if source.kind() == std::io::ErrorKind::NotFound {
                return Error::NotPrepared { folder: folder.to_owned() };
            }
            Error::Read { path: path.clone(), source }
        })?;
        let damaged = |source| Error::Damaged { path: path.clone(), source: Box::new(source) };
        let text = String::from_utf8_lossy(&bytes);
        let start = text.rfind(&format!("\n{SEAL}")).map_or(text.len(), |end| end + 1);
        let (body, seal) = text.split_at(start);
        let description: Self = toml::from_str(body).map_err(damaged)?;
        let is_whole = match seal {
            // The hashes and the seal came with the same version: it was cut off.
            "" if description.has_hashes() => Some(false),
            "" => None,
            seal => {
                let sealed: Sealed = toml::from_str(seal).map_err(damaged)?;
                Some(sealed.seal == digest::hex(&Sha256::digest(body)))
            }
        };
        Ok((description, is_whole))
    }

    /// Whether it has a hash other than those that every version has written.
    fn has_hashes(&self) -> bool {
        let hashes = [
            &self.manifest_sha256,
            &self.images_sha256,
            &self.boxes_sha256,
            &self.bad_films_sha256,
            &self.duplicates_sha256,
        ];
        hashes.into_iter().any(Option::is_some)
    }

    pub(super) fn write(&self, folder: &Path) -> Result<(), WriteError> {
        let path = folder.join(FILE);
        let body = toml::to_string(self).map_err(|error| WriteError {
            path: path.clone(),
            source: std::io::Error::other(error),
        })?;
        let seal = digest::hex(&Sha256::digest(&body));
        files::write_whole(&path, format!("{body}{SEAL}\"{seal}\"\n").as_bytes())
    }
}

/// A prepared data set: row `i` of the manifest describes plane `i` of the store.
#[derive(Debug)]
pub struct Prepared {
    /// The folder.
    pub folder: PathBuf,
    /// `prepare.toml`.
    pub description: PreparedInfo,
    /// `manifest.csv`.
    pub rows: Vec<ManifestRow>,
    /// `images.safetensors`.
    pub store: Store,
    /// What is known of these files.
    pub checks: Checks,
}

impl Prepared {
    /// Whether `folder` looks like a prepared data set.
    pub fn is_prepared(folder: &Path) -> bool {
        folder.join(FILE).is_file()
    }

    /// Whether the films were drawn by `phantom`.
    pub fn is_phantom(&self) -> bool {
        self.description.dataset.is_synthetic()
    }

    /// Reads the films that are like one of another patient or on another official list; `None` if
    /// nobody looked for them.
    ///
    /// # Errors
    ///
    /// Returns an error if the list cannot be read.
    pub fn duplicates(&self) -> Result<Option<Vec<Duplicate>>, Error> {
        self.description.duplicates.map(|_| read_duplicates(&self.folder)).transpose()
    }

    /// Reads the boxes of the packed films; returns none if the data set has no boxes.
    ///
    /// # Errors
    ///
    /// Returns an error if the list cannot be read.
    pub fn boxes(&self) -> Result<Vec<FindingBox>, Error> {
        let path = self.folder.join(BOXES);
        if path.exists() { Ok(crate::boxes::read(&path)?) } else { Ok(Vec::new()) }
    }
}

/// Names the data set after the films that the label file lists; other files below the folder have
/// no say in it.
pub(super) fn dataset(layout: &Layout, labels: &LabelFile) -> Dataset {
    let is_below = |mark: &PathBuf| {
        let folder = mark.parent().unwrap_or(Path::new(""));
        let mut films = labels.films.iter().filter_map(|film| layout.films.get(&film.image));
        films.any(|film| film.starts_with(folder))
    };
    match &layout.phantom {
        Some(mark) if is_below(mark) => Dataset::Phantom { seed: read_seed(mark) },
        _ => match &labels.dataset {
            Some(named) => named.clone(),
            None if labels.films.iter().all(|film| is_nih_name(&film.image)) => Dataset::Nih,
            None => Dataset::NihLayout,
        },
    }
}

/// Whether a film is named like NIH's: `00000001_000.png`.
fn is_nih_name(name: &str) -> bool {
    let digits = |text: &str, many| text.len() == many && text.bytes().all(|b| b.is_ascii_digit());
    let parts = name.strip_suffix(".png").and_then(|stem| stem.split_once('_'));
    parts.is_some_and(|(patient, film)| digits(patient, 8) && digits(film, 3))
}

/// Reads the seed of a synthetic data set from its marker file.
fn read_seed(mark: &Path) -> Option<u64> {
    let text = files::read_at_most(mark, 1 << 20).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    text.lines().find_map(|line| line.strip_prefix("seed: "))?.trim().parse().ok()
}

pub(super) fn write_boxes(folder: &Path, boxes: &[FindingBox]) -> Result<(), WriteError> {
    let rows = boxes.iter().map(|found| {
        [
            found.image.clone(),
            found.finding.to_string(),
            found.x.to_string(),
            found.y.to_string(),
            found.width.to_string(),
            found.height.to_string(),
        ]
    });
    write_csv(&folder.join(BOXES), &["image", "finding", "x", "y", "width", "height"], rows)
}

pub(super) fn write_bad_films(folder: &Path, bad: &[BadFilm]) -> Result<(), WriteError> {
    let rows = bad.iter().map(|film| [film.image.clone(), film.reason.clone()]);
    write_csv(&folder.join(BAD_FILMS), &["image", "reason"], rows)
}

fn write_csv<const N: usize>(
    path: &Path,
    header: &[&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> Result<(), WriteError> {
    let failed = |source: csv::Error| WriteError { path: path.to_owned(), source: source.into() };
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(header).map_err(failed)?;
    for row in rows {
        writer.write_record(&row).map_err(failed)?;
    }
    let bytes = writer.into_inner().map_err(|error| failed(error.into_error().into()))?;
    files::write_whole(path, &bytes)
}

pub(super) fn read_bad_films(folder: &Path) -> Result<Vec<BadFilm>, Error> {
    let path = folder.join(BAD_FILMS);
    let failed = |source: csv::Error| Error::Read { path: path.clone(), source: source.into() };
    let mut reader =
        csv::Reader::from_reader(files::open(&path).map_err(|error| failed(error.into()))?);
    reader.deserialize().collect::<Result<_, _>>().map_err(failed)
}

pub(super) fn write_duplicates(folder: &Path, found: &[Duplicate]) -> Result<(), WriteError> {
    let path = folder.join(DUPLICATES);
    let failed = |source: csv::Error| WriteError { path: path.clone(), source: source.into() };
    // The header is written even if there are no rows.
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    let header = ["image", "patient", "list", "of", "of_patient", "of_list", "likeness"];
    writer.write_record(header).map_err(failed)?;
    for duplicate in found {
        writer.serialize(duplicate).map_err(failed)?;
    }
    let bytes = writer.into_inner().map_err(|error| failed(error.into_error().into()))?;
    files::write_whole(&path, &bytes)
}

/// Reads the duplicates; none if an earlier version, which did not look for them, prepared the films.
pub(super) fn read_duplicates(folder: &Path) -> Result<Vec<Duplicate>, Error> {
    let path = folder.join(DUPLICATES);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let failed = |source: csv::Error| Error::Read { path: path.clone(), source: source.into() };
    let file = files::open(&path).map_err(|error| failed(error.into()))?;
    csv::Reader::from_reader(file).deserialize().collect::<Result<_, _>>().map_err(failed)
}
