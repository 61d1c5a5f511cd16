//! Slate choice against exhaustive search: every order of every subset, each judged by the reference
//! evaluator on that very slate and by a second count of the hard caps.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use rewardc::eval::batch::{Batch, By, Column, Slates, Texts, Values};
use rewardc::eval::reference::Reference;
use rewardc::eval::{CapState, ControlState, Evaluator, Matching, Run, Verdict};
use rewardc::host::Reward;
use rewardc::program::{CapSpan, Column as Of, Program};
use rewardc::slate::{Choice, Proof, choose};
use rewardc::source::MemoryFiles;
use rewardc::types::Host;

use crate::programs::Random;

const SCHEMA: &str = "schema: toy
features:
  kind: {entity: item, scale: category, names: [ad, film, live]}
  author: {entity: item, scale: id}
  p_click: {entity: model, scale: probability}
";

fn program(body: &str) -> Program {
    let files = MemoryFiles::default().with("toy.yaml", SCHEMA);
    let text = format!("language 1\nscenario toy.slates\nversion 1\nschema \"toy.yaml\"\nfor serving\n{body}");
    Reward::from_text("toy.reward", &text, &files).unwrap().program().clone()
}

/// Candidates of one request.
struct Feed {
    kinds: Vec<&'static str>,
    authors: Vec<&'static str>,
    clicks: Vec<f32>,
}

fn feed(random: &mut Random, n: usize) -> Feed {
    let mut one_of = |of: &[&'static str]| of[random.below(of.len() as u64) as usize];
    let kinds = (0..n).map(|_| one_of(&["ad", "ad", "film", "live"])).collect();
    let authors = (0..n).map(|_| one_of(&["a", "b", "c"])).collect();
    // Few different numbers: ties must not matter.
    let clicks = (0..n).map(|_| random.below(8) as f32 / 8.0).collect();
    Feed { kinds, authors, clicks }
}

fn batch(program: &Program, feed: &Feed) -> Batch<'static> {
    let n = feed.kinds.len();
    let mut texts = Texts::default();
    let mut numbers = |values: &[&str]| Values::Text(values.iter().map(|v| texts.number(v)).collect());
    let features = program.features.iter().map(|f| {
        let values = match f.name.as_str() {
            "kind" => numbers(&feed.kinds),
            "author" => numbers(&feed.authors),
            _ => Values::Real(feed.clicks.clone().into()),
        };
        Some(Column { by: By::Row, values, valid: None })
    });
    let features = features.collect();
    Batch {
        n_rows: n,
        texts,
        request_of: vec![0; n],
        request_keys: vec!["r".into()],
        batch_of: vec![0; n],
        rollout: (1..=n as u32).collect(),
        excluded: vec![None; n],
        features,
        item_of: vec![u32::MAX; n],
        ..Batch::default()
    }
}

/// What a slate is judged by: failing members, empty places, excess of each hard cap, worth.
#[derive(Debug, PartialEq)]
struct Judged {
    failing: usize,
    empty: usize,
    excess: Vec<u64>,
    worth: f64,
}

impl Judged {
    fn compare(&self, other: &Self) -> Ordering {
        let worth =
            if (self.worth - other.worth).abs() < 1e-9 { Ordering::Equal } else { other.worth.total_cmp(&self.worth) };
        self.failing
            .cmp(&other.failing)
            .then(self.empty.cmp(&other.empty))
            .then(self.excess.cmp(&other.excess))
            .then(worth)
    }
}

struct Asked<'a> {
    program: &'a Program,
    feed: &'a Feed,
    state: &'a ControlState,
    discounts: &'a [f64],
}

