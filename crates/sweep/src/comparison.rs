//! What two plans have in common, and why cells of one are not in the other.

use crate::growth::{contradictions, strangers};
use crate::keeping::{kept, lacks};
use crate::plan::Plan;
use crate::run::RunError;
use crate::stock::{Look, Stock};
use crate::study::{CellSpec, data_meaning, diff_studies, model_meaning, train_meaning};
use std::collections::{BTreeMap, BTreeSet};
use taut_store::Folder;

/// How two plans differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Settings that differ, key by key.
    pub settings: Vec<String>,
    /// Cells that both have.
    pub shared: usize,
    /// Cells of the first alone, by what of them the second does not have.
    pub only_first: Vec<(String, usize)>,
    /// Cells of the second alone, by what of them the first does not have.
    pub only_second: Vec<(String, usize)>,
    /// Why rows of the first do not serve the second.
    pub lacking: Vec<String>,
}

/// Compares two plans: which cells would be reused if the second ran over the results of the first, and why not the others.
pub fn comparison(first: &Plan, second: &Plan) -> Comparison {
    let only_first = news(first, second);
    Comparison {
        settings: diff_studies(&first.checked.text, &second.checked.text),
        shared: first.cells() - only_first.iter().map(|(_, cells)| cells).sum::<usize>(),
        only_first,
        only_second: news(second, first),
        lacking: lacks(&kept(first), &kept(second)),
    }
}

/// What a run of a plan would find in a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prospect {
    /// Cells of the study.
    pub cells: usize,
    /// Of these, cells that are there.
    pub there: usize,
    /// The others, by reason.
    pub missing: Vec<(String, usize)>,
    /// Why the folder would be refused; empty if it would not.
    pub contradictions: Vec<String>,
}

/// What a run of a plan would find in a folder, of which `stored` is the plan if that is known. Writes nothing.
///
/// # Errors
/// If the folder cannot be read.
pub fn prospect(plan: &Plan, folder: &Folder, stored: Option<&Plan>) -> Result<Prospect, RunError> {
    let strangers = strangers(plan, folder)?;
    let pieces = folder.pieces()?;
    let manifest = folder.read_manifest()?;
    let text = manifest.as_ref().and_then(|manifest| manifest["study"].as_str()).unwrap_or_default();
    let contradictions = contradictions(plan, text, strangers.iter().chain(&pieces))?;
    let stock = Stock::take_with(plan, folder, Look::default(), &strangers)?;
    let has = |cell: &usize| stock.has(plan, *cell);
    let there = (0..plan.cells()).filter(has).count();
    let mut missing: BTreeMap<String, usize> = BTreeMap::new();
    let mut rest = plan.cells() - there;
    // Stored cells that do not serve are cells of this plan, or it would be refused.
    for (reason, cells) in &stock.unusable {
        missing.insert(reason.clone(), *cells);
        rest = rest.saturating_sub(*cells);
    }
    if let Some(stored) = stored.filter(|_| rest > 0) {
        for (reason, cells) in news(plan, stored) {
            missing.insert(format!("not in the stored study: {reason}"), cells);
            rest = rest.saturating_sub(cells);
        }
    }
    if rest > 0 {
        missing.insert("not computed yet".to_owned(), rest);
    }
    let missing = missing.into_iter().collect();
    Ok(Prospect { cells: plan.cells(), there, missing, contradictions })
}

/// Cells of one plan that another has not, by what is new about them.
fn news(of: &Plan, other: &Plan) -> Vec<(String, usize)> {
    let known = Known::of(other);
    let mut news: BTreeMap<String, usize> = BTreeMap::new();
    for (index, number) in of.numbers().iter().enumerate() {
        if other.index_of(*number).is_none() {
            *news.entry(known.what_is_new(of, &of.checked.cell(index))).or_default() += 1;
        }
    }
    news.into_iter().collect()
}

/// Settings that some cell of a plan has.
struct Known<'a> {
    data: BTreeSet<&'a str>,
    model: BTreeSet<&'a str>,
    train: BTreeSet<&'a str>,
    replicates: BTreeSet<u64>,
    seed: u64,
}

impl<'a> Known<'a> {
    fn of(plan: &'a Plan) -> Self {
        let checked = &plan.checked;
        Self {
            data: checked.data.iter().map(data_meaning).collect(),
            model: checked.model.iter().map(model_meaning).collect(),
            train: checked.train.iter().map(train_meaning).collect(),
            replicates: (0..plan.cells()).map(|index| checked.cell(index).replicate).collect(),
            seed: checked.study.seed,
        }
    }

    fn what_is_new(&self, plan: &Plan, cell: &CellSpec<'_>) -> String {
        let checked = &plan.checked;
        let new = [
            ("`[data]`", !self.data.contains(data_meaning(&checked.data[cell.data_index]))),
            ("`[model]`", !self.model.contains(model_meaning(&checked.model[cell.model_index]))),
            ("`[train]`", !self.train.contains(train_meaning(&checked.train[cell.train_index]))),
            ("replicate", !self.replicates.contains(&cell.replicate)),
            ("study's `seed`", self.seed != cell.seed),
        ];
        let new: Vec<&str> = new.into_iter().filter(|(_, is_new)| *is_new).map(|(what, _)| what).collect();
        match new.is_empty() {
            true => "another combination of known settings".to_owned(),
            false => format!("another {}", new.join(" and another ")),
        }
    }
}
