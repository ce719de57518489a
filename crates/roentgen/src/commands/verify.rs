//! `verify`: hashes the files of a prepared data set or a model, even if they were hashed before.

use std::path::Path;

use anyhow::bail;
use roentgen_data::prepare::{self, FileState, Prepared};
use roentgen_models::{ModelInfo, model_dir};
use roentgen_train::films::TrainingFilms;
use serde_json::json;

use crate::cli::Verify;
use crate::context::Context;
use crate::output::{Ending, Output, table};

/// Verifies a folder.
pub(crate) fn run(args: &Verify, context: &Context) -> anyhow::Result<Output> {
    let folder = &args.folder;
    if Prepared::is_prepared(folder) {
        return data_set(folder, context);
    }
    if folder.join(model_dir::DESCRIPTION).exists() {
        return model(folder);
    }
    bail!(
        "`{}` is neither a prepared data set nor a model: it has no `prepare.toml` and no `{}`",
        folder.display(),
        model_dir::DESCRIPTION
    )
}

fn data_set(folder: &Path, context: &Context) -> anyhow::Result<Output> {
    let bar = context.bars.over_bytes("hashing");
    let progress = |done: u64, all: u64| {
        bar.set_length(all);
        bar.set_position(done);
    };
    let found = prepare::verify(folder, &progress)?;
    bar.finish_and_clear();
    let rows: Vec<Vec<String>> = found
        .files
        .iter()
        .map(|file| vec![file.name.clone(), file.bytes.to_string(), state(file.state).to_owned()])
        .collect();
    let mut text = table(&["file", "bytes", "state"], &rows);
    found.problems.iter().for_each(|problem| text.push_str(&format!("\n{problem}")));
    let is_sound = found.is_sound();
    text.push_str(if is_sound {
        "\nno file has changed"
    } else {
        "\nnot the data set that `prepare` wrote; run `roentgen prepare` again into a new folder"
    });
    let json = json!({ "kind": "prepared", "is_sound": is_sound, "found": found });
    let ending = if is_sound { Ending::Done } else { Ending::BadFilms };
    Ok(Output { text, json, ending })
}

fn state(state: FileState) -> &'static str {
    match state {
        FileState::Matches => "matches",
        FileState::Changed => "changed",
        FileState::Missing => "missing",
        FileState::Unexpected => "unexpected",
        FileState::Unknown => "unknown: no hash was recorded",
    }
}

fn model(folder: &Path) -> anyhow::Result<Output> {
    let description = ModelInfo::read(folder)?;
    let identity = model_dir::identity(folder)?;
    let training = TrainingFilms::read(folder, &description)?;
    let known = |is_known| if is_known { "matches" } else { "unknown: no hash was recorded" };
    let weights = known(description.weights_sha256.is_some());
    let is_lost = training.is_none() && description.films_sha256.is_some();
    let films = match &training {
        None if is_lost => "missing: it is unknown which patients were in training",
        None => "none: it is unknown which patients were in training",
        Some(_) => known(description.films_sha256.is_some()),
    };
    let text = format!("model {identity}\nmodel.bpk: {weights}\nfilms.csv: {films}");
    let json = json!({
        "kind": "model",
        "is_sound": !is_lost,
        "identity": identity,
        "weights": weights,
        "films": films,
    });
    let ending = if is_lost { Ending::BadFilms } else { Ending::Done };
    Ok(Output { text, json, ending })
}
