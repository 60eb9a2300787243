//! What moves of a trajectory, written down exactly and put back into one that was built from the same problem.

use crate::Clock;

/// Everything that moved of something at one moment: named lists of 64-bit words, in the order in which they are visited.
///
/// Numbers keep their bits, also those that are none. Plain bytes, the same on every machine: name (one byte of length,
/// then UTF-8), number of words and words, little-endian, entry after entry.
#[derive(Clone, PartialEq, Eq)]
pub struct State {
    bytes: Vec<u8>,
}

/// Why a state was not put back; nothing has changed then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// It is of something else, or of another shape.
    #[error("the state does not fit at `{entry}`: it is of another problem; start anew")]
    OtherShape {
        /// The first entry that does not fit; empty if the state goes on where it should end.
        entry: &'static str,
    },
    /// What should take it up remembers nothing.
    #[error("this motion keeps no state; start anew")]
    NothingKept,
}

/// Goes through all that is remembered, to write it down, to compare it with a state, or to put that back.
///
/// Whoever remembers visits its entries in one fixed order, with lengths that follow from how it was built, and
/// afterwards makes what it derives from them, if [`Memory::restores`].
pub struct Memory<'a> {
    doing: Doing<'a>,
    trouble: Option<StateError>,
}

enum Doing<'a> {
    Saving(Vec<u8>),
    /// What is left of the state.
    Checking(&'a [u8]),
    Restoring(&'a [u8]),
}

/// A value that some 64-bit words hold exactly.
pub trait Exact: Copy {
    /// How many words.
    const WORDS: usize;

    /// Gives the words one after the other.
    fn write(self, word: &mut impl FnMut(u64));

    /// Takes so many words; `None` if they are no such value.
    fn read(words: &mut impl Iterator<Item = u64>) -> Option<Self>;
}

impl State {
    /// What is visited, written down; `None` if somebody on the way keeps no state.
    pub fn of(visit: impl FnOnce(&mut Memory<'_>)) -> Option<Self> {
        let mut memory = Memory { doing: Doing::Saving(Vec::new()), trouble: None };
        visit(&mut memory);
        match memory {
            Memory { doing: Doing::Saving(bytes), trouble: None } => Some(Self { bytes }),
            _ => None,
        }
    }

    /// Puts the state back: visits once to compare and, if all of it fits, once to restore.
    ///
    /// # Errors
    /// If it does not fit; nothing has changed then.
    pub fn restore(&self, mut visit: impl FnMut(&mut Memory<'_>)) -> Result<(), StateError> {
        for doing in [Doing::Checking(&self.bytes), Doing::Restoring(&self.bytes)] {
            let mut memory = Memory { doing, trouble: None };
            visit(&mut memory);
            memory.end()?;
        }
        Ok(())
    }

    /// The bytes to be kept.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// A state from bytes that were kept; what they are worth is seen when they are put back.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self { bytes }
    }
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a state of {} bytes", self.bytes.len())
    }
}

impl<'a> Memory<'a> {
    /// Values whose number is fixed by how their owner was built.
    pub fn values<T: Exact>(&mut self, entry: &'static str, values: &mut [T]) {
        let words = self.visit(entry, values, values.len(), |_| true);
        if let Some(mut words) = words.filter(|_| self.restores()) {
            values.iter_mut().for_each(|value| *value = T::read(&mut words).unwrap_or(*value));
        }
    }

    /// One value.
    pub fn value<T: Exact>(&mut self, entry: &'static str, value: &mut T) {
        self.values(entry, std::slice::from_mut(value));
    }

    /// Values that have to be below a bound, because memory is indexed by them.
    pub fn indices(&mut self, entry: &'static str, indices: &mut [usize], bound: usize) {
        let now: Vec<u64> = indices.iter().map(|index| *index as u64).collect();
        let words = self.visit(entry, &now, now.len(), |index| *index < bound as u64);
        if let Some(words) = words.filter(|_| self.restores()) {
            indices.iter_mut().zip(words).for_each(|(index, word)| *index = word as usize);
        }
    }

    /// A value that has to be the same in the state.
    pub fn fixed<T: Exact>(&mut self, entry: &'static str, value: T) {
        let words = |value: &T| {
            let mut words = Vec::with_capacity(T::WORDS);
            value.write(&mut |word| words.push(word));
            words
        };
        self.visit(entry, &[value], 1, |found| words(found) == words(&value));
    }

    /// How long lists are that grow on the way: the length now, or that in the state.
    pub fn length(&mut self, entry: &'static str, now: usize) -> usize {
        let words = self.visit(entry, &[now as u64], 1, |_| true);
        words.and_then(|mut words| words.next()).map_or(now, |length| usize::try_from(length).unwrap_or(usize::MAX))
    }

    /// A list that has grown to `length`, as [`Memory::length`] says.
    pub fn list<T: Exact>(&mut self, entry: &'static str, list: &mut Vec<T>, length: usize) {
        let words = self.visit(entry, list, length, |_| true);
        if let Some(mut words) = words.filter(|_| self.restores()) {
            list.clear();
            list.extend((0..length).map_while(|_| T::read(&mut words)));
        }
    }

    /// Says that something of this cannot be remembered, so that all of it has no state.
    pub fn forget(&mut self) {
        self.trouble.get_or_insert(StateError::NothingKept);
    }

    /// Whether what was visited has been put back just now, and all that is made of it is to be made anew.
    pub fn restores(&self) -> bool {
        matches!(self.doing, Doing::Restoring(_)) && self.trouble.is_none()
    }

    /// One entry is written down, or compared with the state, whose words are returned.
    fn visit<T: Exact>(
        &mut self,
        entry: &'static str,
        now: &[T],
        length: usize,
        is_allowed: impl Fn(&T) -> bool,
    ) -> Option<Words<'a>> {
        if self.trouble.is_some() {
            return None;
        }
        let rest = match &mut self.doing {
            Doing::Saving(bytes) => {
                write_entry(bytes, entry, now);
                return None;
            }
            Doing::Checking(rest) | Doing::Restoring(rest) => rest,
        };
        let found = split_entry(rest, entry).filter(|(words, _)| length.checked_mul(8 * T::WORDS) == Some(words.len()));
        let found = found.map(|(words, after)| (Words(words.chunks_exact(8)), after)).filter(|(words, _)| {
            let mut words = words.clone();
            (0..length).all(|_| T::read(&mut words).as_ref().is_some_and(&is_allowed))
        });
        let Some((words, after)) = found else {
            self.trouble = Some(StateError::OtherShape { entry });
            return None;
        };
        *rest = after;
        Some(words)
    }

    fn end(self) -> Result<(), StateError> {
        match (self.trouble, self.doing) {
            (Some(trouble), _) => Err(trouble),
            (None, Doing::Checking([]) | Doing::Restoring([]) | Doing::Saving(_)) => Ok(()),
            (None, Doing::Checking(_) | Doing::Restoring(_)) => Err(StateError::OtherShape { entry: "" }),
        }
    }
}

