//! A step at serving: slates, the state that they move, and work that is given up.

use std::cell::Cell;
use std::sync::Arc;

use rewardc::catalog::{MemoryCatalog, Sids};
use rewardc::control::{Controllers, Observed, Seen};
use rewardc::eval::{Matching, Share};
use rewardc::host::{Choice, Decode, Given, Groups, Order, Pairs, Requests, Reward, Rollouts, Scorer, SignalFn, Step};
use rewardc::program::Column;
use rewardc::slate::Proof;
use rewardc::source::MemoryFiles;

const SCHEMA: &str = "schema: toy
keys: {item: item_id}
spans: {training: {slate: first 2 of group, order: beam}, longest: {slate: 4}}
features:
  sid: {scale: sid, shape: [8]}
  kind: {entity: item, scale: category, names: [ad, film]}
  author: {entity: item, scale: id}
  p_click: {entity: model, scale: probability}
";

const REWARD: &str = "language 1
scenario toy.serving
version 1
schema \"toy.yaml\"
for training, serving
preference { term click = p_click }
ecosystem {
    cap ads on kind == \"ad\" { at most 25% of slate  dual up to 1 }
    cap again { at most 1 of session per author  hard }
}
format {
    require legal = sid in catalog else lowest
    require once = sid is first in slate else drop for serving
}
advantage legality = 1 pick 2 of group at random
";

fn reward() -> Reward {
    Reward::from_text("toy.reward", REWARD, &MemoryFiles::default().with("toy.yaml", SCHEMA)).unwrap()
}

/// Six items with the SIDs 0 to 5; those of even number are ads; authors by pairs.
fn catalog(reward: &Reward) -> Arc<MemoryCatalog> {
    let keys = (0..6).map(|i| format!("i{i}")).collect();
    let mut catalog = MemoryCatalog::new(keys, Some(Sids { codes: &[0, 1, 2, 3, 4, 5], levels: 1 })).unwrap();
    let text = |texts: [&str; 6]| texts.map(String::from);
    reward
        .add_column(&mut catalog, "kind", Given::Strings(&text(["ad", "film", "ad", "film", "ad", "film"])), None)
        .unwrap();
    reward.add_column(&mut catalog, "author", Given::Strings(&text(["a", "a", "b", "b", "c", "c"])), None).unwrap();
    Arc::new(catalog)
}

fn controllers(reward: &Reward, counts: &str) -> Controllers {
    let text =
        format!("controllers: toy\ncaps:\n  ads: {{counts: {counts}, rule: gradient, gain: 0.5, start: 0.125}}\n");
    Controllers::from_text("c.yaml", &text, reward.program()).unwrap()
}

/// One request: five candidates, one of them twice, and an illegal one.
const CODES: [u32; 7] = [0, 0, 1, 2, 3, 4, 7];
const CLICKS: [f32; 7] = [0.875, 0.875, 0.75, 0.5, 0.25, 0.125, 0.5];

fn step<'a>(scorer: &Scorer<'_>) -> (Requests<'a>, Rollouts<'a>) {
    let click = scorer.input("p_click").unwrap();
    (Requests::new(1), Rollouts::new(Groups::Even(7)).sids(&CODES, 1).with(click, Given::Reals(&CLICKS)))
}

#[test]
fn a_slate_is_chosen_and_moves_the_state_of_what_is_shown() {
    let reward = reward();
    let catalog = catalog(&reward);
    let binding = reward.bind(&catalog).serving().rollout(&["p_click"]).controllers(controllers(&reward, "shown"));
    let mut scorer = binding.build().unwrap();
    assert_eq!(scorer.state().caps["ads"].lambda, Some(0.125));
    let (requests, rollouts) = step(&scorer);
    let slates = scorer.choose(&requests, &rollouts, Step::default(), &Choice::of(3)).unwrap();
    let chosen = &slates.all()[0];
    // Ads pay 0.125: totals 0.75, 0.75 (i1), 0.375, 0.25, 0. One of each author, i0 only once.
    assert_eq!((chosen.items.clone(), chosen.slate.proof), (vec![0, 2, 4], Proof::Optimal));
    assert_eq!(chosen.slate.totals, [0.75, 0.375, 0.0]);
    assert_eq!(slates.scores().get(Column::Cost, 1), Some(-0.125));
    assert_eq!(scorer.last().column(Column::Total).unwrap().get(4, 0), Some(0.25));
    // A pick is of the whole group, on the slate or not.
    let picked = |c: &rewardc::eval::NumberColumn, row: usize| c.get(row, 0).is_some();
    let (all, own) = (scorer.last(), slates.scores().column(Column::Channel(0)).unwrap());
    for (i, row) in chosen.slate.rows.iter().enumerate() {
        assert_eq!(picked(own, i), picked(all.column(Column::Channel(0)).unwrap(), *row as usize), "row {row}");
    }
    let Seen::Share { share, .. } = slates.observed().caps["ads"] else { panic!("no share") };
    assert_eq!((share.spans, share.sum), (1, 1.0));
    // 100 % of a target of 25 %: λ rises by half of 0.75. The session has seen three authors.
    let moved = scorer.end_step(slates.observed()).unwrap();
    assert_eq!((moved[0].lambda, moved[0].share), (Some((0.125, 0.5)), Some((1.0, 0.25))));
    let authors = [("a", 1), ("b", 1), ("c", 1)].map(|(k, n)| (k.to_string(), n));
    let again = &scorer.state().caps["again"];
    assert_eq!((again.shown, again.matching.clone()), (Some(3), Some(Matching::PerKey(authors.into()))));
    // On the next page every author was shown once: the cap gives way and says so; ads now pay 0.5.
    let slates = scorer.choose(&requests, &rollouts, Step::default(), &Choice::of(3)).unwrap();
    let chosen = &slates.all()[0];
    assert_eq!(chosen.items, [1, 0, 3]);
    assert_eq!((chosen.slate.relaxed[0].cap.as_str(), chosen.slate.relaxed[0].excess), ("again", 3));
    assert!(
        chosen.slate.relaxed[0].why.contains("of the 3 items that the session was shown"),
        "{}",
        chosen.slate.relaxed[0].why
    );
}

