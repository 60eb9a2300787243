//! Small matrix problems with their starts, for the tests of this crate.

use crate::flow_integrator::Flow;
use crate::predictor_flow::loss_gradient;
use crate::reference_tables::Table;
use crate::{MatrixPremise, Prediction, TheoryDef};
use nalgebra::{DMatrix, DVector};
use taut_numerics::{normal, stream};
use taut_problem::{
    Clock, DeepLinear, Dynamics, MatrixLaw, MatrixProblem, Moments, Observed, ParametrizationKind, TestOver,
};

/// A problem with what moves and where from.
pub(crate) struct MatrixCase {
    pub(crate) problem: MatrixProblem,
    pub(crate) parametrization: ParametrizationKind,
    pub(crate) start: Vec<f64>,
}

/// Whitened inputs with this Syx.
pub(crate) fn whitened(syx: DMatrix<f64>) -> MatrixProblem {
    let (outputs, inputs) = syx.shape();
    let observed = Observed::Moments(Moments { sxx: None, syx, trace_syy: None, samples: None });
    MatrixProblem { inputs, outputs, observed, teacher: None, test: TestOver::Inputs(None), law: None }
}

/// A square matrix with this diagonal.
pub(crate) fn diagonal(entries: &[f64]) -> DMatrix<f64> {
    DMatrix::from_diagonal(&DVector::from_column_slice(entries))
}

/// Independent N(0, 1) entries.
pub(crate) fn gaussian(rows: usize, columns: usize, replicate: u64) -> DMatrix<f64> {
    let mut stream = stream(11, "theory matrix", replicate);
    DMatrix::from_fn(rows, columns, |_, _| normal(&mut stream))
}

impl MatrixCase {
    /// Factors W₁, …, W_N.
    pub(crate) fn deep(syx: DMatrix<f64>, factors: &[DMatrix<f64>]) -> Self {
        let widths: Vec<usize> = factors[..factors.len() - 1].iter().map(DMatrix::nrows).collect();
        Self {
            problem: whitened(syx),
            parametrization: ParametrizationKind::DeepLinear(DeepLinear::of_widths(&widths)),
            start: factors.iter().flat_map(|factor| factor.as_slice().to_vec()).collect(),
        }
    }

    /// W itself.
    pub(crate) fn direct(syx: DMatrix<f64>, start: &[f64]) -> Self {
        Self { problem: whitened(syx), parametrization: ParametrizationKind::Direct, start: start.to_vec() }
    }

    /// `{prefix}Syx`, `{prefix}W1`, … and perhaps `{prefix}teacher` of a reference table.
    pub(crate) fn file(name: &str, prefix: &str, widths: &[usize]) -> Self {
        let tensors = Table::tensors(name);
        let get = |tensor: &str| tensors.get(&format!("{prefix}{tensor}")).cloned();
        let factors: Vec<DMatrix<f64>> = (1..=widths.len() + 1).map(|l| get(&format!("W{l}")).unwrap()).collect();
        let mut case = Self::deep(get("Syx").unwrap(), &factors);
        case.problem.teacher = get("teacher");
        case
    }

    /// The same solution under Sxx = cI.
    pub(crate) fn scaled(mut self, c: f64) -> Self {
        let Observed::Moments(moments) = &mut self.problem.observed else { unreachable!("made of moments") };
        moments.sxx = Some(DMatrix::identity(moments.syx.ncols(), moments.syx.ncols()) * c);
        moments.syx *= c;
        self
    }

    /// The same under this law.
    pub(crate) fn under(mut self, law: MatrixLaw) -> Self {
        self.problem.law = Some(law);
        self
    }

    /// A theory's answer at these clocks.
    pub(crate) fn predict(&self, theory: &TheoryDef, dynamics: &Dynamics, clocks: &[Clock]) -> Prediction {
        let times = dynamics.times(clocks);
        theory.of_matrix(&MatrixPremise {
            problem: &self.problem,
            parametrization: &self.parametrization,
            dynamics,
            start: &self.start,
            clocks,
            times: &times,
        })
    }

    /// A theory's answer for gradient flow at these times.
    pub(crate) fn under_flow(&self, theory: &TheoryDef, times: &[f64]) -> Prediction {
        let clock = |t: &f64| if t.is_finite() { Clock::Time(*t) } else { Clock::Limit };
        self.predict(theory, &Dynamics::flow(), &times.iter().map(clock).collect::<Vec<_>>())
    }
}

/// W at these times along the flow of all factors, dW_l/dt = −(W_N⋯W_{l+1})ᵀ E (W_{l−1}⋯W₁)ᵀ, by integration.
pub(crate) fn factor_flow(case: &MatrixCase, layers: &[DMatrix<f64>], times: &[f64]) -> Vec<DMatrix<f64>> {
    let split = |theta: &[f64]| -> Vec<DMatrix<f64>> {
        let mut rest = theta;
        let of = |layer: &DMatrix<f64>| {
            let (own, after) = rest.split_at(layer.len());
            rest = after;
            DMatrix::from_column_slice(layer.nrows(), layer.ncols(), own)
        };
        layers.iter().map(of).collect()
    };
    let chain = |layers: &[DMatrix<f64>], size: usize| {
        layers.iter().fold(DMatrix::identity(size, size), |product, layer| layer * product)
    };
    let mut flow = Flow::new(case.start.clone(), 1e-13, 200_000, |theta, slope| {
        let layers = split(theta);
        let error = loss_gradient(&case.problem, &chain(&layers, case.problem.inputs));
        let mut slopes = Vec::new();
        for l in 0..layers.len() {
            let above = chain(&layers[l + 1..], layers[l].nrows());
            let below = chain(&layers[..l], case.problem.inputs);
            slopes.extend_from_slice((-above.tr_mul(&error) * below.transpose()).as_slice());
        }
        slope.copy_from_slice(&slopes);
    });
    times.iter().map(|t| chain(&split(flow.at(*t).unwrap()), case.problem.inputs)).collect()
}
