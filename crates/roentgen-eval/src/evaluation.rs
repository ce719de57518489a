//! All metrics of a score table, in the form of `metrics.json`.
//!
//! The names of the fields are a contract that scripts rely on. A metric without a meaning is
//! `null`: a finding without positives has no AUROC and is left out of the mean, whose `findings`
//! says how many are included.

use std::collections::HashSet;

use serde::{Serialize, Serializer};

use crate::{
    Error, FindingFigures, Identity, MeanFigures, Options, Scores, TrainingMarks, bootstrap,
    confusion::Pairs,
    leakage,
    split::{Split, rows_in},
    subgroups::{Subgroups, subgroups},
};

/// The metrics of a score table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Evaluation {
    /// Number of films.
    pub images: usize,
    /// Number of patients.
    pub patients: usize,
    /// The split of the films, if the table names it.
    pub split: Option<String>,
    /// The data set of the films, if the table names it.
    pub dataset: Option<String>,
    /// Identity of the model, if the table says.
    pub model: Option<Identity>,
    /// Identity of the data set, if the table says.
    pub dataset_id: Option<Identity>,
    /// Number of resamples for the intervals.
    pub resamples: usize,
    /// Seed of the resamples.
    pub seed: u64,
    /// Number of patients that the model was trained on, if the table says so of every film.
    pub patients_in_training: Option<usize>,
    /// How many films say whether their patient was trained on.
    pub training_marks: TrainingMarks,
    /// Number of films of the training split, if the table names a split. Not zero only if the
    /// split is named as leaky.
    pub films_in_training: Option<usize>,
    /// Number of films of the validation split, if the table names a split. They choose the model.
    pub films_in_validation: Option<usize>,
    /// Metrics of each finding, in table order.
    #[serde(serialize_with = "by_name")]
    pub findings: Vec<FindingFigures>,
    /// Means over the findings that have both classes.
    pub mean: MeanFigures,
    /// Fraction of all pairs of film and finding that are correct at 0.5. Never shown without
    /// `binary_accuracy_all_negative`.
    pub binary_accuracy: Option<f64>,
    /// The same fraction for always answering no.
    pub binary_accuracy_all_negative: Option<f64>,
    /// Mean of `|p - y|` over all pairs.
    pub mean_absolute_error: Option<f64>,
    /// Metrics by `sex`, `view` and `age`, then by group.
    pub subgroups: Subgroups,
}

impl Evaluation {
    /// Whether the split says that it shares patients with training.
    pub fn is_leaky(&self) -> bool {
        self.split.as_deref().is_some_and(leakage::says_leaky)
    }

    /// Whether the films were drawn by `roentgen phantom`.
    pub fn is_phantom(&self) -> bool {
        self.dataset.as_deref().is_some_and(names_phantom)
    }

    /// Formats the metrics as `metrics.json`.
    ///
    /// # Errors
    ///
    /// Never returns an error for metrics computed by [`evaluate`].
    pub fn to_json(&self) -> Result<String, Error> {
        let text = serde_json::to_string_pretty(self).map_err(|source| Error::Json { source })?;
        Ok(text + "\n")
    }
}

/// Whether a data set of this name was drawn by `roentgen phantom`.
pub(crate) fn names_phantom(dataset: &str) -> bool {
    dataset.to_lowercase().contains("phantom")
}

