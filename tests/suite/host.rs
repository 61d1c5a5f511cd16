//! The plug-in point: the same numbers as `rewardc score`, and what does not fit refused.

use std::fmt::Write;
use std::sync::Arc;

use rewardc::catalog::{Catalog, MemoryCatalog};
use rewardc::data;
use rewardc::eval::reference::Reference;
use rewardc::eval::{CapState, ControlState, Evaluator, Reason, Run, Scores, Verdict};
use rewardc::host;
use rewardc::host::{Capacity, Decode, Given, Groups, Order, Requests, Reward, Rollouts, Scorer, SignalFn, Step};
use rewardc::program::{column_names, columns};
use rewardc::source::MemoryFiles;
use rewardc::types::Host;

use crate::allocations::count;
use crate::programs::Random;

const SCHEMA: &str = "schema: toy
sources:
  log: {file: log.ndjson, entity: rollout}
  items: {file: items.csv, entity: item, key: item_id, join: must match}
keys: {item: item_id, request: request_id, padding: pad}
catalog: {file: items.csv, item: item_id, sid: sid, resolve: first}
spans:
  request: [request_id]
  training: {slate: first 3 of group, order: beam}
lists:
  past: {from: row, features: [sid]}
  wanted: {from: row, features: [sid]}
features:
  sid: {scale: sid, shape: [6, 6]}
  author: {entity: item, scale: id}
  kind: {entity: item, scale: category, names: [ad, film]}
  plays: {entity: item, scale: count}
  length: {entity: item, from: length_ms, scale: duration, unit: ms, missing: [0], range: [1 s, 1 h]}
  region: {entity: request, scale: category, names: open}
  age: {entity: user, scale: duration, unit: day, clip: [1 day, 100 days]}
  p_click: {entity: model, scale: probability}
  logp: {entity: rollout, scale: number, range: [-20, 0]}
";

const REWARD: &str = "language 1
scenario toy.host
version 1
schema \"toy.yaml\"
for training
preference {
    term click weight 2 = p_click
    term long = min((length ?? 10 s) / age ?? 0, 1) * log1p(plays)
    term home = if region == \"north\" and author == \"a1\" then 1 else 0
    gate likely = logp > -10
}
ecosystem {
    cap ads on kind == \"ad\" { at most 1 of slate  penalty 1.5 per item over, after normalizing }
    term alone = 0.1 * count(author == this.author over group)
}
format {
    require legal = sid in catalog else lowest
    require unseen = sid not in past.sid else drop
}
advantage hit = if sid in wanted.sid then 1 else 0
advantage some = 1 pick 2 of group at random
token advantage depth = if code == 1 then 1 else 0
";

fn reward() -> Reward {
    let files = MemoryFiles::default().with("toy.yaml", SCHEMA);
    Reward::from_text("toy.reward", REWARD, &files).unwrap()
}

/// Rollouts as a host holds them.
#[derive(Default)]
struct Feed {
    keys: Vec<String>,
    region: Vec<String>,
    age: Vec<f32>,
    past: Vec<u32>,
    past_offsets: Vec<u32>,
    wanted: Vec<u32>,
    wanted_offsets: Vec<u32>,
    codes: Vec<u32>,
    p_click: Vec<f32>,
    logp: Vec<f32>,
    padding: Vec<bool>,
}

const GROUP: usize = 5;

