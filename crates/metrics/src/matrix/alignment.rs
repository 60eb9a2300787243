//! How far a predictor shares the modes of what is to be learned.

use crate::{MatrixProbe, MetricDef, Needs};

/// ‖UᵀWV − diag‖_F.
pub(crate) static OFF_DIAGONAL_MASS: MetricDef = MetricDef {
    name: "off_diagonal_mass",
    unit: "y/x",
    doc: "‖UᵀWV − diag(UᵀWV)‖_F with U, V the singular vectors of Syx Sxx^(−1/2), or of the teacher where entries or \
          measurements are seen; null modes left out; 0 while the modes are learned one by one. Not defined between \
          modes of equal strength",
    cite: "Saxe, McClelland and Ganguli 2014",
    needs: Needs { modes: true, ..Needs::MATRIX },
    integer: false,
    wiggliness: false,
    quadratic: false,
    eval_into: |_, _| {},
    of_matrix: Some(off_diagonal_mass),
};

fn off_diagonal_mass(probe: &MatrixProbe<'_>, out: &mut [f64]) {
    let modes = probe.setting().target_modes().expect("the needs are met");
    probe.per_predictor(out, |w| {
        let mut projected = modes.projected(w.as_slice());
        projected.fill_diagonal(0.0);
        projected.norm()
    });
}
