//! Logistic regression on one variable, by Newton's method.
//!
//! Platt scaling, temperature and the calibration slope are all this regression, on the logit of a
//! probability. The trap is separation: if a threshold divides the classes without an error, the
//! slope is infinite and every optimizer returns another large number. It is `None` here.

/// Lower limit of a probability and of its complement in a fit, as in Keras.
const LEAST: f64 = 1e-7;
/// Maximum number of steps; a fit converges in about ten.
const STEPS: usize = 200;

/// Returns the logit of a probability to fit on; one closer to 0 or 1 than 1e-7 counts as that
/// close, so that a saturated or rounded probability cannot decide the fit.
pub(crate) fn fitted_logit(p: f64) -> f64 {
    logit(p.clamp(LEAST, 1.0 - LEAST))
}

/// Returns the logit of a probability, infinite for 0 and 1.
pub(crate) fn logit(p: f64) -> f64 {
    (p / (1.0 - p)).ln()
}

/// Returns the probability of a logit.
pub(crate) fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// The logit `slope * z + intercept`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct LogitFit {
    pub(crate) slope: f64,
    pub(crate) intercept: f64,
}

/// Fits slope and intercept to targets in 0..1; `None` if there is no finite optimum.
pub(crate) fn fit_line(z: &[f64], targets: &[f64]) -> Option<LogitFit> {
    let is_constant = z.windows(2).all(|pair| pair[0] == pair[1]);
    (!is_constant).then(|| newton(z, targets, [0.0, 0.0], [true, true]))?
}

/// Fits the slope of a line through the origin.
pub(crate) fn fit_slope(z: &[f64], targets: &[f64]) -> Option<f64> {
    newton(z, targets, [1.0, 0.0], [true, false]).map(|line| line.slope)
}

/// Fits the intercept of a line of slope 1.
pub(crate) fn fit_intercept(z: &[f64], targets: &[f64]) -> Option<f64> {
    newton(z, targets, [1.0, 0.0], [false, true]).map(|line| line.intercept)
}

/// Whether a threshold on `z` divides the classes without an error, in either direction; films at
/// the threshold may be of both.
pub(crate) fn is_separated(z: &[f64], labels: &[bool]) -> bool {
    let range = |class: bool| {
        let values = z.iter().zip(labels).filter(|&(_, &label)| label == class);
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), (&z, _)| {
            (low.min(z), high.max(z))
        })
    };
    let (positive, negative) = (range(true), range(false));
    negative.1 <= positive.0 || positive.1 <= negative.0
}

/// Minimizes the cross entropy over those of `[slope, intercept]` that are free.
fn newton(z: &[f64], targets: &[f64], start: [f64; 2], is_free: [bool; 2]) -> Option<LogitFit> {
    let mut at = start;
    let mut loss = cross_entropy(z, targets, at);
    for _ in 0..STEPS {
        let (_, step) = direction(z, targets, at, is_free)?;
        let mut share = 1.0;
        let (next, lower) = loop {
            let next = [at[0] + share * step[0], at[1] + share * step[1]];
            let lower = cross_entropy(z, targets, next);
            // At the optimum, rounding decides whether the loss falls.
            if lower <= loss + 1e-12 * loss.abs() || share < 1e-10 {
                break (next, lower);
            }
            share /= 2.0;
        };
        // Each step squares the error, so the step after this one would be below the last digit.
        (at, loss) = (next, lower);
        if step.iter().zip(at).all(|(step, at)| step.abs() <= 1e-9 * (1.0 + at.abs())) {
            let [slope, intercept] = at;
            return Some(LogitFit { slope, intercept });
        }
    }
    None
}

fn cross_entropy(z: &[f64], targets: &[f64], [slope, intercept]: [f64; 2]) -> f64 {
    let term = |(&z, &target): (&f64, &f64)| {
        let x = slope * z + intercept;
        (-x.abs()).exp().ln_1p() + x.max(0.0) - target * x
    };
    z.iter().zip(targets).map(term).sum()
}

/// Returns the gradient and Newton's step; `None` if the curvature vanishes.
fn direction(
    z: &[f64],
    targets: &[f64],
    [slope, intercept]: [f64; 2],
    is_free: [bool; 2],
) -> Option<([f64; 2], [f64; 2])> {
    let mut gradient = [0.0; 2];
    let [mut a, mut b, mut d] = [0.0; 3];
    for (&z, &target) in z.iter().zip(targets) {
        let p = sigmoid(slope * z + intercept);
        let (error, weight) = (p - target, p * (1.0 - p));
        gradient = [gradient[0] + error * z, gradient[1] + error];
        a += weight * z * z;
        b += weight * z;
        d += weight;
    }
    if !is_free[0] {
        (gradient[0], a, b) = (0.0, 1.0, 0.0);
    }
    if !is_free[1] {
        (gradient[1], d, b) = (0.0, 1.0, 0.0);
    }
    let determinant = a * d - b * b;
    let step = [
        (b * gradient[1] - d * gradient[0]) / determinant,
        (b * gradient[0] - a * gradient[1]) / determinant,
    ];
    (determinant > 0.0).then_some((gradient, step))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gradient_vanishes_at_the_fit() {
        let z: Vec<f64> = (0..50).map(|i| f64::from(i * 17 % 23) / 4.0 - 3.0).collect();
        let targets: Vec<f64> = (0..50).map(|i| f64::from(u8::from(i * 7 % 11 > 6))).collect();

        let LogitFit { slope, intercept } = fit_line(&z, &targets).unwrap();
        let (gradient, _) = direction(&z, &targets, [slope, intercept], [true; 2]).unwrap();
        assert!(gradient.iter().all(|g| g.abs() < 1e-11), "{gradient:?}");
        let intercept = fit_intercept(&z, &targets).unwrap();
        let (gradient, _) = direction(&z, &targets, [1.0, intercept], [false, true]).unwrap();
        assert!(gradient[1].abs() < 1e-11, "{gradient:?}");
    }

    #[test]
    fn certain_probabilities_have_a_logit_to_fit_on() {
        assert!((fitted_logit(1.0) - 16.118).abs() < 1e-3);
        assert!((fitted_logit(0.0) + fitted_logit(1.0)).abs() < 1e-8);
        assert_eq!(fitted_logit(0.2), logit(0.2));
        assert!((sigmoid(logit(0.3)) - 0.3).abs() < 1e-15);
    }

    #[test]
    fn classes_that_a_threshold_divides_are_separated() {
        let z = [0.1, 0.2, 0.2, 0.5];

        assert!(is_separated(&z, &[false, false, true, true]));
        assert!(is_separated(&z, &[true, true, false, false]));
        assert!(!is_separated(&z, &[false, true, true, false]));
        assert!(is_separated(&[0.3; 4], &[false, true, false, true]));
    }
}
