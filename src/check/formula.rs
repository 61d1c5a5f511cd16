//! `reward = …` (R1.5, R1.6), and the proven ranges of the sums.

use super::Checker;
use crate::diagnostic::{Diagnostic, code};
use crate::program::{Addend, AddendOf, Charge, Formula, Part, Program, Setting};
use crate::source::Span;
use crate::syntax::ast::{BinaryOp, ConstantKind, DeclKind, Expr, ExprKind, Name, Spanned, UnaryOp};
use crate::types::Interval;

impl Checker {
    pub(super) fn formula(&mut self) {
        let formulas: Vec<(Expr, Span)> = self
            .decls
            .iter()
            .filter_map(|d| match &d.kind {
                DeclKind::Reward { formula } => Some((formula.clone(), d.span)),
                _ => None,
            })
            .collect();
        if let [(_, first), (_, second), ..] = formulas.as_slice() {
            let diagnostic =
                Diagnostic::at(&code::DECLARED_TWICE, *second, "`reward =` stands twice").also(*first, "first here");
            self.error(diagnostic);
        }
        let built = match formulas.first() {
            Some((expr, span)) => self.read_formula(expr, *span),
            None => Some(default_formula()),
        };
        let Some(formula) = built else { return };
        self.reaches(&formula);
        self.program.formula = formula;
        ranges(&mut self.program);
        if let Some(what) = past_limit(&self.program) {
            let widest = self.program.terms().max_by(|a, b| size(a.1.range).total_cmp(&size(b.1.range)));
            let span = widest.map_or(self.program.formula.span, |(_, t)| t.span);
            self.error(
                Diagnostic::at(&code::LIMIT, span, format!("with this term {what} may grow past 1e30"))
                    .help("put `min`, `max` or `clamp` around its quotient"),
            );
        }
    }

    fn read_formula(&mut self, expr: &Expr, place: Span) -> Option<Formula> {
        let mut formula = Formula { addends: Vec::new(), clamp: None, span: place };
        let sum = match &expr.kind {
            ExprKind::Call { name, args, over: None, among: None } if name.node == "clamp" => {
                let [sum, lo, hi] = args.as_slice() else { return self.not_a_formula(expr.span) };
                let (lo, hi) = (self.formula_setting(lo)?, self.formula_setting(hi)?);
                if self.program.setting_range(lo).hi > self.program.setting_range(hi).lo {
                    return self.refuse(Diagnostic::at(
                        &code::INTERVAL_ORDER,
                        expr.span,
                        "the bounds of this `clamp` may cross",
                    ));
                }
                formula.clamp = Some((lo, hi));
                sum
            }
            _ => expr,
        };
        self.addends(sum, false, &mut formula.addends)?;
        self.no_part_twice(&formula, place)?;
        Some(formula)
    }

    fn not_a_formula<T>(&mut self, span: Span) -> Option<T> {
        self.refuse(
            Diagnostic::at(&code::FORMULA, span, "`reward =` is a weighted sum of named parts, in at most one `clamp`")
                .help("for example `reward = clamp(preference + 0.5 * ecosystem, -4, 4)`; put anything else into a `term`"),
        )
    }

    fn formula_setting(&mut self, expr: &Expr) -> Option<Setting> {
        let (inner, negative) = match &expr.kind {
            ExprKind::Unary { op: UnaryOp::Negate, operand } => (&**operand, true),
            _ => (expr, false),
        };
        let setting = match &inner.kind {
            ExprKind::Number(n) => crate::syntax::ast::Setting::Constant(Spanned {
                node: ConstantKind::Number { number: n.clone(), negative },
                span: expr.span,
            }),
            ExprKind::Path { prefix: None, name } if !negative => crate::syntax::ast::Setting::Name(name.clone()),
            _ => return self.not_a_formula(expr.span),
        };
        self.setting(&setting, "a factor or bound of `reward =`")
    }

    fn addends(&mut self, expr: &Expr, negative: bool, out: &mut Vec<Addend>) -> Option<()> {
        match &expr.kind {
            ExprKind::Binary { op, left, right } if matches!(op.node, BinaryOp::Add | BinaryOp::Subtract) => {
                self.addends(left, negative, out)?;
                self.addends(right, negative != (op.node == BinaryOp::Subtract), out)
            }
            ExprKind::Unary { op: UnaryOp::Negate, operand } => self.addends(operand, !negative, out),
            ExprKind::Binary { op, left, right } if op.node == BinaryOp::Multiply => {
                let is_part = |e: &Expr| matches!(&e.kind, ExprKind::Path { prefix: None, name } if !matches!(self.names.lookup(&name.node, name.span), Some(super::names::Symbol::Param(_))));
                let (factor, part) = if is_part(right) { (left, right) } else { (right, left) };
                let ExprKind::Path { prefix: None, name } = &part.kind else { return self.not_a_formula(expr.span) };
                if is_part(factor) {
                    return self.not_a_formula(expr.span);
                }
                let of = self.addend_of(name)?;
                let factor = self.formula_setting(factor)?;
                out.push(Addend { factor, negative, of });
                Some(())
            }
            ExprKind::Path { prefix: None, name } => {
                let of = self.addend_of(name)?;
                out.push(Addend { factor: Setting::Constant(1.0), negative, of });
                Some(())
            }
            _ => self.not_a_formula(expr.span),
        }
    }

