//! Generated rollouts on public SID tables through files and through the host: the same bits.
//! `bindings/python/tests/test_three_ways.py` does the same with Python, and with a real log.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use rewardc::catalog::{Catalog, MemoryCatalog, Sids};
use rewardc::data;
use rewardc::eval::reference::Reference;
use rewardc::eval::{ControlState, Evaluator, NumberColumn, Run};
use rewardc::host::{Capacity, Given, Groups, Requests, Reward, Rollouts, Step};
use rewardc::program::{column_names, columns};
use rewardc::types::Host;

use crate::programs::Random;

const REWARD: &str = "language 1
scenario public.sids
version 1
schema \"generated.yaml\"
for training
preference {
    term click weight 2 = p_click
    term near = max(common_prefix(sid, wanted.sid) over targets) ?? 0
    gate popular = plays > 100
}
ecosystem {
    cap one_author { at most 1 of slate per author  penalty 0.5 per item over, after normalizing }
    term spread weight 0.3 = rank(p_click over group) / 16
}
format {
    require legal = sid in catalog else lowest
    require unseen = sid not in past.sid else drop
    require first = sid is first in group else -3
}
token advantage depth = if code == (max(wanted.code over targets) ?? 999) then 1 else 0
advantage legality = 1 pick 3 of group at random
";

fn schema(levels: usize) -> String {
    let shape = vec!["256"; levels].join(", ");
    format!(
        "schema: generated
sources:
  rollouts: {{file: rollouts.ndjson, entity: rollout}}
  items: {{file: items.csv, entity: item, key: item_id, join: must match}}
keys: {{request: request_id, item: item_id, padding: pad}}
catalog: {{file: items.csv, item: item_id, sid: sid, resolve: by plays}}
spans: {{request: [request_id], training: {{slate: first 4 of group, order: beam}}, longest: {{group: 16}}}}
lists:
  past: {{from: row, features: [sid]}}
  wanted: {{from: row, features: [sid]}}
features:
  sid: {{scale: sid, shape: [{shape}]}}
  plays: {{entity: item, scale: count}}
  author: {{entity: item, scale: id}}
  p_click: {{entity: model, scale: probability}}
"
    )
}

/// Item keys and codes of a table with the columns item_id, a, b, c[, d].
fn table(path: &Path, levels: usize) -> (Vec<String>, Vec<u32>) {
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines().map(|l| l.split(',').collect::<Vec<_>>());
    let header = lines.next().unwrap();
    let place = |name: &str| header.iter().position(|h| *h == name).unwrap();
    let codes_at: Vec<usize> = ["a", "b", "c", "d"][..levels].iter().map(|l| place(l)).collect();
    let (mut keys, mut codes) = (Vec::new(), Vec::new());
    for cells in lines {
        keys.push(cells[place("item_id")].to_string());
        codes.extend(codes_at.iter().map(|i| cells[*i].parse::<u32>().unwrap()));
    }
    (keys, codes)
}

const GROUP: usize = 16;
const REQUESTS: usize = 120;

/// Lists of entries with their offsets.
type Lists = (Vec<u32>, Vec<u32>);

struct Feed {
    codes: Vec<u32>,
    click: Vec<f32>,
    padding: Vec<bool>,
    past: Lists,
    wanted: Lists,
}

/// Items, near misses, codes that no codebook has, repeats, padding; some was seen before.
fn feed(random: &mut Random, sids: &[u32], levels: usize) -> Feed {
    let n = (sids.len() / levels) as u64;
    let item = |random: &mut Random| {
        let at = random.below(n) as usize * levels;
        sids[at..at + levels].to_vec()
    };
    let mut feed =
        Feed { codes: vec![], click: vec![], padding: vec![], past: (vec![], vec![0]), wanted: (vec![], vec![0]) };
    for request in 0..REQUESTS {
        let begun = feed.codes.len();
        for i in 0..GROUP {
            let mut sid = item(random);
            match random.below(10) {
                0 => sid[levels - 1] = random.below(256) as u32,
                1 => sid[0] = 999,
                2 | 3 if i > 0 => sid = feed.codes[feed.codes.len() - levels..].to_vec(),
                _ => {}
            }
            feed.codes.extend(sid);
            feed.click.push([0.125, 0.3, 0.7, 1.5][random.below(4) as usize]);
            feed.padding.push(random.below(20) == 0);
        }
        for _ in 0..random.below(4) {
            let seen = if request % 2 == 0 { feed.codes[begun..begun + levels].to_vec() } else { item(random) };
            feed.past.0.extend(seen);
        }
        feed.past.1.push((feed.past.0.len() / levels) as u32);
        for _ in 0..random.below(3) {
            feed.wanted.0.extend(item(random));
        }
        feed.wanted.1.push((feed.wanted.0.len() / levels) as u32);
    }
    feed
}

