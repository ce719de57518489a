//! What films look like: a difference hash and a thumbnail of each.
//!
//! The difference hash (dHash) has the signs of the differences between neighbours in a row, after
//! shrinking the film to nine by eight pixels. In copies, a few signs flip where neighbours are
//! nearly equal: of 300 films of ChestX-ray14 that were made smaller, brighter or noisy or saved as
//! JPEG, 68 to 96 % kept all signs, and at least 98.7 % all but three. Many films of different
//! patients differ in three signs too, and are told apart by the correlation of their thumbnails.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::super::pack::films_at_a_time;
use crate::tensor_file::DATA_START;

/// Rows and columns of differences.
const GRID: usize = 8;
/// Rows and columns of a thumbnail.
const THUMBNAIL: usize = 16;
/// Signs of the difference hash in which films that look alike may differ.
const MAX_FLIPPED: u32 = 3;
/// The least correlation of the thumbnails of films that look alike.
const MIN_CORRELATION: f64 = 0.98;

/// What films are compared by.
pub(super) struct Look {
    /// Hash of the plane.
    pub(super) plane: [u8; 32],
    /// `None` for a film without any difference, such as a black one.
    difference: Option<u64>,
    thumbnail: [u8; THUMBNAIL * THUMBNAIL],
}

/// Lists the films that look like earlier ones, each with those earlier ones, in order. A pair that
/// is not a candidate is left out.
pub(super) fn alike(
    looks: &[Look],
    is_candidate: &(dyn Fn(usize, usize) -> bool + Sync),
) -> Vec<(usize, Vec<usize>)> {
    // If no more than three of the signs differ, one of these four parts is equal.
    let parts = |hash: u64| [0, 1, 2, 3].map(|part| (part, hash >> (16 * part) & 0xffff));
    let mut buckets: BTreeMap<(u64, u64), Vec<usize>> = BTreeMap::new();
    for (index, look) in looks.iter().enumerate() {
        for part in look.difference.into_iter().flat_map(parts) {
            buckets.entry(part).or_default().push(index);
        }
    }
    let earlier = |film: usize| -> Vec<usize> {
        let Some(hash) = looks[film].difference else { return Vec::new() };
        let others = parts(hash).into_iter().filter_map(|part| buckets.get(&part)).flatten();
        let mut found: Vec<usize> = others
            .copied()
            .filter(|&first| {
                let flipped = looks[first].difference.map(|other| (hash ^ other).count_ones());
                first < film
                    && flipped.is_some_and(|flipped| flipped <= MAX_FLIPPED)
                    && is_candidate(film, first)
                    && correlation(&looks[film].thumbnail, &looks[first].thumbnail)
                        >= MIN_CORRELATION
            })
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    };
    let films = (0..looks.len()).into_par_iter().map(|film| (film, earlier(film)));
    films.filter(|(_, earlier)| !earlier.is_empty()).collect()
}

/// Reads the looks of the films in `store`, with planes of `size * size` pixels.
pub(super) fn compute_looks(store: &Path, films: usize, size: usize) -> io::Result<Vec<Look>> {
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
            thumbnail: thumbnail(plane, size),
        }));
    }
    Ok(looks)
}

/// Shrinks a square plane.
fn thumbnail(plane: &[u8], size: usize) -> [u8; THUMBNAIL * THUMBNAIL] {
    std::array::from_fn(|cell| {
        let place = [cell / THUMBNAIL, cell % THUMBNAIL];
        mean_of_cell(plane, size, place, [THUMBNAIL, THUMBNAIL]).round() as u8
    })
}

/// Returns the mean of a cell of a square plane that is divided in `[rows, columns]` cells.
fn mean_of_cell(plane: &[u8], size: usize, place: [usize; 2], cells: [usize; 2]) -> f64 {
    let [rows, columns] =
        [0, 1].map(|axis| place[axis] * size / cells[axis]..(place[axis] + 1) * size / cells[axis]);
    let pixels = rows.len() * columns.len();
    let sum: u64 = rows
        .flat_map(|row| &plane[row * size..][columns.clone()])
        .map(|&pixel| u64::from(pixel))
        .sum();
    sum as f64 / pixels as f64
}

/// Computes the difference hash of a square plane of at least nine pixels.
fn difference_hash(plane: &[u8], size: usize) -> Option<u64> {
    let mean =
        |row: usize, column: usize| mean_of_cell(plane, size, [row, column], [GRID, GRID + 1]);
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

/// Computes Pearson's correlation of two planes; 0 if one of them is flat.
pub(super) fn correlation(a: &[u8], b: &[u8]) -> f64 {
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
    fn films_that_differ_in_three_signs_look_alike_if_their_thumbnails_do() {
        let thumbnail: [u8; 256] = std::array::from_fn(|at| (at * at % 97) as u8);
        let look = |difference: u64, thumbnail: [u8; 256]| Look {
            plane: [0; 32],
            difference: Some(difference),
            thumbnail,
        };
        let mut other = thumbnail;
        other.reverse();
        let looks = [
            look(0xff, thumbnail),
            look(0xff ^ 0x0001_0001_0001, thumbnail.map(|pixel| pixel + 9)),
            look(0xff ^ 0x0001_0001_0001_0001, thumbnail),
            look(0xff, other),
        ];
        let mut alike = alike(&looks, &|_, _| true);

        assert_eq!(alike, [(1, vec![0]), (2, vec![1])]);
        alike = super::alike(&looks, &|_, first| first != 0);
        assert_eq!(alike, [(2, vec![1])]);
    }
}
