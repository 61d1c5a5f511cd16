//! Exposures as samples: the items before one, and the one.

use crate::catalog::Catalog;
use crate::host::OwnedColumn;

/// What users took, and what else is known of them.
#[derive(Clone, Debug, Default)]
pub struct Sequences {
    /// Each user's items in time order, by their number in the catalog; `u32::MAX` is none of it.
    pub users: Vec<Vec<u32>>,
    /// Users' keys; none where nobody brought them.
    pub keys: Vec<String>,
    /// Features of requests that a reward reads, a cell for each user.
    pub features: Vec<(String, OwnedColumn)>,
}

/// Leave-last-out: a user's last item is for the test, the one before for validation, the others are to be
/// learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Train,
    Valid,
    Test,
}

/// Where a sample lies: a user, and the place of its target in the user's items.
pub type Place = (u32, u32);

impl Sequences {
    /// The samples of a part: A → B, AB → C, …; each sees only what came before its target. Users of fewer than
    /// three items have none.
    #[must_use]
    pub fn samples(&self, part: Part) -> Vec<Place> {
        let of = |(user, items): (usize, &Vec<u32>)| {
            let n = items.len() as u32;
            let places = match part {
                _ if n < 3 => 0..0,
                Part::Train => 1..n - 2,
                Part::Valid => n - 2..n - 1,
                Part::Test => n - 1..n,
            };
            places.map(move |place| (user as u32, place))
        };
        self.users.iter().enumerate().flat_map(of).collect()
    }

    /// The items before a sample's target, oldest first, and the target.
    #[must_use]
    pub fn at(&self, (user, place): Place) -> (&[u32], u32) {
        let items = self.users.get(user as usize).map_or(&[][..], Vec::as_slice);
        let place = place as usize;
        (items.get(..place).unwrap_or(&[]), items.get(place).copied().unwrap_or(u32::MAX))
    }

    /// The SIDs of the last `most` items before a sample's target, newest first; items without a SID are left out.
    #[must_use]
    pub fn history<'c>(&self, at: Place, most: usize, catalog: &'c dyn Catalog) -> Vec<&'c [u32]> {
        let (before, _) = self.at(at);
        before.iter().rev().filter_map(|item| catalog.sid(*item)).take(most).collect()
    }
}
