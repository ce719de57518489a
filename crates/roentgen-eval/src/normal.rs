//! The standard normal distribution.

/// The 97.5th percentile.
pub(crate) const Z975: f64 = 1.959_963_984_540_054;

/// Returns the probability of a value at least as far from zero as `z`.
pub(crate) fn two_sided_p(z: f64) -> f64 {
    libm::erfc(z.abs() / std::f64::consts::SQRT_2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_in_twenty_is_beyond_the_percentile_on_either_side() {
        assert!((two_sided_p(Z975) - 0.05).abs() < 1e-15);
        assert_eq!(two_sided_p(-1.2), two_sided_p(1.2));
        assert_eq!(two_sided_p(0.0), 1.0);
    }
}
