//! Numbers that begin where a cache line does.

use std::ops::{Deref, DerefMut};

/// Numbers in a cache line, which is as long as the widest vector.
const LINE: usize = 8;

/// A list of fixed length whose vectors never lie across two cache lines, which would be read one after the other.
///
/// Eight lanes of one entry are one line. It is a slice in everything else.
#[derive(Debug)]
pub struct Aligned {
    data: Vec<f64>,
    start: usize,
    len: usize,
}

impl Aligned {
    /// So many zeros. None are no allocation.
    pub fn zeros(len: usize) -> Self {
        if len == 0 {
            return Self { data: Vec::new(), start: 0, len };
        }
        let data = vec![0.0; len + LINE - 1];
        // Where no place is known to be aligned, any place serves.
        let start = data.as_ptr().align_offset(LINE * size_of::<f64>()).min(LINE - 1);
        Self { data, start, len }
    }
}

impl Deref for Aligned {
    type Target = [f64];

    #[inline]
    fn deref(&self) -> &[f64] {
        &self.data[self.start..self.start + self.len]
    }
}

impl DerefMut for Aligned {
    #[inline]
    fn deref_mut(&mut self) -> &mut [f64] {
        &mut self.data[self.start..self.start + self.len]
    }
}

impl Default for Aligned {
    fn default() -> Self {
        Self::zeros(0)
    }
}

impl Clone for Aligned {
    fn clone(&self) -> Self {
        self.iter().copied().collect()
    }
}

impl FromIterator<f64> for Aligned {
    fn from_iter<I: IntoIterator<Item = f64>>(numbers: I) -> Self {
        let numbers: Vec<f64> = numbers.into_iter().collect();
        let mut aligned = Self::zeros(numbers.len());
        aligned.copy_from_slice(&numbers);
        aligned
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn begins_at_a_line_and_keeps_its_numbers() {
        for len in [1, 7, 8, 1000] {
            let numbers: Aligned = (0..len).map(|i| i as f64).collect();
            let copy = numbers.clone();
            assert_eq!((numbers.len(), &*numbers), (len, &*copy));
            assert!(numbers.iter().enumerate().all(|(i, x)| x.to_bits() == (i as f64).to_bits()));
            assert!(copy.as_ptr().addr().is_multiple_of(64) && numbers.as_ptr().addr().is_multiple_of(64));
        }
    }
}
