//! Reads the tensors of a backbone from a file in our shapes: with axes permuted and colors summed.

use super::fit::{Fit, FitError, Found};
use super::spelling::{Source, Spelling};
use super::{Wanted, WeightFile, wanted};
use crate::zoo::Architecture;

/// Reads the values of each tensor of a backbone, given paths and shapes; records their sources in
/// `fit`.
///
/// # Errors
///
/// Returns an error if a tensor is missing in the file or has another shape.
pub(super) fn read<'a>(
    architecture: Architecture,
    file: &WeightFile,
    shapes: impl Iterator<Item = (&'a str, Vec<usize>)>,
    fit: &mut Fit,
) -> Result<Vec<(Wanted, Vec<f32>)>, FitError> {
    let wanted = wanted(architecture, shapes);
    let sources = sources(architecture, file, &wanted)?;
    let mut read = Vec::with_capacity(wanted.len());
    for (wanted, source) in wanted.into_iter().zip(&sources) {
        let (values, is_summed) = values(architecture, file, &wanted, source)?;
        fit.is_gray |= is_summed;
        fit.found.push(Found {
            path: wanted.path.clone(),
            source: source.to_string(),
            shape: wanted.shape.clone(),
        });
        read.push((wanted, values));
    }
    Ok(read)
}

/// Finds each tensor in the file, in the file's own spelling.
fn sources(
    architecture: Architecture,
    file: &WeightFile,
    wanted: &[Wanted],
) -> Result<Vec<Source>, FitError> {
    let missing = |sources: &[Source]| {
        sources.iter().filter(|source| matches!(source, Source::Nowhere)).count()
    };
    let first = wanted.first().map_or("", |wanted| wanted.name.as_str());
    let spelled = |spelling: &Spelling| -> Vec<Source> {
        let prefix = spelling.prefix(file, first).unwrap_or("");
        wanted.iter().map(|wanted| spelling.find(file, prefix, wanted)).collect()
    };
    let best =
        architecture.blueprint().spellings.iter().map(spelled).min_by_key(|found| missing(found));
    let best = best.unwrap_or_default();
    match best.iter().zip(wanted).find(|(source, _)| matches!(source, Source::Nowhere)) {
        None => Ok(best),
        Some((_, example)) => Err(FitError::Missing {
            path: file.path.display().to_string(),
            architecture: architecture.name(),
            missing: missing(&best),
            all: wanted.len(),
            example: example.name.clone(),
            begins: file.shapes().next().map_or(String::new(), |(name, _)| name.to_owned()),
        }),
    }
}

/// Returns the values of a tensor in our shape, and whether colors were summed for it.
fn values(
    architecture: Architecture,
    file: &WeightFile,
    wanted: &Wanted,
    source: &Source,
) -> Result<(Vec<f32>, bool), FitError> {
    let (name, is_last) = match source {
        Source::Constant(value) => {
            return Ok((vec![*value; wanted.shape.iter().product()], false));
        }
        Source::Nowhere => return Ok((Vec::new(), false)),
        Source::Tensor(name) => (name, false),
        Source::ChannelsLast(name) => (name, true),
    };
    let mut shape = file.shape(name).unwrap_or_default().to_vec();
    let mut values = file.values(name)?;
    if is_last && let [out, height, width, channels] = *shape {
        (shape, values) = channels_first(&values, [out, height, width, channels]);
    }
    // Axes of length one at the end do not move a value: a dense layer is a 1x1 convolution here.
    if shape == wanted.shape || without_ones(&shape) == without_ones(&wanted.shape) {
        return Ok((values, false));
    }
    // Films are gray: this is the response of a color network to three equal channels.
    if let ([out, 3, height, width], [_, 1, ..]) = (shape.as_slice(), wanted.shape.as_slice())
        && wanted.shape == [*out, 1, *height, *width]
    {
        let plane = height * width;
        let sum = |at: usize| {
            let (out, pixel) = (at / plane, at % plane);
            (0..3).map(|colour| values[(out * 3 + colour) * plane + pixel]).sum()
        };
        return Ok(((0..out * plane).map(sum).collect(), true));
    }
    Err(FitError::Shape {
        path: file.path.display().to_string(),
        name: name.clone(),
        architecture: architecture.name(),
        there: shape,
        here: wanted.shape.clone(),
    })
}

/// Returns a shape without the axes of length one at its end.
fn without_ones(shape: &[usize]) -> &[usize] {
    let len = shape.iter().rposition(|&axis| axis != 1).map_or(0, |last| last + 1);
    &shape[..len]
}

/// Permutes `[out, height, width, in]` to `[out, in, height, width]`, and a depthwise
/// `[1, height, width, out]` to `[out, 1, height, width]`.
fn channels_first(
    values: &[f32],
    [out, height, width, channels]: [usize; 4],
) -> (Vec<usize>, Vec<f32>) {
    let plane = height * width;
    let mut first = Vec::with_capacity(values.len());
    for out in values.chunks_exact(plane * channels) {
        for channel in 0..channels {
            first.extend((0..plane).map(|pixel| out[pixel * channels + channel]));
        }
    }
    let shape = if out == 1 { [channels, 1] } else { [out, channels] };
    ([shape.as_slice(), &[height, width]].concat(), first)
}
