//! `explain`: draws where a model with attention looked.

use roentgen_tasks::explain::{self, ExplainRequest};

use super::prepare::name_bad_films;
use crate::cli::Explain;
use crate::context::Context;
use crate::output::{Ending, Output, films};

/// Draws overlays, maps and the figure.
pub(crate) fn run(args: &Explain, context: &Context) -> anyhow::Result<Output> {
    let request = ExplainRequest {
        model: &args.model,
        inputs: &args.inputs,
        split: args.split,
        most: args.most,
    };
    let explained = explain::draw(&request, &args.out, &context.device, &context.listener())?;
    name_bad_films(&explained.bad, None);
    let ending = if explained.bad.is_empty() { Ending::Done } else { Ending::BadFilms };
    Ok(Output {
        text: format!(
            "drew {} of {} (`--most` sets the number): {}",
            explained.films.len(),
            films(explained.predicted),
            explained.figure.display()
        ),
        json: serde_json::to_value(&explained)?,
        ending,
    })
}
