//! How a linear network generalises while it learns a low-rank teacher from noisy samples.

use crate::extremum::least;
use crate::factored_start::{factors, product};
use crate::marchenko_pastur::MarchenkoPastur;
use crate::mode_growth::Growth;
use crate::singular_modes::SingularModes;
use crate::teacher_frame::{TeacherFrame, not_flow, reached, together};
use crate::{Build, MatrixPremise, Number, Prediction, TheoryDef};
use nalgebra::DMatrix;
use taut_problem::MatrixLaw;

pub(crate) const THEORY: TheoryDef = TheoryDef {
    name: "noisy_teacher_generalization",
    doc: "a teacher with singular values s̄ under whitened inputs, entries of Syx with noise of variance 1/inputs, A = \
          outputs/inputs: beyond s̄ = A^(1/4) a sampled mode ŝ = √((1 + s̄²)(A + s̄²))/s̄ has overlap O = O_u·O_v with the \
          teacher's, O_u² = 1 − A(1 + s̄²)/(s̄²(A + s̄²)), O_v² = 1 − (A + s̄²)/(s̄²(1 + s̄²)); below, none; noise modes \
          follow Marchenko and Pastur. Test error [Σs̄² + Σu(ŝ, t)² − 2Σs̄·O·u(ŝ, t)]/Σs̄² as `test_error_normalised`, \
          with `best_time`, `best_test_error_normalised`, `end_test_error_normalised`, and \
          `best_shrinkage_test_error_normalised` where every mode stops at its own best, u = s̄O. As functions of the \
          teacher's mode: `sampled_singular_value`, `output_overlap`, `input_overlap`, and `mode_stopping_time`, when u = \
          s̄O. Other noise scales all strengths",
    cite: "Lampinen and Ganguli 2019",
    assumes: "inputs → ∞ at constant A; a teacher of low rank above the threshold; whitened inputs; N factors from an aligned \
              balanced start with equal strengths, or two from a random start with hσ²/2 far below the noise modes (0.001 \
              of them); gradient flow, or descent with a small step size. Where the network's rank cuts off noise modes, \
              the largest are kept",
    build: Build::Matrix(build),
};

/// A start this far below the bulk of noise modes does not matter: 0.001 of it.
const LARGE_SEED: f64 = 1.001e-3;

/// Off-diagonal mass of W (relative) that still counts as aligned.
const ALIGNED: f64 = 1e-6;

fn build(premise: &MatrixPremise<'_>) -> Prediction {
    match (spike(premise), factors(premise), TeacherFrame::of(premise)) {
        (Ok(spike), Ok(factors), Ok(frame)) => match start_strength(&factors, &frame) {
            Ok(seed) => predict(premise, &Learning::new(premise, spike, &factors, &frame, seed), &frame),
            Err(reason) => Prediction::silent(reason),
        },
        (Err(reason), ..) | (_, Err(reason), _) | (.., Err(reason)) => Prediction::silent(reason),
    }
}

/// (ν, s̄): an entry of Syx has noise of variance ν²/inputs.
fn spike(premise: &MatrixPremise<'_>) -> Result<(f64, Vec<f64>), String> {
    let (Some(MatrixLaw::Spiked { noise_variance }), Some(teacher)) = (premise.problem.law, &premise.problem.teacher)
    else {
        return Err("no teacher with noise on its labels is known behind the data".to_owned());
    };
    if noise_variance <= 0.0 {
        return Err("there is no noise: the network learns the teacher".to_owned());
    }
    let modes = SingularModes::of(teacher).filter(|modes| modes.rank() > 0).ok_or("the teacher is zero")?;
    Ok((noise_variance.sqrt(), modes.s))
}

