//! What is wrong with a `[train]` whose values each have their right shape.

use super::checks::{Finding, finding};
use taut_problem::{Continuation, Dynamics, MaskKind, Motion, Schedule, Solver, StepSize, Steps};
use taut_train::{Route, Train};

/// What some cell of the study has a use for; a key that only this cell has none for is no mistake.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Anywhere {
    steps: bool,
    warm_up: bool,
    noise: bool,
    penalty: bool,
    dropout: bool,
    /// Whether some cell is linear in its parameters.
    linear: bool,
    tolerance: bool,
    units: bool,
    /// Whether some cell has factors that may be reduced.
    factors: bool,
}

/// Which kinds of cells there are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kinds {
    /// A single output that is linear in the parameters.
    pub(crate) linear: bool,
    /// Anything else.
    pub(crate) nonlinear: bool,
    /// Products of factors.
    pub(crate) factors: bool,
}

impl Anywhere {
    pub(crate) fn of(trains: &[Train], Kinds { linear, nonlinear, factors }: Kinds) -> Self {
        let any = |holds: fn(&Train) -> bool| trains.iter().any(holds);
        let integrates = |train: &Train| {
            let is = |is_linear| matches!(train.route(is_linear), Route::Adaptive | Route::Dual);
            linear && is(true) || nonlinear && is(false)
        };
        let has_units =
            |train: &Train| matches!(train.step_size, Some(StepSize::Absolute(_))) && !train.method.is_flow();
        Self {
            tolerance: trains.iter().any(integrates),
            units: any(has_units),
            factors: factors && any(|train| !train.method.is_flow()),
            steps: any(|train| !train.method.is_flow()),
            warm_up: any(|train| train.warm_up.is_some_and(|steps| steps.get() > 0)),
            noise: any(|train| train.noise.is_some_and(|noise| noise.is_some())),
            penalty: any(|train| train.penalty.is_some_and(|penalty| penalty.is_some())),
            dropout: any(|train| train.dropout.is_some_and(|dropout| dropout.keep.get() < 1.0)),
            linear,
        }
    }
}

/// The errors per step that an integrator in double precision can promise, and that are worth having.
const TOLERANCES: [f64; 2] = [1e-14, 0.1];

fn tolerance(train: &Train, out: &mut Vec<Finding>) {
    let [least, most] = TOLERANCES;
    if let Some(tolerance) = train.tolerance.map(|tolerance| tolerance.get())
        && !(least..=most).contains(&tolerance)
    {
        let message = format!("expected an error per step from {least:e} to {most}, found {tolerance:e}");
        out.push(finding("train.tolerance", message, "write `tolerance = 1e-9`, or remove it"));
    }
}

/// Mistakes of `[train]` by itself.
pub(crate) fn train(train: &Train, anywhere: Anywhere) -> Vec<Finding> {
    let mut out = if train.method.is_flow() { flow(train, anywhere) } else { descent(train, anywhere.linear) };
    without_effect(train, anywhere, &mut out);
    tolerance(train, &mut out);
    dropout(train, &mut out);
    average(train, &mut out);
    loss(train, anywhere.linear, &mut out);
    match &train.continuation {
        Some(stages) => continuation(train, stages, &mut out),
        None => solver(train, &mut out),
    }
    limit(train, &mut out);
    cost(train, anywhere.linear, &mut out);
    out
}

