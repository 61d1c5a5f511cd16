//! What is known about a name inside a branch (R5.6).

use super::Checker;
use crate::program::{CompareOp, Constant, Expr, ExprId, FeatureId, LetId, Op, Subject};
use crate::types::Interval;

/// What a fact speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    Feature(FeatureId, Subject),
    Let(LetId, Subject),
}

/// Something proven about a feature or let.
#[derive(Clone, Copy, Debug)]
pub struct Fact {
    pub about: About,
    pub known: bool,
    pub interval: Option<Interval>,
}

impl Checker {
    /// What holds where a condition is true: the pieces of its top-level `and`.
    pub(super) fn facts_when_true(&self, condition: ExprId) -> Vec<Fact> {
        let mut facts = Vec::new();
        let mut stack = vec![condition];
        while let Some(id) = stack.pop() {
            match &self.program.expr(id).op {
                Op::And(a, b) => stack.extend([*a, *b]),
                Op::IsKnown(x) => {
                    if let Some(about) = self.about(*x) {
                        facts.push(Fact { about, known: true, interval: None });
                    }
                }
                Op::Compare(op, a, b) => {
                    let direct = self.about(*a).zip(self.constant_of(*b)).map(|(x, c)| (x, *op, c, *a));
                    let mirrored = self.about(*b).zip(self.constant_of(*a)).map(|(x, c)| (x, mirror(*op), c, *b));
                    if let Some((about, op, c, of)) = direct.or(mirrored) {
                        let expr = self.program.expr(of);
                        let interval = compared(expr, op, c);
                        facts.push(Fact { about, known: false, interval });
                    }
                }
                _ => {}
            }
        }
        facts
    }

    /// What holds where it is false: after `x is not known`, x is known in `else`.
    pub(super) fn facts_when_false(&self, condition: ExprId) -> Vec<Fact> {
        match &self.program.expr(condition).op {
            Op::Not(inner) => match &self.program.expr(*inner).op {
                Op::IsKnown(_) => self.facts_when_true(*inner),
                _ => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    /// Runs with more facts.
    pub(super) fn with_facts<T>(&mut self, facts: Vec<Fact>, run: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.facts.len();
        self.facts.extend(facts);
        let result = run(self);
        self.facts.truncate(before);
        result
    }

    /// A reference with what the facts around add to it.
    pub(super) fn refined(&self, mut expr: Expr) -> Expr {
        let Some(about) = about_op(&expr.op) else { return expr };
        for fact in self.facts.iter().filter(|f| f.about == about) {
            if fact.known {
                expr.nullable = false;
            }
            if let Some(narrowed) = fact.interval.and_then(|i| expr.interval.meet(i)) {
                expr.interval = narrowed;
            }
        }
        expr
    }

    fn about(&self, id: ExprId) -> Option<About> {
        about_op(&self.program.expr(id).op)
    }

    fn constant_of(&self, id: ExprId) -> Option<f64> {
        match &self.program.expr(id).op {
            Op::Constant(Constant::Number(n)) => Some(*n),
            Op::Negate(inner) => self.constant_of(*inner).map(|n| -n),
            _ => None,
        }
    }
}

fn about_op(op: &Op) -> Option<About> {
    match op {
        Op::Feature { id, of } => Some(About::Feature(*id, *of)),
        Op::Let { id, of, inner: false } => Some(About::Let(*id, *of)),
        _ => None,
    }
}

/// The other way round: `c < x` as `x > c`.
fn mirror(op: CompareOp) -> CompareOp {
    match op {
        CompareOp::Less => CompareOp::Greater,
        CompareOp::LessEqual => CompareOp::GreaterEqual,
        CompareOp::Greater => CompareOp::Less,
        CompareOp::GreaterEqual => CompareOp::LessEqual,
        same => same,
    }
}

/// The interval of x where `x op c` holds.
fn compared(x: &Expr, op: CompareOp, c: f64) -> Option<Interval> {
    let all = Interval::all();
    let (interval, excludes_zero) = match op {
        CompareOp::Equal => (Interval::point(c), false),
        CompareOp::NotEqual => (all, c == 0.0),
        CompareOp::Less => (Interval::new(all.lo, c), c == 0.0),
        CompareOp::LessEqual => (Interval::new(all.lo, c), false),
        CompareOp::Greater => (Interval::new(c, all.hi), c == 0.0),
        CompareOp::GreaterEqual => (Interval::new(c, all.hi), false),
    };
    if !x.ty.is_number() {
        return None;
    }
    if !excludes_zero {
        return Some(interval);
    }
    if x.ty.is_whole() && x.interval.lo >= 0.0 && op != CompareOp::Less {
        return Some(Interval::new(1.0, all.hi));
    }
    Some(interval.without_zero())
}
