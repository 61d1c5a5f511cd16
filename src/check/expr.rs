//! Expressions: names, literals, branches.
//!
//! A function gives `None` where it has reported why; a parent of such an expression says nothing
//! more.

use super::names::Symbol;
use super::{Checker, MAX_OPERATIONS};
use crate::diagnostic::{Diagnostic, code, did_you_mean};
use crate::program::{Constant, Expr, ExprId, FeatureId, LetId, Op, SpanKind, Subject};
use crate::schema::Entity;
use crate::source::Span;
use crate::syntax::ast::{self, ExprKind, Membership, Name, UnaryOp};
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
    fn plain(self) -> Subject {
        if self.span.is_some_and(SpanKind::of_candidates) { Subject::Member } else { Subject::Own }
    }

    /// Whether codes and levels are those of the level looked at.
    fn inner(self) -> bool {
        self.span == Some(SpanKind::Levels)
    }
}

impl Checker {
    /// Builds an expression; it may be missing.
    pub(super) fn expr(&mut self, e: &ast::Expr) -> Option<ExprId> {
        if self.program.exprs.len() > MAX_OPERATIONS {
            if !self.overflow {
                self.overflow = true;
                self.error(
                    Diagnostic::at(&code::WORK, e.span, "more than 100,000 operations after expansion")
                        .help("`fn`s are expanded wherever they are called; give intermediate values names with `let`"),
                );
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

    fn path(&mut self, prefix: Option<&Name>, name: &Name, span: Span) -> Option<ExprId> {
        let Some(prefix) = prefix else { return self.plain(name, span) };
        match prefix.node.as_str() {
            "this" => {
                let fits = match self.scope.span {
                    Some(s) if s.of_candidates() => true,
                    Some(SpanKind::Levels) => matches!(name.node.as_str(), "level" | "code"),
                    _ => false,
                };
                if !fits {
                    return self.refuse(
                        Diagnostic::at(&code::PREFIX, prefix.span, format!("`this.{}` has no meaning here", name.node))
                            .help("`this.` is the candidate's own value inside `over slate`, `group` or `batch`; elsewhere a plain name is the candidate's"),
                    );
                }
                self.named(name, Subject::Own, span)
            }
            "past" | "wanted" => {
                let (list, subject) = if prefix.node == "past" {
                    (SpanKind::History, Subject::Past)
                } else {
                    (SpanKind::Targets, Subject::Wanted)
                };
                if self.scope.span != Some(list) && self.scope.entries != Some(list) {
                    let message = format!("`{}.{}` has no meaning here", prefix.node, name.node);
                    return self.refuse(Diagnostic::at(&code::PREFIX, prefix.span, message).help(format!(
                        "`{}.` is an entry's value inside `over {}`",
                        prefix.node,
                        list.as_str()
                    )));
                }
                self.named(name, subject, span)
            }
            _ if self.in_monitor => self.part(Some(prefix), name, None, span),
            other if self.names.lookup(other, prefix.span) == Some(Symbol::Part) => self.refuse(part_read(prefix)),
            other => {
                let near = did_you_mean(other, ["this", "past", "wanted"]);
                self.refuse(Diagnostic::at(&code::PREFIX, prefix.span, format!("`{other}.` is not a prefix")).help(
                    near.map_or("prefixes are `this.`, `past.` and `wanted.`".to_string(), |n| {
                        format!("did you mean `{n}.`?")
                    }),
                ))
            }
        }
    }

    fn plain(&mut self, name: &Name, span: Span) -> Option<ExprId> {
        if let Some(local) = self.locals.last().and_then(|l| l.get(&name.node)).copied() {
            // An argument is used again under the facts that hold here.
            let expr = self.program.expr(local?).clone();
            // Its place stays that of the argument.
            let place = expr.span;
            return Some(self.push(expr, place));
        }
        self.named(name, self.scope.plain(), span)
    }

    /// A name as the value of someone.
    fn named(&mut self, name: &Name, of: Subject, span: Span) -> Option<ExprId> {
        let outer = crate::types::VALUE_WORDS.contains(&name.node.as_str())
            || !matches!(self.names.lookup(&name.node, name.span), Some(Symbol::Param(_)) | None);
        if self.in_fn > 0 && outer {
            return self.refuse(
                Diagnostic::at(&code::UNKNOWN_NAME, name.span, format!("a `fn` cannot read `{}`", name.node))
                    .help("it reads its parameters, params and tables: hand it in as an argument"),
            );
        }
        match name.node.as_str() {
            "position" | "rollout" | "level" | "code" => return self.number_of_batch(name, of, span),
            "catalog" | "lowest" | "drop" => {
                return self.refuse(Diagnostic::at(&code::TYPE, span, format!("`{}` is not a value here", name.node)));
            }
            _ => {}
        }
        match self.names.lookup(&name.node, name.span) {
            Some(Symbol::Broken) => None,
            Some(Symbol::Feature(i)) => self.feature(i, name, of, span),
            Some(Symbol::Param(id)) => self.param(id, span),
            Some(Symbol::Let(i)) => self.let_reference(i, name, of, span),
            Some(Symbol::Part) if self.in_monitor => self.part(None, name, Some(of), span),
            Some(Symbol::Part) => self.refuse(part_read(name)),
            Some(Symbol::Rule) => self.refuse(
                Diagnostic::at(&code::PART_READ, name.span, format!("the rule `{}` cannot be read", name.node)).help(
                    "write its condition again, or give it a name with `let`; rates of rules are counted by verdict",
                ),
            ),
            Some(Symbol::Table(_)) => self.refuse(
                Diagnostic::at(&code::ARGUMENTS, name.span, format!("the table `{}` needs its keys", name.node))
                    .help(format!("write `{}(key)`", name.node)),
            ),
            Some(Symbol::List(_)) => self.refuse(
                Diagnostic::at(&code::TYPE, name.span, format!("the list `{}` stands behind `in`", name.node))
                    .help(format!("write `… in {}`", name.node)),
            ),
            None if self.in_monitor && crate::types::OUTPUT_NAMES.contains(&name.node.as_str()) => {
                self.part(None, name, Some(of), span)
            }
            None if crate::types::OUTPUT_NAMES.contains(&name.node.as_str()) => self.refuse(part_read(name)),
            None if self.names.lookup(&super::names::fn_key(&name.node), name.span).is_some() => self.refuse(
                Diagnostic::at(&code::ARGUMENTS, name.span, format!("the fn `{}` needs its arguments", name.node))
                    .help(format!("write `{}(…)`", name.node)),
            ),
            None => {
                let unknown = self.unknown(&name.node, name.span);
                self.refuse(unknown)
            }
        }
    }

    /// The program's id of a schema feature.
    pub(super) fn feature_id(&mut self, schema_index: usize) -> Option<FeatureId> {
        if let Some(id) = self.feature_ids.get(&schema_index) {
            return Some(*id);
        }
        let feature = self.schema.features.get(schema_index)?.clone();
        let id = FeatureId(self.program.features.len() as u32);
        if feature.scale == crate::types::Scale::Sid {
            self.program.sid_feature = Some(id);
        }
        self.program.features.push(feature);
        self.feature_ids.insert(schema_index, id);
        Some(id)
    }

    fn feature(&mut self, index: usize, name: &Name, of: Subject, span: Span) -> Option<ExprId> {
        let feature = self.schema.features.get(index)?.clone();
        let entry = matches!(of, Subject::Past | Subject::Wanted);
        if entry {
            let (list, word) = match of {
                Subject::Past => (self.schema.past.as_ref(), "past"),
                _ => (self.schema.wanted.as_ref(), "wanted"),
            };
            let features = list.map(|l| l.features.clone()).unwrap_or_default();
            if !features.contains(&feature.name) {
                let near = did_you_mean(&name.node, features.iter().map(String::as_str));
                return self.refuse(
                    Diagnostic::at(&code::SPAN, name.span, format!("entries of `{word}` have no `{}`", name.node))
                        .help(near.map_or_else(
                            || format!("the schema lists {}", features.join(", ")),
                            |n| format!("did you mean `{n}`?"),
                        )),
                );
            }
        } else if feature.entity == Entity::Target {
            return self.refuse(
                Diagnostic::at(&code::PREFIX, name.span, format!("`{}` belongs to targets", name.node))
                    .help(format!("write `wanted.{}` inside `over targets`", name.node)),
            );
        }
        let id = self.feature_id(index)?;
        let mut expr = self.combine(Op::Feature { id, of }, &[], feature.ty());
        expr.nullable = feature.nullable;
        expr.interval = if expr.ty.is_number() { feature.range } else { Interval::new(0.0, 1.0) };
        match of {
            Subject::Own => {
                expr.level = feature.entity.level();
                expr.reads_own = true;
            }
            Subject::Member => expr.reads_member = true,
            Subject::Past | Subject::Wanted => expr.reads_entry = true,
        }
        expr.availability = match of {
            Subject::Past => Availability::Request,
            Subject::Wanted => Availability::Target,
            _ if feature.scale == crate::types::Scale::Sid => Availability::Static,
            _ => feature.availability,
        };
        Some(self.push(expr, span))
    }

    fn param(&mut self, id: crate::program::ParamId, span: Span) -> Option<ExprId> {
        let param = self.program.params.get(id.index())?.clone();
        let mut expr = self.combine(Op::Param(id), &[], param.ty);
        expr.interval = param.range.unwrap_or(Interval::new(0.0, 1.0));
        Some(self.push(expr, span))
    }

    fn let_reference(&mut self, decl: usize, name: &Name, of: Subject, span: Span) -> Option<ExprId> {
        if matches!(of, Subject::Past | Subject::Wanted) {
            return self.refuse(
                Diagnostic::at(
                    &code::PREFIX,
                    name.span,
                    format!("the let `{}` belongs to candidates, not to entries", name.node),
                )
                .help("write its expression again on the entry's features"),
            );
        }
        let id = (*self.let_values.get(&decl)?)?;
        self.reference(id, of, span)
    }

    /// A reference to a let as the value of someone.
    pub(super) fn reference(&mut self, id: LetId, of: Subject, span: Span) -> Option<ExprId> {
        let value = self.program.lets.get(id.index())?.value;
        let value = self.program.expr(value).clone();
        let inner = self.scope.inner() && value.level == Level::Token;
        let mut expr =
            Expr { op: Op::Let { id, of, inner }, reads_entry: false, reads_member: false, reads_own: false, ..value };
        if of == Subject::Member && expr.level > Level::Batch {
            // The member's value; that of a token is at the level of the token around (R3.9).
            expr.reads_member = true;
            expr.level = if expr.level == Level::Token { Level::Token } else { Level::Constant };
        }
        if inner {
            expr.level = Level::Candidate;
        }
        expr.reads_own = of == Subject::Own && expr.level > Level::Constant;
        Some(self.push(expr, span))
    }

    /// `position rollout level code`: the batch's own numbers, from 1 (R3.2).
    fn number_of_batch(&mut self, name: &Name, of: Subject, span: Span) -> Option<ExprId> {
        let levels = self.program.n_levels() as f64;
        let inner = self.scope.inner() && !self.sources.slice(span).starts_with("this");
        let word = name.node.as_str();
        if matches!(word, "level" | "code") && levels == 0.0 {
            return self.refuse(no_sid(name.span));
        }
        if matches!(of, Subject::Past | Subject::Wanted) && word != "code" {
            return self.refuse(Diagnostic::at(&code::PREFIX, name.span, format!("entries have no `{word}`")));
        }
        let longest = self.schema.spans.longest;
        let op = match word {
            "position" => Op::Position(of),
            "rollout" => Op::Rollout(of),
            "level" => Op::Level { inner },
            _ => {
                let sid = self.schema.features.iter().position(|f| f.scale == crate::types::Scale::Sid)?;
                if let Subject::Past | Subject::Wanted = of {
                    let feature = self.schema.features.get(sid)?.name.clone();
                    let reading = Name { node: feature, span: name.span };
                    // Entries must have the SID at all.
                    self.feature(sid, &reading, of, span)?;
                }
                self.feature_id(sid)?;
                Op::Code { of, inner }
            }
        };
        let mut expr = self.combine(op, &[], Ty::WHOLE);
        expr.interval = match word {
            "position" => Interval::new(1.0, (longest.slate + longest.group) as f64),
            "rollout" => Interval::new(1.0, longest.group.max(longest.batch) as f64),
            "level" => Interval::new(1.0, levels),
            _ => Interval::new(0.0, self.program.sid_shape.iter().copied().max().map_or(0.0, |n| f64::from(n) - 1.0)),
        };
        match word {
            "position" | "rollout" => {
                expr.availability = Availability::Generated;
                expr.reads_slate = word == "position";
                if of == Subject::Member {
                    expr.reads_member = true
                } else {
                    expr.level = Level::Candidate
                }
                expr.reads_own = of == Subject::Own;
            }
            _ => {
                expr.availability = match of {
                    Subject::Wanted => Availability::Target,
                    _ => Availability::Code,
                };
                expr.level = if inner { Level::Candidate } else { Level::Token };
                expr.reads_own = of == Subject::Own && word == "code";
                expr.reads_member = of == Subject::Member && word == "code";
                expr.reads_entry = matches!(of, Subject::Past | Subject::Wanted);
            }
        }
        Some(self.push(expr, span))
    }

    fn conditional(&mut self, arms: &[(ast::Expr, ast::Expr)], otherwise: &ast::Expr, span: Span) -> Option<ExprId> {
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

    fn matching(
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

    fn membership(&mut self, operand: &ast::Expr, set: &Membership, span: Span) -> Option<ExprId> {
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

fn part_read(name: &Name) -> Diagnostic {
    Diagnostic::at(&code::PART_READ, name.span, format!("`{}` is part of the score and cannot be read here", name.node))
        .help("parts are read in `reward =`, in monitors and in tests; for anything else give the value a name with `let`")
}

fn no_sid(span: Span) -> Diagnostic {
    Diagnostic::at(&code::SPAN, span, "the schema has no SID")
        .help("add `sid: {scale: sid, shape: [256, 256, 256]}` to its features")
}

fn text_or<'t>(text: &'t str, other: &'t str) -> &'t str {
    if text.len() <= 40 && !text.contains('\n') { text } else { other }
}
