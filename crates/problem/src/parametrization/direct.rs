//! The predictor itself.

use super::{Kind, Parametrization, Shape, Tensor};
use crate::Entry;

pub(super) const ENTRY: Entry =
    Entry { name: "direct", doc: "β = θ: the parameters are the predictor's coefficients", cite: "" };

/// β = θ: training moves the predictor itself, and descent from zero is biased to small ‖θ‖₂.
struct Direct(Shape);

struct DirectKind;

pub(super) fn kind() -> impl Kind {
    DirectKind
}

impl Kind for DirectKind {
    fn misfit(&self, _inputs: usize, _outputs: usize) -> Option<[String; 2]> {
        None
    }

    fn build(&self, shape: Shape) -> Box<dyn Parametrization> {
        Box::new(Direct(shape))
    }
}

impl Parametrization for Direct {
    fn tensors(&self) -> Vec<Tensor> {
        // A single output is a column of coefficients, as everywhere in regression.
        let (rows, columns) = if self.0.outputs == 1 { (self.0.inputs, 1) } else { (self.0.outputs, self.0.inputs) };
        vec![Tensor::new("theta", rows, columns)]
    }

    fn predictor_into(&mut self, theta: &[f64], beta: &mut [f64]) {
        beta.copy_from_slice(theta);
    }

    fn pullback_into(&mut self, _theta: &[f64], g: &[f64], gradient: &mut [f64]) {
        gradient.copy_from_slice(g);
    }

    fn pushforward_into(&mut self, _theta: &[f64], v: &[f64], tangent: &mut [f64]) {
        tangent.copy_from_slice(v);
    }

    fn second_pullback_into(&mut self, _theta: &[f64], _v: &[f64], _g: &[f64], g_dot: &[f64], out: &mut [f64]) {
        out.copy_from_slice(g_dot);
    }
}
