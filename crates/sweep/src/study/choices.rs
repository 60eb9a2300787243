//! Mistakes of `[choose]`, by itself and with the data and motions that it is to choose from.

use super::checks::{Finding, finding};
use super::spec::Choose;
use crate::choosing::{criterion, too_few};
use taut_problem::Solver;
use taut_train::{Route, Train};

/// Mistakes of `[choose]` by itself; misspelt names are told apart by the schema.
pub(crate) fn choose(choose: &Choose) -> Vec<Finding> {
    let mut out = Vec::new();
    let asks = choose.by.iter().any(|by| by == "kfold");
    for (i, name) in choose.by.iter().enumerate() {
        if choose.by[..i].contains(name) {
            let message = format!("the criterion \"{name}\" is asked for twice");
            out.push(finding(format!("choose.by.{i}"), message, "remove one"));
        }
    }
    if choose.by.is_empty() {
        out.push(finding(
            "choose.by",
            "no criteria: at least one is needed",
            "write `by = [\"loo\"]`, or remove [choose]",
        ));
    }
    match choose.folds {
        None if asks => out.push(finding(
            "choose.by",
            "\"kfold\" needs to know how many folds",
            "write `folds = 5`, or use \"loo\"",
        )),
        Some(folds) if !asks => {
            let message = format!("{} folds, but \"kfold\" is not asked for", folds.get());
            out.push(finding("choose.folds", message, "remove `folds`, or add \"kfold\" to `by`"));
        }
        Some(folds) if folds.size() < 2 => {
            let message = "1 fold leaves nothing to fit: at least 2 are needed";
            out.push(finding("choose.folds", message, "write `folds = 5`"));
        }
        _ => {}
    }
    out
}

/// What the criteria need of the number of samples.
pub(crate) fn samples(choose: &Choose, samples: usize) -> Vec<Finding> {
    too_few(choose, samples).into_iter().map(|(path, message, help)| finding(path, message, help)).collect()
}

/// What the criteria need of data that hold no rows for validation.
pub(crate) fn without_validation(choose: &Choose) -> Vec<Finding> {
    let asks = choose.by.iter().position(|by| by == "validation");
    let message = "\"validation\" needs rows to validate on: there is no [data.validation]";
    let help = "add [data.validation], or choose by \"loo\" or \"kfold\"";
    asks.map(|i| finding(format!("choose.by.{i}"), message, help)).into_iter().collect()
}

/// What the criteria need of the motion.
pub(crate) fn motion(choose: &Choose, train: &Train, is_linear: bool) -> Vec<Finding> {
    let way = match train.route(is_linear) {
        Route::Exact => return Vec::new(),
        Route::Stepped if train.solver == Solver::Stepped => "solver = \"stepped\"",
        Route::Stepped => "a motion that is stepped",
        Route::Adaptive | Route::Dual | Route::Riccati | Route::Modes => "a model that is not linear in its parameters",
        Route::Moments => "solver = \"moments\"",
        Route::Staged => "train.continuation",
    };
    let needy = choose.by.iter().enumerate().filter(|(_, name)| criterion(name).is_some_and(|c| c.needs_closed_form));
    needy
        .map(|(i, name)| {
            let message = format!("\"{name}\" is computed from the closed form of a motion, which {way} does not use");
            finding(format!("choose.by.{i}"), message, "choose by \"validation\", or use a motion with a closed form")
        })
        .collect()
}
