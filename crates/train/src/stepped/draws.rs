//! What is drawn afresh for every update: rows, label noise, masks and gradient noise.

use taut_numerics::{Stream, normal, position, seek, stream, uniform};
use taut_problem::{Batch, Dropout, Dynamics, MaskKind, Memory, Noise, Rows};

/// The draws of all lanes; each lane has streams of its own, one per purpose.
pub(super) struct Draws {
    lanes: usize,
    samples: usize,
    batch: Option<Batch>,
    noise: Noise,
    /// 1/q, and q.
    scale: f64,
    keep: f64,
    streams: Vec<Streams>,
    /// places × lanes.
    rows: Vec<usize>,
    /// A permutation of the rows per lane, lane by lane, whose head becomes the batch.
    order: Vec<usize>,
    shifts: Vec<f64>,
    /// places × features × lanes.
    factors: Vec<f64>,
    /// params × lanes.
    mask: Vec<f64>,
    /// samples × lanes.
    weights: Vec<f64>,
}

/// One lane's.
struct Streams {
    rows: Stream,
    labels: Stream,
    masks: Stream,
    gradient: Stream,
}

impl Draws {
    /// `None` for a deterministic motion; `sizes` are samples, features and parameters.
    pub(super) fn new(dynamics: &Dynamics, sizes: [usize; 3], seed: u64, replicates: &[u64]) -> Option<Self> {
        let dropout = dynamics.dropout.filter(|dropout| !dropout.marginal);
        if dynamics.batch.is_none() && !dynamics.noise.is_some() && dropout.is_none() {
            return None;
        }
        let [samples, features, parameters] = sizes;
        let lanes = replicates.len();
        // Without replacement there are no more rows than there are.
        let places = dynamics.batch.map_or(samples, |b| if b.replacement { b.size } else { b.size.min(samples) });
        let masked = |kind: MaskKind| dropout.is_some_and(|dropout| dropout.mask == kind);
        let length = |wanted: bool, length: usize| if wanted { length * lanes } else { 0 };
        let keep = dropout.map_or(1.0, |Dropout { keep, .. }| keep.get());
        Some(Self {
            lanes,
            samples,
            batch: dynamics.batch,
            noise: dynamics.noise,
            scale: 1.0 / keep,
            keep,
            streams: replicates.iter().map(|&replicate| Streams::new(seed, replicate)).collect(),
            rows: (0..places * lanes).map(|slot| slot / lanes).collect(),
            order: (0..samples * lanes).map(|slot| slot % samples).collect(),
            shifts: vec![0.0; length(dynamics.noise.labels.get() > 0.0, places)],
            factors: vec![0.0; length(masked(MaskKind::Features), places * features)],
            mask: vec![0.0; length(masked(MaskKind::Weights), parameters)],
            weights: vec![0.0; length(dynamics.noise.curvature.get() > 0.0, samples)],
        })
    }

    /// Draws everything for the next update but the noise on the gradient.
    pub(super) fn draw(&mut self) {
        for lane in 0..self.lanes {
            self.draw_rows(lane);
            let Streams { labels, masks, gradient, .. } = &mut self.streams[lane];
            for shift in self.shifts.iter_mut().skip(lane).step_by(self.lanes) {
                *shift = self.noise.labels.get() * normal(labels);
            }
            for factors in [&mut self.factors, &mut self.mask] {
                for factor in factors.iter_mut().skip(lane).step_by(self.lanes) {
                    *factor = if uniform(masks) < self.keep { self.scale } else { 0.0 };
                }
            }
            let deviation = self.noise.curvature.get() / (self.samples as f64).sqrt();
            for weight in self.weights.iter_mut().skip(lane).step_by(self.lanes) {
                *weight = deviation * normal(gradient);
            }
        }
    }

    fn draw_rows(&mut self, lane: usize) {
        let Some(batch) = self.batch else { return };
        let (lanes, n) = (self.lanes, self.samples);
        let places = self.rows.len() / lanes;
        let stream = &mut self.streams[lane].rows;
        let mut below = |count: usize| ((uniform(stream) * count as f64) as usize).min(count - 1);
        if batch.replacement {
            for row in self.rows.iter_mut().skip(lane).step_by(lanes) {
                *row = below(n);
            }
            return;
        }
        // The head of a shuffle; where it starts from does not matter.
        let order = &mut self.order[lane * n..(lane + 1) * n];
        for place in 0..places {
            order.swap(place, place + below(n - place));
            self.rows[place * lanes + lane] = order[place];
        }
    }

    /// The rows of this update.
    pub(super) fn rows(&self) -> Rows<'_> {
        if self.batch.is_none() && self.shifts.is_empty() && self.factors.is_empty() {
            return Rows::All;
        }
        Rows::Batch { rows: &self.rows, shifts: &self.shifts, factors: &self.factors }
    }

    /// w with Φᵀw the noise of covariance curvature²·ΦᵀΦ/n, if there is any.
    pub(super) fn curvature_weights(&self) -> Option<&[f64]> {
        (!self.weights.is_empty()).then_some(&self.weights)
    }

    /// Writes the masked θ; false if parameters are not masked.
    pub(super) fn mask(&self, theta: &[f64], masked: &mut [f64]) -> bool {
        for ((masked, theta), factor) in masked.iter_mut().zip(theta).zip(&self.mask) {
            *masked = theta * factor;
        }
        !self.mask.is_empty()
    }

    /// The gradient behind the mask, with the noise that falls on every parameter alike.
    pub(super) fn mask_and_shake(&mut self, gradient: &mut [f64]) {
        for (g, factor) in gradient.iter_mut().zip(&self.mask) {
            *g *= factor;
        }
        let deviation = self.noise.gradient.get();
        if deviation > 0.0 {
            for (slot, g) in gradient.iter_mut().enumerate() {
                *g += deviation * normal(&mut self.streams[slot % self.lanes].gradient);
            }
        }
    }

    /// Where every stream is, and the order that the next batch is shuffled from: all else is drawn anew.
    pub(super) fn remember(&mut self, memory: &mut Memory<'_>) {
        let mut positions: Vec<[u64; 4]> = self.streams.iter().map(Streams::positions).collect();
        memory.values("streams", &mut positions);
        memory.indices("order", &mut self.order, self.samples);
        if memory.restores() {
            self.streams.iter_mut().zip(positions).for_each(|(streams, positions)| streams.seek(positions));
        }
    }
}

impl Streams {
    fn new(seed: u64, replicate: u64) -> Self {
        let of = |purpose: &str| stream(seed, purpose, replicate);
        Self { rows: of("sgd"), labels: of("label-noise"), masks: of("dropout"), gradient: of("gradient-noise") }
    }

    fn positions(&self) -> [u64; 4] {
        [&self.rows, &self.labels, &self.masks, &self.gradient].map(position)
    }

    fn seek(&mut self, positions: [u64; 4]) {
        let streams = [&mut self.rows, &mut self.labels, &mut self.masks, &mut self.gradient];
        streams.into_iter().zip(positions).for_each(|(stream, position)| seek(stream, position));
    }
}
