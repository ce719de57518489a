//! `duplicates.csv`: films that are identical, or nearly, although they have different patients or
//! are on different official lists.
//!
//! Such a film leaks from training into the test, whatever the split says. Films with the same
//! pixels are found among those whose prepared planes are equal, by decoding these few again. Nearly
//! the same means an equal difference hash (dHash): the signs of the differences between neighbours
//! in a row, after shrinking the film to nine by eight pixels. It survives another size, brightness
//! and compression, and not a crop.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::films_at_a_time;
use crate::manifest::{List, ManifestRow};
use crate::pixels;
use crate::tensor_file::DATA_START;

/// Rows and columns of differences.
const GRID: usize = 8;
/// The least correlation of two films that are nearly the same.
const MIN_CORRELATION: f64 = 0.99;
/// The number of earlier films that a film is compared with.
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

/// What films are compared by.
struct Look {
    plane: [u8; 32],
    /// `None` for a film without any difference, such as a black one.
    difference: Option<u64>,
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
    for near in groups(looks.iter().map(|look| look.difference)) {
        let near: Vec<usize> = near.into_iter().filter(|index| !known.contains(index)).collect();
        if near.len() > 1 && spans(rows, &near) {
            report_alike(rows, &near, &mut planes, &mut found)?;
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

/// Reports the films of a group whose planes correlate with that of an earlier one.
fn report_alike(
    rows: &[ManifestRow],
    group: &[usize],
    planes: &mut Planes,
    found: &mut Vec<Duplicate>,
) -> io::Result<()> {
    for (place, &index) in group.iter().enumerate() {
        let others = group[..place].iter().filter(|&&first| is_other(&rows[index], &rows[first]));
        for &first in others.take(MAX_COMPARED) {
            if correlation(&planes.read(index)?, &planes.read(first)?) >= MIN_CORRELATION {
                found.push(duplicate(&rows[index], &rows[first], Likeness::Near));
                break;
            }
        }
    }
    Ok(())
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

/// Computes Pearson's correlation of two planes; 0 if one of them is flat.
fn correlation(a: &[u8], b: &[u8]) -> f64 {
    let count = a.len() as f64;
    let [mut sum_a, mut sum_b, mut aa, mut bb, mut ab] = [0_u64; 5];
    for (&a, &b) in a.iter().zip(b) {
        let (a, b) = (u64::from(a), u64::from(b));
        sum_a += a;
        sum_b += b;
        aa += a * a;
        bb += b * b;
        ab += a * b;
    }
    let [mean_a, mean_b] = [sum_a, sum_b].map(|sum| sum as f64 / count);
    let variance = (aa as f64 / count - mean_a * mean_a) * (bb as f64 / count - mean_b * mean_b);
    if variance <= 0.0 { 0.0 } else { (ab as f64 / count - mean_a * mean_b) / variance.sqrt() }
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

fn compute_looks(store: &Path, films: usize, size: usize) -> io::Result<Vec<Look>> {
    let mut file = BufReader::new(File::open(store)?);
    file.seek(SeekFrom::Start(DATA_START as u64))?;
    let mut looks = Vec::with_capacity(films);
    let many = films_at_a_time(size).min(films);
    let mut block = vec![0; many * size * size];
    while looks.len() < films {
        let planes = &mut block[..(films - looks.len()).min(many) * size * size];
        file.read_exact(planes)?;
        looks.par_extend(planes.par_chunks(size * size).map(|plane| Look {
            plane: Sha256::digest(plane).into(),
            difference: difference_hash(plane, size),
        }));
    }
    Ok(looks)
}

/// Computes the difference hash of a square plane of at least nine pixels.
fn difference_hash(plane: &[u8], size: usize) -> Option<u64> {
    let edge = |cell: usize, cells: usize| cell * size / cells;
    let mean = |row: usize, column: usize| {
        let rows = edge(row, GRID)..edge(row + 1, GRID);
        let columns = edge(column, GRID + 1)..edge(column + 1, GRID + 1);
        let pixels = rows.len() * columns.len();
        let sum: u64 = rows
            .flat_map(|row| &plane[row * size..][columns.clone()])
            .map(|&pixel| u64::from(pixel))
            .sum();
        sum as f64 / pixels as f64
    };
    let mut hash = 0;
    let mut is_flat = true;
    for row in 0..GRID {
        let means: [f64; GRID + 1] = std::array::from_fn(|column| mean(row, column));
        for (left, right) in means.iter().zip(&means[1..]) {
            hash = hash << 1 | u64::from(left < right);
            is_flat &= left == right;
        }
    }
    (!is_flat).then_some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plane(value: impl Fn(usize, usize) -> u8) -> Vec<u8> {
        (0..36 * 36).map(|at| value(at / 36, at % 36)).collect()
    }

    #[test]
    fn the_hash_survives_brightness_and_not_another_picture() {
        let wave = |row: usize, column: usize| ((row * column / 9 + row * 3) % 100) as u8;
        let hash = |value: &dyn Fn(usize, usize) -> u8| difference_hash(&plane(value), 36);

        assert!(hash(&wave).is_some());
        assert_eq!(hash(&|row, column| wave(row, column) + 40), hash(&wave));
        assert_ne!(hash(&|row, column| wave(column, row)), hash(&wave));
        assert_eq!(hash(&|_, column| column as u8), Some(u64::MAX));
        assert_eq!(hash(&|_, column| 100 - column as u8), Some(0));
        assert_eq!(hash(&|row, _| row as u8), None);
    }

    #[test]
    fn correlation_is_one_for_a_brighter_copy_and_undefined_for_a_flat_plane() {
        let plane: Vec<u8> = (0..60).map(|at| (at * at % 97) as u8).collect();
        let bright: Vec<u8> = plane.iter().map(|pixel| pixel + 100).collect();
        let dark: Vec<u8> = plane.iter().map(|pixel| 100 - pixel).collect();

        assert!((correlation(&plane, &bright) - 1.0).abs() < 1e-9);
        assert!((correlation(&plane, &dark) + 1.0).abs() < 1e-9);
        assert_eq!(correlation(&plane, &[7; 60]), 0.0);
    }

    #[test]
    fn groups_have_two_members_or_more_in_the_order_of_the_first() {
        let keys = [Some(9), Some(4), None, Some(9), Some(5), Some(4), None, Some(9)];

        assert_eq!(groups(keys.into_iter()), [vec![0, 3, 7], vec![1, 5]]);
        assert!(groups(std::iter::empty::<Option<u8>>()).is_empty());
    }
}
