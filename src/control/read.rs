//! YAML → [`Controllers`], every fault reported with its place.

use std::path::Path;

use super::controllers::{Averaging, Controller, Controllers, Counted, Every, Rule, Stale, Then};
use crate::check::unreadable;
use crate::diagnostic::{Diagnostic, Diagnostics, Unsound, code, did_you_mean};
use crate::program::{Cap, CapSpan, Charge, Program};
use crate::source::{DiskFiles, FileId, ReadFault, Sources, Span};
use crate::yaml::{self, Keys, Node, Value};

impl Controllers {
    /// Reads the controllers of a reward.
    ///
    /// # Errors
    /// A file that cannot be read, is not of this form, or does not fit the reward (RW0905).
    pub fn load(path: impl AsRef<Path>, program: &Program) -> Result<Self, Unsound> {
        let path = path.as_ref();
        let unread =
            |fault: ReadFault| Unsound { diagnostics: vec![unreadable(path, &fault)], sources: Sources::default() };
        let (name, text) = DiskFiles::around(path).and_then(|f| f.read_entry(path)).map_err(unread)?;
        Self::from_text(&name, &text, program)
    }

    /// The same of a text; `name` is shown in messages.
    ///
    /// # Errors
    /// As [`Controllers::load`].
    pub fn from_text(name: &str, text: &str, program: &Program) -> Result<Self, Unsound> {
        let mut sources = Sources::default();
        let file = sources.add(name, text);
        let mut found = Diagnostics::default();
        let controllers = read(text, file, program, &mut found);
        if found.has_errors() {
            return Err(Unsound { diagnostics: found.sorted(), sources });
        }
        Ok(controllers)
    }
}

/// Reads the controllers of a program. With errors in `out` what is given is incomplete.
fn read(text: &str, file: FileId, program: &Program, out: &mut Diagnostics) -> Controllers {
    let root = match yaml::parse(text, file) {
        Ok(root) => root,
        Err(fault) => {
            out.push(fault);
            return Controllers::default();
        }
    };
    let mut keys = Keys::of(&root, "the controller file", out);
    let mut controllers = Controllers { name: keys.need_text("controllers", out), ..Controllers::default() };
    if let Some(node) = keys.need("caps", out) {
        for (name, span, node) in Keys::of(node, "`caps`", out).rest() {
            let Some(cap) = program.caps().map(|(_, c)| c).find(|c| c.name == name) else {
                let caps = program.caps().map(|(_, c)| c.name.as_str());
                let near = did_you_mean(name, caps);
                let message = format!("the reward has no cap `{name}`");
                out.push(
                    Diagnostic::at(&code::CONTROLLER, span, message)
                        .maybe_help(near.map(|n| format!("did you mean `{n}`?"))),
                );
                continue;
            };
            if let Some(controller) = one(cap, span, node, program, out) {
                controllers.caps.insert(name.to_string(), controller);
            }
        }
    }
    keys.finish(out);
    controllers
}

fn one(cap: &Cap, span: Span, node: &Node, program: &Program, out: &mut Diagnostics) -> Option<Controller> {
    let most = match cap.charge {
        Some(Charge::Dual { up_to }) => Some(program.setting(up_to)),
        _ if matches!(cap.span_kind, CapSpan::Window(_)) => None,
        _ => {
            let why = if cap.span_kind == CapSpan::Session {
                "a session's counts move by what is shown, without a controller"
            } else {
                "only a `dual` or a cap over a window has a state that a controller moves"
            };
            let message = format!("`{}` needs no controller", cap.name);
            out.push(Diagnostic::at(&code::CONTROLLER, span, message).help(why));
            return None;
        }
    };
    let mut keys = Keys::of(node, format!("the controller of `{}`", cap.name), out);
    let counts = match keys.need("counts", out).map(|n| (n.text().unwrap_or(""), n.span)) {
        Some(("generated", _)) => Counted::Generated,
        Some(("shown", _)) | None => Counted::Shown,
        Some((_, span)) => {
            out.push(value(span, "`counts` is `generated` or `shown`"));
            Counted::Shown
        }
    };
    let window = keys.take("window").and_then(|n| every(n, "window", out));
    let half_life = keys.take("half_life").and_then(|n| every(n, "half_life", out));
    let stale = stale(keys.take("stale"), out);
    let (mut rule, mut limits, mut start) = (None, (0.0, 0.0), 0.0);
    if let Some(most) = most {
        limits = match keys.take("limits") {
            None => (0.0, most),
            Some(node) => within(node, most, out).unwrap_or((0.0, most)),
        };
        start = match keys.take("start").map(|n| (number(n, "start", out), n.span)) {
            None => limits.0,
            Some((start, span)) => {
                let start = start.unwrap_or(limits.0);
                if start < limits.0 || start > limits.1 {
                    let message = format!("`start` {start} is not within the limits, {} to {}", limits.0, limits.1);
                    out.push(Diagnostic::at(&code::CONTROLLER, span, message));
                }
                start
            }
        };
        rule = self::rule(&mut keys, out);
    }
    if most.is_none() {
        for (key, span, _) in keys.rest() {
            let message = format!("`{}` has no price, and nothing for `{key}` to move", cap.name);
            out.push(
                Diagnostic::at(&code::CONTROLLER, span, message)
                    .help("of a `scale` over a window only the share is measured: `counts`, `half_life`, `stale`"),
            );
        }
    } else {
        keys.finish(out);
    }
    Some(Controller { counts, rule, window, half_life, start, limits, stale })
}

