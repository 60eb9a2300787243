//! A symmetric factorisation.

use super::{Kind, Parametrization, Shape, Tensor};
use crate::{Entry, Samples};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taut_numerics::{Factor, add_transpose_into, gram_into, lane_product_into};

pub(super) const ENTRY: Entry = Entry {
    name: "symmetric",
    doc: "β = UUᵀ with U of `width` columns, for predictors that map a space to itself",
    cite: "Gunasekar et al. 2017",
};

/// Settings of a symmetric factorisation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Symmetric {
    /// Columns of U; default as many as rows.
    pub width: Option<Samples>,
}

struct SymmetricKind(Symmetric);

pub(super) fn kind(settings: &Symmetric) -> impl Kind + use<> {
    SymmetricKind(*settings)
}

impl Kind for SymmetricKind {
    fn misfit(&self, inputs: usize, outputs: usize) -> Option<[String; 2]> {
        (inputs != outputs).then(|| {
            let message = format!("UUᵀ is square, but the predictor has {outputs} rows and {inputs} columns");
            [message, "use data with as many outputs as inputs, or { deep-linear = { depth = 2 } }".to_owned()]
        })
    }

    fn build(&self, shape: Shape) -> Box<dyn Parametrization> {
        let width = self.0.width.map_or(shape.inputs, Samples::size);
        Box::new(Square { size: shape.outputs, width, lanes: shape.lanes, sum: vec![0.0; shape.slots()] })
    }
}

struct Square {
    size: usize,
    width: usize,
    lanes: usize,
    /// A matrix plus its transpose.
    sum: Vec<f64>,
}

impl Square {
    fn factor<'a>(&self, u: &'a [f64]) -> Factor<'a> {
        Factor::new(u, self.size, self.width)
    }
}

impl Parametrization for Square {
    fn tensors(&self) -> Vec<Tensor> {
        vec![Tensor::new("U", self.size, self.width)]
    }

    fn predictor_into(&mut self, theta: &[f64], beta: &mut [f64]) {
        gram_into(theta, [self.size, self.width], beta, self.lanes);
    }

    fn pullback_into(&mut self, theta: &[f64], g: &[f64], gradient: &mut [f64]) {
        add_transpose_into(g, self.size, &mut self.sum, self.lanes);
        let sum = Factor::new(&self.sum, self.size, self.size);
        lane_product_into(sum, self.factor(theta), gradient, self.lanes, false);
    }

    fn pushforward_into(&mut self, theta: &[f64], v: &[f64], tangent: &mut [f64]) {
        let (u, v) = (self.factor(theta), self.factor(v));
        lane_product_into(v, u.transposed(), tangent, self.lanes, false);
        lane_product_into(u, v.transposed(), tangent, self.lanes, true);
    }

    fn second_pullback_into(&mut self, theta: &[f64], v: &[f64], g: &[f64], g_dot: &[f64], out: &mut [f64]) {
        add_transpose_into(g_dot, self.size, &mut self.sum, self.lanes);
        let bent = Factor::new(&self.sum, self.size, self.size);
        lane_product_into(bent, self.factor(theta), out, self.lanes, false);
        add_transpose_into(g, self.size, &mut self.sum, self.lanes);
        let sum = Factor::new(&self.sum, self.size, self.size);
        lane_product_into(sum, self.factor(v), out, self.lanes, true);
    }
}
