//! Sets of rowids as ranges: branches insert rows one after the other, so that a few ranges say
//! what thousands of numbers would.
//!
//! Neighbours: `numbering` has the rowids that are other rows elsewhere.

use std::collections::BTreeMap;

/// Rowids, as ranges that neither meet nor touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ranges {
    /// The last one of each range by its first one.
    ranges: BTreeMap<i64, i64>,
}

impl Ranges {
    /// None.
    pub const fn new() -> Self {
        Self { ranges: BTreeMap::new() }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// The ranges in their order, with their last rowids.
    pub fn iter(&self) -> impl Iterator<Item = (i64, i64)> + '_ {
        self.ranges.iter().map(|(first, last)| (*first, *last))
    }

    /// Whether a rowid is one of them.
    pub fn contains(&self, rowid: i64) -> bool {
        self.ranges.range(..=rowid).next_back().is_some_and(|(_, last)| *last >= rowid)
    }

    /// Adds all from the first to the last; nothing if they are in another order.
    pub fn add(&mut self, first: i64, last: i64) {
        if first > last {
            return;
        }
        let (mut from, mut to) = (first, last);
        // What meets the new range or stands right beside it becomes one with it.
        while let Some((&near, &end)) = self.ranges.range(..=to.saturating_add(1)).next_back()
            && end >= from.saturating_sub(1)
        {
            (from, to) = (from.min(near), to.max(end));
            self.ranges.remove(&near);
        }
        self.ranges.insert(from, to);
    }

    /// Adds those of another set.
    pub fn add_all(&mut self, others: &Self) {
        for (first, last) in others.iter() {
            self.add(first, last);
        }
    }

    /// Takes all from the first to the last out.
    pub fn remove(&mut self, first: i64, last: i64) {
        if first > last {
            return;
        }
        while let Some((&near, &end)) = self.ranges.range(..=last).next_back()
            && end >= first
        {
            self.ranges.remove(&near);
            // Neither can leave the range of numbers: there is something beyond.
            if end > last {
                self.ranges.insert(last.saturating_add(1), end);
            }
            if near < first {
                self.ranges.insert(near, first.saturating_sub(1));
            }
        }
    }

    /// Those that another set does not have.
    #[must_use]
    pub fn without(&self, others: &Self) -> Self {
        let mut left = self.clone();
        for (first, last) in others.iter() {
            left.remove(first, last);
        }
        left
    }
}

impl FromIterator<i64> for Ranges {
    fn from_iter<I: IntoIterator<Item = i64>>(rowids: I) -> Self {
        let mut ranges = Self::new();
        rowids.into_iter().for_each(|rowid| ranges.add(rowid, rowid));
        ranges
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ranges_are_sets(changes in vec((any::<bool>(), 0..40_i64, 0..8_i64), 0..40)) {
            let (mut ranges, mut set) = (Ranges::new(), BTreeSet::new());
            for (adds, first, more) in changes {
                let last = first + more - 1;
                if adds {
                    ranges.add(first, last);
                    set.extend(first..=last);
                } else {
                    ranges.remove(first, last);
                    set.retain(|rowid| !(first..=last).contains(rowid));
                }
                prop_assert_eq!(&ranges, &set.iter().copied().collect());
                let all: Vec<i64> = ranges.iter().flat_map(|(first, last)| first..=last).collect();
                prop_assert!(all.iter().copied().eq(set.iter().copied()));
                prop_assert!((-1..50).all(|it| ranges.contains(it) == set.contains(&it)));
                let ends: Vec<(i64, i64)> = ranges.iter().collect();
                prop_assert!(ends.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0));
            }
        }
    }

    #[test]
    fn the_first_and_the_last_number_are_numbers() {
        let mut ranges = Ranges::new();
        ranges.add(i64::MAX, i64::MAX);
        ranges.add(i64::MIN, 5);
        ranges.remove(i64::MIN, i64::MIN);
        assert_eq!(ranges.iter().collect::<Vec<_>>(), [(i64::MIN + 1, 5), (i64::MAX, i64::MAX)]);
        ranges.add(i64::MIN, i64::MAX);
        assert_eq!(ranges.iter().collect::<Vec<_>>(), [(i64::MIN, i64::MAX)]);
        ranges.remove(7, i64::MAX);
        assert!(ranges.contains(6) && !ranges.contains(7));
        let beyond: Ranges = [2, 3, 9].into_iter().collect();
        assert_eq!(beyond.without(&ranges), [9].into_iter().collect());
    }
}
