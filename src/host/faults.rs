//! What a step or a binding is refused with.

use crate::diagnostic::{Diagnostic, Fault, code};
use crate::eval::Refusal;

/// Inputs that do not fit.
pub fn unfit(message: impl Into<String>) -> Fault {
    Box::new(Diagnostic::bare(&code::HOST_INPUT, message).help("`rewardc explain RW0902` says what a step looks like"))
}

/// A refusal of the evaluator.
pub fn refused(refusal: Refusal) -> Fault {
    let code = match refusal {
        Refusal::NoSlates { .. } => &code::NO_SLATE_IN_DATA,
        Refusal::UnknownCap { .. } | Refusal::BadState { .. } => &code::STATE,
        Refusal::Stopped => &code::INTERRUPTED,
        Refusal::HostNotNamed { .. } => &code::HOST_NOT_NAMED,
        Refusal::Missing { .. } | Refusal::BadBatch { .. } => &code::HOST_INPUT,
    };
    Box::new(Diagnostic::bare(code, refusal.to_string()))
}
