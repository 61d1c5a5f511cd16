//! A catalog file, mapped into memory: opening it copies nothing but the texts of its features.

use std::borrow::Cow;
use std::fs::File;
use std::hash::Hasher;
use std::ops::Range;
use std::path::Path;

use bytemuck::{checked, try_cast_slice};
use memmap2::Mmap;

use super::Catalog;
use super::format::{ColumnEntry, Directory, FRONT, Kind, MAGIC};
use super::sorted::{SortedSids, partition};
use crate::diagnostic::{Diagnostic, Fault, code};
use crate::eval::batch::{By, Column, Texts, Values};

/// A catalog on disk.
pub struct FileCatalog {
    map: Mmap,
    directory: Directory,
    /// Where sections begin.
    data: usize,
    texts: Texts,
}

impl FileCatalog {
    /// Opens a file and checks it, byte by byte.
    ///
    /// # Errors
    /// A file that cannot be read, is none, or was changed (RW0611).
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Fault> {
        let path = path.as_ref();
        let refused = |why: &str| {
            Box::new(
                Diagnostic::bare(&code::CATALOG, format!("`{}` cannot be used: {why}", path.display()))
                    .help("make it anew with `rewardc catalog build`"),
            )
        };
        let file = File::open(path).map_err(|e| refused(&e.to_string()))?;
        // Files of this kind are replaced, never written in place (src/write.rs): what is mapped stays.
        #[expect(unsafe_code, reason = "a mapped file may change under the reader; ours are replaced whole")]
        let map = unsafe { Mmap::map(&file) }.map_err(|e| refused(&e.to_string()))?;
        if map.get(..MAGIC.len()) != Some(MAGIC) {
            return Err(refused("it is no catalog, or of another version"));
        }
        let number = |at: usize| map.get(at..at + 8).and_then(|b| b.try_into().ok()).map(u64::from_le_bytes);
        let (Some(checksum), Some(length)) = (number(16), number(24)) else { return Err(refused("it is cut short")) };
        let mut hash = twox_hash::XxHash64::with_seed(0);
        hash.write(map.get(24..).unwrap_or(&[]));
        if hash.finish() != checksum {
            return Err(refused("its bytes are not those that were written"));
        }
        let data = usize::try_from(length).ok().and_then(|n| n.checked_add(FRONT));
        let text = data.and_then(|data| map.get(FRONT..data)).ok_or_else(|| refused("it is cut short"))?;
        let directory: Directory = serde_json::from_slice(text).map_err(|e| refused(&e.to_string()))?;
        let mut catalog = Self { data: data.unwrap_or(FRONT), map, directory, texts: Texts::default() };
        let mut texts = Texts::default();
        for i in 0..catalog.ends("texts").len().saturating_sub(1) {
            texts.number(catalog.text("texts", i));
        }
        catalog.texts = texts;
        if !catalog.is_whole() {
            return Err(refused("its sections do not fit each other"));
        }
        Ok(catalog)
    }

    /// Whether every section has the length that the others ask for.
    fn is_whole(&self) -> bool {
        let Directory { items, levels, columns, .. } = &self.directory;
        let order = self.numbers("order");
        let by_item = [self.numbers("place").len(), self.numbers("by_key").len()];
        by_item.iter().all(|n| n == items)
            && self.ends("keys").len() == items + 1
            && self.numbers("codes").len() == order.len() * levels
            && order.iter().all(|item| (*item as usize) < *items)
            && columns.iter().enumerate().all(|(i, c)| self.column_at(i, c).is_some_and(|c| c.values.len() == *items))
    }

    fn bytes(&self, section: &str) -> &[u8] {
        let place = self.directory.sections.get(section);
        let range = place.and_then(|(at, n)| {
            let from = self.data.checked_add(*at)?;
            Some(from..from.checked_add(*n)?)
        });
        range.and_then(|r| self.map.get(r)).unwrap_or(&[])
    }

