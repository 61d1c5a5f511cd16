//! Many scores in a few numbers.

use serde::Serialize;

use crate::eval::{Reason, Scores, Verdict};
use crate::program::{Column, Part, Program, column_names, columns};
use crate::types::shown_number;

/// What a scored log looks like.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    pub rows: usize,
    /// Verdict, rule or reason, rows.
    pub verdicts: Vec<(String, Option<String>, usize)>,
    pub columns: Vec<ColumnSummary>,
    /// Rule, gate or cap; what it did; how often of how many.
    pub firing: Vec<Firing>,
    pub notes: Vec<String>,
}

/// A column's numbers.
#[derive(Clone, Debug, Serialize)]
pub struct ColumnSummary {
    pub name: String,
    pub known: usize,
    pub mean: f64,
    pub sd: f64,
    pub min: f64,
    pub max: f64,
    /// Share of the total's variance: cov(part, total) / var(total).
    pub share: Option<f64>,
}

/// How often something acted.
#[derive(Clone, Debug, Serialize)]
pub struct Firing {
    pub kind: &'static str,
    pub name: String,
    pub times: usize,
    pub of: usize,
}

/// Sums up scores.
#[must_use]
pub fn summarize(program: &Program, scores: &Scores) -> Summary {
    let mut verdicts: Vec<(String, Option<String>, usize)> = Vec::new();
    let mut counted: std::collections::BTreeMap<Verdict, usize> = std::collections::BTreeMap::new();
    for verdict in &scores.verdicts {
        *counted.entry(*verdict).or_insert(0) += 1;
    }
    for (verdict, n) in &counted {
        verdicts.push((verdict.word().to_string(), verdict.rule(program).map(str::to_string), *n));
    }
    let mut summary =
        Summary { rows: scores.n_rows, verdicts, columns: Vec::new(), firing: Vec::new(), notes: Vec::new() };
    for column in columns(program) {
        if !program.is_token(column)
            && let Some(found) = column_summary(program, scores, column)
        {
            summary.columns.push(found);
        }
    }
    firing(program, scores, &counted, &mut summary.firing);
    notes(program, scores, &mut summary.notes);
    summary
}

fn scored(scores: &Scores) -> impl Iterator<Item = usize> + '_ {
    (0..scores.n_rows).filter(|r| scores.verdicts.get(*r) == Some(&Verdict::Scored))
}

fn column_summary(program: &Program, scores: &Scores, column: Column) -> Option<ColumnSummary> {
    let pairs: Vec<(f64, f64)> = scored(scores)
        .filter_map(|r| Some((scores.get(column, r)?, scores.get(Column::Total, r).unwrap_or(0.0))))
        .collect();
    let n = pairs.len() as f64;
    if pairs.is_empty() {
        return None;
    }
    let mean = pairs.iter().map(|p| p.0).sum::<f64>() / n;
    let total_mean = pairs.iter().map(|p| p.1).sum::<f64>() / n;
    let variance = pairs.iter().map(|p| (p.0 - mean).powi(2)).sum::<f64>() / n;
    let covariance = pairs.iter().map(|p| (p.0 - mean) * (p.1 - total_mean)).sum::<f64>() / n;
    let total_variance = pairs.iter().map(|p| (p.1 - total_mean).powi(2)).sum::<f64>() / n;
    let adds =
        matches!(column, Column::Part(_) | Column::Preference | Column::Ecosystem | Column::Cost | Column::Clamp);
    Some(ColumnSummary {
        name: column_names(program, column),
        known: pairs.len(),
        mean,
        sd: variance.sqrt(),
        min: pairs.iter().map(|p| p.0).fold(f64::INFINITY, f64::min),
        max: pairs.iter().map(|p| p.0).fold(f64::NEG_INFINITY, f64::max),
        share: (adds && total_variance > 0.0).then_some(covariance / total_variance),
    })
}

