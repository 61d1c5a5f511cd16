//! What a host hands in at a step: requests and their rollouts, as borrowed columns.

use super::given::{Given, GivenColumn};

/// A column that the binding declared, in the order declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InputId(pub(super) u32);

impl InputId {
    /// The `i`-th declared column.
    pub(super) fn of(i: usize) -> Self {
        Self(i as u32)
    }

    /// Its place among the declared ones.
    pub(super) fn place(self) -> usize {
        self.0 as usize
    }
}

/// How many rollouts each request has.
#[derive(Clone, Copy, Debug)]
pub enum Groups<'a> {
    /// The same number for each.
    Even(usize),
    /// Rollouts `offsets[i]..offsets[i + 1]` belong to request i.
    Offsets(&'a [u32]),
}

/// The requests of a step.
#[derive(Clone, Debug, Default)]
pub struct Requests<'a> {
    pub(super) n: usize,
    pub(super) keys: Option<&'a [&'a str]>,
    pub(super) columns: Vec<(InputId, GivenColumn<'a>)>,
    pub(super) past: Option<&'a [u32]>,
    pub(super) wanted: Option<&'a [u32]>,
}

impl<'a> Requests<'a> {
    /// `n` requests without columns.
    #[must_use]
    pub fn new(n: usize) -> Self {
        Self { n, ..Self::default() }
    }

    /// Their keys, one each: what `pick … at random` draws by (R1.11). Without keys they are 1, 2, ….
    #[must_use]
    pub fn keys(mut self, keys: &'a [&'a str]) -> Self {
        self.keys = Some(keys);
        self
    }

    /// A column: of the requests, or of the entries of a list.
    #[must_use]
    pub fn with(self, input: InputId, values: Given<'a>) -> Self {
        self.with_nulls(input, values, None)
    }

    /// A column in which some cells are null.
    #[must_use]
    pub fn with_nulls(mut self, input: InputId, values: Given<'a>, valid: Option<&'a [bool]>) -> Self {
        self.columns.push((input, GivenColumn { values, valid }));
        self
    }

    /// Entries `offsets[i]..offsets[i + 1]` are the history of request i, oldest first.
    #[must_use]
    pub fn past(mut self, offsets: &'a [u32]) -> Self {
        self.past = Some(offsets);
        self
    }

    /// Entries `offsets[i]..offsets[i + 1]` are the targets of request i.
    #[must_use]
    pub fn wanted(mut self, offsets: &'a [u32]) -> Self {
        self.wanted = Some(offsets);
        self
    }
}

/// The rollouts of a step, request by request.
#[derive(Clone, Debug)]
pub struct Rollouts<'a> {
    pub(super) groups: Groups<'a>,
    pub(super) sids: Option<GivenColumn<'a>>,
    pub(super) items: Option<(&'a [u32], u64)>,
    pub(super) padding: Option<&'a [bool]>,
    pub(super) slates: Option<(&'a [u32], &'a [u32])>,
    pub(super) batches: Option<&'a [u32]>,
    pub(super) past: Option<&'a [u32]>,
    pub(super) wanted: Option<&'a [u32]>,
    pub(super) columns: Vec<(InputId, GivenColumn<'a>)>,
}

impl<'a> Rollouts<'a> {
    /// Rollouts in groups.
    #[must_use]
    pub fn new(groups: Groups<'a>) -> Self {
        Self {
            groups,
            sids: None,
            items: None,
            padding: None,
            slates: None,
            batches: None,
            past: None,
            wanted: None,
            columns: Vec::new(),
        }
    }

    /// What was generated: `levels` codes a rollout. What is no code of the SID is `u32::MAX` (or any
    /// number past the shape): `sid in catalog` is then false, and never an error.
    #[must_use]
    pub fn sids(mut self, codes: &'a [u32], levels: usize) -> Self {
        self.sids = Some(GivenColumn { values: Given::Sids { codes, levels }, valid: None });
        self
    }

    /// Items instead of SIDs, by their number in the catalog with this id; `u32::MAX` is none.
    #[must_use]
    pub fn items(mut self, items: &'a [u32], catalog: u64) -> Self {
        self.items = Some((items, catalog));
        self
    }

    /// Rollouts that only fill a group up: `unscorable(padding)`.
    #[must_use]
    pub fn padding(mut self, padding: &'a [bool]) -> Self {
        self.padding = Some(padding);
        self
    }

    /// The slate of each rollout, counted from 0, and its place in it, from 1: for logs. A rollout in no
    /// slate has `u32::MAX`: it lies behind one without members.
    #[must_use]
    pub fn slates(mut self, of: &'a [u32], position: &'a [u32]) -> Self {
        self.slates = Some((of, position));
        self
    }

    /// The batch of each rollout, counted from 0: what `over batch` looks at. Without it a step is one
    /// batch; a request lies in one.
    #[must_use]
    pub fn batches(mut self, of: &'a [u32]) -> Self {
        self.batches = Some(of);
        self
    }

    /// Entries `offsets[i]..offsets[i + 1]` are the history of rollout i, oldest first: for logs, where
    /// each row has seen more than the one before. The columns are handed in with the requests.
    #[must_use]
    pub fn past(mut self, offsets: &'a [u32]) -> Self {
        self.past = Some(offsets);
        self
    }

    /// Entries `offsets[i]..offsets[i + 1]` are the targets of rollout i.
    #[must_use]
    pub fn wanted(mut self, offsets: &'a [u32]) -> Self {
        self.wanted = Some(offsets);
        self
    }

    /// A column of the rollouts.
    #[must_use]
    pub fn with(self, input: InputId, values: Given<'a>) -> Self {
        self.with_nulls(input, values, None)
    }

    /// A column in which some cells are null.
    #[must_use]
    pub fn with_nulls(mut self, input: InputId, values: Given<'a>, valid: Option<&'a [bool]>) -> Self {
        self.columns.push((input, GivenColumn { values, valid }));
        self
    }
}
