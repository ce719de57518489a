//! Draws a synthetic data set: chest films with the signs of the fourteen findings, in NIH's
//! layout.
//!
//! ```
//! use roentgen_phantom::{PhantomSettings, write};
//!
//! let folder = tempfile::tempdir()?;
//!
//! let written =
//!     write(folder.path(), &PhantomSettings { films: 3, size: 64, seed: 1 }, &|_done| ())?;
//!
//! assert_eq!(written.films, 3);
//! assert!(folder.path().join("Data_Entry_2017_v2020.csv").exists());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Phantoms replace patients' films in tests, first steps and demonstrations. They are drawn from
//! the anatomy outwards: a patient has a rib cage, lungs, a heart and a spine of their own; a visit
//! adds a pose, a view and an exposure; a finding changes the anatomy where its sign would be on a
//! film, and nothing else depends on it. A network that detects the findings has therefore looked
//! at the image, but its results say nothing about patients: a phantom has no unclear label, no
//! overlapping disease, no scanner. The file [`PHANTOM_MARK`] identifies a data set of phantoms.
//!
//! Findings are drawn with NIH's co-occurrence and flattened frequencies: the square roots of
//! NIH's, each on at least about 2.6 % of the films; 45 % of the films have no finding.
//!
//! The same seed draws the same bytes on any number of threads.

mod airspace;
mod anatomy;
mod bones;
mod brush;
mod canvas;
mod film;
mod layout;
mod lesions;
mod patient;
mod side;
mod signs;
mod tissue;
mod unfinished;

use std::collections::HashSet;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, io};

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use self::film::DrawnFilm;
use self::layout::BoxRow;
use self::patient::{Patient, Visit};
use self::unfinished::Unfinished;
use roentgen_data::lock;
use roentgen_files::{WriteError, write_whole};

pub use roentgen_data::nih::PHANTOM_MARK;

/// The widths a film may have.
const SIZES: std::ops::RangeInclusive<u32> = 64..=2048;

/// With at least this many films, one in two hundred is RGBA with equal channels, as at NIH.
const FILMS_WITH_RGBA: usize = 50;

/// With at least this many films there are twelve folders of films, as at NIH; with fewer there are
/// three.
const FILMS_WITH_TWELVE_FOLDERS: usize = 120;

/// Settings of the data set to draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PhantomSettings {
    /// Number of films.
    pub films: usize,
    /// Width and height of a film in pixels, from 64 to 2048.
    pub size: u32,
    /// The same seed draws the same films.
    pub seed: u64,
}

/// Counts of the data set that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PhantomCounts {
    /// Number of films.
    pub films: usize,
    /// Number of patients.
    pub patients: usize,
    /// Number of rows in the box list.
    pub boxes: usize,
}

