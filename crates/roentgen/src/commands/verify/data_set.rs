//! Verifies a prepared data set.

use std::path::Path;

use roentgen_data::prepare::{self, FileState};
use serde_json::json;

use super::Report;
use crate::context::Context;
use crate::output::table;
use crate::progress::Hashing;

/// Hashes all files of the data set in `folder`.
pub(super) fn report(folder: &Path, context: &Context) -> anyhow::Result<Report> {
    let bar = Hashing::new(context.bars);
    let found = prepare::verify(folder, &|done, bytes| bar.set(done, bytes))?;
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
    Ok(Report { text, json, is_sound })
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
