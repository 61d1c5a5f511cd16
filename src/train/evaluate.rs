//! How good a policy is, and what it shows: decoded under the catalog's mask alone, without any reward.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::checkpoint::failed;
use super::requests::{Lengths, Prompts};
use super::samples::{Place, Sequences};
use super::shards::in_order;
use crate::catalog::{Catalog, Free, Legal};
use crate::decoder::{LazyDecoder, Sampling, Written, beam_search, sample};
use crate::diagnostic::Fault;

/// Items of one kind, by item.
#[derive(Clone, Debug, PartialEq)]
pub struct Class {
    pub name: String,
    pub members: Vec<bool>,
}

/// What is looked at.
#[derive(Clone, Debug)]
pub struct Question<'q> {
    /// Items of a list.
    pub length: usize,
    /// Width of the search behind it, no less than `length`. A wider search finds other lists: where a class lies
    /// together under few prefixes, its share is another.
    pub beams: usize,
    pub classes: &'q [Class],
    /// Draws for each user under the mask, and without one; 0: none.
    pub sampled: usize,
    pub seed: u64,
    /// Lists hold no more than this share of a class (by its place) on average: the best beams that keep it. Where the
    /// share is no whole number of places, some lists have one more than others.
    pub at_most: Option<(usize, f64)>,
}

impl Question<'_> {
    /// The width of the search: wide enough that what is taken away can be replaced.
    fn width(&self) -> usize {
        self.beams.max(self.length * if self.at_most.is_some() { 4 } else { 1 }).max(1)
    }
}

/// One user.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct User {
    /// Whether the next item's SID is on the list.
    pub hit_sid: f64,
    /// The same by item: of G items behind one SID each counts 1/G.
    pub hit: f64,
    /// 1/log₂(rank + 1) of the hit, by item.
    pub ndcg: f64,
    /// log π of the next item's SID, under the mask; none for an item without one.
    pub log_prob: Option<f64>,
    /// By class the share of the list.
    pub served: Vec<f64>,
    /// By class the share of what was drawn under the mask.
    pub sampled: Vec<f64>,
    /// The share of what was drawn without a mask that stands for an item.
    pub legal: Option<f64>,
    /// The SIDs of the list, by the first item behind each.
    list: Vec<u32>,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evaluation {
    pub users: Vec<User>,
    /// The share of the catalog's SIDs that are on a list.
    pub coverage: f64,
}

/// A mean over users, and the interval that holds it in 95 of 100 draws of as many users.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct Mean {
    pub mean: f64,
    pub low: f64,
    pub high: f64,
}

/// Draws of users for an interval.
const DRAWS: usize = 1_000;

impl Evaluation {
    /// The mean of a number over the users that have it.
    #[must_use]
    pub fn mean(&self, of: impl Fn(&User) -> Option<f64>) -> f64 {
        let there: Vec<f64> = self.users.iter().filter_map(of).collect();
        there.iter().sum::<f64>() / there.len().max(1) as f64
    }

    /// The same with its interval (percentile bootstrap over users).
    #[must_use]
    pub fn interval(&self, of: impl Fn(&User) -> Option<f64>) -> Mean {
        let there: Vec<f64> = self.users.iter().filter_map(&of).collect();
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let mut draw = || {
            let sum: f64 = (0..there.len()).filter_map(|_| there.get(random.random_range(0..there.len()))).sum();
            sum / there.len().max(1) as f64
        };
        let mut means: Vec<f64> = (0..DRAWS).map(|_| draw()).collect();
        means.sort_by(f64::total_cmp);
        let at = |share: f64| means.get((share * DRAWS as f64) as usize).copied().unwrap_or(0.0);
        Mean { mean: self.mean(of), low: at(0.025), high: at(0.975) }
    }
}

/// Beams that are decoded together, of however many users: memory goes by them.
const TOGETHER: usize = 1_280;

/// Evaluates lists of a policy on samples; `watch` is called with the users done.
///
/// # Errors
/// What candle says (RW1002).
pub fn evaluate(
    model: &LazyDecoder,
    sequences: &Sequences,
    catalog: &dyn Catalog,
    samples: &[Place],
    question: &Question<'_>,
    watch: &(dyn Fn(usize) + Sync),
) -> Result<Evaluation, Fault> {
    let done = std::sync::atomic::AtomicUsize::new(0);
    let chunks: Vec<(usize, &[Place])> =
        samples.chunks((TOGETHER / question.width()).clamp(1, 128)).enumerate().collect();
    let found = in_order(chunks, |(number, chunk)| {
        let users = some_users(model, sequences, catalog, chunk, question, number as u64);
        watch(done.fetch_add(chunk.len(), std::sync::atomic::Ordering::Relaxed) + chunk.len());
        users
    });
    let mut users = Vec::with_capacity(samples.len());
    for some in found {
        users.extend(some?);
    }
    Ok(of_users(users, catalog))
}

/// Puts users together.
pub(super) fn of_users(users: Vec<User>, catalog: &dyn Catalog) -> Evaluation {
    let mut shown: Vec<u32> = users.iter().flat_map(|u| u.list.iter().copied()).collect();
    shown.sort_unstable();
    shown.dedup();
    let all = catalog.by_sid().chunk_by(|a, b| catalog.sid(*a) == catalog.sid(*b)).count();
    Evaluation { users, coverage: shown.len() as f64 / all.max(1) as f64 }
}

