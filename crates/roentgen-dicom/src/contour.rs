//! Contours of a heat map: closed lines around the places where it is at least a level.
//!
//! Marching squares (Lorensen and Cline 1987, in the plane): each square between four neighbouring
//! values has lines that divide the higher from the lower corners, with the higher ones on the left.
//! A line leaves a square through the edge by which another one enters the next square, so lines join
//! to loops. A ring of low values around the map closes those that reach its end.

use std::collections::BTreeMap;

/// A point, `[column, row]` in pixels of the film, from the outer corner of the first one.
pub(crate) type Point = [f32; 2];

/// Values over a film, row by row.
pub(crate) struct Grid<'a> {
    /// `[rows, columns]`.
    pub(crate) size: [usize; 2],
    pub(crate) values: &'a [f32],
}

/// An edge between two neighbouring values: row and column of the first, and whether the second is
/// below it rather than to its right.
type Edge = (usize, usize, bool);

impl Grid<'_> {
    /// Returns the closed lines at a level, in pixels of a film of `[rows, columns]`. The first point
    /// of a line is also its last.
    pub(crate) fn contours(&self, level: f32, film: [u32; 2]) -> Vec<Vec<Point>> {
        let mut next: BTreeMap<Edge, Edge> = BTreeMap::new();
        for row in 0..=self.size[0] {
            for column in 0..=self.size[1] {
                next.extend(self.lines(row, column, level));
            }
        }
        let mut loops = Vec::new();
        while let Some((first, mut edge)) = next.pop_first() {
            let mut line = vec![self.point(first, level, film)];
            while edge != first {
                line.push(self.point(edge, level, film));
                let Some(following) = next.remove(&edge) else { break };
                edge = following;
            }
            line.push(line[0]);
            loops.push(line);
        }
        loops
    }

    /// Returns a value; row and column count the ring around the map. `None` in the ring, and where a
    /// value is not a number.
    fn at(&self, row: usize, column: usize) -> Option<f32> {
        let (row, column) = (row.checked_sub(1)?, column.checked_sub(1)?);
        if row >= self.size[0] || column >= self.size[1] {
            return None;
        }
        self.values.get(row * self.size[1] + column).copied().filter(|value| value.is_finite())
    }

    /// Returns the lines of a square, each from the edge by which it enters to that by which it leaves.
    fn lines(&self, row: usize, column: usize, level: f32) -> Vec<(Edge, Edge)> {
        let corners = [(row, column), (row, column + 1), (row + 1, column + 1), (row + 1, column)];
        let values = corners.map(|(row, column)| self.at(row, column));
        let is_high = values.map(|value| value.is_some_and(|value| value >= level));
        let (top, bottom) = ((row, column, false), (row + 1, column, false));
        let (left, right) = ((row, column, true), (row, column + 1, true));
        // The corners are top left, top right, bottom right, bottom left.
        match is_high {
            [false, false, false, false] | [true, true, true, true] => Vec::new(),
            [true, false, false, false] => vec![(left, top)],
            [false, true, false, false] => vec![(top, right)],
            [false, false, true, false] => vec![(right, bottom)],
            [false, false, false, true] => vec![(bottom, left)],
            [true, true, false, false] => vec![(left, right)],
            [false, true, true, false] => vec![(top, bottom)],
            [false, false, true, true] => vec![(right, left)],
            [true, false, false, true] => vec![(bottom, top)],
            [true, true, true, false] => vec![(left, bottom)],
            [true, true, false, true] => vec![(bottom, right)],
            [true, false, true, true] => vec![(right, top)],
            [false, true, true, true] => vec![(top, left)],
            // Two opposite corners are high; the mean decides whether they are joined.
            [true, false, true, false] if are_joined(values, level) => {
                vec![(right, top), (left, bottom)]
            }
            [true, false, true, false] => vec![(left, top), (right, bottom)],
            [false, true, false, true] if are_joined(values, level) => {
                vec![(top, left), (bottom, right)]
            }
            [false, true, false, true] => vec![(top, right), (bottom, left)],
        }
    }

    /// Returns where a line crosses an edge.
    fn point(&self, (row, column, is_down): Edge, level: f32, film: [u32; 2]) -> Point {
        let (down, along) = if is_down { (1, 0) } else { (0, 1) };
        let share = match (self.at(row, column), self.at(row + down, column + along)) {
            (Some(first), Some(second)) if first != second => (level - first) / (second - first),
            // One of the two is in the ring around the map: half way, at the edge of the film.
            _ => 0.5,
        };
        let place = |number: usize, step: usize, cells: usize, pixels: u32| {
            // The first value, number 1, is at the centre of the first cell.
            let cell = number as f32 + share * step as f32 - 0.5;
            (cell * pixels as f32 / cells as f32).clamp(0.0, pixels as f32)
        };
        [place(column, along, self.size[1], film[1]), place(row, down, self.size[0], film[0])]
    }
}

