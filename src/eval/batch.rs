//! The data model of a batch: columns with validity, and how rows make requests, slates and lists.
//!
//! Columns are lent as slices where the owner's layout allows it. Row numbers are places in the
//! batch, from 0; `position` and `rollout` are the batch's own numbers, from 1 (R3.2).

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use crate::program::FeatureId;

/// Candidates to score with everything the program reads about them.
#[derive(Debug, Default)]
pub struct Batch<'a> {
    /// Number of candidates (rows).
    pub n_rows: usize,
    /// Texts of ids, categories and sets; columns hold their numbers.
    pub texts: Texts,
    /// Request of each row, and each request's key as text (R1.11).
    pub request_of: Vec<u32>,
    pub request_keys: Vec<String>,
    /// Batch of each row: what `over batch` looks at (R3.12).
    pub batch_of: Vec<u32>,
    /// Place in the group, from 1, over the input rows of the request (R3.5).
    pub rollout: Vec<u32>,
    /// The slates; `None` where the batch has none (one rollout is not a slate).
    pub slates: Option<Slates>,
    /// Candidates that are out before any rule, and why.
    pub excluded: Vec<Option<super::Reason>>,
    /// By feature; `None` where the program reads it in lists only.
    pub features: Vec<Option<Column<'a>>>,
    /// By feature: whether the item behind the SID or item key exists.
    pub in_catalog: BTreeMap<FeatureId, Vec<bool>>,
    pub past: Option<List<'a>>,
    pub wanted: Option<List<'a>>,
    /// Item of each row, for columns by item: none is `u32::MAX`.
    pub item_of: Vec<u32>,
    /// Items that a row's SID stands for, where there may be several (R5.10).
    pub items_behind: Option<ItemsBehind<'a>>,
    /// Features that a model predicted: a null of theirs is a prediction that failed.
    pub predicted: Vec<FeatureId>,
}

/// The items behind each row's SID.
#[derive(Clone, Debug, Default)]
pub struct ItemsBehind<'a> {
    /// By row: a range of `items`, in catalog order.
    pub ranges: Vec<(u32, u32)>,
    pub items: Cow<'a, [u32]>,
}

impl ItemsBehind<'_> {
    /// The items of a row.
    #[must_use]
    pub fn of(&self, row: usize) -> &[u32] {
        let (from, to) = self.ranges.get(row).copied().unwrap_or((0, 0));
        self.items.get(from as usize..to as usize).unwrap_or(&[])
    }
}

/// How rows make slates.
#[derive(Clone, Debug, Default)]
pub struct Slates {
    /// Slate that each row lies in or behind.
    pub of: Vec<u32>,
    /// Place in the slate, from 1; it goes on counting behind it (R7.2).
    pub position: Vec<u32>,
    /// Whether the row lies behind its slate: it sees the members and is none.
    pub behind: Vec<bool>,
    pub count: usize,
}

impl Slates {
    /// The first rollouts of each group stand for its slate; the rest lie behind it (R7.2).
    pub fn fill_first_of_groups(&mut self, request_of: &[u32], rollout: &[u32], first: u64, requests: usize) {
        self.of.clear();
        self.of.extend_from_slice(request_of);
        self.position.clear();
        self.position.extend_from_slice(rollout);
        self.behind.clear();
        self.behind.extend(rollout.iter().map(|r| u64::from(*r) > first));
        self.count = requests;
    }
}

/// What a column is indexed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    Row,
    Request,
    Item,
}

/// One feature's values.
#[derive(Clone, Debug)]
pub struct Column<'a> {
    pub by: By,
    pub values: Values<'a>,
    /// `false`: null. Left out: all are there.
    pub valid: Option<Cow<'a, [bool]>>,
}

impl Column<'_> {
    /// Whether a cell is there; cells beyond the column are not.
    #[must_use]
    pub fn is_valid(&self, cell: usize) -> bool {
        cell < self.values.len() && self.valid.as_ref().is_none_or(|v| v.get(cell).copied().unwrap_or(false))
    }
}

impl<'a> Column<'a> {
    /// The column with its own copy of what it borrows.
    #[must_use]
    pub fn into_owned(self) -> Column<'static> {
        fn own<T: Clone>(v: Cow<'_, [T]>) -> Cow<'static, [T]> {
            Cow::Owned(v.into_owned())
        }
        let values = match self.values {
            Values::Real(v) => Values::Real(own(v)),
            Values::Whole(v) => Values::Whole(own(v)),
            Values::Bool(v) => Values::Bool(own(v)),
            Values::Text(v) => Values::Text(own(v)),
            Values::Sid { codes, offsets } => Values::Sid { codes: own(codes), offsets: own(offsets) },
            Values::Vector { size, values } => Values::Vector { size, values: own(values) },
            Values::Set { members, offsets } => Values::Set { members: own(members), offsets: own(offsets) },
        };
        Column { by: self.by, values, valid: self.valid.map(own) }
    }

    /// The same column, borrowed.
    #[must_use]
    pub fn lend(column: &'a Column<'_>) -> Self {
        let values = match &column.values {
            Values::Real(v) => Values::Real(Cow::Borrowed(v)),
            Values::Whole(v) => Values::Whole(Cow::Borrowed(v)),
            Values::Bool(v) => Values::Bool(Cow::Borrowed(v)),
            Values::Text(v) => Values::Text(Cow::Borrowed(v)),
            Values::Sid { codes, offsets } => {
                Values::Sid { codes: Cow::Borrowed(codes), offsets: Cow::Borrowed(offsets) }
            }
            Values::Vector { size, values } => Values::Vector { size: *size, values: Cow::Borrowed(values) },
            Values::Set { members, offsets } => {
                Values::Set { members: Cow::Borrowed(members), offsets: Cow::Borrowed(offsets) }
            }
        };
        Self { by: column.by, values, valid: column.valid.as_deref().map(Cow::Borrowed) }
    }
}

