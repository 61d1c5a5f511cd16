//! Branches and memberships: `if`, `match`, `in`.

use super::Checker;
use super::expr::not_comparable;
use super::names::Symbol;
use crate::diagnostic::{Diagnostic, code, did_you_mean};
use crate::program::{ExprId, Op, Subject};
use crate::source::Span;
use crate::syntax::ast::{self, Membership};
use crate::types::{Availability, Interval, Ty};

impl Checker {
    pub(super) fn conditional(
        &mut self,
        arms: &[(ast::Expr, ast::Expr)],
        otherwise: &ast::Expr,
        span: Span,
    ) -> Option<ExprId> {
        let before = self.facts.len();
        let mut built = Vec::new();
        let mut failed = false;
        for (condition, value) in arms {
            let Some(condition) = self.condition(condition) else {
                failed = true;
                let _ = self.known(value);
                continue;
            };
            let facts = self.facts_when_true(condition);
            let value = self.with_facts(facts, |c| c.known(value));
            let otherwise = self.facts_when_false(condition);
            self.facts.extend(otherwise);
            match value {
                Some(value) => built.push((condition, value)),
                None => failed = true,
            }
        }
        let otherwise = self.known(otherwise);
        self.facts.truncate(before);
        let otherwise = otherwise?;
        if failed {
            return None;
        }
        let mut ty = self.program.expr(otherwise).ty.clone();
        for (_, value) in &built {
            ty = self.joined(&ty, *value, otherwise)?;
        }
        let values = built.iter().map(|(_, v)| *v).chain([otherwise]);
        let interval = values.map(|v| self.program.expr(v).interval).reduce(Interval::join);
        let operands: Vec<ExprId> = built.iter().flat_map(|(c, v)| [*c, *v]).chain([otherwise]).collect();
        let mut expr = self.combine(Op::If { arms: built.into(), otherwise }, &operands, ty);
        expr.interval = interval.unwrap_or(expr.interval);
        Some(self.push(expr, span))
    }

    /// The type of two branches together.
    pub(super) fn joined(&mut self, ty: &Ty, value: ExprId, other: ExprId) -> Option<Ty> {
        let (found, span) = (self.program.expr(value).ty.clone(), self.program.expr(value).span);
        match (ty, &found) {
            (Ty::Number { dimension: a, whole: x }, Ty::Number { dimension: b, whole: y }) if a == b => {
                Some(Ty::Number { dimension: *a, whole: *x && *y })
            }
            (Ty::Number { .. }, Ty::Number { .. }) => {
                let place = self.program.expr(other).span;
                self.refuse(
                    Diagnostic::at(
                        &code::DIMENSION,
                        span,
                        format!("this is {found}, and what it stands beside is {ty}"),
                    )
                    .also(place, format!("this is {ty}"))
                    .help("a literal of a kind has its unit, also `0 s`"),
                )
            }
            (Ty::Text, Ty::Category(_) | Ty::Id) => Some(found),
            (Ty::Category(_) | Ty::Id, Ty::Text) => Some(ty.clone()),
            (Ty::Category(_), Ty::Category(_)) => Some(Ty::Category(None)),
            (a, b) if a == b => Some(found),
            _ => {
                let place = self.program.expr(other).span;
                self.refuse(
                    Diagnostic::at(&code::TYPE, span, format!("this is {found}, and what it stands beside is {ty}"))
                        .also(place, format!("this is {ty}")),
                )
            }
        }
    }

    pub(super) fn matching(
        &mut self,
        subject: &ast::Expr,
        arms: &[(ast::Spanned<ast::Pattern>, ast::Expr)],
        otherwise: Option<&ast::Expr>,
        span: Span,
    ) -> Option<ExprId> {
        let subject = self.known(subject)?;
        let ty = self.program.expr(subject).ty.clone();
        let place = self.program.expr(subject).span;
        if !matches!(ty, Ty::Number { whole: true, .. } | Ty::Category(_) | Ty::Id) {
            return self.refuse(
                Diagnostic::at(
                    &code::TYPE,
                    place,
                    format!("`match` takes a category, an id or a whole number, this is {ty}"),
                )
                .help("`floor` and `band` make whole numbers"),
            );
        }
        let mut built = Vec::new();
        let mut seen: Vec<&str> = Vec::new();
        let mut failed = false;
        for (pattern, value) in arms {
            let arm = match (&pattern.node, &ty) {
                (ast::Pattern::Text(text), Ty::Category(_) | Ty::Id) => {
                    failed |= !self.declared(&ty, text, pattern.span);
                    seen.push(text);
                    crate::program::Arm::Text(text.clone())
                }
                (ast::Pattern::Range(lo, hi), Ty::Number { .. }) => crate::program::Arm::Range(*lo, *hi),
                _ => {
                    self.error(Diagnostic::at(&code::TYPE, pattern.span, format!("this arm never fits {ty}")));
                    failed = true;
                    continue;
                }
            };
            match self.known(value) {
                Some(value) => built.push((arm, value)),
                None => failed = true,
            }
        }
        let otherwise = match otherwise {
            Some(e) => Some(self.known(e)?),
            None => {
                let left: Vec<&str> = match &ty {
                    Ty::Category(Some(names)) => {
                        names.iter().map(String::as_str).filter(|n| !seen.contains(n)).collect()
                    }
                    _ => vec!["else"],
                };
                if !left.is_empty() {
                    let lacks = left.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
                    let message = if left == ["else"] {
                        "this `match` needs an `else` arm".to_string()
                    } else {
                        format!("this `match` has no arm for {lacks}")
                    };
                    return self
                        .refuse(Diagnostic::at(&code::MATCH, span, message).help("add the arms, or `else -> …`"));
                }
                None
            }
        };
        if failed {
            return None;
        }
        let last = otherwise.or(built.last().map(|(_, v)| *v))?;
        let mut joined = self.program.expr(last).ty.clone();
        for (_, value) in &built {
            joined = self.joined(&joined, *value, last)?;
        }
        let values: Vec<ExprId> = built.iter().map(|(_, v)| *v).chain(otherwise).collect();
        let interval = values.iter().map(|v| self.program.expr(*v).interval).reduce(Interval::join);
        let operands: Vec<ExprId> = values.into_iter().chain([subject]).collect();
        let mut expr = self.combine(Op::Match { subject, arms: built.into(), otherwise }, &operands, joined);
        expr.interval = interval.unwrap_or(expr.interval);
        Some(self.push(expr, span))
    }

