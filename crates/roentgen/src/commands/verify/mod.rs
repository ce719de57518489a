//! `verify`: hashes the files of prepared data sets and models, even if they were hashed before, and
//! compares score tables with them.

mod data_set;
mod model;
mod scores;

use std::path::{Path, PathBuf};

use anyhow::bail;
use roentgen_data::prepare::Prepared;
use roentgen_models::model_dir;
use roentgen_tasks::verify::KnownFolders;
use serde_json::{Value, json};

use crate::cli::Verify;
use crate::context::Context;
use crate::output::{Ending, Output};

/// What was found out about one path.
struct Report {
    text: String,
    json: Value,
    is_sound: bool,
}

/// Verifies each path.
pub(crate) fn run(args: &Verify, context: &Context) -> anyhow::Result<Output> {
    let known = known(&args.paths);
    if let [path] = args.paths.as_slice() {
        let Report { text, json, is_sound } = report(path, &known, context)?;
        return Ok(Output { text, json, ending: ending(is_sound) });
    }
    let mut texts = Vec::new();
    let mut documents = Vec::new();
    let mut are_sound = true;
    for path in &args.paths {
        let of_path = report(path, &known, context).unwrap_or_else(|error| Report {
            text: format!("error: {error:#}"),
            json: json!({ "is_sound": false, "error": format!("{error:#}") }),
            is_sound: false,
        });
        texts.push(format!("{}\n{}", path.display(), of_path.text));
        let mut document = of_path.json;
        document["path"] = json!(path);
        documents.push(document);
        are_sound &= of_path.is_sound;
    }
    let json = json!({ "is_sound": are_sound, "verified": documents });
    Ok(Output { text: texts.join("\n\n"), json, ending: ending(are_sound) })
}

fn ending(is_sound: bool) -> Ending {
    if is_sound { Ending::Done } else { Ending::BadFilms }
}

/// Returns the models and data sets with which tables are compared; damaged ones are left out.
fn known(paths: &[PathBuf]) -> KnownFolders {
    let models = paths.iter().filter(|path| model_dir::is_model(path)).filter_map(|path| {
        let identity = model_dir::identity(path).ok()?;
        Some((path.clone(), identity))
    });
    let data = paths.iter().filter(|path| Prepared::is_prepared(path)).cloned();
    KnownFolders { models: models.collect(), data: data.collect() }
}

fn report(path: &Path, known: &KnownFolders, context: &Context) -> anyhow::Result<Report> {
    if Prepared::is_prepared(path) {
        data_set::report(path, context)
    } else if model_dir::is_model(path) {
        model::report(path)
    } else if path.is_dir() {
        bail!(
            "`{}` is neither a prepared data set nor a model: it has no `prepare.toml` and no `{}`",
            path.display(),
            model_dir::DESCRIPTION
        )
    } else {
        scores::report(path, known, context)
    }
}
