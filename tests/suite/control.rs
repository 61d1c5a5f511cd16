//! Controllers against numbers worked out by hand; the derivation stands beside each.

use rewardc::control::{Controllers, Observed, Seen, step};
use rewardc::diagnostic::Unsound;
use rewardc::eval::{ControlState, Matching, Share};
use rewardc::host::Reward;
use rewardc::program::Program;
use rewardc::source::MemoryFiles;

const SCHEMA: &str = "schema: toy
features:
  sid: {scale: sid, shape: [4, 4]}
  kind: {entity: item, scale: category, names: [ad, film, live]}
  author: {entity: item, scale: id}
  p_click: {entity: model, scale: probability}
";

const REWARD: &str = "language 1
scenario toy.control
version 1
schema \"toy.yaml\"
for serving
preference {
    term click = p_click
}
ecosystem {
    cap lives on kind == \"live\" { at most 20% of window(1 day)  scale 0.5 }
    cap ads on kind == \"ad\" { at most 10% of group  dual up to 1 }
    cap films on kind == \"film\" { at least 2 of group  dual up to 2 }
    cap again { at most 3 of session per author  hard }
    cap plain on kind == \"ad\" { at most 1 of group  penalty 1 per item over }
}
";

fn program() -> Program {
    let files = MemoryFiles::default().with("toy.yaml", SCHEMA);
    Reward::from_text("toy.reward", REWARD, &files).unwrap().program().clone()
}

fn read(caps: &str) -> Result<Controllers, Unsound> {
    Controllers::from_text("toy.controllers.yaml", &format!("controllers: toy\ncaps:\n{caps}"), &program())
}

/// A measurement of one cap: so many requests with a span of `members` each.
fn seen(cap: &str, requests: u64, share: f64, members: f64) -> Observed {
    let n = requests as f64;
    // Bounds of the program above: a count is no more than all of a span.
    let target = match cap {
        "films" => f64::min(2.0 / members, 1.0),
        "lives" => 0.2,
        _ => 0.1,
    };
    let share = Share { spans: requests, sum: n * share, targets: n * target };
    Observed { requests, caps: [(cap.to_string(), Seen::Share { share, age: 0 })].into() }
}

/// λ of a cap step by step.
fn walk(controllers: &str, cap: &str, measured: &[Observed]) -> Vec<f64> {
    let (program, controllers) = (program(), read(controllers).unwrap());
    let mut state = ControlState::default();
    controllers.begin(&mut state);
    let mut lambdas = Vec::new();
    for observed in measured {
        // By way of the file, as a run that is killed after each step.
        state =
            ControlState::from_json(&step(&program, &controllers, &state, observed).unwrap().state.to_json()).unwrap();
        lambdas.push(state.caps[cap].lambda.unwrap());
    }
    lambdas
}

fn near(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{found:?}, not {expected:?}");
}

#[test]
fn a_gradient_step_is_the_gain_times_what_is_past_the_bound() {
    let ads = |extra: &str| {
        let controller = format!("  ads: {{counts: shown, rule: gradient, gain: 0.5, start: 0.2{extra}}}\n");
        walk(&controller, "ads", &[seen("ads", 10, 0.3, 10.0), seen("ads", 10, 0.05, 10.0), seen("ads", 10, 0.9, 10.0)])
    };
    // Bound 10 %: errors 0.2, −0.05, 0.8; inner 0.2 + 0.1 = 0.3, 0.275, 0.675.
    near(&ads(""), &[0.3, 0.275, 0.675]);
    // Projected: inner 0.3 → 0.25, 0.225, 0.25.
    near(&ads(", limits: [0, 0.25]"), &[0.25, 0.225, 0.25]);
    // The mean of all iterates: 0.3, (0.3 + 0.275)/2, (0.3 + 0.275 + 0.675)/3.
    near(&ads(", averaging: all"), &[0.3, 0.2875, 1.25 / 3.0]);
    // Half-life of one update: λ goes half the way: 0.25, 0.2625, 0.46875.
    near(&ads(", averaging: 1 updates"), &[0.25, 0.2625, 0.46875]);
}

