//! Networks stepped at their smallest size, and shown at the size that was asked for.

use crate::{Lane, Method, Stepped};
use std::sync::Arc;
use taut_problem::{
    Clock, Fading, LEDGER, Memory, Parametrization, ParametrizationKind, Passage, Reduced, Snapshot, Task, Trajectory,
    lane_of, reduce,
};

/// The plain loop on exact reductions: every lane's motion is that of its full network.
///
/// Lanes whose reductions have one shape step side by side. θ and the predictor are restored at the times that are
/// looked at. First passages are those of the full network, whose losses are the same.
pub struct Lifted {
    /// Of one lane.
    parametrization: Box<dyn Parametrization>,
    groups: Vec<Group>,
    /// The group of each lane, and its place there.
    places: Vec<[usize; 2]>,
    clock: Clock,
    theta: Vec<f64>,
    predictor: Vec<f64>,
    /// [`LEDGER`] × lanes; empty if not asked for.
    ledger: Vec<f64>,
}

/// Lanes of one small shape.
struct Group {
    stepped: Stepped,
    members: Vec<Member>,
    /// θ of one lane, small and full.
    small: Vec<f64>,
    full: Vec<f64>,
    /// β of one lane.
    beta: Vec<f64>,
}

struct Member {
    lane: usize,
    reduced: Arc<Reduced>,
    fading: Fading,
    start: Fading,
}

