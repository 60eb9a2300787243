//! Exponential and inverse hyperbolic sine, eight at a time, accurate to a few roundings.

use crate::lanes::{Lanes, add, fma, fma1, mul};
use std::f64::consts::{LN_2, LOG2_E};

/// Adding this leaves the nearest whole number in the low bits.
const SHIFT: f64 = 6_755_399_441_055_744.0;
/// 1/k! for k = 12 … 0.
const INVERSE_FACTORIALS: [f64; 13] = [
    1.0 / 479_001_600.0,
    1.0 / 39_916_800.0,
    1.0 / 3_628_800.0,
    1.0 / 362_880.0,
    1.0 / 40_320.0,
    1.0 / 5_040.0,
    1.0 / 720.0,
    1.0 / 120.0,
    1.0 / 24.0,
    1.0 / 6.0,
    0.5,
    1.0,
    1.0,
];
/// ln 2 in two parts: the first has zeros at its end, so that small multiples are exact.
const LN_2_HIGH: f64 = 0.693_147_180_369_123_8;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// eᵘ for |u| < 700.
#[inline(always)]
pub(crate) fn exp(u: Lanes) -> Lanes {
    let shifted = fma1(LOG2_E, u, [SHIFT; 8]);
    let mut whole = [0.0; 8];
    let mut power = [0.0; 8];
    for lane in 0..8 {
        whole[lane] = shifted[lane] - SHIFT;
        power[lane] = f64::from_bits((shifted[lane].to_bits() << 52).wrapping_add(0x3ff0_0000_0000_0000));
    }
    let r = fma1(-LN_2_LOW, whole, fma1(-LN_2_HIGH, whole, u));
    let mut sum = [INVERSE_FACTORIALS[0]; 8];
    for c in &INVERSE_FACTORIALS[1..] {
        sum = fma(sum, r, [*c; 8]);
    }
    mul(sum, power)
}

/// asinh y = ln(y + √(1 + y²)): a rough logarithm, then Newton steps on eᵘ = y + √(1 + y²).
#[inline(always)]
pub(crate) fn asinh(y: Lanes) -> Lanes {
    let (mut z, mut u) = ([0.0; 8], [0.0; 8]);
    for lane in 0..8 {
        z[lane] = y[lane].abs() + f64::mul_add(y[lane], y[lane], 1.0).sqrt();
        // z = 2ᵉ·m with m in [1, 2); ln m by three terms of its odd series.
        let bits = z[lane].to_bits();
        let mantissa = f64::from_bits((bits & 0x000f_ffff_ffff_ffff) | 0x3ff0_0000_0000_0000);
        // The exponent as a number without a conversion: in the low bits of a large float.
        let exponent = f64::from_bits((bits >> 52) | 0x4330_0000_0000_0000) - (4_503_599_627_370_496.0 + 1023.0);
        let s = (mantissa - 1.0) / (mantissa + 1.0);
        u[lane] = exponent * LN_2 + 2.0 * s * (1.0 + s * s * (1.0 / 3.0 + s * s / 5.0));
    }
    for _ in 0..2 {
        let mut minus = [0.0; 8];
        for lane in 0..8 {
            minus[lane] = -u[lane];
        }
        u = add(u, fma(z, exp(minus), [-1.0; 8]));
    }
    let mut out = [0.0; 8];
    for lane in 0..8 {
        out[lane] = if y[lane] < 0.0 { -u[lane] } else { u[lane] };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agree_with_the_library() {
        for i in -4000..4000_i32 {
            let u = f64::from(i) * 0.01 + 0.003;
            assert!((exp([u; 8])[3] / u.exp() - 1.0).abs() < 2e-15, "{u}");
            let y = u.sinh();
            assert!((asinh([y; 8])[5] - y.asinh()).abs() < 4e-15 * (1.0 + u.abs()), "{u}");
        }
    }
}
