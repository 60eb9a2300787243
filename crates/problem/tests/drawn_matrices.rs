//! Drawn matrix problems as a study sees them: shapes before anything is drawn, and draws that depend on nothing else.

use taut_problem::{
    Completion, CovarianceKind, Data, Fraction, HeldOutRows, MatrixProblem, MeasurementKind, NonNegative, Observed,
    Positive, Samples, Sensing, Shuffle, TeacherMatrix, Tree,
};

fn whole(n: usize) -> Samples {
    Samples::try_from(n as f64).unwrap()
}

fn teacher() -> Data {
    let teacher = TeacherMatrix {
        inputs: whole(5),
        outputs: whole(3),
        singular_values: Some(vec![Positive::try_from(2.0).unwrap()]),
        matrix: None,
        samples: Some(whole(8)),
        covariance: CovarianceKind::Isotropic,
        whiten: false,
        noise: NonNegative::try_from(0.5).unwrap(),
        shuffle: Shuffle::Items,
    };
    Data { teacher: Some(teacher), ..Data::default() }
}

fn tree() -> Data {
    let flip = Fraction::try_from(0.1).unwrap();
    Data { tree: Some(Tree { levels: whole(2), branching: whole(3), flip, features: whole(4) }), ..Data::default() }
}

fn completion() -> Data {
    let noise = NonNegative::try_from(0.1).unwrap();
    let (rows, columns) = (whole(6), whole(4));
    let completion = Completion { rows, columns, rank: whole(2), norm: None, observed: whole(11), noise };
    Data { completion: Some(completion), ..Data::default() }
}

fn sensing() -> Data {
    let kind = MeasurementKind::Gaussian;
    let (size, measurements) = (whole(4), whole(7));
    let sensing = Sensing { size, rank: whole(1), norm: None, measurements, kind, symmetric: true, scale: None };
    Data { sensing: Some(sensing), ..Data::default() }
}

/// Everything that the loss sees, in one list.
fn seen(problem: &MatrixProblem) -> Vec<f64> {
    match &problem.observed {
        Observed::Moments(moments) => {
            let samples = moments.samples.as_ref().unwrap();
            samples.x.iter().chain(samples.y.iter()).copied().collect()
        }
        Observed::Entries(entries) => {
            let places = entries.observed.iter().map(|place| *place as f64);
            entries.target.iter().copied().chain(places).collect()
        }
        Observed::Measurements(measurements) => {
            measurements.matrices.iter().chain(&measurements.values).copied().collect()
        }
    }
}

#[test]
fn shapes_are_known_before_anything_is_drawn() {
    for (data, shape, samples) in
        [(teacher(), [5, 3], 8), (tree(), [9, 4], 9), (completion(), [4, 6], 11), (sensing(), [4, 4], 7)]
    {
        assert!(data.is_matrix() && data.is_random() && data.complaints().is_empty());
        assert_eq!((data.matrix_shape(None), data.samples(None)), (Some(shape), Some(samples)));
        let problem = data.draw_matrix(3, 1, None).unwrap();
        assert_eq!(([problem.inputs, problem.outputs], problem.samples()), (shape, samples));
        assert_eq!(problem.teacher.unwrap().shape(), (shape[1], shape[0]));
        assert!(data.draw(3, 1, None).is_err(), "a matrix is no rows");
    }
}

#[test]
fn a_replicate_is_the_same_alone_and_differs_from_the_next() {
    for data in [teacher(), tree(), completion(), sensing()] {
        let draw = |seed, replicate| seen(&data.draw_matrix(seed, replicate, None).unwrap());
        let list: Vec<Vec<f64>> = (0..4).map(|replicate| draw(3, replicate)).collect();
        assert_eq!(list[2], draw(3, 2));
        assert!(list[2] != list[3] && list[2] != draw(4, 2));
    }
}

#[test]
fn two_sources_and_held_out_rows_are_refused() {
    let both = Data { sensing: sensing().sensing, ..tree() };
    assert!(both.complaints()[0].message.starts_with("expected one source"));
    let rows = HeldOutRows { samples: Some(whole(5)), ..HeldOutRows::default() };
    let held_out = Data { test: Some(rows), ..completion() };
    assert_eq!(held_out.complaints()[0].key, "test");
}