/// Why a phantom data set could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No films were requested.
    #[error("cannot draw 0 phantom films: ask for at least 1")]
    NoFilms,
    /// The size is out of range.
    #[error("cannot draw phantom films of {size} pixels: ask for a size from 64 to 2048")]
    Size {
        /// The requested size.
        size: u32,
    },
    /// The folder is not empty.
    #[error("cannot write phantom films into `{path}`, which is not empty: name a new folder")]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// The folder contains an unfinished data set of other settings.
    #[error(
        "cannot write phantom films into `{path}`, which contains unfinished ones of another number, \
         size or seed: draw with the same settings to continue, or name a new folder"
    )]
    Unfinished {
        /// The folder.
        path: PathBuf,
    },
    /// Another process draws into the folder, or it cannot be locked.
    #[error(transparent)]
    Lock(#[from] lock::Error),
    /// A folder could not be created or listed.
    #[error("could not create folder `{path}`")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A film could not be encoded as PNG.
    #[error("could not encode film `{path}`")]
    Encode {
        /// The file to write.
        path: PathBuf,
        /// The cause.
        source: image::ImageError,
    },
    /// A file could not be written.
    #[error("could not write the phantom data set")]
    Write(#[from] WriteError),
}

/// Draws a data set into the folder `out`, which is created if missing and must be empty, or
/// unfinished with the same settings: then the films that are missing are drawn.
///
/// `progress(done)` is called with the number of films done so far, from any thread.
///
/// # Errors
///
/// Returns an error if no films are requested, if the size is out of range, if the folder contains
/// something else, or if a file cannot be written. The label file and the marker are written last, so that
/// an incomplete data set is not mistaken for a complete one.
pub fn write(
    out: &Path,
    settings: &PhantomSettings,
    progress: &(dyn Fn(usize) + Sync),
) -> Result<PhantomCounts, Error> {
    let PhantomSettings { films, size, seed } = *settings;
    if films == 0 {
        return Err(Error::NoFilms);
    }
    if !SIZES.contains(&size) {
        return Err(Error::Size { size });
    }
    let patients = patients(seed, films);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let is_test = layout::choose_test(&patients, &mut rng);
    let labels = layout::labels(&patients, seed, &mut rng);
    let rgba = choose_rgba(films, &mut rng);
    let unfinished = Unfinished::begin(out, settings)?;
    let folders = make_folders(out, films)?;

    let visits: Vec<(usize, &Patient, &Visit)> = patients
        .iter()
        .enumerate()
        .flat_map(|(index, patient)| {
            patient.visits.iter().map(move |visit| (index, patient, visit))
        })
        .collect();
    let done = AtomicUsize::new(0);
    let boxes: Vec<Vec<BoxRow>> = visits
        .par_iter()
        .enumerate()
        .map(|(number, &(index, patient, visit))| {
            let name = layout::film_name(patient, visit);
            let path = folders[number * folders.len() / films].join(&name);
            // Only test films have boxes, which drawing them yields.
            if !is_test[index] && path.is_file() {
                progress(done.fetch_add(1, Ordering::Relaxed) + 1);
                return Ok(Vec::new());
            }
            let film = film::draw(patient, visit, size as usize);
            let is_rgba = rgba.contains(&number);
            let channels = if is_rgba { PngChannels::Rgba } else { PngChannels::Gray };
            let bytes = encode(&film, size, channels)
                .map_err(|source| Error::Encode { path: path.clone(), source })?;
            write_whole(&path, &bytes)?;
            progress(done.fetch_add(1, Ordering::Relaxed) + 1);
            let boxes = if is_test[index] { film.boxes } else { Vec::new() };
            Ok(boxes.into_iter().map(|(finding, area)| (name.clone(), finding, area)).collect())
        })
        .collect::<Result<_, Error>>()?;

    let mut boxes = boxes.concat();
    write_whole(&out.join("BBox_List_2017.csv"), layout::boxes(&mut boxes).as_bytes())?;
    let test = layout::list(&patients, |index| is_test[index]);
    write_whole(&out.join("test_list.txt"), test.as_bytes())?;
    let train = layout::list(&patients, |index| !is_test[index]);
    write_whole(&out.join("train_val_list.txt"), train.as_bytes())?;
    write_whole(&out.join(PHANTOM_MARK), mark(settings).as_bytes())?;
    write_whole(&out.join("Data_Entry_2017_v2020.csv"), labels.as_bytes())?;
    unfinished.finish()?;
    Ok(PhantomCounts { films, patients: patients.len(), boxes: boxes.len() })
}

/// Draws patients until they have `films` films together.
fn patients(seed: u64, films: usize) -> Vec<Patient> {
    let mut patients = Vec::new();
    let mut rest = films;
    for id in 1.. {
        let patient = Patient::random(seed, id, rest);
        rest -= patient.visits.len();
        patients.push(patient);
        if rest == 0 {
            break;
        }
    }
    patients
}

fn choose_rgba(films: usize, rng: &mut ChaCha8Rng) -> HashSet<usize> {
    if films < FILMS_WITH_RGBA {
        return HashSet::new();
    }
    let mut numbers: Vec<usize> = (0..films).collect();
    numbers.shuffle(rng);
    numbers.into_iter().take(films.div_ceil(200)).collect()
}

/// Creates the folders of the films in `out`.
fn make_folders(out: &Path, films: usize) -> Result<Vec<PathBuf>, Error> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        |source| Error::Folder { path, source }
    };
    let count = if films >= FILMS_WITH_TWELVE_FOLDERS { 12 } else { 3 };
    let folders: Vec<_> = (1..=count.min(films))
        .map(|number| out.join(format!("images_{number:03}/images")))
        .collect();
    for folder in &folders {
        fs::create_dir_all(folder).map_err(failed(folder))?;
    }
    Ok(folders)
}

/// The channels of a PNG.
#[derive(Clone, Copy)]
enum PngChannels {
    Gray,
    Rgba,
}

fn encode(
    film: &DrawnFilm,
    size: u32,
    channels: PngChannels,
) -> Result<Vec<u8>, image::ImageError> {
    let mut bytes = Cursor::new(Vec::new());
    let encoder =
        PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::Adaptive);
    match channels {
        PngChannels::Gray => {
            encoder.write_image(&film.pixels, size, size, ExtendedColorType::L8)?;
        }
        PngChannels::Rgba => {
            let pixels: Vec<u8> =
                film.pixels.iter().flat_map(|&gray| [gray, gray, gray, u8::MAX]).collect();
            encoder.write_image(&pixels, size, size, ExtendedColorType::Rgba8)?;
        }
    }
    Ok(bytes.into_inner())
}

fn mark(settings: &PhantomSettings) -> String {
    let PhantomSettings { films, size, seed } = settings;
    format!(
        "These chest films were drawn by `roentgen phantom`. They show no patient.\n\
         \n\
         films: {films}\n\
         size: {size}\n\
         seed: {seed}\n"
    )
}

#[cfg(test)]
mod tests;