    fn addend_of(&mut self, name: &Name) -> Option<AddendOf> {
        match name.node.as_str() {
            "preference" => return Some(AddendOf::Preference),
            "ecosystem" => return Some(AddendOf::Ecosystem),
            _ => {}
        }
        if self.broken.contains(&name.node) {
            return None;
        }
        let guarded = self.program.parts.iter().any(|p| {
            matches!(p, Part::Gate(_) | Part::Cap(crate::program::Cap { charge: Some(Charge::Scale(_)), .. }))
        });
        let found = self.program.parts.iter().position(|p| p.name() == name.node);
        match found.and_then(|i| Some((i, self.program.parts.get(i)?))) {
            Some((_, Part::Term(t))) if t.preference && guarded => self.refuse(
                Diagnostic::at(&code::FORMULA, name.span, format!("`{}` cannot be named past the gates and scales of preference", name.node))
                    .help("name `preference` as a whole"),
            ),
            Some((i, Part::Term(_) | Part::Cap(crate::program::Cap { charge: Some(Charge::Penalty { after_normalizing: false, .. }), .. }))) => {
                Some(AddendOf::Part(i))
            }
            Some(_) => self.refuse(
                Diagnostic::at(&code::FORMULA, name.span, format!("`{}` does not enter `reward =`", name.node))
                    .help("gates and scales act in `preference`; `dual` and `after normalizing` reach `cost`; `hard` the slate choice"),
            ),
            None if self.names.lookup(&name.node, name.span).is_some() => self.not_a_formula(name.span),
            None if crate::types::OUTPUT_NAMES.contains(&name.node.as_str()) => self.refuse(
                Diagnostic::at(&code::FORMULA, name.span, format!("`{}` does not enter `reward =`", name.node))
                    .help("`total` is `reward` and `cost` together; what trainers add after normalizing stays in `cost`"),
            ),
            None => {
                let parts = self.program.parts.iter().map(Part::name).chain(["preference", "ecosystem"]);
                let near = crate::diagnostic::did_you_mean(&name.node, parts);
                let diagnostic = Diagnostic::at(&code::UNKNOWN_NAME, name.span, format!("there is no part `{}`", name.node))
                    .maybe_help(near.map(|n| format!("did you mean `{n}`?")));
                self.refuse(diagnostic)
            }
        }
    }

    fn no_part_twice(&mut self, formula: &Formula, place: Span) -> Option<()> {
        let block = |of: AddendOf| match of {
            AddendOf::Part(i) => match self.program.parts.get(i) {
                Some(Part::Term(t)) if t.preference => AddendOf::Preference,
                _ => AddendOf::Ecosystem,
            },
            whole => whole,
        };
        for (i, a) in formula.addends.iter().enumerate() {
            for b in formula.addends.iter().skip(i + 1) {
                if a.of == b.of || block(a.of) == b.of || block(b.of) == a.of {
                    return self.refuse(
                        Diagnostic::at(&code::FORMULA, place, "a part enters the reward twice")
                            .help("name each part once, and not beside the sum that holds it"),
                    );
                }
            }
        }
        Some(())
    }

    /// Every term and reward penalty reaches the reward (R1.6).
    fn reaches(&mut self, formula: &Formula) {
        let names = |of: AddendOf| formula.addends.iter().any(|a| a.of == of);
        let lost: Vec<(String, Span)> = self
            .program
            .parts
            .iter()
            .enumerate()
            .filter_map(|(i, part)| {
                let whole = match part {
                    Part::Term(t) if t.preference => AddendOf::Preference,
                    Part::Term(_)
                    | Part::Cap(crate::program::Cap {
                        charge: Some(Charge::Penalty { after_normalizing: false, .. }),
                        ..
                    }) => AddendOf::Ecosystem,
                    Part::Gate(_) | Part::Cap(crate::program::Cap { charge: Some(Charge::Scale(_)), .. })
                        if !names(AddendOf::Preference) =>
                    {
                        return Some((part.name().to_string(), part.span()));
                    }
                    _ => return None,
                };
                (!names(whole) && !names(AddendOf::Part(i))).then(|| (part.name().to_string(), part.span()))
            })
            .collect();
        for (name, span) in lost {
            self.error(
                Diagnostic::at(&code::UNREACHED, span, format!("`{name}` never reaches a channel"))
                    .also(formula.span, "the reward is made here")
                    .help("name its block in `reward =`; what should only be measured is a `monitor` instead"),
            );
        }
    }
}

