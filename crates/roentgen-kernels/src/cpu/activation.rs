//! Activations and their slopes, value by value.

use crate::cpu::simd::fma;

/// Moves a value between the limits; NaN stays NaN.
#[inline(always)]
pub(crate) fn clamp_to(value: f32, [least, greatest]: [f32; 2]) -> f32 {
    let value = if value < least { least } else { value };
    if value > greatest { greatest } else { value }
}

/// The gradient where the value is not clamped, and zero elsewhere.
#[inline(always)]
pub(crate) fn inside(value: f32, [least, greatest]: [f32; 2], gradient: f32) -> f32 {
    if value > least && value < greatest { gradient } else { 0.0 }
}

#[inline(always)]
pub(crate) fn silu<const FUSED: bool>(x: f32) -> f32 {
    x / (1.0 + exp::<FUSED>(-x))
}

/// The slope of [`silu`].
#[inline(always)]
pub(crate) fn silu_slope<const FUSED: bool>(x: f32) -> f32 {
    let sigmoid = 1.0 / (1.0 + exp::<FUSED>(-x));
    sigmoid * fma::<FUSED>(x, 1.0 - sigmoid, 1.0)
}

/// The exponential function within two units of the last place, from -87 to 88 and flat beyond; in a form
/// that vector code can follow, which the system's is not. The polynomial is that of Cephes' `expf`.
#[inline(always)]
fn exp<const FUSED: bool>(x: f32) -> f32 {
    /// Adding it rounds to a whole number, which is then in the last bits.
    const ROUND: f32 = 12_582_912.0;
    /// The natural logarithm of two in two parts, the first of few digits.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    const POLYNOMIAL: [f32; 6] =
        [1.987_569_1e-4, 1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5];
    let x = x.clamp(-87.0, 88.0);
    let whole = fma::<FUSED>(x, std::f32::consts::LOG2_E, ROUND);
    let power = whole.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127) << 23;
    let whole = whole - ROUND;
    let rest = fma::<FUSED>(-LN_2[1], whole, fma::<FUSED>(-LN_2[0], whole, x));
    let mut sum = POLYNOMIAL[0];
    for term in &POLYNOMIAL[1..] {
        sum = fma::<FUSED>(sum, rest, *term);
    }
    fma::<FUSED>(sum, rest * rest, rest + 1.0) * f32::from_bits(power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_is_that_of_double_precision_and_flat_beyond_its_range() {
        for step in -8700..=8800 {
            let x = step as f32 / 100.0;
            let expected = f64::from(x).exp();
            for found in [exp::<false>(x), exp::<true>(x)] {
                let off = (f64::from(found) - expected).abs() / expected;
                assert!(off < 2.5e-7, "{x}: {found}, not {expected}");
            }
        }
        assert_eq!(exp::<false>(1e9), exp::<false>(88.0));
        assert_eq!(exp::<false>(f32::NEG_INFINITY), exp::<false>(-87.0));
        assert!(exp::<false>(f32::NAN).is_nan());
    }

    #[test]
    fn silu_far_from_zero_is_its_argument_or_nothing() {
        assert_eq!(silu::<false>(200.0), 200.0);
        assert!(silu::<false>(-200.0).abs() < 1e-30);
        assert_eq!([silu_slope::<false>(200.0), silu_slope::<false>(0.0)], [1.0, 0.5]);
    }
}
