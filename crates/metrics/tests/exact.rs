//! Answers known in closed form, counts checked against eigenvalues, and rows that must not differ.

use std::sync::Arc;
use taut_metrics::{Column, Instruments, METRICS, MetricDef, Setting, Views, measure};
use taut_numerics::{DMatrix, DVector, GaussLegendre, ThinSvd, normal, stream};
use taut_problem::{
    Basis, Cosine, Covariance, FeatureMap, Features, Fourier, HeldOut, Identity, Law, PiecewiseCubic, Polynomial,
    Regression, Series, Snapshots, Span, Target,
};

fn polynomial(basis: Basis, degree: usize, decay: f64) -> Arc<dyn FeatureMap> {
    let (degree, decay) = ((degree as f64).try_into().unwrap(), decay.try_into().unwrap());
    Features::Polynomial(Polynomial { basis, degree, decay, constant: true }).on_curve().unwrap()
}

fn fourier(harmonics: usize, decay: f64) -> Arc<dyn FeatureMap> {
    let (harmonics, decay) = ((harmonics as f64).try_into().unwrap(), decay.try_into().unwrap());
    Features::Fourier(Fourier { harmonics, decay, constant: true }).on_curve().unwrap()
}

fn cosine(harmonics: usize, decay: f64) -> Arc<dyn FeatureMap> {
    let (harmonics, decay) = ((harmonics as f64).try_into().unwrap(), decay.try_into().unwrap());
    Features::Cosine(Cosine { harmonics, decay, constant: true }).on_curve().unwrap()
}

fn line() -> Target {
    Target::Line { intercept: 0.3.try_into().unwrap(), slope: 0.8.try_into().unwrap() }
}

fn all() -> Vec<&'static MetricDef> {
    METRICS.iter().filter(|metric| !metric.needs.matrix).collect()
}

/// Points, target and the measurement of any snapshots.
struct Cell {
    problem: Regression,
    svd: ThinSvd,
    instruments: Instruments,
}

impl Cell {
    fn new(features: Arc<dyn FeatureMap>, x: &[f64], y: &[f64], target: Option<Target>) -> Self {
        let instruments = Instruments::new(&*features);
        let problem = Regression::new(x.to_vec(), y.to_vec(), target, features);
        let svd = ThinSvd::new(problem.design.as_view());
        Self { problem, svd, instruments }
    }

    fn ten(features: Arc<dyn FeatureMap>) -> Self {
        let x: Vec<f64> = (0..10).map(|i| -0.9 + 0.2 * f64::from(i)).collect();
        let y: Vec<f64> = x.iter().enumerate().map(|(i, x)| 0.3 + 0.8 * x + 0.1 * (i as f64 * 2.3).sin()).collect();
        Self::new(features, &x, &y, Some(line()))
    }

    fn setting(&self) -> Setting<'_> {
        Setting::new(&self.instruments, &self.problem, &self.svd, &all())
    }

    fn measured(&self, snapshots: &Snapshots) -> Vec<Column> {
        let mut out = Vec::new();
        measure(Views { rows: Some(&self.setting()), matrix: None }, snapshots, &all(), &mut out);
        out
    }

    fn row(&self, beta: &[f64]) -> Vec<Column> {
        let mut snapshots = Snapshots::series(self.problem.feature_count());
        snapshots.push_series(beta, 2.0);
        self.measured(&snapshots)
    }
}

fn value(columns: &[Column], name: &str, row: usize) -> f64 {
    let column = columns.iter().find(|c| c.metric.name == name).expect("a listed metric");
    column.value(row).unwrap_or_else(|| panic!("{name} is null"))
}

#[track_caller]
fn close(got: f64, exact: f64, tolerance: f64) {
    assert!((got - exact).abs() <= tolerance * (1.0 + exact.abs()), "{got} against {exact}");
}

fn unit(length: usize, entries: &[(usize, f64)]) -> Vec<f64> {
    let mut out = vec![0.0; length];
    for &(k, v) in entries {
        out[k] = v;
    }
    out
}