fn descent(train: &Train, is_linear: bool) -> Vec<Finding> {
    let mut out = Vec::new();
    let name = train.method.name();
    if train.until.steps.is_none() && train.until.time.is_none() && !train.until.is_limit() {
        let message = if train.until.loss.is_some() {
            format!("`until.loss` alone may never be reached: {name} needs `until.steps` or `until.time` as well")
        } else {
            format!("{name} needs an end: `until.steps` or `until.time`")
        };
        out.push(finding("train.until", message, "write `until = { steps = 1e6 }`"));
    }
    if !train.method.optimizer().knows_curvature() && !matches!(train.step_size, Some(StepSize::Absolute(_))) {
        let path = if train.step_size.is_some() { "train.step_size" } else { "train.method" };
        let message = format!("{name} takes steps of one length: a step size in units of 1/λ_max means nothing to it");
        out.push(finding(path, message, "write `step_size = { absolute = 0.001 }`; in a sweep, set both by cases"));
    }
    if train.until.time.is_some() && !train.dynamics(1.0, 1.0).is_constant() {
        out.push(finding(
            "train.until.time",
            format!("{name} with a step size that changes has no steps of one length: its end is a step count"),
            "write `until = { steps = 1e6 }`",
        ));
    }
    if let Some(StepSize::Relative(r)) = train.step_size
        && let Some(largest) = train.method.optimizer().stability()
        && r.get() > largest
        && is_linear
        && !train.allow_unstable
    {
        out.push(finding(
            "train.step_size.relative",
            format!("a relative step size of {} is beyond {largest}/λ_max: the run would diverge", r.get()),
            format!("use relative < {largest}, or set train.allow_unstable = true"),
        ));
    }
    out
}

fn flow(train: &Train, anywhere: Anywhere) -> Vec<Finding> {
    let mut out = Vec::new();
    let mut unused = |is_there: bool, key: &str, message: &str, help: &str| {
        if is_there {
            out.push(finding(format!("train.{key}"), format!("gradient-flow {message}"), help));
        }
    };
    let steps = |key: &str| format!("remove `{key}`, or use method = \"gradient-descent\"");
    // Nothing is lost where these go unused; anything below would change what is computed.
    if !anywhere.steps {
        unused(train.step_size.is_some(), "step_size", "has no step size", &steps("step_size"));
        unused(
            train.schedule.is_some(),
            "schedule",
            "has no step size, so nothing that changes it",
            &steps("schedule"),
        );
        unused(train.warm_up.is_some(), "warm_up", "has no step size, so nothing that changes it", &steps("warm_up"));
        let help = "write `until = { time = 1e3 }`, or use method = \"gradient-descent\"";
        unused(train.until.steps.is_some(), "until.steps", "has no steps", help);
    }
    let averages = train.average.unwrap_or_default().from().is_some();
    unused(averages, "average", "has no iterates to average", &steps("average"));
    let noise = train.noise.is_some_and(|noise| noise.is_some());
    unused(noise, "noise", "has no updates to draw noise for", &steps("noise"));
    let masks = train.dropout.is_some_and(|dropout| !dropout.marginal);
    unused(masks, "dropout", "has no updates to draw masks for", "set `marginal = true`, or use a motion with steps");
    let l1 = train.penalty.is_some_and(|penalty| penalty.l1.get() > 0.0);
    unused(l1, "penalty.l1", "has no proximal steps", &steps("l1"));
    let needs_end = train.until.time.is_none() && !train.until.is_limit();
    let help = "write `until = { time = 1e3 }`";
    unused(needs_end && (anywhere.steps || train.until.steps.is_none()), "until", "needs an end: `until.time`", help);
    if train.solver == Solver::Stepped {
        out.push(finding(
            "train.solver",
            "solver = \"stepped\" with gradient-flow: a flow has no steps",
            "use solver = \"auto\": its closed form where there is one, else an integrator with error control",
        ));
    }
    out
}

