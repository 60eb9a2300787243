//! The words that everybody shares: data, feature map, parametrization, objective, start, clock,
//! `Snapshot`, `Trajectory`.
//!
//! Floor 1. A model is a feature map x ↦ φ(x) and a parametrization θ ↦ β; the loss sees only the
//! predictor β. Nothing here moves parameters, predicts, measures, reads files or prints.

mod clock;
mod cubic;
mod data;
mod dynamics;
mod entry;
mod features;
mod law;
mod matrix_law;
mod matrix_problem;
mod objective;
mod orthonormal;
mod parametrization;
mod quantity;
mod reductions;
mod regression;
mod schedule;
mod series;
mod snapshot;
mod starts;
mod state;
mod target;
mod target_modes;
mod task;
mod tensors;

pub use clock::Clock;
pub use cubic::PiecewiseCubic;
pub use data::{
    Complaint, Completion, CovarianceKind, Curve, Data, DataFiles, Design, Drawn, DrawnRows, EntryLaw, Gaussian,
    HeldOutRows, Matrices, MatrixKind, MeasurementKind, Orientation, PowerLaw, Select, Sensing, Shuffle, Sparse, Table,
    TablePoints, TeacherKind, TeacherMatrix, Tree,
};
pub use dynamics::{
    Average, AverageAfter, Batch, Continuation, Dropout, Dynamics, MaskKind, Motion, Noise, Penalty, Solver, StepSize,
    Until,
};
pub use entry::Entry;
pub use features::{
    Basis, Cosine, FEATURES, FeatureMap, Features, FirstInputs, Fourier, Identity, Misfit, Polynomial, RandomFourier,
    RandomRelu, RoughnessWhitened,
};
pub use law::{Covariance, Law};
pub use matrix_law::MatrixLaw;
pub use matrix_problem::{Entries, MatrixProblem, MatrixSamples, Measurements, Moments, Observed, TestOver};
pub use objective::{Covariances, LeastSquares, Masked, Objective, Rows};
pub use parametrization::{
    DeepLinear, HadamardPower, PARAMETRIZATIONS, Parametrization, ParametrizationKind, Shape, Symmetric, Tensor,
};
pub use quantity::{Degree, Finite, Fraction, Harmonics, NonNegative, Positive, Probability, Samples, Steps};
pub use reductions::{
    Applied, Component, Fading, REDUCTIONS, Reduced, is_equivariant, observation_components, reduce, rescaled,
};
pub use regression::{HeldOut, Regression, design};
pub use schedule::{Over, PowerDecay, Schedule, StepDecay};
pub use series::{Expansion, Series};
pub use snapshot::{LEDGER, Passage, Snapshot, Snapshots, Span, Trajectory, lane_of};
pub use starts::{
    AlignedStart, BalancedStart, ConstantStart, EndToEndStart, FileStart, GaussianStart, IdentityStart, Init,
    LambdaBalancedStart, OrthogonalStart, PairStart,
};
pub use state::{Exact, Memory, State, StateError};
pub use target::Target;
pub use target_modes::TargetModes;
pub use task::Task;
pub use tensors::Tensors;
