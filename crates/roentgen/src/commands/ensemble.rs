//! `ensemble`: combines score tables into one.

use std::path::{Path, PathBuf};

use anyhow::bail;
use roentgen_data::files::create_folder_of;
use roentgen_eval::{
    EnsembleRule, Fitted, ScoredFinding, Scores, WeightScope, check_members, ensemble, fit,
};
use serde_json::json;

use crate::cli::{Ensemble, RuleName};
use crate::context::Context;
use crate::inputs::refuse_to_replace;
use crate::output::{Output, films, note, table};

/// Positive films below which the weights of a finding are mostly chance.
const FEW: usize = 10;

/// Combines score tables.
pub(crate) fn run(args: &Ensemble, context: &Context) -> anyhow::Result<Output> {
    context.check_output(&args.out)?;
    let inputs: Vec<&Path> = args.scores.iter().chain(&args.apply).map(PathBuf::as_path).collect();
    refuse_to_replace(&args.out, &inputs)?;
    let output = match args.fit {
        Some(scope) => fit_and_combine(args, scope),
        None => combine(args),
    };
    Ok(output?.keep_clear_of(&args.out))
}

/// Combines the tables by a rule that the user names.
fn combine(args: &Ensemble) -> anyhow::Result<Output> {
    let named = args.rule.unwrap_or(RuleName::Mean);
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
        "{} of {} members, {}: {}",
        clap::ValueEnum::to_possible_value(&named)
            .map_or_else(String::new, |name| name.get_name().to_owned()),
        members.len(),
        films(scores.len()),
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
    let mut notes = check_members(&valid, &test)?;
    notes.extend(too_few(&valid[0], scope));
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
    let (learned_from, applied_to) = (valid[0].len(), scores.len());
    let weights: serde_json::Map<String, serde_json::Value> =
        weights.into_iter().map(|(finding, weights)| (finding, weights.into())).collect();
    let text = format!(
        "{}\nfitted on {}: loss {loss:.4}, plain mean {mean_loss:.4}\n{}: {}",
        table(&header, &rows),
        films(learned_from),
        films(applied_to),
        args.out.display()
    );
    let json = json!({
        "out": args.out,
        "members": valid.len(),
        "films": applied_to,
        "learned_from_films": learned_from,
        "weights": weights,
        "valid_loss": loss,
        "valid_loss_of_mean": mean_loss,
        "notes": notes,
    });
    Ok(Output::done(text, json))
}

/// Says for which findings there are too few positive films to fit weights to.
fn too_few(valid: &Scores, per: WeightScope) -> Option<String> {
    let positives = |finding: &ScoredFinding| {
        finding.labels.iter().filter(|truth| **truth == Some(true)).count()
    };
    let few: Vec<String> = valid
        .findings()
        .iter()
        .filter(|finding| positives(finding) < FEW)
        .map(|finding| format!("{} ({})", finding.name, positives(finding)))
        .collect();
    match per {
        WeightScope::Finding if !few.is_empty() => Some(format!(
            "weights of findings with fewer than {FEW} positive films are mostly chance: {}; \
             `--fit model` fits one weight per member",
            few.join(", ")
        )),
        WeightScope::Finding | WeightScope::Model => None,
    }
}

fn read(paths: &[PathBuf]) -> anyhow::Result<Vec<Scores>> {
    Ok(paths.iter().map(Scores::read).collect::<Result<Vec<_>, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_with_few_positive_films_are_named_where_each_has_its_own_weights() {
        let films: Vec<String> = (0..30).map(|film| film.to_string()).collect();
        let finding = |name: &str, positives: usize| ScoredFinding {
            name: name.to_owned(),
            probabilities: vec![0.5; 30],
            labels: (0..30).map(|film| Some(film < positives)).collect(),
        };
        let findings = vec![finding("Mass", 10), finding("Hernia", 2)];
        let valid = Scores::new(films.clone(), films, findings).unwrap();

        let note = too_few(&valid, WeightScope::Finding).unwrap();
        assert!(note.contains("Hernia (2);") && !note.contains("Mass"), "{note}");
        assert_eq!(too_few(&valid, WeightScope::Model), None);
    }
}
