//! Where a window of any size is applied on a padded plane.

/// Where a window is applied on a plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WindowGeometry {
    /// Height and width of the plane.
    pub(crate) size: [usize; 2],
    /// Height and width of the output.
    pub(crate) out: [usize; 2],
    /// Height and width of the window.
    pub(crate) kernel: [usize; 2],
    pub(crate) stride: usize,
    /// Zeros above and on the left.
    pub(crate) before: [usize; 2],
    /// Zeros below and on the right.
    pub(crate) after: [usize; 2],
}

impl WindowGeometry {
    /// Places the window.
    ///
    /// # Panics
    ///
    /// Panics on a stride of zero and when the padded plane is smaller than the window.
    pub(crate) fn new(
        size: [usize; 2],
        kernel: [usize; 2],
        stride: usize,
        padding: [usize; 4],
    ) -> Self {
        let [top, left, bottom, right] = padding;
        let padded = [size[0] + top + bottom, size[1] + left + right];
        assert!(stride > 0, "a window must move");
        assert!(
            padded[0] >= kernel[0] && padded[1] >= kernel[1] && size.iter().all(|&edge| edge > 0),
            "a window of {kernel:?} needs a plane of that size after padding, not {padded:?}"
        );
        let out = [0, 1].map(|axis| (padded[axis] - kernel[axis]) / stride + 1);
        Self { size, out, kernel, stride, before: [top, left], after: [bottom, right] }
    }

    /// The window that takes output gradients back to the plane, its weights turned round; none
    /// where steps leave gaps or the padding exceeds the reach of the window.
    pub(crate) fn reverse(&self) -> Option<Self> {
        let reach = self.kernel.map(|edge| edge - 1);
        let fits =
            [0, 1].iter().all(|&axis| self.before[axis].max(self.after[axis]) <= reach[axis]);
        (self.stride == 1 && fits).then(|| {
            let [before, after] =
                [self.before, self.after].map(|zeros| [0, 1].map(|axis| reach[axis] - zeros[axis]));
            Self { size: self.out, out: self.size, before, after, ..*self }
        })
    }

    /// Taps of the window.
    pub(crate) fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// Values of a plane.
    pub(crate) fn plane(&self) -> usize {
        self.size[0] * self.size[1]
    }

    /// Values of an output plane.
    pub(crate) fn out_plane(&self) -> usize {
        self.out[0] * self.out[1]
    }
}
