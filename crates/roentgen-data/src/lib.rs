//! The data set: findings, label files, splits and pixels of chest films. No tensors.
//!
//! The data set this crate is built around is NIH ChestX-ray14: 112,120 frontal films of 30,805
//! patients with 14 findings that were mined from radiology reports by text processing (so labels
//! are noisy), published with bounding boxes for 984 of them and an official split by patient.
//! Wang et al., "ChestX-ray8", CVPR 2017; the films are the NIH Clinical Center's, who ask to be
//! named and to be linked to wherever they are used.
//!
//! One way through the modules: [`nih`] finds the files of a data set, [`metadata`] and [`boxes`]
//! read its tables, [`prepare`] checks, decodes ([`pixels`]) and packs the films ([`store`]) and
//! leaves a [`manifest`] ([`medmnist`] does so of films that come packed); [`split`] says which film
//! is trained on, [`preprocess`] makes network input of a film, [`rows`] keeps what a frozen network
//! makes of it, [`summary`] counts. [`phantom`] draws
//! a data set where there is none.

pub mod boxes;
pub mod files;
pub mod finding;
pub mod manifest;
pub mod medmnist;
pub mod metadata;
pub mod nih;
mod npy;
pub mod phantom;
pub mod pixels;
pub mod prepare;
pub mod preprocess;
pub mod rows;
pub mod sample;
pub mod selection;
pub mod split;
pub mod store;
pub mod summary;

pub use finding::{FilmFindings, Finding};
