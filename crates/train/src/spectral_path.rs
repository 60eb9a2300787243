//! Linear motions on least squares with quadratic penalties, in closed form at any step, time, and in the limit.

use crate::modes::Modes;
use crate::responses::{Response, Walk, response};
use taut_numerics::{ThinSvd, first_true, last_sign_change};
use taut_problem::{Clock, Dynamics, Passage, Regression, Snapshot, Snapshots, Span, Trajectory};

/// The path of a linear, deterministic motion on L = |y − Φθ|²/(2n), mode by mode.
///
/// With the thin SVD Φ = U S Vᵀ and λᵢ = sᵢ²/n,
/// θ(t) = (I − VVᵀ)θ₀ + V\[eᵢ(t)·vᵢ·θ₀ + gᵢ(t)·uᵢ·y/sᵢ\], with eᵢ = (1 − ηλᵢ)ᵗ for descent,
/// exp(−λᵢt) for flow, a product over a schedule, or two powers for momentum, and gᵢ = 1 − eᵢ. At t = ∞ gives
/// the interpolant (or least-squares fit) nearest θ₀ if every eᵢ dies out. Null directions never move
/// but under a ridge. Quadratic penalties change curvatures and ends.
/// Error about eps·cond(Φ), whatever the step count:
/// gᵢ of descent is `-expm1(t·log1p(-ηλᵢ))`. O(p·rank) per evaluation, no allocation; schedules and growing
/// momentum O(rank) more per step.
pub struct SpectralPath {
    dynamics: Dynamics,
    modes: Modes,
    response: Box<dyn Response>,
    /// θ₀.
    start: Vec<f64>,
    /// Whether no mode grows and the loss at the start is finite.
    is_stable: bool,
    clock: Clock,
    theta: Vec<f64>,
    filters: Vec<f64>,
    learned: Vec<f64>,
    strengths: Vec<f64>,
}

impl SpectralPath {
    /// The path from `theta0`; `svd` is of the problem's design.
    ///
    /// # Panics
    /// If `theta0` does not have one entry per feature, or a bending penalty is asked of features that
    /// are no curves on the line.
    pub fn new(problem: &Regression, svd: &ThinSvd, dynamics: &Dynamics, theta0: &[f64]) -> Self {
        assert_eq!(theta0.len(), problem.feature_count(), "one start per feature");
        let modes = Modes::new(problem, svd, dynamics, theta0);
        let response = response(dynamics, &modes.curvature);
        let r = modes.rank();
        Self {
            dynamics: dynamics.clone(),
            is_stable: (0..modes.curvature.len()).all(|i| response.dies_out(i)) && modes.starts_finite(),
            start: theta0.to_vec(),
            clock: Clock::Step(0),
            theta: theta0.to_vec(),
            filters: vec![0.0; modes.data_rank()],
            learned: vec![0.0; r],
            strengths: vec![0.0; r],
            response,
            modes,
        }
    }

    /// Predictor and degrees of freedom at `t`, without moving there.
    pub fn at(&self, t: Clock) -> (Vec<f64>, f64) {
        let r = self.modes.rank();
        let (mut learned, mut strengths, mut theta) = (vec![0.0; r], vec![0.0; r], vec![0.0; self.theta.len()]);
        let mut response = self.response.fresh();
        response.move_to(t);
        self.evaluate_into(t, &*response, &mut learned, &mut strengths, &mut theta);
        let mut filters = vec![0.0; self.filters.len()];
        self.modes.filters_into(&learned, &mut filters);
        (theta, filters.iter().sum())
    }

    fn evaluate_into(
        &self,
        t: Clock,
        response: &dyn Response,
        learned: &mut [f64],
        strengths: &mut [f64],
        theta: &mut [f64],
    ) {
        self.modes.strengths_into(response, learned, strengths);
        if t.is_start() {
            theta.copy_from_slice(&self.start);
            return;
        }
        let (modes, r) = (&self.modes, strengths.len());
        taut_numerics::product_into(strengths, &modes.v, theta, r, theta.len());
        let left = if modes.has_ridge() { response.left(r) } else { 1.0 };
        for (value, frozen) in theta.iter_mut().zip(&modes.frozen) {
            *value += left * frozen;
        }
    }

