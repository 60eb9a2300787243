//! Fast evaluation of an orthonormal family, eight points at a time.

use crate::lanes::{Lanes, add, fma, fma1, mul, sub};
use std::f64::consts::{PI, SQRT_2};
use taut_numerics::{Kernel, cos_pi, run_wide, sin_pi};
use taut_problem::Series;

/// A family with the constants of its recurrence at hand.
#[derive(Clone, Debug)]
pub(crate) struct Family {
    /// The family.
    pub(crate) series: Series,
    /// Legendre: (2k+1)/(k+1), k/(k+1), 2k+1 for each degree k.
    steps: Vec<[f64; 3]>,
    /// The factor that makes member k orthonormal.
    pub(crate) norms: Vec<f64>,
    /// Trigonometric families: the angular frequency of member k, zero for Legendre.
    pub(crate) omegas: Vec<f64>,
}

impl Family {
    pub(crate) fn new(series: Series) -> Self {
        let m = series.len();
        let step = |k: usize| {
            let k = k as f64;
            [(2.0 * k + 1.0) / (k + 1.0), k / (k + 1.0), 2.0 * k + 1.0]
        };
        let norm = |k: usize| match series {
            Series::Legendre { .. } => ((2 * k + 1) as f64).sqrt(),
            Series::Fourier { .. } | Series::Cosine { .. } => {
                if k == 0 {
                    1.0
                } else {
                    SQRT_2
                }
            }
        };
        let omega = |k: usize| series.frequency(k) as f64 * unit(series);
        Self {
            series,
            steps: (0..m).map(step).collect(),
            norms: (0..m).map(norm).collect(),
            omegas: (0..m).map(omega).collect(),
        }
    }

    /// The number of members m.
    pub(crate) fn len(&self) -> usize {
        self.norms.len()
    }

    /// Half-waves of the fastest member from x = 0 to x = 1, in the coordinate of [`Self::point`].
    pub(crate) fn half_waves(&self) -> f64 {
        let fastest = self.series.frequency(self.len() - 1) as f64;
        if matches!(self.series, Series::Fourier { .. }) { fastest } else { fastest / 2.0 }
    }

    /// The coordinate s ∈ \[-1, 1\] in which all members wave evenly: x = sin(πs/2) for Legendre,
    /// x itself for the others.
    pub(crate) fn point(&self, s: f64) -> f64 {
        match self.series {
            Series::Legendre { .. } => sin_pi(s / 2.0),
            Series::Fourier { .. } | Series::Cosine { .. } => s,
        }
    }

    /// dx/ds.
    pub(crate) fn stretch(&self, s: f64) -> f64 {
        match self.series {
            Series::Legendre { .. } => PI / 2.0 * cos_pi(s / 2.0),
            Series::Fourier { .. } | Series::Cosine { .. } => 1.0,
        }
    }

    /// s of a point x.
    pub(crate) fn coordinate(&self, x: f64) -> f64 {
        match self.series {
            Series::Legendre { .. } => x.asin() / (PI / 2.0),
            Series::Fourier { .. } | Series::Cosine { .. } => x,
        }
    }

    /// All members at the points, row-major, len × points.
    pub(crate) fn table(&self, x: &[f64]) -> Vec<f64> {
        run_wide(Table { family: self, x })
    }

    /// f, f′ and f″ of f = Σ cₖ pₖ at eight points.
    #[inline(always)]
    pub(crate) fn curve(&self, c: &[f64], x: Lanes) -> [Lanes; 3] {
        match self.series {
            Series::Legendre { .. } => self.legendre_curve(c, x),
            Series::Fourier { .. } => self.fourier_curve(c, x),
            Series::Cosine { .. } => self.cosine_curve(c, x),
        }
    }

    /// Forward recurrences: P′ₖ₊₁ = P′ₖ₋₁ + (2k+1)Pₖ and the same once more for P″.
    #[inline(always)]
    fn legendre_curve(&self, c: &[f64], x: Lanes) -> [Lanes; 3] {
        let zero = [0.0; 8];
        let (mut p, mut p_before) = ([1.0; 8], zero);
        let (mut d, mut d_before) = (zero, zero);
        let (mut e, mut e_before) = (zero, zero);
        let mut sums = [zero; 3];
        for ((c, norm), [forward, back, odd]) in c.iter().zip(&self.norms).zip(&self.steps) {
            let a = c * norm;
            sums = [fma1(a, p, sums[0]), fma1(a, d, sums[1]), fma1(a, e, sums[2])];
            let down = mul([-*back; 8], p_before);
            let p_next = fma(mul([*forward; 8], x), p, down);
            let d_next = fma1(*odd, p, d_before);
            let e_next = fma1(*odd, d, e_before);
            (p_before, p) = (p, p_next);
            (d_before, d) = (d, d_next);
            (e_before, e) = (e, e_next);
        }
        sums
    }

    #[inline(always)]
    fn fourier_curve(&self, c: &[f64], x: Lanes) -> [Lanes; 3] {
        let (cosine, sine): (Lanes, Lanes) = (x.map(cos_pi), x.map(sin_pi));
        let (mut co, mut si) = (cosine, sine);
        let mut sums = [[c[0]; 8], [0.0; 8], [0.0; 8]];
        for (pair, omega) in c[1..].chunks_exact(2).zip(self.omegas[1..].iter().step_by(2)) {
            let (a, b) = (SQRT_2 * pair[0], SQRT_2 * pair[1]);
            let value = fma1(a, co, mul([b; 8], si));
            let turned = fma1(b, co, mul([-a; 8], si));
            sums = [add(sums[0], value), fma1(*omega, turned, sums[1]), fma1(-omega * omega, value, sums[2])];
            (co, si) = turn(co, si, cosine, sine);
        }
        sums
    }

