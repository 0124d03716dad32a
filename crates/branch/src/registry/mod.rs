//! Branches by name: what is there, where it came from, and everything that can be done to it.
//!
//! The records live in a head of their own (the *system head*), so that making a branch and
//! writing its record are one commit. Beside the heads of branches there are heads without a
//! name: *anchors* (moments that a later merge starts from: where a branch left its parent, what
//! was merged), tags, and what a reset left. A head that no record mentions (a crash between two
//! steps) is dropped when the database is opened.
//!
//! ```text
//! head  1  main                          record: branch 1
//! head  2  (system)                      the records
//! head  3  feature                       record: branch 2, line 2, left line 1
//! head  4  (anchor)                      main as it was when feature left it
//! ```
//!
//! Neighbours: `records` is what is stored, `state` what is in memory; `life` makes, renames and
//! drops, `moments` finds points in time, `merging` begins and ends merges, `history` lists
//! commits, `grants` says who may, `settings` keeps what belongs to no branch.

mod anchors;
mod begun;
mod counters;
mod first;
mod grants;
mod history;
mod index;
mod life;
mod merging;
mod moments;
mod open_merge;
mod past;
mod pins;
pub mod records;
pub mod resolutions;
mod settings;
mod state;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use pandodb_ds::format::TreeKind;
use pandodb_ds::sync::atomic::AtomicI64;
use pandodb_ds::sync::{Arc, Mutex, MutexGuard};
use pandodb_tm::{BeginOptions, HeadId, Manager, Synchronous, Transaction, TreeId};
use serde::Serialize;

pub use counters::SharedCounters;
pub use first::FirstBranch;
pub use grants::Privilege;
pub use life::{CreateBranch, DropReport, GoesOn};
pub use merging::{Ancestor, MergeKind, MergeLabel, MergePlan, Parting};
pub use moments::{Point, View};
pub use open_merge::OpenConflict;
pub use records::{
    Branch, BranchId, BranchOptions, BranchState, Commit, CommitPart, LastBackup, OpenMerge,
    OpenPick, ReflogEntry, Strategy, Tag,
};
pub use settings::{SETTINGS_MOVED, kept_settings};
pub use state::State;

use crate::error::{Error, ErrorKind, Result};
use crate::lineage::{Line, LineId, Position};
use records::{Anchor, Counters, Kind, decode, encode, key, number_key};

/// The name of the first branch.
pub const MAIN_NAME: &str = "main";

/// The registry's rows.
const RECORDS: TreeId = TreeId(1);
/// Commits by number.
const COMMITS: TreeId = TreeId(2);

/// Numbers for objects that are reserved at once.
const OBJECT_BLOCK: u64 = 1024;
/// The first of them: smaller ones are trees that every head has.
const OBJECT_FIRST: u64 = 16;

/// The notes of heads: what they are for.
const NOTE_SYSTEM: &[u8] = b"pando system";
const NOTE_BRANCH: &[u8] = b"branch";
const NOTE_ANCHOR: &[u8] = b"anchor";

/// All branches of an open database.
///
/// This is a handle: clones share everything but how their commits are made, so that each
/// session can have one that waits for the disk as the session's own commits do.
#[derive(Clone, Debug)]
pub struct Branches {
    manager: Arc<Manager>,
    system: HeadId,
    /// Whether there is no such head and none can be made, because the database is only read.
    is_bare: bool,
    /// How transactions begin that change something; see [`with_options`](Self::with_options).
    options: BeginOptions,
    state: Arc<Mutex<State>>,
    /// What the newest change of the records, of the commit on the one that is named, makes of
    /// them once it is committed. Written by whoever may change them.
    pending: Arc<Mutex<Option<Pending>>>,
    /// Numbers for objects: the next one, and where the reserved ones end.
    objects: Arc<Mutex<(u64, u64)>>,
    /// When the last maintenance was.
    tended: Arc<AtomicI64>,
    counters: Arc<SharedCounters>,
    past: Arc<past::Past>,
    /// What merges that have begun need.
    pins: pins::Pins,
    /// Commits of the log that cannot be collected, because the database is only read.
    uncollected: Arc<Mutex<Option<BTreeMap<u64, Commit>>>>,
}

