//! A product of factors: the deep linear network.

mod seen;

use super::{Kind, Parametrization, Shape, Tensor};
use crate::{Entry, Samples};
use schemars::JsonSchema;
use seen::Seen;
use serde::{Deserialize, Serialize};
use std::ops::Range;
use taut_numerics::{Aligned, Factor, lane_product_into, subtract_lane_product, subtract_scaled};

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

/// Where the loss sees at most this share of the entries, products at these are cheaper than whole ones: an entry costs
/// about twice as much by itself.
const SPARSE: f64 = 0.5;

/// Sizes up to this step in lanes, and have the same bits there as alone.
const SMALL: usize = 64;

/// W_N⋯W₁ with everything that its derivatives share.
///
/// A predictor costs N − 1 products, a pullback after it 2(N − 1). Products begin at the narrower end: with fewer
/// outputs than inputs, everything here is the network of the transposed factors W_Nᵀ, …, W₁ᵀ, whose product is βᵀ.
/// What is stored then is the transpose of what is named, so that θ, β and the gradients are not copied.
struct Product {
    lanes: usize,
    /// Whether factors are transposed and go from the outputs down.
    flipped: bool,
    /// d₀, …, d_N, or d_N, …, d₀ if flipped.
    sizes: Vec<usize>,
    /// Where factor l begins and ends in θ, in slots.
    ranges: Vec<Range<usize>>,
    /// W_l⋯W₁ for l = 2, …, N − 1.
    prefix: Vec<Aligned>,
    /// W_{l+1}ᵀ⋯W_Nᵀg for l = 2, …, N − 1; for l = 1 it is the gradient of W₁ and not kept.
    back: Vec<Aligned>,
    /// The derivative of `prefix` along v, and of W₁ to begin with.
    tangent: Vec<Aligned>,
    /// The derivative of `back` along v: of one layer, and of the next.
    bend: [Aligned; 2],
    /// Where only some entries are seen.
    seen: Option<Seen>,
}

impl Product {
    fn new(mut sizes: Vec<usize>, lanes: usize) -> Self {
        let depth = sizes.len() - 1;
        let flipped = sizes[depth] < sizes[0];
        let mut end = 0;
        let mut range = |pair: &[usize]| {
            let start = end;
            end += pair[0] * pair[1] * lanes;
            start..end
        };
        let mut ranges: Vec<Range<usize>> = sizes.windows(2).map(&mut range).collect();
        if flipped {
            sizes.reverse();
            ranges.reverse();
        }
        // Layer l of a thing that lives on layers 1 … N − 1.
        let layers = |from: usize| -> Vec<Aligned> {
            (1..depth).map(|l| Aligned::zeros(if l < from { 0 } else { sizes[l] * sizes[0] * lanes })).collect()
        };
        let widest = sizes[1..].iter().max().copied().unwrap_or(0) * sizes[0] * lanes;
        Self {
            lanes,
            flipped,
            prefix: layers(2),
            back: layers(2),
            tangent: layers(2),
            bend: [Aligned::zeros(widest), Aligned::zeros(widest)],
            ranges,
            sizes,
            seen: None,
        }
    }

    fn depth(&self) -> usize {
        self.sizes.len() - 1
    }

    /// Where factor l lies in θ.
    fn range(&self, l: usize) -> Range<usize> {
        self.ranges[l - 1].clone()
    }