/// The words of an entry.
#[derive(Clone)]
struct Words<'a>(std::slice::ChunksExact<'a, u8>);

impl Iterator for Words<'_> {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        self.0.next().and_then(|word| word.try_into().ok()).map(u64::from_le_bytes)
    }
}

fn write_entry<T: Exact>(bytes: &mut Vec<u8>, entry: &str, values: &[T]) {
    let words = values.len() * T::WORDS;
    bytes.reserve(1 + entry.len() + 8 * (1 + words));
    bytes.push(u8::try_from(entry.len()).expect("names of entries are short"));
    bytes.extend_from_slice(entry.as_bytes());
    bytes.extend_from_slice(&(words as u64).to_le_bytes());
    values.iter().for_each(|value| value.write(&mut |word| bytes.extend_from_slice(&word.to_le_bytes())));
}

/// The words of the next entry, if it has this name, and what comes after it.
fn split_entry<'a>(bytes: &'a [u8], entry: &str) -> Option<(&'a [u8], &'a [u8])> {
    let (length, rest) = bytes.split_first()?;
    let (name, rest) = rest.split_at_checked(usize::from(*length))?;
    let (words, rest) = rest.split_first_chunk::<8>()?;
    let words = usize::try_from(u64::from_le_bytes(*words)).ok()?.checked_mul(8)?;
    (name == entry.as_bytes()).then(|| rest.split_at_checked(words)).flatten()
}

