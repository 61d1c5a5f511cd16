//! What the checker proves, as data: the table of parts and the three theorems.

use super::cost::{Work, work};
use super::hosts::cap_availability;
use crate::program::{AddendOf, Cap, ChannelKind, Charge, ExprId, Part, Program, RuleValue};
use crate::types::{Availability, Host, Interval};

/// A line of the table of parts.
#[derive(Clone, Debug)]
pub struct PartRow {
    pub kind: &'static str,
    pub name: String,
    /// Proven range of what it adds, takes or charges; none for rules and `hard` caps.
    pub range: Option<Interval>,
    pub availability: Availability,
    pub hosts: Vec<Host>,
    /// Operations per request with every span at its longest.
    pub work: f64,
    /// What a reader should know besides: `opaque`, `put off at serving`.
    pub note: String,
}

/// A theorem, stated or refuted.
#[derive(Clone, Debug)]
pub struct Theorem {
    pub claim: &'static str,
    pub holds: bool,
    pub why: String,
}

/// What is proved about a program.
#[derive(Clone, Debug)]
pub struct Report {
    pub reward_id: String,
    pub rows: Vec<PartRow>,
    pub work: Work,
    pub reward: Interval,
    pub cost: Interval,
    pub total: Interval,
    pub theorems: Vec<Theorem>,
    /// `given` features: nothing is proven about what they know.
    pub opaque: Vec<String>,
}

/// Puts together the report on a program.
#[must_use]
pub fn report(program: &Program) -> Report {
    let given = program.features.iter().filter(|f| f.entity == crate::schema::Entity::Given);
    Report {
        reward_id: program.reward_id(),
        rows: rows(program),
        work: work(program, &program.roots()),
        reward: program.ranges.reward,
        cost: program.ranges.cost,
        total: program.ranges.total,
        theorems: theorems(program),
        opaque: given.map(|f| f.name.clone()).collect(),
    }
}

fn rows(program: &Program) -> Vec<PartRow> {
    let mut rows = Vec::new();
    let known =
        |roots: &[ExprId]| roots.iter().map(|r| program.expr(*r).availability).max().unwrap_or(Availability::Static);
    let row = |kind, name: &str, range, availability, hosts: Vec<Host>, roots: &[ExprId], note: String| PartRow {
        kind,
        name: name.to_string(),
        range,
        availability,
        hosts,
        work: work(program, roots).request.max(work(program, roots).batch),
        note,
    };
    for rule in &program.rules {
        let hosts = program.hosts.iter().copied().filter(|h| rule.acts_in(*h)).collect();
        let times: Vec<Availability> = rule.pieces.iter().map(|p| program.expr(*p).availability).collect();
        let (first, last) = (times.iter().min().copied(), known(&[rule.condition]));
        let note = match first {
            Some(first) if first < last => format!("acts from {first} on"),
            _ => String::new(),
        };
        let gives = match rule.value {
            RuleValue::Lowest => Some(Interval::point(program.ranges.reward.lo)),
            RuleValue::Reward(setting) => Some(program.setting_range(setting)),
            RuleValue::Drop => None,
        };
        rows.push(row("rule", &rule.name, gives, last, hosts, &[rule.condition], note));
    }
    for part in &program.parts {
        rows.push(match part {
            Part::Term(t) => {
                let note = put_off(program, program.expr(t.value).reads_slate);
                row("term", &t.name, Some(t.range), known(&[t.value]), program.hosts.clone(), &[t.value], note)
            }
            Part::Gate(g) => {
                let note = put_off(program, program.expr(g.condition).reads_slate);
                row("gate", &g.name, Some(g.range), known(&[g.condition]), program.hosts.clone(), &[g.condition], note)
            }
            Part::Cap(c) => {
                let roots: Vec<ExprId> = c.on.into_iter().chain(c.per).collect();
                let range = c.charge.is_some().then_some(c.range);
                let note = put_off(program, program.cap_reads_slate(c));
                row(cap_kind(c), &c.name, range, cap_availability(program, c), program.hosts.clone(), &roots, note)
            }
        });
    }
    for channel in &program.channels {
        let hosts = if channel.kind == ChannelKind::Monitor {
            program.hosts.iter().copied().filter(|h| channel.hosts.contains(h)).collect()
        } else {
            program.hosts.clone()
        };
        let note = channel.pick.map_or(String::new(), |k| format!("picks {k}"));
        rows.push(row(
            channel.kind.word(),
            &channel.name,
            Some(channel.range),
            known(&[channel.value]),
            hosts,
            &[channel.value],
            note,
        ));
    }
    rows
}

