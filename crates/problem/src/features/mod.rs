//! Feature maps x ↦ φ(x): one file each, one line in the enum and the table.

mod cosine;
mod fourier;
mod identity;
mod polynomial;
mod whitened;

pub use cosine::Cosine;
pub use fourier::Fourier;
pub use identity::Identity;
pub use polynomial::{Basis, Polynomial};
pub use whitened::RoughnessWhitened;

use crate::{Entry, Expansion};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use taut_numerics::{Mat, MatMut};

/// x ↦ φ(x), with derivatives.
///
/// `design_into` is called once per design by `problem`, and by suites that check derivatives.
pub trait FeatureMap: Send + Sync {
    /// The number of features p.
    fn features(&self) -> usize;

    /// The `order`-th derivatives (0, 1, 2) of all features at the points: `x` is points × inputs,
    /// `phi` points × features.
    fn design_into(&self, x: Mat<'_>, order: u8, phi: MatMut<'_>);

    /// The features in an orthonormal family on \[-1, 1\], for maps of one input.
    fn expansion(&self) -> Option<Expansion>;

    /// How many inputs these features are, if they are the first inputs themselves.
    fn first_inputs(&self) -> Option<usize> {
        None
    }
}

/// `model.features` of a study.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Features {
    /// Polynomials up to a degree, in one of six bases
    Polynomial(Polynomial),
    /// 1, √2 cos πjx, √2 sin πjx (period 2)
    Fourier(Fourier),
    /// 1, √2 cos(kπ(x+1)/2) (half-range cosine)
    Cosine(Cosine),
    /// Polynomials whose squared parameter norm is ∫f″² + ε∫f²
    RoughnessWhitened(RoughnessWhitened),
    /// The inputs themselves
    Identity,
    /// The first `count` inputs
    FirstInputs(FirstInputs),
}

/// How many of the inputs are features.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FirstInputs {
    /// The number of features p, at most that of the inputs.
    pub count: crate::Samples,
}

impl Features {
    /// The number of features p for so many inputs, without building the map.
    pub fn count(&self, inputs: usize) -> usize {
        match self {
            Self::Polynomial(map) => map.features(),
            Self::Fourier(map) => map.features(),
            Self::Cosine(map) => map.features(),
            Self::RoughnessWhitened(map) => map.degree.size() + 1,
            Self::Identity => inputs,
            Self::FirstInputs(first) => first.count.size(),
        }
    }

    /// How many features have at most this degree or harmonic, where features are ordered by it.
    pub fn up_to(&self, degree: usize) -> Option<usize> {
        let (count, all) = match self {
            Self::Polynomial(map) => (degree + usize::from(map.constant), map.features()),
            Self::Fourier(map) => (2 * degree + usize::from(map.constant), map.features()),
            Self::Cosine(map) => (degree + usize::from(map.constant), map.features()),
            _ => return None,
        };
        Some(count.min(all))
    }

    /// Why these features do not go with so many inputs, if they do not.
    pub fn misfit(&self, inputs: usize) -> Option<String> {
        match self {
            Self::FirstInputs(first) if first.count.size() > inputs => {
                Some(format!("{} of the inputs are asked for, but the data have {inputs}", first.count.get()))
            }
            Self::Identity | Self::FirstInputs(_) => None,
            _ if inputs != 1 => Some(format!("this feature map takes 1 input, but the data have {inputs}")),
            _ => None,
        }
    }

    /// Whether each replicate draws its own features.
    pub fn is_random(&self) -> bool {
        false
    }

    /// The map of one input that does not depend on the data or the replicate, if this is one.
    pub fn on_curve(&self) -> Option<Arc<dyn FeatureMap>> {
        match self {
            Self::Polynomial(map) => Some(Arc::new(map.clone())),
            Self::Fourier(map) => Some(Arc::new(map.clone())),
            Self::Cosine(map) => Some(Arc::new(map.clone())),
            Self::RoughnessWhitened(map) => Some(Arc::new(map.build())),
            Self::Identity | Self::FirstInputs(_) => None,
        }
    }

    /// The feature map for so many inputs; random features draw from the stream `features`.
    pub fn build(&self, inputs: usize, seed: u64, replicate: u64) -> Arc<dyn FeatureMap> {
        let _ = (seed, replicate);
        match self {
            Self::Identity => Arc::new(Identity { count: inputs }),
            Self::FirstInputs(first) => Arc::new(Identity { count: first.count.size() }),
            _ => self.on_curve().expect("all others are maps of one input"),
        }
    }
}

