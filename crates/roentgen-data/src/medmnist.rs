//! ChestMNIST: the films of ChestX-ray14 as MedMNIST publishes them, small and packed.
//!
//! One `.npz` (a zip archive of NumPy arrays) holds `train_images`, `train_labels` and the same of
//! `val` and `test`. Three things are unlike NIH's own release. MedMNIST publishes no patient
//! numbers, so each film counts as a patient of its own: intervals are of films and therefore too
//! narrow, and nobody can check that no person stands on two sides. Its split (78,468, 11,219 and
//! 22,433 films) is its own and not NIH's lists (86,524 and 25,596), so figures on it are comparable
//! with figures on ChestMNIST only. And neither age nor sex nor view is there.
//!
//! Yang et al., "MedMNIST v2", Scientific Data 10:41, 2023; the films are the NIH Clinical Center's.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use zip::ZipArchive;

use crate::files::{self, WriteError};
use crate::finding::{FilmFindings, Finding};
use crate::manifest::{List, Row};
use crate::npy::{self, Header};
use crate::prepare::{Description, PatientNumbers, seal};
use crate::store::{self, Growing};

/// The name of the data set; it stands in every table, so that none is taken for one by patient.
pub const DATASET: &str = "ChestMNIST (each film counted as a patient)";
/// Its sides, as its arrays are called.
const SIDES: [(&str, List); 3] =
    [("train", List::Train), ("val", List::Valid), ("test", List::Test)];
/// Bytes of films between two waits for the disk.
const BLOCK: usize = 16 << 20;

/// Why films of MedMNIST could not be prepared.
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
    /// An array is missing, damaged or of another form.
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
    /// The prepared data set.
    #[error(transparent)]
    Prepare(#[from] crate::prepare::Error),
    /// A file could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// What an earlier call prepared in `out`; `None` where there is nothing yet.
///
/// # Errors
///
/// Another data set in the folder, or other films than of `size` pixels.
pub fn prepared(out: &Path, size: u32) -> Result<Option<Description>, Error> {
    match Description::read_if_there(out)? {
        Some(done) if done.dataset != DATASET || done.size != size => {
            let what = format!("{} films of {} px of {}", done.films, done.size, done.dataset);
            Err(crate::prepare::Error::Mixed { path: out.to_owned(), what }.into())
        }
        done => Ok(done),
    }
}

/// Writes the films of `npz` as a prepared data set into `out`; `source` says where they are from
/// and `checksum` which file it was. `progress` is told films done and in all of a side.
///
/// Films are read and written as a stream: memory is that of a few hundred films.
///
/// # Errors
///
/// A file that is damaged or not of films of `size` pixels with fourteen labels each, an `out` that
/// holds another data set, a full disk.
pub fn prepare(
    npz: &Path,
    out: &Path,
    size: u32,
    [source, checksum]: [&str; 2],
    progress: &dyn Fn(&str, usize, usize),
) -> Result<Description, Error> {
    if let Some(done) = prepared(out, size)? {
        return Ok(done);
    }
    let read = |source| Error::Read { path: npz.to_owned(), source };
    let array = |array: String| |source| Error::Array { path: npz.to_owned(), array, source };
    let mut archive = ZipArchive::new(File::open(npz).map_err(read)?)
        .map_err(|error| array("train_images".to_owned())(error.into()))?;

    fs::create_dir_all(out).map_err(|source| WriteError { path: out.to_owned(), source })?;
    let path = files::aside(&out.join(store::FILE));
    let mut store = Growing::open(&path, size as usize, 0)
        .map_err(|source| WriteError { path: path.clone(), source })?;
    let mut rows = Vec::new();
    for (side, list) in SIDES {
        let name = format!("{side}_labels");
        let labels = read_labels(&mut archive, &name).map_err(array(name))?;
        let name = format!("{side}_images");
        let mut films =
            Films::open(&mut archive, &name, size, labels.len()).map_err(array(name.clone()))?;
        while let Some(planes) = films.next_planes().map_err(array(name.clone()))? {
            store.append(&planes).map_err(|source| WriteError { path: path.clone(), source })?;
            progress(side, labels.len() - films.left, labels.len());
        }
        for (index, findings) in labels.into_iter().enumerate() {
            rows.push(row(side, index, rows.len() as u32, findings, list, size));
        }
    }
    let mut description = Description {
        dataset: DATASET.to_owned(),
        source: source.to_owned(),
        labels: npz.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        label_version: "MedMNIST's, without patient numbers, age, sex and view".to_owned(),
        size,
        filter: None,
        films: 0,
        patients: 0,
        patient_numbers: PatientNumbers::Films,
        bad_films: 0,
        boxes: 0,
        inputs: checksum.to_owned(),
        fingerprint: String::new(),
    };
    seal::seal(out, store, &rows, &[], &mut description)?;
    Ok(description)
}

/// The row of a film: MedMNIST knows it by side and place alone.
fn row(
    side: &str,
    index: usize,
    number: u32,
    findings: FilmFindings,
    list: List,
    size: u32,
) -> Row {
    Row {
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

/// Reads labels of `[films, 14]`.
fn read_labels(archive: &mut ZipArchive<File>, name: &str) -> io::Result<Vec<FilmFindings>> {
    let mut file = archive.by_name(&format!("{name}.npy"))?;
    let Header { width, shape } = npy::read_header(&mut file)?;
    let &[films, labels] = shape.as_slice() else {
        return Err(other_shape(&shape));
    };
    if labels != Finding::BY_WANG.len() {
        return Err(other_shape(&shape));
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let is_label = |value: &[u8]| value[0] <= 1 && value[1..].iter().all(|&byte| byte == 0);
    let whole = films.checked_mul(labels * width) == Some(bytes.len());
    if !whole || !bytes.chunks_exact(width).all(is_label) {
        return Err(io::Error::other(format!("not {films} films with labels of 0 and 1")));
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

/// Films of one side, read block by block.
struct Films<R> {
    file: R,
    plane: usize,
    left: usize,
}

impl<'a> Films<zip::read::ZipFile<'a, File>> {
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
                "{width} bytes a value and shape {shape:?}, where {films} films of {size} px were expected"
            )));
        }
        Ok(Self { file, plane: size * size, left: films })
    }
}

impl<R: Read> Films<R> {
    /// The next planes, `None` after the last.
    fn next_planes(&mut self) -> io::Result<Option<Vec<Vec<u8>>>> {
        if self.left == 0 {
            // Past the last byte the archive compares its own checksum.
            let rest = io::copy(&mut self.file, &mut io::sink())?;
            return if rest == 0 { Ok(None) } else { Err(io::Error::other("it is too long")) };
        }
        let films = (BLOCK / self.plane).clamp(1, self.left);
        let mut planes = vec![vec![0; self.plane]; films];
        planes.iter_mut().try_for_each(|plane| self.file.read_exact(plane))?;
        self.left -= films;
        Ok(Some(planes))
    }
}

fn other_shape(shape: &[usize]) -> io::Error {
    io::Error::other(format!("its shape is {shape:?}, where [films, 14] was expected"))
}
