//! `rewardc eval`.

use serde_json::{Map, Value, json};

use super::args::{EvalArgs, SummaryFormat};
use super::brings::bind;
use super::ground::{Ground, asked, classes, ground, load, reward};
use super::program::could_not;
use super::{Exit, Ui};
use crate::diagnostic::{Diagnostic, Fault, code};
use crate::host::{Decode, Order, Reward};
use crate::train::{Baselines, Class, Evaluation, Mean, Part, Question, User, evaluate};
use crate::types::Host;

/// Whose figures, and those.
pub type Row = (&'static str, Evaluation);

pub fn run(args: &EvalArgs, ui: &mut Ui) -> Exit {
    work(args, ui).unwrap_or_else(|exit| exit)
}

fn work(args: &EvalArgs, ui: &mut Ui) -> Result<Exit, Exit> {
    let (rows, classes) = judged(args, ui)?;
    match args.format {
        SummaryFormat::Human => ui.print(&table(args, &rows, &classes)),
        SummaryFormat::Json => {
            let asked = json!({
                "part": if args.validation { "validation" } else { "test" },
                "held_out": args.who.held_out,
                "length": args.length,
                "beams": args.beams.unwrap_or(args.length),
                "at_most": args.at_most,
            });
            let rows = rows.iter().map(|(name, found)| ((*name).to_string(), as_json(found, &classes)));
            let all: Map<_, _> = [("asked".to_string(), asked)].into_iter().chain(rows).collect();
            ui.print(&format!("{:#}\n", Value::Object(all)));
        }
    }
    Ok(Exit::Fine)
}

/// The figures of a policy, and of baselines where they are asked for; and the classes looked at.
pub fn judged(args: &EvalArgs, ui: &mut Ui) -> Result<(Vec<Row>, Vec<Class>), Exit> {
    let mut ground = ground(&args.ground, ui)?;
    let reward = args.reward.as_ref().map(|path| reward(path, &args.settings, ui)).transpose()?;
    judge(args, &mut ground, reward.as_ref(), ui).map_err(|fault| could_not(ui, *fault))
}

fn judge(
    args: &EvalArgs,
    ground: &mut Ground,
    reward: Option<&Reward>,
    ui: &Ui,
) -> Result<(Vec<Row>, Vec<Class>), Fault> {
    let classes = match reward {
        None => Vec::new(),
        Some(reward) => {
            let order = reward.schema().spans.training.as_ref().is_none_or(|t| t.beam_order);
            let order = if order { Order::Beam } else { Order::Sampled };
            classes(&bind(ground, reward, Host::Training, (1, 1))?.training(Decode::Free, order).build()?)?
        }
    };
    let Ground { config, catalog, sequences, device, .. } = &*ground;
    let mut checkpoint = load(&args.checkpoint, config, &**catalog, device)?;
    let model = checkpoint.model()?;
    let part = if args.validation { Part::Valid } else { Part::Test };
    let samples = asked(sequences, part, args.who.held_out, args.who.users);
    if samples.is_empty() {
        return Err(Box::new(
            Diagnostic::bare(&code::SEQUENCES, "nobody can be asked: no user has three items of the catalog").help(
                "a user's last item is what is looked for; with `--held-out` only rows of odd number count, from 0",
            ),
        ));
    }
    let at_most = args.at_most.as_ref().map(|text| bound(text, &classes)).transpose()?;
    if let Some(beams) = args.beams.filter(|b| *b < args.length) {
        let message = format!("`--beams {beams}` cannot find lists of {}", args.length);
        return Err(Box::new(
            Diagnostic::bare(&code::ARGUMENT, message).help("a search is at least as wide as a list"),
        ));
    }
    let question = Question {
        length: args.length,
        beams: args.beams.unwrap_or(args.length),
        classes: &classes,
        sampled: args.sampled,
        seed: config.seed,
        at_most,
    };
    let watch = ui.progress();
    let shared = std::sync::Mutex::new(&watch);
    let found = evaluate(&model, sequences, &**catalog, &samples, &question, &|done| {
        if let Ok(watch) = shared.lock() {
            crate::data::Progress::step(*watch, &format!("{done} of {} users", samples.len()));
        }
    });
    watch.done();
    let found = found?;
    if found.users.iter().any(|u| u.log_prob.is_some_and(f64::is_nan)) {
        return Err(Box::new(
            Diagnostic::bare(&code::CHECKPOINT, "the decoder writes no numbers: its weights are of no use")
                .help("name a checkpoint of before its run diverged"),
        ));
    }
    let mut rows = vec![("policy", found)];
    if args.baselines {
        let counted = Baselines::count(sequences, part, &**catalog);
        rows.push(("popularity", counted.popularity(sequences, &**catalog, (&samples, args.length), &classes)));
        rows.push(("last item", counted.markov(sequences, &**catalog, (&samples, args.length), &classes)));
    }
    Ok((rows, classes))
}

/// `CAP=10%`.
fn bound(text: &str, classes: &[Class]) -> Result<(usize, f64), Fault> {
    let (name, share) = text.split_once('=').unwrap_or((text, ""));
    let class = classes.iter().position(|c| c.name == name);
    let share = match share.strip_suffix('%') {
        Some(percent) => percent.parse::<f64>().map(|p| p / 100.0),
        None => share.parse::<f64>(),
    };
    match (class, share) {
        (Some(class), Ok(share)) if (0.0..=1.0).contains(&share) => Ok((class, share)),
        _ => {
            let caps: Vec<String> = classes.iter().map(|c| format!("`{}`", c.name)).collect();
            let help = format!("`--at-most CAP=10%`; the reward's caps are {}", caps.join(", "));
            Err(Box::new(Diagnostic::bare(&code::ARGUMENT, format!("`--at-most {text}` is no bound")).help(help)))
        }
    }
}

/// A number of a user.
type Figure = fn(&User) -> Option<f64>;

/// What is measured of each user, by name.
const FIGURES: [(&str, Figure); 4] = [
    ("hr_sid", |u| Some(u.hit_sid)),
    ("hr", |u| Some(u.hit)),
    ("ndcg", |u| Some(u.ndcg)),
    ("log_prob", |u| u.log_prob),
];

/// What was found, a row a policy.
pub fn table(args: &EvalArgs, rows: &[Row], classes: &[Class]) -> String {
    let k = args.length;
    let users = rows.first().map_or(0, |(_, found)| found.users.len());
    let heads = [format!("HR@{k} by SID"), format!("HR@{k}"), format!("NDCG@{k}"), "log π".into(), "coverage".into()];
    let last = if args.validation { "last item but one" } else { "last item" };
    let mut text = format!("{users} users, each one's {last} (in brackets: 95 of 100 draws of as many users)\n\n");
    let head: String = heads.iter().map(|h| format!("{h:>26}")).collect();
    text += &format!("{:<12}{head}\n", "");
    for (name, found) in rows {
        text += &format!("{name:<12}");
        for (figure, of) in FIGURES {
            let Mean { mean, low, high } = found.interval(of);
            let shown = match figure {
                "log_prob" if found.users.iter().all(|u| u.log_prob.is_none()) => "-".to_string(),
                "log_prob" => format!("{mean:.3} [{low:.3}, {high:.3}]"),
                _ => format!("{mean:.4} [{low:.4}, {high:.4}]"),
            };
            text += &format!("{shown:>26}");
        }
        text += &format!("{:>24.1} %\n", 100.0 * found.coverage);
    }
    for (i, class) in classes.iter().enumerate() {
        let all = class.members.iter().filter(|m| **m).count() as f64 / class.members.len().max(1) as f64;
        text += &format!("\n{}: {:.2} % of the catalog's items\n", class.name, 100.0 * all);
        for (name, found) in rows {
            let Mean { mean, low, high } = found.interval(|u| u.served.get(i).copied());
            text += &format!("  {name:<12} {:>6.2} % served [{:.2}, {:.2}]", 100.0 * mean, 100.0 * low, 100.0 * high);
            if found.users.iter().any(|u| !u.sampled.is_empty()) {
                text += &format!(", {:.2} % sampled", 100.0 * found.mean(|u| u.sampled.get(i).copied()));
            }
            text.push('\n');
        }
    }
    let free: Vec<&Row> = rows.iter().filter(|(_, f)| f.users.iter().any(|u| u.legal.is_some())).collect();
    if !free.is_empty() {
        text += "\ndrawn without a mask, of which stands for an item\n";
    }
    for (name, found) in free {
        let Mean { mean, low, high } = found.interval(|u| u.legal);
        text += &format!("  {name:<12} {:>6.2} % [{:.2}, {:.2}]\n", 100.0 * mean, 100.0 * low, 100.0 * high);
    }
    text
}

fn as_json(found: &Evaluation, classes: &[Class]) -> Value {
    let mut all = Map::new();
    all.insert("users".into(), json!(found.users.len()));
    all.insert("coverage".into(), json!(found.coverage));
    for (figure, of) in FIGURES {
        if found.users.iter().any(|u| of(u).is_some()) {
            all.insert(figure.into(), json!(found.interval(of)));
        }
    }
    if found.users.iter().any(|u| u.legal.is_some()) {
        all.insert("legal".into(), json!(found.interval(|u| u.legal)));
    }
    let share = |(i, class): (usize, &Class)| {
        let mut own = Map::new();
        own.insert("served".into(), json!(found.interval(|u| u.served.get(i).copied())));
        if found.users.iter().any(|u| !u.sampled.is_empty()) {
            own.insert("sampled".into(), json!(found.interval(|u| u.sampled.get(i).copied())));
        }
        (class.name.clone(), Value::Object(own))
    };
    all.insert("classes".into(), Value::Object(classes.iter().enumerate().map(share).collect()));
    Value::Object(all)
}
