//! Two vectors, each of equal entries.

use crate::{Finite, ParametrizationKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A start of models that are made of two vectors u and v: u in every entry of the first, v in every entry of the second.
///
/// Products u∘v from u = 2α, v = 0 follow the path of u² − v² from u = v = α at half its speed.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PairStart {
    /// Every entry of u.
    pub u: Finite,
    /// Every entry of v.
    pub v: Finite,
}

impl PairStart {
    pub(super) fn complaint(kind: &ParametrizationKind) -> Option<(&'static str, String)> {
        let is_pair = matches!(kind, ParametrizationKind::HadamardPower(_) | ParametrizationKind::HadamardProduct);
        let message = || {
            format!("`pair` starts are of u and v in `hadamard-power` and `hadamard-product`, not in `{}`", kind.name())
        };
        (!is_pair).then(|| ("pair", message()))
    }

    /// θ₀ of `count` numbers, half of them u.
    pub(super) fn entries(&self, count: usize) -> Vec<f64> {
        let of = |value: Finite| std::iter::repeat_n(value.get(), count / 2);
        of(self.u).chain(of(self.v)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Init, MatrixProblem, Moments, Observed, Task, TestOver};
    use taut_numerics::DMatrix;

    #[test]
    fn a_pair_fills_u_and_v_and_is_refused_elsewhere() {
        let of = |value| Finite::try_from(value).unwrap();
        let init = Init::Pair(PairStart { u: of(0.5), v: of(0.0) });
        let syx = DMatrix::from_element(1, 3, 1.0);
        let observed = Observed::Moments(Moments { sxx: None, syx, trace_syy: None, samples: None });
        let problem =
            MatrixProblem { inputs: 3, outputs: 1, observed, teacher: None, test: TestOver::Entries, law: None };
        let draw = |kind| init.draw(Task::Matrix(&problem), &kind, None, (0, 0));
        assert_eq!(draw(ParametrizationKind::HadamardProduct).unwrap(), [0.5, 0.5, 0.5, 0.0, 0.0, 0.0]);
        assert!(draw(ParametrizationKind::Direct).unwrap_err().contains("`direct`"));
    }
}
