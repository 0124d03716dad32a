//! Which pages in memory a leaf is a version of, so that two leaves can be compared by the keys
//! that changed since.
//!
//! A page gets a number when it is copied: the number means what the page holds at that moment.
//! The copy keeps it, and the keys that change from then on. A page that changes after it was
//! copied is a version of its own number from then on. The list is given up when it grows long.
//! Nothing of this is stored. Neighbours: `origin` does the same for pages of the file, `leaf`
//! tells about changes, `tree::diff` compares.

use smallvec::SmallVec;

use crate::sync::atomic::{AtomicU64, Ordering};

/// A key that changed.
pub type Key = SmallVec<[u8; 16]>;

/// How many keys are noted at most.
const KEYS_MAX: usize = 48;
/// A copy of a page with more noted keys than this begins a list of its own.
const KEYS_INHERITED_MAX: usize = 12;

/// The relatives of a leaf.
#[derive(Debug, Default)]
pub struct Lineage {
    /// Stands for what the leaf holds now; zero as long as nobody has copied that.
    number: AtomicU64,
    /// What it was copied from.
    source: Option<Box<Source>>,
}

#[derive(Clone, Debug)]
struct Source {
    number: u64,
    /// The keys that changed since, sorted.
    keys: Vec<Key>,
}

/// A number stands for one page: another page with the same content is related by its source.
impl Clone for Lineage {
    fn clone(&self) -> Self {
        Self { number: AtomicU64::new(0), source: self.source.clone() }
    }
}

impl Lineage {
    /// The lineage of a copy; `next` makes a number if there is none yet.
    pub(super) fn of_copy(&self, next: impl FnOnce() -> u64) -> Self {
        if let Some(source) = self.source.as_ref().filter(|it| it.keys.len() <= KEYS_INHERITED_MAX)
        {
            return Self { number: AtomicU64::new(0), source: Some(source.clone()) };
        }
        let fresh = next();
        // Relaxed: whoever copies the page has its content by another way.
        let known = self.number.compare_exchange(0, fresh, Ordering::Relaxed, Ordering::Relaxed);
        let source =
            Source { number: known.map_or_else(|known| known, |_| fresh), keys: Vec::new() };
        Self { number: AtomicU64::new(0), source: Some(Box::new(source)) }
    }

    /// Notes that a key changes.
    pub(super) fn touch(&mut self, key: &[u8]) {
        let number = self.number.load(Ordering::Relaxed);
        if number != 0 {
            // The number stays with those who copied what it stands for.
            self.number.store(0, Ordering::Relaxed);
            if self.source.is_none() {
                self.source = Some(Box::new(Source { number, keys: Vec::new() }));
            }
        }
        let Some(source) = &mut self.source else { return };
        if let Err(place) = source.keys.binary_search_by(|known| known.as_slice().cmp(key)) {
            if source.keys.len() >= KEYS_MAX {
                self.source = None;
            } else {
                source.keys.insert(place, Key::from_slice(key));
            }
        }
    }

    /// What it is a version of, and the keys that changed since: first what it is itself.
    pub fn relatives(&self) -> [Option<(u64, &[Key])>; 2] {
        let number = self.number.load(Ordering::Relaxed);
        let own = (number != 0).then_some((number, [].as_slice()));
        let source = self.source.as_ref().map(|source| (source.number, source.keys.as_slice()));
        [own, source]
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn common(left: &Lineage, right: &Lineage) -> Option<Vec<Key>> {
        for (number, keys) in left.relatives().into_iter().flatten() {
            let others = right.relatives().into_iter().flatten();
            if let Some((_, others)) = others.into_iter().find(|(other, _)| *other == number) {
                return Some(keys.iter().chain(others).cloned().collect());
            }
        }
        None
    }

    fn keys(names: &[&str]) -> Vec<Key> {
        names.iter().map(|name| Key::from_slice(name.as_bytes())).collect()
    }

    #[test]
    fn copies_are_related_by_what_changed_since() {
        let mut last = 0;
        let mut next = || {
            last += 1;
            last
        };
        let mut first = Lineage::default();
        first.touch(b"nobody knows");
        let mut one = first.of_copy(&mut next);
        let mut other = first.of_copy(&mut next);
        assert_eq!(common(&first, &one), Some(keys(&[])));
        one.touch(b"a");
        other.touch(b"b");
        assert_eq!(common(&one, &other), Some(keys(&["a", "b"])));
        // The page that was copied changes too.
        first.touch(b"c");
        first.touch(b"c");
        assert_eq!(common(&one, &first), Some(keys(&["a", "c"])));
        let grandchild = one.of_copy(&mut next);
        assert_eq!(common(&grandchild, &other), Some(keys(&["a", "b"])));
        assert_eq!(common(&grandchild, &Lineage::default()), None);
    }

    #[test]
    fn long_lists_are_given_up_and_begun_anew() {
        let mut last = 0;
        let mut next = || {
            last += 1;
            last
        };
        let first = Lineage::default();
        let mut one = first.of_copy(&mut next);
        for number in 0..=KEYS_INHERITED_MAX as u8 {
            one.touch(&[number]);
        }
        let mut two = one.of_copy(&mut next);
        two.touch(b"x");
        assert_eq!(common(&two, &one), Some(keys(&["x"])));
        assert_eq!(common(&two, &first), None);
        for number in 0..=KEYS_MAX as u8 {
            two.touch(&[number]);
        }
        assert_eq!(common(&two, &one), None);
    }
}
