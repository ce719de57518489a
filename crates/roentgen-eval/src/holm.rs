//! Holm's correction of p-values for the number of tests.

/// Adjusts p-values by Holm's step-down method; a test without a p-value is not counted and stays
/// `None`.
///
/// With adjusted values below 0.05, the probability of one false claim among all of them is below
/// 0.05, whatever the dependence of the tests.
///
/// ```
/// use roentgen_eval::holm;
///
/// assert_eq!(holm(&[Some(0.04), None, Some(0.01)]), [Some(0.04), None, Some(0.02)]);
/// ```
pub fn holm(p_values: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut known: Vec<(usize, f64)> =
        p_values.iter().enumerate().filter_map(|(test, p)| Some((test, (*p)?))).collect();
    known.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut adjusted = vec![None; p_values.len()];
    let mut highest = 0.0_f64;
    for (rank, &(test, p)) in known.iter().enumerate() {
        highest = highest.max(p * (known.len() - rank) as f64).min(1.0);
        adjusted[test] = Some(highest);
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_larger_p_value_never_becomes_smaller_than_a_smaller_one() {
        let adjusted = holm(&[Some(0.01), Some(0.011), Some(0.9), Some(0.5)]);

        assert_eq!(adjusted, [Some(0.04), Some(0.04), Some(1.0), Some(1.0)]);
        assert_eq!(holm(&[]), []);
    }
}
