//! Training, generation and evaluation by command: stopped, killed, refused.

use std::fmt::Write;
use std::time::Duration;

use super::Desk;

const CONFIG: &str = "train: toy
schema: world.yaml
interactions: {file: users.ndjson, items: items}
decoder: {history: 4, d_model: 16, d_ffn: 24, layers: 1, heads: 2, kv_groups: 2}
pretrain: {steps: 40, batch: 16, lr: 1e-2, warm_up: 5, drop_items: 0.2}
rl: {steps: 12, batch: 6, group: 8, lr: 1e-3, watch: 6, updates: 2, bound: ecpo, kl: 0.1}
";

const WORLD: &str = "schema: world
keys: {item: item_id}
catalog: {file: items.csv, item: item_id, sid: sid}
sources: {items: {file: items.csv, entity: item, key: item_id}}
spans: {training: {slate: first 4 of group, order: beam}, longest: {group: 32}}
lists:
  past: {from: row, features: [sid]}
  wanted: {from: row, features: [sid]}
features:
  item_id: {entity: item, scale: id}
  sid: {scale: sid, shape: [6, 8]}
  ad: {entity: item, scale: bool}
  liked: {entity: impression, scale: bool}
  log_prob: {entity: rollout, scale: number, range: [-200, 0]}
";

const REWARD: &str = "language 1
scenario toy.rl
version 1
schema \"world.yaml\"
for training
param most = 20% in 1%..50%
preference { term hit = if sid in wanted.sid then 1 else 0 }
ecosystem { cap ads on ad { at most most of slate  dual up to 3 } }
format {
    require legal = sid in catalog else lowest
    require unseen = sid not in past.sid else lowest
}
";

const SERVING: &str = "language 1
scenario toy.serving
version 1
schema \"world.yaml\"
for serving
preference { term likely = log_prob / 10 }
ecosystem { cap ads on ad { at most 1 of slate  hard } }
format {
    require legal = sid in catalog else drop
    require unseen = sid not in past.sid else drop
}
";

const CONTROLLERS: &str =
    "controllers: toy\ncaps:\n  ads: {counts: generated, rule: pid, gain: {p: 2, i: 0.1, d: 0}}\n";

/// 40 items, every third an ad, and 40 users who go on from item to item.
fn desk() -> Desk {
    let mut items = String::from("item_id,sid,ad\n");
    for i in 0..40 {
        writeln!(items, "i{i},{}|{},{}", i / 8, i % 8, i % 3 == 0).unwrap();
    }
    let mut users = String::new();
    for user in 0..40 {
        let own: Vec<String> =
            (0..6 + user % 3).map(|t| format!("\"i{}\"", (user * 7 + t * (1 + user % 2)) % 40)).collect();
        writeln!(users, "{{\"items\": [{}]}}", own.join(", ")).unwrap();
    }
    Desk::new()
        .put("config.yaml", CONFIG)
        .put("world.yaml", WORLD)
        .put("items.csv", items)
        .put("users.ndjson", users)
        .put("rl.reward", REWARD)
        .put("serving.reward", SERVING)
        .put("c.yaml", CONTROLLERS)
}

const PRETRAIN: [&str; 6] = ["train", "pretrain", "config.yaml", "--data", ".", "--save-every"];

fn pretrain<'a>(every: &'a str, out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&PRETRAIN, &[every, "--out", out][..], more].concat()
}

fn rl<'a>(out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let own =
        ["train", "rl", "config.yaml", "--data", ".", "--checkpoint", "base.safetensors", "--reward", "rl.reward"];
    [&own[..], &["--controllers", "c.yaml", "--save-every", "1", "--out", out], more].concat()
}

/// The checkpoint of a run, and its metrics but for the times, are those of another.
fn same(desk: &Desk, a: &str, b: &str) {
    let bytes = |name: &str| std::fs::read(desk.path(&format!("{name}.safetensors"))).unwrap();
    assert!(bytes(a) == bytes(b), "{a} and {b} differ");
    let steps = |name: &str| -> Vec<serde_json::Value> {
        let lines = desk.text(&format!("{name}.jsonl"));
        let read = |line: &str| {
            let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
            line.as_object_mut().unwrap().remove("seconds");
            line
        };
        lines.lines().map(read).collect()
    };
    assert_eq!(steps(a), steps(b));
}

