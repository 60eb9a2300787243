//! How parameters make a predictor: θ ↦ β, one file per parametrization and one line in the list below.

use crate::{Entry, Samples};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taut_numerics::{DMatrix, subtract_scaled};

/// θ ↦ β with its derivatives: the geometry that biases training.
///
/// β is an outputs × inputs matrix. Parameters are tensors, one after the other. Every tensor, β, and all
/// that is like them, is column-major, with the lanes of one entry side by side. Called once per step by
/// the stepped trainers, and once per product with a Hessian by whoever measures curvature. A parametrization
/// remembers what it has computed at θ, which the later calls at the same θ use.
pub trait Parametrization: Send {
    /// The tensors that θ is made of.
    fn tensors(&self) -> Vec<Tensor>;

    /// β(θ).
    fn predictor_into(&mut self, theta: &[f64], beta: &mut [f64]);

    /// From now on `descend` meets a g that is zero but at these entries of β, after `predictor_seen_into`.
    fn restrict(&mut self, places: &[usize]) {
        let _ = places;
    }

    /// β(θ) at the entries that [`Parametrization::restrict`] names, where less work does for them; the others may be anything.
    fn predictor_seen_into(&mut self, theta: &[f64], beta: &mut [f64]) {
        self.predictor_into(theta, beta);
    }

    /// Jᵀg with J = ∂β/∂θ; `predictor_into` was last called at the same θ.
    fn pullback_into(&mut self, theta: &[f64], g: &[f64], gradient: &mut [f64]);

    /// θ ← θ − s∘Jᵀg with one factor s per lane; `predictor_into` or `predictor_seen_into` was last called at the same θ.
    /// Overwrites `gradient`.
    ///
    /// The same bits as a pullback followed by the update, for whoever can do both at once; where only some entries are
    /// seen, the same but for rounding.
    fn descend(&mut self, s: &[f64], g: &[f64], theta: &mut [f64], gradient: &mut [f64]) {
        self.pullback_into(theta, g, gradient);
        subtract_scaled(s, gradient, theta);
    }

    /// Jv; `predictor_into` was last called at the same θ.
    fn pushforward_into(&mut self, theta: &[f64], v: &[f64], tangent: &mut [f64]);

    /// Jᵀġ + Σₖ gₖ∇²βₖ v: with g = ∂L/∂β and ġ = ∇²L·Jv, the Hessian of L ∘ β times v.
    ///
    /// At the same θ, `pullback_into` was last called with `g` and `pushforward_into` with `v`.
    fn second_pullback_into(&mut self, theta: &[f64], v: &[f64], g: &[f64], g_dot: &[f64], out: &mut [f64]);
}

/// One block of the parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    /// Its name in files and in the table `parameters`.
    pub name: String,
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub columns: usize,
}

impl Tensor {
    /// A tensor by its name and shape.
    pub fn new(name: impl Into<String>, rows: usize, columns: usize) -> Self {
        Self { name: name.into(), rows, columns }
    }

    /// The number of its entries.
    pub fn len(&self) -> usize {
        self.rows * self.columns
    }

    /// θ, taken apart into the matrices that it is made of.
    ///
    /// # Panics
    /// If θ has fewer entries than they do.
    pub fn matrices(tensors: &[Self], theta: &[f64]) -> Vec<DMatrix<f64>> {
        let mut rest = theta;
        let next = |tensor: &Self| {
            let (here, after) = rest.split_at(tensor.len());
            rest = after;
            DMatrix::from_column_slice(tensor.rows, tensor.columns, here)
        };
        tensors.iter().map(next).collect()
    }

    /// Whether it has no entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The shape of a predictor, and how many stand side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Columns of β: features, or inputs.
    pub inputs: usize,
    /// Rows of β.
    pub outputs: usize,
    /// Lanes.
    pub lanes: usize,
}

impl Shape {
    /// Entries of β times lanes.
    pub fn slots(self) -> usize {
        self.inputs * self.outputs * self.lanes
    }
}