fn write_files(feed: &Feed, keys: &[String], sids: &[u32], plays: &[i64], levels: usize, folder: &Path) {
    let mut items = String::from("item_id,sid,plays,author\n");
    for ((key, sid), plays) in keys.iter().zip(sids.chunks(levels)).zip(plays) {
        let sid: Vec<String> = sid.iter().map(u32::to_string).collect();
        writeln!(items, "{key},{},{plays},a{}", sid.join("|"), plays % 40).unwrap();
    }
    let mut log = String::new();
    for row in 0..feed.click.len() {
        let r = row / GROUP;
        let list = |(codes, offsets): &Lists| {
            let entries = codes.chunks(levels).map(<[u32]>::to_vec);
            entries.skip(offsets[r] as usize).take((offsets[r + 1] - offsets[r]) as usize).collect::<Vec<_>>()
        };
        let line = serde_json::json!({
            "request_id": format!("r{r}"), "sid": &feed.codes[row * levels..(row + 1) * levels],
            "p_click": feed.click[row], "pad": feed.padding[row],
            "past.sid": list(&feed.past), "wanted.sid": list(&feed.wanted),
        });
        writeln!(log, "{line}").unwrap();
    }
    std::fs::write(folder.join("items.csv"), items).unwrap();
    std::fs::write(folder.join("rollouts.ndjson"), log).unwrap();
    std::fs::write(folder.join("generated.yaml"), schema(levels)).unwrap();
    std::fs::write(folder.join("public.reward"), REWARD).unwrap();
}

#[test]
fn rollouts_on_public_sids_get_the_same_bits() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    if !shared.is_dir() {
        println!("skipped: no shared data");
        return;
    }
    for (file, levels) in [
        ("minionerec_industrial/sid_index.csv", 3),
        ("collisiongenrec_scientific/sid_index_rkmeans_native.csv", 4),
        ("genrec_instruments/sid_index.csv", 4),
    ] {
        let (keys, sids) = table(&shared.join(file), levels);
        let mut random = Random(levels as u64);
        let plays: Vec<i64> = keys.iter().map(|_| random.below(1000) as i64).collect();
        let feed = feed(&mut random, &sids, levels);
        let folder = tempfile::tempdir().unwrap();
        write_files(&feed, &keys, &sids, &plays, levels, folder.path());
        let reward = Reward::load(folder.path().join("public.reward")).unwrap();

        let input = data::Input { folder: folder.path().to_path_buf(), host: Host::Training, catalog: None };
        let bound = data::bind(reward.program(), reward.schema(), &input, &data::Silent).unwrap();
        let state = ControlState::default();
        let run = Run { host: Host::Training, state: &state, seed: 5, step: 2, stop: None };
        let expected = Reference.score(reward.program(), &bound.batch, run).unwrap();

        let mut catalog = MemoryCatalog::new(keys, Some(Sids { codes: &sids, levels })).unwrap();
        let authors: Vec<String> = plays.iter().map(|p| format!("a{}", p % 40)).collect();
        reward.add_column(&mut catalog, "plays", Given::Wholes(&plays), None).unwrap();
        reward.add_column(&mut catalog, "author", Given::Strings(&authors), None).unwrap();
        let catalog = Arc::new(catalog);
        let capacity = Capacity { requests: REQUESTS, group: GROUP, list: 9 };
        let binding = reward.bind(&catalog).rollout(&["p_click"]).past(&["sid"]).wanted(&["sid"]).capacity(capacity);
        let mut scorer = binding.build().unwrap();
        let request_keys: Vec<String> = (0..REQUESTS).map(|r| format!("r{r}")).collect();
        let request_keys: Vec<&str> = request_keys.iter().map(String::as_str).collect();
        let requests = Requests::new(REQUESTS)
            .keys(&request_keys)
            .past(&feed.past.1)
            .with(scorer.past_input("sid").unwrap(), Given::Sids { codes: &feed.past.0, levels })
            .wanted(&feed.wanted.1)
            .with(scorer.wanted_input("sid").unwrap(), Given::Sids { codes: &feed.wanted.0, levels });
        let rollouts = Rollouts::new(Groups::Even(GROUP))
            .sids(&feed.codes, levels)
            .padding(&feed.padding)
            .with(scorer.input("p_click").unwrap(), Given::Reals(&feed.click));
        let scored = scorer.score(&requests, &rollouts, Step { seed: 5, step: 2 }).unwrap();

        assert_eq!(scored.verdicts(), expected.verdicts, "{file}");
        let bits = |c: &NumberColumn| c.values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        for column in columns(reward.program()) {
            let (own, theirs) = (scored.column(column).unwrap(), expected.column(column).unwrap());
            assert_eq!(own.known, theirs.known, "{file}: {}", column_names(reward.program(), column));
            assert_eq!(bits(own), bits(theirs), "{file}: {}", column_names(reward.program(), column));
        }
        for (row, item) in scored.item_idx().iter().enumerate() {
            let theirs = bound.items.get(expected.item_of[row] as usize).map_or("", String::as_str);
            assert_eq!(scorer_key(&*catalog, *item), theirs, "{file}: row {row}");
        }
        let counts = scored.counts();
        let ends = counts.by_rule.iter().map(|(rule, n)| (rule.as_str(), *n));
        let ends: Vec<_> = ends.chain(counts.by_reason.iter().map(|(reason, n)| (*reason, *n))).collect();
        for end in ["legal", "unseen", "first", "padding", "out_of_range"] {
            let n = ends.iter().find(|(e, _)| *e == end).unwrap().1;
            assert!(n > 20, "{file}: {end} only {n} times");
        }
    }
}

fn scorer_key(catalog: &dyn Catalog, item: i32) -> &str {
    u32::try_from(item).map_or("", |i| catalog.key(i))
}