/// Every feature map.
pub static FEATURES: &[Entry] = &[
    Entry {
        name: "polynomial",
        doc: "degrees 0 to `degree` in a `basis`: monomial xᵏ, monomial01 ((x+1)/2)ᵏ, monomial-factorial xᵏ/√k!, \
              chebyshev Tₖ, legendre Pₖ, legendre-orthonormal √(2k+1)Pₖ; divided by (1+k)^decay",
        cite: "",
    },
    Entry {
        name: "fourier",
        doc: "1, √2 cos πjx, √2 sin πjx for j = 1 … `harmonics` (period 2); divided by (1+j)^decay",
        cite: "",
    },
    Entry {
        name: "cosine", doc: "1, √2 cos(kπ(x+1)/2) for k = 1 … `harmonics`; divided by (1+k)^decay", cite: ""
    },
    Entry {
        name: "roughness-whitened",
        doc: "polynomials up to `degree` turned so that |θ|² = ∫f″² + epsilon·∫f²: descent from zero then ends at \
              the least rough interpolant",
        cite: "Green and Silverman 1994",
    },
    Entry { name: "identity", doc: "φ(x) = x: every input is a feature", cite: "" },
    Entry {
        name: "first-inputs", doc: "φ(x) = (x₁, …, xₚ), p = `count`: the other inputs are not seen", cite: ""
    },
];

/// The factor 1/(1+k)^s of feature k.
pub(crate) fn decay_factor(k: usize, decay: f64) -> f64 {
    (1.0 + k as f64).powf(-decay)
}

#[cfg(test)]
mod tests {
    use super::*;
    use taut_numerics::DMatrix;

    fn listed() -> Vec<(String, Arc<dyn FeatureMap>)> {
        let degree = |d: f64| crate::Degree::try_from(d).unwrap();
        let harmonics = |h: f64| crate::Harmonics::try_from(h).unwrap();
        let decay = |s: f64| crate::NonNegative::try_from(s).unwrap();
        let mut out: Vec<(String, Arc<dyn FeatureMap>)> = Vec::new();
        for basis in Basis::ALL {
            for (s, constant) in [(0.0, true), (1.5, false)] {
                let map = Polynomial { basis, degree: degree(12.0), decay: decay(s), constant };
                out.push((format!("{basis:?} {s}"), Features::Polynomial(map).on_curve().unwrap()));
            }
        }
        for (s, constant) in [(0.0, true), (2.0, false)] {
            let fourier = Fourier { harmonics: harmonics(6.0), decay: decay(s), constant };
            let cosine = Cosine { harmonics: harmonics(9.0), decay: decay(s), constant };
            out.push((format!("fourier {s}"), Features::Fourier(fourier).on_curve().unwrap()));
            out.push((format!("cosine {s}"), Features::Cosine(cosine).on_curve().unwrap()));
        }
        let whitened = RoughnessWhitened { degree: degree(12.0), epsilon: crate::Positive::try_from(0.1).unwrap() };
        out.push(("whitened".into(), Features::RoughnessWhitened(whitened).on_curve().unwrap()));
        out
    }

    fn at(map: &dyn FeatureMap, x: &[f64], order: u8) -> DMatrix<f64> {
        let mut phi = DMatrix::zeros(x.len(), map.features());
        map.design_into(Mat::from_slice(x, x.len(), 1), order, phi.as_view_mut());
        phi
    }

    #[test]
    fn derivatives_match_finite_differences() {
        let h = 1e-5;
        for (name, map) in listed() {
            for x in [-0.83, -0.2, 0.0, 0.41, 0.9] {
                let around = at(&*map, &[x - h, x, x + h], 0);
                let (first, second) = (at(&*map, &[x], 1), at(&*map, &[x], 2));
                for k in 0..map.features() {
                    let (low, here, high) = (around[(0, k)], around[(1, k)], around[(2, k)]);
                    let scale = 1.0 + first[(0, k)].abs() + second[(0, k)].abs();
                    assert!(((high - low) / (2.0 * h) - first[(0, k)]).abs() < 1e-5 * scale, "{name} {k} first");
                    let curvature = (high - 2.0 * here + low) / (h * h);
                    assert!((curvature - second[(0, k)]).abs() < 1e-3 * scale, "{name} {k} second");
                }
            }
        }
    }

    #[test]
    fn expansions_give_the_same_functions() {
        let x = [-1.0, -0.77, -0.1, 0.0, 0.33, 0.98, 1.0];
        for (name, map) in listed() {
            let expansion = map.expansion().expect("a map of one input");
            assert_eq!(expansion.features(), map.features(), "{name}");
            for order in 0..=2 {
                let table = expansion.series.table(&x, order);
                let series = DMatrix::from_row_slice(expansion.series.len(), x.len(), &table);
                let expanded = (expansion.matrix() * series).transpose();
                let direct = at(&*map, &x, order);
                for k in 0..map.features() {
                    let scale = direct.column(k).amax().max(1e-300);
                    assert!((expanded.column(k) - direct.column(k)).amax() < 1e-11 * scale, "{name} {k} {order}");
                }
            }
        }
    }
}
