//! `ensemble`: score tables in, score table out.

use anyhow::bail;
use roentgen_eval::{Scores, ensemble};

use serde_json::json;

use super::predict::write_table;
use crate::cli::{Ensemble, Rule};
use crate::output::{Output, thousands};

/// Combines score tables.
pub(crate) fn run(args: &Ensemble) -> anyhow::Result<Output> {
    if !args.weights.is_empty() && !matches!(args.rule, Rule::WeightedMean) {
        bail!("`--weights` belongs to `--rule weighted-mean`; leave it out, or choose that rule");
    }
    let rule = match args.rule {
        Rule::Mean => roentgen_eval::Rule::Mean,
        Rule::WeightedMean => roentgen_eval::Rule::WeightedMean(args.weights.clone()),
        Rule::HardVote => roentgen_eval::Rule::HardVote,
        Rule::Max => roentgen_eval::Rule::Max,
    };
    let members = args.scores.iter().map(Scores::read).collect::<Result<Vec<_>, _>>()?;
    let scores = ensemble(&members, &rule)?;
    write_table(&scores, &args.out)?;
    let text = format!(
        "{} of {} members, {} films: {}",
        clap::ValueEnum::to_possible_value(&args.rule)
            .map_or_else(String::new, |name| name.get_name().to_owned()),
        members.len(),
        thousands(scores.len()),
        args.out.display()
    );
    Ok(Output::done(
        text,
        json!({ "out": args.out, "members": members.len(), "films": scores.len() }),
    ))
}