#[test]
fn a_floor_is_priced_by_what_it_lacks() {
    // At least 2 of spans of 8: aimed at 25 %; seen 12.5 % and 50 %: errors 0.125 and −0.25, gain 2.
    let films = "  films: {counts: shown, rule: gradient, gain: 2, start: 1}\n";
    near(&walk(films, "films", &[seen("films", 4, 0.125, 8.0), seen("films", 4, 0.5, 8.0)]), &[1.25, 0.75]);
    // Two of a span of one: no more than all of it is aimed at.
    near(&walk(films, "films", &[seen("films", 4, 1.0, 1.0)]), &[1.0]);
}

#[test]
fn a_pid_does_not_wind_up() {
    let ads = "  ads: {counts: shown, rule: pid, gain: {p: 1, i: 0.5, d: 2}, start: 0.2}\n";
    let shares = [0.3, 0.05, 0.1, 1.0, 1.0, 0.1];
    let measured: Vec<Observed> = shares.iter().map(|s| seen("ads", 10, *s, 10.0)).collect();
    // Errors 0.2, −0.05, 0, 0.9, 0.9, 0. Integral before: 0.2.
    // 1: integral 0.3; 0.2 + 0.3 + 0 = 0.5.
    // 2: −0.05 + 0.275 + 2·(−0.25) = −0.275 → 0, and the error pushes on: integral stays 0.3.
    // 3: 0 + 0.3 + 2·0.05 = 0.4.
    // 4: 0.9 + 0.75 + 2·0.9 = 3.45 → 1, pushing on: integral stays 0.3.
    // 5: 0.9 + 0.75 + 0 = 1.65 → 1, the same.
    // 6: 0 + 0.3 − 1.8 < 0 → 0 (the error is 0, so the integral, unchanged, is taken: 0.3).
    near(&walk(ads, "ads", &measured), &[0.5, 0.0, 0.4, 1.0, 1.0, 0.0]);
}

#[test]
fn a_window_waits_and_a_half_life_forgets() {
    let controller = "  ads: {counts: shown, rule: gradient, gain: 1, window: 20 requests}\n";
    let measured = [seen("ads", 12, 0.1, 10.0), seen("ads", 12, 0.3, 10.0), seen("ads", 5, 0.3, 10.0)];
    // A window that fills while nothing is measured moves what was.
    let steps = "  ads: {counts: shown, rule: gradient, gain: 1, window: 2 steps}\n";
    let nothing = Observed { requests: 1, ..Observed::default() };
    near(&walk(steps, "ads", &[seen("ads", 12, 0.3, 10.0), nothing]), &[0.0, 0.2]);
    // Nothing until 24 requests: (12·0.1 + 12·0.3)/24 = 0.2, 0.1 past the bound. Then 5 of 20.
    near(&walk(controller, "ads", &measured), &[0.0, 0.1, 0.1]);
    let controller = "  ads: {counts: shown, rule: gradient, gain: 1, half_life: 10 requests}\n";
    // 0.3, then (5·0.3 + 10·0.1)/15 = 1/6: errors 0.2 and 1/15.
    near(&walk(controller, "ads", &[seen("ads", 10, 0.3, 10.0), seen("ads", 10, 0.1, 10.0)]), &[0.2, 0.2 + 1.0 / 15.0]);
}

#[test]
fn a_share_over_a_window_is_what_its_scale_looks_at() {
    let (program, controllers) = (program(), read("  lives: {counts: shown, half_life: 1 steps}\n").unwrap());
    let first = step(&program, &controllers, &ControlState::default(), &seen("lives", 10, 0.4, 10.0)).unwrap();
    assert_eq!((first.state.caps["lives"].share, first.state.caps["lives"].lambda), (Some(0.4), None));
    let next = step(&program, &controllers, &first.state, &seen("lives", 10, 0.1, 10.0)).unwrap();
    // (5·0.4 + 10·0.1)/15 = 0.2.
    near(&[next.state.caps["lives"].share.unwrap()], &[0.2]);
    // What is stale is forgotten, and no scale goes on by it.
    let controllers = read("  lives: {counts: shown, stale: {after: 1 steps, then: start}}\n").unwrap();
    let mut state = next.state;
    for _ in 0..2 {
        state = step(&program, &controllers, &state, &Observed { requests: 1, ..Observed::default() }).unwrap().state;
    }
    assert_eq!(state.caps["lives"].share, None);
}

