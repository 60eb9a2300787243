//! Dormand and Prince's embedded pair of order 5(4): steps by error control, and dense output of order 4.

use taut_problem::Memory;

/// A direction field dy/dt = f(y).
pub trait Rate {
    /// Writes f(y).
    fn rate_into(&mut self, y: &[f64], rate: &mut [f64]);
}

/// The error that a step may make in entry i: relative·|yᵢ| + absolute.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tolerance {
    pub(crate) relative: f64,
    pub(crate) absolute: f64,
}

/// One solution of an autonomous equation, step by step.
///
/// Steps depend on nothing but the equation, the start and the tolerance: whoever wants the state at a time asks
/// the dense output of the step that contains it. The last stage of a step is the first of the next, so a step
/// costs six evaluations. No allocation after construction. Control and dense output as in Hairer, Nørsett and
/// Wanner 1993 (DOPRI5). Cites Dormand and Prince 1980.
pub(crate) struct EmbeddedPair {
    tolerance: Tolerance,
    t: f64,
    y: Vec<f64>,
    /// Time and state before the last step.
    t_before: f64,
    before: Vec<f64>,
    trial: Vec<f64>,
    /// k₁, …, k₇.
    stages: [Vec<f64>; 7],
    /// The step that comes next, and the one before.
    h: f64,
    taken: f64,
    /// The error of the last step in units of the tolerance.
    last_error: f64,
    evaluations: u64,
}