impl Exact for u64 {
    const WORDS: usize = 1;

    fn write(self, word: &mut impl FnMut(u64)) {
        word(self);
    }

    fn read(words: &mut impl Iterator<Item = u64>) -> Option<Self> {
        words.next()
    }
}

impl Exact for f64 {
    const WORDS: usize = 1;

    fn write(self, word: &mut impl FnMut(u64)) {
        word(self.to_bits());
    }

    fn read(words: &mut impl Iterator<Item = u64>) -> Option<Self> {
        words.next().map(Self::from_bits)
    }
}

impl<T: Exact, const N: usize> Exact for [T; N] {
    const WORDS: usize = N * T::WORDS;

    fn write(self, word: &mut impl FnMut(u64)) {
        self.into_iter().for_each(|value| value.write(word));
    }

    fn read(words: &mut impl Iterator<Item = u64>) -> Option<Self> {
        let mut values = [T::read(words)?; N];
        for value in values.iter_mut().skip(1) {
            *value = T::read(words)?;
        }
        Some(values)
    }
}

impl<T: Exact> Exact for Option<T> {
    const WORDS: usize = 1 + T::WORDS;

    fn write(self, word: &mut impl FnMut(u64)) {
        word(u64::from(self.is_some()));
        match self {
            Some(value) => value.write(word),
            None => (0..T::WORDS).for_each(|_| word(0)),
        }
    }

    fn read(words: &mut impl Iterator<Item = u64>) -> Option<Self> {
        match words.next()? {
            1 => T::read(words).map(Some),
            0 => (0..T::WORDS).all(|_| words.next() == Some(0)).then_some(None),
            _ => None,
        }
    }
}

impl Exact for Clock {
    const WORDS: usize = 2;

    fn write(self, word: &mut impl FnMut(u64)) {
        let words = match self {
            Self::Step(step) => [0, step],
            Self::Time(time) => [1, time.to_bits()],
            Self::Limit => [2, 0],
        };
        words.into_iter().for_each(word);
    }

