//! What one map is worth against the boxes of its film.
//!
//! Wang et al. 2017: the map is scaled to 0..255 by its lowest and highest value on the film and
//! thresholded at 60 and at 180; each connected region of either gets a box, and equal boxes count
//! once. A drawn box is found if the overlap of any detected box with it is more than T, and a
//! detected box is false if its overlap with every drawn box is at most T. The overlap is the
//! intersection over the detected box (IoBB) or over the union (IoU).
//!
//! The pointing game of Zhang et al. 2016 asks whether the highest pixel is in a box, here without
//! a margin; of pixels that are equally high the share in a box counts, so a map without a highest
//! place is a guess.

use super::region::{PixelBox, regions};
use crate::HeatMap;
use crate::films::FilmBox;

/// The overlaps T that count as found: Wang's, and those between.
pub(super) const OVERLAPS: [f64; 11] = [0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.9];
/// Thresholds of the map, on a scale of 0..255.
const GRAYS: [f32; 2] = [60.0, 180.0];
/// Number of thresholds among which the best is chosen: 1/20 to 19/20 of the map's range.
pub(super) const LEVELS: usize = 19;

/// Figures of one kind of overlap, for each of [`OVERLAPS`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Found {
    /// Number of drawn boxes that are found.
    pub(super) hits: [u32; OVERLAPS.len()],
    /// Number of detected boxes that are false.
    pub(super) false_boxes: [u32; OVERLAPS.len()],
}

/// The figures of a map.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scored {
    /// By intersection over the detected box.
    pub(super) iobb: Found,
    /// By intersection over union.
    pub(super) iou: Found,
    /// Share of the highest pixels that are in a box.
    pub(super) pointing: f64,
    /// Intersection over union of the region above each level and the boxes together.
    pub(super) by_level: [f64; LEVELS],
}

/// Scores a map against the boxes of its film, at `size` x `size` pixels.
pub(super) fn score(map: &HeatMap, boxes: &[FilmBox], size: usize) -> Scored {
    let drawn: Vec<PixelBox> = boxes.iter().map(|of| PixelBox::of(of, size)).collect();
    let is_drawn = are_drawn(boxes, size);
    let values = scale(map, size);
    let mut detected: Vec<PixelBox> = Vec::new();
    for gray in GRAYS {
        let is_above: Vec<bool> = values.iter().map(|&value| value * 255.0 >= gray).collect();
        for found in regions(&is_above, size) {
            if !detected.contains(&found) {
                detected.push(found);
            }
        }
    }
    Scored {
        iobb: found(&detected, &drawn, PixelBox::iobb),
        iou: found(&detected, &drawn, PixelBox::iou),
        pointing: pointing(&values, &is_drawn),
        by_level: std::array::from_fn(|level| {
            overlap(&values, &is_drawn, (level + 1) as f32 / (LEVELS + 1) as f32)
        }),
    }
}

/// Returns the share of the highest pixels of a map that are in a box of its film, at `size` x `size`
/// pixels: 1 if the map points into a box and 0 if it points elsewhere.
pub fn points_into(map: &HeatMap, boxes: &[FilmBox], size: usize) -> f64 {
    pointing(&scale(map, size), &are_drawn(boxes, size))
}

fn are_drawn(boxes: &[FilmBox], size: usize) -> Vec<bool> {
    let drawn: Vec<PixelBox> = boxes.iter().map(|of| PixelBox::of(of, size)).collect();
    let is_drawn = |pixel| drawn.iter().any(|of| of.contains([pixel / size, pixel % size]));
    (0..size * size).map(is_drawn).collect()
}

/// Scales a map to 0..1 on the film; a flat map becomes zeros.
fn scale(map: &HeatMap, size: usize) -> Vec<f32> {
    if map.is_flat() {
        return vec![0.0; size * size];
    }
    let values = map.resized([size, size]);
    let low = values.iter().copied().fold(f32::INFINITY, f32::min);
    let span = values.iter().copied().fold(f32::NEG_INFINITY, f32::max) - low;
    let share = |value: f32| if span > 0.0 { (value - low) / span } else { 0.0 };
    values.into_iter().map(share).collect()
}