/// Whether the mean of four corners is at least the level.
fn are_joined(values: [Option<f32>; 4], level: f32) -> bool {
    values.iter().map(|value| value.unwrap_or(f32::NEG_INFINITY)).sum::<f32>() / 4.0 >= level
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The area within a line, above zero if its left side is inside.
    fn area(line: &[Point]) -> f32 {
        line.windows(2).map(|pair| pair[0][1] * pair[1][0] - pair[0][0] * pair[1][1]).sum::<f32>()
            / 2.0
    }

    #[test]
    fn a_peak_has_a_diamond_around_it_in_pixels_of_the_film() {
        let mut values = [0.0; 15];
        values[7] = 1.0;
        let grid = Grid { size: [3, 5], values: &values };

        let lines = grid.contours(0.5, [30, 100]);

        assert_eq!(lines.len(), 1);
        let mut points = lines[0][1..].to_vec();
        points.sort_by(|a, b| a.partial_cmp(b).unwrap());
        assert_eq!(points, [[40.0, 15.0], [50.0, 10.0], [50.0, 20.0], [60.0, 15.0]]);
        assert_eq!(lines[0].first(), lines[0].last());
        assert_eq!(area(&lines[0]), 100.0);
    }

    #[test]
    fn a_map_that_is_high_everywhere_has_the_edge_of_the_film() {
        let grid = Grid { size: [2, 3], values: &[1.0; 6] };

        let lines = grid.contours(0.5, [20, 30]);

        assert_eq!(lines.len(), 1);
        let (columns, rows): (Vec<f32>, Vec<f32>) = lines[0].iter().map(|p| (p[0], p[1])).unzip();
        let ends = |of: &[f32]| {
            (of.iter().copied().fold(f32::MAX, f32::min), of.iter().copied().fold(0.0, f32::max))
        };
        assert_eq!((ends(&columns), ends(&rows)), ((0.0, 30.0), (0.0, 20.0)));
    }

    #[test]
    fn a_hole_has_a_line_of_its_own_and_saddles_are_joined_by_their_mean() {
        let mut ring = [1.0; 25];
        ring[12] = 0.0;
        let grid = Grid { size: [5, 5], values: &ring };
        let areas: Vec<f32> = grid.contours(0.5, [50, 50]).iter().map(|line| area(line)).collect();
        assert_eq!(areas.len(), 2);
        assert!(areas.iter().any(|&area| area > 2000.0) && areas.iter().any(|&area| area < 0.0));

        for (low, loops) in [(0.4, 1), (0.0, 2)] {
            let saddle = [1.0, low, low, 1.0];
            assert_eq!(Grid { size: [2, 2], values: &saddle }.contours(0.6, [2, 2]).len(), loops);
        }
    }

    #[test]
    fn nothing_high_and_numbers_that_are_none_have_no_lines() {
        let grid = Grid { size: [1, 3], values: &[0.1, f32::NAN, f32::INFINITY] };

        assert!(grid.contours(0.5, [3, 9]).is_empty());
    }
}