/// Coefficients of the stages 2 to 7; those of stage 7 are the solution of order 5.
const A: [[f64; 6]; 6] = [
    [1.0 / 5.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    [3.0 / 40.0, 9.0 / 40.0, 0.0, 0.0, 0.0, 0.0],
    [44.0 / 45.0, -56.0 / 15.0, 32.0 / 9.0, 0.0, 0.0, 0.0],
    [19372.0 / 6561.0, -25360.0 / 2187.0, 64448.0 / 6561.0, -212.0 / 729.0, 0.0, 0.0],
    [9017.0 / 3168.0, -355.0 / 33.0, 46732.0 / 5247.0, 49.0 / 176.0, -5103.0 / 18656.0, 0.0],
    [35.0 / 384.0, 0.0, 500.0 / 1113.0, 125.0 / 192.0, -2187.0 / 6784.0, 11.0 / 84.0],
];

/// The solution of order 5 less that of order 4.
const ERROR: [f64; 7] =
    [71.0 / 57600.0, 0.0, -71.0 / 16695.0, 71.0 / 1920.0, -17253.0 / 339_200.0, 22.0 / 525.0, -1.0 / 40.0];

/// The last term of the dense output.
const DENSE: [f64; 7] = [
    -12_715_105_075.0 / 11_282_082_432.0,
    0.0,
    87_487_479_700.0 / 32_700_410_799.0,
    -10_690_763_975.0 / 1_880_347_072.0,
    701_980_252_875.0 / 199_316_789_632.0,
    -1_453_857_185.0 / 822_651_844.0,
    69_997_945.0 / 29_380_423.0,
];

/// A step is 0.9 of what the error allows, grows by 10 and shrinks by 5 at most.
const SAFETY: f64 = 0.9;
const GROWTH: f64 = 10.0;
const SHRINKAGE: f64 = 0.2;
/// The exponents of the error and of the one before (Hairer's β = 0.04).
const PROPORTIONAL: f64 = 0.2 - 0.75 * INTEGRAL;
const INTEGRAL: f64 = 0.04;
/// A step of this length is as good as infinite, and its products with rates stay finite.
const LONGEST: f64 = 1e100;

impl EmbeddedPair {
    /// At rest at `start` and t = 0; the first stage is evaluated here.
    pub(crate) fn new(start: &[f64], tolerance: Tolerance, rate: &mut impl Rate) -> Self {
        let zeros = || vec![0.0; start.len()];
        let mut pair = Self {
            tolerance,
            t: 0.0,
            y: start.to_vec(),
            t_before: 0.0,
            before: start.to_vec(),
            trial: zeros(),
            stages: std::array::from_fn(|_| zeros()),
            h: 0.0,
            taken: 0.0,
            last_error: 1e-4,
            evaluations: 1,
        };
        rate.rate_into(&pair.y, &mut pair.stages[0]);
        pair.h = pair.first_step();
        pair
    }

    /// A step that changes no entry by more than a hundredth of itself, or of the error that it may have.
    fn first_step(&self) -> f64 {
        let allowed = |y: &f64| 0.01 * y.abs() + self.tolerance.absolute;
        let shortest = |h: f64, (y, rate): (&f64, &f64)| {
            let step = allowed(y) / rate.abs();
            if step < h { step } else { h }
        };
        self.y.iter().zip(&self.stages[0]).fold(1.0, shortest)
    }

    /// The time reached.
    pub(crate) fn t(&self) -> f64 {
        self.t
    }

    /// The time before the last step.
    pub(crate) fn t_before(&self) -> f64 {
        self.t_before
    }

    /// How often the rate was evaluated.
    pub(crate) fn evaluations(&self) -> u64 {
        self.evaluations
    }

    /// Visits the last step with its stages, which the dense output needs, and the control of the next.
    pub(crate) fn remember(&mut self, memory: &mut Memory<'_>) {
        for (entry, value) in [
            ("t", &mut self.t),
            ("t before", &mut self.t_before),
            ("next step", &mut self.h),
            ("last step", &mut self.taken),
            ("last error", &mut self.last_error),
        ] {
            memory.value(entry, value);
        }
        memory.value("evaluations", &mut self.evaluations);
        memory.values("state", &mut self.y);
        memory.values("state before", &mut self.before);
        self.stages.iter_mut().for_each(|stage| memory.values("stage", stage));
    }

    /// One step as long as its error allows; the rate was last evaluated at its end. False if no step is short
    /// enough: the solution ends here.
    pub(crate) fn step(&mut self, rate: &mut impl Rate) -> bool {
        if self.taken > 0.0 {
            self.stages.swap(0, 6);
        }
        let mut was_rejected = false;
        while self.h > 16.0 * f64::EPSILON * self.t && self.h >= f64::MIN_POSITIVE {
            self.attempt(rate);
            let error = self.error();
            if error <= 1.0 {
                self.accept(error, was_rejected);
                return true;
            }
            was_rejected = true;
            let factor = SAFETY / error.powf(PROPORTIONAL);
            // Comparisons with a NaN are false: a state that is not finite shrinks the step.
            self.h *= if factor > SHRINKAGE { factor } else { SHRINKAGE };
        }
        false
    }

    /// All stages of a step of length h.
    fn attempt(&mut self, rate: &mut impl Rate) {
        for (stage, coefficients) in A.iter().enumerate() {
            self.trial.copy_from_slice(&self.y);
            for (k, a) in self.stages[..=stage].iter().zip(coefficients) {
                let weight = self.h * a;
                for (y, k) in self.trial.iter_mut().zip(k) {
                    *y = f64::mul_add(weight, *k, *y);
                }
            }
            rate.rate_into(&self.trial, &mut self.stages[stage + 1]);
        }
        self.evaluations += 6;
    }

    /// The largest error of an entry in units of what it may be; infinite where one is not a number.
    fn error(&self) -> f64 {
        let mut worst = 0.0_f64;
        for (i, (y, trial)) in self.y.iter().zip(&self.trial).enumerate() {
            let error = self.h * ERROR.iter().zip(&self.stages).map(|(e, k)| e * k[i]).sum::<f64>();
            let allowed = self.tolerance.relative * y.abs().max(trial.abs()) + self.tolerance.absolute;
            let ratio = error.abs() / allowed;
            if ratio.is_nan() {
                return f64::INFINITY;
            }
            worst = worst.max(ratio);
        }
        worst
    }

    fn accept(&mut self, error: f64, was_rejected: bool) {
        let factor = SAFETY * self.last_error.powf(INTEGRAL) / error.powf(PROPORTIONAL);
        let factor = factor.clamp(SHRINKAGE, if was_rejected { 1.0 } else { GROWTH });
        std::mem::swap(&mut self.before, &mut self.y);
        std::mem::swap(&mut self.y, &mut self.trial);
        (self.t_before, self.taken) = (self.t, self.h);
        self.t += self.h;
        self.h = (self.h * factor).min(LONGEST);
        self.last_error = error.max(1e-4);
    }

    /// The state at a time within the last step; order 4.
    pub(crate) fn at(&self, t: f64, out: &mut [f64]) {
        if self.taken <= 0.0 {
            return out.copy_from_slice(&self.y);
        }
        let (h, s) = (self.taken, (t - self.t_before) / self.taken);
        for (i, out) in out.iter_mut().enumerate() {
            let (start, change) = (self.before[i], self.y[i] - self.before[i]);
            let bend = h * self.stages[0][i] - change;
            let twist = change - h * self.stages[6][i] - bend;
            let last: f64 = h * DENSE.iter().zip(&self.stages).map(|(d, k)| d * k[i]).sum::<f64>();
            *out = start + s * (change + (1.0 - s) * (bend + s * (twist + (1.0 - s) * last)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A rotation: y₁′ = y₂, y₂′ = −y₁.
    struct Circle;

    impl Rate for Circle {
        fn rate_into(&mut self, y: &[f64], rate: &mut [f64]) {
            rate.copy_from_slice(&[y[1], -y[0]]);
        }
    }

    /// y′ = y², which ends at t = 1/y₀.
    struct BlowUp;

    impl Rate for BlowUp {
        fn rate_into(&mut self, y: &[f64], rate: &mut [f64]) {
            rate[0] = y[0] * y[0];
        }
    }

    fn worst_on_a_circle(relative: f64) -> [f64; 2] {
        let mut pair = EmbeddedPair::new(&[0.0, 1.0], Tolerance { relative, absolute: relative }, &mut Circle);
        let (mut worst, mut inside) = ([0.0_f64; 2], [0.0; 2]);
        while pair.t() < 20.0 {
            assert!(pair.step(&mut Circle));
            let middle = f64::midpoint(pair.t_before(), pair.t());
            for (worst, t) in worst.iter_mut().zip([pair.t(), middle]) {
                pair.at(t, &mut inside);
                *worst = worst.max((inside[0] - t.sin()).abs()).max((inside[1] - t.cos()).abs());
            }
        }
        worst
    }

    #[test]
    fn errors_follow_the_tolerance_at_steps_and_between_them() {
        let mut before = [1.0; 2];
        for relative in [1e-6, 1e-8, 1e-10, 1e-12] {
            let worst = worst_on_a_circle(relative);
            // A hundred steps add their errors up; the dense output has one order less.
            assert!(worst[0] < 100.0 * relative && worst[1] < 300.0 * relative, "{relative:e}: {worst:?}");
            assert!(worst[0] < 0.1 * before[0] && worst[1] < 0.1 * before[1]);
            before = worst;
        }
    }

    #[test]
    fn a_solution_that_ends_is_noticed_where_it_ends() {
        let mut pair = EmbeddedPair::new(&[2.0], Tolerance { relative: 1e-9, absolute: 1e-12 }, &mut BlowUp);
        let mut steps = 0;
        while pair.step(&mut BlowUp) {
            steps += 1;
            assert!(steps < 100_000);
        }
        assert!((pair.t() - 0.5).abs() < 1e-8, "{}", pair.t());
    }
}
