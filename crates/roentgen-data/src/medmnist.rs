//! ChestMNIST: the films of ChestX-ray14 as MedMNIST publishes them, small and packed.
//!
//! One `.npz` (a zip archive of NumPy arrays) contains `train_images`, `train_labels` and the same
//! arrays for `val` and `test`. It differs from NIH's own release in three ways. MedMNIST publishes
//! no patient numbers, so each film counts as a patient of its own: confidence intervals are
//! computed over films and are therefore too narrow, and nobody can check that no person is in two
//! splits. Its split (78,468, 11,219 and 22,433 films) differs from NIH's lists (86,524 and
//! 25,596), so results on it are comparable only with other results on ChestMNIST. Age, sex and
//! view are missing.
//!
//! Source: Yang et al., "MedMNIST v2", Scientific Data 10:41, 2023; the films are the NIH Clinical
//! Center's.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use zip::ZipArchive;

use crate::dataset::Dataset;
use crate::files::{self, WriteError};
use crate::finding::{FilmFindings, Finding};
use crate::lock::FolderLock;
use crate::manifest::{List, ManifestRow};
use crate::npy::{self, Header};
use crate::prepare::{PatientNumbers, PreparedInfo, count_films, seal};
use crate::store::{self, GrowingStore};

/// Names of the splits in the archive, with the list each belongs to.
const SIDES: [(&str, List); 3] =
    [("train", List::Train), ("val", List::Valid), ("test", List::Test)];
/// Bytes of films to write between two syncs to disk.
const BLOCK: usize = 16 << 20;
/// Most bytes of the labels of a split; those of MedMNIST have one.
const MAX_LABELS: usize = 256 << 20;

/// Why MedMNIST films could not be prepared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file could not be opened.
    #[error("could not read `{path}`")]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// An array is missing, damaged or has an unexpected type or shape.
    #[error(
        "could not read the array `{array}` in `{path}`; is it a whole `chestmnist.npz` of MedMNIST?"
    )]
    Array {
        /// The file.
        path: PathBuf,
        /// The array.
        array: String,
        /// The cause.
        source: io::Error,
    },
    /// The prepared data set could not be read or written.
    #[error(transparent)]
    Prepare(#[from] crate::prepare::Error),
    /// A file could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Where an archive of films comes from.
#[derive(Clone, Copy, Debug)]
pub struct ArchiveOrigin<'a> {
    /// Its address.
    pub source: &'a str,
    /// The checksum that identifies it.
    pub checksum: &'a str,
}

/// Describes the data set that is already prepared in `out`; `None` if there is none yet.
///
/// # Errors
///
/// Returns an error if the folder contains another data set, or films that are not `size` pixels
/// wide.
pub fn prepared(out: &Path, size: u32) -> Result<Option<PreparedInfo>, Error> {
    match PreparedInfo::read_if_there(out)? {
        Some(done) if done.dataset != Dataset::ChestMnist || done.size != size => {
            let what =
                format!("{} of {} px of {}", count_films(done.films), done.size, done.dataset);
            Err(crate::prepare::Error::Mixed { path: out.to_owned(), what }.into())
        }
        done => Ok(done),
    }
}

/// Writes the films of `npz` as a prepared data set into `out`.
///
/// `progress` is called with the name of a split, the films done and the films in all.
///
/// Films are streamed, so memory use is that of a few hundred films.
///
/// # Errors
///
/// Returns an error if the file is damaged or does not contain films of `size` pixels with fourteen
/// labels each, if `out` contains another data set, or if a file cannot be written.
pub fn prepare(
    npz: &Path,
    out: &Path,
    size: u32,
    origin: ArchiveOrigin<'_>,
    progress: &dyn Fn(&str, usize, usize),
) -> Result<PreparedInfo, Error> {
    if let Some(done) = prepared(out, size)? {
        return Ok(done);
    }
    let read = |source| Error::Read { path: npz.to_owned(), source };
    let array = |array: String| |source| Error::Array { path: npz.to_owned(), array, source };
    let mut archive = ZipArchive::new(files::open(npz).map_err(read)?)
        .map_err(|error| array("train_images".to_owned())(error.into()))?;

    let _lock = FolderLock::take(out).map_err(crate::prepare::Error::from)?;
    // Another process may have finished meanwhile.
    if let Some(done) = prepared(out, size)? {
        return Ok(done);
    }
    let path = files::temporary_path(&out.join(store::FILE));
    let mut store = GrowingStore::open(&path, size as usize, 0)
        .map_err(|source| WriteError { path: path.clone(), source })?;
    let mut rows = Vec::new();
    for (side, list) in SIDES {
        let name = format!("{side}_labels");
        let labels = read_labels(&mut archive, &name).map_err(array(name))?;
        let name = format!("{side}_images");
        let mut films = SplitFilms::open(&mut archive, &name, size, labels.len())
            .map_err(array(name.clone()))?;
        while let Some(planes) = films.next_planes().map_err(array(name.clone()))? {
            store.append(&planes).map_err(|source| WriteError { path: path.clone(), source })?;
            progress(side, labels.len() - films.left, labels.len());
        }
        for (index, findings) in labels.into_iter().enumerate() {
            let film = PackedFilm { side, index, number: rows.len() as u32, findings, list, size };
            rows.push(film.row());
        }
    }
    let mut description = PreparedInfo {
        dataset: Dataset::ChestMnist,
        source: origin.source.to_owned(),
        labels: npz.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        label_version: "MedMNIST's, without patient numbers, age, sex and view".to_owned(),
        size,
        filter: None,
        films: 0,
        patients: 0,
        patient_numbers: PatientNumbers::Films,
        bad_films: 0,
        duplicates: None,
        near_duplicates: None,
        boxes: 0,
        inputs: origin.checksum.to_owned(),
        fingerprint: String::new(),
        manifest_sha256: None,
        images_sha256: None,
        boxes_sha256: None,
        bad_films_sha256: None,
        duplicates_sha256: None,
    };
    seal::seal(out, store, &rows, &[], &mut description)?;
    Ok(description)
}

