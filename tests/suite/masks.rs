//! Masks against the rules that they stand for: what a mask allows is what the scorer finds legal.

use std::sync::Arc;

use rewardc::catalog::{Catalog, Free, Mask, MemoryCatalog, NextCodes, Sids};
use rewardc::eval::Verdict;
use rewardc::host::{Decode, Given, Groups, Order, Requests, Reward, Rollouts, Step};
use rewardc::source::MemoryFiles;

use crate::programs::Random;

const SCHEMA: &str = "schema: toy
keys: {item: item_id}
catalog: {file: none.csv, item: item_id, sid: sid, resolve: RESOLVE}
spans: {longest: {group: 4, history: 9}}
lists: {past: {from: row, features: [sid]}}
features:
  sid: {scale: sid, shape: [3, 3, 4]}
  item_id: {entity: item, scale: id}
  ad: {entity: item, scale: bool}
  plays: {entity: item, scale: number, range: [0, 9], nullable: true}
  strict: {entity: request, scale: bool}
";

/// Rules of every kind that is known beforehand; where no request rule but the last acts, only the past is judged.
fn reward(resolve: &str, strict: bool) -> Reward {
    let played = if strict { "require played = not strict or (plays ?? 0) > 4 else drop" } else { "" };
    let text = format!(
        "language 1
scenario toy.masks
version 1
schema \"toy.yaml\"
for training, serving
format {{
    require legal = sid in catalog else lowest
    require clean = not ad else lowest
    {played}
    require unseen = sid not in past.sid else drop
}}
preference {{ term one = 1 }}
"
    );
    let files = MemoryFiles::default().with("toy.yaml", SCHEMA.replace("RESOLVE", resolve));
    Reward::from_text("toy.reward", &text, &files).unwrap()
}

#[test]
fn a_mask_allows_what_the_rules_do() {
    let (mut allowed, mut refused) = (0, 0);
    for seed in 0..120 {
        let mut random = Random(seed);
        let n = random.below(40) as usize;
        let sids: Vec<[u32; 3]> =
            (0..n).map(|_| [random.below(3) as u32, random.below(3) as u32, random.below(4) as u32]).collect();
        let codes: Vec<u32> = sids.iter().flat_map(|s| if random.below(9) == 0 { [u32::MAX; 3] } else { *s }).collect();
        let keys = (0..n).map(|i| format!("i{i}")).collect();
        let mut catalog = MemoryCatalog::new(keys, Some(Sids { codes: &codes, levels: 3 })).unwrap();
        let strict = seed % 3 > 0;
        let reward = reward(["first", "by plays"][seed as usize % 2], strict);
        let ads: Vec<bool> = (0..n).map(|_| random.below(4) == 0).collect();
        let plays: Vec<f32> = (0..n).map(|_| random.below(10) as f32).collect();
        let known: Vec<bool> = (0..n).map(|_| random.below(5) > 0).collect();
        reward.add_column(&mut catalog, "ad", Given::Bools(&ads), None).unwrap();
        reward.add_column(&mut catalog, "plays", Given::Reals(&plays), Some(&known)).unwrap();
        let catalog = Arc::new(catalog);
        let binding = reward.bind(&catalog).training(Decode::Masked, Order::Sampled).past(&["sid"]);
        let mut scorer = if strict { binding.request(&["strict"]) } else { binding }.build().unwrap();

        // Two requests: histories of items of the catalog, and of SIDs that no item has.
        let mut past = Vec::new();
        let mut offsets = vec![0_u32];
        for _ in 0..2 {
            for _ in 0..random.below(8) {
                let known = n > 0 && random.below(4) > 0;
                past.extend(if known { sids[random.below(n as u64) as usize] } else { [2, 2, 3] });
            }
            offsets.push(past.len() as u32 / 3);
        }
        let strict_values = [random.below(2) == 0, true];
        let past_input = scorer.past_input("sid").unwrap();
        let input = scorer.input("strict");
        let mut requests = Requests::new(2).past(&offsets).with(past_input, Given::Sids { codes: &past, levels: 3 });
        if let Some(input) = input {
            requests = requests.with(input, Given::Bools(&strict_values));
        }
        let all: Vec<[u32; 3]> = (0..36).map(|i| [i / 12, i / 4 % 3, i % 4]).collect();
        let masks = scorer.masks(&requests).unwrap();
        let mut leaves: Vec<Vec<bool>> = Vec::new();
        for request in 0..2 {
            leaves.push(all.iter().map(|sid| masks.allows(request, sid)).collect());
            // Prefix by prefix: a code is allowed where something legal begins with it.
            for prefix in all.iter().flat_map(|sid| (0..=3).map(|level| &sid[..level])) {
                let mut next = Vec::new();
                masks.next(request, prefix, &mut next);
                let begins = |code: u32| {
                    let mut longer = prefix.to_vec();
                    longer.push(code);
                    all.iter().zip(&leaves[request]).any(|(sid, legal)| *legal && sid.starts_with(&longer))
                };
                let expected: Vec<u32> = (0..4).filter(|code| begins(*code)).collect();
                assert_eq!(next, expected, "seed {seed}, request {request}, {prefix:?}");
                let items = masks.items(request, prefix);
                assert_eq!(items.len(), masks.beneath(request, prefix) as usize);
                assert!(items.iter().all(|i| catalog.sid(*i).unwrap().starts_with(prefix)));
            }
        }
        let flat: Vec<u32> = all.concat();
        // A schema's longest group is of no matter to a mask; rollouts are scored in groups that keep it.
        for (from, some) in flat.chunks(4 * 3).enumerate() {
            let twice = [some, some].concat();
            let scored = scorer
                .score(&requests, &Rollouts::new(Groups::Even(some.len() / 3)).sids(&twice, 3), Step::default())
                .unwrap();
            for (row, verdict) in scored.verdicts().iter().enumerate() {
                let (request, place) = (row / (some.len() / 3), row % (some.len() / 3));
                let legal = leaves[request][from * 4 + place];
                let sid = all[from * 4 + place];
                assert_eq!(legal, *verdict == Verdict::Scored, "seed {seed}, request {request}, {sid:?}: {verdict:?}");
                *if legal { &mut allowed } else { &mut refused } += 1;
            }
        }
    }
    assert!(allowed > 800 && refused > 800, "{allowed} allowed, {refused} refused");
}

