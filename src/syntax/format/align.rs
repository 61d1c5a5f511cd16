//! Alignment of neighbouring lines, and the text of it all.

use super::lines::{Line, LineKind, Piece};

const INDENT: usize = 4;
/// Words of the head, padded to one width.
const HEAD: [&str; 5] = ["language", "scenario", "version", "schema", "for"];
/// Past this many spaces alignment hurts more than it helps.
const MOST_PADDING: usize = 40;

/// Aligns neighbours that are alike: the head, `=` and `else` of one kind of declaration, `{` of
/// items.
pub fn align(lines: &mut [Line]) {
    let mut at = 0;
    while at < lines.len() {
        let end = run(lines, at);
        if let Some(run) = lines.get_mut(at..end) {
            let word = first(run.first());
            if HEAD.contains(&word.as_str()) {
                pad(run, |l| l.pieces.get(1).map(|_| 1));
            } else if word == "item" {
                if run.len() > 1 {
                    pad(run, |l| l.pieces.iter().position(|p| p.text == "{"));
                }
            } else if run.len() > 1 {
                pad(run, |l| l.pieces.iter().position(|p| p.text == "="));
                if word == "require" {
                    pad(run, |l| l.pieces.iter().rposition(|p| p.text == "else"));
                }
            }
        }
        at = end;
    }
    align_matrices(lines);
}

/// Rows of numbers inside brackets stand in columns, aligned to the right.
fn align_matrices(lines: &mut [Line]) {
    let mut at = 0;
    while at < lines.len() {
        let n = cells(lines.get(at)).map(|c| c.len());
        let mut end = at + 1;
        while n.is_some() && cells(lines.get(end)).map(|c| c.len()) == n {
            end += 1;
        }
        if end - at > 1 {
            let rows: Vec<Vec<(usize, usize)>> = (at..end).filter_map(|i| cells(lines.get(i))).collect();
            let widest = |column: usize| rows.iter().filter_map(|r| r.get(column)).map(|c| c.1).max().unwrap_or(0);
            for (line, row) in lines.iter_mut().skip(at).zip(&rows) {
                for (column, (piece, width)) in row.iter().enumerate() {
                    if let Some(piece) = line.pieces.get_mut(*piece) {
                        piece.pad = widest(column) - width;
                    }
                }
            }
        }
        at = end;
    }
}

/// The numbers of a row as (first piece, width), where the line is such a row.
fn cells(line: Option<&Line>) -> Option<Vec<(usize, usize)>> {
    let line = line.filter(|l| matches!(l.kind, LineKind::Continuation(_)) && l.inner > 0)?;
    let mut found: Vec<(usize, usize)> = Vec::new();
    let mut open = true;
    for (i, piece) in line.pieces.iter().enumerate() {
        let width = piece.text.chars().count();
        match piece.text.as_str() {
            "," if !open => open = true,
            "-" if open => {
                found.push((i, width));
                open = false;
            }
            text if text.starts_with(|c: char| c.is_ascii_digit()) => match found.last_mut() {
                Some(last) if !open && last.0 + 1 == i => last.1 += width,
                _ if open => {
                    found.push((i, width));
                    open = false;
                }
                _ => return None,
            },
            _ => return None,
        }
    }
    (!found.is_empty()).then_some(found)
}

fn first(line: Option<&Line>) -> String {
    line.and_then(|l| l.pieces.first()).map_or(String::new(), |p| p.text.clone())
}

/// Words whose neighbours are aligned.
fn aligns(word: &str) -> bool {
    HEAD.contains(&word)
        || matches!(
            word,
            "param"
                | "let"
                | "term"
                | "gate"
                | "require"
                | "advantage"
                | "sample"
                | "token"
                | "hint"
                | "monitor"
                | "item"
        )
}

/// The end of the run of whole one-line statements of one kind that begins here.
fn run(lines: &[Line], at: usize) -> usize {
    let kind = |i: usize| {
        let line = lines.get(i)?;
        let whole = line.kind == LineKind::Start
            && !matches!(lines.get(i + 1).map(|l| l.kind), Some(LineKind::Continuation(_)));
        let word = first(Some(line));
        let class = if HEAD.contains(&word.as_str()) { "head".to_string() } else { word.clone() };
        (whole && aligns(&word)).then_some((class, line.depth))
    };
    let Some(own) = kind(at) else { return at + 1 };
    let mut end = at + 1;
    while lines.get(end).is_some_and(|l| !l.blank_before) && kind(end).as_ref() == Some(&own) {
        end += 1;
    }
    end
}

fn width(pieces: &[Piece]) -> usize {
    pieces.iter().map(|p| p.text.chars().count() + usize::from(p.space) + p.pad).sum()
}

/// Pads the piece at a place so that it stands in one column.
fn pad(run: &mut [Line], place: impl Fn(&Line) -> Option<usize>) {
    let before = |l: &Line| place(l).and_then(|i| l.pieces.get(..i)).map(width);
    let widest = run.iter().filter_map(before).max().unwrap_or(0);
    if run.iter().filter_map(before).any(|w| widest - w > MOST_PADDING) {
        return;
    }
    for line in run {
        if let (Some(w), Some(i)) = (before(line), place(line))
            && let Some(piece) = line.pieces.get_mut(i)
        {
            piece.pad = widest - w;
        }
    }
}

/// The text of the lines.
pub fn render(lines: &[Line]) -> String {
    let mut out = String::new();
    let mut equals = None;
    for line in lines {
        if line.blank_before && !out.is_empty() {
            out.push('\n');
        }
        let base = line.depth * INDENT;
        let indent = match line.kind {
            LineKind::Start | LineKind::Close => base,
            // An operator stands under the `=`, so that operands stand under each other.
            LineKind::Continuation(true) if line.inner == 0 => equals.unwrap_or(base + INDENT),
            LineKind::Continuation(_)
                if line.pieces.first().is_some_and(|p| matches!(p.text.as_str(), ")" | "]" | "}")) =>
            {
                base + INDENT * line.inner
            }
            LineKind::Continuation(_) => base + INDENT * line.inner.max(1),
            LineKind::Comment => base + INDENT * line.inner,
        };
        if line.kind == LineKind::Start {
            equals = line.pieces.iter().position(|p| p.text == "=").and_then(|i| {
                let piece = line.pieces.get(i)?;
                Some(base + width(line.pieces.get(..i)?) + usize::from(piece.space) + piece.pad)
            });
        }
        out.push_str(&" ".repeat(indent));
        for piece in &line.pieces {
            out.push_str(&" ".repeat(usize::from(piece.space) + piece.pad));
            out.push_str(&piece.text);
        }
        if let Some(comment) = &line.trailing {
            out.push_str(if line.pieces.is_empty() { "" } else { "  " });
            out.push_str(comment);
        }
        out.push('\n');
    }
    out
}
