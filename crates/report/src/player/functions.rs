//! The functions of some cells, with the points they are fits of, as their tables have them.

use super::answer::Answer;
use super::path::at_times;
use super::{columns, has_tables};
use crate::{Database, ReportError, Results};
use std::collections::BTreeMap;

/// Draws of each law of random interpolators.
const MOST_DRAWS: usize = 20;

/// A function on a grid.
#[derive(Clone, Debug, Default)]
pub(super) struct Function {
    points: Vec<(f64, Option<f64>)>,
}

/// Another fit of the same points.
#[derive(Clone, Debug, Default)]
pub(super) struct Solution {
    /// Its name, with its law or selection.
    pub(super) name: String,
    /// Whether it is one draw of many.
    pub(super) is_drawn: bool,
    pub(super) function: Function,
    /// One value per metric.
    pub(super) metrics: Vec<Option<f64>>,
}

/// What one cell is about, beside its path.
#[derive(Clone, Debug, Default)]
pub(super) struct Scene {
    /// The points to fit.
    pub(super) samples: Vec<(f64, f64)>,
    /// The noise-free function.
    pub(super) target: Option<Function>,
    /// In the order of their table: a solution per name, parameter and draw.
    solutions: BTreeMap<(String, u64, Option<i64>), Solution>,
}

impl Function {
    fn put(&mut self, x: f64, f: Option<f64>) {
        self.points.push((x, f));
    }

    /// By x; of several values at one place the last.
    fn sorted(mut self) -> Self {
        self.points.sort_by(|a, b| a.0.total_cmp(&b.0));
        self.points.reverse();
        self.points.dedup_by(|a, b| a.0.total_cmp(&b.0).is_eq());
        self.points.reverse();
        self
    }

    /// How many points it has.
    pub(super) fn len(&self) -> usize {
        self.points.len()
    }

    /// Every so many-th point, and the last.
    fn of_points(&self, points: &[usize]) -> impl Iterator<Item = &(f64, Option<f64>)> {
        points.iter().filter_map(|&point| self.points.get(point))
    }

    /// The grid at these points.
    pub(super) fn x(&self, points: &[usize]) -> Vec<f64> {
        self.of_points(points).map(|(x, _)| *x).collect()
    }

    /// The values at these points.
    pub(super) fn f(&self, points: &[usize]) -> Vec<Option<f64>> {
        self.of_points(points).map(|(_, f)| *f).collect()
    }
}

impl Scene {
    /// The solutions that stand alone, with a parameter that nothing else of that name has.
    pub(super) fn named(&self) -> Vec<&Solution> {
        let alone = |name: &str| self.solutions.values().filter(|other| other.name == name).count() == 1;
        self.solutions.values().filter(|solution| !solution.is_drawn && alone(&solution.name)).collect()
    }

    /// The draws of every law with its name, the calmest law first.
    pub(super) fn clouds(&self) -> Vec<(&str, Vec<&Solution>)> {
        let mut clouds: BTreeMap<&str, Vec<&Solution>> = BTreeMap::new();
        for solution in self.solutions.values().filter(|solution| solution.is_drawn) {
            clouds.entry(&solution.name).or_default().push(solution);
        }
        let mut clouds: Vec<(&str, Vec<&Solution>)> = clouds.into_iter().collect();
        let least = |draws: &[&Solution]| {
            let first = draws.iter().filter_map(|draw| draw.metrics.first().copied().flatten());
            first.fold(f64::INFINITY, f64::min)
        };
        clouds.sort_by(|(_, a), (_, b)| least(a).total_cmp(&least(b)));
        clouds
    }

    fn solution(&mut self, labels: &Labels, row: usize) -> &mut Solution {
        let (name, parameter, draw) = labels.of_row(row);
        let bits = parameter.map_or(0, f64::to_bits);
        let new = || Solution { name: name.clone(), is_drawn: draw.is_some(), ..Solution::default() };
        self.solutions.entry((name.clone(), bits, draw)).or_insert_with(new)
    }
}

/// What tells the solutions of an answer apart.
struct Labels {
    solution: Vec<Option<String>>,
    variant: Vec<Option<String>>,
    parameter: Vec<Option<f64>>,
    draw: Vec<Option<i64>>,
}

impl Labels {
    fn of(answer: &Answer) -> Self {
        Self {
            solution: answer.texts("solution"),
            variant: answer.texts("variant"),
            parameter: answer.floats("parameter"),
            draw: answer.whole("draw"),
        }
    }

    fn of_row(&self, row: usize) -> (String, Option<f64>, Option<i64>) {
        let solution = self.solution[row].as_deref().unwrap_or("solution");
        let name = match self.variant[row].as_deref() {
            Some(variant) => format!("{solution} ({variant})"),
            None => solution.to_owned(),
        };
        (name, self.parameter[row], self.draw[row])
    }
}

