//! `rewardc control`: a state moved on disk, and what is refused.

use std::time::Duration;

use rewardc::eval::ControlState;

use super::Desk;

const CAPPED: &str =
    "preference { term click = p_click }\necosystem { cap ads on is_ad { at most 10% of slate  dual up to 1 } }\n";
const CONTROLLERS: &str = "controllers: toy\ncaps:\n  ads: {counts: shown, rule: gradient, gain: 0.5}\n";
const OBSERVED: &str = "{\"requests\": 500, \"caps\": {\"ads\": {\"spans\": 500, \"share\": 0.3}}}";
const FILES: [&str; 5] = ["x.reward", "--controllers", "c.yaml", "--state", "state.json"];

fn desk() -> Desk {
    Desk::with(CAPPED).put("c.yaml", CONTROLLERS).put("o.json", OBSERVED)
}

fn step<'a>(extra: &[&'a str]) -> Vec<&'a str> {
    [&["control", "step"], &FILES[..], extra].concat()
}

#[test]
fn a_step_moves_the_state_and_says_so() {
    let desk = desk();
    let show = [&["control", "show"], &FILES[..]].concat();
    desk.fine(&show).says("nothing counted yet");
    desk.fine(&step(&["--observed", "o.json", "--dry-run"])).says("lambda 0 to 0.1").says("nothing written");
    assert!(!desk.path("state.json").exists());
    desk.fine(&step(&["--observed", "o.json"])).says("ads: share 30% of 10%, lambda 0 to 0.1").says("wrote state.json");
    desk.fine(&step(&["--observed", "o.json"])).says("lambda 0.1 to 0.2");
    desk.fine(&show).says("lambda 0.2 of up to 1, measured 30% of 10%, 2 updates");
}

#[test]
#[cfg(feature = "data")]
fn a_log_is_a_measurement_of_what_was_shown() {
    let desk = desk()
        .put("log.csv", "request_id,item_id,pos,p_click\nr1,i1,1,0.5\nr1,i2,2,0.5\nr2,i1,1,0.5\nr2,i3,2,0.5\n")
        .put("items.csv", "item_id,is_ad,author,plays\ni1,0,a,1\ni2,1,a,1\ni3,0,b,1\n");
    // One slate of two is half ads, the other has none: 25 %.
    desk.fine(&step(&["--data", "."])).says("share 25% of 10%, lambda 0 to 0.075");
}

#[test]
fn what_does_not_fit_is_refused() {
    let desk =
        desk().put("bad.json", "{\"caps\": {\"adz\": {}}}").put("bad.yaml", "controllers: x\ncaps:\n  adz: {}\n");
    desk.refused(&step(&[]), 2, "RW0809");
    desk.refused(&step(&["--observed", "o.json", "--data", "."]), 2, "RW0809");
    desk.refused(&step(&["--observed", "nothing.json"]), 2, "RW0801");
    desk.refused(&step(&["--observed", "bad.json"]), 2, "RW0907").says("no cap `adz`");
    let with = |controllers, state| {
        ["control", "step", "x.reward", "--controllers", controllers, "--state", state, "--observed", "o.json"]
    };
    desk.refused(&with("bad.yaml", "s.json"), 1, "RW0905").says("did you mean `ads`?");
    desk.refused(&with("nothing.yaml", "s.json"), 2, "RW0801");
    desk.refused(&with("c.yaml", "nowhere/s.json"), 2, "RW0805");
    desk.change("s.json", "{\"reward\": \"other@1#00\"}");
    desk.refused(&with("c.yaml", "s.json"), 2, "RW0807").says("other@1#00");
    desk.change("s.json", "{\"caps\": {\"old\": {\"lambda\": 1}}}");
    desk.refused(&with("c.yaml", "s.json"), 2, "RW0807").says("`old`");
    desk.change("s.json", "{\"caps\": {\"ads\": {\"memory\": {\"innr\": 1}}}}");
    desk.refused(&with("c.yaml", "s.json"), 2, "RW0807").says("`innr`");
}

/// Killed at any moment of its work, a step leaves the old state or the new one.
#[test]
fn a_killed_step_leaves_the_old_state_or_the_new() {
    let desk = desk();
    let updates = |desk: &Desk| {
        let state = ControlState::from_json(&desk.text("state.json")).unwrap();
        state.caps["ads"].memory.as_ref().unwrap().updates
    };
    let args = step(&["--observed", "o.json"]);
    let begun = std::time::Instant::now();
    desk.fine(&args);
    let (whole, mut at, mut moved) = (begun.elapsed(), updates(&desk), 0);
    for i in 0..200_u32 {
        let mut child = desk.command(&args).stdout(std::process::Stdio::null()).spawn().unwrap();
        std::thread::sleep(whole.mul_f64(f64::from(i % 50) / 40.0).max(Duration::from_micros(50)));
        child.kill().unwrap();
        child.wait().unwrap();
        let now = updates(&desk);
        assert!(now == at || now == at + 1, "{now} after {at}");
        moved += now - at;
        at = now;
    }
    assert!(0 < moved && moved < 200, "{moved} of 200 came through: the kills did not fall into the work");
}
