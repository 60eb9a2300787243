//! The motions that a study can name.

use taut_problem::Entry;

/// Every motion.
pub static OPTIMIZERS: &[Entry] = &[
    Entry {
        name: "gradient-descent",
        doc: "θ ← θ − η∇L(θ); linear models in closed form at any step, or step by step (solver = \"stepped\")",
        cite: "",
    },
    Entry { name: "gradient-flow", doc: "dθ/dt = −∇L(θ); linear models in closed form at any time", cite: "" },
];
