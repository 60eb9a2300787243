//! Eight independent numbers side by side, so that the compiler fills a vector register.

/// Eight lanes.
pub(crate) type Lanes = [f64; 8];

/// a·b + c, lane by lane.
#[inline(always)]
pub(crate) fn fma(a: Lanes, b: Lanes, c: Lanes) -> Lanes {
    let mut out = [0.0; 8];
    for i in 0..8 {
        out[i] = f64::mul_add(a[i], b[i], c[i]);
    }
    out
}

/// a·b + c with one factor for all lanes.
#[inline(always)]
pub(crate) fn fma1(a: f64, b: Lanes, c: Lanes) -> Lanes {
    let mut out = [0.0; 8];
    for i in 0..8 {
        out[i] = f64::mul_add(a, b[i], c[i]);
    }
    out
}

/// a + b.
#[inline(always)]
pub(crate) fn add(a: Lanes, b: Lanes) -> Lanes {
    let mut out = [0.0; 8];
    for i in 0..8 {
        out[i] = a[i] + b[i];
    }
    out
}

/// a − b.
#[inline(always)]
pub(crate) fn sub(a: Lanes, b: Lanes) -> Lanes {
    let mut out = [0.0; 8];
    for i in 0..8 {
        out[i] = a[i] - b[i];
    }
    out
}

/// a·b.
#[inline(always)]
pub(crate) fn mul(a: Lanes, b: Lanes) -> Lanes {
    let mut out = [0.0; 8];
    for i in 0..8 {
        out[i] = a[i] * b[i];
    }
    out
}

/// √a.
#[inline(always)]
pub(crate) fn sqrt(a: Lanes) -> Lanes {
    let mut out = [0.0; 8];
    for i in 0..8 {
        out[i] = a[i].sqrt();
    }
    out
}

/// The sum of the lanes in a fixed order.
#[inline(always)]
pub(crate) fn total(a: Lanes) -> f64 {
    ((a[0] + a[4]) + (a[2] + a[6])) + ((a[1] + a[5]) + (a[3] + a[7]))
}

/// Eight numbers of a slice.
#[inline(always)]
pub(crate) fn load(from: &[f64]) -> Lanes {
    from[..8].try_into().expect("eight numbers were sliced")
}

/// A matrix product's right factor, cut into strips of sixteen columns that lie one after the other.
///
/// A strip stays in the nearest cache while all rows pass by it.
#[derive(Clone, Debug)]
pub(crate) struct Strips {
    inner: usize,
    strips: usize,
    table: Vec<f64>,
}

/// Columns of a strip.
pub(crate) const STRIP: usize = 16;

impl Strips {
    /// From a row-major inner × columns table; the last strip is filled up with zeros.
    pub(crate) fn new(table: &[f64], inner: usize, columns: usize) -> Self {
        let strips = columns.div_ceil(STRIP);
        let mut out = Vec::with_capacity(strips * inner * STRIP);
        for strip in 0..strips {
            for k in 0..inner {
                out.extend(
                    (strip * STRIP..(strip + 1) * STRIP)
                        .map(|j| if j < columns { table[k * columns + j] } else { 0.0 }),
                );
            }
        }
        Self { inner, strips, table: out }
    }

    /// A product becomes the right factor of the next: its rows are as they lie.
    pub(crate) fn of_product(product: Vec<f64>, rows: usize) -> Self {
        Self { inner: rows, strips: product.len() / (rows * STRIP).max(1), table: product }
    }

    /// The number of strips.
    pub(crate) fn strips(&self) -> usize {
        self.strips
    }

    /// a · table, with element (row, column) at \[(column / 16 · rows + row)·16 + column % 16\].
    pub(crate) fn product_into(&self, a: &[f64], rows: usize, out: &mut Vec<f64>) {
        out.resize(self.strips * rows * STRIP, 0.0);
        let a = &a[..rows * self.inner];
        for (strip, out) in out.chunks_exact_mut((rows * STRIP).max(1)).enumerate() {
            let table = &self.table[strip * self.inner * STRIP..(strip + 1) * self.inner * STRIP];
            taut_numerics::product_into(a, table, out, self.inner, STRIP);
        }
    }
}

/// Eight numbers of row `row`: columns 8·`eighth` and on.
#[inline(always)]
pub(crate) fn of_row(product: &[f64], rows: usize, row: usize, eighth: usize) -> Lanes {
    let at = ((eighth / 2) * rows + row) * STRIP + (eighth % 2) * 8;
    load(&product[at..at + 8])
}
