//! Descent and flow on least squares, in closed form at any step, time, and in the limit.

use taut_numerics::{ThinSvd, first_true, last_sign_change};
use taut_problem::{Clock, Dynamics, Motion, Passage, Regression, Snapshot, Trajectory};

/// The path of gradient descent or gradient flow on L = |y − Φθ|²/(2n), mode by mode.
///
/// With the thin SVD Φ = U S Vᵀ and λᵢ = sᵢ²/n,
/// θ(t) = (I − VVᵀ)θ₀ + V\[eᵢ(t)·vᵢ·θ₀ + gᵢ(t)·uᵢ·y/sᵢ\], with eᵢ = (1 − ηλᵢ)ᵗ for descent,
/// exp(−λᵢt) for flow, and gᵢ = 1 − eᵢ. At t = ∞ gives the interpolant (or least-squares fit) nearest
/// θ₀ when ηλ₁ < 2. Null directions never move. Error about eps·cond(Φ), whatever the step count:
/// gᵢ is `-expm1(t·log1p(-ηλᵢ))`. O(p·rank) per evaluation, no allocation.
pub struct SpectralPath {
    is_flow: bool,
    step_size: f64,
    lambda: Vec<f64>,
    /// ln|1 − ηλᵢ| for descent, −λᵢ for flow.
    rate: Vec<f64>,
    /// Vᵀ, row-major rank × p.
    v: Vec<f64>,
    /// θ₀.
    start: Vec<f64>,
    /// (I − VVᵀ)θ₀.
    frozen: Vec<f64>,
    /// vᵢ·θ₀ and uᵢ·y/sᵢ.
    from: Vec<f64>,
    to: Vec<f64>,
    /// (uᵢ·y − sᵢ vᵢ·θ₀)/√n: the share of mode i in the root mean square residual at the start. Squared
    /// only beside its factor, so that it overflows where the loss does.
    excess: Vec<f64>,
    /// |(I − UUᵀ)y|²/n: what no parameters can fit.
    floor: f64,
    /// Whether no mode grows and the loss at the start is finite.
    is_stable: bool,
    clock: Clock,
    theta: Vec<f64>,
    filters: Vec<f64>,
    modes: Vec<f64>,
}

impl SpectralPath {
    /// The path from `theta0`; `svd` is of the problem's design.
    ///
    /// # Panics
    /// If `theta0` does not have one entry per feature.
    pub fn new(problem: &Regression, svd: &ThinSvd, dynamics: &Dynamics, theta0: &[f64]) -> Self {
        let (is_flow, step_size) = (dynamics.motion == Motion::Flow, dynamics.step_size);
        let (n, p, r) = (problem.samples(), problem.feature_count(), svd.rank());
        assert_eq!(theta0.len(), p, "one start per feature");
        let per_sample = 1.0 / n as f64;
        let mut frozen = theta0.to_vec();
        let mut missed = problem.y.clone();
        let (mut from, mut to, mut excess) = (vec![0.0; r], vec![0.0; r], vec![0.0; r]);
        for i in 0..r {
            let (u, v) = (svd.u.column(i), svd.v.column(i));
            let c: f64 = u.iter().zip(&problem.y).map(|(u, y)| u * y).sum();
            from[i] = v.iter().zip(theta0).map(|(v, t)| v * t).sum();
            to[i] = c / svd.s[i];
            excess[i] = (c - svd.s[i] * from[i]) * per_sample.sqrt();
            for (m, u) in missed.iter_mut().zip(u.iter()) {
                *m -= c * u;
            }
            for (f, v) in frozen.iter_mut().zip(v.iter()) {
                *f -= from[i] * v;
            }
        }
        // At full row rank the remainder is rounding, and rounding is not a residual.
        let floor = if r == n { 0.0 } else { missed.iter().map(|m| m * m).sum::<f64>() * per_sample };
        let lambda: Vec<f64> = svd.s.iter().map(|s| s * s * per_sample).collect();
        let rate = |lambda: &f64| match (is_flow, step_size * lambda) {
            (true, _) => -lambda,
            // At 2 exactly the mode swings for ever; rounding must not decide which way it goes.
            (false, x) if (x - 2.0).abs() < 1e-12 => 0.0,
            (false, x) if x > 1.0 => (x - 1.0).ln(),
            (false, x) => (-x).ln_1p(),
        };
        let rate: Vec<f64> = lambda.iter().map(rate).collect();
        Self {
            is_flow,
            step_size,
            is_stable: rate.iter().all(|r| *r < 0.0) && excess.iter().map(|x| x * x).sum::<f64>().is_finite(),
            rate,
            lambda,
            v: svd.v.as_slice().to_vec(),
            start: theta0.to_vec(),
            frozen,
            from,
            to,
            excess,
            floor,
            clock: Clock::Step(0),
            theta: theta0.to_vec(),
            filters: vec![0.0; r],
            modes: vec![0.0; r],
        }
    }

    /// Predictor and degrees of freedom at `t`, without moving there.
    pub fn at(&self, t: Clock) -> (Vec<f64>, f64) {
        let r = self.modes.len();
        let (mut modes, mut filters, mut theta) = (vec![0.0; r], vec![0.0; r], vec![0.0; self.theta.len()]);
        self.evaluate_into(t, &mut modes, &mut filters, &mut theta);
        (theta, filters.iter().sum())
    }

