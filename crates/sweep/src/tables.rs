//! The tables of a study: their columns, said once.

use crate::choosing;
use crate::plan::Plan;
use crate::spent::Spent;
use crate::study::{AxisColumn, Checked, ColumnKind, TableName};
use crate::summary::LEVELS;
use std::sync::Arc;
use taut_metrics::MetricDef;
use taut_store::{Column, ColumnType, Rows, TableSchema};

/// The version of the table layout; part of every footer.
pub const SCHEMA_VERSION: &str = "6";

/// The schemas of one study, and where its variable columns begin.
#[derive(Clone, Debug)]
pub(crate) struct Schemas {
    pub(crate) cells: Arc<TableSchema>,
    pub(crate) trajectory: Arc<TableSchema>,
    pub(crate) modes: Option<Arc<TableSchema>>,
    pub(crate) arrivals: Option<Arc<TableSchema>>,
    pub(crate) factors: Option<Arc<TableSchema>>,
    pub(crate) curves: Option<Arc<TableSchema>>,
    pub(crate) samples: Option<Arc<TableSchema>>,
    pub(crate) parameters: Option<Arc<TableSchema>>,
    pub(crate) hessian: Option<Arc<TableSchema>>,
    pub(crate) solutions: Arc<TableSchema>,
    pub(crate) predictions: Option<Arc<TableSchema>>,
    pub(crate) timing: Arc<TableSchema>,
}

/// One set of rows for every table.
pub(crate) struct Sheets {
    pub(crate) cells: Rows,
    pub(crate) trajectory: Rows,
    pub(crate) modes: Option<Rows>,
    pub(crate) arrivals: Option<Rows>,
    pub(crate) factors: Option<Rows>,
    pub(crate) curves: Option<Rows>,
    pub(crate) samples: Option<Rows>,
    pub(crate) parameters: Option<Rows>,
    pub(crate) hessian: Option<Rows>,
    pub(crate) solutions: Rows,
    pub(crate) predictions: Option<Rows>,
    pub(crate) timing: Rows,
    /// Where the time of these rows went.
    pub(crate) spent: Spent,
}

impl Sheets {
    pub(crate) fn new(schemas: &Schemas) -> Self {
        let optional = |schema: &Option<Arc<TableSchema>>| schema.clone().map(Rows::sharing);
        Self {
            cells: Rows::sharing(Arc::clone(&schemas.cells)),
            trajectory: Rows::sharing(Arc::clone(&schemas.trajectory)),
            modes: optional(&schemas.modes),
            arrivals: optional(&schemas.arrivals),
            factors: optional(&schemas.factors),
            curves: optional(&schemas.curves),
            samples: optional(&schemas.samples),
            parameters: optional(&schemas.parameters),
            hessian: optional(&schemas.hessian),
            solutions: Rows::sharing(Arc::clone(&schemas.solutions)),
            predictions: optional(&schemas.predictions),
            timing: Rows::sharing(Arc::clone(&schemas.timing)),
            spent: Spent::default(),
        }
    }

    /// Forgets all rows and keeps the memory for the next ones; returns how many bytes that is, about.
    pub(crate) fn clear(&mut self) -> usize {
        let of_modes = [&mut self.modes, &mut self.arrivals, &mut self.factors];
        let of_functions = [&mut self.curves, &mut self.samples, &mut self.parameters, &mut self.hessian];
        let optional = of_modes.into_iter().chain(of_functions).chain([&mut self.predictions]).flatten();
        let always = [&mut self.cells, &mut self.trajectory, &mut self.solutions, &mut self.timing];
        self.spent = Spent::default();
        always.into_iter().chain(optional).map(Rows::clear).sum()
    }

    /// Adds the rows of `other` below these.
    pub(crate) fn append(&mut self, other: &Self) {
        let optional = |a: &mut Option<Rows>, b: &Option<Rows>| {
            if let (Some(a), Some(b)) = (a, b) {
                a.append(b);
            }
        };
        self.cells.append(&other.cells);
        self.trajectory.append(&other.trajectory);
        optional(&mut self.modes, &other.modes);
        optional(&mut self.arrivals, &other.arrivals);
        optional(&mut self.factors, &other.factors);
        optional(&mut self.curves, &other.curves);
        optional(&mut self.samples, &other.samples);
        optional(&mut self.parameters, &other.parameters);
        optional(&mut self.hessian, &other.hessian);
        self.solutions.append(&other.solutions);
        optional(&mut self.predictions, &other.predictions);
        self.timing.append(&other.timing);
        self.spent.add(&other.spent);
    }

