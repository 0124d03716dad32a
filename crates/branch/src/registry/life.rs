//! Making, naming, marking, resetting and dropping branches and tags.
//!
//! Each of these is one commit: it is there whole after a crash, or not at all; whatever is
//! refused has changed nothing. Neighbours: `moments` finds where a branch begins, `anchors`
//! lets go of what only a dropped branch needed.

use pandodb_ds::pager::Pager;
use pandodb_ds::sync::Arc;
use pandodb_ds::tree::{Cursor, PutMode, Tree, Writer};
use pandodb_tm::HeadId;

use super::begun::Seeds;
use super::records::{
    Branch, BranchId, BranchOptions, BranchState, Kind, ReflogEntry, Strategy, Tag,
};
use super::records::{key, number_key};
use super::{
    Branches, Change, MAIN_NAME, NOTE_ANCHOR, NOTE_BRANCH, Point, State, View, dropped_meanwhile,
};
use crate::error::{Error, ErrorKind, Result};
use crate::lineage::{Line, Position};
use crate::name::{self, NameKind, fold};

/// Asks whether long work is to go on, with how much of it is done.
pub type GoesOn<'g> = &'g mut dyn FnMut(u64) -> bool;

/// Rows that are copied between two times of asking.
const ROWS_BETWEEN_ASKING: u64 = 256;

/// How many ways back a branch keeps.
const REFLOG_MAX: usize = 16;

/// A branch that is to be made.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CreateBranch {
    /// Its name.
    pub name: String,
    /// The branch that it leaves.
    pub parent: String,
    /// When it leaves it.
    pub at: Point,
    /// What is said about it.
    pub options: BranchOptions,
}

/// What a drop did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DropReport {
    /// Moments that only this branch needed and that are gone with it.
    pub anchors: usize,
}

impl Branches {
    /// Makes a branch, in time that does not depend on its size unless it is a copy.
    pub fn create(&self, create: &CreateBranch) -> Result<Branch> {
        self.create_while(create, &mut |_| true)
    }

    /// As [`create`](Self::create); a copy is asked now and then, with how many rows it has copied,
    /// whether it is to go on. What it copied goes if not.
    pub fn create_while(&self, create: &CreateBranch, goes_on: GoesOn<'_>) -> Result<Branch> {
        name::check(NameKind::Branch, &create.name)?;
        self.expire()?;
        let (parent, taken) = self.with(|state| {
            let parent = state.branch(&create.parent).cloned();
            (parent, state.find_branch(&create.name).map(|taken| taken.name.clone()))
        })?;
        let parent = parent?;
        if let Some(taken) = taken {
            return Err(exists(NameKind::Branch, &taken, &create.name, OR_NOT_EXISTS));
        }
        let mut options = create.options.clone();
        options.read_only |= options.strategy == Strategy::ReadOnly;
        let is_copied = options.strategy == Strategy::Copy;
        if create.at == Point::Now && !is_copied {
            return self.create_now(create, &parent, options);
        }
        let view = self.view_own(&parent.name, &create.at)?;
        let seeds = self.seeds(&view, is_copied.then_some(goes_on))?;
        let made = self.create_from(create, &parent, options, &seeds);
        if made.is_err() {
            self.drop_seeds(&seeds)?;
        }
        made
    }

    pub(super) fn create_now(
        &self,
        create: &CreateBranch,
        parent: &Branch,
        options: BranchOptions,
    ) -> Result<Branch> {
        let source = HeadId(parent.head);
        let branch = self.update(|change| {
            self.check_free(&create.name)?;
            // It may have been reset, to another line, since its name was looked up.
            let parent = self.again(parent)?;
            let head = change.transaction.create_head(source, NOTE_BRANCH)?;
            let anchor = change.anchor(source, parent.line, None)?;
            self.put_branch(change, create, &parent, options, (head, Some(anchor.0)))
        })?;
        self.place(std::slice::from_ref(&branch))?;
        Ok(branch)
    }

