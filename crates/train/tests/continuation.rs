//! Continuation against what must hold exactly, then against figures computed with 60 digits.

use std::sync::Arc;
use taut_numerics::ThinSvd;
use taut_problem::{
    Basis, Clock, Degree, Dynamics, FeatureMap, Finite, NonNegative, Passage, Polynomial, Regression, Target,
    Trajectory,
};
use taut_train::{SpectralPath, Stage, Staged};

fn chebyshev(degree: f64) -> Arc<dyn FeatureMap> {
    let degree = Degree::try_from(degree).unwrap();
    Arc::new(Polynomial { basis: Basis::Chebyshev, degree, decay: NonNegative::default(), constant: true })
}

/// The ten points `mid` around the line 0.3 + 0.8x.
fn mid() -> Regression {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/references/linear/data_points.csv");
    let text = std::fs::read_to_string(path).unwrap();
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    let number = |column: usize| rows.iter().filter(|r| r[0] == "mid").map(|r| r[column].parse().unwrap()).collect();
    let finite = |x: f64| Finite::try_from(x).unwrap();
    let line = Target::Line { intercept: finite(0.3), slope: finite(0.8) };
    Regression::new(number(2), number(4), Some(line), chebyshev(50.0))
}

fn step_size(problem: &Regression, svd: &ThinSvd) -> f64 {
    problem.samples() as f64 / (svd.s[0] * svd.s[0])
}

/// ½∫(f − f*)² and ∫f″², by the expansion in orthonormal Legendre polynomials.
fn risk_and_bending(problem: &Regression, theta: &[f64]) -> (f64, f64) {
    let expansion = problem.features.expansion().unwrap();
    let mut c: Vec<f64> = vec![0.0; expansion.series.len()];
    for (row, theta) in expansion.coefficients.chunks_exact(c.len()).zip(theta) {
        c.iter_mut().zip(row).for_each(|(c, e)| *c += theta * e);
    }
    let bending = expansion.series.energy(&c, 2, &mut Vec::new());
    c[0] -= 0.3;
    c[1] -= 0.8 / 3.0_f64.sqrt();
    (c.iter().map(|c| c * c).sum(), bending)
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
}

#[test]
fn one_stage_without_a_penalty_is_the_spectral_path() {
    let problem = mid();
    let svd = ThinSvd::new(problem.design.as_view());
    let start: Vec<f64> = (0..51).map(|k| (k as f64).sin()).collect();
    let dynamics = Dynamics::descent(1.7 * step_size(&problem, &svd));
    let mut plain = SpectralPath::new(&problem, &svd, &dynamics, &start);
    let mut staged = Staged::new(&problem, &svd, &dynamics, &[Stage::Ridge(0.0)], Clock::Step(100), &start).unwrap();
    for clock in [0, 1, 2, 7, 100].map(Clock::Step).into_iter().chain([Clock::Limit]) {
        plain.advance_to(clock);
        staged.advance_to(clock);
        // Both round each of 51 entries near 1 a few times per mode.
        assert!(distance(plain.snapshot().theta, staged.snapshot().theta) < 1e-13, "{clock:?}");
        assert!(distance(plain.snapshot().filters, staged.snapshot().filters) < 1e-14, "{clock:?}");
    }
    for level in [1.0, 0.1, 1e-2, 1e-3, 1e-6] {
        assert_eq!(plain.first_passage(0, level), staged.first_passage(0, level), "{level}");
    }
}

