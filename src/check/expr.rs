//! Expressions: literals, what must be known, and the properties of every node.
//!
//! A function gives `None` where it has reported why; a parent of such an expression says nothing
//! more.

use super::{Checker, MAX_OPERATIONS};
use crate::diagnostic::{Diagnostic, code};
use crate::program::{Constant, Expr, ExprId, Op, SpanKind, Subject};
use crate::source::Span;
use crate::syntax::ast::{self, ExprKind, UnaryOp};
use crate::types::{Availability, Decimal, Interval, Level, Ty, Unit, round_to_f32};

/// What plain names and prefixes mean (R3.3).
#[derive(Clone, Copy, Debug, Default)]
pub struct Scope {
    /// The innermost span around.
    pub span: Option<SpanKind>,
    /// Around `over levels` inside history or targets: that list.
    pub entries: Option<SpanKind>,
}

impl Scope {
    /// Whose plain names are.
    pub fn plain(self) -> Subject {
        if self.span.is_some_and(SpanKind::of_candidates) { Subject::Member } else { Subject::Own }
    }

    /// Whether codes and levels are those of the level looked at.
    pub fn inner(self) -> bool {
        self.span == Some(SpanKind::Levels)
    }
}

impl Checker {
    /// Builds an expression; it may be missing.
    pub(super) fn expr(&mut self, e: &ast::Expr) -> Option<ExprId> {
        if self.program.exprs.len() > MAX_OPERATIONS {
            if !self.overflow {
                self.overflow = true;
                self.error(Diagnostic::at(&code::WORK, e.span, "more than 100,000 operations after expansion").help(
                    "write fewer declarations; `fn`s are expanded wherever they are called, a `let` is worked out once",
                ));
            }
            return None;
        }
        match &e.kind {
            ExprKind::Number(n) => self.number(n, e.span),
            ExprKind::Text(t) => Some(self.push(constant(Constant::Text(t.as_str().into()), Ty::Text, 0.0), e.span)),
            ExprKind::Bool(b) => Some(self.push(constant(Constant::Bool(*b), Ty::Bool, f64::from(*b)), e.span)),
            ExprKind::Sid(codes) => self.sid(codes, e.span),
            ExprKind::List(_) => {
                self.refuse(Diagnostic::at(&code::TYPE, e.span, "a list stands only behind `in` and in `band`"))
            }
            ExprKind::Path { prefix, name } => self.path(prefix.as_ref(), name, e.span),
            ExprKind::Unary { op, operand } => {
                let inner = self.expr(operand)?;
                match op {
                    UnaryOp::Not => self.not(inner, e.span),
                    UnaryOp::Negate => self.negate(inner, e.span),
                }
            }
            ExprKind::Binary { op, left, right } => self.binary(op, left, right, e.span),
            ExprKind::Known { operand, negated } => {
                let inner = self.expr(operand)?;
                let mut known = self.combine(Op::IsKnown(inner), &[inner], Ty::Bool);
                known.nullable = false;
                if !self.program.expr(inner).nullable {
                    known.interval = Interval::point(1.0);
                } else {
                    known.interval = Interval::new(0.0, 1.0);
                }
                let known = self.push(known, e.span);
                if *negated { self.not(known, e.span) } else { Some(known) }
            }
            ExprKind::In { operand, negated, set } => {
                let found = self.membership(operand, set, e.span)?;
                if *negated { self.not(found, e.span) } else { Some(found) }
            }
            ExprKind::FirstIn { operand, span, narrowing } => self.first_in(operand, span, narrowing.as_ref(), e.span),
            ExprKind::If { arms, otherwise } => self.conditional(arms, otherwise, e.span),
            ExprKind::Match { subject, arms, otherwise } => self.matching(subject, arms, otherwise.as_deref(), e.span),
            ExprKind::Call { name, args, among, over } => match over {
                Some(over) => self.aggregate(name, args, among.as_deref(), over, e.span),
                None => self.call(name, args, among.as_deref(), e.span),
            },
        }
    }

