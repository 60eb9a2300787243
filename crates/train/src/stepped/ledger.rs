//! Running sums over every step of descent, and how far they are from what they are equal to.

use taut_numerics::{Factor, lane_product_into};
use taut_problem::{Dynamics, LEDGER, Memory, Motion, ParametrizationKind, Tensor};

/// The sums that descent on this parametrization obeys at any step size, and what they say at the time that is shown.
///
/// Products of factors: W_{l+1}ᵀW_{l+1} − W_lW_lᵀ changes by exactly η²(G_{l+1}ᵀG_{l+1} − G_lG_lᵀ) (Arora, Cohen and
/// Hazan 2018). Differences of squares: u·v is multiplied by 1 − 4η²g², and ln(u/v) changes by −2·artanh(2ηg), with
/// g = ∂L/∂β as the update sees it (Even et al. 2023). Both hold for descent without penalties on whatever rows and
/// labels are drawn.
pub(super) struct Ledger {
    lanes: usize,
    sums: Sums,
    /// [`LEDGER`] × lanes.
    numbers: Vec<f64>,
}

enum Sums {
    /// This motion or parametrization has no identity.
    None,
    Factors(Factors),
    Squares(Squares),
}

impl Ledger {
    /// `tensors` are those of one lane, θ of all.
    pub(super) fn new(
        kind: &ParametrizationKind,
        tensors: &[Tensor],
        dynamics: &Dynamics,
        theta: &[f64],
        lanes: usize,
    ) -> Self {
        let of_weights = dynamics.noise.gradient.get() > 0.0 || dynamics.dropout.is_some();
        let is_plain = dynamics.motion == Motion::Descent && !dynamics.penalty.is_some() && !of_weights;
        let sums = match kind {
            _ if !is_plain => Sums::None,
            ParametrizationKind::DeepLinear(_) if tensors.len() > 1 => {
                Sums::Factors(Factors::new(tensors, theta, lanes))
            }
            ParametrizationKind::HadamardPower(power) if power.depth.size() == 2 => Sums::Squares(Squares::new(theta)),
            _ => Sums::None,
        };
        let mut ledger = Self { lanes, sums, numbers: vec![f64::NAN; LEDGER.len() * lanes] };
        ledger.balance(theta);
        ledger
    }

    /// One update: ηₖ per lane, ∂L/∂θ and ∂L/∂β.
    pub(super) fn add(&mut self, eta: &[f64], gradient: &[f64], g: &[f64]) {
        match &mut self.sums {
            Sums::None => {}
            Sums::Factors(factors) => factors.add(eta, gradient),
            Sums::Squares(squares) => squares.add(eta, g),
        }
    }

    /// Compares the sums with θ.
    pub(super) fn balance(&mut self, theta: &[f64]) {
        let (factors, alpha) = self.numbers.split_at_mut(self.lanes);
        match &mut self.sums {
            Sums::None => {}
            Sums::Factors(sums) => sums.error_into(theta, factors),
            Sums::Squares(sums) => sums.error_into(theta, alpha),
        }
    }

    /// The sums; what they are held against at the start is known.
    pub(super) fn remember(&mut self, memory: &mut Memory<'_>) {
        match &mut self.sums {
            Sums::None => {}
            Sums::Factors(Factors { above, below, .. }) => {
                above.iter_mut().for_each(|sums| memory.values("ledger above", sums));
                below.iter_mut().for_each(|sums| memory.values("ledger below", sums));
            }
            Sums::Squares(Squares { of_product, of_ratio, .. }) => {
                memory.values("ledger product", of_product);
                memory.values("ledger ratio", of_ratio);
            }
        }
    }

    pub(super) fn numbers(&self) -> &[f64] {
        &self.numbers
    }
}

/// For every two neighbours, W_{l+1}ᵀW_{l+1} and W_lW_lᵀ, each d_l × d_l, and the same sums of ηG.
struct Factors {
    lanes: usize,
    /// Shapes of the factors, and where each begins in θ; the last ends where θ ends.
    shapes: Vec<[usize; 2]>,
    ends: Vec<usize>,
    /// ηG.
    moved: Vec<f64>,
    /// Σ of both products, neighbour by neighbour.
    above: Vec<Vec<f64>>,
    below: Vec<Vec<f64>>,
    /// Both products at the start.
    start: Vec<[Vec<f64>; 2]>,
    /// Both products now.
    now: Vec<[Vec<f64>; 2]>,
}

