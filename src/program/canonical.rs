//! The reward id's hash (R8.4): of what is meant, not of how it is written.
//!
//! Layout, comments, tests, descriptions, names of lets and unused declarations do not enter; the
//! values of parameters, the schema's entries that are read, tables, lists and spans do.

use std::collections::BTreeSet;
use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::{ExprId, Op, Part, Program};

/// Twelve hexadecimal digits.
pub fn hash(program: &Program) -> String {
    let digest = Sha256::digest(text(program).as_bytes());
    digest.iter().take(6).fold(String::new(), |mut out, byte| {
        // Writing to a string cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// The text that is hashed. One line a thing, `{:?}` of plain data only.
fn text(program: &Program) -> String {
    let mut writer = Writer {
        program,
        numbers: vec![None; program.exprs.len()],
        lets: vec![None; program.lets.len()],
        out: String::new(),
        next: 0,
    };
    let line = |out: &mut String, what: std::fmt::Arguments| {
        let _ = writeln!(out, "{what}");
    };
    line(
        &mut writer.out,
        format_args!(
            "language 1 hosts {:?} sid {:?} spans {} longest {:?}",
            program.hosts, program.sid_shape, program.spans_text, program.longest
        ),
    );
    for rule in &program.rules {
        let at = writer.expr(rule.condition);
        line(&mut writer.out, format_args!("rule {} {at} {:?} {:?}", rule.name, rule.value, rule.hosts));
    }
    for part in &program.parts {
        match part {
            Part::Term(t) => {
                let at = writer.expr(t.value);
                line(&mut writer.out, format_args!("term {} {} {:?} {at}", t.name, t.preference, t.weight));
            }
            Part::Gate(g) => {
                let at = writer.expr(g.condition);
                line(&mut writer.out, format_args!("gate {} {at}", g.name));
            }
            Part::Cap(c) => {
                let on = c.on.map(|e| writer.expr(e));
                let per = c.per.map(|e| writer.expr(e));
                line(
                    &mut writer.out,
                    format_args!(
                        "cap {} {} {:?} {:?} {on:?} {per:?} {:?} {:?}",
                        c.name, c.least, c.bound, c.span_kind, c.charge, c.hard
                    ),
                );
            }
        }
    }
    line(&mut writer.out, format_args!("reward {:?} {:?}", program.formula.addends, program.formula.clamp));
    for channel in &program.channels {
        let at = writer.expr(channel.value);
        line(&mut writer.out, format_args!("{} {} {at} {:?}", channel.kind.word(), channel.name, channel.pick));
    }
    let reached = Reached::of(program);
    for (_, param) in program.params.iter().enumerate().filter(|(i, _)| reached.params.contains(i)) {
        line(&mut writer.out, format_args!("param {} {:?} {:?}", param.name, param.value, param.range));
    }
    for (_, f) in program.features.iter().enumerate().filter(|(i, _)| reached.features.contains(i)) {
        line(
            &mut writer.out,
            format_args!(
                "feature {} {:?} {:?} {:?} {:?} {:?} {} {:?} {:?} {:?} {:?} {:?} {:?}",
                f.name,
                f.entity,
                f.scale,
                f.unit_word,
                f.range,
                f.missing,
                f.nullable,
                f.clip,
                f.names,
                f.truths,
                f.split,
                f.availability,
                f.shape
            ),
        );
    }
    for (_, table) in program.tables.iter().enumerate().filter(|(i, _)| reached.tables.contains(i)) {
        line(&mut writer.out, format_args!("table {:?}", table));
    }
    for (_, list) in program.lists.iter().enumerate().filter(|(i, _)| reached.lists.contains(i)) {
        line(&mut writer.out, format_args!("list {:?}", list));
    }
    writer.out
}

/// Declarations that the meaning stands on; others do not enter.
#[derive(Default)]
struct Reached {
    params: BTreeSet<usize>,
    features: BTreeSet<usize>,
    tables: BTreeSet<usize>,
    lists: BTreeSet<usize>,
}

impl Reached {
    fn of(program: &Program) -> Self {
        let mut reached = Self::default();
        super::visit(program, &program.roots(), |id| match &program.expr(id).op {
            Op::Param(id) => _ = reached.params.insert(id.index()),
            Op::Feature { id, .. } | Op::InCatalog { id, .. } => _ = reached.features.insert(id.index()),
            Op::Code { .. } => reached.features.extend(program.sid_feature.map(super::FeatureId::index)),
            Op::Lookup { table, .. } => _ = reached.tables.insert(table.index()),
            Op::InList(_, list) => _ = reached.lists.insert(list.index()),
            _ => {}
        });
        if let crate::schema::Resolve::By(name) = &program.resolve {
            reached.features.extend(program.features.iter().position(|f| f.name == *name));
        }
        reached.params.extend(program.settings().filter_map(|s| match s {
            super::Setting::Param(id) => Some(id.index()),
            super::Setting::Constant(_) => None,
        }));
        reached
    }
}

struct Writer<'p> {
    program: &'p Program,
    /// Numbers by order of first use, so that unused expressions leave no trace.
    numbers: Vec<Option<usize>>,
    lets: Vec<Option<usize>>,
    out: String,
    next: usize,
}

impl Writer<'_> {
    /// Writes an expression once, children first, and gives its number. Iterative: chains of lets
    /// may be long.
    fn expr(&mut self, root: ExprId) -> usize {
        let mut stack = vec![(root, false)];
        while let Some((id, ready)) = stack.pop() {
            if self.numbers.get(id.index()).copied().flatten().is_some() {
                continue;
            }
            let op = &self.program.expr(id).op;
            let through = match op {
                Op::Let { id, .. } => self.program.lets.get(id.index()).map(|l| l.value),
                _ => None,
            };
            if !ready {
                stack.push((id, true));
                let mut children = Vec::new();
                op.children(|c| children.push(c));
                children.extend(through);
                children.reverse();
                stack.extend(children.into_iter().map(|c| (c, false)));
                continue;
            }
            let mut children = Vec::new();
            op.children(|c| children.push(self.numbers.get(c.index()).copied().flatten()));
            let words = match op {
                Op::Let { id, of, inner } => {
                    let value = self
                        .program
                        .lets
                        .get(id.index())
                        .and_then(|l| self.numbers.get(l.value.index()).copied().flatten());
                    if let Some(slot) = self.lets.get_mut(id.index()) {
                        *slot = value;
                    }
                    format!("let {value:?} {of:?} {inner}")
                }
                Op::Feature { id, of } => {
                    format!("feature {} {of:?}", self.program.features.get(id.index()).map_or("", |f| f.name.as_str()))
                }
                Op::Call { function, .. } => function.name.to_string(),
                Op::Aggregate(a) => format!(
                    "{} {:?} {:?} {:?} {} {} {} {}",
                    a.function.name,
                    a.span,
                    a.share,
                    a.narrowing,
                    a.at_least,
                    a.own.is_some(),
                    a.per.is_some(),
                    a.filter.is_some()
                ),
                Op::Match { arms, otherwise, .. } => {
                    let arms: Vec<_> = arms.iter().map(|(arm, _)| arm).collect();
                    format!("match {arms:?} {}", otherwise.is_some())
                }
                Op::If { arms, .. } => format!("if {}", arms.len()),
                Op::Lookup { table, .. } => format!("lookup {}", table.0),
                Op::Compare(op, ..) => format!("compare {op:?}"),
                Op::Not(_) => "not".into(),
                Op::Negate(_) => "negate".into(),
                Op::Add(..) => "add".into(),
                Op::Subtract(..) => "subtract".into(),
                Op::Multiply(..) => "multiply".into(),
                Op::Divide(..) => "divide".into(),
                Op::And(..) => "and".into(),
                Op::Or(..) => "or".into(),
                Op::Fallback(..) => "fallback".into(),
                Op::IsKnown(_) => "known".into(),
                Op::OneOf(..) => "one of".into(),
                Op::InList(_, list) => format!("in list {}", list.0),
                Op::InSet(..) => "in set".into(),
                plain => format!("{plain:?}"),
            };
            let _ = writeln!(self.out, "{} {words} {children:?}", self.next);
            if let Some(slot) = self.numbers.get_mut(id.index()) {
                *slot = Some(self.next);
            }
            self.next += 1;
        }
        self.numbers.get(root.index()).copied().flatten().unwrap_or(0)
    }
}
