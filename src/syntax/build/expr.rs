//! Expressions.

use pest::iterators::Pair;

use super::super::ast::{BinaryOp, Expr, ExprKind, Membership, Name, Narrowing, Over, Pattern, Spanned, UnaryOp};
use super::super::operators::{Piece, climb};
use super::{Builder, Rule};
use crate::diagnostic::{Diagnostic, code};
use crate::source::Span;

/// Longest way from an expression to a leaf; walks over the tree recurse this far at most.
const MAX_DEPTH: u16 = 256;

impl Builder<'_> {
    pub(super) fn expr(&mut self, pair: Pair<'_, Rule>) -> Option<Expr> {
        let inner = pair.into_inner().next()?;
        match inner.as_rule() {
            Rule::conditional => self.conditional(inner),
            Rule::match_expr => self.match_expr(inner),
            Rule::operation => self.operation(inner),
            _ => None,
        }
    }

    /// A node with its depth; past the limit it is reported and cut off.
    pub(crate) fn node(&mut self, kind: ExprKind, span: Span) -> Expr {
        let depth = 1 + children(&kind).map(|e| e.depth).max().unwrap_or(0);
        if depth == MAX_DEPTH {
            self.found.push(
                Diagnostic::at(&code::NESTING, span, format!("an expression more than {MAX_DEPTH} operations deep"))
                    .help("give parts of it names with `let`"),
            );
        }
        if depth > MAX_DEPTH {
            return Expr { kind: ExprKind::Bool(false), span, depth: MAX_DEPTH + 1 };
        }
        Expr { kind, span, depth }
    }

    fn conditional(&mut self, pair: Pair<'_, Rule>) -> Option<Expr> {
        let span = self.span(&pair);
        let mut parts = Vec::new();
        for part in pair.into_inner().filter(|p| p.as_rule() == Rule::expr) {
            parts.push(self.expr(part)?);
        }
        let otherwise = Box::new(parts.pop()?);
        let mut arms = Vec::with_capacity(parts.len() / 2);
        let mut parts = parts.into_iter();
        while let (Some(condition), Some(value)) = (parts.next(), parts.next()) {
            arms.push((condition, value));
        }
        Some(self.node(ExprKind::If { arms, otherwise }, span))
    }

    fn match_expr(&mut self, pair: Pair<'_, Rule>) -> Option<Expr> {
        let span = self.span(&pair);
        let (mut subject, mut arms, mut otherwise) = (None, Vec::new(), None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::expr => subject = Some(Box::new(self.expr(part)?)),
                Rule::arm => {
                    let arm_span = self.span(&part);
                    let mut inner = part.into_inner();
                    let pattern = self.pattern(inner.next()?)?;
                    let value = self.expr(inner.find(|p| p.as_rule() == Rule::expr)?)?;
                    if otherwise.is_some() {
                        self.found.push(Diagnostic::at(&code::MATCH, arm_span, "`else` is the last arm"));
                    }
                    match pattern {
                        Some(pattern) => arms.push((pattern, value)),
                        None => otherwise = Some(Box::new(value)),
                    }
                }
                _ => {}
            }
        }
        Some(self.node(ExprKind::Match { subject: subject?, arms, otherwise }, span))
    }

    /// `None` inside is the pattern `else`.
    fn pattern(&mut self, pair: Pair<'_, Rule>) -> Option<Option<Spanned<Pattern>>> {
        let span = self.span(&pair);
        let mut ends = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::k_else => return Some(None),
                Rule::text => return Some(Some(Spanned { node: Pattern::Text(self.text(part).node), span })),
                Rule::signed_int => {
                    let written = part.as_str().replace(['_', ' '], "");
                    ends.push(written.parse::<i64>().unwrap_or_else(|_| {
                        self.found.push(Diagnostic::at(&code::LITERAL, span, "this whole number is too large"));
                        0
                    }));
                }
                _ => {}
            }
        }
        let (first, last) = (*ends.first()?, *ends.last()?);
        if first > last {
            self.found.push(
                Diagnostic::at(&code::INTERVAL_ORDER, span, "this range ends before it begins")
                    .help(format!("write `{last}..{first}`")),
            );
        }
        Some(Some(Spanned { node: Pattern::Range(first, last), span }))
    }

    fn operation(&mut self, pair: Pair<'_, Rule>) -> Option<Expr> {
        let mut pieces = Vec::new();
        for part in pair.into_inner() {
            let span = self.span(&part);
            match part.as_rule() {
                Rule::operand => {
                    for piece in part.into_inner() {
                        let span = self.span(&piece);
                        pieces.push(match piece.as_rule() {
                            Rule::k_not => Piece::Prefix(UnaryOp::Not, span),
                            Rule::minus => Piece::Prefix(UnaryOp::Negate, span),
                            _ => Piece::Atom(self.primary(piece)?),
                        });
                    }
                }
                Rule::infix => pieces.push(Piece::Infix(Spanned { node: infix(part.as_str())?, span })),
                Rule::known => pieces.push(self.known(part)?),
                Rule::membership => pieces.push(self.membership(part)?),
                _ => return None,
            }
        }
        climb(self, pieces)
    }

    fn known(&mut self, pair: Pair<'_, Rule>) -> Option<Piece> {
        let span = self.span(&pair);
        let (mut negated, mut set, mut narrowing) = (false, None, None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::k_not => negated = true,
                Rule::name => set = Some(self.name(&part)),
                Rule::narrowing => narrowing = Some(self.narrowing(part)?),
                _ => {}
            }
        }
        Some(match set {
            Some(set) => Piece::FirstIn { set, narrowing, span },
            None => Piece::Known { negated, span },
        })
    }

    fn membership(&mut self, pair: Pair<'_, Rule>) -> Option<Piece> {
        let span = self.span(&pair);
        let (mut negated, mut set) = (false, None);
        for part in pair.into_inner() {
            set = match part.as_rule() {
                Rule::k_not => {
                    negated = true;
                    continue;
                }
                Rule::list => Some(Membership::List(self.list(part)?)),
                Rule::w_catalog => Some(Membership::Catalog),
                Rule::path => {
                    let (prefix, name) = self.path(part)?;
                    Some(Membership::Path { prefix, name })
                }
                _ => continue,
            };
        }
        Some(Piece::In { negated, set: Box::new(set?), span })
    }

    fn narrowing(&mut self, pair: Pair<'_, Rule>) -> Option<Spanned<Narrowing>> {
        let span = self.span(&pair);
        let node = match pair.into_inner().next()?.as_rule() {
            Rule::k_before => Narrowing::Before,
            Rule::k_to => Narrowing::To,
            Rule::k_from => Narrowing::From,
            Rule::k_after => Narrowing::After,
            Rule::k_except => Narrowing::Except,
            _ => return None,
        };
        Some(Spanned { node, span })
    }

    fn primary(&mut self, pair: Pair<'_, Rule>) -> Option<Expr> {
        let span = self.span(&pair);
        let inner = pair.into_inner().find(|p| !matches!(p.as_rule(), Rule::open_round | Rule::close_round))?;
        let kind = match inner.as_rule() {
            Rule::number => ExprKind::Number(self.number(inner)),
            Rule::text => ExprKind::Text(self.text(inner).node),
            Rule::boolean => ExprKind::Bool(inner.as_str() == "true"),
            Rule::call => return self.call(inner),
            Rule::path => {
                let (prefix, name) = self.path(inner)?;
                ExprKind::Path { prefix, name }
            }
            Rule::list => ExprKind::List(self.list(inner)?),
            Rule::expr => {
                let inner = self.expr(inner)?;
                return Some(Expr { span, ..inner });
            }
            _ => return None,
        };
        Some(self.node(kind, span))
    }

    fn path(&mut self, pair: Pair<'_, Rule>) -> Option<(Option<Name>, Name)> {
        let mut parts = pair.into_inner();
        let first = parts.next()?;
        let first = self.name(&first);
        match parts.next() {
            Some(second) => Some((Some(first), self.name(&second))),
            None if first.node == "this" => {
                self.found.push(
                    Diagnostic::at(&code::UNEXPECTED, first.span, "`this` alone names nothing")
                        .help("write `this.NAME` for the candidate's own value"),
                );
                None
            }
            None => Some((None, first)),
        }
    }

    fn list(&mut self, pair: Pair<'_, Rule>) -> Option<Vec<Expr>> {
        let span = self.span(&pair);
        let mut items = Vec::new();
        for part in pair.into_inner().filter(|p| p.as_rule() == Rule::expr) {
            items.push(self.expr(part)?);
        }
        if items.len() > 1_000 {
            let message = format!("a list of {} values; 1,000 are allowed", items.len());
            self.found.push(
                Diagnostic::at(&code::LITERAL, span, message)
                    .help("put them in a file: `list NAME of FEATURE from \"f.csv\"`"),
            );
            items.truncate(1_000);
        }
        Some(items)
    }

    fn call(&mut self, pair: Pair<'_, Rule>) -> Option<Expr> {
        let span = self.span(&pair);
        let mut inner = pair.into_inner();
        let name = inner.next()?;
        let name = self.name(&name);
        let (mut args, mut among, mut over) = (Vec::new(), None, None);
        if let Some(body) = inner.find(|p| p.as_rule() == Rule::call_body) {
            let mut next_is_among = false;
            for part in body.into_inner() {
                match part.as_rule() {
                    Rule::expr if next_is_among => among = Some(Box::new(self.expr(part)?)),
                    Rule::expr => args.push(self.expr(part)?),
                    Rule::k_among => next_is_among = true,
                    Rule::over => over = Some(Box::new(self.over(part)?)),
                    _ => {}
                }
            }
        }
        if name.node == "sid" && over.is_none() {
            return self.sid(span, &args);
        }
        Some(self.node(ExprKind::Call { name, args, among, over }, span))
    }

    fn sid(&mut self, span: Span, args: &[Expr]) -> Option<Expr> {
        let codes: Option<Vec<u64>> = args
            .iter()
            .map(|a| match &a.kind {
                ExprKind::Number(n) if n.is_whole() => n.digits.parse().ok(),
                _ => None,
            })
            .collect();
        match codes {
            Some(codes) if !codes.is_empty() => Some(self.node(ExprKind::Sid(codes), span)),
            _ => {
                self.found.push(
                    Diagnostic::at(&code::LITERAL, span, "a SID is written with whole codes")
                        .help("for example `sid(1, 2, 3)`"),
                );
                None
            }
        }
    }

    fn over(&mut self, pair: Pair<'_, Rule>) -> Option<Over> {
        let (mut span, mut narrowing, mut per, mut filter, mut at_least) = (None, None, None, None, None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::name => span = Some(self.name(&part)),
                Rule::narrowing => narrowing = Some(self.narrowing(part)?),
                Rule::per => per = Some(self.last_expr(part)?),
                Rule::filter => filter = Some(self.last_expr(part)?),
                Rule::at_least => {
                    let n = part.into_inner().find(|p| p.as_rule() == Rule::int)?;
                    at_least = Some(self.int(&n));
                }
                _ => {}
            }
        }
        Some(Over { span: span?, narrowing, per, filter, at_least })
    }

    /// The only expression inside a pair like `per KEY`.
    pub(super) fn last_expr(&mut self, pair: Pair<'_, Rule>) -> Option<Expr> {
        let inner = pair.into_inner().find(|p| p.as_rule() == Rule::expr)?;
        self.expr(inner)
    }

    /// The two ways a mixed expression could be read, for messages.
    pub(crate) fn readings(
        &self,
        left: Span,
        op: &str,
        right: Span,
        outer: BinaryOp,
        third: Span,
        third_left: bool,
    ) -> String {
        let (a, b, c) = (self.text_of(left), self.text_of(right), self.text_of(third));
        let outer = outer.as_str();
        if third_left {
            format!("write `{c} {outer} ({a} {op} {b})` or `({c} {outer} {a}) {op} {b}`")
        } else {
            format!("write `({a} {op} {b}) {outer} {c}` or `{a} {op} ({b} {outer} {c})`")
        }
    }
}

