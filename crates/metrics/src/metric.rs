//! What a metric says of itself, and the list of all of them.

use crate::{MatrixProbe, Probe, fit, generalization, matrix, parameters, risk, roughness, shape, sharpness, spectrum};

/// What must be there for a metric to be measurable; where it is not, the whole column is null.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// A function of one input on \[-1, 1\].
    pub curve: bool,
    /// The noise-free target.
    pub target: bool,
    /// Features with coefficients, not a spline.
    pub coefficients: bool,
    /// The row space of the design, in the space of the parameters.
    pub geometry: bool,
    /// Effective degrees of freedom, known for some rows only.
    pub freedom: bool,
    /// An interpolant of the points within the span of the features.
    pub interpolant: bool,
    /// Held-out rows to test on, or the law of rows and values.
    pub test: bool,
    /// The law of rows and values.
    pub law: bool,
    /// Held-out rows to choose by.
    pub validation: bool,
    /// A predictor that is a matrix or made of other parameters, and no function of a row by itself: only
    /// `of_matrix` knows it.
    pub matrix: bool,
    /// The parameters themselves, where the predictor is made of others than its coefficients.
    pub parameters: bool,
    /// For `of_matrix`: the noise-free matrix.
    pub teacher: bool,
    /// For `of_matrix`: several factors of one product.
    pub factors: bool,
    /// For `of_matrix`: entries that are not observed.
    pub entries: bool,
    /// For `of_matrix`: a difference of squares or a product, entry by entry.
    pub hadamard: bool,
    /// For `of_matrix`: as many outputs as inputs.
    pub square: bool,
    /// For `of_matrix`: residuals one by one, not second moments only.
    pub residuals: bool,
    /// For `of_matrix`: a loss with its constant, ½ tr Syy.
    pub constant: bool,
    /// For `of_matrix`: inputs that the samples do not span.
    pub unseen: bool,
    /// For `of_matrix`: the modes of what is to be learned.
    pub modes: bool,
    /// For `of_matrix`: the number of this name in the ledger that a run by steps carries.
    pub ledger: bool,
}

impl Needs {
    /// Nothing but points and a function.
    pub const NOTHING: Self = Self {
        curve: false,
        target: false,
        coefficients: false,
        geometry: false,
        freedom: false,
        interpolant: false,
        test: false,
        law: false,
        validation: false,
        matrix: false,
        parameters: false,
        teacher: false,
        factors: false,
        entries: false,
        hadamard: false,
        square: false,
        residuals: false,
        constant: false,
        unseen: false,
        modes: false,
        ledger: false,
    };
    /// A matrix or its factors.
    pub const MATRIX: Self = Self { matrix: true, ..Self::NOTHING };
    /// A function of one input.
    pub const CURVE: Self = Self { curve: true, ..Self::NOTHING };
}

/// One metric.
#[derive(Clone, Copy, Debug)]
pub struct MetricDef {
    /// The name as a study writes it, and the name of the column.
    pub name: &'static str,
    /// The unit in words of the data: `y²`, `x`, `1` for pure numbers.
    pub unit: &'static str,
    /// Formula, normalisation and range.
    pub doc: &'static str,
    /// Where it comes from; empty for textbook material.
    pub cite: &'static str,
    /// What must be there.
    pub needs: Needs,
    /// Whether its values are whole numbers.
    pub integer: bool,
    /// Whether it measures wiggliness: then its largest drop along a path is worth a summary.
    pub wiggliness: bool,
    /// Whether it is a polynomial of degree two in the coefficients: then the expectation over a row with a
    /// covariance is exact from the mean and the covariance; other metrics are null there.
    pub quadratic: bool,
    /// Writes one value per row of the probe. Called only where the needs are met.
    pub eval_into: fn(&Probe<'_>, &mut [f64]),
    /// The same where the predictor is a matrix, or made of other parameters; there it goes before `eval_into`.
    pub of_matrix: Option<fn(&MatrixProbe<'_>, &mut [f64])>,
}

/// Every metric, in the order of the docs.
pub static METRICS: &[MetricDef] = &[
    fit::LOSS,
    fit::TRAIN_MSE,
    fit::RESIDUAL_RMS,
    fit::RESIDUAL_MAX,
    risk::RISK,
    risk::RISK_IN_HULL,
    generalization::TEST_ERROR,
    generalization::ESTIMATION_ERROR,
    generalization::VALIDATION_ERROR,
    roughness::VALUE_ENERGY,
    roughness::SLOPE_ENERGY,
    roughness::BENDING_ENERGY,
    roughness::THIRD_DERIVATIVE_ENERGY,
    roughness::EXCESS_BENDING_ENERGY,
    shape::TOTAL_VARIATION,
    shape::TURNING_POINTS,
    shape::INFLECTIONS,
    shape::ARC_LENGTH,
    shape::OVERSHOOT,
    spectrum::HIGH_DEGREE_SHARE,
    spectrum::SOBOLEV_NORM,
    parameters::PARAMETER_NORM,
    parameters::NULL_SPACE_NORM,
    parameters::DISTANCE_TO_MIN_NORM,
    parameters::DEGREES_OF_FREEDOM,
    sharpness::SHARPNESS,
    matrix::TEST_ERROR_NORMALISED,
    matrix::TEST_ERROR_LEARNED,
    matrix::TEST_ERROR_FROZEN,
    matrix::MSE_UNOBSERVED,
    matrix::GRADIENT_NORM,
    matrix::RESIDUAL_OPERATOR_NORM,
    matrix::PREDICTOR_NORM,
    matrix::PREDICTOR_L1_NORM,
    matrix::DETERMINANT,
    matrix::NUCLEAR_NORM,
    matrix::LARGEST_SINGULAR_VALUE,
    matrix::EFFECTIVE_RANK,
    matrix::STABLE_RANK,
    matrix::OFF_DIAGONAL_MASS,
    matrix::BALANCEDNESS_GAP,
    matrix::FACTOR_NORM_MAX,
    matrix::FACTOR_NORM_MIN,
    matrix::LOG_EFFECTIVE_ALPHA_MEAN,
    matrix::LOG_EFFECTIVE_ALPHA_MIN,
    matrix::BALANCEDNESS_IDENTITY_ERROR,
    matrix::EFFECTIVE_ALPHA_IDENTITY_ERROR,
];

/// The metric of this name.
pub fn metric(name: &str) -> Option<&'static MetricDef> {
    METRICS.iter().find(|m| m.name == name)
}
