//! A score table that grows.

use std::collections::HashSet;
use std::fs::{File, TryLockError};
use std::io::{Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use roentgen_data::files;
use roentgen_eval::{Column, Scores};

/// The beginning of a score table.
const BEGINNING: &[u8] = b"image,patient,";

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
    ///
    /// `annotate` adds calibrated probabilities and calls to a table without them; rows that are there
    /// must have the same.
    pub(super) fn open(
        path: &Path,
        model: &str,
        annotate: &dyn Fn(&Scores) -> anyhow::Result<Scores>,
    ) -> anyhow::Result<Self> {
        files::create_folder_of(path)?;
        let failed = || format!("could not open the score table `{}`", path.display());
        if path.exists() {
            // Refuses anything but a file.
            files::open(path).with_context(failed)?;
        }
        let options = File::options().read(true).write(true).create(true).clone();
        let mut file = options.open(path).with_context(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!(
                "another `roentgen` is writing `{}`; wait until it has finished, or name another \
                 table",
                path.display()
            ),
            Err(TryLockError::Error(source)) => return Err(source).with_context(failed),
        }
        let bytes = files::read_at_most(path, u64::MAX).with_context(failed)?;
        let end_of = |end: usize| end + 1;
        let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, end_of);
        let first = bytes.iter().position(|&byte| byte == b'\n').map_or(0, end_of);
        let sources = known_films(path, &bytes, first..whole, model, annotate)?;
        // Nothing is cut off before the rest is known to be such a table.
        file.set_len(whole as u64).with_context(failed)?;
        file.seek(SeekFrom::End(0)).with_context(failed)?;
        Ok(Self { path: path.to_owned(), file, sources, header: bytes[..first].to_vec() })
    }

    /// Returns whether the table has the film in a file.
    pub(super) fn has(&self, film: &Path) -> bool {
        self.sources.contains(film.to_string_lossy().as_ref())
    }

    /// Appends the rows of a table with the same columns; they are on the disk when this returns.
    pub(super) fn append(&mut self, scores: &Scores) -> anyhow::Result<()> {
        let known = scores.column("source").unwrap_or_default();
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
        self.sources.extend(known.iter().cloned());
        Ok(())
    }
}

/// Returns the files of the films in a table with these `bytes`, whose complete rows are `rows`.
fn known_films(
    path: &Path,
    bytes: &[u8],
    rows: Range<usize>,
    model: &str,
    annotate: &dyn Fn(&Scores) -> anyhow::Result<Scores>,
) -> anyhow::Result<HashSet<String>> {
    let is_begun = bytes.starts_with(BEGINNING) || BEGINNING.starts_with(bytes);
    if !is_begun {
        bail!("`{}` is not a score table that `--watch` wrote; name another", path.display());
    }
    if rows.is_empty() {
        return Ok(HashSet::new());
    }
    let scores = Scores::parse(path, &bytes[..rows.end])?;
    let other = scores.column("model").unwrap_or_default().iter().find(|other| *other != model);
    if let Some(other) = other {
        bail!(
            "`{}` has films that were predicted by the model {other}, not by {model}; name another \
             table",
            path.display()
        );
    }
    let bare = Scores::new(
        scores.images().to_vec(),
        scores.patients().to_vec(),
        scores.findings().to_vec(),
    )?
    .with_column("model", vec![model.to_owned(); scores.len()])?;
    let added = annotate(&bare)?;
    let differs = |column: &&Column| scores.column(&column.name) != Some(column.values.as_slice());
    if let Some(column) = added.columns().iter().find(differs) {
        bail!(
            "`{}` has other values of `{}` than the model gives now; the method of calibration, the \
             operating point or what `roentgen calibrate` fitted has changed; name another table",
            path.display(),
            column.name
        );
    }
    Ok(scores.column("source").unwrap_or_default().iter().cloned().collect())
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

    fn open(path: &Path, model: &str) -> anyhow::Result<GrowingTable> {
        GrowingTable::open(path, model, &|bare| Ok(bare.clone()))
    }

    #[test]
    fn a_table_grows_to_the_bytes_of_the_whole_and_a_cut_row_is_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/scores.csv");
        let mut table = open(&path, "abc").unwrap();
        table.append(&scores(&["a.png"])).unwrap();
        table.append(&scores(&["b.png"])).unwrap();
        assert!(open(&path, "abc").is_err(), "it is locked");
        drop(table);
        let whole = fs::read(&path).unwrap();
        assert_eq!(whole, scores(&["a.png", "b.png"]).to_csv().unwrap());

        // Cut within the last row, within the first, and within the header.
        let second = whole.len() - 1;
        let header = whole.iter().position(|&byte| byte == b'\n').unwrap();
        for (length, done) in [(second, 1), (header + 3, 0), (header + 1, 0), (header - 1, 0)] {
            fs::write(&path, &whole[..length]).unwrap();
            let mut table = open(&path, "abc").unwrap();
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
        open(&path, "abc").unwrap().append(&scores(&["a.png"])).unwrap();

        let error = open(&path, "def").err().unwrap().to_string();
        assert!(error.contains("the model abc, not by def"), "{error}");
        let mut table = open(&path, "abc").unwrap();
        let other = scores(&["b.png"]).with_column("view", vec!["PA".to_owned()]).unwrap();
        assert!(table.append(&other).unwrap_err().to_string().contains("other columns"));
        drop(table);

        // Rows that were called otherwise.
        let call = |call: &'static str| {
            move |scores: &Scores| {
                let calls = vec![call.to_owned(); scores.len()];
                Ok(scores.clone().with_column("Mass.call", calls)?)
            }
        };
        let called = call("1")(&scores(&["a.png"])).unwrap();
        fs::remove_file(&path).unwrap();
        GrowingTable::open(&path, "abc", &call("1")).unwrap().append(&called).unwrap();
        assert!(GrowingTable::open(&path, "abc", &call("1")).unwrap().has(Path::new("in/a.png")));
        let error = GrowingTable::open(&path, "abc", &call("0")).err().unwrap().to_string();
        assert!(error.contains("other values of `Mass.call`"), "{error}");
    }

    #[test]
    fn another_file_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.txt");
        for text in ["notes", "notes\n", "notes\nand more", "image,finding\na,b"] {
            fs::write(&path, text).unwrap();

            let error = open(&path, "abc").err().unwrap().to_string();

            assert!(error.contains("is not a score table"), "{error}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }
}