    fn numbers(&self, section: &str) -> &[u32] {
        try_cast_slice(self.bytes(section)).unwrap_or(&[])
    }

    fn ends(&self, name: &str) -> &[u64] {
        try_cast_slice(self.bytes(&format!("{name}.ends"))).unwrap_or(&[])
    }

    fn text(&self, name: &str, i: usize) -> &str {
        let ends = self.ends(name);
        let bytes = match (ends.get(i), ends.get(i + 1)) {
            (Some(from), Some(to)) => self.bytes(&format!("{name}.bytes")).get(*from as usize..*to as usize),
            _ => None,
        };
        bytes.and_then(|b| std::str::from_utf8(b).ok()).unwrap_or("")
    }

    fn column_at(&self, i: usize, entry: &ColumnEntry) -> Option<Column<'_>> {
        let section = |part: &str| self.bytes(&format!("column {i}.{part}"));
        let values = section("values");
        let values = match entry.kind {
            Kind::Real => Values::Real(Cow::Borrowed(try_cast_slice(values).ok()?)),
            Kind::Whole => Values::Whole(Cow::Borrowed(try_cast_slice(values).ok()?)),
            Kind::Bool => Values::Bool(Cow::Borrowed(checked::try_cast_slice(values).ok()?)),
            Kind::Text => Values::Text(Cow::Borrowed(try_cast_slice(values).ok()?)),
            Kind::Vector => Values::Vector { size: entry.size, values: Cow::Borrowed(try_cast_slice(values).ok()?) },
            Kind::Set => Values::Set {
                members: Cow::Borrowed(try_cast_slice(values).ok()?),
                offsets: Cow::Borrowed(try_cast_slice(section("offsets")).ok()?),
            },
        };
        let valid = match entry.has_nulls {
            true => Some(Cow::Borrowed(checked::try_cast_slice(section("valid")).ok()?)),
            false => None,
        };
        Some(Column { by: By::Item, values, valid })
    }

    fn rows(&self) -> SortedSids<'_> {
        SortedSids { codes: self.numbers("codes"), levels: self.directory.levels }
    }
}

impl Catalog for FileCatalog {
    fn n_items(&self) -> usize {
        self.directory.items
    }

    fn n_levels(&self) -> usize {
        self.directory.levels
    }

    fn key(&self, item: u32) -> &str {
        self.text("keys", item as usize)
    }

    fn item(&self, key: &str) -> Option<u32> {
        let by_key = self.numbers("by_key");
        let at = partition(0..by_key.len(), |i| by_key.get(i).is_some_and(|item| self.key(*item) < key));
        by_key.get(at).copied().filter(|item| self.key(*item) == key)
    }

    fn by_sid(&self) -> &[u32] {
        self.numbers("order")
    }

    fn beneath(&self, prefix: &[u32]) -> Range<u32> {
        self.rows().beneath(prefix)
    }

    fn shape(&self) -> &[u32] {
        &self.directory.shape
    }

    fn sid(&self, item: u32) -> Option<&[u32]> {
        let place = *self.numbers("place").get(item as usize)? as usize;
        let levels = self.directory.levels;
        self.numbers("codes").get(place.checked_mul(levels)?..(place + 1).checked_mul(levels)?)
    }

    fn allowed(&self, prefix: &[u32], next: &mut Vec<u32>) {
        self.rows().allowed(prefix, next);
    }

    fn column(&self, feature: &str) -> Option<Column<'_>> {
        let (i, entry) = self.directory.columns.iter().enumerate().find(|(_, c)| c.feature == feature)?;
        self.column_at(i, entry)
    }

    fn features(&self) -> Vec<&str> {
        self.directory.columns.iter().map(|c| c.feature.as_str()).collect()
    }

    fn texts(&self) -> &Texts {
        &self.texts
    }

    fn id(&self) -> u64 {
        self.directory.id
    }
}
