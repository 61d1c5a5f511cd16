//! One step of all controllers: a pure function of state and measurement.

use super::controllers::{Controller, Controllers, Every, Then};
use super::observed::{Observed, Seen};
use super::rule::follow;
use crate::diagnostic::{Diagnostic, Fault, code};
use crate::eval::{CapState, ControlState, Matching, Memory, Share};
use crate::program::{Cap, CapSpan, Charge, Program};

/// The next state, and what moved.
#[derive(Clone, Debug, PartialEq)]
pub struct Stepped {
    pub state: ControlState,
    /// By cap of the file that has a state, in order.
    pub moved: Vec<Moved>,
}

/// What a step did to one cap.
#[derive(Clone, Debug, PartialEq)]
pub struct Moved {
    pub cap: String,
    /// The share that the controller goes by (smoothed), and the share aimed at; none before anything
    /// was measured.
    pub share: Option<(f64, f64)>,
    /// λ before and after; none for a cap without a price.
    pub lambda: Option<(f64, f64)>,
    /// Steps since something was measured; 0 where this step brought something.
    pub unmeasured: u64,
}

/// The state after a measurement. Caps without a controller keep theirs; a session's counts grow by
/// what was shown.
///
/// # Errors
/// A measurement of a cap that has no use for it (RW0907); a controller that has seen nothing for too
/// long and is told to stop then (RW0906).
pub fn step(
    program: &Program,
    controllers: &Controllers,
    state: &ControlState,
    observed: &Observed,
) -> Result<Stepped, Fault> {
    let mut next = state.clone();
    let mut moved = Vec::new();
    if let Some(name) = observed.caps.keys().find(|n| !program.caps().any(|(_, c)| c.name == **n)) {
        return Err(unusable(&format!("the reward has no cap `{name}`")));
    }
    for (_, cap) in program.caps() {
        let seen = observed.caps.get(&cap.name);
        if cap.span_kind == CapSpan::Session {
            if let Some(seen) = seen {
                show(cap, next.caps.entry(cap.name.clone()).or_default(), seen)?;
            }
            continue;
        }
        let seen = match seen {
            Some(Seen::Share { share, age }) if share.spans > 0 => Some((*share, *age)),
            Some(Seen::Share { .. }) | None => None,
            Some(Seen::Shown { .. }) => {
                return Err(unusable(&format!("`{}` is no cap of a session: a share is measured of it", cap.name)));
            }
        };
        let Some(controller) = controllers.caps.get(&cap.name) else {
            if seen.is_some() {
                return Err(unusable(&format!("`{}` has no controller, and nothing for its share to move", cap.name)));
            }
            continue;
        };
        if seen.is_some() && observed.requests == 0 && controller.counts_requests() {
            let message = format!("the controller of `{}` counts in requests, and `requests` is not said", cap.name);
            return Err(unusable(&message));
        }
        let cap_state = next.caps.entry(cap.name.clone()).or_default();
        let fresh = seen.filter(|(_, age)| *age <= controller.stale.after).map(|(share, _)| share);
        moved.push(advance(cap, controller, cap_state, fresh, observed.requests)?);
    }
    Ok(Stepped { state: next, moved })
}

fn unusable(message: &str) -> Fault {
    Box::new(
        Diagnostic::bare(&code::OBSERVED, message)
            .help("name the caps as the reward file does, and measure their class in their own spans"),
    )
}

/// What a session was shown is added to what it was shown before (R4.11).
fn show(cap: &Cap, state: &mut CapState, seen: &Seen) -> Result<(), Fault> {
    let Seen::Shown { shown, matching } = seen else {
        return Err(unusable(&format!("`{}` counts a session: hand in `shown` and `matching`", cap.name)));
    };
    state.shown = Some(state.shown.unwrap_or(0) + shown);
    let sum = match (state.matching.take(), matching, cap.per.is_some()) {
        (None, new, _) => new.clone(),
        (Some(Matching::All(old)), Matching::All(new), false) => Matching::All(old + new),
        (Some(Matching::PerKey(mut old)), Matching::PerKey(new), true) => {
            new.iter().for_each(|(key, n)| *old.entry(key.clone()).or_insert(0) += n);
            Matching::PerKey(old)
        }
        (Some(_), ..) => return Err(unusable(&format!("the `matching` of `{}` changed its shape", cap.name))),
    };
    if matches!(sum, Matching::PerKey(_)) != cap.per.is_some() {
        let wants = if cap.per.is_some() { "a number for each key" } else { "one number" };
        return Err(unusable(&format!("the `matching` of `{}` is {wants}", cap.name)));
    }
    state.matching = Some(sum);
    Ok(())
}

