//! Reading `table` and `list` files (R8.3).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Checker;
use super::load::read_fault;
use crate::diagnostic::{Diagnostic, code, did_you_mean};
use crate::program::{Table, TableId, TextList};
use crate::source::{Files, Span, open_quote};
use crate::syntax::ast::{DeclKind, Name, Spanned};
use crate::types::{Interval, Scale, Ty, round_to_f32};

/// A row: its line in the file, and the fields asked for.
type CsvRow = (u64, Vec<String>);

/// The columns that a file is read for.
#[derive(Clone, Copy)]
enum Wanted<'a> {
    /// A table's, by name.
    Named(&'a [&'a Name]),
    /// A list's only one, which holds this feature.
    Only(&'a str),
}

/// Most rows of a table or list (R8.5).
const MAX_ROWS: usize = 1_000_000;

impl Checker {
    pub(super) fn table_decl(
        &mut self,
        files: &dyn Files,
        name: &Name,
        path: &Spanned<String>,
        keys: &[Name],
        value: &Name,
        scale: Option<&Spanned<Scale>>,
    ) {
        let mut table = Table { name: name.node.clone(), rows: Arc::default(), range: Interval::point(0.0) };
        if let Some(scale) = scale.filter(|s| !s.node.is_number()) {
            self.error(Diagnostic::at(&code::TYPE, scale.span, "a table gives numbers"));
        }
        let columns: Vec<&Name> = keys.iter().chain([value]).collect();
        if let Some(rows) = self.csv(files, name.span, path, Wanted::Named(&columns)) {
            let mut found = BTreeMap::new();
            let mut range: Option<Interval> = None;
            let allowed = scale.and_then(|s| s.node.default_range());
            for (line, mut fields) in rows {
                let Some(written) = fields.pop() else { continue };
                let key = fields.join("\u{1f}");
                let number = match written.trim() {
                    "" => None,
                    text => match text.parse::<f64>() {
                        Ok(v) if v.is_finite() && allowed.is_none_or(|a| a.contains(v)) => Some(round_to_f32(v)),
                        Ok(v) if v.is_finite() => {
                            let range = allowed.unwrap_or(Interval::all());
                            self.error(table_fault(
                                path.span,
                                &path.node,
                                line,
                                &format!("{v} lies outside [{}, {}]", range.lo, range.hi),
                            ));
                            return;
                        }
                        _ => {
                            self.error(table_fault(path.span, &path.node, line, &format!("`{text}` is not a number")));
                            return;
                        }
                    },
                };
                if found.contains_key(&key) {
                    let shown = key.replace('\u{1f}', ", ");
                    self.error(
                        table_fault(path.span, &path.node, line, &format!("the key `{shown}` stands twice"))
                            .help("keep one row a key: which of both counts would be a guess"),
                    );
                    return;
                }
                if let Some(v) = number {
                    range = Some(range.map_or(Interval::point(v), |r| r.join(Interval::point(v))));
                }
                found.insert(key, number);
            }
            table.rows = Arc::new(found.into_iter().filter_map(|(k, v)| Some((k, v?))).collect());
            table.range = range.unwrap_or(Interval::point(0.0));
        }
        self.program.tables.push(table);
    }

    pub(super) fn list_decl(&mut self, files: &dyn Files, name: &Name, feature: &Name, path: &Spanned<String>) {
        match self.schema.feature(&feature.node).map(|f| f.ty()) {
            Some(Ty::Id | Ty::Category(_) | Ty::Number { whole: true, .. }) => {}
            Some(ty) => self.error(Diagnostic::at(
                &code::TYPE,
                feature.span,
                format!("a list is of ids, categories or whole numbers, `{}` is {ty}", feature.node),
            )),
            None => {
                let near = did_you_mean(&feature.node, self.schema.features.iter().map(|f| f.name.as_str()));
                let diagnostic = Diagnostic::at(
                    &code::UNKNOWN_NAME,
                    feature.span,
                    format!("there is no feature `{}`", feature.node),
                )
                .maybe_help(near.map(|n| format!("did you mean `{n}`?")));
                self.error(diagnostic);
            }
        }
        self.list_types.push(self.schema.feature(&feature.node).map(crate::schema::Feature::ty));
        let mut values = BTreeSet::new();
        let names = match self.schema.feature(&feature.node).map(|f| f.ty()) {
            Some(Ty::Category(names)) => names,
            _ => None,
        };
        for (line, fields) in self.csv(files, name.span, path, Wanted::Only(&feature.node)).unwrap_or_default() {
            let Some(value) = fields.into_iter().next() else { continue };
            if let Some(names) = names.as_ref().filter(|names| names.iter().all(|n| *n != value)) {
                let near = did_you_mean(&value, names.iter().map(String::as_str));
                let fault = table_fault(path.span, &path.node, line, &format!("there is no category `{value}`")).help(
                    near.map_or_else(
                        || format!("the schema declares {}", names.join(", ")),
                        |n| format!("did you mean `{n}`?"),
                    ),
                );
                self.error(fault);
                break;
            }
            values.insert(value);
        }
        self.program.lists.push(TextList { name: name.node.clone(), values: Arc::new(values) });
    }