/// Each span aims at no more than all of itself (R4.8): 3 of one is all, 3 of ten is 0.3.
#[test]
fn a_count_is_divided_span_by_span() {
    let mut share = Share::default();
    share.add(1, 1, Ok(3));
    share.add(10, 10, Ok(3));
    near(&[share.mean().unwrap(), share.targets], &[1.0, 1.3]);
    let exact = rewardc::types::Decimal::parse("25", true).unwrap();
    share.add(1, 4, Err(exact));
    near(&[share.sum, share.targets], &[2.25, 1.55]);
}

#[test]
fn a_price_that_somebody_else_wrote_is_where_it_goes_on() {
    let (program, controllers) = (program(), read("  ads: {counts: shown, rule: gradient, gain: 0.5}\n").unwrap());
    let mut state = step(&program, &controllers, &ControlState::default(), &seen("ads", 10, 0.3, 10.0)).unwrap().state;
    near(&[state.caps["ads"].lambda.unwrap()], &[0.1]);
    state.caps.get_mut("ads").unwrap().lambda = Some(0.8);
    let next = step(&program, &controllers, &state, &seen("ads", 10, 0.2, 10.0)).unwrap().state;
    near(&[next.caps["ads"].lambda.unwrap()], &[0.85]);
    for spoilt in ["\"weight\": -20", "\"share\": 7", "\"shares\": 3, \"spans\": 2", "\"target\": -1"] {
        let text = format!("{{\"caps\": {{\"ads\": {{\"memory\": {{{spoilt}}}}}}}}}");
        assert!(ControlState::from_json(&text).unwrap_err().contains("shares that cannot be"), "{spoilt}");
    }
}

#[test]
fn a_measurement_that_nothing_looks_at_is_refused() {
    let program = program();
    let refused = |controllers: &str, observed: &Observed| {
        let controllers = read(controllers).unwrap();
        step(&program, &controllers, &ControlState::default(), observed).unwrap_err().code.id
    };
    let ads = "  ads: {counts: shown, rule: gradient, gain: 0.5}\n";
    assert_eq!(refused(ads, &seen("plain", 10, 0.3, 10.0)), "RW0907");
    assert_eq!(refused(ads, &seen("films", 10, 0.3, 10.0)), "RW0907");
    let counts = "  ads: {counts: shown, rule: gradient, gain: 0.5, half_life: 10 requests}\n";
    let unsaid = Observed { requests: 0, ..seen("ads", 10, 0.3, 10.0) };
    assert_eq!(refused(counts, &unsaid), "RW0907");
    assert!(
        read("  ads: {counts: [generated], rule: gradient, gain: 1}\n").unwrap_err().to_string().contains("RW0503")
    );
}

#[test]
fn what_is_stale_holds_starts_again_or_stops() {
    let walked = |then: &str| {
        let controller = format!(
            "  ads: {{counts: shown, rule: gradient, gain: 1, start: 0.1, stale: {{after: 1 steps, then: {then}}}}}\n"
        );
        let nothing = || Observed { requests: 10, ..Observed::default() };
        walk(&controller, "ads", &[seen("ads", 10, 0.3, 10.0), nothing(), nothing(), seen("ads", 10, 0.2, 10.0)])
    };
    near(&walked("hold"), &[0.3, 0.3, 0.3, 0.4]);
    near(&walked("start"), &[0.3, 0.3, 0.1, 0.2]);
    let controllers =
        read("  ads: {counts: shown, rule: gradient, gain: 1, stale: {after: 1 steps, then: stop}}\n").unwrap();
    let program = program();
    let nothing = Observed::default();
    let once = step(&program, &controllers, &ControlState::default(), &nothing).unwrap();
    assert_eq!(step(&program, &controllers, &once.state, &nothing).unwrap_err().code.id, "RW0906");
    // A measurement that is older than that is none.
    let mut old = seen("ads", 10, 0.9, 10.0);
    if let Some(Seen::Share { age, .. }) = old.caps.get_mut("ads") {
        *age = 2;
    }
    assert_eq!(step(&program, &controllers, &once.state, &old).unwrap_err().code.id, "RW0906");
}

