//! SIDs as one sorted array: what stands behind one, and what may follow a prefix, by binary search.

use std::ops::Range;

/// Codes row by row, ascending.
#[derive(Clone, Copy, Debug)]
pub struct SortedSids<'a> {
    pub codes: &'a [u32],
    pub levels: usize,
}

impl SortedSids<'_> {
    fn len(&self) -> usize {
        self.codes.len() / self.levels.max(1)
    }

    /// Rows that begin with a prefix.
    fn beginning(&self, prefix: &[u32]) -> Range<usize> {
        let row = |i: usize| self.codes.get(i * self.levels..i * self.levels + prefix.len()).unwrap_or(&[]);
        let first = partition(0..self.len(), |i| row(i) < prefix);
        let end = partition(first..self.len(), |i| row(i) <= prefix);
        first..end
    }

    /// The same in numbers of places; none for more codes than a SID has.
    pub fn beneath(&self, prefix: &[u32]) -> Range<u32> {
        if prefix.len() > self.levels {
            return 0..0;
        }
        let rows = self.beginning(prefix);
        rows.start as u32..rows.end as u32
    }

    /// The codes behind a prefix, ascending.
    pub fn allowed(&self, prefix: &[u32], next: &mut Vec<u32>) {
        next.clear();
        if prefix.len() >= self.levels {
            return;
        }
        let rows = self.beginning(prefix);
        let code = |i: usize| self.codes.get(i * self.levels + prefix.len()).copied().unwrap_or(u32::MAX);
        let mut at = rows.start;
        while at < rows.end {
            let found = code(at);
            next.push(found);
            at = partition(at..rows.end, |i| code(i) <= found);
        }
    }
}

/// The first of a range for which `before` does not hold; it holds for a beginning of the range only.
pub fn partition(range: Range<usize>, before: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (range.start, range.end);
    while low < high {
        let middle = low + (high - low) / 2;
        if before(middle) { low = middle + 1 } else { high = middle }
    }
    low
}
