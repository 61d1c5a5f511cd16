//! Slate choice: ten of many under a file's hard caps and what it put off (R4.14, R7.3).
//!
//! ```text
//! Scores of candidates ─▶ Pool ─▶ greedy ─▶ improve ─▶ prove ─▶ Slate, what was relaxed
//!                          (hard caps, bounds)   │ worth of whole slates
//! ```
//!
//! The worth of a slate is the sum over its places of discount · total, each worked out on that very slate.
//! Rules that were put off hold for every member; hard caps are held in the order written, the excess of
//! the first made least, then of the second; among these the worth is made greatest.

mod bound;
mod excess;
mod greedy;
mod improve;
mod pool;
mod prove;
mod rank;
mod relax;
mod worth;

use crate::eval::{Batch, Evaluator, Refusal, Run, Scores, Verdict};
use crate::program::Program;
use pool::Pool;
use rank::Rank;
use worth::Worth;

/// What slates are asked for.
#[derive(Clone, Copy, Debug)]
pub struct Choice<'a> {
    /// Places of each slate, from 1.
    pub places: usize,
    /// What each place weighs, not rising, from 0; empty: every place weighs 1.
    pub discounts: &'a [f64],
    /// The most candidates that are scored again on slates under trial, for one request. It bounds the
    /// time of a choice; with little of it more slates are only the best found.
    pub effort: usize,
}

impl Choice<'_> {
    /// So many places that weigh alike.
    #[must_use]
    pub fn of(places: usize) -> Self {
        Self { places, discounts: &[], effort: 50_000 }
    }

    fn discount(&self, place: usize) -> f64 {
        self.discounts.get(place).copied().unwrap_or(1.0)
    }
}

/// The slate of one request.
#[derive(Clone, Debug, PartialEq)]
pub struct Slate {
    /// Rows of the batch in their places; empty where it was refused.
    pub rows: Vec<u32>,
    /// Total of each on this slate.
    pub totals: Vec<f64>,
    /// Σ discount · total.
    pub worth: f64,
    pub proof: Proof,
    /// Hard caps that could not be held, in the order written.
    pub relaxed: Vec<Relaxed>,
    /// Places that stay empty: no candidate was left that keeps every rule.
    pub empty_places: usize,
    /// The cap whose `else refuse` left no slate.
    pub refused: Option<String>,
}

/// How good a slate is known to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Proof {
    /// None is better.
    Optimal,
    /// None better was found; with a gap: none is better by more than that.
    BestFound { gap: Option<f64> },
}

impl std::fmt::Display for Proof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Optimal => f.write_str("optimal"),
            Self::BestFound { gap: None } => f.write_str("best found"),
            Self::BestFound { gap: Some(gap) } => {
                write!(f, "best found, at most {} below the best", crate::types::shown_number(*gap))
            }
        }
    }
}

/// A hard cap that a slate breaks.
#[derive(Clone, Debug, PartialEq)]
pub struct Relaxed {
    pub cap: String,
    /// Items past the bound, or short of it.
    pub excess: u64,
    pub why: String,
}

/// Slates request by request, and the scores of their members on them.
#[derive(Clone, Debug)]
pub struct Chosen {
    pub slates: Vec<Slate>,
    /// Row i of these is the i-th member of all slates, one after the other.
    pub scores: Scores,
}

/// Chooses a slate for each request of a scored batch.
///
/// # Errors
/// As the evaluator refuses a batch.
pub fn choose(
    program: &Program,
    evaluator: &dyn Evaluator,
    batch: &mut Batch<'_>,
    run: Run<'_>,
    scores: &Scores,
    choice: &Choice<'_>,
) -> Result<Chosen, Refusal> {
    let mut groups: Vec<Vec<u32>> = vec![Vec::new(); batch.request_keys.len()];
    for (row, request) in batch.request_of.iter().enumerate() {
        let scored = scores.verdicts.get(row) == Some(&Verdict::Scored);
        if let Some(group) = groups.get_mut(*request as usize).filter(|_| scored) {
            group.push(row as u32);
        }
    }
    let mut slates = Vec::with_capacity(groups.len());
    for rows in groups {
        slates.push(one(program, evaluator, batch, run, scores, choice, rows)?);
    }
    // Worked out once more on the slates that are given: what is promised is what is there.
    let members: Vec<&[u32]> = slates.iter().map(|s| s.rows.as_slice()).collect();
    let scores = worth::on_slates(program, evaluator, batch, run, scores, &members)?;
    Ok(Chosen { slates, scores })
}

fn one(
    program: &Program,
    evaluator: &dyn Evaluator,
    batch: &mut Batch<'_>,
    run: Run<'_>,
    scores: &Scores,
    choice: &Choice<'_>,
    rows: Vec<u32>,
) -> Result<Slate, Refusal> {
    let pool = Pool::new(program, run, scores, choice, rows);
    let mut worth = Worth::new(program, evaluator, batch, run, scores, choice);
    let mut best = Rank::of(&pool, &mut worth, greedy::slate(&pool))?;
    let mut proof = prove::by_bound(&pool, &best);
    if proof != Proof::Optimal {
        best = improve::slate(&pool, &mut worth, best)?;
        proof = prove::slate(&pool, &mut worth, &mut best)?;
        best = improve::best_first(&pool, &mut worth, best)?;
    }
    let broken = pool.caps.iter().zip(&best.excess).find(|(cap, excess)| cap.refuse && **excess > 0);
    let relaxed = relax::relaxed(&pool, &best);
    if let Some((cap, _)) = broken {
        let refused = Some(cap.name.clone());
        let empty_places = choice.places;
        return Ok(Slate { rows: vec![], totals: vec![], worth: 0.0, proof, relaxed, empty_places, refused });
    }
    Ok(Slate {
        rows: best.members.iter().map(|c| pool.row(*c)).collect(),
        empty_places: choice.places - best.members.len(),
        totals: best.totals,
        worth: best.worth,
        proof,
        relaxed,
        refused: None,
    })
}
