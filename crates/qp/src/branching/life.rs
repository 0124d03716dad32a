//! CREATE, DROP, ALTER, USE: what branches there are and which one the session is on.
//!
//! Neighbours: `options` reads WITH.

use pandodb_branch::registry::{BranchOptions, CreateBranch, Point};
use pandodb_tm::HeadId;

use super::{Work, options, point};
use crate::ast::{BranchOption, Name, PointInTime};
use crate::catalog::DatabaseIndex;
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
        let mut branch_options = BranchOptions::default();
        options::branch_options(with, &mut branch_options)?;
        let create = CreateBranch {
            name: name.text.to_string(),
            parent: self.name_or_current(parent)?,
            at: as_of.map_or(Ok(Point::Now), |time| point(self.session, time))?,
            options: branch_options,
        };
        self.branches.create(&create)?;
        Ok(())
    }

    pub(super) fn drop_branch(&self, if_exists: bool, name: &Name) -> Result<()> {
        let branch = match self.branches.get(&name.text) {
            Err(_) if if_exists => return Ok(()),
            other => other?,
        };
        if HeadId(branch.head) == self.head {
            let message = format!("cannot drop the branch that is in use: {}", branch.name);
            let error = Error::new(ErrorKind::Locked, message).at(name.span);
            return Err(error.with_hint("USE BRANCH another one first"));
        }
        self.branches.drop_branch(&name.text)?;
        Ok(())
    }

    pub(super) fn alter(&self, name: &Name, with: &[BranchOption]) -> Result<()> {
        let mut changed = self.branches.get(&name.text)?.options;
        options::branch_options(with, &mut changed)?;
        self.branches.set_options(&name.text, |known| {
            *known = changed;
            Ok(())
        })?;
        Ok(())
    }

    pub(super) fn use_branch(&self, name: &Name) -> Result<()> {
        let head = self.branches.head(&name.text)?;
        self.session.use_head(DatabaseIndex::MAIN, head);
        Ok(())
    }

    pub(super) fn drop_tag(&self, if_exists: bool, name: &Name) -> Result<()> {
        if if_exists && self.branches.with(|state| state.tag(&name.text).is_err())? {
            return Ok(());
        }
        self.branches.drop_tag(&name.text)?;
        Ok(())
    }
}
