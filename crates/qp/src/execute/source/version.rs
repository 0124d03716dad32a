//! Versions that a statement reads beside its own: other branches, tags and the past.
//!
//! A plan names them as it names databases, with numbers of their own ([`DatabaseIndex::VERSIONS`]
//! and up, in the order in which the statement first names them). The head of another branch is
//! read within the transaction that is open on the statement's own, so that one snapshot and one
//! isolation level hold for both; the past is a view that nothing changes. Neighbours:
//! `session::version` opens these, `context` reads through them.

use std::cell::{Ref, RefCell};
use std::ops::Bound;

use pandodb_branch::registry::View;
use pandodb_ds::pager::Pager;
use pandodb_ds::sync::Arc;

use super::SharedTransaction;
use crate::ast::{Name, PointInTime};
use crate::catalog::{DatabaseIndex, Schema};
use crate::error::{Error, ErrorKind, Result};
use crate::store::{Cursor, HeadId, Transaction, TreeId};

/// What a statement calls a version: `@branch`, `AS OF ..` or both.
#[derive(Clone, Debug, PartialEq)]
pub struct VersionName {
    /// The database whose version it is.
    pub database: DatabaseIndex,
    /// The branch, or a tag; the session's branch without.
    pub branch: Option<Name>,
    /// When; now without.
    pub as_of: Option<PointInTime>,
}

/// How a version is read.
#[derive(Clone, Debug)]
pub enum Reader {
    /// It is the statement's own.
    Own,
    /// The head of another branch, in the transaction that works on `own`, too.
    Head {
        /// The transaction.
        transaction: SharedTransaction,
        /// The head.
        head: HeadId,
        /// The head that the transaction's other users expect to be the current one.
        own: HeadId,
    },
    /// A moment that does not change.
    Past(Arc<View>, Arc<Pager>),
}

/// A version that was opened.
#[derive(Clone, Debug)]
pub struct Version {
    /// What the statement calls it.
    pub name: VersionName,
    /// How it is read.
    pub reader: Reader,
    /// Its schema; empty for the statement's own.
    pub schema: Arc<Schema>,
}

/// The versions of a statement, in the order of their numbers.
#[derive(Debug, Default)]
pub struct Versions(RefCell<Vec<Version>>);

impl Reader {
    /// Looks at a head with the transaction turned to it, and turns it back.
    fn with_head<T>(
        transaction: &SharedTransaction,
        head: HeadId,
        own: HeadId,
        look: impl FnOnce(&Transaction) -> Result<T>,
    ) -> Result<T> {
        let mut transaction = transaction.borrow_mut();
        transaction.inner_mut()?.use_head(head)?;
        let seen = look(&transaction);
        transaction.inner_mut()?.use_head(own)?;
        seen
    }

    /// Looks through a transaction that stands on the version's head; `None` for the past.
    pub(crate) fn live<T>(
        &self,
        look: impl FnOnce(&Transaction) -> Result<T>,
    ) -> Option<Result<T>> {
        match self {
            Self::Head { transaction, head, own } => {
                Some(Self::with_head(transaction, *head, *own, look))
            }
            Self::Own | Self::Past(..) => None,
        }
    }

    /// A cursor over a tree of the version.
    fn cursor(&self, tree: TreeId) -> Result<Cursor> {
        match self {
            Self::Own => Err(no_version()),
            Self::Head { transaction, head, own } => {
                Self::with_head(transaction, *head, *own, |seen| seen.cursor(tree))
            }
            Self::Past(view, pager) => {
                let inner = view.forest().cursor(pager, tree)?;
                Ok(Cursor::of_view(inner, Arc::clone(view)))
            }
        }
    }

    fn count_range(&self, tree: TreeId, from: &[u8], to: Option<&[u8]>) -> Result<u64> {
        match self {
            Self::Own => Err(no_version()),
            Self::Head { transaction, head, own } => {
                Self::with_head(transaction, *head, *own, |seen| seen.count_range(tree, from, to))
            }
            Self::Past(view, pager) => {
                let lower = if from.is_empty() { Bound::Unbounded } else { Bound::Included(from) };
                let upper = to.map_or(Bound::Unbounded, Bound::Excluded);
                Ok(view.forest().existing(tree)?.count_range(pager, lower, upper)?)
            }
        }
    }
}

impl Versions {
    /// The number of a version that was opened.
    pub fn position(&self, name: &VersionName) -> Option<DatabaseIndex> {
        let opened = self.0.borrow();
        let place = opened.iter().position(|known| known.name == *name)?;
        Some(number_of(&opened[place], place))
    }

    /// The number that the next version gets.
    pub fn next(&self) -> Result<DatabaseIndex> {
        DatabaseIndex::version(self.0.borrow().len()).ok_or_else(|| {
            Error::new(ErrorKind::Limit, "the statement reads too many branches and times")
        })
    }

    /// Adds a version and gives the number that its tables have.
    pub fn push(&self, version: Version) -> DatabaseIndex {
        let mut opened = self.0.borrow_mut();
        let number = number_of(&version, opened.len());
        opened.push(version);
        number
    }

    /// Lets go of all of them.
    #[inline]
    pub fn clear(&mut self) {
        self.0.get_mut().clear();
    }

    /// All of them.
    pub fn opened(&self) -> Ref<'_, [Version]> {
        Ref::map(self.0.borrow(), Vec::as_slice)
    }

    /// The version that a number means.
    pub fn get(&self, database: DatabaseIndex) -> Option<Ref<'_, Version>> {
        let place = database.version_place()?;
        Ref::filter_map(self.0.borrow(), |opened| opened.get(place)).ok()
    }

    /// A cursor over a tree of a version.
    pub(crate) fn cursor(&self, database: DatabaseIndex, tree: TreeId) -> Result<Cursor> {
        self.get(database).ok_or_else(no_version)?.reader.cursor(tree)
    }

    /// How many keys of a tree lie in a range.
    pub(crate) fn count_range(
        &self,
        database: DatabaseIndex,
        tree: TreeId,
        from: &[u8],
        to: Option<&[u8]>,
    ) -> Result<u64> {
        self.get(database).ok_or_else(no_version)?.reader.count_range(tree, from, to)
    }
}

/// The session's own branch keeps its database's number, whatever it is called.
fn number_of(version: &Version, place: usize) -> DatabaseIndex {
    match version.reader {
        Reader::Own => version.name.database,
        _ => DatabaseIndex::version(place).unwrap_or(version.name.database),
    }
}

#[cold]
fn no_version() -> Error {
    Error::new(ErrorKind::Internal, "the statement has no such version")
}
