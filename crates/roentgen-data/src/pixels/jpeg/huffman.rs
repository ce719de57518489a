//! Bits and Huffman codes of a scan (ITU T.81, annexes C and F).

/// Bits of a code that are looked up at once; longer codes are rare.
const QUICK: u32 = 9;

/// The bits of a scan, up to the next marker.
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    buffer: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at, buffer: 0, count: 0 }
    }

    /// Reads on until the buffer is full or a marker comes; a zero after 0xff is stuffed.
    fn fill(&mut self) {
        while self.count <= 48 {
            let (byte, length) = match self.bytes.get(self.at..) {
                Some([0xff, 0, ..]) => (0xff, 2),
                Some([0xff, ..] | []) | None => return,
                Some([byte, ..]) => (*byte, 1),
            };
            self.buffer = self.buffer << 8 | u64::from(byte);
            self.count += 8;
            self.at += length;
        }
    }

    /// Takes bits; `None` if there are fewer, or if they are more than 16, as in no valid file.
    pub(super) fn take(&mut self, bits: u32) -> Option<u32> {
        if bits > 16 {
            return None;
        }
        if self.count < bits {
            self.fill();
        }
        self.count = self.count.checked_sub(bits)?;
        Some((self.buffer >> self.count) as u32 & ((1 << bits) - 1))
    }

    /// Takes a code and returns its symbol; `None` if there is none.
    pub(super) fn symbol(&mut self, table: &Table) -> Option<u8> {
        if self.count < 16 {
            self.fill();
        }
        // Behind the last bit come zeros, which do not count.
        let window = if self.count >= 16 {
            (self.buffer >> (self.count - 16)) as u32 & 0xffff
        } else {
            (self.buffer as u32 & ((1 << self.count) - 1)) << (16 - self.count)
        };
        let (length, symbol) = table.find(window)?;
        self.count = self.count.checked_sub(length)?;
        Some(symbol)
    }

    /// Passes a restart marker; `None` if there is none here.
    pub(super) fn restart(&mut self) -> Option<()> {
        let mut at = self.end(0)?;
        while self.bytes.get(at..at + 2) == Some(&[0xff, 0xff]) {
            at += 1;
        }
        let is_restart = matches!(self.bytes.get(at..at + 2), Some([0xff, 0xd0..=0xd7]));
        *self = Self::new(self.bytes, at + 2);
        is_restart.then_some(())
    }

    /// Returns where the marker after this scan is, if at most `surplus` bytes precede it.
    pub(super) fn end(&mut self, surplus: usize) -> Option<usize> {
        let mut passed = self.count as usize / 8;
        self.count = 0;
        loop {
            self.fill();
            if self.count == 0 {
                return (passed <= surplus).then_some(self.at);
            }
            passed += self.count as usize / 8;
            self.count = 0;
        }
    }
}

/// The codes of a table DHT.
#[derive(Clone)]
pub(super) struct Table {
    /// Length and symbol by the first [`QUICK`] bits; the length is 0 for longer codes.
    quick: Vec<(u8, u8)>,
    /// For each length of code, the first window of 16 bits after its codes.
    ends: [u32; 17],
    /// For each length, its first code less the number of its first symbol.
    offsets: [i32; 17],
    symbols: Vec<u8>,
}

impl Table {
    /// Makes a table of the number of codes of each length, 1 to 16, and the symbols in order.
    pub(super) fn new(counts: &[u8; 16], symbols: &[u8]) -> Option<Self> {
        let mut quick = vec![(0, 0); 1 << QUICK];
        let (mut ends, mut offsets) = ([0; 17], [0; 17]);
        let (mut code, mut number) = (0_u32, 0);
        for length in 1..=16 {
            offsets[length] = code as i32 - number as i32;
            for _ in 0..counts[length - 1] {
                let &symbol = symbols.get(number)?;
                if length as u32 <= QUICK {
                    let shift = QUICK - length as u32;
                    let first = (code << shift) as usize;
                    quick.get_mut(first..first + (1 << shift))?.fill((length as u8, symbol));
                }
                (code, number) = (code + 1, number + 1);
            }
            if code > 1 << length {
                return None;
            }
            ends[length] = code << (16 - length);
            code <<= 1;
        }
        Some(Self { quick, ends, offsets, symbols: symbols.to_vec() })
    }

    /// Returns the length of the code that begins a window of 16 bits, and its symbol.
    fn find(&self, window: u32) -> Option<(u32, u8)> {
        let (length, symbol) = self.quick[(window >> (16 - QUICK)) as usize];
        if length > 0 {
            return Some((length.into(), symbol));
        }
        let length = (QUICK as usize + 1..=16).find(|&length| window < self.ends[length])?;
        let number = (window >> (16 - length)) as i32 - self.offsets[length];
        Some((length as u32, *self.symbols.get(usize::try_from(number).ok()?)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_standard() {
        // Two codes of two bits, 00 and 01, one of three, 100, and one of eleven.
        let mut counts = [0; 16];
        (counts[1], counts[2], counts[10]) = (2, 1, 1);
        let table = Table::new(&counts, b"abcd").unwrap();

        // 00 01 100 10100000000, and two bits over.
        let mut bits = Bits::new(&[0b0001_1001, 0b0100_0000, 0b0011_0000], 0);
        let read: Vec<Option<u8>> = (0..4).map(|_| bits.symbol(&table)).collect();

        assert_eq!(read, [b'a', b'b', b'c', b'd'].map(Some));
        assert_eq!(bits.take(6), Some(0b11_0000));
        assert_eq!(bits.take(1), None);
        assert!(Table::new(&[3; 16], &[0; 48]).is_none());
    }

    #[test]
    fn bits_end_at_a_marker_and_restart_after_it() {
        let bytes = b"\xff\0\x80\xff\xff\xd3\x01\xff\xd9";
        let mut bits = Bits::new(bytes, 0);

        assert_eq!(bits.take(12), Some(0xff8));
        assert!(bits.restart().is_some());
        assert_eq!((bits.take(8), bits.take(1)), (Some(1), None));
        assert_eq!(bits.end(0), Some(7));
        assert_eq!(Bits::new(bytes, 0).end(1), None);
        assert_eq!(Bits::new(bytes, 0).end(2), Some(3));
    }
}