    /// Notes for branches that a crash caught half-way where they left their parents.
    pub(super) fn place_lines(&self) -> Result<()> {
        let unplaced: Vec<Branch> = self.with(|state| {
            let branches = state.branches();
            let unplaced = branches.filter(|branch| {
                let line = state.graph.line(branch.line);
                branch.anchor.is_some() && line.is_none_or(|line| line.parent.is_none())
            });
            unplaced.cloned().collect()
        })?;
        self.place(&unplaced)
    }

    /// Notes where new branches left their parents: the anchor that was made in the same commit
    /// stands there, and its commit is known from then on.
    fn place(&self, branches: &[Branch]) -> Result<()> {
        if branches.is_empty() {
            return Ok(());
        }
        self.update_lazily(|change| {
            for branch in branches {
                let (anchor, merges) = {
                    let state = self.state.lock();
                    let anchor = branch.anchor.and_then(|head| state.anchors.get(&head).cloned());
                    let line = state.graph.line(branch.line);
                    (anchor, line.map(|line| line.merges.clone()).unwrap_or_default())
                };
                let Some(anchor) = anchor else { continue };
                let commit = self.manager.head(HeadId(anchor.head))?.commit.0;
                let left = Position { line: anchor.line, commit };
                let line = Line { head: branch.head, parent: Some(left), merges };
                change.put(number_key(Kind::Line, branch.line.0), &line)?;
                let has_other = self.state.lock().has_other_anchor(left, anchor.head);
                if has_other && !self.pins.holds(anchor.head) {
                    // Somebody left the parent there before: one head keeps the moment for all.
                    Self::drop_anchors(change, &[anchor.head])?;
                }
            }
            Ok(())
        })
    }

    /// A branch whose data are those of seeds, which go: that they were filled is no commit of the
    /// branch, which has none of its own until after it.
    fn create_from(
        &self,
        create: &CreateBranch,
        parent: &Branch,
        options: BranchOptions,
        seeds: &Seeds,
    ) -> Result<Branch> {
        let (source, left) = (seeds.source(), seeds.first.1);
        self.update(|change| {
            self.check_free(&create.name)?;
            let head = change.transaction.create_head(source, NOTE_BRANCH)?;
            let branch = self.put_branch(change, create, parent, options, (head, None))?;
            let filled = self.manager.head(source)?.commit.0;
            change.put(number_key(Kind::Filled, branch.line.0), &filled.max(left.commit))?;
            let line = Line { head: head.0, parent: Some(left), merges: Vec::new() };
            change.put(number_key(Kind::Line, branch.line.0), &line)?;
            change.plant(seeds)?;
            Ok(branch)
        })
    }

    fn put_branch(
        &self,
        change: &mut Change<'_>,
        create: &CreateBranch,
        parent: &Branch,
        options: BranchOptions,
        (head, anchor): (HeadId, Option<u64>),
    ) -> Result<Branch> {
        change.counters.branch += 1;
        let branch = Branch {
            id: BranchId(change.counters.branch),
            name: create.name.clone(),
            head: head.0,
            line: change.next_line(),
            parent: Some(parent.name.clone()),
            anchor,
            created: self.now(),
            state: BranchState::Active,
            options,
        };
        change.put(number_key(Kind::Branch, branch.id.0), &branch)?;
        let line = Line { head: head.0, ..Line::default() };
        change.put(number_key(Kind::Line, branch.line.0), &line)?;
        Ok(branch)
    }

    /// Within an update, where nobody else can take the name any more.
    fn check_free(&self, name: &str) -> Result<()> {
        if let Some(taken) = self.state.lock().find_branch(name) {
            return Err(exists(NameKind::Branch, &taken.name, name, OR_NOT_EXISTS));
        }
        Ok(())
    }

