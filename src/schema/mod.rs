//! The contract between data and a reward: what each feature is, whom it belongs to, where it comes
//! from, and how requests, slates, groups and histories are made.

mod feature;
mod read;

pub use feature::{Clip, Direction, Entity, Feature, Names, Raw};
pub(crate) use read::quantity;
pub use read::read;

use crate::source::Span;

/// A whole schema.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    pub name: String,
    pub version: u64,
    /// What amounts of money are in, for example `CNY`.
    pub currency: Option<String>,
    /// The first is the table of rows to score; empty where a host binds columns itself.
    pub sources: Vec<Source>,
    pub keys: KeyColumns,
    pub spans: Spans,
    pub past: Option<ListDecl>,
    pub wanted: Option<ListDecl>,
    pub features: Vec<Feature>,
    pub catalog: Option<CatalogDecl>,
}

impl Schema {
    /// The feature of this name.
    #[must_use]
    pub fn feature(&self, name: &str) -> Option<&Feature> {
        self.features.iter().find(|f| f.name == name)
    }

    /// The SID feature and the number of levels it has.
    #[must_use]
    pub fn sid_shape(&self) -> Option<&[u32]> {
        self.features.iter().find_map(|f| (!f.shape.is_empty()).then_some(f.shape.as_slice()))
    }

    /// Columns of the scored table that score files keep in front, in order, each once.
    #[must_use]
    pub fn key_columns(&self) -> Vec<String> {
        let keys = &self.keys;
        let sid = self.features.iter().find(|f| !f.shape.is_empty()).map_or(&[] as &[_], |f| f.from.as_slice());
        let position = match &self.spans.slate {
            Some(SlateDecl::Logged { position, .. }) => position.as_ref(),
            _ => None,
        };
        let named = [keys.request.as_ref()].into_iter().flatten().chain(&self.spans.request);
        let named = named.chain([keys.user.as_ref(), keys.item.as_ref()].into_iter().flatten());
        let named = named.chain(sid.iter().map(|(_, column)| column));
        let mut kept: Vec<String> = Vec::new();
        for name in named.chain(position).chain(keys.time.as_ref()) {
            if !kept.contains(name) {
                kept.push(name.clone());
            }
        }
        kept
    }

    /// The source of this name.
    #[must_use]
    pub fn source(&self, name: &str) -> Option<usize> {
        self.sources.iter().position(|s| s.name == name)
    }
}

/// A table that features come from.
#[derive(Clone, Debug)]
pub struct Source {
    pub name: String,
    pub file: String,
    pub entity: Entity,
    /// Column that identifies a row, for sources that are joined.
    pub key: Option<String>,
    /// Whether a row of the first source may be without a match here.
    pub may_miss: bool,
    /// Columns by which repeated rows are told.
    pub distinct: Vec<String>,
    /// Counts over the whole period: its features are `observed`.
    pub sees_future: bool,
    pub span: Span,
}

/// Columns of the first source that identify things.
#[derive(Clone, Debug, Default)]
pub struct KeyColumns {
    pub item: Option<String>,
    pub user: Option<String>,
    pub request: Option<String>,
    pub time: Option<String>,
    /// A column that is true for padded beams.
    pub padding: Option<String>,
}

/// How rows are put together.
#[derive(Clone, Debug, Default)]
pub struct Spans {
    /// Columns that make a request; empty: every row is a request of its own.
    pub request: Vec<String>,
    pub slate: Option<SlateDecl>,
    /// Column that tells batches apart; `None`: all rows are one.
    pub batch: Option<String>,
    pub training: Option<TrainingDecl>,
    pub longest: Longest,
}

/// How logged rows make slates.
#[derive(Clone, Debug, PartialEq)]
pub enum SlateDecl {
    /// Cut from each request's rows, every so many, in the order of some columns.
    Made { every: u64, order: Vec<String>, keep_short: bool },
    /// Logged: rows with equal columns are one slate, `position` gives the place.
    Logged { by: Vec<String>, position: Option<String> },
}

/// What a group is in training.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrainingDecl {
    /// The first so many of the group stand for the slate.
    pub slate_first: Option<u64>,
    /// Whether the rollouts of a request come in beam order.
    pub beam_order: bool,
}

/// The most members a span may have (R8.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Longest {
    pub slate: u64,
    pub group: u64,
    pub history: u64,
    pub targets: u64,
    pub batch: u64,
}

impl Default for Longest {
    fn default() -> Self {
        Self { slate: 100, group: 512, history: 200, targets: 16, batch: 100_000 }
    }
}

/// What a request has done before, or took next.
#[derive(Clone, Debug)]
pub struct ListDecl {
    pub from: ListFrom,
    /// Most recent entries kept.
    pub last: Option<u64>,
    /// Features that entries have, by name.
    pub features: Vec<String>,
    pub span: Span,
}

/// Where a list's entries lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListFrom {
    /// List columns `past.NAME` of the row; the list belongs to the request.
    Row,
    /// Rows of a source with the same `by`, strictly before (after) the row's own time; the list
    /// belongs to the row.
    AsOf { source: usize, by: String, time: String, after: bool },
}

/// The items behind SIDs.
#[derive(Clone, Debug)]
pub struct CatalogDecl {
    pub file: String,
    pub item: String,
    pub sid: String,
    pub resolve: Resolve,
    pub span: Span,
}

/// Which of several items behind one SID is meant (R5.10).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Resolve {
    #[default]
    First,
    /// The highest value of this feature.
    By(String),
}
