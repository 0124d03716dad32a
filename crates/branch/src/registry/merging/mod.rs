//! The two ends of a merge: what it starts from, and the record that it happened.
//!
//! A merge reads the source as it was when it began: an anchor keeps that moment, and becomes
//! the base of the next merge. Where two branches have several best common ancestors (their
//! merges crossed) the one with the newest commit is the base, and the plan lists the others.
//!
//! Neighbours: `crate::merge` does the work in between, `open_merge` keeps what stays open,
//! `labels` knows rows that merges renumbered, `levels` branches that stand at one moment.

mod labels;
mod levels;

use pandodb_ds::forest::Forest;
use pandodb_ds::sync::atomic::Ordering;
use pandodb_tm::{HeadId, Transaction};

pub use self::labels::MergeLabel;
pub(super) use self::labels::edge_of;
use super::pins::Pin;
use super::records::{Branch, BranchState, Kind, encode, number_key};
use super::{Branches, Change, RECORDS, View, counters_of, dropped_meanwhile};
use crate::error::{Error, ErrorKind, Result};
use crate::lineage::numbering::Numbering;
use crate::lineage::{Line, Merged, Position};
use crate::registry::records::decode;

/// How often a merge begins again when others drop what it found.
const BEGIN_TRIES: usize = 8;

/// What a merge comes down to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MergeKind {
    /// The target has everything already.
    UpToDate,
    /// The target has nothing of its own: it moves to where the source stands.
    FastForward,
    /// Both have something.
    ThreeWay,
}

/// A merge that has begun: the three versions, kept while this lives.
#[derive(Debug)]
pub struct MergePlan {
    /// The branch that is merged.
    pub source: Branch,
    /// The branch that takes it.
    pub target: Branch,
    /// What it comes down to.
    pub kind: MergeKind,
    /// Whether the target did something since the base and undid it, where it moves forward.
    pub has_undone: bool,
    /// The best common ancestors.
    pub bases: Vec<Position>,
    /// The moment of the source that is merged.
    pub position: Position,
    /// Where the target stood.
    pub target_position: Position,
    /// How many merges into the target were known.
    target_merges: usize,
    pub(super) anchor: Pin,
    pub(super) has_new_anchor: bool,
    /// The moment that the target is level with once it was moved, if it has nothing besides.
    level: Option<Position>,
    base: View,
    theirs: View,
    numbers: [Numbering; 2],
    ancestors: Vec<Ancestor>,
}

/// Another best common ancestor, after merges that crossed: it is to be merged into a fork of
/// the base before the merge, with the keys of what conflicts as
/// [`MergeOptions::unsettled`](crate::merge::MergeOptions::unsettled).
#[derive(Debug)]
pub struct Ancestor {
    partings: Vec<Parting>,
    theirs: View,
    numbers: [Numbering; 2],
}

/// Where another best common ancestor parted from the base and those that were merged into it.
#[derive(Debug)]
pub struct Parting {
    base: View,
    holder: usize,
    numbers: [Numbering; 2],
}

impl Parting {
    /// The trees of that moment.
    pub fn base(&self) -> Forest {
        self.base.forest()
    }

    /// Which ancestor holds it, among those that were merged before; none where the base does.
    pub fn holder(&self) -> Option<usize> {
        self.holder.checked_sub(1)
    }

    /// What rows of that moment are called in what holds it, and in the ancestor.
    pub fn numbers(&self) -> &[Numbering; 2] {
        &self.numbers
    }
}

impl Ancestor {
    /// Where it parted from the base, the newest moment first. More than one where the merges that
    /// lead to the two crossed as well: what these moments do not agree on, they settle in no way.
    /// None where the two have nothing in common.
    pub fn partings(&self) -> &[Parting] {
        &self.partings
    }

    /// Its own trees.
    pub fn theirs(&self) -> Forest {
        self.theirs.forest()
    }

    /// What its own rows are called on the target of the merge, and on the source.
    pub fn numbers(&self) -> &[Numbering; 2] {
        &self.numbers
    }
}

impl MergePlan {
    /// The trees of the base.
    pub fn base(&self) -> Forest {
        self.base.forest()
    }

    /// What rows of the base are called on the target, and on the source.
    pub fn numbers(&self) -> &[Numbering; 2] {
        &self.numbers
    }

    /// The moment of the base, to be forked where there are more [`ancestors`](Self::ancestors).
    pub fn base_view(&self) -> &View {
        &self.base
    }

    /// Other best common ancestors; none but after merges that crossed.
    pub fn ancestors(&self) -> &[Ancestor] {
        &self.ancestors
    }

