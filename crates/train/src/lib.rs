//! Moves parameters: the exact spectral path of linear models, the stepped loop, the direct solvers.
//!
//! Floor 2: never sees a prediction, a metric, a file or a thread.

mod adaptive_flow;
mod dual_flow;
mod embedded_pair;
mod folds;
mod followed;
mod lifted;
mod mode_recursion;
mod modes;
mod moments;
mod optimizers;
mod quadratic;
mod responses;
mod riccati;
mod settings;
mod smoother;
mod solutions;
mod spectral_path;
mod staged;
mod stepped;
mod whitened;

pub use adaptive_flow::AdaptiveFlow;
pub use dual_flow::DualFlow;
pub use folds::{Fold, leave_one_out, shuffled_folds};
pub use followed::{Followed, TOLERANCE};
pub use lifted::Lifted;
pub use mode_recursion::{ModeRecursion, turns_with_its_basis};
pub use modes::largest_curvature;
pub use moments::{MOST_MOMENTS, Moments};
pub use optimizers::{Method, OPTIMIZERS, Optimizer, Rule};
pub use riccati::RiccatiFlow;
pub use settings::{LossUnits, Route, Train};
pub use smoother::{Remaining, Smoother};
pub use solutions::*;
pub use spectral_path::SpectralPath;
pub use staged::{Stage, Staged};
pub use stepped::{Lane, Stepped};
