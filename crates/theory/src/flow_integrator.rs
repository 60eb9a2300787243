//! Small autonomous systems of differential equations, integrated with error control.

/// Dormand and Prince's pair: the weights of the stages before each stage; the last row is the solution of order 5.
const STAGES: [&[f64]; 6] = [
    &[1.0 / 5.0],
    &[3.0 / 40.0, 9.0 / 40.0],
    &[44.0 / 45.0, -56.0 / 15.0, 32.0 / 9.0],
    &[19372.0 / 6561.0, -25360.0 / 2187.0, 64448.0 / 6561.0, -212.0 / 729.0],
    &[9017.0 / 3168.0, -355.0 / 33.0, 46732.0 / 5247.0, 49.0 / 176.0, -5103.0 / 18656.0],
    &[35.0 / 384.0, 0.0, 500.0 / 1113.0, 125.0 / 192.0, -2187.0 / 6784.0, 11.0 / 84.0],
];

/// Order 5 minus order 4.
const ERROR: [f64; 7] =
    [71.0 / 57600.0, 0.0, -71.0 / 16695.0, 71.0 / 1920.0, -17253.0 / 339200.0, 22.0 / 525.0, -1.0 / 40.0];

/// A solution of dy/dt = f(y) on its way.
pub(crate) struct Flow<F> {
    slope: F,
    tolerance: f64,
    time: f64,
    state: Vec<f64>,
    step: f64,
    steps_left: usize,
}

impl<F: FnMut(&[f64], &mut [f64])> Flow<F> {
    /// From `state` at t = 0. An error of `tolerance`·(1 + |yᵢ|) per entry and step is allowed, and so many steps.
    pub(crate) fn new(state: Vec<f64>, tolerance: f64, steps: usize, slope: F) -> Self {
        Self { slope, tolerance, time: 0.0, state, step: 1e-6, steps_left: steps }
    }

    /// The state at this time, not before the last one asked for; `None` if the steps do not suffice.
    pub(crate) fn at(&mut self, time: f64) -> Option<&[f64]> {
        while self.time < time {
            self.steps_left = self.steps_left.checked_sub(1)?;
            let left = time - self.time;
            let h = self.step.min(left);
            let (next, error) = self.attempt(h);
            if error <= 1.0 {
                self.state = next;
                self.time = if h >= left { time } else { self.time + h };
            }
            let growth = if error.is_finite() { (0.9 * error.max(1e-10).powf(-0.2)).clamp(0.2, 5.0) } else { 0.1 };
            // A step cut short by the end of the interval says nothing about longer ones.
            self.step = if h >= left && error <= 1.0 { self.step.max(h * growth) } else { h * growth };
        }
        Some(&self.state)
    }

    /// The state after h, and the largest error in units of what is allowed.
    fn attempt(&mut self, h: f64) -> (Vec<f64>, f64) {
        let size = self.state.len();
        let mut slopes = vec![vec![0.0; size]; 7];
        (self.slope)(&self.state, &mut slopes[0]);
        let mut next = self.state.clone();
        for (stage, weights) in STAGES.iter().enumerate() {
            for (i, next) in next.iter_mut().enumerate() {
                let sum: f64 = weights.iter().zip(&slopes).map(|(w, slope)| w * slope[i]).sum();
                *next = self.state[i] + h * sum;
            }
            (self.slope)(&next, &mut slopes[stage + 1]);
        }
        let error = |i: usize| {
            let sum: f64 = ERROR.iter().zip(&slopes).map(|(w, slope)| w * slope[i]).sum();
            (h * sum).abs() / (self.tolerance * (1.0 + self.state[i].abs().max(next[i].abs())))
        };
        let worst =
            (0..size).map(error).fold(0.0, |worst: f64, e| if e.is_nan() { f64::INFINITY } else { worst.max(e) });
        (next, worst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotation_and_a_decay_are_followed() {
        let mut flow = Flow::new(vec![1.0, 0.0, 1.0], 1e-12, 10_000, |y, slope| {
            slope.copy_from_slice(&[-y[1], y[0], -3.0 * y[2]]);
        });
        for t in [0.0, 0.7, 2.0, 10.0] {
            let y = flow.at(t).unwrap();
            // Ten units of time at 1e-12 per step.
            for (got, exact) in y.iter().zip([f64::cos(t), f64::sin(t), f64::exp(-3.0 * t)]) {
                assert!((got - exact).abs() < 1e-10, "{t}: {got} {exact}");
            }
        }
        assert!(Flow::new(vec![1.0], 1e-12, 3, |y, slope| slope[0] = -y[0]).at(10.0).is_none());
    }
}
