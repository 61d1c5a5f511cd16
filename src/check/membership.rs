//! `X in past.Y` and `KEY is first in SPAN`, each an aggregate in other words (R3.11).

use super::Checker;
use super::aggregates::Pieces;
use super::expr::{Scope, not_comparable};
use crate::builtins;
use crate::diagnostic::{Diagnostic, code};
use crate::program::{CompareOp, ExprId, Narrowing, Op, SpanKind};
use crate::source::Span;
use crate::syntax::ast::{self, ExprKind, Name, Spanned};
use crate::types::{Decimal, Ty};

impl Checker {
    /// `X in past.Y`: some entry's Y equals X; a missing Y equals nothing (R3.11).
    pub(super) fn in_entries(&mut self, operand: &ast::Expr, prefix: &Name, name: &Name, span: Span) -> Option<ExprId> {
        let kind = if prefix.node == "past" { SpanKind::History } else { SpanKind::Targets };
        let word = Name { node: kind.as_str().to_string(), span: prefix.span };
        self.span_kind(&word)?;
        if self.scope.span.is_some() {
            return self.apart(span, |c| c.in_entries(operand, prefix, name, span));
        }
        let outside = self.scope;
        let x = self.known(operand)?;
        self.scope = Scope { span: Some(kind), entries: None };
        let entry_path = ast::Expr {
            kind: ExprKind::Path { prefix: Some(prefix.clone()), name: name.clone() },
            span: name.span,
            depth: 1,
        };
        let y = self.expr(&entry_path);
        self.scope = outside;
        let y = y?;
        self.same_kind(x, y)?;
        let mut known = self.combine(Op::IsKnown(y), &[y], Ty::Bool);
        known.nullable = false;

        let known = self.push(known, span);
        let mut equal = self.combine(Op::Compare(CompareOp::Equal, y, x), &[x, y], Ty::Bool);
        equal.nullable = false;
        let equal = self.push(equal, span);
        let pieces = Pieces {
            function: builtins::aggregate("any")?,
            span: kind,
            body: Some(equal),
            own: None,
            share: Decimal(0),
            narrowing: None,
            per: None,
            filter: Some(known),
            at_least: 0,
        };
        self.assemble(pieces, span)
    }

    /// `KEY is first in SPAN`: no earlier member has an equal key (R3.11).
    pub(super) fn first_in(
        &mut self,
        operand: &ast::Expr,
        span_name: &Name,
        narrowing: Option<&Spanned<Narrowing>>,
        span: Span,
    ) -> Option<ExprId> {
        if let Some(narrowing) = narrowing {
            return self.refuse(Diagnostic::at(
                &code::NARROWING,
                narrowing.span,
                "`is first in` already looks at earlier members only",
            ));
        }
        let kind = self.span_kind(span_name)?;
        if !matches!(kind, SpanKind::Slate | SpanKind::Group) {
            return self.refuse(Diagnostic::at(&code::SPAN, span_name.span, "`is first in` takes `slate` or `group`"));
        }
        if self.scope.span.is_some() {
            return self.apart(span, |c| c.first_in(operand, span_name, narrowing, span));
        }
        let outside = self.scope;
        let own = self.key_or_sid(operand, true)?;
        let ty = self.program.expr(own).ty.clone();
        if !ty.is_comparable() {
            return self.refuse(not_comparable(&ty, operand.span));
        }
        self.scope = Scope { span: Some(kind), entries: None };
        let member = self.key_or_sid(operand, true);
        self.scope = outside;
        let member = member?;
        let differs = self.combine(Op::Compare(CompareOp::NotEqual, member, own), &[member, own], Ty::Bool);
        let differs = self.push(differs, span);
        let pieces = Pieces {
            function: builtins::aggregate("all")?,
            span: kind,
            body: Some(differs),
            own: None,
            share: Decimal(0),
            narrowing: Some(Narrowing::Before),
            per: None,
            filter: None,
            at_least: 0,
        };
        self.assemble(pieces, span)
    }
}
