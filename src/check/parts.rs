//! Rules, lets, terms, gates and caps.

use std::collections::HashMap;

use super::Checker;
use super::narrow::{About, Fact};
use crate::diagnostic::{Diagnostic, code};
use crate::program::{
    self, Bound, Cap, CapSpan, Charge, ExprId, Gate, Let, LetId, Op, Part, Rule, RuleValue, Subject, Term,
};
use crate::syntax::ast::{self, Block, DeclKind, Enforcement, Expr};
use crate::types::{Decimal, Host, Interval, LIMIT, Level};

impl Checker {
    /// Rules in order, each let just before the first thing that reads it: what the rules before
    /// prove is known in it (R5.6).
    pub(super) fn rules_and_lets(&mut self, order: &[usize]) {
        let rules: Vec<usize> = (0..self.decls.len())
            .filter(|i| self.decls.get(*i).is_some_and(|d| matches!(d.kind, DeclKind::Require { .. })))
            .collect();
        let first_use = self.first_uses(order, &rules);
        for (k, &decl) in rules.iter().enumerate() {
            self.lets_at(order, &first_use, k);
            self.rule(decl);
        }
        self.lets_at(order, &first_use, rules.len());
    }

    fn lets_at(&mut self, order: &[usize], first_use: &HashMap<usize, usize>, place: usize) {
        for &decl in order.iter().filter(|d| first_use.get(d) == Some(&place)) {
            self.let_decl(decl);
        }
    }

    /// For each let the number of the first rule that reads it, directly or through lets; parts
    /// outside `format` come after all rules.
    fn first_uses(&self, order: &[usize], rules: &[usize]) -> HashMap<usize, usize> {
        let mut first: HashMap<usize, usize> = order.iter().map(|d| (*d, rules.len())).collect();
        for (k, rule) in rules.iter().enumerate() {
            if let Some(DeclKind::Require { condition, .. }) = self.decls.get(*rule).map(|d| &d.kind) {
                for need in self.needs_of(condition) {
                    if let Some(place) = first.get_mut(&need) {
                        *place = (*place).min(k);
                    }
                }
            }
        }
        for decl in order.iter().rev() {
            let place = first.get(decl).copied().unwrap_or(rules.len());
            if let Some(DeclKind::Let { value, .. }) = self.decls.get(*decl).map(|d| &d.kind) {
                for need in self.needs_of(value) {
                    if let Some(p) = first.get_mut(&need) {
                        *p = (*p).min(place);
                    }
                }
            }
        }
        first
    }

    fn let_decl(&mut self, decl: usize) {
        if self.let_values.contains_key(&decl) {
            return;
        }
        let Some(DeclKind::Let { name, value }) = self.decls.get(decl).map(|d| d.kind.clone()) else { return };
        let built = self.expr(&value).map(|value| {
            let id = LetId(self.program.lets.len() as u32);
            self.program.lets.push(Let { name: Some(name.node.clone()), value });
            id
        });
        self.let_values.insert(decl, built);
    }

    fn rule(&mut self, decl: usize) {
        let Some(DeclKind::Require { name, condition, value, hosts }) = self.decls.get(decl).map(|d| d.kind.clone())
        else {
            return;
        };
        let span = name.span;
        let built = self.condition(&condition).filter(|c| self.at_most_candidate(*c, "a rule").is_some());
        let value = self.rule_value(&value);
        let acts_in = self.rule_hosts(hosts.as_deref());
        // It acts in all hosts of the file (R5.6): left out, or each of them named.
        let everywhere = self.program.hosts.iter().all(|h| acts_in.is_empty() || acts_in.contains(h));
        let (Some(built), Some(value)) = (built, value) else {
            if everywhere {
                self.keep_what_built(&condition);
            }
            return;
        };
        let condition = built;
        if everywhere {
            for fact in self.facts_when_true(condition) {
                // What depends on who is left may change with the next rule.
                let staged = matches!(fact.about, About::Let(id, _) if self.program.lets.get(id.index()).is_some_and(|l| self.program.expr(l.value).staged));
                if staged {
                    continue;
                }
                self.facts.push(fact);
                // Members of spans are narrowed alike (R5.6).
                let member = match fact.about {
                    About::Feature(id, Subject::Own) => Some(About::Feature(id, Subject::Member)),
                    About::Let(id, Subject::Own) => Some(About::Let(id, Subject::Member)),
                    _ => None,
                };
                self.facts.extend(member.map(|about| Fact { about, ..fact }));
            }
            self.rule_facts = self.facts.len();
        }
        let pieces = self.conjuncts(condition);
        self.program.rules.push(Rule {
            name: name.node,
            condition,
            pieces,
            value,
            hosts: acts_in,
            reads: Vec::new(),
            span,
        });
    }

