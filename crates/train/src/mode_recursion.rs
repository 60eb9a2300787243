//! Descent from an aligned start on whitened inputs: one number per factor and mode.

use crate::Method;
use crate::stepped::{Lane, Stepped};
use crate::whitened::whitened;
use taut_numerics::{DMatrix, Kernel, ThinSvd, run_wide};
use taut_problem::{
    Clock, Dynamics, MatrixProblem, Memory, Moments, Motion, Observed, Parametrization, ParametrizationKind, Passage,
    Snapshot, Task, Tensor, TestOver, Trajectory,
};

/// The exact motion of a product of factors W_l = R_{l+1}·diag(a_l)·R_lᵀ with Sxx = I and UᵀSyxV = diag(s), where R₁ = V
/// and R_{N+1} = U: mode by mode a_l ← a_l + η(Π_{k≠l} a_k)(s − Π_k a_k), with any momentum, schedule, average and ridge.
///
/// N·K numbers move instead of all factors, and equal them to rounding. Snapshots are lifted back. Cites Saxe,
/// McClelland and Ganguli 2014.
pub struct ModeRecursion {
    stepped: Stepped,
    modes: Modes,
    /// Levels of the residual in the units of the modes, over the asked ones: √outputs.
    unit: f64,
    theta: Vec<f64>,
    predictor: Vec<f64>,
}

/// The frame in which all factors are diagonal.
struct Modes {
    /// R₁, …, R_{N+1}, one column per mode.
    frames: Vec<DMatrix<f64>>,
    /// a_l by factor, modes side by side.
    strengths: Vec<f64>,
    /// s.
    pull: Vec<f64>,
}

/// How far from diagonal a start may be, relative to its norm.
const ROUNDING: f64 = 1e-10;

impl ModeRecursion {
    /// The motion of one cell from θ₀ = `start`; `levels` are root mean square residuals whose first passage is
    /// wanted.
    ///
    /// # Errors
    /// A sentence, if the motion is drawn, masked or not the same in every orthonormal basis, inputs are not whitened,
    /// or the start is not aligned.
    pub fn new(
        task: Task<'_>,
        kind: &ParametrizationKind,
        dynamics: &Dynamics,
        method: &Method,
        start: &[f64],
        levels: &[f64],
    ) -> Result<Self, String> {
        turns_with_its_basis(dynamics)?;
        if !matches!(kind, ParametrizationKind::DeepLinear(_)) {
            return Err("modes move by themselves in a deep-linear model".to_owned());
        }
        let shape = task.shape(1);
        let whitened = whitened(task).map_err(|reason| format!("modes move by themselves: {reason}"))?;
        let modes = Modes::of(&whitened.syx, &Tensor::matrices(&kind.tensors(shape.inputs, shape.outputs), start))?;
        let problem = modes.problem(&whitened);
        let unit = (shape.outputs as f64).sqrt();
        let levels: Vec<f64> = levels.iter().map(|level| level * unit).collect();
        let count = modes.pull.len();
        let lane = Lane { task: Task::Matrix(&problem), dynamics, start: &modes.strengths, replicate: 0 };
        let parametrization = Box::new(ModeProducts { modes: count, depth: modes.strengths.len() / count });
        let objective = Task::objective(&[lane.task], 1, false);
        let stepped = Stepped::of_parts(&[lane], parametrization, objective, method, 0, &levels);
        let (theta, predictor) = (vec![0.0; start.len()], vec![0.0; shape.slots()]);
        let mut recursion = Self { stepped, modes, unit, theta, predictor };
        recursion.lift();
        Ok(recursion)
    }

    /// Writes the factors and their product.
    fn lift(&mut self) {
        let Snapshot { theta, predictor, .. } = self.stepped.snapshot();
        let frames = &self.modes.frames;
        self.modes.factors_into(theta, &mut self.theta);
        compose(&frames[frames.len() - 1], predictor, &frames[0], &mut self.predictor);
    }
}

/// Whether the motion is the same in every orthonormal basis of every layer, and draws nothing.
///
/// # Errors
/// A sentence saying what makes modes move together.
pub fn turns_with_its_basis(dynamics: &Dynamics) -> Result<(), String> {
    let refuse = |what: &str| Err(format!("modes do not move by themselves {what}"));
    let (penalty, kept) = (&dynamics.penalty, ["group-rmsprop", "nesterov-ahead"]);
    match dynamics.motion {
        Motion::Flow => return refuse("in a flow, which has no steps"),
        Motion::Other(name) if !kept.contains(&name) => return refuse(&format!("under {name}")),
        _ => {}
    }
    match dynamics {
        _ if dynamics.sees_rows() => refuse("under batches, noise or masks"),
        _ if penalty.l1.get() > 0.0 || penalty.bending.get() > 0.0 => refuse("under a penalty other than the ridge"),
        _ => Ok(()),
    }
}

