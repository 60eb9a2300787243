//! Products with matrices of which only some entries are there.

use crate::Aligned;
use crate::lane_products::shares;
use pulp::{Arch, Simd, WithSimd};

/// Numbers in the widest vector: columns are filled up with zeros to a multiple of it.
const WIDEST: usize = 8;

/// A matrix whose columns begin at whole vectors.
#[derive(Clone, Debug)]
pub struct PaddedColumns {
    rows: usize,
    height: usize,
    data: Aligned,
}

impl PaddedColumns {
    /// A rows × columns matrix of zeros.
    pub fn zeros(rows: usize, columns: usize) -> Self {
        let height = rows.next_multiple_of(WIDEST);
        Self { rows, height, data: Aligned::zeros(height * columns) }
    }

    /// Takes the numbers of a column-major matrix of the same shape.
    pub fn copy_from(&mut self, columns: &[f64]) {
        for (to, from) in self.data.chunks_exact_mut(self.height).zip(columns.chunks_exact(self.rows)) {
            to[..self.rows].copy_from_slice(from);
        }
    }

    /// Takes the numbers of the transpose of a column-major matrix.
    pub fn copy_from_transposed(&mut self, columns: &[f64]) {
        let (height, count) = (self.height, columns.len() / self.rows);
        // Blocks whose lines stay near while they are read one way and written the other.
        for first in (0..count).step_by(WIDEST) {
            for row in 0..self.rows {
                for (i, x) in columns[row * count..][first..count.min(first + WIDEST)].iter().enumerate() {
                    self.data[(first + i) * height + row] = *x;
                }
            }
        }
    }

    /// Writes its numbers into the transpose of a column-major matrix.
    pub fn copy_into_transposed(&self, columns: &mut [f64]) {
        let (height, count) = (self.height, columns.len() / self.rows);
        for first in (0..count).step_by(WIDEST) {
            for row in 0..self.rows {
                for (i, x) in columns[row * count..][first..count.min(first + WIDEST)].iter_mut().enumerate() {
                    *x = self.data[(first + i) * height + row];
                }
            }
        }
    }

    /// Writes its numbers into a column-major matrix of the same shape.
    pub fn copy_into(&self, columns: &mut [f64]) {
        for (from, to) in self.data.chunks_exact(self.height).zip(columns.chunks_exact_mut(self.rows)) {
            to.copy_from_slice(&from[..self.rows]);
        }
    }
}

/// Which entries of a matrix are there, in the order of their columns.
#[derive(Clone, Debug)]
pub struct Pattern {
    by_column: Lines,
    by_row: Lines,
}

/// The entries of every column (or row).
#[derive(Clone, Debug)]
struct Lines {
    /// Where the entries of each line begin, and the last one ends.
    starts: Vec<usize>,
    /// The place across the lines of each entry, and its number.
    entries: Vec<[usize; 2]>,
}

impl Lines {
    fn new(count: usize, mut entries: Vec<[usize; 3]>) -> Self {
        entries.sort_unstable();
        let starts = (0..=count).map(|line| entries.partition_point(|entry| entry[0] < line)).collect();
        Self { starts, entries: entries.into_iter().map(|[_, across, number]| [across, number]).collect() }
    }

    fn of(&self, line: usize) -> &[[usize; 2]] {
        &self.entries[self.starts[line]..self.starts[line + 1]]
    }

    fn count(&self) -> usize {
        self.starts.len() - 1
    }
}

impl Pattern {
    /// The entries at these (row, column) of a rows × columns matrix; values come in the same order.
    ///
    /// # Panics
    /// If a place lies outside.
    pub fn new(rows: usize, columns: usize, places: &[[usize; 2]]) -> Self {
        assert!(places.iter().all(|[row, column]| *row < rows && *column < columns), "places lie in the matrix");
        let numbered = || places.iter().enumerate();
        Self {
            by_column: Lines::new(columns, numbered().map(|(e, [row, column])| [*column, *row, e]).collect()),
            by_row: Lines::new(rows, numbered().map(|(e, [row, column])| [*row, *column, e]).collect()),
        }
    }

