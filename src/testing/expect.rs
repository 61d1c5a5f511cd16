//! Asking an expectation.

use crate::diagnostic::{Diagnostic, code, did_you_mean};
use crate::eval::{Reason, Scores, Verdict};
use crate::program::{Column, Program, column_names, columns};
use crate::source::Span;
use crate::syntax::ast::{BinaryOp, ConstantKind, Expect, Name, Quantity, QuantityOf, Side, SideAtom, Spanned};
use crate::types::shown_number;

/// What does not hold, if anything.
pub fn ask(program: &Program, scores: &Scores, expect: &Spanned<Expect>) -> Option<Diagnostic> {
    let asked = match &expect.node {
        Expect::Verdict { item, verdict, reason } => ask_verdict(program, scores, item, verdict, reason.as_ref()),
        Expect::Null { quantity, negated } => ask_null(program, scores, quantity, *negated),
        Expect::Relation { left, op, right, within } => {
            let within = within.as_ref().and_then(|w| match &w.node {
                ConstantKind::Number { number, negative: false } => Some(number.decimal()),
                _ => None,
            });
            ask_relation(program, scores, left, *op, right, within)
        }
    };
    match asked {
        Ok(None) => None,
        Ok(Some(found)) => {
            Some(Diagnostic::at(&code::EXPECTATION, expect.span, format!("this does not hold: {found}")))
        }
        Err(refused) => Some(refused),
    }
}

/// `Ok(None)`: holds; `Ok(Some(words))`: does not.
type Asked = Result<Option<String>, Diagnostic>;

fn row(scores: &Scores, item: &Spanned<u64>) -> Result<usize, Diagnostic> {
    let row = (item.node as usize).wrapping_sub(1);
    if row < scores.n_rows {
        return Ok(row);
    }
    Err(Diagnostic::at(
        &code::TEST_REFUSED,
        item.span,
        format!("there is no item {}; this test has {}", item.node, scores.n_rows),
    ))
}

fn ask_verdict(program: &Program, scores: &Scores, item: &Spanned<u64>, word: &Name, reason: Option<&Name>) -> Asked {
    let row = row(scores, item)?;
    let words = ["scored", "illegal", "dropped", "unscorable"];
    if !words.contains(&word.node.as_str()) {
        let near = did_you_mean(&word.node, words);
        return Err(Diagnostic::at(&code::TEST_REFUSED, word.span, format!("`{}` is not a verdict", word.node)).help(
            near.map_or("verdicts are scored, illegal, dropped and unscorable".into(), |n| {
                format!("did you mean `{n}`?")
            }),
        ));
    }
    if let Some(reason) = reason {
        let rules = program.rules.iter().map(|r| r.name.as_str());
        let known: Vec<&str> = rules.chain(Reason::ALL.iter().map(|r| r.as_str())).collect();
        if !known.contains(&reason.node.as_str()) {
            let near = did_you_mean(&reason.node, known);
            return Err(Diagnostic::at(
                &code::TEST_REFUSED,
                reason.span,
                format!("`{}` is no rule and no reason", reason.node),
            )
            .maybe_help(near.map(|n| format!("did you mean `{n}`?"))));
        }
    }
    let verdict = scores.verdicts.get(row).copied().unwrap_or(Verdict::Scored);
    let found = verdict.rule(program).map_or(verdict.word().to_string(), |r| format!("{}({r})", verdict.word()));
    let holds = verdict.word() == word.node && reason.is_none_or(|r| verdict.rule(program) == Some(r.node.as_str()));
    Ok((!holds).then(|| format!("item {} is {found}", item.node)))
}

fn ask_null(program: &Program, scores: &Scores, quantity: &Quantity, negated: bool) -> Asked {
    let values = values(program, scores, quantity)?;
    let holds = values.iter().all(|v| v.is_none() != negated);
    Ok((!holds).then(|| format!("`{}` is {}", quantity.name.node, shown(&values))))
}

fn ask_relation(
    program: &Program,
    scores: &Scores,
    left: &Side,
    op: BinaryOp,
    right: &Side,
    within: Option<f64>,
) -> Asked {
    let (a, b) = (side(program, scores, left)?, side(program, scores, right)?);
    let describe = || Some(format!("left is {}, right is {}", shown(&a), shown(&b)));
    if a.len() != b.len() && a.len() != 1 && b.len() != 1 {
        return Ok(describe());
    }
    let at = |values: &[Option<f64>], i: usize| values.get(if values.len() == 1 { 0 } else { i }).copied().flatten();
    let holds = (0..a.len().max(b.len())).all(|i| match (at(&a, i), at(&b, i), op) {
        (None, None, BinaryOp::Equal) => true,
        (Some(x), Some(y), op) => compare(x, y, op, within),
        (_, _, BinaryOp::NotEqual) => true,
        _ => false,
    });
    Ok(if holds { None } else { describe() })
}

