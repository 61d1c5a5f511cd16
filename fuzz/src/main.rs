//! Throws mutated reward files at the parser, the checker and the formatter.
//!
//! `fuzz/run EXECUTIONS SEED` or `cargo run --release -p rewardc-fuzz -- TARGET EXECUTIONS [SEED]`, TARGET
//! `check` or `format`. Seeds are every `.reward` of the repository and every block of the
//! conformance cases. Mutations work on words and lines, so that enough inputs stay readable to
//! reach the checker; some work on bytes. A panic, an input that takes over a second, or a formatter
//! that changes the tree ends the run with the input.

mod mutate;
mod seeds;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use rewardc::check::{Options, check};
use rewardc::diagnostic::Diagnostics;
use rewardc::source::FileId;
use rewardc::syntax::{FormatFault, format, parse};

/// Longest time that one input may take.
const PATIENCE: Duration = Duration::from_secs(1);

#[derive(Default)]
struct Tally {
    run: u64,
    parsed: u64,
    checked: u64,
    slowest: Duration,
}

fn main() -> ExitCode {
    // The depth that the parser allows needs more than a thread's usual stack in debug builds.
    let worker = std::thread::Builder::new().stack_size(256 << 20).spawn(run);
    match worker.map(std::thread::JoinHandle::join) {
        Ok(Ok(true)) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]
fn run() -> bool {
    let mut args = std::env::args().skip(1);
    let target = args.next().unwrap_or_else(|| "check".into());
    let executions: u64 = args.next().and_then(|n| n.parse().ok()).unwrap_or(100_000);
    let seed: u64 = args.next().and_then(|n| n.parse().ok()).unwrap_or(1);
    let seeds = seeds::all();
    let mut random = mutate::Random(seed);
    let mut tally = Tally::default();
    std::panic::set_hook(Box::new(|_| {}));
    while tally.run < executions {
        let (input, seed) = mutate::input(&seeds, &mut random);
        let begun = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| match target.as_str() {
            "format" => format_target(&input),
            _ => check_target(&input, seed),
        }));
        let took = begun.elapsed();
        tally.run += 1;
        tally.slowest = tally.slowest.max(took);
        let fine = match outcome {
            Ok(Ok((parsed, checked))) => {
                tally.parsed += u64::from(parsed);
                tally.checked += u64::from(checked);
                took < PATIENCE
            }
            Ok(Err(_)) | Err(_) => false,
        };
        if !fine {
            eprintln!("input {} of {target} ({took:?}):\n{input}", tally.run);
            return false;
        }
        if tally.run.is_multiple_of(100_000) {
            eprintln!("{target}: {} executions", tally.run);
        }
    }
    let share = |n: u64| 100.0 * n as f64 / tally.run.max(1) as f64;
    println!(
        "{target}: {} executions, {:.1} % parse, {:.1} % check, slowest {:.0} ms",
        tally.run,
        share(tally.parsed),
        share(tally.checked),
        tally.slowest.as_secs_f64() * 1e3
    );
    true
}

type Outcome = Result<(bool, bool), String>;

fn check_target(input: &str, seed: &seeds::Seed) -> Outcome {
    let mut found = Diagnostics::default();
    let _ = parse(input, FileId(0), &mut found);
    let checked = check(&seed.name, input, &seed.files, &Options::default());
    if checked.program.is_none() && checked.diagnostics.is_empty() && !checked.used_only {
        return Err("refused without a message".into());
    }
    if let Some(program) = &checked.program {
        let _ = rewardc::check::report(program);
    }
    Ok((!found.has_errors(), checked.program.is_some()))
}

fn format_target(input: &str) -> Outcome {
    match format(input, FileId(0)) {
        Ok(once) => match format(&once, FileId(0)) {
            Ok(twice) if twice == once => Ok((true, false)),
            _ => Err("formatting twice is not formatting once".into()),
        },
        Err(FormatFault::Faulty(_)) => Ok((false, false)),
        Err(FormatFault::Changed) => Err("the formatter would change the tree".into()),
    }
}