impl Lifted {
    /// The same bundle as [`Stepped::new`] takes; `None` if some lane has no reduction that is worth it.
    pub fn new(
        given: &[Lane<'_>],
        width: usize,
        kind: &ParametrizationKind,
        method: &Method,
        seed: u64,
        levels: &[f64],
    ) -> Option<Self> {
        let reduced = given.iter().map(|lane| reduce(lane.task, kind, lane.start, lane.dynamics).map(Arc::new));
        Some(Self::of(given, reduced.collect::<Option<_>>()?, width, kind, method, seed, levels))
    }

    /// The same with the reduction of every lane; lanes may share one.
    ///
    /// Groups of lanes are padded to `width` as bundles are, so that a lane's bits do not depend on the others.
    ///
    /// # Panics
    /// If there are no lanes.
    pub fn of(
        given: &[Lane<'_>],
        reduced: Vec<Arc<Reduced>>,
        width: usize,
        kind: &ParametrizationKind,
        method: &Method,
        seed: u64,
        levels: &[f64],
    ) -> Self {
        let lanes = given.len();
        let shape = given[0].task.shape(lanes);
        let full = given[0].start.len();
        let mut groups: Vec<(Vec<usize>, Vec<Arc<Reduced>>)> = Vec::new();
        for (lane, reduced) in reduced.into_iter().enumerate() {
            let alike = |(_, group): &&mut (Vec<usize>, Vec<Arc<Reduced>>)| is_alike(&group[0], &reduced);
            match groups.iter_mut().find(alike) {
                Some((lanes, group)) => {
                    lanes.push(lane);
                    group.push(reduced);
                }
                None => groups.push((vec![lane], vec![reduced])),
            }
        }
        let mut places = vec![[0; 2]; lanes];
        for (group, (lanes, _)) in groups.iter().enumerate() {
            lanes.iter().enumerate().for_each(|(place, lane)| places[*lane] = [group, place]);
        }
        let build = |(lanes, reduced)| Group::new(given, lanes, reduced, width, method, seed, levels);
        let groups = groups.into_iter().map(build).collect();
        let mut lifted = Self {
            parametrization: kind.build(given[0].task.shape(1)),
            groups,
            places,
            clock: Clock::Step(0),
            theta: vec![0.0; full * lanes],
            predictor: vec![0.0; shape.slots()],
            ledger: Vec::new(),
        };
        lifted.show();
        lifted
    }

    /// The same with running sums over every step.
    ///
    /// They are those of the small networks: what no gradient meets does not move, and bases are orthonormal, so that
    /// ‖D_l(k) − D_l(0) − Σ‖ is the same.
    #[must_use]
    pub fn with_ledger(mut self) -> Self {
        self.groups = self.groups.into_iter().map(Group::with_ledger).collect();
        self.ledger = vec![f64::NAN; LEDGER.len() * self.places.len()];
        self.show();
        self
    }

    /// The reduction of each lane.
    pub fn reductions(&self) -> impl Iterator<Item = &Reduced> {
        self.places.iter().map(|[group, place]| &*self.groups[*group].members[*place].reduced)
    }

    /// Restores θ and the predictor of every lane.
    fn show(&mut self) {
        let lanes = self.places.len();
        for group in &mut self.groups {
            let snapshot = group.stepped.snapshot();
            for (place, member) in group.members.iter_mut().enumerate() {
                let own = lane_of(snapshot.theta, place, snapshot.lanes);
                group.small.iter_mut().zip(own).for_each(|(small, own)| *small = own);
                let frozen = member.fading.at(self.clock);
                member.reduced.lift_into(&group.small, frozen, &mut group.full);
                self.parametrization.predictor_into(&group.full, &mut group.beta);
                let scatter = |all: &mut [f64], own: &[f64]| {
                    let entries = all.chunks_exact_mut(lanes).zip(own);
                    entries.for_each(|(entry, number)| entry[member.lane] = *number);
                };
                scatter(&mut self.theta, &group.full);
                scatter(&mut self.predictor, &group.beta);
                let ledger = self.ledger.iter_mut().skip(member.lane).step_by(lanes);
                let own = lane_of(snapshot.ledger, place, snapshot.lanes);
                ledger.zip(own).for_each(|(slot, number)| *slot = number);
            }
        }
    }

    fn at(&self, lane: usize) -> (&Group, &Member, usize) {
        let [group, place] = self.places[lane];
        (&self.groups[group], &self.groups[group].members[place], place)
    }
}

impl Group {
    fn new(
        given: &[Lane<'_>],
        lanes: Vec<usize>,
        reduced: Vec<Arc<Reduced>>,
        width: usize,
        method: &Method,
        seed: u64,
        levels: &[f64],
    ) -> Self {
        let bundle: Vec<Lane<'_>> = std::iter::zip(&lanes, &reduced)
            .map(|(lane, reduced)| Lane { task: Task::Matrix(&reduced.problem), start: &reduced.start, ..given[*lane] })
            .collect();
        let levels: Vec<f64> = levels.iter().map(|level| reduced[0].level(*level)).collect();
        let stepped = Stepped::new(&bundle, width, &reduced[0].parametrization, method, seed, &levels);
        let (small, full) = (vec![0.0; reduced[0].start.len()], vec![0.0; given[0].start.len()]);
        let beta = vec![0.0; given[0].task.shape(1).slots()];
        let members = std::iter::zip(lanes, reduced).map(|(lane, reduced)| {
            let fading = Fading::new(given[lane].dynamics);
            Member { lane, reduced, start: fading.clone(), fading }
        });
        Self { stepped, members: members.collect(), small, full, beta }
    }

    fn with_ledger(self) -> Self {
        Self { stepped: self.stepped.with_ledger(), ..self }
    }
}

fn is_alike(a: &Reduced, b: &Reduced) -> bool {
    let ends = |r: &Reduced| (r.problem.inputs, r.problem.outputs);
    a.parametrization == b.parametrization && ends(a) == ends(b)
}

impl Trajectory for Lifted {
    fn lanes(&self) -> usize {
        self.places.len()
    }

    fn advance_to(&mut self, t: Clock) {
        self.groups.iter_mut().for_each(|group| group.stepped.advance_to(t));
        self.clock = t;
        self.show();
    }

    fn snapshot(&self) -> Snapshot<'_> {
        Snapshot {
            clock: self.clock,
            theta: &self.theta,
            predictor: &self.predictor,
            filters: &[],
            covariance: &[],
            ledger: &self.ledger,
            lanes: self.places.len(),
        }
    }

    fn first_passage(&self, lane: usize, level: f64) -> Passage {
        let (group, member, place) = self.at(lane);
        group.stepped.first_passage(place, member.reduced.level(level))
    }

    fn at_passage(&self, lane: usize, level: f64) -> Option<(Vec<f64>, f64)> {
        let (group, member, place) = self.at(lane);
        let level = member.reduced.level(level);
        let Passage::At(clock) = group.stepped.first_passage(place, level) else { return None };
        let (small, freedom) = group.stepped.at_passage(place, level)?;
        let frozen = member.start.clone().at(clock);
        let mut theta = vec![0.0; group.full.len()];
        member.reduced.lift_into(&small, frozen, &mut theta);
        Some((theta, freedom))
    }

    fn diverged(&self, lane: usize) -> Option<Clock> {
        let (group, _, place) = self.at(lane);
        group.stepped.diverged(place)
    }

    fn remember(&mut self, memory: &mut Memory<'_>) {
        memory.value("clock", &mut self.clock);
        self.groups.iter_mut().for_each(|group| group.stepped.remember(memory));
        if memory.restores() {
            // What decay leaves of unseen weights is counted from the start again: one number, not a network.
            self.groups.iter_mut().flat_map(|group| &mut group.members).for_each(|m| m.fading.clone_from(&m.start));
            self.show();
        }
    }
}
