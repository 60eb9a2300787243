//! What would run: cells, parts, tables, sizes; checked before the first step.

use crate::clocks::{MOST_SAVE_TIMES, save_steps};
use crate::cost::Costs;
use crate::crossings::crossings;
use crate::misfits::misfits;
use crate::spectra::too_large;
use crate::study::{AxisValue, CellSpec, Checked, Formula, Problem, Setting, StudyError, single_steps};
use crate::study::{data_meaning, model_meaning, train_meaning};
use crate::tables::{SCHEMA_VERSION, Schemas};
use crate::unmeasurable::{measurable, unmeasurable};
use crate::workbench::{Prepared, Shelf, Shelves};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{Arc, OnceLock};
use taut_metrics::MetricDef;
use taut_problem::{StepSize, Task};
use taut_store::{Rows, TableSchema};
use taut_theory::TheoryDef;
use taut_train::{MOST_MOMENTS, Route, Train};

/// A checked study with everything that its cells share.
pub struct Plan {
    pub(crate) checked: Checked,
    pub(crate) metrics: Vec<&'static MetricDef>,
    pub(crate) theories: Vec<&'static TheoryDef>,
    shelves: Shelves,
    pub(crate) schemas: Schemas,
    pub(crate) curve_grid: Vec<f64>,
    /// For each distinct `[train]` the first that differs from it in the step size at the most.
    pub(crate) train_kinds: Vec<usize>,
    pub(crate) costs: Costs,
    cells_per_part: usize,
    /// The number of every cell, in the order of the plan.
    numbers: Vec<i64>,
    /// The same with their places, by number.
    places: Vec<(i64, u32)>,
    fingerprint: OnceLock<String>,
}

/// The values of one axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AxisSummary {
    /// The column or columns.
    pub columns: Vec<String>,
    /// How many values.
    pub values: usize,
    /// The values as text; the first and last few where there are many.
    pub shown: Vec<String>,
    /// The condition under which it exists; `None` for all cells.
    pub when: Option<String>,
    /// The expression that its values are computed by; such an axis multiplies no cells.
    pub derived: Option<String>,
}

