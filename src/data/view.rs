//! The sources of a schema, joined to the rows of one of them.

use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;

use std::cell::RefCell;

use super::cells::{Cell, Cells};
use super::frame::{Frame, read};
use super::{Fault, Progress, fault};
use crate::diagnostic::{Diagnostic, code};
use crate::schema::{Entity, Schema};

/// A row of a joined source that has no match.
pub const NONE: u32 = u32::MAX;

/// The data files of a schema, read as they are needed.
pub struct Sources {
    pub frames: Vec<Option<Frame>>,
    columns: RefCell<HashMap<(usize, String), Rc<Cells>>>,
}

impl Sources {
    /// Reads the files that are needed.
    pub fn read(schema: &Schema, folder: &Path, needed: &[bool], progress: &dyn Progress) -> Result<Self, Fault> {
        let mut frames = Vec::new();
        for (i, source) in schema.sources.iter().enumerate() {
            if !needed.get(i).copied().unwrap_or(true) {
                frames.push(None);
                continue;
            }
            progress.step(&format!("reading {}", source.file));
            frames.push(Some(read(&folder.join(&source.file))?));
        }
        Ok(Self { frames, columns: RefCell::default() })
    }

    /// A source's table.
    pub fn frame(&self, source: usize) -> Result<&Frame, Fault> {
        self.frames
            .get(source)
            .and_then(Option::as_ref)
            .ok_or_else(|| fault(&code::DATA_FILE, "the schema names no file to score: add `sources:`"))
    }

    /// A source's column, read once.
    pub fn column(&self, source: usize, name: &str, wanted_for: &str) -> Result<Rc<Cells>, Fault> {
        let key = (source, name.to_string());
        if let Some(cells) = self.columns.borrow().get(&key) {
            return Ok(Rc::clone(cells));
        }
        let frame = self.frame(source)?;
        let cells = Rc::new(frame.cells(name, wanted_for)?);
        self.columns.borrow_mut().insert(key, Rc::clone(&cells));
        Ok(cells)
    }

    /// Whether a source has a column.
    pub fn has(&self, source: usize, name: &str) -> bool {
        self.frames.get(source).and_then(Option::as_ref).is_some_and(|f| f.has(name))
    }

    /// Rows of a source by key.
    ///
    /// # Errors
    /// A key that stands twice.
    pub fn by_key(&self, schema: &Schema, source: usize) -> Result<HashMap<String, u32>, Fault> {
        let declared = schema.sources.get(source).ok_or_else(|| fault(&code::DATA_FILE, "no such source"))?;
        let key = declared.key.clone().unwrap_or_default();
        let cells = self.column(source, &key, &format!("the join of `{}`", declared.name))?;
        let mut rows = HashMap::with_capacity(cells.len());
        for row in 0..cells.len() {
            let Some(cell) = cells.get(row) else { continue };
            let text = cell.key();
            if let Some(first) = rows.insert(text.clone(), row as u32) {
                return Err(Box::new(
                    Diagnostic::bare(
                        &code::KEY_TWICE,
                        format!(
                            "`{}` has the key `{key}` = {text} twice, in rows {} and {}",
                            declared.file,
                            first + 1,
                            row + 1
                        ),
                    )
                    .help("a row that is joined is found by its key alone: keep one row a key"),
                ));
            }
        }
        Ok(rows)
    }
}

/// Rows of one source with the row of each other source that belongs to them.
pub struct View<'s> {
    pub sources: &'s Sources,
    pub schema: &'s Schema,
    pub base: usize,
    pub n_rows: usize,
    /// By source; the base's own is left out.
    joins: Vec<Option<Vec<u32>>>,
    /// Rows without a match, by source.
    pub unmatched: Vec<u64>,
}

impl<'s> View<'s> {
    /// Joins every needed source to a base by key; `by_item` leaves out items, which a catalog brings.
    pub fn new(
        sources: &'s Sources,
        schema: &'s Schema,
        base: usize,
        by_item: bool,
        progress: &dyn Progress,
    ) -> Result<Self, Fault> {
        let n_rows = sources.frame(base)?.height();
        let mut view =
            Self { sources, schema, base, n_rows, joins: Vec::new(), unmatched: vec![0; schema.sources.len()] };
        for (i, source) in schema.sources.iter().enumerate() {
            let skip = i == base
                || i == 0
                || sources.frames.get(i).is_none_or(Option::is_none)
                || (by_item && source.entity == Entity::Item)
                || source.key.is_none()
                // Entries of a list join what they have a key for.
                || (base != 0 && !sources.has(base, source.key.as_deref().unwrap_or("")));
            if skip {
                view.joins.push(None);
                continue;
            }
            progress.step(&format!("joining {}", source.name));
            let key = source.key.clone().unwrap_or_default();
            let rows = sources.by_key(schema, i)?;
            let own = sources.column(base, &key, &format!("the join of `{}`", source.name))?;
            let joined: Vec<u32> =
                (0..n_rows).map(|r| own.get(r).and_then(|c| rows.get(&c.key()).copied()).unwrap_or(NONE)).collect();
            if let Some(count) = view.unmatched.get_mut(i) {
                *count = joined.iter().filter(|j| **j == NONE).count() as u64;
            }
            view.joins.push(Some(joined));
        }
        Ok(view)
    }

    /// A view of one source alone, row for row.
    pub fn alone(sources: &'s Sources, schema: &'s Schema, base: usize) -> Result<Self, Fault> {
        let n_rows = sources.frame(base)?.height();
        let n = schema.sources.len();
        Ok(Self { sources, schema, base, n_rows, joins: vec![None; n], unmatched: vec![0; n] })
    }

    /// The row of a source that belongs to a row of the base.
    pub fn row_in(&self, source: usize, row: usize) -> Option<usize> {
        if source == self.base {
            return Some(row);
        }
        match self.joins.get(source).and_then(Option::as_ref) {
            Some(join) => join.get(row).filter(|r| **r != NONE).map(|r| *r as usize),
            None => None,
        }
    }

    /// A column with the source it lies in: columns of the first source may lie in the base of a
    /// list instead.
    pub fn cells(&self, source: usize, column: &str, wanted_for: &str) -> Result<(usize, Rc<Cells>), Fault> {
        let source =
            if source == 0 && self.base != 0 && self.sources.has(self.base, column) { self.base } else { source };
        Ok((source, self.sources.column(source, column, wanted_for)?))
    }

    /// The text of some columns of the base, joined by U+001F.
    pub fn keys(&self, columns: &[String], wanted_for: &str) -> Result<Vec<Option<String>>, Fault> {
        let cells: Vec<Rc<Cells>> =
            columns.iter().map(|c| self.sources.column(self.base, c, wanted_for)).collect::<Result<_, _>>()?;
        Ok((0..self.n_rows)
            .map(|row| {
                let parts: Option<Vec<String>> = cells.iter().map(|c| c.get(row).map(|v: Cell| v.key())).collect();
                parts.map(|p| p.join("\u{1f}"))
            })
            .collect())
    }
}
