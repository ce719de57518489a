//! Numbers and ages in the cells of a label file.

/// Why a cell cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Empty,
    NotANumber,
    OutOfRange,
}

/// Reads `28` or `28.0`, as pandas writes the whole numbers of a column in which one is missing.
pub(super) fn whole_number(text: &str) -> Result<u32, Fault> {
    if text.is_empty() {
        return Err(Fault::Empty);
    }
    let (digits, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let unsigned = digits.strip_prefix(['-', '+']).unwrap_or(digits);
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !is_number(unsigned) || !is_number(fraction) || fraction.bytes().any(|b| b != b'0') {
        return Err(Fault::NotANumber);
    }
    if digits.starts_with('-') && unsigned.bytes().all(|b| b == b'0') {
        return Ok(0);
    }
    digits.parse().map_err(|_| Fault::OutOfRange)
}

/// Reads `58`, `58.0`, `058Y`, `058y`, `011M` or `003D` as whole years; empty text means unknown.
pub(super) fn parse_age(text: &str) -> Result<Option<u32>, Fault> {
    if text.is_empty() {
        return Ok(None);
    }
    let units = [('Y', 1), ('M', 12), ('W', 52), ('D', 365)];
    let (digits, divisor) = units
        .iter()
        .find_map(|&(unit, divisor)| {
            let digits = text.strip_suffix([unit, unit.to_ascii_lowercase()])?;
            Some((digits, divisor))
        })
        .unwrap_or((text, 1));
    let fault = |fault| if fault == Fault::Empty { Fault::NotANumber } else { fault };
    whole_number(digits).map(|age| Some(age / divisor)).map_err(fault)
}
