//! A catalog in memory: SIDs as one sorted array.

use std::collections::HashMap;
use std::hash::Hasher;
use std::ops::Range;

use super::Catalog;
use super::sorted::SortedSids;
use crate::diagnostic::{Diagnostic, Fault, code};
use crate::eval::batch::{By, Column, Texts, Values};

/// SIDs of items in catalog order.
#[derive(Clone, Copy, Debug)]
pub struct Sids<'a> {
    /// `n_items · levels` codes; an item without a SID has `u32::MAX` at every level.
    pub codes: &'a [u32],
    pub levels: usize,
}

/// A catalog that is held in memory.
#[derive(Clone, Debug, Default)]
pub struct MemoryCatalog {
    keys: Vec<String>,
    by_key: HashMap<String, u32>,
    levels: usize,
    shape: Vec<u32>,
    /// Items that have a SID, ordered by it; equal SIDs in catalog order.
    order: Vec<u32>,
    /// Their codes, row by row in that order.
    sorted: Vec<u32>,
    /// By item its place in that order; `u32::MAX` without a SID.
    place: Vec<u32>,
    columns: Vec<(String, Column<'static>)>,
    texts: Texts,
    id: u64,
}

impl MemoryCatalog {
    /// A catalog of items by key; `sids` is left out where items have none.
    ///
    /// # Errors
    /// A key that stands twice (RW0604), or codes that do not fit the keys (RW0611).
    pub fn new(keys: Vec<String>, sids: Option<Sids<'_>>) -> Result<Self, Fault> {
        let mut by_key = HashMap::with_capacity(keys.len());
        for (item, key) in keys.iter().enumerate() {
            if let Some(first) = by_key.insert(key.clone(), item as u32) {
                let message = format!("the catalog has the item {key} twice, in rows {} and {}", first + 1, item + 1);
                return Err(Box::new(
                    Diagnostic::bare(&code::KEY_TWICE, message)
                        .help("a catalog has one row an item; several items may share a SID"),
                ));
            }
        }
        let mut catalog = Self { keys, by_key, ..Self::default() };
        if let Some(sids) = sids {
            catalog.index(sids)?;
        }
        let mut hash = twox_hash::XxHash64::with_seed(0);
        for key in &catalog.keys {
            hash.write(key.as_bytes());
            hash.write_u8(0xff);
        }
        catalog.order.iter().chain(&catalog.sorted).for_each(|n| hash.write_u32(*n));
        catalog.id = hash.finish();
        Ok(catalog)
    }

    fn index(&mut self, sids: Sids<'_>) -> Result<(), Fault> {
        let Sids { codes, levels } = sids;
        if levels == 0 || codes.len() != self.keys.len() * levels {
            let message = format!("{} codes do not make {} SIDs of {levels} levels", codes.len(), self.keys.len());
            return Err(Box::new(
                Diagnostic::bare(&code::CATALOG, message)
                    .help("hand in one code for each item and level, item by item"),
            ));
        }
        let sid = |item: u32| codes.get(item as usize * levels..(item as usize + 1) * levels).unwrap_or(&[]);
        let has_sid = |item: &u32| sid(*item).iter().any(|c| *c != u32::MAX);
        let mut order: Vec<u32> = (0..self.keys.len() as u32).filter(has_sid).collect();
        order.sort_by(|a, b| sid(*a).cmp(sid(*b)));
        self.sorted = order.iter().flat_map(|item| sid(*item)).copied().collect();
        self.place = vec![u32::MAX; self.keys.len()];
        for (place, item) in order.iter().enumerate() {
            if let Some(slot) = self.place.get_mut(*item as usize) {
                *slot = place as u32;
            }
        }
        self.shape = vec![0; levels];
        for sid in self.sorted.chunks(levels) {
            self.shape.iter_mut().zip(sid).for_each(|(most, code)| *most = (*most).max(code.saturating_add(1)));
        }
        self.order = order;
        self.levels = levels;
        Ok(())
    }

    /// Adds a feature of items: a cleaned column with a cell for each item. Its texts are numbered by
    /// [`MemoryCatalog::texts_mut`].
    ///
    /// # Errors
    /// A column of another length (RW0611).
    pub fn add_column(&mut self, feature: &str, mut column: Column<'static>) -> Result<(), Fault> {
        if column.values.len() != self.keys.len() {
            let message = format!("`{feature}` has {} values for {} items", column.values.len(), self.keys.len());
            return Err(Box::new(Diagnostic::bare(&code::CATALOG, message).help("hand in one value for each item")));
        }
        column.by = By::Item;
        self.columns.retain(|(name, _)| name != feature);
        self.columns.push((feature.to_string(), column));
        Ok(())
    }

    /// Adds the item's own key as a feature.
    pub fn add_key(&mut self, feature: &str) {
        let numbers: Vec<u32> = self.keys.iter().map(|k| self.texts.number(k)).collect();
        self.columns.retain(|(name, _)| name != feature);
        let column = Column { by: By::Item, values: Values::Text(numbers.into()), valid: None };
        self.columns.push((feature.to_string(), column));
    }

