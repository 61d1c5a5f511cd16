//! Slates of a step: what serving shows.

use super::inputs::{Requests, Rollouts};
use super::scorer::{Scorer, Step, index};
use crate::control::{Counted, Observed, Seen};
use crate::diagnostic::{Diagnostic, Fault, code};
use crate::eval::{Matching, Scores, Stop};
use crate::program::{CapSpan, Program};
use crate::slate::{Choice, Slate};
use crate::types::Host;

/// The slates of a step, request by request.
#[derive(Clone, Debug)]
pub struct Slates {
    slates: Vec<ChosenSlate>,
    scores: Scores,
    /// What was shown, if the slates are shown as they are.
    shown: Observed,
}

/// The slate of one request.
#[derive(Clone, Debug)]
pub struct ChosenSlate {
    pub slate: Slate,
    /// Items by their number in the catalog, in their places; −1 where there is none.
    pub items: Vec<i32>,
    /// Place of its first member among [`Slates::scores`].
    pub first: usize,
}

impl Slates {
    /// Slate by slate, in the order of the requests.
    #[must_use]
    pub fn all(&self) -> &[ChosenSlate] {
        &self.slates
    }

    /// Every number of the members on their slates, one slate after the other.
    #[must_use]
    pub fn scores(&self) -> &Scores {
        &self.scores
    }

    /// What these slates show of the reward's caps: for [`Scorer::end_step`], where they are shown as they
    /// are. A session's counts are among it only where the step had one request: a state is of one session.
    #[must_use]
    pub fn observed(&self) -> &Observed {
        &self.shown
    }
}

impl Scorer<'_> {
    /// Scores candidates and chooses a slate for each request. The scores of all candidates are those of
    /// [`Scorer::last`].
    ///
    /// # Errors
    /// As [`Scorer::score`]; a choice that cannot be made (RW0908).
    pub fn choose(
        &mut self,
        requests: &Requests<'_>,
        rollouts: &Rollouts<'_>,
        step: Step,
        choice: &Choice<'_>,
    ) -> Result<Slates, Fault> {
        self.choice(requests, rollouts, step, choice, None)
    }

    /// The same, asking `stop` now and then; where it says so, the step is given up (RW0808) and the scorer
    /// is as it was.
    ///
    /// # Errors
    /// As [`Scorer::choose`], and RW0808.
    pub fn choose_until(
        &mut self,
        requests: &Requests<'_>,
        rollouts: &Rollouts<'_>,
        step: Step,
        choice: &Choice<'_>,
        stop: &dyn Fn() -> bool,
    ) -> Result<Slates, Fault> {
        self.choice(requests, rollouts, step, choice, Some(Stop(stop)))
    }

    fn choice(
        &mut self,
        requests: &Requests<'_>,
        rollouts: &Rollouts<'_>,
        step: Step,
        choice: &Choice<'_>,
        stop: Option<Stop<'_>>,
    ) -> Result<Slates, Fault> {
        self.can_choose(choice)?;
        let Some(chosen) = self.work(requests, rollouts, step, Some(choice), stop)? else {
            return Err(refused("nothing was chosen".into(), "this is a fault of the scorer: please report it"));
        };
        let mut first = 0;
        let slates = chosen.slates.into_iter().map(|slate| {
            let items = slate.rows.iter().map(|r| self.item_idx.get(*r as usize).copied().unwrap_or(-1)).collect();
            first += slate.rows.len();
            ChosenSlate { items, first: first - slate.rows.len(), slate }
        });
        let slates: Vec<ChosenSlate> = slates.collect();
        debug_assert!(
            slates.iter().flat_map(|s| &s.items).eq(chosen.scores.item_of.iter().map(index).collect::<Vec<_>>().iter())
        );
        let shown = self.shown(&chosen.scores, requests.n as u64);
        Ok(Slates { slates, scores: chosen.scores, shown })
    }

    fn can_choose(&self, choice: &Choice<'_>) -> Result<(), Fault> {
        if self.bound.host != Host::Serving {
            let message =
                format!("this scorer is bound for {}: slates are chosen where they are served", self.bound.host);
            return Err(refused(message, "bind it with `.serving()`"));
        }
        let longest = self.bound.program.longest.slate;
        if choice.places == 0 || choice.places as u64 > longest {
            let message = format!("a slate of {} places; the schema's longest is {longest}", choice.places);
            return Err(refused(message, "ask for 1 place or more; `spans: {longest: {slate: …}}` says how many"));
        }
        let discounts = choice.discounts;
        let help = "give one for each place, from 0 and not rising, or none at all";
        if !discounts.is_empty() && discounts.len() != choice.places {
            return Err(refused(format!("{} discounts for {} places", discounts.len(), choice.places), help));
        }
        if let Some(wrong) = discounts.iter().find(|d| !d.is_finite() || **d < 0.0) {
            return Err(refused(format!("a discount of {wrong}"), help));
        }
        if let Some([a, b]) = discounts.windows(2).find(|w| matches!(w, [a, b] if a < b)) {
            return Err(refused(format!("a place weighs {b}, and the one before it {a}"), help));
        }
        Ok(())
    }

    fn shown(&self, scores: &Scores, requests: u64) -> Observed {
        let program: &Program = &self.bound.program;
        let caps = program.caps().filter_map(|(i, cap)| {
            let matches = scores.matches.get(&i)?;
            if cap.span_kind == CapSpan::Session {
                // One state is of one session: of several requests nobody can say whose it is.
                let matching = if cap.per.is_some() {
                    let mut by_key = std::collections::BTreeMap::new();
                    for (key, _) in matches.keys.iter().zip(&matches.is).filter(|(_, is)| **is) {
                        let text = matches.key_texts.get(*key as usize).cloned().unwrap_or_default();
                        *by_key.entry(text).or_insert(0) += 1;
                    }
                    Matching::PerKey(by_key)
                } else {
                    Matching::All(matches.is.iter().filter(|m| **m).count() as u64)
                };
                let seen = Seen::Shown { shown: scores.n_rows as u64, matching };
                return (requests == 1).then(|| (cap.name.clone(), seen));
            }
            self.controllers.caps.get(&cap.name).filter(|c| c.counts == Counted::Shown)?;
            Some((cap.name.clone(), Seen::Share { share: matches.share, age: 0 }))
        });
        Observed { requests, caps: caps.collect() }
    }
}

fn refused(message: String, help: &str) -> Fault {
    Box::new(Diagnostic::bare(&code::REFUSED_SLATE, message).help(help))
}