fn some_users(
    model: &LazyDecoder,
    sequences: &Sequences,
    catalog: &dyn Catalog,
    chunk: &[Place],
    question: &Question<'_>,
    number: u64,
) -> Result<Vec<User>, Fault> {
    let lengths = Lengths { history: model.config().history, past: 0 };
    let prompts = Prompts::new(sequences, chunk, lengths, catalog);
    let legal = Legal::all(catalog);
    let context = model.read(&prompts.histories).map_err(failed)?;
    let width = question.width();
    let beams = beam_search(model, &context, &legal, width).map_err(failed)?;
    let draws = |mask: &dyn crate::catalog::Mask, salt: u64| {
        let seed = question.seed.wrapping_add(number.wrapping_mul(2) + salt);
        sample(model, &context, mask, Sampling { n: question.sampled, temperature: 1.0, seed }).map_err(failed)
    };
    let (mut sampled, mut free) = (Vec::new(), Vec::new());
    if question.sampled > 0 {
        sampled = draws(&legal, 0)?.requests;
        free = draws(&Free { shape: &model.config().shape }, 1)?.requests;
    }
    let log_probs = log_probs(model, &context, &prompts, &legal).map_err(failed)?;
    let item = |w: &Written| catalog.by_sid().get(catalog.behind(&w.sid).start as usize).copied();
    let mut users = Vec::with_capacity(chunk.len());
    for (i, at) in chunk.iter().enumerate() {
        let beams = beams.requests.get(i).map_or(&[][..], Vec::as_slice);
        let list: Vec<u32> = kept(beams.iter().filter_map(item), question, at.0);
        let mut user = judge(&list, sequences.at(*at).1, catalog, question.classes);
        user.log_prob = log_probs.get(i).copied().flatten();
        if let (Some(sampled), Some(free)) = (sampled.get(i), free.get(i)) {
            user.sampled = shares(&sampled.iter().filter_map(item).collect::<Vec<_>>(), question.classes);
            let n_legal = free.iter().filter(|w| !catalog.behind(&w.sid).is_empty()).count();
            user.legal = Some(n_legal as f64 / free.len().max(1) as f64);
        }
        users.push(user);
    }
    Ok(users)
}

/// What a list of items (each for its SID) is worth to somebody who takes `target` next.
pub(super) fn judge(list: &[u32], target: u32, catalog: &dyn Catalog, classes: &[Class]) -> User {
    let mut user = User { served: shares(list, classes), list: list.to_vec(), ..User::default() };
    let wanted = catalog.sid(target);
    if let Some(rank) = list.iter().position(|item| wanted.is_some() && catalog.sid(*item) == wanted) {
        let share = 1.0 / wanted.map_or(1, |sid| catalog.behind(sid).len()).max(1) as f64;
        (user.hit_sid, user.hit, user.ndcg) = (1.0, share, share / ((rank + 2) as f64).log2());
    }
    user
}

/// The first items that keep the question's bound.
fn kept(items: impl Iterator<Item = u32>, question: &Question<'_>, user: u32) -> Vec<u32> {
    let bound = question.at_most.and_then(|(class, share)| Some((question.classes.get(class)?, share)));
    let Some((class, share)) = bound else { return items.take(question.length).collect() };
    // Spread evenly over users (multiples of the golden ratio), the part of a place is given to that part of them.
    let drawn = (f64::from(user) * 0.618_033_988_749_894_9).fract();
    let mut left = (share * question.length as f64 + drawn * (1.0 - 1e-9) + 1e-9).floor() as usize;
    let fits = |item: &u32| {
        let is = class.members.get(*item as usize).copied().unwrap_or(false);
        let fits = !is || left > 0;
        left -= usize::from(is && fits);
        fits
    };
    items.filter(fits).take(question.length).collect()
}

fn shares(items: &[u32], classes: &[Class]) -> Vec<f64> {
    let of = |class: &Class| {
        let is = |item: &&u32| class.members.get(**item as usize).copied().unwrap_or(false);
        items.iter().filter(is).count() as f64 / items.len().max(1) as f64
    };
    classes.iter().map(of).collect()
}

/// log π of each target under the mask, renormalized at each level.
fn log_probs(
    model: &LazyDecoder,
    context: &crate::decoder::Context,
    prompts: &Prompts<'_>,
    legal: &Legal<'_>,
) -> candle_core::Result<Vec<Option<f64>>> {
    use crate::catalog::Mask;
    let levels = model.config().shape.len();
    // A target without a SID has no codes: its row is worked out, and not looked at.
    let known: Vec<bool> = (0..prompts.histories.len()).map(|request| prompts.has_target(request)).collect();
    let codes = &prompts.targets;
    let logits = model.forced(context, codes, 1)?;
    let mut sums = vec![0.0; known.len()];
    let mut allowed = Vec::new();
    for (level, logits) in logits.iter().enumerate() {
        let rows: Vec<Vec<f32>> = logits.to_vec2()?;
        for ((sum, row), sid) in sums.iter_mut().zip(&rows).zip(codes.chunks(levels)) {
            legal.next(0, sid.get(..level).unwrap_or(&[]), &mut allowed);
            let own = |code: &u32| row.get(*code as usize).map_or(f64::NEG_INFINITY, |l| f64::from(*l));
            let most = allowed.iter().map(own).fold(f64::NEG_INFINITY, f64::max);
            let all = most + allowed.iter().map(|c| (own(c) - most).exp()).sum::<f64>().ln();
            *sum += sid.get(level).map_or(0.0, own) - all;
        }
    }
    Ok(sums.into_iter().zip(known).map(|(sum, known)| known.then_some(sum)).collect())
}
