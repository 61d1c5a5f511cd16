//! Warnings: what is allowed but is hardly meant.

use super::load::Loaded;
use super::{Checker, Options, trend::trend};
use crate::builtins::Trend;
use crate::diagnostic::{self, Diagnostic, Diagnostics, Severity, code};
use crate::program::{AddendOf, Bound, CapSpan, Charge, ExprId, FeatureId, Op, Part, RuleValue};
use crate::schema::{Direction, SlateDecl};
use crate::source::Span;
use crate::types::{Host, Interval};

/// An `allow` with the declaration it stands above.
pub struct Silence {
    allow: crate::syntax::ast::Allow,
    over: Span,
}

/// The `allow`s of a file.
pub fn allows(loaded: &Loaded) -> Vec<Silence> {
    let decls = loaded.file.decls.iter();
    decls.flat_map(|d| d.allows.iter().map(|allow| Silence { allow: allow.clone(), over: d.span })).collect()
}

/// Drops what an `allow` silences, reports those that are of no use, and raises warnings to errors
/// where asked to.
pub fn silence(out: &mut Diagnostics, allows: &[Silence], options: &Options) {
    for Silence { allow, over } in allows {
        let Some(code) = diagnostic::find(&allow.code.node) else {
            out.push(Diagnostic::at(&code::ALLOW, allow.code.span, format!("there is no code `{}`", allow.code.node)));
            continue;
        };
        if code.severity == Severity::Error {
            out.push(Diagnostic::at(
                &code::ALLOW,
                allow.code.span,
                format!("`{}` is an error and cannot be allowed", code.id),
            ));
            continue;
        }
        let until: Option<jiff::civil::Date> = allow.until.node.parse().ok();
        if options.today.zip(until).is_some_and(|(today, until)| today > until) {
            out.push(
                Diagnostic::at(
                    &code::UNUSED_ALLOW,
                    allow.until.span,
                    format!("this `allow` ran out on {}", allow.until.node),
                )
                .help(format!("it was there because \"{}\"; look again", allow.because.node)),
            );
            continue;
        }
        let mut used = false;
        out.retain(|d| {
            let here = d.code == code
                && d.span().is_some_and(|s| s.file == over.file && s.start >= over.start && s.end <= over.end);
            used |= here;
            !here
        });
        if !used {
            out.push(
                Diagnostic::at(&code::UNUSED_ALLOW, allow.code.span, format!("nothing here is `{}`", code.id))
                    .help("remove this `allow`"),
            );
        }
    }
    if options.deny_warnings {
        out.retain(|d| {
            d.severity = Severity::Error;
            true
        });
    }
}

/// Looks for all of them. Warnings never change values.
pub fn lint(checker: &mut Checker) {
    // With errors the program is incomplete, and a warning about it may be wrong.
    if checker.out.has_errors() {
        return;
    }
    branches(checker);
    constant_conditions(checker);
    clamps(checker);
    values_above_least(checker);
    caps(checker);
    directions(checker);
}

fn decided(interval: Interval) -> Option<bool> {
    (interval.lo == interval.hi).then_some(interval.lo != 0.0)
}

/// `if` arms and `match` arms that are never taken. Bodies of `fn`s are left out: another call may
/// take them.
fn branches(checker: &mut Checker) {
    let bodies: Vec<Span> = checker
        .decls
        .iter()
        .filter_map(|d| match &d.kind {
            crate::syntax::ast::DeclKind::Fn { body, .. } => Some(body.span),
            _ => None,
        })
        .collect();
    let in_fn = |s: Span| bodies.iter().any(|b| b.file == s.file && b.start <= s.start && s.end <= b.end);
    let place = |e: ExprId| checker.program.expr(e).span;
    let mut found: Vec<(Span, Span, &str)> = Vec::new();
    for expr in checker.program.exprs.iter().filter(|e| !in_fn(e.span)) {
        match &expr.op {
            Op::If { arms, otherwise } => {
                let mut settled: Option<Span> = None;
                for (condition, value) in arms.iter() {
                    match (settled, decided(checker.program.expr(*condition).interval)) {
                        (Some(by), _) => found.push((place(*value), by, "this always holds before it")),
                        (None, Some(false)) => found.push((place(*value), place(*condition), "this never holds")),
                        (None, Some(true)) => settled = Some(place(*condition)),
                        (None, None) => {}
                    }
                }
                if let Some(by) = settled {
                    found.push((place(*otherwise), by, "this always holds before it"));
                }
            }
            Op::Match { subject, arms, .. } => {
                let range = checker.program.expr(*subject).interval;
                for (arm, value) in arms.iter() {
                    if matches!(arm, crate::program::Arm::Range(lo, hi) if (*hi as f64) < range.lo || (*lo as f64) > range.hi)
                    {
                        found.push((place(*value), place(*subject), "this never has such a value"));
                    }
                }
            }
            _ => {}
        }
    }
    for (span, why, words) in found {
        checker.error(Diagnostic::at(&code::DEAD_BRANCH, span, "this branch is never taken").also(why, words));
    }
}