fn value(span: Span, message: &str) -> Diagnostic {
    Diagnostic::at(&code::SCHEMA_VALUE, span, message)
}

fn number(node: &Node, key: &str, out: &mut Diagnostics) -> Option<f64> {
    let found = node.text().and_then(|t| t.parse().ok()).filter(|v: &f64| v.is_finite() && *v >= 0.0);
    if found.is_none() {
        out.push(value(node.span, &format!("`{key}` is a number from 0")));
    }
    found
}

/// `20 steps`, `1_000 requests`.
fn every(node: &Node, key: &str, out: &mut Diagnostics) -> Option<Every> {
    let found = amount(node, &["requests", "steps"]);
    if found.is_none() {
        out.push(value(node.span, &format!("`{key}` is an amount, such as `256 requests` or `4 steps`")));
    }
    let (n, unit) = found?;
    Some(if unit == "requests" { Every::Requests(n) } else { Every::Steps(n) })
}

/// A whole number from 1 and one of these words.
fn amount<'n>(node: &'n Node, units: &[&str]) -> Option<(u64, &'n str)> {
    let (n, unit) = node.text()?.split_once(' ')?;
    let n = n.replace('_', "").parse().ok().filter(|n| (1..=1_000_000_000_000).contains(n))?;
    units.contains(&unit.trim()).then_some((n, unit.trim()))
}

fn within(node: &Node, most: f64, out: &mut Diagnostics) -> Option<(f64, f64)> {
    let ends: Option<Vec<f64>> = match &node.value {
        Value::List(items) => items.iter().map(|n| n.text()?.parse().ok()).collect(),
        _ => None,
    };
    match ends.as_deref() {
        Some([low, high]) if 0.0 <= *low && low < high && *high <= most => Some((*low, *high)),
        Some([_, _]) => {
            let message = format!("the limits do not lie in order within 0 and the cap's `up to {most}`");
            out.push(Diagnostic::at(&code::CONTROLLER, node.span, message));
            None
        }
        _ => {
            out.push(value(node.span, "`limits` is two numbers, such as `[0, 1.5]`"));
            None
        }
    }
}

fn rule(keys: &mut Keys<'_>, out: &mut Diagnostics) -> Option<Rule> {
    let word = keys.need("rule", out).map(|n| (n.text().unwrap_or(""), n.span));
    let gain = keys.need("gain", out);
    let averaging = keys.take("averaging");
    match word? {
        ("gradient", _) => {
            let gain = number(gain?, "gain", out)?;
            let averaging = match averaging {
                None => Averaging::Last,
                Some(node) if node.text() == Some("all") => Averaging::All,
                Some(node) => match amount(node, &["updates"]) {
                    Some((n, _)) => Averaging::HalfLife(n),
                    None => {
                        out.push(value(node.span, "`averaging` is `all`, or a half-life such as `20 updates`"));
                        Averaging::Last
                    }
                },
            };
            Some(Rule::Gradient { gain, averaging })
        }
        ("pid", _) => {
            if let Some(node) = averaging {
                let message = "`averaging` goes with `gradient`: a `pid` is damped by `d` and `half_life`";
                out.push(Diagnostic::at(&code::CONTROLLER, node.span, message));
            }
            let mut gains = Keys::of(gain?, "`gain`", out);
            let mut part = |key| gains.take(key).map_or(Some(0.0), |n| number(n, key, out));
            let found = (part("p"), part("i"), part("d"));
            gains.finish(out);
            match found {
                (Some(p), Some(i), Some(d)) => Some(Rule::Pid { p, i, d }),
                _ => None,
            }
        }
        (_, span) => {
            out.push(value(span, "`rule` is `gradient` or `pid`"));
            None
        }
    }
}

fn stale(node: Option<&Node>, out: &mut Diagnostics) -> Stale {
    let never = Stale { after: u64::MAX, then: Then::Hold };
    let Some(node) = node else { return never };
    let mut keys = Keys::of(node, "`stale`", out);
    let after = keys.need("after", out).and_then(|node| {
        let found = amount(node, &["steps"]);
        if found.is_none() {
            out.push(value(node.span, "`after` is an amount of steps, such as `20 steps`"));
        }
        found.map(|(n, _)| n)
    });
    let then = match keys.need("then", out).map(|n| (n.text().unwrap_or(""), n.span)) {
        Some(("start", _)) => Then::Start,
        Some(("stop", _)) => Then::Stop,
        Some(("hold", _)) | None => Then::Hold,
        Some((_, span)) => {
            out.push(value(span, "`then` is `hold`, `start` or `stop`"));
            Then::Hold
        }
    };
    keys.finish(out);
    after.map_or(never, |after| Stale { after, then })
}
