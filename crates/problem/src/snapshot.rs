//! A trajectory's state at one time, and the trait of everything that can be moved there.

use crate::{Clock, Memory, PiecewiseCubic, State, StateError};

/// What the numbers of a ledger are: how far the running sums over all steps are from what they are equal to. NaN
/// where a motion or parametrization has no such identity.
pub const LEDGER: [&str; 2] = ["balancedness_identity_error", "effective_alpha_identity_error"];

/// The state of one or more lanes at one point of the clock.
#[derive(Clone, Copy, Debug)]
pub struct Snapshot<'a> {
    /// Where on the trajectory.
    pub clock: Clock,
    /// Parameters θ, params × lanes slots with the lanes of one parameter side by side.
    pub theta: &'a [f64],
    /// Predictor β, features·outputs × lanes, column-major where it is a matrix, laid out like `theta`.
    pub predictor: &'a [f64],
    /// Fraction gᵢ learned of each mode of the design, modes × lanes; empty if the motion does not know.
    pub filters: &'a [f64],
    /// Covariance of θ over all draws of the motion, p × p, row-major, with θ its mean; empty where θ is a
    /// single path. One lane only.
    pub covariance: &'a [f64],
    /// Running sums over every step, as [`LEDGER`] names them, numbers × lanes; empty where nobody asked for them.
    pub ledger: &'a [f64],
    /// The number of lanes.
    pub lanes: usize,
}

/// The numbers of one lane, where those of all lanes of an entry lie side by side.
pub fn lane_of(numbers: &[f64], lane: usize, lanes: usize) -> impl Iterator<Item = f64> {
    // Not `step_by`, of whose length and places less is known.
    numbers.chunks_exact(lanes).map(move |entry| entry[lane])
}

/// When a level was first reached.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Passage {
    /// At this point of the clock, and not before.
    At(Clock),
    /// Never, not even in the limit.
    Never,
    /// Not up to where the trajectory has been moved.
    NotYet,
}

/// Something that can be moved to a time and looked at: a stepped run or a closed form.
///
/// Called by `sweep`: `advance_to`, or `advance_towards` again and again, and `snapshot` once per save time,
/// `first_passage` once per level.
pub trait Trajectory: Send {
    /// How many cells advance together.
    fn lanes(&self) -> usize;

    /// Moves every lane to `t`; times never decrease between calls.
    ///
    /// # Panics
    /// If this motion cannot go there: a flow to a step, a stepped run to the limit.
    fn advance_to(&mut self, t: Clock);

    /// Moves towards `t` by at most so many steps of its own; true once it is there. Where it rests on the way changes
    /// no bit of what follows, as for [`Trajectory::advance_to`].
    fn advance_towards(&mut self, t: Clock, steps: u64) -> bool {
        let next = match (self.snapshot().clock, t) {
            (Clock::Step(now), Clock::Step(target)) => Clock::Step(target.min(now.saturating_add(steps))),
            _ => t,
        };
        self.advance_to(next);
        next == t
    }

    /// The state now.
    fn snapshot(&self) -> Snapshot<'_>;

    /// When the root mean square residual of `lane` was first at most `level`.
    fn first_passage(&self, lane: usize, level: f64) -> Passage;

    /// The parameters θ of `lane` at the first passage of `level`, with its degrees of freedom (NaN
    /// where the motion does not know them); `None` if the level has not been passed.
    fn at_passage(&self, lane: usize, level: f64) -> Option<(Vec<f64>, f64)>;

    /// How often the gradient was taken, where steps are chosen on the way.
    fn gradient_evaluations(&self) -> Option<u64> {
        None
    }

    /// Where `lane` stopped being finite, if it did on the way to here.
    fn diverged(&self, lane: usize) -> Option<Clock>;

    /// Visits everything that moves and is not made of the rest; a motion that takes no time to repeat forgets.
    ///
    /// Called through [`Trajectory::state`] and [`Trajectory::restore`] alone.
    fn remember(&mut self, memory: &mut Memory<'_>) {
        memory.forget();
    }

    /// All that moves, to go on from here later and elsewhere; `None` for what is computed anew as quickly.
    fn state(&mut self) -> Option<State> {
        State::of(|memory| self.remember(memory))
    }

    /// Goes back to a state of a trajectory that was built in the same way; from here the bits are the same as if it had
    /// never been interrupted.
    ///
    /// # Errors
    /// If the state is of another trajectory; this one has not moved then.
    fn restore(&mut self, state: &State) -> Result<(), StateError> {
        state.restore(|memory| self.remember(memory))
    }
}

