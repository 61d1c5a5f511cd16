//! Findings for people, drawn by miette.

use std::fmt;

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode, SpanContents};

use super::{Diagnostic, Severity};
use crate::source::{SourceFile, Sources, Span};

/// How the terminal wants it.
#[derive(Clone, Copy, Debug)]
pub struct HumanStyle {
    pub color: bool,
    pub unicode: bool,
    pub width: usize,
}

impl HumanStyle {
    /// Plain text, 80 columns: for snapshots and pipes.
    pub const PLAIN: Self = Self { color: false, unicode: true, width: 80 };
}

/// Renders findings with their source lines.
#[must_use]
pub fn human(diagnostics: &[Diagnostic], sources: &Sources, style: HumanStyle) -> String {
    let theme = match (style.color, style.unicode) {
        (true, true) => GraphicalTheme::unicode(),
        (true, false) => GraphicalTheme { styles: miette::ThemeStyles::ansi(), ..GraphicalTheme::ascii() },
        (false, true) => GraphicalTheme::unicode_nocolor(),
        (false, false) => GraphicalTheme::none(),
    };
    let handler = GraphicalReportHandler::new_themed(theme).with_width(style.width.max(40)).with_context_lines(0);
    let mut out = String::new();
    for diagnostic in diagnostics {
        let home = diagnostic.span().and_then(|s| sources.get(s.file));
        let shown = Shown { diagnostic, home, sources };
        // The renderer can only fail when writing to the string fails, which it cannot.
        let _ = handler.render_report(&mut out, &shown);
        out.push('\n');
    }
    out
}

struct Shown<'a> {
    diagnostic: &'a Diagnostic,
    home: Option<&'a SourceFile>,
    sources: &'a Sources,
}

impl Shown<'_> {
    /// How much of a place is underlined: its first line, not without end.
    fn drawn(&self, span: Span) -> usize {
        let text = self.sources.slice(span);
        let line = text.split('\n').next().unwrap_or("");
        line.char_indices().map(|(i, c)| i + c.len_utf8()).take_while(|&n| n <= MARGIN).last().unwrap_or(0)
    }
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.diagnostic.message)
    }
}

impl std::error::Error for Shown<'_> {}

impl miette::Diagnostic for Shown<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.diagnostic.code.id))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.diagnostic.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        // A second place in another file cannot be drawn in this snippet, so it is said.
        let home = self.diagnostic.span().map(|s| s.file);
        let elsewhere: Vec<String> = self
            .diagnostic
            .labels
            .iter()
            .filter(|l| Some(l.span.file) != home)
            .map(|l| {
                let (line, column) = self.sources.line_column(l.span.file, l.span.start);
                let name = self.sources.get(l.span.file).map_or("", |f| f.name.as_str());
                format!("{} at {name}:{line}:{column}", l.text)
            })
            .collect();
        let words: Vec<String> = self.diagnostic.help.iter().cloned().chain(elsewhere).collect();
        (!words.is_empty()).then(|| Box::new(words.join("\n")) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.home.map(|_| self as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let home = self.diagnostic.span()?.file;
        Some(Box::new(self.diagnostic.labels.iter().filter(move |l| l.span.file == home).enumerate().map(|(i, l)| {
            let text = (!l.text.is_empty()).then(|| l.text.clone());
            let range = (l.span.start as usize, self.drawn(l.span));
            if i == 0 {
                LabeledSpan::new_primary_with_span(text, range)
            } else {
                LabeledSpan::new_with_span(text, range)
            }
        })))
    }
}

impl SourceCode for Shown<'_> {
    fn read_span<'a>(
        &'a self,
        span: &miette::SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, miette::MietteError> {
        let file = self.home.ok_or(miette::MietteError::OutOfBounds)?;
        let contents = file.text.as_str().read_span(&whole_lines(&file.text, span), before, after)?;
        // The frame's head names the place itself, not the beginning of its line.
        let column = file.text.get(..span.offset()).map_or(0, |t| t.rsplit('\n').next().unwrap_or("").chars().count());
        Ok(Box::new(miette::MietteSpanContents::new_named(
            file.name.clone(),
            contents.data(),
            *contents.span(),
            contents.line(),
            column,
            contents.line_count(),
        )))
    }
}

/// Longest stretch of one line that is drawn on either side of a place.
const MARGIN: usize = 160;

/// A place widened to its lines, or to a stretch of them where they are very long.
fn whole_lines(text: &str, span: &miette::SourceSpan) -> miette::SourceSpan {
    let (start, end) = (span.offset().min(text.len()), (span.offset() + span.len()).min(text.len()));
    let head = text.get(..start).unwrap_or("");
    let tail = text.get(end..).unwrap_or("");
    let left = head.rsplit('\n').next().map_or(0, str::len);
    let right = tail.split('\n').next().map_or(0, str::len);
    let left =
        head.char_indices().rev().map(|(i, _)| start - i).take_while(|&n| n <= left.min(MARGIN)).last().unwrap_or(0);
    let right =
        tail.char_indices().map(|(i, c)| i + c.len_utf8()).take_while(|&n| n <= right.min(MARGIN)).last().unwrap_or(0);
    (start - left, end - start + left + right).into()
}
