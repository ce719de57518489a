//! Formats of numbers, the same in figures, pages and on the terminal.

/// Formats a count with a comma between thousands.
///
/// ```
/// assert_eq!(roentgen_figures::thousands(112_120), "112,120");
/// ```
pub fn thousands(count: usize) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Formats a value with a number of decimals, or as `n/a` if it is undefined.
///
/// ```
/// use roentgen_figures::decimals;
///
/// assert_eq!(decimals(Some(0.71081), 3), "0.711");
/// assert_eq!(decimals(None, 3), "n/a");
/// ```
pub fn decimals(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "n/a".to_owned(), |value| format!("{value:.digits$}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_a_comma_every_three_digits() {
        assert_eq!(
            [0, 999, 1000, 112_120, 1_234_567].map(thousands),
            ["0", "999", "1,000", "112,120", "1,234,567"]
        );
    }
}
