//! What is known of the law that a matrix problem is drawn from.

/// The law of a matrix problem, for predictions about averages over draws.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MatrixLaw {
    /// Items are the leaves of a tree, and features flip along its edges.
    Tree {
        /// Splits between the root and a leaf, D.
        levels: usize,
        /// Children of every node, B.
        branching: usize,
        /// The probability ε that a feature flips along an edge.
        flip: f64,
        /// Features drawn, F.
        features: usize,
    },
    /// Syx is the teacher plus independent noise of variance noise_variance/inputs in every entry; inputs are whitened.
    Spiked {
        /// Variance of the noise on Syx, times the number of inputs.
        noise_variance: f64,
    },
}
