//! Data in and out: import, export, dump, backup.
//!
//! Both the dot commands and the verbs end here. Everything streams: files of any size are read
//! and written row by row. Neighbours: `records` reads files, `detect` chooses types, `dump`
//! writes SQL, `recover` what a damaged database still has of it.

mod csv;
mod detect;
mod digest;
mod dump;
mod export;
mod import;
mod json;
pub(crate) mod program;
mod records;
mod recover;
mod restore;
mod sqlite;

#[cfg(test)]
mod tests;

pub(crate) use crate::arguments::Format;
pub(crate) use digest::{Digest, digest};
pub(crate) use dump::{Dump, dump, dump_to_sink};
pub(crate) use export::{dump_to_file, export};
pub(crate) use import::{Import, import};
pub(crate) use json::{Json, object};
pub(crate) use recover::recover;
pub(crate) use restore::{restore_here, restore_to};

use std::path::Path;

use crate::failure::{Failure, Outcome};
use crate::interrupt;
use crate::shell::Shell;

impl Format {
    /// The format of this name.
    pub(crate) fn find(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "csv" => Some(Self::Csv),
            "tsv" | "tab" => Some(Self::Tsv),
            "ascii" => Some(Self::Ascii),
            "json" => Some(Self::Json),
            "jsonl" | "ndjson" => Some(Self::Jsonl),
            "sql" => Some(Self::Sql),
            "sqlite" | "sqlite3" | "db" | "db3" => Some(Self::Sqlite),
            _ => None,
        }
    }

    /// What a file whose ending says nothing is taken for; formats of others are refused, for
    /// nobody means values with commas by them.
    pub(crate) fn of_unknown(path: &str) -> Outcome<Self> {
        const OTHERS: &[&str] =
            &["arrow", "avro", "feather", "ods", "orc", "parquet", "xls", "xlsx", "xml"];
        let ending = Path::new(path).extension().and_then(|it| it.to_str()).unwrap_or("");
        match OTHERS.iter().find(|other| ending.eq_ignore_ascii_case(other)) {
            None => Ok(Self::Csv),
            Some(other) => Err(Failure::usage(format!("files of {other} are not known here"))
                .with_hint("csv, tsv, json, jsonl, sql and sqlite are; --format says which")),
        }
    }

    /// The format that a file's ending stands for.
    pub(crate) fn of_path(path: &str) -> Option<Self> {
        // Text files may be called so.
        Self::find(Path::new(path).extension()?.to_str()?).filter(|format| *format != Self::Ascii)
    }
}

/// Writes a backup: full, or (with a base) of what is not in an earlier one.
pub(crate) fn backup(shell: &mut Shell, file: &str, base: Option<&str>) -> Outcome {
    let database = shell.connection.database();
    let mut backup = match base {
        Some(base) => database.start_incremental_backup(base, file)?,
        None => database.start_backup(file)?,
    };
    let expected = backup.progress().bytes_expected;
    let _guard = interrupt::Guard::new(shell.connection.interrupt_handle());
    let progress = crate::progress::Progress::bytes(shell, "backing up", Some(expected));
    let mut done = 0;
    loop {
        interrupt::check()?;
        let now = backup.next(256)?;
        progress.advance(now.bytes.saturating_sub(done));
        done = now.bytes;
        if now.is_done {
            break;
        }
    }
    progress.finish();
    let info = backup.close()?;
    let kind = if info.is_full { "" } else { " (incremental)" };
    shell.say(format_args!("Backed up to '{file}'{kind}: up to transaction {}", info.commit))
}
