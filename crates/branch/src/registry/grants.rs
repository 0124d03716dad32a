//! Who may do what with a branch.
//!
//! A connection without a user is the owner and may do everything. A user needs a grant, or to
//! be the branch's owner. Neighbours: the SQL layer asks before each statement.

use super::records::{Branch, BranchId, Kind, key};
use super::{Branches, State};
use crate::error::{Error, ErrorKind, Result};

/// What may be done with a branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Privilege {
    /// Queries.
    Read,
    /// Changes.
    Write,
    /// Merges into it.
    Merge,
    /// Everything else: rename, reset, drop, options, grants.
    Admin,
}

impl Privilege {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Read, Self::Write, Self::Merge, Self::Admin];

    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "READ",
            Self::Write => "WRITE",
            Self::Merge => "MERGE",
            Self::Admin => "ADMIN",
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Read => 1,
            Self::Write => 2,
            Self::Merge => 4,
            Self::Admin => 8,
        }
    }
}

impl State {
    /// Whether anybody is named: a user who was granted something, or who made a branch.
    pub fn names_users(&self) -> bool {
        !self.grants.is_empty() || self.branches().any(|branch| !branch.options.owner.is_empty())
    }

    /// The grants of a branch: users with what they may do.
    pub fn grants(&self, branch: BranchId) -> Vec<(&str, Vec<Privilege>)> {
        let grants = self.grants.iter().filter(|((id, _), _)| *id == branch);
        let grants = grants.map(|((_, user), bits)| {
            let held = Privilege::ALL.into_iter().filter(|it| bits & it.bit() != 0);
            (user.as_str(), held.collect())
        });
        grants.collect()
    }
}

impl Branches {
    /// Lets a user do something with a branch.
    pub fn grant(&self, privileges: &[Privilege], branch: &str, user: &str) -> Result<()> {
        self.change_grant(branch, user, |bits| {
            privileges.iter().fold(bits, |bits, privilege| bits | privilege.bit())
        })
    }

    /// Takes that back.
    pub fn revoke(&self, privileges: &[Privilege], branch: &str, user: &str) -> Result<()> {
        self.change_grant(branch, user, |bits| {
            privileges.iter().fold(bits, |bits, privilege| bits & !privilege.bit())
        })
    }

    fn change_grant(&self, branch: &str, user: &str, change_bits: impl Fn(u8) -> u8) -> Result<()> {
        if user.is_empty() || user.chars().any(char::is_control) {
            let message = "a user's name is not empty and has no control characters";
            return Err(Error::new(ErrorKind::InvalidName, message));
        }
        let branch = self.get(branch)?;
        self.update(|change| {
            let held = self.state.lock().grants.get(&(branch.id, user.to_owned())).copied();
            let bits = change_bits(held.unwrap_or(0));
            let mut rest = branch.id.0.to_be_bytes().to_vec();
            rest.extend_from_slice(user.as_bytes());
            let row = key(Kind::Grant, &rest);
            if bits == 0 { change.delete(row) } else { change.put(row, &bits) }
        })
    }

    /// Whether a user may do something with a branch; no user is the owner of everything.
    pub fn check_privilege(
        &self,
        user: Option<&str>,
        branch: &Branch,
        privilege: Privilege,
    ) -> Result<()> {
        let Some(user) = user else { return Ok(()) };
        if branch.options.owner == user {
            return Ok(());
        }
        let bits = self
            .with(|state| state.grants.get(&(branch.id, user.to_owned())).copied().unwrap_or(0))?;
        // Who may administer may do all; who may write or merge may read.
        let is_held = bits & privilege.bit() != 0
            || bits & Privilege::Admin.bit() != 0
            || (privilege == Privilege::Read && bits != 0);
        if is_held {
            return Ok(());
        }
        let word = privilege.as_str();
        let shown: String = user.chars().take(80).flat_map(char::escape_debug).collect();
        let message = format!("user '{shown}' may not {word} the branch '{}'", branch.name);
        let hint = format!("GRANT {word} ON BRANCH {} TO {shown}", branch.name);
        Err(Error::new(ErrorKind::Permission, message).with_hint(hint))
    }
}