    /// Looks at these points of the clock, which never decrease, up to the one at which the path is no longer finite: adds
    /// them to `snapshots`, and the fractions learned of each mode to `filters`, rows × modes. Returns how many there are,
    /// and where the path stopped being finite if it did.
    ///
    /// All rows come from one product with Vᵀ, and have the bits of [`Trajectory::advance_to`] where the start lies in the
    /// span of the modes.
    pub fn record_into(
        &mut self,
        clocks: &[Clock],
        snapshots: &mut Snapshots,
        filters: &mut Vec<f64>,
    ) -> (usize, Option<Clock>) {
        let (r, modes) = (self.modes.rank(), self.filters.len());
        let is_frozen = self.modes.frozen.iter().any(|f| f.abs() > 0.0);
        let rank = r + usize::from(is_frozen);
        let mut weights = vec![0.0; clocks.len() * rank];
        let (mut rows, mut diverged) = (0, None);
        for &clock in clocks {
            let strengths = &mut weights[rows * rank..(rows + 1) * rank];
            self.response.move_to(clock);
            self.clock = clock;
            let (strengths, left) = strengths.split_at_mut(r);
            self.modes.strengths_into(&*self.response, &mut self.learned, strengths);
            left.fill(if self.modes.has_ridge() { self.response.left(r) } else { 1.0 });
            self.modes.filters_into(&self.learned, &mut self.filters);
            filters.extend_from_slice(&self.filters);
            snapshots.freedom.push(if modes == 0 { f64::NAN } else { self.filters.iter().sum() });
            rows += 1;
            diverged = self.lost(strengths.iter().chain(left.iter()).all(|weight| weight.is_finite()));
            if diverged.is_some() {
                break;
            }
        }
        weights.truncate(rows * rank);
        let mut basis = self.modes.v.clone();
        basis.extend(is_frozen.then_some(&self.modes.frozen).into_iter().flatten());
        let (first, p) = (snapshots.coefficients.len(), self.start.len());
        snapshots.coefficients.resize(first + rows * p, 0.0);
        taut_numerics::product_into(&weights, &basis, &mut snapshots.coefficients[first..], rank, p);
        for (clock, row) in clocks[..rows].iter().zip(snapshots.coefficients[first..].chunks_exact_mut(p)) {
            if clock.is_start() {
                row.copy_from_slice(&self.start);
            }
        }
        if first == 0 && rank > 0 && WORTH_A_SPAN * rank <= p && WORTH_A_SPAN * rank <= rows {
            snapshots.span = Some(Span { rank, basis, weights });
        }
        (rows, diverged)
    }

    /// Where the path stopped being finite, if it did on the way to here, where its parameters are finite or not.
    fn lost(&self, is_finite: bool) -> Option<Clock> {
        // The loss of a stable path is finite everywhere if it is so at the start.
        if is_finite && (self.is_stable || self.mean_square(&*self.response).is_finite()) {
            return None;
        }
        let Clock::Step(reached) = self.clock else {
            let mut probe = self.probe();
            let may_leap = self.response.leaps() && !self.is_flow();
            let found = may_leap.then(|| first_true(MAX_STEPS, |k| !probe(Clock::Step(k)).is_finite())).flatten();
            return Some(found.map_or(Clock::Limit, Clock::Step));
        };
        let (mut probe, mut walk) = (self.probe(), self.walk());
        let found = match self.response.leaps() && self.response.largest_share().is_some() {
            true => first_true(MAX_STEPS, |k| !probe(Clock::Step(k)).is_finite()),
            false => (0..=reached.min(MOST_SCANNED)).find(|&k| !walk(k).is_finite()),
        };
        Some(found.map_or(self.clock, Clock::Step))
    }

    fn mean_square(&self, response: &dyn Response) -> f64 {
        self.modes.mean_square(|mode| response.left(mode))
    }

