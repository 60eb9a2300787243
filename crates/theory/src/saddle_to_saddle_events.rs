//! The saddles that a diagonal network visits as its start goes to zero, and when it leaves them.

use crate::diagonal_network::DiagonalNetwork;
use crate::{Build, MatrixPremise, Number, Prediction, TheoryDef};
use nalgebra::{DMatrix, DVector};
use taut_problem::{Clock, Motion};

pub(crate) const THEORY: TheoryDef = TheoryDef {
    name: "saddle_to_saddle_events",
    doc: "the jumps k = 1, 2, … from saddle to saddle: `jump_time` t and `scaled_jump_time` t/ln(1/α), and at the saddle \
          reached `active_count`, `active_set` (Σ 2ⁱ over the coordinates βᵢ ≠ 0, i from 0) and `negative_set` (those with \
          βᵢ < 0), the sets up to 52 features. s = −∫∇L dt/ln(1/α) drifts at a saddle; coordinate i may be non-zero with \
          sign ± while sᵢ = ±½ (±1 for products), and β is the least-squares fit with these signs. The path is at the \
          saddle from each jump on; times are off by a share of about 1/ln(1/α)",
    cite: "Pesme and Flammarion 2023",
    assumes: "a diagonal network with two factors from u = v = α → 0 (or u∘v from u = 2α, v = 0), gradient flow, features \
              in general position",
    build: Build::Matrix(build),
};

/// Features whose sets fit into a number.
const BITS: usize = 52;
/// Jumps followed.
const MOST: usize = 2000;
/// Relative size below which a gradient is zero, and of two arrivals that are one.
const ROUNDING: f64 = 1e-10;

fn build(premise: &MatrixPremise<'_>) -> Prediction {
    let network = match DiagonalNetwork::of(premise) {
        Ok(network) if network.depth == 2 && network.log_alpha < 0.0 => network,
        Ok(_) => return Prediction::silent("there are more than two factors, or α is not below 1"),
        Err(reason) => return Prediction::silent(reason),
    };
    let moved = premise.dynamics;
    let plain = matches!(moved.motion, Motion::Flow | Motion::Descent) && moved.only_schedule();
    let unmet = if plain { None } else { Some("the motion is neither flow nor descent on the loss alone".to_owned()) };
    let (jumps, ended) = jumps(&network.x, &network.y);
    let late = (!ended).then(|| format!("there are more than {} jumps", jumps.len()));
    let mut prediction = Prediction { unmet: unmet.or(late), ..Prediction::default() };
    // Thresholds are ½ where ½ ln(u/v) moves by 2 per −∂L/∂β, and times go with them.
    let scale = 2.0 / network.speed;
    for (k, jump) in jumps.iter().enumerate() {
        let time = -network.log_alpha * scale * jump.time;
        let clock = match moved.motion {
            Motion::Descent => Clock::Step((time / moved.step_size).round() as u64),
            _ => Clock::Time(time),
        };
        prediction.numbers.extend(jump.numbers((k + 1) as f64, scale, time));
        prediction.path.push((clock, jump.beta.as_slice().to_vec()));
    }
    if let (true, Some(last)) = (ended, jumps.last()) {
        prediction.path.push((Clock::Limit, last.beta.as_slice().to_vec()));
    }
    prediction
}

/// Arrival at a saddle.
struct Jump {
    /// In units of ln(1/α).
    time: f64,
    beta: DVector<f64>,
}

impl Jump {
    fn numbers(&self, k: f64, scale: f64, time: f64) -> Vec<Number> {
        let set = |holds: fn(f64) -> bool| {
            let places = self.beta.iter().enumerate().filter(|(_, b)| holds(**b));
            places.fold(0.0, |set, (i, _)| set + 2f64.powi(i as i32))
        };
        let active = self.beta.iter().filter(|b| b.abs() > 0.0).count();
        let mut numbers = vec![
            Number::at("jump_time", k, time),
            Number::at("scaled_jump_time", k, scale * self.time),
            Number::at("active_count", k, active as f64),
        ];
        if self.beta.len() <= BITS {
            numbers.push(Number::at("active_set", k, set(|b| b.abs() > 0.0)));
            numbers.push(Number::at("negative_set", k, set(|b| b < 0.0)));
        }
        numbers
    }
}