/// What is known of the modes is put together to what is known of the rows, but for rounding; counts do not change.
#[test]
fn rows_made_of_few_series_measure_the_same() {
    let maps = [
        polynomial(Basis::Monomial, 50, 0.0),
        polynomial(Basis::LegendreOrthonormal, 50, 2.0),
        fourier(25, 2.0),
        cosine(50, 2.0),
    ];
    for features in maps {
        let cell = Cell::ten(features);
        let (svd, p) = (&cell.svd, cell.problem.feature_count());
        let mut rows = Snapshots::series(p);
        let mut weights = Vec::new();
        for exponent in 0..30 {
            let steps = 10_f64.powf(0.3 * f64::from(exponent)) - 1.0;
            let learned = |s: f64| -(steps * (-(s / svd.s[0]).powi(2)).ln_1p()).exp_m1();
            let of_mode = |k: usize| {
                learned(svd.s[k]) / svd.s[k] * svd.u.column(k).dot(&DVector::from_column_slice(&cell.problem.y))
            };
            let w = DVector::from_fn(svd.rank(), |k, _| of_mode(k));
            rows.push_series((&svd.v * &w).as_slice(), 2.0);
            weights.extend_from_slice(w.as_slice());
        }
        let plain = cell.measured(&rows);
        rows.span = Some(Span { rank: svd.rank(), basis: svd.v.as_slice().to_vec(), weights });
        for (plain, made) in plain.iter().zip(cell.measured(&rows)) {
            let (Some(a), Some(b)) = (&plain.values, &made.values) else { continue };
            let scale = a.iter().fold(1e-300_f64, |scale, a| scale.max(a.abs()));
            for (row, (a, b)) in a.iter().zip(b).enumerate() {
                let allowed = if plain.metric.integer { 0.0 } else { 1e-12 * scale };
                let is_near = (a - b).abs() <= allowed;
                assert!(is_near || a.is_nan() && b.is_nan(), "{} of row {row}: {a} and {b}", plain.metric.name);
            }
        }
    }
}

#[test]
fn a_line_is_straight_in_every_basis() {
    for basis in [Basis::Monomial, Basis::Chebyshev, Basis::Legendre] {
        let cell = Cell::ten(polynomial(basis, 50, 0.0));
        let columns = cell.row(&unit(51, &[(0, 0.3), (1, 0.8)]));
        close(value(&columns, "total_variation", 0), 1.6, 1e-15);
        close(value(&columns, "turning_points", 0), 0.0, 0.0);
        close(value(&columns, "inflections", 0), 0.0, 0.0);
        close(value(&columns, "arc_length", 0), 2.0 * 1.64_f64.sqrt(), 1e-14);
        close(value(&columns, "bending_energy", 0), 0.0, 1e-20);
        close(value(&columns, "slope_energy", 0), 1.28, 1e-14);
        close(value(&columns, "value_energy", 0), 0.18 + 2.0 * 0.64 / 3.0, 1e-14);
        close(value(&columns, "risk", 0), 0.0, 1e-28);
        close(value(&columns, "risk_in_hull", 0), 0.0, 1e-28);
        close(value(&columns, "high_degree_share", 0), 0.0, 1e-28);
    }
}

#[test]
fn a_parabola_turns_once_and_has_its_length() {
    let cell = Cell::ten(polynomial(Basis::Monomial, 50, 0.0));
    for a in [0.5, 1.0, 30.0, 1e3, 1e6] {
        let columns = cell.row(&unit(51, &[(2, a)]));
        close(value(&columns, "turning_points", 0), 1.0, 0.0);
        close(value(&columns, "inflections", 0), 0.0, 0.0);
        close(value(&columns, "total_variation", 0), 2.0 * a, 1e-15);
        let slope: f64 = 2.0 * a;
        close(value(&columns, "arc_length", 0), slope.hypot(1.0) + slope.asinh() / slope, 1e-11);
    }
}

#[test]
fn powers_touch_zero_without_turning() {
    let cell = Cell::ten(polynomial(Basis::Monomial, 20, 0.0));
    let count = |k: usize, name: &str| value(&cell.row(&unit(21, &[(k, 1.0)])), name, 0);
    close(count(3, "turning_points"), 0.0, 0.0);
    close(count(3, "inflections"), 1.0, 0.0);
    close(count(4, "turning_points"), 1.0, 0.0);
    close(count(4, "inflections"), 0.0, 0.0);
    close(count(4, "total_variation"), 2.0, 1e-14);
}

