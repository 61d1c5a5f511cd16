//! What may be written: all SIDs of a catalog, or those that are left when rules have taken some away.
//!
//! Edges: a prefix behind which nothing is legal has no next code; a whole SID has none; a request of which
//! nothing is known to be taken away may write whatever stands for all.

use std::ops::Range;

use super::Catalog;

/// Which codes may follow what was written.
pub trait Mask: Sync {
    /// The codes that may follow a prefix in a request, ascending, into `next` (emptied first).
    fn next(&self, request: usize, prefix: &[u32], next: &mut Vec<u32>);

    /// Whether everything may follow everywhere: what is decoded under it is not masked.
    fn is_free(&self) -> bool {
        false
    }
}

/// No mask: any code of a level may follow. What is written may stand for no item.
#[derive(Clone, Copy, Debug)]
pub struct Free<'s> {
    /// Codes of each level.
    pub shape: &'s [u32],
}

impl Mask for Free<'_> {
    fn next(&self, _: usize, prefix: &[u32], next: &mut Vec<u32>) {
        next.clear();
        next.extend(0..self.shape.get(prefix.len()).copied().unwrap_or(0));
    }

    fn is_free(&self) -> bool {
        true
    }
}

/// The legal SIDs of a catalog, for a batch of requests.
#[derive(Clone, Copy)]
pub struct Legal<'c> {
    catalog: &'c dyn Catalog,
    taken: Option<&'c Taken>,
}

/// What rules take away: places of [`Catalog::by_sid`], those of one SID always together.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    /// By place how many places in front of it are left for everybody; empty: all are.
    left: Vec<u32>,
    /// By request the places that are taken away from it besides, ascending.
    of_request: Vec<Vec<u32>>,
}

impl Taken {
    /// By place whether it is left for everybody.
    #[must_use]
    pub fn for_all(is_left: &[bool]) -> Self {
        let mut left = vec![0];
        let mut n = 0;
        left.extend(is_left.iter().map(|is| {
            n += u32::from(*is);
            n
        }));
        if n as usize == is_left.len() {
            left.clear();
        }
        Self { left, of_request: Vec::new() }
    }

    /// Whether a place is left for everybody.
    #[must_use]
    pub fn is_left(&self, place: u32) -> bool {
        self.left.is_empty() || self.for_everybody(place..place + 1) == 1
    }

    /// Takes places away from one request more: ascending, each once, none of which is taken from everybody.
    pub fn push(&mut self, places: Vec<u32>) {
        self.of_request.push(places);
    }

    /// Forgets the requests.
    pub fn clear_requests(&mut self) {
        self.of_request.clear();
    }

    fn for_everybody(&self, places: Range<u32>) -> u32 {
        match (self.left.get(places.start as usize), self.left.get(places.end as usize)) {
            (Some(before), Some(to)) => to - before,
            _ => places.end - places.start,
        }
    }

    /// How many places of a range are left for a request.
    fn count(&self, request: usize, places: Range<u32>) -> u32 {
        let own = self.of_request.get(request).map_or(&[][..], Vec::as_slice);
        let from = own.partition_point(|p| *p < places.start);
        let to = own.partition_point(|p| *p < places.end);
        self.for_everybody(places) - (to - from) as u32
    }
}

impl<'c> Legal<'c> {
    /// Every SID that stands for an item.
    #[must_use]
    pub fn all(catalog: &'c dyn Catalog) -> Self {
        Self { catalog, taken: None }
    }

    /// Those that are left.
    #[must_use]
    pub fn without(catalog: &'c dyn Catalog, taken: &'c Taken) -> Self {
        Self { catalog, taken: Some(taken) }
    }

    /// How many items' SIDs that begin with a prefix a request may write.
    #[must_use]
    pub fn beneath(&self, request: usize, prefix: &[u32]) -> u32 {
        let places = self.catalog.beneath(prefix);
        self.taken.map_or(places.end - places.start, |taken| taken.count(request, places))
    }

    /// Whether a request may write this SID.
    #[must_use]
    pub fn allows(&self, request: usize, sid: &[u32]) -> bool {
        sid.len() == self.catalog.n_levels() && self.beneath(request, sid) > 0
    }

    /// The items that a request may write and whose SID begins with a prefix, in the order of SIDs.
    #[must_use]
    pub fn items(&self, request: usize, prefix: &[u32]) -> Vec<u32> {
        let order = self.catalog.by_sid();
        let left = |place: &u32| self.taken.is_none_or(|taken| taken.count(request, *place..*place + 1) == 1);
        self.catalog.beneath(prefix).filter(left).filter_map(|place| order.get(place as usize).copied()).collect()
    }
}

impl Mask for Legal<'_> {
    fn next(&self, request: usize, prefix: &[u32], next: &mut Vec<u32>) {
        self.catalog.allowed(prefix, next);
        let Some(taken) = self.taken else { return };
        let mut longer = prefix.to_vec();
        longer.push(0);
        next.retain(|code| {
            if let Some(last) = longer.last_mut() {
                *last = *code;
            }
            taken.count(request, self.catalog.beneath(&longer)) > 0
        });
    }
}

/// The next codes of many prefixes in the forms that decoders take: a list a row, rows of compressed sparse
/// form (CSR), bits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NextCodes {
    /// The codes of all rows, ascending within each.
    pub codes: Vec<u32>,
    /// Row i has `codes[offsets[i]..offsets[i + 1]]`.
    pub offsets: Vec<u32>,
}

impl NextCodes {
    /// Of rows of a request and a prefix each.
    pub fn of<'p>(mask: &dyn Mask, rows: impl IntoIterator<Item = (usize, &'p [u32])>) -> Self {
        let mut found = Self { codes: Vec::new(), offsets: vec![0] };
        let mut next = Vec::new();
        for (request, prefix) in rows {
            mask.next(request, prefix, &mut next);
            found.codes.extend_from_slice(&next);
            found.offsets.push(found.codes.len() as u32);
        }
        found
    }

    /// The codes of each row.
    pub fn rows(&self) -> impl Iterator<Item = &[u32]> {
        let row = |w: &[u32]| if let [a, b] = w { self.codes.get(*a as usize..*b as usize) } else { None };
        self.offsets.windows(2).map(move |w| row(w).unwrap_or(&[]))
    }

    /// A bit a code, `n_codes` to a row, the lowest bit of a word first; rows begin with a word.
    #[must_use]
    pub fn bits(&self, n_codes: u32) -> Vec<u32> {
        let words = n_codes.div_ceil(32) as usize;
        let mut bits = vec![0_u32; words * self.offsets.len().saturating_sub(1)];
        for (row, codes) in bits.chunks_mut(words.max(1)).zip(self.rows()) {
            for code in codes {
                if let Some(word) = row.get_mut(*code as usize / 32) {
                    *word |= 1 << (code % 32);
                }
            }
        }
        bits
    }
}