/// u₀: the mean strength of an aligned start; for two layers otherwise (‖W₁‖²/inputs + ‖W₂‖²/outputs)/4, whose mean is hσ²/2.
fn start_strength(factors: &[DMatrix<f64>], frame: &TeacherFrame) -> Result<f64, String> {
    let w = product(factors);
    let strengths = frame.strengths(&w);
    let mass = (&w - frame.matrix(&strengths)).norm();
    if mass <= ALIGNED * w.norm() {
        return Ok(strengths.iter().sum::<f64>() / strengths.len().min(rank(factors)) as f64);
    }
    match factors {
        [first, second] => {
            Ok(0.25 * (first.norm_squared() / first.ncols() as f64 + second.norm_squared() / second.nrows() as f64))
        }
        _ => Err(format!(
            "{} factors from a start that is not aligned: off-diagonal mass {mass} of a norm {}",
            factors.len(),
            w.norm()
        )),
    }
}

fn predict(premise: &MatrixPremise<'_>, learning: &Learning<'_>, frame: &TeacherFrame) -> Prediction {
    let mut numbers =
        learning.modes.iter().enumerate().flat_map(|(j, mode)| learning.of_mode(j, mode)).collect::<Vec<_>>();
    let strongest = learning.modes.iter().map(|mode| mode.sampled).fold(0.0, f64::max);
    let scale = learning.time(strongest, 0.5 * strongest);
    let (time, error) = least(1e-3 * scale, 1e3 * scale, |t| learning.test_error(t));
    numbers.extend([
        Number::of_cell("best_time", time),
        Number::of_cell("best_test_error_normalised", error),
        Number::of_cell("end_test_error_normalised", learning.test_error(f64::INFINITY)),
        Number::of_cell("best_shrinkage_test_error_normalised", learning.best_shrinkage()),
    ]);
    let hidden = learning.modes.iter().find(|mode| mode.overlap() <= 0.0);
    let hidden = hidden.map(|mode| {
        format!("a singular value {} of the teacher is below the threshold {}", mode.teacher, learning.threshold)
    });
    let large = (learning.seed > LARGE_SEED * learning.noise)
        .then(|| format!("the start {} is not below 0.001 of the noise {}", learning.seed, learning.noise));
    let curve = reached(premise).map(|(clock, t)| (clock, "test_error_normalised", learning.test_error(t)));
    Prediction {
        curves: curve.collect(),
        numbers,
        unmet: together([hidden, large, not_flow(premise.dynamics, frame.stiffness(learning.depth))]),
        ..Prediction::default()
    }
}

/// The rank that the narrowest layer allows.
fn rank(factors: &[DMatrix<f64>]) -> usize {
    factors.iter().flat_map(|factor| [factor.nrows(), factor.ncols()]).min().unwrap_or(0)
}

/// What samples show of one mode of the teacher.
#[derive(Clone, Copy, Debug)]
struct SampledMode {
    /// s̄.
    teacher: f64,
    /// ŝ.
    sampled: f64,
    /// O_u, on the side of the outputs.
    output: f64,
    /// O_v, on the side of the inputs.
    input: f64,
}

impl SampledMode {
    /// Under noise of variance 1/inputs per entry.
    fn new(teacher: f64, aspect: f64) -> Self {
        let square = teacher * teacher;
        if square * square <= aspect {
            return Self { teacher, sampled: 1.0 + aspect.sqrt(), output: 0.0, input: 0.0 };
        }
        let sampled = ((1.0 + square) * (aspect + square)).sqrt() / teacher;
        let output = (1.0 - aspect * (1.0 + square) / (square * (aspect + square))).sqrt();
        let input = (1.0 - (aspect + square) / (square * (1.0 + square))).sqrt();
        Self { teacher, sampled, output, input }
    }

    fn scaled(self, noise: f64) -> Self {
        Self { teacher: self.teacher * noise, sampled: self.sampled * noise, ..self }
    }

    fn overlap(self) -> f64 {
        self.output * self.input
    }
}

