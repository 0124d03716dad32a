//! A place in a tree.
//!
//! The key is copied out of its page at each step (keys are short, and stored with their common
//! start cut off); the value is read where it stands. Neighbours: `transaction` makes these.

use std::cell::OnceCell;
use std::ops::{Deref, DerefMut};

use pandodb_branch::registry::View;
use pandodb_ds::format::TreeKind;
use pandodb_ds::sync::Arc;
use pandodb_ds::tree::Found;

use crate::error::Result;

/// A position in a tree as it was when the cursor was made.
#[derive(Debug)]
pub struct Cursor {
    inner: Inner,
    key: Vec<u8>,
    /// The key here, in a tree of eight-byte keys.
    fixed: Option<[u8; 8]>,
    /// A value from extents of its own.
    large: OnceCell<Vec<u8>>,
}

/// Where the pages come from.
#[derive(Debug)]
enum Inner {
    Live(pandodb_tm::Cursor),
    /// The view keeps the pages.
    Past(pandodb_ds::tree::Cursor, #[expect(dead_code, reason = "it is held")] Arc<View>),
    /// Whoever lent the cursor keeps the pages.
    Lent(pandodb_ds::tree::Cursor),
}

impl Deref for Inner {
    type Target = pandodb_ds::tree::Cursor;

    #[inline]
    fn deref(&self) -> &Self::Target {
        match self {
            Self::Live(cursor) => cursor,
            Self::Past(cursor, _) | Self::Lent(cursor) => cursor,
        }
    }
}

impl DerefMut for Inner {
    #[inline]
    fn deref_mut(&mut self) -> &mut Self::Target {
        match self {
            Self::Live(cursor) => cursor,
            Self::Past(cursor, _) | Self::Lent(cursor) => cursor,
        }
    }
}

/// The moves of both kinds; those of a live cursor note what they read where the level says so,
/// which those of the storage crate's cursor behind it do not do as exactly.
impl Inner {
    fn first(&mut self) -> pandodb_ds::Result<bool> {
        match self {
            Self::Live(cursor) => cursor.first(),
            Self::Past(cursor, _) | Self::Lent(cursor) => cursor.first(),
        }
    }

    fn last(&mut self) -> pandodb_ds::Result<bool> {
        match self {
            Self::Live(cursor) => cursor.last(),
            Self::Past(cursor, _) | Self::Lent(cursor) => cursor.last(),
        }
    }

    fn seek(&mut self, key: &[u8]) -> pandodb_ds::Result<bool> {
        match self {
            Self::Live(cursor) => cursor.seek(key),
            Self::Past(cursor, _) | Self::Lent(cursor) => cursor.seek(key),
        }
    }

    fn seek_exact(&mut self, key: &[u8]) -> pandodb_ds::Result<bool> {
        match self {
            Self::Live(cursor) => cursor.seek_exact(key),
            Self::Past(cursor, _) | Self::Lent(cursor) => cursor.seek(key),
        }
    }

    fn seek_before(&mut self, key: Option<&[u8]>) -> pandodb_ds::Result<bool> {
        let cursor = match self {
            Self::Live(cursor) => return cursor.seek_before(key),
            Self::Past(cursor, _) | Self::Lent(cursor) => cursor,
        };
        match key {
            Some(key) if cursor.seek(key)? => cursor.previous(),
            _ => cursor.last(),
        }
    }

    #[inline]
    fn next(&mut self) -> pandodb_ds::Result<bool> {
        match self {
            Self::Live(cursor) => cursor.next(),
            Self::Past(cursor, _) | Self::Lent(cursor) => cursor.next(),
        }
    }

    #[inline]
    fn previous(&mut self) -> pandodb_ds::Result<bool> {
        match self {
            Self::Live(cursor) => cursor.previous(),
            Self::Past(cursor, _) | Self::Lent(cursor) => cursor.previous(),
        }
    }
}

impl Cursor {
    /// Says that the caller takes no notice of keys before `from` and at or behind `to`, which it
    /// meets at the ends of what it reads: they need not be as they were at its commit.
    #[inline]
    pub fn limit(&mut self, from: &[u8], to: Option<&[u8]>) {
        if let Inner::Live(cursor) = &mut self.inner {
            cursor.limit(from, to);
        }
    }

    /// Whether what is read is noted, so that [`limit`](Self::limit) means something.
    pub(crate) fn is_noted(&self) -> bool {
        match &self.inner {
            Inner::Live(cursor) => cursor.is_noted(),
            Inner::Past(..) | Inner::Lent(..) => false,
        }
    }