    /// A rule with a fault still makes known what its sound pieces make known, so that one fault is
    /// told once.
    fn keep_what_built(&mut self, condition: &Expr) {
        let mut stack = vec![condition];
        while let Some(piece) = stack.pop() {
            if let ast::ExprKind::Binary { op, left, right } = &piece.kind
                && op.node == ast::BinaryOp::And
            {
                stack.extend([&**left, &**right]);
                continue;
            }
            let found = std::mem::take(&mut self.out);
            let built = self.condition(piece);
            self.out = found;
            if let Some(built) = built {
                let facts = self.facts_when_true(built);
                self.facts.extend(facts);
                self.rule_facts = self.facts.len();
            }
        }
    }

    /// The pieces of a top-level `and` (R5.9).
    fn conjuncts(&self, condition: ExprId) -> Vec<ExprId> {
        let mut pieces = Vec::new();
        let mut stack = vec![condition];
        while let Some(id) = stack.pop() {
            match &self.program.expr(id).op {
                Op::And(a, b) => stack.extend([*b, *a]),
                _ => pieces.push(id),
            }
        }
        pieces
    }

    fn rule_value(&mut self, value: &ast::Setting) -> Option<RuleValue> {
        match value {
            ast::Setting::Name(name) if name.node == "lowest" => Some(RuleValue::Lowest),
            ast::Setting::Name(name) if name.node == "drop" => Some(RuleValue::Drop),
            other => self.setting(other, "what a rule gives").map(RuleValue::Reward),
        }
    }

    fn rule_hosts(&mut self, hosts: Option<&[ast::Name]>) -> Vec<Host> {
        let mut found = Vec::new();
        for name in hosts.unwrap_or(&[]) {
            match Host::named(&name.node) {
                Some(host) if self.program.hosts.contains(&host) => found.push(host),
                Some(_) => self.error(
                    Diagnostic::at(&code::HOST_NOT_NAMED, name.span, format!("this file is not for {}", name.node))
                        .help("add it to `for …` at the head of the file"),
                ),
                None => self.error(super::unknown_host(&name.node, name.span)),
            }
        }
        found
    }

    /// Terms, gates and caps in file order.
    pub(super) fn parts(&mut self) {
        for i in 0..self.decls.len() {
            let Some(decl) = self.decls.get(i) else { continue };
            let (block, kind) = (decl.block, decl.kind.clone());
            let kind_name = kind.name().map(|n| n.node.clone());
            let is_part = matches!(kind, DeclKind::Term { .. } | DeclKind::Gate { .. } | DeclKind::Cap(_));
            let part = match kind {
                DeclKind::Term { name, weight, value } => {
                    self.term(&name, weight.as_ref(), &value, block).map(Part::Term)
                }
                DeclKind::Gate { name, condition } => {
                    let condition =
                        self.condition(&condition).filter(|c| self.at_most_candidate(*c, "a gate").is_some());
                    condition.map(|condition| {
                        Part::Gate(Gate { name: name.node, condition, range: Interval::point(0.0), span: name.span })
                    })
                }
                DeclKind::Cap(cap) => self.cap(&cap).map(Part::Cap),
                _ => None,
            };
            if part.is_none()
                && let Some(name) = kind_name.filter(|_| is_part)
            {
                self.broken.push(name);
            }
            self.program.parts.extend(part);
        }
    }

    fn term(&mut self, name: &ast::Name, weight: Option<&ast::Setting>, value: &Expr, block: Block) -> Option<Term> {
        if !matches!(block, Block::Preference | Block::Ecosystem) {
            return self.refuse(Diagnostic::at(
                &code::MISPLACED,
                name.span,
                "a `term` stands in `preference { … }` or `ecosystem { … }`",
            ));
        }
        let weight = match weight {
            Some(weight) => self.setting(weight, "a weight"),
            None => Some(program::Setting::Constant(1.0)),
        };
        let value = self.plain_number(value, "a term")?;
        self.at_most_candidate(value, "a term")?;
        let weight = weight?;
        let range = self.program.expr(value).interval.times(self.program.setting_range(weight));
        self.within_limit(&range, &[value], name.span)?;
        Some(Term {
            name: name.node.clone(),
            preference: block == Block::Preference,
            weight,
            value,
            range: range.outward_f32(),
            span: name.span,
        })
    }

