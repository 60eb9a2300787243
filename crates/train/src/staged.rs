//! Stage after stage of least squares, each started where the last one ended, in closed form.

use crate::responses::Geometric;
use std::borrow::Cow;
use taut_numerics::{DVector, ThinSvd};
use taut_problem::{Clock, Continuation, Dynamics, Motion, Passage, Regression, Snapshot, Trajectory};

/// One problem on the way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stage {
    /// L + ½λ‖θ‖² with this λ.
    Ridge(f64),
    /// Only so many leading features move.
    Features(usize),
    /// The values are target + share·(y − target).
    NoiseShare(f64),
}

impl Stage {
    /// The stages of a continuation; `up_to` counts the features up to a degree.
    pub fn of(continuation: &Continuation, up_to: impl Fn(usize) -> usize) -> Vec<Self> {
        match continuation {
            Continuation::Ridge(values) => values.iter().map(|ridge| Self::Ridge(ridge.get())).collect(),
            Continuation::Degree(values) => values.iter().map(|d| Self::Features(up_to(d.size()))).collect(),
            Continuation::NoiseShare(values) => values.iter().map(|s| Self::NoiseShare(s.get())).collect(),
        }
    }
}

/// Descent or flow through a sequence of least-squares problems.
///
/// In a stage with moving features Φ_m = U S Vᵀ, values y_s and ridge λ, mode i has curvature
/// κᵢ = sᵢ²/n + λ and goes from zᵢ(0) = vᵢ·θ to z*ᵢ = sᵢ uᵢ·r/(sᵢ² + nλ), with r = y_s − Φ_rest θ_rest:
/// zᵢ(t) = zᵢ(0) + (1 − eᵢ)(z*ᵢ − zᵢ(0)), eᵢ = (1 − ηκᵢ)ᵗ for descent and exp(−κᵢt) for flow. Null
/// directions shrink by (1 − ηλ)ᵗ, features that do not move stay. Error about eps·cond(Φ_m), whatever
/// the number of steps. The clock counts from the start of the first stage; after stages that go to
/// their limit it stands at the limit, and [`Staged::visit`] tells them apart.
pub struct Staged<'a> {
    parts: Vec<Part<'a>>,
    length: Clock,
    clock: Clock,
    theta: Vec<f64>,
    filters: Vec<f64>,
}

impl<'a> Staged<'a> {
    /// The path from `theta0` through stages of one `length`; `svd` is of the whole design. A ridge in
    /// `dynamics` holds in every stage that has none of its own.
    ///
    /// # Errors
    /// A sentence, if a share of the noise is asked for and the noise-free values are not known.
    ///
    /// # Panics
    /// If there is no stage, or not one start per feature.
    pub fn new(
        problem: &Regression,
        svd: &'a ThinSvd,
        dynamics: &Dynamics,
        stages: &[Stage],
        length: Clock,
        theta0: &[f64],
    ) -> Result<Self, String> {
        assert!(!stages.is_empty(), "a continuation has stages");
        assert_eq!(theta0.len(), problem.feature_count(), "one start per feature");
        let mut parts: Vec<Part<'a>> = Vec::with_capacity(stages.len());
        for stage in stages {
            let (start, filters) = match parts.last() {
                Some(last) => (last.theta(length), last.filters(length)),
                None => (theta0.to_vec(), vec![0.0; svd.rank()]),
            };
            parts.push(Part::new(problem, svd, dynamics, *stage, start, filters)?);
        }
        let clock = if parts[0].is_flow { Clock::Time(0.0) } else { Clock::Step(0) };
        let filters = parts[0].filters(clock);
        Ok(Self { parts, length, clock, theta: theta0.to_vec(), filters })
    }

    /// The number of stages.
    pub fn stages(&self) -> usize {
        self.parts.len()
    }

    /// Moves to a point of the clock of one stage (from 0); returns the point counted from the first.
    pub fn visit(&mut self, stage: usize, within: Clock) -> Clock {
        let part = &self.parts[stage];
        (self.theta, self.filters) = (part.theta(within), part.filters(within));
        self.clock = self.overall(stage, within);
        self.clock
    }

    /// Adds the lengths of the stages before.
    fn overall(&self, stage: usize, within: Clock) -> Clock {
        match (self.length, within) {
            (Clock::Limit, _) if stage > 0 => Clock::Limit,
            (Clock::Step(length), Clock::Step(k)) => Clock::Step(length * stage as u64 + k),
            (Clock::Time(length), Clock::Time(t)) => Clock::Time(length * stage as f64 + t),
            _ => within,
        }
    }

