//! How good a policy is, and what it shows: decoded under the catalog's mask alone.

use super::checkpoint::failed;
use super::samples::{Place, Sequences};
use crate::catalog::Catalog;
use crate::decoder::{LazyDecoder, beam_search};
use crate::diagnostic::Fault;

/// Figures of the first items of each list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evaluation {
    pub users: u64,
    /// Share of users whose next item's SID is on the list.
    pub hit_rate_sid: f64,
    /// The same by item: of G items behind one SID each counts 1/G.
    pub hit_rate: f64,
    /// Σ 1/log₂(rank + 1) of the hit, by item.
    pub ndcg: f64,
    /// Share of the items on the lists that are of a class, by class.
    pub shares: Vec<f64>,
}

/// Users that are decoded together.
const TOGETHER: usize = 128;

/// Evaluates lists of so many items on samples; of each class it is said which items are of it.
///
/// # Errors
/// What candle says (RW1002).
pub fn evaluate(
    model: &LazyDecoder,
    sequences: &Sequences,
    catalog: &dyn Catalog,
    (samples, length): (&[Place], usize),
    classes: &[(String, Vec<bool>)],
    watch: &mut dyn FnMut(usize),
) -> Result<Evaluation, Fault> {
    let mut found = Evaluation { shares: vec![0.0; classes.len()], ..Evaluation::default() };
    let mut shown = 0.0;
    for (done, chunk) in samples.chunks(TOGETHER).enumerate() {
        let most = model.config().history;
        let histories: Vec<Vec<&[u32]>> = chunk.iter().map(|at| sequences.history(*at, most, catalog)).collect();
        let context = model.read(&histories).map_err(failed)?;
        let beams = beam_search(model, &context, catalog, length).map_err(failed)?;
        for (at, beams) in chunk.iter().zip(&beams.requests) {
            found.users += 1;
            let target = catalog.sid(sequences.at(*at).1).unwrap_or(&[]);
            for (rank, beam) in beams.iter().enumerate() {
                let behind = catalog.behind(&beam.sid);
                let first = catalog.by_sid().get(behind.start as usize).copied();
                shown += 1.0;
                for (slot, (_, members)) in found.shares.iter_mut().zip(classes) {
                    let is = first.and_then(|item| members.get(item as usize)).copied().unwrap_or(false);
                    *slot += f64::from(is);
                }
                if beam.sid == target {
                    let share = 1.0 / behind.len().max(1) as f64;
                    found.hit_rate_sid += 1.0;
                    found.hit_rate += share;
                    found.ndcg += share / ((rank + 2) as f64).log2();
                }
            }
        }
        watch((done + 1) * TOGETHER);
    }
    let users = found.users.max(1) as f64;
    for figure in [&mut found.hit_rate_sid, &mut found.hit_rate, &mut found.ndcg] {
        *figure /= users;
    }
    found.shares.iter_mut().for_each(|share| *share /= f64::max(shown, 1.0));
    Ok(found)
}
