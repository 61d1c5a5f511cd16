//! How much a candidate's total may rise over what is known of it before the choice.

use crate::program::{AddendOf, Cap, Charge, Part, Program, SpanKind, Term};
use crate::types::{Host, Interval};

/// The most that the put-off parts add to a total that was worked out without them; none where nothing
/// can be said.
///
/// What a preference goes through — gates, `scale`, the clamp — never falls and never rises by more than
/// what goes in, and a put-off gate or `scale` only lowers it; so what is added to the sum bounds what is
/// added to the total.
pub fn most_gained(program: &Program, host: Host) -> Option<f64> {
    let waits = program.rules.iter().any(|r| r.acts_in(host) && program.expr(r.condition).reads_slate);
    if waits && reads_group(program, host) {
        // Candidates that break a put-off rule leave the group, and what looks over it changes.
        return None;
    }
    let mut gained = 0.0;
    for addend in &program.formula.addends {
        let factor = program.setting(addend.factor) * if addend.negative { -1.0 } else { 1.0 };
        gained += match addend.of {
            AddendOf::Preference => preference(program, factor)?,
            AddendOf::Ecosystem => ecosystem(program, factor),
            AddendOf::Part(i) => program.parts.get(i).map_or(0.0, |p| most(factor, part(program, p))),
        };
    }
    let dual = |cap: &Cap| matches!(cap.charge, Some(Charge::Dual { .. })) && program.cap_reads_slate(cap);
    let cost: f64 = program.caps().filter(|(_, c)| dual(c)).map(|(_, c)| c.range.hi.max(0.0)).sum();
    Some(gained.max(0.0) + cost)
}

/// Whether anything that a score stands on looks over the group.
pub fn reads_group(program: &Program, host: Host) -> bool {
    let spans = [SpanKind::Group, SpanKind::Batch];
    spans.iter().any(|s| program.reads_span(*s, host))
        || program.caps().any(|(_, c)| c.span_kind == crate::program::CapSpan::Group)
}

/// The most that `factor · x` is for an x in a range.
fn most(factor: f64, range: Interval) -> f64 {
    (factor * range.lo).max(factor * range.hi)
}

/// What a put-off part may add; 0 where it was not put off.
fn part(program: &Program, part: &Part) -> Interval {
    let nothing = Interval::point(0.0);
    match part {
        Part::Term(term) => term_range(program, term),
        Part::Cap(cap) if matches!(cap.charge, Some(Charge::Penalty { .. })) && program.cap_reads_slate(cap) => {
            cap.range
        }
        _ => nothing,
    }
}

fn term_range(program: &Program, term: &Term) -> Interval {
    if program.expr(term.value).reads_slate { term.range } else { Interval::point(0.0) }
}

fn preference(program: &Program, factor: f64) -> Option<f64> {
    let terms = program.terms().filter(|(_, t)| t.preference).map(|(_, t)| term_range(program, t));
    let (low, high) = terms.fold((0.0, 0.0), |(lo, hi), r| (lo + r.lo.min(0.0), hi + r.hi.max(0.0)));
    let gate = program.gates().any(|(_, g)| program.expr(g.condition).reads_slate);
    let scale = program.caps().any(|(_, c)| matches!(c.charge, Some(Charge::Scale(_))) && program.cap_reads_slate(c));
    if factor >= 0.0 {
        return Some(factor * high);
    }
    // Times a negative factor, what lowers preference raises the total.
    (!gate && !scale).then_some(factor * low)
}

fn ecosystem(program: &Program, factor: f64) -> f64 {
    let counted = program.parts.iter().filter(|p| match p {
        Part::Term(t) => !t.preference,
        Part::Cap(c) => matches!(c.charge, Some(Charge::Penalty { after_normalizing: false, .. })),
        Part::Gate(_) => false,
    });
    counted.map(|p| most(factor, part(program, p)).max(0.0)).sum()
}
