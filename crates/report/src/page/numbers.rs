//! Numbers as people read them.

use crate::figure::grouped;

/// Four digits are what a glance takes in.
const DIGITS: usize = 4;
const SUPERSCRIPTS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];

/// A number in four digits: "0.0123", "34,211", "7.105·10⁻¹⁵".
pub(super) fn shown(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    let sign = if number < 0.0 { "−" } else { "" };
    let size = number.abs();
    if size.is_infinite() {
        return format!("{sign}∞");
    }
    if size < 1e6 && size.fract() == 0.0 {
        return format!("{sign}{}", grouped(size as usize));
    }
    let scientific = format!("{size:.*e}", DIGITS - 1);
    let (mantissa, power) = scientific.split_once('e').expect("an exponent was asked for");
    let power: i32 = power.parse().expect("a whole number");
    if (-3..6).contains(&power) {
        let decimals = usize::try_from(DIGITS as i32 - 1 - power).unwrap_or(0);
        let plain = format!("{size:.decimals$}");
        return match plain.split_once('.') {
            None => format!("{sign}{}", grouped(plain.parse().unwrap_or(0))),
            Some((whole, part)) => {
                let whole = grouped(whole.parse().unwrap_or(0));
                format!("{sign}{}", trimmed(&format!("{whole}.{part}")))
            }
        };
    }
    let mantissa = trimmed(mantissa);
    let power = raised(power);
    if mantissa == "1" { format!("{sign}10{power}") } else { format!("{sign}{mantissa}·10{power}") }
}

/// A size for people: three digits and a unit.
pub(super) fn bytes(count: u64) -> String {
    let mut value = count as f64;
    for unit in ["B", "kB", "MB"] {
        if value < 1000.0 {
            return if unit == "B" { format!("{value} B") } else { format!("{value:.1} {unit}") };
        }
        value /= 1000.0;
    }
    format!("{value:.1} GB")
}

fn trimmed(decimal: &str) -> &str {
    if decimal.contains('.') { decimal.trim_end_matches('0').trim_end_matches('.') } else { decimal }
}

fn raised(power: i32) -> String {
    let digit = |digit: char| digit.to_digit(10).map_or('⁻', |digit| SUPERSCRIPTS[digit as usize]);
    power.to_string().chars().map(digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_exact_where_they_can_be() {
        for (number, expected) in [
            (0.0, "0"),
            (-0.0, "0"),
            (42.0, "42"),
            (34211.0, "34,211"),
            (-34211.5, "−34,212"),
            (0.012_345_678, "0.01235"),
            (0.1, "0.1"),
            (1234.6, "1,235"),
            (1e6, "10⁶"),
            (7.1054e-15, "7.105·10⁻¹⁵"),
            (-2.5e9, "−2.5·10⁹"),
            (999_999.6, "10⁶"),
            (0.000_999_96, "0.001"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "−∞"),
        ] {
            assert_eq!(shown(number), expected, "{number:e}");
        }
    }

    #[test]
    fn sizes_have_three_digits() {
        assert_eq!(bytes(0), "0 B");
        assert_eq!(bytes(68_000_000), "68.0 MB");
        assert_eq!(bytes(1_200_000_000_000), "1200.0 GB");
    }
}