impl Factors {
    fn new(tensors: &[Tensor], theta: &[f64], lanes: usize) -> Self {
        let shapes: Vec<[usize; 2]> = tensors.iter().map(|t| [t.rows, t.columns]).collect();
        let mut ends = vec![0];
        for tensor in tensors {
            ends.push(ends[ends.len() - 1] + tensor.len() * lanes);
        }
        let hidden = || shapes[..shapes.len() - 1].iter().map(|[rows, _]| vec![0.0; rows * rows * lanes]);
        let pairs = || hidden().map(|zeros| [zeros.clone(), zeros]).collect();
        let mut factors = Self {
            lanes,
            moved: vec![0.0; theta.len()],
            above: hidden().collect(),
            below: hidden().collect(),
            start: pairs(),
            now: pairs(),
            ends,
            shapes,
        };
        factors.look(theta);
        factors.start.clone_from(&factors.now);
        factors
    }

    fn add(&mut self, eta: &[f64], gradient: &[f64]) {
        let lanes = self.lanes;
        for (moved, gradient) in self.moved.chunks_exact_mut(lanes).zip(gradient.chunks_exact(lanes)) {
            for lane in 0..lanes {
                moved[lane] = eta[lane] * gradient[lane];
            }
        }
        for l in 0..self.above.len() {
            let [lower, upper] = neighbours(&self.shapes, &self.ends, &self.moved, l);
            lane_product_into(upper.transposed(), upper, &mut self.above[l], lanes, true);
            lane_product_into(lower, lower.transposed(), &mut self.below[l], lanes, true);
        }
    }

    /// Both products of every two neighbours at θ.
    fn look(&mut self, theta: &[f64]) {
        for (l, [above, below]) in self.now.iter_mut().enumerate() {
            let [lower, upper] = neighbours(&self.shapes, &self.ends, theta, l);
            lane_product_into(upper.transposed(), upper, above, self.lanes, false);
            lane_product_into(lower, lower.transposed(), below, self.lanes, false);
        }
    }

    /// max over l of ‖D_l(k) − D_l(0) − Σ‖_F.
    fn error_into(&mut self, theta: &[f64], out: &mut [f64]) {
        self.look(theta);
        let lanes = self.lanes;
        for (lane, out) in out.iter_mut().enumerate() {
            let neighbour = |l: usize| {
                let ([a, b], [a0, b0]) = (&self.now[l], &self.start[l]);
                let gap = |i: usize| ((a[i] - b[i]) - (a0[i] - b0[i])) - (self.above[l][i] - self.below[l][i]);
                (lane..a.len()).step_by(lanes).map(|i| gap(i) * gap(i)).sum::<f64>().sqrt()
            };
            *out = (0..self.now.len()).map(neighbour).fold(0.0, larger);
        }
    }
}

/// Factor l and the one above it.
fn neighbours<'a>(shapes: &[[usize; 2]], ends: &[usize], theta: &'a [f64], l: usize) -> [Factor<'a>; 2] {
    [l, l + 1].map(|l| Factor::new(&theta[ends[l]..ends[l + 1]], shapes[l][0], shapes[l][1]))
}

/// Logarithms of |u·v| and |u/v| at the start, and what the steps have added to them; entries × lanes.
struct Squares {
    product: Vec<f64>,
    ratio: Vec<f64>,
    of_product: Vec<f64>,
    of_ratio: Vec<f64>,
}

impl Squares {
    fn new(theta: &[f64]) -> Self {
        let (u, v) = theta.split_at(theta.len() / 2);
        let both = |of: fn(f64, f64) -> f64| u.iter().zip(v).map(|(u, v)| of(u.abs().ln(), v.abs().ln())).collect();
        let zeros = || vec![0.0; u.len()];
        Self { product: both(|u, v| u + v), ratio: both(|u, v| u - v), of_product: zeros(), of_ratio: zeros() }
    }

    fn add(&mut self, eta: &[f64], g: &[f64]) {
        for (slot, g) in g.iter().enumerate() {
            let x = 2.0 * eta[slot % eta.len()] * g;
            // Beyond 1 a factor changes its sign, and its size is what the logarithms see.
            let (more, less) =
                if x.abs() < 0.5 { (x.ln_1p(), (-x).ln_1p()) } else { ((1.0 + x).abs().ln(), (1.0 - x).abs().ln()) };
            self.of_product[slot] += more + less;
            self.of_ratio[slot] += less - more;
        }
    }

    /// The largest difference of both logarithms, over the entries.
    fn error_into(&self, theta: &[f64], out: &mut [f64]) {
        let (u, v) = theta.split_at(theta.len() / 2);
        let lanes = out.len();
        for (lane, out) in out.iter_mut().enumerate() {
            let error = |i: usize| {
                let (u, v) = (u[i].abs().ln(), v[i].abs().ln());
                let product = u + v - self.product[i] - self.of_product[i];
                larger(product.abs(), (u - v - self.ratio[i] - self.of_ratio[i]).abs())
            };
            *out = (lane..u.len()).step_by(lanes).map(error).fold(0.0, larger);
        }
    }
}

/// The larger of two, or NaN if one is.
fn larger(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) }
}
