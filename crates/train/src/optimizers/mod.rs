//! The motions that a study can name: one file each, and one line in the list below.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taut_problem::{Batch, Entry, Memory, Motion};

/// What a motion says of itself; called when a cell is built, never in a loop.
pub trait Optimizer: Send + Sync {
    /// The motion, as theories know it.
    fn motion(&self) -> Motion;

    /// The rows that an update looks at, if not all.
    fn batch(&self) -> Option<Batch> {
        None
    }

    /// Whether a step size in units of 1/λ_max means anything to it.
    fn knows_curvature(&self) -> bool {
        true
    }

    /// Whether c times the gradient moves c times as far, so that η·c says the same.
    fn scales_with_gradient(&self) -> bool {
        true
    }

    /// Whether its batch may have more rows than there are, on purpose.
    fn may_exceed_data(&self) -> bool {
        false
    }

    /// The largest ηλ that does not diverge on a quadratic of curvature λ; `None` if nothing is known.
    fn stability(&self) -> Option<f64> {
        None
    }

    /// What moves the parameters, with memory for `slots` of them side by side; `None` for a flow.
    fn rule(&self, slots: usize) -> Option<Box<dyn Rule>>;
}

/// One way to turn gradients into updates. Holds its memory; allocates nothing after it is built.
///
/// Slots are parameters × lanes, with the lanes of one parameter side by side; `eta` has one ηₖ per lane.
/// Called once per step by the stepped loop.
pub trait Rule: Send {
    /// Where the gradient of update `k` is wanted, if not at θ itself; written into `point`.
    fn look_ahead(&self, k: u64, theta: &[f64], point: &mut [f64]) -> bool {
        let _ = (k, theta, point);
        false
    }

    /// The k-th update, k = 0, 1, …: θ moves by the gradient at the point that was asked for.
    fn update(&mut self, k: u64, eta: &[f64], gradient: &[f64], theta: &mut [f64]);

    /// Visits everything that it keeps from one update to the next, so that a run can go on from there; called when a
    /// run is saved or taken up again.
    fn remember(&mut self, memory: &mut Memory<'_>);
}

/// Makes the enum that a study is read into, and the table that is listed, from one line per motion.
macro_rules! optimizers {
    ($($(#[$doc:meta])* $module:ident :: $Kind:ident $(($bind:ident: $Settings:ident))?,)*) => {
        $(mod $module;)*

        /// The motions.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields)]
        pub enum Method {
            $($(#[$doc])* $Kind $(($module::$Settings))?,)*
        }

        /// Every motion.
        pub static OPTIMIZERS: &[Entry] = &[$($module::ENTRY,)*];

        impl Method {
            /// What the motion says of itself.
            pub fn optimizer(&self) -> Box<dyn Optimizer> {
                match self {
                    $(Self::$Kind $(($bind))? => Box::new($module::optimizer($($bind)?)),)*
                }
            }

            /// The name as a study writes it.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$Kind { .. } => $module::ENTRY.name,)*
                }
            }
        }
    };
}

optimizers! {
    /// θ ← θ − η∇L(θ)
    #[default]
    gradient_descent::GradientDescent,
    /// dθ/dt = −∇L(θ)
    gradient_flow::GradientFlow,
    /// θ ← θ − η∇L(θ) + β(θ − θ₋)
    heavy_ball::HeavyBall(settings: HeavyBall),
    /// θ ← y − η∇L(y) with y = θ + β(θ − θ₋)
    nesterov::Nesterov(settings: Nesterov),
    /// Descent on batches of rows
    sgd::Sgd(settings: Sgd),
    /// Steps scaled by running moments of the gradient
    adam::Adam(settings: Adam),
    /// Steps scaled by one running mean of ‖∇L‖²
    group_rmsprop::GroupRmsprop(settings: GroupRmsprop),
}

impl Method {
    /// Whether the motion has a time and no steps.
    pub fn is_flow(&self) -> bool {
        self.optimizer().motion() == Motion::Flow
    }
}