    /// The mean squared residual at any point of the clock.
    fn probe(&self) -> impl FnMut(Clock) -> f64 + '_ {
        let mut response = self.response.fresh();
        move |t| {
            response.move_to(t);
            self.mean_square(&*response)
        }
    }

    /// The same, step after step, for what has no shorter way.
    fn walk(&self) -> impl FnMut(u64) -> f64 + '_ {
        let mut walk = Walk::new(&self.dynamics, &self.modes.curvature).stepwise();
        move |k| {
            walk.move_to(Clock::Step(k));
            self.mean_square(&walk)
        }
    }

    fn is_flow(&self) -> bool {
        self.dynamics.motion == taut_problem::Motion::Flow
    }

    /// Whether the residual never grows.
    fn falls(&self) -> bool {
        let Some(share) = self.response.largest_share() else { return false };
        let limit = if self.modes.is_plain() { 2.0 } else { 1.0 };
        share <= limit && (self.modes.is_plain() || self.modes.falls_with_errors())
    }

    /// The last step up to which the mean squared residual of plain descent falls: it is convex in t, so
    /// it falls, and then (with an unstable step size only) grows.
    fn last_fall(&self) -> u64 {
        let eta = self.dynamics.step_size;
        let curvature = self.modes.curvature.iter().enumerate();
        if curvature.into_iter().all(|(i, l)| eta * l <= 2.0 || !self.modes.moves(i)) {
            return MAX_STEPS;
        }
        let mut probe = self.probe();
        let grows = |k: u64| {
            let next = probe(Clock::Step(k + 1));
            !next.is_finite() || next > probe(Clock::Step(k))
        };
        first_true(MAX_STEPS, grows).unwrap_or(MAX_STEPS)
    }

    /// When the root mean square residual was first at most `level`, if that was by step `last`.
    ///
    /// By bisection where the residual of steps of one size falls, and then also beyond `last`; otherwise
    /// step after step, from where the part that falls for certain is low enough, over ten million steps at
    /// most (beside a bending penalty or marginal dropout a hundred thousand, then on a grid of 64 per decade).
    /// `NotYet` says no more than that.
    pub fn first_passage_by(&self, level: f64, last: u64) -> Passage {
        let (level, last) = (level * level, last.min(MAX_STEPS));
        if self.modes.floor > level {
            return Passage::Never;
        }
        if self.is_flow() {
            return self.flow_passage(level);
        }
        let at = |k: Option<u64>| k.map(|k| Passage::At(Clock::Step(k)));
        let (mut probe, mut walk) = (self.probe(), self.walk());
        if self.dynamics.is_constant() && self.response.largest_share().is_some() && self.modes.is_plain() {
            let found = first_true(self.last_fall(), |k| probe(Clock::Step(k)) <= level);
            return at(found).unwrap_or(Passage::Never);
        }
        if self.falls() && self.is_end_near() && probe(Clock::Limit) > level {
            return Passage::Never;
        }
        if !self.response.leaps() {
            return at((0..=last.min(MOST_SCANNED)).find(|&k| walk(k) <= level)).unwrap_or(Passage::NotYet);
        }
        let reach = if self.dynamics.is_constant() { MAX_STEPS } else { last };
        if self.falls() {
            return at(first_true(reach, |k| probe(Clock::Step(k)) <= level)).unwrap_or(Passage::NotYet);
        }
        let Some(first) = self.earliest(level, reach) else {
            return if self.dynamics.is_constant() { Passage::Never } else { Passage::NotYet };
        };
        // Far out no walk is needed, and near the start a walk is cheaper.
        let beyond = if self.dynamics.is_constant() { first.saturating_add(SCANNED_BEYOND) } else { last };
        // A residual on rows of its own costs O(n·p) a step, and has no oscillation to hide a passage in.
        let is_dear = self.modes.has_rows_of_data();
        let scanned = if is_dear { SCANNED_BEYOND } else { MOST_SCANNED };
        let end = last.max(beyond).min(first.saturating_add(scanned));
        let found = match first {
            0 => (0..=end).find(|&k| walk(k) <= level),
            _ => (first..=end).find(|&k| probe(Clock::Step(k)) <= level),
        };
        let found = found.or_else(|| if is_dear { self.far_passage(end, last, level) } else { None });
        at(found).unwrap_or(Passage::NotYet)
    }

    /// Whether the limit takes no longer to look at than steps are looked through.
    fn is_end_near(&self) -> bool {
        self.dynamics.is_constant()
            || Walk::new(&self.dynamics, &self.modes.curvature).runs_to_end() <= MOST_SCANNED as f64
    }

    /// The first step at which what falls for certain is at most `level`: no passage is before that.
    fn earliest(&self, level: f64, reach: u64) -> Option<u64> {
        let mut response = self.response.fresh();
        first_true(reach, |k| {
            response.move_to(Clock::Step(k));
            self.modes.falling_part(|mode| response.falls(mode).then(|| response.left(mode))) <= level
        })
    }

    /// Between `from` and `last`, on a grid of 64 steps per decade, then by bisection.
    fn far_passage(&self, from: u64, last: u64, level: f64) -> Option<u64> {
        let mut probe = self.probe();
        let mut before = from;
        while before < last {
            let next = last.min((before.max(64) as f64 * 10_f64.powf(1.0 / 64.0)).ceil() as u64);
            if probe(Clock::Step(next)) <= level {
                return first_true(next - before, |k| probe(Clock::Step(before + k)) <= level).map(|k| before + k);
            }
            before = next;
        }
        None
    }

    /// By bisection where the residual falls; otherwise on a grid of 64 times per decade, then by bisection.
    fn flow_passage(&self, level: f64) -> Passage {
        let mut probe = self.probe();
        let mut reached = |t: f64| probe(Clock::Time(t)) <= level;
        if reached(0.0) {
            return Passage::At(Clock::Time(0.0));
        }
        let slowest = self.modes.curvature.iter().copied().fold(f64::INFINITY, f64::min);
        let fastest = self.modes.curvature.iter().copied().fold(0.0, f64::max);
        let (mut before, mut bracket, factor) = match self.falls() {
            true => (0.0, 1.0 / slowest, 2.0),
            false => (0.0, 1e-6 / fastest, 10_f64.powf(1.0 / 64.0)),
        };
        while !reached(bracket) {
            if !self.falls() {
                before = bracket;
            }
            bracket *= factor;
            // Beyond this nothing is left of the slowest mode.
            if !bracket.is_finite() || !self.falls() && bracket * slowest > 800.0 {
                return Passage::Never;
            }
        }
        Passage::At(Clock::Time(last_sign_change(before, bracket, reached)))
    }
}

