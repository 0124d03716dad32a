//! A row that a merge gave another rowid is the same row in the next one.
//!
//! Both sides give one rowid to rows of their own; once they are merged the source goes on with its
//! row. A first merge that meets conflicts proves nothing. Where a key is declared beside the rowid
//! the source's row has none, and the target's row may have one. Neighbours: `laws` has the others.

use pandodb_qp::{Error, ErrorKind};

use crate::laws::{Checked, Pair, broken, failed};
use crate::statement::Catalog;
use crate::world::World;

/// A rowid that no script gives.
const ROWID: u32 = 1000;

/// Tries it with every table of the source.
pub(crate) fn check(world: &mut World, pair: Pair<'_>) -> Checked {
    let read = |error: Error| failed("reading the catalog", &error);
    world.go(pair.source).map_err(read)?;
    let catalog = Catalog::of(world).map_err(read)?;
    for (table, columns) in &catalog.tables {
        // One column of each: the rows are what counts.
        let key = columns.iter().find(|column| column.is_key).map(|column| column.name.as_str());
        let mut columns = columns.iter().filter(|column| !column.is_key && !column.is_generated);
        let Some(column) = columns.next() else { continue };
        for key in key.map(Some).into_iter().chain([None]) {
            let made = |error: Error| failed("making a branch", &error);
            let source = world.branch_of(pair.source).map_err(made)?;
            let target = world.branch_of(pair.target).map_err(made)?;
            let row = Row { table, column: &column.name, key };
            let told = row.told(world, &source, &target).unwrap_or_default();
            world.drop_branch(&source).map_err(made)?;
            world.drop_branch(&target).map_err(made)?;
            if let Some(how) = told {
                return broken("a renumbered row is the same row", how);
            }
        }
    }
    Ok(())
}

/// Where marks are written.
struct Row<'r> {
    table: &'r str,
    column: &'r str,
    /// The key column that the target's row has a value in.
    key: Option<&'r str>,
}

impl Row<'_> {
    /// What is wrong; an error where the rows cannot be there or the branches cannot be merged.
    fn told(&self, world: &mut World, source: &str, target: &str) -> Result<Option<String>, Error> {
        let Self { table, column, key } = self;
        for (branch, mark) in [(source, "of source"), (target, "of target")] {
            world.go(branch)?;
            let key = key.filter(|_| branch == target);
            let (name, value) = key.map(|key| (format!(", {key}"), ", 77")).unwrap_or_default();
            let values = format!("VALUES ({ROWID}, '{mark}'{value})");
            world.rows(&format!("INSERT INTO {table}(rowid, {column}{name}) {values}"))?;
            if self.find(world, mark)? != [ROWID.to_string()] {
                return Ok(None);
            }
        }
        let merge = format!("MERGE BRANCH {source} INTO {target}");
        world.rows(&format!("{merge} WITH (conflict_resolution = 'renumber')"))?;
        let (own, taken) = (self.find(world, "of target")?, self.find(world, "of source")?);
        if own.len() != 1 || taken.len() != 1 {
            return Ok(None);
        }
        world.go(source)?;
        world.rows(&format!("UPDATE {table} SET {column} = 'later' WHERE rowid = {ROWID}"))?;
        let is_there = self.find(world, "later")? == [ROWID.to_string()];
        world.go(target)?;
        match world.rows(&merge) {
            // The target has done nothing since: only what the row itself breaks stands in the way.
            Err(error)
                if error.kind() == ErrorKind::MergeConflict
                    && !error.to_string().contains("constraint") =>
            {
                return Ok(Some(format!("{table}.{column}: {error}")));
            }
            done => done?,
        };
        let found = (self.find(world, "of target")?, self.find(world, "later")?);
        let is_same = !is_there || found == (own, taken);
        Ok((!is_same).then(|| format!("{source} into {target}: {table}.{column}, {found:?}")))
    }

    fn find(&self, world: &World, mark: &str) -> Result<Vec<String>, Error> {
        let Self { table, column, .. } = self;
        world.column(&format!("SELECT rowid FROM {table} WHERE {column} = '{mark}'"))
    }
}