/// A film, which MedMNIST identifies only by split and index.
struct PackedFilm {
    side: &'static str,
    index: usize,
    /// Its number among the films of all splits, which counts as the patient.
    number: u32,
    findings: FilmFindings,
    list: List,
    size: u32,
}

impl PackedFilm {
    fn row(self) -> ManifestRow {
        let Self { side, index, number, findings, list, size } = self;
        ManifestRow {
            image: format!("chestmnist_{side}_{index:05}"),
            patient: number,
            follow_up: 0,
            age: None,
            sex: String::new(),
            view: String::new(),
            findings,
            list: Some(list),
            file_size: [size, size],
        }
    }
}

/// Reads labels of shape `[films, 14]`.
fn read_labels(archive: &mut ZipArchive<File>, name: &str) -> io::Result<Vec<FilmFindings>> {
    let mut file = archive.by_name(&format!("{name}.npy"))?;
    let Header { width, shape } = npy::read_header(&mut file)?;
    let &[films, labels] = shape.as_slice() else {
        return Err(other_shape(&shape));
    };
    if labels != Finding::BY_WANG.len() {
        return Err(other_shape(&shape));
    }
    let expected = films.checked_mul(labels * width).filter(|&bytes| bytes <= MAX_LABELS);
    let Some(expected) = expected else {
        return Err(io::Error::other(format!("labels of {films} films are more than are read")));
    };
    // An archive may inflate to any length, whatever the header of the array says.
    let mut bytes = Vec::new();
    file.take(expected as u64 + 1).read_to_end(&mut bytes)?;
    let is_label = |value: &[u8]| value[0] <= 1 && value[1..].iter().all(|&byte| byte == 0);
    if bytes.len() != expected || !bytes.chunks_exact(width).all(is_label) {
        return Err(io::Error::other(format!(
            "the file does not contain {films} films with labels 0 or 1"
        )));
    }
    let findings = |film: &[u8]| {
        let labels = film.chunks_exact(width).map(|value| value[0] == 1);
        Finding::BY_WANG
            .into_iter()
            .zip(labels)
            .filter(|&(_, is_shown)| is_shown)
            .map(|(f, _)| f)
            .collect()
    };
    Ok(bytes.chunks_exact(labels * width).map(findings).collect())
}

/// Films of one split, read block by block.
struct SplitFilms<R> {
    file: R,
    plane: usize,
    left: usize,
}

impl<'a> SplitFilms<zip::read::ZipFile<'a, File>> {
    fn open(
        archive: &'a mut ZipArchive<File>,
        name: &str,
        size: u32,
        films: usize,
    ) -> io::Result<Self> {
        let mut file = archive.by_name(&format!("{name}.npy"))?;
        let Header { width, shape } = npy::read_header(&mut file)?;
        let size = size as usize;
        if width != 1 || shape != [films, size, size] {
            return Err(io::Error::other(format!(
                "expected {films} films of {size} px, 8 bits, found {shape:?} of {width}-byte values"
            )));
        }
        Ok(Self { file, plane: size * size, left: films })
    }
}

impl<R: Read> SplitFilms<R> {
    /// Reads the next planes; returns `None` after the last.
    fn next_planes(&mut self) -> io::Result<Option<Vec<Vec<u8>>>> {
        if self.left == 0 {
            // Reading past the last byte makes the archive check its checksum.
            let rest = io::copy(&mut self.file, &mut io::sink())?;
            return if rest == 0 {
                Ok(None)
            } else {
                Err(io::Error::other("the array is too long"))
            };
        }
        let films = (BLOCK / self.plane).clamp(1, self.left);
        let mut planes = vec![vec![0; self.plane]; films];
        planes.iter_mut().try_for_each(|plane| self.file.read_exact(plane))?;
        self.left -= films;
        Ok(Some(planes))
    }
}

fn other_shape(shape: &[usize]) -> io::Error {
    io::Error::other(format!("expected shape [films, 14], found {shape:?}"))
}