    /// How many of its cells failed, or diverged without leave.
    pub(crate) fn failures(&self, plan: &Plan) -> usize {
        let is_failure = |status: &str| status == "failed" || status == "diverged" && !plan.allows_divergence();
        (0..self.cells.len()).filter(|&row| self.cells.text(STATUS, row).is_some_and(is_failure)).count()
    }

    /// Why cells failed, one text each.
    pub(crate) fn reasons_of_failures(&self) -> impl Iterator<Item = String> {
        let failed = (0..self.cells.len()).filter(|&row| self.cells.text(STATUS, row) == Some("failed"));
        failed.map(|row| self.cells.text(STATUS + 1, row).unwrap_or_default().to_owned())
    }

    /// Every table with its rows; `cells` last, because its part is the sign that the others are there.
    pub(crate) fn in_writing_order(&self) -> impl Iterator<Item = &Rows> {
        let of_modes = [&self.modes, &self.arrivals, &self.factors];
        let of_functions = [&self.curves, &self.samples, &self.parameters, &self.hessian];
        std::iter::once(&self.trajectory)
            .chain(of_modes.into_iter().chain(of_functions).flatten())
            .chain(std::iter::once(&self.solutions))
            .chain(&self.predictions)
            .chain([&self.timing, &self.cells])
    }
}

