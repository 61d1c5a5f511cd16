//! What scoring gives: a fixed set of columns, a verdict for every candidate.

use std::collections::BTreeMap;

use crate::program::{Column, Program, columns};
use crate::types::{Decimal, Host};

/// Why a candidate cannot be scored: a closed list (R2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    NotANumber,
    OutOfRange,
    UnknownCategory,
    AbsentValue,
    BadSid,
    Padding,
    Repeated,
    SpanTooLong,
    SignalFailed,
}

impl Reason {
    /// All reasons.
    pub const ALL: [Reason; 9] = [
        Self::NotANumber,
        Self::OutOfRange,
        Self::UnknownCategory,
        Self::AbsentValue,
        Self::BadSid,
        Self::Padding,
        Self::Repeated,
        Self::SpanTooLong,
        Self::SignalFailed,
    ];

    /// The word in score files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotANumber => "not_a_number",
            Self::OutOfRange => "out_of_range",
            Self::UnknownCategory => "unknown_category",
            Self::AbsentValue => "absent_value",
            Self::BadSid => "bad_sid",
            Self::Padding => "padding",
            Self::Repeated => "repeated",
            Self::SpanTooLong => "span_too_long",
            Self::SignalFailed => "signal_failed",
        }
    }
}

/// What became of a candidate (R2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    Scored,
    /// Failed this rule; its reward is the rule's VALUE.
    Illegal(u32),
    /// Failed this rule and has no reward.
    Dropped(u32),
    Unscorable(Reason),
}

impl Verdict {
    /// The word in score files.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Scored => "scored",
            Self::Illegal(_) => "illegal",
            Self::Dropped(_) => "dropped",
            Self::Unscorable(_) => "unscorable",
        }
    }

    /// The rule's name or the reason.
    #[must_use]
    pub fn rule(self, program: &Program) -> Option<&str> {
        match self {
            Self::Scored => None,
            Self::Illegal(k) | Self::Dropped(k) => program.rules.get(k as usize).map(|r| r.name.as_str()),
            Self::Unscorable(reason) => Some(reason.as_str()),
        }
    }
}

/// Numbers of one column, row by row; of a token channel `width` for each row.
#[derive(Clone, Debug, Default)]
pub struct NumberColumn {
    pub values: Vec<f64>,
    /// First-order bound on what f32 roundoff may change (R6.3).
    pub errors: Vec<f64>,
    /// `false`: null; never written as 0 (R2.2).
    pub known: Vec<bool>,
    pub width: usize,
}

impl NumberColumn {
    /// A column without rows.
    pub const EMPTY: Self = Self { values: Vec::new(), errors: Vec::new(), known: Vec::new(), width: 1 };

    /// A column of nulls.
    #[must_use]
    pub fn nulls(n_rows: usize, width: usize) -> Self {
        let n = n_rows * width;
        Self { values: vec![0.0; n], errors: vec![0.0; n], known: vec![false; n], width }
    }

    /// The number at a row (and level, from 0), if it is not null.
    #[must_use]
    pub fn get(&self, row: usize, level: usize) -> Option<f64> {
        let at = row * self.width + level;
        self.known.get(at).copied().unwrap_or(false).then(|| self.values.get(at).copied()).flatten()
    }

    /// The error bound at a row and level.
    #[must_use]
    pub fn error(&self, row: usize, level: usize) -> f64 {
        self.errors.get(row * self.width + level).copied().unwrap_or(0.0)
    }

    /// Writes a number; −0 becomes 0 (R6.4).
    pub fn set(&mut self, row: usize, level: usize, value: f64, error: f64) {
        let at = row * self.width + level;
        if let (Some(v), Some(e), Some(k)) = (self.values.get_mut(at), self.errors.get_mut(at), self.known.get_mut(at))
        {
            *v = value + 0.0;
            *e = error;
            *k = true;
        }
    }

    /// Makes a row null.
    pub fn clear(&mut self, row: usize) {
        for level in 0..self.width {
            if let Some(k) = self.known.get_mut(row * self.width + level) {
                *k = false;
            }
        }
    }
}

/// Things counted while scoring.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Entries of history and targets left out because they break their contract (R2.5).
    pub absent_entries: u64,
    /// Lists cut to their most recent entries (R8.5).
    pub cut_lists: u64,
    /// Candidates for whom a gate was closed, by its place among the parts.
    pub closed: BTreeMap<usize, u64>,
    /// Candidates with the place of another of their slate or group (R3.5).
    pub equal_places: u64,
}

