//! Formatting of figures.
//!
//! Figures are rounded only here, and undefined figures become `n/a` here, so that HTML and
//! Markdown cannot disagree.

use roentgen_figures::decimals;
pub(crate) use roentgen_figures::thousands as count;

use crate::Interval;

/// The program and its version, as files and pages name it.
pub(crate) const PROGRAM: &str = concat!("roentgen ", env!("CARGO_PKG_VERSION"));

/// Formats a figure with three decimals.
pub(crate) fn figure(value: Option<f64>) -> String {
    decimals(value, 3)
}

/// Formats a probability with three decimals, or as `<0.001` if that would be zero.
pub(crate) fn probability(p: f64) -> String {
    if p > 0.0 && p < 0.0005 { "<0.001".into() } else { figure(Some(p)) }
}

/// Formats a figure with three decimals, or a dash if it is not given.
pub(crate) fn figure_or_dash(value: Option<f64>) -> String {
    value.map_or("–".into(), |value| format!("{value:.3}"))
}

/// Formats both ends of an interval with three decimals.
pub(crate) fn interval(interval: Option<Interval>) -> String {
    interval.map_or("n/a".into(), |Interval { low, high }| format!("{low:.3}–{high:.3}"))
}

/// Formats a share in percent.
pub(crate) fn percent(share: Option<f64>) -> String {
    match share {
        // Hernia has 0.2 % and Effusion 18 %: both need two significant digits.
        Some(share) if share > 0.0 && share < 0.1 => format!("{:.2} %", 100.0 * share),
        Some(share) => format!("{:.1} %", 100.0 * share),
        None => "n/a".into(),
    }
}

/// Returns the name of a finding or column as words.
pub(crate) fn readable(name: &str) -> String {
    name.replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_rounded_once() {
        assert_eq!(figure(Some(0.71081)), "0.711");
        assert_eq!(figure(None), "n/a");
        assert_eq!(interval(Some(Interval { low: 0.6953, high: 0.724 })), "0.695–0.724");
        assert_eq!([Some(0.0034), Some(0.182), None].map(percent), ["0.34 %", "18.2 %", "n/a"]);
    }
}
