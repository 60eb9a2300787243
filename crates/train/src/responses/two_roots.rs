//! Momentum with constant steps: two roots per mode.

use super::{Response, power};
use taut_problem::Clock;

/// The heavy ball (r² − (1+β−x)r + β, x = ηλ) and Nesterov's method (r² − (1−x)(1+β)r + (1−x)β), from
/// rest: e₀ = 1, e₁ = 1 − x, eₜ = A r₊ᵗ + (1−A) r₋ᵗ.
///
/// Both have 1 − r₊ and 1 − r₋ with product x, so the slow root is known to eps of its distance from 1;
/// and eₜ = rᵗ + (1−r)·s·(rᵗ − sᵗ)/(r − s) for the larger root r and the smaller s, which also holds
/// where they meet.
#[derive(Clone)]
pub(super) struct TwoRoots {
    modes: Vec<Roots>,
    at: Clock,
}

#[derive(Clone, Copy)]
enum Roots {
    /// r with ln|r| and 1 − r; s; r − s.
    Real { r: f64, log: f64, distance: f64, s: f64, gap: f64 },
    /// ρ·exp(±iφ); `lean` is (e₁/ρ − cos φ)/sin φ.
    Turning { log: f64, angle: f64, lean: f64 },
}

impl TwoRoots {
    pub(super) fn new(step_size: f64, momentum: f64, looks_ahead: bool, curvature: &[f64]) -> Self {
        let roots = |l: &f64| Roots::new(step_size * l, momentum, looks_ahead);
        Self { modes: curvature.iter().map(roots).collect(), at: Clock::Step(0) }
    }
}

impl Roots {
    fn new(x: f64, beta: f64, looks_ahead: bool) -> Self {
        // Sum and product of the roots, and the discriminant in factors, which do not cancel.
        let (sum, product, discriminant) = if looks_ahead {
            let inner = (1.0 - beta).powi(2) - (1.0 + beta).powi(2) * x;
            ((1.0 - x) * (1.0 + beta), (1.0 - x) * beta, (1.0 - x) * inner)
        } else {
            let far = 1.0 + beta.sqrt();
            let near = (1.0 - beta) / far;
            (1.0 + beta - x, beta, (near * near - x) * (far * far - x))
        };
        if discriminant < 0.0 {
            let (size, height) = (product.sqrt(), (-discriminant).sqrt());
            let (cosine, sine) = (sum / 2.0 / size, height / 2.0 / size);
            let lean = ((1.0 - x) / size - cosine) / sine;
            return Self::Turning { log: 0.5 * product.ln(), angle: height.atan2(sum), lean };
        }
        let root = discriminant.sqrt();
        let distances = if looks_ahead { 1.0 - beta + x * (1.0 + beta) } else { 1.0 - beta + x };
        let long = 0.5 * (distances + root);
        let short = if long > 0.0 { x / long } else { 0.0 };
        let (distance, gap) = if (1.0 - short).abs() >= (1.0 - long).abs() { (short, root) } else { (long, -root) };
        let r = 1.0 - distance;
        let log = if r > 0.5 { (-distance).ln_1p() } else { r.abs().ln() };
        let s = if r.abs() > 0.0 { product / r } else { 0.0 };
        Self::Real { r, log, distance, s, gap }
    }

    /// (eₜ, 1 − eₜ) after t ≥ 1 steps.
    fn after(self, t: u64) -> (f64, f64) {
        match self {
            Self::Turning { log, angle, lean } => {
                let (sine, cosine) = (t as f64 * angle).sin_cos();
                let left = power(t, log, false) * (cosine + lean * sine);
                (left, 1.0 - left)
            }
            Self::Real { r, log, distance, s, gap } => {
                let mine = power(t, log, r < 0.0);
                let share = distance * s * divided(r, log, s, gap, t);
                let learned = if r > 0.0 { -(t as f64 * log).exp_m1() - share } else { 1.0 - mine - share };
                (mine + share, learned)
            }
        }
    }

    fn log(self) -> f64 {
        match self {
            Self::Real { log, .. } | Self::Turning { log, .. } => log,
        }
    }
}

/// (rᵗ − sᵗ)/(r − s) = rᵗ⁻¹(1 − qᵗ)/(1 − q), q = s/r.
fn divided(r: f64, log: f64, s: f64, gap: f64, t: u64) -> f64 {
    if r.abs() <= 0.0 {
        return if t == 1 { 1.0 } else { 0.0 };
    }
    let before = power(t - 1, log, r < 0.0);
    let (q, rest) = (s / r, gap / r);
    if rest.abs() <= 0.0 {
        return before * t as f64;
    }
    let missing = if q > 0.0 { -(t as f64 * (-rest).ln_1p()).exp_m1() } else { 1.0 - power(t, q.abs().ln(), true) };
    before * missing / rest
}

impl Response for TwoRoots {
    fn move_to(&mut self, t: Clock) {
        self.at = t;
    }

    fn left(&self, mode: usize) -> f64 {
        match self.at {
            Clock::Step(0) => 1.0,
            Clock::Step(k) => self.modes[mode].after(k).0,
            Clock::Limit if self.dies_out(mode) => 0.0,
            Clock::Limit | Clock::Time(_) => f64::NAN,
        }
    }

    fn learned(&self, mode: usize) -> f64 {
        match self.at {
            Clock::Step(0) => 0.0,
            Clock::Step(k) => self.modes[mode].after(k).1,
            Clock::Limit | Clock::Time(_) => 1.0 - self.left(mode),
        }
    }

    fn dies_out(&self, mode: usize) -> bool {
        self.modes[mode].log() < -1e-15
    }

    fn falls(&self, mode: usize) -> bool {
        // Both roots positive: every term of eₜ is, and falls.
        matches!(self.modes[mode], Roots::Real { r, s, log, .. } if r > 0.0 && s >= 0.0 && log < 0.0)
    }

    fn leaps(&self) -> bool {
        true
    }

    fn largest_share(&self) -> Option<f64> {
        None
    }

    fn fresh(&self) -> Box<dyn Response> {
        Box::new(Self { at: Clock::Step(0), ..self.clone() })
    }
}
