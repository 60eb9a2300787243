//! Choosing a point of a path, or λ of ridge, by scores that see no target: one file and one line per
//! criterion.

mod candidates;
mod chosen;
mod columns;

pub(crate) use candidates::{Candidates, Kind, Path, Refits};
pub(crate) use chosen::{Choice, risk_of};
pub(crate) use columns::{of_cells, of_path, of_solutions, push_choices, push_ridge_choices, push_scores};

use crate::plan::Plan;
use crate::study::{Checked, Choose};
use taut_problem::Regression;

/// One score for every point of a path; the point with the smallest is chosen.
#[derive(Clone, Copy)]
pub(crate) struct Criterion {
    /// The name as `[choose]` writes it, and in the columns `chosen_<name>_…`.
    pub(crate) name: &'static str,
    /// The column of the score.
    pub(crate) column: &'static str,
    /// Formula and normalisation.
    pub(crate) doc: &'static str,
    /// What must be there for it to be more than a null, and what it is not, in words.
    pub(crate) assumes: &'static str,
    /// Where it comes from; empty for textbook material.
    pub(crate) cite: &'static str,
    /// Whether the score estimates the risk of a point of a descent path.
    pub(crate) estimates_descent: bool,
    /// Whether it estimates the risk of ridge regression.
    pub(crate) estimates_ridge: bool,
    /// Whether the motion must have a closed form.
    pub(crate) needs_closed_form: bool,
    /// One value per candidate; `None` where the score does not exist.
    pub(crate) score: fn(&Candidates<'_>) -> Option<Vec<f64>>,
}

/// Makes the table and its modules from one line per criterion: the name of its file.
macro_rules! criteria {
    ($($module:ident,)*) => {
        $(mod $module;)*

        /// Every criterion, in the order of the docs.
        pub(crate) static CRITERIA: &[Criterion] = &[$($module::CRITERION,)*];
    };
}

criteria! {
    leave_one_out,
    k_fold,
    validation,
    gcv,
    shortcut,
}

impl Criterion {
    /// The doc with what the score is not.
    pub(crate) fn labelled(&self, ridge: bool) -> String {
        let is_estimate = if ridge { self.estimates_ridge } else { self.estimates_descent };
        let kind = if ridge { "ridge" } else { "descent" };
        if is_estimate { self.doc.to_owned() } else { format!("{}; not a risk estimate for {kind}", self.doc) }
    }
}

/// The criterion of this name.
pub(crate) fn criterion(name: &str) -> Option<&'static Criterion> {
    CRITERIA.iter().find(|criterion| criterion.name == name)
}

/// What a study asks for, in its order.
pub(crate) fn asked(study: &Checked) -> Vec<&'static Criterion> {
    study.study.choose.iter().flat_map(|choose| &choose.by).filter_map(|name| criterion(name)).collect()
}

/// The JSON Schema of `by`: the names of the table.
pub(crate) fn names_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    let names = CRITERIA.iter().map(|c| serde_json::json!({ "const": c.name, "description": c.doc, "type": "string" }));
    schemars::json_schema!({ "type": "array", "items": { "oneOf": names.collect::<Vec<_>>() } })
}

/// Why so many samples are too few for what is asked, if they are: key, message, help.
pub(crate) fn too_few(choose: &Choose, samples: usize) -> Option<(&'static str, String, String)> {
    let asks = |name: &str| choose.by.iter().any(|by| by == name);
    if asks("loo") && samples < 2 {
        let message = format!("leave-one-out needs at least 2 samples, the data have {samples}");
        return Some(("choose.by", message, "use more samples, or remove \"loo\"".to_owned()));
    }
    let folds = choose.folds.filter(|_| asks("kfold"))?.size();
    (folds > samples).then(|| {
        let message = format!("fewer samples than folds: {folds} folds of {samples} points");
        ("choose.folds", message, format!("use at most {samples} folds, or more samples"))
    })
}

/// Why the criteria cannot be had for a problem whose size only its cell knows.
pub(crate) fn obstacle(plan: &Plan, problem: &Regression) -> Result<(), String> {
    let choose = plan.checked.study.choose.as_ref();
    choose.and_then(|choose| too_few(choose, problem.samples())).map_or(Ok(()), |(_, message, _)| Err(message))
}

/// The score of every criterion for some candidates; `None` where there is none.
pub(crate) fn scores(plan: &Plan, candidates: &Candidates<'_>) -> Vec<Option<Vec<f64>>> {
    asked(&plan.checked).iter().map(|criterion| (criterion.score)(candidates)).collect()
}
