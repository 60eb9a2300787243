//! Runs of a study beside reference trajectories of factorised models.

use super::figures::Worst;
use super::study::Tables;
use super::{Sheet, here};
use std::collections::BTreeMap;

/// Rows of a table of numbers, by column.
pub type Numbers = Vec<BTreeMap<String, f64>>;

/// A matrix by rows.
pub type Matrix = Vec<Vec<f64>>;

/// A cell, the millionths of its training time, and a tensor or a mode.
type Place<T> = (i64, i64, T);

/// `tests/references/deep_linear/<stem>_traj.csv`.
pub fn trajectory_of(stem: &str) -> Numbers {
    let mut reader = csv::Reader::from_path(path(stem, "traj")).expect("a reference");
    let header: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let number = |text: &str| text.parse().unwrap_or_else(|_| panic!("{stem}: {text}"));
    reader.records().map(|record| header.iter().cloned().zip(record.unwrap().iter().map(number)).collect()).collect()
}

/// The entries of `tests/references/deep_linear/<stem>_final.csv`: tensor, row, column, value.
pub fn end_of(stem: &str) -> Vec<(String, usize, usize, f64)> {
    csv::Reader::from_path(path(stem, "final")).expect("a reference").deserialize().map(Result::unwrap).collect()
}

fn path(stem: &str, what: &str) -> std::path::PathBuf {
    here(&format!("tests/references/deep_linear/{stem}_{what}.csv"))
}

/// The tables of a run, in the order of cells and times.
pub struct Replay {
    pub cells: Sheet,
    pub trajectory: Sheet,
    rows: BTreeMap<(String, i64, i64), usize>,
    modes: BTreeMap<(String, Place<i64>), [f64; 2]>,
    tensors: BTreeMap<Place<String>, Matrix>,
}

/// Millionths of a time.
fn micro(time: f64) -> i64 {
    (time * 1e6).round() as i64
}

impl Replay {
    /// A study of `tests/studies/deep_linear/`, run.
    pub fn of(study: &str) -> Self {
        let tables = Tables::of(&format!("tests/studies/deep_linear/{study}.toml"), &[]);
        let [cells, trajectory, modes, parameters] =
            ["cells", "trajectory", "modes", "parameters"].map(|name| tables.sheet(name));
        let place = |sheet: &Sheet, row| (sheet.int("cell", row).unwrap(), micro(sheet.number("time", row)));
        let rows = trajectory.rows().map(|row| {
            let (cell, time) = place(&trajectory, row);
            ((trajectory.text("source", row).to_owned(), cell, time), row)
        });
        let strengths = modes.rows().map(|row| {
            let ((cell, time), mode) = (place(&modes, row), modes.int("mode", row).unwrap());
            let values = ["strength", "projection"].map(|column| modes.number(column, row));
            ((modes.text("source", row).to_owned(), (cell, time, mode)), values)
        });
        let (rows, modes) = (rows.collect(), strengths.collect());
        let mut tensors: BTreeMap<Place<String>, Matrix> = BTreeMap::new();
        for row in parameters.rows() {
            let (cell, time) = place(&parameters, row);
            let matrix = tensors.entry((cell, time, parameters.text("tensor", row).to_owned())).or_default();
            let [i, j] = ["row", "col"].map(|index| parameters.int(index, row).unwrap() as usize);
            matrix.resize_with(matrix.len().max(i + 1), Vec::new);
            let entries = &mut matrix[i];
            entries.resize(entries.len().max(j + 1), f64::NAN);
            entries[j] = parameters.number("value", row);
        }
        Self { cells, trajectory, rows, modes, tensors }
    }

    /// The cell whose `column` reads `text`; the only one if there is no axis.
    pub fn cell(&self, axis: Option<(&str, &str)>) -> i64 {
        let is_it = |row: &usize| axis.is_none_or(|(column, text)| self.cells.text(column, *row) == text);
        let found: Vec<usize> = self.cells.rows().filter(is_it).collect();
        assert_eq!(found.len(), 1, "{axis:?}");
        self.cells.int("cell", found[0]).unwrap()
    }

    pub fn metric(&self, source: &str, cell: i64, time: f64, metric: &str) -> f64 {
        let row = self.rows.get(&(source.to_owned(), cell, micro(time)));
        self.trajectory.number(metric, *row.unwrap_or_else(|| panic!("no {source} at {time}")))
    }

    /// Singular value of W, or U_aᵀWV_a of the target's mode.
    pub fn mode(&self, source: &str, cell: i64, time: f64, mode: i64, column: &str) -> f64 {
        let values = self.modes.get(&(source.to_owned(), (cell, micro(time), mode)));
        values.unwrap_or_else(|| panic!("no mode {mode} of {source} at {time}"))[usize::from(column == "projection")]
    }

    pub fn tensor(&self, cell: i64, time: f64, tensor: &str) -> &Matrix {
        &self.tensors[&(cell, micro(time), tensor.to_owned())]
    }

