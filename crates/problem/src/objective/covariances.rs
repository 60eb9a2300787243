//! Least squares by second moments: L = ½ tr(W Sxx Wᵀ) − tr(W Syxᵀ) + ½ tr Syy.

use super::{Objective, Rows};
use crate::Moments;
use taut_numerics::{Factor, lane_product_into};

/// Least squares of a matrix W, outputs × inputs, seen through Sxx = XXᵀ/n and Syx = YXᵀ/n.
///
/// A step costs one product with Sxx however many samples there are, and none for whitened inputs. The loss
/// is ½⟨E, W − W*⟩ above its minimum, with E = W Sxx − Syx and the least-squares solution W* of least
/// norm: small losses keep their digits, where a difference of traces would lose them.
pub struct Covariances {
    lanes: usize,
    inputs: usize,
    outputs: usize,
    samples: usize,
    /// inputs × inputs; empty if whitened.
    sxx: Vec<f64>,
    syx: Vec<f64>,
    /// W*.
    best: Vec<f64>,
    /// The smallest loss, per lane.
    floor: Vec<f64>,
}

impl Covariances {
    /// One lane per problem, all of one shape; `lanes` beyond the problems repeat the last one.
    ///
    /// # Panics
    /// If there is no problem, or their shapes differ.
    pub fn new(problems: &[&Moments], lanes: usize) -> Self {
        let of = |lane: usize| problems[lane.min(problems.len() - 1)];
        let (outputs, inputs) = problems[0].syx.shape();
        assert!(problems.iter().all(|p| p.syx.shape() == (outputs, inputs)), "one shape per bundle");
        let white = problems.iter().all(|p| p.sxx.is_none());
        let interleave = |size: usize, at: &dyn Fn(usize, usize) -> f64| -> Vec<f64> {
            (0..size * lanes).map(|slot| at(slot / lanes, slot % lanes)).collect()
        };
        let best: Vec<_> = (0..lanes).map(|lane| of(lane).best()).collect();
        let identity = |entry: usize| f64::from(u8::from(entry % inputs == entry / inputs));
        let sxx = |entry, lane| of(lane).sxx.as_ref().map_or_else(|| identity(entry), |sxx| sxx.as_slice()[entry]);
        Self {
            lanes,
            inputs,
            outputs,
            samples: problems[0].samples(),
            sxx: if white { Vec::new() } else { interleave(inputs * inputs, &sxx) },
            syx: interleave(outputs * inputs, &|entry, lane| of(lane).syx.as_slice()[entry]),
            floor: best.iter().map(|(_, floor)| *floor).collect(),
            best: interleave(outputs * inputs, &|entry, lane| best[lane].0.as_slice()[entry]),
        }
    }
}

impl Objective for Covariances {
    fn lanes(&self) -> usize {
        self.lanes
    }

    fn entries(&self) -> usize {
        self.inputs * self.outputs
    }

    fn samples(&self) -> usize {
        self.samples
    }

    fn loss_and_grad_into(&mut self, beta: &[f64], rows: Rows<'_>, loss: &mut [f64], g: &mut [f64]) {
        assert!(matches!(rows, Rows::All), "moments have no rows to choose from");
        self.hessian_apply_into(beta, g);
        loss.fill(0.0);
        let lanes = self.lanes;
        let entries = g.chunks_exact_mut(lanes).zip(self.syx.chunks_exact(lanes));
        for ((g, syx), (beta, best)) in entries.zip(beta.chunks_exact(lanes).zip(self.best.chunks_exact(lanes))) {
            for lane in 0..lanes {
                g[lane] -= syx[lane];
                loss[lane] += g[lane] * (beta[lane] - best[lane]);
            }
        }
        for (loss, floor) in loss.iter_mut().zip(&self.floor) {
            // Rounding in directions without data may take the form below zero, where no loss is.
            let above = if *loss < 0.0 { 0.0 } else { *loss };
            *loss = 0.5 * above + floor;
        }
    }

    fn hessian_apply_into(&mut self, direction: &[f64], out: &mut [f64]) {
        if self.sxx.is_empty() {
            return out.copy_from_slice(direction);
        }
        let direction = Factor::new(direction, self.outputs, self.inputs);
        lane_product_into(direction, Factor::new(&self.sxx, self.inputs, self.inputs), out, self.lanes, false);
    }

    fn add_transposed(&self, _w: &[f64], _g: &mut [f64]) {
        unreachable!("moments have no rows to weigh");
    }

    fn mean_factor(&self) -> f64 {
        1.0 / self.outputs as f64
    }
}