/// Equality within 1e-6 relative, unless the test says otherwise.
fn compare(x: f64, y: f64, op: BinaryOp, within: Option<f64>) -> bool {
    let near = (x - y).abs() <= within.unwrap_or_else(|| 1e-6 * x.abs().max(y.abs()).max(1e-3));
    match op {
        BinaryOp::Equal => near,
        BinaryOp::NotEqual => !near,
        BinaryOp::Less => x < y,
        BinaryOp::LessEqual => x <= y || near,
        BinaryOp::Greater => x > y,
        _ => x >= y || near,
    }
}

fn shown(values: &[Option<f64>]) -> String {
    let one = |v: &Option<f64>| v.map_or("null".to_string(), shown_number);
    match values {
        [v] => one(v),
        many => format!("[{}]", many.iter().map(one).collect::<Vec<_>>().join(", ")),
    }
}

/// The values of a side; more than one only where it is a single list.
fn side(program: &Program, scores: &Scores, side: &Side) -> Result<Vec<Option<f64>>, Diagnostic> {
    let mut total: Option<Vec<Option<f64>>> = None;
    for (negative, atom) in &side.atoms {
        let sign = if *negative { -1.0 } else { 1.0 };
        let next: Vec<Option<f64>> = match atom {
            SideAtom::Constant(c) => vec![Some(constant(&c.node, c.span)?)],
            SideAtom::List(items) => {
                let mut values = Vec::new();
                for item in items {
                    values.push(match item {
                        Some(c) => Some(constant(&c.node, c.span)?),
                        None => None,
                    });
                }
                values
            }
            SideAtom::Quantity(q) => values(program, scores, q)?,
        };
        let next: Vec<Option<f64>> = next.into_iter().map(|v| v.map(|v| sign * v)).collect();
        total = Some(match total {
            None => next,
            Some(sum) => {
                let n = sum.len().max(next.len());
                let at = |v: &[Option<f64>], i: usize| v.get(if v.len() == 1 { 0 } else { i }).copied().flatten();
                (0..n).map(|i| Some(at(&sum, i)? + at(&next, i)?)).collect()
            }
        });
    }
    Ok(total.unwrap_or_default())
}

fn constant(kind: &ConstantKind, span: Span) -> Result<f64, Diagnostic> {
    match kind {
        ConstantKind::Number { number, negative } if number.unit.is_none() => {
            Ok(if *negative { -number.decimal() } else { number.decimal() })
        }
        _ => Err(Diagnostic::at(&code::TEST_REFUSED, span, "an expectation compares plain numbers")),
    }
}

fn values(program: &Program, scores: &Scores, q: &Quantity) -> Result<Vec<Option<f64>>, Diagnostic> {
    let Some(column) = program.column(&q.name.node, q.field.as_ref().map(|f| f.node.as_str())) else {
        let names: Vec<String> = columns(program).into_iter().map(|c| column_names(program, c)).collect();
        let near = did_you_mean(&q.name.node, names.iter().map(String::as_str));
        return Err(Diagnostic::at(&code::UNKNOWN_NAME, q.name.span, format!("the score has no `{}`", q.name.node))
            .help(near.map_or_else(|| format!("it has {}", names.join(", ")), |n| format!("did you mean `{n}`?"))));
    };
    let Some(numbers) = scores.column(column) else { return Ok(vec![None]) };
    let width = numbers.width;
    Ok(match &q.of {
        QuantityOf::All if width == 1 => (0..scores.n_rows).map(|r| numbers.get(r, 0)).collect(),
        QuantityOf::All => (0..scores.n_rows).flat_map(|r| (0..width).map(move |l| numbers.get(r, l))).collect(),
        QuantityOf::Slate => {
            if column != Column::Channel(program.slate_reward().unwrap_or(usize::MAX)) {
                return Err(Diagnostic::at(
                    &code::TEST_REFUSED,
                    q.name.span,
                    "only `slate_reward` is a number of the slate",
                ));
            }
            vec![(0..scores.n_rows).find_map(|r| numbers.get(r, 0))]
        }
        QuantityOf::Item { item, level } => {
            let row = row(scores, item)?;
            match level {
                Some(level) if width == 1 || level.node == 0 || level.node > width as u64 => {
                    return Err(Diagnostic::at(
                        &code::TEST_REFUSED,
                        level.span,
                        format!("there is no level {}", level.node),
                    ));
                }
                Some(level) => vec![numbers.get(row, level.node as usize - 1)],
                None => (0..width).map(|l| numbers.get(row, l)).collect(),
            }
        }
    })
}
