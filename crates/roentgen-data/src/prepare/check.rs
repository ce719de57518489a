//! Checks the header of every film before decoding any: missing, not an image, wrong size.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::{BadFilm, PrepareProgress, PrepareSettings};
use crate::metadata::LabeledFilm;
use crate::nih::Layout;
use crate::pixels;

/// Beginning of the reason of a film that has another size than most.
pub(super) const WRONG_SIZE: &str = "wrong size";

/// A film with a valid header.
pub(super) struct Checked<'a> {
    pub(super) film: &'a LabeledFilm,
    pub(super) path: &'a Path,
    pub(super) file_size: [u32; 2],
}

/// The films to decode, in the order of the label file, and the films left out.
pub(super) struct FoundFilms<'a> {
    pub(super) good: Vec<Checked<'a>>,
    pub(super) bad: Vec<BadFilm>,
}

/// Checks all films of the label file, on all cores.
pub(super) fn films<'a>(
    layout: &'a Layout,
    films: &'a [LabeledFilm],
    settings: &PrepareSettings,
    progress: &(dyn Fn(PrepareProgress) + Sync),
) -> FoundFilms<'a> {
    let done = AtomicUsize::new(0);
    let checked: Vec<Result<Checked<'a>, String>> = films
        .par_iter()
        .map(|film| {
            let path = layout.films.get(&film.image);
            let file_size = path
                .ok_or_else(|| "the label file lists it, but the file does not exist".to_owned())
                .and_then(|path| pixels::size(path).map_err(|error| error.to_string()));
            progress(PrepareProgress::Checking(
                done.fetch_add(1, Ordering::Relaxed) + 1,
                films.len(),
            ));
            match (path, file_size) {
                (Some(path), Ok(file_size)) => Ok(Checked { film, path, file_size }),
                (_, Err(reason)) => Err(reason),
                (None, Ok(_)) => Err("the file does not exist".to_owned()),
            }
        })
        .collect();

    let usual = usual_size(checked.iter().flatten().map(|film| film.file_size));
    let mut good = Vec::new();
    let mut bad: Vec<BadFilm> = layout
        .nameless
        .iter()
        .map(|path| BadFilm {
            image: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            reason: "the file name is not UTF-8, so no label file can list it".to_owned(),
        })
        .collect();
    bad.extend(layout.again.iter().map(|path| BadFilm {
        image: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        reason: format!(
            "there are two films of this name; `{}` was left out, the other one is used",
            path.display()
        ),
    }));
    for (film, checked) in films.iter().zip(checked) {
        let reason = match checked {
            Ok(checked) if settings.any_size || Some(checked.file_size) == usual => {
                good.push(checked);
                continue;
            }
            Ok(checked) => {
                let [height, width] = checked.file_size;
                let [usual_height, usual_width] = usual.unwrap_or_default();
                format!(
                    "{WRONG_SIZE}: {width} x {height} pixels, where most films have {usual_width} x \
                     {usual_height} (`--any-size` accepts it)"
                )
            }
            Err(reason) => reason,
        };
        bad.push(BadFilm { image: film.image.clone(), reason });
    }
    FoundFilms { good, bad }
}

/// Returns the size that most films have; of equally frequent sizes, the largest.
fn usual_size(sizes: impl Iterator<Item = [u32; 2]>) -> Option<[u32; 2]> {
    let mut counts: BTreeMap<[u32; 2], usize> = BTreeMap::new();
    sizes.for_each(|size| *counts.entry(size).or_default() += 1);
    counts.into_iter().max_by_key(|&(size, count)| (count, size)).map(|(size, _)| size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_size_is_the_most_frequent() {
        assert_eq!(usual_size([[2, 3], [4, 4], [2, 3]].into_iter()), Some([2, 3]));
        assert_eq!(usual_size([[2, 3], [4, 4]].into_iter()), Some([4, 4]));
        assert_eq!(usual_size(std::iter::empty()), None);
    }
}
