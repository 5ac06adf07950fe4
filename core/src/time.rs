//! Times of the rules: u48 milliseconds since 1970, and intervals of them.

use crate::bytes::{Reader, Short, put_u48};

/// Milliseconds since 1970-01-01T00:00Z, below 2^48. Source: docs/spec.md §1.3.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Time(u64);

impl Time {
    /// The first moment; also "no end" in an interval and "never" in a revocation.
    pub const ZERO: Self = Self(0);
    /// The last moment that six bytes hold.
    pub const MAX: Self = Self((1 << 48) - 1);

    /// `millis` if it is below 2^48.
    pub const fn from_millis(millis: u64) -> Option<Self> {
        if millis <= Self::MAX.0 { Some(Self(millis)) } else { None }
    }

    /// Milliseconds since 1970.
    pub const fn millis(self) -> u64 {
        self.0
    }

    /// `None` when the sum reaches 2^48.
    pub fn checked_add(self, millis: u64) -> Option<Self> {
        self.0.checked_add(millis).and_then(Self::from_millis)
    }

    /// [`Time::MAX`] when the sum reaches 2^48.
    #[must_use]
    pub fn saturating_add(self, millis: u64) -> Self {
        self.checked_add(millis).unwrap_or(Self::MAX)
    }

    /// Milliseconds from `earlier` to `self`; 0 when it is not earlier.
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Whether `self` lies in `from ≤ t < until`, an `until` of 0 meaning no end.
    pub fn within(self, from: Self, until: Self) -> bool {
        from <= self && (until == Self::ZERO || self < until)
    }

    /// Reads six bytes.
    ///
    /// # Errors
    /// [`Short`] at the end.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, Short> {
        reader.u48().map(Self)
    }

    /// Appends six bytes.
    pub fn put(self, out: &mut Vec<u8>) {
        put_u48(out, self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Time {
        Time::from_millis(millis).unwrap_or_default()
    }

    #[test]
    fn sums_saturate_or_are_refused_at_two_to_the_48() {
        assert_eq!(Time::from_millis(1 << 48), None);
        assert_eq!(Time::MAX.checked_add(1), None);
        assert_eq!(at(5).checked_add(u64::MAX), None);
        assert_eq!(Time::MAX.saturating_add(9), Time::MAX);
        assert_eq!(at(5).checked_add(2), Some(at(7)));
    }

    #[test]
    fn an_interval_includes_its_start_and_excludes_its_end() {
        assert!(at(5).within(at(5), at(6)));
        assert!(!at(6).within(at(5), at(6)));
        assert!(!at(4).within(at(5), Time::ZERO));
        assert!(Time::MAX.within(at(5), Time::ZERO));
        assert_eq!((at(7).since(at(5)), at(5).since(at(7))), (2, 0));
    }
}
