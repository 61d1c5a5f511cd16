//! Intervals: what the checker proves about numbers (R6.4, R6.6).

/// No number may be able to pass this size (R6.6); quotients and powers are brought back to it.
pub const LIMIT: f64 = 1e30;

/// A closed interval of numbers, with "and not 0" beside it, which a narrowing like `x > 0` proves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    pub lo: f64,
    pub hi: f64,
    pub nonzero: bool,
}

impl Interval {
    /// Both ends included.
    #[must_use]
    pub fn new(lo: f64, hi: f64) -> Self {
        Self { lo, hi, nonzero: lo > 0.0 || hi < 0.0 }
    }

    /// A single number.
    #[must_use]
    pub fn point(value: f64) -> Self {
        Self::new(value, value)
    }

    /// Everything a number can be.
    #[must_use]
    pub fn all() -> Self {
        Self::new(-LIMIT, LIMIT)
    }

    /// The same interval without 0.
    #[must_use]
    pub fn without_zero(self) -> Self {
        Self { nonzero: true, ..self }
    }

    /// Whether a number lies in it.
    #[must_use]
    pub fn contains(&self, value: f64) -> bool {
        self.lo <= value && value <= self.hi
    }

    /// Whether another interval lies in it.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.lo <= other.lo && other.hi <= self.hi
    }

    /// Whether it proves that a number is above 0.
    #[must_use]
    pub fn is_positive(&self) -> bool {
        self.lo > 0.0 || (self.lo >= 0.0 && self.nonzero)
    }

    /// The smallest interval that covers both.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        Self { lo: self.lo.min(other.lo), hi: self.hi.max(other.hi), nonzero: self.nonzero && other.nonzero }
    }

    /// What both allow; `None` where that is nothing.
    #[must_use]
    pub fn meet(self, other: Self) -> Option<Self> {
        let (lo, hi) = (self.lo.max(other.lo), self.hi.min(other.hi));
        let nonzero = self.nonzero || other.nonzero || lo > 0.0 || hi < 0.0;
        (lo <= hi && !(lo == 0.0 && hi == 0.0 && nonzero)).then_some(Self { lo, hi, nonzero })
    }

    /// Image under a rising function.
    #[must_use]
    pub fn rising(self, f: impl Fn(f64) -> f64) -> Self {
        Self::new(f(self.lo), f(self.hi))
    }

    /// Sum.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self::new(self.lo + other.lo, self.hi + other.hi)
    }

    /// Negation.
    #[must_use]
    pub fn negated(self) -> Self {
        Self { lo: -self.hi, hi: -self.lo, nonzero: self.nonzero }
    }

    /// Difference.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        self.plus(other.negated())
    }

    /// Product.
    #[must_use]
    pub fn times(self, other: Self) -> Self {
        let corners = [self.lo * other.lo, self.lo * other.hi, self.hi * other.lo, self.hi * other.hi];
        let lo = corners.iter().copied().fold(f64::INFINITY, f64::min);
        let hi = corners.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Self::new(lo, hi)
    }

    /// Quotient, brought into ±1e30 (R5.7); a divisor that may come near 0 gives what its sign allows.
    #[must_use]
    pub fn over(self, other: Self) -> Self {
        if other.lo > 0.0 || other.hi < 0.0 {
            return self.times(Self::new(1.0 / other.hi, 1.0 / other.lo)).capped();
        }
        let positive = other.lo >= 0.0;
        let negative = other.hi <= 0.0;
        match (self.lo >= 0.0, self.hi <= 0.0) {
            (true, true) => Self::point(0.0),
            // Above 0 over something at most b: at least lo / b.
            (true, false) if positive && other.hi > 0.0 => Self::new(self.lo / other.hi, LIMIT),
            (true, false) if negative && other.lo < 0.0 => Self::new(-LIMIT, self.lo / other.lo),
            (false, true) if positive && other.hi > 0.0 => Self::new(-LIMIT, self.hi / other.hi),
            (false, true) if negative && other.lo < 0.0 => Self::new(self.hi / other.lo, LIMIT),
            _ => Self::all(),
        }
    }

    /// Brought into ±1e30.
    #[must_use]
    pub fn capped(self) -> Self {
        Self { lo: self.lo.clamp(-LIMIT, LIMIT), hi: self.hi.clamp(-LIMIT, LIMIT), nonzero: self.nonzero }
    }

    /// Widened to include 0.
    #[must_use]
    pub fn with_zero(self) -> Self {
        Self::new(self.lo.min(0.0), self.hi.max(0.0))
    }

    /// Both ends moved outward to the nearest f32, so that an f32 evaluator stays inside (R6.4).
    #[must_use]
    pub fn outward_f32(self) -> Self {
        let (mut lo, mut hi) = (self.lo as f32, self.hi as f32);
        if f64::from(lo) > self.lo {
            lo = lo.next_down();
        }
        if f64::from(hi) < self.hi {
            hi = hi.next_up();
        }
        Self { lo: f64::from(lo), hi: f64::from(hi), nonzero: self.nonzero }
    }

    /// Whether a number of it may pass ±1e30.
    #[must_use]
    pub fn passes_limit(&self) -> bool {
        !(self.lo >= -LIMIT && self.hi <= LIMIT)
    }
}

/// The one rounding to f32 of a real number that enters (R6.1).
#[must_use]
pub fn round_to_f32(value: f64) -> f64 {
    f64::from(value as f32)
}