fn firing(
    program: &Program,
    scores: &Scores,
    counted: &std::collections::BTreeMap<Verdict, usize>,
    out: &mut Vec<Firing>,
) {
    let unscorable: usize = counted.iter().filter(|(v, _)| matches!(v, Verdict::Unscorable(_))).map(|(_, n)| n).sum();
    let mut left = scores.n_rows - unscorable;
    for (k, rule) in program.rules.iter().enumerate().filter(|(_, r)| {
        // A rule that waits for the slate choice has not been asked.
        r.acts_in(scores.host) && !(scores.partial && program.expr(r.condition).reads_slate)
    }) {
        let k = k as u32;
        let times = counted.get(&Verdict::Illegal(k)).unwrap_or(&0) + counted.get(&Verdict::Dropped(k)).unwrap_or(&0);
        out.push(Firing { kind: "rule", name: rule.name.clone(), times, of: left });
        left = left.saturating_sub(times);
    }
    for (i, part) in program.parts.iter().enumerate() {
        let (kind, column) = match part {
            Part::Term(_) => continue,
            Part::Gate(_) => {
                let closed = scores.counts.closed.get(&i).copied().unwrap_or(0) as usize;
                out.push(Firing {
                    kind: "gate",
                    name: part.name().to_string(),
                    times: closed,
                    of: scored(scores).count(),
                });
                continue;
            }
            Part::Cap(_) => ("cap", Column::Over(i)),
        };
        let values: Vec<f64> = scored(scores).filter_map(|r| scores.get(column, r)).collect();
        if values.is_empty() && scores.partial {
            continue;
        }
        let times = values.iter().filter(|v| **v != 0.0).count();
        out.push(Firing { kind, name: part.name().to_string(), times, of: values.len() });
    }
}

fn notes(program: &Program, scores: &Scores, out: &mut Vec<String>) {
    let repeated = scores.verdicts.iter().filter(|v| **v == Verdict::Unscorable(Reason::Repeated)).count();
    if repeated > 0 {
        out.push(format!("{repeated} repeated rows left out"));
    }
    let counts = &scores.counts;
    for (n, what) in [
        (counts.absent_entries, "entries of history or targets break the schema's contract and are left out"),
        (counts.cut_lists, "histories cut to their most recent entries"),
        (counts.equal_places, "candidates share a place in their slate or group; they keep input order"),
    ] {
        if n > 0 {
            out.push(format!("{n} {what}"));
        }
    }
    if scores.partial {
        out.push("partial: parts over the slate wait for the slate choice".into());
    }
    let opaque: Vec<&str> =
        program.features.iter().filter(|f| f.entity == crate::schema::Entity::Given).map(|f| f.name.as_str()).collect();
    if !opaque.is_empty() {
        out.push(format!("opaque (given, no proof against leaks): {}", opaque.join(", ")));
    }
}

impl Summary {
    /// As a table for a terminal.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = format!("{} rows\n", self.rows);
        for (verdict, rule, n) in &self.verdicts {
            let what = rule.as_ref().map_or(verdict.clone(), |r| format!("{verdict}({r})"));
            out.push_str(&format!("  {what:<36} {n:>9}  {:>6.2} %\n", 100.0 * *n as f64 / self.rows.max(1) as f64));
        }
        let width = self.columns.iter().map(|c| c.name.len()).max().unwrap_or(0).max(8);
        out.push_str(&format!(
            "\n  {:<width$} {:>9} {:>10} {:>10} {:>10} {:>10}  of variance\n",
            "part", "rows", "mean", "sd", "min", "max"
        ));
        for c in &self.columns {
            let share = c.share.map_or(String::new(), |s| format!("{:>8.1} %", 100.0 * s));
            out.push_str(
                format!(
                    "  {:<width$} {:>9} {:>10} {:>10} {:>10} {:>10}  {share}",
                    c.name,
                    c.known,
                    shown_number(c.mean),
                    shown_number(c.sd),
                    shown_number(c.min),
                    shown_number(c.max)
                )
                .trim_end(),
            );
            out.push('\n');
        }
        if !self.firing.is_empty() {
            out.push_str("\n  fired\n");
        }
        for f in &self.firing {
            out.push_str(&format!(
                "  {:<5} {:<width$} {:>9} of {:<9} {:>6.2} %\n",
                f.kind,
                f.name,
                f.times,
                f.of,
                100.0 * f.times as f64 / f.of.max(1) as f64
            ));
        }
        for note in &self.notes {
            out.push_str(&format!("  note: {note}\n"));
        }
        out
    }
}
