//! A product of factors: the deep linear network.

use super::{Kind, Parametrization, Shape, Tensor};
use crate::{Entry, Samples};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taut_numerics::{Factor, lane_product_into};

pub(super) const ENTRY: Entry = Entry {
    name: "deep-linear",
    doc: "β = W_N⋯W₁, W_l of size d_l × d_{l−1}: `depth` factors with hidden `width`, or hidden `widths`",
    cite: "Saxe, McClelland and Ganguli 2014",
};

/// Settings of a product of factors.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeepLinear {
    /// The number of factors N, at least 1; not with `widths`.
    pub depth: Option<Samples>,
    /// The width of every hidden layer; default the larger of inputs and outputs. Not with `widths`.
    pub width: Option<Samples>,
    /// The width of each hidden layer, from the inputs up: one factor more than there are widths.
    pub widths: Option<Vec<Samples>>,
}

impl DeepLinear {
    /// Hidden layers of these widths.
    pub fn of_widths(widths: &[usize]) -> Self {
        let width = |w: &usize| Samples::try_from(*w as f64).expect("a width is at least 1");
        Self { widths: Some(widths.iter().map(width).collect()), ..Self::default() }
    }

    /// d₀, …, d_N.
    pub fn sizes(&self, inputs: usize, outputs: usize) -> Vec<usize> {
        let hidden = match &self.widths {
            Some(widths) => widths.iter().map(|w| w.size()).collect(),
            None => {
                let width = self.width.map_or(inputs.max(outputs), Samples::size);
                vec![width; self.depth.map_or(2, Samples::size) - 1]
            }
        };
        [vec![inputs], hidden, vec![outputs]].concat()
    }

    /// Settings that contradict each other, with the key that is about them.
    pub fn complaint(&self) -> Option<(&'static str, String)> {
        match (&self.widths, self.depth, self.width) {
            (Some(widths), Some(depth), _) if depth.size() != widths.len() + 1 => {
                let n = widths.len();
                Some(("depth", format!("{n} hidden widths make {} factors, and `depth` says {}", n + 1, depth.get())))
            }
            (Some(_), _, Some(_)) => {
                Some(("width", "the widths are given twice: keep one of `width` and `widths`".to_owned()))
            }
            (None, None, _) => {
                Some(("depth", "the number of factors is missing: give `depth`, or `widths`".to_owned()))
            }
            _ => None,
        }
    }
}

/// One start of more numbers than this fills a gigabyte.
const MOST_NUMBERS: f64 = 1e8;

struct DeepLinearKind<'a>(&'a DeepLinear);

pub(super) fn kind(settings: &DeepLinear) -> impl Kind + '_ {
    DeepLinearKind(settings)
}

impl Kind for DeepLinearKind<'_> {
    fn misfit(&self, inputs: usize, outputs: usize) -> Option<[String; 2]> {
        let sizes = self.0.sizes(inputs, outputs);
        let numbers: f64 = sizes.windows(2).map(|pair| pair[0] as f64 * pair[1] as f64).sum();
        (numbers > MOST_NUMBERS).then(|| {
            let message = format!("{} factors hold {numbers:.1e} numbers: at most {MOST_NUMBERS:.0e}", sizes.len() - 1);
            [
                message,
                "give a smaller `width` or `depth`; without `width` it is the larger of inputs and outputs".to_owned(),
            ]
        })
    }

    fn build(&self, shape: Shape) -> Box<dyn Parametrization> {
        Box::new(Product::new(self.0.sizes(shape.inputs, shape.outputs), shape.lanes))
    }
}

/// W_N⋯W₁ with everything that its derivatives share.
///
/// A predictor costs N − 1 products, a pullback after it 2(N − 1).
struct Product {
    lanes: usize,
    /// d₀, …, d_N.
    sizes: Vec<usize>,
    /// Where each factor begins, and where the last one ends, in slots.
    ends: Vec<usize>,
    /// W_l⋯W₁ for l = 2, …, N − 1.
    prefix: Vec<Vec<f64>>,
    /// W_{l+1}ᵀ⋯W_Nᵀg for l = 1, …, N − 1.
    back: Vec<Vec<f64>>,
    /// The derivative of `prefix` along v, and of W₁ to begin with.
    tangent: Vec<Vec<f64>>,
    /// The derivative of `back` along v: of one layer, and of the next.
    bend: [Vec<f64>; 2],
}

impl Product {
    fn new(sizes: Vec<usize>, lanes: usize) -> Self {
        let depth = sizes.len() - 1;
        let mut ends = vec![0];
        for l in 1..=depth {
            ends.push(ends[l - 1] + sizes[l] * sizes[l - 1] * lanes);
        }
        // Layer l of a thing that lives on layers 1 … N − 1.
        let layers = |from: usize| -> Vec<Vec<f64>> {
            (1..depth).map(|l| if l < from { Vec::new() } else { vec![0.0; sizes[l] * sizes[0] * lanes] }).collect()
        };
        let widest = sizes[1..].iter().max().copied().unwrap_or(0) * sizes[0] * lanes;
        Self {
            lanes,
            prefix: layers(2),
            back: layers(1),
            tangent: layers(2),
            bend: [vec![0.0; widest], vec![0.0; widest]],
            ends,
            sizes,
        }
    }

    fn depth(&self) -> usize {
        self.sizes.len() - 1
    }

