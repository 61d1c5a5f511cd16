//! Typed expressions.

use super::{Column, Constant, FeatureId, LetId, ListId, ParamId, TableId};
use crate::builtins::{Aggregate, Function};
use crate::source::Span;
pub use crate::types::Narrowing;
use crate::types::{Availability, Decimal, Interval, Level, Ty};

/// An expression of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExprId(pub u32);

impl ExprId {
    /// Its place in the program's list.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// What is worked out, with everything that is proven about it.
#[derive(Clone, Debug)]
pub struct Expr {
    pub op: Op,
    pub ty: Ty,
    /// The narrowest of what it reads of the candidate (R3.1); what it reads of a span's member or
    /// of a list's entry is not counted, since the aggregate around it takes that away.
    pub level: Level,
    /// The latest of all that it reads (R5.8).
    pub availability: Availability,
    /// May be missing (R5.5).
    pub nullable: bool,
    /// Proven range; of a condition within [0, 1].
    pub interval: Interval,
    /// Reads the candidate's own values, or its place.
    pub reads_own: bool,
    /// Reads a member of the span around it.
    pub reads_member: bool,
    /// Reads an entry of the history or targets around it.
    pub reads_entry: bool,
    /// Depends on which candidates are scored, so it is worked out anew for each rule (R3.4).
    pub staged: bool,
    /// Reads the slate.
    pub reads_slate: bool,
    pub span: Span,
}

/// Whose value is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// The candidate's own.
    Own,
    /// The member's of the slate, group or batch around.
    Member,
    /// The history entry's.
    Past,
    /// The target's.
    Wanted,
}

/// Spans of aggregates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SpanKind {
    Slate,
    Group,
    Batch,
    History,
    Targets,
    Levels,
}

impl SpanKind {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Slate => "slate",
            Self::Group => "group",
            Self::Batch => "batch",
            Self::History => "history",
            Self::Targets => "targets",
            Self::Levels => "levels",
        }
    }

    /// The span a word names.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        [Self::Slate, Self::Group, Self::Batch, Self::History, Self::Targets, Self::Levels]
            .into_iter()
            .find(|s| s.as_str() == word)
    }

    /// Whether its members are candidates.
    #[must_use]
    pub fn of_candidates(self) -> bool {
        matches!(self, Self::Slate | Self::Group | Self::Batch)
    }
}

/// Comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CompareOp {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

/// What an expression does.
#[derive(Clone, Debug)]
pub enum Op {
    Constant(Constant),
    Sid(Box<[u32]>),
    Param(ParamId),
    Feature {
        id: FeatureId,
        of: Subject,
    },
    /// Place in the slate.
    Position(Subject),
    /// Place in the group.
    Rollout(Subject),
    /// SID level: of the token, or `inner`: of the level looked at.
    Level {
        inner: bool,
    },
    /// The code of a SID at that level.
    Code {
        of: Subject,
        inner: bool,
    },
    Let {
        id: LetId,
        of: Subject,
        inner: bool,
    },
    /// A part of the score; monitors only.
    Part {
        column: Column,
        of: Subject,
        inner: bool,
    },
    /// Whether the item behind a SID or an item key exists.
    InCatalog {
        id: FeatureId,
        of: Subject,
    },
    Not(ExprId),
    Negate(ExprId),
    Add(ExprId, ExprId),
    Subtract(ExprId, ExprId),
    Multiply(ExprId, ExprId),
    Divide(ExprId, ExprId),
    Compare(CompareOp, ExprId, ExprId),
    And(ExprId, ExprId),
    Or(ExprId, ExprId),
    Fallback(ExprId, ExprId),
    IsKnown(ExprId),
    /// `x in […]`.
    OneOf(ExprId, Box<[ExprId]>),
    /// `x in LIST`.
    InList(ExprId, ListId),
    /// `"text" in SET`.
    InSet(ExprId, ExprId),
    If {
        arms: Box<[(ExprId, ExprId)]>,
        otherwise: ExprId,
    },
    /// Arms by whole ranges (both ends) or texts; the last may stand for all that is left.
    Match {
        subject: ExprId,
        arms: Box<[(Arm, ExprId)]>,
        otherwise: Option<ExprId>,
    },
    Call {
        function: &'static Function,
        args: Box<[ExprId]>,
    },
    Lookup {
        table: TableId,
        keys: Box<[ExprId]>,
    },
    Aggregate(Box<AggregateExpr>),
}

/// What an arm fits.
#[derive(Clone, Debug, PartialEq)]
pub enum Arm {
    Text(String),
    Range(i64, i64),
}

/// An aggregate over the members of a span.
#[derive(Clone, Debug)]
pub struct AggregateExpr {
    pub function: &'static Aggregate,
    pub span: SpanKind,
    /// Worked out for each member.
    pub body: Option<ExprId>,
    /// Worked out for the candidate: the operand of `rank`, what stands before `among`.
    pub own: Option<ExprId>,
    pub share: Decimal,
    pub narrowing: Option<Narrowing>,
    /// The member's key and the candidate's.
    pub per: Option<(ExprId, ExprId)>,
    pub filter: Option<ExprId>,
    pub at_least: u64,
}

impl Op {
    /// Calls `visit` with every direct child.
    pub fn children(&self, mut visit: impl FnMut(ExprId)) {
        match self {
            Self::Constant(_)
            | Self::Sid(_)
            | Self::Param(_)
            | Self::Feature { .. }
            | Self::Position(_)
            | Self::Rollout(_)
            | Self::Level { .. }
            | Self::Code { .. }
            | Self::Let { .. }
            | Self::Part { .. }
            | Self::InCatalog { .. } => {}
            Self::Not(a) | Self::Negate(a) | Self::IsKnown(a) | Self::InList(a, _) => visit(*a),
            Self::Add(a, b)
            | Self::Subtract(a, b)
            | Self::Multiply(a, b)
            | Self::Divide(a, b)
            | Self::Compare(_, a, b)
            | Self::And(a, b)
            | Self::Or(a, b)
            | Self::Fallback(a, b)
            | Self::InSet(a, b) => {
                visit(*a);
                visit(*b);
            }
            Self::OneOf(a, items) => {
                visit(*a);
                items.iter().for_each(|i| visit(*i));
            }
            Self::If { arms, otherwise } => {
                for (condition, value) in arms {
                    visit(*condition);
                    visit(*value);
                }
                visit(*otherwise);
            }
            Self::Match { subject, arms, otherwise } => {
                visit(*subject);
                arms.iter().for_each(|(_, v)| visit(*v));
                otherwise.iter().for_each(|o| visit(*o));
            }
            Self::Call { args, .. } | Self::Lookup { keys: args, .. } => args.iter().for_each(|a| visit(*a)),
            Self::Aggregate(a) => {
                for child in [a.own, a.body, a.per.map(|p| p.1), a.per.map(|p| p.0), a.filter].into_iter().flatten() {
                    visit(child);
                }
            }
        }
    }
}
