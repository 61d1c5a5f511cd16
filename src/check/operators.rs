//! Operators: types, dimensions, missing values and intervals of each.

use super::Checker;
use super::expr::not_comparable;
use crate::diagnostic::{Diagnostic, code};
use crate::program::{CompareOp, Constant, ExprId, Op};
use crate::source::Span;
use crate::syntax::ast::{self, BinaryOp, Spanned};
use crate::types::{Interval, Ty};

impl Checker {
    pub(super) fn not(&mut self, inner: ExprId, span: Span) -> Option<ExprId> {
        self.must_be_known(inner).then_some(())?;
        let expr = self.program.expr(inner);
        if expr.ty != Ty::Bool {
            let (ty, place) = (expr.ty.clone(), expr.span);
            return self.refuse(Diagnostic::at(&code::TYPE, place, format!("`not` takes a condition, this is {ty}")));
        }
        let interval = Interval::point(1.0).minus(expr.interval);
        let mut expr = self.combine(Op::Not(inner), &[inner], Ty::Bool);
        expr.interval = interval;
        Some(self.push(expr, span))
    }

    pub(super) fn negate(&mut self, inner: ExprId, span: Span) -> Option<ExprId> {
        let (ty, place, interval) = self.facts_of(inner);
        if !ty.is_number() {
            return self.refuse(Diagnostic::at(&code::TYPE, place, format!("`-` takes a number, this is {ty}")));
        }
        let mut expr = self.combine(Op::Negate(inner), &[inner], ty);
        expr.interval = interval.negated();
        Some(self.push(expr, span))
    }

    fn facts_of(&self, id: ExprId) -> (Ty, Span, Interval) {
        let expr = self.program.expr(id);
        (expr.ty.clone(), expr.span, expr.interval)
    }

    pub(super) fn binary(
        &mut self,
        op: &Spanned<BinaryOp>,
        left: &ast::Expr,
        right: &ast::Expr,
        span: Span,
    ) -> Option<ExprId> {
        match op.node {
            BinaryOp::And | BinaryOp::Or => self.logical(op.node == BinaryOp::And, left, right, span),
            BinaryOp::Fallback => self.fallback(left, right, op.span, span),
            BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply | BinaryOp::Divide => {
                let (a, b) = (self.expr(left), self.expr(right));
                self.arithmetic(op, a?, b?, span)
            }
            _ => {
                let (a, b) = (self.known(left), self.known(right));
                self.comparison(op, a?, b?, span)
            }
        }
    }

    fn logical(&mut self, and: bool, left: &ast::Expr, right: &ast::Expr, span: Span) -> Option<ExprId> {
        let a = self.condition(left);
        let facts = match a {
            Some(a) if and => self.facts_when_true(a),
            _ => Vec::new(),
        };
        let b = self.with_facts(facts, |c| c.condition(right));
        let (a, b) = (a?, b?);
        let (x, y) = (self.program.expr(a).interval, self.program.expr(b).interval);
        let pick = if and { f64::min } else { f64::max };
        let op = if and { Op::And(a, b) } else { Op::Or(a, b) };
        let mut expr = self.combine(op, &[a, b], Ty::Bool);
        expr.interval = Interval::new(pick(x.lo, y.lo), pick(x.hi, y.hi));
        Some(self.push(expr, span))
    }

    fn fallback(&mut self, left: &ast::Expr, right: &ast::Expr, mark: Span, span: Span) -> Option<ExprId> {
        let (a, b) = (self.expr(left), self.expr(right));
        let (a, b) = (a?, b?);
        // In a `fn` another call may need it.
        if !self.program.expr(a).nullable && self.in_fn == 0 {
            let remedy = format!("write `{}` alone", self.sources.slice(left.span));
            self.error(
                Diagnostic::at(&code::USELESS_FALLBACK, mark, "what stands before this `??` is never missing")
                    .help(remedy),
            );
        }
        let ty = self.program.expr(a).ty.clone();
        let joined = self.joined(&ty, b, a)?;
        let (x, y) = (self.program.expr(a).interval, self.program.expr(b).interval);
        let mut expr = self.combine(Op::Fallback(a, b), &[a, b], joined);
        expr.nullable = self.program.expr(b).nullable && self.program.expr(a).nullable;
        expr.interval = x.join(y);
        Some(self.push(expr, span))
    }