/// Rows as combinations of a few series. What is linear in a row is then linear in its weights, and need be computed for
/// these series alone.
#[derive(Clone, Debug, Default)]
pub struct Span {
    /// How many series there are.
    pub rank: usize,
    /// Their coefficients, row-major, rank × features.
    pub basis: Vec<f64>,
    /// How much of each is in a row, row-major, rows × rank.
    pub weights: Vec<f64>,
}

/// Functions gathered row by row, with what is known of each: what the metrics look at.
///
/// Rows do not influence each other. All rows are either series (coefficients of the problem's
/// features) or piecewise cubics.
#[derive(Clone, Debug, Default)]
pub struct Snapshots {
    /// Entries of the predictor, p features times outputs: the length of a row of `coefficients`; zero for cubics.
    pub features: usize,
    /// Predictor coefficients β, row-major, rows × features; empty for cubics. A matrix is column-major within its row.
    pub coefficients: Vec<f64>,
    /// Piecewise cubics, one per row; empty for series.
    pub cubics: Vec<PiecewiseCubic>,
    /// Number of parameters, where they are not the coefficients themselves: the length of a row of `theta`.
    pub parameters: Option<usize>,
    /// Parameters θ, row-major; empty if they are the coefficients themselves, or there are none.
    pub theta: Vec<f64>,
    /// Covariance of the coefficients around those of the row, rows × features × features; empty for
    /// ordinary rows.
    pub covariances: Vec<f64>,
    /// Effective degrees of freedom tr(∂ŷ/∂y), one per row; NaN where not known.
    pub freedom: Vec<f64>,
    /// Numbers of the ledger, rows × [`LEDGER`]; empty for rows without one.
    pub ledger: Vec<f64>,
    /// The rows as combinations of few series, equal to the coefficients up to rounding; `None` where their maker knows of
    /// none, or all rows are as quickly looked at one by one.
    pub span: Option<Span>,
}

impl Snapshots {
    /// No rows yet, for functions with `features` coefficients.
    pub fn series(features: usize) -> Self {
        Self { features, ..Self::default() }
    }

    /// No rows yet, for predictors with `features` coefficients that are made of `parameters` others.
    pub fn of_parameters(features: usize, parameters: usize) -> Self {
        Self { features, parameters: Some(parameters), ..Self::default() }
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.freedom.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.freedom.is_empty()
    }

    /// Forgets the rows and keeps the memory.
    pub fn clear(&mut self) {
        self.coefficients.clear();
        self.cubics.clear();
        self.theta.clear();
        self.covariances.clear();
        self.freedom.clear();
        self.ledger.clear();
        self.span = None;
    }

    /// β of a row.
    pub fn coefficients_of(&self, row: usize) -> &[f64] {
        &self.coefficients[row * self.features..(row + 1) * self.features]
    }

    /// θ of a row; β where they are the same.
    pub fn theta_of(&self, row: usize) -> &[f64] {
        match self.parameters {
            Some(parameters) => &self.theta[row * parameters..(row + 1) * parameters],
            None => self.coefficients_of(row),
        }
    }

    /// The covariance of a row, features × features; `None` for an ordinary row.
    pub fn covariance(&self, row: usize) -> Option<&[f64]> {
        let size = self.features * self.features;
        self.covariances.get(row * size..(row + 1) * size).filter(|covariance| !covariance.is_empty())
    }

    /// Adds one series whose parameters are its coefficients.
    pub fn push_series(&mut self, coefficients: &[f64], freedom: f64) {
        assert_eq!(coefficients.len(), self.features, "one coefficient per feature");
        self.coefficients.extend_from_slice(coefficients);
        self.freedom.push(freedom);
    }

    /// Adds one predictor with the parameters that it is made of.
    pub fn push_parameters(&mut self, coefficients: &[f64], theta: &[f64]) {
        assert_eq!(self.parameters, Some(theta.len()), "one entry per parameter");
        self.push_series(coefficients, f64::NAN);
        self.theta.extend_from_slice(theta);
    }

    /// Adds one lane of a snapshot.
    pub fn push_lane(&mut self, snapshot: &Snapshot<'_>, lane: usize) {
        let lanes = snapshot.lanes;
        self.coefficients.extend(lane_of(snapshot.predictor, lane, lanes));
        if self.parameters.is_some() {
            self.theta.extend(lane_of(snapshot.theta, lane, lanes));
        }
        self.covariances.extend_from_slice(snapshot.covariance);
        self.ledger.extend(lane_of(snapshot.ledger, lane, lanes));
        let freedom = if snapshot.filters.is_empty() { f64::NAN } else { lane_of(snapshot.filters, lane, lanes).sum() };
        self.freedom.push(freedom);
    }

    /// Adds one piecewise cubic.
    pub fn push_cubic(&mut self, cubic: PiecewiseCubic, freedom: f64) {
        self.cubics.push(cubic);
        self.freedom.push(freedom);
    }
}