fn put_off(program: &Program, reads_slate: bool) -> String {
    let serving = program.hosts.contains(&Host::Serving);
    if reads_slate && serving { "put off at serving".into() } else { String::new() }
}

fn cap_kind(cap: &Cap) -> &'static str {
    match (cap.charge, cap.hard) {
        (Some(Charge::Penalty { after_normalizing: true, .. }), _) => "cap, in cost",
        (Some(Charge::Penalty { .. }), _) => "cap, in reward",
        (Some(Charge::Scale(_)), _) => "cap, scale",
        (Some(Charge::Dual { .. }), _) => "cap, dual",
        (None, _) => "cap, hard",
    }
}

/// The sign with which a block enters the reward, over all allowed params.
fn factor_of(program: &Program, of: AddendOf) -> Option<Interval> {
    let addend = program.formula.addends.iter().find(|a| a.of == of)?;
    let range = program.setting_range(addend.factor);
    Some(if addend.negative { range.negated() } else { range })
}

fn theorems(program: &Program) -> Vec<Theorem> {
    let least = program.ranges.reward.lo;
    let above: Vec<String> = program
        .rules
        .iter()
        .filter_map(|r| match r.value {
            RuleValue::Reward(s) if program.setting_range(s).hi > least => Some(format!("`{}`", r.name)),
            _ => None,
        })
        .collect();
    let has_gates = program.gates().next().is_some();
    let preference_sign = factor_of(program, AddendOf::Preference);
    let gates_turn = has_gates && preference_sign.is_some_and(|f| f.lo < 0.0);
    let first = Theorem {
        claim: "failing a gate or rule never raises a reward",
        holds: above.is_empty() && !gates_turn,
        why: if gates_turn {
            "`reward =` takes preference with a negative factor, so a closed gate can raise it".into()
        } else if !above.is_empty() {
            format!("{} may give more than the least reward {}", above.join(", "), shown(least))
        } else {
            String::new()
        },
    };
    let mut raising = Vec::new();
    for (i, cap) in program.caps() {
        let sign = match cap.charge {
            Some(Charge::Penalty { after_normalizing: false, .. }) => {
                factor_of(program, AddendOf::Part(i)).or_else(|| factor_of(program, AddendOf::Ecosystem))
            }
            Some(Charge::Scale(_)) => preference_sign,
            _ => None,
        };
        if sign.is_some_and(|f| f.lo < 0.0) {
            raising.push(format!("`{}`", cap.name));
        }
    }
    let second = Theorem {
        claim: "breaking a cap never raises that candidate's total",
        holds: raising.is_empty(),
        why: if raising.is_empty() {
            String::new()
        } else {
            format!("{} enters with a negative factor", raising.join(", "))
        },
    };
    let cost_note = if program.ranges.cost.lo < 0.0 {
        format!("in the total, `cost` may lower a legal candidate by up to {}", shown(-program.ranges.cost.lo))
    } else {
        String::new()
    };
    let third = Theorem {
        claim: "an illegal candidate's reward never beats the least legal one's",
        holds: above.is_empty(),
        why: if above.is_empty() {
            cost_note
        } else {
            format!("{} may give more than the least reward {}", above.join(", "), shown(least))
        },
    };
    vec![first, second, third]
}

fn shown(value: f64) -> String {
    crate::types::shown_number(value)
}
