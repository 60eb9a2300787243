//! The large tables of one cell: modes with their arrivals, factors, points, curves and parameters.

use crate::arrivals::{Arrivals, emit_arrivals};
use crate::cell::Cell;
use crate::plan::Plan;
use crate::recorded::Recorded;
use crate::row_kinds::{Label, emit_curve, emit_moments, emit_tensor, push_stage};
use crate::tables::{Sheets, TARGET};
use crate::workbench::{Prepared, PreparedMatrix};
use taut_metrics::{Look, hessian_spectrum};
use taut_problem::{Clock, ParametrizationKind, Regression, Shape, Tensor};
use taut_store::Rows;
use taut_theory::{Mode, Prediction};

impl Cell<'_> {
    /// Writes the large tables that the study asks for.
    pub(crate) fn emit_details(
        &self,
        plan: &Plan,
        recorded: &Recorded,
        times: &[f64],
        look: &Look<'_>,
        sheets: &mut Sheets,
    ) {
        let snapshots = &recorded.snapshots;
        let wants_modes = sheets.modes.is_some() || sheets.arrivals.is_some();
        let mut arrivals = Arrivals::default();
        for (row, (&clock, &time)) in recorded.clocks.iter().zip(times).enumerate() {
            let stage = recorded.stages.get(row).copied();
            let predictor = snapshots.coefficients_of(row);
            let modes = if wants_modes { self.modes(clock, predictor, recorded, row, look) } else { Vec::new() };
            for mode in &modes {
                arrivals.see(mode, time, self.share(mode));
                if let Some(rows) = &mut sheets.modes {
                    self.push_mode("trained", time, mode, rows);
                    push_stage(rows, stage, 1);
                }
            }
            if let Some(rows) = &mut sheets.factors {
                self.emit_factors((clock, time), snapshots.theta_of(row), rows);
            }
            if let Some(rows) = &mut sheets.parameters {
                let place = Some((clock, time));
                let label = Label { stage, ..Label::default() };
                match snapshots.covariance(row) {
                    Some(covariance) => emit_moments(self.identity.cell, place, predictor, covariance, rows),
                    None => self.emit_tensors(place, &label, snapshots.theta_of(row), predictor, rows),
                }
            }
        }
        if let Some(rows) = &mut sheets.arrivals {
            emit_arrivals(self.identity.cell, "trained", &arrivals, rows);
        }
        if let Some(rows) = &mut sheets.hessian {
            self.emit_hessian(recorded, times, rows);
        }
        if let (Some(rows), Some(prepared)) = (&mut sheets.curves, self.bench.rows()) {
            let values = self.shelf.curve_values(&prepared.problem, snapshots, &plan.curve_grid);
            let places = recorded.clocks.iter().copied().zip(times.iter().copied());
            let curves = values.chunks_exact(plan.curve_grid.len().max(1));
            for (row, (place, values)) in places.zip(curves).enumerate() {
                let label = Label { stage: recorded.stages.get(row).copied(), ..Label::default() };
                emit_curve(self.identity.cell, "trained", Some(place), &label, &plan.curve_grid, values, rows);
            }
            self.emit_target(&prepared.problem, &plan.curve_grid, rows);
        }
        if let (Some(rows), Some(prepared)) = (&mut sheets.samples, self.bench.rows()) {
            self.emit_samples(&prepared.problem, rows);
        }
    }

    /// The noise-free function, where it is known.
    fn emit_target(&self, problem: &Regression, grid: &[f64], rows: &mut Rows) {
        if let Some(target) = &problem.target {
            let values: Vec<f64> = grid.iter().map(|x| target.value(*x)).collect();
            emit_curve(self.identity.cell, TARGET, None, &Label::default(), grid, &values, rows);
        }
    }

    /// The points to fit; none where they are not on the line.
    fn emit_samples(&self, problem: &Regression, rows: &mut Rows) {
        for (sample, (&x, &y)) in problem.x.iter().zip(&problem.y).enumerate() {
            rows.push_int(0, Some(self.identity.cell));
            rows.push_int(1, Some(sample as i64));
            rows.push_float(2, Some(x));
            rows.push_float(3, Some(y));
            rows.push_float(4, problem.target.as_ref().map(|target| target.value(x)));
        }
    }

    /// All eigenvalues of the Hessian at every recorded row.
    fn emit_hessian(&self, recorded: &Recorded, times: &[f64], rows: &mut Rows) {
        for (row, (clock, &time)) in recorded.clocks.iter().zip(times).enumerate() {
            let theta = recorded.snapshots.theta_of(row);
            let spectrum = if theta.iter().all(|x| x.is_finite()) {
                hessian_spectrum(self.bench.task(), self.kind(), theta)
            } else {
                vec![f64::NAN; theta.len()]
            };
            let count = spectrum.len();
            rows.repeat_int(0, Some(self.identity.cell), count);
            rows.repeat_text(1, Some("trained"), count);
            rows.repeat_int(2, clock.step().map(|s| s as i64), count);
            rows.repeat_float(3, Some(time), count);
            (1..=count).for_each(|index| rows.push_int(4, Some(index as i64)));
            rows.extend_floats(5, &spectrum);
            push_stage(rows, recorded.stages.get(row).copied(), count);
        }
    }

    /// The tensors of a trained row, and the predictor they make where it is none of them.
    fn emit_tensors(
        &self,
        place: Option<(Clock, f64)>,
        label: &Label<'_>,
        theta: &[f64],
        predictor: &[f64],
        rows: &mut Rows,
    ) {
        let Shape { inputs, outputs, .. } = self.shape();
        let mut from = 0;
        for Tensor { name, rows: height, columns } in self.kind().tensors(inputs, outputs) {
            let values = &theta[from..from + height * columns];
            emit_tensor(self.identity.cell, "trained", place, label, (&name, height), values, rows);
            from += height * columns;
        }
        self.emit_predictor("trained", place, label, predictor, rows);
    }

    /// The predictor as a tensor of its own, where it is none of the parameters; that of a single output is a column.
    pub(crate) fn emit_predictor(
        &self,
        source: &str,
        place: Option<(Clock, f64)>,
        label: &Label<'_>,
        predictor: &[f64],
        rows: &mut Rows,
    ) {
        let Shape { inputs, outputs, .. } = self.shape();
        if !self.kind().is_direct() {
            let height = if outputs == 1 { inputs } else { outputs };
            emit_tensor(self.identity.cell, source, place, label, ("beta", height), predictor, rows);
        }
    }

    /// The modes of one row: along the singular vectors of the design, or of the matrix and its target.
    fn modes(&self, clock: Clock, predictor: &[f64], recorded: &Recorded, row: usize, look: &Look<'_>) -> Vec<Mode> {
        let Some(Prepared { svd, .. }) = self.bench.rows().filter(|_| self.shape().outputs == 1) else {
            let strengths = look.singular_values().expect("a matrix is looked at as one");
            let Shape { inputs, outputs, .. } = self.shape();
            let count = inputs.min(outputs);
            return self.matrix_modes(clock, predictor, &strengths[row * count..(row + 1) * count]);
        };
        let r = svd.rank();
        let along = |i: usize| svd.v.column(i).iter().zip(predictor).map(|(v, t)| v * t).sum();
        let filter = |i: usize| (!recorded.filters.is_empty()).then(|| recorded.filters[row * r + i]);
        let mode = |i: usize| Mode {
            clock,
            mode: i + 1,
            value: svd.s[i],
            strength: along(i),
            filter: filter(i),
            projection: None,
        };
        (0..r).map(mode).collect()
    }

    /// Singular values of W, and its projections on the modes of what is to be learned, as many as there are more of.
    fn matrix_modes(&self, clock: Clock, predictor: &[f64], strengths: &[f64]) -> Vec<Mode> {
        let known = self.bench.matrix().and_then(PreparedMatrix::target_modes);
        let projected = known.map(|modes| modes.strengths(predictor));
        let mode = |i: usize| Mode {
            clock,
            mode: i + 1,
            // Null modes of the target have value 0 and no direction.
            value: known.map_or(f64::NAN, |modes| modes.s.get(i).copied().unwrap_or(0.0)),
            strength: strengths[i],
            filter: None,
            projection: projected.as_ref().and_then(|p| p.get(i).copied()),
        };
        (0..strengths.len()).map(mode).collect()
    }

    /// Modes as a theory has them, and when they arrive.
    pub(crate) fn emit_predicted_modes(&self, theory: &str, prediction: &Prediction, sheets: &mut Sheets) {
        if prediction.modes.is_empty() || (sheets.modes.is_none() && sheets.arrivals.is_none()) {
            return;
        }
        // All at once: with a schedule every time is a walk from the start.
        let clocks: Vec<Clock> = prediction.modes.iter().map(|m| m.clock).collect();
        let mut arrivals = Arrivals::default();
        for (mode, time) in prediction.modes.iter().zip(self.dynamics.times(&clocks)) {
            arrivals.see(mode, time, self.share(mode));
            if let Some(rows) = &mut sheets.modes {
                self.push_mode(theory, time, mode, rows);
                push_stage(rows, None, 1);
            }
        }
        if let Some(rows) = &mut sheets.arrivals {
            emit_arrivals(self.identity.cell, theory, &arrivals, rows);
        }
    }

    /// How much of a mode is learned: the fraction where it is known, or the projection over that of where W goes.
    pub(crate) fn share(&self, mode: &Mode) -> f64 {
        let goals = || self.bench.matrix().map_or(&[][..], PreparedMatrix::mode_goals);
        let goal = || goals().get(mode.mode - 1).copied().unwrap_or(f64::NAN);
        mode.filter.or_else(|| mode.projection.map(|projection| projection / goal())).unwrap_or(f64::NAN)
    }

    /// Size of every factor, and how well it matches the next.
    fn emit_factors(&self, (clock, time): (Clock, f64), theta: &[f64], rows: &mut Rows) {
        if !matches!(self.kind(), ParametrizationKind::DeepLinear(_)) {
            return;
        }
        let Shape { inputs, outputs, .. } = self.shape();
        let factors = Tensor::matrices(&self.kind().tensors(inputs, outputs), theta);
        for (l, factor) in factors.iter().enumerate() {
            let gap = factors.get(l + 1).map(|above| (above.tr_mul(above) - factor * factor.transpose()).norm());
            rows.push_int(0, Some(self.identity.cell));
            rows.push_text(1, Some("trained"));
            rows.push_int(2, clock.step().map(|s| s as i64));
            rows.push_float(3, Some(time));
            rows.push_int(4, Some(l as i64 + 1));
            rows.push_float(5, Some(factor.norm()));
            rows.push_float(6, gap);
        }
    }

    fn push_mode(&self, source: &str, time: f64, mode: &Mode, rows: &mut Rows) {
        rows.push_int(0, Some(self.identity.cell));
        rows.push_text(1, Some(source));
        rows.push_int(2, mode.clock.step().map(|s| s as i64));
        rows.push_float(3, Some(time));
        rows.push_int(4, Some(mode.mode as i64));
        rows.push_float(5, Some(mode.value));
        rows.push_float(6, Some(mode.strength));
        rows.push_float(7, mode.filter);
        rows.push_float(8, mode.projection);
    }
}
