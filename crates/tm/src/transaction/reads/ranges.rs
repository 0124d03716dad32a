//! Sets of keys as ranges that do not touch each other.
//!
//! A range goes from a key up to but without another (none: the end). That a single key is in it
//! is said by its successor, the key with a zero byte behind it, for which there is always room
//! in the order. A set with very many ranges becomes the one that spans them all: that can only
//! find conflicts that are none. Neighbours: `mod` notes reads with these.

use std::collections::BTreeMap;
use std::ops::Bound;

/// More ranges than this in one set become one.
const RANGES_MAX: usize = 4096;

/// A set of keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::transaction) struct RangeSet {
    /// By where each begins, where it ends.
    ranges: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
}

/// Whether a range that ends at `end` reaches up to `place`.
fn reaches(end: Option<&[u8]>, place: &[u8]) -> bool {
    end.is_none_or(|end| end >= place)
}

/// The later of two ends.
fn later(left: Option<Vec<u8>>, right: Option<Vec<u8>>) -> Option<Vec<u8>> {
    match (left, right) {
        (Some(left), Some(right)) => Some(left.max(right)),
        _ => None,
    }
}

impl RangeSet {
    pub(in crate::transaction) fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Adds the keys from `from` up to but without `to`.
    pub(in crate::transaction) fn add(&mut self, from: &[u8], to: Option<&[u8]>) {
        if to.is_some_and(|to| to <= from) {
            return;
        }
        let before = self.ranges.range::<[u8], _>((Bound::Unbounded, Bound::Included(from)));
        let mut start = from.to_vec();
        if let Some((begin, end)) = before.into_iter().next_back()
            && reaches(end.as_deref(), from)
        {
            let is_inside = match (end, to) {
                (None, _) => true,
                (Some(end), Some(to)) => to <= end.as_slice(),
                (Some(_), None) => false,
            };
            if is_inside {
                return;
            }
            start.clone_from(begin);
        }
        let mut end = to.map(<[u8]>::to_vec);
        loop {
            let next = self.ranges.range::<Vec<u8>, _>(&start..).next();
            let Some(begin) = next.map(|(begin, _)| begin.clone()) else { break };
            if !reaches(end.as_deref(), &begin) {
                break;
            }
            end = later(end, self.ranges.remove(&begin).flatten());
        }
        self.ranges.insert(start, end);
        if self.ranges.len() > RANGES_MAX {
            self.span_all();
        }
    }

    /// Adds all keys of another set.
    pub(in crate::transaction) fn add_all(&mut self, other: &Self) {
        for (from, to) in &other.ranges {
            self.add(from, to.as_deref());
        }
    }

    /// Whether a key is in it.
    pub(in crate::transaction) fn contains(&self, key: &[u8]) -> bool {
        let before = self.ranges.range::<[u8], _>((Bound::Unbounded, Bound::Included(key)));
        before
            .into_iter()
            .next_back()
            .is_some_and(|(_, end)| end.as_deref().is_none_or(|end| key < end))
    }

    /// Whether no key from this one on is in it.
    pub(in crate::transaction) fn is_behind(&self, key: &[u8]) -> bool {
        self.ranges
            .values()
            .next_back()
            .is_none_or(|end| end.as_deref().is_some_and(|end| end <= key))
    }

    fn span_all(&mut self) {
        let first = self.ranges.pop_first();
        let last = self.ranges.pop_last();
        if let (Some((from, _)), Some((_, to))) = (first, last) {
            self.ranges.clear();
            self.ranges.insert(from, to);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "tests fail by panicking"
    )]
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Beside a plain set of small numbers.
        #[test]
        fn a_set_of_ranges_is_the_union_of_what_was_added(
            added in proptest::collection::vec((0_u8..20, proptest::option::of(0_u8..22)), 0..12),
        ) {
            let mut set = RangeSet::default();
            let mut model = [false; 32];
            for (from, to) in added {
                let end = to.map(|to| [to]);
                set.add(&[from], end.as_ref().map(|end| &end[..]));
                for number in from..to.unwrap_or(32) {
                    model[usize::from(number)] = true;
                }
            }
            for (number, &is_in) in (0_u8..).zip(&model) {
                prop_assert_eq!(set.contains(&[number]), is_in, "{} of {:?}", number, set);
                let later = model[usize::from(number)..].contains(&true);
                prop_assert_eq!(set.is_behind(&[number]), !later, "{} of {:?}", number, set);
            }
            let ends: Vec<_> = set.ranges.iter().collect();
            for pair in ends.windows(2) {
                prop_assert!(!reaches(pair[0].1.as_deref(), pair[1].0), "{:?} touches", set);
            }
        }
    }

    #[test]
    fn very_many_ranges_become_the_one_that_spans_them() {
        let mut set = RangeSet::default();
        for number in 0..=RANGES_MAX as u32 {
            let key = (number * 2).to_be_bytes();
            let behind = (number * 2 + 1).to_be_bytes();
            set.add(&key, Some(&behind));
        }
        assert_eq!(set.ranges.len(), 1);
        assert!(set.contains(&1_u32.to_be_bytes()), "in between, too");
        assert!(!set.contains(&(RANGES_MAX as u32 * 2 + 1).to_be_bytes()));
    }
}
