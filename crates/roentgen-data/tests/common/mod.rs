//! Small data sets in the NIH layout.

#![allow(
    clippy::unwrap_used,
    dead_code,
    reason = "test helpers fail like tests; each test file uses some"
)]

use std::fs;
use std::path::{Path, PathBuf};

use roentgen_data::pixels::{Filter, Plane, to_png};
use roentgen_data::prepare::{Error, PrepareOutcome, PrepareSettings, prepare};

pub(crate) const HEADER: &str = "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,\
                          Patient Gender,View Position,OriginalImage[Width,Height],\
                          OriginalImagePixelSpacing[x,y]\n";

pub(crate) const SETTINGS: PrepareSettings =
    PrepareSettings { size: 16, filter: Filter::Lanczos3, labels: None, any_size: false };

/// A folder with a data set.
pub(crate) struct DataSet {
    pub(crate) root: PathBuf,
    rows: String,
}

impl DataSet {
    pub(crate) fn new(root: PathBuf) -> Self {
        fs::create_dir_all(root.join("images")).unwrap();
        Self { root, rows: String::new() }
    }

    /// Three patients with two films each, named as NIH's, of which `seed` decides the pixels.
    pub(crate) fn six(root: PathBuf, seed: u8) -> Self {
        let mut data = Self::new(root);
        for patient in 1..=3 {
            for visit in 0..2 {
                data.add(
                    &name(patient, visit),
                    "Mass|Effusion",
                    patient,
                    &film(seed, patient, visit),
                );
            }
        }
        data
    }

    /// Adds a row and its film.
    pub(crate) fn add(&mut self, name: &str, findings: &str, patient: u32, bytes: &[u8]) {
        fs::write(self.root.join("images").join(name), bytes).unwrap();
        self.row(name, findings, patient);
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, name: &str, findings: &str, patient: u32) {
        self.rows += &format!("{name},{findings},0,{patient},58,F,PA,2682,2749,0.143,0.143\n");
        fs::write(self.root.join("Data_Entry_2017.csv"), format!("{HEADER}{}", self.rows)).unwrap();
    }

    /// Writes a table below the folder.
    pub(crate) fn table(&self, name: &str, text: &str) -> PathBuf {
        let path = self.root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    pub(crate) fn prepare(&self, out: &Path) -> Result<PrepareOutcome, Error> {
        prepare(&self.root, out, &SETTINGS, &|_| ())
    }
}

pub(crate) fn name(patient: u32, visit: u32) -> String {
    format!("{patient:08}_{visit:03}.png")
}

/// A rectangle of texture, another one for each argument.
pub(crate) fn texture(seed: u8, patient: u32, visit: u32, width: u32, height: u32) -> Plane {
    let start = u32::from(seed) * 977 + patient * 131 + visit * 37;
    let value = |x: u32, y: u32| {
        let cell =
            (x / 5 + 1).wrapping_mul(y / 4 + 3).wrapping_mul(start.wrapping_mul(2_654_435_761));
        (cell >> 13) as u8
    };
    let pixels = (0..height).flat_map(|y| (0..width).map(move |x| value(x, y))).collect();
    Plane { width, height, pixels }
}

pub(crate) fn film(seed: u8, patient: u32, visit: u32) -> Vec<u8> {
    to_png(&texture(seed, patient, visit, 40, 32))
}

/// The error and its causes as the program prints them.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}