impl Asked<'_> {
    /// The slate in the whole group, the rest behind it.
    fn judge(&self, batch: &mut Batch<'_>, slate: &[usize], places: usize) -> Judged {
        let n = batch.n_rows;
        let place = |row: usize| slate.iter().position(|s| *s == row);
        let position = |row| place(row).map_or(slate.len() as u32 + 1, |p| p as u32 + 1);
        batch.slates = Some(Slates {
            of: vec![0; n],
            position: (0..n).map(position).collect(),
            behind: (0..n).map(|row| place(row).is_none()).collect(),
            count: 1,
        });
        let run = Run { host: Host::Serving, state: self.state, seed: 0, step: 0, stop: None };
        let scores = Reference.score(self.program, batch, run).unwrap();
        Judged {
            failing: slate.iter().filter(|r| scores.verdicts[**r] != Verdict::Scored).count(),
            empty: places - slate.len(),
            excess: self.excess(slate),
            worth: slate.iter().zip(self.discounts).map(|(r, d)| d * scores.get(Of::Total, *r).unwrap_or(0.0)).sum(),
        }
    }

    /// Each hard cap counted anew; the conditions are those of the test's programs.
    fn excess(&self, slate: &[usize]) -> Vec<u64> {
        let hard = self.program.caps().map(|(_, c)| c).filter(|c| c.hard.is_some());
        let counted = hard.map(|cap| {
            let is = |r: usize| match cap.name.as_str() {
                "ads" | "first_ads" | "ads_apart" | "ads_again" => self.feed.kinds[r] == "ad",
                "films" | "films_often" => self.feed.kinds[r] == "film",
                _ => true,
            };
            let key = |r: usize| if cap.per.is_some() { self.feed.authors[r] } else { "" };
            let n = slate.len() as u64;
            let state = self.state.caps.get(&cap.name);
            let shown = state.and_then(|s| s.shown).unwrap_or(0);
            let before = |key: &str| match state.and_then(|s| s.matching.as_ref()) {
                Some(Matching::All(m)) => *m,
                Some(Matching::PerKey(m)) => m.get(key).copied().unwrap_or(0),
                None => 0,
            };
            let past = |rows: &[usize], allowed: u64| {
                let mut by_key: BTreeMap<&str, u64> = BTreeMap::new();
                rows.iter().filter(|r| is(**r)).for_each(|r| *by_key.entry(key(*r)).or_insert(0) += 1);
                // Those that the session was shown before count, and only new ones can be past the bound.
                by_key.iter().map(|(key, m)| (before(key) + m).saturating_sub(allowed).min(*m)).sum::<u64>()
            };
            match (cap.span_kind, cap.least) {
                (CapSpan::First(k), false) => {
                    let rows = &slate[..slate.len().min(k as usize)];
                    past(rows, self.program.allowed(cap.bound, rows.len() as u64))
                }
                (CapSpan::InRow(k), false) => {
                    let k = k as usize;
                    let allowed = self.program.allowed(cap.bound, k as u64);
                    let over = |p: &usize| {
                        let window = &slate[(p + 1).saturating_sub(k)..=*p];
                        let same = |r: &&usize| is(**r) && key(**r) == key(slate[*p]);
                        is(slate[*p]) && window.iter().filter(same).count() as u64 > allowed
                    };
                    (0..slate.len()).filter(over).count() as u64
                }
                (CapSpan::InRow(k), true) => {
                    let required = self.program.required(cap.bound, k);
                    slate
                        .windows(k as usize)
                        .map(|w| required.saturating_sub(w.iter().filter(|r| is(**r)).count() as u64))
                        .sum()
                }
                (span, true) => {
                    let rows = if let CapSpan::First(k) = span { &slate[..slate.len().min(k as usize)] } else { slate };
                    let matching = rows.iter().filter(|r| is(**r)).count() as u64;
                    self.program.required(cap.bound, rows.len() as u64 + shown).saturating_sub(before("") + matching)
                }
                (_, false) => past(slate, self.program.allowed(cap.bound, n + shown)),
            }
        });
        counted.collect()
    }

    fn best(&self, places: usize) -> Judged {
        let mut batch = batch(self.program, self.feed);
        let mut best: Option<Judged> = None;
        // Shorter slates only where no full one keeps the rules.
        for n in (0..=places.min(self.feed.kinds.len())).rev() {
            each_order(self.feed.kinds.len(), n, &mut Vec::new(), &mut |slate| {
                let judged = self.judge(&mut batch, slate, places);
                if judged.failing == 0 && best.as_ref().is_none_or(|b| judged.compare(b) == Ordering::Less) {
                    best = Some(judged);
                }
            });
            if best.is_some() {
                break;
            }
        }
        best.unwrap()
    }
}

fn each_order(n: usize, places: usize, begun: &mut Vec<usize>, each: &mut impl FnMut(&[usize])) {
    if begun.len() == places {
        return each(begun);
    }
    for row in 0..n {
        if !begun.contains(&row) {
            begun.push(row);
            each_order(n, places, begun, each);
            begun.pop();
        }
    }
}

const CAPS: &str = "param most = 1 in 0..9\nparam share = 50% in 0%..100%\npreference { term click = p_click  term dear weight -0.5 = if kind == \"live\" then p_click else 0 }\n";