    /// The trees of the source.
    pub fn theirs(&self) -> Forest {
        self.theirs.forest()
    }

    /// The head that keeps the source as it is merged.
    pub fn source_head(&self) -> HeadId {
        self.anchor.head()
    }
}

impl Branches {
    /// Begins a merge: names, rights of the branches themselves, and where the two parted.
    /// Nothing has to be undone; [`abandon_merge`](Self::abandon_merge) lets go of the anchor.
    pub fn begin_merge(&self, source: &str, target: &str) -> Result<MergePlan> {
        // What others drop between the look-up and the use is looked up again.
        for _ in 0..BEGIN_TRIES {
            match self.try_begin_merge(source, target) {
                Err(error) if error.kind() == ErrorKind::Moved => {}
                begun => return begun,
            }
        }
        self.try_begin_merge(source, target)
    }

    fn try_begin_merge(&self, source: &str, target: &str) -> Result<MergePlan> {
        let (source, target) =
            self.with(|state| (state.branch(source).cloned(), state.branch(target).cloned()))?;
        let (source, target) = (source?, target?);
        if source.id == target.id {
            let message = format!("the branch '{}' cannot be merged into itself", source.name);
            let error = Error::new(ErrorKind::SelfMerge, message);
            return Err(error.with_hint("name two branches: MERGE BRANCH source INTO target"));
        }
        self.check_writable(&target)?;
        self.check_no_open_merge(&target)?;
        let now = self.steady_position(&source)?;
        // A tag will not do, though it keeps the moment as well: it may be dropped at any time,
        // while what is merged stays what later merges start from.
        let kept =
            self.with_index(|state| state.anchor_at(now).map(|head| self.pins.pin(HeadId(head))))?;
        let (anchor, is_new) = if let Some(kept) = kept {
            (kept, false)
        } else {
            let made = self.update_lazily(|change| {
                if self.again(&source)?.line != source.line {
                    return Err(dropped_meanwhile());
                }
                let head = change.anchor(HeadId(source.head), source.line, None)?;
                // Before anybody else sees it.
                Ok(self.pins.pin(head))
            });
            (made?, true)
        };
        let position = if is_new {
            let made = self.found(anchor.head(), self.manager.head(anchor.head()))?;
            Position { line: source.line, commit: made.commit.0 }
        } else {
            now
        };
        self.plan(source, target, (anchor, is_new), position)
    }

    pub(super) fn plan(
        &self,
        source: Branch,
        target: Branch,
        (anchor, has_new_anchor): (Pin, bool),
        position: Position,
    ) -> Result<MergePlan> {
        // One look at the target for all that is asked of it: others may move it.
        let ours = self.view_now(&target)?;
        let target_position = ours.position();
        self.check_line(target.id, target_position.line)?;
        let theirs = self.view_head(anchor.head(), position)?;
        // Who was moved to where another one stood has a commit of its own, and nothing in it.
        let source_level = self.level_of(&theirs)?;
        let target_level = self.level_of(&ours)?;
        let (bases, mut kind, target_merges) = self.with(|state| {
            let graph = &state.graph;
            let kind = if graph.holds(target_position, source_level) {
                MergeKind::UpToDate
            } else if graph.holds(position, target_level) {
                MergeKind::FastForward
            } else {
                MergeKind::ThreeWay
            };
            let merges = state.merges_into(target_position.line);
            (graph.bases(target_position, position), kind, merges)
        })?;
        let level = (kind == MergeKind::FastForward).then_some(source_level);
        let newest = bases.iter().max_by_key(|base| base.commit).copied();
        let base = match newest {
            Some(base) => self.view_at(base)?,
            None => View::nothing(),
        };
        let sides = [target_position, position];
        let numbers = newest.map(|newest| self.numberings(newest, sides)).transpose()?;
        let ancestors = self.ancestors(newest, &bases, sides)?;
        let mut has_undone = false;
        if kind == MergeKind::ThreeWay && ancestors.is_empty() {
            // After a fast-forward the target has a commit of its own, but nothing in it.
            if ours.forest().is_same_version(&base.forest()) {
                (kind, has_undone) = (MergeKind::FastForward, true);
            }
        }
        let plan = MergePlan {
            source,
            target,
            kind,
            has_undone,
            bases,
            position,
            target_position,
            target_merges,
            anchor,
            has_new_anchor,
            level,
            base,
            theirs,
            numbers: numbers.unwrap_or_default(),
            ancestors,
        };
        Ok(plan)
    }

