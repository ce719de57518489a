//! `ensemble`: combines score tables into one.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use roentgen_data::files::create_folder_of;
use roentgen_eval::{EnsembleRule, Fitted, Scores, WeightScope, check_members, ensemble, fit};
use serde_json::json;

use crate::cli::{Ensemble, RuleName};
use crate::context::Context;
use crate::output::{Output, note, table, thousands};

/// Combines score tables.
pub(crate) fn run(args: &Ensemble, context: &Context) -> anyhow::Result<Output> {
    context.check_output(&args.out)?;
    let output = match args.fit {
        Some(scope) => fit_and_combine(args, scope),
        None => combine(args),
    };
    Ok(output?.keep_clear_of(&args.out))
}

/// Combines the tables by a rule that the user names.
fn combine(args: &Ensemble) -> anyhow::Result<Output> {
    let named = args.rule.context("give `--rule` or `--fit`")?;
    if !args.weights.is_empty() && !matches!(named, RuleName::WeightedMean) {
        bail!("`--weights` needs `--rule weighted-mean`; leave it out, or choose that rule");
    }
    let rule = match named {
        RuleName::Mean => EnsembleRule::Mean,
        RuleName::WeightedMean => EnsembleRule::WeightedMean(args.weights.clone()),
        RuleName::HardVote => EnsembleRule::HardVote,
        RuleName::Max => EnsembleRule::Max,
    };
    let members = read(&args.scores)?;
    let scores = ensemble(&members, &rule)?;
    create_folder_of(&args.out)?;
    scores.write(&args.out)?;
    let text = format!(
        "{} of {} members, {} films: {}",
        clap::ValueEnum::to_possible_value(&named)
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

/// Fits weights on validation films and applies them to other films.
fn fit_and_combine(args: &Ensemble, scope: WeightScope) -> anyhow::Result<Output> {
    let (valid, test) = (read(&args.scores)?, read(&args.apply)?);
    let notes = check_members(&valid, &test)?;
    for unchecked in &notes {
        note(&format!("note: {unchecked}"));
    }
    let Fitted { rule, mean_loss, loss } = fit(&valid, scope)?;
    let scores = ensemble(&test, &rule)?;
    create_folder_of(&args.out)?;
    scores.write(&args.out)?;

    let weights: Vec<(String, Vec<f64>)> = match rule {
        EnsembleRule::WeightedMean(weights) => {
            vec![("all findings".to_owned(), weights)]
        }
        EnsembleRule::WeightedByFinding(weights) => weights,
        EnsembleRule::Mean | EnsembleRule::HardVote | EnsembleRule::Max => Vec::new(),
    };
    let numbers: Vec<String> = (1..=valid.len()).map(|member| member.to_string()).collect();
    let header: Vec<&str> =
        std::iter::once("weight of member").chain(numbers.iter().map(String::as_str)).collect();
    let rows: Vec<Vec<String>> = weights
        .iter()
        .map(|(finding, weights)| {
            let cells = weights.iter().map(|weight| format!("{weight:.3}"));
            std::iter::once(finding.clone()).chain(cells).collect()
        })
        .collect();
    let (learned_from, films) = (valid[0].len(), scores.len());
    let weights: serde_json::Map<String, serde_json::Value> =
        weights.into_iter().map(|(finding, weights)| (finding, weights.into())).collect();
    let text = format!(
        "{}\nfitted on {} films: loss {loss:.4}, plain mean {mean_loss:.4}\n{} films: {}",
        table(&header, &rows),
        thousands(learned_from),
        thousands(films),
        args.out.display()
    );
    let json = json!({
        "out": args.out,
        "members": valid.len(),
        "films": films,
        "learned_from_films": learned_from,
        "weights": weights,
        "valid_loss": loss,
        "valid_loss_of_mean": mean_loss,
        "notes": notes,
    });
    Ok(Output::done(text, json))
}

fn read(paths: &[PathBuf]) -> anyhow::Result<Vec<Scores>> {
    Ok(paths.iter().map(Scores::read).collect::<Result<Vec<_>, _>>()?)
}
