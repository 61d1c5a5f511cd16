#![expect(clippy::print_stdout, reason = "figures for the terminal")]
//! What the plug-in point costs beside the evaluator: `cargo run --release --example host_speed`.
//!
//! Interleaved, min / median / max: binding the main feed, a warm step against the evaluator alone on the
//! same batch, and the choice of ten of 512.

use std::sync::Arc;
use std::time::Instant;

use rewardc::catalog::{MemoryCatalog, Sids};
use rewardc::host::{Capacity, Choice, Decode, Given, Groups, Order, Requests, Reward, Rollouts, Scorer, Step};

const ITEMS: usize = 10_000;
const GROUP: usize = 512;
const ROUNDS: usize = 60;

type Failure = Box<dyn std::error::Error>;

/// min / median / max in milliseconds.
fn shown(mut seconds: Vec<f64>) -> String {
    seconds.sort_by(f64::total_cmp);
    let at = |share: f64| 1e3 * seconds.get((share * (seconds.len() - 1) as f64) as usize).copied().unwrap_or(0.0);
    format!("{:8.3} / {:8.3} / {:8.3} ms", at(0.0), at(0.5), at(1.0))
}

fn timed<T>(into: &mut Vec<f64>, work: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let done = work();
    into.push(begun.elapsed().as_secs_f64());
    done
}

fn catalog(reward: &Reward) -> Result<Arc<MemoryCatalog>, Failure> {
    let keys = (0..ITEMS).map(|i| format!("v{i}")).collect();
    let codes: Vec<u32> = (0..ITEMS as u32).flat_map(|i| [i / 4096, i / 64 % 64, i % 64]).collect();
    let mut catalog = MemoryCatalog::new(keys, Some(Sids { codes: &codes, levels: 3 }))?;
    let authors: Vec<String> = (0..ITEMS).map(|i| format!("a{}", i % 900)).collect();
    let number = |of: fn(usize) -> f32| (0..ITEMS).map(of).collect::<Vec<f32>>();
    let ads: Vec<bool> = (0..ITEMS).map(|i| i % 11 == 0).collect();
    reward.add_column(&mut catalog, "author_id", Given::Strings(&authors), None)?;
    reward.add_column(&mut catalog, "author_age", Given::Reals(&number(|i| (i % 1000) as f32)), None)?;
    reward.add_column(&mut catalog, "duration", Given::Reals(&number(|i| 5_000.0 + i as f32)), None)?;
    reward.add_column(&mut catalog, "marketing_score", Given::Reals(&number(|i| (i % 100) as f32 / 100.0)), None)?;
    reward.add_column(&mut catalog, "is_ad", Given::Bools(&ads), None)?;
    Ok(Arc::new(catalog))
}

const MODEL: [&str; 6] = ["relevance", "p_click", "p_like", "p_follow", "p_hate", "p_watch_time"];

/// Columns of a step.
struct Feed {
    codes: Vec<u32>,
    columns: Vec<Vec<f32>>,
    past: Vec<u32>,
}

fn feed() -> Feed {
    let item = |i: usize| (i * 7919 % ITEMS) as u32;
    let sid = |i: u32| [i / 4096, i / 64 % 64, i % 64];
    let share = |i: usize, salt: usize| ((i * 31 + salt * 17) % 97) as f32 / 100.0;
    let columns = (0..MODEL.len()).map(|f| (0..GROUP).map(|i| if f == 5 { 20_000.0 } else { share(i, f) }).collect());
    Feed {
        codes: (0..GROUP).flat_map(|i| sid(item(i))).collect(),
        columns: columns.collect(),
        past: (0..50).flat_map(|i| sid(item(i + 5000))).collect(),
    }
}

fn inputs<'a>(feed: &'a Feed, scorer: &Scorer<'_>) -> Result<(Requests<'a>, Rollouts<'a>), Failure> {
    let past = scorer.past_input("sid").ok_or("past.sid")?;
    let requests = Requests::new(1).past(&[0, 50]).with(past, Given::Sids { codes: &feed.past, levels: 3 });
    let mut rollouts = Rollouts::new(Groups::Even(GROUP)).sids(&feed.codes, 3);
    for (name, values) in MODEL.iter().zip(&feed.columns) {
        rollouts = rollouts.with(scorer.input(name).ok_or(*name)?, Given::Reals(values));
    }
    Ok((requests, rollouts))
}

fn main() -> Result<(), Failure> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join("rewards/short_video/main_feed.reward");
    let reward = Reward::load(&path)?;
    let (catalog, feed) = (catalog(&reward)?, feed());
    let capacity = Capacity { requests: 1, group: GROUP, list: 50 };
    let bind = |serving: bool| {
        let binding = reward.bind(&catalog).rollout(&MODEL).past(&["sid"]).capacity(capacity);
        if serving { binding.serving().build() } else { binding.training(Decode::Free, Order::Beam).build() }
    };
    let (mut training, mut serving) = (bind(false)?, bind(true)?);
    let [mut load, mut binding, mut step, mut inside, mut choice] = std::array::from_fn(|_| Vec::new());
    let mut proofs = Vec::new();
    for _ in 0..ROUNDS {
        timed(&mut load, || Reward::load(&path))?;
        timed(&mut binding, || bind(false))?;
        let (requests, rollouts) = inputs(&feed, &training)?;
        timed(&mut step, || training.score(&requests, &rollouts, Step::default()).map(|_| ()))?;
        inside.push(training.evaluator_seconds());
        let (requests, rollouts) = inputs(&feed, &serving)?;
        let slates = timed(&mut choice, || serving.choose(&requests, &rollouts, Step::default(), &Choice::of(10)))?;
        proofs.extend(slates.all().iter().map(|s| s.slate.proof.to_string()));
    }
    let around: Vec<f64> = step.iter().zip(&inside).map(|(all, inside)| all - inside).collect();
    proofs.sort();
    proofs.dedup();
    println!("main feed, {ITEMS} items, one request with {GROUP} candidates, {ROUNDS} rounds; min / median / max");
    println!("load and check the file      {}", shown(load));
    println!("bind                         {}", shown(binding));
    println!("a warm step                  {}", shown(step));
    println!("  of it in the evaluator     {}", shown(inside));
    println!("  around it                  {}", shown(around));
    println!("score and choose 10 of {GROUP}   {}  ({})", shown(choice), proofs.join(", "));
    Ok(())
}