    /// The stage of a point of the clock, and the point of the stage's own clock.
    fn locate(&self, t: Clock) -> (usize, Clock) {
        let last = self.parts.len() - 1;
        match (self.length, t) {
            (Clock::Step(length), Clock::Step(k)) => {
                // The end of a stage belongs to it, not to the next.
                let stage = (k.saturating_sub(1).checked_div(length).unwrap_or(0) as usize).min(last);
                (stage, Clock::Step(k - length * stage as u64))
            }
            (Clock::Time(length), Clock::Time(t)) if length > 0.0 => {
                let stage = ((t / length).ceil() as usize).saturating_sub(1).min(last);
                (stage, Clock::Time(t - length * stage as f64))
            }
            (_, Clock::Limit) => (last, Clock::Limit),
            _ => (0, t),
        }
    }

    /// The stage (from 0) and its own clock when the residual was first at most `level`.
    fn passage(&self, level: f64) -> Result<(usize, Clock), Passage> {
        let last = self.parts.len() - 1;
        for (stage, part) in self.parts.iter().enumerate() {
            let length = if stage == last { Clock::Limit } else { self.length };
            match part.first_passage(level * level, length) {
                Passage::At(within) => return Ok((stage, within)),
                Passage::NotYet => return Err(Passage::NotYet),
                Passage::Never => {}
            }
        }
        Err(Passage::Never)
    }
}

impl Trajectory for Staged<'_> {
    fn lanes(&self) -> usize {
        1
    }

    fn advance_to(&mut self, t: Clock) {
        let (stage, within) = self.locate(t);
        self.visit(stage, within);
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
        match self.passage(level) {
            Ok((stage, within)) => Passage::At(self.overall(stage, within)),
            Err(other) => other,
        }
    }

    fn at_passage(&self, _lane: usize, level: f64) -> Option<(Vec<f64>, f64)> {
        let (stage, within) = self.passage(level).ok()?;
        let part = &self.parts[stage];
        let filters = part.filters(within);
        let freedom = if filters.is_empty() { f64::NAN } else { filters.iter().sum() };
        Some((part.theta(within), freedom))
    }

    fn diverged(&self, _lane: usize) -> Option<Clock> {
        let finite = self.theta.iter().all(|t| t.is_finite());
        (!finite).then_some(self.clock)
    }
}

/// One stage with its start.
struct Part<'a> {
    svd: Cow<'a, ThinSvd>,
    /// Of every mode, and of the directions that the data do not see if there is a ridge.
    errors: Geometric,
    is_flow: bool,
    has_ridge: bool,
    start: Vec<f64>,
    /// (I − VVᵀ)θ of the features that move.
    unseen: Vec<f64>,
    /// zᵢ at the start and in the limit.
    from: Vec<f64>,
    to: Vec<f64>,
    /// uᵢ·(y − Φ_rest θ_rest): what the mode's residual is measured against.
    values: Vec<f64>,
    /// What no parameters that move can fit, as a mean square.
    floor: f64,
    samples: f64,
    /// ∂(sᵢzᵢ)/∂(uᵢ·y) at the start and in the limit; none where modes of the design mix.
    filter: Option<(Vec<f64>, Vec<f64>)>,
}

/// Intervals looked at before a passage counts as not found: at a tangency there is no bound.
const PATIENCE: usize = 200_000;

impl<'a> Part<'a> {
    fn new(
        problem: &Regression,
        whole: &'a ThinSvd,
        dynamics: &Dynamics,
        stage: Stage,
        start: Vec<f64>,
        filters: Vec<f64>,
    ) -> Result<Self, String> {
        let (n, p) = problem.design.shape();
        let ridge = if let Stage::Ridge(ridge) = stage { ridge } else { dynamics.penalty.ridge.get() };
        let (svd, moving) = match stage {
            Stage::Features(count) if count < p => (Cow::Owned(ThinSvd::new(problem.design.columns(0, count))), count),
            _ => (Cow::Borrowed(whole), p),
        };
        let share = if let Stage::NoiseShare(share) = stage { share } else { 1.0 };
        let fixed = problem.design.columns(moving, p - moving) * DVector::from_column_slice(&start[moving..]);
        let observed: Vec<f64> = problem.y.iter().zip(fixed.iter()).map(|(y, fixed)| y - fixed).collect();
        let values = svd.u.tr_mul(&DVector::from_column_slice(&observed));
        let fitted = match stage {
            Stage::NoiseShare(share) => svd.u.tr_mul(&(shared(problem, share)? - fixed)),
            Stage::Ridge(_) | Stage::Features(_) => values.clone(),
        };
        let from = svd.v.tr_mul(&DVector::from_column_slice(&start[..moving]));
        let unseen = DVector::from_column_slice(&start[..moving]) - &svd.v * &from;
        // At full row rank the remainder is rounding, and rounding is not a residual.
        let missed = DVector::from_column_slice(&observed) - &svd.u * &values;
        let floor = if svd.rank() == n { 0.0 } else { missed.norm_squared() / n as f64 };
        let shrink = |s: f64| s * s / (s * s + n as f64 * ridge);
        let to = svd.s.iter().zip(fitted.iter()).map(|(s, c)| shrink(*s) * (c / s)).collect();
        let is_flow = dynamics.motion == Motion::Flow;
        let curvature: Vec<f64> = svd.s.iter().map(|s| s * s / n as f64 + ridge).chain([ridge]).collect();
        let mixes = matches!(stage, Stage::Features(_)) || filters.len() != svd.rank();
        let limits = svd.s.iter().map(|s| share * shrink(*s)).collect();
        Ok(Self {
            errors: Geometric::new((!is_flow).then_some(dynamics.step_size), &curvature),
            is_flow,
            has_ridge: ridge > 0.0,
            start,
            unseen: unseen.as_slice().to_vec(),
            from: from.as_slice().to_vec(),
            to,
            values: values.as_slice().to_vec(),
            floor,
            samples: n as f64,
            filter: (!mixes).then_some((filters, limits)),
            svd,
        })
    }