#[test]
fn only_the_end_of_a_step_moves_state_and_each_step_counts_once() {
    let reward = reward();
    let catalog = catalog(&reward);
    let binding = reward.bind(&catalog).training(Decode::Free, Order::Beam).rollout(&["p_click"]);
    let mut scorer = binding.controllers(controllers(&reward, "generated")).build().unwrap();
    let (requests, rollouts) = step(&scorer);
    let before = scorer.state().clone();
    scorer.score(&requests, &rollouts, Step::default()).unwrap();
    assert_eq!(*scorer.state(), before);
    let share = scorer.last().counts().shares;
    // The first two rollouts stand for the slate: both are i0, an ad.
    assert_eq!(share[0], ("ads".to_string(), Some(1.0), 1));
    let lambda = |moved: Vec<rewardc::control::Moved>| moved[0].lambda;
    assert_eq!(lambda(scorer.end_step(&Observed::default()).unwrap()), Some((0.125, 0.5)));
    assert_eq!(lambda(scorer.end_step(&Observed::default()).unwrap()), Some((0.5, 0.5)));
    // A step that is scored in pieces counts as one: the second piece shows a film and an ad, so 3 of 4.
    let pieces: [(&[u32], &[f32]); 2] = [(&[0, 2], &[0.5, 0.5]), (&[1, 4], &[0.5, 0.5])];
    let click = scorer.input("p_click").unwrap();
    for (codes, clicks) in pieces {
        let rollouts = Rollouts::new(Groups::Even(2)).sids(codes, 1).with(click, Given::Reals(clicks));
        scorer.score(&Requests::new(1), &rollouts, Step::default()).unwrap();
    }
    let moved = scorer.end_step(&Observed::default()).unwrap();
    assert_eq!((moved[0].share, moved[0].lambda), (Some((0.75, 0.25)), Some((0.5, 0.75))));
    // What is handed in stands before what the scorer saw.
    scorer.score(&requests, &rollouts, Step::default()).unwrap();
    let seen = Seen::Share { share: Share { spans: 4, sum: 0.0, targets: 1.0 }, age: 0 };
    let observed = Observed { requests: 4, caps: [("ads".to_string(), seen)].into() };
    assert_eq!(lambda(scorer.end_step(&observed).unwrap()), Some((0.75, 0.625)));
    // A measurement that has no use leaves all as it was.
    let wrong = Observed { requests: 1, caps: [("adz".to_string(), observed.caps["ads"].clone())].into() };
    let state = scorer.state().clone();
    assert_eq!(scorer.end_step(&wrong).unwrap_err().code.id, "RW0907");
    assert_eq!(*scorer.state(), state);
    assert_eq!(state.reward, Some(reward.id()));
}

/// Sources are asked under the rules alone, for which no cap is there that a state could speak of.
#[test]
fn a_source_beside_a_state() {
    let reward = reward();
    let source = SignalFn::new("head", "p_click", |_: &Pairs<'_>, out: &mut [f32]| {
        out.fill(0.5);
        Ok(())
    });
    let binding = reward.bind(&catalog(&reward)).serving().signals(source).controllers(controllers(&reward, "shown"));
    let mut scorer = binding.build().unwrap();
    let rollouts = Rollouts::new(Groups::Even(7)).sids(&CODES, 1);
    let slates = scorer.choose(&Requests::new(1), &rollouts, Step::default(), &Choice::of(2)).unwrap();
    assert_eq!(slates.all()[0].slate.totals, [0.5, 0.5]);
    let names: Vec<&str> = slates.all()[0].items.iter().map(|i| scorer.item_key(*i)).collect();
    assert_eq!((names, scorer.item_key(-1)), (vec!["i1", "i3"], ""));
}

