//! An experiment file with what it extends and what `--set` changes, merged into one experiment.
//!
//! Each file is first read strictly on its own, so that a misspelled key is reported with its line;
//! a table with a `name` (an optimizer, a schedule) replaces the other whole, since the parameters
//! of one mean nothing to another.

use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::experiment::{Experiment, Invalid};

/// Why there is no experiment.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file could not be read.
    #[error("could not read the experiment `{path}`")]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The file is not TOML, or has a key or value that is not known.
    #[error("could not understand the experiment `{path}`")]
    Parse {
        /// The file.
        path: PathBuf,
        /// The cause, with line and column.
        source: Box<toml::de::Error>,
    },
    /// `extends` that names no file.
    #[error("`extends` in `{path}` is the name of a file in quotes, beside this one")]
    Extends {
        /// The file.
        path: PathBuf,
    },
    /// `extends` of a file that itself extends another.
    #[error("`{path}` extends `{base}`, which extends another file; one level is allowed")]
    Deep {
        /// The file.
        path: PathBuf,
        /// What it extends.
        base: PathBuf,
    },
    /// A `--set` that is not `key=value`.
    #[error("`--set {0}` is not `key=value`, such as `train.epochs=5`")]
    NotASetting(String),
    /// A `--set` whose key or value is not known.
    #[error("could not apply `--set {setting}`")]
    Setting {
        /// The setting as typed.
        setting: String,
        /// The cause.
        source: Box<toml::de::Error>,
    },
    /// A value that cannot be.
    #[error("the experiment `{path}` cannot be run")]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The key and what to write.
        source: Invalid,
    },
}

/// Reads the experiment `path`, what it extends, and applies `settings` in order.
///
/// # Errors
///
/// Files that cannot be read or understood, with line and column; settings that are not known;
/// values that cannot be.
pub fn read(path: &Path, settings: &[String]) -> Result<Experiment, Error> {
    let mut table = read_table(path)?;
    if let Some(base) = table.remove("extends") {
        let base = base.as_str().map(|base| path.parent().unwrap_or(Path::new(".")).join(base));
        let base = base.ok_or_else(|| Error::Extends { path: path.to_owned() })?;
        let mut under = read_table(&base)?;
        if under.contains_key("extends") {
            return Err(Error::Deep { path: path.to_owned(), base });
        }
        merge(&mut under, table);
        table = under;
    }
    for setting in settings {
        apply(&mut table, setting)?;
        // Checked one by one, so that the message names the setting at fault.
        experiment(&table).map_err(|source| Error::Setting {
            setting: setting.clone(),
            source: Box::new(source),
        })?;
    }
    let experiment = experiment(&table)
        .map_err(|source| Error::Parse { path: path.to_owned(), source: Box::new(source) })?;
    experiment.check().map_err(|source| Error::Invalid { path: path.to_owned(), source })?;
    Ok(experiment)
}

fn experiment(table: &Table) -> Result<Experiment, toml::de::Error> {
    Value::Table(table.clone()).try_into()
}

/// Reads one file strictly, so that errors carry its lines.
fn read_table(path: &Path) -> Result<Table, Error> {
    let text =
        fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
    let parse = |source| Error::Parse { path: path.to_owned(), source: Box::new(source) };
    let table: Table = toml::from_str(&text).map_err(parse)?;
    // `extends` is no key of an experiment; blanked in place, it leaves every line where it was.
    let own: String = text
        .lines()
        .map(|line| if is_extends(line) { "\n".to_owned() } else { format!("{line}\n") })
        .collect();
    toml::from_str::<Experiment>(&own).map_err(parse)?;
    Ok(table)
}

fn is_extends(line: &str) -> bool {
    line.trim_start().strip_prefix("extends").is_some_and(|rest| rest.trim_start().starts_with('='))
}

/// Lays `over` on `under`, table by table.
fn merge(under: &mut Table, over: Table) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) if !above.contains_key("name") => {
                merge(below, above);
            }
            (_, value) => {
                under.insert(key, value);
            }
        }
    }
}

/// Sets `a.b=value`; a value that is not TOML is taken as a string.
fn apply(table: &mut Table, setting: &str) -> Result<(), Error> {
    let bad = || Error::NotASetting(setting.to_owned());
    let (key, text) = setting.split_once('=').ok_or_else(bad)?;
    let parts: Vec<&str> = key.trim().split('.').collect();
    if parts.iter().any(|part| part.is_empty()) {
        return Err(bad());
    }
    let value = toml::from_str::<Table>(&format!("value = {text}"))
        .ok()
        .and_then(|mut table| table.remove("value"))
        .unwrap_or_else(|| Value::String(text.trim().to_owned()));
    let over = parts
        .iter()
        .rev()
        .fold(value, |value, part| Value::Table(Table::from_iter([((*part).to_owned(), value)])));
    match over {
        Value::Table(over) => merge(table, over),
        _ => return Err(bad()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimizer::Optimizer;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    const BASE: &str = "seed = 5\n[data]\nprepared = \"films\"\n[train]\nepochs = 3\n\
                        optimizer = { name = \"sgd\", momentum = 0.9 }\n";

    #[test]
    fn an_experiment_is_its_base_and_its_differences_and_settings() {
        let folder = folder(&[
            ("base.toml", BASE),
            ("a.toml", "extends = \"base.toml\"\n[train]\noptimizer = { name = \"adam\" }\n"),
        ]);
        let settings = ["train.epochs=7".to_owned(), "model.pool=attention".to_owned()];
        let experiment = read(&folder.path().join("a.toml"), &settings).unwrap();

        assert_eq!((experiment.seed, experiment.train.epochs), (5, 7));
        assert_eq!(experiment.train.optimizer, Optimizer::Adam);
        assert_eq!(experiment.model.pool, roentgen_models::Pool::Attention);
    }

    #[test]
    fn a_misspelled_key_is_refused_with_its_line_even_below_extends() {
        let folder = folder(&[
            ("base.toml", BASE),
            ("a.toml", "extends = \"base.toml\"\n[train]\nepoch = 1\n"),
        ]);
        let error = read(&folder.path().join("a.toml"), &[]).unwrap_err();

        assert!(
            matches!(&error, Error::Parse { source, .. } if source.to_string().contains("line 3"))
        );
    }

    #[test]
    fn a_setting_of_an_unknown_key_is_named() {
        let folder = folder(&[("base.toml", BASE)]);
        let error = read(&folder.path().join("base.toml"), &["train.epoch=1".to_owned()]);

        assert!(matches!(error, Err(Error::Setting { setting, .. }) if setting == "train.epoch=1"));
    }

    #[test]
    fn two_levels_of_extends_are_refused() {
        let folder = folder(&[
            ("a.toml", "extends = \"b.toml\"\n"),
            ("b.toml", "extends = \"c.toml\"\n"),
            ("c.toml", BASE),
        ]);

        assert!(matches!(read(&folder.path().join("a.toml"), &[]), Err(Error::Deep { .. })));
    }
}