#[test]
fn legendre_polynomials_have_their_extrema() {
    for degree in [1_usize, 2, 3, 7, 20, 49, 50] {
        let cell = Cell::ten(polynomial(Basis::Legendre, 50, 0.0));
        let columns = cell.row(&unit(51, &[(degree, 1.0)]));
        close(value(&columns, "turning_points", 0), (degree - 1) as f64, 0.0);
        close(value(&columns, "inflections", 0), degree.saturating_sub(2) as f64, 0.0);
        close(value(&columns, "value_energy", 0), 2.0 / (2 * degree + 1) as f64, 1e-13);
        let d = degree as f64;
        close(value(&columns, "slope_energy", 0), d * (d + 1.0), 1e-13);
    }
    // T₅₀ goes from 1 to −1 and back fifty times.
    let columns = Cell::ten(polynomial(Basis::Chebyshev, 50, 0.0)).row(&unit(51, &[(50, 1.0)]));
    close(value(&columns, "turning_points", 0), 49.0, 0.0);
    close(value(&columns, "total_variation", 0), 100.0, 1e-12);
}

#[test]
fn sines_and_cosines_have_theirs() {
    for j in [1_usize, 2, 7, 25] {
        let (amplitude, harmonic) = (0.7, j as f64);
        let cell = Cell::ten(fourier(25, 0.0));
        let columns = cell.row(&unit(51, &[(2 * j, amplitude / 2f64.sqrt())]));
        close(value(&columns, "turning_points", 0), 2.0 * harmonic, 0.0);
        // Zeros of sin inside (−1, 1), the middle among them.
        close(value(&columns, "inflections", 0), 2.0 * harmonic - 1.0, 0.0);
        close(value(&columns, "total_variation", 0), 4.0 * harmonic * amplitude, 1e-13);
        let omega = std::f64::consts::PI * harmonic;
        close(value(&columns, "bending_energy", 0), omega.powi(4) * amplitude * amplitude, 1e-13);
        close(value(&columns, "sobolev_norm", 0), amplitude * ((1.0 + harmonic * harmonic) / 2.0).sqrt(), 1e-14);
    }
    let columns = Cell::ten(cosine(50, 0.0)).row(&unit(51, &[(9, 1.0 / 2f64.sqrt())]));
    close(value(&columns, "turning_points", 0), 8.0, 0.0);
    close(value(&columns, "total_variation", 0), 18.0, 1e-13);
}

#[test]
fn a_double_crossing_within_a_cell_is_seen() {
    // f′ = x² − ε² about a point a: two turning points at a ± ε, closer than any grid.
    let cell = Cell::ten(polynomial(Basis::Monomial, 50, 0.0));
    for (a, gap) in [(0.3_f64, 1e-3), (-0.71, 1e-3), (0.113, 1e-4), (0.0, 1e-4), (0.9, 1e-4)] {
        let f = unit(51, &[(1, a * a - gap * gap), (2, -a), (3, 1.0 / 3.0)]);
        let columns = cell.row(&f);
        close(value(&columns, "turning_points", 0), 2.0, 0.0);
        close(value(&columns, "inflections", 0), 1.0, 0.0);
        let f = unit(51, &[(1, a * a + gap * gap), (2, -a), (3, 1.0 / 3.0)]);
        close(value(&cell.row(&f), "turning_points", 0), 0.0, 0.0);
        // f″ = x² − ε²: two inflections.
        let f = unit(51, &[(2, (a * a - gap * gap) / 2.0), (3, -a / 3.0), (4, 1.0 / 12.0)]);
        close(value(&cell.row(&f), "inflections", 0), 2.0, 0.0);
    }
}

#[test]
fn overshoot_is_what_rises_above_the_neighbours() {
    // 1 − x² between (−0.5, 0.75) and (0.5, 0.75) rises to 1.
    let cell = Cell::new(polynomial(Basis::Monomial, 10, 0.0), &[0.5, -0.5, 0.5], &[0.75, 0.75, 0.75], None);
    close(value(&cell.row(&unit(11, &[(0, 1.0), (2, -1.0)])), "overshoot", 0), 0.25, 1e-15);
    // Monotone between its samples: nothing.
    let cell = Cell::new(polynomial(Basis::Monomial, 10, 0.0), &[-0.5, 0.5], &[-0.5, 0.5], None);
    close(value(&cell.row(&unit(11, &[(1, 1.0)])), "overshoot", 0), 0.0, 0.0);
}