    /// Refuses a value for each SID level where one for the candidate is needed.
    pub(super) fn at_most_candidate(&mut self, id: ExprId, what: &str) -> Option<()> {
        let expr = self.program.expr(id);
        if expr.level <= Level::Candidate {
            return Some(());
        }
        let span = expr.span;
        self.refuse(
            Diagnostic::at(
                &code::LEVEL,
                span,
                format!("{what} is one number for the candidate, this is one for each SID level"),
            )
            .help("put `sum(… over levels)` around it, or use a `token` channel"),
        )
    }

    fn cap(&mut self, cap: &ast::Cap) -> Option<Cap> {
        let on = match &cap.on {
            Some(on) => {
                let built = self.condition(on)?;
                self.at_most_candidate(built, "a cap's condition")?;
                Some(built)
            }
            None => None,
        };
        let facts = on.map(|o| self.facts_when_true(o)).unwrap_or_default();
        let per = match &cap.per {
            Some(key) => Some(self.with_facts(facts, |c| c.key(key))?),
            None => None,
        };
        let span_kind = match cap.span.node {
            ast::CapSpan::Slate => CapSpan::Slate,
            ast::CapSpan::First(k) => CapSpan::First(k),
            ast::CapSpan::InRow(k) => CapSpan::InRow(k),
            ast::CapSpan::Group => CapSpan::Group,
            ast::CapSpan::Session => CapSpan::Session,
            ast::CapSpan::Window(s) => CapSpan::Window(s),
        };
        let bound = self.bound(&cap.bound);
        let (charge, hard) = self.enforcements(cap, span_kind)?;
        let bound = bound?;
        if matches!(span_kind, CapSpan::Window(_)) && self.is_count(bound) {
            return self.refuse(
                Diagnostic::at(&code::BOUND, cap.bound.span(), "over a window a cap bounds a share")
                    .help("write it with `%`"),
            );
        }
        if per.is_some()
            && (cap.least || matches!(charge, Some(Charge::Dual { .. })) || matches!(span_kind, CapSpan::Window(_)))
        {
            return self.refuse(Diagnostic::at(
                &code::CAP,
                cap.name.span,
                "`per KEY` goes with `at most`, not with `dual` nor over a window",
            ));
        }
        let reads_slate = |e: Option<ExprId>| e.is_some_and(|e| self.program.expr(e).reads_slate);
        if hard.is_some() && (reads_slate(on) || reads_slate(per)) {
            let what = if reads_slate(on) { "condition" } else { "KEY" };
            let message = format!("the {what} of a `hard` cap reads the slate that it is to shape");
            return self.refuse(Diagnostic::at(&code::CAP, cap.name.span, message));
        }
        let range = match charge {
            Some(Charge::Penalty { weight, .. }) => Interval::new(-self.program.setting_range(weight).hi, 0.0),
            Some(Charge::Dual { up_to }) => {
                let most = self.program.setting_range(up_to).hi;
                if cap.least { Interval::new(0.0, most) } else { Interval::new(-most, 0.0) }
            }
            // A scale's range follows from preference, once that is known.
            Some(Charge::Scale(_)) | None => Interval::point(0.0),
        };
        Some(Cap {
            name: cap.name.node.clone(),
            least: cap.least,
            bound,
            span_kind,
            on,
            per,
            charge,
            hard,
            range,
            span: cap.name.span,
        })
    }

    fn is_count(&self, bound: Bound) -> bool {
        match bound {
            Bound::Share(_) => false,
            Bound::Count(_) => true,
            Bound::Param(id) => self.program.params.get(id.index()).is_some_and(|p| p.whole),
        }
    }

