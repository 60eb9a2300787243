//! Numbers of a ledger are shown where they are carried, and are null elsewhere.

use taut_metrics::{Column, MatrixSetting, Views, measure, metric};
use taut_problem::{
    Clock, DeepLinear, LEDGER, MatrixProblem, Moments, Observed, ParametrizationKind, Snapshot, Snapshots, Task,
    TestOver,
};

fn measured(ledger: &[f64]) -> Vec<Column> {
    let syx = taut_numerics::DMatrix::from_element(1, 2, 1.0);
    let observed = Observed::Moments(Moments { sxx: None, syx, trace_syy: None, samples: None });
    let problem = MatrixProblem { inputs: 2, outputs: 1, observed, teacher: None, test: TestOver::Entries, law: None };
    let kind = ParametrizationKind::DeepLinear(DeepLinear::of_widths(&[1]));
    let (theta, predictor) = ([1.0; 6], [1.0; 4]);
    let snapshot = Snapshot {
        clock: Clock::Step(0),
        theta: &theta,
        predictor: &predictor,
        filters: &[],
        covariance: &[],
        ledger,
        lanes: 2,
    };
    let mut rows = Snapshots::of_parameters(2, 3);
    (0..2).for_each(|lane| rows.push_lane(&snapshot, lane));
    let setting = MatrixSetting::new(Task::Matrix(&problem), &kind);
    let metrics: Vec<_> = LEDGER.iter().map(|name| metric(name).expect("every number is a metric")).collect();
    let mut columns = Vec::new();
    measure(Views { rows: None, matrix: Some(&setting) }, &rows, &metrics, &mut columns);
    columns
}

#[test]
fn numbers_of_a_ledger_reach_their_rows() {
    let columns = measured(&[1e-14, 2e-14, f64::NAN, f64::NAN]);
    assert_eq!([0, 1].map(|row| columns[0].value(row)), [Some(1e-14), Some(2e-14)]);
    assert_eq!(columns[1].value(0), None);
}

#[test]
fn rows_without_a_ledger_have_nulls() {
    assert!(measured(&[]).iter().all(|column| column.value(0).is_none()));
}
