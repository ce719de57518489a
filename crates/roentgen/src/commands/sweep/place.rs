//! The folder of a point, with its state and its lock.
//!
//! The process that runs a point holds the lock of its folder, see [`roentgen_data::lock`].

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use roentgen_data::files;
use roentgen_data::lock::{self, FolderLock};
use roentgen_tasks::compare::valid_scores;
use roentgen_train::Facts;

/// The file with the reason why a point failed.
const FAILED: &str = "failed.txt";

/// The state of a point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PointState {
    /// It has not finished.
    Open,
    /// It has finished, and its validation films are predicted.
    Finished,
    /// It failed for this reason.
    Failed(String),
}

/// Locks the files that the points of a folder share, and waits until no other process holds the
/// lock.
pub(crate) fn lock(sweep: &Path) -> anyhow::Result<Claim> {
    Ok(Claim { _lock: FolderLock::wait(sweep)? })
}

/// A point's folder.
pub(crate) struct PointFolder {
    pub(crate) path: PathBuf,
}

/// A lock, held while a point runs.
pub(crate) struct Claim {
    _lock: FolderLock,
}

impl PointFolder {
    pub(crate) fn new(sweep: &Path, folder: &str) -> Self {
        Self { path: sweep.join("points").join(folder) }
    }

    /// Returns the folder of its run.
    pub(crate) fn run(&self) -> PathBuf {
        self.path.join("run")
    }

    /// Returns its score table of the validation films, which is written last.
    pub(crate) fn scores(&self) -> PathBuf {
        valid_scores(&self.run())
    }

    pub(crate) fn state(&self) -> anyhow::Result<PointState> {
        let failed = self.reason();
        match fs::read_to_string(&failed) {
            Ok(reason) => return Ok(PointState::Failed(reason.trim().to_owned())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                return Err(error)
                    .with_context(|| format!("could not read `{}`", failed.display()));
            }
        }
        let is_finished = self.scores().exists() && Facts::read(&self.run())?.is_some();
        Ok(if is_finished { PointState::Finished } else { PointState::Open })
    }

    /// Claims the point, unless another process holds it.
    pub(crate) fn claim(&self) -> anyhow::Result<Option<Claim>> {
        match FolderLock::take(&self.path) {
            Ok(lock) => Ok(Some(Claim { _lock: lock })),
            Err(lock::Error::Held { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the file with the reason why the point failed.
    pub(crate) fn reason(&self) -> PathBuf {
        self.path.join(FAILED)
    }

    /// Records why the point failed.
    pub(crate) fn fail(&self, reason: &str) -> anyhow::Result<()> {
        Ok(files::write_whole(&self.reason(), format!("{reason}\n").as_bytes())?)
    }

    /// Resets a failed point, so that it runs again from the start.
    pub(crate) fn reopen(&self) -> anyhow::Result<()> {
        // The run first: without `failed.txt` it would resume where it failed.
        for path in [self.run(), self.reason()] {
            let removed =
                if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            match removed {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error)
                        .with_context(|| format!("could not remove `{}`", path.display()));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Deletes the checkpoint, which only an unfinished run needs: weights and optimizer state,
    /// three
    /// times the size of the model.
    pub(crate) fn remove_checkpoint(&self) {
        let _ = fs::remove_dir_all(self.run().join("checkpoint"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_one_process_s_until_it_lets_go() {
        let folder = tempfile::tempdir().unwrap();
        let place = PointFolder::new(folder.path(), "001-a");
        let claim = place.claim().unwrap();

        assert!(claim.is_some());
        assert!(PointFolder::new(folder.path(), "001-a").claim().unwrap().is_none());
        drop(claim);
        assert!(place.claim().unwrap().is_some());
    }

    #[test]
    fn a_failed_point_says_why_and_can_be_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let place = PointFolder::new(folder.path(), "001-a");
        let _claim = place.claim().unwrap();
        place.fail("it diverged").unwrap();

        assert_eq!(place.state().unwrap(), PointState::Failed("it diverged".to_owned()));
        place.reopen().unwrap();
        assert_eq!(place.state().unwrap(), PointState::Open);
    }
}