impl Schemas {
    pub(crate) fn new(checked: &Checked, metrics: &[&'static MetricDef]) -> Self {
        let wants = |table| checked.study.record.tables.contains(&table);
        let has_points = checked.data.iter().any(|data| data.value.is_curve());
        let wants_samples = wants(TableName::Samples) || wants(TableName::Curves) && has_points;
        let has_stages = checked.train.iter().any(|train| train.value.continuation.is_some());
        let staged =
            |name: &str, columns: Vec<Column>| table(name, columns.into_iter().chain(has_stages.then(stage)).collect());
        Self {
            cells: cells(checked, metrics),
            trajectory: staged("trajectory", trajectory(checked, metrics)),
            modes: wants(TableName::Modes).then(|| staged("modes", modes())),
            arrivals: wants(TableName::Arrivals).then(|| table("arrivals", arrivals())),
            factors: wants(TableName::Factors).then(|| table("factors", factors())),
            curves: wants(TableName::Curves).then(|| staged("curves", curves())),
            samples: wants_samples.then(|| table("samples", samples())),
            parameters: wants(TableName::Parameters).then(|| staged("parameters", parameters())),
            hessian: wants(TableName::Hessian).then(|| staged("hessian", hessian())),
            solutions: solutions(checked, metrics),
            predictions: (!checked.study.record.theory.is_empty()).then(predictions),
            timing: timing(metrics),
        }
    }

    /// Tables that this study does not have, each with what would make it.
    pub(crate) fn unrecorded(&self) -> Vec<(String, String)> {
        let requested = [
            ("modes", &self.modes),
            ("arrivals", &self.arrivals),
            ("factors", &self.factors),
            ("curves", &self.curves),
            ("parameters", &self.parameters),
            ("hessian", &self.hessian),
        ];
        let missing = requested.into_iter().filter(|(_, schema)| schema.is_none());
        let missing = missing.map(|(name, _)| (name.to_owned(), format!("add \"{name}\" to `record.tables`")));
        let predictions = self.predictions.is_none();
        let remedy = "name a theory in `record.theory`; `taut list theories` shows them";
        missing.chain(predictions.then(|| ("predictions".to_owned(), remedy.to_owned()))).collect()
    }

    /// Every schema, in the order in which the rows of a part are written: `cells` last.
    pub(crate) fn in_writing_order(&self) -> Vec<&Arc<TableSchema>> {
        let of_modes = [&self.modes, &self.arrivals, &self.factors];
        let of_functions = [&self.curves, &self.samples, &self.parameters, &self.hessian];
        std::iter::once(&self.trajectory)
            .chain(of_modes.into_iter().chain(of_functions).flatten())
            .chain(std::iter::once(&self.solutions))
            .chain(&self.predictions)
            .chain([&self.timing, &self.cells])
            .collect()
    }

    /// Every schema, in the order of docs/tables.md.
    pub(crate) fn all(&self) -> Vec<&TableSchema> {
        [Some(&self.cells), Some(&self.trajectory), self.modes.as_ref(), self.arrivals.as_ref(), self.factors.as_ref()]
            .into_iter()
            .chain([
                self.curves.as_ref(),
                self.samples.as_ref(),
                self.parameters.as_ref(),
                self.hessian.as_ref(),
                Some(&self.solutions),
                self.predictions.as_ref(),
                Some(&self.timing),
            ])
            .flatten()
            .map(|schema| &**schema)
            .collect()
    }
}

/// The last column of tables with a clock, in studies with a continuation.
pub(crate) const STAGE: &str = "stage";

fn stage() -> Column {
    int(STAGE, "", "stage of the continuation, from 1; its end belongs to it; null where there is none")
}

fn table(name: &str, columns: Vec<Column>) -> Arc<TableSchema> {
    Arc::new(TableSchema { name: name.to_owned(), columns })
}

fn int(name: impl Into<String>, unit: &str, doc: impl Into<String>) -> Column {
    Column::new(name, ColumnType::Int64, unit, doc)
}

fn float(name: impl Into<String>, unit: &str, doc: impl Into<String>) -> Column {
    Column::new(name, ColumnType::Float64, unit, doc)
}

fn text(name: impl Into<String>, doc: impl Into<String>) -> Column {
    Column::new(name, ColumnType::String, "", doc)
}

fn cell() -> Column {
    int("cell", "", "the cell; joins every table to `cells`")
}

fn source() -> Column {
    text("source", "who produced the row: `trained`, `solved` (another fit of the points), or the name of a theory")
}

/// The `source` of the noise-free function in `curves`.
pub(crate) const TARGET: &str = "target";

fn step() -> Column {
    int("step", "steps", "updates so far; 0 is the start; null for a flow and in the limit")
}

fn time() -> Column {
    float("time", "1", "training time Σ η; +inf in the limit; null where there is none")
}

fn place() -> Vec<Column> {
    vec![cell(), source(), step(), time()]
}

fn metric_columns(prefix: &str, metrics: &[&'static MetricDef]) -> Vec<Column> {
    metrics.iter().map(|m| float(format!("{prefix}{}", m.name), m.unit, m.doc)).collect()
}

fn axis_column(column: &AxisColumn) -> Column {
    let kind = match column.kind {
        ColumnKind::Bool => ColumnType::Bool,
        ColumnKind::Int64 => ColumnType::Int64,
        ColumnKind::Float64 => ColumnType::Float64,
        ColumnKind::String => ColumnType::String,
    };
    Column::new(column.name.clone(), kind, "", format!("axis {}", column.path))
}

/// The metrics that say which row of a path is best; the first that was measured decides.
pub(crate) const BEST_BY: [&str; 2] = ["risk", "test_error"];

/// The place of `status` among them.
const STATUS: usize = 3;

/// The fixed columns of `cells` before the axes.
pub(crate) const CELL_HEAD: usize = 6;

fn cells(checked: &Checked, metrics: &[&'static MetricDef]) -> Arc<TableSchema> {
    let mut columns = vec![
        cell(),
        text("key", "hash of the cell's meaning: data, model, motion, seed, version of the code's semantics"),
        int("seed", "", "the replicate: which draw of the random streams"),
        text("status", "`finished`, `diverged` or `failed`"),
        text("reason", "why a cell diverged or failed; null if it finished"),
        text(
            "solver",
            "`exact` (closed form), `stepped`, `moments`, `staged` (a continuation, in closed form), `adaptive`, `dual`, `riccati` or `modes`",
        ),
    ];
    debug_assert_eq!(columns.len(), CELL_HEAD);
    columns.extend(checked.axes.iter().filter(|a| !a.is_seed).flat_map(|a| &a.columns).map(axis_column));
    columns.extend([
        int("n", "", "samples, observed entries or measurements"),
        int("p", "", "features, or inputs of a matrix"),
        int("outputs", "", "outputs: rows of the predictor"),
        int("parameters", "", "parameters that training moves"),
        int("rank", "", "rank of the design; null for matrices"),
        float("condition", "1", "largest over smallest non-zero singular value of the design"),
        float("lambda_max", "1", "largest eigenvalue of the Hessian of L in the predictor: of ΦᵀΦ/n, or Sxx"),
        float("lambda_ref", "1", "the curvature that `step_size = { relative = r }` is divided by"),
        float("step_size", "1", "η; null for a flow"),
        float(
            "sharpness_limit",
            "1",
            "the sharpness up to which this step size is stable: 2/η, 2(1+β)/η for the heavy ball",
        ),
        int("gradient_evaluations", "", "gradients that an adaptive flow has evaluated; null elsewhere"),
        text(
            "reduction",
            "exact reductions of the network whose steps were taken instead, joined by ` + `; null if none was",
        ),
        Column::new(
            "precision_ok",
            ColumnType::Bool,
            "",
            "eps·condition < 1e-6: the closed form keeps six digits or more",
        ),
        float(
            "least_bending_energy",
            "y²/x³",
            "the least ∫f″² of any interpolant in the span; null where not measured",
        ),
    ]);
    for (level, name) in LEVELS {
        let doc =
            format!("first point with root mean square residual ≤ {level:e}, also beyond `until` for closed forms");
        columns.push(int(format!("residual_rms_below_{name}_step"), "steps", doc.clone()));
        columns.push(float(format!("residual_rms_below_{name}_time"), "1", doc));
    }
    if metrics.iter().any(|m| BEST_BY.contains(&m.name)) {
        let best = "the recorded row with the smallest risk (test_error where there is no curve with a target)";
        columns.push(int("best_risk_step", "steps", format!("step of {best}")));
        columns.push(float("best_risk_time", "1", format!("time of {best}")));
        columns.extend(metric_columns("best_", metrics));
    }
    columns.extend(metric_columns("at_interpolation_", metrics));
    columns.extend(metric_columns("final_", metrics));
    for metric in metrics.iter().filter(|m| m.wiggliness) {
        columns.push(float(
            format!("largest_drop_{}", metric.name),
            "",
            format!("largest relative fall of {} below its running maximum over the recorded rows", metric.name),
        ));
    }
    columns.extend(choosing::of_cells(checked));
    table("cells", columns)
}

fn modes() -> Vec<Column> {
    let mut columns = place();
    columns.extend([
        int("mode", "", "number of the mode, from 1, by descending singular value of the design"),
        float(
            "value",
            "1",
            "singular value of the design; of the target Syx·Sxx^(−½), or the teacher, where the predictor is a matrix",
        ),
        float(
            "strength",
            "y",
            "vᵢ·β, with the largest component of vᵢ positive; for a matrix W its own singular value",
        ),
        float("filter", "1", "fraction learned; null where the motion does not know it"),
        float("projection", "y", "uᵢᵀWvᵢ along the singular vectors of the target; null where there is none"),
    ]);
    columns
}

fn arrivals() -> Vec<Column> {
    vec![
        cell(),
        source(),
        int("mode", "", "number of the mode, as in `modes`"),
        float("value", "1", "singular value, as in `modes`"),
        int("step", "steps", "the first recorded step at which half of the mode is learned; null for a flow, or never"),
        float(
            "time",
            "1",
            "training time at which half is learned, on the straight line between two recorded rows; null if never",
        ),
        int("order", "", "1 for the mode that arrives first; null if it does not"),
        float(
            "plateau",
            "1",
            "training time since the mode before it arrived, or since the start; null if it does not",
        ),
    ]
}

fn factors() -> Vec<Column> {
    let mut columns = place();
    columns.extend([
        int("factor", "", "number l of the factor, from 1 at the inputs"),
        float("norm", "θ", "Frobenius norm of the factor"),
        float("balancedness_gap", "θ²", "‖W_{l+1}ᵀW_{l+1} − W_lW_lᵀ‖_F; null for the last factor"),
    ]);
    columns
}

fn curves() -> Vec<Column> {
    let source =
        "whose function it is: `trained`, `solved` (another fit of the points), or `target` (f*, free of noise)";
    let mut columns =
        vec![cell(), text("source", source), text("solution", "name of the solution; null for a trajectory")];
    columns.extend([
        text("variant", "law or selection of the solution; null where there is one only"),
        float("parameter", "", "λ, μ or degree of the solution; null where there is none"),
        int("draw", "", "number of the draw, from 0; null where nothing is drawn"),
        step(),
        time(),
        float("x", "x", "point"),
        float("f", "y", "value there"),
    ]);
    columns
}

fn samples() -> Vec<Column> {
    vec![
        cell(),
        int("sample", "", "number of the sample, from 0"),
        float("x", "x", "point"),
        float("y", "y", "value to fit, with its noise"),
        float("target", "y", "noise-free value f*(x); null where f* is not known"),
    ]
}

fn parameters() -> Vec<Column> {
    let mut columns = place();
    columns.extend([
        text("solution", "name of the solution; null for a trajectory"),
        text("variant", "law or selection of the solution; null where there is one only"),
        float("parameter", "", "λ, μ or degree of the solution; null where there is none"),
        int("draw", "", "number of the draw, from 0; null where nothing is drawn"),
        text(
            "tensor",
            "`theta` (parameters), or `W1` …, `u`, `v`, `U` and the predictor `beta` that they make, or a theory predicts; `mean` and `covariance` of the parameters over all draws; or `beta` (coefficients in \
             a solution's own features)",
        ),
        int("row", "", "from 0"),
        int("col", "", "from 0"),
        float("value", "", "entry"),
    ]);
    columns
}

fn hessian() -> Vec<Column> {
    let mut columns = place();
    columns.extend([
        int("index", "", "number of the eigenvalue, from 1, in descending order"),
        float(
            "eigenvalue",
            "y²/θ²",
            "eigenvalue of the Hessian of L at θ, penalties left out; the largest is `sharpness`; NaN where θ is not finite",
        ),
    ]);
    columns
}

fn trajectory(checked: &Checked, metrics: &[&'static MetricDef]) -> Vec<Column> {
    let mut columns = place();
    columns.extend(metric_columns("", metrics));
    columns.extend(choosing::of_path(checked));
    columns
}

fn solutions(checked: &Checked, metrics: &[&'static MetricDef]) -> Arc<TableSchema> {
    let mut columns = vec![
        cell(),
        text("solution", "name of the solution"),
        text("variant", "law or selection; null where there is one only"),
        float("parameter", "", "λ, μ or degree; null where there is none"),
        int("draw", "", "number of the draw, from 0; null where nothing is drawn"),
        text("reason", "why there is no such solution here; null if there is"),
    ];
    columns.extend(metric_columns("", metrics));
    columns.extend(choosing::of_solutions(checked));
    table("solutions", columns)
}

fn predictions() -> Arc<TableSchema> {
    table(
        "predictions",
        vec![
            cell(),
            text("theory", "name of the theory"),
            text("quantity", "what is predicted; null in the one row of a theory that has nothing to say here"),
            float("parameter", "", "λ, training time, …: what the quantity is a function of; null if nothing"),
            float("value", "", "the prediction"),
            Column::new("assumption_met", ColumnType::Bool, "", "whether the theory's assumptions hold in this cell"),
            text("reason", "which assumption is not met; null if all are"),
        ],
    )
}

fn timing(metrics: &[&'static MetricDef]) -> Arc<TableSchema> {
    let mut columns = vec![
        cell(),
        float("wall_seconds", "s", "wall time of this cell's work; cells that were computed together share it evenly"),
        text("host", "name of the machine"),
        int("threads", "", "threads of the run"),
        float("preparing_seconds", "s", "of it: drawing data and start, decomposing the design"),
        float("moving_seconds", "s", "of it: training, by steps, as a flow or in closed form"),
        float("theory_seconds", "s", "of it: predictions of theories, without metrics"),
        float("solutions_seconds", "s", "of it: other fits of the points, without metrics"),
        float("details_seconds", "s", "of it: what `modes`, `factors`, `curves`, `parameters` and `hessian` hold"),
        float(
            "shared_seconds",
            "s",
            "of it: what several metrics share, such as predictions at the points, grids, shapes and singular values",
        ),
    ];
    let of_metric =
        |m: &&'static MetricDef| float(format!("seconds_{}", m.name), "s", format!("of it: {} alone", m.name));
    columns.extend(metrics.iter().map(of_metric));
    table("timing", columns)
}
