//! Whether the first branch may be written to, without a look at the others.
//!
//! A session begins on the first branch, and there may be ten thousand more: who only writes there
//! need not have all records read. Neighbours: `life` asks the same of any branch once they are.

use pandodb_ds::sync::Mutex;
use pandodb_tm::{BeginOptions, CommitId, HeadId, MAIN, Manager};

use super::life::check_not_read_only;
use super::records::{Branch, Kind, decode, number_key};
use super::{NOTE_SYSTEM, RECORDS};
use crate::error::Result;

/// What is known of the first branch.
#[derive(Debug, Default)]
pub struct FirstBranch {
    /// The system head, and its commit when the branch was last found writable.
    writable_at: Mutex<Option<(HeadId, CommitId)>>,
}

impl FirstBranch {
    /// Refuses a first branch that cannot be written to. Whether it was found at all: where it
    /// was not, the registry has to be opened to know.
    pub fn check_writable(&self, manager: &Manager) -> Result<bool> {
        let mut known = self.writable_at.lock();
        if let Some((system, commit)) = *known
            && manager.head(system)?.commit == commit
        {
            return Ok(true);
        }
        let Some(system) = manager.first_head_with(NOTE_SYSTEM)? else { return Ok(false) };
        let reader = manager.begin(system, BeginOptions::read_only())?;
        if reader.tree_kind(RECORDS).is_none() {
            return Ok(false);
        }
        let row = reader.get(RECORDS, &number_key(Kind::Branch, 1))?;
        let branch: Option<Branch> = row.as_deref().map(decode).transpose()?;
        let Some(branch) = branch.filter(|branch| branch.head == MAIN.0) else { return Ok(false) };
        check_not_read_only(&branch)?;
        *known = Some((system, reader.base_commit()));
        Ok(true)
    }
}