    /// Something of d_l rows and as many columns as layer `from` is wide.
    fn matrix<'a>(&self, data: &'a [f64], l: usize, from: usize) -> Factor<'a> {
        let (rows, columns) = (self.sizes[l], self.sizes[from]);
        if self.flipped { Factor::new(data, columns, rows).transposed() } else { Factor::new(data, rows, columns) }
    }

    /// Factor l of θ.
    fn factor<'a>(&self, theta: &'a [f64], l: usize) -> Factor<'a> {
        self.matrix(&theta[self.range(l)], l, l - 1)
    }

    /// W_l⋯W₁, where W₁ itself is not copied.
    fn prefix<'a>(&self, prefix: &'a [Aligned], theta: &'a [f64], l: usize) -> Factor<'a> {
        self.matrix(if l == 1 { &theta[self.range(1)] } else { &prefix[l - 1] }, l, 0)
    }

    /// W_l⋯W₁ for l = 2, …, `last`, all but the predictor itself.
    fn multiply_up(&mut self, theta: &[f64], last: usize) {
        let mut prefix = std::mem::take(&mut self.prefix);
        for l in 2..=last {
            let (done, rest) = prefix.split_at_mut(l - 1);
            self.multiply(self.factor(theta, l), self.prefix(done, theta, l - 1), &mut rest[0], false);
        }
        self.prefix = prefix;
    }

    /// c ← ab, or c ← c + ab if `add`.
    fn multiply(&self, a: Factor<'_>, b: Factor<'_>, c: &mut [f64], add: bool) {
        let (a, b) = self.as_stored(a, b);
        lane_product_into(a, b, c, self.lanes, add);
    }

    /// The factors of ab as they make what is stored.
    fn as_stored<'a>(&self, a: Factor<'a>, b: Factor<'a>) -> (Factor<'a>, Factor<'a>) {
        if self.flipped { (b.transposed(), a.transposed()) } else { (a, b) }
    }

    /// W₁ and W₂ of θ, both to be changed.
    fn first_two<'a>(&self, theta: &'a mut [f64]) -> [&'a mut [f64]; 2] {
        let [first, second] = [self.range(1), self.range(2)];
        if first.start < second.start {
            let (low, high) = theta.split_at_mut(second.start);
            [&mut low[first], &mut high[..second.len()]]
        } else {
            let (low, high) = theta.split_at_mut(first.start);
            [&mut high[..first.len()], &mut low[second]]
        }
    }
}

impl Parametrization for Product {
    fn tensors(&self) -> Vec<Tensor> {
        let depth = self.depth();
        let tensor = |l: usize| {
            let name = format!("W{l}");
            if self.flipped {
                Tensor::new(name, self.sizes[depth - l], self.sizes[depth - l + 1])
            } else {
                Tensor::new(name, self.sizes[l], self.sizes[l - 1])
            }
        };
        (1..=depth).map(tensor).collect()
    }

    fn predictor_into(&mut self, theta: &[f64], beta: &mut [f64]) {
        let depth = self.depth();
        if depth == 1 {
            return beta.copy_from_slice(theta);
        }
        self.multiply_up(theta, depth - 1);
        self.multiply(self.factor(theta, depth), self.prefix(&self.prefix, theta, depth - 1), beta, false);
    }

    fn restrict(&mut self, places: &[usize]) {
        let depth = self.depth();
        let entries = self.sizes[0] * self.sizes[depth];
        if self.lanes > 1 || depth == 1 || places.len() as f64 > SPARSE * entries as f64 {
            return;
        }
        if self.sizes.iter().any(|size| *size > SMALL) {
            self.seen =
                Some(Seen::new([self.sizes[depth], self.sizes[depth - 1], self.sizes[0]], places, self.flipped));
        }
    }

    fn predictor_seen_into(&mut self, theta: &[f64], beta: &mut [f64]) {
        let Some(mut seen) = self.seen.take() else { return self.predictor_into(theta, beta) };
        let depth = self.depth();
        self.multiply_up(theta, depth - 1);
        let below = if depth == 2 { &theta[self.range(1)] } else { &self.prefix[depth - 2] };
        seen.predict(&theta[self.range(depth)], below, beta);
        self.seen = Some(seen);
    }

    fn pullback_into(&mut self, theta: &[f64], g: &[f64], gradient: &mut [f64]) {
        let depth = self.depth();
        if depth == 1 {
            return gradient.copy_from_slice(g);
        }
        let mut back = std::mem::take(&mut self.back);
        for l in (2..=depth).rev() {
            let (below, here) = back.split_at_mut(l - 1);
            let here = self.matrix(if l == depth { g } else { &here[0] }, l, 0);
            let prefix = self.prefix(&self.prefix, theta, l - 1);
            self.multiply(here, prefix.transposed(), &mut gradient[self.range(l)], false);
            let below = if l == 2 { &mut gradient[self.range(1)] } else { &mut below[l - 2] };
            self.multiply(self.factor(theta, l).transposed(), here, below, false);
        }
        self.back = back;
    }

