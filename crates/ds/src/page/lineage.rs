//! Which pages in memory a leaf is a version of, so that two leaves can be compared by the keys
//! that changed since.
//!
//! A page gets a number when it is copied: the number means what the page holds at that moment.
//! The copy keeps it, and the keys that change from then on, and what the page itself kept of this
//! kind: numbers and keys are one list in the order of time, and the keys behind a number are what
//! changed since. So a leaf knows its youngest relatives as well as older ones, and two leaves are
//! compared from the youngest that both have. A page that changes after it was copied is a version
//! of its own number from then on. Lists that grow long lose their oldest part.
//! Nothing of this is stored. Neighbours: `origin` does the same for pages of the file, `leaf`
//! tells about changes, `tree::diff` compares.

use smallvec::SmallVec;

use crate::sync::atomic::{AtomicU64, Ordering};

/// A key that changed.
pub type Key = SmallVec<[u8; 16]>;

/// How many keys are noted at most behind one number.
const KEYS_MAX: usize = 48;
/// A copy of a page keeps at most this many of its keys, and the numbers before them.
const KEYS_INHERITED_MAX: usize = 12;

/// The relatives of a leaf.
#[derive(Debug, Default)]
pub struct Lineage {
    /// Stands for what the leaf holds now; zero as long as nobody has copied that.
    number: AtomicU64,
    /// What it was copied from.
    past: Option<Box<Past>>,
}

/// Numbers and keys in the order of time. There is at least one number, and the first stands
/// before all keys.
#[derive(Clone, Debug)]
struct Past {
    /// Each with the place of the first key that changed after it.
    numbers: SmallVec<[(u64, u8); 4]>,
    /// As they changed; behind one number each key once.
    keys: Vec<Key>,
}

impl Past {
    fn of(number: u64) -> Self {
        Self { numbers: SmallVec::from_slice(&[(number, 0)]), keys: Vec::new() }
    }

    /// The place of the first key behind the youngest number.
    fn newest(&self) -> usize {
        self.numbers.last().map_or(0, |(_, from)| usize::from(*from))
    }

    /// What a copy keeps.
    fn inherited(&self) -> Option<Self> {
        let surplus = self.keys.len().saturating_sub(KEYS_INHERITED_MAX);
        let kept = self.numbers.iter().position(|(_, from)| usize::from(*from) >= surplus)?;
        let numbers = self.numbers.get(kept..)?;
        let (_, first) = *numbers.first()?;
        let numbers = numbers.iter().map(|(number, from)| (*number, *from - first)).collect();
        // Most copies of a page get one change.
        let kept = self.keys.get(usize::from(first)..)?;
        let mut keys = Vec::with_capacity(kept.len() + 1);
        keys.extend_from_slice(kept);
        Some(Self { numbers, keys })
    }

    /// Notes a key; `false` where there are too many.
    fn touch(&mut self, key: &[u8]) -> bool {
        let newest = self.newest();
        let since = self.keys.get(newest..).unwrap_or_default();
        if since.iter().any(|known| known.as_slice() == key) {
            return true;
        }
        if since.len() >= KEYS_MAX {
            return false;
        }
        self.keys.push(Key::from_slice(key));
        true
    }
}

/// A number stands for one page: another page with the same content is related by its past.
impl Clone for Lineage {
    fn clone(&self) -> Self {
        Self { number: AtomicU64::new(0), past: self.past.clone() }
    }
}

impl Lineage {
    /// The lineage of a copy; `next` makes a number if there is none yet.
    pub(super) fn of_copy(&self, next: impl FnOnce() -> u64) -> Self {
        let past = match &self.past {
            // It holds what the youngest number stands for.
            Some(past) if past.keys.len() == past.newest() => past.inherited(),
            past => {
                let number = self.number_or(next);
                let mut kept = past
                    .as_ref()
                    .and_then(|past| past.inherited())
                    .unwrap_or_else(|| Past::of(number));
                if kept.numbers.last().is_none_or(|(last, _)| *last != number) {
                    kept.numbers.push((number, kept.keys.len() as u8));
                }
                Some(kept)
            }
        };
        Self { number: AtomicU64::new(0), past: past.map(Box::new) }
    }

    /// The lineage of a page with the same content, which takes the place of this one.
    pub(super) fn of_same(&self) -> Self {
        // Relaxed: who copied the page meanwhile is related by what was before.
        let number = AtomicU64::new(self.number.load(Ordering::Relaxed));
        Self { number, past: self.past.clone() }
    }

