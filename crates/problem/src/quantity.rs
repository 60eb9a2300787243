//! Numbers as a study writes them, each with its range said once: for the parser, the error
//! message and the schema.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

macro_rules! real {
    ($(#[$doc:meta])* $name:ident, $words:literal, |$x:ident| $holds:expr, $schema:tt) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Default, Deserialize, Serialize)]
        #[serde(try_from = "f64")]
        pub struct $name(f64);

        impl $name {
            /// The number.
            pub fn get(self) -> f64 {
                self.0
            }
        }

        impl TryFrom<f64> for $name {
            type Error = String;
            fn try_from($x: f64) -> Result<Self, String> {
                if $holds { Ok(Self($x)) } else { Err(format!(concat!("expected ", $words, ", found {}"), $x)) }
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn inline_schema() -> bool {
                true
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

macro_rules! whole {
    ($(#[$doc:meta])* $name:ident, $low:literal, $high:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, Deserialize, Serialize)]
        #[serde(try_from = "f64")]
        pub struct $name(u64);

        impl $name {
            /// The number.
            pub fn get(self) -> u64 {
                self.0
            }

            /// The number, as a size.
            pub fn size(self) -> usize {
                self.0 as usize
            }
        }

        impl TryFrom<f64> for $name {
            type Error = String;
            fn try_from(x: f64) -> Result<Self, String> {
                // Written as a float on purpose: `steps = 1e8` is how people write it.
                if x.fract() == 0.0 && ($low as f64..=$high as f64).contains(&x) {
                    Ok(Self(x as u64))
                } else {
                    Err(format!(concat!("expected a whole number from ", $low, " to ", $high, ", found {}"), x))
                }
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn inline_schema() -> bool {
                true
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "number", "multipleOf": 1, "minimum": $low, "maximum": $high })
            }
        }
    };
}

real!(
    /// Any finite number.
    Finite, "a finite number", |x| x.is_finite(), { "type": "number" }
);
real!(
    /// A finite number, zero or more.
    NonNegative, "a number of at least 0", |x| x.is_finite() && x >= 0.0, { "type": "number", "minimum": 0 }
);
real!(
    /// A finite number above zero.
    Positive, "a number above 0", |x| x.is_finite() && x > 0.0, { "type": "number", "exclusiveMinimum": 0 }
);
real!(
    /// A number from 0 to below 1.
    Fraction, "a number of at least 0 and below 1", |x| (0.0..1.0).contains(&x),
    { "type": "number", "minimum": 0, "exclusiveMaximum": 1 }
);
real!(
    /// A probability above 0.
    Probability, "a number above 0 and at most 1", |x| x > 0.0 && x <= 1.0,
    { "type": "number", "exclusiveMinimum": 0, "maximum": 1 }
);
whole!(
    /// The degree of a polynomial.
    Degree, 0, 1000
);
whole!(
    /// The number of harmonics of a trigonometric feature map.
    Harmonics, 0, 1000
);
whole!(
    /// A number of sample points.
    Samples, 1, 100000
);
whole!(
    /// A number of steps; whole numbers up to 2⁵³ are exact.
    Steps, 0, 9007199254740992_u64
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_say_the_range_and_the_value() {
        assert_eq!(Degree::try_from(-1.0).unwrap_err(), "expected a whole number from 0 to 1000, found -1");
        assert_eq!(NonNegative::try_from(-0.5).unwrap_err(), "expected a number of at least 0, found -0.5");
        assert_eq!(Positive::try_from(f64::NAN).unwrap_err(), "expected a number above 0, found NaN");
        assert_eq!(Steps::try_from(1e8).unwrap().get(), 100_000_000);
        assert!(Steps::try_from(2.5).is_err());
    }
}