/// The modes with the network that learns them.
struct Learning<'a> {
    premise: &'a MatrixPremise<'a>,
    frame: &'a TeacherFrame,
    depth: usize,
    seed: f64,
    noise: f64,
    threshold: f64,
    modes: Vec<SampledMode>,
    /// Singular values of noise with how many modes stand at each.
    bulk: Vec<(f64, f64)>,
}

impl<'a> Learning<'a> {
    fn new(
        premise: &'a MatrixPremise<'a>,
        (noise, teacher): (f64, Vec<f64>),
        factors: &[DMatrix<f64>],
        frame: &'a TeacherFrame,
        seed: f64,
    ) -> Self {
        let (inputs, outputs) = (premise.problem.inputs, premise.problem.outputs);
        let aspect = outputs as f64 / inputs as f64;
        let rank = rank(factors);
        let mut modes: Vec<SampledMode> =
            teacher.iter().map(|s| SampledMode::new(s / noise, aspect).scaled(noise)).collect();
        modes.truncate(rank);
        let seen = modes.iter().filter(|mode| mode.overlap() > 0.0).count();
        let all = inputs.min(outputs);
        let bulk = noise_modes(aspect, (all - seen.min(all)) as f64, (rank - seen) as f64);
        let bulk = bulk.into_iter().map(|(s, count)| (s * noise, count)).collect();
        Self { premise, frame, depth: factors.len(), seed, noise, threshold: noise * aspect.powf(0.25), modes, bulk }
    }

    /// u(ŝ, t).
    fn strength(&self, sampled: f64, time: f64) -> f64 {
        let pace = self.frame.pace(self.premise.dynamics, self.depth, sampled);
        Growth { depth: self.depth, target: sampled }.at(self.seed, pace * time)
    }

    /// When a mode reaches a strength.
    fn time(&self, sampled: f64, strength: f64) -> f64 {
        let pace = self.frame.pace(self.premise.dynamics, self.depth, sampled);
        Growth { depth: self.depth, target: sampled }.time(self.seed, strength) / pace
    }

    fn signal(&self) -> f64 {
        spike_energy(self.premise)
    }

    fn test_error(&self, time: f64) -> f64 {
        let shown = self.modes.iter().filter(|mode| mode.overlap() > 0.0).map(|mode| {
            let u = self.strength(mode.sampled, time);
            u * u - 2.0 * mode.teacher * mode.overlap() * u
        });
        let noise = self.bulk.iter().map(|(s, count)| count * self.strength(*s, time).powi(2));
        1.0 + (shown.sum::<f64>() + noise.sum::<f64>()) / self.signal()
    }

    fn best_shrinkage(&self) -> f64 {
        let removed: f64 = self.modes.iter().map(|mode| (mode.teacher * mode.overlap()).powi(2)).sum();
        1.0 - removed / self.signal()
    }

    fn of_mode(&self, j: usize, mode: &SampledMode) -> Vec<Number> {
        let at = |name, value| Number::at(name, (j + 1) as f64, value);
        let mut numbers = vec![
            at("sampled_singular_value", mode.sampled),
            at("output_overlap", mode.output),
            at("input_overlap", mode.input),
        ];
        let best = mode.teacher * mode.overlap();
        if best > self.seed {
            numbers.push(at("mode_stopping_time", self.time(mode.sampled, best)));
        }
        numbers
    }
}

/// Σs̄².
fn spike_energy(premise: &MatrixPremise<'_>) -> f64 {
    premise.problem.teacher.as_ref().map_or(0.0, DMatrix::norm_squared)
}