/// Killed again and again at any moment, and gone on with each time, a run ends with the same bits.
fn killed_and_resumed(desk: &Desk, args: &dyn Fn(&str, &[&'static str]) -> Vec<String>, name: &str) {
    let words = |out: &str, more: &[&'static str]| args(out, more);
    let strs = |words: &[String]| words.iter().map(String::as_str).map(str::to_string).collect::<Vec<_>>();
    let begun = std::time::Instant::now();
    let whole = format!("{name}-whole.safetensors");
    desk.fine(&strs(&words(&whole, &[])).iter().map(String::as_str).collect::<Vec<_>>());
    let took = begun.elapsed();
    let cut = format!("{name}-cut.safetensors");
    let again = words(&cut, &["--resume"]);
    let again: Vec<&str> = again.iter().map(String::as_str).collect();
    let mut killed = 0;
    for i in 0..20_u32 {
        let mut child = desk
            .command(&again)
            .stderr(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        // All twenty together are about as long as the run.
        std::thread::sleep(took.mul_f64(f64::from(1 + i * 7 % 20) / 210.0).max(Duration::from_millis(1)));
        killed += u32::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(killed >= 10, "{killed} of 20 kills fell into the work");
    desk.fine(&again);
    same(desk, &format!("{name}-whole"), &format!("{name}-cut"));
}

#[test]
fn a_run_killed_twenty_times_ends_with_the_same_bits() {
    let desk = desk();
    // Long enough that most kills fall into the work.
    desk.change("config.yaml", CONFIG.replace("steps: 40", "steps: 240").replace("steps: 12", "steps: 60"));
    let owned = |words: Vec<&str>| words.into_iter().map(str::to_string).collect::<Vec<String>>();
    killed_and_resumed(&desk, &|out, more| owned(pretrain("3", out, more)), "p");
    std::fs::copy(desk.path("p-whole.safetensors"), desk.path("base.safetensors")).unwrap();
    killed_and_resumed(&desk, &|out, more| owned(rl(out, more)), "r");
}

#[cfg(unix)]
#[test]
fn an_interrupt_finishes_the_step_and_saves() {
    let desk = desk();
    let config = CONFIG.replace("steps: 40", "steps: 100000");
    desk.change("config.yaml", config);
    let mut child = desk
        .command(&pretrain("100000", "long.safetensors", &[]))
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // Behind its first step it has shown a line.
    let mut said = std::io::BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("step") {
        line.clear();
        std::io::BufRead::read_line(&mut said, &mut line).unwrap();
    }
    let id = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    std::io::Read::read_to_string(&mut said, &mut line).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{line}");
    assert!(line.contains("`--resume` goes on from long.safetensors"), "{line}");
    let steps = desk.text("long.jsonl").lines().count() as u64;
    // It goes on where it stopped: nothing that was done is lost.
    desk.change("config.yaml", CONFIG.replace("steps: 40", &format!("steps: {}", steps + 1)));
    desk.fine(&pretrain("100000", "long.safetensors", &["--resume"]));
    assert_eq!(desk.text("long.jsonl").lines().count() as u64, steps + 1);
}

/// A file that may not grow stands for a disk that is full: the checkpoint that was there is still there.
#[cfg(unix)]
#[test]
fn a_full_disk_loses_nothing() {
    let desk = desk();
    desk.fine(&pretrain("40", "base.safetensors", &[]));
    let before = std::fs::read(desk.path("base.safetensors")).unwrap();
    desk.change("config.yaml", CONFIG.replace("steps: 40", "steps: 44"));
    let words = pretrain("40", "base.safetensors", &["--resume"]).join(" ");
    let shell = format!("trap '' XFSZ; ulimit -f 16; exec {} {words}", env!("CARGO_BIN_EXE_rewardc"));
    let said = std::process::Command::new("bash").args(["-c", &shell]).current_dir(desk.path("")).output().unwrap();
    let err = String::from_utf8_lossy(&said.stderr);
    assert_eq!((said.status.code(), err.contains("RW0805")), (Some(2), true), "{err}");
    assert!(std::fs::read(desk.path("base.safetensors")).unwrap() == before);
    let left = std::fs::read_dir(desk.path("")).unwrap().filter(|e| {
        let name = e.as_ref().unwrap().file_name();
        name.to_string_lossy().contains("tmp")
    });
    assert_eq!(left.count(), 0);
    desk.fine(&pretrain("40", "base.safetensors", &["--resume"]));
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let desk = desk();
    desk.fine(&pretrain("40", "base.safetensors", &[]));
    // What is there is not replaced.
    desk.refused(&pretrain("40", "base.safetensors", &[]), 2, "RW0805");
    desk.fine(&rl("a.safetensors", &[]));
    // Another reward: refused, and said which; on request it goes on.
    let other = ["--set", "most=10%", "--resume"];
    let said = desk.refused(&rl("a.safetensors", &other), 2, "RW1001").all();
    assert!(said.contains("was trained with toy.rl@1#") && said.contains("--allow-other-reward"), "{said}");
    assert!(said.contains("`most` is 0.2, and this run says 0.1"), "{said}");
    let from = |out, more: &[&'static str]| {
        let mut words = rl(out, more);
        words[6] = "a.safetensors";
        words
    };
    desk.refused(&from("b.safetensors", &["--set", "most=10%"]), 2, "RW1001");
    desk.fine(&from("b.safetensors", &["--set", "most=10%", "--allow-other-reward"]));
    // A cut checkpoint, one of another catalog, of another decoder.
    let whole = std::fs::read(desk.path("base.safetensors")).unwrap();
    desk.change("cut.safetensors", &whole[..whole.len() / 2]);
    let eval = |checkpoint: &'static str| ["eval", "config.yaml", "--data", ".", "--checkpoint", checkpoint];
    desk.refused(&eval("cut.safetensors"), 2, "RW1001");
    desk.refused(&eval("none.safetensors"), 2, "RW0801");
    let items = desk.text("items.csv");
    desk.change("items.csv", items.replace("i39,4|7", "i39,5|7"));
    desk.refused(&eval("base.safetensors"), 2, "RW1001");
    desk.change("items.csv", &items);
    desk.change("config.yaml", CONFIG.replace("d_ffn: 24", "d_ffn: 32"));
    let said = desk.refused(&eval("base.safetensors"), 2, "RW1001").all();
    assert!(said.contains("`d_ffn` is 24"), "{said}");
    desk.change("config.yaml", CONFIG.replace("bound: ecpo", "bound: grpo"));
    let said = desk.refused(&eval("base.safetensors"), 1, "RW0503").all();
    assert!(said.contains("`ecpo`"), "{said}");
    desk.change("config.yaml", CONFIG);
    // A checkpoint of the other kind of run; metrics that would replace something; groups past the schema's longest.
    desk.refused(&pretrain("40", "a.safetensors", &["--resume"]), 2, "RW1001");
    desk.refused(&rl("base.safetensors", &["--resume"]), 2, "RW1001");
    desk.refused(&rl("c.safetensors", &["--metrics", "c.safetensors"]), 2, "RW0805");
    desk.refused(&rl("c.safetensors", &["--metrics", "items.csv"]), 2, "RW0805");
    let before = desk.text("config.yaml");
    desk.change("one.json", "{\"kept\": 1}");
    for file in ["items.csv", "config.yaml", "users.ndjson", "one.json"] {
        desk.refused(&rl("c.safetensors", &["--resume", "--metrics", file]), 2, "RW0805");
    }
    assert_eq!(desk.text("config.yaml"), before);
    desk.change("config.yaml", CONFIG.replace("group: 8", "group: 33"));
    desk.refused(&rl("c.safetensors", &[]), 2, "RW0903");
    desk.change("config.yaml", CONFIG.replace("rl: {", "rl: {temperature: 0.5, "));
    desk.refused(&rl("c.safetensors", &[]), 1, "RW0503");
    desk.change("config.yaml", CONFIG.replace("lr: 1e-3", "lr: 1e39"));
    desk.run(&rl("c.safetensors", &[])).ends(2, "RW1003");
    assert!(!desk.path("c.safetensors").exists(), "weights that are no numbers were saved");
    desk.change("config.yaml", CONFIG);
    desk.change("config.yaml", CONFIG.replace("rl: {", "rl: {drop_items: 0.1, "));
    desk.refused(&rl("c.safetensors", &[]), 1, "RW0502");
    desk.change("config.yaml", CONFIG.replace("batch: 16", "batch: 18446744073709551615"));
    desk.refused(&pretrain("40", "c.safetensors", &[]), 1, "RW0503");
    desk.change("config.yaml", CONFIG);
    // Numbers of a checkpoint that are not those that were written, and one that says less than it must.
    let mut flipped = whole.clone();
    let last = flipped.len() - 5;
    flipped[last] ^= 1;
    desk.change("flipped.safetensors", &flipped);
    desk.refused(&eval("flipped.safetensors"), 2, "RW1001");
    let text = String::from_utf8_lossy(&whole[..2_000]).into_owned();
    let at = text.find("step").unwrap();
    let mut nameless = whole.clone();
    nameless[at..at + 4].copy_from_slice(b"stop");
    desk.change("nameless.safetensors", &nameless);
    desk.refused(&eval("nameless.safetensors"), 2, "RW1001");
    // A channel that the objective does not take.
    desk.change("hint.reward", format!("{REWARD}hint likely = log_prob\n"));
    let mut hint = rl("hint.safetensors", &[]);
    hint[8] = "hint.reward";
    desk.refused(&hint, 2, "RW1006");
    // A reward that reads what users do only later, and a folder that is not there.
    desk.change("late.reward", REWARD.replace("term hit =", "term liked_it = if liked then 1 else 0 term hit ="));
    let mut late = rl("late.safetensors", &[]);
    late[8] = "late.reward";
    desk.refused(&late, 1, "RW0312");
    desk.refused(&pretrain("40", "nowhere/base.safetensors", &[]), 2, "RW0805");
    desk.refused(&[&eval("base.safetensors")[..], &["--device", "cuda:0"]].concat(), 2, "RW0812");
    desk.refused(
        &[&eval("base.safetensors")[..], &["--reward", "rl.reward", "--at-most", "films=10%"]].concat(),
        2,
        "RW0809",
    );
    // Users without three items of the catalog.
    desk.change("users.ndjson", "{\"items\": [\"i1\", \"i2\"]}\n{\"items\": []}\n");
    desk.refused(&eval("base.safetensors"), 2, "RW1004");
    desk.refused(&pretrain("40", "none.safetensors", &[]), 2, "RW1004");
}

/// A reward may read the decoder's own log π; a user whose next item nobody knows is left out, and disturbs nobody.
#[test]
fn a_reward_reads_log_prob_and_users_may_want_what_is_unknown() {
    let desk = desk();
    let users = desk.text("users.ndjson");
    desk.change(
        "users.ndjson",
        users.replacen("\"i5\"]", "\"gone\"]", 3).replacen("\"i1\", \"i2\"]", "\"gone\", \"i2\"]", 2),
    );
    assert!(desk.text("users.ndjson").contains("gone"));
    desk.fine(&pretrain("40", "base.safetensors", &[]));
    desk.change("lp.reward", REWARD.replace("term hit", "term likely = log_prob / 100 term hit"));
    let mut words = rl("lp.safetensors", &[]);
    words[8] = "lp.reward";
    desk.fine(&words);
    let last = desk.text("lp.jsonl").lines().last().map(str::to_string).unwrap();
    let step: serde_json::Value = serde_json::from_str(&last).unwrap();
    assert!(step["parts"]["likely"]["mean"].as_f64().unwrap() < 0.0, "{last}");
    let eval = [
        "eval",
        "config.yaml",
        "--data",
        ".",
        "--checkpoint",
        "lp.safetensors",
        "--reward",
        "lp.reward",
        "--format",
        "json",
    ];
    let found: serde_json::Value = serde_json::from_str(&desk.fine(&eval).out).unwrap();
    assert_eq!(found["policy"]["users"], 40);
}

#[test]
fn what_is_generated_keeps_the_rules() {
    let desk = desk();
    desk.fine(&pretrain("40", "base.safetensors", &[]));
    desk.fine(&["catalog", "build", "--schema", "world.yaml", "--data", ".", "--out", "world.catalog"]);
    let lists = |more: &[&str]| -> Vec<serde_json::Value> {
        let own = ["generate", "config.yaml", "--data", ".", "--checkpoint", "base.safetensors", "--length", "4"];
        let said = desk.fine(&[&own[..], more].concat());
        said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let plain = lists(&[]);
    assert_eq!(plain.len(), 40 * 4);
    assert!(plain.iter().all(|l| l["items"].as_array().unwrap().len() == 1 && l["log_prob"].as_f64().unwrap() < 0.0));
    // From a catalog file the same; drawn by the same seed the same.
    assert_eq!(lists(&["--catalog", "world.catalog"]), plain);
    let drawn = lists(&["--sample", "--temperature", "0.8", "--seed", "3"]);
    assert_eq!(drawn, lists(&["--sample", "--temperature", "0.8", "--seed", "3"]));
    assert_ne!(drawn, lists(&["--sample", "--temperature", "0.8", "--seed", "4"]));
    assert!(lists(&["--free", "--sample"]).iter().any(|l| l["items"].as_array().unwrap().is_empty()));
    // Under a reward: nothing seen, one ad at most, and in the order of `total`.
    let users: Vec<Vec<String>> = desk
        .text("users.ndjson")
        .lines()
        .map(|l| {
            serde_json::from_value(serde_json::from_str::<serde_json::Value>(l).unwrap()["items"].clone()).unwrap()
        })
        .collect();
    let chosen = lists(&["--reward", "serving.reward", "--candidates", "20"]);
    assert_eq!(chosen.len(), 40 * 4);
    for (user, past) in users.iter().enumerate() {
        let own: Vec<_> = chosen.iter().filter(|l| l["user"] == user).collect();
        let item = |l: &serde_json::Value| l["items"][0].as_str().unwrap().to_string();
        let is_ad = |item: &String| item[1..].parse::<u32>().unwrap().is_multiple_of(3);
        assert!(own.iter().all(|l| !past.contains(&item(l))), "user {user}");
        assert!(own.iter().filter(|l| is_ad(&item(l))).count() <= 1, "user {user}");
        let totals: Vec<f64> = own.iter().map(|l| l["total"].as_f64().unwrap()).collect();
        assert!(totals.windows(2).all(|w| w[0] >= w[1]), "{totals:?}");
    }
    let said = desk
        .fine(&[
            "eval",
            "config.yaml",
            "--data",
            ".",
            "--checkpoint",
            "base.safetensors",
            "--reward",
            "rl.reward",
            "--sampled",
            "3",
            "--baselines",
            "--format",
            "json",
        ])
        .out;
    let found: serde_json::Value = serde_json::from_str(&said).unwrap();
    // Of validation items other figures, and no baseline knows them.
    let more = ["--validation", "--baselines", "--format", "json"];
    let words = ["eval", "config.yaml", "--data", ".", "--checkpoint", "base.safetensors"];
    let chosen: serde_json::Value = serde_json::from_str(&desk.fine(&[&words[..], &more].concat()).out).unwrap();
    assert_ne!(chosen["policy"]["log_prob"], found["policy"]["log_prob"]);
    assert_ne!(chosen["last item"]["ndcg"], found["last item"]["ndcg"]);
    assert_eq!(found["policy"]["users"], 40);
    assert!(found["last item"]["hr"]["mean"].as_f64().unwrap() > 0.3, "{said}");
    for figure in ["hr", "ndcg", "log_prob", "legal"] {
        let mean = &found["policy"][figure];
        assert!(
            mean["low"].as_f64() <= mean["mean"].as_f64() && mean["mean"].as_f64() <= mean["high"].as_f64(),
            "{said}"
        );
    }
}

/// What is known of users, and what models predict, comes from the files that the config names: in training and in
/// generation.
#[test]
fn a_reward_reads_of_users_and_of_models() {
    let desk = desk();
    let mut users = String::new();
    for (i, line) in desk.text("users.ndjson").lines().enumerate() {
        let age = if i == 3 { "null".to_string() } else { (20 + i).to_string() };
        writeln!(users, "{{\"who\": \"u{i}\", \"years\": {age}, \"likes\": [\"k{}\"], {}", i % 2, &line[1..]).unwrap();
    }
    // Predictions by user and item, of a second model by item.
    let (mut pairs, mut second) = (String::from("who,item,p\n"), String::from("item,p\n"));
    for item in 0..40 {
        writeln!(second, "i{item},0.5").unwrap();
        for user in 0..40 {
            writeln!(pairs, "u{user},i{item},{}", if item % 2 == user % 2 { 0.9 } else { 0.1 }).unwrap();
        }
    }
    let features = "  age: {entity: user, scale: count, from: years, nullable: true}
  likes: {entity: user, scale: set}
  kind: {entity: item, scale: category}
  p: {entity: model, scale: probability}
  follows: {entity: model, scale: probability}\n";
    let mut items = String::new();
    for (i, line) in desk.text("items.csv").lines().enumerate() {
        writeln!(items, "{line},{}", if i == 0 { "kind".into() } else { format!("k{}", (i - 1) % 2) }).unwrap();
    }
    let config = CONFIG.replace("items: items}", "items: items, user: who}")
        + "signals:
  - {table: pairs.csv, item: item, user: who, features: [p]}
  - {follows: follows, recent: 1}
  - {table: second.csv, item: item, features: [p], held_out: true}\n";
    desk.change("users.ndjson", users);
    desk.change("items.csv", items);
    desk.change("pairs.csv", pairs);
    desk.change("second.csv", second);
    desk.change("world.yaml", format!("{WORLD}{features}"));
    desk.change("config.yaml", &config);
    let terms = "preference {
    term fond = p
    term next = follows
    term old = if (age ?? 0) >= 30 then 1 else 0
    term own = if (kind == \"k0\" and \"k0\" in likes) or (kind == \"k1\" and \"k1\" in likes) then 1 else 0
";
    desk.change("rl.reward", REWARD.replace("preference {", terms));
    desk.change(
        "serving.reward",
        SERVING
            .replace("term likely = log_prob / 10", "term fond = p")
            .replace("ecosystem { cap ads on ad { at most 1 of slate  hard } }\n", ""),
    );
    desk.fine(&pretrain("40", "base.safetensors", &[]));
    let said = desk.fine(&rl("r.safetensors", &[])).all();
    assert!(said.contains("predictions: pairs.csv#") && said.contains("predictions: cooccurrence@"), "{said}");
    let last = desk.text("r.jsonl").lines().last().map(str::to_string).unwrap();
    let step: serde_json::Value = serde_json::from_str(&last).unwrap();
    let mean = |part: &str| step["parts"][part]["mean"].as_f64().unwrap();
    // Half of the users are of the kind that an item is liked by, and of age from 30: u10 to u39.
    assert!((0.1..0.9).contains(&mean("fond")) && (0.0..1.0).contains(&mean("next")), "{last}");
    assert!(mean("old") > 0.4 && (mean("fond") - (0.1 + 0.8 * mean("own"))).abs() < 1e-6, "{last}");
    assert_eq!(step["signals"]["held_out"]["p"][1], 0.5, "{last}");
    assert!(step["signals"]["pairs"].as_u64().unwrap() > 40 && step["signals"]["failed"] == 0, "{last}");
    // In serving each user's list is of what the table says of them, under their own key.
    let own = ["generate", "config.yaml", "--data", ".", "--checkpoint", "r.safetensors", "--length", "4"];
    let lists = desk.fine(&[&own[..], &["--reward", "serving.reward", "--candidates", "32"]].concat()).out;
    let lines: Vec<serde_json::Value> = lists.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!((lines.len(), &lines[4]["user"]), (160, &serde_json::json!("u1")));
    for line in lines {
        let number = |key: &serde_json::Value| key.as_str().unwrap()[1..].parse::<u32>().unwrap();
        assert_eq!(number(&line["user"]) % 2, number(&line["items"][0]) % 2, "{line}");
    }
    // What is missing is named: a column, a user's key, a model.
    let with = |from: &str, to: &str| desk.change("config.yaml", config.replace(from, to));
    with(", user: who}\ndecoder", "}\ndecoder");
    desk.refused(&rl("n.safetensors", &[]), 2, "RW0904");
    with("item: item, user: who", "item: itm, user: who");
    desk.refused(&rl("n.safetensors", &[]), 2, "RW0602");
    with("  - {follows: follows, recent: 1}\n", "");
    let said = desk.refused(&rl("n.safetensors", &[]), 2, "RW0901").all();
    assert!(said.contains("follows"), "{said}");
    with("follows: follows, recent", "follows: follows, resent");
    desk.refused(&rl("n.safetensors", &[]), 1, "RW0502");
    with("{follows: follows, recent: 1}", "{recent: 1}");
    desk.refused(&rl("n.safetensors", &[]), 1, "RW0503");
    with("follows: follows, recent", "follows: age, recent");
    desk.refused(&rl("n.safetensors", &[]), 2, "RW0902");
    with("features: [p], held_out", "features: [q], held_out");
    desk.refused(&rl("n.safetensors", &[]), 2, "RW0902");
    with("user: who, features: [p]}", "user: who, features: [p]}\n  - {table: second.csv, item: item, features: [p]}");
    desk.refused(&rl("n.safetensors", &[]), 2, "RW0902");
    // A run does not go on with other predictions, or other users.
    desk.change("config.yaml", config.replace("steps: 12", "steps: 14"));
    let pairs = desk.text("pairs.csv");
    desk.change("pairs.csv", pairs.replace("u1,i1,0.9", "u1,i1,0.8"));
    let said = desk.refused(&rl("r.safetensors", &["--resume"]), 2, "RW1001").all();
    assert!(said.contains("`predictions` is"), "{said}");
    // Too many pairs without a prediction: which, is said, and the config says how many may be.
    desk.change(
        "pairs.csv",
        pairs.lines().filter(|l| !l.starts_with("u2,")).map(|l| format!("{l}\n")).collect::<String>(),
    );
    desk.change("config.yaml", format!("{config}fail_above: 0\n"));
    let said = desk.run(&rl("z.safetensors", &[])).ends(2, "RW0904").all();
    assert!(said.contains("`p` of request u2 and item i"), "{said}");
    desk.change("config.yaml", format!("{config}fail_above: 0.9\n"));
    desk.fine(&rl("f.safetensors", &[]));
    desk.change("pairs.csv", pairs);
    // Features of a table of users, joined by their key; without their own column they are looked for by its name.
    let users = desk.text("users.ndjson").replace("years", "ages");
    desk.change("users.ndjson", &users);
    desk.change("config.yaml", &config);
    let said = desk.refused(&rl("n.safetensors", &[]), 2, "RW0602").all();
    assert!(said.contains("`years`") && said.contains("`age`"), "{said}");
    let table: String =
        (0..40).map(|i| format!("u{i},{}\n", if i == 3 { String::new() } else { (20 + i).to_string() })).collect();
    desk.change("people.csv", format!("who,years\n{table}"));
    desk.change(
        "world.yaml",
        format!("{WORLD}{features}")
            .replace("from: years", "from: people.years")
            .replace("key: item_id}}", "key: item_id}, people: {file: people.csv, entity: user, key: who}}"),
    );
    desk.fine(&rl("t.safetensors", &[]));
    assert!(desk.text("t.jsonl").lines().last().unwrap().contains("\"old\""));
    desk.change("users.ndjson", users.replace("\"u1\"", "\"u2\""));
    desk.refused(&rl("n.safetensors", &[]), 2, "RW1004");
}

/// A run goes on with what it began with; only longer, or looked at more often, it may be.
#[test]
fn a_run_does_not_go_on_as_another() {
    let desk = desk();
    desk.fine(&pretrain("40", "base.safetensors", &[]));
    desk.change("config.yaml", CONFIG.replace("steps: 40", "steps: 42"));
    desk.fine(&pretrain("40", "base.safetensors", &["--resume"]));
    desk.change("config.yaml", CONFIG.replace("steps: 40", "steps: 44").replace("lr: 1e-2", "lr: 2e-2"));
    let said = desk.refused(&pretrain("40", "base.safetensors", &["--resume"]), 2, "RW1001").all();
    assert!(said.contains("`lr` is 0.01, and this run says 0.02"), "{said}");
    desk.change("config.yaml", CONFIG.replace("steps: 40", "steps: 44"));
    desk.refused(&pretrain("40", "base.safetensors", &["--resume", "--seed", "2"]), 2, "RW1001");
    desk.fine(&rl("r.safetensors", &[]));
    desk.change("config.yaml", CONFIG.replace("steps: 12", "steps: 14").replace("watch: 6", "watch: 7"));
    desk.fine(&rl("r.safetensors", &["--resume"]));
    desk.change("config.yaml", CONFIG.replace("steps: 12", "steps: 16").replace("group: 8", "group: 10"));
    let said = desk.refused(&rl("r.safetensors", &["--resume"]), 2, "RW1001").all();
    assert!(said.contains("`group` is 8, and this run says 10"), "{said}");
    std::fs::copy(desk.path("r.safetensors"), desk.path("o.safetensors")).unwrap();
    let said = desk.fine(&rl("o.safetensors", &["--resume", "--allow-other-settings"])).all();
    assert!(said.contains("note: the run goes on as another: `group` is 8"), "{said}");
    desk.change("config.yaml", CONFIG.replace("steps: 12", "steps: 16"));
    desk.change("c.yaml", CONTROLLERS.replace("p: 2", "p: 3"));
    let said = desk.refused(&rl("r.safetensors", &["--resume"]), 2, "RW1001").all();
    assert!(said.contains("`controllers` is"), "{said}");
}
