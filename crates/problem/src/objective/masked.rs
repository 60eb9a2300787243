//! Some entries of a matrix: L = ½ Σ over the observed ones of (β − target)².

use super::{Objective, Rows};
use crate::Entries;

/// Matrix completion. Every lane observes the same number of entries, each lane its own.
pub struct Masked {
    lanes: usize,
    entries: usize,
    observed: usize,
    /// The observed entry in each place, places × lanes.
    places: Vec<usize>,
    /// Its value.
    values: Vec<f64>,
}

impl Masked {
    /// One lane per problem, all of one shape; `lanes` beyond the problems repeat the last one.
    ///
    /// # Panics
    /// If there is no problem, or they differ in shape or in the number of observed entries.
    pub fn new(problems: &[&Entries], lanes: usize) -> Self {
        let of = |lane: usize| problems[lane.min(problems.len() - 1)];
        let (shape, observed) = (problems[0].target.shape(), problems[0].observed.len());
        let alike = |p: &&Entries| p.target.shape() == shape && p.observed.len() == observed;
        assert!(problems.iter().all(alike), "one shape per bundle");
        let place = |slot: usize| of(slot % lanes).observed[slot / lanes];
        let places: Vec<usize> = (0..observed * lanes).map(place).collect();
        let values = places.iter().enumerate().map(|(slot, place)| of(slot % lanes).target.as_slice()[*place]);
        Self { lanes, entries: shape.0 * shape.1, observed, values: values.collect(), places }
    }
}

impl Objective for Masked {
    fn lanes(&self) -> usize {
        self.lanes
    }

    fn entries(&self) -> usize {
        self.entries
    }

    fn samples(&self) -> usize {
        self.observed
    }

    fn seen(&self) -> Option<&[usize]> {
        (self.lanes == 1).then_some(&self.places[..])
    }

    fn loss_and_grad_into(&mut self, beta: &[f64], rows: Rows<'_>, loss: &mut [f64], g: &mut [f64]) {
        assert!(matches!(rows, Rows::All), "the plan draws no batches of entries");
        loss.fill(0.0);
        g.fill(0.0);
        let lanes = self.lanes;
        for (places, values) in self.places.chunks_exact(lanes).zip(self.values.chunks_exact(lanes)) {
            for lane in 0..lanes {
                let slot = places[lane] * lanes + lane;
                let residual = beta[slot] - values[lane];
                loss[lane] += 0.5 * residual * residual;
                g[slot] = residual;
            }
        }
    }

    fn hessian_apply_into(&mut self, direction: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        for (slot, place) in self.places.iter().enumerate() {
            let at = place * self.lanes + slot % self.lanes;
            out[at] = direction[at];
        }
    }

    fn add_transposed(&self, _w: &[f64], _g: &mut [f64]) {
        unreachable!("the plan weighs no entries");
    }

    fn mean_factor(&self) -> f64 {
        1.0 / self.observed as f64
    }
}