    /// The entries of AᵀB that are there: ⟨aᵢ, bⱼ⟩.
    ///
    /// A and B have columns of one height. 2·height flops per entry, in a fixed order on processors with vectors of one
    /// length; allocates nothing.
    ///
    /// # Panics
    /// If the shapes do not fit.
    pub fn sample_into(&self, a: &PaddedColumns, b: &PaddedColumns, values: &mut [f64]) {
        assert!(a.height == b.height && values.len() == self.by_column.entries.len(), "shapes fit");
        Arch::new().dispatch(Sample { lines: &self.by_column, a, b, values });
    }

    /// C ← A·V for the matrix V of these entries: cⱼ ← Σ vᵢⱼaᵢ, column by column.
    ///
    /// # Panics
    /// If the shapes do not fit.
    pub fn multiply_into(&self, values: &[f64], a: &PaddedColumns, c: &mut PaddedColumns) {
        assert!(a.height == c.height && c.data.len() == c.height * self.by_column.count(), "shapes fit");
        Arch::new().dispatch(Combine { lines: &self.by_column, values, a, c, subtracted: None });
    }

    /// C ← C − s·A·Vᵀ: cᵢ ← cᵢ − s Σ vᵢⱼaⱼ.
    ///
    /// # Panics
    /// If the shapes do not fit.
    pub fn subtract_transposed(&self, s: f64, values: &[f64], a: &PaddedColumns, c: &mut PaddedColumns) {
        assert!(a.height == c.height && c.data.len() == c.height * self.by_row.count(), "shapes fit");
        Arch::new().dispatch(Combine { lines: &self.by_row, values, a, c, subtracted: Some(s) });
    }
}

struct Sample<'a> {
    lines: &'a Lines,
    a: &'a PaddedColumns,
    b: &'a PaddedColumns,
    values: &'a mut [f64],
}

impl WithSimd for Sample<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { lines, a, b, values } = self;
        let vectors = a.height / S::F64_LANES;
        let (left, right) = (S::as_simd_f64s(&a.data).0, S::as_simd_f64s(&b.data).0);
        for (line, b) in right.chunks_exact(vectors).enumerate().take(lines.count()) {
            let (fours, rest) = lines.of(line).as_chunks::<4>();
            for entries in fours {
                products::<S, 4>(simd, left, b, entries, values);
            }
            for entry in rest {
                products::<S, 1>(simd, left, b, &[*entry], values);
            }
        }
    }
}

/// Inner products of some columns with one: independent sums do not wait for each other.
#[inline(always)]
fn products<S: Simd, const COUNT: usize>(
    simd: S,
    left: &[S::f64s],
    b: &[S::f64s],
    entries: &[[usize; 2]; COUNT],
    values: &mut [f64],
) {
    let mut columns = [b; COUNT];
    for e in 0..COUNT {
        columns[e] = &left[entries[e][0] * b.len()..][..b.len()];
    }
    let mut sums = [simd.splat_f64s(0.0); COUNT];
    for v in 0..b.len() {
        for e in 0..COUNT {
            sums[e] = simd.mul_add_f64s(columns[e][v], b[v], sums[e]);
        }
    }
    for e in 0..COUNT {
        values[entries[e][1]] = simd.reduce_sum_f64s(sums[e]);
    }
}

struct Combine<'a> {
    lines: &'a Lines,
    values: &'a [f64],
    a: &'a PaddedColumns,
    c: &'a mut PaddedColumns,
    subtracted: Option<f64>,
}

impl WithSimd for Combine<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { lines, values, a, c, subtracted } = self;
        let vectors = a.height / S::F64_LANES;
        let work = Sums::<S> { simd, values, vectors, a: S::as_simd_f64s(&a.data).0, subtracted };
        let columns = S::as_mut_simd_f64s(&mut c.data).0.chunks_exact_mut(vectors);
        for (line, c) in columns.enumerate() {
            let entries = lines.of(line);
            // As many vectors of a column at once as registers hold.
            for (from, count) in shares(vectors, if S::REGISTER_COUNT >= 32 { 16 } else { 8 }) {
                match count {
                    16 => work.some::<16>(entries, from, c),
                    15 => work.some::<15>(entries, from, c),
                    14 => work.some::<14>(entries, from, c),
                    13 => work.some::<13>(entries, from, c),
                    12 => work.some::<12>(entries, from, c),
                    11 => work.some::<11>(entries, from, c),
                    10 => work.some::<10>(entries, from, c),
                    9 => work.some::<9>(entries, from, c),
                    8 => work.some::<8>(entries, from, c),
                    7 => work.some::<7>(entries, from, c),
                    6 => work.some::<6>(entries, from, c),
                    5 => work.some::<5>(entries, from, c),
                    4 => work.some::<4>(entries, from, c),
                    3 => work.some::<3>(entries, from, c),
                    2 => work.some::<2>(entries, from, c),
                    _ => work.some::<1>(entries, from, c),
                }
            }
        }
    }
}

