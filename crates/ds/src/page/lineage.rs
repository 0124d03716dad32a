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
    past: Option<Past>,
}

/// Numbers and keys in the order of time. There is at least one number, and the first stands
/// before all keys.
///
/// They stand in one piece of memory, because every copy of a page takes them along: a number is
/// [`NUMBER`] with eight bytes behind it, a key its length with its bytes.
#[derive(Clone, Debug)]
struct Past {
    bytes: Vec<u8>,
    /// The youngest number.
    last: u64,
    /// Where that ends.
    newest: u32,
    /// How many keys are behind it.
    since: u8,
    /// How many keys there are.
    keys: u8,
}

/// What a past is made of.
enum Event<'a> {
    /// The page was copied.
    Number(u64),
    /// A key changed; behind one number each does once.
    Key(&'a [u8]),
}

/// Begins a number.
const NUMBER: u8 = u8::MAX;
/// Begins a key whose length takes four bytes.
const LONG: u8 = u8::MAX - 1;
/// Room for the number and the key that most copies of a page get.
const ROOM: usize = 32;

/// What stands in the bytes of a past, one after the other.
struct Events<'a>(&'a [u8]);

impl<'a> Events<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn keys(self) -> impl Iterator<Item = &'a [u8]> {
        self.filter_map(|event| match event {
            Event::Key(key) => Some(key),
            Event::Number(_) => None,
        })
    }
}

impl<'a> Iterator for Events<'a> {
    type Item = Event<'a>;

    #[inline]
    fn next(&mut self) -> Option<Event<'a>> {
        let length = match *self.take(1)?.first()? {
            NUMBER => {
                let number = self.take(8)?.try_into().ok()?;
                return Some(Event::Number(u64::from_le_bytes(number)));
            }
            LONG => u32::from_le_bytes(self.take(4)?.try_into().ok()?) as usize,
            length => usize::from(length),
        };
        self.take(length).map(Event::Key)
    }
}

impl Past {
    fn of(number: u64) -> Self {
        let bytes = Vec::with_capacity(ROOM);
        let mut past = Self { bytes, last: 0, newest: 0, since: 0, keys: 0 };
        past.push_number(number);
        past
    }

    fn push_number(&mut self, number: u64) {
        self.bytes.push(NUMBER);
        self.bytes.extend_from_slice(&number.to_le_bytes());
        self.last = number;
        self.newest = self.bytes.len() as u32;
        self.since = 0;
    }

    /// What changed behind a place.
    fn events_from(&self, place: usize) -> Events<'_> {
        Events(self.bytes.get(place..).unwrap_or_default())
    }

    /// What a copy keeps.
    fn inherited(&self) -> Option<Self> {
        let surplus = usize::from(self.keys).saturating_sub(KEYS_INHERITED_MAX);
        let (mut start, mut passed) = (0, 0);
        let mut events = self.events_from(0);
        while passed < surplus || self.bytes.get(start) != Some(&NUMBER) {
            passed += usize::from(matches!(events.next()?, Event::Key(_)));
            start = self.bytes.len() - events.0.len();
        }
        let kept = &self.bytes[start..];
        let mut bytes = Vec::with_capacity(kept.len() + ROOM);
        bytes.extend_from_slice(kept);
        let (newest, keys) = (self.newest - start as u32, self.keys - passed as u8);
        Some(Self { bytes, last: self.last, newest, since: self.since, keys })
    }

    /// What a copy keeps of `past`, and what is a number from then on.
    fn going_on(past: Option<&Self>, number: u64) -> Self {
        let Some(mut kept) = past.and_then(Self::inherited) else { return Self::of(number) };
        if kept.last != number {
            kept.push_number(number);
        }
        kept
    }

    /// Notes a key; `false` where there are too many.
    fn touch(&mut self, key: &[u8]) -> bool {
        if self.events_from(self.newest as usize).keys().any(|known| known == key) {
            return true;
        }
        if usize::from(self.since) >= KEYS_MAX {
            return false;
        }
        if key.len() < usize::from(LONG) {
            self.bytes.push(key.len() as u8);
        } else {
            self.bytes.push(LONG);
            self.bytes.extend_from_slice(&(key.len() as u32).to_le_bytes());
        }
        self.bytes.extend_from_slice(key);
        self.since += 1;
        self.keys += 1;
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
            Some(past) if past.since == 0 => past.inherited(),
            past => {
                let number = self.number_or(next);
                Some(Past::going_on(past.as_ref(), number))
            }
        };
        Self { number: AtomicU64::new(0), past }
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
            self.past = Some(Past::going_on(self.past.as_ref(), number));
        }
        if self.past.as_mut().is_some_and(|past| !past.touch(key)) {
            self.past = None;
        }
    }

    /// The keys, some maybe twice and in no order, in which two leaves may differ: those that
    /// changed on both ways since the youngest relative that both have; none where they have none.
    pub fn changed_since(&self, other: &Self) -> Option<Vec<Key>> {
        let (lefts, rights) = (self.relatives(), other.relatives());
        // Numbers grow in the order of time, on both sides.
        let (left, right) = lefts.iter().rev().find_map(|(number, left)| {
            let (_, right) = rights.iter().find(|(other, _)| other == number)?;
            Some((*left, *right))
        })?;
        let keys = self.keys_from(left).chain(other.keys_from(right));
        Some(keys.map(Key::from_slice).collect())
    }

    fn keys_from(&self, place: usize) -> impl Iterator<Item = &[u8]> {
        let past = self.past.as_ref();
        past.into_iter().flat_map(move |past| past.events_from(place).keys())
    }

    /// What it is a version of, oldest first, and the place of what changed since: last what it
    /// is itself.
    fn relatives(&self) -> SmallVec<[(u64, usize); 8]> {
        let mut relatives = SmallVec::new();
        let mut end = 0;
        if let Some(past) = &self.past {
            let mut events = past.events_from(0);
            while let Some(event) = events.next() {
                if let Event::Number(number) = event {
                    relatives.push((number, past.bytes.len() - events.0.len()));
                }
            }
            end = past.bytes.len();
        }
        let number = self.number.load(Ordering::Relaxed);
        if number != 0 {
            relatives.push((number, end));
        }
        relatives
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn common(left: &Lineage, right: &Lineage) -> Option<Vec<Key>> {
        left.changed_since(right)
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
    fn keys_of_any_length_are_told() {
        let mut last = 0;
        let mut next = || {
            last += 1;
            last
        };
        let first = Lineage::default();
        let mut one = first.of_copy(&mut next);
        let noted: Vec<Key> = [0, 1, 16, 253, 254, 255, 256, 70_000]
            .iter()
            .map(|length| Key::from_elem(NUMBER, *length))
            .collect();
        for key in noted.iter().chain(&noted) {
            one.touch(key);
        }
        assert_eq!(common(&first, &one), Some(noted.clone()));
        let mut two = one.of_copy(&mut next);
        two.touch(&noted[4]);
        assert_eq!(common(&two, &one), Some(vec![noted[4].clone()]));
        assert_eq!(common(&two, &first), Some([noted.as_slice(), &noted[4..5]].concat()));
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
