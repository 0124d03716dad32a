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
    /// Makes a branch, in time that does not depend on its size.
    pub fn create(&self, create: &CreateBranch) -> Result<Branch> {
        name::check(NameKind::Branch, &create.name)?;
        self.expire()?;
        let (parent, taken) = self.with(|state| {
            let parent = state.branch(&create.parent).cloned();
            (parent, state.names.contains_key(&fold(&create.name)))
        })?;
        let parent = parent?;
        if taken {
            return Err(exists(NameKind::Branch, &create.name));
        }
        let mut options = create.options.clone();
        options.read_only |= options.strategy == Strategy::ReadOnly;
        let is_copied = options.strategy == Strategy::Copy;
        if create.at == Point::Now && !is_copied {
            return self.create_now(create, &parent, options);
        }
        let view = self.view_own(&parent.name, &create.at)?;
        let seeds = self.seeds(&view, is_copied)?;
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
            self.again(parent)?;
            let head = change.transaction.create_head(source, NOTE_BRANCH)?;
            let anchor = change.anchor(source, parent.line, None)?;
            self.put_branch(change, create, parent, options, (head, Some(anchor.0)))
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
        if self.state.lock().names.contains_key(&fold(name)) {
            return Err(exists(NameKind::Branch, name));
        }
        Ok(())
    }

    /// A head without a record that holds what a view shows, and the moment that it stands at.
    pub(super) fn seed(&self, view: &View) -> Result<(HeadId, Position)> {
        let at = view.position();
        if let Some(head) = view.head() {
            let seed = self.create_head(head, NOTE_ANCHOR)?;
            // A branch may have moved on since the view was made.
            let commit =
                if view.is_branch() { self.manager.head(seed)?.commit.0 } else { at.commit };
            return Ok((seed, Position { commit, ..at }));
        }
        self.filled(view, false).map(|head| (head, at))
    }

    /// A head without a record that is filled with what a view shows, in pages of its own if
    /// `copied`.
    pub(super) fn filled(&self, view: &View, copied: bool) -> Result<HeadId> {
        let head = self.create_head(pandodb_tm::MAIN, NOTE_ANCHOR)?;
        let filled = self.fill(head, view, copied);
        if filled.is_err() {
            self.drop_head(head)?;
        }
        filled.map(|()| head)
    }

    /// Replaces everything in a head by what a view shows.
    fn fill(&self, head: HeadId, view: &View, copied: bool) -> Result<()> {
        let mut transaction = self.manager.begin(head, self.options.clone())?;
        transaction.prepare_write()?;
        let forest = view.forest();
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
            transaction.replace_tree(id, |writer| {
                if copied { copy_tree(pager, tree, writer) } else { Ok(tree.clone()) }
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
            let taken = self.state.lock().names.get(&fold(to)).copied();
            if taken.is_some_and(|id| id != branch.id) {
                return Err(exists(NameKind::Branch, to));
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
        let seeds = self.seeds(&view, false)?;
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
        let (found, taken) = self
            .with(|state| (state.branch(branch).cloned(), state.tags.contains_key(&fold(tag))))?;
        let found = found?;
        if taken {
            return Err(exists(NameKind::Tag, tag));
        }
        let view = self.view_own(branch, at)?;
        let (seed, position) = self.seed(&view)?;
        let made = self.update(|change| {
            if self.state.lock().tags.contains_key(&fold(tag)) {
                return Err(exists(NameKind::Tag, tag));
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

/// A tree with the same entries in pages of its own.
fn copy_tree(pager: &Arc<Pager>, tree: &Tree, writer: &mut Writer<'_>) -> pandodb_tm::Result<Tree> {
    let mut copy = Tree::new(tree.kind());
    let mut cursor = Cursor::new(Arc::clone(pager), tree.clone());
    let mut more = cursor.first()?;
    while more {
        let value = cursor.value()?.unwrap_or_default();
        copy.put(writer, &cursor.key(), &value, PutMode::Replace)?;
        more = cursor.next()?;
    }
    Ok(copy)
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

#[cold]
fn exists(kind: NameKind, name: &str) -> Error {
    let what = kind.as_str();
    let hint = match kind {
        _ if name.eq_ignore_ascii_case(MAIN_NAME) => {
            "names are the same in any case: choose another one"
        }
        NameKind::Branch => "choose another name, or CREATE BRANCH IF NOT EXISTS",
        NameKind::Tag => "choose another name, or DROP TAG first",
    };
    let message = format!("there is a {what} '{name}' already");
    Error::new(ErrorKind::Exists, message).with_hint(hint)
}