#[test]
fn every_stage_is_what_the_loop_does() {
    let problem = mid();
    let svd = ThinSvd::new(problem.design.as_view());
    let eta = 0.5 * step_size(&problem, &svd);
    let (n, p) = problem.design.shape();
    let mut theta: Vec<f64> = (0..p).map(|k| (k as f64).cos()).collect();
    let cases = [
        [Stage::Ridge(1.0), Stage::Ridge(0.1), Stage::Ridge(0.0)],
        [Stage::Features(1), Stage::Features(4), Stage::Features(51)],
        [Stage::NoiseShare(0.0), Stage::NoiseShare(0.5), Stage::NoiseShare(1.0)],
    ];
    for stages in cases {
        let dynamics = Dynamics::descent(eta);
        let mut staged = Staged::new(&problem, &svd, &dynamics, &stages, Clock::Step(20), &theta).unwrap();
        let mut step = 0;
        for stage in stages {
            for _ in 0..20 {
                let (ridge, moving, share) = match stage {
                    Stage::Ridge(ridge) => (ridge, p, 1.0),
                    Stage::Features(count) => (0.0, count, 1.0),
                    Stage::NoiseShare(share) => (0.0, p, share),
                };
                let mut gradient = vec![0.0; p];
                for i in 0..n {
                    let clean = 0.3 + 0.8 * problem.x[i];
                    let y = clean + share * (problem.y[i] - clean);
                    let f: f64 = problem.design.row(i).iter().zip(&theta).map(|(phi, t)| phi * t).sum();
                    gradient.iter_mut().zip(problem.design.row(i).iter()).for_each(|(g, phi)| *g += phi * (f - y));
                }
                for j in 0..moving {
                    theta[j] -= eta * (gradient[j] / n as f64 + ridge * theta[j]);
                }
                step += 1;
                staged.advance_to(Clock::Step(step));
                // Sixty steps of a few roundings of entries near 1.
                assert!(distance(staged.snapshot().theta, &theta) < 1e-12, "{stage:?} {step}");
            }
        }
        assert_eq!(staged.snapshot().clock, Clock::Step(60));
    }
}

/// Every degree from 0 to 50 in turn, each from where the last one ended: (risk, ∫f″²) after each.
fn curriculum(length: Clock) -> Vec<(f64, f64)> {
    let problem = mid();
    let svd = ThinSvd::new(problem.design.as_view());
    let mut theta = vec![0.0; 51];
    let mut after = Vec::new();
    for degree in 0..=50 {
        // A step of 1/λ_max of the stage's own design.
        let stage = ThinSvd::new(problem.design.columns(0, degree + 1));
        let dynamics = Dynamics::descent(step_size(&problem, &stage));
        let mut staged =
            Staged::new(&problem, &svd, &dynamics, &[Stage::Features(degree + 1)], length, &theta).unwrap();
        staged.visit(0, length);
        theta = staged.snapshot().theta.to_vec();
        after.push(risk_and_bending(&problem, &theta));
    }
    after
}

/// Figures known to two or three digits.
fn assert_digits(after: &[(f64, f64)], risks: &[(usize, f64, f64)], bending: f64) {
    for &(stage, risk, half_digit) in risks {
        assert!((after[stage].0 - risk).abs() <= half_digit, "stage {stage}: {}", after[stage].0);
    }
    assert!((after[50].1 / bending - 1.0).abs() < 0.02, "{}", after[50].1);
}

/// The figures of a run with 3000 steps per stage; the last stages are far from their limits.
#[test]
fn a_curriculum_of_3000_steps_per_degree() {
    let risks = [(1, 0.00147, 5e-6), (3, 0.0018, 5e-5), (7, 0.164, 5e-4), (9, 0.947, 5e-4), (50, 0.926, 5e-4)];
    assert_digits(&curriculum(Clock::Step(3000)), &risks, 2.2e5);
}

/// In the limit degree 9 interpolates the ten points, so nothing moves after it. The figures are those
/// of the interpolating polynomial, from NumPy.
#[test]
fn a_curriculum_to_the_limits_ends_at_the_polynomial_through_the_points() {
    let problem = mid();
    let svd = ThinSvd::new(problem.design.as_view());
    let after = curriculum(Clock::Limit);
    let risks = [(1, 0.00147, 5e-6), (3, 0.00185, 5e-6), (7, 0.1636, 5e-5), (9, 0.86264, 5e-6), (50, 0.86264, 5e-6)];
    assert_digits(&after, &risks, 2.1385e5);
    let direct = risk_and_bending(&problem, &svd.filtered_solution(&problem.y, |_| 1.0));
    assert!(after[50].0 > 2.0 * direct.0 && after[50].1 < 0.2 * direct.1, "{direct:?}");
    // The stages of one path are the same.
    let stages: Vec<Stage> = (1..=51).map(Stage::Features).collect();
    let dynamics = Dynamics::descent(step_size(&problem, &svd));
    let mut staged = Staged::new(&problem, &svd, &dynamics, &stages, Clock::Limit, &[0.0; 51]).unwrap();
    for (stage, (risk, _)) in after.iter().enumerate() {
        staged.visit(stage, Clock::Limit);
        // eps times the condition of the polynomial through ten points (below 1e3), with much to spare.
        assert!((risk_and_bending(&problem, staged.snapshot().theta).0 / risk - 1.0).abs() < 1e-9, "{stage}");
    }
}