    /// Builds an expression that must be known (R5.5).
    pub(super) fn known(&mut self, e: &ast::Expr) -> Option<ExprId> {
        let id = self.expr(e)?;
        self.must_be_known(id).then_some(id)
    }

    /// Reports a value that may be missing where it must be known.
    pub(super) fn must_be_known(&mut self, id: ExprId) -> bool {
        let expr = self.program.expr(id);
        if !expr.nullable {
            return true;
        }
        let span = expr.span;
        let text = self.sources.slice(span).to_string();
        let shown = if text.len() <= 40 && !text.contains('\n') { format!("`{text}`") } else { "this".into() };
        let narrows = matches!(expr.op, Op::Feature { .. } | Op::Let { .. });
        let default = if expr.ty == Ty::Bool { "false" } else { "DEFAULT" };
        let written = text_or(&text, "…");
        let help = if narrows {
            format!("write `{written} ?? {default}`, or ask `{written} is known` first")
        } else {
            format!("write `{written} ?? {default}`, or give it a name with `let` and ask `NAME is known` first")
        };
        self.error(Diagnostic::at(&code::MISSING, span, format!("{shown} may be missing here")).help(help));
        false
    }

    /// Builds a condition.
    pub(super) fn condition(&mut self, e: &ast::Expr) -> Option<ExprId> {
        let id = self.known(e)?;
        let ty = self.program.expr(id).ty.clone();
        if ty == Ty::Bool {
            return Some(id);
        }
        let help = match ty {
            Ty::Number { .. } => "compare it with something, such as `… > 0`",
            Ty::Category(_) | Ty::Id => "compare it with something, such as `… == \"a\"`",
            _ => "a condition is true or false",
        };
        self.refuse(Diagnostic::at(&code::TYPE, e.span, format!("a condition is needed here, this is {ty}")).help(help))
    }

    /// Builds a plain number that is known.
    pub(super) fn plain_number(&mut self, e: &ast::Expr, what: &str) -> Option<ExprId> {
        let id = self.known(e)?;
        let ty = self.program.expr(id).ty.clone();
        match ty {
            Ty::Number { dimension, .. } if dimension.is_none() => Some(id),
            Ty::Number { .. } => self.refuse(
                Diagnostic::at(&code::DIMENSION, e.span, format!("{what} is a plain number, this is {ty}"))
                    .help("divide it by something of its kind, such as `/ 1 s` or `/ duration`"),
            ),
            Ty::Bool => self.refuse(
                Diagnostic::at(&code::TYPE, e.span, format!("{what} is a plain number, this is a condition"))
                    .help("write `if … then 1 else 0`"),
            ),
            _ => self.refuse(Diagnostic::at(&code::TYPE, e.span, format!("{what} is a plain number, this is {ty}"))),
        }
    }

    /// Adds an expression with its place, a reference narrowed by what is known around it.
    pub(super) fn push(&mut self, mut expr: Expr, span: Span) -> ExprId {
        expr.span = span;
        let expr = self.refined(expr);
        self.program.push(expr)
    }

    /// An expression with what follows from its operands; interval and, where it differs, the rest
    /// is the caller's.
    pub(super) fn combine(&self, op: Op, operands: &[ExprId], ty: Ty) -> Expr {
        let mut expr = Expr {
            op,
            ty,
            level: Level::Constant,
            availability: Availability::Static,
            nullable: false,
            interval: Interval::new(0.0, 1.0),
            reads_own: false,
            reads_member: false,
            reads_entry: false,
            staged: false,
            reads_slate: false,
            span: Span::default(),
        };
        for id in operands {
            let operand = self.program.expr(*id);
            expr.level = expr.level.max(operand.level);
            expr.availability = expr.availability.max(operand.availability);
            expr.nullable |= operand.nullable;
            expr.reads_own |= operand.reads_own;
            expr.reads_member |= operand.reads_member;
            expr.reads_entry |= operand.reads_entry;
            expr.staged |= operand.staged;
            expr.reads_slate |= operand.reads_slate;
        }
        expr
    }