/// Σᵢ strengthᵢ·leftᵢ·rightᵢᵀ, without memory of its own.
fn compose(left: &DMatrix<f64>, strengths: &[f64], right: &DMatrix<f64>, out: &mut [f64]) {
    run_wide(Compose { left, strengths, right, out });
}

struct Compose<'a> {
    left: &'a DMatrix<f64>,
    strengths: &'a [f64],
    right: &'a DMatrix<f64>,
    out: &'a mut [f64],
}

impl Kernel for Compose<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { left, strengths, right, out } = self;
        let (rows, columns) = (left.nrows(), right.nrows());
        out.fill(0.0);
        for (j, out) in out.chunks_exact_mut(rows).enumerate() {
            for (i, strength) in strengths.iter().enumerate() {
                let factor = strength * right.as_slice()[i * columns + j];
                for (out, l) in out.iter_mut().zip(&left.as_slice()[i * rows..(i + 1) * rows]) {
                    *out = f64::mul_add(factor, *l, *out);
                }
            }
        }
    }
}

impl Modes {
    fn of(pull: &DMatrix<f64>, factors: &[DMatrix<f64>]) -> Result<Self, String> {
        let product = factors[1..].iter().fold(factors[0].clone(), |product, w| w * product);
        let unit = |m: &DMatrix<f64>| m / m.norm().max(f64::MIN_POSITIVE);
        // Where Syx or the start has equal singular values, the other may tell the directions apart; an irrational
        // weight keeps different pairs different.
        let both = unit(pull) + unit(&product) * std::f64::consts::FRAC_1_SQRT_2;
        let svd = ThinSvd::with_tolerance(both.as_view(), 1e-13);
        let mut frames = vec![svd.v.clone()];
        let mut moving: Vec<usize> = (0..svd.rank()).collect();
        for w in &factors[..factors.len() - 1] {
            let image = w * &frames[frames.len() - 1];
            moving.retain(|&i| image.column(i).norm() > 1e-12 * w.norm());
            let mut image = image;
            image.column_iter_mut().for_each(|mut column| {
                let norm = column.norm();
                column /= norm;
            });
            frames.push(image);
        }
        frames.push(svd.u);
        if moving.is_empty() {
            return Err("no mode moves from a start without aligned strengths".to_owned());
        }
        let frames: Vec<DMatrix<f64>> = frames.iter().map(|frame| frame.select_columns(&moving)).collect();
        let diagonal = |left: &DMatrix<f64>, m: &DMatrix<f64>, right: &DMatrix<f64>| -> Vec<f64> {
            (0..moving.len()).map(|i| left.column(i).dot(&(m * right.column(i)))).collect()
        };
        let strengths = factors.iter().zip(frames.windows(2)).flat_map(|(w, f)| diagonal(&f[1], w, &f[0])).collect();
        let pulls = diagonal(&frames[frames.len() - 1], pull, &frames[0]);
        let modes = Self { frames, strengths, pull: pulls };
        modes.check(pull, factors)?;
        Ok(modes)
    }

    /// The factors whose strengths these are.
    fn factors_into(&self, strengths: &[f64], theta: &mut [f64]) {
        let mut at = 0;
        for (frames, strengths) in self.frames.windows(2).zip(strengths.chunks_exact(self.pull.len())) {
            let size = frames[0].nrows() * frames[1].nrows();
            compose(&frames[1], strengths, &frames[0], &mut theta[at..at + size]);
            at += size;
        }
    }

