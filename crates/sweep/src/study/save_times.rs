//! When a trajectory is looked at.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use taut_problem::Samples;

/// Save times.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Times {
    /// About this many, evenly spaced in the logarithm; start and end included
    Geometric(Samples),
    /// This many, evenly spaced; start and end included
    Linear(Samples),
    /// Every so many steps; start and end included
    Every(Samples),
    /// These step counts; `inf` is the limit
    Steps(Vec<SaveStep>),
    /// These training times of a flow; `inf` is the limit
    Times(Vec<SaveTime>),
}

impl Default for Times {
    fn default() -> Self {
        Self::Geometric(Samples::try_from(200.0).expect("200 is a count"))
    }
}

/// A step count, or the limit.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(try_from = "f64")]
pub struct SaveStep(f64);

/// A training time, or the limit.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Deserialize)]
#[serde(try_from = "f64")]
pub struct SaveTime(f64);

const LARGEST: f64 = 9_007_199_254_740_992.0;

impl SaveStep {
    /// The step count; none is the limit.
    pub fn step(self) -> Option<u64> {
        self.0.is_finite().then_some(self.0 as u64)
    }
}

impl SaveTime {
    /// The time; +∞ is the limit.
    pub fn time(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for SaveStep {
    type Error = String;
    fn try_from(x: f64) -> Result<Self, String> {
        let is_step = x.fract() == 0.0 && (0.0..=LARGEST).contains(&x);
        if is_step || x == f64::INFINITY {
            Ok(Self(x))
        } else {
            Err(format!("expected a step count (0, 1, 2, …) or inf, found {x}"))
        }
    }
}

impl TryFrom<f64> for SaveTime {
    type Error = String;
    fn try_from(x: f64) -> Result<Self, String> {
        if x >= 0.0 { Ok(Self(x)) } else { Err(format!("expected a time of at least 0 or inf, found {x}")) }
    }
}

/// JSON has no infinity, so the limit is the text `inf` there.
impl Serialize for SaveStep {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.step() {
            Some(step) => serializer.serialize_u64(step),
            None => serializer.serialize_str("inf"),
        }
    }
}

impl Serialize for SaveTime {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_finite() { serializer.serialize_f64(self.0) } else { serializer.serialize_str("inf") }
    }
}

impl JsonSchema for SaveStep {
    fn schema_name() -> Cow<'static, str> {
        "SaveStep".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // No `multipleOf`: validators refuse infinity there.
        json_schema!({ "type": "number", "minimum": 0, "x-whole": true, "x-limit": true })
    }
}

impl JsonSchema for SaveTime {
    fn schema_name() -> Cow<'static, str> {
        "SaveTime".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number", "minimum": 0, "x-limit": true })
    }
}

impl Times {
    /// Whether the limit is asked for.
    pub fn has_limit(&self) -> bool {
        match self {
            Self::Steps(steps) => steps.iter().any(|step| step.step().is_none()),
            Self::Times(times) => times.iter().any(|time| time.0.is_infinite()),
            Self::Geometric(_) | Self::Linear(_) | Self::Every(_) => false,
        }
    }
}
