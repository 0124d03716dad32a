//! Who may: grants of branches, asked before anything is read or changed.
//!
//! A session without a user is the owner and may do everything. Statements on the session's own
//! branch are asked for where their transactions begin (`session::transaction`); what names
//! other branches asks here. Neighbours: the branch crate keeps grants and answers.

use std::error::Error as StdError;

use pandodb_branch::ErrorKind as BranchErrorKind;
use pandodb_branch::registry::{
    Branch, Branches, Commit, OpenMerge, Point, Privilege, State, Tag, View,
};

use super::{Work, at_name};
use crate::ast::{self, Name};
use crate::catalog::DatabaseIndex;
use crate::error::{Error, ErrorKind, Result};
use crate::session::Session;
use crate::store::{Database, HeadId};

/// The privileges of the words of GRANT.
pub(super) fn privileges(words: &[ast::Privilege]) -> Vec<Privilege> {
    let privilege = |word: &ast::Privilege| match word {
        ast::Privilege::Read => Privilege::Read,
        ast::Privilege::Write => Privilege::Write,
        ast::Privilege::Merge => Privilege::Merge,
        ast::Privilege::Admin => Privilege::Admin,
    };
    words.iter().map(privilege).collect()
}

/// Whether a user's rights are asked for in a database of a session: in the one that it was
/// opened with, and in an attached one that gives rights itself. Whoever may attach a file that
/// names nobody works there as its owner.
pub(crate) fn asks_rights(index: DatabaseIndex, database: &Database) -> Result<bool> {
    match index {
        DatabaseIndex::MAIN => Ok(true),
        DatabaseIndex::TEMP => Ok(false),
        _ => match database.branches_if_any()? {
            Some(branches) => Ok(branches.with(State::names_users)?),
            None => Ok(false),
        },
    }
}

/// Refuses what only the owner may do with a whole database: what its file keeps, and what
/// touches all branches of it.
pub(crate) fn check_owner(session: &Session, index: DatabaseIndex, what: &str) -> Result<()> {
    let Some(user) = session.user() else { return Ok(()) };
    if index == DatabaseIndex::TEMP || !asks_rights(index, &session.database(index)?.0)? {
        return Ok(());
    }
    Err(denied(&user, what))
}

/// Refuses to commit what a user changed on a head and may not change any more. What a merge
/// brought there needs the right to merge, not that to write.
pub(crate) fn check_may_commit(database: &Database, head: HeadId, user: &str) -> Result<()> {
    let branches = database.branches()?;
    let Some(branch) = branches.with(|state| state.branch_of(head.0).cloned())? else {
        return Ok(());
    };
    if branches.check_privilege(Some(user), &branch, Privilege::Merge).is_ok() {
        return Ok(());
    }
    Ok(branches.check_privilege(Some(user), &branch, Privilege::Write)?)
}

#[cold]
fn denied(user: &str, what: &str) -> Error {
    let shown: String = user.chars().take(80).flat_map(char::escape_debug).collect();
    let message = format!("user '{shown}' may not {what}");
    Error::new(ErrorKind::Denied, message)
        .with_hint("the owner's connection, which has no user, may")
}

/// Refuses what a user may not do with the branch of a head. A head without a branch (a fork in
/// memory) belongs to whoever has it.
pub(crate) fn check_head(
    database: &Database,
    head: HeadId,
    user: &str,
    writes: bool,
) -> Result<()> {
    let branches = database.branches()?;
    let Some(branch) = branches.with(|state| state.branch_of(head.0).cloned())? else {
        return Ok(());
    };
    let privilege = if writes { Privilege::Write } else { Privilege::Read };
    Ok(branches.check_privilege(Some(user), &branch, privilege)?)
}

/// Whether a session's user may read the branch of a head; what has no branch is for owners.
pub(crate) fn may_read(session: &Session, database: &Database, head: HeadId) -> Result<bool> {
    let Some(user) = session.user() else { return Ok(true) };
    let branches = database.branches()?;
    let branch = branches.with(|state| state.branch_of(head.0).cloned())?;
    Ok(branch.is_some_and(|branch| {
        branches.check_privilege(Some(&user), &branch, Privilege::Read).is_ok()
    }))
}

/// An error without the name of a branch or tag that the session's user may not read: one that
/// was nearly met is not told.
pub(crate) fn without_near(session: &Session, error: Error) -> Error {
    if session.user().is_none() {
        return error;
    }
    let below = error.source().and_then(|cause| cause.downcast_ref::<pandodb_branch::Error>());
    match below.and_then(pandodb_branch::Error::near) {
        Some(near) if !may_read_name(session, near).unwrap_or(false) => error.alone(),
        _ => error,
    }
}

