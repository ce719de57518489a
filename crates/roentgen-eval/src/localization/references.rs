//! The maps that keep the figures of a model honest: a random one, the mean box of the finding, and
//! the box itself at the resolution of the map.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

use super::BoxedFilm;
use super::region::PixelBox;
use crate::HeatMap;
use crate::films::FilmBox;

/// How much the center of the mean box is above the rest of it, so that the map points there.
const CENTER: f32 = 1e-3;

/// Makes a map of independent uniform values; each number has its own stream.
pub(super) fn random(seed: u64, number: usize, [height, width]: [usize; 2]) -> HeatMap {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    generator.set_stream(number as u64);
    let value = |_| (f64::from(generator.next_u32()) / 2_f64.powi(32)) as f32;
    HeatMap { height, width, values: (0..height * width).map(value).collect() }
}

/// Returns the mean box of a finding over all patients but one; `None` if only that one has boxes.
pub(super) fn mean_box(films: &[BoxedFilm], of: &BoxedFilm) -> Option<FilmBox> {
    let others =
        films.iter().filter(|film| film.finding == of.finding && film.patient != of.patient);
    let (mut count, mut corner, mut size) = (0_u32, [0.0; 2], [0.0; 2]);
    for one in others.flat_map(|film| &film.boxes) {
        count += 1;
        for axis in 0..2 {
            corner[axis] += one.corner[axis];
            size[axis] += one.size[axis];
        }
    }
    let mean = |sums: [f64; 2]| sums.map(|sum| sum / f64::from(count));
    (count > 0).then(|| FilmBox {
        finding: of.finding.clone(),
        corner: mean(corner),
        size: mean(size),
    })
}

/// Makes a map that is one within a box and highest at its center.
pub(super) fn map_of_box(of: &FilmBox, size: usize) -> HeatMap {
    let pixels = PixelBox::of(of, size);
    let is_in = |pixel: usize| pixels.contains([pixel / size, pixel % size]);
    let mut values: Vec<f32> = (0..size * size).map(|p| f32::from(u8::from(is_in(p)))).collect();
    let middle = |[start, end]: [usize; 2]| (start + end - 1) / 2;
    values[middle(pixels.rows) * size + middle(pixels.columns)] += CENTER;
    HeatMap { height: size, width: size, values }
}

/// Makes the map of the drawn boxes at the resolution of a model's map: the share of each cell that
/// is in a box. What it misses, no map of this resolution can be expected to find.
pub(super) fn ceiling(boxes: &[FilmBox], size: usize, [height, width]: [usize; 2]) -> HeatMap {
    let boxes: Vec<PixelBox> = boxes.iter().map(|of| PixelBox::of(of, size)).collect();
    let (mut within, mut all) = (vec![0.0; height * width], vec![0.0; height * width]);
    for row in 0..size {
        for column in 0..size {
            let cell = row * height / size * width + column * width / size;
            all[cell] += 1.0;
            within[cell] += f32::from(u8::from(boxes.iter().any(|of| of.contains([row, column]))));
        }
    }
    let values = within.iter().zip(all).map(|(within, all)| within / f32::max(all, 1.0)).collect();
    HeatMap { height, width, values }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::localization::score::score;

    fn film(patient: &str, finding: &str, boxes: &[[f64; 4]]) -> BoxedFilm {
        let film_box = |&[x, y, height, width]: &[f64; 4]| FilmBox {
            finding: finding.into(),
            corner: [x, y],
            size: [height, width],
        };
        BoxedFilm {
            image: format!("{patient}.png"),
            patient: patient.into(),
            finding: finding.into(),
            boxes: boxes.iter().map(film_box).collect(),
            map: HeatMap { height: 1, width: 1, values: vec![0.0] },
            random_weights: None,
        }
    }

    #[test]
    fn the_mean_box_is_of_the_same_finding_and_of_other_patients() {
        let films = [
            film("1", "Mass", &[[0.0, 0.2, 0.5, 0.25]]),
            film("1", "Mass", &[[0.5, 0.5, 0.5, 0.5]]),
            film("2", "Mass", &[[0.25, 0.25, 0.25, 0.5], [0.75, 0.25, 0.25, 0.0]]),
            film("3", "Nodule", &[[0.9, 0.9, 0.1, 0.1]]),
        ];

        let mean = mean_box(&films, &films[0]).unwrap();
        assert_eq!((mean.corner, mean.size), ([0.5, 0.25], [0.25, 0.25]));
        assert_eq!(mean_box(&films, &films[3]), None);
        let map = map_of_box(&mean, 8);
        let scored = score(&map, std::slice::from_ref(&mean), 8);
        assert_eq!((scored.pointing, scored.iou.hits), (1.0, [1; 11]));
        assert_eq!((scored.iou.false_boxes, scored.by_level[18]), ([0; 11], 1.0));
    }

    #[test]
    fn a_coarse_map_cannot_show_a_small_box() {
        let small = film("1", "Nodule", &[[0.0, 0.0, 0.0625, 0.0625]]);
        let map = ceiling(&small.boxes, 32, [2, 2]);
        assert_eq!(map.values, [4.0 / 256.0, 0.0, 0.0, 0.0]);
        let scored = score(&map, &small.boxes, 32);
        assert_eq!(scored.iou.hits, [0; 11]);

        let large = film("1", "Mass", &[[0.0, 0.0, 0.5, 0.5]]);
        let scored = score(&ceiling(&large.boxes, 32, [16, 16]), &large.boxes, 32);
        assert!(scored.iou.hits[9] == 1, "{:?}", scored.iou.hits);
    }

    #[test]
    fn random_maps_differ_and_come_again() {
        let map = |number| random(7, number, [3, 5]);

        assert_eq!(map(1), map(1));
        assert_ne!(map(1), map(2));
        assert!(map(1).values.iter().all(|value| (0.0..1.0).contains(value)));
    }
}
