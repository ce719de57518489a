//! A score table that grows.

use std::collections::HashSet;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use roentgen_data::files;
use roentgen_eval::Scores;

/// The table, locked for this process.
pub(super) struct GrowingTable {
    path: PathBuf,
    file: File,
    /// The files of its films.
    sources: HashSet<String>,
    /// Its first line; empty in a new table.
    header: Vec<u8>,
}

impl GrowingTable {
    /// Opens or creates the table, and removes a last row that was not written completely.
    pub(super) fn open(path: &Path, model: &str) -> anyhow::Result<Self> {
        files::create_folder_of(path)?;
        let failed = || format!("could not open the score table `{}`", path.display());
        if path.exists() {
            // Refuses anything but a file.
            files::open(path).with_context(failed)?;
        }
        let options = File::options().read(true).write(true).create(true).clone();
        let mut file = options.open(path).with_context(failed)?;
        if file.try_lock().is_err() {
            bail!(
                "another `roentgen` is writing `{}`; wait until it has finished, or name another \
                 table",
                path.display()
            );
        }
        let bytes = files::read_at_most(path, u64::MAX).with_context(failed)?;
        let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        file.set_len(whole as u64).with_context(failed)?;
        file.seek(SeekFrom::End(0)).with_context(failed)?;
        let first = bytes[..whole].iter().position(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        let mut table = Self {
            path: path.to_owned(),
            file,
            sources: HashSet::new(),
            header: bytes[..first].to_vec(),
        };
        if whole > first {
            table.read(model)?;
        }
        Ok(table)
    }

    /// Reads which films the table has.
    fn read(&mut self, model: &str) -> anyhow::Result<()> {
        let scores = Scores::read(&self.path)?;
        let other = scores.column("model").unwrap_or_default().iter().find(|other| *other != model);
        if let Some(other) = other {
            bail!(
                "`{}` has films that were predicted by the model {other}, not by {model}; name \
                 another table",
                self.path.display()
            );
        }
        self.sources.extend(scores.column("source").unwrap_or_default().iter().cloned());
        Ok(())
    }

    /// Returns whether the table has the film in a file.
    pub(super) fn has(&self, film: &Path) -> bool {
        self.sources.contains(film.to_string_lossy().as_ref())
    }

    /// Appends the rows of a table with the same columns; they are on the disk when this returns.
    pub(super) fn append(&mut self, scores: &Scores) -> anyhow::Result<()> {
        let text = scores.to_csv()?;
        let first = text.iter().position(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        let (header, rows) = text.split_at(first);
        let is_new = self.header.is_empty();
        if !is_new && header != self.header {
            bail!(
                "`{}` has other columns than the predictions of this model; name another table",
                self.path.display()
            );
        }
        let added = if is_new { &text } else { rows };
        self.file.write_all(added).and_then(|()| self.file.sync_data()).with_context(|| {
            format!("could not write to the score table `{}`", self.path.display())
        })?;
        self.header = header.to_vec();
        self.sources.extend(scores.column("source").unwrap_or_default().iter().cloned());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use roentgen_eval::ScoredFinding;

    use super::*;

    fn scores(films: &[&str]) -> Scores {
        let texts = |of: &dyn Fn(&str) -> String| films.iter().map(|film| of(film)).collect();
        let mass = ScoredFinding {
            name: "Mass".to_owned(),
            probabilities: vec![0.25; films.len()],
            labels: vec![None; films.len()],
        };
        Scores::new(texts(&|film| film.to_owned()), texts(&|_| "1".to_owned()), vec![mass])
            .and_then(|scores| scores.with_column("source", texts(&|film| format!("in/{film}"))))
            .and_then(|scores| scores.with_column("model", texts(&|_| "abc".to_owned())))
            .unwrap()
    }

    #[test]
    fn a_table_grows_to_the_bytes_of_the_whole_and_a_cut_row_is_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/scores.csv");
        let mut table = GrowingTable::open(&path, "abc").unwrap();
        table.append(&scores(&["a.png"])).unwrap();
        table.append(&scores(&["b.png"])).unwrap();
        assert!(GrowingTable::open(&path, "abc").is_err(), "it is locked");
        drop(table);
        let whole = fs::read(&path).unwrap();
        assert_eq!(whole, scores(&["a.png", "b.png"]).to_csv().unwrap());

        // Cut within the last row, within the first, and within the header.
        let second = whole.len() - 1;
        let header = whole.iter().position(|&byte| byte == b'\n').unwrap();
        for (length, done) in [(second, 1), (header + 3, 0), (header + 1, 0), (header - 1, 0)] {
            fs::write(&path, &whole[..length]).unwrap();
            let mut table = GrowingTable::open(&path, "abc").unwrap();
            assert_eq!(table.has(Path::new("in/a.png")), done == 1, "{length}");
            assert!(!table.has(Path::new("in/b.png")), "{length}");
            let missing: Vec<&str> = ["a.png", "b.png"][done..].to_vec();
            table.append(&scores(&missing)).unwrap();
            drop(table);
            assert_eq!(fs::read(&path).unwrap(), whole, "{length}");
        }
    }

    #[test]
    fn a_table_of_another_model_or_with_other_columns_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("scores.csv");
        GrowingTable::open(&path, "abc").unwrap().append(&scores(&["a.png"])).unwrap();

        let error = GrowingTable::open(&path, "def").err().unwrap().to_string();
        assert!(error.contains("the model abc, not by def"), "{error}");
        let mut table = GrowingTable::open(&path, "abc").unwrap();
        let other = scores(&["b.png"]).with_column("view", vec!["PA".to_owned()]).unwrap();
        assert!(table.append(&other).unwrap_err().to_string().contains("other columns"));
    }
}
