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

    /// Whether nothing has moved yet.
    pub fn is_start(self) -> bool {
        self == Self::Step(0) || self == Self::Time(0.0)
    }
}
