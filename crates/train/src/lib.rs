//! Moves parameters: the exact spectral path of linear models, the stepped loop, the direct solvers.
//!
//! Floor 2: never sees a prediction, a metric, a file or a thread.

mod folds;
mod lifted;
mod modes;
mod moments;
mod optimizers;
mod quadratic;
mod responses;
mod settings;
mod smoother;
mod solutions;
mod spectral_path;
mod staged;
mod stepped;

pub use folds::{Fold, leave_one_out, shuffled_folds};
pub use lifted::Lifted;
pub use modes::largest_curvature;
pub use moments::{MOST_MOMENTS, Moments};
pub use optimizers::{Method, OPTIMIZERS, Optimizer, Rule};
pub use settings::{Route, Train};
pub use smoother::{Remaining, Smoother};
pub use solutions::*;
pub use spectral_path::SpectralPath;
pub use staged::{Stage, Staged};
pub use stepped::{Lane, Stepped};
