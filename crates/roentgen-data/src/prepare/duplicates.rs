//! `duplicates.csv`: films that are identical, or nearly, although they have different patients or
//! are on different official lists.
//!
//! Such a film leaks from training into the test, whatever the split says. Films with the same
//! pixels are found among those whose prepared planes are equal, by decoding these few again. Films
//! that are nearly the same are found by their looks (see [`looks`]): copies in another size,
//! brightness or compression, and not crops.

mod looks;

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::manifest::{List, ManifestRow};
use crate::pixels;
use crate::tensor_file::DATA_START;
use looks::{compute_looks, correlation};

/// The least correlation of two films that are nearly the same.
const MIN_CORRELATION: f64 = 0.99;
/// The number of earlier films with which a film is compared pixel by pixel.
const MAX_COMPARED: usize = 32;

/// How alike two films are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Likeness {
    /// All pixels are equal.
    Same,
    /// The films look alike.
    Near,
}

/// A film that is like an earlier one of another patient or on another list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duplicate {
    /// Its file name.
    pub image: String,
    /// Its patient.
    pub patient: u32,
    /// Its official list.
    pub list: Option<List>,
    /// The file name of the earlier film.
    pub of: String,
    /// The earlier film's patient.
    pub of_patient: u32,
    /// The earlier film's official list.
    pub of_list: Option<List>,
    /// How alike they are.
    pub likeness: Likeness,
}

/// Finds the duplicates among the packed films; `paths` are their files and `store` has their planes
/// of `size * size` pixels.
pub(super) fn find(
    rows: &[ManifestRow],
    paths: &[&Path],
    store: &Path,
    size: usize,
) -> io::Result<Vec<Duplicate>> {
    let looks = compute_looks(store, rows.len(), size)?;
    let mut found = Vec::new();
    let mut known = HashSet::new();
    for candidates in groups(looks.iter().map(|look| Some(look.plane))) {
        if !spans(rows, &candidates) {
            continue;
        }
        // Different films may become the same plane; equal files need not be decoded to be equal.
        let pixels: Vec<Option<[u8; 32]>> =
            candidates.par_iter().map(|&index| hash_of_film(paths[index])).collect();
        for same in groups(pixels.into_iter()) {
            let same: Vec<usize> = same.into_iter().map(|index| candidates[index]).collect();
            if spans(rows, &same) {
                known.extend(same[1..].iter().copied());
                report(rows, &same, &mut found);
            }
        }
    }
    let mut planes = Planes::open(store, size)?;
    let is_candidate =
        |film: usize, first: usize| !known.contains(&film) && is_other(&rows[film], &rows[first]);
    for (film, earlier) in looks::alike(&looks, &is_candidate) {
        let plane = planes.read(film)?;
        for first in earlier.into_iter().take(MAX_COMPARED) {
            if correlation(&plane, &planes.read(first)?) >= MIN_CORRELATION {
                found.push(duplicate(&rows[film], &rows[first], Likeness::Near));
                break;
            }
        }
    }
    Ok(found)
}

/// Collects the indices of equal keys, where there are at least two, in the order of the first.
fn groups<K: Ord>(keys: impl Iterator<Item = Option<K>>) -> Vec<Vec<usize>> {
    let mut groups: BTreeMap<K, Vec<usize>> = BTreeMap::new();
    for (index, key) in keys.enumerate() {
        if let Some(key) = key {
            groups.entry(key).or_default().push(index);
        }
    }
    let mut groups: Vec<_> = groups.into_values().filter(|group| group.len() > 1).collect();
    groups.sort();
    groups
}

/// Whether films are of several patients or on several lists.
fn spans(rows: &[ManifestRow], group: &[usize]) -> bool {
    group.iter().any(|&index| is_other(&rows[index], &rows[group[0]]))
}

fn is_other(row: &ManifestRow, first: &ManifestRow) -> bool {
    row.patient != first.patient || row.list != first.list
}

/// Reports each film of a group of equal films.
fn report(rows: &[ManifestRow], group: &[usize], found: &mut Vec<Duplicate>) {
    for (place, &index) in group.iter().enumerate() {
        let earlier = group[..place].iter().map(|&earlier| &rows[earlier]);
        let first = earlier.into_iter().find(|first| is_other(&rows[index], first));
        found.extend(first.map(|first| duplicate(&rows[index], first, Likeness::Same)));
    }
}

fn duplicate(row: &ManifestRow, first: &ManifestRow, likeness: Likeness) -> Duplicate {
    Duplicate {
        image: row.image.clone(),
        patient: row.patient,
        list: row.list,
        of: first.image.clone(),
        of_patient: first.patient,
        of_list: first.list,
        likeness,
    }
}

/// Single planes of the store.
struct Planes {
    file: File,
    bytes: usize,
}

impl Planes {
    fn open(store: &Path, size: usize) -> io::Result<Self> {
        Ok(Self { file: File::open(store)?, bytes: size * size })
    }

    fn read(&mut self, index: usize) -> io::Result<Vec<u8>> {
        self.file.seek(SeekFrom::Start((DATA_START + index * self.bytes) as u64))?;
        let mut plane = vec![0; self.bytes];
        self.file.read_exact(&mut plane)?;
        Ok(plane)
    }
}

/// Hashes size and pixels of a film; `None` if it cannot be read any more.
fn hash_of_film(path: &Path) -> Option<[u8; 32]> {
    pixels::read_with(path, |plane| {
        let mut hash = Sha256::new();
        hash.update(plane.width.to_le_bytes());
        hash.update(&plane.pixels);
        hash.finalize().into()
    })
    .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_have_two_members_or_more_in_the_order_of_the_first() {
        let keys = [Some(9), Some(4), None, Some(9), Some(5), Some(4), None, Some(9)];

        assert_eq!(groups(keys.into_iter()), [vec![0, 3, 7], vec![1, 5]]);
        assert!(groups(std::iter::empty::<Option<u8>>()).is_empty());
    }
}
