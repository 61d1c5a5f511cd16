//! How many a cap's bound allows or requires (R4.1): whole-number arithmetic.

use super::{Bound, Program};
use crate::types::Decimal;

impl Program {
    /// How many matching members a span of `n` allows: `floor(share · n)`, or the count.
    #[must_use]
    pub fn allowed(&self, bound: Bound, n: u64) -> u64 {
        match self.bound(bound) {
            Ok(count) => count,
            Err(share) => share.floor_of(n),
        }
    }

    /// How many matching members a span of `n` requires: `ceil(share · n)`, or the count where so many are there.
    #[must_use]
    pub fn required(&self, bound: Bound, n: u64) -> u64 {
        match self.bound(bound) {
            Ok(count) => count.min(n),
            Err(share) => share.ceil_of(n),
        }
    }

    /// The bound as it is now: a count, or a share.
    ///
    /// # Errors
    /// Not an error: the other of the two kinds, an exact share.
    pub fn bound(&self, bound: Bound) -> Result<u64, Decimal> {
        match bound {
            Bound::Count(n) => Ok(n),
            Bound::Share(share) => Err(share),
            Bound::Param(id) => {
                let Some(param) = self.params.get(id.index()) else { return Err(Decimal(0)) };
                let value = param.value.number();
                if param.whole {
                    Ok(value.max(0.0) as u64)
                } else {
                    Err(Decimal::from_f64(value).unwrap_or(Decimal(0)))
                }
            }
        }
    }
}
