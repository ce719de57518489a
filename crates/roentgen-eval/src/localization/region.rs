//! Boxes of pixels, and the boxes around the connected regions of a picture.

use crate::films::FilmBox;

/// A box of pixels; both intervals are half-open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PixelBox {
    /// First row, and the row after the last.
    pub(super) rows: [usize; 2],
    /// First column, and the column after the last.
    pub(super) columns: [usize; 2],
}

impl PixelBox {
    /// Rounds a box to the pixels of a film of `size` x `size`; it keeps at least one.
    pub(super) fn of(of: &FilmBox, size: usize) -> Self {
        let pixels = |start: f64, length: f64| {
            let at = |share: f64| (share * size as f64).round().clamp(0.0, size as f64) as usize;
            let first = at(start).min(size - 1);
            [first, at(start + length).max(first + 1)]
        };
        let ([x, y], [height, width]) = (of.corner, of.size);
        Self { rows: pixels(y, height), columns: pixels(x, width) }
    }

    /// Whether a pixel is in the box.
    pub(super) fn contains(self, [row, column]: [usize; 2]) -> bool {
        let is_in = |at: usize, [start, end]: [usize; 2]| (start..end).contains(&at);
        is_in(row, self.rows) && is_in(column, self.columns)
    }

    /// Returns the number of pixels.
    pub(super) fn area(self) -> usize {
        (self.rows[1] - self.rows[0]) * (self.columns[1] - self.columns[0])
    }

    fn common(self, other: Self) -> usize {
        let along = |a: [usize; 2], b: [usize; 2]| a[1].min(b[1]).saturating_sub(a[0].max(b[0]));
        along(self.rows, other.rows) * along(self.columns, other.columns)
    }

    /// Returns the intersection over the union.
    pub(super) fn iou(self, other: Self) -> f64 {
        let common = self.common(other);
        common as f64 / (self.area() + other.area() - common) as f64
    }

    /// Returns the intersection over this box, Wang's IoBB if this is the detected one.
    pub(super) fn iobb(self, other: Self) -> f64 {
        self.common(other) as f64 / self.area() as f64
    }
}

/// Returns the box around each region of marked pixels of a picture of `width` columns. Pixels that
/// touch at a corner are of one region.
pub(super) fn regions(is_marked: &[bool], width: usize) -> Vec<PixelBox> {
    let height = is_marked.len() / width;
    let mut is_open = is_marked.to_vec();
    let mut boxes = Vec::new();
    let mut edge = Vec::new();
    for start in 0..is_open.len() {
        if !is_open[start] {
            continue;
        }
        let (row, column) = (start / width, start % width);
        let mut found = PixelBox { rows: [row, row + 1], columns: [column, column + 1] };
        is_open[start] = false;
        edge.push([row, column]);
        while let Some([row, column]) = edge.pop() {
            found.rows = [found.rows[0].min(row), found.rows[1].max(row + 1)];
            found.columns = [found.columns[0].min(column), found.columns[1].max(column + 1)];
            for row in row.saturating_sub(1)..(row + 2).min(height) {
                for column in column.saturating_sub(1)..(column + 2).min(width) {
                    if std::mem::take(&mut is_open[row * width + column]) {
                        edge.push([row, column]);
                    }
                }
            }
        }
        boxes.push(found);
    }
    boxes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pixels(rows: [usize; 2], columns: [usize; 2]) -> PixelBox {
        PixelBox { rows, columns }
    }

    #[test]
    fn overlaps_are_those_of_the_papers() {
        let (detected, drawn) = (pixels([0, 4], [0, 5]), pixels([2, 6], [1, 3]));

        assert_eq!((detected.area(), drawn.area()), (20, 8));
        assert_eq!(detected.iou(drawn), 4.0 / 24.0);
        assert_eq!(detected.iobb(drawn), 4.0 / 20.0);
        assert_eq!(detected.iou(pixels([4, 6], [0, 5])), 0.0);
        assert!(drawn.contains([2, 1]) && !drawn.contains([6, 1]) && !drawn.contains([2, 3]));
    }

    #[test]
    fn a_box_keeps_at_least_one_pixel_and_stays_on_the_film() {
        let of = |corner, size| PixelBox::of(&FilmBox { finding: "Mass".into(), corner, size }, 10);

        assert_eq!(of([0.1, 0.26], [0.5, 0.2]), pixels([3, 8], [1, 3]));
        assert_eq!(of([1.0, 1.0], [0.01, 0.01]), pixels([9, 10], [9, 10]));
        assert_eq!(of([0.0, 0.9], [0.7, 3.0]), pixels([9, 10], [0, 10]));
    }

    #[test]
    fn regions_touch_at_corners_and_end_at_edges() {
        let rows = ["x....x", ".x....", "......", "xx...x"];
        let marked: Vec<bool> = rows.concat().chars().map(|pixel| pixel == 'x').collect();

        assert_eq!(
            regions(&marked, 6),
            [
                pixels([0, 2], [0, 2]),
                pixels([0, 1], [5, 6]),
                pixels([3, 4], [0, 2]),
                pixels([3, 4], [5, 6]),
            ]
        );
        assert_eq!(regions(&[false; 6], 2), []);
    }
}