/// Values by type.
#[derive(Clone, Debug)]
pub enum Values<'a> {
    /// Real numbers, rounded once to f32 (R6.1), in base units.
    Real(Cow<'a, [f32]>),
    /// Whole numbers; a fraction or NaN breaks the contract and is found when looked at.
    Whole(Cow<'a, [f64]>),
    Bool(Cow<'a, [bool]>),
    /// Numbers of [`Texts`]: ids and categories.
    Text(Cow<'a, [u32]>),
    /// Codes, `offsets[i]..offsets[i + 1]` of cell i; a code that is no number from 0 is `u32::MAX`.
    Sid {
        codes: Cow<'a, [u32]>,
        offsets: Cow<'a, [u32]>,
    },
    /// `size` numbers a cell.
    Vector {
        size: usize,
        values: Cow<'a, [f32]>,
    },
    /// Numbers of [`Texts`], `offsets[i]..offsets[i + 1]` of cell i.
    Set {
        members: Cow<'a, [u32]>,
        offsets: Cow<'a, [u32]>,
    },
}

impl Values<'_> {
    /// Number of cells.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Real(v) => v.len(),
            Self::Whole(v) => v.len(),
            Self::Bool(v) => v.len(),
            Self::Text(v) => v.len(),
            Self::Sid { offsets, .. } | Self::Set { offsets, .. } => offsets.len().saturating_sub(1),
            Self::Vector { size, values } => values.len() / (*size).max(1),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// History or targets: each holder has a range of `index`, whose entries are cells of the columns.
/// An as-of history over a log thus lends the log's own columns.
#[derive(Clone, Debug)]
pub struct List<'a> {
    /// Holders are requests, or rows of an as-of list.
    pub by: By,
    pub ranges: Vec<(u32, u32)>,
    /// Oldest first.
    pub index: Cow<'a, [u32]>,
    /// By feature.
    pub columns: Vec<Option<Column<'a>>>,
}

/// Texts by number, each once.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    texts: Vec<String>,
    numbers: HashMap<String, u32>,
    /// Strings of texts that were forgotten, for their room.
    spare: Vec<String>,
}

impl Texts {
    /// The number of a text, a new one where it has none.
    pub fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = self.texts.len() as u32;
        let (own, key) = (self.written(text), self.written(text));
        self.texts.push(own);
        self.numbers.insert(key, number);
        number
    }

    /// Forgets the texts that came after the first `n`.
    pub fn truncate(&mut self, n: usize) {
        for text in self.texts.drain(n.min(self.texts.len())..) {
            self.spare.extend(self.numbers.remove_entry(&text).map(|(key, _)| key));
            self.spare.push(text);
        }
    }

    fn written(&mut self, text: &str) -> String {
        let mut own = self.spare.pop().unwrap_or_else(|| String::with_capacity(text.len().max(24)));
        own.clear();
        own.push_str(text);
        own
    }

    /// The number of a text that is there.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<u32> {
        self.numbers.get(text).copied()
    }

    /// The text of a number.
    #[must_use]
    pub fn text(&self, number: u32) -> &str {
        self.texts.get(number as usize).map_or("", String::as_str)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }
}

impl Batch<'_> {
    /// The cell of a row in a column.
    #[must_use]
    pub fn cell(&self, column: &Column<'_>, row: usize) -> usize {
        let none = usize::MAX;
        match column.by {
            By::Row => row,
            By::Request => self.request_of.get(row).map_or(none, |r| *r as usize),
            By::Item => self.item_of.get(row).map_or(none, |i| *i as usize),
        }
    }

    /// Checks that the parts of the batch fit together.
    ///
    /// # Errors
    /// A sentence on what does not.
    pub fn verify(&self) -> Result<(), String> {
        let n = self.n_rows;
        let lengths = [
            ("request_of", self.request_of.len()),
            ("batch_of", self.batch_of.len()),
            ("rollout", self.rollout.len()),
            ("excluded", self.excluded.len()),
        ];
        for (name, len) in lengths {
            if len != n {
                return Err(format!("`{name}` has {len} entries for {n} rows"));
            }
        }
        if let Some(slates) = &self.slates {
            let fits = slates.of.len() == n && slates.position.len() == n && slates.behind.len() == n;
            if !fits || slates.of.iter().any(|s| *s as usize >= slates.count) {
                return Err("the slates do not fit the rows".into());
            }
        }
        if self.request_of.iter().any(|r| *r as usize >= self.request_keys.len()) {
            return Err("a row names a request that has no key".into());
        }
        for list in [&self.past, &self.wanted].into_iter().flatten() {
            let holders = if list.by == By::Row { n } else { self.request_keys.len() };
            let end = list.index.len() as u32;
            if list.ranges.len() != holders || list.ranges.iter().any(|(a, b)| a > b || *b > end) {
                return Err("the ranges of a list do not fit its holders".into());
            }
        }
        let fits = |b: &ItemsBehind<'_>| {
            let end = b.items.len() as u32;
            b.ranges.len() == n && b.ranges.iter().all(|(from, to)| from <= to && *to <= end)
        };
        if !self.items_behind.as_ref().is_none_or(fits) {
            return Err("the items behind SIDs do not fit the rows".into());
        }
        Ok(())
    }
}
