//! What slates are worth: each total worked out on the slate itself.

use super::Choice;
use super::bound::reads_group;
use super::pool::Pool;
use crate::eval::{Batch, Evaluator, Refusal, Run, Scores, Verdict};
use crate::program::{Column, Program};

/// Totals by place, and who fails a rule that was put off.
pub type Judged = (Vec<f64>, Vec<bool>);

/// Works out slates of one request.
pub struct Worth<'w, 'b> {
    program: &'w Program,
    evaluator: &'w dyn Evaluator,
    batch: &'w mut Batch<'b>,
    run: Run<'w>,
    items: &'w [u32],
    whole_group: bool,
    group: usize,
    effort: usize,
}

impl<'w, 'b> Worth<'w, 'b> {
    pub fn new(
        program: &'w Program,
        evaluator: &'w dyn Evaluator,
        batch: &'w mut Batch<'b>,
        run: Run<'w>,
        scores: &'w Scores,
        choice: &Choice<'_>,
        pool: &Pool,
    ) -> Self {
        let whole_group = reads_group(program, run.host);
        let (group, effort) = (pool.len(), choice.effort);
        Self { program, evaluator, batch, run, items: &scores.item_of, whole_group, group, effort }
    }

    /// Whether more may be tried.
    pub fn has_effort(&self) -> bool {
        self.effort > 0
    }

    /// Judges slates, all in one batch.
    pub fn of(&mut self, pool: &Pool, slates: &[Vec<usize>]) -> Result<Vec<Judged>, Refusal> {
        if pool.totals_known {
            let totals = |s: &Vec<usize>| s.iter().map(|c| pool.most(*c)).collect();
            return Ok(slates.iter().map(|s| (totals(s), vec![false; s.len()])).collect());
        }
        let rows: Vec<Vec<u32>> = slates.iter().map(|s| s.iter().map(|c| pool.row(*c)).collect()).collect();
        let lent: Vec<&[u32]> = rows.iter().map(Vec::as_slice).collect();
        let mut sub = self.batch.on_slates(&lent, self.items, self.whole_group);
        self.effort = self.effort.saturating_sub(sub.n_rows);
        let scored = self.evaluator.score(self.program, &sub, self.run);
        let texts = std::mem::take(&mut sub.texts);
        let (n_rows, behind) = (sub.n_rows, sub.slates.take().map_or(Vec::new(), |s| s.behind));
        drop(sub);
        self.batch.texts = texts;
        let scores = scored?;
        let mut members = (0..n_rows).filter(|row| !behind.get(*row).copied().unwrap_or(false));
        let judge = |slate: &Vec<usize>| {
            let places: Vec<usize> = members.by_ref().take(slate.len()).collect();
            let totals = places.iter().map(|row| scores.get(Column::Total, *row).unwrap_or(0.0)).collect();
            (totals, places.iter().map(|row| scores.verdicts.get(*row) != Some(&Verdict::Scored)).collect())
        };
        debug_assert!(self.group > 0 || slates.iter().all(Vec::is_empty));
        Ok(slates.iter().map(judge).collect())
    }
}

/// The scores of members on their slates, one slate after the other.
pub fn on_slates(
    program: &Program,
    evaluator: &dyn Evaluator,
    batch: &mut Batch<'_>,
    run: Run<'_>,
    scores: &Scores,
    slates: &[&[u32]],
) -> Result<Scores, Refusal> {
    let mut sub = batch.on_slates(slates, &scores.item_of, reads_group(program, run.host));
    let scored = evaluator.score(program, &sub, run);
    let texts = std::mem::take(&mut sub.texts);
    let behind = sub.slates.take().map_or(Vec::new(), |s| s.behind);
    drop(sub);
    batch.texts = texts;
    Ok(scored?.keep(|row| !behind.get(row).copied().unwrap_or(false)))
}
