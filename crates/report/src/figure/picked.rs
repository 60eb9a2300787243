//! The rows that a figure can draw: its own columns, finite where they are positions, summarised over replicates.

use super::{Figure, Mark, Scale};
use polars::prelude::{
    Column, DataFrame, DataType, Expr, IntoLazy, PolarsResult, QuantileMethod, SortMultipleOptions, col, lit,
};

/// Rows under names that mean nothing to polars (`c0`, `c1`, …), so that a study's own may be anything.
pub(super) struct Picked {
    pub(super) frame: DataFrame,
    /// The study's name of every column; `None` for the edges of the ribbon.
    pub(super) names: Vec<String>,
    /// The positions of the ribbon's lower and upper edge.
    pub(super) ribbon: Option<(usize, usize)>,
    /// What was left out, and why.
    pub(super) notes: Vec<String>,
}

impl Picked {
    /// Takes what the figure draws from the answer to its query, and lets go of the rest.
    pub(super) fn of(figure: &Figure, answer: DataFrame) -> PolarsResult<Self> {
        let mut names: Vec<String> = Vec::new();
        for (_, channel) in figure.channels() {
            if !names.contains(&channel.column) {
                names.push(channel.column.clone());
            }
        }
        let own = |(at, name): (usize, &String)| Ok(answer.column(name)?.clone().with_name(alias(at).into()));
        let columns = names.iter().enumerate().map(own).collect::<PolarsResult<Vec<Column>>>()?;
        let frame = DataFrame::new(answer.height(), columns)?;
        drop(answer);
        let mut picked = Self { frame, names, ribbon: None, notes: Vec::new() };
        picked.keep_drawable(figure)?;
        if let Some(band) = &figure.band {
            picked.summarise(figure, band.low(), band.high())?;
        }
        picked.sort(figure)?;
        Ok(picked)
    }

    /// Where a column of the study is.
    pub(super) fn position(&self, name: &str) -> usize {
        self.names.iter().position(|known| known == name).expect("every channel's column was picked")
    }

    /// The column with this number.
    pub(super) fn column(&self, at: usize) -> &Column {
        &self.frame.columns()[at]
    }

    /// Leaves out rows without a place: null, NaN or infinite where a position is due, not positive on a log scale.
    ///
    /// A line that is measured as infinite or not a number stays, as a gap: joining its neighbours would invent values.
    fn keep_drawable(&mut self, figure: &Figure) -> PolarsResult<()> {
        for channel in [Some(&figure.x), Some(&figure.y), figure.y2.as_ref()].into_iter().flatten() {
            let at = self.position(&channel.column);
            let name = &channel.column;
            if !self.column(at).dtype().is_primitive_numeric() {
                let left = self.keep(col(alias(at)).is_not_null())?;
                self.note(left, |rows| format!("{rows} without a `{name}`"));
                continue;
            }
            let finite = || col(alias(at)).cast(DataType::Float64).is_finite();
            if figure.mark == Mark::Line && channel.column == figure.y.column {
                let left = self.keep(col(alias(at)).is_not_null())?;
                self.note(left, |rows| format!("{rows} without a `{name}`"));
                let gaps = self.frame.height() - self.frame.clone().lazy().filter(finite()).collect()?.height();
                if gaps > 0 {
                    let rows = counted(gaps, "row");
                    self.notes.push(format!("Lines break where `{name}` is not finite: {rows}."));
                }
            } else {
                let left = self.keep(finite())?;
                self.note(left, |rows| format!("{rows} without a finite `{name}`"));
            }
            if channel.scale == Scale::Log {
                let left = self.keep(col(alias(at)).lt_eq(lit(0)).not())?;
                self.note(left, |rows| {
                    format!("{rows} with a `{name}` that is not above 0, which a log scale cannot show")
                });
            }
        }
        Ok(())
    }

    /// Keeps the rows for which this is true, and says how many are gone.
    fn keep(&mut self, wanted: Expr) -> PolarsResult<usize> {
        let before = self.frame.height();
        let kept = self.frame.clone().lazy().select([wanted.fill_null(lit(false)).alias("kept")]).collect()?;
        let kept = kept.column("kept")?.bool()?;
        // Most figures leave out nothing, and a copy of ten million rows is not free.
        if kept.sum().is_none_or(|count| count as usize != before) {
            self.frame = self.frame.filter(kept)?;
        }
        Ok(before - self.frame.height())
    }

    fn note(&mut self, left_out: usize, say: impl Fn(&str) -> String) {
        if left_out > 0 {
            self.notes.push(format!("Left out: {}.", say(&counted(left_out, "row"))));
        }
    }

    /// The median and two quantiles of y over the rows that no channel tells apart.
    fn summarise(&mut self, figure: &Figure, low: f64, high: f64) -> PolarsResult<()> {
        let y = self.position(&figure.y.column);
        let by: Vec<Expr> = (0..self.names.len()).filter(|at| *at != y).map(|at| col(alias(at))).collect();
        let edges = (self.names.len(), self.names.len() + 1);
        let value = || col(alias(y)).cast(DataType::Float64);
        let quantile = |q: f64, at: usize| value().quantile(lit(q), QuantileMethod::Linear).alias(alias(at));
        let summary = [value().median().alias(alias(y)), quantile(low, edges.0), quantile(high, edges.1)];
        let order: Vec<Expr> = (0..=edges.1).map(|at| col(alias(at))).collect();
        self.frame = self.frame.clone().lazy().group_by(by).agg(summary).select(order).collect()?;
        let stem = &figure.y.column;
        self.names.extend([low, high].map(|q| format!("{stem}, quantile {q}")));
        self.ribbon = Some(edges);
        Ok(())
    }

    /// Line after line in the order in which each is drawn, so that the same rows always make the same figure.
    fn sort(&mut self, figure: &Figure) -> PolarsResult<()> {
        let first = figure.separating().into_iter().chain(&figure.along).chain([&figure.x]);
        let mut order: Vec<usize> = Vec::new();
        for at in first.map(|channel| self.position(&channel.column)).chain(0..self.names.len()) {
            if !order.contains(&at) {
                order.push(at);
            }
        }
        let by: Vec<Expr> = order.into_iter().map(|at| col(alias(at))).collect();
        self.frame = self.frame.clone().lazy().sort_by_exprs(by, SortMultipleOptions::default()).collect()?;
        Ok(())
    }
}

fn alias(at: usize) -> String {
    format!("c{at}")
}

/// "1 row", "34,211 rows".
pub(super) fn counted(count: usize, what: &str) -> String {
    format!("{} {what}{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// A whole number with commas between thousands.
pub(crate) fn grouped(count: usize) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