    /// What the trained path of a cell has for a column of a reference trajectory.
    pub fn value(&self, cell: i64, time: f64, column: &str) -> f64 {
        let layer = |digits: &str| self.tensor(cell, time, &format!("W{digits}"));
        let numbered = |prefix: &str| column.strip_prefix(prefix).and_then(|rest| rest.parse::<i64>().ok());
        if let Some(mode) = numbered("sv") {
            self.mode("trained", cell, time, mode, "strength")
        } else if let Some(mode) = numbered("u") {
            self.mode("trained", cell, time, mode, "projection")
        } else if let Some(digits) = column.strip_prefix("fro_W") {
            norm(layer(digits))
        } else if let Some(digits) = column.strip_prefix("imbalance_") {
            imbalance(layer(&digits[..1]), layer(&digits[1..]))
        } else {
            self.metric("trained", cell, time, column.strip_prefix("train_").unwrap_or(column))
        }
    }

    /// Compares a cell with a whole reference trajectory, column by column.
    ///
    /// Errors are relative to |b| + 1e-3·max|column|: 1e-9 of it is 1e-9·|b| + 1e-12·max|column|.
    pub fn see(&self, cell: i64, table: &Numbers, columns: &[&str], step_size: f64) -> Worst {
        let mut worst = Worst::default();
        for &column in columns {
            let largest = table.iter().fold(0.0_f64, |m, row| m.max(row[column].abs()));
            for row in table {
                let (step, exact) = (row["step"], row[column]);
                let got = self.value(cell, step * step_size, column);
                worst.see(got, exact, exact.abs() + 1e-3 * largest, || format!("{column}, step {step}"));
            }
        }
        worst
    }

    /// Compares the factors and the predictor at the end with a reference, relative to the largest entry of each.
    pub fn see_end(&self, cell: i64, stem: &str, time: f64) -> Worst {
        let (mut worst, end) = (Worst::default(), end_of(stem));
        for (tensor, i, j, exact) in &end {
            let ours = if tensor == "product" { "beta" } else { tensor };
            let largest = end.iter().filter(|e| e.0 == *tensor).fold(0.0_f64, |m, e| m.max(e.3.abs()));
            let got = self.tensor(cell, time, ours)[*i][*j];
            worst.see(got, *exact, exact.abs() + 1e-3 * largest, || format!("{tensor}[{i}, {j}]"));
        }
        worst
    }
}

/// How strong a mode of the target is on the trained path.
#[derive(Default)]
pub struct Curve {
    /// The singular value.
    pub value: f64,
    pub times: Vec<f64>,
    pub strengths: Vec<f64>,
}

/// Modes of the target by cell and number.
pub struct Curves {
    pub by: BTreeMap<(i64, i64), Curve>,
    cells: Vec<i64>,
}

impl Curves {
    /// The trained rows of `modes`, null modes left out.
    pub fn of(modes: &Sheet) -> Self {
        let mut by: BTreeMap<(i64, i64), Curve> = BTreeMap::new();
        for row in modes.rows() {
            if modes.text("source", row) != "trained" || modes.is_null("projection", row) {
                continue;
            }
            let key = (modes.int("cell", row).unwrap(), modes.int("mode", row).unwrap());
            let curve = by.entry(key).or_default();
            curve.value = modes.number("value", row);
            curve.times.push(modes.number("time", row));
            curve.strengths.push(modes.number("projection", row));
        }
        let mut cells: Vec<i64> = by.keys().map(|key| key.0).collect();
        cells.dedup();
        Self { by, cells }
    }

    pub fn cells(&self) -> &[i64] {
        &self.cells
    }

    /// When a mode is at half its singular value, for whitened inputs.
    pub fn half_time(&self, cell: i64, mode: i64) -> Option<f64> {
        let curve = &self.by[&(cell, mode)];
        crossing(&curve.times, &curve.strengths, 0.5 * curve.value)
    }
}

/// The first time at a level, between two points on the line through them.
pub fn crossing(times: &[f64], values: &[f64], level: f64) -> Option<f64> {
    let after = values.iter().position(|value| *value >= level)?;
    let before = after.checked_sub(1)?;
    let share = (level - values[before]) / (values[after] - values[before]);
    Some(times[before] + share * (times[after] - times[before]))
}

/// Every column of a table but its clock.
pub fn columns(table: &Numbers) -> Vec<&str> {
    table[0].keys().map(String::as_str).filter(|column| *column != "step").collect()
}

/// Frobenius norm.
pub fn norm(matrix: &Matrix) -> f64 {
    matrix.iter().flatten().map(|x| x * x).sum::<f64>().sqrt()
}

/// ‖AᵀA − BBᵀ‖_F of neighbours, A after B.
pub fn imbalance(a: &Matrix, b: &Matrix) -> f64 {
    let entry = |i: usize, j: usize| {
        let of_a: f64 = a.iter().map(|row| row[i] * row[j]).sum();
        let of_b: f64 = b[i].iter().zip(&b[j]).map(|(x, y)| x * y).sum();
        of_a - of_b
    };
    let pairs = (0..b.len()).flat_map(|i| (0..b.len()).map(move |j| (i, j)));
    pairs.map(|(i, j)| entry(i, j).powi(2)).sum::<f64>().sqrt()
}
