//! Random programs with random data: what property tests and later evaluators run on.

/// splitmix64.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn one<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[self.below(of.len() as u64) as usize]
    }
}

pub const SCHEMA: &str = "\
schema: random
spans:
  training: {slate: first 4 of group}
  slate: {made: {every: 4, per: request}}
  longest: {slate: 4, group: 12, history: 6, targets: 2, batch: 100}
lists:
  past: {from: row, features: [b, k, sid]}
  wanted: {from: row, features: [sid, b]}
features:
  a: {scale: ratio, range: [0, 10]}
  b: {scale: number, range: [-5, 5]}
  n: {scale: number, range: [0, 4], nullable: true}
  k: {scale: count, range: [0, 20]}
  p: {scale: probability}
  f: {scale: bool}
  c: {scale: category, names: [A, B, C]}
  i: {scale: id}
  sid: {scale: sid, shape: [4, 4, 4]}
";

/// A program in pieces, so that a test can leave some out.
pub struct Pieces {
    pub terms: Vec<String>,
    pub gates: Vec<String>,
    pub eco: Vec<String>,
    pub caps: Vec<String>,
    pub rules: Vec<String>,
    pub rest: Vec<String>,
    pub test: String,
}

impl Pieces {
    /// The text of the file.
    pub fn text(&self) -> String {
        format!(
            "language 1\nscenario r.r\nversion 1\nschema \"s.yaml\"\nfor training, logs\n\
             preference {{\n{}\n{}\n}}\necosystem {{\n{}\n{}\n}}\nformat {{\n{}\n}}\n{}\n{}\n",
            self.terms.join("\n"),
            self.gates.join("\n"),
            self.eco.join("\n"),
            self.caps.join("\n"),
            self.rules.join("\n"),
            self.rest.join("\n"),
            self.test
        )
    }
}

/// A program that checks by construction (warnings aside), with a test that holds its data.
pub fn program(seed: u64) -> Pieces {
    let mut r = Random(seed);
    let list =
        |n: u64, make: &mut dyn FnMut(u64, &mut Random) -> String, r: &mut Random| (0..n).map(|i| make(i, r)).collect();
    let n_terms = 1 + r.below(3);
    let terms = list(
        n_terms,
        &mut |i, r| format!("term t{i} weight {} = {}", r.one(&["1", "0.5", "-2", "3"]), number(r, 4)),
        &mut r,
    );
    let n_gates = r.below(3);
    let gates = list(n_gates, &mut |i, r| format!("gate g{i} = {}", condition(r, 3)), &mut r);
    let n_eco = r.below(3);
    let eco = list(n_eco, &mut |i, r| format!("term e{i} = {}", number(r, 3)), &mut r);
    let n_caps = r.below(4);
    let caps = list(n_caps, &mut |i, r| cap(i, r), &mut r);
    let n_rules = r.below(3);
    let rules = list(
        n_rules,
        &mut |i, r| format!("require r{i} = {} else {}", condition(r, 3), r.one(&["lowest", "drop"])),
        &mut r,
    );
    let mut rest = vec![format!("advantage adv = {}", number(&mut r, 3))];
    if r.below(2) == 0 {
        rest.push("reward = clamp(preference + 0.5 * ecosystem, -3, 4)".into());
    }
    if r.below(2) == 0 {
        rest.push(format!("token advantage tok = {} * (level + (if code == 0 then 1 else 2))", number(&mut r, 2)));
    }
    // Every program reads every feature, so that leaving a piece out changes no verdict.
    rest.push(
        "monitor reads = a + b + k + p + (n ?? 0) + (if f and c == \"A\" and i is first in group and sid not in past.sid then 1 else 0) + \
         (if count(past.b > 0 over history) + count(past.k > 0 over history) > 2 then 1 else 0)"
            .into(),
    );
    rest.push("monitor m = mean(reward over group) - this_reward".replace("this_reward", "total"));
    Pieces { terms, gates, eco, caps, rules, rest, test: test(&mut r) }
}

fn cap(i: u64, r: &mut Random) -> String {
    let on = condition(r, 2);
    let bound = r.one(&["25%", "50%", "1", "2", "0"]);
    let text = match r.below(6) {
        0 => format!("at most {bound} of slate penalty 1.5 per item over"),
        1 => format!("at most {bound} of group penalty 2 per item over, after normalizing"),
        2 => format!("at least {bound} of group penalty 1 per item short"),
        3 => format!("at most {bound} of first 3 per c penalty 1 per item over"),
        4 => format!("at most {bound} of group scale 0.5"),
        _ => format!("at most {bound} of slate dual up to 2"),
    };
    format!("cap c{i} on {on} {{ {text} }}")
}

