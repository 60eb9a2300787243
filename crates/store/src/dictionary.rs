//! Numbers by their place among the different ones, where few of many are different.

/// The most different numbers that are worth a dictionary: places of more would take as long to find as to compress.
const MOST: usize = 1 << 13;

/// Of so many numbers one may be different: of a quarter of them the dictionary and the places take half the room.
const SHARE: usize = 4;

/// So many numbers are looked at first. If 8192 are different, two of these are equal but once in a thousand times.
const SAMPLE: usize = 384;

const FREE: u16 = u16::MAX;

/// Finds the different ones among numbers of eight bytes; its memory serves one column after the other.
#[derive(Debug, Default)]
pub(crate) struct Dictionary {
    /// The different ones as they appear, and where they are looked for.
    entries: Vec<[u8; 8]>,
    slots: Vec<u16>,
    places: Vec<u32>,
}

impl Dictionary {
    /// Looks at these numbers; false, and nothing found, if too many of them are different. Equal are equal bits.
    pub(crate) fn find(&mut self, numbers: &[[u8; 8]]) -> bool {
        let most = (numbers.len() / SHARE).min(MOST);
        if numbers.len() > SHARE * SAMPLE && !self.repeats(numbers) {
            return false;
        }
        let bits = self.clear(most);
        let Some(mut before) = numbers.first().filter(|_| most > 0).map(|first| !u64::from_le_bytes(*first)) else {
            return false;
        };
        let mut place = 0;
        for number in numbers {
            let value = u64::from_le_bytes(*number);
            if value != before {
                let Some(found) = self.place(value, bits, most) else { return false };
                (before, place) = (value, found);
            }
            self.places.push(place);
        }
        true
    }

    /// Whether any two are equal of some that stand at irregular distances: at regular ones, those of a grid that comes again
    /// and again could all differ.
    fn repeats(&mut self, numbers: &[[u8; 8]]) -> bool {
        let bits = self.clear(SAMPLE);
        let stride = numbers.len() / SAMPLE;
        (0..SAMPLE).any(|at| {
            let jump = mixed(at as u64 + 1) as usize % stride;
            let number = u64::from_le_bytes(numbers[at * stride + jump]);
            let known = self.entries.len();
            self.place(number, bits, SAMPLE).is_some() && self.entries.len() == known
        })
    }

    /// Makes room for this many entries; returns the bits of a slot's number.
    fn clear(&mut self, most: usize) -> u32 {
        let bits = (2 * most).next_power_of_two().trailing_zeros();
        self.slots.clear();
        self.slots.resize(1 << bits, FREE);
        self.entries.clear();
        self.places.clear();
        bits
    }

    /// Where a number is in the dictionary, at whose end it is put if it is new and there is room.
    fn place(&mut self, value: u64, bits: u32, most: usize) -> Option<u32> {
        let mut slot = (mixed(value) >> (64 - bits)) as usize;
        loop {
            match self.slots[slot] {
                FREE if self.entries.len() == most => return None,
                FREE => {
                    self.slots[slot] = self.entries.len() as u16;
                    self.entries.push(value.to_le_bytes());
                    return Some(self.entries.len() as u32 - 1);
                }
                entry if self.entries[entry as usize] == value.to_le_bytes() => return Some(u32::from(entry)),
                _ => slot = (slot + 1) & (self.slots.len() - 1),
            }
        }
    }

    /// The different numbers of the last look, in the order in which they appeared.
    pub(crate) fn entries(&self) -> &[[u8; 8]] {
        &self.entries
    }

    /// Of every number, which of the different ones it is.
    pub(crate) fn places(&self) -> &[u32] {
        &self.places
    }
}

/// Fibonacci hashing, of numbers whose low bits may all be zero, as those of whole numbers in floating point.
fn mixed(value: u64) -> u64 {
    (value ^ value >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(numbers: impl IntoIterator<Item = u64>) -> Option<Vec<u64>> {
        let numbers: Vec<[u8; 8]> = numbers.into_iter().map(u64::to_le_bytes).collect();
        let mut dictionary = Dictionary::default();
        dictionary.find(&numbers).then(|| {
            let told = dictionary.places().iter().map(|place| dictionary.entries()[*place as usize]);
            assert!(told.eq(numbers.iter().copied()));
            dictionary.entries().iter().map(|entry| u64::from_le_bytes(*entry)).collect()
        })
    }

    #[test]
    fn few_different_numbers_are_found_in_their_order() {
        assert_eq!(found([9, 9, 7, 9, 0, 0, 9, 9, 7, 7, 0, 9]), Some(vec![9, 7, 0]));
        assert_eq!(found([u64::MAX; 4]), Some(vec![u64::MAX]));
        let whole = |x: u64| (x as f64).to_bits();
        assert_eq!(found((0..40_000).map(|i| whole(i % 5000))), Some((0..5000).map(whole).collect()));
    }

    #[test]
    fn no_length_of_a_grid_escapes_the_sample() {
        let rows = 1 << 15;
        for period in (1..=rows / SHARE as u64).filter(|period| period % 61 == 0 || period.is_power_of_two()) {
            let found = found((0..rows).map(|row| mixed(row % period))).map(|entries| entries.len());
            assert_eq!(found, Some(period as usize));
        }
    }

    #[test]
    fn more_than_a_quarter_is_too_many() {
        assert_eq!(found((0..400).map(|i| i % 100)).map(|entries| entries.len()), Some(100));
        assert_eq!(found((0..400).map(|i| i % 101)), None);
        assert_eq!(found([1, 1, 1]), None, "three numbers are none that repeat");
        assert_eq!(found([]), None);
        assert_eq!(found((0..100_000).map(|i| i % (MOST as u64 + 1))), None);
    }
}