    fn arithmetic(&mut self, op: &Spanned<BinaryOp>, a: ExprId, b: ExprId, span: Span) -> Option<ExprId> {
        let ((ta, pa, x), (tb, pb, y)) = (self.facts_of(a), self.facts_of(b));
        for (ty, place) in [(&ta, pa), (&tb, pb)] {
            if !ty.is_number() {
                let help = if *ty == Ty::Bool { "write `if … then 1 else 0`" } else { "arithmetic is for numbers" };
                let message = format!("`{}` takes numbers, this is {ty}", op.node.as_str());
                return self.refuse(Diagnostic::at(&code::TYPE, place, message).help(help));
            }
        }
        let (da, db) = (ta.dimension(), tb.dimension());
        let whole = ta.is_whole() && tb.is_whole();
        let same = |c: &mut Self| -> Option<()> {
            if da == db {
                return Some(());
            }
            let verb = if op.node == BinaryOp::Add { "added to" } else { "subtracted from" };
            c.refuse(
                Diagnostic::at(&code::DIMENSION, op.span, format!("{tb} is {verb} {ta}"))
                    .also(pa, format!("this is {ta}"))
                    .also(pb, format!("this is {tb}"))
                    .help("divide one by something of its kind first; a literal of a kind has its unit, also `0 s`"),
            )
        };
        let (op, dimension, whole, interval) = match op.node {
            BinaryOp::Add => {
                same(self)?;
                (Op::Add(a, b), da, whole, x.plus(y))
            }
            BinaryOp::Subtract => {
                same(self)?;
                (Op::Subtract(a, b), da, whole, x.minus(y))
            }
            BinaryOp::Multiply => (Op::Multiply(a, b), da.times(db), whole, x.times(y)),
            _ => (Op::Divide(a, b), da.per(db), false, x.over(y)),
        };
        let divides = matches!(op, Op::Divide(..));
        let mut expr = self.combine(op, &[a, b], Ty::Number { dimension, whole });
        expr.nullable |= divides && !y.nonzero;
        expr.interval = interval;
        self.within_limit(&expr.interval, &[a, b], span)?;
        Some(self.push(expr, span))
    }

    /// Refuses a number that may pass ±1e30 (R6.6).
    pub(super) fn within_limit(&mut self, interval: &Interval, operands: &[ExprId], span: Span) -> Option<()> {
        if !interval.passes_limit() {
            return Some(());
        }
        let quotient = operands.iter().map(|o| self.program.expr(*o)).find(|o| {
            let wide = o.interval.hi >= 1e29 || o.interval.lo <= -1e29;
            wide && matches!(o.op, Op::Divide(..) | Op::Call { .. } | Op::Let { .. })
        });
        let mut diagnostic = Diagnostic::at(&code::LIMIT, span, "this may grow past 1e30");
        diagnostic = match quotient {
            Some(q) => diagnostic
                .also(q.span, "the divisor of this may come close to 0")
                .help("put `min`, `max` or `clamp` around the quotient"),
            None => diagnostic.help("put `min`, `max` or `clamp` around its parts, or narrow the ranges in the schema"),
        };
        self.refuse(diagnostic)
    }

