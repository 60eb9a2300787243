//! Mean and covariance of stochastic descent on least squares, exactly and without drawing anything.

use taut_numerics::{ThinSvd, dot, product_into};
use taut_problem::{Batch, Clock, Dynamics, Memory, Motion, Passage, Regression, Snapshot, Trajectory};

/// The largest number of parameters: a snapshot holds p² entries of a covariance.
pub const MOST_MOMENTS: usize = 512;

/// The first two moments of θₖ over all draws of batches and noise, for L = |y − Φθ|²/(2n) + ½λ‖θ‖².
///
/// θ ← θ − η(Σᵢ wᵢ xᵢ(xᵢ·θ − yᵢ − εᵢ) + λθ + ξ), with momentum β(θ − θ₋) if the motion has it. The wᵢ are
/// the shares of the rows in a batch of b: E wᵢ = 1/n and Cov(wᵢ, wⱼ) = ρ(δᵢⱼ/n − 1/n²), where ρ = 1/b with
/// replacement, (n − b)/(b(n − 1)) without, 0 for all rows (b = n). Label noise εᵢ is drawn afresh for every
/// row that is drawn (a row that is in a batch twice has two draws), ξ has covariance gradient²·I + curvature²·A with
/// A = ΦᵀΦ/n. With m = E θ, S = Cov θ, g = Am − Φᵀy/n and rᵢ = xᵢ·m − yᵢ, the mean is descent on L, and
///
/// S ← (I − ηH) S (I − ηH) + η²\[ρ(Σᵢ xᵢxᵢᵀ(xᵢᵀSxᵢ + rᵢ²)/n − ASA − ggᵀ)
///     + labels²/b·A + gradient² I + curvature² A\],  H = A + λI.
///
/// The mean is kept apart from the covariance, so a small covariance keeps its digits where second moments
/// about zero would not. All is computed in the right singular vectors of Φ, in which A and H are
/// diagonal; whatever no row sees (the null space) is one more mode: only λ and ξ move it, and both are
/// the same in all its directions. Momentum and averages are further parts of a mode's state: the last
/// move, and the mean of the iterates that count (the iterate itself until one does).
///
/// O(n·rank²) per update, O(rank) for all rows; O(p²·rank) per snapshot. Nothing is allocated on the way.
/// Diverged where the mean or the trace of S stops being finite. Bach and Moulines 2013 (arXiv 1306.2119).
pub struct Moments {
    dynamics: Dynamics,
    momentum: f64,
    chance: Chance,
    modes: Vec<Mode>,
    samples: usize,
    /// xᵢ in the modes, n × modes, and its transpose.
    rows: Vec<f64>,
    columns: Vec<f64>,
    /// What no parameters can fit of yᵢ.
    missed: Vec<f64>,
    /// Means of the parts of every mode.
    mean: Vec<[f64; PARTS]>,
    /// Covariances of the parts of modes a ≥ b at \[a·modes + b\].
    blocks: Vec<Block>,
    /// Σᵢ xᵢxᵢᵀ(xᵢᵀSxᵢ + rᵢ²)/n and the way to it.
    gram: Vec<f64>,
    covariance: Vec<f64>,
    product: Vec<f64>,
    weights: Vec<f64>,
    weighted: Vec<f64>,
    maps: Vec<Block>,
    /// V with a column of zeros for the null space, p × modes, and its transpose.
    v: Vec<f64>,
    v_transposed: Vec<f64>,
    /// (I − VVᵀ)θ₀; empty if there is no null space.
    frozen: Vec<f64>,
    shown: Shown,
    step: u64,
    diverged: Option<u64>,
}

/// Parts of the state of a mode: θ, its last move, and what is shown.
const PARTS: usize = 3;
const ITERATE: usize = 0;
const SHOWN: usize = 2;

type Block = [[f64; PARTS]; PARTS];

/// One right singular vector of the design; the last mode stands for the null space.
#[derive(Clone, Copy, Debug)]
struct Mode {
    /// λ of A and of H.
    curvature: f64,
    stiffness: f64,
    /// Where least squares has its minimum.
    minimum: f64,
}

