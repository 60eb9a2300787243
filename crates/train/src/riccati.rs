//! The exact gradient flow of two λ-balanced factors on whitened inputs.

use crate::followed::{Course, Followed};
use crate::whitened::whitened;
use nalgebra::SymmetricEigen;
use taut_numerics::DMatrix;
use taut_problem::{Dynamics, Memory, Motion, Objective, ParametrizationKind, Rows, Shape, Task};

/// Gradient flow of W = W₂W₁ from W₂ᵀW₂ − W₁W₁ᵀ = λI with Sxx = I, in closed form.
///
/// Q = [W₁ᵀ; W₂] obeys Q′ = FQ − ½QQᵀQ with F = [[−λ/2·I, Syxᵀ], [Syx, λ/2·I]], so that over any time
/// QQᵀ(t) = e^{Ft}Q(I + Qᵀ∫₀ᵗe^{2Fs}ds·Q)⁻¹Qᵀe^{Ft}. Applied in steps of 1/f_max, because the inverse loses all digits at
/// 2f_max·t > 36: Q ← e^{Ft}Q·R⁻ᵀ with the Cholesky factor RRᵀ of the bracket. Exact up to rounding are QQᵀ, hence W,
/// W₁ᵀW₁ and W₂W₂ᵀ; W₁ and W₂ are those of the flow up to one orthogonal matrix, (OW₁, W₂Oᵀ), which no loss, norm or
/// balancedness gap sees. Cites Fukumizu 1998, Braun, Dominé, Fitzgerald and Saxe 2022.
pub type RiccatiFlow = Followed<Semigroup>;

/// Q in the eigenbasis of F, moved by steps of equal length.
pub struct Semigroup {
    shape: Shape,
    width: usize,
    objective: Box<dyn Objective>,
    /// Eigenvectors and eigenvalues of F.
    basis: DMatrix<f64>,
    f: Vec<f64>,
    dt: f64,
    steps: u64,
    /// Eigencoordinates × width, column-major: before the last step and after it.
    before: Vec<f64>,
    q: Vec<f64>,
    /// width × width.
    bracket: Vec<f64>,
    /// Q itself, column-major.
    lifted: Vec<f64>,
    beta: Vec<f64>,
    g: Vec<f64>,
    loss: [f64; 1],
}

/// How far from λ-balanced a start may be, relative to its squared norm.
const ROUNDING: f64 = 1e-10;

impl RiccatiFlow {
    /// The flow of one cell from θ₀ = `start`; `levels` are root mean square residuals whose first passage is
    /// wanted.
    ///
    /// # Errors
    /// A sentence, if this is no plain flow of two factors, inputs are not whitened, or the start is not λ-balanced.
    pub fn new(
        task: Task<'_>,
        kind: &ParametrizationKind,
        dynamics: &Dynamics,
        start: &[f64],
        levels: &[f64],
    ) -> Result<Self, String> {
        if dynamics.motion != Motion::Flow || !dynamics.only_schedule() {
            return Err("the exact flow of two factors is the gradient flow of the loss alone".to_owned());
        }
        let shape = task.shape(1);
        let sizes = match kind {
            ParametrizationKind::DeepLinear(deep) => deep.sizes(shape.inputs, shape.outputs),
            _ => Vec::new(),
        };
        let &[inputs, width, outputs] = &sizes[..] else {
            return Err("the exact flow is that of a deep-linear model with two factors".to_owned());
        };
        let moments = whitened(task).map_err(|reason| format!("the exact flow of two factors: {reason}"))?;
        let (first, second) = start.split_at(inputs * width);
        let w1 = DMatrix::from_column_slice(width, inputs, first);
        let w2 = DMatrix::from_column_slice(outputs, width, second);
        let lambda = balance(&w1, &w2)?;
        let course = Semigroup::new(task, &moments.syx, lambda, &w1, &w2);
        Ok(Self::begin(course, [(inputs + outputs) * width, start.len(), shape.slots()], levels))
    }
}

