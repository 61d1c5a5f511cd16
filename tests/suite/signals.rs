//! Signal sources that we ship: stored predictions, and what follows what.

use std::sync::Arc;

use rewardc::catalog::{MemoryCatalog, Sids};
use rewardc::data::read_signals;
use rewardc::diagnostic::Fault;
use rewardc::eval::{Reason, Verdict};
use rewardc::host::{
    Binding, CoOccurrence, Given, Groups, Pairs, Requests, Reward, Rollouts, Scorer, SignalFn, SignalSource, Step,
    TableBy, TableSignals,
};
use rewardc::program::Column;
use rewardc::source::MemoryFiles;

const SCHEMA: &str = "schema: toy
keys: {item: item_id}
lists: {past: {from: row, features: [sid]}}
features:
  sid: {scale: sid, shape: [4, 4]}
  p_click: {entity: model, scale: probability}
";

const REWARD: &str = "language 1
scenario toy.signals
version 1
schema \"toy.yaml\"
for serving
preference { term click = p_click }
format { require legal = sid in catalog else -1 }
";

fn reward() -> Reward {
    Reward::from_text("toy.reward", REWARD, &MemoryFiles::default().with("toy.yaml", SCHEMA)).unwrap()
}

/// Items i0, i1, i2 with the SIDs 0/0, 0/1, 1/1.
fn catalog() -> Arc<MemoryCatalog> {
    let keys = ["i0", "i1", "i2"].map(String::from).to_vec();
    Arc::new(MemoryCatalog::new(keys, Some(Sids { codes: &[0, 0, 0, 1, 1, 1], levels: 2 })).unwrap())
}

/// Two requests, each with the three items and an illegal SID.
const CODES: [u32; 16] = [0, 0, 0, 1, 1, 1, 3, 3, 1, 1, 0, 1, 0, 0, 3, 3];

fn scored(scorer: &mut Scorer<'_>, requests: Requests<'_>) -> Vec<Result<f64, Verdict>> {
    let rollouts = Rollouts::new(Groups::Even(4)).sids(&CODES, 2);
    let scored = scorer.score(&requests, &rollouts, Step::default()).unwrap();
    let click = scored.column(Column::Raw(0)).unwrap();
    (0..8).map(|row| click.get(row, 0).ok_or_else(|| scored.verdicts()[row])).collect()
}

const ILLEGAL: Result<f64, Verdict> = Err(Verdict::Illegal(0));
const FAILED: Result<f64, Verdict> = Err(Verdict::Unscorable(Reason::SignalFailed));

#[test]
fn a_table_by_item_and_by_request_and_item() {
    let (reward, catalog) = (reward(), catalog());
    let bound = |source: TableSignals| reward.bind(&catalog).serving().signals(source).fail_above(0.9).build().unwrap();
    let key = |item: &str| (None, item.to_string());
    let by_item = TableSignals::new(
        "t",
        TableBy::Item,
        [key("i0"), key("i2"), key("other")],
        vec![("p_click".into(), vec![0.25, 0.5, 0.75])],
    );
    let keys = ["a", "b"];
    let found = scored(&mut bound(by_item.unwrap()), Requests::new(2).keys(&keys));
    assert_eq!(found, [Ok(0.25), FAILED, Ok(0.5), ILLEGAL, Ok(0.5), FAILED, Ok(0.25), ILLEGAL]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.csv");
    std::fs::write(&path, "user,item,p_click\na,i0,0.125\nb,i0,0.25\nb,i1,\na,i1,0.5\na,i2,0.75\nb,i2,1.5\n").unwrap();
    let by_both = read_signals(&path, "item", Some("user"), &["p_click"]).unwrap();
    assert!(by_both.id().starts_with("p.csv#"), "{}", by_both.id());
    let found = scored(&mut bound(by_both), Requests::new(2).keys(&keys));
    // What the table says is held to the schema like any other value.
    let out_of_range = Err(Verdict::Unscorable(Reason::OutOfRange));
    assert_eq!(found, [Ok(0.125), Ok(0.5), Ok(0.75), ILLEGAL, out_of_range, FAILED, Ok(0.25), ILLEGAL]);
}

#[test]
fn a_table_that_cannot_be_used_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |text: &str| {
        let path = folder.path().join("p.csv");
        std::fs::write(&path, text).unwrap();
        let fault: Fault = read_signals(&path, "item", None, &["p_click"]).err().unwrap();
        (fault.code.id, fault.message.clone())
    };
    assert!(refused("item,p_click\ni1,0.5\ni1,0.5\n").1.contains("i1 twice, in rows 1 and 2"));
    assert!(refused("item,p_click\n,0.5\n").1.contains("no `item` in row 1"));
    assert!(refused("item,p_click\ni1,often\n").1.contains("no number in row 1: often"));
    assert_eq!(refused("item,p\ni1,0.5\n").0, "RW0602");
    let column = vec![("p_click".to_string(), vec![0.5, 0.5])];
    let keys = [(None, "i0".to_string())];
    assert_eq!(TableSignals::new("t", TableBy::Item, keys.clone(), column.clone()).err().unwrap().code.id, "RW0904");
    assert_eq!(TableSignals::new("t", TableBy::RequestAndItem, keys, column).err().unwrap().code.id, "RW0904");
}

