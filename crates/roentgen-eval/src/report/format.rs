//! Figures as texts.
//!
//! Rounding happens here and nowhere else, and a figure without a meaning becomes `n/a` here, so
//! that HTML and Markdown cannot say two things.

use crate::Interval;

/// A figure in three decimals.
pub(crate) fn figure(value: Option<f64>) -> String {
    value.map_or("n/a".into(), |value| format!("{value:.3}"))
}

/// A probability in three decimals, which for the smallest would be zero.
pub(crate) fn probability(p: f64) -> String {
    if p > 0.0 && p < 0.0005 { "<0.001".into() } else { figure(Some(p)) }
}

/// A figure in three decimals, a dash where nobody gave it.
pub(crate) fn given(value: Option<f64>) -> String {
    value.map_or("–".into(), |value| format!("{value:.3}"))
}

/// Both ends in three decimals.
pub(crate) fn interval(interval: Option<Interval>) -> String {
    interval.map_or("n/a".into(), |Interval { low, high }| format!("{low:.3}–{high:.3}"))
}

/// A share in percent.
pub(crate) fn percent(share: Option<f64>) -> String {
    match share {
        // Hernia has 0.2 % and Effusion 18 %: both want two digits that say something.
        Some(share) if share > 0.0 && share < 0.1 => format!("{:.2} %", 100.0 * share),
        Some(share) => format!("{:.1} %", 100.0 * share),
        None => "n/a".into(),
    }
}

/// A count with a comma every three digits.
pub(crate) fn count(count: usize) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_a_comma_every_three_digits() {
        assert_eq!([0, 999, 1000, 112_120].map(count), ["0", "999", "1,000", "112,120"]);
    }

    #[test]
    fn figures_are_rounded_once() {
        assert_eq!(figure(Some(0.71081)), "0.711");
        assert_eq!(figure(None), "n/a");
        assert_eq!(interval(Some(Interval { low: 0.6953, high: 0.724 })), "0.695–0.724");
        assert_eq!([Some(0.0034), Some(0.182), None].map(percent), ["0.34 %", "18.2 %", "n/a"]);
    }
}