/// Settings that change nothing, here or anywhere.
fn without_effect(train: &Train, anywhere: Anywhere, out: &mut Vec<Finding>) {
    if train.tolerance.is_some() && !anywhere.tolerance {
        let message = "no motion here is integrated, so there is no error per step to bound";
        out.push(finding("train.tolerance", message, "remove it, or use solver = \"adaptive\" with gradient-flow"));
    }
    if train.loss.is_some() && !anywhere.units {
        let message = "the units of the loss are those of an absolute step size, and there is none";
        out.push(finding("train.loss", message, "remove it, or write `step_size = { absolute = 0.01 }`"));
    }
    if train.reduce.is_some() && !anywhere.factors {
        let message = "only deep-linear models that are stepped are reduced, and there are none";
        out.push(finding("train.reduce", message, "remove it"));
    }
    if train.warm_up.map(Steps::get) == Some(0) && !anywhere.warm_up {
        out.push(finding(
            "train.warm_up",
            "a warm-up of no updates has no effect",
            "remove it, or use `warm_up = 100`",
        ));
    }
    if train.noise.is_some() && !anywhere.noise {
        let help = "remove it, or set `labels`, `gradient` or `curvature` above 0";
        out.push(finding("train.noise", "noise of size 0 has no effect", help));
    }
    if train.penalty.is_some() && !anywhere.penalty {
        let help = "remove it, or set `ridge`, `l1` or `bending` above 0";
        out.push(finding("train.penalty", "a penalty of 0 has no effect", help));
    }
    if train.dropout.is_some() && !anywhere.dropout {
        let message = "with `keep = 1` nothing is ever left out";
        out.push(finding("train.dropout.keep", message, "remove `dropout`, or use `keep = 0.8`"));
    }
}

fn dropout(train: &Train, out: &mut Vec<Finding>) {
    if let Some(dropout) = train.dropout
        && dropout.marginal
        && dropout.mask == MaskKind::Weights
    {
        let message = "`mask` has no use with `marginal = true`: the expectation over masks is the same for both";
        out.push(finding("train.dropout.mask", message, "remove `mask`, or `marginal`"));
    }
}

fn average(train: &Train, out: &mut Vec<Finding>) {
    let Some(from) = train.average.unwrap_or_default().from() else { return };
    if let Some(end) = train.until.steps.map(Steps::get)
        && from > 0
        && from >= end
    {
        out.push(finding(
            "train.average.after.steps",
            format!("averaging begins after step {from}, but train.until.steps = {end}: there is nothing to average"),
            format!("use fewer than {end}, or more until.steps"),
        ));
    }
    if !averages_out(train) {
        out.push(finding(
            "train.average",
            "these updates are noisy and not linear in the parameters: with a step size that never decays, the average \
             of the iterates does not go to the minimiser",
            "let the step size decay, say `schedule = \"inverse-sqrt\"`, or use sgd without `l1`",
        ));
    }
}

/// Whether the mean of the iterates goes where descent without noise goes: with a constant step size only
/// if the updates are linear in the parameters (Bach and Moulines 2013).
fn averages_out(train: &Train) -> bool {
    let dynamics = train.dynamics(1.0, 1.0);
    let is_linear = !matches!(dynamics.motion, Motion::Other(_)) && dynamics.penalty.l1.get() <= 0.0;
    let has_masks = dynamics.dropout.is_some_and(|dropout| !dropout.marginal);
    let is_noisy = dynamics.batch.is_some() || dynamics.noise.is_some() || has_masks;
    is_linear || !is_noisy || dynamics.schedule != Schedule::Constant
}

fn loss(train: &Train, is_linear: bool, out: &mut Vec<Finding>) {
    let Some(_) = train.until.loss else { return };
    let penalised = train.penalty.is_some_and(|penalty| penalty.is_some());
    let marginal = train.dropout.is_some_and(|dropout| dropout.marginal);
    let (message, help) = match train.route(is_linear) {
        Route::Exact if penalised || marginal => (
            "with a penalty the loss L need not fall, so the closed form has no first step below it",
            "remove `loss`, or use solver = \"stepped\"",
        ),
        Route::Moments => {
            ("solver = \"moments\" follows all draws at once, each with a loss of its own", "remove `loss`")
        }
        Route::Staged => ("the stages of a continuation have one length", "remove `loss`"),
        Route::Exact | Route::Stepped | Route::Adaptive | Route::Dual | Route::Riccati | Route::Modes => return,
    };
    out.push(finding("train.until.loss", message, help));
}

