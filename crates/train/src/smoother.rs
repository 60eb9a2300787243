//! What a linear smoother ŷ = Sy leaves of y: generalised cross-validation and the leave-one-out shortcut.

use taut_numerics::{DMatrix, ThinSvd};
use taut_problem::{Clock, Dynamics, Motion, Regression};

/// I − S = U diag(e) Uᵀ + o·(I − UUᵀ), up to a common positive factor.
///
/// Both scores are unchanged by a common factor, and along an interpolating path e falls below the
/// smallest number long before the scores have a limit: the largest entry is kept at 1.
#[derive(Clone, Debug)]
pub struct Remaining {
    /// eᵢ = 1 − gᵢ, one per mode.
    inside: Vec<f64>,
    /// What remains of the part that the features do not see; it counts only below full row rank.
    outside: f64,
}

impl Remaining {
    /// Ridge: eᵢ = λ/(λᵢ + λ) with λᵢ = sᵢ²/n.
    pub fn of_ridge(svd: &ThinSvd, lambda: f64) -> Self {
        let per_sample = 1.0 / svd.u.nrows() as f64;
        Self { inside: svd.s.iter().map(|s| lambda / (s * s * per_sample + lambda)).collect(), outside: 1.0 }
    }

    /// Descent with a constant step size, eᵢ = (1 − ηλᵢ)ᵗ, or flow, eᵢ = exp(−λᵢt); `None` for other motions.
    ///
    /// In the limit only the slowest modes are left; NaN where a mode does not die out. Relative error
    /// t·|ln eᵢ|·eps·cond, because nothing is subtracted from 1.
    pub fn of_motion(svd: &ThinSvd, dynamics: &Dynamics, t: Clock) -> Option<Self> {
        if !dynamics.is_plain() {
            return None;
        }
        let n = svd.u.nrows();
        let rates: Vec<Rate> = svd.s.iter().map(|s| Rate::new(dynamics, s * s / n as f64)).collect();
        // The part outside never moves: its rate is 0.
        let unseen = if svd.rank() < n { 0.0 } else { f64::NEG_INFINITY };
        let slowest = rates.iter().map(|rate| rate.log_size).fold(unseen, f64::max);
        let size = |rate: f64| match t {
            Clock::Step(0) => 1.0,
            Clock::Step(k) => (k as f64 * (rate - slowest)).exp(),
            Clock::Time(time) if time > 0.0 => (time * (rate - slowest)).exp(),
            Clock::Time(_) => 1.0,
            // Equal singular values are equal up to rounding.
            Clock::Limit => f64::from(u8::from(rate >= slowest * (1.0 + 1e-12))),
        };
        let signed = |rate: &Rate| match t {
            Clock::Limit if rate.log_size >= 0.0 => f64::NAN,
            Clock::Step(k) if k % 2 == 1 && rate.alternates => -size(rate.log_size),
            _ => size(rate.log_size),
        };
        Some(Self { inside: rates.iter().map(signed).collect(), outside: size(unseen) })
    }

    /// Any motion that knows gᵢ: eᵢ = 1 − gᵢ loses its digits as gᵢ tends to 1.
    pub fn of_filters(filters: &[f64]) -> Self {
        Self { inside: filters.iter().map(|g| 1.0 - g).collect(), outside: 1.0 }
    }
}

/// How a mode's error changes per unit of the clock.
struct Rate {
    /// ln|1 − ηλ| for descent, −λ for flow.
    log_size: f64,
    /// Whether 1 − ηλ is negative.
    alternates: bool,
}

impl Rate {
    fn new(dynamics: &Dynamics, lambda: f64) -> Self {
        let x = dynamics.step_size * lambda;
        match dynamics.motion {
            Motion::Flow => Self { log_size: -lambda, alternates: false },
            // At 2 exactly the mode swings for ever; rounding must not decide which way it goes.
            _ if (x - 2.0).abs() < 1e-12 => Self { log_size: 0.0, alternates: true },
            _ if x > 1.0 => Self { log_size: (x - 1.0).ln(), alternates: true },
            _ => Self { log_size: (-x).ln_1p(), alternates: false },
        }
    }
}

/// The values of a problem in the left singular vectors of its design.
pub struct Smoother<'a> {
    u: &'a DMatrix<f64>,
    /// uᵢ·y.
    strengths: Vec<f64>,
    /// (I − UUᵀ)y.
    missed: Vec<f64>,
    /// The diagonal of I − UUᵀ.
    unseen: Vec<f64>,
}

impl<'a> Smoother<'a> {
    /// `svd` is of the problem's design. O(n·rank), and as much for every row with a leverage above 0.9.
    pub fn new(problem: &Regression, svd: &'a ThinSvd) -> Self {
        let (u, n) = (&svd.u, problem.samples());
        let along =
            |y: &[f64]| -> Vec<f64> { u.column_iter().map(|u| u.iter().zip(y).map(|(u, y)| u * y).sum()).collect() };
        let without = |y: &[f64]| -> Vec<f64> {
            let c = along(y);
            let mut rest = y.to_vec();
            for (c, u) in c.iter().zip(u.column_iter()) {
                rest.iter_mut().zip(u.iter()).for_each(|(rest, u)| *rest -= c * u);
            }
            rest
        };
        let strengths = along(&problem.y);
        if svd.rank() == n {
            // At full row rank the remainder is rounding.
            return Self { u, strengths, missed: vec![0.0; n], unseen: vec![0.0; n] };
        }
        let unseen = |i: usize| {
            let leverage: f64 = u.row(i).iter().map(|u| u * u).sum();
            if leverage < 0.9 {
                return 1.0 - leverage;
            }
            // A projection's diagonal is the squared norm of its rows: no cancellation at leverages near 1.
            let mut unit = vec![0.0; n];
            unit[i] = 1.0;
            without(&unit).iter().map(|x| x * x).sum()
        };
        Self { u, strengths, missed: without(&without(&problem.y)), unseen: (0..n).map(unseen).collect() }
    }

    /// Generalised cross-validation, (|y − ŷ|²/n)/(tr(I − S)/n)². Cites Golub, Heath and Wahba 1979.
    pub fn gcv(&self, remaining: &Remaining) -> f64 {
        let n = self.missed.len() as f64;
        let (mut squares, mut trace) = (0.0, 0.0);
        for (e, c) in remaining.inside.iter().zip(&self.strengths) {
            squares += (e * c) * (e * c);
            trace += e;
        }
        if self.strengths.len() < self.missed.len() {
            let missed: f64 = self.missed.iter().map(|m| m * m).sum();
            squares += remaining.outside * remaining.outside * missed;
            trace += remaining.outside * (n - self.strengths.len() as f64);
        }
        n * squares / (trace * trace)
    }

    /// Mean of ((yᵢ − ŷᵢ)/(1 − Sᵢᵢ))²: exact leave-one-out for ridge with λ fixed, and not for descent.
    ///
    /// 1 − Sᵢᵢ is a sum over modes, never a difference from 1. O(n·rank).
    pub fn leave_one_out(&self, remaining: &Remaining) -> f64 {
        let n = self.missed.len();
        let mut sum = 0.0;
        for i in 0..n {
            let mut residual = remaining.outside * self.missed[i];
            let mut own = remaining.outside * self.unseen[i];
            for (j, (e, c)) in remaining.inside.iter().zip(&self.strengths).enumerate() {
                let u = self.u[(i, j)];
                residual += u * e * c;
                own += u * u * e;
            }
            sum += (residual / own) * (residual / own);
        }
        sum / n as f64
    }
}
