//! Combines several score tables into one.
//!
//! The 2019 study called `np.maximum(*[a, b, c])`, which takes the maximum of two and writes it
//! over the third: one member was never used, and no metric showed it. Here every rule folds over
//! all members, films are matched by name in any order, and tables that do not belong together are
//! refused.

use std::collections::{HashMap, HashSet};

use crate::{Error, ScoredFinding, Scores, identity, leakage, split};

/// How the probabilities of the members are combined.
#[derive(Clone, Debug, PartialEq)]
pub enum EnsembleRule {
    /// Their mean.
    Mean,
    /// Their mean with these weights, one per member, which are normalized to a sum of one.
    WeightedMean(Vec<f64>),
    /// Their mean with separate weights for each finding, by name; see [`fit`](crate::fit()).
    WeightedByFinding(Vec<(String, Vec<f64>)>),
    /// The fraction of members with p >= 0.5. Ties are frequent, so AUROC is low by design.
    HardVote,
    /// The highest.
    Max,
}

impl EnsembleRule {
    /// Returns the weight of each member for a finding; equal weights for rules without weights.
    fn weights(&self, members: usize, finding: &str) -> Result<Vec<f64>, Error> {
        let weights = match self {
            Self::WeightedMean(weights) => weights,
            Self::WeightedByFinding(all) => {
                let own = all.iter().find(|(name, _)| name == finding).map(|(_, weights)| weights);
                own.ok_or_else(|| Error::Weights {
                    problem: format!("no weights were given for `{finding}`"),
                })?
            }
            Self::Mean | Self::HardVote | Self::Max => {
                return Ok(vec![1.0 / members as f64; members]);
            }
        };
        let refuse = |problem: String| Err(Error::Weights { problem });
        if weights.len() != members {
            let given = weights.len();
            return refuse(format!(
                "{given} weights for {members} members\ngive one weight for each table"
            ));
        }
        if let Some(weight) = weights.iter().find(|weight| !weight.is_finite() || **weight < 0.0) {
            return refuse(format!("`{weight}` is not a weight\ngive numbers of at least 0"));
        }
        let sum: f64 = weights.iter().sum();
        if sum == 0.0 {
            return refuse("all weights are zero\nmake at least one of them positive".into());
        }
        Ok(weights.iter().map(|weight| weight / sum).collect())
    }

    /// Combines the members' probabilities for one film.
    fn join(&self, weights: &[f64], members: impl Iterator<Item = f64>) -> f64 {
        let weighted = members.zip(weights);
        let joined: f64 = match self {
            Self::Mean | Self::WeightedMean(_) | Self::WeightedByFinding(_) => {
                weighted.map(|(p, weight)| weight * p).sum()
            }
            Self::HardVote => {
                weighted.map(|(p, weight)| if p >= 0.5 { *weight } else { 0.0 }).sum()
            }
            Self::Max => weighted.map(|(p, _)| p).fold(0.0, f64::max),
        };
        // Weights with a sum of one can exceed one in the last bit, which no table may contain.
        joined.min(1.0)
    }
}

/// Combines score tables film by film and finding by finding.
///
/// The order of films, the order of findings and all other columns are those of the first member.
/// The exceptions are `patient_in_training`, which is 1 if it is 1 for any member, and `split`, which
/// is that of a member that was trained or chosen on the film, since one leaky member makes a leaky
/// ensemble; and `model` and `dataset_id`, which are joined by `+`.
///
/// # Errors
///
/// Returns an error that names the table, film and finding if films, findings, patients or labels
/// differ from those of the first member, if a model predicted two of the tables, if there are no
/// members, or if the weights or a mark in `patient_in_training` are not valid.
pub fn ensemble(members: &[Scores], rule: &EnsembleRule) -> Result<Scores, Error> {
    let Some((first, others)) = members.split_first() else {
        return Err(Error::Weights {
            problem: "no score tables were given\ngive at least one score table".into(),
        });
    };
    identity::refuse_twice(members)?;
    let aligned: Vec<Scores> =
        others.iter().map(|other| align(first, other)).collect::<Result<_, _>>()?;

    let finding = |(index, own): (usize, &ScoredFinding)| {
        let weights = rule.weights(members.len(), &own.name)?;
        let joined = |row: usize| {
            let theirs = aligned.iter().map(|other| other.findings()[index].probabilities[row]);
            rule.join(&weights, std::iter::once(own.probabilities[row]).chain(theirs))
        };
        let probabilities = (0..first.len()).map(joined).collect();
        Ok(ScoredFinding { name: own.name.clone(), probabilities, labels: own.labels.clone() })
    };
    let findings = first.findings().iter().enumerate().map(finding);
    let mut joined = first.with_findings(findings.collect::<Result<_, Error>>()?);
    leakage::join(&mut joined, &aligned)?;
    split::join(&mut joined, &aligned);
    identity::join(&mut joined, &std::iter::once(first).chain(&aligned).collect::<Vec<_>>());
    Ok(joined)
}

