//! Data in and out: import, export, dump, backup.
//!
//! Both the dot commands and the verbs end here. Everything streams: files of any size are read
//! and written row by row. Neighbours: `records` reads files, `detect` chooses types, `dump`
//! writes SQL.

mod csv;
mod detect;
mod dump;
mod export;
mod import;
mod json;
mod records;
mod sqlite;

#[cfg(test)]
mod tests;

pub(crate) use crate::arguments::Format;
pub(crate) use dump::{Dump, dump, dump_to_sink};
pub(crate) use export::export;
pub(crate) use import::{Import, import};
pub(crate) use json::{Json, object};

use std::path::Path;

use pandodb::ValueRef;

use crate::failure::Outcome;
use crate::output::quote;
use crate::shell::Shell;

impl Format {
    /// The format of this name.
    pub(crate) fn find(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "csv" => Some(Self::Csv),
            "tsv" | "tab" => Some(Self::Tsv),
            "json" => Some(Self::Json),
            "jsonl" | "ndjson" => Some(Self::Jsonl),
            "sql" => Some(Self::Sql),
            "sqlite" | "sqlite3" | "db" | "db3" => Some(Self::Sqlite),
            _ => None,
        }
    }

    /// The format that a file's ending stands for.
    pub(crate) fn of_path(path: &str) -> Option<Self> {
        Self::find(Path::new(path).extension()?.to_str()?)
    }
}

/// Writes a backup.
pub(crate) fn backup(shell: &mut Shell, file: &str, incremental: bool) -> Outcome {
    let kind = if incremental { "INCREMENTAL" } else { "DATABASE" };
    let file = quote::literal(ValueRef::Text(file.as_bytes()));
    let progress = crate::progress::Progress::bytes(shell, "backing up", None);
    let outcome = shell.execute(&format!("BACKUP {kind} TO {file}"));
    progress.finish();
    outcome?;
    shell.say(format_args!("Backed up to {file}"))
}

/// Puts a backup back.
pub(crate) fn restore(shell: &mut Shell, file: &str) -> Outcome {
    let file = quote::literal(ValueRef::Text(file.as_bytes()));
    let progress = crate::progress::Progress::bytes(shell, "restoring", None);
    let outcome = shell.execute(&format!("RESTORE DATABASE FROM {file}"));
    progress.finish();
    outcome?;
    shell.say(format_args!("Restored from {file}"))
}