fn infix(text: &str) -> Option<BinaryOp> {
    Some(match text {
        "or" => BinaryOp::Or,
        "and" => BinaryOp::And,
        "==" => BinaryOp::Equal,
        "!=" => BinaryOp::NotEqual,
        "<" => BinaryOp::Less,
        "<=" => BinaryOp::LessEqual,
        ">" => BinaryOp::Greater,
        ">=" => BinaryOp::GreaterEqual,
        "+" => BinaryOp::Add,
        "-" => BinaryOp::Subtract,
        "??" => BinaryOp::Fallback,
        "*" => BinaryOp::Multiply,
        "/" => BinaryOp::Divide,
        _ => return None,
    })
}

/// The direct children of a node.
fn children(kind: &ExprKind) -> Box<dyn Iterator<Item = &Expr> + '_> {
    match kind {
        ExprKind::Number(_) | ExprKind::Text(_) | ExprKind::Bool(_) | ExprKind::Sid(_) | ExprKind::Path { .. } => {
            Box::new(std::iter::empty())
        }
        ExprKind::List(items) => Box::new(items.iter()),
        ExprKind::Unary { operand, .. } | ExprKind::Known { operand, .. } | ExprKind::FirstIn { operand, .. } => {
            Box::new(std::iter::once(&**operand))
        }
        ExprKind::In { operand, set, .. } => {
            let list = match &**set {
                Membership::List(items) => items.as_slice(),
                _ => &[],
            };
            Box::new(std::iter::once(&**operand).chain(list))
        }
        ExprKind::Binary { left, right, .. } => Box::new([&**left, &**right].into_iter()),
        ExprKind::If { arms, otherwise } => {
            Box::new(arms.iter().flat_map(|(c, v)| [c, v]).chain(std::iter::once(&**otherwise)))
        }
        ExprKind::Match { subject, arms, otherwise } => {
            Box::new(std::iter::once(&**subject).chain(arms.iter().map(|(_, v)| v)).chain(otherwise.as_deref()))
        }
        ExprKind::Call { args, among, over, .. } => {
            let narrowed = over.iter().flat_map(|o| o.per.iter().chain(o.filter.iter()));
            Box::new(args.iter().chain(among.as_deref()).chain(narrowed))
        }
    }
}
