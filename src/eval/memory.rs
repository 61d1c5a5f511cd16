//! What a cap's controller remembers from step to step: kept in the state, so that a killed run goes on
//! as though it had not been.

use serde::Serialize;

use crate::source::Json;

/// The memory of one controller (`control::step` says what it does with it).
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Memory {
    /// λ before averaging; of a PID its integral. In units of an advantage.
    pub inner: f64,
    /// λ as the controller wrote it last: another one in the state was written by somebody else.
    pub lambda: f64,
    /// How far the share was past the bound at the last update.
    pub error: f64,
    /// Updates so far.
    pub updates: u64,
    /// Counted since the last update.
    pub requests: u64,
    pub steps: u64,
    pub spans: u64,
    /// Sums over those spans: of the class's shares, and of the shares aimed at.
    pub shares: f64,
    pub targets: f64,
    /// Smoothed: the weight of what was measured, and the means.
    pub weight: f64,
    pub share: f64,
    pub target: f64,
    /// Steps since something was measured.
    pub unmeasured: u64,
}

impl Memory {
    pub(super) fn of_json(value: Json, what: &str) -> Result<Self, String> {
        let mut memory = Self::default();
        for (key, value) in value.into_object(what)? {
            let field = format!("`{key}` in {what}");
            let real = match key.as_str() {
                "inner" => &mut memory.inner,
                "lambda" => &mut memory.lambda,
                "error" => &mut memory.error,
                "shares" => &mut memory.shares,
                "targets" => &mut memory.targets,
                "weight" => &mut memory.weight,
                "share" => &mut memory.share,
                "target" => &mut memory.target,
                whole => {
                    let whole = match whole {
                        "updates" => &mut memory.updates,
                        "requests" => &mut memory.requests,
                        "steps" => &mut memory.steps,
                        "spans" => &mut memory.spans,
                        "unmeasured" => &mut memory.unmeasured,
                        _ => return Err(format!("{field} is nothing that a controller remembers")),
                    };
                    *whole = value.whole(&field)?;
                    continue;
                }
            };
            *real = value.number(&field)?;
        }
        let shares = [memory.share, memory.target];
        let sums = [memory.shares, memory.targets];
        let holds = shares.iter().all(|s| (0.0..=1.0).contains(s))
            && sums.iter().all(|s| (0.0..=memory.spans as f64 * (1.0 + 1e-9)).contains(s))
            && memory.weight >= 0.0;
        if holds { Ok(memory) } else { Err(format!("{what} holds shares that cannot be")) }
    }
}
