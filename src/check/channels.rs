//! The channels besides `reward` (R1.10), and parts read by monitors (R1.8).

use super::Checker;
use crate::diagnostic::{Diagnostic, code, did_you_mean};
use crate::program::{Channel, ChannelKind, Column, ExprId, Host, Op, Part, Subject, column_names, columns};
use crate::source::Span;
use crate::syntax::ast::{DeclKind, Name};
use crate::types::{Availability, Interval, Level, Ty};

impl Checker {
    /// All channels in file order; monitors after the rest, so that they may read them.
    pub(super) fn channels(&mut self) {
        for monitors in [false, true] {
            for i in 0..self.decls.len() {
                let Some(DeclKind::Channel { kind, name, value, pick }) = self.decls.get(i).map(|d| d.kind.clone())
                else {
                    continue;
                };
                if (kind == ChannelKind::Monitor) != monitors {
                    continue;
                }
                self.in_monitor = monitors;
                let built = self.channel_value(kind, &name, &value);
                self.in_monitor = false;
                let Some(value) = built else {
                    self.broken.push(name.node.clone());
                    continue;
                };
                if let Some(pick) = pick.as_ref().filter(|p| p.node == 0) {
                    self.error(Diagnostic::at(&code::ARGUMENTS, pick.span, "`pick 0` keeps no rollout"));
                }
                let range = self.program.expr(value).interval.outward_f32();
                self.program.channels.push(Channel {
                    kind,
                    name: name.node.clone(),
                    value,
                    pick: pick.map(|p| p.node),
                    range,
                    hosts: Vec::new(),
                    span: name.span,
                });
            }
        }
        self.file_order();
    }

    /// Back into the order of the file, which is that of the columns.
    fn file_order(&mut self) {
        let mut channels = std::mem::take(&mut self.program.channels);
        let before: Vec<String> = channels.iter().map(|c| c.name.clone()).collect();
        channels.sort_by_key(|c| (c.span.file, c.span.start));
        let moved: Vec<usize> =
            before.iter().map(|n| channels.iter().position(|c| c.name == *n).unwrap_or(0)).collect();
        for expr in &mut self.program.exprs {
            if let Op::Part { column: Column::Channel(i), .. } = &mut expr.op {
                *i = moved.get(*i).copied().unwrap_or(*i);
            }
        }
        self.program.channels = channels;
    }

    fn channel_value(&mut self, kind: ChannelKind, name: &Name, value: &crate::syntax::ast::Expr) -> Option<ExprId> {
        let what = format!("{} `{}`", kind.word(), name.node);
        let id =
            if kind == ChannelKind::Monitor { self.monitored(value, &what)? } else { self.plain_number(value, &what)? };
        let expr = self.program.expr(id);
        let (level, interval, span) = (expr.level, expr.interval, expr.span);
        if kind == ChannelKind::Monitor {
            // It may be one number for each SID level too (R1.10).
        } else if !kind.is_token() {
            self.at_most_candidate(id, &what)?;
        } else if self.program.sid_shape.is_empty() {
            return self.refuse(
                Diagnostic::at(&code::SPAN, name.span, "a token channel needs the schema's SID")
                    .help("add a feature of scale `sid` with its `shape`"),
            );
        }
        if kind == ChannelKind::SlateReward && level > Level::Slate {
            return self.refuse(
                Diagnostic::at(
                    &code::LEVEL,
                    span,
                    "`slate reward` is one number for the slate, this is one for each candidate",
                )
                .help("put `sum(… over slate)`, `dcg(… over slate)` or the like around it"),
            );
        }
        if matches!(kind, ChannelKind::SampleWeight | ChannelKind::TokenWeight) && interval.lo < 0.0 {
            return self.refuse(
                Diagnostic::at(
                    &code::NEGATIVE_WEIGHT,
                    span,
                    format!("{what} may be as low as {}", crate::types::shown_number(interval.lo)),
                )
                .help("put `max(…, 0)` around it"),
            );
        }
        Some(id)
    }

    /// A monitor may be missing, and may be a condition or have a dimension: it moves nothing.
    fn monitored(&mut self, value: &crate::syntax::ast::Expr, what: &str) -> Option<ExprId> {
        let id = self.expr(value)?;
        let ty = self.program.expr(id).ty.clone();
        if matches!(ty, Ty::Number { .. } | Ty::Bool) {
            return Some(id);
        }
        self.refuse(Diagnostic::at(&code::TYPE, value.span, format!("{what} is a number or a condition, this is {ty}")))
    }

