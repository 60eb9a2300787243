//! Reference values computed with sixty digits, and exact answers.

use std::collections::BTreeMap;
use std::sync::Arc;
use taut_metrics::{Column, Instruments, METRICS, MetricDef, Setting, Views, measure, metric};
use taut_numerics::ThinSvd;
use taut_problem::{Basis, FeatureMap, Features, Fourier, Polynomial, Regression, Snapshots, Target};

fn polynomial(basis: Basis, degree: usize) -> Arc<dyn FeatureMap> {
    let degree = (degree as f64).try_into().unwrap();
    Features::Polynomial(Polynomial { basis, degree, decay: 0.0.try_into().unwrap(), constant: true })
        .on_curve()
        .unwrap()
}

fn table(text: &str) -> Vec<BTreeMap<String, String>> {
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    lines.map(|line| names.iter().map(|n| (*n).to_owned()).zip(line.split(',').map(str::to_owned)).collect()).collect()
}

fn number(row: &BTreeMap<String, String>, name: &str) -> f64 {
    row[name].parse().unwrap()
}

fn points(dataset: &str) -> (Vec<f64>, Vec<f64>) {
    let rows = table(include_str!("data/data_points.csv"));
    let of = |name: &str| rows.iter().filter(|r| r["dataset"] == dataset).map(|r| number(r, name)).collect();
    (of("x"), of("y"))
}

fn line() -> Option<Target> {
    Some(Target::Line { intercept: 0.3.try_into().unwrap(), slope: 0.8.try_into().unwrap() })
}

fn all() -> Vec<&'static MetricDef> {
    METRICS.iter().filter(|metric| !metric.needs.matrix).collect()
}

/// All metrics of some coefficient rows.
fn measured(features: &Arc<dyn FeatureMap>, rows: &[Vec<f64>], x: &[f64], y: &[f64]) -> Vec<Column> {
    let problem = Regression::new(x.to_vec(), y.to_vec(), line(), features.clone());
    let svd = ThinSvd::new(problem.design.as_view());
    let instruments = Instruments::new(&**features);
    let setting = Setting::new(&instruments, &problem, &svd, &all());
    let mut snapshots = Snapshots::series(features.features());
    for row in rows {
        snapshots.push_series(row, 3.0);
    }
    let mut out = Vec::new();
    measure(Views { rows: Some(&setting), matrix: None }, &snapshots, &all(), &mut out);
    out
}

fn value(columns: &[Column], name: &str, row: usize) -> f64 {
    columns.iter().find(|c| c.metric.name == name).unwrap().value(row).unwrap()
}

fn close(got: f64, exact: f64, tolerance: f64, what: &str) {
    let error = if exact.abs() > 0.0 { (got / exact - 1.0).abs() } else { got.abs() };
    assert!(error < tolerance, "{what}: {got} against {exact}, error {error}");
}

const PAIRS: [(&str, &str); 9] = [
    ("int_f2", "value_energy"),
    ("int_fp2", "slope_energy"),
    ("int_fpp2", "bending_energy"),
    ("int_fppp2", "third_derivative_energy"),
    ("tv", "total_variation"),
    ("arc_length", "arc_length"),
    ("n_extrema", "turning_points"),
    ("n_inflections", "inflections"),
    ("share_deg_ge6_nonconst", "high_degree_share"),
];

#[test]
fn fixed_polynomials_agree_with_sixty_digits() {
    let coefficients = table(include_str!("data/wiggle_metrics_coefs.csv"));
    let (x, y) = points("mid");
    for row in table(include_str!("data/wiggle_metrics.csv")) {
        let (case, degree) = (&row["case"], number(&row, "degree") as usize);
        let basis = match row["basis"].as_str() {
            "mono" => Basis::Monomial,
            "cheb" => Basis::Chebyshev,
            "leg_std" => Basis::Legendre,
            _ => Basis::LegendreOrthonormal,
        };
        let c: Vec<f64> = coefficients.iter().filter(|c| c["case"] == *case).map(|c| number(c, "coef")).collect();
        let columns = measured(&polynomial(basis, degree), &[c], &x, &y);
        for (reference, name) in PAIRS {
            // Chebyshev of degree 50 loses two digits on the way to Legendre.
            let tolerance = if basis == Basis::Chebyshev && degree == 50 { 1e-8 } else { 1e-9 };
            close(value(&columns, name, 0), number(&row, reference), tolerance, &format!("{case} {name}"));
        }
    }
}

#[test]
fn fixed_trigonometric_polynomial_agrees_with_sixty_digits() {
    let harmonics = 12.0.try_into().unwrap();
    let features =
        Features::Fourier(Fourier { harmonics, decay: 0.0.try_into().unwrap(), constant: true }).on_curve().unwrap();
    let mut c = vec![0.2];
    for k in 1..=12 {
        let (k, sign) = (f64::from(k), if k % 2 == 0 { 1.0 } else { -1.0 });
        c.extend([1.0 / (k * k) / 2f64.sqrt(), sign / (k * k * k) / 2f64.sqrt()]);
    }
    let (x, y) = points("mid");
    let columns = measured(&features, &[c], &x, &y);
    let row = &table(include_str!("data/wiggle_metrics_fourier.csv"))[0];
    for (reference, name) in PAIRS.iter().filter(|p| row.contains_key(p.0)) {
        close(value(&columns, name, 0), number(row, reference), 1e-9, name);
    }
}

#[test]
fn least_bending_energy_agrees_with_the_smoothing_limit() {
    for (dataset, exact) in
        [("mid", 562.957_050_924_856_8), ("end", 410.171_871_747_237_4), ("irr", 1_573.464_424_775_845)]
    {
        let (x, y) = points(dataset);
        for basis in [Basis::LegendreOrthonormal, Basis::Monomial, Basis::Chebyshev] {
            let problem = Regression::new(x.clone(), y.clone(), None, polynomial(basis, 50));
            let svd = ThinSvd::new(problem.design.as_view());
            let instruments = Instruments::new(&*problem.features);
            let setting = Setting::new(&instruments, &problem, &svd, &[]);
            let least = setting.least_bending_energy().unwrap();
            assert!((least / exact - 1.0).abs() < 1e-11, "{dataset} {least}");
        }
    }
}

#[test]
fn every_metric_has_a_name_of_its_own_and_words() {
    for (i, m) in METRICS.iter().enumerate() {
        assert!(!m.unit.is_empty() && m.doc.len() > 20, "{}", m.name);
        assert!(METRICS[..i].iter().all(|other| other.name != m.name), "{}", m.name);
        assert!(std::ptr::eq(metric(m.name).unwrap(), m));
    }
    assert!(metric("wiggliness").is_none());
}
