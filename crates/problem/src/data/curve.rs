//! `[data.curve]`: points on the line, drawn or given.

use super::{Drawn, TablePoints};
use crate::{Finite, NonNegative, Samples, Target};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taut_numerics::{DMatrix, cos_pi, normal, stream, uniform};

/// Points (xᵢ, yᵢ) on \[-1, 1\]: a target with a design and noise, explicit lists, or a file.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Curve {
    /// The noise-free function. With explicit `y` it only defines the risk.
    pub target: Option<Target>,
    /// How many points; needed by a named `design`.
    pub samples: Option<Samples>,
    /// Where the points are.
    pub design: Option<Design>,
    /// Explicit points, instead of `design` and `samples`.
    pub x: Option<Vec<Finite>>,
    /// Explicit values, instead of `target` plus noise.
    pub y: Option<Vec<Finite>>,
    /// Standard deviation of Gaussian noise added to the target.
    pub noise: Option<NonNegative>,
    /// Explicit offsets added to the target, one per point.
    pub offsets: Option<Vec<Finite>>,
    /// A CSV or parquet file with the points, relative to the study file.
    pub file: Option<String>,
    /// The file's column of points; default `x`.
    pub x_column: Option<String>,
    /// The file's column of values; default `y`. With `""` the values come from the target.
    pub y_column: Option<String>,
    /// Keep only the file's rows with this value in this column.
    pub select: Option<Select>,
    /// Keep only the file's rows whose value in this column is the cell's replicate.
    pub replicate_column: Option<String>,
    /// Map this interval affinely to \[-1, 1\]; without it, points outside \[-1, 1\] are an error.
    pub domain: Option<[Finite; 2]>,
}

/// Rows of a file to keep.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Select {
    /// The column to look at.
    pub column: String,
    /// The text it must hold.
    pub value: String,
}

/// Named point sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Design {
    /// −1 + 2i/(n−1): both ends included
    Equispaced,
    /// −1 + (2i+1)/n: the DCT-II nodes
    Midpoint,
    /// n draws from the uniform law, sorted
    Uniform,
    /// −cos(π(2i+1)/(2n)): Chebyshev points of the first kind
    Chebyshev,
}

