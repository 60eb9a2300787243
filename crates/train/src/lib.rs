//! Moves parameters: the exact spectral path of linear models, the stepped loop, the direct solvers.
//!
//! Floor 2: never sees a prediction, a metric, a file or a thread.

mod descent;
mod folds;
mod optimizers;
mod settings;
mod smoother;
mod solutions;
mod spectral_path;

pub use descent::Descent;
pub use folds::{Fold, leave_one_out, shuffled_folds};
pub use optimizers::{Method, OPTIMIZERS, Optimizer, Rule};
pub use settings::{Route, Train};
pub use smoother::{Remaining, Smoother};
pub use solutions::*;
pub use spectral_path::SpectralPath;
