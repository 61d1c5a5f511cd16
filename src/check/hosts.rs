//! Who reads what, and whether it exists in the hosts the file names (R5.8, R5.9, R7.2).

use super::Checker;
use crate::diagnostic::{Diagnostic, code};
use crate::program::{Cap, CapSpan, ChannelKind, Charge, ExprId, Op, Part, Program, SpanKind, visit};
use crate::source::Span;
use crate::types::{Availability, Host};

/// When a cap's charge is known.
pub fn cap_availability(program: &Program, cap: &Cap) -> Availability {
    let of = |e: Option<ExprId>| e.map_or(Availability::Static, |e| program.expr(e).availability);
    let span = match (cap.span_kind, cap.charge) {
        (CapSpan::Window(_), _) => Availability::Request,
        (_, Some(Charge::Dual { .. })) => Availability::Request,
        _ => Availability::Generated,
    };
    of(cap.on).max(of(cap.per)).max(span)
}

/// A part with the expressions it stands on.
struct Standing {
    word: &'static str,
    name: String,
    roots: Vec<ExprId>,
    availability: Availability,
    slate: bool,
    hosts: Vec<Host>,
    span: Span,
}

impl Checker {
    /// Refuses what cannot be worked out in a host the file names; monitors only go null there.
    pub(super) fn hosts(&mut self) {
        for i in 0..self.program.channels.len() {
            let Some(value) = self.program.channels.get(i).map(|c| c.value) else { continue };
            let hosts = self.monitor_hosts(value);
            if let Some(channel) = self.program.channels.get_mut(i) {
                channel.hosts = hosts;
            }
        }
        let has_training_slate = self.schema.spans.training.as_ref().is_some_and(|t| t.slate_first.is_some());
        let has_log_slate = matches!(self.schema.spans.slate, Some(crate::schema::SlateDecl::Logged { .. }));
        for part in self.standing() {
            let absent: Vec<Host> = part.hosts.iter().copied().filter(|h| !part.availability.exists_in(*h)).collect();
            if !absent.is_empty() {
                self.unavailable(&part, &absent);
            } else if part.slate && part.hosts.contains(&Host::Training) && !has_training_slate && !has_log_slate {
                let place =
                    self.leaf(&part.roots, |p, e| p.expr(e).reads_slate && own_slate(p, e)).map_or(part.span, |l| l.0);
                self.error(
                    Diagnostic::at(&code::NO_SLATES, place, format!("the {} `{}` reads the slate, and training has none", part.word, part.name))
                        .help("say what stands for it in the schema: `spans: {training: {slate: first 10 of group, order: beam}}`; or take `training` from `for …`"),
                );
            }
        }
    }

    fn standing(&self) -> Vec<Standing> {
        let program = &self.program;
        let all = program.hosts.clone();
        let mut found = Vec::new();
        let mut add = |word,
                       name: &str,
                       roots: Vec<ExprId>,
                       availability: Option<Availability>,
                       slate: bool,
                       hosts: Vec<Host>,
                       span| {
            let read = roots.iter().map(|r| program.expr(*r).availability).max().unwrap_or(Availability::Static);
            let slate = slate || roots.iter().any(|r| program.expr(*r).reads_slate);
            let availability = availability.unwrap_or(read);
            found.push(Standing { word, name: name.to_string(), roots, availability, slate, hosts, span });
        };
        for rule in &program.rules {
            let hosts = all.iter().copied().filter(|h| rule.acts_in(*h)).collect();
            add("rule", &rule.name, vec![rule.condition], None, false, hosts, rule.span);
        }
        for part in &program.parts {
            match part {
                Part::Term(t) => add("term", &t.name, vec![t.value], None, false, all.clone(), t.span),
                Part::Gate(g) => add("gate", &g.name, vec![g.condition], None, false, all.clone(), g.span),
                Part::Cap(c) => {
                    let roots = c.on.into_iter().chain(c.per).collect();
                    add(
                        "cap",
                        &c.name,
                        roots,
                        Some(cap_availability(program, c)),
                        program.cap_reads_slate(c),
                        all.clone(),
                        c.span,
                    );
                }
            }
        }
        for channel in program.channels.iter().filter(|c| c.kind != ChannelKind::Monitor) {
            add(channel.kind.word(), &channel.name, vec![channel.value], None, false, all.clone(), channel.span);
        }
        found
    }

    fn unavailable(&mut self, part: &Standing, absent: &[Host]) {
        let late = |p: &Program, e: ExprId| {
            let expr = p.expr(e);
            absent.iter().any(|h| !expr.availability.exists_in(*h))
                && match &expr.op {
                    Op::Feature { .. } | Op::Code { .. } => true,
                    Op::Aggregate(a) => matches!(a.span, SpanKind::Batch | SpanKind::Targets),
                    _ => false,
                }
        };
        let (place, what) = self.leaf(&part.roots, late).unwrap_or((part.span, String::new()));
        let what = if what.is_empty() { "this".to_string() } else { format!("`{what}`") };
        let known = match part.availability {
            crate::types::Availability::Target => "known only with targets or a whole batch",
            crate::types::Availability::Observed => "observed, so known only in logs",
            _ => "known too late",
        };
        let hosts = absent.iter().map(|h| h.as_str()).collect::<Vec<_>>().join(" and ");
        let help = if self.head.hosts.is_some() {
            format!("take {hosts} from `for …`, or measure it with a `monitor`")
        } else {
            let left: Vec<&str> =
                Host::ALL.iter().filter(|h| part.availability.exists_in(**h)).map(|h| h.as_str()).collect();
            format!("name the file's hosts behind the schema: `for {}`", left.join(", "))
        };
        let mut diagnostic = Diagnostic::at(
            &code::UNAVAILABLE,
            place,
            format!("{what} is {known}: the {} `{}` cannot be worked out in {hosts}", part.word, part.name),
        )
        .help(help);
        if place != part.span {
            diagnostic = diagnostic.also(part.span, format!("the {} that needs it", part.word));
        }
        self.error(diagnostic);
    }

    /// The place and name of the first expression below some roots that satisfies a condition.
    fn leaf(&self, roots: &[ExprId], fits: impl Fn(&Program, ExprId) -> bool) -> Option<(Span, String)> {
        let mut found = None;
        visit(&self.program, roots, |id| {
            if found.is_none() && fits(&self.program, id) {
                let expr = self.program.expr(id);
                let name = match &expr.op {
                    Op::Feature { id, .. } => {
                        self.program.features.get(id.index()).map_or(String::new(), |f| f.name.clone())
                    }
                    Op::Code { .. } => "code".into(),
                    Op::Aggregate(a) => format!("over {}", a.span.as_str()),
                    _ => String::new(),
                };
                found = Some((expr.span, name));
            }
        });
        found
    }
}

fn own_slate(program: &Program, id: ExprId) -> bool {
    match &program.expr(id).op {
        Op::Position(_) => true,
        Op::Aggregate(a) => a.span == SpanKind::Slate,
        _ => false,
    }
}
