//! The compiled reward: what the checker gives and every evaluator takes.
//!
//! A [`Program`] is a list of typed expressions (children before parents, shared where the file
//! shares them) and the rules, parts and channels that stand on them. It knows nothing of text
//! beyond the places its expressions came from.

mod bound;
mod canonical;
mod columns;
mod expr;
mod walk;

pub use crate::builtins::AggregateKind;
pub use columns::{Column, column_names, columns};
pub use expr::{AggregateExpr, Arm, CompareOp, Expr, ExprId, Narrowing, Op, SpanKind, Subject};
pub use walk::{entry_reads, own_reads, visit};

use std::sync::Arc;

use crate::schema::{Feature, Longest, Resolve};
use crate::source::Span;
pub use crate::types::Host;
use crate::types::{Availability, Decimal, Interval, Level, Ty};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
            pub struct $name(pub u32);

            impl $name {
                /// Its place in the program's list.
                #[must_use]
                pub fn index(self) -> usize {
                    self.0 as usize
                }
            }
        )*
    };
}

ids! {
    /// A feature the program reads, in [`Program::features`].
    FeatureId;
    /// A `param`, in [`Program::params`].
    ParamId;
    /// A `let`, in [`Program::lets`].
    LetId;
    /// A `table`, in [`Program::tables`].
    TableId;
    /// A `list`, in [`Program::lists`].
    ListId;
}

/// A compiled reward.
#[derive(Clone, Debug, Default)]
pub struct Program {
    pub scenario: String,
    pub version: u64,
    /// Hosts the file names, in its order.
    pub hosts: Vec<Host>,
    pub exprs: Vec<Expr>,
    /// The schema's entries that are read, as the candidate's own or as an entry's.
    pub features: Vec<Feature>,
    pub params: Vec<Param>,
    /// Each only reads lets before it.
    pub lets: Vec<Let>,
    pub tables: Vec<Table>,
    pub lists: Vec<TextList>,
    pub rules: Vec<Rule>,
    /// Terms, gates and caps in file order.
    pub parts: Vec<Part>,
    pub formula: Formula,
    pub channels: Vec<Channel>,
    /// Features read in history and target entries.
    pub past_reads: Vec<FeatureId>,
    pub wanted_reads: Vec<FeatureId>,
    /// Codes per level of the SID; empty where the schema has none.
    pub sid_shape: Vec<u32>,
    pub sid_feature: Option<FeatureId>,
    pub longest: Longest,
    pub resolve: Resolve,
    /// How spans are made, as text: part of the reward id.
    pub spans_text: String,
    pub ranges: Ranges,
    /// Only so many of the rules are worked; the others still say what several items behind a SID resolve to.
    pub worked_rules: Option<usize>,
}

/// Proven ranges of the sums (R6.4), outward to f32.
#[derive(Clone, Copy, Debug)]
pub struct Ranges {
    pub preference: Interval,
    pub ecosystem: Interval,
    pub reward: Interval,
    pub cost: Interval,
    pub total: Interval,
    pub clamp: Interval,
}

impl Default for Ranges {
    fn default() -> Self {
        let zero = Interval::point(0.0);
        Self { preference: zero, ecosystem: zero, reward: zero, cost: zero, total: zero, clamp: zero }
    }
}

/// A tunable number, with the value it has now.
#[derive(Clone, Debug)]
pub struct Param {
    pub name: String,
    pub value: Constant,
    /// Both ends included; of a bool or text none.
    pub range: Option<Interval>,
    pub ty: Ty,
    /// Whole, with whole ends.
    pub whole: bool,
    /// Its default is written as a whole number: as a bound it is a count (R4.1).
    pub count: bool,
    /// Categories it is compared with: a text must be one of each.
    pub names: Vec<Arc<[String]>>,
    pub span: Span,
}

/// A constant value.
#[derive(Clone, Debug, PartialEq)]
pub enum Constant {
    Number(f64),
    Bool(bool),
    Text(Arc<str>),
}

impl Constant {
    /// As a number; conditions are 1 and 0.
    #[must_use]
    pub fn number(&self) -> f64 {
        match self {
            Self::Number(n) => *n,
            Self::Bool(b) => f64::from(*b),
            Self::Text(_) => 0.0,
        }
    }
}

impl std::fmt::Display for Constant {
    /// As a file writes it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(n) if n.fract() == 0.0 => write!(f, "{n}"),
            // Real values are rounded to f32 when they are read: the shortest digits that give it back.
            Self::Number(n) => write!(f, "{}", *n as f32),
            Self::Bool(b) => write!(f, "{b}"),
            Self::Text(t) => write!(f, "{t:?}"),
        }
    }
}