fn found(
    detected: &[PixelBox],
    drawn: &[PixelBox],
    overlap: fn(PixelBox, PixelBox) -> f64,
) -> Found {
    let mut found = Found::default();
    for (at, t) in OVERLAPS.into_iter().enumerate() {
        let is_found = |of: &&PixelBox| detected.iter().any(|one| overlap(*one, **of) > t);
        let is_false = |one: &&PixelBox| drawn.iter().all(|of| overlap(**one, *of) <= t);
        found.hits[at] = drawn.iter().filter(is_found).count() as u32;
        found.false_boxes[at] = detected.iter().filter(is_false).count() as u32;
    }
    found
}

fn pointing(values: &[f32], is_drawn: &[bool]) -> f64 {
    let highest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let highest = values.iter().zip(is_drawn).filter(|(value, _)| **value == highest);
    let (mut all, mut within) = (0_u32, 0_u32);
    for (_, &is_drawn) in highest {
        all += 1;
        within += u32::from(is_drawn);
    }
    f64::from(within) / f64::from(all.max(1))
}

/// Returns the intersection over union of the pixels of at least this value and the drawn ones.
fn overlap(values: &[f32], is_drawn: &[bool], least: f32) -> f64 {
    let (mut common, mut union) = (0_u32, 0_u32);
    for (&value, &is_drawn) in values.iter().zip(is_drawn) {
        let is_above = value >= least;
        common += u32::from(is_above && is_drawn);
        union += u32::from(is_above || is_drawn);
    }
    f64::from(common) / f64::from(union.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: usize = 8;

    fn film_box(corner: [f64; 2], size: [f64; 2]) -> FilmBox {
        FilmBox { finding: "Mass".into(), corner, size }
    }

    /// A map of the size of the film with these values in rows 1 to 2 of columns 2 to 5, and a
    /// weaker pixel far away.
    fn map(strong: f32, weak: f32) -> HeatMap {
        let mut values = vec![0.0; SIZE * SIZE];
        for row in 1..3 {
            values[row * SIZE + 2..row * SIZE + 6].fill(strong);
        }
        values[7 * SIZE + 7] = weak;
        HeatMap { height: SIZE, width: SIZE, values }
    }

    #[test]
    fn a_drawn_box_is_found_above_t_and_other_detected_boxes_are_false() {
        // The strong region is 2 x 4 pixels; the box has 2 x 2 of them and 4 others.
        let boxes = [film_box([0.25, 0.125], [0.5, 0.25])];
        let scored = score(&map(10.0, 5.0), &boxes, SIZE);

        // At 60 both regions are detected, at 180 the strong one again.
        let at = |t: f64| OVERLAPS.iter().position(|overlap| *overlap == t).unwrap();
        assert_eq!((scored.iobb.hits[at(0.4)], scored.iobb.false_boxes[at(0.4)]), (1, 1));
        assert_eq!((scored.iobb.hits[at(0.5)], scored.iobb.false_boxes[at(0.5)]), (0, 2));
        assert_eq!((scored.iou.hits[at(0.3)], scored.iou.hits[at(0.4)]), (1, 0));
        assert_eq!(scored.pointing, 0.5);
        // 5 of 10: the weak pixel counts up to the tenth level.
        assert_eq!((scored.by_level[9], scored.by_level[10]), (4.0 / 13.0, 4.0 / 12.0));
    }

    #[test]
    fn a_flat_map_detects_nothing_and_points_by_chance() {
        let boxes = [film_box([0.0, 0.0], [0.5, 0.25])];
        for map in [
            HeatMap { height: 1, width: 1, values: vec![3.0] },
            HeatMap { height: 2, width: 3, values: vec![0.0; 6] },
            HeatMap { height: 1, width: 2, values: vec![f32::NAN, 1.0] },
        ] {
            let scored = score(&map, &boxes, SIZE);

            assert_eq!((scored.iobb, scored.iou), (Found::default(), Found::default()));
            assert_eq!(scored.pointing, 8.0 / 64.0);
            assert_eq!(scored.by_level, [0.0; LEVELS]);
        }
    }

    #[test]
    fn two_boxes_are_found_by_one_region_each() {
        let boxes = [film_box([0.25, 0.125], [0.25, 0.5]), film_box([0.875, 0.875], [0.1, 0.1])];
        let scored = score(&map(10.0, 9.0), &boxes, SIZE);

        assert_eq!((scored.iou.hits, scored.iou.false_boxes), ([2; 11], [0; 11]));
        assert_eq!((scored.pointing, scored.by_level[3]), (1.0, 1.0));
    }
}
