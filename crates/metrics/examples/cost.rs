//! Prints what measuring costs: microseconds per row and metric group, and per cell.
#![allow(clippy::print_stdout)]

use std::sync::Arc;
use std::time::Instant;
use taut_metrics::{Instruments, METRICS, MetricDef, Setting, Views, measure, metric};
use taut_numerics::{ThinSvd, normal, stream};
use taut_problem::{Basis, Cosine, FeatureMap, Features, Fourier, Polynomial, Regression, Snapshots, Span, Target};

const ROWS: usize = 200;
const GROUPS: [(&str, &[&str]); 9] = [
    ("fit", &["loss", "train_mse", "residual_rms", "residual_max"]),
    ("risk", &["risk"]),
    ("risk_in_hull", &["risk_in_hull"]),
    (
        "energies",
        &["value_energy", "slope_energy", "bending_energy", "third_derivative_energy", "excess_bending_energy"],
    ),
    ("counts, variation", &["total_variation", "turning_points", "inflections"]),
    ("arc_length (with grid)", &["arc_length"]),
    ("overshoot (with grid)", &["overshoot"]),
    ("spectrum", &["high_degree_share", "sobolev_norm"]),
    ("parameters", &["parameter_norm", "null_space_norm", "distance_to_min_norm", "degrees_of_freedom"]),
];

fn main() {
    for (name, features) in maps() {
        let cell = cell(&features);
        let svd = ThinSvd::new(cell.design.as_view());
        let instruments = Instruments::new(&*features);
        let all: Vec<&MetricDef> = METRICS.iter().collect();
        for (kind, snapshots) in [
            ("path", path(&cell, &svd)),
            ("path in modes", path_in_modes(&cell, &svd)),
            ("random", random(&cell, &svd)),
        ] {
            let cost = |metrics: &[&'static MetricDef]| {
                let setting = Setting::new(&instruments, &cell, &svd, metrics);
                let mut out = Vec::new();
                measure(Views { rows: Some(&setting), matrix: None }, &snapshots, metrics, &mut out);
                best(|| measure(Views { rows: Some(&setting), matrix: None }, &snapshots, metrics, &mut out))
                    / ROWS as f64
            };
            let mut line = format!("{name:>18} {kind:>13}: all {:6.2} µs/row", cost(&all));
            for (group, names) in GROUPS {
                let metrics: Vec<&MetricDef> = names.iter().map(|n| metric(n).expect("a listed metric")).collect();
                line += &format!(" | {group} {:.2}", cost(&metrics));
            }
            println!("{line}");
        }
        let mut one = Snapshots::series(features.features());
        one.push_series(&vec![0.0; features.features()], 0.0);
        let mut out = Vec::new();
        let mut setup = |metrics: &[&'static MetricDef]| {
            best(|| {
                let setting = Setting::new(&instruments, &cell, &svd, metrics);
                measure(Views { rows: Some(&setting), matrix: None }, &one, metrics, &mut out);
            })
        };
        let mut line = format!("{name:>18} setting and one row: {:6.1} µs", setup(&all));
        for (group, names) in GROUPS {
            let metrics: Vec<&MetricDef> = names.iter().map(|n| metric(n).expect("a listed metric")).collect();
            line += &format!(" | {group} {:.1}", setup(&metrics));
        }
        println!("{line}");
        println!("{name:>18} instruments: {:.0} µs", best(|| drop(std::hint::black_box(Instruments::new(&*features)))));
    }
}

/// Microseconds of the fastest of many runs.
fn best(mut work: impl FnMut()) -> f64 {
    (0..60)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed().as_secs_f64() * 1e6
        })
        .fold(f64::INFINITY, f64::min)
}

