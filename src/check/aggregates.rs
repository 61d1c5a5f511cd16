//! Aggregates: what they see, how they may be narrowed, at which level they stand (R3).

use super::Checker;
use super::expr::Scope;
use crate::builtins::{self, Aggregate, AggregateKind, Body, Emptiness};
use crate::diagnostic::{Diagnostic, code, did_you_mean};
use crate::program::{AggregateExpr, ExprId, Let, LetId, Narrowing, Op, SpanKind, Subject};
use crate::schema::ListFrom;
use crate::source::Span;
use crate::syntax::ast::{self, ExprKind, Name, Spanned};
use crate::types::{Availability, Decimal, Interval, Level, Ty};

/// The pieces of an aggregate while it is checked.
pub(super) struct Pieces {
    pub(super) function: &'static Aggregate,
    pub(super) span: SpanKind,
    pub(super) body: Option<ExprId>,
    pub(super) own: Option<ExprId>,
    pub(super) share: Decimal,
    pub(super) narrowing: Option<Narrowing>,
    pub(super) per: Option<(ExprId, ExprId)>,
    pub(super) filter: Option<ExprId>,
    pub(super) at_least: u64,
}

impl Checker {
    pub(super) fn aggregate(
        &mut self,
        name: &Name,
        args: &[ast::Expr],
        among: Option<&ast::Expr>,
        over: &ast::Over,
        span: Span,
    ) -> Option<ExprId> {
        let Some(function) = builtins::aggregate(&name.node) else {
            let near = did_you_mean(&name.node, builtins::AGGREGATES.iter().map(|a| a.name));
            return self.refuse(
                Diagnostic::at(
                    &code::UNKNOWN_FUNCTION,
                    name.span,
                    format!("`{}` does not work over a span", name.node),
                )
                .help(near.map_or_else(
                    || {
                        format!(
                            "over spans work {}",
                            builtins::AGGREGATES.iter().map(|a| a.name).collect::<Vec<_>>().join(", ")
                        )
                    },
                    |n| format!("did you mean `{n}`?"),
                )),
            );
        };
        if self.in_fn > 0 {
            return self.refuse(
                Diagnostic::at(&code::ARGUMENTS, span, "a `fn` cannot look at the members of a span")
                    .help("hand the value in as an argument, or write a `let`"),
            );
        }
        let kind = self.span_kind(&over.span)?;
        // An aggregate inside another is worked out first, as though it had a `let` of its own;
        // only `over levels` inside history or targets looks at the entry around (R3.7).
        let outer = self.scope;
        let looks_out = kind == SpanKind::Levels && matches!(outer.span, Some(SpanKind::History | SpanKind::Targets));
        if outer.span.is_none() || looks_out {
            return self.build(function, kind, args, among, over, span, if looks_out { outer.span } else { None });
        }
        self.apart(span, |c| c.build(function, kind, args, among, over, span, None))
    }

    /// Builds something that stands inside a span as though it had a `let` of its own (R3.7).
    pub(super) fn apart(&mut self, span: Span, build: impl FnOnce(&mut Self) -> Option<ExprId>) -> Option<ExprId> {
        let outer = std::mem::take(&mut self.scope);
        // Only what rules prove holds there, not what a branch around does.
        let branch = self.facts.split_off(self.rule_facts.min(self.facts.len()));
        let built = build(self);
        self.facts.extend(branch);
        self.scope = outer;
        let value = built?;
        let id = LetId(self.program.lets.len() as u32);
        self.program.lets.push(Let { name: None, value });
        let of = if outer.span.is_some_and(SpanKind::of_candidates) { Subject::Member } else { Subject::Own };
        self.reference(id, of, span)
    }

