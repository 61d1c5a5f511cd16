//! Making a new input from a sound one.

use crate::seeds::Seed;

/// splitmix64.
pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    fn one<'t, T: ?Sized>(&mut self, of: &[&'t T]) -> Option<&'t T> {
        of.get(self.below(of.len())).copied()
    }
}

/// Words by class: one stands where another of its class stood.
const CLASSES: [&[&str]; 9] = [
    &["+", "-", "*", "/", "??"],
    &["<", ">", "<=", ">=", "==", "!="],
    &["and", "or"],
    &["slate", "group", "batch", "history", "targets", "levels"],
    &["mean", "sum", "min", "max", "count", "share", "std", "any", "all", "rank", "entropy", "dcg"],
    &["tanh", "exp", "log", "log1p", "sqrt", "abs", "floor", "logit", "sigmoid"],
    &["term", "gate", "let", "monitor", "hint", "advantage"],
    &["lowest", "drop"],
    &["training", "serving", "logs"],
];

const NUMBERS: [&str; 14] = [
    "0",
    "1",
    "2",
    "10",
    "100%",
    "0%",
    "12.5%",
    "1e30",
    "1e-30",
    "0.1",
    "1_000",
    "3 s",
    "30 days",
    "99999999999999999999",
];

/// A mutated seed, and the seed it came from.
pub fn input<'s>(seeds: &'s [Seed], random: &mut Random) -> (String, &'s Seed) {
    let Some(seed) = seeds.get(random.below(seeds.len())) else {
        #[expect(clippy::panic, reason = "without seeds there is nothing to fuzz")]
        {
            panic!("no seeds")
        }
    };
    let mut words = split(&seed.text);
    for _ in 0..1 + random.below(2) {
        mutate(&mut words, seeds, random);
    }
    let mut text = words.concat();
    if random.below(12) == 0 {
        bytes(&mut text, random);
    }
    (text, seed)
}

/// Words, numbers, marks and the space between them.
fn split(text: &str) -> Vec<String> {
    let kind = |c: char| {
        if c.is_alphanumeric() || c == '_' || c == '.' || c == '%' {
            0
        } else if c.is_whitespace() {
            1
        } else {
            2
        }
    };
    let mut words: Vec<String> = Vec::new();
    let mut last = 9;
    for c in text.chars() {
        let this = kind(c);
        match words.last_mut() {
            Some(word) if this == last && this != 2 => word.push(c),
            _ => words.push(c.to_string()),
        }
        last = this;
    }
    words
}

fn mutate(words: &mut Vec<String>, seeds: &[Seed], random: &mut Random) {
    let at = random.below(words.len());
    match random.below(16) {
        // A number, a word of the same class, a name of the same file.
        0..=4 => replace_number(words, random),
        5..=8 => replace_in_class(words, random),
        9 | 10 => {
            let names: Vec<usize> = (0..words.len())
                .filter(|i| words.get(*i).is_some_and(|w| w.starts_with(|c: char| c.is_ascii_alphabetic())))
                .collect();
            let from = names.get(random.below(names.len())).and_then(|i| words.get(*i)).cloned();
            let to = names.get(random.below(names.len())).and_then(|i| words.get_mut(*i));
            if let (Some(from), Some(to)) = (from, to) {
                *to = from;
            }
        }
        // Lines: taken away, doubled, brought from elsewhere.
        11 | 12 => lines(words, seeds, random),
        13 if at < words.len() => _ = words.remove(at),
        14 if at < words.len() => {
            let copy = words.get(at).cloned().unwrap_or_default();
            words.insert(at, copy);
        }
        _ => {
            let more = [
                "(",
                ")",
                "if ",
                " then ",
                " else ",
                "not ",
                "-",
                "past.",
                "this.",
                " over group",
                "\"",
                "// ",
                "{",
                "}",
            ];
            words.insert(at, random.one(&more).unwrap_or("").to_string());
        }
    }
}

fn replace_number(words: &mut [String], random: &mut Random) {
    let numbers: Vec<usize> = (0..words.len())
        .filter(|i| words.get(*i).is_some_and(|w| w.starts_with(|c: char| c.is_ascii_digit())))
        .collect();
    let number = random.one(&NUMBERS).unwrap_or("0").to_string();
    if let Some(word) = numbers.get(random.below(numbers.len())).and_then(|i| words.get_mut(*i)) {
        *word = number;
    }
}

fn replace_in_class(words: &mut [String], random: &mut Random) {
    let begin = random.below(words.len());
    let n = words.len();
    for i in (begin..n).chain(0..begin) {
        let class = words.get(i).and_then(|w| CLASSES.iter().find(|c| c.contains(&w.as_str())));
        if let (Some(class), Some(word)) = (class, words.get_mut(i)) {
            *word = random.one(class).unwrap_or("").to_string();
            return;
        }
    }
}

fn lines(words: &mut Vec<String>, seeds: &[Seed], random: &mut Random) {
    let text = words.concat();
    let mut lines: Vec<&str> = text.lines().collect();
    let at = random.below(lines.len());
    let other = seeds.get(random.below(seeds.len())).map_or("", |s| s.text.as_str());
    let brought = other.lines().nth(random.below(other.lines().count())).unwrap_or("");
    match random.below(3) {
        0 if at < lines.len() => _ = lines.remove(at),
        1 => lines.insert(at, lines.get(at).copied().unwrap_or("")),
        _ => lines.insert(at, brought),
    }
    *words = split(&(lines.join("\n") + "\n"));
}

fn bytes(text: &mut String, random: &mut Random) {
    let mut bytes = std::mem::take(text).into_bytes();
    for _ in 0..1 + random.below(4) {
        let at = random.below(bytes.len());
        if let Some(byte) = bytes.get_mut(at) {
            *byte = random.next() as u8;
        }
    }
    *text = String::from_utf8_lossy(&bytes).into_owned();
}
