//! Fits the weights of an ensemble to validation tables.
//!
//! A weighted mean of probabilities is a mixture, and the cross entropy of the label under it is
//! convex in the weights. Expectation-maximization for the weights of a mixture (Dempster, Laird
//! and Rubin, 1977) converges to the single optimum without a step size: each member gets the share
//! of the label that it explains. Weights must not be evaluated on the films they were fitted to.

use std::collections::HashSet;

use crate::{EnsembleRule, Error, Scores, ensemble::align, members::refuse_training_films};

/// Maximum number of steps; a fit of a few members has converged long before.
const STEPS: usize = 2000;
/// The fit has converged when no weight changes by more than this.
const STILL: f64 = 1e-9;
/// Lower limit of probabilities, so that one certain and wrong answer does not silence a member.
const LEAST: f64 = 1e-7;

/// What a weight belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WeightScope {
    /// One weight per member.
    Model,
    /// One weight per member and finding; a finding with only one class takes the members' weights.
    Finding,
}

/// Fitted weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    /// The rule with its weights, for [`ensemble`](crate::ensemble()).
    pub rule: EnsembleRule,
    /// Cross entropy of the members' mean on the films used for fitting.
    pub mean_loss: f64,
    /// The same with the fitted weights; never larger.
    pub loss: f64,
}

/// Fits weights to tables of the same films, one per member.
///
/// # Errors
///
/// Returns an error if the tables do not have the same films, if there are no members, if no label
/// is known, or if a film or its patient was trained on.
pub fn fit(members: &[Scores], per: WeightScope) -> Result<Fitted, Error> {
    let refuse = |problem: &str| Error::Weights { problem: problem.to_owned() };
    let Some((first, others)) = members.split_first() else {
        return Err(refuse("no score tables were given\ngive at least one score table"));
    };
    refuse_training_films(members)?;
    let aligned = others.iter().map(|other| align(first, other)).collect::<Result<Vec<_>, _>>()?;
    let tables: Vec<&Scores> = std::iter::once(first).chain(&aligned).collect();
    let findings: Vec<Vec<Vec<f64>>> =
        (0..first.findings().len()).map(|finding| collect_explained(&tables, finding)).collect();
    let all: Vec<Vec<f64>> = findings.iter().flatten().cloned().collect();
    if all.is_empty() {
        return Err(refuse("no label is known\nfit to films with labels"));
    }
    let equal = vec![1.0 / members.len() as f64; members.len()];
    let common = maximize(&all, &equal);
    let rule = match per {
        WeightScope::Model => EnsembleRule::WeightedMean(common),
        WeightScope::Finding => {
            let of = |(finding, pairs): (&crate::ScoredFinding, &Vec<Vec<f64>>)| {
                let labels: HashSet<bool> =
                    finding.labeled_films().map(|(_, _, label)| label).collect();
                let own = if labels.len() == 2 { maximize(pairs, &common) } else { common.clone() };
                (finding.name.clone(), own)
            };
            EnsembleRule::WeightedByFinding(
                first.findings().iter().zip(&findings).map(of).collect(),
            )
        }
    };
    let loss = |weights: &dyn Fn(usize) -> Vec<f64>| {
        let sums = findings.iter().enumerate().map(|(finding, pairs)| {
            let weights = weights(finding);
            -pairs.iter().map(|pair| mixed(pair, &weights).ln()).sum::<f64>()
        });
        sums.sum::<f64>() / all.len() as f64
    };
    let learned = loss(&|finding| match &rule {
        EnsembleRule::WeightedByFinding(weights) => weights[finding].1.clone(),
        EnsembleRule::WeightedMean(weights) => weights.clone(),
        EnsembleRule::Mean | EnsembleRule::HardVote | EnsembleRule::Max => equal.clone(),
    });
    Ok(Fitted { mean_loss: loss(&|_| equal.clone()), loss: learned, rule })
}

/// Returns, for each film of known label, the probability that each member gave to the label.
fn collect_explained(tables: &[&Scores], finding: usize) -> Vec<Vec<f64>> {
    let own = &tables[0].findings()[finding];
    let of_film = |(row, _, label): (usize, f64, bool)| {
        let given = tables.iter().map(|table| {
            let p = table.findings()[finding].probabilities[row];
            (if label { p } else { 1.0 - p }).max(LEAST)
        });
        given.collect()
    };
    own.labeled_films().map(of_film).collect()
}

fn mixed(pair: &[f64], weights: &[f64]) -> f64 {
    pair.iter().zip(weights).map(|(p, weight)| p * weight).sum()
}