#[test]
fn splines_are_measured_exactly() {
    // x³ on [0, 1] continued by lines has f″ = 6x there.
    let cubic = PiecewiseCubic::from_second_derivatives(&[0.0, 1.0], &[0.0, 1.0], &[0.0, 6.0]);
    // A hat turned smooth: up and down, natural.
    let bump = PiecewiseCubic::from_second_derivatives(&[-1.0, 0.0, 1.0], &[0.0, 1.0, 0.0], &[0.0, -3.0, 0.0]);
    let line = PiecewiseCubic::from_second_derivatives(&[-0.5, 0.5], &[-0.1, 0.7], &[0.0, 0.0]);
    let cell = Cell::new(polynomial(Basis::Legendre, 10, 0.0), &[-1.0, 0.0, 1.0], &[0.0, 1.0, 0.0], Some(self::line()));
    let mut snapshots = Snapshots::default();
    for spline in [cubic, bump, line] {
        snapshots.push_cubic(spline, 3.0);
    }
    let columns = cell.measured(&snapshots);
    close(value(&columns, "bending_energy", 0), 12.0, 1e-13);
    close(value(&columns, "third_derivative_energy", 0), 36.0, 1e-13);
    close(value(&columns, "slope_energy", 0), 9.0 / 5.0, 1e-13);
    close(value(&columns, "turning_points", 1), 1.0, 0.0);
    close(value(&columns, "total_variation", 1), 2.0, 1e-14);
    close(value(&columns, "inflections", 1), 0.0, 0.0);
    close(value(&columns, "train_mse", 1), 0.0, 1e-30);
    close(value(&columns, "overshoot", 1), 0.0, 1e-15);
    close(value(&columns, "bending_energy", 1), 6.0, 1e-13);
    close(value(&columns, "risk", 2), 0.0, 1e-30);
    close(value(&columns, "arc_length", 2), 2.0 * 1.64_f64.sqrt(), 1e-12);
    close(value(&columns, "turning_points", 2), 0.0, 0.0);
    let is_null = |name: &str| columns.iter().find(|c| c.metric.name == name).unwrap().values.is_none();
    for metric in all() {
        assert_eq!(is_null(metric.name), metric.needs.coefficients, "{}", metric.name);
    }
}

#[test]
fn risk_is_the_mean_over_the_domain() {
    let rule = GaussLegendre::new(400);
    let sine = Target::Sine {
        amplitude: 0.8.try_into().unwrap(),
        frequency: 3.0.try_into().unwrap(),
        phase: 0.4.try_into().unwrap(),
    };
    let step =
        Target::Step { at: 0.37.try_into().unwrap(), low: (-1.0).try_into().unwrap(), high: 2.0.try_into().unwrap() };
    let runge = Target::Runge { scale: 25.0.try_into().unwrap() };
    for features in [polynomial(Basis::Chebyshev, 30, 0.0), fourier(20, 1.0), cosine(40, 1.0)] {
        for target in [line(), sine.clone(), runge.clone(), step.clone()] {
            let x = [-0.83, -0.2, 0.41, 0.77];
            let cell = Cell::new(features.clone(), &x, &[0.0; 4], Some(target.clone()));
            let series = features.expansion().unwrap();
            let beta: Vec<f64> = (0..features.features()).map(|k| (k as f64 * 1.7).sin() / (1.0 + k as f64)).collect();
            let f = |x: f64| {
                let table = series.series.table(&[x], 0);
                (series.matrix().transpose() * taut_numerics::DVector::from_column_slice(&beta))
                    .iter()
                    .zip(&table)
                    .map(|(c, p)| c * p)
                    .sum::<f64>()
            };
            let mean = |a: f64, b: f64| {
                let mut edges = vec![a];
                edges.extend(target.breaks());
                edges.push(b);
                let error = |x: f64| (f(x) - target.value(x)).powi(2);
                edges.windows(2).map(|w| rule.integrate(w[0], w[1], error)).sum::<f64>() / (b - a)
            };
            let columns = cell.row(&beta);
            close(value(&columns, "risk", 0), mean(-1.0, 1.0), 1e-12);
            close(value(&columns, "risk_in_hull", 0), mean(-0.83, 0.77), 1e-12);
        }
    }
}

