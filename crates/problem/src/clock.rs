//! Where on a trajectory: a step count for discrete motions, a time for flows, or the limit.

/// A point on a trajectory. Discrete motions take a step count, flows a time.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub enum Clock {
    /// After this many updates; 0 is the start.
    Step(u64),
    /// After this much training time.
    Time(f64),
    /// Where the trajectory ends.
    Limit,
}

impl Clock {
    /// The step count, where there is one.
    pub fn step(self) -> Option<u64> {
        match self {
            Self::Step(step) => Some(step),
            Self::Time(_) | Self::Limit => None,
        }
    }

    /// The training time Σ ηₖ for a constant step size η; +∞ at the limit.
    pub fn time(self, step_size: f64) -> f64 {
        match self {
            Self::Step(step) => step as f64 * step_size,
            Self::Time(time) => time,
            Self::Limit => f64::INFINITY,
        }
    }
}