    /// A head without a record that holds what a view shows, and the moment that it stands at.
    pub(super) fn seed(&self, view: &View) -> Result<(HeadId, Position)> {
        let at = view.position();
        if let Some(head) = view.head() {
            let seed = self.create_head(head, NOTE_ANCHOR)?;
            if !view.is_branch() {
                return Ok((seed, at));
            }
            // The branch may have moved on since the view was made, but on the same line.
            let commit = self.manager.head(seed)?.commit.0;
            let branch = self.with(|state| state.branch_of(head.0).map(|branch| branch.id))?;
            let checked = branch.map_or_else(
                || Err(dropped_meanwhile()),
                |branch| self.check_line(branch, at.line),
            );
            if let Err(error) = checked {
                self.drop_head(seed)?;
                return Err(error);
            }
            return Ok((seed, Position { commit, ..at }));
        }
        self.filled(view, None).map(|head| (head, at))
    }

    /// A head without a record that is filled with what a view shows: in pages of its own where a
    /// copy is asked for, as long as that goes on.
    pub(super) fn filled(&self, view: &View, copy: Option<GoesOn<'_>>) -> Result<HeadId> {
        let head = self.create_head(pandodb_tm::MAIN, NOTE_ANCHOR)?;
        let filled = self.fill(head, view, copy);
        if filled.is_err() {
            self.drop_head(head)?;
        }
        filled.map(|()| head)
    }

