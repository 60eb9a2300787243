//! The law's features turned so that they are uncorrelated.

use taut_problem::{Covariance, Law};

/// (variance, coordinate of `d`) along every principal axis of Σ.
pub(crate) fn principal_axes(law: &Law, d: &[f64]) -> Result<Vec<(f64, f64)>, String> {
    match &law.covariance {
        Covariance::Isotropic => Ok(d.iter().map(|d| (1.0, *d)).collect()),
        Covariance::Diagonal(variances) => Ok(variances.iter().copied().zip(d.iter().copied()).collect()),
        Covariance::Dense(sigma) => {
            let (rows, columns) = sigma.shape();
            let sigma = faer::MatRef::from_column_major_slice(sigma.as_slice(), rows, columns);
            let axes = sigma.self_adjoint_eigen(faer::Side::Lower).map_err(|_| {
                format!("the {rows} × {columns} covariance of the features has no eigenvectors in double precision")
            })?;
            let (variances, vectors) = (axes.S().column_vector(), axes.U());
            let along = |j: usize| vectors.col(j).iter().zip(d).map(|(v, d)| v * d).sum();
            Ok((0..columns).map(|j| (variances[j].max(0.0), along(j))).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::DMatrix;

    #[test]
    fn a_turned_covariance_has_the_variances_and_the_quadratic_form_of_the_dense_one() {
        let sigma = DMatrix::from_row_slice(3, 3, &[2.0, 0.5, 0.1, 0.5, 1.0, -0.2, 0.1, -0.2, 0.7]);
        let law = Law {
            covariance: Covariance::Dense(sigma),
            predictor: vec![0.0; 3],
            noise_variance: 0.0,
            unseen_variance: 0.0,
        };
        let d = [1.0, -2.0, 0.5];
        let axes = principal_axes(&law, &d).unwrap();
        let trace: f64 = axes.iter().map(|a| a.0).sum();
        let form: f64 = axes.iter().map(|(variance, along)| variance * along * along).sum();
        // A few rounding errors of a 3 × 3 decomposition.
        assert!((trace - 3.7).abs() < 1e-14 && (form - law.covariance.quadratic(&d)).abs() < 1e-13);
    }
}