fn maps() -> Vec<(&'static str, Arc<dyn FeatureMap>)> {
    let polynomial = |basis, decay: f64| {
        let decay = decay.try_into().expect("not negative");
        Features::Polynomial(Polynomial { basis, degree: 50.0.try_into().expect("a degree"), decay, constant: true })
            .on_curve()
            .expect("a map of one input")
    };
    let decay: taut_problem::NonNegative = 2.0.try_into().expect("not negative");
    let fourier = Fourier { harmonics: 25.0.try_into().expect("harmonics"), decay, constant: true };
    let cosine = Cosine { harmonics: 50.0.try_into().expect("harmonics"), decay, constant: true };
    vec![
        ("legendre decay 2", polynomial(Basis::LegendreOrthonormal, 2.0)),
        ("legendre", polynomial(Basis::LegendreOrthonormal, 0.0)),
        ("chebyshev", polynomial(Basis::Chebyshev, 0.0)),
        ("monomial", polynomial(Basis::Monomial, 0.0)),
        ("fourier decay 2", Features::Fourier(fourier).on_curve().expect("a map of one input")),
        ("cosine decay 2", Features::Cosine(cosine).on_curve().expect("a map of one input")),
    ]
}

fn cell(features: &Arc<dyn FeatureMap>) -> Regression {
    let mut draws = stream(7, "cost", 0);
    let x: Vec<f64> = (0..10).map(|i| -0.9 + 0.2 * f64::from(i)).collect();
    let y = x.iter().map(|x| 0.3 + 0.8 * x + 0.16 * normal(&mut draws)).collect();
    let target = Target::Line { intercept: 0.3.try_into().expect("finite"), slope: 0.8.try_into().expect("finite") };
    Regression::new(x, y, Some(target), features.clone())
}

/// Gradient descent from zero at geometric times: gᵢ = 1 − (1 − sᵢ²/s₁²)ᵗ.
fn path(cell: &Regression, svd: &ThinSvd) -> Snapshots {
    let mut out = Snapshots::series(cell.feature_count());
    for i in 0..ROWS {
        let t = 10f64.powf(8.0 * i as f64 / ROWS as f64) - 1.0;
        let mut theta = vec![0.0; cell.feature_count()];
        let mut freedom = 0.0;
        for k in 0..svd.rank() {
            let gain = -(t * (-(svd.s[k] / svd.s[0]).powi(2)).ln_1p()).exp_m1();
            let weight: f64 = gain / svd.s[k] * svd.u.column(k).iter().zip(&cell.y).map(|(u, y)| u * y).sum::<f64>();
            freedom += gain;
            for (theta, v) in theta.iter_mut().zip(svd.v.column(k).iter()) {
                *theta += weight * v;
            }
        }
        out.push_series(&theta, freedom);
    }
    out
}

/// The same with what its rows are made of.
fn path_in_modes(cell: &Regression, svd: &ThinSvd) -> Snapshots {
    let mut out = path(cell, svd);
    let basis = svd.v.as_slice().to_vec();
    let theta = taut_numerics::DMatrix::from_column_slice(out.features, ROWS, &out.coefficients);
    let weights = (svd.v.transpose() * theta).as_slice().to_vec();
    out.span = Some(Span { rank: svd.rank(), basis, weights });
    out
}

/// Interpolants with Gaussian noise in the null space.
fn random(cell: &Regression, svd: &ThinSvd) -> Snapshots {
    let end = path(cell, svd);
    let p = cell.feature_count();
    let end = &end.coefficients[(ROWS - 1) * p..];
    let mut draws = stream(7, "cost", 1);
    let mut out = Snapshots::series(p);
    let sigma = end.iter().map(|e| e * e).sum::<f64>().sqrt() / 41f64.sqrt();
    for _ in 0..ROWS {
        let z = taut_numerics::DVector::from_fn(p, |_, _| sigma * normal(&mut draws));
        let null = &z - &svd.v * (svd.v.transpose() * &z);
        let theta: Vec<f64> = end.iter().zip(null.iter()).map(|(e, n)| e + n).collect();
        out.push_series(&theta, f64::NAN);
    }
    out
}
