//! A table or the rows of a query into a file.
//!
//! Neighbours: `output` has the notations, `dump` the whole database.

use std::io::Write;

use super::{Dump, Format, dump, sqlite};
use crate::failure::{Failure, Outcome};
use crate::language::{Kind, tokens};
use crate::output::own::Replaced;
use crate::output::sink::Sink;
use crate::output::{Mode, Settings, quote};
use crate::progress::Progress;
use crate::shell::Shell;

/// Writes a table or a query's rows; `-` is standard output.
pub(crate) fn export(shell: &mut Shell, file: &str, what: &str, format: Option<Format>) -> Outcome {
    let format = match format.or_else(|| Format::of_path(file)) {
        Some(format) => format,
        None => Format::of_unknown(file)?,
    };
    if what.is_empty() {
        return whole_database(shell, file, format);
    }
    let mut settings = Settings::new(match format {
        Format::Csv => Mode::Csv,
        Format::Tsv => Mode::Tsv,
        Format::Ascii => Mode::Ascii,
        Format::Json => Mode::Json,
        Format::Jsonl => Mode::Jsonl,
        Format::Sql => Mode::Insert,
        Format::Sqlite => {
            return Err(Failure::usage("a SQLite file holds a whole database, not one table")
                .with_hint("leave the table out"));
        }
    });
    // Names are what makes a file of values mean something.
    settings.headers = Some(true);
    what.clone_into(&mut settings.insert_table);
    let is_query = is_query(what);
    let sql = if is_query {
        what.to_owned()
    } else {
        format!("SELECT * FROM {}", quote::identifier(what))
    };
    if is_query {
        "table".clone_into(&mut settings.insert_table);
    }
    // A mistake in it is found before anything of the file is touched.
    shell.connection.prepare(&sql)?;
    let (sink, target) = open(shell, file)?;
    let outer_sink = std::mem::replace(&mut shell.sink, sink);
    let outer_settings = std::mem::replace(&mut shell.settings, settings);
    let progress = (file != "-").then(|| Progress::rows(shell, "exporting"));
    let outcome = shell.show_query(&sql, &[]);
    if let Some(progress) = progress {
        progress.end(shell);
    }
    shell.settings = outer_settings;
    let written = std::mem::replace(&mut shell.sink, outer_sink);
    let closed = written.close();
    outcome?;
    closed?;
    target.keep()
}

fn whole_database(shell: &mut Shell, file: &str, format: Format) -> Outcome {
    match format {
        Format::Sql => dump_to_file(shell, &Dump::default(), file),
        Format::Sqlite => sqlite::export(shell, file),
        _ => Err(Failure::usage("which table? this format holds one").with_hint(
            "name a table or a query, or export to a file that ends in .sql or .sqlite",
        )),
    }
}

/// Writes a dump; `-` is standard output.
pub(crate) fn dump_to_file(shell: &mut Shell, what: &Dump, file: &str) -> Outcome {
    let (mut sink, target) = open(shell, file)?;
    dump(shell, what, &mut sink)?;
    sink.flush()?;
    sink.close()?;
    target.keep()
}

fn open(shell: &Shell, file: &str) -> Outcome<(Sink, Replaced)> {
    if matches!(file, "-" | "/dev/stdout") {
        return Ok((Sink::screen(), Replaced::default()));
    }
    Replaced::begin(&shell.connection, file)
}

/// Whether a text is a query rather than the name of a table.
fn is_query(text: &str) -> bool {
    let words = tokens(text);
    let mut words = words.iter().filter(|t| !matches!(t.kind, Kind::Space | Kind::Comment));
    let first = words.next().map_or("", |token| &text[token.range.clone()]);
    let begins = ["SELECT", "WITH", "VALUES", "PRAGMA", "SHOW", "EXPLAIN"];
    words.next().is_some() && begins.iter().any(|word| first.eq_ignore_ascii_case(word))
}
