//! Moves parameters: the exact spectral path of linear models, the stepped loop, the direct solvers.
//!
//! Floor 2: never sees a prediction, a metric, a file or a thread.

mod descent;
mod optimizers;
mod solutions;
mod spectral_path;

pub use descent::Descent;
pub use optimizers::OPTIMIZERS;
pub use solutions::*;
pub use spectral_path::SpectralPath;