/// A known plain number, at most a few thousand in size.
fn number(r: &mut Random, depth: u64) -> String {
    if depth == 0 {
        return r.one(&["a", "b", "p", "k", "(n ?? 1)", "0.5", "2", "3", "1e-3"]).to_string();
    }
    let d = depth - 1;
    match r.below(22) {
        0..=2 => number(r, 0),
        3 => format!("({} + {})", number(r, d), number(r, d)),
        4 => format!("({} - {})", number(r, d), number(r, d)),
        5 => format!("clamp({} * {}, -50, 50)", number(r, d), number(r, d)),
        6 => format!("clamp({} / {} ?? 0, -9, 9)", number(r, d), number(r, d)),
        7 => format!("tanh({})", number(r, d)),
        8 => format!("{}({}, {})", r.one(&["min", "max", "hinge"]), number(r, d), number(r, d)),
        9 => format!("exp(min({}, 2))", number(r, d)),
        10 => format!("log1p(abs({}))", number(r, d)),
        11 => format!("sqrt(abs({}))", number(r, d)),
        12 => format!("(if {} then {} else {})", condition(r, d), number(r, d), number(r, d)),
        13 => format!("(match c {{ \"A\" -> {}, else -> {} }})", number(r, d), number(r, d)),
        14 => "logit(p)".to_string(),
        15 => format!("smoothstep({}, 0, 4)", number(r, d)),
        16 => format!("band({}, [0, 1, 5])", number(r, d)),
        17 => span_number(r, d),
        18 => format!("({} ?? 0)", history_number(r)),
        19 => "(max(common_prefix(sid, wanted.sid) over targets) ?? 0)".to_string(),
        20 => format!("sigmoid({})", number(r, d)),
        _ => "sum(if code == 1 then 1 else 0 over levels)".to_string(),
    }
}

fn span_number(r: &mut Random, depth: u64) -> String {
    let span = r.one(&["group", "slate"]);
    let x = number(r, depth.min(1));
    let narrowed = r.one(&["", " except this", " before this", " per c", " where f"]);
    match r.below(9) {
        0 => format!("mean({x} over {span})"),
        1 => format!(
            "(mean({x} over {span}{narrowed}) ?? 0)",
            narrowed = if narrowed.is_empty() { " except this" } else { narrowed }
        ),
        2 => format!("clamp(sum({x} over {span}{narrowed}), -100, 100)"),
        3 => format!("(rank({x} over {span}))"),
        4 => format!("count(f over {span}{narrowed})"),
        5 => format!("std({x} over {span})"),
        6 => format!("quantile({x}, {} over {span})", r.one(&["25%", "50%", "100%"])),
        7 => format!("percentile({x} among {} over {span})", number(r, 0)),
        _ => format!("entropy({} over {span})", r.one(&["c", "k", "i"])),
    }
}

fn history_number(r: &mut Random) -> String {
    match r.below(4) {
        0 => "mean(past.b over history)".into(),
        1 => "max(past.k over history where past.k > 3)".into(),
        2 => "percentile(b among past.b over history, at least 2)".into(),
        _ => "share(past.sid == sid over history)".into(),
    }
}

fn condition(r: &mut Random, depth: u64) -> String {
    if depth == 0 {
        return r
            .one(&["f", "(c == \"A\")", "(k > 5)", "(n is known)", "(sid not in past.sid)", "(p < 0.5)"])
            .to_string();
    }
    let d = depth - 1;
    match r.below(8) {
        0 => condition(r, 0),
        1 => format!("({} {} {})", number(r, d), r.one(&["<", ">", "<=", ">="]), number(r, d)),
        2 => format!("({} and {})", condition(r, d), condition(r, d)),
        3 => format!("({} or {})", condition(r, d), condition(r, d)),
        4 => format!("(not {})", condition(r, d)),
        5 => "(n is known and n > 1)".into(),
        6 => format!("any({} over group except this)", condition(r, 0)),
        _ => "(i is first in slate)".into(),
    }
}

fn test(r: &mut Random) -> String {
    let items: Vec<String> = (0..1 + r.below(8)).map(|_| item(r)).collect();
    let history: Vec<String> = (0..r.below(5)).map(|_| entry(r)).collect();
    let targets: Vec<String> = (0..r.below(3)).map(|_| entry_of_target(r)).collect();
    format!(
        "test \"data\" {{\n group of {} {{\n{}\n}}\nhistory {{ {} }}\ntargets {{ {} }}\n}}",
        items.len(),
        items.join("\n"),
        history.join("\n"),
        targets.join("\n")
    )
}

fn item(r: &mut Random) -> String {
    let n = if r.below(3) == 0 { String::new() } else { format!(" n: {}.5,", r.below(4)) };
    // Now and then a value out of its range, an unknown category, a padded beam.
    let a = if r.below(25) == 0 { "11".to_string() } else { format!("{}.{}", r.below(10), r.below(10)) };
    let c = if r.below(25) == 0 { "D" } else { r.one(&["A", "B", "C"]) };
    let sign = if r.below(2) == 0 { "-" } else { "" };
    let more = if r.below(25) == 0 {
        ", padding"
    } else if r.below(9) == 0 {
        ", not in catalog"
    } else {
        ""
    };
    format!(
        "item {{ a: {a}, b: {sign}{}.{},{n} k: {}, p: 0.{}, f: {}, c: \"{c}\", i: \"i{}\", sid: {}/{}/{}{more} }}",
        r.below(5),
        r.below(10),
        r.below(20),
        r.below(10),
        r.below(2) == 0,
        r.below(3),
        r.below(4),
        r.below(4),
        r.below(4)
    )
}

fn entry(r: &mut Random) -> String {
    format!("item {{ b: {}.25, k: {}, sid: {}/{}/1 }}", r.below(5), r.below(20), r.below(4), r.below(4))
}

fn entry_of_target(r: &mut Random) -> String {
    format!("item {{ b: {}.25, sid: {}/{}/2 }}", r.below(5), r.below(4), r.below(4))
}
