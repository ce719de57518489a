//! Models behind HTTP: films in, findings out.
//!
//! [`Server`] listens, loads the models of its [`Config`] and answers until it is told to stop. The
//! crate knows nothing of a command line: what it is told is in `config`, and its log lines go to a
//! function. The routes are in `routes/`, one file each, and [`OPENAPI`] describes them.
//!
//! A request passes `connection` (limits on headers, time and connections), `routes/watch.rs`
//! (number, log line, metrics, token), and its route. A route reads the body within the limits
//! (`body`), takes a place in the queue for each film (`app`), decodes the films on as many threads
//! as there are cores (`films`), and hands them to the thread of each model (`worker`), which gathers
//! those that wait into batches. Heat maps have a thread of their own (`explainer`).

mod access;
mod answer;
mod app;
mod body;
mod config;
mod connection;
mod error;
mod explainer;
mod films;
mod log;
mod metrics;
mod models;
mod problem;
mod reload;
mod routes;
mod server;
mod signals;
mod tls;
mod worker;

pub use config::{Access, Batching, Config, Limits, ModelPlace, Openness, TlsFiles, Together};
pub use error::Error;
pub use routes::OPENAPI;
pub use server::Server;
