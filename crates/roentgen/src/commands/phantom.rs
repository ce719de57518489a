//! `phantom`: draws a synthetic data set.

use std::path::Path;

use roentgen_phantom::{self as phantom, PhantomCounts, PhantomSettings};
use serde_json::json;

use crate::cli::Phantom;
use crate::context::Context;
use crate::output::{Output, quote, thousands};

/// Draws a data set and reports what it contains.
pub(crate) fn run(args: &Phantom, context: &Context) -> anyhow::Result<Output> {
    let settings = PhantomSettings { films: args.films, size: args.size, seed: args.seed };
    let written = draw(&args.out, &settings, context)?;
    let text = format!(
        "drew {} films of {} phantom patients at {} px, with {} boxes: {out}\nthe films are test \
         data\nnext: roentgen prepare {out} --out PREPARED --size {}",
        thousands(written.films),
        thousands(written.patients),
        args.size,
        written.boxes,
        args.size.min(224),
        out = quote(&args.out),
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

/// Draws a data set and shows a bar.
pub(crate) fn draw(
    out: &Path,
    settings: &PhantomSettings,
    context: &Context,
) -> anyhow::Result<PhantomCounts> {
    let bar = context.bars.add_bar("drawing", settings.films);
    let written = phantom::write(out, settings, &|done| bar.set_position(done as u64))?;
    bar.finish_and_clear();
    Ok(written)
}
