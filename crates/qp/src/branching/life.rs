//! CREATE, DROP, ALTER, USE: what branches there are and which one the session is on.
//!
//! Neighbours: `options` reads WITH.

use pandodb_branch::registry::{BranchOptions, CreateBranch, Point, Privilege};
use pandodb_tm::HeadId;

use super::{Work, at_name, options};
use crate::ast::{BranchOption, Name, PointInTime};
use crate::error::{Error, ErrorKind, Result};

impl Work<'_> {
    pub(super) fn create(
        &self,
        if_not_exists: bool,
        name: &Name,
        parent: Option<&Name>,
        as_of: Option<&PointInTime>,
        with: &[BranchOption],
    ) -> Result<()> {
        if if_not_exists && self.branches.get(&name.text).is_ok() {
            return Ok(());
        }
        let parent = self.readable_or_current(parent)?;
        let owner = self.session.user().map_or_else(String::new, String::from);
        let mut branch_options = BranchOptions { owner, ..BranchOptions::default() };
        options::branch_options(with, &mut branch_options)?;
        let create = CreateBranch {
            name: name.text.to_string(),
            parent: parent.name,
            at: as_of.map_or(Ok(Point::Now), |time| self.point(time))?,
            options: branch_options,
        };
        // A copy takes as long as there are rows; what ended it is the error.
        let mut stopped = None;
        let made = self.branches.create_while(&create, &mut |_| {
            stopped = self.session.check_stopped().err();
            stopped.is_none()
        });
        if let Some(error) = stopped.filter(|_| made.is_err()) {
            return Err(error);
        }
        let made = at_name(name, self.at_moment(&create.at, made))?;
        self.session.temporary.borrow_mut().note(&self.branches, &made);
        Ok(())
    }

    pub(super) fn drop_branch(&self, if_exists: bool, name: &Name) -> Result<()> {
        let branch = match self.branches.get(&name.text) {
            Err(_) if if_exists => return Ok(()),
            other => at_name(name, other)?,
        };
        self.may(&branch, Privilege::Admin)?;
        if HeadId(branch.head) == self.head {
            // No lock, which would say that waiting helps.
            let message = format!("cannot drop the branch that is in use: {}", branch.name);
            let error = Error::new(ErrorKind::State, message).at(name.span);
            return Err(error.with_hint("USE BRANCH another one first"));
        }
        self.branches.drop_branch(&name.text)?;
        Ok(())
    }

    pub(super) fn alter(&self, name: &Name, with: &[BranchOption]) -> Result<()> {
        let branch = self.named_branch(name, Privilege::Admin)?;
        if let Some(option) = with.iter().find(|option| option.key.is("strategy")) {
            let message = "the strategy of a branch is chosen when it is made";
            let error = Error::invalid(message).at(option.key.span);
            return Err(error.with_hint("SET (read_only = true), or CREATE BRANCH another one"));
        }
        options::branch_options(with, &mut branch.options.clone())?;
        let mut outcome = Ok(());
        self.branches.set_options(&branch.name, |known| {
            // Once more, on what others may have changed meanwhile.
            outcome = options::branch_options(with, known);
            Ok(())
        })?;
        outcome
    }

    pub(super) fn use_branch(&self, name: &Name) -> Result<()> {
        let branch = self.named_branch(name, Privilege::Read)?;
        self.session.go_to_head(HeadId(branch.head))?;
        Ok(())
    }

    pub(super) fn rename(&self, from: &Name, to: &Name) -> Result<()> {
        self.named_branch(from, Privilege::Admin)?;
        at_name(to, self.branches.rename(&from.text, &to.text))?;
        Ok(())
    }

    pub(super) fn reset(&self, name: &Name, to: &PointInTime) -> Result<()> {
        self.named_branch(name, Privilege::Admin)?;
        let at = self.point(to)?;
        self.at_moment(&at, self.branches.reset(&name.text, &at))?;
        Ok(())
    }

    pub(super) fn tag(&self, branch: &Name, tag: &Name, as_of: Option<&PointInTime>) -> Result<()> {
        self.named_branch(branch, Privilege::Write)?;
        let at = as_of.map_or(Ok(Point::Now), |time| self.point(time))?;
        let made = self.branches.tag(&branch.text, &tag.text, &at, "");
        at_name(tag, self.at_moment(&at, made))?;
        Ok(())
    }

    pub(super) fn drop_tag(&self, if_exists: bool, name: &Name) -> Result<()> {
        let tag = match self.branches.with(|state| state.tag(&name.text).cloned())? {
            Err(_) if if_exists => return Ok(()),
            other => at_name(name, other)?,
        };
        match self.branches.with(|state| state.branch_of_tag(&tag).cloned())? {
            Some(branch) => {
                self.check_tag(&tag)?;
                self.may(&branch, Privilege::Admin)?;
            }
            None => self.owner("drop a tag whose branch is gone")?,
        }
        self.branches.drop_tag(&name.text)?;
        Ok(())
    }
}
