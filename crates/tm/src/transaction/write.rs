//! Changing keys, trees and heads.
//!
//! A change is done to the private version first and then added to the log buffer. If it fails
//! half-way (a page that cannot be read), the private version is not to be trusted any more and
//! only a rollback, or one to a savepoint, is possible. Neighbours: `savepoint` goes back,
//! `commit` publishes, `replay` does the same operations again.

use pandodb_ds::forest::Forest;
use pandodb_ds::format::TreeKind;
use pandodb_ds::limits::inline_value_bytes_max;
use pandodb_ds::sync::Arc;
use pandodb_ds::sync::atomic::Ordering;
use pandodb_ds::tree::{PutMode, Relocation, Tree, Writer};

use super::locking::Scope;
use super::part::Private;
use super::{HeadChange, Transaction};
use crate::error::{Error, ErrorKind, Result};
use crate::ids::{HeadId, TreeId};
use crate::isolation::Isolation;
use crate::lock::Mode;
use crate::replay;
use crate::wal::{FRAME_MAX_LEN, Operation};

impl Transaction {
    /// Gives a key a value, whatever it had; returns whether the key was there.
    pub fn put(&mut self, tree: TreeId, key: &[u8], value: &[u8]) -> Result<bool> {
        check_length(key, value)?;
        self.prepare(tree, Scope::Key(key))?;
        let existed = self.change(tree, |forest, writer| {
            Ok(forest.put(writer, tree, key, value, PutMode::Replace)?)
        })?;
        self.record(tree, &Operation::Put { key, value })?;
        Ok(existed)
    }

    /// As [`put`](Self::put) for a caller that does not ask whether the key was there: the tree
    /// is changed when somebody looks at it, together with what else waits for it.
    pub fn put_later(&mut self, tree: TreeId, key: &[u8], value: &[u8]) -> Result<()> {
        check_length(key, value)?;
        self.prepare_head(tree, Scope::Key(key))?;
        if value.len() > inline_value_bytes_max(self.shared.store.pager().page_bytes())
            || !self.gather(tree, key, Some(value))?
        {
            self.settle(tree)?;
            self.change(tree, |forest, writer| {
                Ok(forest.put(writer, tree, key, value, PutMode::Replace)?)
            })?;
        }
        self.record(tree, &Operation::Put { key, value })
    }

    /// As [`insert`](Self::insert) of a key whose being there or not shows whether a constraint
    /// holds; the tree is changed when somebody looks at it.
    pub fn insert_later(&mut self, tree: TreeId, key: &[u8], value: &[u8]) -> Result<bool> {
        let is_noted = self.options.isolation.checks_rows();
        if is_noted {
            self.begin_check();
        }
        let is_there = self.contains(tree, key);
        if is_noted {
            self.end_check();
        }
        if is_there? {
            return Ok(false);
        }
        self.put_later(tree, key, value)?;
        Ok(true)
    }

    /// As [`delete`](Self::delete) for a key that is there.
    pub fn delete_later(&mut self, tree: TreeId, key: &[u8]) -> Result<()> {
        self.prepare_head(tree, Scope::Key(key))?;
        if !self.gather(tree, key, None)? {
            self.settle(tree)?;
            self.change(tree, |forest, writer| Ok(forest.remove(writer, tree, key)?))?;
        }
        self.record(tree, &Operation::Delete { key })
    }

    /// Adds a key; returns false, and changes nothing, if it is there.
    pub fn insert(&mut self, tree: TreeId, key: &[u8], value: &[u8]) -> Result<bool> {
        check_length(key, value)?;
        self.prepare(tree, Scope::Key(key))?;
        let existed = self.change(tree, |forest, writer| {
            Ok(forest.put(writer, tree, key, value, PutMode::KeepOld)?)
        })?;
        if existed {
            // That it was there is what the caller acts on.
            self.depend_on(tree, key);
            return Ok(false);
        }
        self.record(tree, &Operation::Put { key, value })?;
        Ok(true)
    }

    /// Removes a key; returns whether it was there.
    pub fn delete(&mut self, tree: TreeId, key: &[u8]) -> Result<bool> {
        self.prepare(tree, Scope::Key(key))?;
        let existed = self.change(tree, |forest, writer| Ok(forest.remove(writer, tree, key)?))?;
        if existed {
            self.record(tree, &Operation::Delete { key })?;
        }
        Ok(existed)
    }