/// Improves the weights until they converge; a member at zero would stay there, so none starts at
/// zero.
fn maximize(pairs: &[Vec<f64>], start: &[f64]) -> Vec<f64> {
    let mut weights: Vec<f64> = start.iter().map(|weight| weight.max(1e-3)).collect();
    let sum: f64 = weights.iter().sum();
    weights.iter_mut().for_each(|weight| *weight /= sum);
    for _ in 0..STEPS {
        let mut shares = vec![0.0; weights.len()];
        for pair in pairs {
            let whole = mixed(pair, &weights);
            for ((share, p), weight) in shares.iter_mut().zip(pair).zip(&weights) {
                *share += p * weight / whole;
            }
        }
        shares.iter_mut().for_each(|share| *share /= pairs.len() as f64);
        let moved = shares.iter().zip(&weights).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        weights = shares;
        if moved < STILL {
            break;
        }
    }
    weights
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BootstrapOptions, ScoredFinding, ensemble, log_loss};

    fn table(name: &str, p: impl Fn(usize, bool) -> f64) -> Scores {
        let films = 90;
        let label = |i: usize, every: usize| i % every == every - 1;
        let finding = |finding: &str, every: usize| ScoredFinding {
            name: finding.into(),
            probabilities: (0..films).map(|i| p(i, label(i, every))).collect(),
            labels: (0..films).map(|i| Some(label(i, every))).collect(),
        };
        let texts = |what: &str| (0..films).map(|i| format!("{what}{name}{i}")).collect();
        Scores::new(texts("i"), texts("p"), vec![finding("Mass", 3), finding("Never", 1000)])
            .unwrap()
    }

    /// One member that knows something, one that says the opposite, one that says a third to all.
    fn members(name: &str) -> Vec<Scores> {
        let noise = |i: usize| (i * 29 % 31) as f64 / 100.0;
        vec![
            table(name, |i, label| if label { 0.5 + noise(i) } else { 0.35 - noise(i) }),
            table(name, |i, label| if label { 0.3 - noise(i) / 2.0 } else { 0.6 + noise(i) }),
            table(name, |_, _| 0.3),
        ]
    }

    fn loss(scores: &Scores) -> f64 {
        log_loss(scores, &BootstrapOptions { resamples: 0, seed: 0 }).unwrap().value
    }

    #[test]
    fn the_weights_are_the_best_of_a_fine_grid() {
        let members = members("");
        let fitted = fit(&members, WeightScope::Model).unwrap();
        let EnsembleRule::WeightedMean(weights) = &fitted.rule else { panic!("{:?}", fitted.rule) };
        let mut best = f64::INFINITY;
        for a in 0..=40 {
            for b in 0..=40 - a {
                let weights = [a, b, 40 - a - b].map(f64::from).to_vec();
                best = best
                    .min(loss(&ensemble(&members, &EnsembleRule::WeightedMean(weights)).unwrap()));
            }
        }

        assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        assert!(weights[1] < 0.05, "{weights:?}");
        assert!(fitted.loss <= best + 1e-9 && fitted.loss > best - 1e-3, "{} {best}", fitted.loss);
        assert!(fitted.loss < fitted.mean_loss);
        assert!((loss(&ensemble(&members, &fitted.rule).unwrap()) - fitted.loss).abs() < 1e-6);
    }

    #[test]
    fn a_finding_of_one_class_takes_the_weights_of_all() {
        let fitted = fit(&members(""), WeightScope::Finding).unwrap();
        let common = fit(&members(""), WeightScope::Model).unwrap();
        let EnsembleRule::WeightedByFinding(weights) = fitted.rule else { panic!() };
        let EnsembleRule::WeightedMean(common) = common.rule else { panic!() };

        assert_eq!(weights[1].1, common);
        assert_ne!(weights[0].1, common);
        assert!(fitted.loss <= fitted.mean_loss);
    }

    #[test]
    fn weights_are_not_fitted_to_training_films() {
        let with = |column: &str, cell: &str| {
            let mut members = members("v");
            let cells = vec![cell.to_owned(); members[2].len()];
            members[2] = members[2].clone().with_column(column, cells).unwrap();
            fit(&members, WeightScope::Model).map_err(|error| error.to_string())
        };

        for split in ["official train", "train", "by-image train, leaky"] {
            let error = with("split", split).unwrap_err();
            assert!(error.contains("90 films are of the training split"), "{error}");
            assert!(error.contains("`iv0`, `iv1`, `iv2`"), "{error}");
        }
        let error = with("patient_in_training", "1").unwrap_err();
        assert!(error.contains("90 patients were trained on"), "{error}");
        assert!(with("split", "official valid").is_ok());
        assert!(with("patient_in_training", "0").is_ok());
    }

    #[test]
    fn no_members_and_no_labels_are_refused() {
        assert!(fit(&[], WeightScope::Model).is_err());
        let mut findings = members("")[0].findings().to_vec();
        findings.iter_mut().for_each(|finding| finding.labels.fill(None));
        let unknown = members("")[0].with_findings(findings);
        assert!(
            fit(&[unknown], WeightScope::Model)
                .unwrap_err()
                .to_string()
                .contains("no label is known")
        );
    }
}
