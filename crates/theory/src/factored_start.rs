//! The factors of a deep linear network at its start, and targets seen through whitened inputs.

use crate::MatrixPremise;
use crate::singular_modes::SingularModes;
use nalgebra::DMatrix;
use taut_problem::{Observed, ParametrizationKind};

/// How far Sxx may be from I, and a start from balanced (relative to its size), to count as exact: what is left
/// after inputs are whitened, or factors composed, in 64 bits.
const ROUNDING: f64 = 1e-9;

/// W₁, …, W_N at the start; an error where the predictor is no product of factors.
pub(crate) fn factors(premise: &MatrixPremise<'_>) -> Result<Vec<DMatrix<f64>>, String> {
    let kind = premise.parametrization;
    if !matches!(kind, ParametrizationKind::DeepLinear(_)) {
        return Err(format!("the parametrization is {}, not deep-linear", kind.name()));
    }
    let mut rest = premise.start;
    let tensors = kind.tensors(premise.problem.inputs, premise.problem.outputs);
    let of = |tensor: &taut_problem::Tensor| {
        let (own, after) = rest.split_at(tensor.len());
        rest = after;
        DMatrix::from_column_slice(tensor.rows, tensor.columns, own)
    };
    Ok(tensors.iter().map(of).collect())
}

/// W_N⋯W₁.
pub(crate) fn product(factors: &[DMatrix<f64>]) -> DMatrix<f64> {
    factors[1..].iter().fold(factors[0].clone(), |product, factor| factor * product)
}

/// Why the start is not balanced: some D_l = W_{l+1}ᵀW_{l+1} − W_lW_lᵀ is not zero.
pub(crate) fn not_balanced(factors: &[DMatrix<f64>]) -> Option<String> {
    let gap = |pair: &[DMatrix<f64>]| (pair[1].tr_mul(&pair[1]) - &pair[0] * pair[0].transpose()).norm();
    let gap = factors.windows(2).map(gap).fold(0.0, f64::max);
    let size = factors.iter().map(DMatrix::norm_squared).fold(0.0, f64::max);
    (gap > ROUNDING * size).then(|| format!("the start is not balanced: a gap D_l has norm {gap}"))
}

/// Syx, if Sxx = I.
pub(crate) fn whitened_target<'a>(premise: &MatrixPremise<'a>) -> Result<&'a DMatrix<f64>, String> {
    let Observed::Moments(moments) = &premise.problem.observed else {
        return Err("entries or measurements are observed, not samples with whitened inputs".to_owned());
    };
    let away = moments.sxx.as_ref().map_or(0.0, |sxx| {
        let identity = DMatrix::identity(sxx.nrows(), sxx.ncols());
        (sxx - identity).amax()
    });
    if away > ROUNDING {
        return Err(format!("the inputs are not whitened: an entry of Sxx is {away} away from the identity"));
    }
    Ok(&moments.syx)
}

/// The singular modes of Syx, if Sxx = I and there are any.
pub(crate) fn target_modes(premise: &MatrixPremise<'_>) -> Result<SingularModes, String> {
    let modes = SingularModes::of(whitened_target(premise)?).filter(|modes| modes.rank() > 0);
    modes.ok_or_else(|| "the target has no singular values above rounding".to_owned())
}

/// N, for products of factors.
pub(crate) fn depth(premise: &MatrixPremise<'_>) -> Result<usize, String> {
    let kind = premise.parametrization;
    match kind {
        ParametrizationKind::DeepLinear(_) => Ok(kind.depth(premise.problem.inputs, premise.problem.outputs)),
        _ => Err(format!("the parametrization is {}, not deep-linear", kind.name())),
    }
}
