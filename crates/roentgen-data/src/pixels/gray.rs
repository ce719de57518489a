//! Colour and deep samples as 8-bit gray.

/// Scales a sample of this many bits, 8 to 16, to 0..255, rounded.
pub(super) fn eight_bits(value: u16, bits: u32) -> u8 {
    let top = (1_u32 << bits) - 1;
    ((u32::from(value).min(top) * 255 + top / 2) / top) as u8
}

/// Returns the bits that a 16-bit film uses, by its largest sample. Scanners of 12 bits often write
/// their values unscaled, which would leave 16 of 256 shades.
pub(super) fn bits_used(largest: u16) -> u32 {
    [8, 10, 12, 14].into_iter().find(|&bits| u32::from(largest) < 1 << bits).unwrap_or(16)
}

/// Computes Rec. 601 luma; exact if the three are equal, as in NIH's RGBA films.
pub(super) fn luma([red, green, blue]: [u8; 3]) -> u8 {
    if red == green && green == blue {
        return red;
    }
    ((u32::from(red) * 299 + u32::from(green) * 587 + u32::from(blue) * 114 + 500) / 1000) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_depth_reaches_both_ends_and_rounds() {
        for bits in 8..=16 {
            let top = ((1_u32 << bits) - 1) as u16;
            assert_eq!((eight_bits(0, bits), eight_bits(top, bits)), (0, 255), "{bits}");
        }
        assert_eq!([0, 8, 9, 2047, 2048].map(|value| eight_bits(value, 12)), [0, 0, 1, 127, 128]);
        // As (value + 128) / 257, which is exact for 16 bits.
        for value in [0, 128, 129, 257, 32_896, 65_406, 65_407] {
            let expected = ((u32::from(value) + 128) / 257) as u8;
            assert_eq!(eight_bits(value, 16), expected, "{value}");
        }
    }

    #[test]
    fn the_bits_are_the_fewest_that_hold_the_largest_sample() {
        let largest = [0, 255, 256, 1023, 1024, 4095, 4096, 16_383, 16_384, 65_535];

        assert_eq!(largest.map(bits_used), [8, 8, 10, 10, 12, 12, 14, 14, 16, 16]);
    }
}
