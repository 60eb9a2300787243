//! The noise-free function that the data come from.

use crate::{Finite, Positive};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The noise-free target f*, a function on \[-1, 1\].
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Target {
    /// intercept + slope·x
    #[serde(rename_all = "snake_case")]
    Line {
        /// Value at x = 0.
        intercept: Finite,
        /// Slope.
        slope: Finite,
    },
    /// Σ coefficients\[k\]·xᵏ
    Polynomial {
        /// Coefficients of 1, x, x², …
        coefficients: Vec<Finite>,
    },
    /// amplitude·sin(π·frequency·x + phase)
    Sine {
        /// Amplitude.
        #[serde(default = "one")]
        amplitude: Finite,
        /// Half-waves per unit of x: frequency 2 has period 1.
        frequency: Finite,
        /// Phase in radians.
        #[serde(default)]
        phase: Finite,
    },
    /// 1/(1 + scale·x²); Runge's function has scale 25
    Runge {
        /// The factor of x².
        #[serde(default = "twenty_five")]
        scale: Positive,
    },
    /// low for x < at, high from there on
    Step {
        /// Where it jumps.
        #[serde(default)]
        at: Finite,
        /// Value on the left.
        low: Finite,
        /// Value on the right.
        high: Finite,
    },
}

fn one() -> Finite {
    Finite::try_from(1.0).expect("1 is finite")
}

fn twenty_five() -> Positive {
    Positive::try_from(25.0).expect("25 is above 0")
}

impl Target {
    /// f*(x).
    pub fn value(&self, x: f64) -> f64 {
        match self {
            Self::Line { intercept, slope } => intercept.get() + slope.get() * x,
            Self::Polynomial { coefficients } => coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c.get()),
            Self::Sine { amplitude, frequency, phase } => {
                amplitude.get() * (std::f64::consts::PI * frequency.get() * x + phase.get()).sin()
            }
            Self::Runge { scale } => 1.0 / (1.0 + scale.get() * x * x),
            Self::Step { at, low, high } => {
                if x < at.get() {
                    low.get()
                } else {
                    high.get()
                }
            }
        }
    }

    /// Points inside the domain where f* is not smooth: a quadrature must not straddle them.
    pub fn breaks(&self) -> Vec<f64> {
        match self {
            Self::Step { at, .. } if at.get().abs() < 1.0 => vec![at.get()],
            _ => Vec::new(),
        }
    }
}