    fn read(words: &mut impl Iterator<Item = u64>) -> Option<Self> {
        match (words.next()?, words.next()?) {
            (0, step) => Some(Self::Step(step)),
            (1, time) if !f64::from_bits(time).is_nan() => Some(Self::Time(f64::from_bits(time))),
            (2, 0) => Some(Self::Limit),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Something of everything.
    #[derive(Clone, Debug)]
    struct Walker {
        level: f64,
        theta: Vec<f64>,
        step: u64,
        passed: Vec<Option<u64>>,
        lost: Option<f64>,
        clock: Clock,
        order: Vec<usize>,
        rows: Vec<Clock>,
        values: Vec<[f64; 2]>,
    }

    impl Walker {
        fn remember(&mut self, memory: &mut Memory<'_>) {
            memory.fixed("level", self.level);
            memory.values("theta", &mut self.theta);
            memory.value("step", &mut self.step);
            memory.values("passed", &mut self.passed);
            memory.value("lost", &mut self.lost);
            memory.value("clock", &mut self.clock);
            memory.indices("order", &mut self.order, 3);
            let rows = memory.length("rows", self.rows.len());
            memory.list("clocks", &mut self.rows, rows);
            memory.list("values", &mut self.values, rows);
        }

        fn state(&mut self) -> State {
            State::of(|memory| self.remember(memory)).unwrap()
        }

        fn restore(&mut self, state: &State) -> Result<(), StateError> {
            state.restore(|memory| self.remember(memory))
        }
    }

    fn moved() -> Walker {
        Walker {
            level: 0.25,
            theta: vec![-0.0, f64::from_bits(0x7ff8_0000_0000_0123), f64::NEG_INFINITY],
            step: u64::MAX,
            passed: vec![None, Some(0)],
            lost: Some(f64::NAN),
            clock: Clock::Limit,
            order: vec![2, 0, 1],
            rows: vec![Clock::Step(7), Clock::Time(0.5)],
            values: vec![[1.0, 2.0], [3.0, f64::MIN_POSITIVE]],
        }
    }

    fn fresh() -> Walker {
        Walker {
            level: 0.25,
            theta: vec![0.0; 3],
            step: 0,
            passed: vec![None; 2],
            lost: None,
            clock: Clock::Step(0),
            order: vec![0, 1, 2],
            rows: Vec::new(),
            values: Vec::new(),
        }
    }

    #[test]
    fn every_bit_comes_back() {
        let state = moved().state();
        let mut walker = fresh();
        walker.restore(&state).unwrap();
        assert_eq!(walker.state(), state);
        assert_eq!(format!("{walker:?}"), format!("{:?}", moved()));
        assert_eq!(walker.theta[1].to_bits(), moved().theta[1].to_bits());
        // Lists become shorter as well.
        walker.restore(&fresh().state()).unwrap();
        assert_eq!(walker.state(), fresh().state());
    }

    #[test]
    fn what_does_not_fit_changes_nothing() {
        let state = moved().state();
        let refused = |walker: Walker, state: &State, entry: &'static str| {
            let mut walker = walker;
            let before = walker.state();
            assert_eq!(walker.restore(state), Err(StateError::OtherShape { entry }));
            assert_eq!(walker.state(), before);
        };
        refused(Walker { level: 0.5, ..fresh() }, &state, "level");
        refused(Walker { theta: vec![0.0; 4], ..fresh() }, &state, "theta");
        refused(Walker { passed: vec![None; 3], ..fresh() }, &state, "passed");
        refused(fresh(), &Walker { order: vec![0, 1, 3], ..moved() }.state(), "order");
        refused(fresh(), &Walker { rows: vec![Clock::Limit], ..moved() }.state(), "values");
        refused(fresh(), &Walker { values: Vec::new(), ..moved() }.state(), "values");
        refused(fresh(), &State::from_bytes(Vec::new()), "level");
        let longer = State::from_bytes([state.as_bytes(), &[0]].concat());
        refused(fresh(), &longer, "");
    }

    #[test]
    fn no_cut_and_no_changed_byte_makes_a_panic() {
        let state = moved().state();
        let bytes = state.as_bytes();
        for end in 0..bytes.len() {
            assert!(fresh().restore(&State::from_bytes(bytes[..end].to_vec())).is_err(), "{end}");
        }
        for place in 0..bytes.len() {
            for flip in [1, 0x80, 0xff] {
                let mut other = bytes.to_vec();
                other[place] ^= flip;
                let other = State::from_bytes(other);
                let mut walker = fresh();
                // Whatever is taken is taken as it is.
                match walker.restore(&other) {
                    Ok(()) => assert_eq!(walker.state(), other, "{place}"),
                    Err(_) => assert_eq!(walker.state(), fresh().state(), "{place}"),
                }
            }
        }
    }

    #[test]
    fn whoever_forgets_has_no_state() {
        assert_eq!(State::of(|memory| memory.forget()), None);
        assert_eq!(fresh().state().restore(|memory| memory.forget()), Err(StateError::NothingKept));
    }
}
