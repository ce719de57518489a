//! Puts published weights into a network, and tells tensor by tensor where they came from.
//!
//! Nothing of a backbone stays at its random value in silence: a tensor that the file lacks, or has
//! in another shape, refuses the whole file.

use std::collections::{HashMap, HashSet};

use burn::tensor::{Bytes, DType};
use burn_pack::{Reader, Writer};

use super::spelling::{Source, Spelling};
use super::{FileError, Wanted, WeightFile, head, wanted};
use crate::classifier::Classifier;
use crate::weights;
use crate::zoo::Architecture;

/// What was found where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fit {
    /// Each tensor of the backbone and where it came from.
    pub found: Vec<Found>,
    /// Tensors of the file that were not used: a classifier, counters.
    pub left: Vec<String>,
    /// Whether the first convolution was summed over the channels of colour.
    pub is_gray: bool,
}

/// A tensor and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its path in our network.
    pub path: String,
    /// Its name in the file, or what it was set to.
    pub source: String,
    /// Its shape in our network.
    pub shape: Vec<usize>,
}

/// Why weights do not fit.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// The file could not be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A file of another network.
    #[error(
        "`{path}` does not hold the weights of {architecture}: {missing} of its {all} tensors are not there, \
         such as `{example}`; the file begins with `{begins}`"
    )]
    Missing {
        /// The file.
        path: String,
        /// What was asked for.
        architecture: &'static str,
        /// Tensors that are missing.
        missing: usize,
        /// Tensors that the backbone has.
        all: usize,
        /// The first of the missing.
        example: String,
        /// The file's first tensor.
        begins: String,
    },
    /// A tensor of another shape.
    #[error(
        "`{name}` in `{path}` has the shape {there:?} where {architecture} has {here:?}; \
         published weights fit `width = 1` and films of 1 or 3 channels"
    )]
    Shape {
        /// The file.
        path: String,
        /// The tensor.
        name: String,
        /// What was asked for.
        architecture: &'static str,
        /// Its shape in the file.
        there: Vec<usize>,
        /// Its shape in the network.
        here: Vec<usize>,
    },
    /// No classifier that could be the head.
    #[error(
        "`{path}` has {found} dense layers from {channels} features to {findings} findings, where one is \
         needed: give the findings that its classifier has, or take its backbone alone"
    )]
    Head {
        /// The file.
        path: String,
        /// Layers of that shape.
        found: usize,
        /// Features of the backbone.
        channels: usize,
        /// Findings asked for.
        findings: usize,
    },
    /// The network could not be packed.
    #[error("could not put the weights of `{path}` into the network")]
    Weights {
        /// The file.
        path: String,
        /// The cause.
        source: weights::Error,
    },
}

/// Which part of a classifier takes a file's weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The backbone; the head stays as it is.
    Backbone,
    /// The backbone, and the one dense layer of a plain linear head.
    Whole,
}

/// Puts a file's weights into a classifier.
///
/// # Errors
///
/// A file that lacks a tensor or has it in another shape.
pub fn fit(
    model: Classifier,
    architecture: Architecture,
    part: Part,
    file: &WeightFile,
) -> Result<(Classifier, Fit), FitError> {
    let path = file.path.display().to_string();
    let broken = |source: weights::Error| FitError::Weights { path: path.clone(), source };
    let packed = weights::to_bytes(&model).map_err(broken)?;
    let mut tensors = Reader::from_bytes(packed)
        .and_then(Reader::into_tensors)
        .map_err(|error| broken(error.into()))?;
    let shapes = tensors.iter().map(|tensor| (tensor.name.as_str(), tensor.shape.to_vec()));
    let wanted = wanted(architecture, shapes);
    let sources = sources(architecture, file, &wanted)?;

    let mut fit = Fit::default();
    let mut filled = HashMap::new();
    for (wanted, source) in wanted.iter().zip(&sources) {
        let (values, is_summed) = values(architecture, file, wanted, source)?;
        fit.is_gray |= is_summed;
        fit.found.push(Found {
            path: wanted.path.clone(),
            source: source.to_string(),
            shape: wanted.shape.clone(),
        });
        filled.insert(wanted.path.clone(), values);
    }
    if part == Part::Whole {
        for (found, values) in head::find(file, &tensors, &fit)? {
            filled.insert(found.path.clone(), values);
            fit.found.push(found);
        }
    }
    let used: HashSet<_> = fit.found.iter().map(|found| found.source.as_str()).collect();
    let left = file.shapes().map(|(name, _)| name).filter(|name| !used.contains(name));
    fit.left = left.map(Into::into).collect();

    for tensor in &mut tensors {
        if let Some(values) = filled.remove(&tensor.name) {
            let (name, shape) = (tensor.name.clone(), tensor.shape.clone());
            let bytes = Bytes::from_elems(values);
            *tensor = burn_pack::Tensor::new(name, DType::F32, shape, tensor.param_id, bytes);
        }
    }
    let packed = Writer::new(tensors).into_bytes().map_err(|error| broken(error.into()))?;
    let model = weights::load(model, packed.to_vec()).map_err(broken)?;
    Ok((model, fit))
}

/// Where each tensor is in the file, in the file's own spelling.
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
    let best = Spelling::of(architecture).iter().map(spelled).min_by_key(|found| missing(found));
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

/// The values of a tensor in our shape, and whether colours were summed for it.
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
    if shape == wanted.shape {
        return Ok((values, false));
    }
    // Films are gray: what a colour network sees when all three channels are equal.
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

/// `[out, height, width, in]` to `[out, in, height, width]`; a depthwise `[1, height, width, out]`
/// to `[out, 1, height, width]`.
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