/// Requests with five rollouts each: legal, illegal, padded and repeated ones, values out of range, NaN.
fn feed(seed: u64, requests: usize) -> Feed {
    let mut random = Random(seed);
    let mut below = |n: u64| random.below(n) as usize;
    let mut feed = Feed { past_offsets: vec![0], wanted_offsets: vec![0], ..Feed::default() };
    for r in 0..requests {
        feed.keys.push(format!("r{}", r * 7));
        feed.region.push(["north", "south", "west"][below(3)].to_string());
        feed.age.push([0.5, 3.0, 40.0, 400.0][below(4)]);
        for (list, offsets) in [(&mut feed.past, &mut feed.past_offsets), (&mut feed.wanted, &mut feed.wanted_offsets)]
        {
            for _ in 0..below(4) {
                list.extend([below(6) as u32, below(6) as u32]);
            }
            offsets.push(list.len() as u32 / 2);
        }
        for i in 0..GROUP {
            let repeats = i > 0 && below(4) == 0;
            let sid = if repeats {
                feed.codes[feed.codes.len() - 2..].to_vec()
            } else {
                vec![below(7) as u32, below(6) as u32]
            };
            feed.codes.extend(sid);
            feed.p_click.push([0.1, 0.5, 0.75, 1.5, f32::NAN][below(5)]);
            feed.logp.push(-(below(30) as f32) * 0.5);
            feed.padding.push(below(9) == 0);
        }
    }
    feed
}

const ITEMS: &str = "item_id,sid,author,kind,plays,length_ms\n\
    i1,1|2,a1,film,100,12000\ni2,1|2,a2,ad,5,0\ni3,0|0,a1,ad,7,500\ni4,3|4,a3,film,0,30000\n\
    i5,5|5,a1,ad,12,9000\ni6,2|2,a2,ad,1000,8000\ni7,4|1,a2,film,3,7000\n";

/// The feed as files, read and scored as `rewardc score` does.
fn by_files(feed: &Feed, reward: &Reward, folder: &std::path::Path) -> (Scores, Vec<String>) {
    let mut log = String::new();
    let sids = |codes: &[u32]| codes.chunks(2).map(|c| vec![c[0], c[1]]).collect::<Vec<_>>();
    for row in 0..feed.p_click.len() {
        let r = row / GROUP;
        let list = |codes: &[u32], o: &[u32]| sids(&codes[o[r] as usize * 2..o[r + 1] as usize * 2]);
        let mut object = serde_json::json!({
            "request_id": feed.keys[r], "region": feed.region[r], "age": feed.age[r], "sid": &feed.codes[row * 2..row * 2 + 2],
            "logp": feed.logp[row], "pad": feed.padding[row],
            "past.sid": list(&feed.past, &feed.past_offsets), "wanted.sid": list(&feed.wanted, &feed.wanted_offsets),
        });
        if !feed.p_click[row].is_nan() {
            object["p_click"] = feed.p_click[row].into();
        }
        writeln!(log, "{object}").unwrap();
    }
    std::fs::write(folder.join("log.ndjson"), log).unwrap();
    std::fs::write(folder.join("items.csv"), ITEMS).unwrap();
    let input = data::Input { folder: folder.to_path_buf(), host: Host::Training, catalog: None };
    let bound = data::bind(reward.program(), reward.schema(), &input, &data::Silent).unwrap();
    let state = ControlState::default();
    let run = Run { host: Host::Training, state: &state, seed: 3, step: 8, stop: None };
    (Reference.score(reward.program(), &bound.batch, run).unwrap(), bound.items)
}

fn scorer(reward: &Reward, catalog: &Arc<MemoryCatalog>, requests: usize) -> Scorer<'static> {
    reward
        .bind(catalog)
        .training(Decode::Free, Order::Beam)
        .request(&["region", "age"])
        .rollout(&["p_click", "logp"])
        .past(&["sid"])
        .wanted(&["sid"])
        .capacity(Capacity { requests, group: GROUP, list: 9 })
        .build()
        .unwrap()
}

