//! First passages and divergence: what a bundle notices on its way.

use taut_problem::Memory;

/// Levels of the residual, and what is known of each lane.
pub(super) struct Watches {
    lanes: usize,
    /// The mean squared residual is 2·L times this.
    mean_factor: f64,
    levels: Vec<Watch>,
    diverged: Vec<Option<u64>>,
}

/// One level: when each lane first passed it, and its parameters then.
struct Watch {
    level: f64,
    /// A loss above this has not passed: a root per lane and step is saved, and decides only what is near.
    above: f64,
    passed: Vec<Option<u64>>,
    /// lanes × parameters, lane by lane.
    thetas: Vec<f64>,
}

impl Watches {
    pub(super) fn new(levels: &[f64], lanes: usize, parameters: usize, mean_factor: f64) -> Self {
        let watch = |&level: &f64| Watch {
            level,
            above: level * level / (2.0 * mean_factor) * (1.0 + 1e-12),
            passed: vec![None; lanes],
            thetas: vec![0.0; parameters * lanes],
        };
        Self { lanes, mean_factor, levels: levels.iter().map(watch).collect(), diverged: vec![None; lanes] }
    }

    /// Notes what the losses at `step` mean.
    pub(super) fn look(&mut self, step: u64, loss: &[f64], theta: &[f64]) {
        for (lane, loss) in loss.iter().enumerate() {
            if !loss.is_finite() {
                self.diverged[lane].get_or_insert(step);
                continue;
            }
            for watch in &mut self.levels {
                if watch.passed[lane].is_some() || *loss > watch.above {
                    continue;
                }
                let residual = (2.0 * loss * self.mean_factor).sqrt();
                if residual <= watch.level {
                    watch.passed[lane] = Some(step);
                    let parameters = theta.len() / self.lanes;
                    for k in 0..parameters {
                        watch.thetas[lane * parameters + k] = theta[k * self.lanes + lane];
                    }
                }
            }
        }
    }

    fn find(&self, level: f64) -> Option<&Watch> {
        self.levels.iter().find(|w| w.level.total_cmp(&level).is_eq())
    }

    pub(super) fn passed(&self, lane: usize, level: f64) -> Option<u64> {
        self.find(level).and_then(|watch| watch.passed[lane])
    }

    pub(super) fn theta(&self, lane: usize, level: f64) -> Option<Vec<f64>> {
        let watch = self.find(level)?;
        watch.passed[lane]?;
        let parameters = watch.thetas.len() / self.lanes;
        Some(watch.thetas[lane * parameters..(lane + 1) * parameters].to_vec())
    }

    pub(super) fn diverged(&self, lane: usize) -> Option<u64> {
        self.diverged[lane]
    }

    pub(super) fn remember(&mut self, memory: &mut Memory<'_>) {
        memory.values("diverged", &mut self.diverged);
        for Watch { level, passed, thetas, .. } in &mut self.levels {
            memory.fixed("level", *level);
            memory.values("passed", passed);
            memory.values("passed at", thetas);
        }
    }
}