    /// A part of the score by its name: in monitors.
    pub(super) fn part(
        &mut self,
        prefix: Option<&Name>,
        name: &Name,
        of: Option<Subject>,
        span: Span,
    ) -> Option<ExprId> {
        let full = prefix.map_or_else(|| name.node.clone(), |p| format!("{}.{}", p.node, name.node));
        if self.broken.contains(prefix.map_or(&name.node, |p| &p.node)) {
            return None;
        }
        let all = columns(&self.program);
        let names: Vec<String> = all.iter().map(|c| column_names(&self.program, *c)).collect();
        let Some(column) = all.iter().zip(&names).find(|(_, n)| **n == full).map(|(c, _)| *c) else {
            let near = did_you_mean(&full, names.iter().map(String::as_str));
            return self.refuse(Diagnostic::at(&code::UNKNOWN_NAME, span, format!("there is no part `{full}`")).help(
                near.map_or("a monitor reads parts, channels, and the monitors above it".to_string(), |n| {
                    format!("did you mean `{n}`?")
                }),
            ));
        };
        let inside = self.scope.span.is_some_and(crate::program::SpanKind::of_candidates);
        let of = of.unwrap_or(if inside { Subject::Member } else { Subject::Own });
        let inner = self.scope.span == Some(crate::program::SpanKind::Levels) && self.program.is_token(column);
        let mut expr = self.combine(Op::Part { column, of, inner }, &[], Ty::REAL);
        expr.interval = self.column_range(column);
        expr.staged = true;
        if let Column::Channel(i) = column {
            let channel = self.program.channels.get(i).cloned();
            expr.nullable = channel.as_ref().is_some_and(|c| {
                c.pick.is_some() || self.program.expr(c.value).nullable || c.kind == ChannelKind::SlateReward
            });
            if self.program.is_token(column) && !inner {
                expr.level = Level::Token;
            }
            if let Some(value) = channel.map(|c| self.program.expr(c.value)) {
                expr.availability = value.availability;
                expr.reads_slate = value.reads_slate;
            }
        }
        let value_of = match column {
            Column::Part(i) | Column::Raw(i) | Column::Over(i) => vec![i],
            Column::Channel(_) => Vec::new(),
            _ => (0..self.program.parts.len()).collect(),
        };
        // A sum exists before the slate choice too, without what waits for it (R7.3).
        let sum = !matches!(column, Column::Part(_) | Column::Raw(_) | Column::Over(_) | Column::Channel(_));
        for i in value_of {
            let (availability, slate) = self.part_facts(i);
            expr.availability = expr.availability.max(availability);
            expr.reads_slate |= slate && !sum;
        }
        if of == Subject::Member {
            expr.reads_member = true
        } else {
            expr.level = expr.level.max(Level::Candidate)
        }
        expr.reads_own = of == Subject::Own;
        Some(self.push(expr, span))
    }

    fn part_facts(&self, index: usize) -> (Availability, bool) {
        let of = |id: ExprId| (self.program.expr(id).availability, self.program.expr(id).reads_slate);
        match self.program.parts.get(index) {
            Some(Part::Term(t)) => of(t.value),
            Some(Part::Gate(g)) => of(g.condition),
            Some(Part::Cap(c)) => (super::hosts::cap_availability(&self.program, c), self.program.cap_reads_slate(c)),
            None => (Availability::Static, false),
        }
    }

    fn column_range(&self, column: Column) -> Interval {
        let ranges = &self.program.ranges;
        match column {
            Column::Reward => ranges.reward,
            Column::Cost => ranges.cost,
            Column::Total => ranges.total,
            Column::Preference => ranges.preference,
            Column::Ecosystem => ranges.ecosystem,
            Column::Clamp => ranges.clamp,
            Column::Over(_) => Interval::new(0.0, 1.0),
            Column::Part(i) => match self.program.parts.get(i) {
                Some(Part::Term(t)) => t.range,
                Some(Part::Gate(g)) => g.range,
                Some(Part::Cap(c)) => c.range,
                None => Interval::point(0.0),
            },
            Column::Raw(i) => match self.program.parts.get(i) {
                Some(Part::Term(t)) => self.program.expr(t.value).interval.outward_f32(),
                _ => Interval::point(0.0),
            },
            Column::Channel(i) => self.program.channels.get(i).map_or(Interval::point(0.0), |c| c.range),
        }
    }

    /// Hosts in which what a monitor reads exists; elsewhere it is null.
    pub(super) fn monitor_hosts(&self, value: ExprId) -> Vec<Host> {
        let expr = self.program.expr(value);
        Host::ALL.into_iter().filter(|h| expr.availability.exists_in(*h)).collect()
    }
}