#[test]
fn norms_split_into_row_space_and_null_space() {
    let cell = Cell::ten(polynomial(Basis::LegendreOrthonormal, 50, 1.0));
    let mut draws = stream(3, "test", 0);
    let theta = taut_numerics::DVector::from_fn(51, |_, _| normal(&mut draws));
    let columns = cell.row(theta.as_slice());
    let inside = &cell.svd.v * (cell.svd.v.transpose() * &theta);
    close(value(&columns, "parameter_norm", 0), theta.norm(), 1e-14);
    close(value(&columns, "null_space_norm", 0), (&theta - inside).norm(), 1e-13);
    let end = &cell.svd.v
        * taut_numerics::DVector::from_fn(cell.svd.rank(), |i, _| {
            cell.svd.u.column(i).iter().zip(&cell.problem.y).map(|(u, y)| u * y).sum::<f64>() / cell.svd.s[i]
        });
    close(value(&columns, "distance_to_min_norm", 0), (&theta - &end).norm(), 1e-13);
    let columns = cell.row(end.as_slice());
    assert!(value(&columns, "residual_max", 0) < 1e-13 && value(&columns, "null_space_norm", 0) < 1e-13);
    assert!(value(&columns, "excess_bending_energy", 0) > 0.0);
}

#[test]
fn points_that_cannot_be_met_have_no_excess() {
    let null = |x: &[f64], y: &[f64], features| Cell::new(features, x, y, None).setting().least_bending_energy();
    // Two values at one point, ends that are one point on the circle, more points than features.
    assert!(null(&[0.1, 0.1], &[0.0, 1.0], polynomial(Basis::Legendre, 9, 0.0)).is_none());
    assert!(null(&[-1.0, 0.2, 1.0], &[0.0, 0.3, 1.0], fourier(9, 0.0)).is_none());
    assert!(null(&[-1.0, -0.5, 0.0, 0.5], &[0.0, 1.0, 0.0, 1.0], polynomial(Basis::Legendre, 2, 0.0)).is_none());
    // The same points with values that can be met.
    close(null(&[0.1, 0.1], &[1.0, 1.0], polynomial(Basis::Legendre, 9, 0.0)).unwrap(), 0.0, 1e-20);
    assert!(null(&[-1.0, 0.2, 1.0], &[1.0, 0.3, 1.0], fourier(9, 0.0)).unwrap() > 0.0);
    close(
        null(&[-1.0, -0.5, 0.0, 0.5], &[2.0, 1.5, 1.0, 0.5], polynomial(Basis::Legendre, 2, 0.0)).unwrap(),
        0.0,
        1e-20,
    );
}

#[test]
fn without_a_constant_the_least_rough_function_obeys() {
    // Powers from x on vanish at 0: through (0.5, 1) and (−0.5, 1) they must bend, a constant need not.
    let features = |basis, constant| {
        let (degree, decay) = (12.0.try_into().unwrap(), 0.0.try_into().unwrap());
        Features::Polynomial(Polynomial { basis, degree, decay, constant }).on_curve().unwrap()
    };
    let least = |basis, constant| {
        Cell::new(features(basis, constant), &[-0.5, 0.5], &[1.0, 1.0], None).setting().least_bending_energy().unwrap()
    };
    let with_zero = Cell::new(features(Basis::Legendre, true), &[-0.5, 0.0, 0.5], &[1.0, 0.0, 1.0], None);
    for basis in [Basis::Monomial, Basis::MonomialFactorial] {
        close(least(basis, false), with_zero.setting().least_bending_energy().unwrap(), 1e-9);
        close(least(basis, true), 0.0, 1e-20);
    }
    assert!(least(Basis::Legendre, false) > 1.0 && least(Basis::Chebyshev, false) > 1.0);
}

