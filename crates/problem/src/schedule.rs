//! How the step size changes: ηₖ = η·s(k), a value and no callback.

use crate::{Fraction, Positive, Steps};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The factor s(k) of the k-th update, k = 0, 1, …
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Schedule {
    /// s = 1
    #[default]
    Constant,
    /// s = 1/(1+k)
    Inverse,
    /// s = 1/√(1+k)
    InverseSqrt,
    /// s = (1 + k/delay)^(−exponent)
    Power(PowerDecay),
    /// s = factor^⌊k/every⌋
    StepDecay(StepDecay),
    /// s = (1 + cos(πk/over))/2 up to k = over, then 0
    Cosine(Over),
    /// s = 1 − k/over up to k = over, then 0
    Linear(Over),
}

/// (1 + k/delay)^(−exponent).
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PowerDecay {
    /// The power of the decay.
    pub exponent: Positive,
    /// How many updates pass before it is felt; default 1.
    pub delay: Option<Positive>,
}

/// factor^⌊k/every⌋.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepDecay {
    /// What the step size is multiplied by.
    pub factor: Fraction,
    /// After how many updates each time; need not be whole: the m-th change is at update ⌈m·every⌉.
    pub every: Positive,
}

impl StepDecay {
    /// ⌊k/every⌋: how often the step size has been multiplied before update k.
    fn times(&self, k: u64) -> u64 {
        (k as f64 / self.every.get()).floor() as u64
    }

    /// The first update after `k` with another step size.
    pub fn next_change(&self, k: u64) -> u64 {
        let now = self.times(k);
        let mut next = ((((now + 1) as f64) * self.every.get()).ceil() as u64).max(k + 1);
        // Rounding of the product may be off by one update.
        while next > k + 1 && self.times(next - 1) > now {
            next -= 1;
        }
        while next < u64::MAX && self.times(next) == now {
            next += 1;
        }
        next
    }
}

/// The length of a schedule that ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Over {
    /// The number of updates after which the step size is zero.
    pub over: Steps,
}

impl Schedule {
    /// s(k).
    pub fn factor(&self, k: u64) -> f64 {
        let count = k as f64;
        match self {
            Self::Constant => 1.0,
            Self::Inverse => 1.0 / (1.0 + count),
            Self::InverseSqrt => 1.0 / (1.0 + count).sqrt(),
            Self::Power(power) => {
                let base = 1.0 + count / power.delay.map_or(1.0, Positive::get);
                // The common powers exactly: libraries differ in the last bit of `powf`.
                match power.exponent.get() {
                    e if (e - 1.0).abs() <= 0.0 => 1.0 / base,
                    e if (e - 2.0).abs() <= 0.0 => 1.0 / (base * base),
                    e => base.powf(-e),
                }
            }
            Self::StepDecay(decay) => decay.factor.get().powi(i32::try_from(decay.times(k)).unwrap_or(i32::MAX)),
            Self::Cosine(Over { over }) if k < over.get() => {
                0.5 * (1.0 + taut_numerics::cos_pi(count / over.get() as f64))
            }
            Self::Linear(Over { over }) if k < over.get() => 1.0 - count / over.get() as f64,
            Self::Cosine(_) | Self::Linear(_) => 0.0,
        }
    }

    /// Whether Σ s(k) = ∞, so that descent reaches its limit.
    pub fn reaches_limit(&self) -> bool {
        match self {
            Self::Constant | Self::Inverse | Self::InverseSqrt => true,
            Self::Power(power) => power.exponent.get() <= 1.0,
            Self::StepDecay(_) | Self::Cosine(_) | Self::Linear(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn step_decay_changes_where_it_says() {
        for every in [1.0, 7.0, 15.05, 100.3, 0.4] {
            let every = Positive::try_from(every).unwrap();
            let decay = StepDecay { factor: Fraction::try_from(0.5).unwrap(), every };
            for k in 0..500 {
                let next = decay.next_change(k);
                assert!((k + 1..next).all(|j| decay.times(j) == decay.times(k)), "{every:?} {k}");
                assert!(decay.times(next) > decay.times(k), "{every:?} {k}");
            }
        }
    }

    #[test]
    fn schedules_start_at_one_and_never_grow() {
        let steps = |x: f64| Steps::try_from(x).unwrap();
        let all = [
            Schedule::Constant,
            Schedule::Inverse,
            Schedule::InverseSqrt,
            Schedule::Power(PowerDecay { exponent: Positive::try_from(0.7).unwrap(), delay: None }),
            Schedule::StepDecay(StepDecay {
                factor: Fraction::try_from(0.5).unwrap(),
                every: Positive::try_from(10.0).unwrap(),
            }),
            Schedule::Cosine(Over { over: steps(50.0) }),
            Schedule::Linear(Over { over: steps(50.0) }),
        ];
        for schedule in all {
            assert!((schedule.factor(0) - 1.0).abs() < 1e-16, "{schedule:?}");
            assert!((0..100).all(|k| schedule.factor(k + 1) <= schedule.factor(k)), "{schedule:?}");
        }
    }
}