    fn bound(&mut self, bound: &ast::Setting) -> Option<Bound> {
        match bound {
            ast::Setting::Constant(c) => match &c.node {
                ast::ConstantKind::Number { number, negative: false } if number.is_whole() => {
                    match number.digits.parse() {
                        Ok(n) if n <= 1_000_000 => Some(Bound::Count(n)),
                        _ => self.refuse(Diagnostic::at(&code::BOUND, c.span, "this count is too large")),
                    }
                }
                ast::ConstantKind::Number { number, negative: false } => {
                    self.share_literal(number, c.span).map(Bound::Share)
                }
                _ => self.refuse(
                    Diagnostic::at(&code::BOUND, c.span, "a bound is a share or a count")
                        .help("write `at most 10% of slate` or `at most 2 of slate`"),
                ),
            },
            ast::Setting::Name(name) => {
                let program::Setting::Param(id) = self.setting(bound, "a bound")? else { return None };
                let param = self.program.params.get(id.index())?;
                let range = param.range?;
                let fine = param.count == param.whole
                    && range.lo >= 0.0
                    && if param.whole {
                        true
                    } else {
                        range.hi <= 1.0 && Decimal::from_f64(param.value.number()).is_some()
                    };
                if !fine {
                    return self.refuse(
                        Diagnostic::at(&code::BOUND, name.span, format!("`{}` is no bound of a cap", name.node))
                            .help("a share is from 0% to 100% with at most four decimals; a count is a whole number from 0, and so are the ends of its range"),
                    );
                }
                Some(Bound::Param(id))
            }
        }
    }

    fn enforcements(&mut self, cap: &ast::Cap, span: CapSpan) -> Option<(Option<Charge>, Option<bool>)> {
        let (mut charge, mut hard) = (None, None);
        for enforcement in &cap.enforcements {
            let place = enforcement.span;
            let (word, spans): (&str, &[&str]) = match (&enforcement.node, cap.least) {
                (Enforcement::Penalty { .. }, false) => ("penalty", &["slate", "first", "row", "group", "session"]),
                (Enforcement::Penalty { .. }, true) => ("penalty", &["slate", "group"]),
                (Enforcement::Scale(_), false) => ("scale", &["slate", "group", "window"]),
                (Enforcement::Scale(_), true) => ("scale", &[]),
                (Enforcement::Dual(_), _) => ("dual", &["slate", "group", "window"]),
                (Enforcement::Hard { .. }, _) => ("hard", &["slate", "first", "row", "session"]),
            };
            let here = match span {
                CapSpan::Slate => "slate",
                CapSpan::First(_) => "first",
                CapSpan::InRow(_) => "row",
                CapSpan::Group => "group",
                CapSpan::Session => "session",
                CapSpan::Window(_) => "window",
            };
            if !spans.contains(&here) {
                let side = if cap.least { "at least" } else { "at most" };
                let help = if spans.is_empty() {
                    format!("`{word}` goes with `at most`")
                } else {
                    format!(
                        "with `{side}` it goes over {}",
                        spans.join(", ").replace("first", "first K").replace("row", "any K in a row")
                    )
                };
                return self.refuse(
                    Diagnostic::at(&code::CAP, place, format!("`{word}` does not go with `{side} … of {span}`"))
                        .help(help),
                );
            }
            let new = match &enforcement.node {
                Enforcement::Hard { refuse } => {
                    if hard.replace(*refuse).is_some() {
                        return self.refuse(Diagnostic::at(&code::CAP, place, "`hard` stands twice"));
                    }
                    continue;
                }
                Enforcement::Penalty { weight, short, after_normalizing } => {
                    if *short != cap.least {
                        let (is, wanted) = if cap.least { ("over", "short") } else { ("short", "over") };
                        return self.refuse(
                            Diagnostic::at(&code::CAP, place, format!("`{is}` does not go with this bound"))
                                .help(format!("write `penalty W per item {wanted}`")),
                        );
                    }
                    Charge::Penalty {
                        weight: self.setting_within(weight, "a penalty", 0.0, LIMIT)?,
                        after_normalizing: *after_normalizing,
                    }
                }
                Enforcement::Scale(factor) => Charge::Scale(self.setting_within(factor, "a scale", 0.0, 1.0)?),
                Enforcement::Dual(most) => {
                    Charge::Dual { up_to: self.setting_within(most, "the most that a `dual` may cost", 0.0, LIMIT)? }
                }
            };
            if charge.replace(new).is_some() {
                return self.refuse(
                    Diagnostic::at(&code::CAP, place, "a cap has one of `penalty`, `scale` and `dual`")
                        .help("declare two caps"),
                );
            }
        }
        if charge.is_none() && hard.is_none() {
            return self.refuse(
                Diagnostic::at(&code::CAP, cap.name.span, format!("the cap `{}` does nothing", cap.name.node)).help(
                    if cap.least {
                        "add `penalty W per item short`, `dual up to MAX` or `hard`"
                    } else {
                        "add `penalty W per item over`, `scale F`, `dual up to MAX` or `hard`"
                    },
                ),
            );
        }
        Some((charge, hard))
    }
}
