//! One column's texts: a text that is followed by the same text is kept once.

use std::ops::Range;

/// Runs of equal texts, each as long as it can be. Most columns of text say the same over all rows of a cell.
#[derive(Clone, Debug, Default)]
pub(crate) struct Texts {
    buffer: String,
    runs: Vec<Run>,
}

/// A text and the rows that hold it; both begin where the run before ends.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// The end of the text in the buffer.
    text: usize,
    /// The row after the last one.
    rows: usize,
}

impl Texts {
    pub(crate) fn len(&self) -> usize {
        self.runs.last().map_or(0, |run| run.rows)
    }

    /// About how much memory they take.
    pub(crate) fn bytes(&self) -> usize {
        self.buffer.len() + size_of_val(self.runs.as_slice())
    }

    pub(crate) fn push(&mut self, text: &str) {
        self.repeat(text, 1);
    }

    pub(crate) fn repeat(&mut self, text: &str, n: usize) {
        if n == 0 {
            return;
        }
        let (rows, last) = (self.len(), self.runs.len().checked_sub(1));
        match last {
            Some(last) if self.text(last) == text => self.runs[last].rows += n,
            _ => {
                self.buffer.push_str(text);
                self.runs.push(Run { text: self.buffer.len(), rows: rows + n });
            }
        }
    }

    /// The text of a row, found among the runs.
    pub(crate) fn get(&self, row: usize) -> &str {
        self.text(self.run_of(row))
    }

    /// The texts of these rows, each with how many rows in a row hold it.
    pub(crate) fn runs(&self, rows: Range<usize>) -> impl Iterator<Item = (&str, usize)> {
        let runs = self.run_of(rows.start)..self.runs.len();
        let within = move |run: usize| {
            let start = if run == 0 { 0 } else { self.runs[run - 1].rows };
            (run, start.max(rows.start)..self.runs[run].rows.min(rows.end))
        };
        runs.map(within).take_while(|(_, rows)| !rows.is_empty()).map(|(run, rows)| (self.text(run), rows.len()))
    }

    /// The text of every row.
    pub(crate) fn all(&self) -> impl Iterator<Item = &str> {
        self.runs(0..self.len()).flat_map(|(text, rows)| std::iter::repeat_n(text, rows))
    }

    pub(crate) fn append_range(&mut self, other: &Texts, range: Range<usize>) {
        other.runs(range).for_each(|(text, rows)| self.repeat(text, rows));
    }

    /// Forgets them, and returns how many bytes are kept for others.
    pub(crate) fn clear(&mut self) -> usize {
        self.buffer.clear();
        self.runs.clear();
        self.buffer.capacity() + self.runs.capacity() * size_of::<Run>()
    }

    fn run_of(&self, row: usize) -> usize {
        self.runs.partition_point(|run| run.rows <= row)
    }

    fn text(&self, run: usize) -> &str {
        let start = if run == 0 { 0 } else { self.runs[run - 1].text };
        &self.buffer[start..self.runs[run].text]
    }
}

impl<'a> FromIterator<&'a str> for Texts {
    fn from_iter<I: IntoIterator<Item = &'a str>>(texts: I) -> Self {
        let mut gathered = Texts::default();
        texts.into_iter().for_each(|text| gathered.push(text));
        gathered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_however_they_follow_each_other() {
        let words = ["", "", "a", "a", "a", "", "bc", "b", "c", "c"];
        let texts: Texts = words.into_iter().collect();
        assert_eq!((texts.len(), texts.runs.len()), (words.len(), 6));
        assert!(texts.all().eq(words));
        assert!(words.iter().enumerate().all(|(row, word)| texts.get(row) == *word));
        for start in 0..=words.len() {
            for end in start..=words.len() {
                let mut some: Texts = ["a"].into_iter().collect();
                some.append_range(&texts, start..end);
                assert!(some.all().skip(1).eq(words[start..end].iter().copied()), "{start}..{end}");
                let counted = texts.runs(start..end).map(|(_, rows)| rows).sum::<usize>();
                assert_eq!(counted, end - start);
                assert!(some.runs(1..some.len()).eq(texts.runs(start..end)), "{start}..{end}: the longest runs");
            }
        }
    }

    #[test]
    fn what_is_cleared_is_empty() {
        let mut texts: Texts = ["a", "b"].into_iter().collect();
        texts.clear();
        texts.repeat("b", 0);
        assert_eq!((texts.len(), texts.bytes()), (0, 0));
        texts.repeat("b", 2);
        assert!(texts.all().eq(["b", "b"]));
    }
}