/// λ with W₂ᵀW₂ − W₁W₁ᵀ = λI.
fn balance(w1: &DMatrix<f64>, w2: &DMatrix<f64>) -> Result<f64, String> {
    let mut gap = w2.tr_mul(w2) - w1 * w1.transpose();
    let lambda = gap.trace() / w1.nrows() as f64;
    gap -= DMatrix::identity(w1.nrows(), w1.nrows()) * lambda;
    let (gap, size) = (gap.norm(), w1.norm_squared() + w2.norm_squared());
    if gap > ROUNDING * size {
        let lambda = format!("‖W₂ᵀW₂ − W₁W₁ᵀ − λI‖ is {gap:.1e} at the nearest λ = {lambda:.3e}");
        return Err(format!("the exact flow of two factors needs a λ-balanced start: {lambda}"));
    }
    // Rounding of a balanced start is no λ.
    Ok(if lambda.abs() > f64::EPSILON * size { lambda } else { 0.0 })
}

impl Semigroup {
    fn new(task: Task<'_>, pull: &DMatrix<f64>, lambda: f64, w1: &DMatrix<f64>, w2: &DMatrix<f64>) -> Self {
        let shape = task.shape(1);
        let (inputs, size, width) = (shape.inputs, shape.inputs + shape.outputs, w1.nrows());
        let f = DMatrix::from_fn(size, size, |i, j| match (i < inputs, j < inputs) {
            (false, true) => pull[(i - inputs, j)],
            (true, false) => pull[(j - inputs, i)],
            _ if i != j => 0.0,
            (true, _) => -lambda / 2.0,
            (false, _) => lambda / 2.0,
        });
        let SymmetricEigen { eigenvectors: basis, eigenvalues } = SymmetricEigen::new(f);
        let largest = eigenvalues.max();
        let q = DMatrix::from_fn(size, width, |i, a| if i < inputs { w1[(a, i)] } else { w2[(i - inputs, a)] });
        let q = basis.tr_mul(&q).as_slice().to_vec();
        let mut semigroup = Self {
            shape,
            width,
            objective: Task::objective(&[task], 1, false),
            basis,
            f: eigenvalues.as_slice().to_vec(),
            dt: if largest > 0.0 { 1.0 / largest } else { 1.0 },
            steps: 0,
            before: q.clone(),
            lifted: vec![0.0; q.len()],
            q,
            bracket: vec![0.0; width * width],
            beta: vec![0.0; shape.slots()],
            g: vec![0.0; shape.slots()],
            loss: [0.0],
        };
        semigroup.look();
        semigroup
    }

    /// The loss at the time reached.
    fn look(&mut self) {
        let q = std::mem::take(&mut self.q);
        self.loss_of(&q);
        self.q = q;
    }

    fn loss_of(&mut self, q: &[f64]) {
        let mut beta = std::mem::take(&mut self.beta);
        self.lift(q);
        self.product_into(&mut beta);
        self.objective.loss_and_grad_into(&beta, Rows::All, &mut self.loss, &mut self.g);
        self.beta = beta;
    }

    /// Q from its eigencoordinates.
    fn lift(&mut self, q: &[f64]) {
        let size = self.f.len();
        self.lifted.fill(0.0);
        for (out, q) in self.lifted.chunks_exact_mut(size).zip(q.chunks_exact(size)) {
            for (q, column) in q.iter().zip(self.basis.column_iter()) {
                for (out, v) in out.iter_mut().zip(column.iter()) {
                    *out = f64::mul_add(*v, *q, *out);
                }
            }
        }
    }

    /// W₂W₁ of the Q that was lifted last.
    fn product_into(&self, beta: &mut [f64]) {
        let Shape { inputs, outputs, .. } = self.shape;
        beta.fill(0.0);
        for q in self.lifted.chunks_exact(self.f.len()) {
            let (w1, w2) = q.split_at(inputs);
            for (beta, w1) in beta.chunks_exact_mut(outputs).zip(w1) {
                for (beta, w2) in beta.iter_mut().zip(w2) {
                    *beta = f64::mul_add(*w2, *w1, *beta);
                }
            }
        }
    }

