//! An open database. Neighbours: `transaction` is what is begun on it.

use std::path::Path;

use pandodb_branch::registry::{Branches, FirstBranch};
use pandodb_branch::sizes::Sizes;
use pandodb_ds::format::TreeKind;
use pandodb_ds::store::StoreOptions;
use pandodb_ds::sync::atomic::Ordering;
use pandodb_ds::sync::{Arc, OnceLock};
use pandodb_ds::vfs::{Clock, Vfs};
use pandodb_tm::{BeginOptions, CheckpointMode, HeadId, MAIN, Manager, Options, Retention};

use super::settings::Shared;
use super::{CATALOG_TREE, Transaction};
use crate::error::{Error, ErrorKind, Result};

/// An open database; clones are the same one.
#[derive(Clone)]
pub struct Database {
    manager: Arc<Manager>,
    /// Opened when it is first asked for: there may be ten thousand.
    branches: Arc<OnceLock<Arc<Branches>>>,
    /// What is known of the first branch as long as they are not.
    first: Arc<FirstBranch>,
    common: Arc<Shared>,
    /// What sizes of branches were found before.
    sizes: Arc<Sizes>,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database").finish_non_exhaustive()
    }
}

impl Database {
    /// A database that lives in memory.
    pub fn in_memory() -> Result<Self> {
        Self::over(Manager::open_in_memory(&Options::default())?)
    }

    /// As [`in_memory`](Self::in_memory) for what nobody asks about its past: it keeps none.
    pub fn temporary() -> Result<Self> {
        let options = Options { history: Retention::NOTHING, ..Options::default() };
        Self::over(Manager::open_in_memory(&options)?)
    }

    /// Opens or makes the database at `path`.
    pub fn open(vfs: &Arc<dyn Vfs>, path: &Path, options: &Options) -> Result<Self> {
        Self::over(Manager::open(vfs, path, options)?)
    }

    /// The settings of a database that is made beside this one: compressed like it.
    pub fn options_beside(&self) -> Options {
        let store = StoreOptions { codec: self.manager.pager().codec(), ..StoreOptions::default() };
        Options { store, ..Options::default() }
    }

    /// Opens another database for a session on this one: only to be read, if this one is, and
    /// made where it is missing only with `creates`.
    pub fn open_beside(&self, vfs: &Arc<dyn Vfs>, path: &Path, creates: bool) -> Result<Self> {
        let mut options = self.options_beside();
        options.store.is_read_only = self.manager.is_read_only();
        options.store.creates = creates && !options.store.is_read_only;
        Self::open(vfs, path, &options)
    }

    /// Brings all commits into the pages of the file, for whoever copies those. What is only read
    /// cannot be brought there: a copy would be without what its log holds.
    pub fn settle_pages(&self) -> Result<()> {
        let manager = self.manager();
        if !manager.is_read_only() {
            manager.checkpoint(CheckpointMode::Full)?;
            return Ok(());
        }
        if manager.progress().staged.0 <= manager.store().log_position() {
            return Ok(());
        }
        let message = "the log has commits that are not in the file, which is opened read-only";
        Err(Error::new(ErrorKind::ReadOnly, message)
            .with_hint("open the database for writing and close it, then copy it"))
    }

    /// The database of a manager; a new one gets its catalog.
    pub fn over(manager: Manager) -> Result<Self> {
        Self::shared(Arc::new(manager))
    }

    /// As [`over`](Self::over), of a manager that others have, too.
    pub fn shared(manager: Arc<Manager>) -> Result<Self> {
        let database = Self {
            manager,
            branches: Arc::default(),
            first: Arc::default(),
            sizes: Arc::default(),
            common: Arc::default(),
        };
        let reader = database.manager.begin(MAIN, BeginOptions::read_only())?;
        let is_new = reader.tree_kind(CATALOG_TREE).is_none();
        drop(reader);
        if is_new {
            let mut writer = database.manager.begin(MAIN, BeginOptions::default())?;
            writer.create_tree(CATALOG_TREE, TreeKind::Fixed)?;
            writer.commit()?;
        }
        if !is_new {
            database.apply_kept()?;
        }
        Ok(database)
    }

    /// The branches of the database.
    pub fn branches(&self) -> Result<Arc<Branches>> {
        if let Some(known) = self.branches.get() {
            return Ok(Arc::clone(known));
        }
        let settings = self.first_settings()?;
        let opened = Arc::new(Branches::open_with(Arc::clone(&self.manager), &settings)?);
        Ok(Arc::clone(self.branches.get_or_init(|| opened)))
    }

    /// Whether the branches were asked for.
    #[cfg(test)]
    pub(crate) fn has_open_branches(&self) -> bool {
        self.branches.get().is_some()
    }

    /// Lets go of what was kept of the past for the next question about it.
    pub(crate) fn let_go_of_past(&self) {
        if let Some(branches) = self.branches.get() {
            branches.let_go();
        }
    }

    /// The branches, if there may be more than one: nothing is made for the question.
    pub fn branches_if_any(&self) -> Result<Option<Arc<Branches>>> {
        match self.branches.get() {
            Some(known) => Ok(Some(Arc::clone(known))),
            None if self.manager.head_count() < 2 => Ok(None),
            None => self.branches().map(Some),
        }
    }