/// A class is what its condition says, whatever the rules do with its items.
#[test]
fn classes_are_those_of_the_caps() {
    let text = "language 1
scenario toy.classes
version 1
schema \"toy.yaml\"
for training
preference { term one = 1 }
ecosystem {
    cap ads on ad { at most 10% of group  dual up to 1 }
    cap played on (plays ?? 0) > 4 { at most 50% of group  dual up to 1 }
    cap strict_ads on ad and strict { at most 50% of group  dual up to 1 }
}
format { require clean = not ad else drop }
";
    let files = MemoryFiles::default().with("toy.yaml", SCHEMA.replace("RESOLVE", "first"));
    let reward = Reward::from_text("toy.reward", text, &files).unwrap();
    let keys = ["a", "b", "c", "d"].map(String::from).to_vec();
    let codes = [0, 0, 0, 0, 0, 0, 1, 0, 0, u32::MAX, u32::MAX, u32::MAX];
    let mut catalog = MemoryCatalog::new(keys, Some(Sids { codes: &codes, levels: 3 })).unwrap();
    reward.add_column(&mut catalog, "ad", Given::Bools(&[true, false, true, false]), None).unwrap();
    let known = [true, true, false, true];
    reward.add_column(&mut catalog, "plays", Given::Reals(&[9.0, 1.0, 9.0, 5.0]), Some(&known)).unwrap();
    let catalog = Arc::new(catalog);
    let binding = reward.bind(&catalog).training(Decode::Free, Order::Sampled).request(&["strict"]);
    let classes = binding.build().unwrap().classes().unwrap();
    let expected = [("ads", [true, false, true, false]), ("played", [true, false, false, true])];
    assert_eq!(classes, expected.map(|(name, is)| (name.to_string(), is.to_vec())));
}

#[test]
fn next_codes_as_lists_rows_and_bits() {
    let free = Free { shape: &[3, 70] };
    let rows: [(usize, &[u32]); 3] = [(0, &[]), (0, &[2]), (1, &[1, 69])];
    let next = NextCodes::of(&free, rows);
    assert_eq!(next.offsets, [0, 3, 73, 73]);
    assert_eq!(next.rows().map(<[u32]>::len).collect::<Vec<_>>(), [3, 70, 0]);
    // 70 codes are three words: 32 + 32 + 6.
    assert_eq!(next.bits(70), [0b111, 0, 0, u32::MAX, u32::MAX, 0b11_1111, 0, 0, 0]);
}

#[test]
fn a_mask_needs_a_catalog_with_sids() {
    let text =
        "language 1\nscenario toy.n\nversion 1\nschema \"toy.yaml\"\nfor training\npreference { term one = 1 }\n";
    let files = MemoryFiles::default().with("toy.yaml", "schema: toy\nfeatures:\n  sid: {scale: sid, shape: [3]}\n");
    let reward = Reward::from_text("toy.reward", text, &files).unwrap();
    let mut scorer = reward.bind_without_catalog().training(Decode::Free, Order::Sampled).build().unwrap();
    assert_eq!(scorer.masks(&Requests::new(1)).err().unwrap().code.id, "RW0611");
}
