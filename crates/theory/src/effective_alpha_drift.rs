//! How noise shrinks the scale that a diagonal network seems to have started from.

use crate::diagonal_network::DiagonalNetwork;
use crate::flow_integrator::Flow;
use crate::mirror_map::Link;
use crate::{Build, MatrixPremise, Prediction, TheoryDef};
use nalgebra::DVector;
use taut_problem::{Clock, Dynamics, Motion};

pub(crate) const THEORY: TheoryDef = TheoryDef {
    name: "effective_alpha_drift",
    doc: "the metric `log_effective_alpha_mean`, the mean over coordinates of ln α_eff² with α_eff² = u∘v, along the clock: d ln \
          α_eff,ᵢ²/dt = −4η E gᵢ², gᵢ the gradient in βᵢ that an update sees. Its mean square is that of full descent, plus \
          (mean_j x_ji² r_j² − ḡᵢ²)/b for batches of b rows, plus δ²·mean_j x_ji²/b for labels with noise δ. The residuals \
          r are those of the flow, integrated in n dual variables: leading order in η",
    cite: "Pesme, Pillaud-Vivien and Flammarion 2021; HaoChen, Wei, Lee and Ma 2021; Even et al. 2023",
    assumes: "a diagonal network with two factors from u = v = α (or u∘v from u = 2α, v = 0: a quarter of the drift), \
              descent with a constant step size, no penalty, momentum or mask; η small, and so long that the drift is \
              small where residuals matter",
    build: Build::Matrix(build),
};

const TOLERANCE: f64 = 1e-8;
const STEPS: usize = 20_000;

fn build(premise: &MatrixPremise<'_>) -> Prediction {
    let network = match DiagonalNetwork::of(premise) {
        Ok(network) if network.depth == 2 => network,
        Ok(network) => return Prediction::silent(format!("there are {} factors, not two", network.depth)),
        Err(reason) => return Prediction::silent(reason),
    };
    let mut points: Vec<(Clock, f64)> = premise.clocks.iter().copied().zip(premise.times.iter().copied()).collect();
    points.retain(|(_, time)| time.is_finite());
    points.sort_by(|a, b| a.1.total_cmp(&b.1));
    let drift = Drift { shares: shares(premise.dynamics, network.y.len()), network: &network };
    let n = network.y.len();
    let mut flow = Flow::new(vec![0.0; n + 1], TOLERANCE, STEPS, |state, slope| drift.slope(state, slope));
    // ln α_eff² moves by −speed²·η·E gᵢ² per training time.
    let factor = network.speed.powi(2) * premise.dynamics.step_size;
    let mut prediction = Prediction { unmet: unmet(premise.dynamics), ..Prediction::default() };
    for (clock, time) in points {
        let Some(state) = flow.at(time) else {
            let reason = format!("more than {STEPS} steps are needed to get to time {time}");
            return Prediction { unmet: prediction.unmet.or(Some(reason)), ..prediction };
        };
        let value = 2.0 * network.log_alpha - factor * state[n];
        prediction.curves.push((clock, "log_effective_alpha_mean", value));
    }
    prediction
}

/// What the mean square of a gradient is made of.
#[derive(Clone, Copy)]
struct Shares {
    /// Of ḡᵢ².
    mean: f64,
    /// Of mean_j x_ji² r_j².
    rows: f64,
    /// Of mean_j x_ji².
    features: f64,
    /// Of 1.
    one: f64,
}

fn shares(dynamics: &Dynamics, n: usize) -> Shares {
    let (count, noise) = (n as f64, dynamics.noise);
    let (size, spread) = dynamics.batch.map_or((count, 0.0), |batch| {
        let size = batch.size as f64;
        let without = if n > 1 { (count - size) / (count - 1.0) } else { 0.0 };
        (size, if batch.replacement { 1.0 } else { without } / size)
    });
    Shares {
        mean: 1.0 - spread,
        rows: spread,
        features: noise.labels.get().powi(2) / size + noise.curvature.get().powi(2),
        one: noise.gradient.get().powi(2),
    }
}

struct Drift<'a> {
    network: &'a DiagonalNetwork,
    shares: Shares,
}

impl Drift<'_> {
    /// Of (m, ∫ mean_i E gᵢ² dt): dm/dt = −(Xβ − y)/n at β = 2α² sinh(2·speed·Xᵀm).
    fn slope(&self, state: &[f64], slope: &mut [f64]) {
        let DiagonalNetwork { x, y, log_alpha, speed, .. } = self.network;
        let n = y.len();
        let z = x.tr_mul(&DVector::from_column_slice(&state[..n])) * (2.0 * speed);
        let residual = y - x * z.map(|z| Link::Sinh.at(2.0 * log_alpha, z).0);
        let samples = n as f64;
        for (slope, r) in slope.iter_mut().zip(residual.iter()) {
            *slope = r / samples;
        }
        let squared = |column: nalgebra::DVectorView<'_, f64>| {
            let mean = column.dot(&residual) / samples;
            let rows: f64 = column.iter().zip(residual.iter()).map(|(x, r)| (x * r).powi(2)).sum();
            let features = column.norm_squared() / samples;
            let Shares { mean: m, rows: r, features: f, one } = self.shares;
            m * mean * mean + r * rows / samples + f * features + one
        };
        slope[n] = x.column_iter().map(squared).sum::<f64>() / x.ncols() as f64;
    }
}

fn unmet(dynamics: &Dynamics) -> Option<String> {
    let odd = dynamics.penalty.is_some() || dynamics.dropout.is_some();
    (dynamics.motion != Motion::Descent || !dynamics.is_constant() || odd)
        .then(|| "the motion is not descent with a constant step size and without penalty and mask".to_owned())
}