/// What the file of a parametrization says of it.
pub(crate) trait Kind {
    /// Why it does not go with a predictor of this shape, and one thing to try.
    fn misfit(&self, inputs: usize, outputs: usize) -> Option<[String; 2]>;

    /// The parametrization itself.
    fn build(&self, shape: Shape) -> Box<dyn Parametrization>;
}

/// Makes the enum that a study is read into, and the table that is listed, from one line per parametrization.
macro_rules! parametrizations {
    ($($(#[$doc:meta])* $module:ident :: $Name:ident $(($bind:ident: $Settings:ident))?,)*) => {
        $(mod $module;)*
        $($(pub use $module::$Settings;)?)*

        /// The parametrizations that a study can name.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields)]
        pub enum ParametrizationKind {
            $($(#[$doc])* $Name $(($module::$Settings))?,)*
        }

        /// Every parametrization.
        pub static PARAMETRIZATIONS: &[Entry] = &[$($module::ENTRY,)*];

        impl ParametrizationKind {
            fn kind(&self) -> Box<dyn Kind + '_> {
                match self {
                    $(Self::$Name $(($bind))? => Box::new($module::kind($($bind)?)),)*
                }
            }

            /// The name as a study writes it.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$Name { .. } => $module::ENTRY.name,)*
                }
            }
        }
    };
}

parametrizations! {
    /// β = θ
    #[default]
    direct::Direct,
    /// β = W_N⋯W₁
    deep_linear::DeepLinear(settings: DeepLinear),
    /// β = UUᵀ
    symmetric::Symmetric(settings: Symmetric),
    /// β = u^D − v^D, entry by entry
    hadamard_power::HadamardPower(settings: HadamardPower),
    /// β = u∘v, entry by entry
    hadamard_product::HadamardProduct,
}

impl ParametrizationKind {
    /// Whether training moves the predictor itself.
    pub fn is_direct(&self) -> bool {
        *self == Self::Direct
    }

    /// N: how many factors multiply to an entry of β; 1 for the predictor itself.
    pub fn depth(&self, inputs: usize, outputs: usize) -> usize {
        match self {
            Self::Direct => 1,
            Self::DeepLinear(deep) => deep.sizes(inputs, outputs).len() - 1,
            Self::Symmetric(_) | Self::HadamardProduct => 2,
            Self::HadamardPower(power) => power.depth.size(),
        }
    }

    /// Why it does not go with a predictor of this shape, and one thing to try.
    pub fn misfit(&self, inputs: usize, outputs: usize) -> Option<[String; 2]> {
        self.kind().misfit(inputs, outputs)
    }

    /// The parametrization itself.
    pub fn build(&self, shape: Shape) -> Box<dyn Parametrization> {
        self.kind().build(shape)
    }

    /// The tensors that θ is made of.
    pub fn tensors(&self, inputs: usize, outputs: usize) -> Vec<Tensor> {
        self.build(Shape { inputs, outputs, lanes: 1 }).tensors()
    }

    /// The number of parameters; cheap, for plans ask it of every cell.
    pub fn parameters(&self, inputs: usize, outputs: usize) -> usize {
        match self {
            Self::Direct => inputs * outputs,
            Self::DeepLinear(deep) => deep.sizes(inputs, outputs).windows(2).map(|ends| ends[0] * ends[1]).sum(),
            Self::Symmetric(symmetric) => inputs * symmetric.width.map_or(inputs, Samples::size),
            Self::HadamardPower(_) | Self::HadamardProduct => 2 * inputs * outputs,
        }
    }

    /// β(θ) of one lane.
    pub fn predictor(&self, theta: &[f64], inputs: usize, outputs: usize) -> Vec<f64> {
        let mut beta = vec![0.0; inputs * outputs];
        self.build(Shape { inputs, outputs, lanes: 1 }).predictor_into(theta, &mut beta);
        beta
    }
}

/// x to a small whole power, by products: the same bits on every machine.
#[inline(always)]
pub(crate) fn power(x: f64, exponent: usize) -> f64 {
    (0..exponent).fold(1.0, |product, _| product * x)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(x: f64) -> Samples {
        Samples::try_from(x).unwrap()
    }

    fn listed() -> Vec<(ParametrizationKind, [usize; 2])> {
        let deep = |widths: &[f64]| {
            let widths = Some(widths.iter().map(|w| whole(*w)).collect());
            ParametrizationKind::DeepLinear(DeepLinear { widths, ..DeepLinear::default() })
        };
        let power = |depth| ParametrizationKind::HadamardPower(HadamardPower { depth: whole(depth) });
        vec![
            (ParametrizationKind::Direct, [4, 3]),
            (deep(&[]), [4, 3]),
            (deep(&[5.0]), [4, 3]),
            (deep(&[5.0, 2.0, 6.0]), [3, 4]),
            (ParametrizationKind::Symmetric(Symmetric { width: Some(whole(3.0)) }), [4, 4]),
            (power(1.0), [5, 1]),
            (power(2.0), [5, 1]),
            (power(3.0), [3, 2]),
            (ParametrizationKind::HadamardProduct, [5, 1]),
        ]
    }

    fn numbers(count: usize, seed: f64) -> Vec<f64> {
        (0..count).map(|i| (i as f64 * 0.7 + seed).sin()).collect()
    }

    fn dot(a: &[f64], b: &[f64]) -> f64 {
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    }

    #[test]
    fn every_parametrization_is_tested() {
        for entry in PARAMETRIZATIONS {
            assert!(listed().iter().any(|(kind, _)| kind.name() == entry.name), "{}", entry.name);
        }
    }

    #[test]
    fn parameters_are_counted_without_building_them() {
        for (kind, [inputs, outputs]) in listed() {
            let entries: usize = kind.tensors(inputs, outputs).iter().map(Tensor::len).sum();
            assert_eq!(kind.parameters(inputs, outputs), entries, "{}", kind.name());
        }
    }

    #[test]
    fn derivatives_agree_with_differences_and_with_each_other() {
        for (kind, [inputs, outputs]) in listed() {
            let shape = Shape { inputs, outputs, lanes: 1 };
            let mut map = kind.build(shape);
            let size = kind.parameters(inputs, outputs);
            let (theta, v, g) = (numbers(size, 0.3), numbers(size, 1.1), numbers(shape.slots(), 2.2));
            let at = |map: &mut dyn Parametrization, h: f64| {
                let moved: Vec<f64> = theta.iter().zip(&v).map(|(t, v)| t + h * v).collect();
                let (mut beta, mut gradient) = (vec![0.0; shape.slots()], vec![0.0; size]);
                map.predictor_into(&moved, &mut beta);
                map.pullback_into(&moved, &g, &mut gradient);
                (beta, gradient)
            };
            let h = 1e-5;
            let (high, low) = (at(&mut *map, h), at(&mut *map, -h));
            let (_, gradient) = at(&mut *map, 0.0);
            let mut tangent = vec![0.0; shape.slots()];
            map.pushforward_into(&theta, &v, &mut tangent);
            // The pullback is the transpose of the pushforward.
            assert!((dot(&g, &tangent) - dot(&gradient, &v)).abs() < 1e-12, "{}", kind.name());
            for (i, t) in tangent.iter().enumerate() {
                assert!(((high.0[i] - low.0[i]) / (2.0 * h) - t).abs() < 1e-7, "{} push", kind.name());
            }
            let mut bent = vec![0.0; size];
            map.second_pullback_into(&theta, &v, &g, &vec![0.0; shape.slots()], &mut bent);
            for (i, b) in bent.iter().enumerate() {
                assert!(((high.1[i] - low.1[i]) / (2.0 * h) - b).abs() < 1e-7, "{} second", kind.name());
            }
            let g_dot = numbers(shape.slots(), 3.3);
            let (mut both, mut first) = (vec![0.0; size], vec![0.0; size]);
            map.second_pullback_into(&theta, &v, &g, &g_dot, &mut both);
            map.pullback_into(&theta, &g_dot, &mut first);
            for ((both, first), bent) in both.iter().zip(&first).zip(&bent) {
                assert!((both - first - bent).abs() < 1e-12, "{}", kind.name());
            }
        }
    }

    #[test]
    fn descent_is_a_pullback_and_an_update_bit_by_bit() {
        for (kind, [inputs, outputs]) in listed() {
            for lanes in [1, 3, 8] {
                let shape = Shape { inputs, outputs, lanes };
                let mut map = kind.build(shape);
                let size = kind.parameters(inputs, outputs) * lanes;
                let (before, g, s) = (numbers(size, 0.3), numbers(shape.slots(), 2.2), numbers(lanes, 4.4));
                let (mut beta, mut gradient, mut expected) = (g.clone(), before.clone(), before.clone());
                map.predictor_into(&before, &mut beta);
                map.pullback_into(&before, &g, &mut gradient);
                subtract_scaled(&s, &gradient, &mut expected);
                let mut theta = before.clone();
                map.descend(&s, &g, &mut theta, &mut gradient);
                let bits = |x: &[f64]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                assert_eq!(bits(&theta), bits(&expected), "{} in {lanes} lanes", kind.name());
            }
        }
    }

    #[test]
    fn entries_that_are_seen_are_those_of_the_product_and_move_the_same_weights() {
        for (widths, [inputs, outputs]) in [(vec![], [70, 70]), (vec![9.0], [68, 71]), (vec![66.0, 70.0], [75, 66])] {
            let deep = DeepLinear { widths: Some(widths.into_iter().map(whole).collect()), ..DeepLinear::default() };
            let kind = ParametrizationKind::DeepLinear(deep);
            let shape = Shape { inputs, outputs, lanes: 1 };
            let (mut dense, mut sparse) = (kind.build(shape), kind.build(shape));
            let places: Vec<usize> = (0..shape.slots()).filter(|place| place * 7 % 10 < 3).collect();
            sparse.restrict(&places);
            let mut theta = numbers(kind.parameters(inputs, outputs), 0.3);
            let mut expected = theta.clone();
            for _ in 0..3 {
                let step = |map: &mut dyn Parametrization, theta: &mut [f64]| {
                    let (mut beta, mut g) = (vec![0.0; shape.slots()], vec![0.0; shape.slots()]);
                    let mut gradient = vec![0.0; theta.len()];
                    map.predictor_seen_into(theta, &mut beta);
                    places.iter().for_each(|place| g[*place] = 0.01 * beta[*place]);
                    map.descend(&[0.1], &g, theta, &mut gradient);
                    places.iter().map(|place| beta[*place]).collect::<Vec<f64>>()
                };
                let (seen, all) = (step(&mut *sparse, &mut theta), step(&mut *dense, &mut expected));
                let largest = |x: &[f64]| x.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
                let close = |a: &[f64], b: &[f64]| {
                    let apart: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
                    largest(&apart) < 1e-12 * largest(b)
                };
                assert!(close(&seen, &all) && close(&theta, &expected), "{inputs} inputs, {outputs} outputs");
            }
        }
    }

    #[test]
    fn lanes_do_not_meet() {
        for (kind, [inputs, outputs]) in listed() {
            let size = kind.parameters(inputs, outputs);
            for lanes in [1, 8] {
                let shape = Shape { inputs, outputs, lanes };
                let mut map = kind.build(shape);
                let theta = numbers(size * lanes, 0.5);
                let mut beta = vec![0.0; shape.slots()];
                map.predictor_into(&theta, &mut beta);
                for lane in 0..lanes {
                    let own: Vec<f64> = theta.iter().skip(lane).step_by(lanes).copied().collect();
                    let alone = kind.predictor(&own, inputs, outputs);
                    for (i, b) in alone.iter().enumerate() {
                        assert!((b - beta[i * lanes + lane]).abs() < 1e-13, "{}", kind.name());
                    }
                }
            }
        }
    }
}
