//! What a `[train]` with settings that have no use, or contradict each other, is told: exact texts.

mod support;

use std::path::Path;
use support::*;
use taut_sweep::Plan;
use taut_sweep::study::{Diagnostics, StudyError};

/// The good study with `[train]` replaced.
fn with(train: &str) -> String {
    let from = "step_size = { relative = 1.0 }\nuntil = { steps = 1e6 }\n";
    assert!(GOOD.contains(from));
    GOOD.replacen(from, train, 1)
}

/// Compares a rendering with `golden/train_<name>.txt`; with `UPDATE_GOLDEN=1` writes it.
fn golden(name: &str, found: &Diagnostics) {
    let found = format!("{found}\n");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(format!("train_{name}.txt"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &found).expect("the golden folder can be written");
    }
    let wanted = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, wanted, "{name}: run with UPDATE_GOLDEN=1 to accept");
}

/// Expects mistakes of the file itself.
fn refused(name: &str, train: &str) {
    golden(name, &mistakes(&with(train), &[]));
}

/// Expects mistakes that only the plan sees.
fn refused_by_plan(name: &str, text: &str) {
    let study = checked(text, &[]).unwrap_or_else(|error| panic!("{error}"));
    match Plan::new(study) {
        Err(StudyError::Invalid(found)) => golden(name, &found),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("nothing is wrong with\n{text}"),
    }
}