    /// A literal's value in base units and its type, or why it has none.
    pub(super) fn literal(&mut self, n: &ast::Number, span: Span) -> Option<(f64, Ty)> {
        let Some(word) = &n.unit else {
            let whole = n.is_whole();
            return Some((
                if whole { n.decimal() } else { n.single() },
                Ty::Number { dimension: Default::default(), whole },
            ));
        };
        let currency = self.schema.currency.clone();
        let Some(unit) = Unit::named(word, currency.as_deref()) else {
            let help = currency.map_or_else(
                || "the schema names no currency: `currency: CNY`".to_string(),
                |c| format!("the schema's currency is `{c}`"),
            );
            return self
                .refuse(Diagnostic::at(&code::DIMENSION, span, format!("`{word}` is not a unit here")).help(help));
        };
        let value = round_to_f32(unit.to_base(n.decimal()));
        Some((value, Ty::Number { dimension: unit.dimension, whole: false }))
    }

    fn number(&mut self, n: &ast::Number, span: Span) -> Option<ExprId> {
        let (value, ty) = self.literal(n, span)?;
        Some(self.push(constant(Constant::Number(value), ty, value), span))
    }

    fn sid(&mut self, codes: &[u64], span: Span) -> Option<ExprId> {
        let shape = self.program.sid_shape.clone();
        if shape.is_empty() {
            return self.refuse(no_sid(span));
        }
        let fits = codes.len() == shape.len() && codes.iter().zip(&shape).all(|(c, n)| *c < u64::from(*n));
        if !fits {
            return self.refuse(
                Diagnostic::at(&code::TYPE, span, "this SID does not have the schema's shape")
                    .help(format!("the schema says `shape: {shape:?}`; codes are from 0")),
            );
        }
        let mut expr = constant(Constant::Bool(false), Ty::Sid, 0.0);
        expr.op = Op::Sid(codes.iter().map(|c| *c as u32).collect());
        Some(self.push(expr, span))
    }

    /// Exact decimals of a share written as a literal.
    pub(super) fn share_literal(&mut self, n: &ast::Number, span: Span) -> Option<Decimal> {
        let share = Decimal::parse(&n.digits, n.percent);
        if n.unit.is_some() || share.is_none_or(|s| s.to_f64() > 1.0) {
            return self.refuse(
                Diagnostic::at(
                    &code::BOUND,
                    span,
                    "a share is from 0% to 100%, with at most four decimals as a fraction",
                )
                .help("for example `12.34%` or `0.125`"),
            );
        }
        share
    }
}

/// A constant's expression.
pub fn constant(value: Constant, ty: Ty, interval: f64) -> Expr {
    Expr {
        op: Op::Constant(value),
        ty,
        level: Level::Constant,
        availability: Availability::Static,
        nullable: false,
        interval: Interval::point(interval),
        reads_own: false,
        reads_member: false,
        reads_entry: false,
        staged: false,
        reads_slate: false,
        span: Span::default(),
    }
}

/// Values that `==` and its like do not take.
pub fn not_comparable(ty: &Ty, span: Span) -> Diagnostic {
    let real = matches!(ty, Ty::Number { .. });
    let code = if real { &code::REAL_EQUALITY } else { &code::TYPE };
    let message = if real {
        "real numbers are not compared for equality".to_string()
    } else {
        format!("{ty} is not compared for equality")
    };
    Diagnostic::at(code, span, message).help(if real {
        "compare with `<` and `>`, or make it whole with `floor` or `band`"
    } else {
        "categories, ids, SIDs, whole numbers and conditions are"
    })
}

pub fn no_sid(span: Span) -> Diagnostic {
    Diagnostic::at(&code::SPAN, span, "the schema has no SID")
        .help("add `sid: {scale: sid, shape: [256, 256, 256]}` to its features")
}

fn text_or<'t>(text: &'t str, other: &'t str) -> &'t str {
    if text.len() <= 40 && !text.contains('\n') { text } else { other }
}
