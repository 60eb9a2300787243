//! How a single mode of a balanced deep linear network grows: du/dt = N·u^(2−2/N)·(s − u).

use std::f64::consts::PI;

/// One mode: N factors, and the strength s that it learns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Growth {
    /// N.
    pub(crate) depth: usize,
    /// s ≥ 0.
    pub(crate) target: f64,
}

impl Growth {
    /// u(t) from u(0) = `start`; t may be infinite. A mode that starts at zero stays there unless N = 1.
    ///
    /// N = 1: s + (u₀ − s)e^(−t). N = 2: s/(1 + (s/u₀ − 1)e^(−2st)). N ≥ 3: the closed form of [`Self::time`],
    /// inverted. s = 0: (u₀^(−p) + Npt)^(−1/p) with p = 2 − 2/N.
    pub(crate) fn at(self, start: f64, t: f64) -> f64 {
        let (n, s) = (self.depth as f64, self.target);
        match self.depth {
            1 => start - (s - start) * (-t).exp_m1(),
            _ if start <= 0.0 || t <= 0.0 => start,
            _ if s <= 0.0 => {
                let p = 2.0 - 2.0 / n;
                (start.powf(-p) + n * p * t).powf(-1.0 / p)
            }
            2 => s / (1.0 + (s / start - 1.0) * (-2.0 * s * t).exp()),
            _ => {
                let begin = Place::of(self.depth, (start / s).powf(1.0 / n));
                s * begin.advanced(n * s.powf(2.0 - 2.0 / n) * t).z().powf(n)
            }
        }
    }

    /// The time from one strength to another on the same side of s > 0; infinite if the first is zero and N ≥ 2.
    ///
    /// N·s^(2−2/N)·t = G(z₁) − G(z₀), z = (u/s)^(1/N), with the roots of unity ωₖ = e^(2πik/N) and
    /// G(z) = N·z^(2−N)/(2−N) − Σₖ Re\[ωₖ² ln(1 − z/ωₖ)\]: for whole N the hypergeometric function of
    /// u^p/(ps)·₂F₁(1, p; 1 + p; u/s), p = 2/N − 1, is elementary.
    pub(crate) fn time(self, start: f64, end: f64) -> f64 {
        let (n, s) = (self.depth as f64, self.target);
        match self.depth {
            1 => ((s - start) / (s - end)).ln(),
            _ if start <= 0.0 => f64::INFINITY,
            2 => (end * (s - start) / (start * (s - end))).ln() / (2.0 * s),
            _ => {
                let at = |u: f64| Place::of(self.depth, (u / s).powf(1.0 / n)).primitive();
                (at(end) - at(start)) / (n * s.powf(2.0 - 2.0 / n))
            }
        }
    }

    /// The time to s/2, for modes that start below it.
    pub(crate) fn half_time(self, start: f64) -> Option<f64> {
        let half = 0.5 * self.target;
        (0.0 < start && start < half).then(|| self.time(start, half))
    }
}

/// z = (u/s)^(1/N), held so that its distance from 1 keeps its digits.
#[derive(Clone, Copy, Debug)]
struct Place {
    depth: usize,
    /// Below 1, z = 1/(1 + e^(−w)); above, z = 1 + e^w.
    w: f64,
    below: bool,
}

impl Place {
    fn of(depth: usize, z: f64) -> Self {
        let below = z < 1.0;
        Self { depth, w: if below { (z / (1.0 - z)).ln() } else { (z - 1.0).ln() }, below }
    }

    fn z(self) -> f64 {
        if self.below { 1.0 / (1.0 + (-self.w).exp()) } else { 1.0 + self.w.exp() }
    }

    /// G, up to a constant on either side of 1: elementary around 1, and far above a series from infinity, where G vanishes.
    fn primitive(self) -> f64 {
        if self.below {
            return self.elementary();
        }
        let switch = Self::of(self.depth, 2.0_f64.powf(1.0 / self.depth as f64));
        if self.w >= switch.w { self.tail() } else { self.elementary() - switch.elementary() + switch.tail() }
    }

    fn elementary(self) -> f64 {
        let (n, z) = (self.depth as f64, self.z());
        let root = |k: usize| {
            let angle = 2.0 * PI * k as f64 / n;
            let (real, imaginary) = (1.0 - z * angle.cos(), z * angle.sin());
            (2.0 * angle).cos() * real.hypot(imaginary).ln() - (2.0 * angle).sin() * imaginary.atan2(real)
        };
        let others: f64 = (1..self.depth).map(root).sum();
        // −ln|1 − z| is ln(1 + e^w) below 1, and −w above.
        let first = if self.below { self.w.max(0.0) + (-self.w.abs()).exp().ln_1p() } else { -self.w };
        n * z.powf(2.0 - n) / (2.0 - n) + first - others
    }

    /// Σⱼ N·z^(2−2N−jN)/(2N − 2 + jN), for z^N ≥ 2.
    fn tail(self) -> f64 {
        let (n, ratio) = (self.depth as f64, self.z().powi(-(self.depth as i32)));
        let term = |j: i32| n * ratio.powi(j) / (2.0 * n - 2.0 + f64::from(j) * n);
        self.z().powf(2.0 - 2.0 * n) * (0..56).map(term).sum::<f64>()
    }