    /// A cursor over a tree of a view.
    pub(crate) fn of_view(inner: pandodb_ds::tree::Cursor, view: Arc<View>) -> Self {
        let is_fixed = inner.tree().kind() == TreeKind::Fixed;
        let fixed = is_fixed.then_some([0; 8]);
        Self { inner: Inner::Past(inner, view), key: Vec::new(), fixed, large: OnceCell::new() }
    }

    /// What another thread makes a cursor of its own of, as long as this one is there; none
    /// where what is read is noted.
    pub(crate) fn lend(&self) -> Option<pandodb_ds::tree::Cursor> {
        (!self.is_noted()).then(|| pandodb_ds::tree::Cursor::clone(&self.inner))
    }

    /// A cursor of what was lent.
    pub(crate) fn of_lent(inner: pandodb_ds::tree::Cursor) -> Self {
        let is_fixed = inner.tree().kind() == TreeKind::Fixed;
        let fixed = is_fixed.then_some([0; 8]);
        Self { inner: Inner::Lent(inner), key: Vec::new(), fixed, large: OnceCell::new() }
    }

    /// The tree's own cursor, for who goes through whole leaves.
    pub(crate) fn tree(&self) -> &pandodb_ds::tree::Cursor {
        &self.inner
    }

    /// As [`tree`](Self::tree), to move it; this cursor's own key is then not read any more.
    pub(crate) fn tree_mut(&mut self) -> &mut pandodb_ds::tree::Cursor {
        &mut self.inner
    }

    pub(super) fn new(inner: pandodb_tm::Cursor) -> Self {
        let is_fixed = inner.tree().kind() == TreeKind::Fixed;
        let fixed = is_fixed.then_some([0; 8]);
        Self { inner: Inner::Live(inner), key: Vec::new(), fixed, large: OnceCell::new() }
    }

    #[inline]
    fn arrive(&mut self, found: bool) -> bool {
        self.large.take();
        if let Some(fixed) = &mut self.fixed {
            if let Some(key) = self.inner.fixed_key() {
                *fixed = key.to_be_bytes();
            }
        } else if found {
            self.inner.read_key(&mut self.key);
        } else {
            self.key.clear();
        }
        found
    }

    /// Moves to the first key at or behind `key`; whether there is one.
    pub fn seek(&mut self, key: &[u8]) -> Result<bool> {
        let found = if key.is_empty() { self.inner.first()? } else { self.inner.seek(key)? };
        Ok(self.arrive(found))
    }

    /// Moves to the last key before `key`, or to the last of all; whether there is one.
    pub fn seek_before(&mut self, key: Option<&[u8]>) -> Result<bool> {
        let found = self.inner.seek_before(key)?;
        Ok(self.arrive(found))
    }

    /// Moves to exactly `key`; whether it is there.
    pub fn seek_exact(&mut self, key: &[u8]) -> Result<bool> {
        let found = self.inner.seek_exact(key)?;
        Ok(self.arrive(found) && self.key() == key)
    }

    /// Moves to the key with `rank` keys before it; whether there is one.
    pub fn seek_rank(&mut self, rank: u64) -> Result<bool> {
        let found = self.inner.seek_rank(rank)?;
        Ok(self.arrive(found))
    }

    /// Moves to the first key.
    pub fn first(&mut self) -> Result<bool> {
        let found = self.inner.first()?;
        Ok(self.arrive(found))
    }

    /// Moves to the last key.
    pub fn last(&mut self) -> Result<bool> {
        let found = self.inner.last()?;
        Ok(self.arrive(found))
    }

    /// Moves to the next key; whether there is one.
    #[inline]
    #[expect(clippy::should_implement_trait, reason = "a cursor goes both ways and may fail")]
    pub fn next(&mut self) -> Result<bool> {
        let found = self.inner.next()?;
        Ok(self.arrive(found))
    }

    /// Moves to the previous key; whether there is one.
    #[inline]
    pub fn previous(&mut self) -> Result<bool> {
        let found = self.inner.previous()?;
        Ok(self.arrive(found))
    }

    /// The key here; empty where the cursor stands on none.
    #[inline]
    pub fn key(&self) -> &[u8] {
        match &self.fixed {
            Some(fixed) if self.inner.is_valid() => fixed,
            Some(_) => &[],
            None => &self.key,
        }
    }

    /// The value here; empty where the cursor stands on none.
    #[inline]
    pub fn value(&self) -> Result<&[u8]> {
        match self.inner.found()? {
            Some(Found::Inline(bytes)) => Ok(bytes),
            Some(found) => {
                if let Some(large) = self.large.get() {
                    return Ok(large);
                }
                let bytes = found.to_owned(self.inner.pager())?;
                Ok(self.large.get_or_init(|| bytes))
            }
            None => Ok(&[]),
        }
    }
}