fn accepted(text: &str) {
    let study = checked(text, &[]).unwrap_or_else(|error| panic!("{error}"));
    Plan::new(study).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn a_flow_has_nothing_to_schedule_average_or_draw_for() {
    let flow = "method = \"gradient-flow\"\nuntil = { time = 1e3 }\n";
    refused("flow_schedule", &format!("{flow}schedule = \"inverse\"\nwarm_up = 10\n"));
    refused("flow_average", &format!("{flow}average = \"all\"\n"));
    refused("flow_noise", &format!("{flow}noise = {{ labels = 0.1 }}\n"));
    refused("flow_dropout", &format!("{flow}dropout = {{ keep = 0.5 }}\n"));
    refused("flow_l1", &format!("{flow}penalty = {{ l1 = 0.1 }}\n"));
    accepted(&with(&format!("{flow}dropout = {{ keep = 0.5, marginal = true }}\n")));
    accepted(&with(&format!("{flow}penalty = {{ ridge = 0.1 }}\n")));
}

#[test]
fn with_an_axis_over_the_method_a_schedule_may_stand_beside_a_flow() {
    let both = "schedule = \"inverse\"\nuntil = { steps = 1e6, time = 1e3 }\n";
    let axis = "\n[sweep]\n\"train.method\" = [\"gradient-descent\", \"gradient-flow\"]\n";
    // Descent has no use for a time here, which is another matter.
    let found = mistakes(&format!("{}{axis}", with(both)), &[]).to_string();
    assert!(!found.contains("gradient-flow has no step size"), "{found}");
    accepted(
        &format!("{}{axis}", with("warm_up = 0\nuntil = { steps = 1e6, time = 1e3 }\n")).replace("warm_up = 0\n", ""),
    );
}

#[test]
fn a_changing_step_size_needs_a_count_and_may_end() {
    refused("schedule_time", "schedule = \"inverse\"\nuntil = { time = 1e3 }\n");
    refused("warm_up_time", "warm_up = 100\nuntil = { time = 1e3 }\n");
    let limit = |schedule: &str| {
        with(&format!("schedule = {schedule}\nuntil = {{ steps = 1e4 }}\n"))
            .replace("[record]", "[record]\nlimit = true")
    };
    golden("schedule_limit", &mistakes(&limit("{ cosine = { over = 1e4 } }"), &[]));
    golden("schedule_limit_power", &mistakes(&limit("{ power = { exponent = 2.0 } }"), &[]));
    accepted(&limit("\"inverse\""));
    // A schedule that is over before the run is: no steps of size zero are a mistake.
    accepted(&with("schedule = { linear = { over = 100 } }\nuntil = { steps = 1e4 }\n"));
}

#[test]
fn averages_need_iterates() {
    refused("average_after_end", "average = { after = { steps = 100 } }\nuntil = { steps = 100 }\n");
    refused("average_exact", "average = \"all\"\nsolver = \"exact\"\nuntil = { steps = 100 }\n");
    accepted(&with("average = \"all\"\nuntil = { steps = 100 }\n"));
}

#[test]
fn settings_without_effect() {
    refused("warm_up_zero", "warm_up = 0\nuntil = { steps = 100 }\n");
    refused("noise_zero", "noise = { labels = 0.0 }\nuntil = { steps = 100 }\n");
    refused("penalty_zero", "penalty = { ridge = 0.0 }\nuntil = { steps = 100 }\n");
    refused("dropout_all_kept", "dropout = { keep = 1.0 }\nuntil = { steps = 100 }\n");
    refused("dropout_mask", "dropout = { keep = 0.5, mask = \"weights\", marginal = true }\nuntil = { steps = 100 }\n");
    // Zero is a value like any other on an axis.
    accepted(&format!(
        "{}\n[sweep]\n\"train.penalty.ridge\" = [0.0, 0.01]\n\"train.noise.labels\" = [0.0, 0.1]\n",
        with("penalty = { ridge = 0.0 }\nnoise = { labels = 0.0 }\nuntil = { steps = 100 }\n")
    ));
}

#[test]
fn solvers_that_cannot() {
    refused("exact_noise", "noise = { gradient = 0.1 }\nsolver = \"exact\"\nuntil = { steps = 100 }\n");
    refused("exact_dropout", "dropout = { keep = 0.5 }\nsolver = \"exact\"\nuntil = { steps = 100 }\n");
    refused("exact_l1", "penalty = { l1 = 0.1 }\nsolver = \"exact\"\nuntil = { steps = 100 }\n");
    refused("moments_of_nothing", "solver = \"moments\"\nuntil = { steps = 100 }\n");
    refused(
        "moments_l1",
        "solver = \"moments\"\nnoise = { labels = 0.1 }\npenalty = { l1 = 0.1 }\nuntil = { steps = 100 }\n",
    );
    accepted(&with("solver = \"moments\"\nnoise = { labels = 0.1 }\nuntil = { steps = 100 }\n"));
}

#[test]
fn a_loss_to_stop_at_needs_a_loss_that_falls() {
    refused("loss_penalty", "penalty = { ridge = 0.1 }\nuntil = { steps = 100, loss = 1e-3 }\n");
    refused("loss_moments", "solver = \"moments\"\nnoise = { labels = 0.1 }\nuntil = { steps = 100, loss = 1e-3 }\n");
}

#[test]
fn steps_one_by_one_are_limited() {
    refused("too_many_steps", "solver = \"stepped\"\nuntil = { steps = 1e12 }\n");
    refused("too_many_factors", "schedule = \"inverse-sqrt\"\nuntil = { steps = 1e12 }\n");
    accepted(&with("until = { steps = 1e12 }\n"));
    let study = checked(&with("solver = \"stepped\"\nuntil = { steps = 1e5 }\n"), &[]).unwrap();
    assert_eq!(Plan::new(study).unwrap().single_steps(), Some((1e5, 1)));
}

#[test]
fn continuations_are_plain() {
    let stages = "continuation = { degree = [0, 1, 20] }\n";
    refused(
        "stages_momentum",
        &format!("method = {{ heavy-ball = {{ momentum = 0.9 }} }}\n{stages}until = {{ steps = 100 }}\n"),
    );
    refused("stages_stepped", &format!("solver = \"stepped\"\n{stages}until = {{ steps = 100 }}\n"));
    refused(
        "stages_extras",
        &format!(
            "{stages}schedule = \"inverse\"\naverage = \"all\"\nnoise = {{ labels = 0.1 }}\ndropout = {{ keep = 0.5 }}\n\
             penalty = {{ l1 = 0.1, bending = 0.1 }}\nuntil = {{ steps = 100, loss = 0.1 }}\n"
        ),
    );
    refused(
        "stages_two_ridges",
        "continuation = { ridge = [0.1, 0.0] }\npenalty = { ridge = 0.1 }\nuntil = { steps = 9 }\n",
    );
    refused("stages_none", "continuation = { ridge = [] }\nuntil = { steps = 9 }\n");
    refused("stages_bending", "continuation = { bending = [0.1, 0.0] }\nuntil = { steps = 9 }\n");
    refused("limit_without_stages", "until = { limit = true }\n");
    refused("limit_twice", &format!("{stages}until = {{ limit = true, steps = 100 }}\n"));
    let limit = with(&format!("{stages}until = {{ limit = true }}\n"));
    golden("limit_with_times", &mistakes(&limit, &[]));
    let theory = "limit = true\ntheory = [\"min_norm_limit\"]";
    golden("limit_with_theory", &mistakes(&limit.replace("times = { geometric = 50 }", theory), &[]));
    accepted(&limit.replace("times = { geometric = 50 }\n", ""));
    accepted(&with("method = \"gradient-flow\"\ncontinuation = { ridge = [0.1, 0.0] }\nuntil = { time = 10.0 }\n"));
}

#[test]
fn what_the_data_or_the_model_have_no_use_for() {
    let until = "until = { steps = 100 }\n";
    let degrees = |list: &str| with(&format!("continuation = {{ degree = {list} }}\n{until}"));
    refused_by_plan("degree_beyond", &degrees("[0, 20, 21]"));
    let whitened = "features = { roughness-whitened = { degree = 20, epsilon = 0.1 } }";
    let polynomial = "features = { polynomial = { basis = \"legendre\", degree = 20, decay = 1.0 } }";
    refused_by_plan("degree_of_none", &degrees("[0, 20]").replace(polynomial, whitened));
    let gaussian = "[data.gaussian]\nsamples = 10\ninputs = 5\ncovariance = \"isotropic\"\nteacher = \"dense\"\nsignal = 1.0\nnoise = 0.5\n";
    let curve = "[data.curve]\ntarget = { line = { intercept = 0.3, slope = 0.8 } }\nsamples = 10\ndesign = \"equispaced\"\nnoise = 0.1\n";
    let inputs = |train: &str| with(train).replace(curve, gaussian).replace(polynomial, "features = \"identity\"");
    let inputs = |train: &str| inputs(train).replace("metrics = [\"risk\"]", "metrics = [\"loss\"]");
    refused_by_plan("bending_of_inputs", &inputs(&format!("penalty = {{ bending = 0.1 }}\n{until}")));
    refused_by_plan("noise_share_of_inputs", &inputs(&format!("continuation = {{ noise-share = [0, 1] }}\n{until}")));
    refused_by_plan(
        "ridge_beyond",
        &with(&format!("continuation = {{ ridge = [1e3, 0.0] }}\n{until}")).replace("noise = 0.1\n", "noise = 0.0\n"),
    );
    refused_by_plan(
        "penalty_beyond",
        &with(&format!("penalty = {{ ridge = 1e3 }}\nstep_size = {{ absolute = 0.1 }}\n{until}")),
    );
}

#[test]
fn a_batch_is_not_larger_than_the_data_by_accident() {
    let steps = "until = { steps = 100 }\n";
    refused_by_plan("batch_beyond", &with(&format!("method = {{ sgd = {{ batch = 500 }} }}\n{steps}")));
    refused_by_plan(
        "batch_without_replacement",
        &with(&format!("method = {{ sgd = {{ batch = 500, replacement = false }} }}\n{steps}")),
    );
    accepted(&with(&format!("method = {{ sgd = {{ batch = 500, replacement = true }} }}\n{steps}")));
}

#[test]
fn noisy_updates_that_are_not_linear_need_a_decaying_step_to_be_averaged() {
    let noisy = "until = { steps = 100 }\naverage = \"all\"\nnoise = { labels = 0.1 }\npenalty = { l1 = 0.1 }\n";
    refused("average_l1", noisy);
    accepted(&with(&format!("{noisy}schedule = \"inverse-sqrt\"\n")));
    accepted(&with("until = { steps = 100 }\naverage = \"all\"\nnoise = { labels = 0.1 }\n"));
}

#[test]
fn adam_is_told_how_long_its_steps_are() {
    refused("adam_relative", "method = { adam = {} }\nuntil = { steps = 100 }\n");
    refused("adam_relative_step", "method = { adam = {} }\nstep_size = { relative = 0.1 }\nuntil = { steps = 100 }\n");
    accepted(&with("method = { adam = {} }\nstep_size = { absolute = 0.01 }\nuntil = { steps = 100 }\n"));
}

#[test]
fn a_metric_that_no_cell_can_measure_is_refused() {
    let rows = "[data.table]\nx = [[1.0, 2.0], [0.5, 1.0]]\ny = [1.0, 0.0]\n";
    let study = |metrics: &str| {
        format!(
            "title = \"t\"\n{rows}[model]\nfeatures = \"identity\"\n[train]\nuntil = {{ steps = 10 }}\n\
             [record]\nmetrics = {metrics}\n"
        )
    };
    refused_by_plan("metrics_of_nothing", &study("[\"loss\", \"risk\", \"bending_energy\"]"));
    accepted(&study("[\"loss\", \"train_mse\"]"));
}
