//! What the program's commands do, without a command line: plain values in, results out.
//!
//! The command line, a server and other languages share these functions. They print nothing: what a
//! user should see while a task works goes to a [`Listener`]. The errors of all crates meet here,
//! and a caller shows them rather than decides by them, so tasks return [`anyhow::Error`], whose
//! chain says what was attempted, on which file, and why it failed.
//!
//! [`predict`] makes score tables of films ([`sources`]) with an [`engine`] on a [`device`],
//! [`calibrate`] fits calibration and thresholds,
//! [`verify`] compares a table with what it names,
//! [`explain`] draws where a model looked, [`evaluate`] writes the report of a score table, and
//! [`compare`] that of several runs.

pub mod calibrate;
pub mod compare;
pub mod device;
pub mod engine;
pub mod evaluate;
pub mod explain;
mod listener;
pub mod predict;
pub mod sources;
pub mod verify;

pub use listener::{Listener, Silent};