    /// Where factor l lies in θ.
    fn range(&self, l: usize) -> std::ops::Range<usize> {
        self.ends[l - 1]..self.ends[l]
    }

    /// Factor l of θ.
    fn factor<'a>(&self, theta: &'a [f64], l: usize) -> Factor<'a> {
        Factor::new(&theta[self.range(l)], self.sizes[l], self.sizes[l - 1])
    }
}

/// W_l⋯W₁, where W₁ itself is not copied.
fn prefix_of<'a>(prefix: &'a [Vec<f64>], theta: &'a [f64], first: usize, l: usize) -> &'a [f64] {
    if l == 1 { &theta[..first] } else { &prefix[l - 1] }
}

impl Parametrization for Product {
    fn tensors(&self) -> Vec<Tensor> {
        (1..=self.depth()).map(|l| Tensor::new(format!("W{l}"), self.sizes[l], self.sizes[l - 1])).collect()
    }

    fn predictor_into(&mut self, theta: &[f64], beta: &mut [f64]) {
        let (depth, first) = (self.depth(), self.ends[1]);
        if depth == 1 {
            return beta.copy_from_slice(theta);
        }
        for l in 2..=depth {
            let factor = self.factor(theta, l);
            let (done, rest) = self.prefix.split_at_mut(l - 1);
            let below = Factor::new(prefix_of(done, theta, first, l - 1), self.sizes[l - 1], self.sizes[0]);
            let out = if l == depth { &mut *beta } else { &mut rest[0] };
            lane_product_into(factor, below, out, self.lanes, false);
        }
    }

    fn pullback_into(&mut self, theta: &[f64], g: &[f64], gradient: &mut [f64]) {
        let (depth, first, inputs) = (self.depth(), self.ends[1], self.sizes[0]);
        for l in (1..=depth).rev() {
            let range = self.range(l);
            if l == 1 {
                return gradient[range].copy_from_slice(if depth == 1 { g } else { &self.back[0] });
            }
            let (below, here) = self.back.split_at_mut(l - 1);
            let here = Factor::new(if l == depth { g } else { &here[0] }, self.sizes[l], inputs);
            let prefix = prefix_of(&self.prefix, theta, first, l - 1);
            let prefix = Factor::new(prefix, self.sizes[l - 1], inputs);
            lane_product_into(here, prefix.transposed(), &mut gradient[range], self.lanes, false);
            let factor = Factor::new(&theta[self.ends[l - 1]..self.ends[l]], self.sizes[l], self.sizes[l - 1]);
            lane_product_into(factor.transposed(), here, &mut below[l - 2], self.lanes, false);
        }
    }

    fn pushforward_into(&mut self, theta: &[f64], v: &[f64], tangent: &mut [f64]) {
        let (depth, first, inputs) = (self.depth(), self.ends[1], self.sizes[0]);
        if depth == 1 {
            return tangent.copy_from_slice(v);
        }
        for l in 2..=depth {
            let (factor, moved) = (self.factor(theta, l), self.factor(v, l));
            let (done, rest) = self.tangent.split_at_mut(l - 1);
            let below = Factor::new(prefix_of(&self.prefix, theta, first, l - 1), self.sizes[l - 1], inputs);
            let below_moved = Factor::new(prefix_of(done, v, first, l - 1), self.sizes[l - 1], inputs);
            let out = if l == depth { &mut *tangent } else { &mut rest[0] };
            lane_product_into(moved, below, out, self.lanes, false);
            lane_product_into(factor, below_moved, out, self.lanes, true);
        }
    }

    fn second_pullback_into(&mut self, theta: &[f64], v: &[f64], g: &[f64], g_dot: &[f64], out: &mut [f64]) {
        let (depth, first, inputs, lanes) = (self.depth(), self.ends[1], self.sizes[0], self.lanes);
        self.bend[0][..g_dot.len()].copy_from_slice(g_dot);
        for l in (1..=depth).rev() {
            let size = self.sizes[l] * inputs * lanes;
            let range = self.range(l);
            if l == 1 {
                out[range].copy_from_slice(&self.bend[0][..size]);
                return;
            }
            let here = Factor::new(if l == depth { g } else { &self.back[l - 1] }, self.sizes[l], inputs);
            let (bent, next) = self.bend.split_at_mut(1);
            let bent = Factor::new(&bent[0][..size], self.sizes[l], inputs);
            let below = Factor::new(prefix_of(&self.prefix, theta, first, l - 1), self.sizes[l - 1], inputs);
            let below_moved = Factor::new(prefix_of(&self.tangent, v, first, l - 1), self.sizes[l - 1], inputs);
            lane_product_into(bent, below.transposed(), &mut out[range.clone()], lanes, false);
            lane_product_into(here, below_moved.transposed(), &mut out[range], lanes, true);
            let factor = Factor::new(&theta[self.ends[l - 1]..self.ends[l]], self.sizes[l], self.sizes[l - 1]);
            let moved = Factor::new(&v[self.ends[l - 1]..self.ends[l]], self.sizes[l], self.sizes[l - 1]);
            let next = &mut next[0][..self.sizes[l - 1] * inputs * lanes];
            lane_product_into(moved.transposed(), here, next, lanes, false);
            lane_product_into(factor.transposed(), bent, next, lanes, true);
            self.bend.swap(0, 1);
        }
    }
}
