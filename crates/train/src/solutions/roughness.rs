//! Least squares with a roughness penalty, in the orthonormal family behind the features.

use std::sync::Arc;
use taut_numerics::{DMatrix, DVector, ThinSvd};
use taut_problem::{
    Basis, Cosine, Degree, Expansion, FeatureMap, Fourier, Harmonics, NonNegative, Polynomial, Regression, Series,
};

/// min (1/n)|y − f|² + μ∫f″² over the span, for every μ at once.
///
/// In orthonormal coefficients c = (a, h), ∫f″² = |R h|² with R upper triangular, and a the part
/// that does not bend. With g = R h the problem is ridge regression in g with a free part a: project
/// the points on the complement of the free part, take one thin SVD, and every μ is a filter.
/// Working in the study's own features would lose eps·cond of a monomial basis: 10¹⁵ at degree 50.
pub(super) struct Roughness {
    /// The same points in the orthonormal family.
    pub(super) own: Regression,
    /// The number of unbent members of the family.
    free: usize,
    /// Φ restricted to the unbent members, as Q₁R₁.
    q1: DMatrix<f64>,
    r1: DMatrix<f64>,
    bent_design: DMatrix<f64>,
    /// R⁻¹.
    root_inverse: DMatrix<f64>,
    svd: ThinSvd,
    /// Aᵀ Q₂ᵀ y.
    projections: Vec<f64>,
    /// |what no function in the span can fit|².
    missed: f64,
}

impl Roughness {
    /// # Errors
    /// A reason, if the features do not span a whole family.
    pub(super) fn new(problem: &Regression) -> Result<Self, &'static str> {
        let expansion = problem.features.expansion().ok_or("the features have no roughness: not curves on the line")?;
        let map = family(&expansion)?;
        let own = Regression::new(problem.x.clone(), problem.y.clone(), problem.target.clone(), map);
        let series = expansion.series;
        let skipped = series.len() - own.feature_count();
        let unbent = match series {
            Series::Legendre { degree } => 2.min(degree + 1) - skipped,
            Series::Fourier { .. } | Series::Cosine { .. } => 1 - skipped,
        };
        let n = problem.samples();
        let free = unbent.min(n);
        let (p, m) = (own.feature_count(), series.len());
        let bent = p - unbent;
        let bending = series.bending_root();
        // Rows of B that see the bent members: for Legendre f″ of degree k has degree k − 2.
        let first_row = if matches!(series, Series::Legendre { .. }) { 0 } else { skipped + unbent };
        let root = bending.view((first_row, m - bent), (bent, bent)).into_owned();
        let root_inverse = root
            .solve_upper_triangular(&DMatrix::identity(bent, bent))
            .ok_or("the roughness of the bent functions is singular")?;
        let qr = own.design.columns(0, free).into_owned().qr();
        let (q1, r1) = (qr.q(), qr.r());
        let bent_design = own.design.columns(unbent, bent) * &root_inverse;
        let mut projected = bent_design.clone();
        project_out(&q1, &mut projected);
        let svd = ThinSvd::with_tolerance(projected.as_view(), 1e-13);
        let mut y = DMatrix::from_column_slice(n, 1, &problem.y);
        project_out(&q1, &mut y);
        let projections: Vec<f64> = svd.u.tr_mul(&y).iter().copied().collect();
        let missed = (&y - &svd.u * DMatrix::from_column_slice(svd.rank(), 1, &projections)).norm_squared();
        Ok(Self { own, free, q1, r1, bent_design, root_inverse, svd, projections, missed })
    }

    /// Whether some function in the span goes through every point.
    pub(super) fn interpolates(&self) -> bool {
        let scale: f64 = self.own.y.iter().map(|y| y * y).sum();
        self.missed <= 1e-20 * scale
    }

    /// Coefficients in the family and degrees of freedom for one μ; μ = 0 interpolates.
    pub(super) fn penalised(&self, mu: f64) -> (Vec<f64>, f64) {
        let penalty = self.own.samples() as f64 * mu;
        let (mut g, mut freedom) = (DVector::zeros(self.bent_design.ncols()), self.free as f64);
        for (i, s) in self.svd.s.iter().enumerate() {
            g += self.svd.v.column(i) * (self.projections[i] * s / (s * s + penalty));
            freedom += s * s / (s * s + penalty);
        }
        let rest = DVector::from_column_slice(&self.own.y) - &self.bent_design * &g;
        let a = self.r1.solve_upper_triangular(&self.q1.tr_mul(&rest)).unwrap_or_else(|| DVector::zeros(self.free));
        let bent = &self.root_inverse * g;
        let mut out = vec![0.0; self.own.feature_count()];
        out[..self.free].copy_from_slice(a.as_slice());
        let start = out.len() - bent.len();
        out[start..].copy_from_slice(bent.as_slice());
        (out, freedom)
    }
}

/// m ← (I − QQᵀ)m, twice: once leaves eps·|m| behind, which is not small beside a projection of 1e-8.
fn project_out(q: &DMatrix<f64>, m: &mut DMatrix<f64>) {
    for _ in 0..2 {
        let inside = q * q.tr_mul(m);
        *m -= inside;
    }
}

/// The orthonormal features that span what `expansion` spans.
fn family(expansion: &Expansion) -> Result<Arc<dyn FeatureMap>, &'static str> {
    let (p, m) = (expansion.features(), expansion.series.len());
    let constant = p == m;
    let without_constant = || expansion.coefficients.iter().step_by(m).all(|first| first.abs() <= 0.0);
    let aligned = constant || (p + 1 == m && without_constant());
    if !aligned {
        return Err("the features span neither a whole family nor a family without its constant");
    }
    let decay = NonNegative::default();
    let harmonics = |h: usize| Harmonics::try_from(h as f64).expect("as many as the study's");
    Ok(match expansion.series {
        Series::Legendre { degree } => Arc::new(Polynomial {
            basis: Basis::LegendreOrthonormal,
            degree: Degree::try_from(degree as f64).expect("the study's degree"),
            decay,
            constant,
        }),
        Series::Fourier { harmonics: h } => Arc::new(Fourier { harmonics: harmonics(h), decay, constant }),
        Series::Cosine { harmonics: h } => Arc::new(Cosine { harmonics: harmonics(h), decay, constant }),
    })
}