impl Branches {
    /// The branches of a database; makes the records of one that has none yet, unless it is only
    /// read: then it has its first branch.
    pub fn open(manager: Arc<Manager>) -> Result<Self> {
        Self::open_with(manager, &BTreeMap::new())
    }

    /// As [`open`](Self::open); records that are made now begin with these settings, in the same
    /// commit.
    pub fn open_with(manager: Arc<Manager>, settings: &BTreeMap<u64, i64>) -> Result<Self> {
        let found = manager.first_head_with(NOTE_SYSTEM)?;
        let is_read_only = manager.is_read_only();
        let is_bare = found.is_none() && is_read_only;
        let system = match found {
            Some(head) => head,
            None if is_read_only => pandodb_tm::MAIN,
            None => manager.create_head(pandodb_tm::MAIN, NOTE_SYSTEM)?,
        };
        let branches = Self {
            manager,
            system,
            is_bare,
            options: BeginOptions::default(),
            state: Arc::new(Mutex::new(State::default())),
            pending: Arc::new(Mutex::new(None)),
            objects: Arc::new(Mutex::new((0, 0))),
            tended: Arc::new(AtomicI64::new(0)),
            counters: Arc::default(),
            past: Arc::default(),
            pins: pins::Pins::default(),
            uncollected: Arc::default(),
        };
        if !is_read_only {
            branches.set_up(settings)?;
            branches.place_lines()?;
            branches.sweep()?;
        }
        Ok(branches)
    }

    /// The same branches for somebody whose commits wait for locks and for the disk as `options`
    /// say: of them `synchronous`, `busy_timeout` and the two hooks count.
    #[must_use]
    pub fn with_options(&self, options: &BeginOptions) -> Self {
        let options = BeginOptions {
            synchronous: options.synchronous,
            busy_timeout: options.busy_timeout,
            busy_hook: options.busy_hook.clone(),
            stop_hook: options.stop_hook.clone(),
            ..BeginOptions::default()
        };
        Self { options, ..self.clone() }
    }

    /// The same branches for upkeep, which waits for nobody: it can be done another time.
    fn unhurried(&self) -> Self {
        let options = BeginOptions {
            busy_timeout: Some(Duration::ZERO),
            busy_hook: None,
            ..self.options.clone()
        };
        Self { options, ..self.clone() }
    }

    /// The transactions of the database.
    pub fn manager(&self) -> &Arc<Manager> {
        &self.manager
    }

    /// The AUTOINCREMENT counters that branches share.
    pub fn counters(&self) -> &SharedCounters {
        &self.counters
    }

    /// The greatest of what `counter` finds on all branches.
    pub fn greatest_counter(
        &self,
        counter: impl Fn(&pandodb_ds::forest::Forest) -> Result<i64>,
    ) -> Result<i64> {
        let mut greatest = 0;
        let mut seen: Option<pandodb_ds::forest::Forest> = None;
        for branch in self.list()? {
            let view = self.view_now(&branch)?;
            let forest = view.forest();
            // Branches that nobody changed since they were made are one and the same.
            if seen.as_ref().is_some_and(|seen| seen.is_same_version(&forest)) {
                continue;
            }
            greatest = greatest.max(counter(&forest)?);
            seen = Some(forest);
        }
        Ok(greatest)
    }

    /// The records as they are now, in one piece.
    pub fn state(&self) -> Result<State> {
        Ok(self.current()?.clone())
    }

    /// Looks at the records without copying them. `look` must not call the registry.
    pub fn with<R>(&self, look: impl FnOnce(&State) -> R) -> Result<R> {
        Ok(look(&*self.current()?))
    }

    /// As [`with`](Self::with), with the index, for what asks where anchors stand.
    fn with_index<R>(&self, look: impl FnOnce(&State) -> R) -> Result<R> {
        Ok(look(&*self.indexed()?))
    }

