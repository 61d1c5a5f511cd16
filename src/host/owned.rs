//! Columns that own their cells: of users, say, from which each step takes the rows of its requests.

use super::given::Given;

/// A column with what of it is there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OwnedColumn {
    pub values: OwnedValues,
    /// `false`: null.
    pub valid: Vec<bool>,
}

/// Its cells; those of a null are of no meaning.
#[derive(Clone, Debug, PartialEq)]
pub enum OwnedValues {
    Doubles(Vec<f64>),
    Wholes(Vec<i64>),
    Bools(Vec<bool>),
    Texts(Vec<String>),
    /// Members `offsets[i]..offsets[i + 1]` of cell i.
    Sets {
        members: Vec<String>,
        offsets: Vec<u32>,
    },
}

impl Default for OwnedValues {
    fn default() -> Self {
        Self::Doubles(Vec::new())
    }
}

impl OwnedColumn {
    /// The cells of some rows, in their order; a row that is not there is null.
    #[must_use]
    pub fn take(&self, rows: &[usize]) -> Self {
        fn of<T: Clone + Default>(cells: &[T], rows: &[usize]) -> Vec<T> {
            rows.iter().map(|row| cells.get(*row).cloned().unwrap_or_default()).collect()
        }
        let values = match &self.values {
            OwnedValues::Doubles(v) => OwnedValues::Doubles(of(v, rows)),
            OwnedValues::Wholes(v) => OwnedValues::Wholes(of(v, rows)),
            OwnedValues::Bools(v) => OwnedValues::Bools(of(v, rows)),
            OwnedValues::Texts(v) => OwnedValues::Texts(of(v, rows)),
            OwnedValues::Sets { members, offsets } => {
                let (mut taken, mut ends) = (Vec::new(), vec![0]);
                for row in rows {
                    if let Some([from, to]) = row.checked_add(2).and_then(|end| offsets.get(*row..end)) {
                        taken.extend_from_slice(members.get(*from as usize..*to as usize).unwrap_or(&[]));
                    }
                    ends.push(taken.len() as u32);
                }
                OwnedValues::Sets { members: taken, offsets: ends }
            }
        };
        Self { values, valid: of(&self.valid, rows) }
    }

    /// As a step takes it.
    #[must_use]
    pub fn given(&self) -> (Given<'_>, Option<&[bool]>) {
        let values = match &self.values {
            OwnedValues::Doubles(v) => Given::Doubles(v),
            OwnedValues::Wholes(v) => Given::Wholes(v),
            OwnedValues::Bools(v) => Given::Bools(v),
            OwnedValues::Texts(v) => Given::Strings(v),
            OwnedValues::Sets { members, offsets } => Given::Sets { members, offsets },
        };
        (values, Some(&self.valid))
    }
}

#[cfg(test)]
mod tests {
    use super::{Given, OwnedColumn, OwnedValues};

    #[test]
    fn rows_are_taken_in_their_order() {
        let members = ["a", "b", "c"].map(String::from).to_vec();
        let sets = OwnedValues::Sets { members, offsets: vec![0, 2, 2, 3] };
        let taken = OwnedColumn { values: sets, valid: vec![true, false, true] }.take(&[2, 1, 0, 7]);
        let (Given::Sets { members, offsets }, Some(valid)) = taken.given() else { panic!("{taken:?}") };
        assert_eq!(members, ["c", "a", "b"]);
        assert_eq!((offsets, valid), (&[0, 1, 1, 3, 3][..], &[true, false, true, false][..]));
    }
}