/// All jumps from β = 0, and whether they end at a minimum.
fn jumps(x: &DMatrix<f64>, y: &DVector<f64>) -> (Vec<Jump>, bool) {
    let n = y.len() as f64;
    let zero = ROUNDING * x.tr_mul(y).amax() / n;
    let mut s = DVector::<f64>::zeros(x.ncols());
    let mut beta = s.clone();
    let (mut time, mut found) = (0.0, Vec::new());
    while found.len() < MOST {
        let g = x.tr_mul(&(x * &beta - y)) / n;
        let moves = |i: &usize| beta[*i].abs() <= 0.0 && g[*i].abs() > zero;
        // s moves against g, and arrives at −½ sign g.
        let arrival = |i: usize| (0.5 + s[i] * g[i].signum()) / g[i].abs();
        let Some(wait) = (0..g.len()).filter(moves).map(arrival).min_by(f64::total_cmp) else {
            return (found, true);
        };
        let drifting: Vec<usize> = (0..g.len()).filter(moves).collect();
        drifting.iter().for_each(|&i| s[i] -= wait * g[i]);
        time += wait;
        let edge = |s: &f64| if s.abs() >= 0.5 - ROUNDING { s.signum() } else { 0.0 };
        let signs: Vec<f64> = s.iter().map(edge).collect();
        s.iter_mut().zip(&signs).filter(|(_, sign)| sign.abs() > 0.0).for_each(|(s, sign)| *s = 0.5 * sign);
        beta = signed_fit(x, y, beta, &signs, zero);
        found.push(Jump { time, beta: beta.clone() });
    }
    (found, false)
}

/// argmin |y − Xβ|² with βᵢ of the sign given, or zero where it is 0 (Lawson and Hanson's active sets), from a β that
/// is the fit on its own support.
fn signed_fit(x: &DMatrix<f64>, y: &DVector<f64>, mut beta: DVector<f64>, signs: &[f64], zero: f64) -> DVector<f64> {
    let n = y.len() as f64;
    let mut free: Vec<usize> = (0..signs.len()).filter(|&i| beta[i].abs() > 0.0).collect();
    // Every entry of a new coordinate lowers the loss, so no set comes twice; the bound is for rounding.
    for _ in 0..10 * signs.len() + 10 {
        let pull = x.tr_mul(&(y - x * &beta)) / n;
        let gain = |i: &usize| signs[*i] * pull[*i];
        let outside = (0..signs.len()).filter(|i| signs[*i].abs() > 0.0 && !free.contains(i));
        let Some(best) = outside.max_by(|a, b| gain(a).total_cmp(&gain(b))).filter(|i| gain(i) > zero) else {
            break;
        };
        free.push(best);
        while !free.is_empty() {
            let fit = crate::min_norm_limit::nearest(&x.select_columns(&free), y);
            let share = |(&i, fit): (&usize, &f64)| {
                (signs[i] * fit <= 0.0).then(|| if beta[i].abs() > 0.0 { beta[i] / (beta[i] - fit) } else { 0.0 })
            };
            let blocked = free.iter().zip(fit.iter()).filter_map(share).min_by(f64::total_cmp);
            let reach = blocked.unwrap_or(1.0);
            free.iter().zip(fit.iter()).for_each(|(&i, fit)| beta[i] += reach * (fit - beta[i]));
            if blocked.is_none() {
                break;
            }
            let size = beta.amax();
            let gone = |i: &usize| signs[*i] * beta[*i] <= 1e-14 * size;
            free.iter().filter(|i| gone(i)).copied().collect::<Vec<_>>().into_iter().for_each(|i| beta[i] = 0.0);
            free.retain(|&i| beta[i].abs() > 0.0);
        }
    }
    beta
}
