//! Deterministic dense kernels, spectra, quadrature, root finding and named random streams.
//!
//! Floor 0: this crate knows no learning. Every routine gives the same bits for the same input on
//! the same processor features, whatever the thread count or the order of calls.

// Kernels walk several lists by one index: iterators over them are what keeps the compiler from registers.
#![allow(clippy::needless_range_loop)]

mod aligned;
mod angles;
mod bisection;
mod blocked_products;
mod eigenvalues;
mod lane_products;
mod lane_spectra;
mod lane_updates;
mod matrix;
mod point_sets;
mod products;
mod quadrature;
mod spacing;
mod sparse_products;
mod streams;
mod svd;
mod symmetric_products;

pub use aligned::Aligned;
pub use angles::{cos_pi, sin_pi};
pub use bisection::{first_true, last_sign_change};
pub use eigenvalues::symmetric_eigenvalues;
pub use lane_products::{Factor, lane_product_into, subtract_lane_product};
pub use lane_spectra::singular_values_into;
pub use lane_updates::{subtract_scaled, subtract_scaled_and_roll};
pub use matrix::{DMatrix, DVector, Mat, MatMut};
pub use point_sets::{HaltonDimension, MOST_HALTON_DIMENSIONS, latin_dimension};
pub use products::{Kernel, dot, product_into, run_wide, sum_of_squares, vectors};
pub use quadrature::{GaussLegendre, adaptive};
pub use spacing::{scaled_value, spaced_value};
pub use sparse_products::{PaddedColumns, Pattern};
pub use streams::{Stream, normal, position, seek, stream, uniform};
pub use svd::ThinSvd;
pub use symmetric_products::{add_transpose_into, gram_into};
