#![expect(clippy::print_stdout, reason = "an example for the terminal")]
//! A reward in a training loop of one's own: `cargo run --example plug_into_training`.
//!
//! The catalog, the rollouts and the model behind `p_click` are stand-ins of a few lines; the calls
//! between them are the whole interface.

use std::sync::Arc;

use rewardc::catalog::{MemoryCatalog, Sids};
use rewardc::host::{Capacity, Decode, Given, Groups, Order, Pairs, Requests, Reward, Rollouts, SignalFn, Step};
use rewardc::source::MemoryFiles;

const SCHEMA: &str = "schema: tiny
spans: {training: {slate: first 2 of group, order: beam}}
features:
  sid: {scale: sid, shape: [4, 4]}
  p_click: {entity: model, scale: probability}
  region: {entity: request, scale: category, names: open}
  logp: {entity: rollout, scale: number, range: [-50, 0]}
";

const REWARD: &str = "language 1
scenario tiny.feed
version 1
schema \"tiny.yaml\"
for training
preference {
    term click = p_click
    term home weight 0.1 = if region == \"north\" then 1 else 0
    term sure weight 0.01 = logp
}
format { require legal = sid in catalog else lowest }
";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // From a file it is `Reward::load("feed.reward")?`.
    let reward = Reward::from_text("tiny.reward", REWARD, &MemoryFiles::default().with("tiny.yaml", SCHEMA))?;
    let keys = ["film", "song", "game"].map(String::from).to_vec();
    let catalog = Arc::new(MemoryCatalog::new(keys, Some(Sids { codes: &[0, 1, 2, 3, 3, 3], levels: 2 }))?);

    // The escape hatch, twice: a closure predicts `p_click`, and `logp` is a column of the decoder's own.
    let head = SignalFn::new("head@1", "p_click", |pairs: &Pairs<'_>, out: &mut [f32]| {
        for (i, p) in out.iter_mut().enumerate() {
            *p = if pairs.item_key(i) == "film" { 0.8 } else { 0.2 };
        }
        Ok(())
    });
    let mut scorer = reward
        .bind(&catalog)
        .training(Decode::Free, Order::Beam)
        .request(&["region"])
        .rollout(&["logp"])
        .signals(head)
        .capacity(Capacity { requests: 8, group: 4, list: 0 })
        .build()?;
    let [region, logp] = ["region", "logp"].map(|name| scorer.input(name));
    let (region, logp) = (region.ok_or("region")?, logp.ok_or("logp")?);

    for step in 0..2 {
        // What a decoder wrote: two requests with three rollouts each; the last SID stands for no item.
        let codes = [0, 1, 2, 3, 3, 3, 2, 3, 0, 1, 1, 1];
        let requests = Requests::new(2).keys(&["u1", "u2"]).with(region, Given::Texts(&["north", "south"]));
        let logps = [-1.0, -2.0, -3.0, -1.5, -2.5, -3.5];
        let rollouts = Rollouts::new(Groups::Even(3)).sids(&codes, 2).with(logp, Given::Reals(&logps));
        let scored = scorer.score(&requests, &rollouts, Step { seed: 7, step })?;
        let (reward, cost) = (scored.reward(), scored.cost());
        for (row, verdict) in scored.verdicts().iter().enumerate() {
            let in_mean = scored.in_statistics().get(row).copied().unwrap_or(false);
            let (reward, cost) = (reward.get(row, 0), cost.get(row, 0));
            println!(
                "step {step} rollout {row}: {:10} reward {reward:?} cost {cost:?} in statistics {in_mean}",
                verdict.word()
            );
        }
    }
    Ok(())
}