    fn comparison(&mut self, op: &Spanned<BinaryOp>, a: ExprId, b: ExprId, span: Span) -> Option<ExprId> {
        let compare = match op.node {
            BinaryOp::Equal => CompareOp::Equal,
            BinaryOp::NotEqual => CompareOp::NotEqual,
            BinaryOp::Less => CompareOp::Less,
            BinaryOp::LessEqual => CompareOp::LessEqual,
            BinaryOp::Greater => CompareOp::Greater,
            _ => CompareOp::GreaterEqual,
        };
        let equality = matches!(compare, CompareOp::Equal | CompareOp::NotEqual);
        let ((ta, pa, x), (tb, pb, y)) = (self.facts_of(a), self.facts_of(b));
        if equality {
            for (ty, place) in [(&ta, pa), (&tb, pb)] {
                if !ty.is_comparable() {
                    return self.refuse(not_comparable(ty, place));
                }
            }
            self.same_kind(a, b)?;
        } else {
            for (ty, place) in [(&ta, pa), (&tb, pb)] {
                if !ty.is_number() {
                    let message = format!("`{}` compares numbers, this is {ty}", op.node.as_str());
                    return self.refuse(Diagnostic::at(&code::TYPE, place, message));
                }
            }
            if ta.dimension() != tb.dimension() {
                return self.refuse(
                    Diagnostic::at(&code::DIMENSION, op.span, format!("{ta} is compared with {tb}"))
                        .also(pa, format!("this is {ta}"))
                        .also(pb, format!("this is {tb}"))
                        .help("a literal of a kind has its unit, also `0 s`"),
                );
            }
        }
        let mut expr = self.combine(Op::Compare(compare, a, b), &[a, b], Ty::Bool);
        expr.interval = if ta.is_number() { truth(compare, x, y) } else { Interval::new(0.0, 1.0) };
        Some(self.push(expr, span))
    }

    /// Two values that may be equal: of one kind, a text taking the other's.
    pub(super) fn same_kind(&mut self, a: ExprId, b: ExprId) -> Option<()> {
        let ((ta, pa, _), (tb, pb, _)) = (self.facts_of(a), self.facts_of(b));
        for (ty, text_of, place) in [(&ta, b, pb), (&tb, a, pa)] {
            let Ty::Category(names) = ty else { continue };
            let text = match self.program.expr(text_of).op.clone() {
                Op::Constant(Constant::Text(text)) => text,
                Op::Param(id) => {
                    let Some(param) = self.program.params.get_mut(id.index()) else { continue };
                    param.names.extend(names.clone());
                    match &param.value {
                        Constant::Text(text) => text.clone(),
                        _ => continue,
                    }
                }
                _ => continue,
            };
            self.declared(ty, &text, place).then_some(())?;
        }
        let fits = match (&ta, &tb) {
            (Ty::Number { dimension: x, whole: true }, Ty::Number { dimension: y, whole: true }) => x == y,
            (Ty::Category(_), Ty::Category(_)) => true,
            (Ty::Text, Ty::Text | Ty::Category(_) | Ty::Id) | (Ty::Category(_) | Ty::Id, Ty::Text) => true,
            (x, y) => x == y && x.is_comparable(),
        };
        if fits {
            return Some(());
        }
        for (ty, place) in [(&ta, pa), (&tb, pb)] {
            if matches!(ty, Ty::Number { whole: false, .. }) {
                return self.refuse(not_comparable(ty, place));
            }
        }
        self.refuse(
            Diagnostic::at(&code::TYPE, pb, format!("{ta} is never equal to {tb}")).also(pa, format!("this is {ta}")),
        )
    }
}

/// Whether a comparison of two intervals is always true, never, or neither.
fn truth(op: CompareOp, x: Interval, y: Interval) -> Interval {
    let (always, never) = match op {
        CompareOp::Less => (x.hi < y.lo, x.lo >= y.hi),
        CompareOp::LessEqual => (x.hi <= y.lo, x.lo > y.hi),
        CompareOp::Greater => (x.lo > y.hi, x.hi <= y.lo),
        CompareOp::GreaterEqual => (x.lo >= y.hi, x.hi < y.lo),
        CompareOp::Equal => (x.lo == x.hi && y.lo == y.hi && x.lo == y.lo, x.hi < y.lo || y.hi < x.lo),
        CompareOp::NotEqual => (x.hi < y.lo || y.hi < x.lo, x.lo == x.hi && y.lo == y.hi && x.lo == y.lo),
    };
    Interval::new(f64::from(always), f64::from(!never))
}
