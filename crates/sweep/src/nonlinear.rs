//! What a model that is not linear in its parameters, or whose predictor is a matrix, cannot be asked for.

use crate::study::{CellSpec, MOST_STEPS, Problem, Record, single_steps};
use taut_problem::{Data, ParametrizationKind, Solver, StepSize};
use taut_train::{Train, turns_with_its_basis};

fn problem(key: &str, message: impl Into<String>, help: &str) -> Option<Problem> {
    let key_path = format!("train.{key}");
    Some(Problem { key_path, message: message.into(), help: help.to_owned(), ..Problem::default() })
}

/// Every such mistake of a cell.
pub(crate) fn complaints(cell: &CellSpec<'_>, record: &Record) -> Vec<Problem> {
    let kind = &cell.model.parametrization;
    let of_solver = solver(cell.train, kind, cell.data).or_else(|| exact_flow(cell.train));
    if cell.is_linear() {
        return of_solver.into_iter().collect();
    }
    let train = cell.train;
    [
        of_solver,
        closed_form(train),
        step_size(train, kind),
        extras(train),
        rows(cell),
        reduction(train, kind),
        limit(record),
        steps(train),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Solvers that know one parametrization.
fn solver(train: &Train, kind: &ParametrizationKind, data: &Data) -> Option<Problem> {
    let deep = matches!(kind, ParametrizationKind::DeepLinear(_));
    let dual = matches!(kind, ParametrizationKind::HadamardPower(power) if power.depth.get() == 2);
    // The depth of a product does not depend on its ends.
    let depth = kind.depth(1, 1);
    let (wanted, fits) = match train.solver {
        Solver::Dual => ("{ hadamard-power = { depth = 2 } } on data of rows", dual && !data.is_matrix()),
        Solver::Riccati => {
            ("{ deep-linear = { depth = 2 } } on data that are a matrix", deep && depth == 2 && data.is_matrix())
        }
        Solver::Modes => ("{ deep-linear = { … } } on data that are a matrix", deep && data.is_matrix()),
        _ => return None,
    };
    if fits {
        return None;
    }
    let (solver, name) = (serde_json::json!(train.solver), kind.name());
    let on = if data.is_matrix() { "data that are a matrix" } else { "data of rows" };
    let message = format!("solver = {solver} is for {wanted}, and this is {name} of depth {depth} on {on}");
    problem("solver", message, "use solver = \"auto\"")
}

/// Solvers that know the loss alone, or one kind of motion.
fn exact_flow(train: &Train) -> Option<Problem> {
    let dynamics = train.dynamics(1.0, 1.0);
    let obstacle = match train.solver {
        Solver::Dual | Solver::Riccati if dynamics.penalty.is_some() || dynamics.dropout.is_some() => {
            "it is the gradient flow of the loss alone, without penalties".to_owned()
        }
        Solver::Modes => turns_with_its_basis(&dynamics).err()?,
        _ => return None,
    };
    let solver = serde_json::json!(train.solver);
    problem("solver", format!("solver = {solver} does not go with this motion: {obstacle}"), "use solver = \"auto\"")
}

/// The limit, beside cells that have one.
fn limit(record: &Record) -> Option<Problem> {
    if !record.limit && !record.times.has_limit() {
        return None;
    }
    let message = "the record asks for the limit t = inf, and this model is not linear in its parameters: its motion \
                   never reaches it";
    let help = "remove it, or give these cells a study of their own";
    let key_path = if record.limit { "record.limit" } else { "record.times" };
    Some(Problem { key_path: key_path.into(), ..problem("", message, help)? })
}

/// Updates that are made one by one here, beside cells with a closed form.
fn steps(train: &Train) -> Option<Problem> {
    let steps = single_steps(train, false);
    let message = format!("{steps} steps one by one, for this model has no closed form: at most {MOST_STEPS} are made");
    if steps > MOST_STEPS { problem("until.steps", message, "use fewer steps") } else { None }
}

/// What only models that are linear in their parameters have.
fn closed_form(train: &Train) -> Option<Problem> {
    if let Some(continuation) = &train.continuation {
        let message =
            format!("a continuation ({}) of a model that is not linear in its parameters", continuation.name());
        return problem("continuation", message, "use `parametrization = \"direct\"` on data of rows");
    }
    let message = match train.solver {
        Solver::Exact => "solver = \"exact\", but this model has no closed form: it is not linear in its parameters",
        Solver::Moments => "solver = \"moments\" knows models that are linear in their parameters only",
        _ => return None,
    };
    problem("solver", message, "use solver = \"auto\"")
}

/// A relative step size without a known curvature.
fn step_size(train: &Train, kind: &ParametrizationKind) -> Option<Problem> {
    let entrywise = matches!(kind, ParametrizationKind::HadamardPower(_) | ParametrizationKind::HadamardProduct);
    let is_relative = !matches!(train.step_size, Some(StepSize::Absolute(_)));
    if !entrywise || !is_relative || train.method.is_flow() {
        return None;
    }
    let message =
        format!("{} has no reference curvature λ_ref that a relative step size could be in units of", kind.name());
    let key = if train.step_size.is_some() { "step_size" } else { "method" };
    problem(key, message, "write `step_size = { absolute = 0.01 }`")
}

/// Regularisers that are defined for coefficients.
fn extras(train: &Train) -> Option<Problem> {
    if train.penalty.is_some_and(|penalty| penalty.bending.get() > 0.0) {
        let message = "a bending penalty is on coefficients of features, and these parameters are none";
        return problem("penalty.bending", message, "use `ridge`, or `parametrization = \"direct\"`");
    }
    if train.dropout.is_some() {
        let message = "masks fall on coefficients of features, and these parameters are none";
        return problem("dropout", message, "remove it, or use `parametrization = \"direct\"`");
    }
    None
}

/// Rows drawn from data that are a matrix.
fn rows(cell: &CellSpec<'_>) -> Option<Problem> {
    let dynamics = cell.train.dynamics(1.0, 1.0);
    if !cell.data.is_matrix() || (dynamics.batch.is_none() && !dynamics.noise.is_some()) {
        return None;
    }
    let key = if dynamics.batch.is_some() { "method" } else { "noise" };
    let message = "these data are seen through their second moments, entries or measurements: no rows can be drawn";
    problem(key, message, "use [data.gaussian], [data.table] or [data.curve], which have one output")
}

/// Reductions by changes of basis, asked for with a motion that sees coordinates.
fn reduction(train: &Train, kind: &ParametrizationKind) -> Option<Problem> {
    if train.reduce != Some(true) || !matches!(kind, ParametrizationKind::DeepLinear(_)) {
        return None;
    }
    let dynamics = train.dynamics(1.0, 1.0);
    if taut_problem::is_equivariant(&dynamics) {
        return None;
    }
    let message =
        format!("`reduce` with {}, whose path depends on the basis: no reduction is exact", train.method.name());
    problem("reduce", message, "remove `reduce`, or use gradient-descent, heavy-ball or nesterov")
}
