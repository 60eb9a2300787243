//! One of everything: what the tests go through that hold for every motion, parametrization and task.

use std::sync::Arc;
use taut_numerics::{DMatrix, ThinSvd};
use taut_problem::{
    Basis, Degree, Entries, FeatureMap, MatrixProblem, MatrixSamples, Measurements, Moments, NonNegative, Observed,
    PARAMETRIZATIONS, ParametrizationKind, Polynomial, Regression, TestOver,
};

/// Every optimizer that steps, in every form.
pub const METHODS: &[&str] = &[
    r#""gradient-descent""#,
    r#"{ "heavy-ball": { "momentum": 0.5 } }"#,
    r#"{ "nesterov": {} }"#,
    r#"{ "sgd": { "batch": 2 } }"#,
    r#"{ "sgd": { "batch": 4, "replacement": false } }"#,
    r#"{ "adam": {} }"#,
    r#"{ "nesterov": { "form": "ahead" } }"#,
    r#"{ "group-rmsprop": {} }"#,
];

/// Points of a cosine in a polynomial basis.
pub fn problem(n: usize, degree: f64) -> Regression {
    let degree = Degree::try_from(degree).unwrap();
    let map = Polynomial { basis: Basis::Legendre, degree, decay: NonNegative::default(), constant: true };
    let features: Arc<dyn FeatureMap> = Arc::new(map);
    let x: Vec<f64> = (0..n).map(|i| (i as f64 * 0.7).sin()).collect();
    let y = x.iter().map(|x| x.cos()).collect();
    Regression::new(x, y, None, features)
}

pub fn kinds() -> Vec<ParametrizationKind> {
    let kinds: Vec<ParametrizationKind> = [
        r#""direct""#,
        r#"{ "deep-linear": { "widths": [5] } }"#,
        r#"{ "deep-linear": { "widths": [12, 9] } }"#,
        r#"{ "symmetric": { "width": 3 } }"#,
        r#"{ "hadamard-power": { "depth": 2 } }"#,
        r#"{ "hadamard-power": { "depth": 3 } }"#,
        r#""hadamard-product""#,
    ]
    .map(|text| serde_json::from_str(text).unwrap())
    .to_vec();
    assert!(PARAMETRIZATIONS.iter().all(|entry| kinds.iter().any(|kind| kind.name() == entry.name)));
    kinds
}

fn numbers(rows: usize, columns: usize) -> DMatrix<f64> {
    DMatrix::from_fn(rows, columns, |i, j| (1.3 * i as f64 + 0.7 * j as f64 + 0.2).sin())
}

/// A 10 × 10 matrix seen in every way, and a single output seen by rows.
pub fn matrix_problems() -> Vec<MatrixProblem> {
    let samples =
        |outputs| Observed::Moments(Arc::new(MatrixSamples { x: numbers(10, 15), y: numbers(outputs, 15) }).moments());
    let whitened = Observed::Moments(Moments { sxx: None, syx: numbers(10, 10), trace_syy: None, samples: None });
    let entries = Entries { target: numbers(10, 10), observed: (0..100).step_by(3).collect() };
    let measurements = Measurements { matrices: numbers(7, 100), values: vec![1.0; 7] };
    let all = [(samples(10), 10), (whitened, 10), (Observed::Entries(entries), 10), (samples(1), 1)];
    let all = all.into_iter().chain([(Observed::Measurements(measurements), 10)]);
    let problem = |(observed, outputs)| MatrixProblem {
        inputs: 10,
        outputs,
        observed,
        teacher: None,
        test: TestOver::Entries,
        law: None,
    };
    all.map(problem).collect()
}

/// Two factors of a 10 × 10 matrix through the modes of the whitened problem of [`matrix_problems`].
pub fn aligned_start() -> Vec<f64> {
    let ThinSvd { u, v, .. } = ThinSvd::new(numbers(10, 10).as_view());
    let strengths = DMatrix::from_diagonal_element(u.ncols(), u.ncols(), 0.1);
    // Both factors through the modes of the pull.
    let lift = |left: &DMatrix<f64>, right: &DMatrix<f64>| left * &strengths * right.transpose();
    [lift(&v, &v).as_slice(), lift(&u, &v).as_slice()].concat()
}
