//! `phantom`: draws a synthetic data set.

use roentgen_data::phantom::{self, Settings};
use serde_json::json;

use super::Context;
use crate::cli::Phantom;
use crate::output::{Output, thousands};

/// Draws a data set and reports what it contains.
pub(crate) fn run(args: &Phantom, context: &Context) -> anyhow::Result<Output> {
    let settings = Settings { films: args.images, size: args.size, seed: args.seed };
    let bar = context.bars.over("drawing", args.images);
    let written = phantom::write(&args.out, &settings, &|done| bar.set_position(done as u64))?;
    bar.finish_and_clear();
    let text = format!(
        "drew {} films of {} phantom patients at {} px, with {} boxes: {out}\nthe films are test \
         data\nnext: roentgen prepare {out} --out PREPARED --size {}",
        thousands(written.films),
        thousands(written.patients),
        args.size,
        written.boxes,
        args.size.min(224),
        out = args.out.display(),
    );
    Ok(Output::done(
        text,
        json!({
            "out": args.out,
            "films": written.films,
            "patients": written.patients,
            "boxes": written.boxes,
            "size": args.size,
            "seed": args.seed,
        }),
    ))
}
