//! What scoring gives: a fixed set of columns, a verdict for every candidate.

use std::collections::BTreeMap;

use crate::program::{Column, Program, columns};
use crate::types::Host;

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

    /// Whether a row belongs in the trainer's group statistics (R2.1).
    #[must_use]
    pub fn in_statistics(&self, row: usize) -> bool {
        matches!(self.verdicts.get(row), Some(Verdict::Scored | Verdict::Illegal(_)))
    }
}