/// Runs random small instances; gives how many slates were said to be optimal.
fn against_exhaustive(body: &str, state: &ControlState, n: usize, instances: u64) -> usize {
    let program = program(body);
    let mut optimal = 0;
    for seed in 0..instances {
        let feed = feed(&mut Random(seed), n);
        let places = 3 + (seed % 2) as usize;
        let discounts: Vec<f64> = (0..places).map(|p| if seed % 3 == 0 { 1.0 } else { 1.0 / (p + 1) as f64 }).collect();
        let asked = Asked { program: &program, feed: &feed, state, discounts: &discounts };
        let mut batch = batch(&program, &feed);
        let run = Run { host: Host::Serving, state, seed: 0, step: 0, stop: None };
        let scores = Reference.score(&program, &batch, run).unwrap();
        let choice = Choice { places, discounts: &discounts, effort: 100_000 };
        let chosen = choose(&program, &Reference, &mut batch, run, &scores, &choice).unwrap();
        let slate = &chosen.slates[0];
        let rows: Vec<usize> = slate.rows.iter().map(|r| *r as usize).collect();
        let found = asked.judge(&mut self::batch(&program, &feed), &rows, places);
        let best = asked.best(places);
        let shown = || format!("{rows:?} {found:?}, best {best:?}, {:?} with seed {seed}", slate.proof);
        assert_eq!(found.failing, 0, "{}", shown());
        assert!((found.worth - slate.worth).abs() < 1e-9, "worth {}: {}", slate.worth, shown());
        let excess: Vec<u64> = found.excess.iter().copied().filter(|e| *e > 0).collect();
        assert_eq!(slate.relaxed.iter().map(|r| r.excess).collect::<Vec<_>>(), excess, "{}", shown());
        assert_eq!(slate.empty_places, found.empty);
        match slate.proof {
            Proof::Optimal => {
                optimal += 1;
                assert_eq!(found.compare(&best), Ordering::Equal, "{}", shown());
            }
            Proof::BestFound { gap } => {
                assert_ne!(found.compare(&best), Ordering::Less, "better than the best: {}", shown());
                if let Some(gap) = gap.filter(|_| found.excess == best.excess) {
                    assert!(best.worth - found.worth <= gap + 1e-9, "{}", shown());
                }
            }
        }
    }
    optimal
}

#[test]
fn hard_caps_alone_are_held_and_proved() {
    let start = ControlState::default();
    for caps in [
        "cap ads on kind == \"ad\" { at most 1 of slate  hard }",
        "cap authors { at most 1 of slate per author  hard }  cap ads on kind == \"ad\" { at most 25% of slate  hard }",
        "cap films on kind == \"film\" { at least 2 of slate  hard }  cap authors { at most 2 of slate per author  hard }",
        "cap first_ads on kind == \"ad\" { at most 0 of first 2  hard }  cap films on kind == \"film\" { at least 1 of first 3  hard }",
        "cap ads_apart on kind == \"ad\" { at most 1 of any 2 in a row  hard }",
        "cap authors { at most 1 of any 2 in a row per author  hard }  cap ads on kind == \"ad\" { at most most of slate  hard }",
        "cap first_ads on kind == \"ad\" { at most share of first 2  hard }  cap authors { at most 1 of slate per author  hard }",
        "cap films_often on kind == \"film\" { at least 1 of any 2 in a row  hard }  cap ads on kind == \"ad\" { at most 1 of slate  hard }",
    ] {
        let optimal = against_exhaustive(&format!("{CAPS}ecosystem {{ {caps} }}"), &start, 7, 20);
        assert_eq!(optimal, 20, "{caps}");
    }
}

#[test]
fn a_session_is_counted_from_what_it_was_shown() {
    let again = |matching| CapState { shown: Some(6), matching: Some(matching), ..CapState::default() };
    let state = ControlState {
        caps: [
            ("ads_again".to_string(), again(Matching::All(2))),
            ("authors".to_string(), again(Matching::PerKey([("a".to_string(), 2), ("b".to_string(), 1)].into()))),
        ]
        .into(),
        ..ControlState::default()
    };
    let caps = "cap ads_again on kind == \"ad\" { at most 30% of session  hard }  cap authors { at most 2 of session per author  hard }";
    assert_eq!(against_exhaustive(&format!("{CAPS}ecosystem {{ {caps} }}"), &state, 7, 20), 20);
    let state =
        ControlState { caps: [("films".to_string(), again(Matching::All(1)))].into(), ..ControlState::default() };
    let caps = "cap films on kind == \"film\" { at least 40% of session  hard }";
    assert_eq!(against_exhaustive(&format!("{CAPS}ecosystem {{ {caps} }}"), &state, 7, 20), 20);
}