    fn residual_of_loss(&self) -> f64 {
        (2.0 * self.loss[0] * self.objective.mean_factor()).sqrt()
    }
}

/// Q ← e^{Ft}Q·R⁻ᵀ in the eigenbasis of F, with RRᵀ = I + Qᵀ·diag(φ)·Q and φ = (e^{2ft} − 1)/2f.
fn flow_into(from: &[f64], f: &[f64], t: f64, bracket: &mut [f64], to: &mut [f64]) {
    let (size, width) = (f.len(), from.len() / f.len());
    let phi = |f: f64| if f.abs() > 0.0 { (2.0 * f * t).exp_m1() / (2.0 * f) } else { t };
    let column = |a: usize| &from[a * size..(a + 1) * size];
    for a in 0..width {
        for b in 0..=a {
            let weighted = column(a).iter().zip(column(b)).zip(f).map(|((x, y), f)| x * y * phi(*f));
            bracket[a + b * width] = f64::from(u8::from(a == b)) + weighted.sum::<f64>();
        }
    }
    factorize(bracket, width);
    for a in 0..width {
        let (done, rest) = to.split_at_mut(a * size);
        let here = &mut rest[..size];
        for ((here, from), f) in here.iter_mut().zip(column(a)).zip(f) {
            *here = (f * t).exp() * from;
        }
        for (b, before) in done.chunks_exact(size).enumerate() {
            let weight = bracket[a + b * width];
            here.iter_mut().zip(before).for_each(|(here, before)| *here -= weight * before);
        }
        let diagonal = bracket[a + a * width];
        here.iter_mut().for_each(|here| *here /= diagonal);
    }
}

/// The lower Cholesky factor, in place of the lower triangle.
fn factorize(matrix: &mut [f64], size: usize) {
    for j in 0..size {
        for k in 0..j {
            let weight = matrix[j + k * size];
            for i in j..size {
                matrix[i + j * size] -= weight * matrix[i + k * size];
            }
        }
        let pivot = matrix[j + j * size].sqrt();
        matrix[j * size + j..(j + 1) * size].iter_mut().for_each(|entry| *entry /= pivot);
    }
}

impl Course for Semigroup {
    fn t(&self) -> f64 {
        self.steps as f64 * self.dt
    }

    fn t_before(&self) -> f64 {
        self.steps.saturating_sub(1) as f64 * self.dt
    }

    fn step(&mut self) -> bool {
        std::mem::swap(&mut self.before, &mut self.q);
        flow_into(&self.before, &self.f, self.dt, &mut self.bracket, &mut self.q);
        self.steps += 1;
        self.look();
        self.q.iter().all(|q| q.is_finite())
    }

    fn at(&mut self, t: f64, state: &mut [f64]) {
        let t = t - self.t_before();
        flow_into(&self.before, &self.f, t, &mut self.bracket, state);
    }

    fn remember(&mut self, memory: &mut Memory<'_>) {
        memory.value("steps", &mut self.steps);
        memory.values("state", &mut self.q);
        memory.values("state before", &mut self.before);
    }

    fn residual(&self) -> f64 {
        self.residual_of_loss()
    }

    fn residual_at(&mut self, state: &[f64]) -> f64 {
        self.loss_of(state);
        self.residual_of_loss()
    }

    fn show_into(&mut self, state: &[f64], theta: &mut [f64], predictor: &mut [f64]) {
        let (inputs, outputs) = (self.shape.inputs, self.shape.outputs);
        self.lift(state);
        self.product_into(predictor);
        let (w1, w2) = theta.split_at_mut(inputs * self.width);
        for (a, q) in self.lifted.chunks_exact(self.f.len()).enumerate() {
            for (j, w) in q[..inputs].iter().enumerate() {
                w1[j * self.width + a] = *w;
            }
            w2[a * outputs..(a + 1) * outputs].copy_from_slice(&q[inputs..]);
        }
    }
}
