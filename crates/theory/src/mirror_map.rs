//! Where a mirror flow from zero ends on Xβ = y: the dual variables ν with X·F(Xᵀν) = y.

use nalgebra::{Cholesky, DMatrix, DVector, Dyn};

/// F, entry by entry, with a scale that is given by its logarithm.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Link {
    /// 2·scale·sinh z: u² − v² with scale α².
    Sinh,
    /// scale·eᶻ: u² with scale α².
    Exponential,
    /// scale·((1−z)^(−D/(D−2)) − (1+z)^(−D/(D−2))), |z| < 1: u^D − v^D with scale α^D.
    Power(usize),
}

/// A point β = F(Xᵀν) with Xβ = y.
#[derive(Clone, Debug)]
pub(crate) struct MirrorPoint {
    pub(crate) beta: DVector<f64>,
    /// Σ β z − ∫F: the potential whose minimum on Xβ = y this is.
    pub(crate) potential: f64,
}

impl Link {
    /// F and F′ at z; not finite where there is no F.
    pub(crate) fn at(self, log_scale: f64, z: f64) -> (f64, f64) {
        let size = z.abs();
        match self {
            Self::Sinh => {
                let (grown, decay) = ((log_scale + size).exp(), (-2.0 * size).exp_m1());
                ((-grown * decay).copysign(z), grown * (2.0 + decay))
            }
            Self::Exponential => {
                let value = (log_scale + z).exp();
                (value, value)
            }
            Self::Power(depth) => {
                let p = depth as f64 / (depth as f64 - 2.0);
                // (1−|z|)^(−p) = e^near; NaN from |z| = 1 on.
                let (near, far) = (-p * (-size).ln_1p(), -p * size.ln_1p());
                let value = (log_scale + near).exp() * -(far - near).exp_m1();
                let slope = (log_scale + near).exp() / (1.0 - size) + (log_scale + far).exp() / (1.0 + size);
                (value.copysign(z), p * slope)
            }
        }
    }

    /// ∫₀ᶻ F for F that is odd, ∫ F from −∞ for the exponential.
    fn integral(self, log_scale: f64, z: f64) -> f64 {
        let size = z.abs();
        match self {
            // 2(cosh z − 1) = e^|z|(1 − e^−|z|)².
            Self::Sinh => (log_scale + size).exp() * (-size).exp_m1().powi(2),
            Self::Exponential => (log_scale + z).exp(),
            Self::Power(depth) => {
                let q = 2.0 / (depth as f64 - 2.0);
                let (near, far) = (-q * (-size).ln_1p(), -q * size.ln_1p());
                ((log_scale + near).exp() + (log_scale + far).exp() - 2.0 * log_scale.exp()) / q
            }
        }
    }

    /// F′(0)/scale.
    fn slope_at_zero(self) -> f64 {
        self.at(0.0, 0.0).1
    }
}

/// X (n × d), y and F.
pub(crate) struct MirrorProblem<'a> {
    pub(crate) x: &'a DMatrix<f64>,
    pub(crate) y: &'a DVector<f64>,
    pub(crate) link: Link,
}

/// One evaluation.
struct Point {
    nu: DVector<f64>,
    beta: DVector<f64>,
    slopes: DVector<f64>,
    residual: DVector<f64>,
    /// What rounding of z leaves of the residual.
    noise: f64,
}

/// Newton steps on one scale.
const NEWTON: usize = 60;
/// Scales on the way.
const SCALES: usize = 4000;

