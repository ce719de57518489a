//! The codes of the coefficients of one block (ITU T.81, annexes F and G).

use super::huffman::{Bits, Table};

/// The parameters of a scan.
pub(super) struct Scan<'a> {
    pub(super) dc: Vec<Option<&'a Table>>,
    pub(super) ac: Vec<Option<&'a Table>>,
    pub(super) first: u8,
    pub(super) last: u8,
    /// Whether these bits of the coefficients refine earlier ones.
    pub(super) is_refining: bool,
    pub(super) restart_interval: usize,
}

/// Reads all coefficients of a block of a sequential picture.
pub(super) fn all(bits: &mut Bits<'_>, dc: &Table, ac: &Table) -> Option<()> {
    let size = bits.symbol(dc)?;
    bits.take(size.into())?;
    let mut place = 1;
    while place < 64 {
        let symbol = bits.symbol(ac)?;
        let (run, size) = (symbol >> 4, symbol & 15);
        match (run, size) {
            (15, 0) => place += 16,
            (_, 0) => break,
            _ => {
                bits.take(size.into())?;
                place += run + 1;
            }
        }
    }
    (place <= 64).then_some(())
}

/// Reads the DC coefficient of a block, or one more bit of it, in a progressive picture.
pub(super) fn dc(bits: &mut Bits<'_>, scan: &Scan<'_>, part: usize) -> Option<()> {
    let size = if scan.is_refining { 1 } else { bits.symbol(scan.dc[part]?)? };
    bits.take(size.into()).map(|_| ())
}

/// Reads the first bits of a block's AC coefficients.
pub(super) fn first(
    bits: &mut Bits<'_>,
    scan: &Scan<'_>,
    run: &mut u32,
    nonzero: &mut u64,
) -> Option<()> {
    if *run > 0 {
        *run -= 1;
        return Some(());
    }
    let ac = (*scan.ac.first()?)?;
    let mut place = scan.first;
    while place <= scan.last {
        let symbol = bits.symbol(ac)?;
        let (zeros, size) = (symbol >> 4, symbol & 15);
        match (zeros, size) {
            (15, 0) => place += 16,
            (_, 0) => {
                *run = (1 << zeros) - 1 + bits.take(zeros.into())?;
                return Some(());
            }
            _ => {
                place += zeros;
                bits.take(size.into())?;
                *nonzero |= 1_u64.checked_shl(place.into())?;
                place += 1;
            }
        }
    }
    (place <= 64).then_some(())
}

/// Reads one more bit of a block's AC coefficients.
pub(super) fn refine(
    bits: &mut Bits<'_>,
    scan: &Scan<'_>,
    run: &mut u32,
    nonzero: &mut u64,
) -> Option<()> {
    let is_nonzero = |nonzero: u64, place: u8| nonzero >> place & 1 == 1;
    let mut place = scan.first;
    if *run == 0 {
        let ac = (*scan.ac.first()?)?;
        while place <= scan.last {
            let symbol = bits.symbol(ac)?;
            let (mut zeros, size) = (symbol >> 4, symbol & 15);
            match (zeros, size) {
                (15, 0) => {}
                (_, 0) => {
                    *run = (1 << zeros) + bits.take(zeros.into())?;
                    break;
                }
                _ => drop(bits.take(1)?),
            }
            // Coefficients that are not zero have a bit each; the new one comes after the zeros.
            while place <= scan.last {
                if is_nonzero(*nonzero, place) {
                    bits.take(1)?;
                } else if zeros == 0 {
                    break;
                } else {
                    zeros -= 1;
                }
                place += 1;
            }
            if size > 0 {
                if place > scan.last {
                    return None;
                }
                *nonzero |= 1 << place;
            }
            place += 1;
        }
    }
    if *run > 0 {
        for place in place..=scan.last {
            if is_nonzero(*nonzero, place) {
                bits.take(1)?;
            }
        }
        *run -= 1;
    }
    Some(())
}