/// What is random about an update, in units of η².
#[derive(Clone, Copy, Debug)]
struct Chance {
    /// ρ.
    spread: f64,
    /// Variance of the gradient along a mode: this, and this times λ.
    flat: f64,
    curved: f64,
}

/// The moments in the study's own parameters.
#[derive(Clone, Debug)]
struct Shown {
    mean: Vec<f64>,
    /// p × p.
    covariance: Vec<f64>,
    product: Vec<f64>,
}

impl Chance {
    fn new(dynamics: &Dynamics, n: usize) -> Self {
        let n = n as f64;
        let spread = match dynamics.batch {
            None => 0.0,
            Some(Batch { size, replacement: true }) => 1.0 / size as f64,
            Some(Batch { size, replacement: false }) if (size as f64) < n => {
                (n - size as f64) / (size as f64 * (n - 1.0))
            }
            Some(_) => 0.0,
        };
        let square = |deviation: f64| deviation * deviation;
        let drawn = dynamics
            .batch
            .map_or(n, |batch| if batch.replacement { batch.size as f64 } else { n.min(batch.size as f64) });
        let labels = square(dynamics.noise.labels.get()) / drawn;
        Self {
            spread,
            flat: square(dynamics.noise.gradient.get()),
            curved: labels + square(dynamics.noise.curvature.get()),
        }
    }
}

impl Moments {
    /// The moments from the fixed start `theta0`; `svd` is of the problem's design.
    ///
    /// # Panics
    /// If `theta0` does not have one entry per feature, or for a motion that is neither descent nor heavy
    /// ball, has masks, or penalties beside ridge.
    pub fn new(problem: &Regression, svd: &ThinSvd, dynamics: &Dynamics, theta0: &[f64]) -> Self {
        let (n, p, rank) = (problem.samples(), problem.feature_count(), svd.rank());
        assert_eq!(theta0.len(), p, "one start per feature");
        let momentum = match dynamics.motion {
            Motion::Descent => 0.0,
            Motion::HeavyBall(momentum) => momentum,
            Motion::Flow | Motion::Nesterov(_) | Motion::Other(_) => unreachable!("the plan refuses other motions"),
        };
        assert!(dynamics.dropout.is_none(), "the plan refuses masks");
        let ridge = dynamics.penalty.ridge.get();
        let count = rank + 1;
        let mut modes = vec![Mode { curvature: 0.0, stiffness: ridge, minimum: 0.0 }; count];
        let (mut rows, mut columns) = (vec![0.0; n * count], vec![0.0; n * count]);
        let (mut v, mut v_transposed) = (vec![0.0; p * count], vec![0.0; p * count]);
        let (mut missed, mut frozen) = (problem.y.clone(), theta0.to_vec());
        let mut mean = vec![[0.0; PARTS]; count];
        for (a, mode) in modes.iter_mut().enumerate().take(rank) {
            let (s, along_rows, along) = (svd.s[a], svd.u.column(a), svd.v.column(a));
            let c: f64 = along_rows.iter().zip(&problem.y).map(|(u, y)| u * y).sum();
            let from: f64 = along.iter().zip(theta0).map(|(v, t)| v * t).sum();
            let curvature = s * s / n as f64;
            *mode = Mode { curvature, stiffness: curvature + ridge, minimum: c / s };
            for (i, u) in along_rows.iter().enumerate() {
                rows[i * count + a] = s * u;
                columns[a * n + i] = s * u;
                missed[i] -= c * u;
            }
            for (j, v_j) in along.iter().enumerate() {
                v[j * count + a] = *v_j;
                v_transposed[a * p + j] = *v_j;
                frozen[j] -= from * v_j;
            }
            mean[a] = [from, 0.0, from];
        }
        if rank == n {
            // At full row rank the remainder is rounding, and rounding is not a residual.
            missed.fill(0.0);
        }
        if rank == p {
            frozen.clear();
        }
        mean[rank] = [1.0, 0.0, 1.0];
        let mut moments = Self {
            dynamics: dynamics.clone(),
            momentum,
            chance: Chance::new(dynamics, n),
            modes,
            samples: n,
            rows,
            columns,
            missed,
            mean,
            blocks: vec![[[0.0; PARTS]; PARTS]; count * count],
            gram: vec![0.0; count * count],
            covariance: vec![0.0; count * count],
            product: vec![0.0; n * count],
            weights: vec![0.0; n],
            weighted: vec![0.0; n * count],
            maps: vec![[[0.0; PARTS]; PARTS]; count],
            v,
            v_transposed,
            frozen,
            shown: Shown { mean: theta0.to_vec(), covariance: vec![0.0; p * p], product: vec![0.0; p * count] },
            step: 0,
            diverged: None,
        };
        moments.show();
        moments
    }

