//! AUTOINCREMENT over all branches: two branches do not give one number to two rows.
//!
//! Each branch keeps its own counter with its data; here is only how far any of them is, in
//! memory. After an opening the first user of a table looks at the counters of all branches, so
//! nothing has to be stored. A number that was handed out and rolled back is not used again.
//! A table may opt out by not asking. Neighbours: the SQL layer asks when it needs a rowid.

use std::collections::BTreeMap;

use pandodb_ds::sync::Mutex;

use crate::error::{Error, ErrorKind, Result};
use crate::shape::ObjectId;

/// How far the counters of tables are, over all branches.
#[derive(Debug, Default)]
pub struct SharedCounters {
    last: Mutex<BTreeMap<ObjectId, i64>>,
}

impl SharedCounters {
    /// The next number of a table, greater than `own` (how far the branch itself is) and than
    /// all that any branch was given. `all` finds the greatest counter of any branch; it is
    /// called for the first number of a table only.
    pub fn next(
        &self,
        table: ObjectId,
        own: i64,
        all: impl FnOnce() -> Result<i64>,
    ) -> Result<i64> {
        let known = self.last.lock().get(&table).copied();
        // Not under the lock: it reads other branches.
        let before = match known {
            Some(known) => known,
            None => all()?,
        };
        let mut last = self.last.lock();
        let entry = last.entry(table).or_insert(before);
        let next = before.max(own).max(*entry).checked_add(1).ok_or_else(|| {
            let message = "all numbers of an AUTOINCREMENT column are used up";
            Error::new(ErrorKind::Limit, message)
        })?;
        *entry = next;
        Ok(next)
    }

    /// How far any branch is, for who only tries what it would do. `all` is as in
    /// [`next`](Self::next).
    pub fn now(&self, table: ObjectId, all: impl FnOnce() -> Result<i64>) -> Result<i64> {
        let known = self.last.lock().get(&table).copied();
        known.map_or_else(all, Ok)
    }

    /// Takes the numbers up to `last` that were tried when the branches were at `seen`; whether
    /// nobody was given one since.
    pub fn claim(
        &self,
        table: ObjectId,
        (seen, last): (i64, i64),
        all: impl FnOnce() -> Result<i64>,
    ) -> Result<bool> {
        let now = self.now(table, all)?;
        let mut known = self.last.lock();
        let entry = known.entry(table).or_insert(now);
        if *entry > seen {
            return Ok(false);
        }
        *entry = last.max(*entry);
        Ok(true)
    }

    /// Notes a number that a statement gave itself.
    pub fn raise(&self, table: ObjectId, number: i64) {
        if let Some(last) = self.last.lock().get_mut(&table) {
            *last = number.max(*last);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn numbers_are_distinct_over_branches_and_after_a_reopen() {
        let counters = SharedCounters::default();
        let table = ObjectId(7);
        assert_eq!(counters.next(table, 0, || Ok(41)).unwrap(), 42);
        // Another branch, whose own counter is behind.
        assert_eq!(counters.next(table, 3, || panic!("asked twice")).unwrap(), 43);
        counters.raise(table, 100);
        assert_eq!(counters.next(table, 44, || panic!("asked twice")).unwrap(), 101);
        assert_eq!(counters.next(table, 500, || panic!("asked twice")).unwrap(), 501);
        let error = counters.next(table, i64::MAX, || Ok(0)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit);
        // What was tried is taken if nobody got a number since.
        let other = ObjectId(8);
        assert_eq!(counters.now(other, || Ok(5)).unwrap(), 5);
        assert!(counters.claim(other, (5, 7), || Ok(5)).unwrap());
        assert_eq!(counters.next(other, 5, || panic!("asked twice")).unwrap(), 8);
        assert!(!counters.claim(other, (7, 9), || panic!("asked twice")).unwrap());
    }
}