    fn rows(&self) -> SortedSids<'_> {
        SortedSids { codes: &self.sorted, levels: self.levels }
    }

    /// Item keys in catalog order.
    #[must_use]
    pub fn keys(&self) -> &[String] {
        &self.keys
    }

    /// The item keys alone.
    #[must_use]
    pub fn into_keys(self) -> Vec<String> {
        self.keys
    }

    /// Where columns of ids, categories and sets get their numbers.
    pub fn texts_mut(&mut self) -> &mut Texts {
        &mut self.texts
    }
}

impl Catalog for MemoryCatalog {
    fn n_items(&self) -> usize {
        self.keys.len()
    }

    fn n_levels(&self) -> usize {
        self.levels
    }

    fn key(&self, item: u32) -> &str {
        self.keys.get(item as usize).map_or("", String::as_str)
    }

    fn item(&self, key: &str) -> Option<u32> {
        self.by_key.get(key).copied()
    }

    fn by_sid(&self) -> &[u32] {
        &self.order
    }

    fn beneath(&self, prefix: &[u32]) -> Range<u32> {
        self.rows().beneath(prefix)
    }

    fn shape(&self) -> &[u32] {
        &self.shape
    }

    fn sid(&self, item: u32) -> Option<&[u32]> {
        let place = *self.place.get(item as usize)? as usize;
        self.sorted.get(place.checked_mul(self.levels)?..(place + 1).checked_mul(self.levels)?)
    }

    fn allowed(&self, prefix: &[u32], next: &mut Vec<u32>) {
        self.rows().allowed(prefix, next);
    }

    fn column(&self, feature: &str) -> Option<Column<'_>> {
        self.columns.iter().find(|(name, _)| name == feature).map(|(_, column)| Column::lend(column))
    }

    fn features(&self) -> Vec<&str> {
        self.columns.iter().map(|(name, _)| name.as_str()).collect()
    }

    fn texts(&self) -> &Texts {
        &self.texts
    }

    fn id(&self) -> u64 {
        self.id
    }
}

#[cfg(test)]
mod tests {
    use super::{Catalog, MemoryCatalog, Sids};

    /// Five items on three SIDs: two share 1/2, one has none.
    fn five() -> MemoryCatalog {
        let keys = ["a", "b", "c", "d", "e"].map(String::from).to_vec();
        let codes = [1, 2, 0, 7, 1, 2, u32::MAX, u32::MAX, 1, 0];
        MemoryCatalog::new(keys, Some(Sids { codes: &codes, levels: 2 })).unwrap()
    }

    fn items(catalog: &MemoryCatalog, sid: &[u32]) -> Vec<u32> {
        let range = catalog.behind(sid);
        catalog.by_sid()[range.start as usize..range.end as usize].to_vec()
    }

    #[test]
    fn a_sid_stands_for_its_items_in_catalog_order() {
        let catalog = five();
        assert_eq!(items(&catalog, &[1, 2]), [0, 2]);
        assert_eq!(items(&catalog, &[0, 7]), [1]);
        for none in [&[1, 3][..], &[1], &[1, 2, 3], &[], &[u32::MAX, u32::MAX]] {
            assert_eq!(items(&catalog, none), [0_u32; 0], "{none:?}");
        }
        assert_eq!((catalog.sid(2), catalog.sid(4)), (Some(&[1, 2][..]), Some(&[1, 0][..])));
        assert_eq!((catalog.sid(3), catalog.sid(5), catalog.sid(u32::MAX)), (None, None, None));
        assert_eq!(catalog.shape(), [2, 8]);
        assert_eq!((catalog.item("d"), catalog.item("z"), catalog.key(4), catalog.key(5)), (Some(3), None, "e", ""));
    }

    #[test]
    fn a_prefix_allows_what_some_item_goes_on_with() {
        let (catalog, mut next) = (five(), vec![9]);
        for (prefix, codes) in
            [(&[][..], &[0, 1][..]), (&[1], &[0, 2]), (&[0], &[7]), (&[2], &[]), (&[1, 2], &[]), (&[1, 2, 3], &[])]
        {
            catalog.allowed(prefix, &mut next);
            assert_eq!(next, codes, "{prefix:?}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let keys = || vec!["a".to_string(), "b".to_string()];
        assert_eq!(MemoryCatalog::new(vec!["a".into(), "a".into()], None).unwrap_err().code.id, "RW0604");
        let sids = Sids { codes: &[1, 2, 3], levels: 2 };
        assert_eq!(MemoryCatalog::new(keys(), Some(sids)).unwrap_err().code.id, "RW0611");
        let without = MemoryCatalog::new(keys(), None).unwrap();
        assert_eq!((without.n_levels(), without.behind(&[1])), (0, 0..0));
    }
}
