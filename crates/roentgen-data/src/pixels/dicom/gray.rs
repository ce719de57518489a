//! From stored values to shown ones: modality LUT, VOI LUT or window, inversion (PS3.3 C.11).

use super::header::Header;
use crate::pixels::lut::Voi;

/// Returns the gray of each sample of `bits_stored` bits.
pub(super) fn table(header: &Header) -> Vec<u8> {
    let half = 1_i32 << (header.bits_stored - 1);
    let [low, high] = header.modality.range(header.stored_range());
    let share = |stored: i32| {
        let value = header.modality.apply(stored);
        match &header.voi {
            Voi::Lut(lut) => lut.entry(value) / lut.largest_entry(),
            Voi::Window { window, center, width } => window.apply(value, *center, *width),
            Voi::None => (value - low) / (high - low),
        }
    };
    (0..2 * half)
        .map(|sample| {
            let is_negative = header.is_signed && sample >= half;
            let stored = if is_negative { sample - 2 * half } else { sample };
            // Anything outside of the picture is black, inverted or not.
            if header.padding.is_some_and(|[first, last]| (first..=last).contains(&stored)) {
                return 0;
            }
            let gray = (share(stored).clamp(0.0, 1.0) * 255.0 + 0.5) as u8;
            if header.is_inverted { 255 - gray } else { gray }
        })
        .collect()
}