    /// Replaces everything in a head by what a view shows.
    fn fill(&self, head: HeadId, view: &View, copy: Option<GoesOn<'_>>) -> Result<()> {
        let mut transaction = self.manager.begin(head, self.options.clone())?;
        transaction.prepare_write()?;
        let forest = view.forest();
        let mut copies = copy.map(|goes_on| Copies { goes_on, rows: 0 });
        for tree in transaction.trees() {
            if forest.tree(tree).is_none() {
                transaction.drop_tree(tree)?;
            }
        }
        for id in forest.ids() {
            let tree = forest.existing(id)?;
            if transaction.tree_kind(id).is_some_and(|kind| kind != tree.kind()) {
                transaction.drop_tree(id)?;
            }
            if transaction.tree_kind(id).is_none() {
                transaction.create_tree(id, tree.kind())?;
            }
            let pager = self.manager.pager();
            transaction.replace_tree(id, |writer| match &mut copies {
                Some(copies) => copies.tree(pager, tree, writer),
                None => Ok(tree.clone()),
            })?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// Gives a branch another name; sessions on it stay on it.
    pub fn rename(&self, from: &str, to: &str) -> Result<Branch> {
        name::check(NameKind::Branch, to)?;
        let branch = self.get(from)?;
        check_unprotected(&branch, "renamed")?;
        self.update(|change| {
            let taken = self.state.lock().find_branch(to).cloned();
            if let Some(taken) = taken.filter(|taken| taken.id != branch.id) {
                return Err(exists(NameKind::Branch, &taken.name, to, ""));
            }
            let renamed = Branch { name: to.into(), ..self.again(&branch)? };
            change.put(number_key(Kind::Branch, renamed.id.0), &renamed)?;
            // Who may read a tag is asked of its branch.
            let tags: Vec<Tag> = {
                let state = self.state.lock();
                let is_of = |tag: &&Tag| {
                    state.branch_of_tag(tag).is_some_and(|found| found.id == branch.id)
                };
                state.tags.values().filter(is_of).cloned().collect()
            };
            for tag in tags {
                let row = key(Kind::Tag, fold(&tag.name).as_bytes());
                change.put(row, &Tag { branch: to.into(), ..tag })?;
            }
            Ok(renamed)
        })
    }

    /// Changes what is said about a branch.
    pub fn set_options(
        &self,
        name: &str,
        edit: impl FnOnce(&mut BranchOptions) -> Result<()>,
    ) -> Result<Branch> {
        let branch = self.get(name)?;
        self.update(|change| {
            let mut branch = self.again(&branch)?;
            let before = branch.options.clone();
            edit(&mut branch.options)?;
            check_staying(&branch, &before)?;
            change.put(number_key(Kind::Branch, branch.id.0), &branch)?;
            Ok(branch)
        })
    }

    /// Drops a branch; its space returns with the next checkpoints.
    pub fn drop_branch(&self, name: &str) -> Result<DropReport> {
        let branch = self.get(name)?;
        if branch.head == pandodb_tm::MAIN.0 {
            let message = format!("the branch '{}' is the first one and stays", branch.name);
            let error = Error::new(ErrorKind::Protected, message);
            return Err(error.with_hint("reset it, or rename it"));
        }
        check_unprotected(&branch, "dropped")?;
        if self.with(|state| state.open_merge_of(branch.id).is_some())? {
            let message = format!("the branch '{}' has an open merge", branch.name);
            let error = Error::new(ErrorKind::InUse, message);
            return Err(error.with_hint("complete the merge or abort it"));
        }
        self.force_drop(&branch)
    }

    pub(super) fn force_drop(&self, branch: &Branch) -> Result<DropReport> {
        self.update(|change| {
            let anchors = self.anchors_of_only(&mut self.state.lock(), branch.id);
            self.drop_within(change, branch)?;
            Self::drop_anchors(change, &anchors)?;
            Ok(DropReport { anchors: anchors.len() })
        })
    }

    /// Drops a branch in the commit of something else, but no moments: the source of a merge hands
    /// on what it holds.
    pub(super) fn drop_within(&self, change: &mut Change<'_>, branch: &Branch) -> Result<()> {
        let (grants, reflog) = {
            let state = self.state.lock();
            let grants = state.grants.range((branch.id, String::new())..);
            let grants = grants.take_while(|((id, _), _)| *id == branch.id);
            let grants: Vec<String> = grants.map(|((_, user), _)| user.clone()).collect();
            (grants, state.reflog_of(branch.id))
        };
        change.delete(number_key(Kind::Branch, branch.id.0))?;
        if self.manager.head(HeadId(branch.head)).is_ok() {
            change.transaction.drop_head(HeadId(branch.head))?;
        }
        for user in grants {
            let mut rest = branch.id.0.to_be_bytes().to_vec();
            rest.extend_from_slice(user.as_bytes());
            change.delete(key(Kind::Grant, &rest))?;
        }
        for (number, head) in reflog {
            change.delete(number_key(Kind::Reflog, number))?;
            change.transaction.drop_head(HeadId(head))?;
        }
        Ok(())
    }

    /// The heads that dropping a branch drops: its own, its ways back, and the moments that
    /// nobody else needs.
    pub fn heads_dropped_with(&self, name: &str) -> Result<Vec<HeadId>> {
        let mut state = self.indexed()?;
        let (id, head) = state.branch(name).map(|branch| (branch.id, branch.head))?;
        let mut heads = vec![head];
        heads.extend(state.reflog_of(id).into_iter().map(|(_, head)| head));
        heads.extend(self.anchors_of_only(&mut state, id));
        Ok(heads.into_iter().map(HeadId).collect())
    }

    /// The anchors that only this branch needs.
    fn anchors_of_only(&self, state: &mut State, branch: BranchId) -> Vec<u64> {
        let mut anchors = state.surplus_without(branch);
        anchors.retain(|head| self.is_loose(state, *head));
        anchors
    }

    /// Drops a branch whose owner ends, if it is temporary still and nothing keeps it.
    pub fn drop_temporary(&self, id: BranchId) -> Result<()> {
        let found = self.with(|state| {
            let branch = state.branch_by_id(id);
            branch.filter(|it| it.options.temporary && !state.stays(it)).cloned()
        })?;
        found.map_or(Ok(()), |branch| self.force_drop(&branch).map(drop))
    }

    /// Drops branches whose time is over; returns their names.
    pub fn expire(&self) -> Result<Vec<String>> {
        let now = self.now();
        let over: Vec<Branch> = self.with(|state| state.expired(now).cloned().collect())?;
        over.iter().try_for_each(|branch| self.force_drop(branch).map(drop))?;
        Ok(over.into_iter().map(|branch| branch.name).collect())
    }

    /// Lets a branch stand where it (or another) stood before. Where it stands now is kept in the
    /// reflog, as the way back.
    pub fn reset(&self, name: &str, point: &Point) -> Result<Branch> {
        let branch = self.get(name)?;
        check_unprotected(&branch, "reset")?;
        self.check_writable(&branch)?;
        let view = self.view_own(name, point)?;
        let seeds = self.seeds(&view, None)?;
        let (seed, at) = seeds.first;
        let moved = self.update(|change| {
            let branch = self.again(&branch)?;
            let head = HeadId(branch.head);
            let ways_back = self.state.lock().reflog_of(branch.id);
            let before = change.transaction.create_head(head, NOTE_ANCHOR)?;
            change.counters.reflog += 1;
            let entry = ReflogEntry {
                branch: branch.id,
                number: change.counters.reflog,
                position: self.position(&branch)?,
                head: before.0,
                time: self.now(),
                reason: format!("reset to {point}"),
            };
            change.put(number_key(Kind::Reflog, entry.number), &entry)?;
            trim_reflog(change, &ways_back)?;
            let moved = Branch { line: change.next_line(), ..branch.clone() };
            let line = Line { head: head.0, parent: Some(at), merges: Vec::new() };
            change.put(number_key(Kind::Line, moved.line.0), &line)?;
            let start = entry.position.commit.max(at.commit);
            change.put(number_key(Kind::Start, moved.line.0), &start)?;
            change.put(number_key(Kind::Branch, moved.id.0), &moved)?;
            change.transaction.reset_head(head, seed)?;
            change.plant(&seeds)?;
            Ok(moved)
        });
        if moved.is_err() {
            self.drop_seeds(&seeds)?;
        }
        moved
    }

    /// Gives a moment of a branch a name.
    pub fn tag(&self, branch: &str, tag: &str, at: &Point, message: &str) -> Result<Tag> {
        name::check(NameKind::Tag, tag)?;
        let (found, taken) =
            self.with(|state| (state.branch(branch).cloned(), state.find_tag(tag).cloned()))?;
        let found = found?;
        if let Some(taken) = taken {
            return Err(exists(NameKind::Tag, &taken.name, tag, OR_DROP_TAG));
        }
        let view = self.view_own(branch, at)?;
        let (seed, position) = self.seed(&view)?;
        let made = self.update(|change| {
            if let Some(taken) = self.state.lock().find_tag(tag) {
                return Err(exists(NameKind::Tag, &taken.name, tag, OR_DROP_TAG));
            }
            let record = Tag {
                name: tag.into(),
                head: seed.0,
                position,
                branch: found.name.clone(),
                created: self.now(),
                message: message.into(),
            };
            change.put(key(Kind::Tag, fold(tag).as_bytes()), &record)?;
            Ok(record)
        });
        if made.is_err() {
            self.drop_head(seed)?;
        }
        made
    }

    /// Drops a tag.
    pub fn drop_tag(&self, name: &str) -> Result<()> {
        let tag = self.with(|state| state.tag(name).cloned())??;
        self.update(|change| {
            if self.state.lock().tags.get(&fold(name)) != Some(&tag) {
                return Err(dropped_meanwhile());
            }
            change.delete(key(Kind::Tag, fold(&tag.name).as_bytes()))?;
            change.transaction.drop_head(HeadId(tag.head))?;
            Ok(())
        })
    }

    /// Refuses a branch that a merge into is open: it is to be completed or given up first.
    pub fn check_settled(&self, branch: &Branch) -> Result<()> {
        self.check_writable(branch)?;
        self.check_no_open_merge(branch)
    }

    /// Whether a branch may be written to.
    pub fn check_writable(&self, branch: &Branch) -> Result<()> {
        check_not_read_only(branch)
    }

    /// As [`check_writable`](Self::check_writable), by the head that is about to be written to;
    /// false where it is that of no branch.
    pub fn check_head_writable(&self, head: HeadId) -> Result<bool> {
        match self.with(|state| state.branch_of(head.0).cloned())? {
            Some(branch) => self.check_writable(&branch).map(|()| true),
            None => Ok(false),
        }
    }
}

pub(super) fn check_not_read_only(branch: &Branch) -> Result<()> {
    if branch.options.read_only {
        let message = format!("Cannot modify read-only branch: {}", branch.name);
        let error = Error::new(ErrorKind::ReadOnly, message);
        return Err(
            error.with_hint("make a branch of it, or ALTER BRANCH .. SET (read_only = false)")
        );
    }
    Ok(())
}

/// Drops the oldest ways back of a branch.
fn trim_reflog(change: &mut Change<'_>, entries: &[(u64, u64)]) -> Result<()> {
    let surplus = (entries.len() + 1).saturating_sub(REFLOG_MAX);
    for (number, head) in entries.iter().take(surplus) {
        change.delete(number_key(Kind::Reflog, *number))?;
        change.transaction.drop_head(HeadId(*head))?;
    }
    Ok(())
}

/// Trees with the same entries in pages of their own.
struct Copies<'g> {
    goes_on: GoesOn<'g>,
    rows: u64,
}

impl Copies<'_> {
    fn tree(
        &mut self,
        pager: &Arc<Pager>,
        tree: &Tree,
        writer: &mut Writer<'_>,
    ) -> pandodb_tm::Result<Tree> {
        let mut copy = Tree::new(tree.kind());
        let mut cursor = Cursor::new(Arc::clone(pager), tree.clone());
        let mut more = cursor.first()?;
        while more {
            let value = cursor.value()?.unwrap_or_default();
            copy.put(writer, &cursor.key(), &value, PutMode::Replace)?;
            self.rows += 1;
            if self.rows.is_multiple_of(ROWS_BETWEEN_ASKING) && !(self.goes_on)(self.rows) {
                let message = "the copy of a branch was interrupted";
                return Err(pandodb_tm::Error::new(pandodb_tm::ErrorKind::Interrupted, message));
            }
            more = cursor.next()?;
        }
        Ok(copy)
    }
}