    /// The best common ancestors beside the newest, in the order in which they are merged into it,
    /// each with where it parted from what it is merged into.
    fn ancestors(
        &self,
        newest: Option<Position>,
        bases: &[Position],
        sides: [Position; 2],
    ) -> Result<Vec<Ancestor>> {
        let mut joined: Vec<Position> = newest.into_iter().collect();
        let mut ancestors = Vec::new();
        for other in bases.iter().copied().filter(|other| Some(*other) != newest) {
            let found = self.with(|state| state.graph.partings(&joined, other))?;
            let mut partings = Vec::new();
            for (holder, base) in found {
                let numbers = self.numberings(base, [joined[holder], other])?;
                partings.push(Parting { base: self.view_at(base)?, holder, numbers });
            }
            let (theirs, numbers) = (self.view_at(other)?, self.numberings(other, sides)?);
            ancestors.push(Ancestor { partings, theirs, numbers });
            joined.push(other);
        }
        Ok(ancestors)
    }

    /// Lets go of what a merge that is not completed kept.
    pub fn abandon_merge(&self, plan: MergePlan) -> Result<()> {
        let (anchor, is_new) = (plan.source_head().0, plan.has_new_anchor);
        drop(plan);
        if !is_new {
            return Ok(());
        }
        self.update_lazily(|change| {
            let is_surplus = {
                let state = self.state.lock();
                // Another merge may have begun from it, somebody may have left the source there,
                // or another thread's upkeep found it.
                state.anchors.contains_key(&anchor)
                    && state.index.is_surplus(anchor)
                    && self.is_loose(&state, anchor)
            };
            if is_surplus { Self::drop_anchors(change, &[anchor]) } else { Ok(()) }
        })
    }

    /// Moves the target to where the source stands, within a transaction on the target that has
    /// changed nothing; [`record_merge`](Self::record_merge) comes next.
    pub fn fast_forward(&self, plan: &MergePlan, transaction: &mut Transaction) -> Result<()> {
        transaction.use_head(HeadId(plan.target.head))?;
        transaction.prepare_write()?;
        if transaction.base_commit().0 != plan.target_position.commit {
            let message = format!("the branch '{}' has moved since", plan.target.name);
            return Err(Error::new(ErrorKind::Moved, message).with_hint("merge again"));
        }
        let source = plan.source_head();
        self.found(source, transaction.reset_head(HeadId(plan.target.head), source))
    }

    /// Notes in the transaction that does a merge that it happened: one commit for both. The
    /// target is the current head again afterwards. Until the commit, other changes of branches
    /// wait.
    pub fn record_merge(&self, plan: &MergePlan, transaction: &mut Transaction) -> Result<()> {
        let target = HeadId(plan.target.head);
        transaction.use_head(target)?;
        transaction.write_alone()?;
        let after = transaction.base_commit().0;
        if !transaction.has_changes() {
            // The merge changed no row: the branch still needs a commit that holds the source.
            transaction.reset_head(target, target)?;
        }
        let outcome = self.write_merge(plan, transaction, after);
        transaction.use_head(target)?;
        outcome
    }

    /// Whether a transaction changes records: nobody else can until it ends. It stays on its
    /// current head.
    pub fn is_recording(&self, transaction: &mut Transaction) -> bool {
        let current = transaction.head();
        let is_recording = transaction.use_head(self.system).is_ok()
            && !transaction.forest().is_same_version(&transaction.base_forest());
        // It works on that head, so that this cannot fail.
        drop(transaction.use_head(current));
        is_recording
    }

    /// Lets others change the records again, where a transaction went back to before all that it
    /// had changed of them.
    pub fn leave_records(&self, transaction: &mut Transaction) {
        // Where it still changes some, it has to keep them.
        let _ = transaction.leave(self.system);
    }

