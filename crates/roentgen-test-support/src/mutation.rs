//! Changed files for readers, which must return an error or a value and never panic.

/// Returns how many changed files a test tries: `ROENTGEN_MUTATIONS`, or else `usual`.
///
/// # Panics
///
/// Panics if the variable is not a number.
#[must_use]
pub fn turns(usual: u64) -> u64 {
    match std::env::var("ROENTGEN_MUTATIONS") {
        Ok(turns) => turns.parse().expect("`ROENTGEN_MUTATIONS` must be a whole number"),
        Err(_) => usual,
    }
}

/// Changes files; the same seed gives the same changes on every machine.
#[derive(Clone, Debug)]
pub struct Mutator(u64);

impl Mutator {
    /// Starts with a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end.max(1)
    }

    /// Changes, cuts, doubles or fills parts of a file.
    pub fn mutate(&mut self, whole: &[u8]) -> Vec<u8> {
        /// What breaks readers: ends of ranges, separators, marks.
        const ODD: [&[u8]; 12] = [
            b"\xff\xff\xff\xff",
            b"\0\0\0\0",
            b"\x7f\xff\xff\xff",
            b"\x80\0\0\0",
            b"\xff\xd8\xff\xd9",
            b"99999999999999999999",
            b"-1",
            b",,,,",
            b"\"",
            b"\n\r\n",
            b"[[[[[[[[",
            b"\xef\xbb\xbf",
        ];
        let mut bytes = whole.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len());
            let end = (at + 1 + self.below(40)).min(bytes.len());
            match self.below(7) {
                0 | 1 if !bytes.is_empty() => bytes[at] ^= 1 << self.below(8),
                2 if !bytes.is_empty() => bytes[at] = self.below(256) as u8,
                3 => bytes.truncate(at),
                4 => {
                    let part = bytes[at..end].to_vec();
                    bytes.splice(at..at, part);
                }
                5 => {
                    bytes.drain(at..end);
                }
                _ => {
                    let odd = ODD[self.below(ODD.len())];
                    let end = (at + odd.len()).min(bytes.len());
                    bytes.splice(at..end, odd.iter().copied());
                }
            }
        }
        bytes
    }
}
