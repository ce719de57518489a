//! Predicts films as they arrive in a folder, each once, also if the machine loses power.
//!
//! The score table is the only memory: a film whose file it names is done. Rows are appended a batch
//! at a time and synced, and a row that was cut off is removed at the next start.

mod table;

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context as _, bail};
use burn::tensor::Device;
use roentgen_data::nih;
use roentgen_eval::{CalibrationMethod, OperatingRule, Scores};
use roentgen_models::ModelInfo;

use crate::batch::check_batch;
use crate::engine::{Engine, EngineChoice};
use crate::listener::Listener;
use crate::predict;
use crate::shard::Shard;
use crate::sources::{self, Gate, Sources};
use table::GrowingTable;

/// What to watch, and how to predict.
#[derive(Clone, Debug)]
pub struct WatchRequest<'a> {
    /// Run directory, bundle, or another folder that holds `model.toml` and `model.bpk`.
    pub model: &'a Path,
    /// The folder in which films arrive, also in folders below it.
    pub folder: &'a Path,
    /// The score table, which grows; it is created if it is not there.
    pub out: &'a Path,
    /// Most films in a batch.
    pub batch: usize,
    /// The engine. `auto` is Burn, which starts faster.
    pub engine: EngineChoice,
    /// The operating point of the calls, if the model has thresholds.
    pub operating_point: OperatingRule,
    /// The method of the calibrated probabilities, as of
    /// [`PredictRequest`](crate::predict::PredictRequest).
    pub calibration: Option<CalibrationMethod>,
    /// What happens to files that do not look like upright frontal chest films.
    pub gate: Gate,
}

/// What became of the films that arrived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Watched {
    /// Films that were added to the table.
    pub predicted: usize,
    /// Films that could not be read, or that the input gate refused.
    pub bad: usize,
}

/// Looks into the folder, predicts the films that are complete, and calls `go_on` with what has been
/// done so far, until that returns `false`. `go_on` also waits: a film is complete when it has not
/// changed from one look to the next.
///
/// # Errors
///
/// Returns an error if the model cannot be loaded, if the folder cannot be read, if the table is of
/// another model, or if it cannot be written.
pub fn watch(
    request: &WatchRequest<'_>,
    device: &Device,
    listener: &dyn Listener,
    go_on: &mut dyn FnMut(Watched) -> bool,
) -> anyhow::Result<Watched> {
    if !request.folder.is_dir() {
        bail!("`{}` is not a folder; name the one in which films arrive", request.folder.display());
    }
    let description = ModelInfo::read(request.model)?;
    let method = predict::calibration_method(&description, request.calibration, request.model)?;
    check_batch(&description, request.batch, request.batch, device)?;
    let trained_on = sources::training_films(request.model, &description, listener)?;
    // With so few films `auto` is Burn.
    let mut engine = Engine::load(request.model, request.engine, 0, false, device, listener)?;
    let annotate =
        |scores: &Scores| predict::annotate(scores, &description, method, request.operating_point);
    let mut table = GrowingTable::open(request.out, engine.identity(), &annotate)?;
    // So that a film has one name, however the folder is spelled.
    let folder = fs::canonicalize(request.folder)
        .with_context(|| format!("could not open the folder `{}`", request.folder.display()))?;
    let mut watched = Watched::default();
    let mut seen = Seen::default();
    loop {
        let arrived = seen.complete(&folder, |path| table.has(path))?;
        for paths in arrived.chunks(request.batch) {
            let sources =
                Sources::arrived(&folder, paths, trained_on.as_ref()).with_gate(request.gate);
            let predicted =
                predict::predict(&mut engine, sources, request.batch, Shard::WHOLE, listener)?;
            for film in &predicted.bad {
                listener.note(&format!("skipped {}: {}", film.image, film.reason));
            }
            for film in &predicted.corrected {
                listener.note(&format!("corrected {}: it was {}", film.image, film.was));
            }
            watched.bad += predicted.bad.len();
            if !predicted.predictions.is_empty() {
                let scores = predict::scores(&predicted, &engine, method, request.operating_point)?;
                table.append(&scores)?;
                watched.predicted += scores.len();
            }
        }
        if !go_on(watched) {
            return Ok(watched);
        }
    }
}

/// What is known about the files of the folder.
#[derive(Default)]
struct Seen {
    /// The size and the time of each file at the last look.
    states: HashMap<PathBuf, (u64, Option<SystemTime>)>,
    /// The state in which a file was handed out; a film that could not be predicted is tried again
    /// when it has changed.
    tried: HashMap<PathBuf, (u64, Option<SystemTime>)>,
}

impl Seen {
    /// Returns the films that have not changed since the last look and have not been predicted.
    fn complete(
        &mut self,
        folder: &Path,
        is_done: impl Fn(&Path) -> bool,
    ) -> anyhow::Result<Vec<PathBuf>> {
        let mut states = HashMap::new();
        let mut complete = BTreeMap::new();
        let paths = nih::walk(folder)
            .with_context(|| format!("could not look for films in `{}`", folder.display()))?;
        for path in paths {
            if is_done(&path) {
                continue;
            }
            // A file that is gone was moved by someone else. A film in an archive changes with it.
            let file = nih::file_of(&path);
            let Some(Ok(about)) = file.map(fs::metadata) else { continue };
            let state = (about.len(), about.modified().ok());
            let is_same = |of: &HashMap<PathBuf, _>| of.get(&path) == Some(&state);
            if is_same(&self.states) && !is_same(&self.tried) && nih::holds_film(&path) {
                complete.insert(path.clone(), state);
            }
            states.insert(path, state);
        }
        self.states = states;
        let paths = complete.keys().cloned().collect();
        self.tried.extend(complete);
        Ok(paths)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_film_is_complete_when_it_has_not_changed_and_is_tried_again_when_it_has() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("film.png");
        let mut seen = Seen::default();
        let mut look = || seen.complete(folder.path(), |_| false).unwrap();

        fs::write(&path, b"\x89PNG").unwrap();
        assert!(look().is_empty(), "it may still be growing");
        fs::write(&path, b"\x89PNG\r\n\x1a\n").unwrap();
        assert!(look().is_empty(), "it has grown");
        assert_eq!(look(), std::slice::from_ref(&path));
        assert!(look().is_empty(), "it was handed out");
        fs::write(&path, b"\x89PNG\r\n\x1a\n0123").unwrap();
        assert!(look().is_empty());
        assert_eq!(look(), [path]);
    }

    #[test]
    fn films_that_are_done_and_other_files_are_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["done.png", "new.png", "notes.txt"] {
            fs::write(folder.path().join(name), b"\x89PNG\r\n\x1a\n").unwrap();
        }
        let mut seen = Seen::default();
        let mut look = || seen.complete(folder.path(), |path| path.ends_with("done.png")).unwrap();

        look();

        assert_eq!(look(), [folder.path().join("new.png")]);
    }
}