    /// One update with η, after which θ counts with `share` in what is shown.
    fn update(&mut self, eta: f64, share: f64) {
        let is_coupled = self.chance.spread > 0.0;
        if is_coupled {
            self.gather();
        }
        let beta = self.momentum;
        for (map, mode) in self.maps.iter_mut().zip(&self.modes) {
            let pull = eta * mode.stiffness;
            let iterate = [1.0 - pull, beta, 0.0];
            *map = [iterate, [-pull, beta, 0.0], [share * iterate[0], share * iterate[1], 1.0 - share]];
        }
        let entering = [1.0, 1.0, share];
        let count = self.modes.len();
        for a in 0..count {
            for b in if is_coupled { 0..a + 1 } else { a..a + 1 } {
                let noise = eta * eta * self.noise(a, b);
                let block = &mut self.blocks[a * count + b];
                *block = carried(&self.maps[a], block, &self.maps[b]);
                for (line, left) in block.iter_mut().zip(entering) {
                    for (entry, right) in line.iter_mut().zip(entering) {
                        *entry += noise * left * right;
                    }
                }
            }
        }
        for (mean, mode) in self.mean.iter_mut().zip(&self.modes) {
            let [theta, last_move, shown] = *mean;
            let ridge = mode.stiffness - mode.curvature;
            let gradient = mode.curvature * (theta - mode.minimum) + ridge * theta;
            let next_move = beta * last_move - eta * gradient;
            let next = theta + next_move;
            *mean = [next, next_move, shown + share * (next - shown)];
        }
    }

    /// Covariance of the gradient along modes a and b, given what `gather` found.
    fn noise(&self, a: usize, b: usize) -> f64 {
        let (count, Chance { spread, flat, curved }) = (self.modes.len(), self.chance);
        let own = if a == b { flat + curved * self.modes[a].curvature } else { 0.0 };
        if spread <= 0.0 {
            return own;
        }
        let (mode_a, mode_b) = (self.modes[a], self.modes[b]);
        let pull = |mode: Mode, mean: f64| mode.curvature * (mean - mode.minimum);
        let common = mode_a.curvature * mode_b.curvature * self.covariance[a * count + b]
            + pull(mode_a, self.mean[a][ITERATE]) * pull(mode_b, self.mean[b][ITERATE]);
        own + spread * (self.gram[a * count + b] - common)
    }

    /// Σᵢ xᵢxᵢᵀ(xᵢᵀSxᵢ + rᵢ²)/n from the covariance and the mean now.
    fn gather(&mut self) {
        let (n, count) = (self.samples, self.modes.len());
        mirror(&self.blocks, ITERATE, count, &mut self.covariance);
        product_into(&self.rows, &self.covariance, &mut self.product, count, count);
        for (i, weight) in self.weights.iter_mut().enumerate() {
            let row = &self.rows[i * count..(i + 1) * count];
            let spread = dot(row, &self.product[i * count..(i + 1) * count]);
            let mut residual = -self.missed[i];
            for ((x, mean), mode) in row.iter().zip(&self.mean).zip(&self.modes) {
                residual += x * (mean[ITERATE] - mode.minimum);
            }
            *weight = (spread + residual * residual) / n as f64;
        }
        let columns = self.columns.chunks_exact(n);
        for (weighted, column) in self.weighted.chunks_exact_mut(n).zip(columns) {
            for ((out, x), weight) in weighted.iter_mut().zip(column).zip(&self.weights) {
                *out = x * weight;
            }
        }
        product_into(&self.weighted, &self.rows, &mut self.gram, n, count);
    }

