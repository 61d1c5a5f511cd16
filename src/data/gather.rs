//! Cells of a column in another order.

use std::borrow::Cow;

use crate::eval::batch::{By, Column, Values};

/// The cells of a column at some places, in their order; no place is null.
pub fn gather(column: &Column<'_>, places: &[Option<u32>], by: By) -> Column<'static> {
    let at = |p: &Option<u32>| p.map_or(usize::MAX, |p| p as usize);
    let valid: Vec<bool> = places.iter().map(|p| column.is_valid(at(p))).collect();
    let values = match &column.values {
        Values::Real(v) => Values::Real(places.iter().map(|p| v.get(at(p)).copied().unwrap_or(0.0)).collect()),
        Values::Whole(v) => Values::Whole(places.iter().map(|p| v.get(at(p)).copied().unwrap_or(0.0)).collect()),
        Values::Bool(v) => Values::Bool(places.iter().map(|p| v.get(at(p)).copied().unwrap_or(false)).collect()),
        Values::Text(v) => Values::Text(places.iter().map(|p| v.get(at(p)).copied().unwrap_or(0)).collect()),
        Values::Sid { codes, offsets } => {
            let (codes, offsets) = pieces(codes, offsets, places);
            Values::Sid { codes: codes.into(), offsets: offsets.into() }
        }
        Values::Set { members, offsets } => {
            let (members, offsets) = pieces(members, offsets, places);
            Values::Set { members: members.into(), offsets: offsets.into() }
        }
        Values::Vector { size, values } => {
            let mut out = Vec::with_capacity(places.len() * size);
            for p in places {
                let before = out.len();
                out.extend(p.and_then(|p| values.get(p as usize * size..(p as usize + 1) * size)).unwrap_or(&[]));
                out.resize(before + size, 0.0);
            }
            Values::Vector { size: *size, values: out.into() }
        }
    };
    Column { by, values, valid: Some(Cow::Owned(valid)) }
}

fn pieces(all: &[u32], offsets: &[u32], places: &[Option<u32>]) -> (Vec<u32>, Vec<u32>) {
    let (mut out, mut ends) = (Vec::new(), vec![0u32]);
    for p in places {
        if let Some(p) = p {
            let (a, b) =
                (offsets.get(*p as usize).copied().unwrap_or(0), offsets.get(*p as usize + 1).copied().unwrap_or(0));
            out.extend(all.get(a as usize..b as usize).unwrap_or(&[]));
        }
        ends.push(out.len() as u32);
    }
    (out, ends)
}
