//! Reads the tensors of a backbone from a file in our shapes: with axes permuted and colors summed.

use super::copies::{self, Copies};
use super::error::FitError;
use super::layout::{Layout, layout, shape_of};
use super::report::{FitReport, FoundTensor};
use super::spelling::Source;
use super::{PublishedTensor, WeightFile, list_wanted};
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
    fit: &mut FitReport,
) -> Result<Vec<(PublishedTensor, Vec<f32>)>, FitError> {
    let wanted = list_wanted(architecture, shapes);
    let Copies { sources, prefix, others } = copies::choose(architecture, file, &wanted)?;
    (fit.prefix, fit.others) = (prefix, others);
    let mut read = Vec::with_capacity(wanted.len());
    for (wanted, source) in wanted.into_iter().zip(&sources) {
        let (values, is_summed) = values(architecture, file, &wanted, source)?;
        fit.is_gray |= is_summed;
        fit.found.push(FoundTensor {
            path: wanted.path.clone(),
            source: source.to_string(),
            shape: wanted.shape.clone(),
        });
        read.push((wanted, values));
    }
    Ok(read)
}

/// Returns the values of a tensor in our shape, and whether colors were summed for it.
fn values(
    architecture: Architecture,
    file: &WeightFile,
    wanted: &PublishedTensor,
    source: &Source,
) -> Result<(Vec<f32>, bool), FitError> {
    let name = match source {
        Source::Constant(value) => {
            return Ok((vec![*value; wanted.shape.iter().product()], false));
        }
        Source::Nowhere => return Ok((Vec::new(), false)),
        Source::Tensor(name) | Source::ChannelsLast(name) => name,
    };
    let shape = shape_of(file, source).unwrap_or_default();
    let layout = layout(&shape, &wanted.shape).ok_or_else(|| FitError::Shape {
        path: file.path.display().to_string(),
        name: name.clone(),
        architecture: architecture.name(),
        there: shape.clone(),
        here: wanted.shape.clone(),
    })?;
    let mut values = file.values(name)?;
    if let (Source::ChannelsLast(_), Some(&[out, height, width, channels])) =
        (source, file.shape(name).and_then(|shape| shape.first_chunk()))
    {
        values = channels_first(&values, [out, height, width, channels]);
    }
    match layout {
        Layout::Same => Ok((values, false)),
        Layout::Summed => {
            let plane: usize = shape[2..].iter().product();
            let sum = |at: usize| {
                let (out, pixel) = (at / plane, at % plane);
                (0..3).map(|colour| values[(out * 3 + colour) * plane + pixel]).sum()
            };
            Ok(((0..shape[0] * plane).map(sum).collect(), true))
        }
    }
}

/// Permutes `[out, height, width, in]` to `[out, in, height, width]`, and a depthwise
/// `[1, height, width, out]` to `[out, 1, height, width]`.
fn channels_first(values: &[f32], [_, height, width, channels]: [usize; 4]) -> Vec<f32> {
    let plane = height * width;
    let mut first = Vec::with_capacity(values.len());
    for out in values.chunks_exact(plane * channels) {
        for channel in 0..channels {
            first.extend((0..plane).map(|pixel| out[pixel * channels + channel]));
        }
    }
    first
}