    /// Whether a text is a category that the schema declares.
    pub(super) fn declared(&mut self, ty: &Ty, text: &str, span: Span) -> bool {
        let Ty::Category(Some(names)) = ty else { return true };
        if names.iter().any(|n| n == text) {
            return true;
        }
        let near = did_you_mean(text, names.iter().map(String::as_str));
        let help = near.map_or_else(
            || format!("the schema declares {}", names.join(", ")),
            |n| format!("did you mean `\"{n}\"`?"),
        );
        self.error(
            Diagnostic::at(&code::UNKNOWN_CATEGORY, span, format!("there is no category `\"{text}\"`")).help(help),
        );
        false
    }

    pub(super) fn membership(&mut self, operand: &ast::Expr, set: &Membership, span: Span) -> Option<ExprId> {
        match set {
            Membership::Catalog => self.in_catalog(operand, span),
            Membership::List(items) => {
                let x = self.known(operand)?;
                let ty = self.program.expr(x).ty.clone();
                if !ty.is_comparable() {
                    return self.refuse(not_comparable(&ty, operand.span));
                }
                let mut built = Vec::new();
                for item in items {
                    let id = self.known(item)?;
                    let constant = matches!(self.program.expr(id).op, Op::Constant(_) | Op::Sid(_))
                        || matches!(&self.program.expr(id).op, Op::Negate(i) if matches!(self.program.expr(*i).op, Op::Constant(_)));
                    if !constant {
                        return self.refuse(Diagnostic::at(
                            &code::CONSTANT,
                            item.span,
                            "a list behind `in` holds literals",
                        ));
                    }
                    self.same_kind(x, id)?;
                    built.push(id);
                }
                let expr = self.combine(Op::OneOf(x, built.into()), &[x], Ty::Bool);
                Some(self.push(expr, span))
            }
            Membership::Path { prefix: Some(prefix), name } if matches!(prefix.node.as_str(), "past" | "wanted") => {
                self.in_entries(operand, prefix, name, span)
            }
            Membership::Path { prefix, name } => {
                if prefix.is_none()
                    && let Some(Symbol::List(list)) = self.names.lookup(&name.node, name.span)
                {
                    let x = self.known(operand)?;
                    let ty = self.program.expr(x).ty.clone();
                    if !matches!(ty, Ty::Id | Ty::Category(_) | Ty::Text | Ty::Number { whole: true, .. }) {
                        return self.refuse(not_comparable(&ty, operand.span));
                    }
                    let holds = self.list_types.get(list.index()).cloned().flatten();
                    let fits = holds.as_ref().is_none_or(|h| match (h, &ty) {
                        (Ty::Number { .. }, Ty::Number { .. }) | (Ty::Category(_), Ty::Category(_)) => true,
                        (Ty::Id | Ty::Category(_), Ty::Text) => true,
                        (a, b) => a == b,
                    });
                    if let Some(holds) = holds.filter(|_| !fits) {
                        return self.refuse(Diagnostic::at(
                            &code::TYPE,
                            operand.span,
                            format!("this is {ty}, and `{}` is a list of values that are each {holds}", name.node),
                        ));
                    }
                    let expr = self.combine(Op::InList(x, list), &[x], Ty::Bool);
                    return Some(self.push(expr, span));
                }
                let set = self.path(prefix.as_ref(), name, name.span)?;
                if self.program.expr(set).ty != Ty::Set {
                    let ty = self.program.expr(set).ty.clone();
                    return self.refuse(Diagnostic::at(
                        &code::TYPE,
                        name.span,
                        format!("`in` takes a list, a set, `past.…` or `catalog`, this is {ty}"),
                    ));
                }
                self.must_be_known(set).then_some(())?;
                let x = self.known(operand)?;
                if self.program.expr(x).ty != Ty::Text {
                    return self.refuse(Diagnostic::at(
                        &code::TYPE,
                        operand.span,
                        "a set is asked for a text: `\"comedy\" in tags`",
                    ));
                }
                let expr = self.combine(Op::InSet(x, set), &[x, set], Ty::Bool);
                Some(self.push(expr, span))
            }
        }
    }

    /// `sid in catalog`, `video_id in catalog`.
    fn in_catalog(&mut self, operand: &ast::Expr, span: Span) -> Option<ExprId> {
        let x = self.known(operand)?;
        let (op, ty) = (self.program.expr(x).op.clone(), self.program.expr(x).ty.clone());
        if let Op::Feature { id, of: of @ (Subject::Own | Subject::Member) } = op {
            let name = self.program.features.get(id.index()).map_or("", |f| f.name.as_str());
            if ty == Ty::Sid || self.schema.keys.item.as_deref() == Some(name) {
                let mut expr = self.combine(Op::InCatalog { id, of }, &[x], Ty::Bool);
                expr.availability = Availability::Static;
                return Some(self.push(expr, span));
            }
        }
        self.refuse(
            Diagnostic::at(&code::TYPE, operand.span, "only the SID or the item key can be asked for `in catalog`")
                .help("write `sid in catalog`"),
        )
    }
}
