//! Heat maps: values over a film, on a grid that is coarser than the film.
//!
//! A map is brought to a film's size by linear interpolation between the centers of cells, as
//! OpenCV's `INTER_LINEAR` and torch's `align_corners=False` do. Whatever draws or scores a map
//! interpolates it here.

/// A map over a film.
#[derive(Clone, Debug, PartialEq)]
pub struct HeatMap {
    /// Height in cells.
    pub height: usize,
    /// Width in cells.
    pub width: usize,
    /// `height * width` values, row by row.
    pub values: Vec<f32>,
}

impl HeatMap {
    /// Returns the lowest and the highest value.
    pub fn range(&self) -> [f32; 2] {
        let fold = |start, pick: fn(f32, f32) -> f32| self.values.iter().copied().fold(start, pick);
        [fold(f32::INFINITY, f32::min), fold(f32::NEG_INFINITY, f32::max)]
    }

    /// Whether the map says nothing about places: all its values are the same, or one is not a
    /// number.
    pub fn is_flat(&self) -> bool {
        let [low, high] = self.range();
        self.values.iter().any(|value| !value.is_finite()) || low >= high
    }

    /// Interpolates the map to `height * width` values, row by row.
    pub fn resized(&self, [height, width]: [usize; 2]) -> Vec<f32> {
        let rows: Vec<_> = (0..height).map(|row| neighbours(row, height, self.height)).collect();
        let columns: Vec<_> =
            (0..width).map(|column| neighbours(column, width, self.width)).collect();
        let at = |row: usize, column: usize| self.values[row * self.width + column];
        let mut values = Vec::with_capacity(height * width);
        for &(top, bottom, down) in &rows {
            values.extend(columns.iter().map(|&(left, right, along)| {
                let upper = at(top, left) * (1.0 - along) + at(top, right) * along;
                let lower = at(bottom, left) * (1.0 - along) + at(bottom, right) * along;
                upper * (1.0 - down) + lower * down
            }));
        }
        values
    }
}

/// Returns the cells on both sides of a pixel's center, and the share of the second.
fn neighbours(at: usize, of: usize, cells: usize) -> (usize, usize, f32) {
    let place = (at as f32 + 0.5) / of as f32 * cells as f32 - 0.5;
    let place = place.clamp(0.0, (cells - 1) as f32);
    let low = place.floor() as usize;
    (low, (low + 1).min(cells - 1), place - low as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_is_interpolated_between_the_centers_of_its_cells() {
        let map = HeatMap { height: 1, width: 2, values: vec![0.0, 4.0] };

        assert_eq!(map.resized([2, 4]), [0.0, 1.0, 3.0, 4.0, 0.0, 1.0, 3.0, 4.0]);
    }

    #[test]
    fn a_map_of_one_cell_is_flat_at_any_size() {
        let map = HeatMap { height: 1, width: 1, values: vec![0.5] };

        assert_eq!(map.resized([2, 3]), [0.5; 6]);
        assert!(map.is_flat());
        assert!(HeatMap { height: 1, width: 2, values: vec![f32::NAN, 1.0] }.is_flat());
        assert!(!HeatMap { height: 1, width: 2, values: vec![0.0, 1.0] }.is_flat());
    }
}