/// Why a motion has no closed form; `None` if it has one.
fn obstacle(train: &Train) -> Option<(String, String)> {
    let dynamics = train.dynamics(1.0, 1.0);
    let name = train.method.name();
    let method = |why: &str| Some(("train.method".to_owned(), format!("{name} {why}")));
    let key = |key: &str, why: &str| Some((format!("train.{key}"), why.to_owned()));
    match &dynamics {
        _ if matches!(dynamics.motion, Motion::Other(_)) => method("is not linear in the parameters"),
        Dynamics { batch: Some(_), .. } => method("draws rows at random"),
        _ if dynamics.noise.is_some() => key("noise", "every update draws noise"),
        _ if dynamics.dropout.is_some_and(|dropout| !dropout.marginal) => key("dropout", "every update draws masks"),
        _ if dynamics.average.from().is_some() => key("average", "an average of iterates has no closed form here"),
        _ if dynamics.penalty.l1.get() > 0.0 => key("penalty.l1", "proximal steps are not linear in the parameters"),
        _ => None,
    }
}

/// A solver that cannot do what is asked.
fn solver(train: &Train, out: &mut Vec<Finding>) {
    match train.solver {
        Solver::Exact => {
            if let Some((path, why)) = obstacle(train) {
                let help = "use solver = \"auto\" or \"stepped\"";
                out.push(finding(path, format!("solver = \"exact\", but there is no closed form: {why}"), help));
            }
        }
        Solver::Moments => moments(train, out),
        Solver::Auto | Solver::Stepped | Solver::Modes => {}
        Solver::Adaptive | Solver::Dual | Solver::Riccati => flow_solver(train, out),
    }
}

/// Integrators of gradient flow, asked to do anything else.
fn flow_solver(train: &Train, out: &mut Vec<Finding>) {
    if train.method.is_flow() {
        return;
    }
    let message = format!("this solver integrates gradient flow, and the method is {}", train.method.name());
    out.push(finding("train.solver", message, "use method = \"gradient-flow\", or solver = \"auto\""));
}

/// What exact moments cannot do.
fn moments(train: &Train, out: &mut Vec<Finding>) {
    let dynamics = train.dynamics(1.0, 1.0);
    if !matches!(dynamics.motion, Motion::Descent | Motion::HeavyBall(_)) {
        out.push(finding(
            "train.method",
            format!(
                "solver = \"moments\" with {}: the moments of descent and of the heavy ball are known",
                train.method.name()
            ),
            "use solver = \"auto\", or another method",
        ));
    } else if dynamics.batch.is_none() && !dynamics.noise.is_some() && dynamics.dropout.is_none() {
        out.push(finding(
            "train.solver",
            "solver = \"moments\" without anything random: the mean is the motion itself, the covariance zero",
            "use solver = \"auto\", or add `noise` or batches",
        ));
    }
    let refused = [
        (dynamics.penalty.l1.get() > 0.0, "penalty.l1", "proximal steps are not linear in the parameters"),
        (dynamics.penalty.bending.get() > 0.0, "penalty.bending", "ridge is the only penalty that it knows"),
        (dynamics.dropout.is_some(), "dropout", "it knows no masks"),
    ];
    for (_, key, why) in refused.into_iter().filter(|(is_there, ..)| *is_there) {
        let help = "remove it, or use solver = \"stepped\" and several seeds";
        out.push(finding(format!("train.{key}"), format!("`{key}` with solver = \"moments\": {why}"), help));
    }
}