/// Sign changes of f′ from the roots of its colleague (comrade) matrix in the Legendre basis.
fn turning_points_by_eigenvalues(c: &[f64]) -> usize {
    let n = c.len() - 1;
    // Orthonormal coefficients of f′, then the comrade matrix of x pₖ = aₖ₊₁ pₖ₊₁ + aₖ pₖ₋₁.
    let mut d = c.to_vec();
    let (mut odd, mut even) = (0.0, 0.0);
    for k in (0..=n).rev() {
        let weight = ((2 * k + 1) as f64).sqrt();
        let own = weight * d[k];
        d[k] = weight * odd;
        (odd, even) = (even + own, odd);
    }
    let m = n - 1;
    let a = |k: usize| k as f64 / ((4 * k * k - 1) as f64).sqrt();
    let mut comrade = taut_numerics::DMatrix::zeros(m, m);
    for k in 0..m {
        if k + 1 < m {
            comrade[(k, k + 1)] = a(k + 1);
            comrade[(k + 1, k)] = a(k + 1);
        }
    }
    for k in 0..m {
        comrade[(m - 1, k)] -= a(m) * d[k] / d[m];
    }
    comrade.complex_eigenvalues().iter().filter(|z| z.im.abs() < 1e-9 && z.re.abs() < 1.0).count()
}

#[test]
fn counts_agree_with_eigenvalues_of_random_functions() {
    let mut draws = stream(5, "test", 0);
    for (degree, decay) in [(50, 0.0), (50, 1.0), (50, 2.0), (23, 0.5), (8, 0.0), (3, 0.0)] {
        let cell = Cell::ten(polynomial(Basis::LegendreOrthonormal, degree, 0.0));
        let mut snapshots = Snapshots::series(degree + 1);
        let mut exact = Vec::new();
        for _ in 0..60 {
            let c: Vec<f64> = (0..=degree).map(|k| normal(&mut draws) / (1.0 + k as f64).powf(decay)).collect();
            exact.push(turning_points_by_eigenvalues(&c));
            snapshots.push_series(&c, f64::NAN);
        }
        let columns = cell.measured(&snapshots);
        for (row, exact) in exact.iter().enumerate() {
            close(value(&columns, "turning_points", row), *exact as f64, 0.0);
        }
    }
}

#[test]
fn lengths_and_variations_agree_with_brute_force() {
    let mut draws = stream(6, "test", 0);
    let rule = GaussLegendre::new(20);
    for (features, series) in [
        (polynomial(Basis::LegendreOrthonormal, 50, 0.0), Series::Legendre { degree: 50 }),
        (fourier(25, 0.0), Series::Fourier { harmonics: 25 }),
        (cosine(50, 0.0), Series::Cosine { harmonics: 50 }),
    ] {
        let cell = Cell::ten(features);
        for size in [0.05, 1.0, 20.0] {
            let c: Vec<f64> = (0..51).map(|k| size * normal(&mut draws) / (1.0 + k as f64)).collect();
            let columns = cell.row(&c);
            let (mut length, mut variation, mut bends) = (0.0, 0.0, 0);
            let panels = if size > 1.0 { 20_000 } else { 3_000 };
            let mut last = 0.0;
            for panel in 0..panels {
                // Panels crowd at the ends like the members' waves do.
                let end = |i: i32| (std::f64::consts::FRAC_PI_2 * (2.0 * f64::from(i) / f64::from(panels) - 1.0)).sin();
                let (a, b) = (end(panel), end(panel + 1));
                let x: Vec<f64> = rule.nodes.iter().map(|t| 0.5 * (a + b) + 0.5 * (b - a) * t).collect();
                let (first, second) = (series.table(&x, 1), series.table(&x, 2));
                for i in 0..x.len() {
                    let of = |table: &[f64]| (0..51).map(|k| c[k] * table[k * x.len() + i]).sum::<f64>();
                    let (slope, bend) = (of(&first), of(&second));
                    let weight = 0.5 * (b - a) * rule.weights[i];
                    length += weight * slope.hypot(1.0);
                    variation += weight * slope.abs();
                    bends += usize::from(bend * last < 0.0);
                    last = bend;
                }
            }
            close(value(&columns, "arc_length", 0), length, 1e-9);
            close(value(&columns, "total_variation", 0), variation, 1e-6);
            close(value(&columns, "inflections", 0), bends as f64, 0.0);
        }
    }
}