impl Curve {
    /// Everything that can be said against the table without reading a file.
    pub(super) fn complaints(&self) -> Vec<(&'static str, String)> {
        let mut out = Vec::new();
        let mut say = |key, message: &str| out.push((key, message.to_owned()));
        let sources = [self.design.is_some(), self.x.is_some(), self.file.is_some()];
        match sources.iter().filter(|s| **s).count() {
            0 => say("design", "no points: give `design` with `samples`, explicit `x`, or a `file`"),
            1 => {}
            _ => say(
                if self.file.is_some() { "file" } else { "x" },
                "points are given twice: keep one of `design`, `x` and `file`",
            ),
        }
        if self.design.is_some() && self.samples.is_none() {
            say("design", "a named design needs `samples`, a whole number from 1 to 100000");
        }
        if self.design.is_none() && self.samples.is_some() {
            say("samples", "`samples` belongs to a named `design`; explicit points and files bring their own number");
        }
        if self.design == Some(Design::Equispaced) && self.samples.is_some_and(|s| s.get() == 1) {
            say("samples", "an equispaced design has both ends, so it needs at least 2 samples, found 1");
        }
        if self.file.is_none() {
            for (key, given) in [
                ("x_column", self.x_column.is_some()),
                ("y_column", self.y_column.is_some()),
                ("select", self.select.is_some()),
                ("replicate_column", self.replicate_column.is_some()),
            ] {
                if given {
                    say(key, &format!("`{key}` belongs to a `file`, and there is none"));
                }
            }
        }
        if self.file.is_some() && self.y.is_some() {
            say("y", "explicit `y` goes with explicit `x`; a file brings its own values");
        }
        if self.design.is_some() && self.y.is_some() {
            say("y", "explicit `y` goes with explicit `x`, not with a named design");
        }
        let file_values = self.file.is_some() && self.y_column.as_deref() != Some("");
        let given_values = self.y.is_some() || file_values;
        if !given_values && self.target.is_none() {
            say("target", "no values: give a `target` (line, polynomial, sine, runge, step) or explicit `y`");
        }
        if given_values && self.noise.is_some() {
            say("noise", "the values are given, so no noise is added to them: remove `noise`, or the values");
        }
        if given_values && self.offsets.is_some() {
            say("offsets", "the values are given, so no offsets are added to them: remove `offsets`, or the values");
        }
        if self.noise.is_some() && self.offsets.is_some() {
            say("offsets", "noise is given twice: keep one of `noise` (Gaussian) and `offsets` (explicit)");
        }
        let count = self.x.as_ref().map(Vec::len).or(self.samples.map(Samples::size));
        if self.x.as_ref().is_some_and(Vec::is_empty) {
            say("x", "an empty list: at least 1 point is needed");
        }
        for (key, length) in [("y", self.y.as_ref().map(Vec::len)), ("offsets", self.offsets.as_ref().map(Vec::len))] {
            if let (Some(length), Some(count)) = (length, count)
                && length != count
            {
                say(key, &format!("{length} entries for {count} points: one entry per point"));
            }
        }
        if let Some([a, b]) = self.domain {
            if a.get() >= b.get() {
                say("domain", "expected [a, b] with a < b");
            }
            if self.design.is_some() {
                say("domain", "a named design already lives on [-1, 1]: remove `domain`");
            }
        } else if let Some(x) = &self.x
            && let Some(outside) = x.iter().find(|x| x.get().abs() > 1.0)
        {
            say(
                "x",
                &format!(
                    "point {} is outside [-1, 1]: say `domain = [a, b]` to map your interval there",
                    outside.get()
                ),
            );
        }
        out
    }

    /// Whether each replicate draws its own points or noise.
    pub fn is_random(&self) -> bool {
        self.has_random_design() || self.noise.is_some_and(|noise| noise.get() > 0.0)
    }

    /// Whether each replicate has its own points (not only its own noise).
    pub fn has_random_design(&self) -> bool {
        self.design == Some(Design::Uniform) || self.replicate_column.is_some()
    }

    /// Whether the law of the noise on the values is known: none is, where values or offsets are given.
    pub(super) fn has_known_noise(&self) -> bool {
        let in_file = self.file.is_some() && self.y_column.as_deref() != Some("");
        self.y.is_none() && self.offsets.is_none() && !in_file
    }

    /// The data of one replicate; `points` holds the file's, where there is one.
    pub(super) fn draw(&self, seed: u64, replicate: u64, points: Option<&TablePoints>) -> Result<Drawn, String> {
        let (x, y) = self.points(seed, replicate, points)?;
        let noise = self.noise.filter(|_| self.has_known_noise()).map(NonNegative::get);
        Ok(Drawn {
            on_line: true,
            target: self.target.clone(),
            noise_variance: noise.map(|noise| noise * noise),
            ..Drawn::of(DMatrix::from_column_slice(x.len(), 1, &x), y)
        })
    }

    /// Maps `domain` to \[-1, 1\].
    ///
    /// # Errors
    /// A sentence, if a point lies outside.
    pub(super) fn map_domain(&self, x: &mut [f64]) -> Result<(), String> {
        if let Some([a, b]) = self.domain {
            let (a, b) = (a.get(), b.get());
            x.iter_mut().for_each(|value| *value = -1.0 + 2.0 * (*value - a) / (b - a));
        }
        match x.iter().find(|x| x.abs() > 1.0) {
            Some(outside) => Err(format!(
                "point {outside} (after `domain`, if any) is outside [-1, 1]: say `domain = [a, b]` to map your interval there"
            )),
            None => Ok(()),
        }
    }

