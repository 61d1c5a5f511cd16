//! What a step gave: columns by ids that were fixed at binding.

use super::pairs::SignalCounts;
use crate::eval::{NumberColumn, Scores, Verdict};
use crate::program::{Column, Program};

/// The scores of the last step, request by request in the order handed in.
#[derive(Clone, Copy)]
pub struct Scored<'s> {
    pub(super) program: &'s Program,
    pub(super) scores: &'s Scores,
    pub(super) item_idx: &'s [i32],
    pub(super) in_statistics: &'s [bool],
    pub(super) signals: &'s SignalCounts,
}

/// How many rollouts ended how; names are fixed at binding.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StepCounts {
    pub rollouts: u64,
    pub scored: u64,
    /// By rule of the file, in order: its name, and how many failed it (as illegal, or dropped).
    pub by_rule: Vec<(String, u64)>,
    /// By reason of R2.3, in order.
    pub by_reason: Vec<(&'static str, u64)>,
    /// By cap: its name, the mean share of its class in its spans, and the number of spans; no share where
    /// no span had a scored member.
    pub shares: Vec<(String, Option<f64>, u64)>,
    pub signals: SignalCounts,
}

impl<'s> Scored<'s> {
    /// Number of rollouts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.scores.n_rows
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A column of the program (R1), with what of it is not null; token channels have a number for
    /// each SID level.
    #[must_use]
    pub fn column(&self, column: Column) -> Option<&'s NumberColumn> {
        self.scores.column(column)
    }

    fn fixed(&self, column: Column) -> &'s NumberColumn {
        static EMPTY: NumberColumn = NumberColumn::EMPTY;
        self.column(column).unwrap_or(&EMPTY)
    }

    /// What a trainer normalizes within the group.
    #[must_use]
    pub fn reward(&self) -> &'s NumberColumn {
        self.fixed(Column::Reward)
    }

    /// What is added after normalization.
    #[must_use]
    pub fn cost(&self) -> &'s NumberColumn {
        self.fixed(Column::Cost)
    }

    /// Reward and cost: what serving ranks by.
    #[must_use]
    pub fn total(&self) -> &'s NumberColumn {
        self.fixed(Column::Total)
    }

    /// The verdict of each rollout.
    #[must_use]
    pub fn verdicts(&self) -> &'s [Verdict] {
        &self.scores.verdicts
    }

    /// Rollouts that belong in their group's mean and spread (R2.1).
    #[must_use]
    pub fn in_statistics(&self) -> &'s [bool] {
        self.in_statistics
    }

    /// The item of each rollout by its number in the catalog; −1 where there is none.
    #[must_use]
    pub fn item_idx(&self) -> &'s [i32] {
        self.item_idx
    }

    /// Which rollouts are of a cap's class: scored, and its condition holds; none for a cap that there is not,
    /// or whose condition waits for the slate choice.
    #[must_use]
    pub fn matching(&self, cap: &str) -> Option<&'s [bool]> {
        let (part, _) = self.program.caps().find(|(_, c)| c.name == cap)?;
        self.scores.matches.get(&part).map(|m| m.is.as_slice())
    }

    /// Whether parts that read the slate were put off (R7.3).
    #[must_use]
    pub fn is_partial(&self) -> bool {
        self.scores.partial
    }

    /// Counts of the step, ready to log.
    #[must_use]
    pub fn counts(&self) -> StepCounts {
        let program = self.program;
        let mut counts = StepCounts {
            rollouts: self.len() as u64,
            by_rule: program.rules.iter().map(|r| (r.name.clone(), 0)).collect(),
            by_reason: crate::eval::Reason::ALL.iter().map(|r| (r.as_str(), 0)).collect(),
            signals: self.signals.clone(),
            shares: program
                .caps()
                .map(|(i, cap)| {
                    let share = self.scores.matches.get(&i).map(|m| m.share).unwrap_or_default();
                    (cap.name.clone(), share.mean(), share.spans)
                })
                .collect(),
            ..StepCounts::default()
        };
        for verdict in self.verdicts() {
            let slot = match verdict {
                Verdict::Scored => Some(&mut counts.scored),
                Verdict::Illegal(k) | Verdict::Dropped(k) => counts.by_rule.get_mut(*k as usize).map(|(_, n)| n),
                Verdict::Unscorable(reason) => {
                    counts.by_reason.iter_mut().find(|(r, _)| *r == reason.as_str()).map(|(_, n)| n)
                }
            };
            if let Some(slot) = slot {
                *slot += 1;
            }
        }
        counts
    }
}