    /// Removes all keys from `from` up to but without `to` (none: to the end), whole subtrees at
    /// once; returns how many.
    pub fn delete_range(&mut self, tree: TreeId, from: &[u8], to: Option<&[u8]>) -> Result<u64> {
        self.prepare(tree, Scope::Tree)?;
        let removed = self.change(tree, |forest, writer| {
            Ok(forest.remove_range(writer, tree, replay::lower(from), replay::upper(to))?)
        })?;
        self.record(tree, &Operation::DeleteRange { from, to })?;
        Ok(removed)
    }

    /// Makes an empty tree.
    pub fn create_tree(&mut self, tree: TreeId, kind: TreeKind) -> Result<()> {
        self.prepare(tree, Scope::Tree)?;
        if self.tree_kind(tree).is_some() {
            return Err(Error::new(ErrorKind::Exists, format!("tree {} exists already", tree.0)));
        }
        self.change(tree, |forest, _| Ok(forest.create_tree(tree, kind)?))?;
        self.record(tree, &Operation::CreateTree { settings: &replay::settings(kind) })
    }

    /// Drops a tree with all its keys; returns whether it was there.
    pub fn drop_tree(&mut self, tree: TreeId) -> Result<bool> {
        self.prepare(tree, Scope::Tree)?;
        if self.tree_kind(tree).is_none() {
            return Ok(false);
        }
        self.change(tree, |forest, _| Ok(forest.drop_tree(tree)))?;
        self.forget_pending(tree);
        self.record(tree, &Operation::DropTree)?;
        Ok(true)
    }

