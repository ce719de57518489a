//! The random streams of a run, each with a seed of its own that follows from the run's.
//!
//! Two streams with one seed would draw the same numbers: the order of the films would decide how
//! they are augmented.

/// The bits of the golden ratio. Multiples of it are spread over all 64 bits, so that neighboring
/// numbers give independent streams.
const GOLDEN_RATIO: u64 = 0x9e37_79b9_7f4a_7c15;

/// What a stream is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The order of the films in each epoch.
    Order,
    /// Augmentation.
    Augment,
    /// Dropout in an optimizer step of the run, from 0.
    Step(usize),
    /// The values of a key of a search, by its place among the keys.
    SearchKey(usize),
}

/// Returns the seed of a stream.
pub fn derive(seed: u64, purpose: Purpose) -> u64 {
    seed ^ match purpose {
        Purpose::Order => u64::from_be_bytes(*b"\0\0\0order"),
        Purpose::Augment => u64::from_be_bytes(*b"\0augment"),
        Purpose::Step(number) | Purpose::SearchKey(number) => {
            (number as u64 + 1).wrapping_mul(GOLDEN_RATIO)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_those_of_every_earlier_version() {
        assert_eq!(derive(0, Purpose::Order), 0x6f_7264_6572);
        assert_eq!(derive(0, Purpose::Augment), 0x61_7567_6d65_6e74);
        assert_eq!(derive(5, Purpose::Step(0)), 0x9e37_79b9_7f4a_7c15 ^ 5);
        assert_eq!(derive(5, Purpose::SearchKey(1)), 0x3c6e_f372_fe94_f82a ^ 5);
    }
}