    /// The branch called `name`, in any case.
    pub fn get(&self, name: &str) -> Result<Branch> {
        self.current()?.branch(name).cloned()
    }

    /// The head of the branch called `name`.
    pub fn head(&self, name: &str) -> Result<HeadId> {
        self.current()?.branch(name).map(|branch| HeadId(branch.head))
    }

    /// All branches.
    pub fn list(&self) -> Result<Vec<Branch>> {
        Ok(self.current()?.branches().cloned().collect())
    }

    /// Where a branch stands.
    pub fn position(&self, branch: &Branch) -> Result<Position> {
        let head = HeadId(branch.head);
        let commit = self.found(head, self.manager.head(head))?.commit.0;
        Ok(Position { line: branch.line, commit })
    }

    /// As [`position`](Self::position), for what is built on it: a reset between reading the record
    /// and the head would make a moment that never was, the newer commit on the older line.
    fn steady_position(&self, branch: &Branch) -> Result<Position> {
        let position = self.position(branch)?;
        self.check_line(branch.id, position.line)?;
        Ok(position)
    }

    /// Refuses a line that the branch is not on any more. A commit shows its records before the
    /// heads that it resets, so that who asks after reading the head knows of the reset.
    fn check_line(&self, branch: BranchId, line: LineId) -> Result<()> {
        let stands = |state: &State| state.branches.get(&branch).map(|it| it.line) == Some(line);
        if self.with(stands)? { Ok(()) } else { Err(dropped_meanwhile()) }
    }

    fn found<T>(&self, head: HeadId, outcome: pandodb_tm::Result<T>) -> Result<T> {
        found(&self.manager, head, outcome)
    }

    /// The record of a branch as it is now, within an update: it may have been dropped since its
    /// name was looked up.
    fn again(&self, branch: &Branch) -> Result<Branch> {
        self.state.lock().branches.get(&branch.id).cloned().ok_or_else(dropped_meanwhile)
    }

    /// A number for an object or a column, unique over all branches and never used again.
    pub fn fresh_number(&self) -> Result<u64> {
        let mut objects = self.objects.lock();
        if objects.0 == objects.1 {
            let end = self.update(|change| {
                let counters = &mut change.counters;
                counters.object = counters.object.max(OBJECT_FIRST) + OBJECT_BLOCK;
                Ok(counters.object)
            })?;
            *objects = (end - OBJECT_BLOCK, end);
        }
        objects.0 += 1;
        Ok(objects.0 - 1)
    }

    fn now(&self) -> i64 {
        self.manager.store().vfs().clock().now_micros()
    }

    /// Notes a backup that was taken: the next increment stands on it.
    pub fn note_backup(&self, file: &str, id: [u8; 16]) -> Result<()> {
        self.update(|change| {
            let backup = LastBackup { file: file.into(), id, time: self.now() };
            change.put(key(Kind::Backup, &[]), &backup)
        })
    }

