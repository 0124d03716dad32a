//! VACUUM and VACUUM INTO.
//!
//! VACUUM INTO writes a compacted copy of a database, all its branches included, into a new file
//! while readers and writers go on. VACUUM gives back what the open file does not need.
//! Neighbours: `attach`, the storage layer's `compact`.

use std::path::Path;

use pandodb_branch::registry::{Branches, kept_settings};
use pandodb_ds::compact::copy_to;
use pandodb_ds::record::Value;
use pandodb_ds::sync::Arc;
use pandodb_ds::vfs::{OpenMode, OsVfs, Vfs};
use pandodb_tm::{BeginOptions, CheckpointMode, Manager, check_no_log};

use crate::ast;
use crate::branching::access::check_owner;
use crate::catalog::DatabaseIndex;
use crate::error::{Error, ErrorKind, Result};
use crate::session::Session;
use crate::session::attach::check_is_path;
use crate::store::{Database, MAIN};

impl Session {
    pub(super) fn vacuum_statement(
        &self,
        vacuum: &ast::Vacuum,
        parameters: &[Value],
    ) -> Result<Vec<Vec<Value>>> {
        let index = match &vacuum.schema {
            Some(name) => self.database_named(name)?,
            None => DatabaseIndex::MAIN,
        };
        check_owner(self, index, "VACUUM: it touches all branches")?;
        if !self.is_autocommit() {
            return Err(Error::invalid("cannot VACUUM from within a transaction"));
        }
        let (database, _) = self.database(index)?;
        let Some(into) = &vacuum.into else {
            self.check_may_change()?;
            shrink(&database)?;
            return Ok(Vec::new());
        };
        let Value::Text(path) = self.value_of(into, parameters)? else {
            return Err(Error::invalid("non-text filename").at(into.span));
        };
        let path = String::from_utf8_lossy(&path).into_owned();
        if path.is_empty() {
            // A temporary file that is gone again, as in SQLite.
            return Ok(Vec::new());
        }
        check_is_path(&path)?;
        self.copy_database(&database, Path::new(&path)).map_err(|error| match error.kind() {
            ErrorKind::CannotOpen if error.message().contains("there already") => {
                Error::invalid("output file already exists").caused_by(error)
            }
            _ => error,
        })?;
        Ok(Vec::new())
    }

    fn copy_database(&self, database: &Database, path: &Path) -> Result<()> {
        let manager = database.manager();
        let files = files_of(database);
        make_room(&*files, path)?;
        check_no_log(&*files, path)?;
        if manager.is_in_memory() {
            return copy_from_memory(database, path);
        }
        database.settle_pages()?;
        self.stoppable(|goes_on| copy_to(manager.store(), path, goes_on))?;
        Ok(())
    }
}

/// Removes a file without a byte, which a copy may take the place of, as in SQLite.
fn make_room(files: &dyn Vfs, path: &Path) -> Result<()> {
    if files.exists(path)? && files.open(path, OpenMode::Read)?.len()? == 0 {
        files.remove(path)?;
    }
    Ok(())
}

/// Where files are that SQL names: beside a database's own, or, for one in memory, the system's.
pub(in crate::session) fn files_of(database: &Database) -> Arc<dyn Vfs> {
    if database.manager().is_in_memory() {
        Arc::new(OsVfs::new())
    } else {
        Arc::clone(database.manager().store().vfs())
    }
}

/// Pages that one step of shrinking moves, at most: what is held in memory for it.
const STEP_BYTES: u64 = 16 * 1024 * 1024;

/// Gives back what the file does not need, while others read and write: the end of the file is
/// emptied step by step until two in a row gain nothing.
fn shrink(database: &Database) -> Result<()> {
    let manager = database.manager();
    if manager.is_in_memory() {
        return Ok(());
    }
    // The first frees what the log still held, the second cuts the end of the file off.
    manager.checkpoint(CheckpointMode::Full)?;
    let mut vain = 0;
    while vain < 2
        && let Some(step) = manager.shrink(STEP_BYTES)?
    {
        vain = if step.bytes_after < step.bytes_before { 0 } else { vain + 1 };
    }
    manager.checkpoint(CheckpointMode::Truncate)?;
    Ok(())
}

/// A database in memory has no pages that could be copied: its trees are, entry by entry.
fn copy_from_memory(database: &Database, path: &Path) -> Result<()> {
    let vfs = files_of(database);
    if vfs.exists(path)? {
        return Err(Error::invalid("output file already exists"));
    }
    let target = Manager::open(&vfs, path, &database.options_beside())?;
    let source = database.begin(MAIN, BeginOptions::read_only())?;
    let mut writer = target.begin(MAIN, BeginOptions::default())?;
    for tree in source.inner()?.forest().ids() {
        let Some(kind) = source.inner()?.tree_kind(tree) else { continue };
        writer.create_tree(tree, kind)?;
        let mut cursor = source.cursor(tree)?;
        let mut more = cursor.first()?;
        while more {
            writer.put(tree, cursor.key(), cursor.value()?)?;
            more = cursor.next()?;
        }
    }
    writer.commit()?;
    let kept = kept_settings(database.manager())?;
    let target = Arc::new(target);
    if !kept.is_empty() {
        Branches::open(Arc::clone(&target))?.keep_settings(&kept)?;
    }
    match Arc::into_inner(target) {
        Some(target) => Ok(target.close()?),
        None => Err(Error::new(ErrorKind::Internal, "a new file is in use before it is there")),
    }
}
