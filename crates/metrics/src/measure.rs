//! Columns of measured values: one per metric, one value per row.

use crate::sigma_points::sigma_points;
use crate::{MatrixProbe, MatrixSetting, MetricDef, Needs, Probe, Setting};
use std::time::{Duration, Instant};
use taut_problem::Snapshots;

/// The values of one metric over a block of rows.
#[derive(Clone, Debug)]
pub struct Column {
    /// The metric.
    pub metric: &'static MetricDef,
    /// One value per row; `None` where its needs are not met. NaN says that the function is not
    /// finite, and for metrics that need `freedom` that it is not known (a null).
    pub values: Option<Vec<f64>>,
    /// Seconds that this metric took alone, what it shares with others left out: for people, and no part of any result.
    pub seconds: f64,
}

impl Column {
    /// The value of a row; `None` stands for null. A NaN inside is a diverged value.
    pub fn value(&self, row: usize) -> Option<f64> {
        let value = self.values.as_ref()?[row];
        if self.metric.needs.freedom && value.is_nan() { None } else { Some(value) }
    }
}

/// The ways in which the rows of a cell can be looked at; at least one is there.
#[derive(Clone, Copy)]
pub struct Views<'a> {
    /// As functions of a row.
    pub rows: Option<&'a Setting<'a>>,
    /// As matrices, or as predictors made of parameters.
    pub matrix: Option<&'a MatrixSetting<'a>>,
}

impl<'a> Views<'a> {
    /// As functions of a row only.
    pub fn of_rows(setting: &'a Setting<'a>) -> Self {
        Self { rows: Some(setting), matrix: None }
    }
}

/// A block of rows of one cell, looked at in every way that there is; what several metrics and tables need of it is
/// computed once.
pub struct Look<'a> {
    views: Views<'a>,
    snapshots: &'a Snapshots,
    rows: Option<Probe<'a>>,
    matrix: Option<MatrixProbe<'a>>,
}

impl<'a> Look<'a> {
    /// Nothing is computed yet.
    pub fn new(views: Views<'a>, snapshots: &'a Snapshots) -> Self {
        let rows = views.rows.map(|setting| Probe::new(setting, snapshots));
        // Splines have no coefficients, and other fits no parameters.
        let made = views.matrix.filter(|setting| setting.can_see(snapshots));
        let matrix = made.map(|setting| MatrixProbe::new(setting, snapshots));
        Self { views, snapshots, rows, matrix }
    }

    /// One column per metric, in the order asked, and the time of what several of them share; the clock is read once per
    /// metric.
    ///
    /// Rows do not influence each other: a row has the same bits alone and in a block. Rows with a
    /// covariance S around their coefficients m have the expectations q(m) + tr(QS) of metrics that are
    /// quadratic, and no others.
    pub fn measure(&self, metrics: &[&'static MetricDef]) -> (Vec<Column>, Duration) {
        let mut watch = Watch::start();
        if let (Some(setting), false) = (self.views.rows, self.snapshots.covariances.is_empty()) {
            return expectations(setting, self.snapshots, metrics, watch);
        }
        let before = self.shared_time();
        let columns = metrics.iter().map(|&metric| {
            let values = self.values(metric);
            Column { metric, values, seconds: watch.lap(self.shared_time() - before).as_secs_f64() }
        });
        (columns.collect(), watch.aside)
    }

    fn shared_time(&self) -> Duration {
        let of_matrix = self.matrix.as_ref().map_or(Duration::ZERO, MatrixProbe::shared_time);
        of_matrix + self.rows.as_ref().map_or(Duration::ZERO, Probe::shared_time)
    }

    fn values(&self, metric: &'static MetricDef) -> Option<Vec<f64>> {
        let of_matrix = self.matrix.as_ref().and_then(|probe| probe.column(metric));
        let is_made = |setting: &MatrixSetting<'_>| metric.needs.parameters && !setting.kind().is_direct();
        of_matrix.or_else(|| column(self.rows.as_ref().filter(|_| !self.views.matrix.is_some_and(is_made))?, metric))
    }

    /// Singular values of the predictors as [`MatrixProbe::singular_values`] has them; `None` where they are no matrices.
    pub fn singular_values(&self) -> Option<&[f64]> {
        self.matrix.as_ref().map(MatrixProbe::singular_values)
    }
}

/// Measures every row, see [`Look::measure`]. `out` is cleared first.
pub fn measure(views: Views<'_>, snapshots: &Snapshots, metrics: &[&'static MetricDef], out: &mut Vec<Column>) {
    *out = Look::new(views, snapshots).measure(metrics).0;
}

/// The time between two looks at the clock, without what was shared meanwhile.
struct Watch {
    last: Instant,
    aside: Duration,
}

impl Watch {
    fn start() -> Self {
        Self { last: Instant::now(), aside: Duration::ZERO }
    }

    /// `shared` is all that was shared since the start.
    fn lap(&mut self, shared: Duration) -> Duration {
        let now = Instant::now();
        let gone = (now - self.last).saturating_sub(shared.saturating_sub(self.aside));
        (self.last, self.aside) = (now, shared);
        gone
    }
}

/// Means over points that have the mean and covariance of each row.
fn expectations(
    setting: &Setting<'_>,
    snapshots: &Snapshots,
    metrics: &[&'static MetricDef],
    mut watch: Watch,
) -> (Vec<Column>, Duration) {
    let p = snapshots.features;
    let mut out: Vec<Column> = metrics.iter().map(|&metric| Column { metric, values: None, seconds: 0.0 }).collect();
    let rows = snapshots.coefficients.chunks_exact(p).zip(snapshots.covariances.chunks_exact(p * p));
    let mut all_shared = Duration::ZERO;
    for (mean, covariance) in rows {
        let points = sigma_points(mean, covariance);
        let probe = Probe::new(setting, &points);
        all_shared += watch.lap(Duration::ZERO);
        for Column { metric, values, seconds } in out.iter_mut().filter(|column| column.metric.quadratic) {
            if let Some(at_points) = column(&probe, metric) {
                let expectation = at_points.iter().sum::<f64>() / at_points.len() as f64;
                values.get_or_insert_default().push(expectation);
            }
            *seconds += watch.lap(probe.shared_time()).as_secs_f64();
        }
        all_shared += std::mem::take(&mut watch.aside);
    }
    (out, all_shared)
}

fn column(probe: &Probe<'_>, metric: &MetricDef) -> Option<Vec<f64>> {
    if !is_met(probe, metric.needs) {
        return None;
    }
    let mut values = vec![f64::NAN; probe.rows()];
    (metric.eval_into)(probe, &mut values);
    for (value, finite) in values.iter_mut().zip(probe.finite()) {
        if !finite {
            *value = f64::NAN;
        }
    }
    Some(values)
}

fn is_met(probe: &Probe<'_>, needs: Needs) -> bool {
    let setting = probe.setting();
    let problem = setting.problem();
    let is_curve = probe.is_spline() || setting.curve().is_some();
    (!needs.matrix)
        && (!needs.curve || is_curve)
        && (!needs.target || problem.target.is_some())
        && (!needs.coefficients || !probe.is_spline())
        && (!needs.geometry || probe.has_predictor_parameters())
        && (!needs.test || problem.test.is_some() || problem.law.is_some())
        && (!needs.law || problem.law.is_some())
        && (!needs.validation || problem.validation.is_some())
        && (!needs.interpolant || setting.least_bending_energy().is_some())
}