#[test]
fn a_row_has_the_same_bits_alone_and_in_a_block() {
    let mut draws = stream(8, "test", 0);
    for features in [
        polynomial(Basis::LegendreOrthonormal, 50, 0.0),
        polynomial(Basis::Chebyshev, 37, 1.0),
        polynomial(Basis::Monomial, 50, 0.0),
        fourier(25, 1.0),
        cosine(13, 0.0),
    ] {
        let cell = Cell::ten(features);
        let p = cell.problem.feature_count();
        let mut block = Snapshots::series(p);
        let rows: Vec<Vec<f64>> = (0..21)
            .map(|i| {
                (0..p).map(|_| if i == 5 { f64::NAN } else { 10f64.powi(i / 4 - 2) * normal(&mut draws) }).collect()
            })
            .collect();
        for row in &rows {
            block.push_series(row, 1.0);
        }
        let together = cell.measured(&block);
        for (i, row) in rows.iter().enumerate() {
            let mut alone = Snapshots::series(p);
            alone.push_series(row, 1.0);
            for (one, all) in cell.measured(&alone).iter().zip(&together) {
                let (one_value, all_value) = (one.value(0).map(f64::to_bits), all.value(i).map(f64::to_bits));
                assert_eq!(one_value, all_value, "{} row {i}", one.metric.name);
            }
        }
    }
}

#[test]
fn every_metric_survives_every_row() {
    let features: Vec<Arc<dyn FeatureMap>> = vec![
        polynomial(Basis::LegendreOrthonormal, 50, 0.0),
        polynomial(Basis::Monomial, 50, 2.0),
        polynomial(Basis::Legendre, 0, 0.0),
        polynomial(Basis::Legendre, 1, 0.0),
        polynomial(Basis::Chebyshev, 2, 0.0),
        fourier(0, 0.0),
        fourier(25, 0.0),
        cosine(0, 0.0),
        cosine(1, 0.0),
        cosine(50, 2.0),
    ];
    for features in features {
        for x in [vec![0.3], vec![-1.0, 1.0], vec![0.2, 0.2, 0.2], (0..40).map(|i| f64::from(i) / 20.0 - 1.0).collect()]
        {
            let y = vec![0.7; x.len()];
            let cell = Cell::new(features.clone(), &x, &y, Some(line()));
            let p = features.features();
            let mut snapshots = Snapshots::series(p);
            let with = |v: f64| unit(p, &[(p - 1, v)]);
            let finite = [vec![0.0; p], unit(p, &[(0, 2.0)]), with(1e-300), with(1e100), vec![1.0; p]];
            for row in &finite {
                snapshots.push_series(row, 1.0);
            }
            for broken in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                snapshots.push_series(&with(broken), f64::NAN);
            }
            for column in cell.measured(&snapshots) {
                let Some(values) = &column.values else {
                    let needs = column.metric.needs;
                    let held_out = needs.test || needs.law || needs.validation;
                    assert!(needs.interpolant || held_out, "{}", column.metric.name);
                    continue;
                };
                for (row, value) in values.iter().enumerate() {
                    assert_eq!(value.is_finite(), row < finite.len(), "{} row {row}: {value}", column.metric.name);
                    if row < 2 && column.metric.integer {
                        assert!(*value <= if p > 1 && row == 0 { 0.0 } else { 100.0 });
                    }
                }
                if column.metric.needs.freedom {
                    assert!(column.value(7).is_none() && column.value(0).is_some());
                }
            }
        }
    }
}