const SIGNALS: &str = "schema: toy
keys: {item: item_id}
features:
  sid: {scale: sid, shape: [8]}
  kind: {entity: item, scale: category, names: [ad, film]}
  p_click: {entity: model, scale: probability}
  stars: {entity: model, scale: number, range: [1, 5]}
  likes: {entity: model, scale: number, range: [0, 1], nullable: true}
";

/// Whatever the order of rules, a source gives what the same numbers give as a column of the rollouts; what
/// it does not say is null there.
#[test]
fn a_source_gives_what_a_column_gives() {
    let rules = [
        "require good = p_click > 0.4 else -1",
        "require legal = sid in catalog else -2",
        "require films = kind == \"film\" else drop",
        "require liked = stars > 2 else -3",
        "require once = sid is first in group else -4",
    ];
    let predicted = |item: usize| [0.9_f32, 0.1, 0.6, f32::NAN, 1.5, 0.8][item];
    let stars = |item: usize| [3.0_f32, 4.0, 9.0, 5.0, 2.0, f32::NAN][item];
    let codes = [0_u32, 1, 7, 2, 3, 0, 4, 5, 6, 1, 3, 7];
    // Without the rule of the catalog a row that is no item gets no other's number.
    let orders = [[0, 1, 2, 3, 4], [1, 0, 2, 4, 3], [2, 3, 1, 0, 4], [4, 2, 1, 3, 0], [3, 4, 0, 2, 1]];
    for (order, skipped) in orders.iter().flat_map(|o| (0..6).map(move |skip| (o, skip))) {
        let rules: Vec<&str> = order.iter().filter(|r| **r != skipped).map(|r| rules[*r]).collect();
        let text = format!(
            "language 1\nscenario toy.s\nversion 1\nschema \"toy.yaml\"\nfor training\npreference {{ term click = p_click }}\n\
             format {{\n{}\n}}\n",
            rules.join("\n")
        );
        let files = MemoryFiles::default().with("toy.yaml", SIGNALS);
        let reward = Reward::from_text("toy.reward", &text, &files).unwrap();
        let keys = (0..6).map(|i| format!("i{i}")).collect();
        let sids = Sids { codes: &[0, 1, 2, 3, 4, 5], levels: 1 };
        let mut catalog = MemoryCatalog::new(keys, Some(sids)).unwrap();
        let kinds = ["film", "film", "ad", "film", "film", "ad"].map(String::from);
        reward.add_column(&mut catalog, "kind", Given::Strings(&kinds), None).unwrap();
        let catalog = Arc::new(catalog);
        let source = |name: &'static str, of: fn(usize) -> f32| {
            SignalFn::new(name, name, move |pairs: &Pairs<'_>, out: &mut [f32]| {
                for (item, slot) in pairs.items().iter().zip(out) {
                    *slot = of(*item as usize);
                }
                Ok(())
            })
        };
        // Also one that predicts what nobody reads, and fails at it.
        let binding = reward.bind(&catalog).signals(source("p_click", predicted)).signals(source("stars", stars));
        let binding = binding.signals(source("likes", |_| f32::NAN)).fail_above(1.0);
        let mut asked = binding.build().unwrap();
        let rollouts = Rollouts::new(Groups::Even(12)).sids(&codes, 1);
        let own = asked.score(&Requests::new(1), &rollouts, Step::default()).unwrap();
        let by_row =
            |of: fn(usize) -> f32| codes.iter().map(|c| if *c < 6 { of(*c as usize) } else { f32::NAN }).collect();
        let (clicks, ratings): (Vec<f32>, Vec<f32>) = (by_row(predicted), by_row(stars));
        let known = |v: &[f32]| v.iter().map(|x| !x.is_nan()).collect::<Vec<_>>();
        let (clicked, rated) = (known(&clicks), known(&ratings));
        let needs: Vec<String> = reward.needs(rewardc::types::Host::Training).into_iter().map(|n| n.feature).collect();
        let reads_stars = needs.iter().any(|n| n == "stars");
        let names: &[&str] = if reads_stars { &["p_click", "stars"] } else { &["p_click"] };
        let mut given = reward.bind(&catalog).rollout(names).build().unwrap();
        let mut rollouts = Rollouts::new(Groups::Even(12)).sids(&codes, 1);
        rollouts = rollouts.with_nulls(given.input("p_click").unwrap(), Given::Reals(&clicks), Some(&clicked));
        if let Some(input) = given.input("stars") {
            rollouts = rollouts.with_nulls(input, Given::Reals(&ratings), Some(&rated));
        }
        let theirs = given.score(&Requests::new(1), &rollouts, Step::default()).unwrap();
        let shown = |v: &Verdict| match v {
            // The same null by another name.
            Verdict::Unscorable(Reason::SignalFailed) => Verdict::Unscorable(Reason::AbsentValue),
            other => *other,
        };
        let own_shown: Vec<Verdict> = own.verdicts().iter().map(shown).collect();
        assert_eq!(own_shown, theirs.verdicts(), "{rules:?}");
        assert_eq!(own.reward().values, theirs.reward().values, "{rules:?}");
        assert_eq!(own.reward().known, theirs.reward().known, "{rules:?}");
        assert_eq!(own.item_idx(), theirs.item_idx(), "{rules:?}");
    }
}