struct Sums<'a, S: Simd> {
    simd: S,
    values: &'a [f64],
    vectors: usize,
    a: &'a [S::f64s],
    subtracted: Option<f64>,
}

impl<S: Simd> Sums<'_, S> {
    /// Some vectors of one column.
    #[inline(always)]
    fn some<const COUNT: usize>(&self, entries: &[[usize; 2]], from: usize, c: &mut [S::f64s]) {
        let simd = self.simd;
        let mut sums = [simd.splat_f64s(0.0); COUNT];
        for [across, number] in entries {
            let x = simd.splat_f64s(self.values[*number]);
            let column = &self.a[across * self.vectors + from..][..COUNT];
            for v in 0..COUNT {
                sums[v] = simd.mul_add_f64s(column[v], x, sums[v]);
            }
        }
        let c = &mut c[from..from + COUNT];
        for v in 0..COUNT {
            c[v] = match self.subtracted {
                Some(s) => simd.sub_f64s(c[v], simd.mul_f64s(simd.splat_f64s(s), sums[v])),
                None => sums[v],
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DMatrix;

    #[test]
    fn products_are_those_of_the_matrix_with_zeros() {
        for (inner, rows, columns, every) in
            [(1, 1, 1, 1), (7, 5, 9, 2), (8, 20, 3, 1), (100, 40, 30, 5), (150, 9, 11, 3)]
        {
            let number = |seed: f64| move |i: usize, j: usize| (seed + 0.7 * i as f64 + 1.9 * j as f64).sin();
            let (a, b) = (DMatrix::from_fn(inner, rows, number(1.0)), DMatrix::from_fn(inner, columns, number(2.0)));
            let places: Vec<[usize; 2]> =
                (0..rows * columns).step_by(every).map(|place| [place % rows, place / rows]).collect();
            let pattern = Pattern::new(rows, columns, &places);
            let padded = |m: &DMatrix<f64>| {
                let mut padded = PaddedColumns::zeros(m.nrows(), m.ncols());
                padded.copy_from(m.as_slice());
                padded
            };
            let (pa, pb) = (padded(&a), padded(&b));
            let mut values = vec![f64::NAN; places.len()];
            pattern.sample_into(&pa, &pb, &mut values);
            let whole = a.transpose() * &b;
            let mut sparse = DMatrix::zeros(rows, columns);
            for ([i, j], value) in places.iter().zip(&values) {
                assert!((value - whole[(*i, *j)]).abs() < 1e-12);
                sparse[(*i, *j)] = *value;
            }
            let check = |padded: &PaddedColumns, expected: DMatrix<f64>| {
                let mut found = DMatrix::zeros(expected.nrows(), expected.ncols());
                padded.copy_into(found.as_mut_slice());
                assert!((found - expected).amax() < 1e-11, "{inner} {rows} {columns}");
            };
            let mut c = PaddedColumns::zeros(inner, columns);
            pattern.multiply_into(&values, &pa, &mut c);
            check(&c, &a * &sparse);
            let mut c = pa.clone();
            pattern.subtract_transposed(0.3, &values, &pb, &mut c);
            check(&c, &a - 0.3 * (&b * sparse.transpose()));
            let mut turned = PaddedColumns::zeros(rows, inner);
            turned.copy_from_transposed(a.as_slice());
            check(&turned, a.transpose());
            let mut back = DMatrix::zeros(inner, rows);
            turned.copy_into_transposed(back.as_mut_slice());
            assert_eq!(back, a);
        }
    }
}
