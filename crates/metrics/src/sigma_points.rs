//! Points with a given mean and covariance, over which the mean of a quadratic is its expectation.

use taut_problem::Snapshots;

/// m ± √K·lⱼ for S = Σⱼ lⱼlⱼᵀ with K terms, as rows; m alone where S = 0.
///
/// The mean of a quadratic q over these is E q = q(m) + tr(QS), as a sum of values and without a
/// difference of large numbers. A row that is not finite gives one point of NaN. O(p²·K).
///
/// # Panics
/// If `covariance` is not p × p.
pub(crate) fn sigma_points(mean: &[f64], covariance: &[f64]) -> Snapshots {
    let p = mean.len();
    assert_eq!(covariance.len(), p * p, "one covariance per pair of coefficients");
    let mut points = Snapshots::series(p);
    if !(0..p).all(|j| covariance[j * p + j].is_finite() && mean[j].is_finite()) {
        points.push_series(&vec![f64::NAN; p], f64::NAN);
        return points;
    }
    let factors = square_root(covariance, p);
    if factors.is_empty() {
        points.push_series(mean, f64::NAN);
    }
    let scale = (factors.len() as f64).sqrt();
    for factor in &factors {
        for sign in [scale, -scale] {
            let point: Vec<f64> = mean.iter().zip(factor).map(|(m, l)| m + sign * l).collect();
            points.push_series(&point, f64::NAN);
        }
    }
    points
}

/// The columns l of a Cholesky factor with pivots: Σ llᵀ = S, as many as S has rank.
///
/// Pivots are chosen, and the rest called rounding, relative to each coefficient's own variance, so that
/// coefficients of very different sizes keep their digits alike.
fn square_root(covariance: &[f64], p: usize) -> Vec<Vec<f64>> {
    let mut rest = covariance.to_vec();
    let variance = |of: &[f64], j: usize| of[j * p + j];
    let rounding = p as f64 * f64::EPSILON;
    let mut left: Vec<usize> = (0..p).filter(|&j| variance(covariance, j) > 0.0).collect();
    let mut factors = Vec::new();
    loop {
        let share = |j: usize| variance(&rest, j) / variance(covariance, j);
        left.retain(|&j| share(j) > rounding);
        let Some(&pivot) = left.iter().max_by(|&&a, &&b| share(a).total_cmp(&share(b))) else {
            return factors;
        };
        let size = variance(&rest, pivot).sqrt();
        let mut factor = vec![0.0; p];
        for &j in &left {
            factor[j] = rest[j * p + pivot] / size;
        }
        for &j in &left {
            for &k in &left {
                rest[j * p + k] -= factor[j] * factor[k];
            }
        }
        left.retain(|&j| j != pivot);
        factors.push(factor);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_have_the_covariance_they_were_made_of() {
        // Rank 2 in four coefficients of very different sizes, one of them still.
        let columns = [[1.0, 1e-6, 0.0, -2e3], [0.5, -3e-6, 0.0, 1e3]];
        let covariance: Vec<f64> =
            (0..16).map(|at| columns.iter().map(|l: &[f64; 4]| l[at / 4] * l[at % 4]).sum()).collect();
        let mean = [0.0; 4];
        let points = sigma_points(&mean, &covariance);
        assert_eq!(points.len(), 4, "two for each of two columns");
        for at in 0..16 {
            let rows = points.coefficients.chunks_exact(4);
            let got = rows.map(|row| row[at / 4] * row[at % 4]).sum::<f64>() / 4.0;
            let size = (covariance[at / 4 * 5] * covariance[at % 4 * 5]).sqrt();
            assert!((got - covariance[at]).abs() <= 1e-15 * size, "{at}: {got} {}", covariance[at]);
        }
    }

    #[test]
    fn without_spread_the_mean_is_the_only_point() {
        let points = sigma_points(&[1.0, 2.0], &[0.0; 4]);
        assert_eq!(points.coefficients, [1.0, 2.0]);
        assert!(sigma_points(&[1.0], &[f64::INFINITY]).coefficients[0].is_nan());
    }
}
