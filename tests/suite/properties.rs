//! What holds for every program: proven ranges, the theorems, formatting.
//!
//! The reference evaluator asserts in debug builds that every value it works out lies in its proven
//! interval, so scoring a random program is already the first of these tests.

use rewardc::check::{Checked, Options, check, report};
use rewardc::diagnostic::short;
use rewardc::eval::{Scores, Verdict};
use rewardc::program::{Column, Part, Program, column_names, columns};
use rewardc::source::{FileId, MemoryFiles};
use rewardc::syntax::format;
use rewardc::testing;
use rewardc::types::Interval;

use crate::programs::{Pieces, SCHEMA, program};

/// How many programs: enough for the edit loop, more where `REWARDC_PROGRAMS` says so.
fn programs() -> u64 {
    std::env::var("REWARDC_PROGRAMS").ok().and_then(|n| n.parse().ok()).unwrap_or(100)
}

fn checked(text: &str) -> Checked {
    check("random.reward", text, &MemoryFiles::default().with("s.yaml", SCHEMA), &Options::default())
}

fn scored(text: &str) -> (Program, Scores) {
    let checked = checked(text);
    let program =
        checked.program.as_ref().unwrap_or_else(|| panic!("{}\n{text}", short(&checked.diagnostics, &checked.sources)));
    testing::score(program, &checked.schema, &checked.tests[0])
        .unwrap_or_else(|f| panic!("{}\n{text}", short(&f, &checked.sources)))
}

fn range(program: &Program, column: Column) -> Interval {
    let zero_or_one = Interval::new(0.0, 1.0);
    match column {
        Column::Reward => program.ranges.reward,
        Column::Cost => program.ranges.cost,
        Column::Total => program.ranges.total,
        Column::Preference => program.ranges.preference,
        Column::Ecosystem => program.ranges.ecosystem,
        Column::Clamp => program.ranges.clamp,
        Column::Over(_) => zero_or_one,
        Column::Channel(i) => program.channels[i].range,
        Column::Part(i) => match &program.parts[i] {
            Part::Term(t) => t.range,
            Part::Gate(g) => g.range,
            Part::Cap(c) => c.range,
        },
        Column::Raw(i) => match &program.parts[i] {
            Part::Term(t) => program.expr(t.value).interval.outward_f32(),
            _ => zero_or_one,
        },
    }
}

fn all(mut each: impl FnMut(u64, Pieces)) {
    for seed in 0..programs() {
        each(seed, program(seed));
    }
}

#[test]
fn every_number_lies_in_its_proven_range() {
    let mut numbers = 0;
    all(|seed, pieces| {
        let (program, scores) = scored(&pieces.text());
        for column in columns(&program) {
            let range = range(&program, column);
            let found = scores.column(column).unwrap();
            for row in (0..scores.n_rows).filter(|r| scores.verdicts[*r] == Verdict::Scored) {
                for level in 0..found.width {
                    if let Some(value) = found.get(row, level) {
                        let name = column_names(&program, column);
                        assert!(range.contains(value), "{seed}: {name} = {value} outside {range:?}\n{}", pieces.text());
                        assert!(
                            found.error(row, level).is_finite() && found.error(row, level) >= 0.0,
                            "{seed}: {name}"
                        );
                        numbers += 1;
                    }
                }
            }
        }
    });
    assert!(numbers > 30 * programs());
}

/// "Failing a gate or rule never raises a reward", where the checker says so: no reward is greater
/// than without the gates, and no illegal reward greater than the least scored one.
#[test]
fn gates_and_rules_never_raise_where_proved() {
    let mut held = 0;
    all(|seed, mut pieces| {
        let text = pieces.text();
        let (program, with) = scored(&text);
        if !report(&program).theorems[0].holds {
            return;
        }
        held += 1;
        let least = (0..with.n_rows)
            .filter(|r| with.verdicts[*r] == Verdict::Scored)
            .filter_map(|r| with.get(Column::Reward, r))
            .fold(f64::INFINITY, f64::min);
        for row in (0..with.n_rows).filter(|r| matches!(with.verdicts[*r], Verdict::Illegal(_))) {
            assert!(with.get(Column::Reward, row).unwrap() <= least, "{seed}\n{text}");
        }
        pieces.gates.clear();
        let (_, without) = scored(&pieces.text());
        for row in (0..with.n_rows).filter(|r| with.verdicts[*r] == Verdict::Scored) {
            let (a, b) = (with.get(Column::Reward, row).unwrap(), without.get(Column::Reward, row).unwrap());
            assert!(a <= b + 1e-9, "{seed}: {a} with the gates, {b} without\n{text}");
        }
    });
    assert!(held > programs() / 2);
}

/// "Breaking a cap never raises that candidate's total", where the checker says so: without any one
/// of its `at most` caps no total is smaller.
#[test]
fn caps_never_raise_where_proved() {
    let mut compared = 0;
    all(|seed, pieces| {
        let text = pieces.text();
        let (program, with) = scored(&text);
        if !report(&program).theorems[1].holds {
            return;
        }
        for left_out in 0..pieces.caps.len() {
            let mut fewer = program_without(seed, left_out);
            fewer.test.clone_from(&pieces.test);
            let (_, without) = scored(&fewer.text());
            for row in (0..with.n_rows).filter(|r| with.verdicts[*r] == Verdict::Scored) {
                let (a, b) = (with.get(Column::Total, row).unwrap(), without.get(Column::Total, row).unwrap());
                assert!(a <= b + 1e-9, "{seed}: total {a} with cap {left_out}, {b} without\n{text}");
                compared += 1;
            }
        }
    });
    assert!(compared > programs());
}

fn program_without(seed: u64, cap: usize) -> Pieces {
    let mut pieces = program(seed);
    pieces.caps.remove(cap);
    pieces
}

#[test]
fn random_programs_survive_formatting() {
    all(|seed, pieces| {
        let text = pieces.text();
        let once = format(&text, FileId(0)).unwrap_or_else(|f| panic!("{seed}: {f:?}\n{text}"));
        assert_eq!(format(&once, FileId(0)).unwrap(), once, "{seed}");
        let (a, b) = (checked(&text).program.unwrap(), checked(&once).program.unwrap());
        assert_eq!(a.reward_id(), b.reward_id(), "{seed}");
    });
}

/// Scoring is a function: the same program and data give the same bits.
#[test]
fn scores_repeat_bit_for_bit() {
    for seed in 0..100 {
        let text = program(seed).text();
        let ((program, a), (_, b)) = (scored(&text), scored(&text));
        assert_eq!(a.verdicts, b.verdicts);
        for column in columns(&program) {
            let bits = |s: &Scores| s.column(column).unwrap().values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&a), bits(&b));
        }
    }
}
