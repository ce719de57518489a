//! Verifies a score table.

use std::path::Path;

use roentgen_tasks::verify::{self, KnownFolders};
use serde_json::json;

use super::Report;
use crate::context::Context;
use crate::output::{films, thousands};

/// Compares the table at `path` with the models and data sets that are known.
pub(super) fn report(
    path: &Path,
    known: &KnownFolders,
    context: &Context,
) -> anyhow::Result<Report> {
    let found = verify::table(path, known, &context.listener())?;
    let is_sound = found.problems.is_empty();
    let or_unknown = |text: Option<String>| text.unwrap_or_else(|| "unknown".to_owned());
    let identity =
        |one: &Option<roentgen_eval::Identity>| or_unknown(one.as_ref().map(ToString::to_string));
    let training = match (&found.training, &found.refusal) {
        (_, Some(refusal)) => format!("`evaluate` refuses it: {refusal}"),
        (Some(marks), None) if marks.unknown > 0 => {
            format!("unknown for {} of {}", thousands(marks.unknown), films(found.films))
        }
        (Some(marks), None) => format!("{} of its patients were trained on", marks.patients),
        (None, None) => "unknown".to_owned(),
    };
    let compared = |count: usize, what: &str| match count {
        0 => format!("{what}: unknown, not compared"),
        count => format!("{what}: {} compared", films(count)),
    };
    let mut lines = vec![
        format!("{}, {} findings", films(found.films), found.findings),
        format!("model: {}", identity(&found.model)),
        format!("data set: {}", identity(&found.dataset_id)),
        format!("split: {}", or_unknown(found.split.clone())),
        format!("training: {training}"),
        compared(found.compared, "patients and labels"),
        compared(found.compared_split, "split and training marks"),
    ];
    lines.extend(found.problems.iter().cloned());
    lines.push(match (is_sound, found.compared) {
        (false, _) => "not the table that `predict` wrote; predict the films again".to_owned(),
        (true, 0) => "nothing is known to be wrong; give its model and its prepared data set to \
                      compare it with them"
            .to_owned(),
        (true, _) => "no difference was found".to_owned(),
    });
    let mut json = json!({ "kind": "scores", "is_sound": is_sound });
    if let (Some(document), serde_json::Value::Object(facts)) =
        (json.as_object_mut(), serde_json::to_value(&found)?)
    {
        document.extend(facts);
    }
    Ok(Report { text: lines.join("\n"), json, is_sound })
}
