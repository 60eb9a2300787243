//! Energies: the integrals of squared derivatives over the domain.

use crate::family::Family;
use crate::lanes::{Lanes, fma, fma1, mul};
use crate::{MetricDef, Needs, Probe};
use taut_numerics::{Kernel, run_wide};
use taut_problem::Series;

const ENERGY: MetricDef = MetricDef {
    name: "",
    unit: "",
    doc: "",
    cite: "",
    needs: Needs::CURVE,
    integer: false,
    wiggliness: true,
    quadratic: true,
    eval_into: |_, _| {},
    of_matrix: None,
};

/// ∫f².
pub(crate) static VALUE_ENERGY: MetricDef = MetricDef {
    name: "value_energy",
    unit: "y²·x",
    doc: "∫f² over [-1, 1]; at least 0",
    wiggliness: false,
    eval_into: |probe, out| of_order(probe, 0, out),
    ..ENERGY
};

/// ∫f′².
pub(crate) static SLOPE_ENERGY: MetricDef = MetricDef {
    name: "slope_energy",
    unit: "y²/x",
    doc: "∫f′² over [-1, 1]; at least 0",
    eval_into: |probe, out| of_order(probe, 1, out),
    ..ENERGY
};

/// ∫f″².
pub(crate) static BENDING_ENERGY: MetricDef = MetricDef {
    name: "bending_energy",
    unit: "y²/x³",
    doc: "∫f″² over [-1, 1], the roughness that smoothing splines penalise; at least 0, and 0 for a straight line",
    cite: "Green and Silverman 1994",
    eval_into: |probe, out| of_order(probe, 2, out),
    ..ENERGY
};

/// ∫f‴².
pub(crate) static THIRD_DERIVATIVE_ENERGY: MetricDef = MetricDef {
    name: "third_derivative_energy",
    unit: "y²/x⁵",
    doc: "∫f‴² over [-1, 1]; at least 0, piece by piece for a spline",
    eval_into: |probe, out| of_order(probe, 3, out),
    ..ENERGY
};

/// ∫f″² above the least that any interpolant needs.
pub(crate) static EXCESS_BENDING_ENERGY: MetricDef = MetricDef {
    name: "excess_bending_energy",
    unit: "y²/x³",
    doc: "∫f″² minus the least ∫f″² of any function in the span of the features through the points; at least 0 for \
          interpolants, negative for smoother fits, null if the points cannot be interpolated",
    cite: "Green and Silverman 1994",
    needs: Needs { curve: true, interpolant: true, ..Needs::NOTHING },
    eval_into: excess,
    ..ENERGY
};

fn of_order(probe: &Probe<'_>, order: usize, out: &mut [f64]) {
    for (out, energies) in out.iter_mut().zip(probe.energies()) {
        *out = energies[order];
    }
}

fn excess(probe: &Probe<'_>, out: &mut [f64]) {
    let least = probe.setting().least_bending_energy().unwrap_or(f64::NAN);
    for (out, energies) in out.iter_mut().zip(probe.energies()) {
        *out = energies[2] - least;
    }
}

/// The four energies of every row.
pub(crate) fn energies(probe: &Probe<'_>) -> Vec<[f64; 4]> {
    if probe.is_spline() {
        return probe.snapshots().cubics.iter().map(crate::spline::energies).collect();
    }
    let curve = probe.curve();
    let mut out = vec![[0.0; 4]; probe.rows()];
    run_wide(Energies { family: &curve.family, canonical: probe.canonical(), stride: curve.stride, out: &mut out });
    out
}

struct Energies<'a> {
    family: &'a Family,
    canonical: &'a [f64],
    stride: usize,
    out: &'a mut [[f64; 4]],
}

impl Kernel for Energies<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { family, canonical, stride, out } = self;
        let mut c = vec![[0.0; 8]; family.len()];
        for (block, out) in out.chunks_mut(8).enumerate() {
            for lane in 0..8 {
                // The last block repeats its last row in the lanes that are left.
                let row = &canonical[(block * 8 + lane.min(out.len() - 1)) * stride..][..family.len()];
                for (c, value) in c.iter_mut().zip(row) {
                    c[lane] = *value;
                }
            }
            let sums = if matches!(family.series, Series::Legendre { .. }) {
                legendre_energies(&mut c, &family.norms)
            } else {
                harmonic_energies(&c, &family.omegas)
            };
            for (lane, out) in out.iter_mut().enumerate() {
                for order in 0..4 {
                    out[order] = 2.0 * sums[order][lane];
                }
            }
        }
    }
}

/// Σ c² of f, f′, f″, f‴ for eight rows. The coefficients of a derivative are
/// c′ₖ = √(2k+1)·Σ_{j>k, j−k odd} √(2j+1) cⱼ: sums of squares only, so never negative.
#[inline(always)]
fn legendre_energies(c: &mut [Lanes], norms: &[f64]) -> [Lanes; 4] {
    let mut sums = [[0.0; 8]; 4];
    for sum in &mut sums {
        let (mut odd, mut even) = ([0.0; 8], [0.0; 8]);
        let mut squares = [0.0; 8];
        for (c, norm) in c.iter_mut().zip(norms).rev() {
            squares = fma(*c, *c, squares);
            let next = fma1(*norm, *c, even);
            *c = mul([*norm; 8], odd);
            (odd, even) = (next, odd);
        }
        *sum = squares;
    }
    sums
}

#[inline(always)]
fn harmonic_energies(c: &[Lanes], omegas: &[f64]) -> [Lanes; 4] {
    let mut sums = [[0.0; 8]; 4];
    for (c, omega) in c.iter().zip(omegas) {
        let mut d = *c;
        for sum in &mut sums {
            *sum = fma(d, d, *sum);
            d = mul([*omega; 8], d);
        }
    }
    sums
}