/// Stages are plain descent or flow, with a ridge penalty at the most.
fn continuation(train: &Train, stages: &Continuation, out: &mut Vec<Finding>) {
    let name = stages.name();
    let mut refuse = |refused: bool, key: &str, help: &str| {
        if refused {
            let message = format!("`{key}` does not go with a continuation, whose stages are plain descent or flow");
            out.push(finding(format!("train.{key}"), message, help));
        }
    };
    let dynamics = train.dynamics(1.0, 1.0);
    refuse(
        !matches!(dynamics.motion, Motion::Flow | Motion::Descent) || dynamics.batch.is_some(),
        "method",
        "use method = \"gradient-descent\" or \"gradient-flow\"",
    );
    let steps = !train.method.is_flow();
    let remove = "remove it, or `continuation`";
    refuse(train.schedule.is_some_and(|_| !dynamics.is_constant()) && steps, "schedule", remove);
    refuse(dynamics.warm_up > 0 && steps, "warm_up", remove);
    refuse(dynamics.average.from().is_some() && steps, "average", remove);
    refuse(dynamics.noise.is_some() && steps, "noise", remove);
    refuse(dynamics.dropout.is_some_and(|dropout| steps || dropout.marginal), "dropout", remove);
    refuse(dynamics.penalty.l1.get() > 0.0 && steps, "penalty.l1", remove);
    refuse(dynamics.penalty.bending.get() > 0.0, "penalty.bending", remove);
    refuse(matches!(train.solver, Solver::Stepped | Solver::Moments), "solver", "use solver = \"auto\"");
    if stages.stages() == 0 {
        out.push(finding(
            format!("train.continuation.{name}"),
            "a continuation without a stage",
            "give it some values",
        ));
    }
    if matches!(stages, Continuation::Ridge(_)) && dynamics.penalty.ridge.get() > 0.0 {
        let message = "`penalty.ridge` beside `continuation.ridge`, which sets it in every stage";
        out.push(finding("train.penalty.ridge", message, "remove one of the two"));
    }
}

fn limit(train: &Train, out: &mut Vec<Finding>) {
    let until = &train.until;
    if !until.is_limit() {
        return;
    }
    if train.continuation.is_none() {
        let message = "`until.limit` says how far the stages of a continuation go, and there is none";
        out.push(finding("train.until.limit", message, "use `until.steps` or `until.time`, and `record.limit = true`"));
    }
    for (key, is_there) in [("steps", until.steps.is_some()), ("time", until.time.is_some())] {
        if is_there && !(key == "steps" && train.method.is_flow()) {
            let message = format!("the end is given twice: `limit` and `{key}`");
            out.push(finding(format!("train.until.{key}"), message, "keep one of the two"));
        }
    }
}

/// More steps than this, one by one, are days.
pub(crate) const MOST_STEPS: u64 = 1_000_000_000;

/// Whether updates are made one by one, rather than by a formula of their number.
fn steps_singly(train: &Train, is_linear: bool) -> bool {
    let dynamics = train.dynamics(1.0, 1.0);
    match train.route(is_linear) {
        Route::Staged | Route::Adaptive | Route::Dual | Route::Riccati => false,
        Route::Exact => {
            dynamics.motion != Motion::Flow && !(dynamics.is_constant() && dynamics.motion != Motion::Nesterov(None))
        }
        Route::Stepped | Route::Moments | Route::Modes => true,
    }
}

/// How many updates are made one by one.
pub(crate) fn single_steps(train: &Train, is_linear: bool) -> u64 {
    if steps_singly(train, is_linear) { train.until.steps.map_or(0, Steps::get) } else { 0 }
}

/// Too many updates up to this step, which an end in `until.time` shows only where the step size is known.
pub(crate) fn too_many_steps(train: &Train, is_linear: bool, last: u64) -> Option<String> {
    (last > MOST_STEPS && steps_singly(train, is_linear)).then(|| {
        format!(
            "train.until.time is {last} steps one by one at this step size, and at most {MOST_STEPS} are made: use a \
             shorter time, a larger step size, or until.steps"
        )
    })
}

fn cost(train: &Train, is_linear: bool, out: &mut Vec<Finding>) {
    let steps = single_steps(train, is_linear);
    if steps <= MOST_STEPS {
        return;
    }
    let (why, help) = match train.route(is_linear) {
        Route::Exact => ("each multiplies the factors of all modes", "a constant step size"),
        _ => ("each passes over the whole design", "a motion with a closed form and solver = \"auto\""),
    };
    out.push(finding(
        "train.until.steps",
        format!("{steps} steps one by one in every cell, and {why}: at most {MOST_STEPS} are made"),
        format!("use fewer steps, or {help}"),
    ));
}
