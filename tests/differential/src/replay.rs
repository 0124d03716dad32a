//! A script of one's own on both engines, statement by statement.
//!
//! What `diff` found is written down, made smaller by hand, and seen again. The form is that of
//! `cases/*.sql`: a statement a line, comments and empty lines between. Neighbours: `cases` holds
//! such scripts as tests, `random` finds them.

use std::path::PathBuf;

use crate::engine::{Engine, Failure, Kind, Rows, execute};

/// What `replay` takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The script.
    path: PathBuf,
    /// Show statements that agree, too.
    #[arg(long)]
    all: bool,
    /// Compare what columns are called, too.
    #[arg(long)]
    names: bool,
}

/// Runs the script; whether the two agree.
pub(crate) fn run(arguments: &Arguments) -> std::io::Result<bool> {
    let text = std::fs::read_to_string(&arguments.path)?;
    let open = |kind: Kind| -> std::io::Result<Box<dyn Engine>> {
        kind.open().map_err(|failure| std::io::Error::other(failure.to_string()))
    };
    let (mut oracle, mut engine) = (open(Kind::Sqlite)?, open(Kind::Pandodb)?);
    let mut is_same = true;
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with("--") {
            continue;
        }
        let of = |engine: &mut dyn Engine| shown(&execute(engine, line), arguments.names);
        let (expected, actual) = (of(oracle.as_mut()), of(engine.as_mut()));
        is_same &= expected == actual;
        if expected != actual {
            println!("{line}\n  SQLite: {expected}\n  here:   {actual}");
        } else if arguments.all {
            println!("{line}\n  {expected}");
        }
    }
    Ok(is_same)
}

fn shown(result: &Result<Rows, Failure>, with_names: bool) -> String {
    match result {
        Ok(rows) => {
            let names =
                if with_names { format!("[{}] ", rows.names.join(", ")) } else { String::new() };
            let rows = rows
                .rows
                .iter()
                .map(|row| row.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
            names + &rows.collect::<Vec<_>>().join("; ")
        }
        Err(failure) => format!("error of class {}: {}", failure.class(), failure.message),
    }
}
