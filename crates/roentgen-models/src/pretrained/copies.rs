//! The copies of a backbone in one file, and the choice between them.
//!
//! Self-supervised and averaged training leave the same network twice in a checkpoint: `encoder_q`
//! and `encoder_k`, `teacher` and `student`, `model` and `model_ema`. Which one is meant changes
//! the result, and only the user knows, so such a file is refused until a prefix is given.

use super::error::{FitError, Prefixes};
use super::layout::fits;
use super::spelling::Source;
use super::{PublishedTensor, WeightFile};
use crate::published_file::Spelling;
use crate::zoo::Architecture;

/// One complete copy of a backbone.
pub(super) struct Copies {
    /// The source of each tensor of the chosen copy.
    pub(super) sources: Vec<Source>,
    /// The prefix of its names in the file.
    pub(super) prefix: String,
    /// The same of the copies that were not chosen.
    pub(super) others: Vec<String>,
}

/// Finds the one copy of a backbone in a file, or the one that the file's prefix chooses.
///
/// # Errors
///
/// Returns an error if there is no complete copy, or if there are several and none was chosen.
pub(super) fn choose(
    architecture: Architecture,
    file: &WeightFile,
    wanted: &[PublishedTensor],
) -> Result<Copies, FitError> {
    let path = || file.path.display().to_string();
    let mut copies = complete(architecture, file, wanted);
    let prefixes = |copies: &[(&str, Vec<Source>)]| -> Vec<String> {
        copies.iter().map(|(prefix, _)| (*prefix).to_owned()).collect()
    };
    if copies.is_empty() {
        return Err(missing(architecture, file, wanted));
    }
    let chosen = match file.prefix() {
        Some(asked) => copies.iter().position(|(prefix, _)| *prefix == asked).ok_or_else(|| {
            let (architecture, prefix) = (architecture.name(), asked.to_owned());
            FitError::Prefix {
                path: path(),
                architecture,
                prefix,
                known: Prefixes(prefixes(&copies)),
            }
        })?,
        None if copies.len() > 1 => {
            let architecture = architecture.name();
            return Err(FitError::Copies {
                path: path(),
                architecture,
                known: Prefixes(prefixes(&copies)),
            });
        }
        None => 0,
    };
    let (prefix, sources) = copies.swap_remove(chosen);
    Ok(Copies { sources, prefix: prefix.to_owned(), others: prefixes(&copies) })
}

/// Returns the prefix and the sources of each copy that has all tensors, in their shapes where
/// several copies have the names: ResNet-101 has all names of ResNet-50.
fn complete<'a>(
    architecture: Architecture,
    file: &'a WeightFile,
    wanted: &[PublishedTensor],
) -> Vec<(&'a str, Vec<Source>)> {
    let mut copies: Vec<(&str, Vec<Source>)> = Vec::new();
    for (spelling, prefix) in candidates(architecture, file, wanted) {
        let mut sources = wanted.iter().map(|wanted| spelling.find(file, prefix, wanted));
        let all: Option<Vec<Source>> =
            sources.by_ref().map(|source| (source != Source::Nowhere).then_some(source)).collect();
        if let Some(sources) = all
            && copies.iter().all(|(_, known)| *known != sources)
        {
            copies.push((prefix, sources));
        }
    }
    // The first tensor may differ in its input channels.
    let has_shapes = |sources: &[Source]| {
        wanted.iter().zip(sources).skip(1).all(|(wanted, source)| fits(file, wanted, source))
    };
    if copies.iter().any(|(_, sources)| has_shapes(sources)) {
        copies.retain(|(_, sources)| has_shapes(sources));
    }
    copies
}

/// Returns each spelling with each prefix after which the first tensor is found.
fn candidates<'a>(
    architecture: Architecture,
    file: &'a WeightFile,
    wanted: &[PublishedTensor],
) -> Vec<(Spelling, &'a str)> {
    let first = wanted.first().map_or("", |wanted| wanted.name.as_str());
    let spellings = architecture.blueprint().spellings.iter();
    let with_prefixes = spellings.flat_map(|&spelling| {
        spelling.prefixes(file, first).into_iter().map(move |prefix| (spelling, prefix))
    });
    with_prefixes.collect()
}

/// Describes the copy of which the fewest tensors are missing.
fn missing(architecture: Architecture, file: &WeightFile, wanted: &[PublishedTensor]) -> FitError {
    let lacking = |(spelling, prefix): (Spelling, &str)| -> Vec<&PublishedTensor> {
        let is_lacking =
            |wanted: &&PublishedTensor| spelling.find(file, prefix, wanted) == Source::Nowhere;
        wanted.iter().filter(is_lacking).collect()
    };
    let fewest = candidates(architecture, file, wanted).into_iter().map(lacking);
    let fewest = fewest.min_by_key(Vec::len).unwrap_or_else(|| wanted.iter().collect());
    FitError::Missing {
        path: file.path.display().to_string(),
        architecture: architecture.name(),
        missing: fewest.len(),
        all: wanted.len(),
        example: fewest.first().map_or(String::new(), |wanted| wanted.name.clone()),
        begins: file.shapes().next().map_or(String::new(), |(name, _)| name.to_owned()),
    }
}
