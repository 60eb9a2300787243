//! Slurm's way to write a time limit, and how long before its end to warn.

use crate::exit::Usage;

/// Seconds between the warning and the end where there is time enough: the program needs five, Slurm may be a minute late.
const WARNING: u64 = 120;

/// How many seconds before the end of this limit the shards are told to stop; of short limits a quarter.
///
/// # Errors
/// If this is no time limit.
pub(super) fn warning(limit: Option<&str>) -> Result<u64, Usage> {
    let Some(text) = limit else { return Ok(WARNING) };
    if ["unlimited", "infinite"].contains(&text.to_ascii_lowercase().as_str()) {
        return Ok(WARNING);
    }
    match seconds(text) {
        // Slurm takes no time at all for no limit.
        Some(0) => Ok(WARNING),
        Some(seconds) => Ok(WARNING.min(seconds.max(60) / 4)),
        None => Err(Usage(format!(
            "--time {text} is no time limit; write minutes, minutes:seconds, hours:minutes:seconds, days-hours, \
             days-hours:minutes or days-hours:minutes:seconds, such as 2:00:00"
        ))),
    }
}

fn seconds(text: &str) -> Option<u64> {
    let (days, rest) = match text.split_once('-') {
        Some((days, rest)) => (Some(number(days)?), rest),
        None => (None, text),
    };
    let fields = rest.split(':').map(number).collect::<Option<Vec<u64>>>()?;
    let (hours, minutes, seconds) = match (days, fields.as_slice()) {
        (None, &[m]) => (0, m, 0),
        (None, &[m, s]) => (0, m, s),
        (_, &[h, m, s]) => (h, m, s),
        (Some(_), &[h]) => (h, 0, 0),
        (Some(_), &[h, m]) => (h, m, 0),
        _ => return None,
    };
    Some(days.unwrap_or(0) * 86_400 + hours * 3600 + minutes * 60 + seconds)
}

fn number(text: &str) -> Option<u64> {
    (text.len() <= 7 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_as_slurm_reads_them() {
        let known =
            [("90", 5400), ("1:30", 90), ("2:00:00", 7200), ("1-0", 86_400), ("1-12:30", 131_400), ("0-00:00:45", 45)];
        for (text, wanted) in known {
            assert_eq!(seconds(text), Some(wanted), "{text}");
        }
        for text in ["", ":", "1h", "-5", "1:2:3:4", "1-", "1-2:3:4:5", "12345678"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    #[test]
    fn short_limits_are_warned_of_late() {
        let of = |text: &str| warning(Some(text)).expect("a limit");
        assert_eq!((warning(None).expect("none"), of("2:00:00"), of("4"), of("1"), of("0:10")), (120, 120, 60, 15, 15));
        assert_eq!((of("UNLIMITED"), of("0")), (120, 120));
        assert!(warning(Some("two hours")).expect_err("no limit").0.contains("two hours"));
    }
}
