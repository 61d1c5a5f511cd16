//! Policy losses: how far one step may move a code's probability.
//!
//! With ρ = π/π_old of a code under the mask it was written under, A its advantage and sg without a gradient:
//!
//! | bound | loss of a code, to be made small | source |
//! |---|---|---|
//! | none | −ρ·A | |
//! | PPO | −min(ρ·A, clip(ρ, 1 − ε, 1 + ε)·A) | arXiv 1707.06347 |
//! | ECPO | PPO's, with π_old ← max(π_old, sg(π)/(1 + ε + δ)) where A < 0 | OneRec, arXiv 2506.13695 §2.4 |
//! | GBPO | −ρ·A, with π_old ← max(π_old, sg(π)) where A ≥ 0, max(π_old, 1 − sg(π)) where A < 0 | OneRec-V2, arXiv 2508.20900 |

use candle_core::{Result, Tensor};

use super::super::config::Bound;

/// The loss of each code, `[rows, levels]`: log π (with a gradient), log π_old, and A. Of groups nothing is
/// known here.
///
/// # Errors
/// What candle says.
pub fn policy_loss(bound: Bound, log_prob: &Tensor, old: &Tensor, advantage: &Tensor) -> Result<Tensor> {
    let now = log_prob.detach();
    let gains = advantage.ge(0.0)?;
    match bound {
        Bound::None => (ratio(log_prob, old)? * advantage)?.neg(),
        Bound::Ppo { epsilon } => clipped(&ratio(log_prob, old)?, advantage, epsilon),
        Bound::Ecpo { epsilon, delta } => {
            let least = (&now - (1.0 + epsilon + delta).ln())?;
            let lifted = old.maximum(&least)?;
            clipped(&ratio(log_prob, &gains.where_cond(old, &lifted)?)?, advantage, epsilon)
        }
        Bound::Gbpo => {
            let certain = (1.0 - now.exp()?)?.maximum(1e-6)?.log()?;
            let old = gains.where_cond(&old.maximum(&now)?, &old.maximum(&certain)?)?;
            (ratio(log_prob, &old)? * advantage)?.neg()
        }
    }
}

fn ratio(log_prob: &Tensor, old: &Tensor) -> Result<Tensor> {
    (log_prob - old.detach())?.exp()
}

fn clipped(ratio: &Tensor, advantage: &Tensor, epsilon: f64) -> Result<Tensor> {
    let bounded = (ratio.clamp(1.0 - epsilon, 1.0 + epsilon)? * advantage)?;
    (ratio * advantage)?.minimum(&bounded)?.neg()
}
