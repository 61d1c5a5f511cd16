//! A catalog as a file, to be mapped into memory.
//!
//! ```text
//! magic (16 bytes) · checksum of all that follows (8) · length of the directory (8) · directory (JSON)
//! · sections, each beginning at a multiple of 64 bytes
//! ```
//!
//! Numbers are little-endian. The checksum is xxh64 with seed 0: a file with any byte changed is refused.

use std::collections::BTreeMap;
use std::hash::Hasher;
use std::io::{self, Write};
use std::path::Path;

use bytemuck::cast_slice;

use super::Catalog;
use crate::eval::batch::{Column, Values};
use crate::write::write_whole;

/// The first bytes of every catalog file, with the version of its form.
pub const MAGIC: &[u8; 16] = b"rewardc catalog1";
/// Bytes in front of the directory.
pub const FRONT: usize = 32;
const ALIGNMENT: usize = 64;

/// What a file holds, and where.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Directory {
    pub items: usize,
    pub levels: usize,
    pub shape: Vec<u32>,
    pub id: u64,
    pub columns: Vec<ColumnEntry>,
    /// By name: where it begins behind the directory, and its length, in bytes.
    pub sections: BTreeMap<String, (usize, usize)>,
}

/// A feature of items.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct ColumnEntry {
    pub feature: String,
    pub kind: Kind,
    /// Numbers of a vector.
    pub size: usize,
    pub has_nulls: bool,
}

/// How values are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Real,
    Whole,
    Bool,
    Text,
    Vector,
    Set,
}

/// Sections in the order in which they are written.
#[derive(Default)]
struct Sections {
    bytes: Vec<u8>,
    places: BTreeMap<String, (usize, usize)>,
}

impl Sections {
    fn put(&mut self, name: impl Into<String>, bytes: &[u8]) {
        self.bytes.resize(self.bytes.len().next_multiple_of(ALIGNMENT), 0);
        self.places.insert(name.into(), (self.bytes.len(), bytes.len()));
        self.bytes.extend_from_slice(bytes);
    }

    /// Texts one behind the other, and where each ends.
    fn put_texts<'t>(&mut self, name: &str, texts: impl Iterator<Item = &'t str>) {
        let (mut bytes, mut ends) = (Vec::new(), vec![0_u64]);
        for text in texts {
            bytes.extend_from_slice(text.as_bytes());
            ends.push(bytes.len() as u64);
        }
        self.put(format!("{name}.bytes"), &bytes);
        self.put(format!("{name}.ends"), cast_slice(&ends));
    }

    fn put_column(&mut self, i: usize, feature: &str, column: &Column<'_>) -> Option<ColumnEntry> {
        let name = |part: &str| format!("column {i}.{part}");
        let mut size = 0;
        let kind = match &column.values {
            Values::Real(v) => {
                self.put(name("values"), cast_slice(v));
                Kind::Real
            }
            Values::Whole(v) => {
                self.put(name("values"), cast_slice(v));
                Kind::Whole
            }
            Values::Bool(v) => {
                self.put(name("values"), cast_slice(v));
                Kind::Bool
            }
            Values::Text(v) => {
                self.put(name("values"), cast_slice(v));
                Kind::Text
            }
            Values::Vector { size: numbers, values } => {
                size = *numbers;
                self.put(name("values"), cast_slice(values));
                Kind::Vector
            }
            Values::Set { members, offsets } => {
                self.put(name("values"), cast_slice(members));
                self.put(name("offsets"), cast_slice(offsets));
                Kind::Set
            }
            // A SID is the catalog's own, and no column of it.
            Values::Sid { .. } => return None,
        };
        if let Some(valid) = &column.valid {
            self.put(name("valid"), cast_slice(valid));
        }
        Some(ColumnEntry { feature: feature.to_string(), kind, size, has_nulls: column.valid.is_some() })
    }
}

/// Writes a catalog: whoever reads the path finds the old one or the new one, whole.
///
/// # Errors
/// What the system says.
pub fn write(catalog: &dyn Catalog, path: &Path) -> io::Result<()> {
    let mut sections = Sections::default();
    let n = catalog.n_items() as u32;
    sections.put_texts("keys", (0..n).map(|item| catalog.key(item)));
    let mut by_key: Vec<u32> = (0..n).collect();
    by_key.sort_by_key(|item| catalog.key(*item));
    sections.put("by_key", cast_slice(&by_key));
    let order = catalog.by_sid();
    sections.put("order", cast_slice(order));
    let codes: Vec<u32> = order.iter().flat_map(|item| catalog.sid(*item).unwrap_or(&[])).copied().collect();
    sections.put("codes", cast_slice(&codes));
    let mut place = vec![u32::MAX; n as usize];
    for (at, item) in order.iter().enumerate() {
        if let Some(slot) = place.get_mut(*item as usize) {
            *slot = at as u32;
        }
    }
    sections.put("place", cast_slice(&place));
    let texts = catalog.texts();
    sections.put_texts("texts", (0..texts.len() as u32).map(|t| texts.text(t)));
    let mut columns = Vec::new();
    for feature in catalog.features() {
        let column = catalog.column(feature);
        columns.extend(column.and_then(|c| sections.put_column(columns.len(), feature, &c)));
    }
    let directory = Directory {
        items: n as usize,
        levels: catalog.n_levels(),
        shape: catalog.shape().to_vec(),
        id: catalog.id(),
        columns,
        sections: sections.places,
    };
    let mut directory = serde_json::to_vec(&directory).map_err(io::Error::other)?;
    // Sections begin at multiples of the alignment in the file itself.
    directory.resize((FRONT + directory.len()).next_multiple_of(ALIGNMENT) - FRONT, b' ');
    let length = (directory.len() as u64).to_le_bytes();
    let mut hash = twox_hash::XxHash64::with_seed(0);
    [&length[..], &directory, &sections.bytes].iter().for_each(|bytes| hash.write(bytes));
    write_whole(path, |file| {
        file.write_all(MAGIC)?;
        file.write_all(&hash.finish().to_le_bytes())?;
        file.write_all(&length)?;
        file.write_all(&directory)?;
        file.write_all(&sections.bytes)
    })
}
