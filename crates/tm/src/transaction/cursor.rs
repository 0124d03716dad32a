//! A cursor on a tree as its transaction saw it when the cursor was made.
//!
//! The cursor keeps its version alive by itself: the transaction may write, refresh and end
//! meanwhile. Neighbours: the storage crate's cursor does the walking.

use std::ops::{Deref, DerefMut};

use pandodb_ds::sync::Arc;

use crate::snapshot::Pin;

/// A position in a tree; see [`pandodb_ds::tree::Cursor`], whose methods it has.
#[derive(Debug)]
pub struct Cursor {
    inner: pandodb_ds::tree::Cursor,
    _pin: Arc<Pin>,
}

impl Cursor {
    pub(super) fn new(inner: pandodb_ds::tree::Cursor, pin: Arc<Pin>) -> Self {
        Self { inner, _pin: pin }
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
        &mut self.inner
    }
}