    /// Puts a tree that was built elsewhere (from sorted rows, by a merge, from another head of
    /// this database) in the place of `tree`, without logging its rows: the commit names its
    /// pages. `build` gets what it needs to write pages.
    pub fn replace_tree(
        &mut self,
        tree: TreeId,
        build: impl FnOnce(&mut Writer<'_>) -> Result<Tree>,
    ) -> Result<()> {
        self.prepare(tree, Scope::Tree)?;
        if self.must_be_logged() {
            return Err(Error::new(
                ErrorKind::Limit,
                format!("{} cannot replace a tree: it does not write alone", self.id),
            ));
        }
        self.change(tree, |forest, writer| {
            let built = build(writer)?;
            forest.set_tree(tree, built);
            Ok(())
        })?;
        self.forget_pending(tree);
        self.mark_changed();
        self.become_large();
        self.after_change(tree)
    }

    /// Adds a record of an upper crate to the log; replay ignores it, readers of the log see it.
    pub fn note_in_log(&mut self, kind: u32, bytes: &[u8]) -> Result<()> {
        check_length(&[], bytes)?;
        self.prepare_write()?;
        let current = self.state.get_mut().current;
        self.state.get_mut().parts[current].own(self.shared.store.pager());
        self.record(TreeId(0), &Operation::Opaque { kind, bytes })
    }

    /// Copies what lies in the end of the file, which `relocation` empties, as a change of the
    /// current head that changes no row. The right to write must be held, and no checkpoint may
    /// run before the commit.
    pub(crate) fn relocate(&mut self, relocation: &mut Relocation) -> Result<()> {
        /// What a reader of the log sees of it.
        const RELOCATED: u32 = u32::MAX;
        if self.change(TreeId(0), |forest, writer| Ok(forest.relocate(writer, relocation)?))? {
            self.record(TreeId(0), &Operation::Opaque { kind: RELOCATED, bytes: &[] })?;
        }
        Ok(())
    }

    /// Makes a head that starts as `source` is when this commits (with this transaction's own
    /// changes of it), in O(1) at any size.
    pub fn create_head(&mut self, source: HeadId, note: &[u8]) -> Result<HeadId> {
        self.check_head_change(note)?;
        self.shared.heads.get(source)?;
        let head = self.shared.heads.next_id();
        self.head_changes.push(HeadChange::Create { head, source, note: Arc::from(note) });
        Ok(head)
    }

    /// Drops a head. Who reads it goes on; who writes to it fails at the commit.
    pub fn drop_head(&mut self, head: HeadId) -> Result<()> {
        self.check_head_change(&[])?;
        self.lock_other_head(head)?;
        self.head_changes.push(HeadChange::Drop { head });
        Ok(())
    }

    /// Lets a head stand where `source` stands when this commits.
    pub fn reset_head(&mut self, head: HeadId, source: HeadId) -> Result<()> {
        self.check_head_change(&[])?;
        self.shared.heads.get(source)?;
        self.lock_other_head(head)?;
        self.head_changes.push(HeadChange::Reset { head, source });
        Ok(())
    }

    /// Changes the note that is kept with a head.
    pub fn set_note(&mut self, head: HeadId, note: &[u8]) -> Result<()> {
        self.check_head_change(note)?;
        self.shared.heads.get(head)?;
        self.head_changes.push(HeadChange::SetNote { head, note: Arc::from(note) });
        Ok(())
    }

    /// Why it cannot write.
    #[cold]
    pub(super) fn only_reads(&self) -> Error {
        let message = if self.shared.is_read_only {
            "the database was opened for reading only".to_owned()
        } else {
            format!("{} is read-only", self.id)
        };
        Error::new(ErrorKind::ReadOnly, message)
    }

    fn check_head_change(&self, note: &[u8]) -> Result<()> {
        use crate::manager::NOTE_MAX;
        self.check_usable()?;
        if self.is_read_only() {
            return Err(self.only_reads());
        }
        if note.len() > NOTE_MAX {
            let message = format!("a head's note has {} bytes, more than {NOTE_MAX}", note.len());
            return Err(Error::new(ErrorKind::Limit, message));
        }
        Ok(())
    }

    /// The right to move a head that this transaction need not work on.
    fn lock_other_head(&mut self, head: HeadId) -> Result<()> {
        use crate::lock::Resource;
        self.shared.heads.get(head)?;
        let (id, timeout) = (self.id, self.timeout);
        let state = self.state.get_mut();
        let owner = state.owner(&self.shared, id, &self.options)?;
        owner.acquire(Resource::writer(head), Mode::Exclusive, timeout)?;
        let part = state.parts.iter_mut().find(|part| part.head() == head);
        if let Some(part) = part {
            part.holds_writer = true;
        }
        Ok(())
    }

    /// Everything that comes before a change.
    fn prepare(&mut self, tree: TreeId, scope: Scope<'_>) -> Result<()> {
        self.prepare_head(tree, scope)?;
        self.settle(tree)
    }

    /// Keeps a change for later; false: now is the time.
    fn gather(&mut self, tree: TreeId, key: &[u8], value: Option<&[u8]>) -> Result<bool> {
        let pager = self.shared.store.pager();
        let state = self.state.get_mut();
        let part = &mut state.parts[state.current];
        if part.is_watched() {
            return Ok(false);
        }
        let Private { forest, pending, .. } = part.own(pager);
        pending.take(tree, || Ok(forest.existing(tree)?.kind()), key, value)
    }

    /// Does what waits for a tree of the current head.
    fn settle(&mut self, tree: TreeId) -> Result<()> {
        let state = self.state.get_mut();
        let part = &mut state.parts[state.current];
        if !part.is_pending(tree) {
            return Ok(());
        }
        let outcome =
            part.own(self.shared.store.pager()).settle(self.shared.store.pager(), Some(tree));
        if outcome.is_err() {
            self.set_broken(true);
        }
        outcome
    }

    /// Does all that waits.
    pub(super) fn settle_all(&mut self) -> Result<()> {
        let pager = self.shared.store.pager();
        let parts = &mut self.state.get_mut().parts;
        let privates = parts.iter_mut().filter_map(|part| part.private.as_mut());
        let mut outcome = Ok(());
        for private in privates {
            outcome = outcome.and(private.settle(pager, None));
        }
        if outcome.is_err() {
            self.set_broken(true);
        }
        outcome
    }

    fn forget_pending(&mut self, tree: TreeId) {
        let state = self.state.get_mut();
        if let Some(private) = &mut state.parts[state.current].private {
            private.pending.forget(tree);
        }
    }

    /// As [`prepare`](Self::prepare), before a change that may wait.
    fn prepare_head(&mut self, tree: TreeId, scope: Scope<'_>) -> Result<()> {
        self.check_usable()?;
        let state = self.state.get_mut();
        let part = &state.parts[state.current];
        // The usual case is a transaction that has written before.
        if part.private.is_none() || !part.holds_writer {
            self.prepare_write()?;
        }
        if self.options.isolation == Isolation::Serializable {
            self.lock_rows(tree, scope, Mode::Exclusive)?;
        }
        Ok(())
    }

    fn change<R>(
        &mut self,
        tree: TreeId,
        change: impl FnOnce(&mut Forest, &mut Writer<'_>) -> Result<R>,
    ) -> Result<R> {
        let pager = self.shared.store.pager();
        let state = self.state.get_mut();
        let part = &mut state.parts[state.current];
        let outcome = part.own(pager).change(pager, Some(tree), change);
        if outcome.is_err() {
            self.set_broken(true);
        }
        outcome
    }

    /// Adds an operation on the current head to the log buffer.
    fn record(&mut self, tree: TreeId, operation: &Operation<'_>) -> Result<()> {
        self.mark_changed();
        // Without a log too: a move to a newer version does these again, and looks for conflicts.
        if !self.is_large {
            let state = self.state.get_mut();
            let part = &state.parts[state.current];
            let (head, base) = (part.head(), part.base.commit);
            let outcome =
                self.name_head(head, base).and_then(|()| self.frames.push(tree, operation));
            if outcome.is_err() {
                self.set_broken(true);
                return outcome;
            }
        }
        self.after_change(tree)
    }

    fn mark_changed(&mut self) {
        self.changes += 1;
        let state = self.state.get_mut();
        if let Some(private) = &mut state.parts[state.current].private {
            private.is_changed = true;
        }
    }

    /// Says in the log buffer that what follows is on `head`.
    pub(super) fn name_head(&mut self, head: HeadId, base: crate::CommitId) -> Result<()> {
        if self.logged_head == Some(head) {
            return Ok(());
        }
        if self.frames.is_empty() {
            if !self.frames.has_memory() {
                self.frames = self.shared.spare_frames();
            }
            self.frames.begin(head, base)?;
        } else {
            self.frames.push(TreeId(0), &Operation::Begin { head, base })?;
        }
        self.logged_head = Some(head);
        Ok(())
    }

    fn after_change(&mut self, tree: TreeId) -> Result<()> {
        let (spill_bytes, large_bytes) = self.shared.size_limits();
        let pager = self.shared.store.pager();
        let state = self.state.get_mut();
        let part = &mut state.parts[state.current];
        let is_watched = part.is_watched();
        if let Some(private) = part.private.as_mut() {
            let mut outcome = Ok(());
            if is_watched {
                outcome = private.settle(pager, None);
            } else if private.pending.are_many(&private.forest, tree) {
                outcome = private.settle(pager, Some(tree));
            }
            if outcome.is_ok()
                && private.dirty_bytes > spill_bytes
                && private.is_too_large(&part.base.forest, pager, spill_bytes, !self.is_large)
            {
                outcome = private.spill(pager);
            }
            if outcome.is_err() {
                self.set_broken(true);
                return outcome;
            }
        }
        part.show_uncommitted();
        if !self.is_large
            && self.frames.len() > large_bytes
            && self.is_shorter_as_pages(large_bytes)
            && !self.must_be_logged()
        {
            self.become_large();
        }
        Ok(())
    }

    /// Whether the log of the changes, which are more than `large_bytes` of it, is no bargain
    /// beside the changed pages.
    fn is_shorter_as_pages(&mut self, large_bytes: usize) -> bool {
        /// So many times the log may the pages be.
        const BARGAIN: usize = 4;
        let parts = &self.state.get_mut().parts;
        let privates = parts.iter().filter_map(|part| part.private.as_ref());
        let pages: usize =
            privates.map(|private| private.dirty_bytes + private.spilled_bytes).sum();
        let log = self.frames.len();
        log > large_bytes.saturating_mul(BARGAIN) || log.saturating_mul(BARGAIN) > pages
    }

    /// Whether the operations may be needed to do them again, or the commit cannot be a
    /// checkpoint: then the transaction goes to the log however large it is.
    fn must_be_logged(&mut self) -> bool {
        if !self.options.isolation.writes_alone() {
            return true;
        }
        let parts = &self.state.get_mut().parts;
        let mut written = parts.iter().filter(|part| part.private.is_some());
        written
            .any(|part| !part.holds_writer || part.cell().version.load().commit != part.base.commit)
    }

    fn become_large(&mut self) {
        self.is_large = true;
        let pager = self.shared.store.pager();
        for part in &mut self.state.get_mut().parts {
            if let Some(private) = &mut part.private {
                private.compress_ahead(pager);
            }
        }
        self.frames.clear();
        self.logged_head = None;
        // Relaxed: a count for the curious.
        self.shared.large_transactions.fetch_add(1, Ordering::Relaxed);
    }
}

fn check_length(key: &[u8], value: &[u8]) -> Result<()> {
    const ROOM: u64 = 1 << 20;
    let length = key.len() as u64 + value.len() as u64;
    if length <= FRAME_MAX_LEN - ROOM {
        return Ok(());
    }
    let message = format!("a row of {length} bytes is too long for the log");
    Err(Error::new(ErrorKind::Limit, message))
}
