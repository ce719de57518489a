//! Predictions as DICOM objects: a structured report, overlays and a presentation state.
//!
//! A [`Source`] is what the header of a film says about patient, study and picture. It may be
//! de-identified with [`Pseudonyms`] when it is read, so that nothing that is written from it can
//! name the patient. Of a source and what a model found ([`Results`]), [`report`] makes a structured
//! report by template TID 1500, [`capture`] a secondary capture image of a film under a heat map, and
//! [`presentation`] a presentation state with the contours of heat maps. All are new series of the
//! film's study.
//!
//! The UIDs of an object are derived from the film, the model and its settings, so the same film and
//! model give the same object again, and an archive that has it already can tell. `docs/dicom.md`
//! lists every template and code.

mod capture;
mod codes;
mod content;
mod contour;
mod element;
mod error;
mod film;
mod object;
mod presentation;
mod pseudonyms;
mod report;
mod results;
mod shown;
mod source;
mod uid;
mod whose;

pub use capture::{Picture, capture};
pub use error::Error;
pub use film::NewStudy;
pub use presentation::{FilmMap, presentation};
pub use pseudonyms::{Pseudonyms, ShortKey};
pub use report::report;
pub use results::{Algorithm, FindingResult, Moment, Results};
pub use source::{DeIdentification, Source, has_burned_in_text};
pub use whose::Whose;
