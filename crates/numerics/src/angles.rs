//! Sine and cosine of multiples of π, exact where the multiple is a half-integer.
//!
//! `(PI * 25.0).sin()` is 4e-15 and not zero; a design whose first and last points coincide on the
//! circle would then look as if it had full rank.

use std::f64::consts::PI;

/// cos(π t), with the argument reduced exactly before the multiplication by π.
pub fn cos_pi(t: f64) -> f64 {
    let r = (t.abs() % 2.0).min(2.0 - t.abs() % 2.0); // in [0, 1]; cos(π t) = cos(π r)
    if r <= 0.25 {
        (PI * r).cos()
    } else if r <= 0.75 {
        (PI * (0.5 - r)).sin()
    } else {
        -(PI * (1.0 - r)).cos()
    }
}

/// sin(π t), with the argument reduced exactly before the multiplication by π.
pub fn sin_pi(t: f64) -> f64 {
    let r = t.abs() % 2.0;
    let (r, sign) = if r > 1.0 { (r - 1.0, -1.0) } else { (r, 1.0) };
    let r = r.min(1.0 - r); // in [0, 1/2]
    let value = if r <= 0.25 { (PI * r).sin() } else { (PI * (0.5 - r)).cos() };
    let value = if r == 0.0 { 0.0 } else { value };
    sign * value * t.signum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_integers_are_exact() {
        for j in -60..60 {
            assert!(sin_pi(f64::from(j)).abs() <= 0.0);
            assert!(cos_pi(f64::from(j) + 0.5).abs() <= 0.0);
            assert!((cos_pi(f64::from(j)) - if j % 2 == 0 { 1.0 } else { -1.0 }).abs() <= 0.0);
        }
    }

    #[test]
    fn agrees_with_the_library_away_from_multiples() {
        for i in -200..200 {
            let t = f64::from(i) * 0.0373;
            assert!((sin_pi(t) - (PI * t).sin()).abs() < 4e-15, "{t}");
            assert!((cos_pi(t) - (PI * t).cos()).abs() < 4e-15, "{t}");
        }
    }
}