    /// eᵢ at `t`.
    fn remaining(&self, mode: usize, t: Clock) -> f64 {
        match t {
            Clock::Step(0) => 1.0,
            Clock::Step(k) => {
                let log_size = k as f64 * self.rate[mode];
                // Below the smallest number, and the library takes its time to say so.
                if log_size < -745.0 {
                    return 0.0;
                }
                let size = log_size.exp();
                if k % 2 == 1 && self.alternates(mode) { -size } else { size }
            }
            Clock::Time(time) => (time * self.rate[mode]).exp(),
            Clock::Limit if self.rate[mode] < 0.0 => 0.0,
            Clock::Limit => f64::NAN,
        }
    }

    /// gᵢ = 1 − eᵢ at `t`, without cancellation.
    fn learned(&self, mode: usize, t: Clock) -> f64 {
        match t {
            Clock::Step(0) => 0.0,
            Clock::Step(k) if !self.alternates(mode) => -(k as f64 * self.rate[mode]).exp_m1(),
            Clock::Time(time) => -(time * self.rate[mode]).exp_m1(),
            Clock::Step(_) | Clock::Limit => 1.0 - self.remaining(mode, t),
        }
    }

    /// Whether 1 − ηλᵢ is negative: the mode's error changes sign at every step.
    fn alternates(&self, mode: usize) -> bool {
        !self.is_flow && self.step_size * self.lambda[mode] > 1.0
    }

    fn mean_square(&self, t: Clock) -> f64 {
        let mut sum = self.floor;
        for (mode, excess) in self.excess.iter().enumerate() {
            let e = self.remaining(mode, t);
            sum += (e * excess) * (e * excess);
        }
        sum
    }

    fn evaluate_into(&self, t: Clock, modes: &mut [f64], filters: &mut [f64], theta: &mut [f64]) {
        for i in 0..modes.len() {
            filters[i] = self.learned(i, t);
            modes[i] = filters[i] * self.to[i];
            // Most starts are zero, and an exponential is not free.
            if self.from[i] != 0.0 {
                modes[i] += self.remaining(i, t) * self.from[i];
            }
        }
        if t == Clock::Step(0) || t == Clock::Time(0.0) {
            theta.copy_from_slice(&self.start);
            return;
        }
        let r = modes.len();
        taut_numerics::product_into(modes, &self.v, theta, r, theta.len());
        for (value, frozen) in theta.iter_mut().zip(&self.frozen) {
            *value += frozen;
        }
    }

    /// The last step up to which the mean squared residual falls: it is convex in t, so it falls,
    /// and then (with an unstable step size only) grows.
    fn last_fall(&self) -> u64 {
        let stable = self.lambda.iter().zip(&self.excess).all(|(l, x)| self.step_size * l <= 2.0 || x.abs() <= 0.0);
        if stable {
            return MAX_STEPS;
        }
        let grows = |k: u64| {
            let next = self.mean_square(Clock::Step(k + 1));
            !next.is_finite() || next > self.mean_square(Clock::Step(k))
        };
        first_true(MAX_STEPS, grows).unwrap_or(MAX_STEPS)
    }
}

/// Counts beyond this lose whole numbers in `f64`, and no study waits that long.
const MAX_STEPS: u64 = 1 << 62;

impl Trajectory for SpectralPath {
    fn lanes(&self) -> usize {
        1
    }

    fn advance_to(&mut self, t: Clock) {
        let (mut modes, mut filters, mut theta) =
            (std::mem::take(&mut self.modes), std::mem::take(&mut self.filters), std::mem::take(&mut self.theta));
        self.evaluate_into(t, &mut modes, &mut filters, &mut theta);
        (self.modes, self.filters, self.theta) = (modes, filters, theta);
        self.clock = t;
    }

    fn snapshot(&self) -> Snapshot<'_> {
        Snapshot {
            clock: self.clock,
            theta: &self.theta,
            predictor: &self.theta,
            filters: &self.filters,
            covariance: &[],
            lanes: 1,
        }
    }

    fn first_passage(&self, _lane: usize, level: f64) -> Passage {
        let level = level * level;
        if self.floor > level {
            return Passage::Never;
        }
        match self.is_flow {
            false => first_true(self.last_fall(), |k| self.mean_square(Clock::Step(k)) <= level)
                .map_or(Passage::Never, |k| Passage::At(Clock::Step(k))),
            true => {
                let reached = |t: f64| self.mean_square(Clock::Time(t)) <= level;
                if reached(0.0) {
                    return Passage::At(Clock::Time(0.0));
                }
                let slowest = self.lambda.iter().copied().fold(f64::INFINITY, f64::min);
                let mut bracket = 1.0 / slowest;
                while !reached(bracket) {
                    bracket *= 2.0;
                    if !bracket.is_finite() {
                        return Passage::Never;
                    }
                }
                Passage::At(Clock::Time(last_sign_change(0.0, bracket, reached)))
            }
        }
    }

    fn at_passage(&self, lane: usize, level: f64) -> Option<(Vec<f64>, f64)> {
        match self.first_passage(lane, level) {
            Passage::At(clock) => Some(self.at(clock)),
            Passage::Never | Passage::NotYet => None,
        }
    }

    fn diverged(&self, _lane: usize) -> Option<Clock> {
        let finite = |t: Clock| self.mean_square(t).is_finite();
        // The loss of a stable path is finite everywhere if it is so at the start.
        if self.theta.iter().all(|t| t.is_finite()) && (self.is_stable || finite(self.clock)) {
            return None;
        }
        let blown = |k: u64| !finite(Clock::Step(k));
        Some(first_true(MAX_STEPS, blown).map_or(Clock::Limit, Clock::Step))
    }
}
