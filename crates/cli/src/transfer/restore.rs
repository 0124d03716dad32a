//! Backups put back: as a database of their own, or as the content of the branch that is open.
//!
//! What is open is never replaced as a file: its other branches, tags and history are worth more
//! than that. The backup becomes a database in a folder of its own, which is attached, and one
//! transaction makes the current branch hold what it holds: all of it or nothing, and a commit
//! that can be undone like any other. Tables and indexes whose definition is the same are kept,
//! so that later merges know them. Neighbours: `dump` knows the order of things.

use std::path::PathBuf;

use super::dump::rowid_of;
use super::import::in_transaction;
use crate::failure::{Failure, Outcome};
use crate::interrupt;
use crate::output::quote::{identifier, literal};
use crate::progress::Progress;
use crate::shell::{Shell, columns_of};

/// What the backup is attached as.
const AS: &str = "pando_restored";

/// Makes a new database of a backup and its increments.
pub(crate) fn restore_to(shell: &mut Shell, backups: &[String], target: &str) -> Outcome {
    let commit = restore(shell, backups, target)?;
    shell.say(format_args!("Restored '{target}': up to transaction {commit}"))
}

fn restore(shell: &Shell, backups: &[String], target: &str) -> Outcome<u64> {
    let progress = Progress::items(shell, "restoring", None);
    let mut done = 0;
    let _guard = interrupt::Guard::new(shell.connection.interrupt_handle());
    let restored = pandodb::restore_with(backups, target, |handled| {
        progress.advance(handled.saturating_sub(done));
        done = handled;
        !interrupt::was_pressed()
    });
    progress.finish();
    let restored = restored.map_err(|error| {
        let is_order = error.message().contains("chain");
        let failure = Failure::from(error);
        if !is_order {
            return failure;
        }
        failure.with_hint("the full backup comes first, then its increments in their order")
    })?;
    Ok(restored.commit)
}

/// Makes the current branch hold what the first branch of a backup holds.
pub(crate) fn restore_here(shell: &mut Shell, backup: &str) -> Outcome {
    if !shell.connection.is_autocommit() {
        return Err(Failure::statement("a restore is a transaction of its own")
            .with_hint("COMMIT or ROLLBACK first"));
    }
    let folder = Folder::new()?;
    let file = folder.0.join("restored.pando").to_string_lossy().into_owned();
    let commit = restore(shell, &[backup.to_owned()], &file)?;
    let path = literal(pandodb::ValueRef::Text(file.as_bytes()));
    let keys: i64 =
        shell.connection.pragma_query_value("foreign_keys", |row| row.get::<_, i64>(0))?;
    shell.execute(&format!("ATTACH {path} AS {AS}; PRAGMA foreign_keys = OFF"))?;
    let outcome = in_transaction(shell, take_over);
    shell.execute(&format!("PRAGMA foreign_keys = {keys}; DETACH {AS}"))?;
    outcome?;
    let branch = shell.connection.current_branch();
    shell.say(format_args!(
        "Restored branch {branch} from '{backup}': up to transaction {commit} of the backup"
    ))
}

/// A row of a schema.
#[derive(Clone, PartialEq)]
struct Object {
    kind: String,
    name: String,
    sql: String,
}

impl Object {
    fn is(&self, kind: &str) -> bool {
        self.kind == kind && !super::dump::is_internal(&self.name)
    }
}

fn objects(shell: &Shell, schema: &str) -> Outcome<Vec<Object>> {
    let sql = format!(
        "SELECT type, name, sql FROM {schema}.sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid"
    );
    let mut statement = shell.connection.prepare(&sql)?;
    let rows = statement.query_map((), |row| {
        Ok(Object { kind: row.get(0)?, name: row.get(1)?, sql: row.get(2)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn take_over(shell: &mut Shell) -> Outcome {
    let (old, new) = (objects(shell, "main")?, objects(shell, AS)?);
    // Triggers would run, so that none is kept.
    let is_kept = |object: &Object| object.kind != "trigger" && new.contains(object);
    for kind in ["trigger", "view", "index", "table"] {
        for object in old.iter().filter(|object| object.is(kind) && !is_kept(object)) {
            shell.execute(&format!("DROP {kind} main.{}", identifier(&object.name)))?;
        }
    }
    let is_there = |object: &Object| object.kind != "trigger" && old.contains(object);
    for object in new.iter().filter(|object| object.is("table")) {
        if is_there(object) {
            shell.execute(&format!("DELETE FROM main.{}", identifier(&object.name)))?;
        } else {
            shell.execute(&object.sql)?;
        }
        copy_rows(shell, &object.name)?;
    }
    let has = |objects: &[Object], name: &str| {
        objects.iter().any(|object| object.name.eq_ignore_ascii_case(name))
    };
    if has(&new, "sqlite_sequence") {
        // Numbers that were given once are not given again, on no branch.
        shell.execute(&format!(
            "UPDATE main.sqlite_sequence AS own SET seq = max(own.seq, coalesce((SELECT theirs.seq \
             FROM {AS}.sqlite_sequence AS theirs WHERE theirs.name = own.name), 0)); \
             INSERT INTO main.sqlite_sequence SELECT name, seq FROM {AS}.sqlite_sequence \
             WHERE name NOT IN (SELECT name FROM main.sqlite_sequence)"
        ))?;
    }
    for kind in ["index", "view", "trigger"] {
        for object in new.iter().filter(|object| object.is(kind) && !is_there(object)) {
            shell.execute(&object.sql)?;
        }
    }
    if has(&new, "sqlite_stat1") {
        shell.execute("ANALYZE main; DELETE FROM main.sqlite_stat1")?;
        copy_rows(shell, "sqlite_stat1")?;
    }
    for pragma in ["user_version", "application_id"] {
        let sql = format!("PRAGMA {AS}.{pragma}");
        let number: i64 = shell.connection.query_row(&sql, (), |row| row.get(0))?;
        shell.execute(&format!("PRAGMA main.{pragma} = {number}"))?;
    }
    Ok(())
}

fn copy_rows(shell: &Shell, table: &str) -> Outcome {
    let columns = columns_of(&shell.connection, Some(AS), table)?;
    let columns = columns.iter().filter(|column| !column.is_computed);
    let mut names: Vec<_> = columns.map(|column| identifier(&column.name)).collect();
    names.splice(..0, rowid_of(shell, AS, table)?.map(std::borrow::Cow::Borrowed));
    let (names, table) = (names.join(", "), identifier(table));
    shell.execute(&format!("INSERT INTO main.{table}({names}) SELECT {names} FROM {AS}.{table}"))
}

/// A folder for the database that a backup becomes; gone with this.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Outcome<Self> {
        let path = std::env::temp_dir().join(format!("pando-restore-{}", std::process::id()));
        std::fs::create_dir(&path)
            .map_err(|error| Failure::file("create", path.to_string_lossy(), &error))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // It lies where the system clears away what is left.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
