//! Merges an experiment file with the files it extends and with `--set` into one experiment.
//!
//! Each file is first read strictly on its own, so that a misspelled key is reported with its line.
//! A table with a `name` (an optimizer, a schedule) replaces the other table completely, since the
//! parameters of one mean nothing to another.

use std::fs;
use std::path::{Path, PathBuf};

use serde::de::Error as _;
use toml::{Table, Value};

use crate::experiment::{Experiment, Extends};
use crate::invalid::Invalid;

/// Maximum depth of files that extend each other.
const MOST_LEVELS: usize = 3;

/// Maximum number of parts of a key; deep tables would exhaust the stack.
const MOST_PARTS: usize = 16;

/// Why an experiment could not be read.
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
    /// The file is not TOML, or has an unknown key or value.
    #[error("could not parse the experiment `{path}`")]
    Parse {
        /// The file.
        path: PathBuf,
        /// The cause, with line and column.
        source: Box<toml::de::Error>,
    },
    /// Files extend each other too deeply, or in a circle.
    #[error(
        "`{path}` extends another file at the end of a chain of {MOST_LEVELS}; use a shorter chain, \
         and check that it is not a circle"
    )]
    Deep {
        /// The file.
        path: PathBuf,
    },
    /// A `--set` is not `key=value`.
    #[error("`--set {0}` is not of the form `key=value`; write, for example, `train.epochs=5`")]
    NotASetting(String),
    /// The key or value of a `--set` is unknown.
    #[error("could not apply `--set {setting}`")]
    Setting {
        /// The setting as typed.
        setting: String,
        /// The cause.
        source: Box<toml::de::Error>,
    },
    /// A point of a sweep is not valid.
    #[error("the point `{name}` of the sweep cannot be run")]
    Point {
        /// The point.
        name: String,
        /// The cause.
        source: Box<Error>,
    },
    /// A value is not allowed.
    #[error("the experiment `{path}` cannot be run")]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The key and the values that are allowed.
        source: Invalid,
    },
}

/// Reads the experiment `path` and the files it extends, and applies `settings` in order.
///
/// # Errors
///
/// Returns an error if a file cannot be read or parsed (with line and column), if a setting is
/// unknown, or if a value is not allowed.
pub fn read(path: &Path, settings: &[String]) -> Result<Experiment, Error> {
    build(table(path, settings)?, path)
}

/// Reads the same as an unchecked table, which a sweep merges its points into.
pub(crate) fn table(path: &Path, settings: &[String]) -> Result<Table, Error> {
    let mut table = with_bases(path, 0)?;
    for setting in settings {
        apply(&mut table, setting)?;
        // Checked one by one, so that the message names the setting at fault.
        experiment(&table).map_err(|source| Error::Setting {
            setting: setting.clone(),
            source: Box::new(source),
        })?;
    }
    Ok(table)
}

/// Reads a file and merges it over the files it extends, in their order.
fn with_bases(path: &Path, depth: usize) -> Result<Table, Error> {
    let (own, extends) = read_table(path)?;
    let Some(extends) = extends else { return Ok(own) };
    if depth == MOST_LEVELS {
        return Err(Error::Deep { path: path.to_owned() });
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut table = Table::new();
    for base in extends.files() {
        merge(&mut table, with_bases(&folder.join(base), depth + 1)?);
    }
    merge(&mut table, own);
    Ok(table)
}

/// Builds an experiment from a table and checks its values; `path` is for messages.
pub(crate) fn build(table: Table, path: &Path) -> Result<Experiment, Error> {
    let mut experiment = experiment(&table)
        .map_err(|source| Error::Parse { path: path.to_owned(), source: Box::new(source) })?;
    experiment.fill_in_size();
    experiment.check().map_err(|source| Error::Invalid { path: path.to_owned(), source })?;
    Ok(experiment)
}

fn experiment(table: &Table) -> Result<Experiment, toml::de::Error> {
    if table.contains_key("extends") {
        let what = "`extends` is only possible at the top of a file";
        return Err(toml::de::Error::custom(what));
    }
    Value::Table(table.clone()).try_into()
}

/// Reads one file strictly, so that errors name its lines; returns `extends` apart from the rest.
fn read_table(path: &Path) -> Result<(Table, Option<Extends>), Error> {
    let text =
        fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
    let parse = |source| Error::Parse { path: path.to_owned(), source: Box::new(source) };
    let mut table: Table = toml::from_str(&text).map_err(parse)?;
    let strict: Experiment = toml::from_str(&text).map_err(parse)?;
    table.remove("extends");
    Ok((table, strict.extends))
}

/// Merges `over` into `under`, table by table.
pub(crate) fn merge(under: &mut Table, over: Table) {
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

/// Applies `a.b=value`; a value that is not TOML is taken as a string.
fn apply(table: &mut Table, setting: &str) -> Result<(), Error> {
    let bad = || Error::NotASetting(setting.to_owned());
    let (key, text) = setting.split_once('=').ok_or_else(bad)?;
    let parts: Vec<&str> = key.trim().split('.').collect();
    if parts.len() > MOST_PARTS || parts.iter().any(|part| part.is_empty()) {
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
    use crate::experiment::optimizer::Optimizer;

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
        assert_eq!(experiment.train.optimizer, Optimizer::ADAM);
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
    fn a_file_lies_over_all_that_it_extends_in_their_order() {
        let folder = folder(&[
            ("base.toml", BASE),
            ("step.toml", "extends = \"base.toml\"\n[train]\nepochs = 7\nbatch_size = 8\n"),
            ("protocol.toml", "[data]\nnormal = \"drop\"\n[train]\nbatch_size = 16\n"),
            ("a.toml", "extends = [\"step.toml\", \"protocol.toml\"]\nseed = 6\n"),
        ]);
        let experiment = read(&folder.path().join("a.toml"), &[]).unwrap();

        assert_eq!((experiment.seed, experiment.train.epochs), (6, 7));
        assert_eq!(experiment.train.batch_size, 16);
        assert_eq!(experiment.data.normal, roentgen_data::selection::Normal::Drop);
    }

    #[test]
    fn extends_is_a_key_at_the_top_of_a_file_and_nowhere_else() {
        let folder = folder(&[
            ("base.toml", BASE),
            ("long.toml", "seed = 6 # first\n\"extends\" = [\n  \"base.toml\",\n]\n"),
            ("number.toml", "seed = 6\nextends = 7\n"),
            ("below.toml", "[train]\nextends = \"base.toml\"\n"),
        ]);
        let read = |name: &str, settings: &[String]| read(&folder.path().join(name), settings);

        let long = read("long.toml", &[]).unwrap();
        assert_eq!((long.seed, long.train.epochs, long.extends), (6, 3, None));
        let error = read("number.toml", &[]).unwrap_err();
        let text = match &error {
            Error::Parse { source, .. } => source.to_string(),
            error => panic!("{error}"),
        };
        assert!(text.contains("line 2") && text.contains("a file name in quotes"), "{text}");
        assert!(matches!(read("below.toml", &[]), Err(Error::Parse { .. })));
        let setting = read("base.toml", &["extends=long.toml".to_owned()]);
        assert!(matches!(setting, Err(Error::Setting { .. })));
    }

    #[test]
    fn files_that_extend_each_other_in_a_circle_are_refused() {
        let folder =
            folder(&[("a.toml", "extends = \"b.toml\"\n"), ("b.toml", "extends = \"a.toml\"\n")]);

        assert!(matches!(read(&folder.path().join("a.toml"), &[]), Err(Error::Deep { .. })));
    }
}
