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
    ) -> Self {
        let whole_group = reads_group(program, run.host);
        let effort = choice.effort;
        Self { program, evaluator, batch, run, items: &scores.item_of, whole_group, effort }
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
        let (program, evaluator, run) = (self.program, self.evaluator, self.run);
        let (scores, behind) = self.batch.on_slates(&lent, self.items, self.whole_group, |cut| {
            (evaluator.score(program, cut, run), cut.slates.as_ref().map_or(Vec::new(), |s| s.behind.clone()))
        });
        let scores = scores?;
        let n_rows = scores.n_rows;
        self.effort = self.effort.saturating_sub(n_rows);
        let mut members = (0..n_rows).filter(|row| !behind.get(*row).copied().unwrap_or(false));
        let judge = |slate: &Vec<usize>| {
            let places: Vec<usize> = members.by_ref().take(slate.len()).collect();
            let totals = places.iter().map(|row| scores.get(Column::Total, *row).unwrap_or(0.0)).collect();
            (totals, places.iter().map(|row| scores.verdicts.get(*row) != Some(&Verdict::Scored)).collect())
        };
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
    // A pick is drawn among all of the group, whether on the slate or not (R1.11).
    let whole_group = reads_group(program, run.host) || program.channels.iter().any(|c| c.pick.is_some());
    let (scored, behind) = batch.on_slates(slates, &scores.item_of, whole_group, |cut| {
        (evaluator.score(program, cut, run), cut.slates.as_ref().map_or(Vec::new(), |s| s.behind.clone()))
    });
    Ok(scored?.keep(|row| !behind.get(row).copied().unwrap_or(false)))
}