    /// What is left of every factor, of the pull on the modes, and of the products of directions with each other.
    fn check(&self, pull: &DMatrix<f64>, factors: &[DMatrix<f64>]) -> Result<(), String> {
        let count = self.pull.len();
        let mut worst = 0.0_f64;
        for ((w, frames), strengths) in factors.iter().zip(self.frames.windows(2)).zip(self.strengths.chunks(count)) {
            let mut diagonal = DMatrix::zeros(w.nrows(), w.ncols());
            compose(&frames[1], strengths, &frames[0], diagonal.as_mut_slice());
            worst = worst.max((w - diagonal).norm() / w.norm());
        }
        for frame in &self.frames {
            worst = worst.max((frame.tr_mul(frame) - DMatrix::identity(count, count)).norm());
        }
        let (v, u) = (&self.frames[0], &self.frames[self.frames.len() - 1]);
        let s = DMatrix::from_diagonal(&nalgebra::DVector::from_column_slice(&self.pull));
        let size = pull.norm().max(f64::MIN_POSITIVE);
        worst = worst.max((pull * v - u * &s).norm() / size).max((pull.tr_mul(u) - v * &s).norm() / size);
        if worst <= ROUNDING {
            return Ok(());
        }
        Err(format!("modes move by themselves from an aligned start: here {worst:.1e} of it is off the diagonal"))
    }

    /// Least squares of the strengths, with the loss that no mode can lower.
    fn problem(&self, whitened: &Moments) -> MatrixProblem {
        let pull = &whitened.syx;
        let syx = DMatrix::from_row_slice(1, self.pull.len(), &self.pull);
        let mut rest = pull.clone();
        let mut seen = DMatrix::zeros(pull.nrows(), pull.ncols());
        compose(&self.frames[self.frames.len() - 1], &self.pull, &self.frames[0], seen.as_mut_slice());
        rest -= seen;
        // Rounding of what the modes see completely is no loss.
        let rest = if rest.norm() > ROUNDING * pull.norm() { rest.norm_squared() } else { 0.0 };
        let above = 2.0 * whitened.best().1 + rest;
        let trace_syy = (above > 0.0).then(|| syx.dot(&syx) + above);
        let inputs = self.pull.len();
        let observed = Observed::Moments(Moments { sxx: None, syx, trace_syy, samples: None });
        MatrixProblem { inputs, outputs: 1, observed, teacher: None, test: TestOver::Entries, law: None }
    }
}

/// uᵢ = Π_l a_lᵢ.
struct ModeProducts {
    modes: usize,
    depth: usize,
}

impl Parametrization for ModeProducts {
    fn tensors(&self) -> Vec<Tensor> {
        (1..=self.depth).map(|l| Tensor::new(format!("a{l}"), self.modes, 1)).collect()
    }

    fn predictor_into(&mut self, theta: &[f64], beta: &mut [f64]) {
        for (i, beta) in beta.iter_mut().enumerate() {
            *beta = theta.iter().skip(i).step_by(self.modes).product();
        }
    }

    fn pullback_into(&mut self, theta: &[f64], g: &[f64], gradient: &mut [f64]) {
        for (slot, gradient) in gradient.iter_mut().enumerate() {
            let (own, mode) = (slot / self.modes, slot % self.modes);
            let others = theta.iter().skip(mode).step_by(self.modes).enumerate().filter(|(l, _)| *l != own);
            *gradient = g[mode] * others.map(|(_, a)| a).product::<f64>();
        }
    }

    fn pushforward_into(&mut self, _theta: &[f64], _v: &[f64], _tangent: &mut [f64]) {
        unreachable!("no curvature is measured along modes");
    }

    fn second_pullback_into(&mut self, _: &[f64], _: &[f64], _: &[f64], _: &[f64], _: &mut [f64]) {
        unreachable!("no curvature is measured along modes");
    }
}

impl Trajectory for ModeRecursion {
    fn lanes(&self) -> usize {
        1
    }

    fn advance_to(&mut self, t: Clock) {
        self.stepped.advance_to(t);
        self.lift();
    }

    fn snapshot(&self) -> Snapshot<'_> {
        Snapshot { theta: &self.theta, predictor: &self.predictor, ..self.stepped.snapshot() }
    }

    fn first_passage(&self, lane: usize, level: f64) -> Passage {
        self.stepped.first_passage(lane, level * self.unit)
    }

    fn at_passage(&self, lane: usize, level: f64) -> Option<(Vec<f64>, f64)> {
        let (strengths, freedom) = self.stepped.at_passage(lane, level * self.unit)?;
        let mut theta = vec![0.0; self.theta.len()];
        self.modes.factors_into(&strengths, &mut theta);
        Some((theta, freedom))
    }

    fn diverged(&self, lane: usize) -> Option<Clock> {
        self.stepped.diverged(lane)
    }

    fn remember(&mut self, memory: &mut Memory<'_>) {
        self.stepped.remember(memory);
        if memory.restores() {
            self.lift();
        }
    }
}