    fn is_finite(&self) -> bool {
        let count = self.modes.len();
        let is_finite =
            |a: usize| self.mean[a][ITERATE].is_finite() && self.blocks[a * count + a][ITERATE][ITERATE].is_finite();
        (0..count).all(is_finite)
    }

    /// Brings the moments back to the study's parameters: V S Vᵀ + ν(I − VVᵀ).
    fn show(&mut self) {
        let (count, p) = (self.modes.len(), self.shown.mean.len());
        let null = count - 1;
        for (j, out) in self.shown.mean.iter_mut().enumerate() {
            *out = self.frozen.get(j).map_or(0.0, |frozen| self.mean[null][SHOWN] * frozen);
            for (v, mean) in self.v[j * count..(j + 1) * count].iter().zip(&self.mean) {
                *out += v * mean[SHOWN];
            }
        }
        mirror(&self.blocks, SHOWN, count, &mut self.covariance);
        let idle = if self.frozen.is_empty() { 0.0 } else { self.covariance[null * count + null] };
        for a in 0..null {
            self.covariance[a * count + a] -= idle;
        }
        product_into(&self.v, &self.covariance, &mut self.shown.product, count, count);
        product_into(&self.shown.product, &self.v_transposed, &mut self.shown.covariance, count, p);
        for j in 0..p {
            self.shown.covariance[j * p + j] += idle;
            for k in 0..j {
                // Rounding must not make it unsymmetric.
                self.shown.covariance[k * p + j] = self.shown.covariance[j * p + k];
            }
        }
    }
}

/// left · block · rightᵀ.
fn carried(left: &Block, block: &Block, right: &Block) -> Block {
    let mut half = [[0.0; PARTS]; PARTS];
    let mut out = [[0.0; PARTS]; PARTS];
    for i in 0..PARTS {
        for j in 0..PARTS {
            half[i][j] = left[i][0] * block[0][j] + left[i][1] * block[1][j] + left[i][2] * block[2][j];
        }
    }
    for i in 0..PARTS {
        for j in 0..PARTS {
            out[i][j] = half[i][0] * right[j][0] + half[i][1] * right[j][1] + half[i][2] * right[j][2];
        }
    }
    out
}

/// The covariance of one part over all modes, from its lower half.
fn mirror(blocks: &[Block], part: usize, count: usize, out: &mut [f64]) {
    for a in 0..count {
        for b in 0..=a {
            let value = blocks[a * count + b][part][part];
            out[a * count + b] = value;
            out[b * count + a] = value;
        }
    }
}

impl Trajectory for Moments {
    fn lanes(&self) -> usize {
        1
    }

    fn advance_to(&mut self, t: Clock) {
        let Clock::Step(target) = t else { unreachable!("the plan gives moments steps") };
        while self.step < target && self.diverged.is_none() {
            let eta = self.dynamics.step_size * self.dynamics.factor(self.step);
            self.step += 1;
            let counted = self.dynamics.average.from().and_then(|from| self.step.checked_sub(from));
            // Until an iterate counts, the iterate itself is shown.
            self.update(eta, counted.map_or(1.0, |counted| 1.0 / counted.max(1) as f64));
            if !self.is_finite() {
                self.diverged = Some(self.step);
            }
        }
        self.step = target;
        self.show();
    }

    fn snapshot(&self) -> Snapshot<'_> {
        Snapshot {
            clock: Clock::Step(self.step),
            theta: &self.shown.mean,
            predictor: &self.shown.mean,
            filters: &[],
            covariance: &self.shown.covariance,
            ledger: &[],
            lanes: 1,
        }
    }

    /// Not a question for a mean over paths.
    fn first_passage(&self, _lane: usize, _level: f64) -> Passage {
        Passage::NotYet
    }

    fn at_passage(&self, _lane: usize, _level: f64) -> Option<(Vec<f64>, f64)> {
        None
    }

    fn diverged(&self, _lane: usize) -> Option<Clock> {
        self.diverged.map(Clock::Step)
    }

    fn remember(&mut self, memory: &mut Memory<'_>) {
        memory.value("step", &mut self.step);
        memory.value("diverged", &mut self.diverged);
        memory.values("mean", &mut self.mean);
        memory.values("covariance", &mut self.blocks);
        if memory.restores() {
            self.show();
        }
    }
}
