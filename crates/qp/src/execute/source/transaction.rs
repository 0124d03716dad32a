//! The transactions behind the sources of a statement.
//!
//! The statements of an open transaction share it, and so do a change and its triggers: it is
//! behind a lock, which is taken for each cursor and each changed row, never for a row that is
//! read. A statement that only reads outside of a transaction has one of its own, which nobody
//! changes while it runs, its threads neither: that one is alone, without lock and count, because
//! those would be a good part of what a quick read costs. Which of both a statement has is said
//! once for all its sources ([`Sources`]), and only shared ones can be changed or kept: whoever
//! asks for those of a statement that only reads gets an error. Neighbours: `context` holds
//! these, `session::transaction` makes and rests them.

use std::ops::Deref;

use pandodb_ds::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::error::{Error, ErrorKind, Result};
use crate::plan::SourceId;
use crate::store::Transaction;

/// A transaction that the statements of a session share, and the threads of one statement.
#[derive(Clone, Debug)]
pub struct SharedTransaction(Arc<RwLock<Transaction>>);

/// A transaction that one statement has for itself, which only reads.
pub type LoneTransaction = Box<Transaction>;

/// The transactions of a running statement, by database.
#[derive(Clone, Copy, Debug)]
pub enum Sources<'a> {
    /// Its own, which nobody changes.
    Alone(&'a [Option<LoneTransaction>]),
    /// Those of an open transaction or of a change.
    Shared(&'a [Option<SharedTransaction>]),
}

/// A transaction that is looked at.
pub enum Looked<'a> {
    /// One that nobody changes.
    Alone(&'a Transaction),
    /// One that waits to be changed until this goes.
    Shared(RwLockReadGuard<'a, Transaction>),
}

impl Deref for Looked<'_> {
    type Target = Transaction;

    #[inline]
    fn deref(&self) -> &Transaction {
        match self {
            Self::Alone(transaction) => transaction,
            Self::Shared(guard) => guard,
        }
    }
}

impl SharedTransaction {
    /// Shares a transaction.
    pub fn new(transaction: Transaction) -> Self {
        Self(Arc::new(RwLock::new(transaction)))
    }

    /// The transaction for one statement alone that only reads; none if others have it, too.
    pub fn into_alone(self) -> Option<LoneTransaction> {
        Some(Box::new(Arc::into_inner(self.0)?.into_inner()))
    }

    /// Whether both are one.
    #[inline]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Looks at it.
    #[inline]
    pub fn borrow(&self) -> RwLockReadGuard<'_, Transaction> {
        self.0.read()
    }

    /// Changes it. Whoever holds a borrow in the same thread must have given it back.
    #[inline]
    pub fn borrow_mut(&self) -> RwLockWriteGuard<'_, Transaction> {
        self.0.write()
    }
}

impl<'a> Sources<'a> {
    /// Looks at the transaction of a source.
    #[inline]
    pub fn look(self, source: SourceId) -> Result<Looked<'a>> {
        let place = usize::from(source.0);
        let found = match self {
            Self::Alone(alone) => alone.get(place).and_then(Option::as_deref).map(Looked::Alone),
            Self::Shared(shared) => shared
                .get(place)
                .and_then(Option::as_ref)
                .map(|shared| Looked::Shared(shared.borrow())),
        };
        found.ok_or_else(|| no_source(source))
    }

    /// Looks at all of them in turn.
    pub fn look_at_all(self) -> impl Iterator<Item = Looked<'a>> {
        let (alone, shared) = match self {
            Self::Alone(alone) => (alone, &[][..]),
            Self::Shared(shared) => (&[][..], shared),
        };
        let alone = alone.iter().flatten().map(|alone| Looked::Alone(alone));
        alone.chain(shared.iter().flatten().map(|shared| Looked::Shared(shared.borrow())))
    }

    /// The transactions for whoever changes or keeps them: an error where they are the
    /// statement's alone, because it was taken for one that only reads.
    pub fn shared(self) -> Result<&'a [Option<SharedTransaction>]> {
        match self {
            Self::Alone(_) => Err(only_reads()),
            Self::Shared(shared) => Ok(shared),
        }
    }

    /// The transaction of a source for whoever changes or keeps it, as [`shared`](Self::shared).
    pub fn share(self, source: SourceId) -> Result<&'a SharedTransaction> {
        let shared = self.shared()?.get(usize::from(source.0)).and_then(Option::as_ref);
        shared.ok_or_else(|| no_source(source))
    }
}

#[cold]
fn no_source(source: SourceId) -> Error {
    Error::new(ErrorKind::Internal, format!("the statement has no source {}", source.0))
}

#[cold]
fn only_reads() -> Error {
    Error::new(ErrorKind::Internal, "a statement that only reads is about to change something")
}