    pub(super) fn span_kind(&mut self, name: &Name) -> Option<SpanKind> {
        let Some(kind) = SpanKind::named(&name.node) else {
            let near = did_you_mean(&name.node, ["slate", "group", "batch", "history", "targets", "levels"]);
            let help = near.map_or_else(
                || "spans are slate, group, batch, history, targets and levels".to_string(),
                |n| format!("did you mean `{n}`?"),
            );
            return self.refuse(
                Diagnostic::at(&code::SPAN, name.span, format!("there is no span `{}`", name.node)).help(help),
            );
        };
        let missing = match kind {
            SpanKind::History if self.schema.past.is_none() => {
                Some("the schema has no `past` list: add it under `lists:`")
            }
            SpanKind::Targets if self.schema.wanted.is_none() => {
                Some("the schema has no `wanted` list: add it under `lists:`")
            }
            SpanKind::Levels if self.program.sid_shape.is_empty() => {
                Some("the schema has no SID: add a feature of scale `sid`")
            }
            _ => None,
        };
        match missing {
            Some(help) => self
                .refuse(Diagnostic::at(&code::SPAN, name.span, format!("there is no `{}` here", name.node)).help(help)),
            None => Some(kind),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the pieces of one piece of syntax")]
    fn build(
        &mut self,
        function: &'static Aggregate,
        kind: SpanKind,
        args: &[ast::Expr],
        among: Option<&ast::Expr>,
        over: &ast::Over,
        span: Span,
        entries: Option<SpanKind>,
    ) -> Option<ExprId> {
        let outside = self.scope;
        let inside = Scope { span: Some(kind), entries: entries.filter(|_| kind == SpanKind::Levels) };
        if function.kind == AggregateKind::Rank && matches!(kind, SpanKind::History | SpanKind::Targets) {
            return self.refuse(
                Diagnostic::at(
                    &code::ARGUMENTS,
                    span,
                    format!("`rank` ranks candidates, and `{}` has none", kind.as_str()),
                )
                .help("write `percentile(x among past.x over history)`, or count those that are greater"),
            );
        }
        let narrowing = self.narrowing(kind, over.narrowing.as_ref())?;
        let per = match &over.per {
            Some(key) => Some(self.per(kind, key, inside)?),
            None => None,
        };
        self.scope = inside;
        let filter = over.filter.as_ref().map(|f| self.condition(f));
        self.scope = outside;
        let filter = match filter {
            Some(built) => Some(built?),
            None => None,
        };
        let facts = filter.map(|f| self.facts_when_true(f)).unwrap_or_default();
        let pieces = Pieces {
            function,
            span: kind,
            body: None,
            own: None,
            share: Decimal(0),
            narrowing,
            per,
            filter,
            at_least: over.at_least.as_ref().map_or(0, |n| n.node),
        };
        let before = self.facts.len();
        self.facts.extend(facts);
        let pieces = self.body(pieces, args, among, inside, span);
        self.facts.truncate(before);
        self.scope = outside;
        self.assemble(pieces?, span)
    }

    fn narrowing(&mut self, kind: SpanKind, word: Option<&Spanned<Narrowing>>) -> Option<Option<Narrowing>> {
        let Some(word) = word else { return Some(None) };
        let fits = match kind {
            SpanKind::Slate | SpanKind::Group | SpanKind::Levels => true,
            SpanKind::Batch => word.node == Narrowing::Except,
            SpanKind::History | SpanKind::Targets => false,
        };
        if fits {
            return Some(Some(word.node));
        }
        let help = if kind == SpanKind::Batch {
            "a batch has no order; `except this` is possible"
        } else {
            "the candidate is no member of it; use `where`"
        };
        self.refuse(
            Diagnostic::at(&code::NARROWING, word.span, format!("`{}` cannot be narrowed so", kind.as_str()))
                .help(help),
        )
    }

    /// The key of `per`, as the member's and as the candidate's.
    fn per(&mut self, kind: SpanKind, key: &ast::Expr, inside: Scope) -> Option<(ExprId, ExprId)> {
        if !kind.of_candidates() {
            return self.refuse(
                Diagnostic::at(&code::NARROWING, key.span, format!("`per` does not go with `{}`", kind.as_str()))
                    .help("write `where past.KEY == KEY`"),
            );
        }
        let outside = self.scope;
        self.scope = inside;
        let member = self.key(key);
        self.scope = outside;
        let own = self.key(key)?;
        Some((member?, own))
    }

    /// An id, category or whole number that is known (R3.6).
    pub(super) fn key(&mut self, key: &ast::Expr) -> Option<ExprId> {
        self.key_or_sid(key, false)
    }

    /// As [`Checker::key`], and for `is first in` a SID.
    pub(super) fn key_or_sid(&mut self, key: &ast::Expr, sid: bool) -> Option<ExprId> {
        let id = self.expr(key)?;
        let expr = self.program.expr(id);
        let (ty, nullable) = (expr.ty.clone(), expr.nullable);
        if !(matches!(ty, Ty::Id | Ty::Category(_) | Ty::Number { whole: true, .. }) || (sid && ty == Ty::Sid)) {
            return self.refuse(Diagnostic::at(
                &code::TYPE,
                key.span,
                format!("a key is an id, a category or a whole number, this is {ty}"),
            ));
        }
        if nullable {
            return self.refuse(
                Diagnostic::at(&code::MISSING, key.span, "this key may be missing")
                    .help("make it known before with `require … is known` (in a cap also `on … is known`), or give it a value with `??`"),
            );
        }
        Some(id)
    }

    fn body(
        &mut self,
        mut pieces: Pieces,
        args: &[ast::Expr],
        among: Option<&ast::Expr>,
        inside: Scope,
        span: Span,
    ) -> Option<Pieces> {
        let function = pieces.function;
        let wrong = |c: &mut Self| {
            c.refuse(
                Diagnostic::at(
                    &code::ARGUMENTS,
                    span,
                    format!("`{}` is called with the wrong arguments", function.name),
                )
                .help(format!("`{}`", function.form)),
            )
        };
        if among.is_some() != (function.body == Body::Among) {
            return wrong(self);
        }
        let outside = self.scope;
        match (function.body, args) {
            (Body::NothingOrCondition, []) => {}
            (Body::NothingOrCondition | Body::Condition, [condition]) => {
                self.scope = inside;
                pieces.body = Some(self.condition(condition)?);
            }
            (Body::Number, [x]) => {
                self.scope = inside;
                pieces.body = Some(self.member_number(x)?);
            }
            (Body::Key, [x]) => {
                self.scope = inside;
                pieces.body = Some(self.key(x)?);
            }
            (Body::Ranked, [x]) => {
                self.scope = inside;
                let body = self.member_number(x);
                self.scope = outside;
                pieces.own = Some(self.member_number(x)?);
                pieces.body = Some(body?);
            }
            (Body::Among, [x]) => {
                let own = self.member_number(x);
                self.scope = inside;
                let body = self.member_number(among?)?;
                let own = own?;
                self.equal_dimensions(own, body, span)?;
                pieces.own = Some(own);
                pieces.body = Some(body);
            }
            (Body::NumberAndShare, [x, share]) => {
                self.scope = inside;
                pieces.body = Some(self.member_number(x)?);
                let ExprKind::Number(n) = &share.kind else {
                    return self.refuse(
                        Diagnostic::at(&code::CONSTANT, share.span, "the share of `quantile` is a literal")
                            .help("`quantile(x, 75% over group)`"),
                    );
                };
                pieces.share =
                    if n.is_whole() && n.digits == "1" { Decimal(10_000) } else { self.share_literal(n, share.span)? };
            }
            _ => return wrong(self),
        }
        Some(pieces)
    }

    /// A number that is known: R3.10 refuses bodies that may be missing.
    fn member_number(&mut self, x: &ast::Expr) -> Option<ExprId> {
        let id = self.expr(x)?;
        let expr = self.program.expr(id);
        let (ty, nullable) = (expr.ty.clone(), expr.nullable);
        if !ty.is_number() {
            let help =
                if ty == Ty::Bool { "`count` and `share` take conditions" } else { "aggregates work on numbers" };
            return self.refuse(
                Diagnostic::at(&code::TYPE, x.span, format!("a number is needed here, this is {ty}")).help(help),
            );
        }
        if nullable {
            let text = self.sources.slice(x.span).to_string();
            return self.refuse(
                Diagnostic::at(&code::MISSING, x.span, "this may be missing, and an aggregate does not skip by itself")
                    .help(format!("add `where {text} is known`, or give it a value with `??`")),
            );
        }
        Some(id)
    }

    fn equal_dimensions(&mut self, a: ExprId, b: ExprId, span: Span) -> Option<()> {
        let (x, y) = (self.program.expr(a), self.program.expr(b));
        if x.ty.dimension() == y.ty.dimension() {
            return Some(());
        }
        let diagnostic = Diagnostic::at(&code::DIMENSION, span, format!("{} is compared with {}", x.ty, y.ty))
            .also(x.span, format!("this is {}", x.ty))
            .also(y.span, format!("this is {}", y.ty));
        self.refuse(diagnostic)
    }

    pub(super) fn assemble(&mut self, pieces: Pieces, span: Span) -> Option<ExprId> {
        let Pieces { function, span: kind, body, own, share, narrowing, per, filter, at_least } = pieces;
        let narrowed = narrowing.is_some() || per.is_some() || filter.is_some();
        let longest = self.schema.spans.longest;
        let most = match kind {
            // A candidate behind the slate ranks behind all of its members.
            SpanKind::Slate => longest.slate + u64::from(function.kind == AggregateKind::Rank),
            SpanKind::Group => longest.group,
            SpanKind::Batch => longest.batch,
            SpanKind::History => longest.history,
            SpanKind::Targets => longest.targets,
            SpanKind::Levels => self.program.n_levels() as u64,
        };
        let may_be_empty = narrowed || matches!(kind, SpanKind::History | SpanKind::Targets);
        let operand = body.map_or(Interval::new(0.0, 1.0), |b| self.program.expr(b).interval);
        let (dimension, whole_body) = body.map_or((Default::default(), false), |b| {
            let ty = &self.program.expr(b).ty;
            (ty.dimension(), ty.is_whole())
        });
        use AggregateKind as K;
        let ty = match function.kind {
            K::Any | K::All => Ty::Bool,
            K::Count | K::Rank => Ty::WHOLE,
            K::Share | K::Percentile | K::Entropy => Ty::REAL,
            K::Sum | K::Min | K::Max | K::Quantile => Ty::Number { dimension, whole: whole_body },
            K::Mean | K::Std | K::StdSample | K::Dcg => Ty::Number { dimension, whole: false },
        };
        let operands: Vec<ExprId> =
            [body, own, filter, per.map(|p| p.0), per.map(|p| p.1)].into_iter().flatten().collect();
        let aggregate = AggregateExpr { function, span: kind, body, own, share, narrowing, per, filter, at_least };
        let mut expr = self.combine(Op::Aggregate(Box::new(aggregate)), &operands, ty);
        expr.nullable = match function.empty {
            Emptiness::Known => false,
            Emptiness::Missing => may_be_empty,
            Emptiness::AlwaysMissing => true,
        } || at_least > 0;
        expr.interval = (function.range)(operand, most, may_be_empty);
        self.within_limit(&expr.interval, &operands, span)?;
        let (holder, known_at) = match kind {
            SpanKind::Slate => (Level::Slate, Availability::Generated),
            SpanKind::Group => (Level::Request, Availability::Generated),
            SpanKind::Batch => (Level::Batch, Availability::Target),
            SpanKind::History => (self.list_level(false), Availability::Request),
            SpanKind::Targets => (self.list_level(true), Availability::Target),
            SpanKind::Levels => (Level::Candidate, Availability::Code),
        };
        let own_level = match kind {
            SpanKind::Levels if narrowing.is_some() => Level::Token,
            _ if narrowing.is_some() || per.is_some() || own.is_some() => Level::Candidate,
            _ => Level::Constant,
        };
        let entry_level =
            if kind == SpanKind::Levels && expr.reads_entry && narrowing.is_none() { Level::Constant } else { holder };
        expr.level = expr.level.max(entry_level).max(own_level);
        expr.availability = expr.availability.max(known_at);
        if kind.of_candidates() {
            expr.reads_member = false;
            expr.staged = true;
        }
        if matches!(kind, SpanKind::History | SpanKind::Targets) {
            expr.reads_entry = false;
        }
        expr.reads_own |= narrowing.is_some() && kind != SpanKind::Levels;
        expr.reads_slate |= kind == SpanKind::Slate;
        Some(self.push(expr, span))
    }

    /// A list in the row belongs to the request, an as-of list to the row.
    fn list_level(&self, wanted: bool) -> Level {
        let list = if wanted { self.schema.wanted.as_ref() } else { self.schema.past.as_ref() };
        match list.map(|l| &l.from) {
            Some(ListFrom::AsOf { .. }) => Level::Candidate,
            _ => Level::Request,
        }
    }
}
