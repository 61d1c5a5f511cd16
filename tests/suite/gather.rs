//! SID → items → `resolve` against a dictionary that knows nothing of sorted arrays (R5.10).

use std::collections::HashMap;
use std::sync::Arc;

use rewardc::catalog::{Catalog, MemoryCatalog, Sids};
use rewardc::eval::Verdict;
use rewardc::host::{Given, Groups, Requests, Reward, Rollouts, Step};
use rewardc::program::Column;
use rewardc::source::MemoryFiles;

use crate::programs::Random;

fn reward(resolve: &str, levels: usize) -> Reward {
    let shape = vec!["3"; levels].join(", ");
    let schema = format!(
        "schema: toy
keys: {{item: item_id}}
catalog: {{file: none.csv, item: item_id, sid: sid, resolve: {resolve}}}
features:
  sid: {{scale: sid, shape: [{shape}]}}
  item_id: {{entity: item, scale: id}}
  ad: {{entity: item, scale: bool}}
  plays: {{entity: item, scale: number, range: [0, 9], nullable: true}}
  strict: {{entity: request, scale: bool}}
"
    );
    let text = "language 1
scenario toy.gather
version 1
schema \"toy.yaml\"
for training
format {
    require legal = sid in catalog else -3
    require clean = not ad else -2
    require played = not strict or (plays ?? 0) > 4 else drop
}
preference { term played_most = plays ?? -1 }
";
    Reward::from_text("toy.reward", text, &MemoryFiles::default().with("toy.yaml", schema)).unwrap()
}

#[derive(Debug)]
struct Item {
    sid: Option<Vec<u32>>,
    ad: bool,
    plays: Option<f32>,
}

/// What becomes of a SID: its item, or the rule that left none.
fn by_hand(
    items: &[Item],
    dictionary: &HashMap<Vec<u32>, Vec<usize>>,
    sid: &[u32],
    strict: bool,
    most: bool,
) -> Result<usize, Verdict> {
    let Some(mut left) = dictionary.get(sid).cloned() else { return Err(Verdict::Illegal(0)) };
    left.retain(|i| !items[*i].ad);
    if left.is_empty() {
        return Err(Verdict::Illegal(1));
    }
    left.retain(|i| !strict || items[*i].plays.unwrap_or(0.0) > 4.0);
    let first = *left.first().ok_or(Verdict::Dropped(2))?;
    if !most {
        return Ok(first);
    }
    // The highest; missing last; of equal ones the first in catalog order.
    let mut best = first;
    for i in left {
        if items[i].plays.is_some_and(|p| items[best].plays.is_none_or(|b| p > b)) {
            best = i;
        }
    }
    Ok(best)
}

#[test]
fn the_catalog_answers_like_a_dictionary() {
    let mut shared = 0;
    for seed in 0..400 {
        let mut random = Random(seed);
        let (levels, n) = (1 + random.below(3) as usize, random.below(30) as usize);
        let most = random.below(2) == 0;
        let sid = |random: &mut Random, codes: u64| (0..levels).map(|_| random.below(codes) as u32).collect::<Vec<_>>();
        let items: Vec<Item> = (0..n)
            .map(|_| Item {
                sid: (random.below(8) > 0).then(|| sid(&mut random, 3)),
                ad: random.below(3) == 0,
                plays: (random.below(4) > 0).then(|| random.below(10) as f32),
            })
            .collect();
        let mut dictionary: HashMap<Vec<u32>, Vec<usize>> = HashMap::new();
        for (i, item) in items.iter().enumerate() {
            if let Some(sid) = &item.sid {
                dictionary.entry(sid.clone()).or_default().push(i);
            }
        }
        shared += dictionary.values().filter(|items| items.len() > 1).count();

        let codes: Vec<u32> = items.iter().flat_map(|i| i.sid.clone().unwrap_or(vec![u32::MAX; levels])).collect();
        let keys = (0..n).map(|i| format!("i{i}")).collect();
        let mut catalog = MemoryCatalog::new(keys, Some(Sids { codes: &codes, levels })).unwrap();
        let reward = reward(if most { "by plays" } else { "first" }, levels);
        let ads: Vec<bool> = items.iter().map(|i| i.ad).collect();
        let plays: Vec<f32> = items.iter().map(|i| i.plays.unwrap_or(0.0)).collect();
        let known: Vec<bool> = items.iter().map(|i| i.plays.is_some()).collect();
        reward.add_column(&mut catalog, "ad", Given::Bools(&ads), None).unwrap();
        reward.add_column(&mut catalog, "plays", Given::Reals(&plays), Some(&known)).unwrap();
        let catalog = Arc::new(catalog);

        let mut prefix = sid(&mut random, 4);
        prefix.truncate(random.below(levels as u64 + 1) as usize);
        let mut next = Vec::new();
        catalog.allowed(&prefix, &mut next);
        let mut follows: Vec<u32> = dictionary
            .keys()
            .filter(|s| s.len() > prefix.len() && s.starts_with(&prefix))
            .map(|s| s[prefix.len()])
            .collect();
        follows.sort_unstable();
        follows.dedup();
        assert_eq!(next, follows, "seed {seed}, {prefix:?}");

        let mut scorer = reward.bind(&catalog).request(&["strict"]).build().unwrap();
        let strict = [random.below(2) == 0, random.below(2) == 0];
        // Code 3 is outside the shape: no item has it.
        let asked: Vec<Vec<u32>> = (0..16).map(|_| sid(&mut random, 4)).collect();
        let flat = asked.concat();
        let requests = Requests::new(2).with(scorer.input("strict").unwrap(), Given::Bools(&strict));
        let rollouts = Rollouts::new(Groups::Even(8)).sids(&flat, levels);
        let scored = scorer.score(&requests, &rollouts, Step::default()).unwrap();
        for (row, sid) in asked.iter().enumerate() {
            let expected = by_hand(&items, &dictionary, sid, strict[row / 8], most);
            let shown = || format!("seed {seed}, {sid:?}, expected {expected:?}, {items:?}");
            match expected {
                Ok(item) => {
                    assert_eq!(scored.verdicts()[row], Verdict::Scored, "{}", shown());
                    assert_eq!(scored.item_idx()[row], item as i32, "{}", shown());
                    let plays = items[item].plays.map_or(-1.0, f64::from);
                    assert_eq!(scored.column(Column::Part(0)).unwrap().get(row, 0), Some(plays), "{}", shown());
                }
                Err(verdict) => {
                    assert_eq!(scored.verdicts()[row], verdict, "{}", shown());
                    assert!(verdict != Verdict::Illegal(0) || scored.item_idx()[row] == -1, "{}", shown());
                }
            }
        }
    }
    assert!(shared > 400, "{shared} SIDs with several items");
}
