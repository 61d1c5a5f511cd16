//! One score as a sum: a waterfall.

use serde::Serialize;

use crate::eval::{Scores, Verdict};
use crate::program::{AddendOf, Charge, Column, Part, Program, Setting};
use crate::types::shown_number;

/// How a waterfall is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    pub color: bool,
    pub width: usize,
}

impl Style {
    /// No colour, 80 columns.
    pub const PLAIN: Self = Self { color: false, width: 80 };
}

/// One line of an explanation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    pub name: String,
    pub kind: &'static str,
    /// What it adds to the sum above it; `null` where it waits for the slate choice.
    pub value: Option<f64>,
    /// What stands behind it: `0.5 × 0.83`, `opaque`.
    pub note: String,
}

/// One score, explained.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    pub verdict: &'static str,
    pub rule: Option<String>,
    pub lines: Vec<Line>,
}

/// Explains the score of one row.
#[must_use]
pub fn explain(program: &Program, scores: &Scores, row: usize) -> Explanation {
    let verdict = scores.verdicts.get(row).copied().unwrap_or(Verdict::Scored);
    let mut out =
        Explanation { verdict: verdict.word(), rule: verdict.rule(program).map(str::to_string), lines: Vec::new() };
    let get = |c: Column| scores.get(c, row);
    let mut line =
        |name: &str, kind, value, note: String| out.lines.push(Line { name: name.to_string(), kind, value, note });
    if verdict == Verdict::Scored {
        for preference in [true, false] {
            for (i, part) in program.parts.iter().enumerate() {
                match part {
                    Part::Term(t) if t.preference == preference => {
                        let weight = program.setting(t.weight);
                        let note = match get(Column::Raw(i)) {
                            Some(raw) if weight != 1.0 => format!("{} × {}", shown_number(weight), shown_number(raw)),
                            Some(_) => String::new(),
                            None => "waits for the slate".into(),
                        };
                        line(&t.name, "term", get(Column::Part(i)), note);
                    }
                    Part::Gate(g) if preference => line(&g.name, "gate", get(Column::Part(i)), String::new()),
                    Part::Cap(c) if preference && matches!(c.charge, Some(Charge::Scale(_))) => {
                        line(&c.name, "scale", get(Column::Part(i)), String::new());
                    }
                    Part::Cap(c)
                        if !preference
                            && matches!(c.charge, Some(Charge::Penalty { after_normalizing: false, .. })) =>
                    {
                        line(&c.name, "penalty", get(Column::Part(i)), String::new());
                    }
                    _ => {}
                }
            }
            let (column, name) =
                if preference { (Column::Preference, "preference") } else { (Column::Ecosystem, "ecosystem") };
            line(
                name,
                "sum",
                get(column),
                factor_note(program, if preference { AddendOf::Preference } else { AddendOf::Ecosystem }),
            );
        }
        if program.formula.clamp.is_some() {
            line("clamp", "clamp", get(Column::Clamp), String::new());
        }
    }
    line("reward", "channel", get(Column::Reward), String::new());
    if verdict == Verdict::Scored {
        for (i, cap) in program.caps() {
            let in_cost =
                matches!(cap.charge, Some(Charge::Dual { .. } | Charge::Penalty { after_normalizing: true, .. }));
            if in_cost {
                let note = if matches!(cap.charge, Some(Charge::Dual { .. })) { "price" } else { "" };
                line(&cap.name, "cost", get(Column::Part(i)), note.into());
            }
        }
    }
    line("cost", "channel", get(Column::Cost), String::new());
    line("total", "channel", get(Column::Total), String::new());
    for (i, channel) in program.channels.iter().enumerate() {
        let column = Column::Channel(i);
        let levels = scores.column(column).map_or(1, |c| c.width);
        if levels > 1 {
            let values: Vec<String> = (0..levels)
                .map(|l| scores.column(column).and_then(|c| c.get(row, l)).map_or("null".into(), shown_number))
                .collect();
            line(&channel.name, channel.kind.word(), None, values.join(" "));
        } else {
            line(&channel.name, channel.kind.word(), get(column), String::new());
        }
    }
    out
}

fn factor_note(program: &Program, of: AddendOf) -> String {
    match program.formula.addends.iter().find(|a| a.of == of) {
        Some(a) if a.factor == Setting::Constant(1.0) && !a.negative => String::new(),
        Some(a) => {
            format!("enters reward × {}{}", if a.negative { "-" } else { "" }, shown_number(program.setting(a.factor)))
        }
        None => "enters reward by name only".into(),
    }
}

impl Explanation {
    /// Drawn for a terminal.
    #[must_use]
    pub fn text(&self, style: Style) -> String {
        let names = self.lines.iter().map(|l| l.name.chars().count()).max().unwrap_or(0);
        let largest = self.lines.iter().filter_map(|l| l.value).map(f64::abs).fold(0.0, f64::max);
        let room = style.width.saturating_sub(names + 36).clamp(6, 30);
        let mut out = match &self.rule {
            Some(rule) => format!("  {} ({rule})\n", self.verdict),
            None => String::new(),
        };
        for line in &self.lines {
            let is_sum = matches!(line.kind, "sum" | "channel");
            let is_list = line.value.is_none() && !line.note.is_empty() && is_token(line.kind);
            let number =
                line.value.map_or(if is_list { String::new() } else { "null".to_string() }, |v| format!("{v:+.4}"));
            let bar = match line.value {
                Some(v) if largest > 0.0 && v != 0.0 => {
                    let cells = ((v.abs() / largest) * room as f64).ceil().max(1.0) as usize;
                    if v > 0.0 { "█".repeat(cells) } else { "▒".repeat(cells) }
                }
                _ => String::new(),
            };
            let mark = if is_sum { "=" } else { " " };
            let mut text = format!("{mark} {:<names$}  {:<9} {number:>12}  {bar}", line.name, short_kind(line.kind));
            if !line.note.is_empty() {
                text.push_str(&format!(" {}", line.note));
            }
            let text = text.trim_end();
            let painted = match line.value {
                Some(v) if style.color && v < 0.0 => format!("\u{1b}[31m{text}\u{1b}[0m"),
                Some(_) if style.color && is_sum => format!("\u{1b}[1m{text}\u{1b}[0m"),
                _ => text.to_string(),
            };
            out.push_str(&painted);
            out.push('\n');
        }
        out
    }
}

fn is_token(kind: &str) -> bool {
    kind.starts_with("token") || kind == "monitor"
}

fn short_kind(kind: &str) -> &str {
    match kind {
        "channel" | "sum" => "",
        "sample weight" => "weight",
        "token advantage" | "token reward" | "token weight" => "token",
        other => other,
    }
}