/// The columns of a feed for the inputs that a scorer declared; `known` says where `p_click` is not null.
fn inputs<'a>(
    feed: &'a Feed,
    keys: &'a [&'a str],
    known: Option<&'a [bool]>,
    scorer: &Scorer<'_>,
) -> (Requests<'a>, Rollouts<'a>) {
    let input = |name| scorer.input(name).unwrap();
    let requests = Requests::new(keys.len())
        .keys(keys)
        .with(input("region"), Given::Strings(&feed.region))
        .with(input("age"), Given::Reals(&feed.age))
        .past(&feed.past_offsets)
        .with(scorer.past_input("sid").unwrap(), Given::Sids { codes: &feed.past, levels: 2 })
        .wanted(&feed.wanted_offsets)
        .with(scorer.wanted_input("sid").unwrap(), Given::Sids { codes: &feed.wanted, levels: 2 });
    let mut rollouts = Rollouts::new(Groups::Even(GROUP))
        .sids(&feed.codes, 2)
        .padding(&feed.padding)
        .with(input("logp"), Given::Reals(&feed.logp));
    if let Some(p_click) = scorer.input("p_click") {
        rollouts = rollouts.with_nulls(p_click, Given::Reals(&feed.p_click), known);
    }
    (requests, rollouts)
}

/// A step of the feed through the host; NaN of `p_click` stands for null, as in the files.
fn by_host(feed: &Feed, scorer: &mut Scorer<'_>, check: impl FnOnce(rewardc::host::Scored<'_>)) {
    let keys: Vec<&str> = feed.keys.iter().map(String::as_str).collect();
    let known: Vec<bool> = feed.p_click.iter().map(|p| !p.is_nan()).collect();
    let (requests, rollouts) = inputs(feed, &keys, Some(&known), scorer);
    check(scorer.score(&requests, &rollouts, Step { seed: 3, step: 8 }).unwrap());
}

/// Everything outside the evaluator is scratch of the step before.
#[test]
fn a_warm_step_allocates_only_inside_the_evaluator() {
    let reward = reward();
    let folder = tempfile::tempdir().unwrap();
    let feed = feed(2, 40);
    std::fs::write(folder.path().join("items.csv"), ITEMS).unwrap();
    let catalog = catalog(&reward, folder.path());
    let mut scorer = scorer(&reward, &catalog, 40);
    let keys: Vec<&str> = feed.keys.iter().map(String::as_str).collect();
    let known: Vec<bool> = feed.p_click.iter().map(|p| !p.is_nan()).collect();
    let (requests, rollouts) = inputs(&feed, &keys, Some(&known), &scorer);
    let mut step = || count(|| scorer.score(&requests, &rollouts, Step { seed: 3, step: 8 }).map(|_| ()).unwrap()).0;
    let (_, _, warm, warmer) = (step(), step(), step(), step());
    assert_eq!(warm, warmer);
    let input = data::Input { folder: folder.path().to_path_buf(), host: Host::Training, catalog: None };
    by_files(&feed, &reward, folder.path());
    let bound = data::bind(reward.program(), reward.schema(), &input, &data::Silent).unwrap();
    let state = ControlState::default();
    let run = Run { host: Host::Training, state: &state, seed: 3, step: 8, stop: None };
    let (evaluator, scores) = count(|| Reference.score(reward.program(), &bound.batch, run));
    drop(scores);
    assert_eq!(warm - evaluator, 0, "{warm} in a step, {evaluator} in the evaluator");
}

fn catalog(reward: &Reward, folder: &std::path::Path) -> Arc<MemoryCatalog> {
    Arc::new(data::read_catalog(reward.schema(), folder, &data::Silent).unwrap())
}

