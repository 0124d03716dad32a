//! A cursor on a tree as its transaction saw it when the cursor was made.
//!
//! The cursor keeps its version alive by itself: the transaction may write, refresh and end
//! meanwhile. Where what is read must still hold at the commit, each step is noted; elsewhere that
//! costs one look at a field that is empty. Neighbours: the storage crate's cursor does the
//! walking, `reads` keeps the notes.

use std::ops::{Deref, DerefMut};

use pandodb_ds::Result;
use pandodb_ds::sync::Arc;

use super::reads::CursorReads;
use crate::snapshot::Pin;

/// A position in a tree; see [`pandodb_ds::tree::Cursor`], whose methods it has.
///
/// The methods below note what they read; the others of that cursor that move it do not tell
/// where, and whoever uses them is taken to have read all that [`limit`](Self::limit) allows.
#[derive(Debug)]
pub struct Cursor {
    inner: pandodb_ds::tree::Cursor,
    reads: Option<Arc<CursorReads>>,
    /// Where the key goes that a note is made of.
    key: Vec<u8>,
    _pin: Pin,
}

impl Cursor {
    pub(super) fn new(
        inner: pandodb_ds::tree::Cursor,
        pin: Pin,
        reads: Option<Arc<CursorReads>>,
    ) -> Self {
        Self { inner, reads, key: Vec::new(), _pin: pin }
    }

    /// Whether what is read is noted.
    #[inline]
    pub fn is_noted(&self) -> bool {
        self.reads.is_some()
    }

    /// Says that the caller takes no notice of keys before `from` and at or behind `to`, which it
    /// meets at the ends of what it reads. Without this they count as read.
    #[inline]
    pub fn limit(&mut self, from: &[u8], to: Option<&[u8]>) {
        if let Some(reads) = &self.reads {
            reads.limit(from, to);
        }
    }

    /// Goes to the first entry; returns whether there is one.
    pub fn first(&mut self) -> Result<bool> {
        let found = self.inner.first()?;
        self.note(found, |reads, landed| reads.sought(&[], landed));
        Ok(found)
    }

    /// Goes to the last entry; returns whether there is one.
    pub fn last(&mut self) -> Result<bool> {
        let found = self.inner.last()?;
        self.note(found, |reads, landed| reads.sought_back(None, landed));
        Ok(found)
    }

    /// Goes to the first key that is `key` or greater; returns whether there is one.
    pub fn seek(&mut self, key: &[u8]) -> Result<bool> {
        let found = self.inner.seek(key)?;
        self.note(found, |reads, landed| reads.sought(key, landed));
        Ok(found)
    }

    /// As [`seek`](Self::seek) for a caller that only wants to know about `key` itself.
    pub fn seek_exact(&mut self, key: &[u8]) -> Result<bool> {
        let found = self.inner.seek(key)?;
        if let Some(reads) = &self.reads {
            reads.sought_exactly(key);
        }
        Ok(found)
    }

    /// Goes to the last key before `key`, or to the last of all; returns whether there is one.
    pub fn seek_before(&mut self, key: Option<&[u8]>) -> Result<bool> {
        let found = match key {
            Some(key) if self.inner.seek(key)? => self.inner.previous()?,
            _ => self.inner.last()?,
        };
        self.note(found, |reads, landed| reads.sought_back(key, landed));
        Ok(found)
    }

    /// Goes to the next entry; returns whether there is one.
    #[inline]
    #[expect(clippy::should_implement_trait, reason = "a cursor goes both ways and may fail")]
    pub fn next(&mut self) -> Result<bool> {
        let found = self.inner.next()?;
        self.note(found, CursorReads::went_on);
        Ok(found)
    }

    /// Goes to the entry before; returns whether there is one.
    #[inline]
    pub fn previous(&mut self) -> Result<bool> {
        let found = self.inner.previous()?;
        self.note(found, CursorReads::went_back);
        Ok(found)
    }

    #[inline]
    fn note(&mut self, found: bool, note: impl FnOnce(&CursorReads, Option<&[u8]>)) {
        if let Some(reads) = &self.reads {
            self.inner.read_key(&mut self.key);
            note(reads, found.then_some(&self.key));
        }
    }
}

impl Deref for Cursor {
    type Target = pandodb_ds::tree::Cursor;

    fn deref(&self) -> &Self::Target {
        &self.inner
    }
}

impl DerefMut for Cursor {
    fn deref_mut(&mut self) -> &mut Self::Target {
        if let Some(reads) = &self.reads {
            reads.everything();
        }
        &mut self.inner
    }
}
