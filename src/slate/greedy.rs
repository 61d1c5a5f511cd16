//! A first slate: place by place the best candidate that leaves the hard caps least broken.

use super::pool::Pool;

/// The members of the first slate. What depends on the slate itself is not looked at yet.
pub fn slate(pool: &Pool) -> Vec<usize> {
    let full = pool.places();
    let mut members: Vec<usize> = Vec::with_capacity(full);
    while members.len() < full {
        let mut best: Option<(Vec<u64>, usize)> = None;
        let mut trial = members.clone();
        for candidate in (0..pool.len()).filter(|c| !members.contains(c)) {
            trial.push(candidate);
            let excess = pool.excess(&trial, full);
            trial.pop();
            let keeps_all = excess.iter().all(|e| *e == 0);
            if best.as_ref().is_none_or(|(least, _)| excess < *least) {
                best = Some((excess, candidate));
            }
            // Candidates come best first: the first that breaks nothing is the one.
            if keeps_all {
                break;
            }
        }
        match best {
            Some((_, candidate)) => members.push(candidate),
            None => break,
        }
    }
    members
}