    /// The rows of a CSV file, only the columns asked for, with line numbers.
    fn csv(&mut self, files: &dyn Files, at: Span, path: &Spanned<String>, asked: Wanted<'_>) -> Option<Vec<CsvRow>> {
        let from = self.sources.get(at.file).map_or(String::new(), |f| f.name.clone());
        let text = match files.read(&from, &path.node) {
            Ok((shown, text)) => {
                self.tables.push(shown);
                text
            }
            Err(fault) => return self.refuse(read_fault(&fault, &path.node, path.span)),
        };
        if let Some(line) = open_quote(text.as_bytes()) {
            return self.refuse(table_fault(path.span, &path.node, line, "a quote opens here and is never closed"));
        }
        let mut reader = csv::ReaderBuilder::new().flexible(false).trim(csv::Trim::All).from_reader(text.as_bytes());
        let header: Vec<String> = match reader.headers() {
            Ok(header) => header.iter().map(str::to_string).collect(),
            Err(e) => return self.refuse(table_fault(path.span, &path.node, 1, &e.to_string())),
        };
        if let Some(twice) = header.iter().enumerate().find(|(i, h)| header.iter().take(*i).any(|o| o == *h)) {
            let what = format!("its header names the column `{}` twice", twice.1);
            return self.refuse(table_fault(path.span, &path.node, 1, &what));
        }
        if header.iter().all(String::is_empty) {
            return self.refuse(table_fault(path.span, &path.node, 0, "the file is empty"));
        }
        let wanted = match asked {
            Wanted::Named(columns) => self.named_columns(&header, &path.node, columns)?,
            Wanted::Only(feature) => self.only_column(&header, path, feature)?,
        };
        let mut rows = Vec::new();
        for record in reader.records() {
            match record {
                Ok(record) => {
                    let line = record.position().map_or(0, csv::Position::line);
                    rows.push((line, wanted.iter().map(|i| record.get(*i).unwrap_or("").to_string()).collect()));
                }
                Err(e) => {
                    let line = e.position().map_or(0, csv::Position::line);
                    return self.refuse(table_fault(
                        path.span,
                        &path.node,
                        line,
                        "this row does not have the header's number of columns",
                    ));
                }
            }
            if rows.len() > MAX_ROWS {
                return self.refuse(table_fault(path.span, &path.node, 0, "more than a million rows"));
            }
        }
        Some(rows)
    }

    /// Where the columns of a table stand.
    fn named_columns(&mut self, header: &[String], path: &str, columns: &[&Name]) -> Option<Vec<usize>> {
        let mut wanted = Vec::new();
        for column in columns {
            let Some(i) = header.iter().position(|h| *h == column.node) else {
                let near = did_you_mean(&column.node, header.iter().map(String::as_str));
                let help = near.map_or_else(
                    || format!("its columns are {}", header.join(", ")),
                    |n| format!("did you mean `{n}`?"),
                );
                let message = format!("`{path}` has no column `{}`", column.node);
                return self.refuse(Diagnostic::at(&code::TABLE, column.span, message).help(help));
            };
            wanted.push(i);
        }
        Some(wanted)
    }

    /// The one column of a list, named like its feature or the feature's column: a file without a
    /// header would lose its first id in silence.
    fn only_column(&mut self, header: &[String], path: &Spanned<String>, feature: &str) -> Option<Vec<usize>> {
        let [name] = header else {
            let what = format!("a list has one column, this has {}", header.len());
            return self.refuse(table_fault(path.span, &path.node, 1, &what));
        };
        let known = self.schema.feature(feature);
        if name != feature && known.is_some_and(|f| f.from.iter().all(|(_, column)| column != name)) {
            let what = format!("the header is `{name}`, not `{feature}`");
            let help = format!("the first line of a list names its feature: write `{feature}` there, ids below");
            return self.refuse(table_fault(path.span, &path.node, 1, &what).help(help));
        }
        Some(vec![0])
    }

    /// A table's keys, and the type and range of what it gives.
    pub(super) fn table_shape(&self, id: TableId) -> Option<(Vec<String>, (Ty, Interval))> {
        let decl = self
            .decls
            .iter()
            .filter_map(|d| match &d.kind {
                DeclKind::Table { keys, scale, .. } => Some((keys, scale)),
                _ => None,
            })
            .nth(id.index())?;
        let (keys, scale) = decl;
        let ty = match scale.as_ref().map(|s| s.node.ty()) {
            // A table's value is real (R5.2).
            Some(Ty::Number { dimension, .. }) => Ty::Number { dimension, whole: false },
            _ => Ty::REAL,
        };
        let range = self.program.tables.get(id.index())?.range;
        Some((keys.iter().map(|k| k.node.clone()).collect(), (ty, range)))
    }
}

fn table_fault(span: Span, path: &str, line: u64, what: &str) -> Diagnostic {
    let place = if line > 0 { format!(" line {line}") } else { String::new() };
    Diagnostic::at(&code::TABLE, span, format!("`{path}`{place}: {what}"))
}