    /// The records, read again if somebody else's commit changed them.
    fn current(&self) -> Result<MutexGuard<'_, State>> {
        let mut state = self.state.lock();
        let commit = self.manager.head(self.system)?.commit.0;
        if state.commit != commit {
            let pending = self.pending.lock();
            match &*pending {
                Some((base, rows)) if *base == state.commit => {
                    for (key, value) in rows {
                        state.apply(key, value.as_deref())?;
                    }
                    state.commit = commit;
                }
                _ => {
                    drop(pending);
                    *state = self.load()?;
                }
            }
        }
        self.place_anchors(&mut state);
        Ok(state)
    }

    /// The records with their index.
    fn indexed(&self) -> Result<MutexGuard<'_, State>> {
        let mut state = self.current()?;
        if !state.is_indexed {
            state.make_index();
            self.place_anchors(&mut state);
        }
        Ok(state)
    }

    fn place_anchors(&self, state: &mut State) {
        state.resolve_anchors(|head| self.manager.head(HeadId(head)).ok().map(|it| it.commit.0));
    }

    /// Adds to what the change that was noted last makes of the records.
    fn add_pending(&self, rows: Vec<RowEdit>) {
        if let Some((_, known)) = self.pending.lock().as_mut() {
            known.extend(rows);
        }
    }

    fn load(&self) -> Result<State> {
        let transaction = self.manager.begin(self.system, BeginOptions::read_only())?;
        let mut state = State { commit: transaction.base_commit().0, ..State::default() };
        if self.is_bare {
            for (key, value) in first_records(self.now())? {
                state.apply(&key, Some(&value))?;
            }
        } else if transaction.tree_kind(RECORDS).is_some() {
            read_rows(&transaction, &[], |key, value| state.apply(key, Some(value)))?;
        }
        Ok(state)
    }

    /// Makes the trees and the record of the first branch where they are missing.
    fn set_up(&self, settings: &BTreeMap<u64, i64>) -> Result<()> {
        let mut transaction = self.manager.begin(self.system, BeginOptions::default())?;
        transaction.prepare_write()?;
        if transaction.tree_kind(RECORDS) == Some(TreeKind::Slotted)
            && transaction.contains(RECORDS, &key(Kind::Counters, &[]))?
        {
            return Ok(());
        }
        // The head began as a copy of the first branch.
        for tree in transaction.trees() {
            transaction.drop_tree(tree)?;
        }
        transaction.create_tree(RECORDS, TreeKind::Slotted)?;
        transaction.create_tree(COMMITS, TreeKind::Fixed)?;
        let counters = Counters { branch: 1, line: 1, ..Counters::default() };
        let mut change = Change { transaction: &mut transaction, counters, rows: Vec::new() };
        for (key, value) in first_records(self.now())? {
            change.put_encoded(key, value)?;
        }
        for (number, value) in settings {
            change.put(number_key(Kind::Setting, *number), value)?;
        }
        change.finish()?;
        transaction.commit()?;
        Ok(())
    }

    /// Makes a head that no record mentions yet, in a commit of its own.
    fn create_head(&self, source: HeadId, note: &[u8]) -> Result<HeadId> {
        let make = || {
            let mut transaction = self.manager.begin(source, self.options.clone())?;
            let head = transaction.create_head(source, note)?;
            transaction.commit()?;
            Ok(head)
        };
        self.found(source, make())
    }

    /// Drops a head that no record mentions: what was begun and failed.
    fn drop_head(&self, head: HeadId) -> Result<()> {
        let mut transaction = self.manager.begin(head, self.options.clone())?;
        transaction.drop_head(head)?;
        transaction.commit()?;
        Ok(())
    }

    /// Changes records, and heads with them, in one commit.
    fn update<R>(&self, work: impl FnOnce(&mut Change<'_>) -> Result<R>) -> Result<R> {
        self.update_with(self.options.clone(), work)
    }

    /// As [`update`](Self::update), for what can be found out again after a crash: the commit
    /// does not wait for the disk.
    fn update_lazily<R>(&self, work: impl FnOnce(&mut Change<'_>) -> Result<R>) -> Result<R> {
        let synchronous = Some(Synchronous::Off);
        self.update_with(BeginOptions { synchronous, ..self.options.clone() }, work)
    }

    fn update_with<R>(
        &self,
        options: BeginOptions,
        work: impl FnOnce(&mut Change<'_>) -> Result<R>,
    ) -> Result<R> {
        let mut transaction = self.manager.begin(self.system, options)?;
        transaction.prepare_write()?;
        // Nobody else changes the records from here on.
        let counters = self.indexed()?.counters.clone();
        let mut change = Change { transaction: &mut transaction, counters, rows: Vec::new() };
        let result = work(&mut change)?;
        let rows = change.finish()?;
        *self.pending.lock() = Some((transaction.base_commit().0, rows));
        transaction.commit()?;
        drop(self.current()?);
        Ok(result)
    }
}

/// What was done with a head. Names and moments are looked up before their heads are used; one
/// that somebody dropped in between is told as that: begun again, the operation finds what is
/// there now.
pub(crate) fn found<T>(
    manager: &Manager,
    head: HeadId,
    outcome: pandodb_tm::Result<T>,
) -> Result<T> {
    outcome.map_err(|cause| {
        let is_missing = cause.kind() == pandodb_tm::ErrorKind::NotFound;
        if is_missing && manager.head(head).is_err() { dropped_meanwhile() } else { cause.into() }
    })
}

#[cold]
fn dropped_meanwhile() -> Error {
    let message = "the branch or the moment was dropped or reset meanwhile";
    Error::new(ErrorKind::Moved, message).with_hint("do it again with what is there now")
}

/// The rows of the first branch.
fn first_records(created: i64) -> Result<[(Vec<u8>, Vec<u8>); 2]> {
    let main = Branch {
        id: BranchId(1),
        name: MAIN_NAME.into(),
        head: pandodb_tm::MAIN.0,
        line: LineId(1),
        parent: None,
        anchor: None,
        created,
        state: BranchState::Active,
        options: BranchOptions::default(),
    };
    let line = Line { head: main.head, ..Line::default() };
    let branch = (number_key(Kind::Branch, 1), encode(&main)?);
    Ok([branch, (number_key(Kind::Line, 1), encode(&line)?)])
}

/// A row's key and its new value, none where it goes.
type RowEdit = (Vec<u8>, Option<Vec<u8>>);
/// The commit that a change stands on, and its rows.
type Pending = (u64, Vec<RowEdit>);

/// Records and heads that change together.
struct Change<'t> {
    transaction: &'t mut Transaction,
    counters: Counters,
    rows: Vec<RowEdit>,
}

impl Change<'_> {
    fn put<T: Serialize>(&mut self, key: Vec<u8>, record: &T) -> Result<()> {
        self.put_encoded(key, encode(record)?)
    }

    fn put_encoded(&mut self, key: Vec<u8>, value: Vec<u8>) -> Result<()> {
        self.transaction.put(RECORDS, &key, &value)?;
        self.rows.push((key, Some(value)));
        Ok(())
    }

    fn delete(&mut self, key: Vec<u8>) -> Result<()> {
        self.transaction.delete(RECORDS, &key)?;
        self.rows.push((key, None));
        Ok(())
    }

    /// Makes a head without a name that keeps what `source` is when this commits.
    fn anchor(&mut self, source: HeadId, line: LineId, commit: Option<u64>) -> Result<HeadId> {
        let head = self.transaction.create_head(source, NOTE_ANCHOR)?;
        let anchor = Anchor { head: head.0, line, commit };
        self.put(number_key(Kind::Anchor, head.0), &anchor)?;
        Ok(head)
    }

    fn next_line(&mut self) -> LineId {
        self.counters.line += 1;
        LineId(self.counters.line)
    }

    fn finish(mut self) -> Result<Vec<RowEdit>> {
        let counters = self.counters.clone();
        self.put(key(Kind::Counters, &[]), &counters)?;
        Ok(self.rows)
    }
}

/// Calls `look` with the rows whose keys begin with `prefix`.
fn read_rows(
    transaction: &Transaction,
    prefix: &[u8],
    mut look: impl FnMut(&[u8], &[u8]) -> Result<()>,
) -> Result<()> {
    let mut cursor = transaction.cursor(RECORDS)?;
    let mut more = cursor.seek(prefix)?;
    while more {
        let key = cursor.key();
        if !key.starts_with(prefix) {
            break;
        }
        let value = cursor.value()?.ok_or_else(|| Error::corrupt("a record has no value"))?;
        look(&key, &value)?;
        more = cursor.next()?;
    }
    Ok(())
}

/// The counters as a transaction sees them.
fn counters_of(transaction: &Transaction) -> Result<Counters> {
    let row = transaction.get(RECORDS, &key(Kind::Counters, &[]))?;
    row.as_deref().map(decode).transpose().map(Option::unwrap_or_default)
}