/// How large a class is in the spans of a cap, each span counting alike (R4.8).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Share {
    /// Spans with at least one scored member.
    pub spans: u64,
    /// Sum over the spans of `matching / members`.
    pub sum: f64,
    /// Sum over the spans of the share that the bound aims at: a count is divided by the members, and is
    /// no more than all of them.
    pub targets: f64,
}

impl Share {
    /// Counts a span of so many members, of whom so many match; `bound` is a count or a share.
    pub fn add(&mut self, matching: u64, members: u64, bound: Result<u64, Decimal>) {
        self.spans += 1;
        self.sum += matching as f64 / members as f64;
        self.targets += match bound {
            Ok(count) => count.min(members) as f64 / members as f64,
            Err(share) => share.to_f64(),
        };
    }

    /// Counts what another batch has shown.
    pub fn include(&mut self, other: Self) {
        self.spans += other.spans;
        self.sum += other.sum;
        self.targets += other.targets;
    }

    /// The mean share, if any span was counted.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (self.spans > 0).then(|| self.sum / self.spans as f64)
    }
}

/// Who of the candidates a cap is about.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matches {
    /// Row by row: scored, and the cap's condition holds.
    pub is: Vec<bool>,
    /// Row by row the number of the row's KEY, in `key_texts`; of a cap without `per` the same for all.
    pub keys: Vec<u32>,
    pub key_texts: Vec<String>,
    pub share: Share,
}

/// The scores of a batch.
#[derive(Clone, Debug)]
pub struct Scores {
    pub n_rows: usize,
    /// As which host it was scored.
    pub host: Host,
    pub verdicts: Vec<Verdict>,
    columns: BTreeMap<Column, NumberColumn>,
    /// Item of each row after SIDs were resolved; `u32::MAX` where there is none.
    pub item_of: Vec<u32>,
    /// Parts that read the slate were put off (R7.3).
    pub partial: bool,
    pub counts: Counts,
    /// By cap, by its place among the parts; none for a cap whose condition waits for the slate choice.
    pub matches: BTreeMap<usize, Matches>,
}

impl Scores {
    /// Nothing scored yet: all null.
    #[must_use]
    pub fn empty(program: &Program, host: Host, n_rows: usize, item_of: Vec<u32>) -> Self {
        let columns = columns(program)
            .into_iter()
            .map(|c| (c, NumberColumn::nulls(n_rows, if program.is_token(c) { program.n_levels() } else { 1 })))
            .collect();
        Self {
            n_rows,
            host,
            verdicts: vec![Verdict::Scored; n_rows],
            columns,
            item_of,
            partial: false,
            counts: Counts::default(),
            matches: BTreeMap::new(),
        }
    }

    /// A column of the program.
    #[must_use]
    pub fn column(&self, column: Column) -> Option<&NumberColumn> {
        self.columns.get(&column)
    }

    /// A column to write into.
    pub fn column_mut(&mut self, column: Column) -> Option<&mut NumberColumn> {
        self.columns.get_mut(&column)
    }

    /// One number, if it is not null.
    #[must_use]
    pub fn get(&self, column: Column, row: usize) -> Option<f64> {
        self.columns.get(&column)?.get(row, 0)
    }

    /// The scores of some rows only. Shares of caps stay those of all.
    #[must_use]
    pub fn keep(mut self, keep: impl Fn(usize) -> bool) -> Self {
        fn kept<T>(values: &mut Vec<T>, width: usize, keep: &impl Fn(usize) -> bool) {
            let mut at = 0;
            values.retain(|_| {
                at += 1;
                keep((at - 1) / width.max(1))
            });
        }
        for column in self.columns.values_mut() {
            kept(&mut column.values, column.width, &keep);
            kept(&mut column.errors, column.width, &keep);
            kept(&mut column.known, column.width, &keep);
        }
        for matches in self.matches.values_mut() {
            kept(&mut matches.is, 1, &keep);
            kept(&mut matches.keys, 1, &keep);
        }
        kept(&mut self.verdicts, 1, &keep);
        kept(&mut self.item_of, 1, &keep);
        self.n_rows = self.verdicts.len();
        self
    }

    /// Whether a row belongs in the trainer's group statistics (R2.1).
    #[must_use]
    pub fn in_statistics(&self, row: usize) -> bool {
        matches!(self.verdicts.get(row), Some(Verdict::Scored | Verdict::Illegal(_)))
    }
}