impl MirrorProblem<'_> {
    /// The solution at this scale: Newton in ν, followed from a scale where F is nearly linear. Small scales are
    /// followed in logarithms, so that α = 1e-150 is as good as any.
    pub(crate) fn solve(&self, log_scale: f64) -> Result<MirrorPoint, String> {
        let gram = Cholesky::new(self.x * self.x.transpose());
        let gram = gram.ok_or_else(|| "the rows of the design are not independent".to_owned())?;
        let least = self.x.tr_mul(&gram.solve(self.y));
        let mut log = log_scale.max((least.amax() / self.link.slope_at_zero()).ln() + 1.0);
        // z = 0 of the exponential is no solution of anything, and a good start all the same.
        let linear = gram.solve(self.y) * ((-log).exp() / self.link.slope_at_zero());
        let start = if matches!(self.link, Link::Exponential) { linear * 0.0 } else { linear };
        let mut point = self.newton(log, start).ok_or("no point of this kind agrees with what is observed")?;
        let mut stride = 1.0;
        for _ in 0..SCALES {
            if log <= log_scale {
                return Ok(self.finished(point, log));
            }
            let next = (log - stride).max(log_scale);
            // X F′Xᵀ dν/d(log scale) = −Xβ = −y.
            let ahead = self.factored(&point).solve(self.y) * (log - next);
            match self.newton(next, &point.nu + ahead) {
                Some(found) => (point, log, stride) = (found, next, 2.0 * stride),
                None => stride *= 0.25,
            }
            if stride < 1e-6 {
                break;
            }
        }
        Err(format!("the dual solution is followed down to log scale {log} only, not to {log_scale}"))
    }

    fn at(&self, log_scale: f64, nu: DVector<f64>) -> Point {
        let z = self.x.tr_mul(&nu);
        let values: Vec<(f64, f64)> = z.iter().map(|z| self.link.at(log_scale, *z)).collect();
        let beta = DVector::from_iterator(values.len(), values.iter().map(|v| v.0));
        let slopes = DVector::from_iterator(values.len(), values.iter().map(|v| v.1));
        let columns = self.x.column_iter().zip(z.iter().zip(slopes.iter()));
        let noise = f64::EPSILON * columns.map(|(x, (z, slope))| x.norm() * z.abs() * slope).sum::<f64>();
        Point { residual: self.y - self.x * &beta, nu, beta, slopes, noise }
    }

    /// X F′Xᵀ with what rounding hides of it filled up: directions that it hides do not matter to Xβ.
    fn factored(&self, point: &Point) -> Cholesky<f64, Dyn> {
        let mut scaled = self.x.clone();
        scaled.column_iter_mut().zip(point.slopes.iter()).for_each(|(mut column, slope)| column *= *slope);
        let mut hessian = scaled * self.x.transpose();
        let fill = 1e-14 * hessian.diagonal().max();
        (0..hessian.nrows()).for_each(|i| hessian[(i, i)] += fill);
        Cholesky::new(hessian.clone()).unwrap_or_else(|| {
            let identity = DMatrix::identity(hessian.nrows(), hessian.nrows()) * (1e4 * fill).max(f64::MIN_POSITIVE);
            Cholesky::new(hessian + identity).expect("positive semidefinite up to 1e-14, plus 1e-10 of it")
        })
    }

    /// Damped Newton on the residual; `None` if it does not get down to rounding.
    fn newton(&self, log_scale: f64, nu: DVector<f64>) -> Option<Point> {
        let mut point = self.at(log_scale, nu);
        if !point.residual.norm().is_finite() {
            return None;
        }
        let exact = 1e-15 * self.y.norm();
        for _ in 0..NEWTON {
            let size = point.residual.norm();
            if size <= exact {
                return Some(point);
            }
            let step = self.factored(&point).solve(&point.residual);
            let damped = (0..40).map(|halvings| self.at(log_scale, &point.nu + &step * 0.5f64.powi(halvings)));
            let better =
                |(halvings, next): &(i32, Point)| next.residual.norm() < size * (1.0 - 0.25 * 0.5f64.powi(*halvings));
            match (0..40).zip(damped).find(better) {
                Some((_, next)) => point = next,
                // Nothing is better: this is as far as 64 bits go.
                None => break,
            }
        }
        let reached = 1e-10 * self.y.norm() + 10.0 * point.noise;
        (point.residual.norm() <= reached && point.noise < 1e-5 * self.y.norm()).then_some(point)
    }

    /// Xβ = y exactly, by the shortest way in the metric F′.
    fn finished(&self, point: Point, log_scale: f64) -> MirrorPoint {
        let mut beta = point.beta.clone();
        let solver = self.factored(&point);
        for _ in 0..3 {
            let back = self.x.tr_mul(&solver.solve(&(self.y - self.x * &beta)));
            beta += back.component_mul(&point.slopes);
        }
        let z = self.x.tr_mul(&point.nu);
        let terms = beta.iter().zip(z.iter()).map(|(beta, z)| beta * z - self.link.integral(log_scale, *z));
        let potential = terms.sum();
        MirrorPoint { potential, beta }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_and_integrals_are_those_of_the_values() {
        for link in [Link::Sinh, Link::Exponential, Link::Power(3), Link::Power(4), Link::Power(7)] {
            for z in [-0.8, -0.1, 1e-3, 0.3, 0.7] {
                let h = 1e-5;
                let slope = (link.at(-1.0, z + h).0 - link.at(-1.0, z - h).0) / (2.0 * h);
                let value = (link.integral(-1.0, z + h) - link.integral(-1.0, z - h)) / (2.0 * h);
                let exact = link.at(-1.0, z);
                // Differences of second order.
                assert!((slope / exact.1 - 1.0).abs() < 1e-6 && (value / exact.0 - 1.0).abs() < 1e-6, "{link:?} {z}");
            }
        }
    }
}