/// Rules, gates and caps whose condition is always decided.
fn constant_conditions(checker: &mut Checker) {
    let of = |e: ExprId| decided(checker.program.expr(e).interval);
    let mut found = Vec::new();
    for rule in &checker.program.rules {
        if let Some(holds) = of(rule.condition) {
            let words = if holds { "can never fail" } else { "always fails" };
            found.push((checker.program.expr(rule.condition).span, format!("the rule `{}` {words}", rule.name)));
        }
    }
    for part in &checker.program.parts {
        match part {
            Part::Gate(g) => {
                if let Some(open) = of(g.condition) {
                    let words = if open { "is always open" } else { "is always closed" };
                    found.push((checker.program.expr(g.condition).span, format!("the gate `{}` {words}", g.name)));
                }
            }
            Part::Cap(c) => {
                if let Some(on) = c.on
                    && let Some(matches) = of(on)
                {
                    let words = if matches { "counts every candidate" } else { "never counts a candidate" };
                    found.push((checker.program.expr(on).span, format!("the cap `{}` {words}", c.name)));
                }
            }
            Part::Term(_) => {}
        }
    }
    for (span, message) in found {
        checker.error(
            Diagnostic::at(&code::DEAD_RULE, span, message)
                .help("the ranges in the schema, or the rules before it, always decide its condition"),
        );
    }
}

/// `clamp`s that never bind, or always do.
fn clamps(checker: &mut Checker) {
    let mut found = Vec::new();
    for expr in &checker.program.exprs {
        let Op::Call { function, args } = &expr.op else { continue };
        let [x, lo, hi] = &**args else { continue };
        if function.name == "clamp" {
            let interval = |e: &ExprId| checker.program.expr(*e).interval;
            found.push((expr.span, interval(x), interval(lo), interval(hi)));
        }
    }
    let program = &checker.program;
    if let Some((lo, hi)) = program.formula.clamp {
        let mut sum = Interval::point(0.0);
        for addend in &program.formula.addends {
            let of = match addend.of {
                AddendOf::Preference => program.ranges.preference,
                AddendOf::Ecosystem => program.ranges.ecosystem,
                AddendOf::Part(i) => match program.parts.get(i) {
                    Some(Part::Term(t)) => t.range,
                    Some(Part::Cap(c)) => c.range,
                    _ => continue,
                },
            };
            let scaled = of.times(program.setting_range(addend.factor));
            sum = sum.plus(if addend.negative { scaled.negated() } else { scaled });
        }
        found.push((program.formula.span, sum, program.setting_range(lo), program.setting_range(hi)));
    }
    for (span, x, lo, hi) in found {
        let shown = format!(
            "what goes in lies in [{}, {}]",
            crate::types::shown_number(x.lo),
            crate::types::shown_number(x.hi)
        );
        if x.lo >= lo.hi && x.hi <= hi.lo {
            checker.error(
                Diagnostic::at(&code::CLAMP_NEVER, span, "this `clamp` never binds")
                    .help(format!("{shown}: take it away, or narrow its bounds")),
            );
        } else if x.hi <= lo.lo || x.lo >= hi.hi {
            checker.error(
                Diagnostic::at(&code::CLAMP_ALWAYS, span, "this `clamp` always binds")
                    .help(format!("{shown}: its result is a constant")),
            );
        }
    }
}