    /// The number of what the leaf holds now.
    fn number_or(&self, next: impl FnOnce() -> u64) -> u64 {
        // Relaxed: whoever copies the page has its content by another way.
        let known = self.number.load(Ordering::Relaxed);
        if known != 0 {
            return known;
        }
        let fresh = next();
        let known = self.number.compare_exchange(0, fresh, Ordering::Relaxed, Ordering::Relaxed);
        known.map_or_else(|known| known, |_| fresh)
    }

    /// Notes that a key changes.
    pub(super) fn touch(&mut self, key: &[u8]) {
        let number = self.number.load(Ordering::Relaxed);
        if number != 0 {
            // The number stays with those who copied what it stands for, and with this page, of
            // which it is the youngest relative now. What was before is given up where it is
            // long, as in a copy.
            self.number.store(0, Ordering::Relaxed);
            let kept = self.past.as_ref().and_then(|past| past.inherited());
            let mut past = kept.unwrap_or_else(|| Past::of(number));
            if past.numbers.last().is_none_or(|(last, _)| *last != number) {
                past.numbers.push((number, past.keys.len() as u8));
            }
            self.past = Some(Box::new(past));
        }
        if self.past.as_mut().is_some_and(|past| !past.touch(key)) {
            self.past = None;
        }
    }

    /// The keys, some maybe twice and in no order, in which two leaves may differ: those that
    /// changed on both ways since the youngest relative that both have; none where they have none.
    pub fn changed_since<'a>(&'a self, other: &'a Self) -> Option<[&'a [Key]; 2]> {
        let (left, right) = (self.relatives(), other.relatives());
        // Numbers grow in the order of time, on both sides.
        left.rev().find_map(|(number, keys)| {
            let mut rights = right.clone();
            let (_, others) = rights.find(|(other, _)| *other == number)?;
            Some([keys, others])
        })
    }

    /// What it is a version of, oldest first, and the keys that changed since: last what it is
    /// itself.
    fn relatives(&self) -> impl DoubleEndedIterator<Item = (u64, &[Key])> + Clone {
        let number = self.number.load(Ordering::Relaxed);
        let own = (number != 0).then_some((number, [].as_slice()));
        let past = self.past.as_deref();
        let known = past.into_iter().flat_map(|past| {
            let since = |(number, from): &(u64, u8)| {
                (*number, past.keys.get(usize::from(*from)..).unwrap_or_default())
            };
            past.numbers.iter().map(since)
        });
        known.chain(own)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn common(left: &Lineage, right: &Lineage) -> Option<Vec<Key>> {
        let [keys, others] = left.changed_since(right)?;
        Some(keys.iter().chain(others).cloned().collect())
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
    fn leaves_are_compared_from_their_youngest_relative() {
        let mut last = 0;
        let mut next = || {
            last += 1;
            last
        };
        let first = Lineage::default();
        let mut main = first.of_copy(&mut next);
        main.touch(b"a");
        let aside = main.of_copy(&mut next);
        for name in ["b", "c", "d"] {
            main = main.of_copy(&mut next);
            main.touch(name.as_bytes());
        }
        let mut branch = main.of_copy(&mut next);
        assert_eq!(common(&main, &branch), Some(keys(&[])));
        // Changed before, and once more.
        branch.touch(b"b");
        assert_eq!(common(&main, &branch), Some(keys(&["b"])));
        assert_eq!(common(&branch, &main), Some(keys(&["b"])));
        // One copy that changes nothing is no step of its own.
        let same = branch.of_copy(&mut next);
        let again = same.of_copy(&mut next).of_copy(&mut next);
        assert_eq!(common(&again, &branch), Some(keys(&[])));
        // The page itself goes on, too: its copies are not what it is then.
        main.touch(b"a");
        main.touch(b"e");
        assert_eq!(common(&main, &branch), Some(keys(&["a", "e", "b"])));
        // Older relatives are known as long as little has changed since.
        assert_eq!(common(&aside, &branch), Some(keys(&["b", "c", "d", "b"])));
        for number in 0..=KEYS_INHERITED_MAX as u8 + 1 {
            branch = branch.of_copy(&mut next);
            branch.touch(&[number]);
        }
        assert_eq!(common(&aside, &branch), None);
        assert_eq!(common(&again, &branch), None);
        let before = branch.of_copy(&mut next);
        branch.touch(b"f");
        assert_eq!(common(&before, &branch), Some(keys(&["f"])));
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