/// Computes all metrics of a table.
///
/// # Errors
///
/// Returns an error if no finding has a truth, or if the table has films of the training split, or
/// of patients that the model was trained on, and their split does not say `leaky`.
pub fn evaluate(scores: &Scores, options: &Options) -> Result<Evaluation, Error> {
    let training_marks = leakage::training_marks(scores)?;
    let films_in_training = leakage::films_in_training(scores)?;
    if scores.findings().iter().all(|finding| finding.known().next().is_none()) {
        return Err(Error::NoTruth { path: scores.origin().to_owned() });
    }

    let intervals = bootstrap(scores, options);
    let with_intervals = scores.findings().iter().zip(&intervals.findings);
    let findings: Vec<_> =
        with_intervals.map(|(finding, drawn)| FindingFigures::of(finding, drawn)).collect();
    let mean = MeanFigures {
        auroc: mean(findings.iter().map(|finding| finding.auroc)),
        auroc_ci95: intervals.mean_auroc,
        average_precision: mean(findings.iter().map(|finding| finding.average_precision)),
        average_precision_ci95: intervals.mean_average_precision,
        findings: findings.iter().filter(|finding| finding.auroc.is_some()).count(),
    };

    let mut pairs = Pairs::default();
    for finding in scores.findings() {
        let (probabilities, truths) = finding.known_pairs();
        pairs.add(&probabilities, &truths);
    }
    Ok(Evaluation {
        images: scores.len(),
        patients: scores.patients().iter().collect::<HashSet<_>>().len(),
        split: scores.split(),
        dataset: scores.dataset(),
        model: scores.model(),
        dataset_id: scores.dataset_id(),
        resamples: options.resamples,
        seed: options.seed,
        patients_in_training: training_marks.patients_in_training(),
        training_marks,
        films_in_training,
        films_in_validation: rows_in(scores, Split::Valid).map(|rows| rows.len()),
        findings,
        mean,
        binary_accuracy: pairs.accuracy(),
        binary_accuracy_all_negative: pairs.accuracy_all_negative(),
        mean_absolute_error: pairs.mean_absolute_error(),
        subgroups: subgroups(scores, options),
    })
}

fn mean(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let (sum, count) = values.flatten().fold((0.0, 0_u32), |(sum, n), value| (sum + value, n + 1));
    (count > 0).then(|| sum / f64::from(count))
}

