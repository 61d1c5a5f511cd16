//! How a number moves when a feature grows: for the warning on wrong directions.

use std::collections::HashMap;

use crate::builtins::Trend;
use crate::program::{CompareOp, ExprId, FeatureId, Op, Program, Subject};

/// The trend of an expression with a candidate's own feature, everything else held still.
pub fn trend(program: &Program, root: ExprId, feature: FeatureId) -> Trend {
    Walk { program, feature, known: HashMap::new() }.of(root)
}

struct Walk<'p> {
    program: &'p Program,
    feature: FeatureId,
    known: HashMap<ExprId, Trend>,
}

impl Walk<'_> {
    fn of(&mut self, id: ExprId) -> Trend {
        if let Some(trend) = self.known.get(&id) {
            return *trend;
        }
        let trend = self.work_out(id);
        self.known.insert(id, trend);
        trend
    }

    fn work_out(&mut self, id: ExprId) -> Trend {
        let interval = |e: ExprId| self.program.expr(e).interval;
        match &self.program.expr(id).op {
            Op::Feature { id, of: Subject::Own } if *id == self.feature => Trend::Rising,
            Op::Let { id, of: Subject::Own, .. } => {
                self.program.lets.get(id.index()).map_or(Trend::Flat, |l| self.of(l.value))
            }
            Op::Not(a) | Op::Negate(a) => self.of(*a).turned(),
            Op::Add(a, b) | Op::And(a, b) | Op::Or(a, b) => self.of(*a).and(self.of(*b)),
            Op::Subtract(a, b) => self.of(*a).and(self.of(*b).turned()),
            Op::Multiply(a, b) => {
                let (x, y) = (Trend::by_sign(interval(*b)), Trend::by_sign(interval(*a)));
                self.of(*a).then(x).and(self.of(*b).then(y))
            }
            Op::Divide(a, b) => {
                let by_divisor = Trend::by_sign(interval(*b));
                let by_dividend =
                    if by_divisor == Trend::Unknown { Trend::Unknown } else { Trend::by_sign(interval(*a)).turned() };
                self.of(*a).then(by_divisor).and(self.of(*b).then(by_dividend))
            }
            Op::Compare(CompareOp::Greater | CompareOp::GreaterEqual, a, b) => self.of(*a).and(self.of(*b).turned()),
            Op::Compare(CompareOp::Less | CompareOp::LessEqual, a, b) => self.of(*a).turned().and(self.of(*b)),
            Op::Fallback(a, b) => {
                let (a, b) = (self.of(*a), self.of(*b));
                a.and(b)
            }
            Op::If { arms, otherwise } => {
                let mut below = interval(*otherwise);
                let mut trend = self.of(*otherwise);
                for (condition, value) in arms.iter().rev() {
                    let switch = if interval(*value).lo >= below.hi {
                        Trend::Rising
                    } else if interval(*value).hi <= below.lo {
                        Trend::Falling
                    } else {
                        Trend::Unknown
                    };
                    trend = trend.and(self.of(*value)).and(self.of(*condition).then(switch));
                    below = below.join(interval(*value));
                }
                trend
            }
            Op::Call { function, args } => {
                let intervals: Vec<_> = args.iter().map(|a| interval(*a)).collect();
                let mut trend = Trend::Flat;
                for (i, arg) in args.iter().enumerate() {
                    let inner = self.of(*arg);
                    if inner != Trend::Flat {
                        trend = trend.and(inner.then((function.trend)(i, &intervals)));
                    }
                }
                trend
            }
            op => {
                let mut flat = true;
                let mut children = Vec::new();
                op.children(|c| children.push(c));
                for child in children {
                    flat &= self.of(child) == Trend::Flat;
                }
                if flat { Trend::Flat } else { Trend::Unknown }
            }
        }
    }
}