/// A rule that gives more than the least scored candidate gets.
fn values_above_least(checker: &mut Checker) {
    let least = checker.program.ranges.reward.lo;
    let found: Vec<(Span, f64)> = checker
        .program
        .rules
        .iter()
        .filter_map(|rule| match rule.value {
            RuleValue::Reward(setting) => {
                let hi = checker.program.setting_range(setting).hi;
                // A few f32 roundings are no difference that anybody means.
                (hi > least + 1e-6 * least.abs()).then_some((rule.span, hi))
            }
            _ => None,
        })
        .collect();
    for (span, value) in found {
        checker.error(
            Diagnostic::at(
                &code::VALUE_ABOVE_LEAST,
                span,
                format!(
                    "failing this rule gives {}, more than the least reward {}",
                    crate::types::shown_number(value),
                    crate::types::shown_number(least)
                ),
            )
            .help("a bad but legal candidate could do better by being illegal; write `else lowest`"),
        );
    }
}

fn caps(checker: &mut Checker) {
    let training = checker.program.hosts.contains(&Host::Training);
    let slate = match (&checker.schema.spans.slate, &checker.schema.spans.training) {
        (Some(SlateDecl::Made { every, .. }), _) => *every,
        (_, Some(t)) if t.slate_first.is_some() => t.slate_first.unwrap_or(1),
        _ => checker.schema.spans.longest.slate,
    };
    let group = checker.schema.spans.longest.group;
    let mut found = Vec::new();
    for (_, cap) in checker.program.caps() {
        if training && matches!(cap.charge, Some(Charge::Penalty { after_normalizing: false, .. })) {
            found.push(
                Diagnostic::at(&code::PENALTY_INSIDE, cap.span, format!("the penalty of `{}` is part of what trainers normalize", cap.name))
                    .help("inside a group-normalized reward its weight means little: add `, after normalizing`, or use `dual`"),
            );
        }
        if cap.least || matches!(cap.charge, Some(Charge::Dual { .. })) {
            continue;
        }
        let share = match cap.bound {
            Bound::Share(share) => Some(share),
            Bound::Param(id) => {
                let param = checker.program.params.get(id.index()).filter(|p| !p.whole);
                param.and_then(|p| crate::types::Decimal::from_f64(p.value.number()))
            }
            Bound::Count(_) => None,
        };
        let n = match cap.span_kind {
            CapSpan::Slate => slate,
            CapSpan::First(k) | CapSpan::InRow(k) => k,
            CapSpan::Group => group,
            CapSpan::Session | CapSpan::Window(_) => continue,
        };
        if let Some(share) = share.filter(|s| s.0 > 0 && s.floor_of(n) == 0) {
            found.push(
                Diagnostic::at(
                    &code::BAN,
                    cap.span,
                    format!("`{}` allows none: {share} of {n} is less than one item", cap.name),
                )
                .help("write a count, or `at most 0` if a ban is meant"),
            );
        }
    }
    for diagnostic in found {
        checker.error(diagnostic);
    }
}

/// Features that the schema calls good or bad, and that move the reward the other way.
fn directions(checker: &mut Checker) {
    let program = &checker.program;
    let directed: Vec<(FeatureId, Direction, String)> = program
        .features
        .iter()
        .enumerate()
        .filter_map(|(i, f)| Some((FeatureId(i as u32), f.direction?, f.name.clone())))
        .collect();
    let factor = |index: usize, preference: bool| {
        program
            .formula
            .addends
            .iter()
            .find(|a| match a.of {
                AddendOf::Part(i) => i == index,
                AddendOf::Preference => preference,
                AddendOf::Ecosystem => !preference,
            })
            .map(|a| {
                let range = program.setting_range(a.factor);
                if a.negative { range.negated() } else { range }
            })
    };
    let mut found = Vec::new();
    for (index, term) in program.terms() {
        let Some(factor) = factor(index, term.preference) else { continue };
        let sign = program.setting_range(term.weight).times(factor);
        let sign = Trend::by_sign(sign);
        for (id, direction, name) in &directed {
            let moves = trend(program, term.value, *id).then(sign);
            let wrong = match direction {
                Direction::Good => Trend::Falling,
                Direction::Bad => Trend::Rising,
            };
            if moves == wrong && !matches!(program.setting(term.weight), w if w == 0.0) {
                let (word, effect) = if *direction == Direction::Good { ("good", "less") } else { ("bad", "more") };
                found.push(
                    Diagnostic::at(
                        &code::WRONG_DIRECTION,
                        term.span,
                        format!(
                            "more `{name}`, which the schema calls {word}, gives {effect} reward through `{}`",
                            term.name
                        ),
                    )
                    .help("turn its sign, or correct `direction:` in the schema"),
                );
            }
        }
    }
    for diagnostic in found {
        checker.error(diagnostic);
    }
}
