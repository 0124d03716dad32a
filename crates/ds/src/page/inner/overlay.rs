//! Children of an inner page that changed since its base was made.
//!
//! A page has two of these: a few new ones, which every copy of the page copies, and older ones,
//! which copies share. So a copy counts references to a handful of children only, and the base,
//! whose every link somebody else may be following on another processor, is written anew once in
//! a hundred changes. Where the children stand is kept apart from them: most searches end with a
//! look at these few bytes, which lie together.
//! Neighbours: `inner` (above) has the base and decides.

use std::cmp::Ordering;

use super::Child;

/// Changed children by their places, at most `N`.
#[derive(Debug)]
pub(super) struct Overlay<const N: usize> {
    /// Sorted; as many as there are children count.
    places: [u16; N],
    children: Vec<Child>,
}

/// With room for one more: most copies get one change.
impl<const N: usize> Clone for Overlay<N> {
    fn clone(&self) -> Self {
        let mut children = Vec::with_capacity(N.min(self.children.len() + 1));
        children.extend_from_slice(&self.children);
        Self { places: self.places, children }
    }
}

impl<const N: usize> Default for Overlay<N> {
    fn default() -> Self {
        Self { places: [0; N], children: Vec::new() }
    }
}

impl<const N: usize> Overlay<N> {
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.children.is_empty()
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.children.len()
    }

    /// Where the child of that place is (`Ok`) or would be (`Err`).
    #[inline]
    fn search(&self, place: usize) -> Result<usize, usize> {
        let places = &self.places[..self.children.len()];
        places.binary_search_by(|known| usize::from(*known).cmp(&place))
    }

    /// The child of that place, if it changed.
    #[inline]
    pub(super) fn get(&self, place: usize) -> Option<&Child> {
        self.search(place).ok().map(|at| &self.children[at])
    }

    /// The same, to be changed.
    #[inline]
    pub(super) fn get_mut(&mut self, place: usize) -> Option<&mut Child> {
        self.search(place).ok().map(|at| &mut self.children[at])
    }

    /// Puts a child in, or in the place of what is there; gives it back where there is no room.
    pub(super) fn put(&mut self, place: usize, child: Child) -> Result<(), Child> {
        match self.search(place) {
            Ok(at) => self.children[at] = child,
            Err(at) => {
                let len = self.children.len();
                let (Ok(place), true) = (u16::try_from(place), len < N) else { return Err(child) };
                self.places.copy_within(at..len, at + 1);
                self.places[at] = place;
                self.children.insert(at, child);
            }
        }
        Ok(())
    }

    /// Takes all out, in the order of their places.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = (usize, Child)> {
        let places = self.places.iter().map(|place| usize::from(*place));
        places.zip(self.children.drain(..))
    }

    /// The same, copied.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, Child)> {
        let places = self.places.iter().map(|place| usize::from(*place));
        places.zip(self.children.iter().cloned())
    }

    /// What both hold, which must be at most `room`; of two of one place the newer one.
    pub(super) fn merged(
        room: usize,
        old: impl Iterator<Item = (usize, Child)>,
        new: impl Iterator<Item = (usize, Child)>,
    ) -> Self {
        let mut all = Self { places: [0; N], children: Vec::with_capacity(room.min(N)) };
        let (mut old, mut new) = (old.peekable(), new.peekable());
        loop {
            let order = match (old.peek(), new.peek()) {
                (Some((old, _)), Some((new, _))) => old.cmp(new),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => return all,
            };
            let older = if order == Ordering::Greater { None } else { old.next() };
            let newer = if order == Ordering::Less { None } else { new.next() };
            if let Some((place, child)) = newer.or(older) {
                all.places[all.children.len()] = place as u16;
                all.children.push(child);
            }
        }
    }

    /// The children.
    pub(super) fn children(&self) -> &[Child] {
        &self.children
    }

    /// The same places with other children.
    pub(super) fn map(&self, change: impl FnMut(&Child) -> Child) -> Self {
        Self { places: self.places, children: self.children.iter().map(change).collect() }
    }
}
