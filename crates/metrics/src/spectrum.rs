//! How a function's energy is spread over degrees or harmonics.

use crate::{MetricDef, Needs, Probe};

/// From this degree or harmonic on, a function counts as high.
const HIGH: usize = 6;

/// Share of the energy in high degrees.
pub(crate) static HIGH_DEGREE_SHARE: MetricDef = MetricDef {
    name: "high_degree_share",
    unit: "1",
    doc: "energy of degrees (harmonics) from 6 on over that of all from 1 on, in the orthonormal family of the \
          features (Legendre, Fourier, cosine): Σ_{k≥6} cₖ² / Σ_{k≥1} cₖ²; in [0, 1], and 0 for a constant",
    cite: "",
    needs: Needs { curve: true, coefficients: true, ..Needs::NOTHING },
    integer: false,
    wiggliness: true,
    quadratic: false,
    eval_into: high_degree_share,
    of_matrix: None,
};

/// H¹ norm in canonical coefficients.
pub(crate) static SOBOLEV_NORM: MetricDef = MetricDef {
    name: "sobolev_norm",
    unit: "y",
    doc: "√Σ (1 + k²) cₖ² over the coefficients cₖ of degree (harmonic) k in the orthonormal family of the features: \
          the Sobolev norm of order 1, up to constants, for harmonics; at least 0",
    cite: "",
    needs: Needs { curve: true, coefficients: true, ..Needs::NOTHING },
    integer: false,
    wiggliness: true,
    quadratic: false,
    eval_into: sobolev_norm,
    of_matrix: None,
};

fn high_degree_share(probe: &Probe<'_>, out: &mut [f64]) {
    let series = probe.curve().family.series;
    let first = |least: usize| (0..series.len()).find(|&k| series.frequency(k) >= least).unwrap_or(series.len());
    let (one, high) = (first(1), first(HIGH));
    for (out, c) in out.iter_mut().zip(probe.canonical_rows()) {
        let low = taut_numerics::sum_of_squares(&c[one..high]);
        let high = taut_numerics::sum_of_squares(&c[high..]);
        *out = if low + high > 0.0 { high / (low + high) } else { 0.0 };
    }
}

fn sobolev_norm(probe: &Probe<'_>, out: &mut [f64]) {
    let series = probe.curve().family.series;
    let mut weights = vec![0.0; probe.curve().stride];
    for (k, weight) in weights.iter_mut().enumerate().take(series.len()) {
        let frequency = series.frequency(k) as f64;
        *weight = 1.0 + frequency * frequency;
    }
    for (out, c) in out.iter_mut().zip(probe.canonical_rows()) {
        let mut parts = [0.0_f64; 8];
        for (c, weights) in c.chunks_exact(8).zip(weights.chunks_exact(8)) {
            for lane in 0..8 {
                parts[lane] += weights[lane] * c[lane] * c[lane];
            }
        }
        *out = crate::lanes::total(parts).sqrt();
    }
}
