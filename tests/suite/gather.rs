//! SID → items → `resolve` against a dictionary that knows nothing of sorted arrays (R5.10).

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;

use rewardc::catalog::{self, Catalog, FileCatalog, MemoryCatalog, Sids};
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

/// Everything that a catalog is asked.
fn answers(catalog: &dyn Catalog) -> String {
    let (mut next, mut said) = (Vec::new(), String::new());
    for item in 0..=catalog.n_items() as u32 {
        let key = catalog.key(item);
        writeln!(said, "{key} {:?} {:?}", catalog.item(key), catalog.sid(item)).unwrap();
    }
    for a in 0..4 {
        catalog.allowed(&[a], &mut next);
        writeln!(said, "{a}: {next:?}, {:?}", (0..4).map(|b| catalog.behind(&[a, b])).collect::<Vec<_>>()).unwrap();
    }
    for feature in catalog.features() {
        let column = catalog.column(feature).unwrap();
        writeln!(said, "{feature}: {:?} {:?}", column.values, column.valid).unwrap();
    }
    let texts: Vec<&str> = (0..catalog.texts().len() as u32).map(|t| catalog.texts().text(t)).collect();
    writeln!(said, "{texts:?} {:?} {:?} {}", catalog.by_sid(), catalog.shape(), catalog.id()).unwrap();
    said
}

#[test]
fn a_catalog_file_answers_like_the_catalog_it_was_made_of() {
    let schema = "schema: toy
keys: {item: item_id}
features:
  sid: {scale: sid, shape: [4, 4]}
  item_id: {entity: item, scale: id}
  ad: {entity: item, scale: bool}
  plays: {entity: item, scale: count}
  age: {entity: item, scale: number, range: [0, 9], nullable: true}
  tags: {entity: item, scale: set}
  place: {entity: item, scale: vector(2)}
  maker: {entity: item, scale: id}
";
    let files = MemoryFiles::default().with("toy.yaml", schema);
    let text =
        "language 1\nscenario toy.c\nversion 1\nschema \"toy.yaml\"\nfor training\npreference { term one = 1 }\n";
    let reward = Reward::from_text("toy.reward", text, &files).unwrap();
    let keys = ["b", "a", "é", "10", "9"].map(String::from).to_vec();
    let codes = [1, 2, 0, 3, u32::MAX, u32::MAX, 1, 2, 3, 0];
    let mut catalog = MemoryCatalog::new(keys, Some(Sids { codes: &codes, levels: 2 })).unwrap();
    catalog.add_key("item_id");
    let texts = ["x", "y", "x", "", "z"].map(String::from);
    let members = ["new", "live", "new"].map(String::from);
    reward.add_column(&mut catalog, "ad", Given::Bools(&[true, false, true, true, false]), None).unwrap();
    reward.add_column(&mut catalog, "plays", Given::Wholes(&[1, 2, 3, 4, 1 << 40]), None).unwrap();
    let known = [true, false, true, true, false];
    reward.add_column(&mut catalog, "age", Given::Reals(&[0.5, 0.0, 9.0, 1.0, 0.0]), Some(&known)).unwrap();
    reward
        .add_column(&mut catalog, "tags", Given::Sets { members: &members, offsets: &[0, 2, 2, 3, 3, 3] }, None)
        .unwrap();
    let place: Vec<f32> = (0..10).map(|i| i as f32 / 8.0).collect();
    reward.add_column(&mut catalog, "place", Given::Vectors { values: &place, size: 2 }, None).unwrap();
    reward.add_column(&mut catalog, "maker", Given::Strings(&texts), None).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("toy.catalog");
    catalog::write(&catalog, &path).unwrap();
    assert_eq!(answers(&FileCatalog::open(&path).unwrap()), answers(&catalog));

    // Any byte changed, any end cut off: refused.
    let whole = std::fs::read(&path).unwrap();
    let other = folder.path().join("other.catalog");
    let refused = |bytes: &[u8]| {
        std::fs::write(&other, bytes).unwrap();
        FileCatalog::open(&other).err().map(|fault| fault.code.id)
    };
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        assert_eq!(refused(&bytes), Some("RW0611"), "byte {at} of {}", whole.len());
    }
    for n in [0, 1, 15, 16, 31, 32, whole.len() - 1] {
        assert_eq!(refused(&whole[..n]), Some("RW0611"), "{n} bytes");
    }
    assert_eq!(FileCatalog::open(folder.path()).err().map(|f| f.code.id), Some("RW0611"));
    let none = MemoryCatalog::new(vec![], None).unwrap();
    catalog::write(&none, &path).unwrap();
    assert_eq!(answers(&FileCatalog::open(&path).unwrap()), answers(&none));
}
