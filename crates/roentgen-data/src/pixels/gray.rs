//! Colour and deep samples as 8-bit gray.

/// Scales 0..65535 to 0..255, rounded.
pub(super) fn eight_bits(value: u16) -> u8 {
    ((u32::from(value) + 128) / 257) as u8
}

/// Computes Rec. 601 luma; exact if the three are equal, as in NIH's RGBA films.
pub(super) fn luma([red, green, blue]: [u8; 3]) -> u8 {
    if red == green && green == blue {
        return red;
    }
    ((u32::from(red) * 299 + u32::from(green) * 587 + u32::from(blue) * 114 + 500) / 1000) as u8
}
