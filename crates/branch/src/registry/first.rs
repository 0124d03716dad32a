//! The first branch's name, and whether it may be written to, without a look at the others.
//!
//! A session begins on the first branch, and there may be ten thousand more: who only works there
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
    /// The system head, its commit when the record was read, and the record.
    known: Mutex<Option<(HeadId, CommitId, Branch)>>,
}

impl FirstBranch {
    /// Refuses a first branch that cannot be written to. Whether it was found at all: where it
    /// was not, the registry has to be opened to know.
    pub fn check_writable(&self, manager: &Manager) -> Result<bool> {
        let checked = self.with(manager, check_not_read_only)?;
        checked.transpose().map(|found| found.is_some())
    }

    /// What it is called; nothing where the registry has to be opened to know.
    pub fn name(&self, manager: &Manager) -> Result<Option<String>> {
        self.with(manager, |branch| branch.name.clone())
    }

    fn with<T>(&self, manager: &Manager, ask: impl FnOnce(&Branch) -> T) -> Result<Option<T>> {
        let mut known = self.known.lock();
        if let Some((system, commit, branch)) = &*known
            && manager.head(*system)?.commit == *commit
        {
            return Ok(Some(ask(branch)));
        }
        let Some(system) = manager.first_head_with(NOTE_SYSTEM)? else { return Ok(None) };
        let reader = manager.begin(system, BeginOptions::read_only())?;
        if reader.tree_kind(RECORDS).is_none() {
            return Ok(None);
        }
        let row = reader.get(RECORDS, &number_key(Kind::Branch, 1))?;
        let branch: Option<Branch> = row.as_deref().map(decode).transpose()?;
        let Some(branch) = branch.filter(|branch| branch.head == MAIN.0) else { return Ok(None) };
        let answer = ask(&branch);
        *known = Some((system, reader.base_commit(), branch));
        Ok(Some(answer))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use std::path::Path;

    use pandodb_ds::sync::Arc;
    use pandodb_ds::vfs::{SimVfs, Vfs};
    use pandodb_tm::{Manager, Options};

    use super::FirstBranch;
    use crate::registry::{BranchOptions, Branches, CreateBranch, Point};

    #[test]
    fn the_name_is_known_before_the_registry_is_read_and_follows_a_rename() {
        let vfs: Arc<dyn Vfs> = Arc::new(SimVfs::new(5));
        let open = || Manager::open(&vfs, Path::new("a.pando"), &Options::default()).unwrap();
        let first = FirstBranch::default();
        let manager = Arc::new(open());
        // Nobody asked for branches yet: there are no records.
        assert_eq!(first.name(&manager).unwrap(), None);
        let branches = Branches::open(Arc::clone(&manager)).unwrap();
        let dev = CreateBranch {
            name: "dev".into(),
            parent: "main".into(),
            at: Point::Now,
            options: BranchOptions::default(),
        };
        branches.create(&dev).unwrap();
        assert_eq!(first.name(&manager).unwrap().as_deref(), Some("main"));
        branches.rename("main", "trunk").unwrap();
        assert_eq!(first.name(&manager).unwrap().as_deref(), Some("trunk"));
        assert!(first.check_writable(&manager).unwrap());
        drop((branches, manager));
        let manager = open();
        assert_eq!(FirstBranch::default().name(&manager).unwrap().as_deref(), Some("trunk"));
    }
}
