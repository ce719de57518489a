//! Tables of which the end is missing: a cell that was cut off is a wrong number, not an error.

/// Notices a last row that was cut off: no line feed ends it, and it has fewer cells than the row
/// before it. A whole table may end without a line feed, and spreadsheets leave out empty cells at the
/// end of some rows, so neither alone says anything.
#[derive(Debug)]
pub(crate) struct LastRow {
    ends_in_line_feed: bool,
    /// Cells of the row before the last.
    before: Option<usize>,
    cells: usize,
    line: u64,
}

impl LastRow {
    /// Watches the rows of a file with these bytes.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let ends_in_line_feed = bytes.last().is_none_or(|&last| last == b'\n' || last == b'\r');
        Self { ends_in_line_feed, before: None, cells: 0, line: 0 }
    }

    /// Sees the next row.
    pub(crate) fn see(&mut self, cells: usize, line: u64) {
        self.before = (self.cells > 0).then_some(self.cells);
        (self.cells, self.line) = (cells, line);
    }

    /// Returns the line of the last row if it was cut off.
    pub(crate) fn cut(&self) -> Option<u64> {
        let is_shorter = self.before.is_some_and(|before| self.cells < before);
        (is_shorter && !self.ends_in_line_feed).then_some(self.line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_last_row_is_cut_off_if_it_is_shorter_and_does_not_end() {
        let last = |text: &str| {
            let mut last = LastRow::of(text.as_bytes());
            for (line, row) in (1..).zip(text.lines()) {
                last.see(row.split(',').count(), line);
            }
            last.cut()
        };

        assert_eq!(last("a,b,c\nd,e"), Some(2));
        assert_eq!(last("a,b,c\nd,e\n"), None);
        assert_eq!(last("a,b\r\nc,d"), None);
        assert_eq!(last("a,b"), None);
        assert_eq!(last(""), None);
    }
}