    /// dG/dw.
    fn slope(self) -> f64 {
        let (n, z) = (self.depth as f64, self.z());
        let sum = (0..self.depth).map(|j| z.powi(j as i32)).sum::<f64>();
        if self.below { n * z.powf(2.0 - n) / sum } else { -n * z.powf(1.0 - n) / sum }
    }

    /// Where G has grown by `time`.
    ///
    /// By Newton's method from the left. Below 1, G grows and is concave in w; above, it falls and is convex: steps from
    /// the left never overshoot.
    fn advanced(mut self, time: f64) -> Self {
        if time.is_infinite() {
            return Self { w: if self.below { f64::INFINITY } else { f64::NEG_INFINITY }, ..self };
        }
        let wanted = self.primitive() + time;
        let mut stride = 1.0;
        while !self.below && self.primitive() < wanted {
            self.w -= stride;
            stride *= 2.0;
        }
        for _ in 0..10_000 {
            let step = (wanted - self.primitive()) / self.slope();
            self.w += step;
            if step.abs() <= 1e-15 * (1.0 + self.w.abs()) {
                break;
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use taut_numerics::GaussLegendre;

    /// ∫ du/(N u^(2−2/N)(s − u)) in ln u, in many panels.
    fn quadrature(depth: usize, s: f64, from: f64, to: f64) -> f64 {
        let n = depth as f64;
        let rule = GaussLegendre::new(20);
        let (low, high) = (from.ln(), to.ln());
        let panel = |i: usize| low + (high - low) * i as f64 / 60.0;
        let slope = |x: f64| {
            let u = x.exp();
            u / (n * u.powf(2.0 - 2.0 / n) * (s - u))
        };
        (0..60).map(|i| rule.integrate(panel(i), panel(i + 1), slope)).sum()
    }

    #[test]
    fn times_are_the_integral_at_every_depth() {
        for depth in 1..=10 {
            for (s, from, to) in [(1.0, 1e-3, 0.5), (3.0, 1e-6, 2.9), (0.4, 0.1, 0.39), (1.0, 2.5, 1.2)] {
                let growth = Growth { depth, target: s };
                let exact = quadrature(depth, s, from, to);
                // Rounding of the large terms at the start, and of the quadrature.
                assert!((growth.time(from, to) / exact - 1.0).abs() < 1e-11, "{depth} {s} {from} {to}");
            }
        }
    }

    #[test]
    fn strength_and_time_are_inverse_to_each_other() {
        for depth in 1..=10 {
            for (s, from) in [(3.0, 1e-3), (1.0, 1e-2), (0.5, 2.0), (0.5, 0.49)] {
                let growth = Growth { depth, target: s };
                for share in [0.1, 0.5, 0.9, 0.999] {
                    let to = from + share * (s - from);
                    let back = growth.at(from, growth.time(from, to));
                    // Where u grows explosively, a rounding of t weighs up to du/dt·t/u ≈ 10⁴ as much.
                    assert!((back / to - 1.0).abs() < 1e-11, "{depth} {s} {from} {to} {back}");
                }
                assert!((growth.at(from, f64::INFINITY) / s - 1.0).abs() < 1e-15);
                assert!((growth.at(from, 0.0) / from - 1.0).abs() < 1e-15);
            }
        }
    }

    #[test]
    fn null_modes_decay_algebraically() {
        for depth in 2..6 {
            let growth = Growth { depth, target: 0.0 };
            let nearly = Growth { depth, target: 1e-9 };
            // A strength of 1e-9 in place of zero, and the digits that this leaves in u/s.
            assert!((growth.at(0.3, 20.0) / nearly.at(0.3, 20.0) - 1.0).abs() < 1e-6, "{depth}");
        }
    }

    #[test]
    fn deep_modes_arrive_after_a_power_of_their_start() {
        // T ~ a₀^(2−N)/((N−2)s): the book's ratios .993 and .99996 at a₀ = 0.01.
        let ratio = |depth: usize, a: f64| {
            let growth = Growth { depth, target: 1.0 };
            growth.time(a.powi(depth as i32), 0.5) * (depth as f64 - 2.0) * a.powi(depth as i32 - 2)
        };
        assert!((1.0 - ratio(3, 0.01)).abs() < 0.01 && (1.0 - ratio(4, 0.01)).abs() < 2e-4);
        assert!(ratio(3, 0.001) > ratio(3, 0.01));
    }

    #[test]
    fn very_deep_networks_reach_the_limit_of_infinite_depth() {
        let (s, from, to) = (1.0_f64, 0.1_f64, 0.9_f64);
        let limit = (to * (s - from) / (from * (s - to))).ln() / (s * s) + 1.0 / (s * from) - 1.0 / (s * to);
        let ratio = |depth: usize| depth as f64 * Growth { depth, target: s }.time(from, to) / limit;
        let away = [50, 200, 800].map(|depth| (1.0 - ratio(depth)).abs());
        // O(1/N).
        assert!(away[2] < 0.01 && (away[0] / away[1] - 4.0).abs() < 0.4 && (away[1] / away[2] - 4.0).abs() < 0.1);
    }
}
