//! `pick K of group at random`: the same K on every machine (R1.11).

use twox_hash::XxHash64;

fn hash(text: &str) -> u64 {
    XxHash64::oneshot(0, text.as_bytes())
}

/// The finalizer of splitmix64.
fn finalize(mut z: u64) -> u64 {
    z ^= z >> 30;
    z = z.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z ^= z >> 27;
    z = z.wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The key of one rollout, from 1; the smallest keys of a group win.
#[must_use]
pub fn pick_key(seed: u64, step: u64, request: &str, channel: &str, rollout: u64) -> u64 {
    let step = step.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let rollout = rollout.wrapping_mul(0xD1B5_4A32_D192_ED03);
    finalize(seed ^ step ^ hash(request) ^ hash(channel) ^ rollout)
}

/// Which of the rollouts 1 … n of a group are kept.
#[must_use]
pub fn picked(k: u64, rollouts: &[u32], seed: u64, step: u64, request: &str, channel: &str) -> Vec<bool> {
    let mut order: Vec<(u64, u32, usize)> = rollouts
        .iter()
        .enumerate()
        .map(|(i, r)| (pick_key(seed, step, request, channel, u64::from(*r)), *r, i))
        .collect();
    order.sort_unstable();
    let mut kept = vec![false; rollouts.len()];
    for (_, _, i) in order.into_iter().take(usize::try_from(k).unwrap_or(usize::MAX)) {
        if let Some(slot) = kept.get_mut(i) {
            *slot = true;
        }
    }
    kept
}