#[test]
fn the_host_gives_the_bits_of_the_files() {
    let reward = reward();
    let folder = tempfile::tempdir().unwrap();
    let mut verdicts = std::collections::BTreeSet::new();
    let first = feed(0, 40);
    by_files(&first, &reward, folder.path());
    let catalog = catalog(&reward, folder.path());
    let mut scorer = scorer(&reward, &catalog, 40);
    for seed in 0..6 {
        let feed = feed(seed, 40);
        let (expected, items) = by_files(&feed, &reward, folder.path());
        by_host(&feed, &mut scorer, |scored| {
            assert_eq!(scored.verdicts(), expected.verdicts);
            for column in columns(reward.program()) {
                let (own, theirs) = (scored.column(column).unwrap(), expected.column(column).unwrap());
                let bits = |c: &rewardc::eval::NumberColumn| c.values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
                assert_eq!(own.known, theirs.known, "{}", column_names(reward.program(), column));
                assert_eq!(bits(own), bits(theirs), "{}", column_names(reward.program(), column));
            }
            for (row, item) in scored.item_idx().iter().enumerate() {
                let theirs = items.get(expected.item_of[row] as usize).map_or("", String::as_str);
                assert_eq!(catalog.key(*item as u32), theirs);
            }
            let counts = scored.counts();
            let ends = counts.by_rule.iter().map(|(_, n)| n).chain(counts.by_reason.iter().map(|(_, n)| n));
            assert_eq!(counts.rollouts, counts.scored + ends.sum::<u64>());
            verdicts.extend(scored.verdicts().iter().map(|v| v.word()));
        });
    }
    assert_eq!(verdicts.into_iter().collect::<Vec<_>>(), ["dropped", "illegal", "scored", "unscorable"]);
}

#[test]
fn a_source_is_asked_once_about_distinct_legal_pairs() {
    let reward = reward();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("items.csv"), ITEMS).unwrap();
    let catalog = catalog(&reward, folder.path());
    let feed = feed(1, 30);
    let asked = std::sync::Mutex::new(Vec::new());
    let source = SignalFn::new("head@1", "p_click", |pairs: &rewardc::host::Pairs<'_>, out: &mut [f32]| {
        for (i, p) in out.iter_mut().enumerate() {
            // One item that the model does not know.
            *p = if pairs.item_key(i) == "i7" { f32::NAN } else { 0.25 };
            asked.lock().unwrap().push((pairs.request_key(i).to_string(), pairs.item_key(i).to_string()));
        }
        Ok(())
    });
    let mut scorer = reward
        .bind(&catalog)
        .training(Decode::Free, Order::Beam)
        .request(&["region", "age"])
        .rollout(&["logp"])
        .past(&["sid"])
        .wanted(&["sid"])
        .signals(source)
        .held_out(SignalFn::new("other@1", "p_click", |_: &rewardc::host::Pairs<'_>, out: &mut [f32]| {
            out.fill(0.75);
            Ok(())
        }))
        .fail_above(0.9)
        .build()
        .unwrap();
    let keys: Vec<&str> = feed.keys.iter().map(String::as_str).collect();
    let (requests, rollouts) = inputs(&feed, &keys, None, &scorer);
    let scored = scorer.score(&requests, &rollouts, Step::default()).unwrap();
    let counts = scored.counts();
    let click = scored.column(rewardc::program::Column::Raw(0)).unwrap();
    for (row, verdict) in scored.verdicts().iter().enumerate() {
        let item = scored.item_idx()[row];
        let unknown = item >= 0 && catalog.key(item as u32) == "i7";
        match verdict {
            Verdict::Scored => assert!(!unknown && click.get(row, 0) == Some(0.25)),
            Verdict::Unscorable(Reason::SignalFailed) => assert!(unknown && !feed.padding[row]),
            _ => {}
        }
    }
    let (main, held_out) = (counts.signals.held_out[0].1, counts.signals.held_out[0].2);
    assert_eq!((main, held_out), (0.25, 0.75));
    assert!(counts.signals.failed > 0 && counts.signals.pairs > counts.signals.failed);
    let mut asked = asked.lock().unwrap().clone();
    let n = asked.len();
    asked.sort();
    asked.dedup();
    assert_eq!((asked.len(), n as u64), (n, counts.signals.pairs));
    assert!(asked.iter().all(|(_, item)| !item.is_empty()));
}

