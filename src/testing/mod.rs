//! Tests in the file: a test becomes a batch, is scored by the reference evaluator,
//! and its expectations are asked.

mod build;
mod expect;

use crate::check::set_param;
use crate::diagnostic::{Diagnostic, code};
use crate::eval::reference::Reference;
use crate::eval::{CapState, ControlState, Evaluator, Matching, Run, Scores};
use crate::program::Program;
use crate::schema::Schema;
use crate::syntax::ast::{ConstantKind, StateEntry, StateValue, Test};
use crate::types::Host;

/// How a test ended.
#[derive(Debug)]
pub struct Outcome {
    pub name: String,
    pub host: Host,
    /// Expectations that do not hold, or why the test was refused.
    pub failures: Vec<Diagnostic>,
    /// The score of every part, for failing tests.
    pub trace: Option<String>,
}

impl Outcome {
    /// Whether everything held.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.failures.is_empty()
    }
}

/// A test without `for` runs as the first host that the file names (R7.1).
fn host_of(program: &Program, test: &Test) -> Host {
    test.host.as_ref().map_or_else(|| program.hosts.first().copied().unwrap_or(Host::Training), |h| h.node)
}

/// Runs one test.
#[must_use]
pub fn run(program: &Program, schema: &Schema, test: &Test) -> Outcome {
    let host = host_of(program, test);
    let mut outcome = Outcome { name: test.name.node.clone(), host, failures: Vec::new(), trace: None };
    match score(program, schema, test) {
        Ok((program, scores)) => {
            for expect in &test.expects {
                outcome.failures.extend(expect::ask(&program, &scores, expect));
            }
            if !outcome.failures.is_empty() {
                let rows: Vec<String> = (0..scores.n_rows)
                    .map(|row| {
                        format!(
                            "item {}\n{}",
                            row + 1,
                            crate::report::explain(&program, &scores, row).text(crate::report::Style::PLAIN)
                        )
                    })
                    .collect();
                outcome.trace = Some(rows.join("\n"));
            }
        }
        Err(failures) => outcome.failures = failures,
    }
    outcome
}

/// Scores a test's items; gives the program with the test's settings too.
///
/// # Errors
/// Why the test cannot be run.
pub fn score(program: &Program, schema: &Schema, test: &Test) -> Result<(Program, Scores), Vec<Diagnostic>> {
    let host = host_of(program, test);
    let mut program = program.clone();
    let mut faults = Vec::new();
    if !program.hosts.contains(&host) {
        let place = test.host.as_ref().map_or(test.name.span, |h| h.span);
        faults.push(Diagnostic::at(&code::HOST_NOT_NAMED, place, format!("this file is not for {host}")));
    }
    for (name, value) in &test.settings {
        let written = match &value.node {
            ConstantKind::Bool(b) => b.to_string(),
            ConstantKind::Text(t) => t.clone(),
            ConstantKind::Number { number, negative } => {
                let unit = number.unit.as_ref().map_or(String::new(), |u| format!(" {u}"));
                format!(
                    "{}{}{}{unit}",
                    if *negative { "-" } else { "" },
                    number.digits,
                    if number.percent { "%" } else { "" }
                )
            }
        };
        if let Err(fault) = set_param(&mut program, schema.currency.as_deref(), &name.node, &written) {
            faults.push(Diagnostic::at(&code::SETTING, name.span.to(value.span), fault.message).maybe_help(fault.help));
        }
    }
    let state = state(&test.state, &mut faults);
    let batch = build::batch(&program, schema, test, host, &mut faults);
    if !faults.is_empty() {
        return Err(faults);
    }
    let run = Run { host, state: &state, seed: 0, step: 0, stop: None };
    match Reference.score(&program, &batch, run) {
        Ok(scores) => Ok((program, scores)),
        Err(refusal) => Err(vec![Diagnostic::at(&code::TEST_REFUSED, test.name.span, refusal.to_string())]),
    }
}

fn state(entries: &[StateEntry], faults: &mut Vec<Diagnostic>) -> ControlState {
    let mut state = ControlState::default();
    for entry in entries {
        let mut cap = CapState::default();
        for (name, value) in &entry.fields {
            let number = match value {
                StateValue::Constant(c) => match &c.node {
                    ConstantKind::Number { number, negative } if number.unit.is_none() => {
                        Some(if *negative { -number.decimal() } else { number.decimal() })
                    }
                    _ => None,
                },
                StateValue::Counts(_) => None,
            };
            let whole = number.filter(|n| *n >= 0.0 && n.fract() == 0.0);
            match (name.node.as_str(), value, number) {
                ("lambda", _, Some(n)) => cap.lambda = Some(n),
                ("share", _, Some(n)) if (0.0..=1.0).contains(&n) => cap.share = Some(n),
                ("shown", _, _) if whole.is_some() => cap.shown = whole.map(|n| n as u64),
                ("matching", _, _) if whole.is_some() => cap.matching = whole.map(|n| Matching::All(n as u64)),
                ("matching", StateValue::Counts(counts), _) => {
                    cap.matching = Some(Matching::PerKey(counts.iter().cloned().collect()));
                }
                _ => faults.push(
                    Diagnostic::at(
                        &code::TEST_REFUSED,
                        name.span,
                        format!("this `{}` is not part of a cap's state", name.node),
                    )
                    .help("it has `lambda 0.3`, `share 12%`, `shown 40`, `matching 5` or `matching { a1: 2 }`"),
                ),
            }
        }
        state.caps.insert(entry.cap.node.clone(), cap);
    }
    state
}