/// Whether the session's user may read the branch or tag of a name.
fn may_read_name(session: &Session, name: &str) -> Result<bool> {
    let (database, _) = session.database(DatabaseIndex::MAIN)?;
    let branches = database.branches()?;
    let branch = branches.with(|state| {
        let of_tag = || state.find_tag(name).and_then(|tag| state.branch_of_tag(tag).cloned());
        state.find_branch(name).cloned().or_else(of_tag)
    })?;
    let user = session.user();
    Ok(branch.is_some_and(|branch| {
        branches.check_privilege(user.as_deref(), &branch, Privilege::Read).is_ok()
    }))
}

/// Refuses to read what a name means, a branch or a tag; a name that means nothing is told later.
pub(crate) fn check_name(branches: &Branches, name: &str, user: &str) -> Result<()> {
    let (branch, tag) = branches.with(|state| {
        let of_tag = |tag: &Tag| (tag.name.clone(), state.branch_of_tag(tag).cloned());
        (state.find_branch(name).cloned(), state.find_tag(name).map(of_tag))
    })?;
    let may_read = |branch: &Branch| branches.check_privilege(Some(user), branch, Privilege::Read);
    match (branch, tag) {
        (Some(branch), _) => Ok(may_read(&branch)?),
        // Of which branch it is is not told.
        (None, Some((tag, branch))) if branch.as_ref().is_none_or(|it| may_read(it).is_err()) => {
            Err(denied(user, &format!("read the tag '{tag}'")))
        }
        _ => Ok(()),
    }
}

