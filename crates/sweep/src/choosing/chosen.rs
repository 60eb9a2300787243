//! The point that a score picks, and what it costs against the oracle.

use crate::summary::best_row;
use taut_metrics::Column;

/// What a criterion picks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Choice {
    /// The candidate with the smallest score; the first of equals.
    pub(crate) row: usize,
    /// Its risk; `None` where no risk is known.
    pub(crate) risk: Option<f64>,
    /// Its risk minus the smallest risk of any candidate; at least 0.
    pub(crate) regret: Option<f64>,
}

impl Choice {
    /// `None` where there is no finite score.
    pub(crate) fn new(scores: Option<&[f64]>, risk: Option<&[f64]>) -> Option<Self> {
        let row = best_row(scores?)?;
        let oracle = risk.and_then(|risk| Some(risk[best_row(risk)?]));
        let risk = risk.map(|risk| risk[row]);
        Some(Self { row, risk, regret: risk.zip(oracle).map(|(risk, oracle)| risk - oracle) })
    }
}

/// The risk of every row: `risk` where it is measured, else `test_error`.
pub(crate) fn risk_of(columns: &[Column]) -> Option<&[f64]> {
    let of = |name: &str| columns.iter().find(|c| c.metric.name == name).and_then(|c| c.values.as_deref());
    of("risk").or_else(|| of("test_error"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regret_is_against_the_smallest_risk_of_any_candidate() {
        let choice = Choice::new(Some(&[3.0, 1.0, 2.0]), Some(&[0.25, 0.75, f64::NAN])).unwrap();
        assert_eq!(choice, Choice { row: 1, risk: Some(0.75), regret: Some(0.5) });
        assert_eq!(Choice::new(Some(&[f64::NAN]), Some(&[1.0])), None);
        assert_eq!(Choice::new(None, Some(&[1.0])), None);
        assert_eq!(Choice::new(Some(&[1.0]), None), Some(Choice { row: 0, risk: None, regret: None }));
    }
}
