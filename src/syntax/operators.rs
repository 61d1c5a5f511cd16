//! Precedence: a flat run of operands and operators becomes a tree.
//!
//! Loosest first: `or` · `and` · `not` · comparison, `in`, `is …` · `+ -` · `??` · `* /` · unary `-`.
//! Mixtures that readers understand differently are refused, with both readings offered.

use std::iter::Peekable;
use std::vec::IntoIter;

use super::ast::{BinaryOp, Expr, ExprKind, Membership, Name, Narrowing, Spanned, UnaryOp};
use super::build::Builder;
use crate::diagnostic::{Diagnostic, code};
use crate::source::Span;

/// A piece of a flat run.
pub enum Piece {
    Prefix(UnaryOp, Span),
    Atom(Expr),
    Infix(Spanned<BinaryOp>),
    Known { negated: bool, span: Span },
    In { negated: bool, set: Box<Membership>, span: Span },
    FirstIn { set: Name, narrowing: Option<Spanned<Narrowing>>, span: Span },
}

const COMPARISON: u8 = 4;
const NEGATE: u8 = 8;

fn binding(piece: &Piece) -> Option<u8> {
    Some(match piece {
        Piece::Infix(op) => match op.node {
            BinaryOp::Or => 1,
            BinaryOp::And => 2,
            BinaryOp::Add | BinaryOp::Subtract => 5,
            BinaryOp::Fallback => 6,
            BinaryOp::Multiply | BinaryOp::Divide => 7,
            _ => COMPARISON,
        },
        Piece::Known { .. } | Piece::In { .. } | Piece::FirstIn { .. } => COMPARISON,
        Piece::Prefix(..) | Piece::Atom(_) => return None,
    })
}

/// An expression with its outermost operator, where that stands without brackets.
struct Built {
    expr: Expr,
    top: Option<Top>,
}

#[derive(Clone, Copy)]
struct Top {
    op: BinaryOp,
    left: Span,
    right: Span,
}

/// Builds the tree of a run.
pub fn climb(builder: &mut Builder<'_>, pieces: Vec<Piece>) -> Option<Expr> {
    let mut fallbacks = pieces.iter().filter_map(|p| match p {
        Piece::Infix(op) if op.node == BinaryOp::Fallback => Some(op.span),
        _ => None,
    });
    if let Some(span) = fallbacks.nth(MOST_FALLBACKS) {
        builder.found.push(
            Diagnostic::at(&code::NESTING, span, format!("more than {MOST_FALLBACKS} `??` in a row"))
                .help("give parts of it names with `let`"),
        );
        return None;
    }
    Some(level(builder, &mut pieces.into_iter().peekable(), 0)?.expr)
}

/// Longest run of `??` without brackets: it groups to the right, so each one more nests.
const MOST_FALLBACKS: usize = 64;

fn level(builder: &mut Builder<'_>, run: &mut Peekable<IntoIter<Piece>>, least: u8) -> Option<Built> {
    let mut left = match run.next()? {
        Piece::Atom(expr) => Built { expr, top: None },
        Piece::Prefix(op, span) => {
            let operand = level(builder, run, if op == UnaryOp::Not { COMPARISON } else { NEGATE })?.expr;
            let whole = span.to(operand.span);
            Built { expr: builder.node(ExprKind::Unary { op, operand: Box::new(operand) }, whole), top: None }
        }
        _ => return None,
    };
    while let Some(strength) = run.peek().and_then(binding) {
        if strength < least {
            break;
        }
        left = match run.next()? {
            Piece::Infix(op) => {
                // `??` groups to the right, all others to the left.
                let next = if op.node == BinaryOp::Fallback { strength } else { strength + 1 };
                let right = level(builder, run, next)?;
                join(builder, left, op, right)
            }
            Piece::Known { negated, span } => {
                let whole = left.expr.span.to(span);
                let kind = ExprKind::Known { operand: Box::new(left.expr), negated };
                Built { expr: builder.node(kind, whole), top: None }
            }
            Piece::In { negated, set, span } => {
                let whole = left.expr.span.to(span);
                let kind = ExprKind::In { operand: Box::new(left.expr), negated, set };
                Built { expr: builder.node(kind, whole), top: None }
            }
            Piece::FirstIn { set, narrowing, span } => {
                let whole = left.expr.span.to(span);
                let kind = ExprKind::FirstIn { operand: Box::new(left.expr), span: set, narrowing };
                Built { expr: builder.node(kind, whole), top: None }
            }
            Piece::Prefix(..) | Piece::Atom(_) => return None,
        };
    }
    Some(left)
}

fn join(builder: &mut Builder<'_>, left: Built, op: Spanned<BinaryOp>, right: Built) -> Built {
    refuse_mixtures(builder, &left, &op, &right);
    let top = Top { op: op.node, left: left.expr.span, right: right.expr.span };
    let whole = left.expr.span.to(right.expr.span);
    let kind = ExprKind::Binary { op, left: Box::new(left.expr), right: Box::new(right.expr) };
    Built { expr: builder.node(kind, whole), top: Some(top) }
}

fn refuse_mixtures(builder: &mut Builder<'_>, left: &Built, op: &Spanned<BinaryOp>, right: &Built) {
    let sides = [(left, right, false), (right, left, true)];
    for (inner, outer, third_left) in sides {
        let Some(top) = inner.top else { continue };
        let (code, message) = match (op.node, top.op) {
            (outer, inner) if outer.is_comparison() && inner.is_comparison() => {
                let message = format!("`{}` and `{}` in a chain", inner.as_str(), outer.as_str());
                let help = chain_help(builder, top, op.node, right.expr.span);
                builder.found.push(Diagnostic::at(&code::CHAINED_COMPARISON, op.span, message).help(help));
                continue;
            }
            (BinaryOp::Or, BinaryOp::And) | (BinaryOp::And, BinaryOp::Or) => {
                (&code::MIXED_AND_OR, "`and` and `or` are mixed without brackets".to_string())
            }
            (BinaryOp::Add | BinaryOp::Subtract, BinaryOp::Fallback) => {
                (&code::MIXED_FALLBACK, format!("`??` stands beside `{}` without brackets", op.node.as_str()))
            }
            (BinaryOp::Fallback, BinaryOp::Multiply | BinaryOp::Divide) if third_left => {
                (&code::MIXED_FALLBACK, format!("`??` has `{}` on its right without brackets", top.op.as_str()))
            }
            _ => continue,
        };
        let help = builder.readings(top.left, top.op.as_str(), top.right, op.node, outer.expr.span, third_left);
        builder.found.push(Diagnostic::at(code, op.span, message).help(help));
    }
}

fn chain_help(builder: &Builder<'_>, top: Top, outer: BinaryOp, third: Span) -> String {
    let (a, b, c) = (builder.text_of(top.left), builder.text_of(top.right), builder.text_of(third));
    let (inner, outer) = (top.op.as_str(), outer.as_str());
    format!("write `{a} {inner} {b} and {b} {outer} {c}`")
}
