//! The frame in which modes of a deep linear network part: singular vectors of the target under white inputs.

use crate::assumptions::SMALL_STEP;
use crate::singular_modes::SingularModes;
use crate::{MatrixPremise, Mode, Prediction};
use nalgebra::DMatrix;
use taut_problem::{Clock, Dynamics, Entries, Motion, Observed};

/// How far Sxx may be from a multiple of the identity (relative to it): what whitening leaves in 64 bits.
const WHITE: f64 = 1e-9;

/// L = ½c‖W − T‖²_F + const., with T = U diag(s) Vᵀ = Syx/c.
pub(crate) struct TeacherFrame {
    /// c, with Sxx = cI.
    pub(crate) curvature: f64,
    /// U, s, V.
    pub(crate) modes: SingularModes,
}

impl TeacherFrame {
    /// The frame of a problem; an error where Sxx is not a multiple of the identity.
    pub(crate) fn of(premise: &MatrixPremise<'_>) -> Result<Self, String> {
        let problem = premise.problem;
        let (curvature, syx) = match &problem.observed {
            Observed::Moments(moments) => match &moments.sxx {
                None => (1.0, &moments.syx),
                Some(sxx) => {
                    let mean = sxx.trace() / sxx.nrows() as f64;
                    let away = (sxx / mean - DMatrix::identity(sxx.nrows(), sxx.ncols())).amax();
                    if away > WHITE || away.is_nan() {
                        return Err(format!(
                            "the inputs are not whitened: Sxx is {away} away from a multiple of the identity"
                        ));
                    }
                    (mean, &moments.syx)
                }
            },
            Observed::Entries(Entries { target, observed }) if observed.len() == target.len() => (1.0, target),
            Observed::Entries(_) => return Err("some entries are not observed, so modes do not part".to_owned()),
            Observed::Measurements(_) => return Err("the loss sees measurements, so modes do not part".to_owned()),
        };
        let modes = SingularModes::of(&(syx / curvature)).filter(|modes| modes.rank() > 0);
        let modes = modes.ok_or_else(|| "the target has no singular values above rounding".to_owned())?;
        Ok(Self { curvature, modes })
    }

    /// uₐᵀWvₐ of every mode.
    pub(crate) fn strengths(&self, w: &DMatrix<f64>) -> Vec<f64> {
        let seen = w * &self.modes.v;
        (0..self.modes.rank()).map(|a| self.modes.u.column(a).dot(&seen.column(a))).collect()
    }

    /// U diag(`strengths`) Vᵀ.
    pub(crate) fn matrix(&self, strengths: &[f64]) -> DMatrix<f64> {
        let mut scaled = self.modes.u.clone();
        scaled.column_iter_mut().zip(strengths).for_each(|(mut column, strength)| column *= *strength);
        scaled * self.modes.v.transpose()
    }

    /// Why modes are not distinct: the pair of singular values that is closest, if within `gap` of each other.
    pub(crate) fn degenerate(&self, gap: f64) -> Option<String> {
        let close = |pair: &&[f64]| pair[0] - pair[1] <= gap * pair[0];
        self.modes
            .s
            .windows(2)
            .find(close)
            .map(|pair| format!("singular values {} and {} are too close to tell their modes apart", pair[0], pair[1]))
    }

    /// The largest curvature at the flattest solution: cN·s₁^(2−2/N).
    pub(crate) fn stiffness(&self, depth: usize) -> f64 {
        let n = depth as f64;
        self.curvature * n * self.modes.s[0].powf(2.0 - 2.0 / n)
    }

    /// What a motion makes of the clock of the mode of strength s: the time of flow, in units of 1/c, per training time.
    ///
    /// ln(1 + ηcs)/(ηs) for descent on two factors, where ln(1 + ηcs) per step is the exact growth of a small mode;
    /// −ln(1 − ηc)/η for one factor, which is exact; c in all other cases.
    pub(crate) fn pace(&self, dynamics: &Dynamics, depth: usize, s: f64) -> f64 {
        let (c, eta) = (self.curvature, dynamics.step_size);
        if dynamics.motion != Motion::Descent || !dynamics.is_constant() {
            return c;
        }
        match depth {
            1 if eta * c < 1.0 => -(-eta * c).ln_1p() / eta,
            2 if s > 0.0 => (eta * c * s).ln_1p() / (eta * s),
            _ => c,
        }
    }

    /// Paths and modes, from the strength of mode a at a training time.
    pub(crate) fn predict(&self, premise: &MatrixPremise<'_>, strength: impl Fn(usize, f64) -> f64) -> Prediction {
        let mut prediction = Prediction::default();
        for (clock, time) in reached(premise) {
            let strengths: Vec<f64> = (0..self.modes.rank()).map(|a| strength(a, time)).collect();
            prediction.path.push((clock, self.matrix(&strengths).as_slice().to_vec()));
            prediction.modes.extend(strengths.iter().enumerate().map(|(a, &u)| Mode {
                clock,
                mode: a + 1,
                value: self.modes.s[a] * self.curvature.sqrt(),
                strength: u,
                filter: None,
                projection: Some(u),
            }));
        }
        prediction
    }
}

/// The clocks with their training times, but for a limit that the schedule does not reach.
pub(crate) fn reached(premise: &MatrixPremise<'_>) -> impl Iterator<Item = (Clock, f64)> {
    let limit = premise.dynamics.schedule.reaches_limit();
    let points = premise.clocks.iter().copied().zip(premise.times.iter().copied());
    points.filter(move |(clock, _)| limit || *clock != Clock::Limit)
}

/// Why a result for gradient flow, read at time Σηₖ, does not apply, given the largest curvature at the solution.
pub(crate) fn not_flow(dynamics: &Dynamics, stiffness: f64) -> Option<String> {
    match dynamics.motion {
        Motion::Flow if dynamics.only_schedule() => None,
        Motion::Descent if dynamics.only_schedule() => {
            let relative = dynamics.step_size * stiffness;
            (relative > SMALL_STEP).then(|| {
                format!(
                    "the step size is {relative}/λ, λ = {stiffness}; descent is taken for flow up to {SMALL_STEP}/λ"
                )
            })
        }
        _ => Some("the motion is neither gradient flow nor gradient descent on the loss alone".to_owned()),
    }
}

/// All reasons together.
pub(crate) fn together(reasons: impl IntoIterator<Item = Option<String>>) -> Option<String> {
    let all: Vec<String> = reasons.into_iter().flatten().collect();
    (!all.is_empty()).then(|| all.join("; "))
}
