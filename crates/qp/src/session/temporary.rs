//! Temporary branches: they go with the session that made them.
//!
//! A process that dies leaves them to whoever opens the database next. Neighbours:
//! `branching::life` makes them, the branch crate's `registry::anchors` sweeps what was left.

use pandodb_branch::registry::{Branch, BranchId, Branches};

/// What a session drops when it ends.
#[derive(Debug, Default)]
pub(crate) struct TemporaryBranches(Vec<(Branches, BranchId)>);

impl TemporaryBranches {
    /// Notes a branch that was just made, if it is temporary.
    pub(crate) fn note(&mut self, branches: &Branches, made: &Branch) {
        if made.options.temporary {
            self.0.push((branches.clone(), made.id));
        }
    }
}

impl Drop for TemporaryBranches {
    fn drop(&mut self) {
        for (branches, id) in self.0.drain(..).rev() {
            // Nobody is left to be told; what stays goes when the database is opened again.
            let _ = branches.drop_temporary(id);
        }
    }
}
