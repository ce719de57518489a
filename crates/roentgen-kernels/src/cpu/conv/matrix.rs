//! A matrix in memory of its owner, with strides.

/// A matrix in someone else's memory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Matrix<'a> {
    pub(super) values: &'a [f32],
    pub(crate) size: [usize; 2],
    pub(super) strides: [usize; 2],
}

impl<'a> Matrix<'a> {
    /// Values row by row.
    pub(crate) fn new(values: &'a [f32], size: [usize; 2]) -> Self {
        assert_eq!(values.len(), size[0] * size[1], "a matrix of {size:?}");
        Self { values, size, strides: [size[1], 1] }
    }

    pub(crate) fn transpose(self) -> Self {
        let Self { values, size: [rows, columns], strides: [down, right] } = self;
        Self { values, size: [columns, rows], strides: [right, down] }
    }

    /// Values of a matrix of fewer columns than its rows are apart.
    pub(crate) fn part(values: &'a [f32], size: [usize; 2], pitch: usize) -> Self {
        let matrix = Self { values, size, strides: [pitch, 1] };
        assert!(size[1] <= pitch && matrix.last() < values.len(), "a part of {size:?}");
        matrix
    }

    pub(crate) fn rows(self, start: usize, count: usize) -> Self {
        let values = &self.values[start * self.strides[0]..];
        Self { values, size: [count, self.size[1]], ..self }
    }

    pub(super) fn last(self) -> usize {
        (self.size[0] - 1) * self.strides[0] + (self.size[1] - 1) * self.strides[1]
    }
}