#[test]
fn everything_that_lacks_is_named_at_once() {
    let reward = reward();
    let catalog = Arc::new(MemoryCatalog::new(vec!["i1".into()], None).unwrap());
    let Err(fault) = reward.bind(&catalog).training(Decode::Free, Order::Beam).request(&["region"]).build() else {
        panic!("built")
    };
    assert_eq!(fault.code.id, "RW0901");
    for part in
        ["`p_click`, read at toy.reward:7", ".request(&[\"age\"])", ".past(&[\"sid\"])", "a column `plays`", ".wanted("]
    {
        assert!(fault.message.contains(part), "{part}: {}", fault.message);
    }
    assert!(!fault.message.contains("region"));
    insta::assert_snapshot!("what_lacks", fault.to_string());
    let refused = |binding: rewardc::host::Binding<'_>| binding.build().err().unwrap().code.id;
    assert_eq!(refused(reward.bind(&catalog).serving()), "RW0211");
    assert_eq!(refused(reward.bind(&catalog).training(Decode::Free, Order::Sampled)), "RW0610");
    assert_eq!(refused(reward.bind(&catalog).request(&["regoin"])), "RW0902");
    let state = ControlState { reward: Some("other@1#00".into()), ..ControlState::default() };
    assert_eq!(refused(reward.bind(&catalog).state(state)), "RW0807");
}

/// A code, and what is done to a sound feed.
type Spoilt = (&'static str, fn(&mut Feed));

#[test]
fn inputs_that_do_not_fit_are_refused_and_leave_the_scorer_sound() {
    let reward = reward();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("items.csv"), ITEMS).unwrap();
    let catalog = catalog(&reward, folder.path());
    let mut scorer = scorer(&reward, &catalog, 4);
    let good = feed(5, 4);
    let spoilt: [Spoilt; 8] = [
        ("RW0902", |f| f.region.truncate(2)),
        ("RW0902", |f| f.p_click.truncate(3)),
        ("RW0902", |f| f.codes.truncate(7)),
        ("RW0902", |f| f.padding.push(true)),
        ("RW0902", |f| f.past_offsets[1] = 99),
        ("RW0902", |f| f.wanted_offsets.truncate(2)),
        ("RW0902", |f| f.wanted.truncate(1)),
        ("RW0903", |f| f.keys.push("more".into())),
    ];
    for (code, spoil) in spoilt {
        let mut feed = feed(5, 4);
        spoil(&mut feed);
        let keys: Vec<&str> = feed.keys.iter().map(String::as_str).collect();
        let (requests, rollouts) = inputs(&feed, &keys, None, &scorer);
        let refused = scorer.score(&requests, &rollouts, Step::default()).err().unwrap();
        assert_eq!(refused.code.id, code, "{}", refused.message);
        let (expected, _) = by_files(&good, &reward, folder.path());
        by_host(&good, &mut scorer, |scored| assert_eq!(scored.verdicts(), expected.verdicts));
    }
}

#[test]
fn a_state_is_read_back_and_belongs_to_its_reward() {
    let reward = reward();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let mut state = host::load_or_start(&path, &reward).unwrap();
    assert_eq!(state.reward, Some(reward.id()));
    state.caps.insert("ads".into(), CapState { lambda: Some(0.25), ..CapState::default() });
    host::save(&state, &path).unwrap();
    assert_eq!(host::load_or_start(&path, &reward).unwrap(), state);
    for (from, to) in [("\"version\": 1", "\"version\": 2"), ("toy.host", "toy.other"), ("0.25", "\"much\"")] {
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace(from, to)).unwrap();
        assert_eq!(host::load_or_start(&path, &reward).unwrap_err().code.id, "RW0807", "{to}");
        std::fs::write(&path, text).unwrap();
    }
    assert_eq!(host::save(&state, folder.path().join("none/state.json")).unwrap_err().code.id, "RW0805");
    assert_eq!(host::load_or_start(&path, &reward).unwrap(), state);
}
