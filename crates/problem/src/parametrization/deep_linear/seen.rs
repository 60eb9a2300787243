//! The last factor where the loss sees only some entries of the product.

use taut_numerics::{PaddedColumns, Pattern};

/// W_N⋯W₁ at some entries, with what the last factor and the product below it do there: three products of 3N − 2 that
/// cost as many inner products as there are entries.
///
/// Layers are those of [`super::Product`], transposed if it is flipped.
pub(super) struct Seen {
    pattern: Pattern,
    /// Where each entry lies in β as it is stored.
    places: Vec<usize>,
    /// Its residual, or the entry itself.
    values: Vec<f64>,
    flipped: bool,
    /// W_Nᵀ.
    last: PaddedColumns,
    /// W_{N−1}⋯W₁.
    below: PaddedColumns,
    /// W_Nᵀg.
    down: PaddedColumns,
}

impl Seen {
    /// Entries of a rows × columns product whose last factor has `inner` columns; places are those of what is stored,
    /// which is the transpose if `flipped`.
    pub(super) fn new([rows, inner, columns]: [usize; 3], places: &[usize], flipped: bool) -> Self {
        let named =
            |place: &usize| if flipped { [place / columns, place % columns] } else { [place % rows, place / rows] };
        let named: Vec<[usize; 2]> = places.iter().map(named).collect();
        Self {
            pattern: Pattern::new(rows, columns, &named),
            places: places.to_vec(),
            values: vec![0.0; places.len()],
            flipped,
            last: PaddedColumns::zeros(inner, rows),
            below: PaddedColumns::zeros(inner, columns),
            down: PaddedColumns::zeros(inner, columns),
        }
    }

    /// Writes the entries of the product into β, from the last factor and the product below it.
    pub(super) fn predict(&mut self, last: &[f64], below: &[f64], beta: &mut [f64]) {
        if self.flipped {
            self.last.copy_from(last);
            self.below.copy_from_transposed(below);
        } else {
            self.last.copy_from_transposed(last);
            self.below.copy_from(below);
        }
        self.pattern.sample_into(&self.last, &self.below, &mut self.values);
        for (place, value) in self.places.iter().zip(&self.values) {
            beta[*place] = *value;
        }
    }

    /// Writes W_Nᵀg into `down`, and moves W_N by −s·g(W_{N−1}⋯W₁)ᵀ, for the factors of the last prediction.
    pub(super) fn descend(&mut self, s: f64, g: &[f64], last: &mut [f64], down: &mut [f64]) {
        for (value, place) in self.values.iter_mut().zip(&self.places) {
            *value = g[*place];
        }
        self.pattern.multiply_into(&self.values, &self.last, &mut self.down);
        self.pattern.subtract_transposed(s, &self.values, &self.below, &mut self.last);
        if self.flipped {
            self.down.copy_into_transposed(down);
            self.last.copy_into(last);
        } else {
            self.down.copy_into(down);
            self.last.copy_into_transposed(last);
        }
    }
}