/// A number that is a constant or a `param`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Setting {
    Constant(f64),
    Param(ParamId),
}

impl Program {
    /// The value a setting has now.
    #[must_use]
    pub fn setting(&self, setting: Setting) -> f64 {
        match setting {
            Setting::Constant(value) => value,
            Setting::Param(id) => self.params.get(id.index()).map_or(0.0, |p| p.value.number()),
        }
    }

    /// The range a setting has under any allowed `--set`.
    #[must_use]
    pub fn setting_range(&self, setting: Setting) -> Interval {
        match setting {
            Setting::Constant(value) => Interval::point(value),
            Setting::Param(id) => {
                let param = self.params.get(id.index());
                param.and_then(|p| p.range).unwrap_or_else(|| Interval::point(self.setting(setting)))
            }
        }
    }

    /// A let's column.
    #[must_use]
    pub fn expr(&self, id: ExprId) -> &Expr {
        // Ids are made by this program's own constructor, so they are in range.
        #[expect(clippy::indexing_slicing, reason = "ids are made by `push`")]
        &self.exprs[id.index()]
    }

    /// Adds an expression; its children are already there.
    pub fn push(&mut self, expr: Expr) -> ExprId {
        let id = ExprId(self.exprs.len() as u32);
        self.exprs.push(expr);
        id
    }

    /// SID levels, 0 where the schema has no SID.
    #[must_use]
    pub fn n_levels(&self) -> usize {
        self.sid_shape.len()
    }

    /// `scenario@version#hash` (R8.4).
    #[must_use]
    pub fn reward_id(&self) -> String {
        format!("{}@{}#{}", self.scenario, self.version, canonical::hash(self))
    }

    /// Terms in file order, with their place among the parts.
    pub fn terms(&self) -> impl Iterator<Item = (usize, &Term)> {
        self.parts.iter().enumerate().filter_map(|(i, p)| if let Part::Term(t) = p { Some((i, t)) } else { None })
    }

    /// Gates in file order.
    pub fn gates(&self) -> impl Iterator<Item = (usize, &Gate)> {
        self.parts.iter().enumerate().filter_map(|(i, p)| if let Part::Gate(g) = p { Some((i, g)) } else { None })
    }

    /// Caps in file order.
    pub fn caps(&self) -> impl Iterator<Item = (usize, &Cap)> {
        self.parts.iter().enumerate().filter_map(|(i, p)| if let Part::Cap(c) = p { Some((i, c)) } else { None })
    }

    /// Whether any part that acts in this host reads the slate.
    #[must_use]
    pub fn reads_slate(&self, host: Host) -> Option<Span> {
        let rules = self.rules.iter().filter(|r| r.acts_in(host)).map(|r| (r.condition, r.span));
        let parts = self.parts.iter().filter_map(|p| match p {
            Part::Term(t) => Some((t.value, t.span)),
            Part::Gate(g) => Some((g.condition, g.span)),
            Part::Cap(_) => None,
        });
        let channels = self.channels.iter().filter(|c| c.kind != ChannelKind::Monitor).map(|c| (c.value, c.span));
        let by_expr = rules.chain(parts).chain(channels).find(|(e, _)| self.expr(*e).reads_slate).map(|(_, s)| s);
        by_expr.or_else(|| self.caps().find(|(_, c)| self.cap_reads_slate(c)).map(|(_, c)| c.span))
    }

    /// Whether a cap's charge needs the slate itself. A `dual`'s price does not: only what is
    /// measured does (R4.8).
    #[must_use]
    pub fn cap_reads_slate(&self, cap: &Cap) -> bool {
        let on_slate =
            matches!(cap.span_kind, CapSpan::Slate | CapSpan::First(_) | CapSpan::InRow(_) | CapSpan::Session);
        let counts = matches!(cap.charge, Some(Charge::Penalty { .. } | Charge::Scale(_)));
        let reads = |e: Option<ExprId>| e.is_some_and(|e| self.expr(e).reads_slate);
        (on_slate && counts) || reads(cap.on) || reads(cap.per)
    }
}

/// A named, worked-out value.
#[derive(Clone, Debug)]
pub struct Let {
    /// `None` for an aggregate that stood inside another (R3.7).
    pub name: Option<String>,
    pub value: ExprId,
}

/// A lookup table.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    pub name: String,
    /// Keys as text, joined by U+001F; a missing value is absent.
    pub rows: Arc<std::collections::BTreeMap<String, f64>>,
    pub range: Interval,
}