/// Brings a table into the order of films and findings of the first.
pub(crate) fn align(first: &Scores, other: &Scores) -> Result<Scores, Error> {
    let refuse = |problem: String| Error::Join { path: other.origin().to_owned(), problem };
    let name = first.origin().display();
    let rows: HashMap<&str, usize> =
        other.images().iter().enumerate().map(|(row, image)| (image.as_str(), row)).collect();
    let order: Vec<usize> = first
        .images()
        .iter()
        .map(|image| {
            let hint = format!("`{name}` has it\npredict both on the same films");
            rows.get(image.as_str())
                .copied()
                .ok_or(refuse(format!("it lacks film `{image}`; {hint}")))
        })
        .collect::<Result<_, _>>()?;
    if other.len() > first.len() {
        let known: HashSet<&String> = first.images().iter().collect();
        let extra = other.images().iter().find(|image| !known.contains(image));
        let image = extra.map_or("", String::as_str);
        let hint = "predict both on the same films";
        return Err(refuse(format!("it has film `{image}`, which `{name}` lacks\n{hint}")));
    }
    for (row, &theirs) in order.iter().enumerate() {
        let (patient, its) = (&first.patients()[row], &other.patients()[theirs]);
        if patient != its {
            let image = &first.images()[row];
            return Err(refuse(format!(
                "film `{image}` is of patient `{its}`, in `{name}` of `{patient}`"
            )));
        }
    }
    if let Some(extra) = other.findings().iter().find(|f| first.finding(&f.name).is_none()) {
        return Err(refuse(format!("it has the finding `{}`, which `{name}` lacks", extra.name)));
    }

    let finding = |own: &ScoredFinding| {
        let theirs = other
            .finding(&own.name)
            .ok_or(refuse(format!("it lacks the finding `{}`, which `{name}` has", own.name)))?;
        let labels: Vec<_> = order.iter().map(|&row| theirs.labels[row]).collect();
        if let Some(row) = (0..labels.len()).find(|&row| labels[row] != own.labels[row]) {
            let say = |label: Option<bool>| label.map_or("unknown", |t| if t { "1" } else { "0" });
            return Err(refuse(format!(
                "the label of `{}` for film `{}` is {}, in `{name}` {}\nuse one label file for both",
                own.name,
                first.images()[row],
                say(labels[row]),
                say(own.labels[row]),
            )));
        }
        let probabilities = order.iter().map(|&row| theirs.probabilities[row]).collect();
        Ok(ScoredFinding { name: own.name.clone(), probabilities, labels })
    };
    let findings = first.findings().iter().map(finding).collect::<Result<_, _>>()?;
    Ok(other.reorder(&order, findings))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Films in this order, with these probabilities of the finding Mass and half of them for
    /// Nodule.
    fn member(films: [(&str, f64); 3]) -> Scores {
        let label = |film: &str| Some(film == "b");
        let finding = |name: &str, share: f64| ScoredFinding {
            name: name.into(),
            probabilities: films.iter().map(|(_, p)| p * share).collect(),
            labels: films.iter().map(|(film, _)| label(film)).collect(),
        };
        let images = films.iter().map(|(film, _)| film.to_string()).collect();
        let patients = films.iter().map(|(film, _)| format!("p{film}")).collect();
        Scores::new(images, patients, vec![finding("Mass", 1.0), finding("Nodule", 0.5)]).unwrap()
    }

    fn members() -> [Scores; 3] {
        [
            member([("a", 0.1), ("b", 0.5), ("c", 0.3)]),
            member([("c", 0.4), ("a", 0.2), ("b", 0.6)]),
            member([("b", 0.1), ("c", 0.9), ("a", 0.6)]),
        ]
    }

    fn mass(rule: EnsembleRule) -> Vec<f64> {
        ensemble(&members(), &rule).unwrap().findings()[0].probabilities.clone()
    }

    fn near(a: &[f64], b: &[f64]) -> bool {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12)
    }

    #[test]
    fn max_sees_the_third_member() {
        assert_eq!(mass(EnsembleRule::Max), [0.6, 0.6, 0.9]);
    }

    #[test]
    fn films_are_matched_by_name() {
        assert!(near(&mass(EnsembleRule::Mean), &[0.3, 0.4, 1.6 / 3.0]));
        assert!(near(&mass(EnsembleRule::HardVote), &[1.0 / 3.0, 2.0 / 3.0, 1.0 / 3.0]));
    }

    #[test]
    fn weights_are_brought_to_a_sum_of_one() {
        let weighted = mass(EnsembleRule::WeightedMean(vec![5.0, 3.0, 2.0]));

        assert!(near(&weighted, &[0.05 + 0.06 + 0.12, 0.25 + 0.18 + 0.02, 0.15 + 0.12 + 0.18]));
    }

    #[test]
    fn certain_members_do_not_make_more_than_certain() {
        let one = member([("a", 1.0), ("b", 1.0), ("c", 1.0)]);
        for count in 1..40 {
            let weights = (1..=count).map(|i| 1.0 / f64::from(i)).collect();
            let members = vec![one.clone(); count as usize];

            let joined = ensemble(&members, &EnsembleRule::WeightedMean(weights)).unwrap();
            assert!(joined.findings()[0].probabilities.iter().all(|&p| p <= 1.0));
        }
    }

    #[test]
    fn weights_that_are_none_are_refused() {
        let refused = |weights: &[f64]| {
            let rule = EnsembleRule::WeightedMean(weights.into());
            ensemble(&members(), &rule).unwrap_err().to_string()
        };

        assert!(refused(&[0.5, 0.5]).contains("2 weights for 3 members"));
        assert!(refused(&[0.5, -0.5, 1.0]).contains("`-0.5` is not a weight"));
        assert!(refused(&[0.5, f64::NAN, 1.0]).contains("`NaN` is not a weight"));
        assert!(refused(&[0.0, 0.0, 0.0]).contains("all weights are zero"));
        assert!(ensemble(&[], &EnsembleRule::Mean).is_err());
    }

    #[test]
    fn films_that_are_not_the_same_are_named() {
        let [first, ..] = members();
        let refused = |other: Scores| {
            ensemble(&[first.clone(), other], &EnsembleRule::Mean).unwrap_err().to_string()
        };

        let error = refused(member([("a", 0.1), ("b", 0.5), ("z", 0.3)]));
        assert!(error.contains("it lacks film `c`"), "{error}");
        let finding = ScoredFinding {
            name: "Mass".into(),
            probabilities: vec![0.5; 4],
            labels: vec![Some(false), Some(true), Some(false), None],
        };
        let texts = |texts: [&str; 4]| texts.map(String::from).to_vec();
        let patients = texts(["pa", "pb", "pc", "pd"]);
        let four = Scores::new(texts(["a", "b", "c", "d"]), patients, vec![finding]).unwrap();
        let error = refused(four);
        assert!(error.contains("it has film `d`, which"), "{error}");
    }

    #[test]
    fn labels_and_findings_that_are_not_the_same_are_named() {
        let [first, second, _] = members();
        let refused = |findings: Vec<ScoredFinding>| {
            let other = second.with_findings(findings);
            ensemble(&[first.clone(), other], &EnsembleRule::Mean).unwrap_err().to_string()
        };

        let mut findings = second.findings().to_vec();
        findings[1].labels[0] = None;
        let error = refused(findings);
        assert!(error.contains("the label of `Nodule` for film `c` is unknown"), "{error}");

        let error = refused(second.findings()[..1].to_vec());
        assert!(error.contains("it lacks the finding `Nodule`"), "{error}");

        let mut findings = second.findings().to_vec();
        findings[1].name = "Edema".into();
        let error = refused(findings);
        assert!(error.contains("it has the finding `Edema`"), "{error}");
    }

    #[test]
    fn one_member_trained_on_a_film_makes_an_ensemble_that_was() {
        let [first, second, third] = members();
        let texts = |texts: [&str; 3]| texts.map(String::from).to_vec();
        let first = first.with_column("split", texts(["official test"; 3])).unwrap();
        // In its own order of films: c, a, b.
        let splits = texts(["by-patient train", "by-patient valid", "none"]);
        let second = second.with_column("split", splits).unwrap();

        let joined = ensemble(&[first, second.clone()], &EnsembleRule::Mean).unwrap();
        let splits = ["by-patient valid", "official test", "by-patient train"];
        assert_eq!(joined.column("split").unwrap(), splits);
        let joined = ensemble(&[third, second], &EnsembleRule::Mean).unwrap();
        // In the order of films of the third: b, c, a.
        let splits = ["", "by-patient train", "by-patient valid"];
        assert_eq!(joined.column("split").unwrap(), splits);
    }

    #[test]
    fn one_member_of_a_leaky_split_makes_a_leaky_ensemble() {
        let [first, second, _] = members();
        let texts = |texts: [&str; 3]| texts.map(String::from).to_vec();
        let first = first.with_column("split", texts(["official test", "", "train"])).unwrap();
        let second = second.with_column("split", texts(["by-image valid, leaky"; 3])).unwrap();

        let joined = ensemble(&[first, second], &EnsembleRule::Mean).unwrap();
        // Another member's leaky split does not excuse a training film.
        let splits = ["by-image valid, leaky", "by-image valid, leaky", "train"];
        assert_eq!(joined.column("split").unwrap(), splits);
    }

    #[test]
    fn one_leaky_member_makes_a_leaky_ensemble() {
        let [first, second, _] = members();
        let flags = |flags: [&str; 3]| flags.map(String::from).to_vec();
        let first = first.with_column("split", flags(["test"; 3])).unwrap();
        let second = second.with_column("patient_in_training", flags(["0", "1", "0"])).unwrap();

        let joined = ensemble(&[first, second], &EnsembleRule::Mean).unwrap();
        // The first table does not know, so only the mark of a training patient is known.
        assert_eq!(joined.column("patient_in_training").unwrap(), ["1", "", ""]);
        assert_eq!(joined.split().as_deref(), Some("test"));
    }
}
