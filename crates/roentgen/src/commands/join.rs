//! `join`: joins the score tables of the parts of one prediction.

use std::path::{Path, PathBuf};

use roentgen_data::files::create_folder_of;
use roentgen_eval::Scores;
use serde_json::json;

use crate::cli::Join;
use crate::context::Context;
use crate::inputs::refuse_to_replace;
use crate::output::{Output, films, note};

/// Reads the tables and writes one.
pub(crate) fn run(args: &Join, context: &Context) -> anyhow::Result<Output> {
    context.check_output(&args.out)?;
    let inputs: Vec<&Path> = args.parts.iter().map(PathBuf::as_path).collect();
    refuse_to_replace(&args.out, &inputs)?;
    let parts: Vec<Scores> = args.parts.iter().map(Scores::read).collect::<Result<_, _>>()?;
    let scores = Scores::join(&parts)?;
    let models = scores.column("model").unwrap_or_default();
    if models.is_empty() || models.iter().any(|model| model.trim().is_empty()) {
        note(
            "warning: it is unknown whether one model predicted all films, because the tables have no \
             column `model` or empty cells in it",
        );
    }
    create_folder_of(&args.out)?;
    scores.write(&args.out)?;
    let text = format!("{} of {} parts: {}", films(scores.len()), parts.len(), args.out.display());
    let json = json!({ "out": args.out, "parts": parts.len(), "films": scores.len() });
    Ok(Output::done(text, json).keep_clear_of(&args.out))
}
