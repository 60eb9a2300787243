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
mod matrix_problem;
mod objective;
mod parametrization;
mod quantity;
mod regression;
mod schedule;
mod series;
mod snapshot;
mod starts;
mod target;
mod task;
mod tensors;

pub use clock::Clock;
pub use cubic::PiecewiseCubic;
pub use data::{
    Complaint, CovarianceKind, Curve, Data, DataFiles, Design, Drawn, DrawnRows, Gaussian, HeldOutRows, Matrices,
    Orientation, PowerLaw, Select, Sparse, Table, TablePoints, TeacherKind,
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
pub use matrix_problem::{Entries, MatrixProblem, MatrixSamples, Measurements, Moments, Observed, TestOver};
pub use objective::{Covariances, LeastSquares, Masked, Objective, Rows};
pub use parametrization::{
    DeepLinear, HadamardPower, PARAMETRIZATIONS, Parametrization, ParametrizationKind, Shape, Symmetric, Tensor,
};
pub use quantity::{Degree, Finite, Fraction, Harmonics, NonNegative, Positive, Probability, Samples, Steps};
pub use regression::{HeldOut, Regression, design};
pub use schedule::{Over, PowerDecay, Schedule, StepDecay};
pub use series::{Expansion, Series};
pub use snapshot::{LEDGER, Passage, Snapshot, Snapshots, Trajectory};
pub use starts::{ConstantStart, EndToEndStart, FileStart, GaussianStart, IdentityStart, Init, OrthogonalStart};
pub use target::Target;
pub use task::Task;
pub use tensors::Tensors;