    fn write_merge(
        &self,
        plan: &MergePlan,
        transaction: &mut Transaction,
        after: u64,
    ) -> Result<()> {
        transaction.enlist(self.system)?;
        transaction.write_alone()?;
        let read = |transaction: &Transaction, key: &[u8]| -> Result<Vec<u8>> {
            transaction.get(RECORDS, key)?.ok_or_else(|| {
                let message = "a branch of the merge was dropped or reset meanwhile";
                Error::new(ErrorKind::Moved, message).with_hint("merge again")
            })
        };
        if plan.kind == MergeKind::FastForward {
            // The commit reads it once more; from here on nobody can drop it.
            self.found(plan.source_head(), self.manager.head(plan.source_head()))?;
        }
        let mut rows: Vec<super::RowEdit> = Vec::new();
        let row = read(transaction, &number_key(Kind::Branch, plan.target.id.0))?;
        let target: Branch = decode(&row)?;
        // What the merge was worked out for is not there any more.
        if target.line != plan.target.line {
            return Err(dropped_meanwhile());
        }
        // Its bases were those of a target without another merge that came since.
        if self.with(|state| state.merges_into(target.line))? != plan.target_merges {
            let message = format!("something else was merged into '{}' meanwhile", target.name);
            return Err(Error::new(ErrorKind::Moved, message).with_hint("merge again"));
        }
        let line_key = number_key(Kind::Line, target.line.0);
        let mut line: Line = decode(&read(transaction, &line_key)?)?;
        line.merges.push(Merged { after, source: plan.position });
        let value = encode(&line)?;
        transaction.put(RECORDS, &line_key, &value)?;
        rows.push((line_key, Some(value)));
        let source_key = number_key(Kind::Branch, plan.source.id.0);
        let mut source: Branch = decode(&read(transaction, &source_key)?)?;
        source.state = BranchState::Merged { into: target.name, time: self.now() };
        let value = encode(&source)?;
        transaction.put(RECORDS, &source_key, &value)?;
        rows.push((source_key, Some(value)));
        *self.pending.lock() = Some((transaction.base_commit().0, rows));
        Ok(())
    }

    /// Lets go of what a merge that happened kept, and of moments that the next one does not
    /// start from.
    pub fn settle_merge(&self, plan: MergePlan) -> Result<()> {
        drop(plan);
        self.prune()
    }

    /// Drops the anchors that nobody needs.
    fn prune(&self) -> Result<()> {
        if self.surplus_anchors()?.is_empty() {
            return Ok(());
        }
        self.update_lazily(|change| {
            // Nobody else changes the records any more.
            let surplus = self.surplus_anchors()?;
            Self::drop_anchors(change, &surplus)
        })
    }

    /// Refuses to drop the source of a merge with it: the first branch, one that is protected,
    /// and one that another open merge needs.
    pub fn check_drop_merged(&self, plan: &MergePlan) -> Result<()> {
        let source = &plan.source;
        let is_needed = self.with(|state| {
            let mut others = state.open_merges().filter(|merge| merge.target != plan.target.id);
            others.any(|merge| merge.source == source.id || merge.target == source.id)
        })?;
        let (kind, why) = if source.head == pandodb_tm::MAIN.0 || source.options.protected {
            (ErrorKind::Protected, "")
        } else if is_needed {
            (ErrorKind::InUse, ": it has an open merge")
        } else {
            return Ok(());
        };
        let message = format!("the branch '{}' stays after its merge{why}", source.name);
        Err(Error::new(kind, message).with_hint("leave delete_branch_after out"))
    }

    /// Drops the source in the commit of its merge (`delete_branch_after`); comes after
    /// [`record_merge`](Self::record_merge).
    pub fn drop_merged(&self, plan: &MergePlan, transaction: &mut Transaction) -> Result<()> {
        self.check_drop_merged(plan)?;
        let target = HeadId(plan.target.head);
        transaction.use_head(self.system)?;
        let counters = counters_of(transaction)?;
        drop(self.indexed()?);
        let mut change = Change { transaction, counters, rows: Vec::new() };
        self.drop_within(&mut change, &plan.source)?;
        let rows = change.finish()?;
        self.add_pending(rows);
        transaction.use_head(target)?;
        Ok(())
    }

    /// Does what is due: called often, as good as free most of the time. Branches go when their
    /// time is over; the rest of the [maintenance](Self::maintain) is done every minute.
    ///
    /// While a transaction holds a merge, and with it the right to change the records, it waits
    /// for the next time: the statement that it is called for may only read.
    pub fn tend(&self) -> Result<()> {
        const EVERY: i64 = 60 * 1_000_000;
        self.let_go();
        let upkeep = self.unhurried();
        if is_put_off(upkeep.expire().map(drop))? {
            return Ok(());
        }
        let now = self.now();
        let before = self.tended.load(Ordering::Relaxed);
        if now < before.saturating_add(EVERY) {
            return Ok(());
        }
        self.tended.store(now, Ordering::Relaxed);
        if is_put_off(upkeep.maintain())? {
            self.tended.store(before, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Does what can wait: drops branches whose time is over and moments that no merge needs any
    /// more, and collects commits for the history.
    pub fn maintain(&self) -> Result<()> {
        self.expire()?;
        self.prune()?;
        self.collect()
    }
}

/// Whether upkeep has to wait for somebody.
fn is_put_off(done: Result<()>) -> Result<bool> {
    match done {
        Err(error) if error.is_busy() => Ok(true),
        done => done.map(|()| false),
    }
}
