//! Which items are of a cap's class: its condition, judged for the whole catalog.

use super::bound::Capacity;
use super::inputs::{Groups, Requests, Rollouts};
use super::masks::{TOGETHER, reads_beyond_catalog};
use super::scorer::{Scorer, Step};
use crate::diagnostic::Fault;
use crate::eval::Verdict;
use crate::program::{Rule, RuleValue, own_reads};
use crate::types::Availability;

impl Scorer<'_> {
    /// By cap, in file order, which items of the catalog its condition holds for, whatever rules say of them. A cap
    /// without a condition, and one whose condition reads anything but the catalog, is left out.
    ///
    /// # Errors
    /// What the evaluator refuses.
    pub fn classes(&self) -> Result<Vec<(String, Vec<bool>)>, Fault> {
        let Some(catalog) = self.bound.catalog.clone() else { return Ok(Vec::new()) };
        let program = &self.bound.program;
        let items: Vec<u32> = (0..catalog.n_items() as u32).collect();
        let mut classes = Vec::new();
        for (_, cap) in program.caps() {
            let is_known = |on: &crate::program::ExprId| {
                program.expr(*on).availability <= Availability::Code && !reads_beyond_catalog(program, *on, &self.bound)
            };
            let Some(on) = cap.on.filter(is_known) else { continue };
            let rule = Rule {
                name: cap.name.clone(),
                condition: on,
                pieces: vec![on],
                value: RuleValue::Drop,
                hosts: Vec::new(),
                reads: own_reads(program, &[on]),
                span: cap.span,
            };
            let mut judge = self.judge(vec![rule], false, Capacity { requests: 1, group: TOGETHER, list: 0 });
            let mut members = Vec::with_capacity(items.len());
            for chunk in items.chunks(TOGETHER) {
                let rollouts = Rollouts::new(Groups::Even(chunk.len())).items(chunk, catalog.id());
                let scored = judge.score(&Requests::new(1), &rollouts, Step::default())?;
                members.extend(scored.verdicts().iter().map(|v| *v == Verdict::Scored));
            }
            classes.push((cap.name.clone(), members));
        }
        Ok(classes)
    }
}