    fn descend(&mut self, s: &[f64], g: &[f64], theta: &mut [f64], gradient: &mut [f64]) {
        let depth = self.depth();
        if depth == 1 {
            return subtract_scaled(s, g, theta);
        }
        let mut back = std::mem::take(&mut self.back);
        for l in (2..=depth).rev() {
            let (below, here) = back.split_at_mut(l - 1);
            if l == depth
                && let Some(seen) = &mut self.seen
            {
                let down = if l == 2 { &mut gradient[self.ranges[0].clone()] } else { &mut below[l - 2][..] };
                seen.descend(s[0], g, &mut theta[self.ranges[l - 1].clone()], down);
                if l == 2 {
                    subtract_scaled(s, down, &mut theta[self.range(1)]);
                }
                continue;
            }
            let here = self.matrix(if l == depth { g } else { &here[0] }, l, 0);
            // What goes down needs the factor that this layer is about to change.
            let below = if l == 2 { &mut gradient[self.range(1)] } else { &mut below[l - 2] };
            self.multiply(self.factor(theta, l).transposed(), here, below, false);
            if l == 2 {
                let [first, second] = self.first_two(theta);
                let (a, b) = self.as_stored(here, self.matrix(first, 1, 0).transposed());
                subtract_lane_product(s, a, b, second);
                subtract_scaled(s, below, first);
            } else {
                let (a, b) = self.as_stored(here, self.matrix(&self.prefix[l - 2], l - 1, 0).transposed());
                subtract_lane_product(s, a, b, &mut theta[self.range(l)]);
            }
        }
        self.back = back;
    }

    fn pushforward_into(&mut self, theta: &[f64], v: &[f64], tangent: &mut [f64]) {
        let depth = self.depth();
        if depth == 1 {
            return tangent.copy_from_slice(v);
        }
        let mut moved = std::mem::take(&mut self.tangent);
        for l in 2..=depth {
            let (done, rest) = moved.split_at_mut(l - 1);
            let out = if l == depth { &mut *tangent } else { &mut rest[0] };
            self.multiply(self.factor(v, l), self.prefix(&self.prefix, theta, l - 1), out, false);
            self.multiply(self.factor(theta, l), self.prefix(done, v, l - 1), out, true);
        }
        self.tangent = moved;
    }

    fn second_pullback_into(&mut self, theta: &[f64], v: &[f64], g: &[f64], g_dot: &[f64], out: &mut [f64]) {
        let depth = self.depth();
        let [mut bent, mut next] = std::mem::take(&mut self.bend);
        bent[..g_dot.len()].copy_from_slice(g_dot);
        for l in (2..=depth).rev() {
            let here = self.matrix(if l == depth { g } else { &self.back[l - 1] }, l, 0);
            let bend = self.matrix(&bent[..self.sizes[l] * self.sizes[0] * self.lanes], l, 0);
            let below = self.prefix(&self.prefix, theta, l - 1).transposed();
            let below_moved = self.prefix(&self.tangent, v, l - 1).transposed();
            self.multiply(bend, below, &mut out[self.range(l)], false);
            self.multiply(here, below_moved, &mut out[self.range(l)], true);
            let down = &mut next[..self.sizes[l - 1] * self.sizes[0] * self.lanes];
            self.multiply(self.factor(v, l).transposed(), here, down, false);
            self.multiply(self.factor(theta, l).transposed(), bend, down, true);
            std::mem::swap(&mut bent, &mut next);
        }
        let first = self.range(1);
        out[first.clone()].copy_from_slice(&bent[..first.len()]);
        self.bend = [bent, next];
    }
}