#[test]
fn a_second_opinion_is_compared_where_both_have_one() {
    let (reward, catalog) = (reward(), catalog());
    let held = |of: fn(u32) -> Result<f32, String>| {
        let first = SignalFn::new("a", "p_click", |pairs: &Pairs<'_>, out: &mut [f32]| {
            pairs.items().iter().zip(out).for_each(|(item, slot)| *slot = [0.25, 0.5, f32::NAN][*item as usize]);
            Ok(())
        });
        let second = SignalFn::new("b", "p_click", move |pairs: &Pairs<'_>, out: &mut [f32]| {
            for (item, slot) in pairs.items().iter().zip(out) {
                *slot = of(*item)?;
            }
            Ok(())
        });
        let mut scorer =
            reward.bind(&catalog).serving().signals(first).held_out(second).fail_above(1.0).build().unwrap();
        let rollouts = Rollouts::new(Groups::Even(4)).sids(&CODES, 2);
        scorer.score(&Requests::new(2), &rollouts, Step::default()).unwrap().counts().signals.held_out[0].clone()
    };
    assert_eq!(held(|item| Ok([f32::NAN, 0.75, 0.75][item as usize])), ("p_click".to_string(), 0.5, 0.75));
    // Out of the schema's range, or nothing at all: no mean, and no 0.
    for of in [(|_| Ok(55.0)) as fn(u32) -> Result<f32, String>, |_| Ok(f32::NAN), |_| Err("down".into())] {
        let (_, main, other) = held(of);
        assert!(main.is_nan() && other.is_nan(), "{main} {other}");
    }
}

/// Two users: i0 i1 i2, and i0 i1; with a window of two.
fn counted() -> CoOccurrence {
    let mut source = CoOccurrence::new("p_click").window(2).recent(2).smoothing(1.0);
    source.add(&[0, 1, 2]);
    source.add(&[0, u32::MAX, 1]);
    source
}

#[test]
fn what_follows_is_counted_and_smoothed() {
    let source = counted();
    let near = |history: &[u32], item: u32, expected: f64| {
        let found = source.predict_one(history, item);
        assert!((found - expected).abs() < 1e-12, "{history:?} then {item}: {found}, not {expected}");
    };
    // Seen: i0 twice, i1 twice, i2 once of 5. Behind i0: i1, i2, i1; behind i1: i2.
    near(&[], 1, 0.4);
    near(&[2], 1, 0.4);
    near(&[0], 1, (2.0 + 0.4) / 4.0);
    near(&[0], 2, (1.0 + 0.2) / 4.0);
    near(&[1], 2, (1.0 + 0.2) / 2.0);
    // The mean over the last two that anything follows.
    near(&[1, 0, 2], 2, (1.2 / 2.0 + 1.2 / 4.0) / 2.0);
    // All items together are one.
    let sum: f64 = (0..3).map(|item| source.predict_one(&[0, 1], item)).sum();
    assert!((sum - 1.0).abs() < 1e-12);
}

#[test]
fn cooccurrence_reads_histories_that_the_reward_does_not() {
    let (reward, catalog) = (reward(), catalog());
    let bound = |binding: Binding<'static>| binding.signals(counted()).build();
    let fault = bound(reward.bind(&catalog).serving()).err().unwrap();
    assert_eq!((fault.code.id, fault.message.contains("reads histories")), ("RW0901", true));
    let mut scorer = bound(reward.bind(&catalog).serving().past(&["sid"])).unwrap();
    // The first request has seen i2 (which nothing follows) and i0, the second nothing known.
    let (past, offsets) = ([0, 0, 1, 1, 3, 3], [0, 2, 3]);
    let input = scorer.past_input("sid").unwrap();
    let requests = Requests::new(2).past(&offsets).with(input, Given::Sids { codes: &past, levels: 2 });
    let found = scored(&mut scorer, requests);
    // Behind i0, in the reward's own precision: i0 0.1, i1 0.6, i2 0.3; else the popularity.
    let f = |v: f32| Ok(f64::from(v));
    assert_eq!(found, [f(0.1), f(0.6), f(0.3), ILLEGAL, f(0.2), f(0.4), f(0.4), ILLEGAL]);
}