/// The trained functions of a cell at these times, by the bits of their time.
pub(super) fn trained(
    results: &Results,
    database: &Database,
    cell: i64,
    times: &[f64],
) -> Result<BTreeMap<u64, Function>, ReportError> {
    // Every stage of a continuation has a limit of its own: the last one is where training ends.
    let has_stages = columns(results, "curves").iter().any(|column| column.name == "stage");
    let order = if has_stages { " ORDER BY stage" } else { "" };
    let times = at_times(times);
    let sql = format!("SELECT time, x, f FROM curves WHERE cell = {cell} AND source = 'trained' AND {times}{order}");
    let answer = Answer::ask(database, &sql)?;
    let (time, x, f) = (answer.floats("time"), answer.floats("x"), answer.floats("f"));
    let mut functions: BTreeMap<u64, Function> = BTreeMap::new();
    for row in 0..answer.rows() {
        if let (Some(time), Some(x)) = (time[row], x[row]) {
            functions.entry(time.to_bits()).or_default().put(x, f[row]);
        }
    }
    Ok(functions.into_iter().map(|(time, function)| (time, function.sorted())).collect())
}

/// Points, target and other fits of these cells, with the metrics of the latter.
pub(super) fn scenes(
    results: &Results,
    database: &Database,
    cells: &str,
    metrics: &[&str],
) -> Result<BTreeMap<i64, Scene>, ReportError> {
    let mut scenes: BTreeMap<i64, Scene> = BTreeMap::new();
    read_samples(database, cells, &mut scenes)?;
    read_functions(database, cells, &mut scenes)?;
    if has_tables(results, &["solutions"]) {
        read_metrics(database, cells, metrics, &mut scenes)?;
    }
    Ok(scenes)
}

fn read_samples(database: &Database, cells: &str, scenes: &mut BTreeMap<i64, Scene>) -> Result<(), ReportError> {
    let sql = format!("SELECT cell, x, y FROM samples WHERE cell IN ({cells}) ORDER BY cell, sample");
    let answer = Answer::ask(database, &sql)?;
    let points = answer.floats("x").into_iter().zip(answer.floats("y"));
    for (cell, point) in answer.cells().into_iter().zip(points) {
        if let (Some(x), Some(y)) = point {
            scenes.entry(cell).or_default().samples.push((x, y));
        }
    }
    Ok(())
}

fn read_functions(database: &Database, cells: &str, scenes: &mut BTreeMap<i64, Scene>) -> Result<(), ReportError> {
    let sql = format!(
        "SELECT cell, source, solution, variant, parameter, draw, x, f FROM curves WHERE cell IN ({cells}) \
         AND source <> 'trained' AND (draw IS NULL OR draw < {MOST_DRAWS})"
    );
    let answer = Answer::ask(database, &sql)?;
    let (source, x, f) = (answer.texts("source"), answer.floats("x"), answer.floats("f"));
    let labels = Labels::of(&answer);
    for (row, cell) in answer.cells().into_iter().enumerate() {
        let (Some(scene), Some(x)) = (scenes.get_mut(&cell), x[row]) else { continue };
        if source[row].as_deref() == Some("target") {
            scene.target.get_or_insert_default().put(x, f[row]);
        } else {
            scene.solution(&labels, row).function.put(x, f[row]);
        }
    }
    for scene in scenes.values_mut() {
        scene.target = scene.target.take().map(Function::sorted);
        for solution in scene.solutions.values_mut() {
            solution.function = std::mem::take(&mut solution.function).sorted();
        }
    }
    Ok(())
}

fn read_metrics(
    database: &Database,
    cells: &str,
    metrics: &[&str],
    scenes: &mut BTreeMap<i64, Scene>,
) -> Result<(), ReportError> {
    let selected: String = metrics.iter().map(|name| format!(", \"{name}\"")).collect();
    let sql = format!(
        "SELECT cell, solution, variant, parameter, draw{selected} FROM solutions WHERE cell IN ({cells}) \
         AND reason IS NULL AND (draw IS NULL OR draw < {MOST_DRAWS})"
    );
    let answer = Answer::ask(database, &sql)?;
    let labels = Labels::of(&answer);
    let columns: Vec<Vec<Option<f64>>> = metrics.iter().map(|name| answer.floats(name)).collect();
    for (row, cell) in answer.cells().into_iter().enumerate() {
        if let Some(scene) = scenes.get_mut(&cell) {
            scene.solution(&labels, row).metrics = columns.iter().map(|column| column[row]).collect();
        }
    }
    Ok(())
}
