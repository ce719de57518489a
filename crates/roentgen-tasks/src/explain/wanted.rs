//! Which findings of a film are explained, and which films are drawn.

use std::collections::HashMap;

use anyhow::bail;
use roentgen_data::Finding;
use roentgen_eval::OperatingRule;
use roentgen_models::predictor::Prediction;
use roentgen_models::{Method, ModelInfo};

use crate::predict::find_most_probable;

/// The rule that chooses the findings of a film.
pub(crate) enum ExplainRule {
    /// The most probable one: the map is one for all findings.
    MostProbable,
    /// These outputs of the network.
    Named(Vec<usize>),
    /// Those that are called, and of a film without any the most probable one.
    Called(Vec<Option<f64>>),
    /// Those with a box, by the name of the film.
    Boxed(HashMap<String, Vec<usize>>),
}

impl ExplainRule {
    /// Chooses by the request: the named findings, or those that the model calls.
    ///
    /// # Errors
    ///
    /// Returns an error if the model lacks a named finding, or if there is one map for all of them.
    pub(crate) fn of(
        description: &ModelInfo,
        method: Method,
        named: &[Finding],
        rule: OperatingRule,
    ) -> anyhow::Result<Self> {
        if !named.is_empty() {
            return Ok(Self::Named(outputs(description, method, named)?));
        }
        if method == Method::Attention {
            return Ok(Self::MostProbable);
        }
        let fitted = description.calibration.as_ref();
        let threshold =
            |finding: &Finding| fitted?.finding(finding.name())?.thresholds.get(&rule).copied();
        Ok(Self::Called(description.findings.iter().map(threshold).collect()))
    }

    /// Returns the outputs to explain of a film.
    pub(crate) fn outputs(&self, image: &str, prediction: &Prediction) -> Vec<usize> {
        let probabilities = &prediction.probabilities;
        match self {
            Self::MostProbable => vec![find_most_probable(probabilities)],
            Self::Named(outputs) => outputs.clone(),
            Self::Called(thresholds) => {
                // As score tables state it, which thresholds were fitted to.
                let decimal = |p: f32| p.to_string().parse().unwrap_or(f64::from(p));
                let is_called = |&output: &usize| {
                    thresholds[output].is_some_and(|t| decimal(probabilities[output]) >= t)
                };
                let called: Vec<usize> = (0..probabilities.len()).filter(is_called).collect();
                if called.is_empty() { vec![find_most_probable(probabilities)] } else { called }
            }
            Self::Boxed(outputs) => outputs.get(image).cloned().unwrap_or_default(),
        }
    }
}

/// Returns the outputs of named findings, each once.
///
/// # Errors
///
/// Returns an error if the model lacks one, or if the map is one for all findings.
pub(super) fn outputs(
    description: &ModelInfo,
    method: Method,
    named: &[Finding],
) -> anyhow::Result<Vec<usize>> {
    if method == Method::Attention && !named.is_empty() {
        bail!(
            "an attention mask is one for all findings; leave `--finding` out, or choose another \
             method such as `--method grad-cam`"
        );
    }
    let mut outputs = Vec::new();
    for finding in named {
        let Some(output) = description.findings.iter().position(|own| own == finding) else {
            let own: Vec<&str> = description.findings.iter().map(|own| own.name()).collect();
            bail!("the model has no finding `{finding}`; it has {}", own.join(", "));
        };
        if !outputs.contains(&output) {
            outputs.push(output);
        }
    }
    Ok(outputs)
}

/// Chooses at most `most` films, each given by its most probable explained finding and that
/// probability. Films of one finding compete, and the findings take turns, so that the films do not
/// all show the commonest one.
pub(super) fn choose(films: &[(usize, f32)], most: usize) -> Vec<usize> {
    let findings = films.iter().map(|(finding, _)| finding + 1).max().unwrap_or(0);
    let mut queues: Vec<Vec<(usize, f32)>> = vec![Vec::new(); findings];
    for (number, &(finding, probability)) in films.iter().enumerate() {
        queues[finding].push((number, probability));
    }
    for queue in &mut queues {
        queue.sort_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
    }
    let mut chosen = Vec::new();
    while chosen.len() < most.min(films.len()) {
        let turn: Vec<usize> = queues.iter_mut().filter_map(Vec::pop).map(|film| film.0).collect();
        let left = most - chosen.len();
        chosen.extend(turn.into_iter().take(left));
    }
    chosen
}

#[cfg(test)]
mod tests {
    use roentgen_data::preprocess::{Input, Normalize};
    use roentgen_models::{Architecture, ClassifierConfig, Pool};

    use super::*;

    const MODEL: [Finding; 3] = [Finding::Mass, Finding::Edema, Finding::Hernia];

    fn description() -> ModelInfo {
        let network = ClassifierConfig {
            architecture: Architecture::Mobilenet,
            width: 1.0,
            pool: Pool::Average,
            dropout: 0.0,
            stochastic_depth: None,
        };
        let input = Input { size: 64, channels: 1, normalize: Normalize::PerImage };
        ModelInfo::new(MODEL.to_vec(), network, input)
    }

    fn prediction(probabilities: [f32; 3]) -> Prediction {
        Prediction { probabilities: probabilities.to_vec(), mask: None }
    }

    #[test]
    fn a_film_is_drawn_for_its_most_probable_finding_and_findings_take_turns() {
        let films = [(1, 0.8), (1, 0.9), (0, 0.3), (1, 0.7)];

        assert_eq!(choose(&films, 4), [2, 1, 0, 3]);
        assert_eq!(choose(&films, 1), [2]);
        assert_eq!(choose(&films[..1], 12), [0]);
        assert_eq!(choose(&[], 12), [0; 0]);
        assert_eq!(find_most_probable(&[0.1, 0.7, 0.7]), 1);
    }

    #[test]
    fn the_called_findings_are_explained_and_of_other_films_the_most_probable_one() {
        let rule = ExplainRule::Called(vec![Some(0.1), Some(0.5), None]);

        assert_eq!(rule.outputs("", &prediction([0.1, 0.6, 0.9])), [0, 1]);
        assert_eq!(rule.outputs("", &prediction([0.09, 0.2, 0.9])), [2]);
        let none =
            ExplainRule::of(&description(), Method::GradCam, &[], OperatingRule::Youden).unwrap();
        assert_eq!(none.outputs("", &prediction([0.1, 0.6, 0.2])), [1]);
    }

    #[test]
    fn named_findings_are_explained_once_each_if_the_model_has_them() {
        let of = |method, named: &[Finding]| {
            ExplainRule::of(&description(), method, named, OperatingRule::Youden)
        };
        let twice = [Finding::Hernia, Finding::Mass, Finding::Hernia];
        let rule = of(Method::GradCam, &twice).unwrap();
        assert_eq!(rule.outputs("", &prediction([0.1; 3])), [2, 0]);

        let error = of(Method::GradCam, &[Finding::Nodule]).err().unwrap().to_string();
        assert_eq!(error, "the model has no finding `Nodule`; it has Mass, Edema, Hernia");
        let error = of(Method::Attention, &[Finding::Mass]).err().unwrap().to_string();
        assert!(error.contains("one for all findings"), "{error}");
    }
}
