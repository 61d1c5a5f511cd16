//! How far a slate is past a hard cap (R4.2–R4.6, R4.11), also one that is still being filled.

use std::collections::HashMap;

use crate::eval::{CapState, Matches};
use crate::program::{Cap, CapSpan, Program};

/// A hard cap on the candidates of one request.
pub struct HardCap {
    pub name: String,
    pub least: bool,
    pub span: CapSpan,
    pub refuse: bool,
    bound: Bounds,
    /// By candidate: whether it matches, and the number of its KEY.
    matching: Vec<bool>,
    keys: Vec<u32>,
    per_key: bool,
    /// Of a session: items shown before, and the matching ones by KEY.
    shown: u64,
    before: Vec<u64>,
}

/// The bound for every number of members that a slate may have.
struct Bounds(Vec<u64>);

impl Bounds {
    fn of(&self, n: usize) -> u64 {
        self.0.get(n).copied().unwrap_or(0)
    }
}

impl HardCap {
    /// The cap on these rows; none where it is not hard.
    pub fn of(
        program: &Program,
        cap: &Cap,
        matches: &Matches,
        state: Option<&CapState>,
        rows: &[u32],
        places: usize,
    ) -> Option<Self> {
        let refuse = cap.hard?;
        let session = cap.span_kind == CapSpan::Session;
        let state = state.filter(|_| session);
        let shown = state.and_then(|s| s.shown).unwrap_or(0);
        let longest = match cap.span_kind {
            CapSpan::InRow(k) => places.max(k as usize),
            _ => places,
        };
        let bound = (0..=longest).map(|n| {
            let n = n as u64 + shown;
            if cap.least { program.required(cap.bound, n) } else { program.allowed(cap.bound, n) }
        });
        let seen = state.and_then(|s| s.matching.as_ref());
        let before = matches.key_texts.iter().map(|key| {
            let key = cap.per.is_some().then_some(key.as_str());
            seen.map_or(0, |m| m.of(key))
        });
        let at = |row: &u32| *row as usize;
        Some(Self {
            name: cap.name.clone(),
            least: cap.least,
            span: cap.span_kind,
            refuse,
            bound: Bounds(bound.collect()),
            matching: rows.iter().map(|r| matches.is.get(at(r)).copied().unwrap_or(false)).collect(),
            keys: rows.iter().map(|r| matches.keys.get(at(r)).copied().unwrap_or(0)).collect(),
            per_key: cap.per.is_some(),
            shown,
            before: before.collect(),
        })
    }

    /// Whether a candidate is of the cap's class.
    pub fn matches(&self, candidate: usize) -> bool {
        self.matching.get(candidate).copied().unwrap_or(false)
    }

    /// What tells candidates apart for this cap: outside the class all are alike.
    pub fn class(&self, candidate: usize) -> Option<u32> {
        self.matches(candidate).then(|| self.key(candidate))
    }

    fn key(&self, candidate: usize) -> u32 {
        self.keys.get(candidate).copied().unwrap_or(0)
    }

    /// Whether it looks at the places of a slate, or only at who is on it.
    pub fn is_ordered(&self) -> bool {
        matches!(self.span, CapSpan::First(_) | CapSpan::InRow(_))
    }

    /// Matching items of a key that a session was shown before.
    pub fn before(&self, key: u32) -> u64 {
        self.before.get(key as usize).copied().unwrap_or(0)
    }

    /// How many matching members (of one key) a slate of `n` allows, or how many it requires.
    pub fn bound(&self, n: usize) -> u64 {
        self.bound.of(n)
    }

    /// The least excess that a slate of `full` members can have which begins with these. `supply` says how
    /// many matching candidates are left.
    pub fn excess(&self, members: &[usize], full: usize, supply: usize) -> u64 {
        match self.span {
            CapSpan::InRow(k) => self.excess_in_row(members, full, k as usize),
            CapSpan::First(k) => {
                let n = full.min(k as usize);
                self.counted(members.get(..n).unwrap_or(members), n, supply)
            }
            _ => self.counted(members, full, supply),
        }
    }

    fn counted(&self, members: &[usize], full: usize, supply: usize) -> u64 {
        let bound = self.bound.of(full);
        if self.least {
            let matching = members.iter().filter(|c| self.matches(**c)).count();
            let to_come = (full - members.len()).min(supply);
            return bound.saturating_sub(self.before(0) + (matching + to_come) as u64);
        }
        let mut by_key: HashMap<u32, u64> = HashMap::new();
        let mut over = 0;
        for candidate in members.iter().filter(|c| self.matches(**c)) {
            let key = self.key(*candidate);
            let count = by_key.entry(key).or_insert_with(|| self.before(key));
            *count += 1;
            over += u64::from(*count > bound);
        }
        over
    }

    /// Of `at most` each member past the bound of the K up to it counts (R4.3); of `at least` what each K
    /// whole places lack.
    fn excess_in_row(&self, members: &[usize], full: usize, k: usize) -> u64 {
        let bound = self.bound.of(k);
        if self.least {
            let lacks = |from: usize| {
                let window = members.get(from..(from + k).min(members.len())).unwrap_or(&[]);
                let open = from + k - (from + window.len());
                let matching = window.iter().filter(|c| self.matches(**c)).count() + open;
                bound.saturating_sub(matching as u64)
            };
            return (0..(full + 1).saturating_sub(k)).map(lacks).sum();
        }
        let mut over = 0;
        for (place, candidate) in members.iter().enumerate().filter(|(_, c)| self.matches(**c)) {
            let from = (place + 1).saturating_sub(k);
            let window = members.get(from..=place).unwrap_or(&[]);
            let same = |c: &&usize| self.matches(**c) && self.key(**c) == self.key(*candidate);
            over += u64::from(window.iter().filter(same).count() as u64 > bound);
        }
        over
    }

    /// How many different keys its class has among the candidates; none for a cap without KEY.
    pub fn keys(&self) -> Option<usize> {
        let keys: std::collections::BTreeSet<u32> = (0..self.matching.len()).filter_map(|c| self.class(c)).collect();
        self.per_key.then_some(keys.len())
    }

    /// Items that the session was shown before.
    pub fn shown(&self) -> u64 {
        self.shown
    }
}
