//! What the workers of a run do: the rows of one bundle, whatever happens in it.

use crate::bundle::{Bundle, Place, compute, failed};
use crate::checkpoints::Checkpoints;
use crate::plan::Plan;
use crate::rates::Waiting;
use crate::run::Progress;
use crate::spares::Spares;
use crate::tables::Sheets;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;

/// What a worker hands back.
pub(crate) struct Done {
    pub(crate) task: usize,
    /// What it has finished: all it was given, unless it was told to stop.
    pub(crate) bundles: Vec<Bundle>,
    /// The kind and the work of each.
    pub(crate) works: Vec<(usize, f64)>,
    /// Their rows; none if nothing was finished.
    pub(crate) sheets: Option<Sheets>,
}

/// What a worker needs.
#[derive(Clone)]
pub(crate) struct Workshop {
    pub(crate) plan: Arc<Plan>,
    pub(crate) place: Place,
    pub(crate) progress: Arc<dyn Progress>,
    pub(crate) halt: Arc<AtomicBool>,
    pub(crate) checkpoints: Arc<Checkpoints>,
    pub(crate) spares: Arc<Spares>,
    pub(crate) results: Sender<Done>,
}

impl Workshop {
    /// Computes bundles of one task, one after the other, and hands back their rows together.
    pub(crate) fn work(&self, task: usize, given: Vec<Waiting>) {
        let (mut bundles, mut sheets): (Vec<Bundle>, Option<Sheets>) = (Vec::with_capacity(given.len()), None);
        let mut works = Vec::with_capacity(given.len());
        for Waiting { bundle, kind, work } in given {
            let Some(rows) = self.compute_bundle(&bundle) else { break };
            self.progress.cells_done(bundle.cells().len());
            bundles.push(bundle);
            works.push((kind, work));
            match &mut sheets {
                None => sheets = Some(rows),
                Some(sheets) => {
                    sheets.append(&rows);
                    self.spares.put(rows);
                }
            }
        }
        // Nobody waits for it any more if the run has ended.
        let _ = self.results.send(Done { task, bundles, works, sheets });
    }

    fn compute_bundle(&self, bundle: &Bundle) -> Option<Sheets> {
        if self.halt.load(Ordering::Relaxed) {
            return None;
        }
        match self.try_bundle(bundle) {
            Ok(sheets) => sheets,
            Err(reason) if bundle.cells().len() == 1 => Some(failed(&self.plan, bundle, &reason, &self.place)),
            Err(_) => self.compute_alone(bundle),
        }
    }

    /// Rows of a bundle, `None` if asked to stop, or the message of a panic.
    fn try_bundle(&self, bundle: &Bundle) -> Result<Option<Sheets>, String> {
        let sheets = self.spares.take(&self.plan.schemas);
        let compute = || compute(&self.plan, bundle, &self.place, &self.halt, &self.checkpoints, sheets);
        catch_unwind(AssertUnwindSafe(compute)).map_err(|panic| panic_message(&*panic))
    }

    /// Cell by cell, so that one that panics does not take its neighbours along: a cell's rows do
    /// not depend on its company.
    fn compute_alone(&self, bundle: &Bundle) -> Option<Sheets> {
        let mut all = Sheets::new(&self.plan.schemas);
        for alone in bundle.single_cells() {
            let sheets = match self.try_bundle(&alone) {
                Ok(sheets) => sheets?,
                Err(reason) => failed(&self.plan, &alone, &reason, &self.place),
            };
            all.append(&sheets);
        }
        Some(all)
    }
}

pub(crate) fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(|s| (*s).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned());
    format!("panicked: {text}")
}
