//! The transaction behind a source of a statement.
//!
//! The statements of an open transaction share it, and so do a change and its triggers: it is
//! behind a lock, which is taken for each cursor and each changed row, never for a row that is
//! read. A statement that only reads outside of a transaction has one of its own, which nobody
//! changes while it runs, its threads neither: that one is alone, without lock and count, because
//! those would be a good part of what a quick read costs. Neighbours: `context` holds these,
//! `session::transaction` makes and rests them.

use std::ops::Deref;

use pandodb_ds::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::store::Transaction;

/// A transaction that the statements of a session share, and the threads of one statement.
#[derive(Debug)]
pub struct SharedTransaction(Place);

#[derive(Debug)]
enum Place {
    Alone(Box<Transaction>),
    Shared(Arc<RwLock<Transaction>>),
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
        Self(Place::Shared(Arc::new(RwLock::new(transaction))))
    }

    /// The transaction for one statement alone that only reads; none if others have it, too.
    pub fn alone(self) -> Option<Self> {
        match self.0 {
            Place::Alone(_) => Some(self),
            Place::Shared(shared) => {
                let transaction = Arc::into_inner(shared)?.into_inner();
                Some(Self(Place::Alone(Box::new(transaction))))
            }
        }
    }

    /// Whether it is for one statement alone.
    #[inline]
    pub fn is_alone(&self) -> bool {
        matches!(self.0, Place::Alone(_))
    }

    /// The transaction for all who want it.
    #[must_use]
    pub fn shared(self) -> Self {
        match self.0 {
            Place::Alone(transaction) => Self::new(*transaction),
            Place::Shared(_) => self,
        }
    }

    /// Changes it where nobody else has it, which takes no lock.
    #[inline]
    pub fn get_mut(&mut self) -> Option<&mut Transaction> {
        match &mut self.0 {
            Place::Alone(transaction) => Some(transaction),
            Place::Shared(shared) => Arc::get_mut(shared).map(RwLock::get_mut),
        }
    }

    /// Whether both are one.
    #[inline]
    pub fn is_same(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Place::Shared(own), Place::Shared(other)) => Arc::ptr_eq(own, other),
            _ => false,
        }
    }

    /// Looks at it.
    #[inline]
    pub fn borrow(&self) -> Looked<'_> {
        match &self.0 {
            Place::Alone(transaction) => Looked::Alone(transaction),
            Place::Shared(shared) => Looked::Shared(shared.read()),
        }
    }

    /// Changes it. Whoever holds a borrow in the same thread must have given it back, and one that
    /// is alone is shared before.
    #[inline]
    pub fn borrow_mut(&self) -> RwLockWriteGuard<'_, Transaction> {
        match &self.0 {
            Place::Alone(_) => unreachable!("a transaction that only reads is to be changed"),
            Place::Shared(shared) => shared.write(),
        }
    }
}

impl Clone for SharedTransaction {
    /// The same transaction; of one that is alone, one that has ended.
    fn clone(&self) -> Self {
        match &self.0 {
            Place::Alone(transaction) => Self::new(transaction.ended_copy()),
            Place::Shared(shared) => Self(Place::Shared(Arc::clone(shared))),
        }
    }
}
