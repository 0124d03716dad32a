//! The command line: what can be asked for, and how it is written.
//!
//! One clap command describes everything, and help, completions and manual pages are generated
//! from it. sqlite3's and duckdb's single-dash long options work because `normalise` rewrites
//! them first. Neighbours: `verbs` (the verbs), `main` (does what was asked).
#![allow(clippy::struct_excessive_bools, reason = "each flag is an option of its own")]
#![allow(clippy::doc_markdown, reason = "the comments are the help")]

mod examples;
mod normalise;
mod verbs;

pub(crate) use normalise::{no_such_verb, normalise, verb_one_slip_away};
pub(crate) use verbs::*;

use std::ffi::OsString;

use clap::{Args, Parser};

use crate::failure::{Failure, Outcome};
use crate::output::Mode;
use crate::output::escape::Escape;
use crate::terminal::ColorChoice;

const AFTER_HELP: &str = "\
Without a verb: opens FILE (`:memory:` for none) and runs the SQL given, or what standard input
holds, or a shell. With a verb the database is FILE before it, --db, or $PANDO_DB:

  pando app.pando                        a shell
  pando app.pando \"SELECT * FROM tree\"   one statement
  pando app.pando branch create dev      a verb
  pando --db app.pando log --graph       the same way
  pando check app.pando                  where a verb takes no words, FILE may follow it

Exit codes: 0 done, 1 a statement failed, 2 wrong usage, 3 conflicts, 4 busy, 5 cannot open,
6 damaged, 7 input or output failed, 130 interrupted.";

/// What the program was called with, behind its name. What is not UTF-8 is refused rather than
/// changed: it may be a name, or a value.
pub(crate) fn given() -> Outcome<Vec<String>> {
    let text = |what: String, value: OsString| {
        value.into_string().map_err(|value| {
            let shown = value.to_string_lossy().into_owned();
            Failure::usage(format!("{what} is not UTF-8: {shown}")).with_hint(
                "files need names in UTF-8; SQL in other encodings is converted with iconv",
            )
        })
    };
    if let Some(path) = std::env::var_os("PANDO_DB") {
        text("PANDO_DB".to_owned(), path)?;
    }
    let words = std::env::args_os().skip(1).enumerate();
    words.map(|(at, word)| text(format!("argument {}", at + 1), word)).collect()
}

/// A shell and Git-like verbs for PandoDB, the SQL database that branches like Git.
#[derive(Debug, Parser)]
#[command(name = "pando", version, after_help = AFTER_HELP, disable_help_subcommand = true)]
#[command(subcommand_value_name = "VERB", subcommand_help_heading = "Verbs")]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
    #[command(flatten)]
    pub(crate) shell: ShellArguments,
    /// The database file; it is created when it does not exist
    pub(crate) file: Option<String>,
    /// Statements and dot commands to run instead of a shell
    #[arg(value_name = "SQL")]
    pub(crate) sql: Vec<String>,
    #[command(subcommand)]
    pub(crate) verb: Option<Verb>,
}

/// Options that every verb takes as well.
#[derive(Debug, Args)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Global {
    /// The database file; the environment's PANDO_DB without
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) db: Option<String>,
    /// The branch to work on
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) branch: Option<String>,
    /// Open the database for reading only
    #[arg(long, global = true)]
    pub(crate) readonly: bool,
    /// The user whose rights count, as GRANT gave them
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// When to use colours
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub(crate) color: ColorChoice,
    /// Show no progress bars
    #[arg(long, global = true)]
    pub(crate) no_progress: bool,
    /// Say nothing about what was done
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
}

impl Global {
    /// The database that `--db` or the environment names.
    pub(crate) fn database(&self) -> Option<String> {
        let named = || std::env::var("PANDO_DB").ok().filter(|path| !path.is_empty());
        self.db.clone().or_else(named)
    }
}

