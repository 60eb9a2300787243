//! Random interpolators: what a point drawn from the zero-error set looks like.

use super::min_norm::interpolant;
use super::{Fits, Given, Solution};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taut_numerics::{Stream, normal, product_into, stream, uniform};
use taut_problem::{Entry, Samples, Snapshots};

/// Random interpolators under one or more laws.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RandomInterpolator {
    /// Draws for each law.
    pub draws: Samples,
    /// One law or a list of them; default `same`.
    #[serde(default)]
    pub law: Laws,
}

/// One law or several.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Laws {
    /// One law.
    One(Law),
    /// Several.
    Many(Vec<Law>),
}

impl Default for Laws {
    fn default() -> Self {
        Self::One(Law::Same)
    }
}

/// How the null-space part is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Law {
    /// Gaussian with the norm of the minimum-norm interpolant
    Same,
    /// Standard Gaussian
    Unit,
    /// Uniform in the coefficient ball of radius 10‖θ_MN‖
    Ball,
}

impl Law {
    /// The name as a study writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Unit => "unit",
            Self::Ball => "ball",
        }
    }
}

impl RandomInterpolator {
    /// The laws in the order written.
    pub fn laws(&self) -> &[Law] {
        match &self.law {
            Laws::One(law) => std::slice::from_ref(law),
            Laws::Many(laws) => laws,
        }
    }
}

impl RandomInterpolator {
    /// One set of draws per law; stream `random-interpolator-<law>`.
    fn solve(&self, given: &Given<'_>) -> Vec<Fits> {
        let centre = interpolant(given.problem, given.svd);
        let free = given.problem.feature_count() - given.svd.rank();
        self.laws()
            .iter()
            .map(|&law| {
                if free == 0 {
                    return Fits::none(Self::ENTRY.name, "every direction is fixed by the points: rank = p");
                }
                let mut functions = Snapshots::series(centre.len());
                let purpose = format!("random-interpolator-{}", law.name());
                let mut draws = stream(given.seed, &purpose, given.replicate);
                let theta = self.draw(law, &centre, free, given, &mut draws);
                for row in theta.chunks_exact(centre.len()) {
                    functions.push_series(row, f64::NAN);
                }
                Fits { solution: Self::ENTRY.name, variant: law.name(), functions, draws: true, ..Fits::default() }
            })
            .collect()
    }

    /// θ_MN + scale·(I − VVᵀ)z for standard Gaussian z, row-major, draws × p.
    fn draw(&self, law: Law, centre: &[f64], free: usize, given: &Given<'_>, draws: &mut Stream) -> Vec<f64> {
        let (p, r, count) = (centre.len(), given.svd.rank(), self.draws.size());
        let norm = centre.iter().map(|t| t * t).sum::<f64>().sqrt();
        let mut theta = vec![0.0; count * p];
        let mut radius = vec![0.0; count];
        for (row, radius) in theta.chunks_exact_mut(p).zip(&mut radius) {
            for z in &mut *row {
                *z = normal(draws);
            }
            if law == Law::Ball {
                *radius = 99_f64.sqrt() * norm * uniform(draws).powf(1.0 / free as f64);
            }
        }
        let v: Vec<f64> = (0..p).flat_map(|k| (0..r).map(move |i| (k, i))).map(|(k, i)| given.svd.v[(k, i)]).collect();
        let vt: Vec<f64> = given.svd.v.as_slice().to_vec();
        let mut modes = vec![0.0; count * r];
        let mut inside = vec![0.0; count * p];
        product_into(&theta, &v, &mut modes, p, r);
        product_into(&modes, &vt, &mut inside, r, p);
        for ((row, inside), radius) in theta.chunks_exact_mut(p).zip(inside.chunks_exact(p)).zip(&radius) {
            for (z, i) in row.iter_mut().zip(inside) {
                *z -= i;
            }
            let scale = match law {
                Law::Same => norm / (free as f64).sqrt(),
                Law::Unit => 1.0,
                Law::Ball => radius / row.iter().map(|z| z * z).sum::<f64>().sqrt(),
            };
            for (z, c) in row.iter_mut().zip(centre) {
                *z = c + scale * *z;
            }
        }
        theta
    }
}

impl Solution for RandomInterpolator {
    const ENTRY: Entry = Entry {
        name: "random-interpolator",
        doc: "θ_MN plus a random null-space part: law `same` N(0, ‖θ_MN‖²/(p−rank)) per direction, `unit` N(0, 1), \
          `ball` uniform in the coefficient ball of radius 10‖θ_MN‖",
        cite: "",
    };
    const ON_CURVES: bool = false;

    fn rows(&self) -> usize {
        self.laws().len() * self.draws.size()
    }

    fn draws(&self) -> usize {
        self.rows()
    }

    fn fits(&self, given: &Given<'_>) -> Vec<Fits> {
        self.solve(given)
    }
}