    fn theta(&self, t: Clock) -> Vec<f64> {
        if t.is_start() {
            return self.start.clone();
        }
        let mut theta = self.start.clone();
        let outside = if self.has_ridge { self.errors.left_at(self.from.len(), t) } else { 1.0 };
        for (theta, unseen) in theta.iter_mut().zip(&self.unseen) {
            *theta = outside * unseen;
        }
        for (i, (from, to)) in self.from.iter().zip(&self.to).enumerate() {
            let z = from + self.errors.learned_at(i, t) * (to - from);
            for (theta, v) in theta.iter_mut().zip(self.svd.v.column(i).iter()) {
                *theta += z * v;
            }
        }
        theta
    }

    /// The fraction learned of every mode of the design; empty where not known.
    fn filters(&self, t: Clock) -> Vec<f64> {
        let Some((from, to)) = &self.filter else {
            return Vec::new();
        };
        let between = |(i, (from, to)): (usize, (&f64, &f64))| from + self.errors.learned_at(i, t) * (to - from);
        from.iter().zip(to).enumerate().map(between).collect()
    }

    /// A lower bound of the mean squared residual from `low` to `high`; the value itself where they are one.
    fn least_mean_square(&self, low: Clock, high: Clock) -> f64 {
        let mut sum = self.floor;
        for (i, s) in self.svd.s.iter().enumerate() {
            let residual = |e: f64| self.values[i] - s * (self.to[i] + e * (self.from[i] - self.to[i]));
            let (a, b) = self.errors.range(i, low, high);
            let (a, b) = (residual(a), residual(b));
            // A sign change; or beyond all numbers, where an unstable mode goes.
            let crosses = low != high && (a * b <= 0.0 || (a * b).is_nan());
            let least = if crosses { 0.0 } else { a.abs().min(b.abs()) };
            sum += least * least / self.samples;
        }
        sum
    }

    /// The first point with a mean squared residual of at most `level`, by halving intervals that a
    /// bound cannot exclude. The residual need not fall: a stage with a penalty may move away from the data.
    fn first_passage(&self, level: f64, length: Clock) -> Passage {
        let is_flow = self.is_flow;
        // Times of a flow are numbered by their bits, which ascend with them.
        let at = |tick: u64| if is_flow { Clock::Time(f64::from_bits(tick)) } else { Clock::Step(tick) };
        let last = match length {
            Clock::Step(steps) => steps,
            Clock::Time(time) => time.to_bits(),
            Clock::Limit if is_flow => f64::MAX.to_bits(),
            Clock::Limit => 1 << 62,
        };
        let mut open = vec![(0_u64, last)];
        for _ in 0..PATIENCE {
            let Some((low, high)) = open.pop() else {
                return Passage::Never;
            };
            if self.least_mean_square(at(low), at(low)) <= level {
                return Passage::At(at(low));
            }
            if low < high && self.least_mean_square(at(low), at(high)) <= level {
                let middle = low + (high - low) / 2;
                open.extend([(middle + 1, high), (low, middle)]);
            }
        }
        Passage::NotYet
    }
}

/// target + share·(y − target).
fn shared(problem: &Regression, share: f64) -> Result<DVector<f64>, String> {
    let (Some(target), false) = (&problem.target, problem.x.is_empty()) else {
        return Err("a share of the noise needs a noise-free target at the points".to_owned());
    };
    let values = problem.x.iter().zip(&problem.y).map(|(x, y)| {
        let clean = target.value(*x);
        clean + share * (y - clean)
    });
    Ok(DVector::from_iterator(problem.samples(), values))
}
