//! Findings, label files, splits and pixels of chest films. This crate does not use tensors.
//!
//! ```no_run
//! use std::path::Path;
//!
//! use roentgen_data::Finding;
//! use roentgen_data::pixels::Filter;
//! use roentgen_data::prepare::{PrepareSettings, Prepared, prepare};
//!
//! let (films, out) = (Path::new("nih"), Path::new("prepared"));
//! let settings =
//!     PrepareSettings { size: 224, filter: Filter::Lanczos3, labels: None, any_size: false };
//!
//! prepare(films, out, &settings, &|_| ())?;
//!
//! let prepared = Prepared::open(out)?;
//! let masses = prepared.rows.iter().filter(|row| row.findings.contains(Finding::Mass));
//! println!("{} of {} films show a mass", masses.count(), prepared.rows.len());
//! # Ok::<(), roentgen_data::prepare::Error>(())
//! ```
//!
//! Findings are sets with an order, not substrings of a label:
//!
//! ```
//! use roentgen_data::{FilmFindings, Finding};
//!
//! let findings = FilmFindings::parse("Effusion|Pneumothorax")?;
//!
//! assert!(findings.contains(Finding::Pneumothorax));
//! assert!(!findings.contains(Finding::Pneumonia));
//! # Ok::<(), roentgen_data::finding::UnknownFinding>(())
//! ```
//!
//! The crate is built around NIH ChestX-ray14: 112,120 frontal films of 30,805 patients with 14
//! findings. The findings were mined from radiology reports by text processing, so the labels are
//! noisy. The data set comes with bounding boxes for 984 films and an official split by patient.
//! The source is Wang et al., "ChestX-ray8", CVPR 2017; the films are from the NIH Clinical Center,
//! which asks to be named and linked to wherever they are used.
//!
//! How the modules fit together: [`nih`] finds the files of a data set; [`metadata`] and [`boxes`]
//! read its tables; [`prepare`] checks the films, decodes them ([`pixels`]), packs them ([`store`])
//! and writes a [`manifest`]; [`medmnist`] does the same for films that come packed. [`split`]
//! assigns each film to a split, [`preprocess`] turns a film into network input, [`rows`] stores
//! the features that a frozen network computes, and [`summary`] counts. [`gate`] refuses files that
//! are not frontal chest films. The crate `roentgen-phantom` draws a synthetic data set.

mod archive;
pub mod boxes;
mod cut;
pub mod dataset;
pub mod finding;
pub mod gate;
mod kind;
pub mod lock;
pub mod manifest;
pub mod medmnist;
pub mod metadata;
pub mod nih;
mod npy;
pub mod pixels;
pub mod prepare;
pub mod preprocess;
pub mod rows;
pub mod sample;
pub mod selection;
pub mod split;
pub mod store;
pub mod study;
pub mod summary;
mod tensor_file;

pub use roentgen_files as files;

pub use dataset::Dataset;
pub use finding::{FilmFindings, Finding};
