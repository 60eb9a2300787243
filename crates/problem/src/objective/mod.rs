//! The loss of a predictor, and its gradient: one file per way to see the data.

mod covariances;
mod least_squares;
mod masked;

pub use covariances::Covariances;
pub use least_squares::LeastSquares;
pub use masked::Masked;

/// Loss of the predictor and its gradient, lane by lane. Called once per step by the stepped trainers.
///
/// All losses are quadratic in β; β is laid out as [`crate::Parametrization`] says.
pub trait Objective: Send {
    /// The number of lanes.
    fn lanes(&self) -> usize;

    /// Entries of β: features × outputs.
    fn entries(&self) -> usize;

    /// The number of samples n: rows that a batch can be drawn from.
    fn samples(&self) -> usize;

    /// The entries of β that it looks at, if not all, in one lane: g is zero elsewhere.
    fn seen(&self) -> Option<&[usize]> {
        None
    }

    /// Writes L into `loss` (lanes) and ∂L/∂β into `g` (entries × lanes), both over these rows.
    fn loss_and_grad_into(&mut self, beta: &[f64], rows: Rows<'_>, loss: &mut [f64], g: &mut [f64]);

    /// ∇²L times a direction; the same at every β.
    fn hessian_apply_into(&mut self, direction: &[f64], out: &mut [f64]);

    /// g ← g + Φᵀw, with `w` samples × lanes; only where there are rows.
    fn add_transposed(&self, w: &[f64], g: &mut [f64]);

    /// The mean squared residual is 2·L times this.
    fn mean_factor(&self) -> f64;
}

/// What an update sees of the data: rows per lane, and what is done to them.
///
/// Slots are places of the batch × lanes, with the lanes of one place side by side.
#[derive(Clone, Copy, Debug)]
pub enum Rows<'a> {
    /// Every row once, as it is.
    All,
    /// A batch, whose mean is taken.
    Batch {
        /// The row in each slot, below n.
        rows: &'a [usize],
        /// Added to the label of each slot; empty for nothing.
        shifts: &'a [f64],
        /// Factors on the features, places × features × lanes; empty for ones.
        factors: &'a [f64],
    },
}
