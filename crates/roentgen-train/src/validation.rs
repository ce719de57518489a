//! Loss and mean AUROC on the validation films, without augmentation.

use burn::module::Module;
use burn::tensor::Device;
use roentgen_models::{Classifier, Precision};

use crate::dataset::SelectedFilms;
use crate::features::{self, Features};
use crate::loss::Loss;

/// Result of a validation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Validated {
    /// The loss that training minimizes, over all validation films at once.
    pub(crate) loss: f64,
    /// Mean AUROC of the findings that have films with and without them; `None` if no finding has.
    pub(crate) auroc: Option<f64>,
}

/// Validates a model, on stored features if there are any; calls `done` with the number of films
/// after each batch.
///
/// # Errors
///
/// Returns an error if films or features cannot be read.
#[expect(clippy::too_many_arguments, reason = "a validation needs all of them")]
pub(crate) fn validate(
    model: &Classifier,
    films: &SelectedFilms<'_>,
    features: Option<&Features>,
    loss: Loss,
    batch: usize,
    precision: Precision,
    device: &Device,
    mut done: impl FnMut(usize),
) -> Result<Validated, features::Error> {
    let model = model.valid();
    let device = device.clone().without_autodiff();
    let mut logits = Vec::with_capacity(films.len() * films.findings.len());
    for (rows, at) in films.rows.chunks(batch).zip((0..).step_by(batch)) {
        let output = match features {
            Some(features) => model.head(features.tensor(films, rows, 1, &device)?),
            None => model.forward(precision.films(films.tensor(rows, &device)?)),
        };
        logits.extend(output.into_data().convert::<f32>().iter::<f32>());
        done(at + rows.len());
    }
    let labels = films.labels(films.rows);
    let auroc = mean_auroc(&logits, &labels, films);
    Ok(Validated { loss: loss.value(&logits, &labels), auroc })
}

fn mean_auroc(logits: &[f32], labels: &[f32], films: &SelectedFilms<'_>) -> Option<f64> {
    let findings = films.findings.len();
    let column = |values: &[f32], finding: usize| -> Vec<f32> {
        values.iter().skip(finding).step_by(findings).copied().collect()
    };
    let areas: Vec<f64> = (0..findings)
        .filter_map(|finding| {
            let scores: Vec<f64> = column(logits, finding).into_iter().map(f64::from).collect();
            let labels: Vec<bool> = column(labels, finding).into_iter().map(|y| y > 0.5).collect();
            roentgen_eval::auroc(&scores, &labels)
        })
        .collect();
    (!areas.is_empty()).then(|| areas.iter().sum::<f64>() / areas.len() as f64)
}
