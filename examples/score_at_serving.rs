#![expect(clippy::print_stdout, reason = "an example for the terminal")]
//! The same reward in a server of one's own: `cargo run --example score_at_serving`.
//!
//! Candidates are scored, a slate of three is chosen under the hard cap, and what was shown moves the price
//! of ads. The catalog, the candidates and the model are stand-ins of a few lines.

use std::sync::Arc;

use rewardc::catalog::{MemoryCatalog, Sids};
use rewardc::control::Controllers;
use rewardc::host::{Choice, Given, Groups, Pairs, Requests, Reward, Rollouts, SignalFn, Step};
use rewardc::source::MemoryFiles;

const SCHEMA: &str = "schema: tiny
features:
  sid: {scale: sid, shape: [4, 4]}
  is_ad: {entity: item, scale: bool}
  p_click: {entity: model, scale: probability}
  mood: {entity: given, scale: number, range: [-1, 1]}
";

const REWARD: &str = "language 1
scenario tiny.feed
version 1
schema \"tiny.yaml\"
for serving
preference { term click = p_click  term mood_fits weight 0.1 = mood }
ecosystem {
    cap ads on is_ad { at most 20% of slate  dual up to 1 }
    cap front on is_ad { at most 0 of first 1  hard }
}
format { require legal = sid in catalog else drop }
";

const CONTROLLERS: &str = "controllers: tiny
caps:
  ads: {counts: shown, rule: gradient, gain: 0.4, stale: {after: 100 steps, then: hold}}
";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // From files: `Reward::load("feed.reward")?` and `Controllers::load("feed.controllers.yaml", …)?`.
    let reward = Reward::from_text("tiny.reward", REWARD, &MemoryFiles::default().with("tiny.yaml", SCHEMA))?;
    let controllers = Controllers::from_text("tiny.controllers.yaml", CONTROLLERS, reward.program())?;
    let keys = ["film", "song", "car advert", "game", "shoe advert"].map(String::from).to_vec();
    let sids = Sids { codes: &[0, 1, 1, 0, 2, 3, 3, 0, 3, 1], levels: 2 };
    let mut catalog = MemoryCatalog::new(keys, Some(sids))?;
    reward.add_column(&mut catalog, "is_ad", Given::Bools(&[false, false, true, false, true]), None)?;
    let catalog = Arc::new(catalog);

    // The escape hatch, twice: a closure predicts `p_click`, and `mood` is a number of the server's own.
    let head = SignalFn::new("head@1", "p_click", |pairs: &Pairs<'_>, out: &mut [f32]| {
        for (i, p) in out.iter_mut().enumerate() {
            *p = if pairs.item_key(i).contains("advert") { 0.9 } else { 0.4 };
        }
        Ok(())
    });
    let mut scorer =
        reward.bind(&catalog).serving().rollout(&["mood"]).signals(head).controllers(controllers).build()?;
    let mood = scorer.input("mood").ok_or("mood")?;

    for step in 0..4 {
        // What the decoder wrote for one user; the last SID stands for no item.
        let codes = [0, 1, 1, 0, 2, 3, 3, 0, 3, 1, 2, 2];
        let rollouts = Rollouts::new(Groups::Even(6)).sids(&codes, 2);
        let rollouts = rollouts.with(mood, Given::Reals(&[0.5, -0.5, 0.0, 0.25, 0.0, 0.0]));
        let slates = scorer.choose(&Requests::new(1), &rollouts, Step { seed: 7, step }, &Choice::of(3))?;
        for chosen in slates.all() {
            let items: Vec<&str> = chosen.items.iter().map(|i| scorer.item_key(*i)).collect();
            println!("page {step}: {} ({}, worth {:.2})", items.join(", "), chosen.slate.proof, chosen.slate.worth);
        }
        // Nothing else moves the state; `host::save` keeps it.
        for moved in scorer.end_step(slates.observed())? {
            let (share, price) = (moved.share.unwrap_or_default().0, moved.lambda.unwrap_or_default().1);
            println!("        {:.0} % shown were {}, which now cost {price:.2}", 100.0 * share, moved.cap);
        }
    }
    Ok(())
}