#[test]
fn a_falling_ridge_ends_at_the_least_norm() {
    let problem = mid();
    let svd = ThinSvd::new(problem.design.as_view());
    let dynamics = Dynamics::flow();
    let least = svd.filtered_solution(&problem.y, |_| 1.0);
    let mut stages: Vec<Stage> = (0..=12).map(|k| Stage::Ridge(10.0_f64.powf(-3.0 - 0.5 * f64::from(k)))).collect();
    stages.push(Stage::Ridge(0.0));
    // A start off the row space: any penalty brings it back.
    let start: Vec<f64> = (0..51).map(|k| (k as f64).sin()).collect();
    let mut staged = Staged::new(&problem, &svd, &dynamics, &stages, Clock::Limit, &start).unwrap();
    let away: Vec<f64> = (0..stages.len())
        .map(|stage| {
            staged.visit(stage, Clock::Limit);
            distance(staged.snapshot().theta, &least)
        })
        .collect();
    for pair in away[..13].windows(2) {
        let slope = (pair[0] / pair[1]).log10() / 0.5;
        assert!((slope - 1.0).abs() < 0.02, "{slope}");
    }
    assert!(away[13] < 1e-14, "{}", away[13]);
    // Degrees of freedom grow to the rank.
    assert!((staged.snapshot().filters.iter().sum::<f64>() - 10.0).abs() < 1e-12);
}

#[test]
fn passages_are_found_where_the_residual_rises_and_falls() {
    let problem = mid();
    let svd = ThinSvd::new(problem.design.as_view());
    let dynamics = Dynamics::descent(0.3 * step_size(&problem, &svd));
    let stages = [Stage::Ridge(0.0), Stage::Ridge(2.0), Stage::Ridge(0.0)];
    let mut staged = Staged::new(&problem, &svd, &dynamics, &stages, Clock::Step(12), &[0.0; 51]).unwrap();
    let rms = |theta: &[f64]| {
        let missed = &problem.design * taut_numerics::DVector::from_column_slice(theta)
            - taut_numerics::DVector::from_column_slice(&problem.y);
        missed.norm() / 10.0_f64.sqrt()
    };
    let seen: Vec<f64> = (0..200)
        .map(|k| {
            staged.advance_to(Clock::Step(k));
            rms(staged.snapshot().theta)
        })
        .collect();
    assert!(seen[20] > seen[12], "the penalty moves away from the data");
    for level in [0.4, 0.1, 0.02, 1e-3, 1e-6, 1e-12] {
        let first = seen.iter().position(|rms| *rms <= level).map(|k| k as u64).unwrap();
        assert_eq!(staged.first_passage(0, level), Passage::At(Clock::Step(first)), "{level}");
    }
    // An unstable step size: the loss falls, is passed, and grows for ever.
    let unstable = Dynamics::descent(2.1 * step_size(&problem, &svd));
    let stages = [Stage::Ridge(0.0)];
    let start: Vec<f64> = svd.filtered_solution(&problem.y, |_| 1.0).iter().map(|t| t * 1.01).collect();
    let mut staged = Staged::new(&problem, &svd, &unstable, &stages, Clock::Step(50), &start).unwrap();
    let mut plain = SpectralPath::new(&problem, &svd, &unstable, &start);
    for level in [0.1, 5e-3, 4e-3] {
        assert_eq!(staged.first_passage(0, level), plain.first_passage(0, level), "{level}");
    }
    plain.advance_to(Clock::Step(50));
    staged.advance_to(Clock::Step(50));
    assert!(distance(staged.snapshot().theta, plain.snapshot().theta) < 1e-9);
    // Stages of a flow: the clock runs on, and both ways to say where agree.
    let stages = [Stage::Features(4), Stage::Features(51)];
    let mut staged = Staged::new(&problem, &svd, &Dynamics::flow(), &stages, Clock::Time(2.0), &[0.0; 51]).unwrap();
    assert_eq!(staged.visit(1, Clock::Time(0.5)), Clock::Time(2.5));
    let visited = staged.snapshot().theta.to_vec();
    staged.advance_to(Clock::Time(2.5));
    assert_eq!(staged.snapshot().theta, visited);
    let only_penalised = [Stage::Ridge(1.0)];
    let staged = Staged::new(&problem, &svd, &Dynamics::flow(), &only_penalised, Clock::Limit, &[0.0; 51]).unwrap();
    assert_eq!(staged.first_passage(0, 1e-3), Passage::Never);
}