#[test]
fn a_session_counts_what_it_was_shown_without_a_controller() {
    let program = program();
    let shown = |shown, keys: &[(&str, u64)]| {
        let matching = Matching::PerKey(keys.iter().map(|(k, n)| ((*k).to_string(), *n)).collect());
        Observed { requests: 1, caps: [("again".to_string(), Seen::Shown { shown, matching })].into() }
    };
    let none = Controllers::default();
    let first = step(&program, &none, &ControlState::default(), &shown(10, &[("a", 3), ("b", 1)])).unwrap().state;
    let next = step(&program, &none, &first, &shown(5, &[("b", 2), ("c", 1)])).unwrap().state;
    let again = &next.caps["again"];
    let keys = [("a", 3), ("b", 3), ("c", 1)].map(|(k, n)| (k.to_string(), n));
    assert_eq!((again.shown, again.matching.clone()), (Some(15), Some(Matching::PerKey(keys.into()))));
    let wrong = Observed {
        caps: [("again".to_string(), Seen::Shown { shown: 5, matching: Matching::All(1) })].into(),
        ..Observed::default()
    };
    assert_eq!(step(&program, &none, &first, &wrong).unwrap_err().code.id, "RW0907");
    assert_eq!(step(&program, &none, &first, &seen("again", 1, 0.1, 10.0)).unwrap_err().code.id, "RW0907");
    assert_eq!(step(&program, &none, &first, &seen("agian", 1, 0.1, 10.0)).unwrap_err().code.id, "RW0907");
}

/// Every fault of a controller file is told at its place, in one run.
#[test]
fn a_controller_that_does_not_fit_is_told_at_its_place() {
    let faults = read(
        "  adz: {counts: shown}\n  plain: {counts: shown}\n  again: {counts: shown}\n  lives: {counts: shown, gain: 1}\n  \
         ads: {counts: seen, rule: gradient, gain: -1, window: 3 days, limits: [0, 3], averaging: some, start: x}\n  \
         films: {counts: shown, rule: pid, gain: {p: 1, q: 2}, averaging: all, limits: [0.5, 1], start: 0.1, stale: {after: 3, then: wait}}\n",
    )
    .unwrap_err();
    insta::assert_snapshot!("controllers_that_do_not_fit", faults.to_string());
    assert!(read("  ads: {counts: shown, rule: gradient}\n").unwrap_err().to_string().contains("RW0504"));
    assert!(read("  ads: {counts: shown, rule: best, gain: 1}\n").is_err());
    let empty = Controllers::from_text("c.yaml", "", &program()).unwrap_err();
    assert_eq!(empty.diagnostics[0].code.id, "RW0501");
}

#[test]
fn a_measurement_of_another_form_is_refused() {
    let program = program();
    for (text, why) in [
        ("{\"requests\": -1}", "whole number"),
        ("{\"caps\": {\"adz\": {}}}", "no cap `adz`"),
        ("{\"caps\": {\"ads\": {\"spans\": 3}}}", "`share`"),
        ("{\"caps\": {\"ads\": {\"spans\": 3, \"share\": 1.5}}}", "from 0 to 1"),
        ("{\"caps\": {\"ads\": {\"spans\": 3, \"share\": 0.5, \"shown\": 1}}}", "`shown` is nothing"),
        ("{\"caps\": {\"films\": {\"spans\": 3, \"share\": 0.5}}}", "`members`"),
        ("{\"caps\": {\"again\": {\"shown\": 3, \"matching\": {\"a\": 4}}}}", "more are `matching`"),
        ("{\"request\": 1}", "none of its keys"),
        ("[]", "in braces"),
    ] {
        let said = Observed::from_json(text, &program).unwrap_err();
        assert!(said.contains(why), "{text}: {said}");
    }
    let read = Observed::from_json(
        "{\"requests\": 9, \"caps\": {\"films\": {\"spans\": 3, \"share\": 0.5, \"members\": 4}}}",
        &program,
    );
    assert_eq!(read.unwrap().caps["films"], Seen::Share { share: Share { spans: 3, sum: 1.5, targets: 1.5 }, age: 0 });
}
