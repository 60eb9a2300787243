//! What a run learns while it runs: seconds of a multiply-add in each kind of work, so that the longest of what waits
//! goes first by the clock and not by an estimate. The order decides when a run ends, and about no row.

use crate::bundle::Bundle;
use crate::calibration::NOMINAL;
use crate::plan::Plan;
use std::collections::BTreeMap;

/// What bundles have in common whose work takes equally long per multiply-add: solver, model, shape and motion.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Likeness {
    route: &'static str,
    parametrization: String,
    shape: Option<[usize; 2]>,
    train: usize,
}

/// A bundle that nobody has begun.
pub(crate) struct Waiting {
    pub(crate) bundle: Bundle,
    pub(crate) kind: usize,
    /// Multiply-adds, as estimated.
    pub(crate) work: f64,
}

/// What finished bundles took.
#[derive(Default)]
pub(crate) struct Rates {
    kinds: BTreeMap<Likeness, usize>,
    /// Work and seconds of each kind.
    seen: Vec<[f64; 2]>,
    all: [f64; 2],
}

impl Rates {
    /// A bundle with its kind and work.
    pub(crate) fn sized(&mut self, plan: &Plan, bundle: Bundle) -> Waiting {
        let first = plan.checked.cell(bundle.cells()[0]);
        let likeness = Likeness {
            route: first.route().name(),
            parametrization: format!("{:?}", first.model.parametrization),
            shape: first.shape(),
            train: plan.train_kinds[first.train_index],
        };
        let next = self.kinds.len();
        let kind = *self.kinds.entry(likeness).or_insert(next);
        self.seen.resize(self.kinds.len(), [0.0; 2]);
        Waiting { kind, work: plan.work_of(bundle.cells()), bundle }
    }

    /// Bundles of these kinds and works took so long together.
    pub(crate) fn learn(&mut self, bundles: &[(usize, f64)], seconds: f64) {
        let expected: f64 = bundles.iter().map(|(kind, work)| work * self.rate(*kind)).sum();
        let pace = seconds / expected;
        // A clock that stood still says nothing.
        if !(pace > 0.0 && pace.is_finite()) {
            return;
        }
        let took: Vec<f64> = bundles.iter().map(|(kind, work)| work * self.rate(*kind) * pace).collect();
        for ((kind, work), seconds) in bundles.iter().zip(took) {
            for [its_work, its_seconds] in [&mut self.seen[*kind], &mut self.all] {
                *its_work += work;
                *its_seconds += seconds;
            }
        }
    }

    /// Seconds that a bundle will take.
    pub(crate) fn seconds(&self, waiting: &Waiting) -> f64 {
        waiting.work * self.rate(waiting.kind)
    }

    /// Seconds of a multiply-add; of a kind of which nothing is known, as of all others.
    fn rate(&self, kind: usize) -> f64 {
        let known = [self.seen[kind], self.all].into_iter().find(|[work, seconds]| *work > 0.0 && *seconds > 0.0);
        known.map_or(NOMINAL, |[work, seconds]| seconds / work)
    }
}

/// What waits, by kinds of work: the longest of each last.
pub(crate) struct Queue(Vec<Vec<Waiting>>);

impl Queue {
    pub(crate) fn new(plan: &Plan, rates: &mut Rates, bundles: Vec<Bundle>) -> Self {
        let mut kinds: Vec<Vec<Waiting>> = Vec::new();
        for waiting in bundles.into_iter().map(|bundle| rates.sized(plan, bundle)) {
            kinds.resize_with(kinds.len().max(waiting.kind + 1), Vec::new);
            kinds[waiting.kind].push(waiting);
        }
        // Of equals the first one goes first: the sort is stable and the list is turned round.
        for kind in &mut kinds {
            kind.sort_by(|a, b| b.work.total_cmp(&a.work));
            kind.reverse();
        }
        Self(kinds)
    }

    /// The longest of what waits, as far as is known, if it is shorter than so many seconds.
    pub(crate) fn pop_below(&mut self, rates: &Rates, limit: f64) -> Option<Waiting> {
        let heads = self.0.iter().enumerate().filter_map(|(kind, queue)| Some((kind, rates.seconds(queue.last()?))));
        // Of equals the kind that came first.
        let (kind, seconds) = heads.rev().max_by(|a, b| a.1.total_cmp(&b.1))?;
        if seconds < limit { self.0[kind].pop() } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(cell: usize, kind: usize, work: f64) -> Waiting {
        Waiting { bundle: Bundle::Stepped(vec![cell]), kind, work }
    }

    fn order(rates: &Rates, queue: &mut Queue) -> Vec<usize> {
        std::iter::from_fn(|| Some(queue.pop_below(rates, f64::INFINITY)?.bundle.cells()[0])).collect()
    }

    fn queue() -> Queue {
        Queue(vec![vec![waiting(0, 0, 1.0), waiting(1, 0, 4.0)], vec![waiting(2, 1, 2.0), waiting(3, 1, 3.0)]])
    }

    #[test]
    fn the_longest_goes_first_by_what_was_learned() {
        let mut rates = Rates { seen: vec![[0.0; 2]; 2], ..Rates::default() };
        assert_eq!(order(&rates, &mut queue()), [1, 3, 2, 0], "by work as long as nothing is known");
        rates.learn(&[(1, 1.0)], 1.0);
        assert_eq!(order(&rates, &mut queue()), [1, 3, 2, 0], "the first kind is taken for the second");
        rates.learn(&[(0, 10.0)], 1.0);
        assert_eq!(order(&rates, &mut queue()), [3, 2, 1, 0], "the second is ten times as slow");
        assert!(queue().pop_below(&rates, 1.0).is_none() && queue().pop_below(&rates, 3.5).is_some());
    }

    #[test]
    fn together_they_share_the_time_as_they_were_expected_to() {
        let mut rates = Rates { seen: vec![[0.0; 2]; 2], ..Rates::default() };
        rates.learn(&[(0, 1.0), (1, 3.0)], 8.0);
        assert_eq!((rates.rate(0), rates.rate(1)), (2.0, 2.0));
        rates.learn(&[(0, 1.0)], 0.0);
        assert!((rates.rate(0) - 2.0).abs() < 1e-12);
    }
}