impl Plan {
    /// Lays out a checked study.
    ///
    /// # Errors
    /// A step size beyond 2/λ_max on a design that is known now, or settings of `[train]` that the data
    /// or the model have no use for.
    pub fn new(checked: Checked) -> Result<Self, StudyError> {
        let metrics: Vec<&'static MetricDef> = match &checked.study.record.metrics {
            None => measurable(&checked),
            Some(names) => names.iter().filter_map(|name| taut_metrics::metric(name)).collect(),
        };
        let theories = checked.study.record.theory.iter().filter_map(|name| taut_theory::theory(name)).collect();
        let schemas = Schemas::new(&checked, &metrics);
        let curve_grid = checked.study.record.curves.grid();
        let train_kinds = train_kinds(&checked);
        let shelves = Shelves::default();
        let costs = Costs::new(&checked, &metrics);
        let mut plan = Self {
            checked,
            metrics,
            theories,
            shelves,
            schemas,
            curve_grid,
            train_kinds,
            costs,
            cells_per_part: 1,
            numbers: Vec::new(),
            places: Vec::new(),
            fingerprint: OnceLock::new(),
        };
        plan.check_sizes()?;
        plan.cells_per_part = plan.part_size();
        let mut problems = crossings(&plan.checked);
        problems.extend(unmeasurable(&plan.checked).into_iter().map(|problem| (None, problem)));
        if !problems.is_empty() {
            return Err(StudyError::Invalid(plan.checked.diagnostics(problems)));
        }
        plan.check_step_sizes()?;
        plan.check_solvers()?;
        plan.number_cells()?;
        Ok(plan)
    }

    /// Gives every cell its number; two cells that mean the same are a mistake.
    fn number_cells(&mut self) -> Result<(), StudyError> {
        self.numbers = (0..self.cells()).map(|index| self.checked.cell(index).number()).collect();
        self.places = self.numbers.iter().zip(0..).map(|(number, index)| (*number, index)).collect();
        self.places.sort_unstable();
        let twin = self.places.windows(2).find(|pair| pair[0].0 == pair[1].0);
        let Some(&[(_, first), (_, second)]) = twin else { return Ok(()) };
        let [one, other] = [first, second].map(|index| self.checked.describe(index as usize));
        let problem = Problem {
            key_path: "sweep".to_owned(),
            message: format!(
                "two cells are the same: one has {one}, the other {other}, and nothing that is computed differs"
            ),
            help: "remove one of them, or let them differ, for example in the seed".to_owned(),
            ..Problem::default()
        };
        Err(StudyError::Invalid(self.checked.diagnostics([(None, problem)])))
    }

    /// The place of the cell with this number.
    pub(crate) fn index_of(&self, number: i64) -> Option<usize> {
        let at = self.places.binary_search_by_key(&number, |(number, _)| *number).ok()?;
        Some(self.places[at].1 as usize)
    }

    /// The number of every cell.
    pub(crate) fn numbers(&self) -> &[i64] {
        &self.numbers
    }

    /// The number of the cell at this place.
    pub(crate) fn number_of(&self, index: usize) -> i64 {
        self.numbers[index]
    }

    /// What the layout of the stored rows depends on, as a hash: not title, question, claims or figures.
    pub fn fingerprint(&self) -> &str {
        self.fingerprint.get_or_init(|| {
            let mut hasher = blake3::Hasher::new();
            let layout = format!("{}\n{SCHEMA_VERSION}\n{}\n{}\n", self.meaning(), self.cells(), self.parts());
            hasher.update(layout.as_bytes());
            self.numbers.iter().for_each(|number| {
                hasher.update(&number.to_be_bytes());
            });
            hasher.finalize().to_hex()[..32].to_owned()
        })
    }

    /// The names of the tables, in the order of writing.
    pub(crate) fn table_names(&self) -> Vec<&str> {
        self.schemas.in_writing_order().iter().map(|schema| schema.name.as_str()).collect()
    }

    /// The number of cells.
    pub fn cells(&self) -> usize {
        self.checked.cells()
    }

    /// The cell with this place in the plan, this `cell` number, or a `key` that begins like this.
    pub fn find(&self, text: &str) -> Option<usize> {
        if let Some(index) = text.parse().ok().filter(|index| *index < self.cells()) {
            return Some(index);
        }
        let number: Option<i64> = text.parse().ok();
        (0..self.cells()).find(|&index| {
            let identity = self.checked.cell(index).identity();
            number == Some(identity.cell) || (text.len() >= 4 && identity.key.starts_with(text))
        })
    }

    /// Whether some metric needs running sums over every step.
    pub(crate) fn needs_ledger(&self) -> bool {
        self.metrics.iter().any(|metric| metric.needs.ledger) && self.checked.study.record.metrics.is_some()
    }

    /// The study as checked.
    pub fn study(&self) -> &Checked {
        &self.checked
    }

    /// The columns of every table that a run of it writes.
    pub fn tables(&self) -> Vec<&TableSchema> {
        self.schemas.all()
    }

    /// Tables that it could have and does not, each with what would make it.
    pub fn unrecorded(&self) -> Vec<(String, String)> {
        self.schemas.unrecorded()
    }

    /// Whether any cell may diverge by the study's own leave.
    pub fn allows_divergence(&self) -> bool {
        self.checked.train.iter().any(|t| t.value.allow_unstable)
    }

    pub(crate) fn shelf(&self, cell: &CellSpec<'_>) -> Arc<Shelf> {
        let grid = self.schemas.curves.is_some().then_some(&self.curve_grid[..]);
        self.shelves.get(cell.model_index, cell.model, grid)
    }

    /// How many updates are made one by one over all cells, and in how many of them; `None` where there
    /// are too many cells to count them at once.
    pub fn single_steps(&self) -> Option<(f64, usize)> {
        let steps = |is_linear: bool| -> Vec<u64> {
            self.checked.train.iter().map(|train| single_steps(&train.value, is_linear)).collect()
        };
        let steps = [steps(false), steps(true)];
        if steps.iter().flatten().all(|steps| *steps == 0) {
            return Some((0.0, 0));
        }
        (self.cells() <= 100_000).then(|| {
            let of_cells = (0..self.cells()).map(|index| {
                let cell = self.checked.cell(index);
                steps[usize::from(cell.is_linear())][cell.train_index]
            });
            of_cells.fold((0.0, 0), |(sum, cells), steps| (sum + steps as f64, cells + usize::from(steps > 0)))
        })
    }

    /// Number of parts.
    pub fn parts(&self) -> usize {
        self.cells().div_ceil(self.cells_per_part)
    }

    /// At most this many cells make a part.
    pub(crate) fn cells_per_part(&self) -> usize {
        self.cells_per_part
    }

    /// The part that a cell belongs to.
    pub(crate) fn part_of(&self, cell: usize) -> usize {
        cell / self.cells_per_part
    }

    /// The cells of one part.
    pub(crate) fn part(&self, part: usize) -> Range<usize> {
        let start = part * self.cells_per_part;
        start..(start + self.cells_per_part).min(self.cells())
    }

    /// The files that the study reads, as it names them.
    pub(crate) fn files(&self) -> Vec<String> {
        let data = self.checked.data.iter().flat_map(|d| d.value.files()).map(str::to_owned);
        let starts = self.checked.model.iter().filter_map(|m| match &m.value.init {
            taut_problem::Init::File(start) => Some(start.file.clone()),
            _ => None,
        });
        let mut files: Vec<String> = data.chain(starts).collect();
        files.sort();
        files.dedup();
        files
    }

    /// What the stored rows depend on, as text: not title, question, claims or figures.
    pub(crate) fn meaning(&self) -> String {
        let checked = &self.checked;
        let mut out =
            serde_json::json!({ "record": checked.study.record, "solutions": checked.study.solutions }).to_string();
        if let Some(choose) = &checked.study.choose {
            out.push_str(&serde_json::json!({ "choose": choose }).to_string());
        }
        for axis in &checked.axes {
            out.push_str(&format!("\n{:?}", axis.columns));
            for position in 0..axis.len {
                if axis.is_seed {
                    out.push_str(&format!(" {}", axis.replicate(position)));
                } else {
                    (0..axis.columns.len())
                        .for_each(|column| out.push_str(&format!(" {:?}", axis.value(position, column))));
                }
            }
        }
        for index in 0..checked.data.len() {
            out.push_str(data_meaning(&checked.data[index]));
        }
        for index in 0..checked.model.len() {
            out.push_str(model_meaning(&checked.model[index]));
        }
        for index in 0..checked.train.len() {
            out.push_str(train_meaning(&checked.train[index]));
            // No number depends on it, but whether there are numbers at all does.
            out.push_str(&checked.train[index].value.allow_unstable.to_string());
        }
        if !checked.grid.is_product() {
            out.push_str(&checked.grid.fingerprint());
        }
        out
    }

    /// Models without a feature, and more save times than anybody means.
    fn check_sizes(&self) -> Result<(), StudyError> {
        let checked = &self.checked;
        let cell_with = |of: &dyn Fn(&CellSpec<'_>) -> bool| (0..self.cells()).find(|&i| of(&checked.cell(i)));
        let mut problems = Vec::new();
        if let Some(index) = checked.model.iter().position(|m| m.value.features.count(1) == 0) {
            let problem = Problem {
                key_path: "model.features".to_owned(),
                message: "these features are none: the only one is the constant, and it is left out".to_owned(),
                help: "raise the degree or the number of harmonics, or remove `constant = false`".to_owned(),
                ..Problem::default()
            };
            problems.push((cell_with(&|cell| cell.model_index == index), problem));
        }
        let wide = |cell: &CellSpec<'_>| {
            let features = cell.model.features.count(cell.data.inputs());
            cell.route() == Route::Moments && features > MOST_MOMENTS
        };
        let has_moments = checked.train.iter().any(|train| train.value.route(true) == Route::Moments);
        if has_moments && let Some(index) = cell_with(&wide) {
            let cell = checked.cell(index);
            let count = cell.model.features.count(cell.data.inputs());
            let problem = Problem {
                key_path: "train.solver".to_owned(),
                message: format!(
                    "solver = \"moments\" with {count} features: a covariance is known up to {MOST_MOMENTS} of them"
                ),
                help: "use fewer features, or solver = \"stepped\" with replicates".to_owned(),
                ..Problem::default()
            };
            problems.push((Some(index), problem));
        }
        let too_many = |train: &Train| save_steps(&checked.study.record, train) > MOST_SAVE_TIMES;
        if let Some(index) = checked.train.iter().position(|t| too_many(&t.value)) {
            let count = save_steps(&checked.study.record, &checked.train[index].value);
            let problem = Problem {
                key_path: "record.times".to_owned(),
                message: format!("this asks for {count} save times in one cell; at most {MOST_SAVE_TIMES} are kept"),
                help: "use `times = { geometric = 200 }` or `{ linear = 1000 }`".to_owned(),
                ..Problem::default()
            };
            problems.push((None, problem));
        }
        problems.extend(misfits(checked));
        problems.extend(too_large(checked));
        problems.extend(self.missing_replicates());
        if problems.is_empty() { Ok(()) } else { Err(StudyError::Invalid(checked.diagnostics(problems))) }
    }

    /// Replicates that a file has no rows for.
    fn missing_replicates(&self) -> Vec<(Option<usize>, Problem)> {
        let checked = &self.checked;
        let axis = checked.axes.iter().find(|axis| axis.is_seed);
        let replicates = (0..axis.map_or(1, |axis| axis.len)).map(|i| axis.map_or(0, |axis| axis.replicate(i)));
        let mut problems = Vec::new();
        for (index, data) in checked.data.iter().enumerate() {
            let (Some((table, column)), Some(files)) = (data.value.replicate_column(), &data.file) else { continue };
            let missing = replicates.clone().find_map(|replicate| Some((replicate, files.missing(replicate, column)?)));
            if let Some((replicate, message)) = missing {
                let problem = Problem {
                    key_path: format!("data.{table}.replicate_column"),
                    message,
                    help: format!("sweep `seed` over the numbers that column `{column}` holds"),
                    ..Problem::default()
                };
                let is_it = |cell: CellSpec<'_>| cell.data_index == index && cell.replicate == replicate;
                // A filter may have left these replicates out.
                let cell = (0..self.cells()).find(|&cell| is_it(checked.cell(cell)));
                problems.extend(cell.map(|cell| (Some(cell), problem)));
            }
        }
        problems
    }

    /// The axes with their values, in the order of the study.
    pub fn axes(&self) -> Vec<AxisSummary> {
        self.checked
            .axes
            .iter()
            .map(|axis| {
                let shown = |i: usize| {
                    let values: Vec<String> = (0..axis.columns.len()).map(|c| axis.value(i, c).to_string()).collect();
                    values.join(" ")
                };
                let values = axis.values();
                let shown = if values <= 8 {
                    (0..axis.len).filter(|i| axis.value(*i, 0) != AxisValue::Null).map(shown).collect()
                } else {
                    let ends = (0..4).chain(values - 2..values).map(shown);
                    let mut all: Vec<String> = ends.collect();
                    all.insert(4, "…".to_owned());
                    all
                };
                let columns = axis.columns.iter().map(|c| c.name.clone()).collect();
                let text = |formula: &Formula| formula.text.clone();
                let derived = axis.derived.as_ref().map(|derived| text(&derived.formula));
                AxisSummary { columns, values, shown, when: axis.when.as_ref().map(text), derived }
            })
            .collect()
    }

    /// Writes the axis columns of one cell from column `at` on; returns the column after them.
    pub(crate) fn push_axes(&self, cell: usize, mut at: usize, rows: &mut Rows) -> usize {
        let positions = self.checked.cell(cell).positions;
        for (axis, position) in self.checked.axes.iter().zip(positions) {
            if axis.is_seed {
                continue;
            }
            for column in 0..axis.columns.len() {
                match axis.value(position, column) {
                    AxisValue::Bool(value) => rows.push_bool(at, Some(value)),
                    AxisValue::Int(value) => rows.push_int(at, Some(value)),
                    AxisValue::Float(value) => rows.push_float(at, Some(value)),
                    AxisValue::Text(value) => rows.push_text(at, Some(&value)),
                    AxisValue::Null => rows.push_null(at, 1),
                }
                at += 1;
            }
        }
        at
    }

    /// λ_max once per distinct design that is known now, against the absolute step sizes.
    fn check_step_sizes(&self) -> Result<(), StudyError> {
        // A penalty adds to the curvature, so that 1/λ_max can be too much.
        let is_penalised = |train: &Train| {
            let dynamics = train.stiffest(1.0, 1.0);
            let is_marginal = dynamics.dropout.is_some_and(|dropout| dropout.marginal);
            dynamics.penalty.ridge.get() > 0.0 || dynamics.penalty.bending.get() > 0.0 || is_marginal
        };
        let is_absolute = |train: &Train| matches!(train.step_size, Some(StepSize::Absolute(_)));
        let needs_curvature = |train: &Train| is_absolute(train) || is_penalised(train);
        let absolute = |cell: &CellSpec<'_>| {
            let train = cell.train;
            needs_curvature(train)
                && !train.method.is_flow()
                && !train.allow_unstable
                && cell.is_linear()
                && !cell.data.has_random_design()
                && !cell.model.features.is_random()
        };
        if !self.checked.train.iter().any(|t| needs_curvature(&t.value)) {
            return Ok(());
        }
        let mut seen = BTreeSet::new();
        let mut problems = Vec::new();
        for index in 0..self.cells() {
            let cell = self.checked.cell(index);
            if !absolute(&cell) || !seen.insert((cell.data_index, cell.model_index, cell.train_index)) {
                continue;
            }
            let Ok(prepared) = Prepared::new(&cell, None, self.checked.study.seed) else {
                continue;
            };
            let units = cell.train.units(Task::Rows(&prepared.problem));
            let dynamics = cell.train.stiffest(prepared.lambda_max, units);
            if let Some(beyond) = prepared.instability(&dynamics, cell.train.method.optimizer().stability()) {
                let problem = Problem {
                    key_path: if is_absolute(cell.train) { "train.step_size.absolute" } else { "train.step_size" }
                        .to_owned(),
                    message: format!("{beyond}: the run would diverge"),
                    help: match is_penalised(cell.train) {
                        true => "use a smaller one, or less penalty, or set train.allow_unstable = true",
                        false => {
                            "use a smaller one, say `step_size = { relative = 1.0 }`, or set train.allow_unstable = true"
                        }
                    }
                    .to_owned(),
                    ..Problem::default()
                };
                problems.push((Some(index), problem));
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(StudyError::Invalid(self.checked.diagnostics(problems))) }
    }
}

/// For each distinct `[train]` the first that differs from it in the step size at the most.
fn train_kinds(checked: &Checked) -> Vec<usize> {
    let mut first_of: BTreeMap<String, usize> = BTreeMap::new();
    let kind = |(index, setting): (usize, &Setting<Train, ()>)| {
        let train = Train { step_size: None, ..(*setting.value).clone() };
        *first_of.entry(serde_json::json!(train).to_string()).or_insert(index)
    };
    checked.train.iter().enumerate().map(kind).collect()
}