fn size(range: Interval) -> f64 {
    range.lo.abs().max(range.hi.abs())
}

/// The sum that may pass ±1e30, if one may; asked before ranges are rounded outward.
fn past_limit(program: &Program) -> Option<&'static str> {
    let ends = |preference: bool| {
        let terms = program.terms().filter(|(_, t)| t.preference == preference);
        terms
            .map(|(_, t)| (t.range.lo.max(-crate::types::LIMIT), t.range.hi.min(crate::types::LIMIT)))
            .fold((0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1))
    };
    let (p, e) = (ends(true), ends(false));
    let past = |lo: f64, hi: f64| lo < -crate::types::LIMIT || hi > crate::types::LIMIT;
    if past(p.0, p.1) {
        return Some("preference");
    }
    if past(e.0, e.1) {
        return Some("ecosystem");
    }
    (program.formula.clamp.is_none() && past(p.0 + e.0, p.1 + e.1)).then_some("the reward")
}

fn default_formula() -> Formula {
    let one = |of| Addend { factor: Setting::Constant(1.0), negative: false, of };
    Formula { addends: vec![one(AddendOf::Preference), one(AddendOf::Ecosystem)], clamp: None, span: Span::default() }
}

/// Ranges of preference, ecosystem, reward, cost and total, bottom-up (R1.9, R6.6).
pub fn ranges(program: &mut Program) {
    let zero = Interval::point(0.0);
    let mut preference = zero;
    let mut ecosystem = zero;
    for (_, term) in program.terms() {
        if term.preference {
            preference = preference.plus(term.range);
        } else {
            ecosystem = ecosystem.plus(term.range);
        }
    }
    let has_gate = program.gates().next().is_some();
    let before = preference;
    if has_gate {
        preference = Interval::new(preference.lo.min(0.0), preference.hi);
    }
    let mut parts = std::mem::take(&mut program.parts);
    let mut cost = zero;
    for part in &mut parts {
        match part {
            Part::Gate(gate) => gate.range = Interval::new(-before.hi.max(0.0), 0.0).outward_f32(),
            Part::Cap(cap) => match cap.charge {
                Some(Charge::Scale(factor)) => {
                    let factor = program.setting_range(factor).lo;
                    cap.range = Interval::new(-preference.hi.max(0.0) * (1.0 - factor), 0.0).outward_f32();
                    preference = Interval::new(preference.lo.min(factor * preference.lo), preference.hi);
                }
                Some(Charge::Penalty { after_normalizing: false, .. }) => ecosystem = ecosystem.plus(cap.range),
                Some(_) => cost = cost.plus(cap.range),
                None => {}
            },
            Part::Term(_) => {}
        }
    }
    program.parts = parts;
    let mut sum = zero;
    for addend in &program.formula.addends {
        let of = match addend.of {
            AddendOf::Preference => preference,
            AddendOf::Ecosystem => ecosystem,
            AddendOf::Part(i) => match program.parts.get(i) {
                Some(Part::Term(t)) => t.range,
                Some(Part::Cap(c)) => c.range,
                _ => zero,
            },
        };
        let scaled = of.times(program.setting_range(addend.factor));
        sum = sum.plus(if addend.negative { scaled.negated() } else { scaled });
    }
    let mut reward = sum;
    let mut clamp = zero;
    if let Some((lo, hi)) = program.formula.clamp {
        let (lo, hi) = (program.setting_range(lo), program.setting_range(hi));
        reward = Interval::new(sum.lo.max(lo.lo).min(hi.lo), sum.hi.max(lo.hi).min(hi.hi));
        clamp = Interval::new((hi.lo - sum.hi).min(0.0), (lo.hi - sum.lo).max(0.0));
    }
    let reward = reward.outward_f32();
    let cost = cost.outward_f32();
    program.ranges = crate::program::Ranges {
        preference: preference.outward_f32(),
        ecosystem: ecosystem.outward_f32(),
        reward,
        cost,
        total: reward.plus(cost).outward_f32(),
        clamp: clamp.outward_f32(),
    };
}