fn by_name<S: Serializer>(findings: &[FindingFigures], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(findings.iter().map(|finding| (&finding.name, finding)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::Finding;

    /// Four patients; Zebra has a tie and an unknown truth, Apple has no positives.
    fn table() -> Scores {
        let texts = |texts: [&str; 5]| texts.map(String::from).to_vec();
        let zebra = Finding {
            name: "Zebra".into(),
            probabilities: vec![0.8, 0.4, 0.4, 0.1, 0.9],
            truths: vec![Some(true), Some(true), Some(false), Some(false), None],
        };
        let apple = Finding {
            name: "Apple".into(),
            probabilities: vec![0.1, 0.2, 0.6, 0.2, 0.1],
            truths: vec![Some(false); 5],
        };
        Scores::new(
            texts(["a", "b", "c", "d", "e"]),
            texts(["1", "1", "2", "3", "4"]),
            vec![zebra, apple],
        )
        .and_then(|scores| scores.with_column("split", texts(["test"; 5])))
        .unwrap()
    }

    fn metrics(scores: &Scores) -> Value {
        let evaluation = evaluate(scores, &Options { resamples: 100, seed: 1 }).unwrap();
        serde_json::from_str(&evaluation.to_json().unwrap()).unwrap()
    }

    #[test]
    fn the_figures_of_a_small_table_by_hand() {
        let metrics = metrics(&table());

        assert_eq!(metrics["images"], 5);
        assert_eq!(metrics["patients"], 4);
        assert_eq!(metrics["split"], "test");
        assert_eq!(metrics["dataset"], Value::Null);
        let zebra = &metrics["findings"]["Zebra"];
        assert_eq!(zebra["auroc"], 0.875);
        assert_eq!(zebra["unknown"], 1);
        assert_eq!(zebra["operating_points"]["0.5"]["sensitivity"], 0.5);
        assert_eq!(zebra["auroc_ci95"].as_array().unwrap().len(), 2);
        assert!(zebra["resamples_skipped"].as_u64().unwrap() > 0);
        // Nine pairs: Zebra is wrong once, Apple once.
        assert_eq!(metrics["binary_accuracy"], 7.0 / 9.0);
        assert_eq!(metrics["binary_accuracy_all_negative"], 7.0 / 9.0);
        let error = (0.2 + 0.6 + 0.4 + 0.1 + 1.2) / 9.0;
        assert!((metrics["mean_absolute_error"].as_f64().unwrap() - error).abs() < 1e-12);
    }

    #[test]
    fn a_finding_without_positives_has_null_and_is_not_in_the_mean() {
        let metrics = metrics(&table());

        let apple = &metrics["findings"]["Apple"];
        for figure in ["auroc", "auroc_ci95", "average_precision", "average_precision_ci95"] {
            assert_eq!(apple[figure], Value::Null, "{figure}");
        }
        assert_eq!(apple["operating_points"]["0.5"]["sensitivity"], Value::Null);
        assert_eq!(apple["resamples_skipped"], 100);
        assert_eq!(metrics["mean"]["auroc"], 0.875);
        assert_eq!(metrics["mean"]["findings"], 1);
    }

    #[test]
    fn findings_keep_the_order_of_the_table() {
        let metrics = metrics(&table());
        let names: Vec<_> = metrics["findings"].as_object().unwrap().keys().collect();

        assert_eq!(names, ["Zebra", "Apple"]);
        assert_eq!(metrics["subgroups"], json!({}));
    }

    #[test]
    fn a_leaky_table_is_refused_until_it_says_so() {
        let marked = |split: &str| {
            let marks = ["0", "0", "1", "0", "0"].map(String::from).to_vec();
            let mut scores = table().with_column("patient_in_training", marks).unwrap();
            scores.set_column("split", vec![split.into(); 5]);
            evaluate(&scores, &Options { resamples: 2, seed: 1 })
        };

        assert!(matches!(marked("by-image test"), Err(Error::Leak { count: 1, .. })));
        let leaky = marked("by-image test, leaky").unwrap();
        assert!(leaky.is_leaky());
        assert_eq!(leaky.patients_in_training, Some(1));
        assert_eq!(leaky.split.as_deref(), Some("by-image test, leaky"));
    }

    #[test]
    fn training_films_are_refused_by_their_split_alone() {
        let evaluated = |splits: [&str; 5], marks: &str| {
            let mut scores = table();
            scores.set_column("split", splits.map(String::from).to_vec());
            scores.set_column("patient_in_training", vec![marks.into(); 5]);
            evaluate(&scores, &Options { resamples: 2, seed: 1 })
        };
        let test = "official test";

        for (train, marks) in [("official train", ""), ("train", "0"), ("Training set", "")] {
            let error = evaluated([test, train, test, train, test], marks).unwrap_err();
            assert!(matches!(error, Error::TrainingFilms { count: 2, .. }), "{error}");
            let text = error.to_string();
            assert!(text.contains(&format!("split `{train}` (`b`, `d`)")), "{text}");
        }
        let leaky = evaluated([test, "by-image train, leaky", test, test, test], "").unwrap();
        assert_eq!(leaky.films_in_training, Some(1));
        assert!(leaky.is_leaky());
        assert!(evaluated(["by-image test, leaky", "train", test, test, test], "").is_err());
    }

    #[test]
    fn validation_films_are_counted_and_what_is_unknown_is_null() {
        let metrics = metrics(&table());
        assert_eq!(
            (&metrics["films_in_training"], &metrics["films_in_validation"]),
            (&json!(0), &json!(0))
        );
        assert_eq!((&metrics["model"], &metrics["dataset_id"]), (&Value::Null, &Value::Null));

        let mut scores = table();
        let splits = ["valid", "official valid", "test", "none", ""];
        scores.set_column("split", splits.map(String::from).to_vec());
        scores.set_column("model", vec!["a1+b2".into(); 5]);
        let metrics = self::metrics(&scores);
        assert_eq!(metrics["films_in_validation"], 2);
        assert_eq!(metrics["model"], "a1+b2");
        scores.set_column("split", vec![String::new(); 5]);
        assert_eq!(self::metrics(&scores)["films_in_training"], Value::Null);
    }

    #[test]
    fn a_table_without_truths_is_refused() {
        let mut findings = table().findings().to_vec();
        findings.iter_mut().for_each(|finding| finding.truths.fill(None));

        let error = evaluate(&table().with_findings(findings), &Options::default()).unwrap_err();
        assert!(error.to_string().contains("no finding has a truth"));
    }
}