/// So many times fewer modes than features and rows make it worth while to look at the modes instead: each is looked at as a
/// row would be.
const WORTH_A_SPAN: usize = 2;

/// Counts beyond this lose whole numbers in `f64`, and no study waits that long.
const MAX_STEPS: u64 = 1 << 62;

/// Steps looked through where every step is at hand, also if nobody has been there.
const SCANNED_BEYOND: u64 = 100_000;

/// Steps looked through one by one for a passage.
const MOST_SCANNED: u64 = 10_000_000;

impl Trajectory for SpectralPath {
    fn lanes(&self) -> usize {
        1
    }

    fn advance_to(&mut self, t: Clock) {
        self.response.move_to(t);
        let (mut learned, mut strengths, mut theta) =
            (std::mem::take(&mut self.learned), std::mem::take(&mut self.strengths), std::mem::take(&mut self.theta));
        self.evaluate_into(t, &*self.response, &mut learned, &mut strengths, &mut theta);
        self.modes.filters_into(&learned, &mut self.filters);
        (self.learned, self.strengths, self.theta) = (learned, strengths, theta);
        self.clock = t;
    }

    fn snapshot(&self) -> Snapshot<'_> {
        Snapshot {
            clock: self.clock,
            theta: &self.theta,
            predictor: &self.theta,
            filters: &self.filters,
            covariance: &[],
            ledger: &[],
            lanes: 1,
        }
    }

    fn first_passage(&self, _lane: usize, level: f64) -> Passage {
        let reached = match self.clock {
            Clock::Step(step) => step,
            Clock::Time(_) | Clock::Limit => MAX_STEPS,
        };
        self.first_passage_by(level, reached)
    }

    fn at_passage(&self, lane: usize, level: f64) -> Option<(Vec<f64>, f64)> {
        match self.first_passage(lane, level) {
            Passage::At(clock) => Some(self.at(clock)),
            Passage::Never | Passage::NotYet => None,
        }
    }

    fn diverged(&self, _lane: usize) -> Option<Clock> {
        self.lost(self.theta.iter().all(|t| t.is_finite()))
    }
}