#[test]
fn a_choice_that_cannot_be_made_is_refused() {
    let reward = reward();
    let catalog = catalog(&reward);
    let bound = |serving: bool| {
        let binding = reward.bind(&catalog).rollout(&["p_click"]);
        if serving {
            binding.serving().build().unwrap()
        } else {
            binding.training(Decode::Free, Order::Beam).build().unwrap()
        }
    };
    let refused = |scorer: &mut Scorer<'_>, choice: &Choice<'_>| {
        let (requests, rollouts) = step(scorer);
        scorer.choose(&requests, &rollouts, Step::default(), choice).unwrap_err().code.id
    };
    assert_eq!(refused(&mut bound(false), &Choice::of(3)), "RW0908");
    let mut serving = bound(true);
    let weighed = |places, discounts| Choice { discounts, ..Choice::of(places) };
    for choice in [
        Choice::of(0),
        Choice::of(5),
        weighed(2, &[1.0][..]),
        weighed(2, &[0.5, 1.0]),
        weighed(2, &[1.0, -1.0]),
        weighed(2, &[f64::NAN, 1.0]),
    ] {
        assert_eq!(refused(&mut serving, &choice), "RW0908", "{choice:?}");
    }
    // Fewer candidates than places, and none at all.
    let (requests, _) = step(&serving);
    let click = serving.input("p_click").unwrap();
    let few = Rollouts::new(Groups::Even(2)).sids(&CODES[5..], 1).with(click, Given::Reals(&CLICKS[5..]));
    let slates = serving.choose(&requests, &few, Step::default(), &Choice::of(3)).unwrap();
    assert_eq!((slates.all()[0].items.clone(), slates.all()[0].slate.empty_places), (vec![4], 2));
    let none = Rollouts::new(Groups::Even(0)).sids(&[], 1).with(click, Given::Reals(&[]));
    let slates = serving.choose(&requests, &none, Step::default(), &Choice::of(3)).unwrap();
    assert_eq!((slates.all()[0].items.len(), slates.all()[0].slate.empty_places), (0, 3));
    let nobody = serving.choose(&Requests::new(0), &none, Step::default(), &Choice::of(3)).unwrap();
    assert!(nobody.all().is_empty());
}

#[test]
fn work_that_is_told_to_stop_leaves_the_scorer_sound() {
    let reward = reward();
    let catalog = catalog(&reward);
    let mut scorer = reward.bind(&catalog).training(Decode::Free, Order::Beam).rollout(&["p_click"]).build().unwrap();
    let (requests, rollouts) = step(&scorer);
    let asked = Cell::new(0);
    let after = |n: u32| {
        let asked = &asked;
        move || {
            asked.set(asked.get() + 1);
            asked.get() > n
        }
    };
    scorer.score_until(&requests, &rollouts, Step::default(), &after(1000)).unwrap();
    let (times, verdicts) = (asked.get(), scorer.last().verdicts().to_vec());
    assert!(times > 3, "asked {times} times");
    for n in 0..times {
        asked.set(0);
        let refused = scorer.score_until(&requests, &rollouts, Step::default(), &after(n)).err().unwrap();
        assert_eq!(refused.code.id, "RW0808");
        assert_eq!(scorer.last().verdicts(), verdicts);
    }
    assert_eq!(scorer.score(&requests, &rollouts, Step::default()).unwrap().verdicts(), verdicts);
}

#[test]
fn a_pick_that_a_mask_makes_constant_is_switched_off() {
    let reward = reward();
    let catalog = catalog(&reward);
    let advantages = |decode| {
        let mut scorer = reward.bind(&catalog).training(decode, Order::Beam).rollout(&["p_click"]).build().unwrap();
        let (requests, rollouts) = step(&scorer);
        let scored = scorer.score(&requests, &rollouts, Step::default()).unwrap();
        let known = scored.column(Column::Channel(0)).unwrap().known.clone();
        (known.iter().filter(|k| **k).count(), scorer.notes().to_vec())
    };
    let (known, notes) = advantages(Decode::Free);
    assert!((1..=2).contains(&known) && notes.is_empty(), "{known} {notes:?}");
    let shown = reward.bind(&catalog).training(Decode::Free, Order::Beam).rollout(&["p_click"]);
    let shown = shown.controllers(controllers(&reward, "shown")).build().unwrap();
    assert!(
        shown.notes()[0].contains("`ads` counts what is shown, which training does not show"),
        "{:?}",
        shown.notes()
    );
    let (known, notes) = advantages(Decode::Masked);
    assert_eq!((known, notes.len()), (0, 1));
    assert!(notes[0].starts_with("`legality` is switched off"), "{notes:?}");
}
