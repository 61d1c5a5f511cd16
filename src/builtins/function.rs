//! What is declared of a scalar function.

use super::Trend;
use crate::types::Interval;

/// A scalar function.
pub struct Function {
    pub name: &'static str,
    /// How it is called, as the manual writes it.
    pub form: &'static str,
    pub about: &'static str,
    /// Fewest and most arguments.
    pub arity: (usize, usize),
    pub signature: Signature,
    /// What must be proven of the arguments; the text says what is not.
    pub domain: fn(&[Interval]) -> Result<(), &'static str>,
    /// Whether known arguments may give a missing result.
    pub missing: fn(&[Interval]) -> bool,
    /// Range of the result.
    pub range: fn(&[Interval]) -> Interval,
    /// How the result moves when argument `.0` grows.
    pub trend: fn(usize, &[Interval]) -> Trend,
    /// The meaning on numbers in f64; `None` is missing.
    pub meaning: fn(&[f64]) -> Option<f64>,
    /// How errors of the arguments carry over: (arguments, their errors, result) → error.
    pub carry: fn(&[f64], &[f64], f64) -> f64,
    /// Relative error of the function itself in f32, in roundoffs.
    pub roundoffs: f64,
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// Types and dimensions of arguments and result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signature {
    /// Numbers of one dimension; the result has it too and is whole where all are.
    Same,
    /// As `Same`, the result real.
    SameReal,
    /// Plain numbers; a real plain number.
    Plain,
    /// A plain number; a whole one.
    Whole,
    /// A plain number and a constant plain number.
    Power,
    /// Numbers of one dimension; a real plain number.
    Ratio,
    /// A number and a constant list of rising edges of its dimension; a whole number.
    Band,
    /// Two numbers of one dimension and a plain one; a whole number.
    LogBand,
    /// Four plain numbers (degrees); a length.
    Haversine,
    /// Two vectors of one size.
    Vectors,
    /// Two SIDs; a whole number up to the number of levels.
    Sids,
    /// An id, a constant whole number and a constant text; a whole number.
    Bucket,
}