    #[inline(always)]
    fn cosine_curve(&self, c: &[f64], x: Lanes) -> [Lanes; 3] {
        let half = x.map(|x| (x + 1.0) / 2.0);
        let (cosine, sine): (Lanes, Lanes) = (half.map(cos_pi), half.map(sin_pi));
        let (mut co, mut si) = (cosine, sine);
        let mut sums = [[c[0]; 8], [0.0; 8], [0.0; 8]];
        for (c, omega) in c[1..].iter().zip(&self.omegas[1..]) {
            let a = SQRT_2 * c;
            sums = [fma1(a, co, sums[0]), fma1(-a * omega, si, sums[1]), fma1(-a * omega * omega, co, sums[2])];
            (co, si) = turn(co, si, cosine, sine);
        }
        sums
    }
}

/// f, f′ and f″ at eight points, for callers outside of wide code.
pub(crate) struct CurveAt<'a> {
    pub(crate) family: &'a Family,
    pub(crate) c: &'a [f64],
    pub(crate) x: Lanes,
}

impl Kernel for CurveAt<'_> {
    type Output = [Lanes; 3];

    #[inline(always)]
    fn run(self) -> [Lanes; 3] {
        self.family.curve(self.c, self.x)
    }
}

/// Values of all members, eight points at a time.
struct Table<'a> {
    family: &'a Family,
    x: &'a [f64],
}

impl Kernel for Table<'_> {
    type Output = Vec<f64>;

    #[inline(always)]
    fn run(self) -> Vec<f64> {
        let Self { family, x } = self;
        let mut out = vec![0.0; family.len() * x.len()];
        let mut values = vec![[0.0; 8]; family.len()];
        for (block, points) in x.chunks(8).enumerate() {
            let mut lanes = [0.0; 8];
            lanes[..points.len()].copy_from_slice(points);
            family.values_into(lanes, &mut values);
            for (k, values) in values.iter().enumerate() {
                out[k * x.len() + block * 8..][..points.len()].copy_from_slice(&values[..points.len()]);
            }
        }
        out
    }
}

impl Family {
    #[inline(always)]
    fn values_into(&self, x: Lanes, out: &mut [Lanes]) {
        match self.series {
            Series::Legendre { .. } => {
                let (mut p, mut before) = ([1.0; 8], [0.0; 8]);
                for ((out, norm), [forward, back, _]) in out.iter_mut().zip(&self.norms).zip(&self.steps) {
                    *out = mul([*norm; 8], p);
                    let next = fma(mul([*forward; 8], x), p, mul([-*back; 8], before));
                    (before, p) = (p, next);
                }
            }
            Series::Fourier { .. } => {
                let (cosine, sine): (Lanes, Lanes) = (x.map(cos_pi), x.map(sin_pi));
                let (mut co, mut si) = (cosine, sine);
                out[0] = [1.0; 8];
                for pair in out[1..].chunks_exact_mut(2) {
                    (pair[0], pair[1]) = (mul([SQRT_2; 8], co), mul([SQRT_2; 8], si));
                    (co, si) = turn(co, si, cosine, sine);
                }
            }
            Series::Cosine { .. } => {
                let half = x.map(|x| (x + 1.0) / 2.0);
                let (cosine, sine): (Lanes, Lanes) = (half.map(cos_pi), half.map(sin_pi));
                let (mut co, mut si) = (cosine, sine);
                out[0] = [1.0; 8];
                for out in &mut out[1..] {
                    *out = mul([SQRT_2; 8], co);
                    (co, si) = turn(co, si, cosine, sine);
                }
            }
        }
    }
}

/// cos and sin of the next multiple of an angle.
#[inline(always)]
fn turn(co: Lanes, si: Lanes, cosine: Lanes, sine: Lanes) -> (Lanes, Lanes) {
    (sub(mul(co, cosine), mul(si, sine)), fma(si, cosine, mul(co, sine)))
}

/// The angular frequency of the first harmonic; zero for Legendre.
fn unit(series: Series) -> f64 {
    match series {
        Series::Legendre { .. } => 0.0,
        Series::Fourier { .. } => PI,
        Series::Cosine { .. } => PI / 2.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_agree_with_the_tables() {
        for series in
            [Series::Legendre { degree: 50 }, Series::Fourier { harmonics: 25 }, Series::Cosine { harmonics: 50 }]
        {
            let family = Family::new(series);
            let x = [-1.0, -0.9731, -0.4, 0.0, 0.123, 0.7, 0.999, 1.0];
            let c: Vec<f64> = (0..series.len()).map(|k| ((k * k) as f64).cos()).collect();
            let got = taut_numerics::run_wide(CurveAt { family: &family, c: &c, x });
            let values = family.table(&x);
            for (order, got) in got.iter().enumerate() {
                let table = series.table(&x, order as u8);
                assert!(order > 0 || values.iter().zip(&table).all(|(a, b)| (a - b).abs() < 3e-13));
                for i in 0..8 {
                    let terms: Vec<f64> = (0..c.len()).map(|k| c[k] * table[k * 8 + i]).collect();
                    let scale: f64 = terms.iter().map(|t| t.abs()).sum();
                    let exact: f64 = terms.iter().sum();
                    assert!((got[i] - exact).abs() <= 2e-14 * scale, "{series:?} {order} {i}");
                }
            }
        }
    }
}