    /// The points of one replicate; `table` holds the file's, where there is one.
    ///
    /// Streams: `data-design` for drawn points, `data-noise` for noise; neither depends on the
    /// model, so cells that differ in anything else share their data.
    ///
    /// # Errors
    /// A sentence, if a file's points lie outside the domain or their number does not fit `offsets`.
    pub fn points(
        &self,
        seed: u64,
        replicate: u64,
        table: Option<&TablePoints>,
    ) -> Result<(Vec<f64>, Vec<f64>), String> {
        let samples = self.samples.map_or(0, Samples::size);
        let mut x = match (self.design, &self.x, table) {
            (Some(design), _, _) => design.points(samples, seed, replicate),
            (None, Some(x), _) => x.iter().map(|x| x.get()).collect(),
            (None, None, Some(table)) => table.inputs.first().cloned().unwrap_or_default(),
            (None, None, None) => Vec::new(),
        };
        if x.is_empty() {
            return Err("no points: at least 1 is needed".to_owned());
        }
        self.map_domain(&mut x)?;
        let given = self.y.as_ref().map(|y| y.iter().map(|y| y.get()).collect::<Vec<_>>());
        if let Some(y) = given.or_else(|| table.and_then(|t| t.y.clone())) {
            return Ok((x, y));
        }
        let Some(target) = &self.target else {
            return Err("no values: give a `target` or explicit `y`".to_owned());
        };
        let mut y: Vec<f64> = x.iter().map(|x| target.value(*x)).collect();
        if let Some(offsets) = &self.offsets {
            if offsets.len() != y.len() {
                return Err(format!("{} offsets for {} points: one offset per point", offsets.len(), y.len()));
            }
            for (value, offset) in y.iter_mut().zip(offsets) {
                *value += offset.get();
            }
        } else if let Some(noise) = self.noise {
            let mut draws = stream(seed, "data-noise", replicate);
            for value in &mut y {
                *value += noise.get() * normal(&mut draws);
            }
        }
        Ok((x, y))
    }
}

impl Design {
    fn points(self, n: usize, seed: u64, replicate: u64) -> Vec<f64> {
        let count = n as f64;
        match self {
            Self::Equispaced => (0..n).map(|i| -1.0 + 2.0 * i as f64 / (count - 1.0)).collect(),
            Self::Midpoint => (0..n).map(|i| ((2 * i + 1) as f64 - count) / count).collect(),
            Self::Chebyshev => (0..n).map(|i| -cos_pi((2 * i + 1) as f64 / (2.0 * count))).collect(),
            Self::Uniform => {
                let mut draws = stream(seed, "data-design", replicate);
                let mut x: Vec<f64> = (0..n).map(|_| 2.0 * uniform(&mut draws) - 1.0).collect();
                x.sort_by(f64::total_cmp);
                x
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn midpoints_are_the_dct_nodes() {
        let x = Design::Midpoint.points(10, 0, 0);
        assert!((x[0] + 0.9).abs() < 1e-16 && (x[9] - 0.9).abs() < 1e-16 && (x[3] + 0.3).abs() < 1e-16);
    }

    #[test]
    fn drawn_points_depend_on_the_replicate_only() {
        let a = Design::Uniform.points(20, 5, 1);
        assert_eq!(a, Design::Uniform.points(20, 5, 1));
        assert_ne!(a, Design::Uniform.points(20, 5, 2));
        assert!(a.windows(2).all(|w| w[0] <= w[1]) && a.iter().all(|x| x.abs() <= 1.0));
    }

    #[test]
    fn points_given_twice_are_refused() {
        let curve = Curve {
            design: Some(Design::Midpoint),
            samples: Some(Samples::try_from(3.0).unwrap()),
            x: Some(vec![Finite::default()]),
            target: Some(Target::Runge { scale: Positive1() }),
            ..Curve::default()
        };
        assert_eq!(curve.complaints()[0].0, "x");
    }

    #[allow(non_snake_case)]
    fn Positive1() -> crate::Positive {
        crate::Positive::try_from(1.0).unwrap()
    }
}