/// Refuses what would do nothing: the first branch never goes by itself. What an older version of
/// the program let be said of it stays until it is unsaid.
fn check_staying(branch: &Branch, before: &BranchOptions) -> Result<()> {
    let options = &branch.options;
    let said = [
        ("ttl", options.ttl.is_some() && options.ttl != before.ttl),
        ("temporary", options.temporary && !before.temporary),
        ("auto_delete", options.auto_delete && !before.auto_delete),
    ];
    match said.iter().find(|(_, is_said)| *is_said) {
        Some((option, _)) if branch.head == pandodb_tm::MAIN.0 => {
            let message = format!(
                "the branch '{}' is the first one and stays: {option} has no effect on it",
                branch.name
            );
            let hint = "CREATE BRANCH another one WITH it, and work there";
            Err(Error::new(ErrorKind::InvalidOption, message).with_hint(hint))
        }
        _ => Ok(()),
    }
}

fn check_unprotected(branch: &Branch, what: &str) -> Result<()> {
    if !branch.options.protected {
        return Ok(());
    }
    let message = format!("the branch '{}' is protected and cannot be {what}", branch.name);
    let hint = "ALTER BRANCH .. SET (protected = false) first";
    Err(Error::new(ErrorKind::Protected, message).with_hint(hint))
}

/// What else there is to do about a name that is taken.
const OR_NOT_EXISTS: &str = ", or CREATE BRANCH IF NOT EXISTS";
const OR_DROP_TAG: &str = ", or DROP TAG first";

/// The error of a name that is `wanted` while what is called `taken` is there.
#[cold]
fn exists(kind: NameKind, taken: &str, wanted: &str, or: &str) -> Error {
    let what = kind.as_str();
    let hint = if taken != wanted || taken.eq_ignore_ascii_case(MAIN_NAME) {
        "names are the same in any case: choose another one".to_owned()
    } else {
        format!("choose another name{or}")
    };
    let message = format!("there is a {what} '{taken}' already");
    Error::new(ErrorKind::Exists, message).with_hint(hint)
}
