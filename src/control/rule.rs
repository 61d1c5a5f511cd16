//! How λ follows an error.

use super::controllers::{Averaging, Controller, Rule};
use crate::eval::Memory;

/// The next λ after an error, which is above 0 while the cap is broken; moves `memory`.
pub fn follow(rule: Rule, controller: &Controller, lambda: f64, error: f64, memory: &mut Memory) -> f64 {
    let (low, high) = controller.limits;
    memory.updates += 1;
    let next = match rule {
        Rule::Gradient { gain, averaging } => {
            memory.inner = (memory.inner + gain * error).clamp(low, high);
            let weight = match averaging {
                Averaging::Last => 1.0,
                Averaging::All => 1.0 / memory.updates as f64,
                Averaging::HalfLife(updates) => 1.0 - 0.5_f64.powf(1.0 / updates as f64),
            };
            lambda + weight * (memory.inner - lambda)
        }
        Rule::Pid { p, i, d } => {
            let before = if memory.updates == 1 { error } else { memory.error };
            let integral = (memory.inner + i * error).clamp(low, high);
            let wanted = p * error + integral + d * (error - before);
            let pushes_on = (wanted > high && error > 0.0) || (wanted < low && error < 0.0);
            if !pushes_on {
                memory.inner = integral;
            }
            wanted
        }
    };
    memory.error = error;
    next.clamp(low, high)
}