/// A list of texts.
#[derive(Clone, Debug, PartialEq)]
pub struct TextList {
    pub name: String,
    pub values: Arc<std::collections::BTreeSet<String>>,
}

/// A `require`.
#[derive(Clone, Debug)]
pub struct Rule {
    pub name: String,
    pub condition: ExprId,
    /// The condition's top-level `and`ed pieces, each acting as early as it can (R5.9).
    pub pieces: Vec<ExprId>,
    pub value: RuleValue,
    /// Where it acts; empty: everywhere.
    pub hosts: Vec<Host>,
    /// Features looked at before it (R2.4), in the order read.
    pub reads: Vec<FeatureId>,
    pub span: Span,
}

impl Rule {
    /// Whether it acts in a host.
    #[must_use]
    pub fn acts_in(&self, host: Host) -> bool {
        self.hosts.is_empty() || self.hosts.contains(&host)
    }
}

/// What a candidate gets that fails a rule (R1.9).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RuleValue {
    /// This reward.
    Reward(Setting),
    /// The least reward a scored candidate can get.
    Lowest,
    /// No reward at all.
    Drop,
}

/// A line of the score, in file order.
#[derive(Clone, Debug)]
pub enum Part {
    Term(Term),
    Gate(Gate),
    Cap(Cap),
}

impl Part {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Term(t) => &t.name,
            Self::Gate(g) => &g.name,
            Self::Cap(c) => &c.name,
        }
    }

    /// Where it was declared.
    #[must_use]
    pub fn span(&self) -> Span {
        match self {
            Self::Term(t) => t.span,
            Self::Gate(g) => g.span,
            Self::Cap(c) => c.span,
        }
    }
}

/// A weighted number that is added.
#[derive(Clone, Debug)]
pub struct Term {
    pub name: String,
    pub preference: bool,
    pub weight: Setting,
    pub value: ExprId,
    /// Proven range of the weighted value.
    pub range: Interval,
    pub span: Span,
}

/// A condition without which preference gains nothing.
#[derive(Clone, Debug)]
pub struct Gate {
    pub name: String,
    pub condition: ExprId,
    pub range: Interval,
    pub span: Span,
}

/// A limit on how many of a kind there may be.
#[derive(Clone, Debug)]
pub struct Cap {
    pub name: String,
    pub least: bool,
    pub bound: Bound,
    pub span_kind: CapSpan,
    pub on: Option<ExprId>,
    pub per: Option<ExprId>,
    pub charge: Option<Charge>,
    /// A promise of the slate choice; `true` inside: refuse rather than relax.
    pub hard: Option<bool>,
    /// Proven range of what it charges (or what its scale takes).
    pub range: Interval,
    pub span: Span,
}

/// How many are allowed or required.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    Share(Decimal),
    Count(u64),
    /// A param; a share unless its default is written as a whole number.
    Param(ParamId),
}

/// What a cap counts over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CapSpan {
    Slate,
    First(u64),
    InRow(u64),
    Group,
    Session,
    /// Seconds.
    Window(f64),
}

impl std::fmt::Display for CapSpan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Slate => f.write_str("slate"),
            Self::First(k) => write!(f, "first {k}"),
            Self::InRow(k) => write!(f, "any {k} in a row"),
            Self::Group => f.write_str("group"),
            Self::Session => f.write_str("session"),
            Self::Window(s) => write!(f, "window({s} s)"),
        }
    }
}

/// What breaking a cap costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Charge {
    Penalty { weight: Setting, after_normalizing: bool },
    Scale(Setting),
    Dual { up_to: Setting },
}

/// `reward = …` (R1.5).
#[derive(Clone, Debug, Default)]
pub struct Formula {
    pub addends: Vec<Addend>,
    pub clamp: Option<(Setting, Setting)>,
    pub span: Span,
}

/// One addend of the formula.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Addend {
    pub factor: Setting,
    pub negative: bool,
    pub of: AddendOf,
}

/// What an addend adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddendOf {
    Preference,
    Ecosystem,
    /// A term or reward penalty, by its place among the parts.
    Part(usize),
}

pub use crate::types::ChannelKind;

/// A channel besides `reward`.
#[derive(Clone, Debug)]
pub struct Channel {
    pub kind: ChannelKind,
    pub name: String,
    pub value: ExprId,
    /// Keeps this many of each group, at random.
    pub pick: Option<u64>,
    pub range: Interval,
    /// Monitors only: hosts in which what it reads exists.
    pub hosts: Vec<Host>,
    pub span: Span,
}

/// When and where something is known, for reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    pub level: Level,
    pub availability: Availability,
}