/// How results are shown.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArguments {
    /// How rows are shown
    #[arg(long, global = true, value_enum)]
    pub(crate) mode: Option<Mode>,
    /// Rows and errors as JSON
    #[arg(long, global = true)]
    json: bool,
    /// One JSON object a line
    #[arg(long, global = true, aliases = ["jsonlines", "ndjson"])]
    jsonl: bool,
    /// Comma separated values
    #[arg(long, global = true)]
    csv: bool,
    /// Tab separated values
    #[arg(long, alias = "tabs")]
    tsv: bool,
    /// A table drawn with lines
    #[arg(long = "box")]
    boxed: bool,
    /// A table drawn with ASCII characters
    #[arg(long = "ascii-table", alias = "table-mode")]
    table: bool,
    /// Values between the control characters US and RS
    #[arg(long)]
    ascii: bool,
    /// Aligned columns
    #[arg(long)]
    column: bool,
    /// A Markdown table
    #[arg(long)]
    markdown: bool,
    /// One column a line
    #[arg(long)]
    line: bool,
    /// Values separated by |
    #[arg(long)]
    list: bool,
    /// Rows of an HTML table
    #[arg(long)]
    html: bool,
    /// SQL literals
    #[arg(long)]
    quote: bool,
    /// INSERT statements for a table
    #[arg(long, value_name = "TABLE")]
    pub(crate) insert: Option<String>,
    /// Name the columns first
    #[arg(long, alias = "headers", overrides_with = "noheader")]
    header: bool,
    /// Do not name the columns
    #[arg(long, aliases = ["no-header", "noheaders"], overrides_with = "header")]
    noheader: bool,
    /// What to show for NULL
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) nullvalue: Option<String>,
    /// What to put between columns
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) separator: Option<String>,
    /// What to put behind rows
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) newline: Option<String>,
    /// How control characters are shown
    #[arg(long, global = true, value_enum, ignore_case = true, value_name = "HOW")]
    pub(crate) escape: Option<Escape>,
}

impl OutputArguments {
    /// The mode that was asked for.
    pub(crate) fn chosen(&self) -> Option<Mode> {
        let flags = [
            (self.json, Mode::Json),
            (self.jsonl, Mode::Jsonl),
            (self.csv, Mode::Csv),
            (self.tsv, Mode::Tsv),
            (self.boxed, Mode::Box),
            (self.table, Mode::Table),
            (self.ascii, Mode::Ascii),
            (self.column, Mode::Column),
            (self.markdown, Mode::Markdown),
            (self.line, Mode::Line),
            (self.list, Mode::List),
            (self.html, Mode::Html),
            (self.quote, Mode::Quote),
            (self.insert.is_some(), Mode::Insert),
        ];
        self.mode.or_else(|| flags.iter().find(|(is_set, _)| *is_set).map(|(_, mode)| *mode))
    }

    /// Whether headers were asked for or against.
    pub(crate) fn headers(&self) -> Option<bool> {
        match (self.header, self.noheader) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        }
    }
}

/// Options of the shell.
#[derive(Debug, Args)]
#[command(next_help_heading = "Shell")]
pub(crate) struct ShellArguments {
    /// Run this first, then go on
    #[arg(long, value_name = "SQL", allow_hyphen_values = true)]
    pub(crate) cmd: Vec<String>,
    /// Run this and end
    #[arg(long, short, value_name = "SQL", allow_hyphen_values = true)]
    pub(crate) command: Vec<String>,
    /// Run the statements of a file and end
    #[arg(long = "file", short = 'f', value_name = "FILE")]
    pub(crate) script: Vec<String>,
    /// Read this file at the start instead of ~/.pandorc
    #[arg(long, value_name = "FILE")]
    pub(crate) init: Option<String>,
    /// Read no file at the start
    #[arg(long)]
    pub(crate) no_init: bool,
    /// Stop at the first error
    #[arg(long)]
    pub(crate) bail: bool,
    /// Print each statement before it runs
    #[arg(long)]
    pub(crate) echo: bool,
    /// Be a script even on a terminal
    #[arg(long)]
    pub(crate) batch: bool,
    /// Be a shell even without a terminal
    #[arg(long)]
    pub(crate) interactive: bool,
    /// Do not create the database when it does not exist
    #[arg(long)]
    pub(crate) no_create: bool,
    /// Use no pager
    #[arg(long)]
    pub(crate) no_pager: bool,
}

#[cfg(test)]
mod tests;
