//! SIDs of a request as a tree: what they begin with in common is worked out once.
//!
//! Of 32 beams all share the empty prefix, and many their first codes: teacher-forced one by one, each of them would
//! work it out again.

use std::collections::BTreeMap;

/// SIDs of one request, and their distinct prefixes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    levels: usize,
    codes: Vec<u32>,
    /// By level, for each distinct prefix of so many codes, in the order they are met: a SID that begins with it.
    heads: Vec<Vec<u32>>,
    /// By level, for each SID, the place of its prefix among them.
    places: Vec<Vec<u32>>,
}

impl Tree {
    /// Of SIDs of `levels` codes, one behind the other.
    #[must_use]
    pub fn new(codes: Vec<u32>, levels: usize) -> Self {
        let n = codes.len() / levels.max(1);
        let (mut heads, mut places) = (vec![vec![0]], vec![vec![0; n]]);
        for level in 1..levels {
            let (mut known, mut own, mut heads_of) = (BTreeMap::new(), Vec::with_capacity(n), Vec::new());
            let before = places.last().map_or(&[][..], Vec::as_slice);
            for (sid, (parent, codes)) in before.iter().zip(codes.chunks(levels)).enumerate() {
                let code = codes.get(level - 1).copied().unwrap_or(0);
                let place = *known.entry((*parent, code)).or_insert_with(|| {
                    heads_of.push(sid as u32);
                    heads_of.len() as u32 - 1
                });
                own.push(place);
            }
            heads.push(heads_of);
            places.push(own);
        }
        Self { levels, codes, heads, places }
    }

    /// The SIDs, in the order given.
    pub fn sids(&self) -> impl ExactSizeIterator<Item = &[u32]> {
        self.codes.chunks(self.levels.max(1))
    }

    /// The distinct prefixes of `level` codes.
    pub fn prefixes(&self, level: usize) -> impl Iterator<Item = &[u32]> {
        let at = move |sid: &u32| {
            let from = *sid as usize * self.levels;
            self.codes.get(from..from + level).unwrap_or(&[])
        };
        self.heads.get(level).map_or(&[][..], Vec::as_slice).iter().map(at)
    }

    /// For each SID the place of its prefix of `level` codes among the distinct ones.
    #[must_use]
    pub fn places(&self, level: usize) -> &[u32] {
        self.places.get(level).map_or(&[], Vec::as_slice)
    }

    /// A prefix of `level` codes, from 1: the place of the prefix it goes on from, and its last code.
    #[must_use]
    pub fn step(&self, level: usize, place: usize) -> Option<(u32, u32)> {
        let sid = *self.heads.get(level)?.get(place)? as usize;
        let code = self.codes.get((sid * self.levels + level).checked_sub(1)?)?;
        Some((*self.places.get(level.checked_sub(1)?)?.get(sid)?, *code))
    }

    /// The most prefixes of `level` codes that one of some trees has: rows of each when they lie side by side, tree
    /// t's place p in row `t · width + p`.
    #[must_use]
    pub fn width(trees: &[Self], level: usize) -> usize {
        trees.iter().map(|t| t.heads.get(level).map_or(0, Vec::len)).max().unwrap_or(0)
    }

    /// The row of each SID's prefix of `level` codes, tree by tree.
    #[must_use]
    pub fn rows(trees: &[Self], level: usize) -> Vec<u32> {
        let width = Self::width(trees, level);
        let of = |(t, tree): (usize, &Self)| {
            tree.places(level).iter().map(|place| (t * width) as u32 + place).collect::<Vec<_>>()
        };
        trees.iter().enumerate().flat_map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Tree;

    #[test]
    fn what_is_common_stands_once() {
        let tree = Tree::new(vec![1, 2, 3, 1, 2, 4, 5, 2, 3, 1, 7, 3, 1, 2, 3], 3);
        let prefixes = |level| tree.prefixes(level).map(<[u32]>::to_vec).collect::<Vec<_>>();
        assert_eq!(prefixes(0), [Vec::<u32>::new()]);
        assert_eq!(prefixes(1), [[1], [5]]);
        assert_eq!(prefixes(2), [[1, 2], [5, 2], [1, 7]]);
        assert_eq!(tree.places(2), [0, 0, 1, 2, 0]);
        assert_eq!((tree.step(2, 1), tree.step(2, 2), tree.step(2, 3)), (Some((1, 2)), Some((0, 7)), None));
        assert_eq!((tree.step(1, 1), tree.sids().len()), (Some((0, 5)), 5));
        let both = [Tree::new(vec![0, 0, 0], 3), tree];
        assert_eq!((Tree::width(&both, 2), Tree::rows(&both, 2)), (3, vec![0, 3, 3, 4, 5, 3]));
        // A request for which nothing was written has the empty prefix alone.
        let none = [Tree::new(vec![], 3)];
        assert_eq!((Tree::width(&none, 0), Tree::width(&none, 1)), (1, 0));
    }
}