/// The largest `kept` of `count` singular values of noise of variance 1/inputs, as (value, how many).
///
/// A node of the quadrature stands for its share of modes; the last is cut to the number kept.
fn noise_modes(aspect: f64, count: f64, kept: f64) -> Vec<(f64, f64)> {
    let mut nodes = MarchenkoPastur::new(aspect).nodes().to_vec();
    nodes.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mass: f64 = nodes.iter().map(|node| node.1).sum();
    let mut left = kept;
    let take = |(square, weight): (f64, f64)| {
        let modes = (weight / mass * count).min(left);
        left -= modes;
        (square.sqrt(), modes)
    };
    nodes.into_iter().map(take).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix_cases::{MatrixCase, gaussian};
    use crate::random_start_modes;
    use crate::reference_tables::Table;
    use taut_problem::{Clock, Dynamics};

    /// A teacher with noise, and a start aligned with what the samples show.
    fn case(inputs: usize, outputs: usize, teacher: &[f64], seed: f64, draw: u64) -> MatrixCase {
        let frame = |rows: usize, draw: u64| gaussian(rows, teacher.len(), draw).qr().q();
        let left = frame(outputs, 1000 + 3 * draw) * crate::matrix_cases::diagonal(teacher);
        let teacher = left * frame(inputs, 1001 + 3 * draw).transpose();
        let syx = &teacher + gaussian(outputs, inputs, 1002 + 3 * draw) / (inputs as f64).sqrt();
        let modes = SingularModes::of(&syx).unwrap();
        let layers = [modes.v.transpose() * seed.sqrt(), &modes.u * seed.sqrt()];
        let mut case = MatrixCase::deep(syx, &layers);
        case.problem.teacher = Some(teacher);
        case.under(MatrixLaw::Spiked { noise_variance: 1.0 })
    }

    fn number(prediction: &Prediction, name: &str, mode: Option<f64>) -> f64 {
        prediction.numbers.iter().find(|n| n.quantity == name && n.parameter == mode).map_or(f64::NAN, |n| n.value)
    }

    #[test]
    fn sampled_singular_values_and_overlaps_are_those_of_large_draws() {
        const DRAWS: u64 = 6;
        for (aspect, teacher) in [(0.5, [3.0, 1.5]), (1.0, [2.5, 1.6])] {
            let mut means = [[0.0; 3]; 2];
            let mut prediction = Prediction::default();
            for draw in 0..DRAWS {
                let case = case(200, (aspect * 200.0) as usize, &teacher, 1e-3, draw);
                prediction = case.under_flow(&THEORY, &[]);
                assert_eq!(prediction.unmet, None);
                let taut_problem::Observed::Moments(moments) = &case.problem.observed else { unreachable!() };
                let sampled = SingularModes::of(&moments.syx).unwrap();
                let exact = SingularModes::of(case.problem.teacher.as_ref().unwrap()).unwrap();
                for (j, means) in means.iter_mut().enumerate() {
                    let overlap = |a: &DMatrix<f64>, b: &DMatrix<f64>| a.column(j).dot(&b.column(j)).abs();
                    let measured = [sampled.s[j], overlap(&sampled.u, &exact.u), overlap(&sampled.v, &exact.v)];
                    means.iter_mut().zip(measured).for_each(|(mean, value)| *mean += value / DRAWS as f64);
                }
            }
            for (j, mean) in means.iter().enumerate() {
                for (value, name) in mean.iter().zip(["sampled_singular_value", "output_overlap", "input_overlap"]) {
                    let expected = number(&prediction, name, Some((j + 1) as f64));
                    // uᵀZv has deviation 1/√200; three standard errors of six draws.
                    assert!((value - expected).abs() < 3.0 / 1200.0_f64.sqrt(), "{aspect} {j} {name}: {value}");
                }
            }
        }
    }

    #[test]
    fn the_test_error_is_that_of_a_sampled_problem() {
        let teacher = [3.0, 1.5, 0.6];
        let times: Vec<f64> = (0..200).map(|k| 0.05 * f64::from(k)).collect();
        for draw in 0..2 {
            let case = case(200, 100, &teacher, 1e-3, draw);
            let prediction = case.under_flow(&THEORY, &times);
            // 0.6 is below the threshold 0.84.
            assert!(prediction.unmet.as_ref().unwrap().contains("below the threshold"));
            let modes = case.under_flow(&crate::deep_linear_modes::THEORY, &times);
            assert_eq!(modes.unmet, None);
            let truth = case.problem.teacher.as_ref().unwrap();
            let error =
                |w: &[f64]| (DMatrix::from_column_slice(100, 200, w) - truth).norm_squared() / truth.norm_squared();
            let measured: Vec<f64> = modes.path.iter().map(|(_, w)| error(w)).collect();
            let (best, least) = measured.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1)).unwrap();
            // The book's bounds for this case: 0.15 in time, 8% in the minimum.
            assert!((times[best] - number(&prediction, "best_time", None)).abs() < 0.15, "{}", times[best]);
            assert!((least / number(&prediction, "best_test_error_normalised", None) - 1.0).abs() < 0.08, "{least}");
            let end = number(&prediction, "end_test_error_normalised", None);
            let sup = measured.iter().zip(&prediction.curves).map(|(m, c)| (m - c.2).abs()).fold(0.0, f64::max);
            assert!(end > 10.0 * least && sup < 0.06 * end, "{end} {sup}");
        }
    }

    #[test]
    fn the_book_s_minimum_and_shrinkage_are_reproduced() {
        let prediction = case(200, 100, &[3.0, 1.5, 0.6], 1e-3, 0).under_flow(&THEORY, &[]);
        let at = |name| number(&prediction, name, None);
        assert!((at("best_test_error_normalised") - 0.3115).abs() < 5e-4, "{}", at("best_test_error_normalised"));
        assert!((at("best_time") - 1.55).abs() < 0.05, "{}", at("best_time"));
        assert!((at("best_shrinkage_test_error_normalised") - 0.258).abs() < 5e-4);
    }

    #[test]
    fn a_student_of_rank_one_stops_where_the_formula_says() {
        let mut case = case(60, 30, &[3.0], 1e-3, 0);
        let (first, second) = case.start.split_at(30 * 60);
        let layers = [
            DMatrix::from_column_slice(30, 60, first).rows(0, 1).into_owned(),
            DMatrix::from_column_slice(30, 30, second).columns(0, 1).into_owned(),
        ];
        let narrow = MatrixCase::deep(DMatrix::zeros(30, 60), &layers);
        case.start = narrow.start;
        case.parametrization = narrow.parametrization;
        let prediction = case.under_flow(&THEORY, &[]);
        let (best, formula) =
            (number(&prediction, "best_time", None), number(&prediction, "mode_stopping_time", Some(1.0)));
        // The minimum is flat: √ε.
        assert!((best / formula - 1.0).abs() < 1e-6, "{best} {formula}");
        let shrinkage = number(&prediction, "best_shrinkage_test_error_normalised", None);
        assert!((number(&prediction, "best_test_error_normalised", None) - shrinkage).abs() < 1e-12);
    }

    #[test]
    fn the_sampled_modes_give_the_published_test_error() {
        let mut case = MatrixCase::file("c11_noisy_teacher_inputs", "", &[12]);
        case.problem.law = Some(MatrixLaw::Spiked { noise_variance: 1.0 });
        let table = Table::deep_linear("c11_noisy_teacher_traj");
        let clocks: Vec<Clock> = table.rows().iter().map(|row| Clock::Step(row["step"] as u64)).collect();
        let prediction = case.predict(&random_start_modes::THEORY, &Dynamics::descent(0.01), &clocks);
        let truth = case.problem.teacher.as_ref().unwrap();
        let error = |w: &[f64]| (DMatrix::from_column_slice(10, 16, w) - truth).norm_squared() / truth.norm_squared();
        let gap = |(path, row): (&(Clock, Vec<f64>), &std::collections::BTreeMap<String, f64>)| {
            (error(&path.1) - row["test_error_normalised"]).abs()
        };
        let worst = prediction.path.iter().zip(table.rows()).map(gap).fold(0.0, f64::max);
        // The step size and the size of the start.
        assert!(worst < 0.05, "{worst}");
    }
}
