//! Every function of the language, declared once.
//!
//! One declaration gives signature, domain, range, when the result is missing, how it moves with
//! its arguments, the reference meaning, the error bound and the manual's text. The checker, every
//! evaluator and the manual read it; nobody writes a function's name anywhere else.

mod aggregate;
mod formulas;
mod function;
mod scalar;
mod special;
mod trend;

pub use aggregate::{AGGREGATES, Aggregate, AggregateKind, Body, Emptiness, Members};
pub use function::{Function, Signature};
pub use scalar::FUNCTIONS;
pub use special::{bucket, common_prefix, cosine, matched_levels};
pub use trend::Trend;

/// Roundoff of one f32 operation, relative.
pub const ROUNDOFF: f64 = 1.0 / (1u64 << 24) as f64;

/// The scalar function of this name.
#[must_use]
pub fn function(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|f| f.name == name)
}

/// The aggregate of this name (`min` and `max` are both: `over` tells them apart).
#[must_use]
pub fn aggregate(name: &str) -> Option<&'static Aggregate> {
    AGGREGATES.iter().find(|a| a.name == name)
}

/// The manual's page on a function: signature and meaning of each form.
#[must_use]
pub fn page(name: &str) -> Option<String> {
    let scalar = function(name).map(|f| (f.form, f.about));
    let over = aggregate(name).map(|a| (a.form, a.about));
    let forms: Vec<String> =
        scalar.into_iter().chain(over).map(|(form, about)| format!("`{form}`\n\n{about}\n")).collect();
    (!forms.is_empty()).then(|| format!("# {name}\n\n{}", forms.join("\n")))
}

/// All function names, for did-you-mean.
pub fn names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().map(|f| f.name).chain(AGGREGATES.iter().map(|a| a.name))
}