    /// Lets others change the records of branches, where a transaction of the database went back
    /// to before all that it had changed of them.
    pub fn leave_records(&self, transaction: &mut Transaction) -> Result<()> {
        if let Some(branches) = self.branches.get() {
            branches.leave_records(transaction.inner_mut()?);
        }
        Ok(())
    }

    /// The sizes of branches.
    pub fn sizes(&self) -> &Sizes {
        &self.sizes
    }

    /// What the branch of a head is called; `#` and its number once it is dropped.
    pub fn branch_name(&self, head: HeadId) -> String {
        if head == MAIN
            && self.branches.get().is_none()
            && let Ok(Some(name)) = self.first.name(&self.manager)
        {
            return name;
        }
        let branches = self.branches_if_any().ok().flatten();
        let named = branches.and_then(|branches| {
            branches.with(|state| state.branch_of(head.0).map(|it| it.name.clone())).ok().flatten()
        });
        match named {
            Some(name) => name,
            None if head == MAIN => "main".to_owned(),
            None => format!("#{}", head.0),
        }
    }

    /// Whether a head is that of a branch, and not one of the engine's own.
    pub fn is_branch(&self, head: HeadId) -> Result<bool> {
        if head == MAIN {
            return Ok(true);
        }
        match self.branches_if_any()? {
            Some(branches) => Ok(branches.with(|state| state.branch_of(head.0).is_some())?),
            None => Ok(false),
        }
    }

    /// Refuses a fork: it changes nothing but itself, and a session does not leave it.
    pub(crate) fn check_no_fork(&self, head: HeadId) -> Result<()> {
        let Some(branches) = self.branches_if_any()? else { return Ok(()) };
        let is_branch = branches.with(|state| state.branch_of(head.0).is_some())?;
        // A session whose branch was dropped goes to another one.
        if is_branch || self.manager.head(head).is_err() {
            return Ok(());
        }
        Err(without_branch(self, head))
    }

    /// Refuses a head of a branch that cannot be written to.
    pub fn check_writable(&self, head: HeadId) -> Result<()> {
        match self.branches.get() {
            Some(branches) => self.check_head_writable(branches, head),
            None if self.manager.head_count() < 2 => Ok(()),
            // Sessions begin on the first branch: for that one record all are not read.
            None if head == MAIN && self.first.check_writable(&self.manager)? => Ok(()),
            None => self.check_head_writable(&*self.branches()?, head),
        }
    }

    fn check_head_writable(&self, branches: &Branches, head: HeadId) -> Result<()> {
        if !branches.check_head_writable(head)? {
            // A fork is no branch either, and neither is where the records are.
            self.manager.head(head).map_err(without_head)?;
        }
        Ok(())
    }

    /// Refuses changes of a file that has as many pages as `max_page_count` allows.
    pub fn check_room(&self) -> Result<()> {
        let most = self.common.max_pages.load(Ordering::Relaxed);
        if most == 0 {
            return Ok(());
        }
        let info = self.manager.store().info()?;
        if info.file_bytes.div_ceil(info.page_bytes) < most {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Full, "database or disk is full")
            .with_hint("PRAGMA max_page_count bounds the file"))
    }

    /// What PRAGMAs set for all sessions.
    pub fn common(&self) -> &Shared {
        &self.common
    }

    /// What runs the database's transactions.
    pub fn manager(&self) -> &Arc<Manager> {
        &self.manager
    }

    /// Begins a transaction on a head.
    pub fn begin(&self, head: HeadId, options: BeginOptions) -> Result<Transaction> {
        let inner = self.manager.begin(head, options).map_err(without_head)?;
        let begun = Transaction::new(inner, Arc::clone(self.manager.store().vfs()));
        begun.rely_on_schema(false)?;
        Ok(begun)
    }

    /// Begins a transaction on several heads, all seen at one moment; the first is the current.
    pub fn begin_many(&self, heads: &[HeadId], options: BeginOptions) -> Result<Transaction> {
        let inner = self.manager.begin_many(heads, options).map_err(without_head)?;
        let begun = Transaction::new(inner, Arc::clone(self.manager.store().vfs()));
        begun.rely_on_schema(false)?;
        Ok(begun)
    }

    /// The clock.
    pub fn clock(&self) -> Arc<dyn Clock> {
        self.manager.store().vfs().clock()
    }

    /// Sixty-four random bits.
    pub fn random(&self) -> u64 {
        let mut bytes = [0; 8];
        self.manager.store().vfs().random(&mut bytes);
        u64::from_le_bytes(bytes)
    }
}

/// Why no transaction begins: a head that is not there was that of a branch which somebody dropped
/// while a session was on it.
#[cold]
pub(super) fn without_head(error: pandodb_tm::Error) -> Error {
    if error.kind() != pandodb_tm::ErrorKind::NotFound {
        return error.into();
    }
    dropped()
}

#[cold]
fn dropped() -> Error {
    let message = "the branch of this session was dropped";
    Error::new(ErrorKind::NotFound, message).with_hint("USE BRANCH main")
}

/// Why the head of a session is no branch: it was one, or it is that of a fork.
#[cold]
pub(crate) fn without_branch(database: &Database, head: HeadId) -> Error {
    if database.manager().head(head).is_err() {
        return dropped();
    }
    let message = "a fork in memory is no branch, and changes nothing but itself";
    Error::new(ErrorKind::Unsupported, message).with_hint(
        "name a branch to read it (t@main); to change one, connect to the database itself",
    )
}