fn advance(
    cap: &Cap,
    controller: &Controller,
    state: &mut CapState,
    seen: Option<Share>,
    requests: u64,
) -> Result<Moved, Fault> {
    let starting = state.memory.is_none();
    let mut memory = state.memory.take().unwrap_or_default();
    let was = state.lambda.unwrap_or(controller.start).clamp(controller.limits.0, controller.limits.1);
    // A price that somebody else has written since is where the controller goes on from.
    if starting || state.lambda.is_some_and(|written| written != memory.lambda) {
        memory.inner = was;
    }
    let mut now = was;
    memory.steps += 1;
    memory.requests += requests;
    match &seen {
        Some(share) => {
            memory.unmeasured = 0;
            memory.spans += share.spans;
            memory.shares += share.sum;
            memory.targets += share.targets;
        }
        None => memory.unmeasured += 1,
    }
    if memory.unmeasured > controller.stale.after {
        match controller.stale.then {
            Then::Hold => {}
            Then::Start => {
                now = controller.start;
                memory = Memory { inner: now, unmeasured: memory.unmeasured, ..Memory::default() };
                state.share = None;
            }
            Then::Stop => return Err(unmeasured(cap, &memory, controller)),
        }
    }
    let is_full = match controller.window {
        None => true,
        Some(Every::Requests(n)) => memory.requests >= n,
        Some(Every::Steps(n)) => memory.steps >= n,
    };
    if memory.spans > 0 && is_full {
        smooth(&mut memory, controller.half_life);
        if let Some(rule) = controller.rule {
            let past = memory.share - memory.target;
            let error = if cap.least { 0.0 - past } else { past };
            now = follow(rule, controller, was, error, &mut memory);
        }
        if matches!(cap.span_kind, CapSpan::Window(_)) {
            state.share = Some(memory.share);
        }
    }
    let has_price = matches!(cap.charge, Some(Charge::Dual { .. }));
    if has_price {
        state.lambda = Some(now);
        memory.lambda = now;
    }
    let moved = Moved {
        cap: cap.name.clone(),
        share: (memory.weight > 0.0).then_some((memory.share, memory.target)),
        lambda: has_price.then_some((was, now)),
        unmeasured: memory.unmeasured,
    };
    state.memory = Some(memory);
    Ok(moved)
}

/// Takes what was counted since the last update into the smoothed means, which forget by half-life.
fn smooth(memory: &mut Memory, half_life: Option<Every>) {
    let kept = match half_life {
        None => 0.0,
        Some(Every::Requests(n)) => 0.5_f64.powf(memory.requests as f64 / n as f64),
        Some(Every::Steps(n)) => 0.5_f64.powf(memory.steps as f64 / n as f64),
    };
    let old = memory.weight * kept;
    memory.weight = old + memory.spans as f64;
    memory.share = (old * memory.share + memory.shares) / memory.weight;
    memory.target = (old * memory.target + memory.targets) / memory.weight;
    (memory.spans, memory.shares, memory.targets) = (0, 0.0, 0.0);
    (memory.requests, memory.steps) = (0, 0);
}

fn unmeasured(cap: &Cap, memory: &Memory, controller: &Controller) -> Fault {
    let message = format!(
        "nothing was measured of `{}` for {} steps, and its controller stops after {}",
        cap.name, memory.unmeasured, controller.stale.after
    );
    Box::new(
        Diagnostic::bare(&code::UNMEASURED, message)
            .help("hand in what was shown, or let `stale` say `then: hold`; the state is as it was"),
    )
}