impl Work<'_> {
    /// GRANT
    pub(super) fn grant(&self, grant: &ast::BranchPrivileges) -> Result<()> {
        let branch = self.named_branch(&grant.branch, Privilege::Admin)?;
        let held = privileges(&grant.privileges);
        Ok(self.branches.grant(&held, &branch.name, &grant.user.text)?)
    }

    /// REVOKE
    pub(super) fn revoke(&self, revoke: &ast::BranchPrivileges) -> Result<()> {
        let branch = self.named_branch(&revoke.branch, Privilege::Admin)?;
        let held = privileges(&revoke.privileges);
        Ok(self.branches.revoke(&held, &branch.name, &revoke.user.text)?)
    }

    /// Refuses what the session's user may not do with a branch.
    pub(super) fn may(&self, branch: &Branch, privilege: Privilege) -> Result<()> {
        let user = self.session.user();
        Ok(self.branches.check_privilege(user.as_deref(), branch, privilege)?)
    }

    /// Whether a branch is dropped with the commit of its merge because it says so
    /// (`auto_delete`), and whoever merges may drop it; else it stays.
    pub(super) fn goes_with_merge(&self, source: &Branch) -> Result<bool> {
        if !source.options.auto_delete {
            return Ok(false);
        }
        match self.branches.check_privilege(self.user.as_deref(), source, Privilege::Admin) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == BranchErrorKind::Permission => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// The branch called `name`, if the user may do that with it.
    pub(super) fn branch_for(&self, name: &str, privilege: Privilege) -> Result<Branch> {
        let branch = self.branches.get(name).map_err(Error::from);
        let branch = branch.map_err(|error| without_near(self.session, error))?;
        self.may(&branch, privilege)?;
        Ok(branch)
    }

    /// The branch that a statement names, if the user may do that with it.
    pub(super) fn named_branch(&self, name: &Name, privilege: Privilege) -> Result<Branch> {
        at_name(name, self.branch_for(&name.text, privilege))
    }

    /// The branch that a statement names, or the session's, if it may be read.
    pub(super) fn readable_or_current(&self, name: Option<&Name>) -> Result<Branch> {
        match name {
            Some(name) => self.named_branch(name, Privilege::Read),
            None => self.readable_branch(&self.current()?.name),
        }
    }

    /// The branch called `name`, if it may be read.
    pub(super) fn readable_branch(&self, name: &str) -> Result<Branch> {
        self.branch_for(name, Privilege::Read)
    }

    /// All branches that may be read.
    pub(super) fn readable(&self) -> Result<Vec<Branch>> {
        let mut branches = self.branches.list()?;
        if self.session.user().is_some() {
            branches.retain(|branch| self.may(branch, Privilege::Read).is_ok());
        }
        Ok(branches)
    }

    /// Refuses to read a head whose branch may not be read; one whose branch is gone is for
    /// owners only.
    pub(super) fn may_read_head(&self, head: u64) -> Result<()> {
        if self.session.user().is_none() {
            return Ok(());
        }
        match self.branches.with(|state| state.branch_of(head).cloned())? {
            // Who named a transaction is not told of which branch it is.
            Some(branch) if self.may(&branch, Privilege::Read).is_err() => {
                Err(self.denied("read that transaction: it is of a branch without a grant"))
            }
            Some(_) => Ok(()),
            None => self.owner("read a branch that was dropped"),
        }
    }

    /// Refuses to read what a commit changed, unless a branch that may be read has it: the one that
    /// made it, or one that it came to by a merge or a fast-forward.
    pub(super) fn may_read_commit(&self, commit: &Commit) -> Result<()> {
        let Err(refused) = self.may_read_head(commit.head) else { return Ok(()) };
        for branch in self.readable()? {
            if self.branches.has_commit(&branch, commit)? {
                return Ok(());
            }
        }
        Err(refused)
    }

    /// Whether what an open merge takes may be read: the branch that is merged, or any that has the
    /// moment (a pick keeps no branch).
    pub(super) fn may_read_merged(&self, open: &OpenMerge) -> Result<bool> {
        if self.session.user().is_none() {
            return Ok(true);
        }
        for branch in self.readable()? {
            let is_source = open.pick.is_none() && branch.id == open.source;
            let now = self.branches.position(&branch)?;
            if is_source || self.branches.with(|state| state.graph().holds(now, open.position))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Refuses to go on with a merge of what may not be read. Of which branch it is is not told.
    pub(super) fn check_merged(&self, open: &OpenMerge) -> Result<()> {
        if self.may_read_merged(open)? {
            return Ok(());
        }
        Err(self.denied("read what is merged: it is of a branch without a grant"))
    }

    /// Whether a tag may be read: as its branch, or by owners once that is gone.
    pub(super) fn may_read_tag(&self, tag: &Tag) -> Result<bool> {
        if self.session.user().is_none() {
            return Ok(true);
        }
        let branch = self.branches.with(|state| state.branch_of_tag(tag).cloned())?;
        Ok(branch.is_some_and(|branch| self.may(&branch, Privilege::Read).is_ok()))
    }

    /// Refuses to read a tag that may not be read.
    pub(super) fn check_tag(&self, tag: &Tag) -> Result<()> {
        if self.may_read_tag(tag)? {
            return Ok(());
        }
        Err(self.denied(&format!("read the tag '{}'", tag.name)))
    }

    /// A moment in the words of the branch crate. A tag is a way to data of another branch.
    pub(super) fn point(&self, time: &ast::PointInTime) -> Result<Point> {
        if let ast::PointInTime::Tag(name) = time
            && let Ok(tag) = self.branches.with(|state| state.tag(&name.text).cloned())?
        {
            self.check_tag(&tag)?;
        }
        super::point(self.session, time)
    }

    /// The error of a moment that a branch does not have says which one that may be read does.
    pub(super) fn at_moment<T>(&self, at: &Point, done: pandodb_branch::Result<T>) -> Result<T> {
        let error = match done {
            Err(error) if error.kind() == BranchErrorKind::UnknownCommit => error,
            done => return Ok(done?),
        };
        let Point::Commit(number) = at else { return Err(error.into()) };
        Err(match self.holder(*number)? {
            Some(holder) => {
                let hint = format!(
                    "it is one of the branch '{holder}': make a branch or a tag FROM there, or \
                     say SCN {number} for this branch as it was then"
                );
                error.with_hint(hint).into()
            }
            None => error.into(),
        })
    }

    /// A branch that may be read and has a commit: the one that made it, if it is there.
    pub(super) fn holder(&self, number: u64) -> Result<Option<String>> {
        let commit = match self.branches.commit(number) {
            Err(error) if error.kind() == BranchErrorKind::UnknownCommit => return Ok(None),
            commit => commit?,
        };
        let parts = commit.parts();
        let mut readable = self.readable()?;
        readable.sort_by_key(|branch| parts.iter().all(|part| part.head != branch.head));
        for branch in readable {
            for part in &parts {
                if self.branches.has_commit(&branch, part)? {
                    return Ok(Some(branch.name));
                }
            }
        }
        Ok(None)
    }

    /// What a tag names, if it may be read.
    pub(super) fn tag_view(&self, tag: &Tag) -> Result<View> {
        self.check_tag(tag)?;
        Ok(self.branches.tag_view(tag)?)
    }

    /// Refuses what only a session without a user may do.
    pub(super) fn owner(&self, what: &str) -> Result<()> {
        check_owner(self.session, DatabaseIndex::MAIN, what)
    }

    fn denied(&self, what: &str) -> Error {
        denied(&self.session.user().unwrap_or_default(), what)
    }
}
