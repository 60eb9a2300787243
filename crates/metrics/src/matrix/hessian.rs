//! The Hessian of the loss in the parameters.

use super::MatrixProbe;
use super::lanczos::{largest_eigenvalues, norms_into};
use super::landscape::Landscape;
use taut_numerics::{DMatrix, symmetric_eigenvalues};
use taut_problem::{ParametrizationKind, Task};

/// The largest eigenvalue of ∇²(L∘β) at every row.
pub(crate) fn sharpness(probe: &MatrixProbe<'_>, out: &mut [f64]) {
    let mut basis = Vec::new();
    probe.per_block(out, |landscape, out| {
        let start = start(landscape);
        let lanes = landscape.lanes();
        let values = largest_eigenvalues(&start, lanes, &mut basis, |v, out| landscape.hessian_into(v, out));
        out.copy_from_slice(&values[..out.len()]);
    });
}

/// Where to look first: along the gradient, along the image of a fixed direction under the Gauss–Newton matrix, and a
/// little along that direction itself, which no symmetry of the parameters makes orthogonal to an eigenvector.
fn start(landscape: &mut Landscape) -> Vec<f64> {
    let (lanes, parameters) = (landscape.lanes(), landscape.parameters());
    // Multiples of the golden ratio, modulo 1: spread evenly, and without repetition.
    let golden = |i: usize| (i as f64 * 0.618_033_988_749_894_9).fract() - 0.5;
    let generic: Vec<f64> = (1..=parameters).flat_map(|entry| std::iter::repeat_n(golden(entry), lanes)).collect();
    let mut curved = vec![0.0; parameters * lanes];
    landscape.gauss_newton_into(&generic, &mut curved);
    let gradient = landscape.find_gradient();
    let mut sum = vec![0.0; parameters * lanes];
    let mut weights = vec![0.0; lanes];
    for (part, weight) in [(gradient, 1.0), (&curved, 1.0), (&generic, 0.1)] {
        norms_into(part, &mut weights);
        // A part that vanishes, or underflows when squared, gives no direction.
        weights.iter_mut().for_each(|norm| *norm = if *norm > 0.0 { weight / *norm } else { 0.0 });
        for (sum, part) in sum.chunks_exact_mut(lanes).zip(part.chunks_exact(lanes)) {
            sum.iter_mut().zip(part).zip(&weights).for_each(|((sum, x), weight)| *sum += weight * x);
        }
    }
    sum
}

/// All eigenvalues of ∇²(L∘β) at θ, descending, by a dense decomposition.
///
/// θ holds the tensors of the parametrization one after the other, each column-major. Errors about eps times the
/// largest in magnitude. Costs P/8 products with the Hessian of eight lanes, O(P³) and 8P² bytes for P parameters:
/// a second for a thousand.
///
/// # Panics
/// If θ has another length, or is not finite.
pub fn hessian_spectrum(task: Task<'_>, kind: &ParametrizationKind, theta: &[f64]) -> Vec<f64> {
    let mut landscape = Landscape::new(task, kind);
    let (lanes, parameters) = (landscape.lanes(), landscape.parameters());
    assert_eq!(theta.len(), parameters, "one entry per parameter");
    landscape.place(&[theta]);
    landscape.find_gradient();
    let mut hessian = DMatrix::zeros(parameters, parameters);
    let mut unit = vec![0.0; parameters * lanes];
    let mut column = unit.clone();
    for first in (0..parameters).step_by(lanes) {
        let lanes_used = lanes.min(parameters - first);
        unit.fill(0.0);
        (0..lanes_used).for_each(|lane| unit[(first + lane) * lanes + lane] = 1.0);
        landscape.hessian_into(&unit, &mut column);
        for lane in 0..lanes_used {
            let entries = column.iter().skip(lane).step_by(lanes);
            hessian.column_mut(first + lane).iter_mut().zip(entries).for_each(|(h, x)| *h = *x);
        }
    }
    symmetric_eigenvalues(hessian.as_view())
}