#[test]
fn what_was_put_off_is_worked_out_on_the_slate() {
    let start = ControlState::default();
    for body in [
        // A penalty, and a promise that some slates cannot fill.
        "preference { term click = p_click }
        ecosystem { cap ads on kind == \"ad\" { at most 1 of slate  penalty 0.4 per item over } }
        format { require once = author is first in slate else drop }",
        // What a member gives depends on those before it, and a cap looks at places.
        "preference {
            term click = p_click
            term fresh weight 0.5 = if count(author == this.author over slate before this) > 0 then -1 else 0
            gate mixed = share(kind == \"ad\" over slate) < 0.8
        }
        ecosystem { cap ads_apart on kind == \"ad\" { at most 1 of any 2 in a row  hard } }",
        // What lowers preference raises a total that takes it away; a scale and a price look at the slate.
        "preference {
            term click = p_click
            term many weight -0.7 = share(kind == \"ad\" over slate)
            gate mixed = share(kind == \"film\" over slate) < 0.6
        }
        ecosystem {
            cap lives on kind == \"live\" { at most 30% of slate  scale 0.2 }
            cap priced on kind == \"ad\" and share(kind == \"ad\" over slate) > 0.4 { at least 50% of slate  dual up to 1 }
            term base = 1
        }
        reward = clamp(ecosystem - 0.8 * preference, -0.5, 1.2)",
        // Looks at the group too: whole groups stand behind the slates.
        "preference { term click = p_click * (1 - share(kind == kind over group))
            term place weight 0.1 = rank(p_click over group) / position }
        ecosystem { cap ads on kind == \"ad\" { at most 50% of slate  penalty 0.3 per item over, after normalizing } }
        format { require once = author is first in slate else drop }
        reward = 2 * preference - 0.5 * ecosystem",
    ] {
        let optimal = against_exhaustive(body, &start, 6, 12);
        assert!(optimal >= 10, "{optimal} of 12: {body}");
    }
}

#[test]
fn what_cannot_be_held_is_relaxed_from_behind_or_refused() {
    let feed = Feed { kinds: vec!["ad"; 4], authors: vec!["a", "a", "b", "b"], clicks: vec![0.5, 0.25, 0.75, 0.125] };
    let chosen = |caps: &str| {
        let program = program(&format!("{CAPS}ecosystem {{ {caps} }}"));
        let (mut batch, state) = (batch(&program, &feed), ControlState::default());
        let run = Run { host: Host::Serving, state: &state, seed: 0, step: 0, stop: None };
        let scores = Reference.score(&program, &batch, run).unwrap();
        choose(&program, &Reference, &mut batch, run, &scores, &Choice::of(3)).unwrap().slates.remove(0)
    };
    let slate = chosen(
        "cap ads on kind == \"ad\" { at most 1 of slate  hard }  cap authors { at most 1 of slate per author  hard }",
    );
    let said: Vec<_> = slate.relaxed.iter().map(|r| (r.cap.as_str(), r.excess, r.why.as_str())).collect();
    assert_eq!(
        said,
        [
            ("ads", 2, "only 0 of 4 candidates are not of this class"),
            ("authors", 1, "the candidates of this class have only 2 different keys"),
        ]
    );
    assert_eq!((slate.rows, slate.proof), (vec![2, 0, 1], Proof::Optimal));
    let refused = chosen("cap ads on kind == \"ad\" { at most 1 of slate  hard else refuse }");
    assert_eq!((refused.refused.as_deref(), refused.rows.len(), refused.empty_places), (Some("ads"), 0, 3));
    assert_eq!(refused.relaxed[0].excess, 2);
    // Reasons that hold: the cap before it, what a session was shown, what is not there.
    let why = |caps: &str| chosen(caps).relaxed.iter().map(|r| r.why.clone()).collect::<Vec<_>>();
    let two = "cap films on kind == \"film\" { at least 1 of first 2  hard }";
    assert_eq!(why(two), ["only 0 of 4 candidates are of this class"]);
    let row = "cap films on kind == \"film\" { at least 1 of any 2 in a row  hard }";
    assert_eq!(why(row), ["only 0 of 4 candidates are of this class"]);
    let none = "cap ads { at most 0 of session  hard }";
    assert_eq!(why(none), ["only 0 of 4 candidates are not of this class"]);
    let both =
        "cap a { at most 0 of first 1 per author  hard }  cap b on author == \"a\" { at least 3 of slate  hard }";
    assert_eq!(why(both)[1], "only 2 of 4 candidates are of this class");
    let order =
        "cap a on author == \"a\" { at most 1 of slate  hard }  cap b on author == \"b\" { at most 1 of slate  hard }";
    assert_eq!(why(order), ["a hard cap before it leaves no room"]);
}

#[test]
fn a_hard_cap_that_reads_the_slate_is_refused() {
    let text = "language 1\nscenario toy.s\nversion 1\nschema \"toy.yaml\"\nfor serving\npreference { term click = p_click }\n\
        ecosystem { cap c { at most 1 of slate per count(kind == \"ad\" over slate)  hard } }\n";
    let files = MemoryFiles::default().with("toy.yaml", SCHEMA);
    let refused = Reward::from_text("toy.reward", text, &files).unwrap_err();
    assert!(refused.to_string().contains("the KEY of a `hard` cap reads the slate"), "{refused}");
}