#[test]
fn expectations_are_the_mean_and_a_trace() {
    let cell = Cell::ten(polynomial(Basis::LegendreOrthonormal, 12, 1.0));
    let p = cell.problem.feature_count();
    let mut draws = stream(2, "expectation", 0);
    let mean: Vec<f64> = (0..p).map(|_| normal(&mut draws)).collect();
    // Rank 3, and small beside the mean: what is added is seen on its own.
    let roots: Vec<Vec<f64>> = (0..3).map(|_| (0..p).map(|_| 1e-2 * normal(&mut draws)).collect()).collect();
    let mut snapshots = Snapshots::series(p);
    snapshots.push_series(&mean, f64::NAN);
    let at_mean = cell.measured(&snapshots);
    snapshots.covariances = (0..p * p).map(|at| roots.iter().map(|l| l[at / p] * l[at % p]).sum()).collect();
    let expected = cell.measured(&snapshots);
    let n = cell.problem.samples() as f64;
    let values = |l: &[f64]| &cell.problem.design * DVector::from_row_slice(l);
    let spread = roots.iter().map(|l| values(l).norm_squared()).sum::<f64>() / n;
    // Rounding of a loss near 1.
    let (loss, mse) = (value(&expected, "loss", 0), value(&expected, "train_mse", 0));
    assert!((loss - value(&at_mean, "loss", 0) - 0.5 * spread).abs() < 1e-12, "½tr(AS)");
    assert!((mse - value(&at_mean, "train_mse", 0) - spread).abs() < 1e-12, "tr(AS)");
    for (column, at_mean) in expected.iter().zip(&at_mean) {
        let name = column.metric.name;
        // A curve without held-out rows and without a law of rows has no errors on them, at the mean either.
        let held_out = ["test_error", "estimation_error", "validation_error"].contains(&name);
        assert_eq!(at_mean.values.is_none(), held_out, "{name}");
        assert_eq!(column.values.is_some(), column.metric.quadratic && !held_out, "{name}");
        let Some(got) = column.value(0) else { continue };
        // A quadratic is its value at the mean and half its second differences.
        let second: f64 = roots
            .iter()
            .map(|l| {
                let moved = |sign: f64| mean.iter().zip(l).map(|(m, l)| m + sign * l).collect::<Vec<f64>>();
                let around = [1.0, -1.0].map(|sign| value(&cell.row(&moved(sign)), name, 0));
                0.5 * (around[0] + around[1]) - at_mean.value(0).unwrap()
            })
            .sum();
        let scale = at_mean.value(0).unwrap().abs();
        assert!((got - at_mean.value(0).unwrap() - second).abs() <= 1e-12 * scale, "{name}");
    }
}

/// Two inputs, Σ = diag(1, 4), β* = (1, −1): every number by hand.
#[test]
fn errors_on_new_rows_are_those_of_the_law_or_of_the_rows() {
    let inputs = DMatrix::from_row_slice(1, 2, &[1.0, 0.0]);
    let mut problem = Regression::from_inputs(&inputs, vec![1.0], Arc::new(Identity { count: 2 }));
    let svd = ThinSvd::new(problem.design.as_view());
    let mut snapshots = Snapshots::series(2);
    snapshots.push_series(&[2.0, 0.0], 1.0);
    let instruments = Instruments::none();
    let measured = |problem: &Regression, name: &str| {
        let setting = Setting::new(&instruments, problem, &svd, &[]);
        let mut out = Vec::new();
        measure(
            Views { rows: Some(&setting), matrix: None },
            &snapshots,
            &[taut_metrics::metric(name).unwrap()],
            &mut out,
        );
        out[0].value(0)
    };
    let names = ["test_error", "estimation_error", "validation_error", "risk", "bending_energy", "train_mse"];
    assert_eq!(names.map(|name| measured(&problem, name)), [None, None, None, None, None, Some(1.0)]);
    problem.law = Some(Arc::new(Law {
        covariance: Covariance::Diagonal(vec![1.0, 4.0]),
        predictor: vec![1.0, -1.0],
        noise_variance: 9.0,
        unseen_variance: 0.25,
    }));
    let design = DMatrix::from_row_slice(2, 2, &[1.0, 1.0, 0.0, 1.0]);
    problem.validation = Some(Arc::new(HeldOut { design: design.clone(), y: vec![1.0, 2.0] }));
    let found = ["test_error", "estimation_error", "validation_error"].map(|name| measured(&problem, name));
    assert_eq!(found, [Some(5.25), Some(2.0), Some(2.5)]);
    problem.test = Some(Arc::new(HeldOut { design, y: vec![2.0, 1.0] }));
    assert_eq!(measured(&problem, "test_error"), Some(0.5), "rows to test on go before the law");
}
