//! The numbers that the program ends with. They are documented and stay as they are.
//!
//! Scripts branch on them, so each says what a script can do about it. Neighbours: `failure`
//! chooses one for each error, `arguments` prints the table in the help.

use std::process::ExitCode;

use pandodb::ErrorKind;

/// How the program ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Everything was done.
    #[default]
    Success = 0,
    /// A statement failed.
    Statement = 1,
    /// The command line is wrong.
    Usage = 2,
    /// A merge has conflicts, or a comparison found differences with `--exit-code`.
    Conflict = 3,
    /// The database is busy or locked: try again.
    Busy = 4,
    /// The database cannot be opened: not there, not readable, not a database.
    CannotOpen = 5,
    /// The database is damaged, or `check` found a fault.
    Corrupt = 6,
    /// Reading or writing a file failed, or the disk is full.
    Io = 7,
    /// The user stopped it (Ctrl-C).
    Interrupted = 130,
}

/// What each number means, for help and manual.
pub(crate) const TABLE: &[(Exit, &str)] = &[
    (Exit::Success, "everything was done"),
    (Exit::Statement, "a statement failed"),
    (Exit::Usage, "the command line is wrong"),
    (Exit::Conflict, "a merge has conflicts, or `diff --exit-code` found differences"),
    (Exit::Busy, "the database is in use by another process or transaction; try again"),
    (Exit::CannotOpen, "the database cannot be opened"),
    (Exit::Corrupt, "the database is damaged, or `check` found a fault"),
    (Exit::Io, "reading or writing a file failed, or the disk is full"),
    (Exit::Interrupted, "stopped by Ctrl-C"),
];

impl Exit {
    /// The number for an error of the library.
    pub(crate) fn for_kind(kind: ErrorKind) -> Self {
        use ErrorKind as Kind;
        match kind {
            Kind::MergeConflict => Self::Conflict,
            Kind::Busy | Kind::Locked | Kind::Deadlock | Kind::Conflict => Self::Busy,
            Kind::CannotOpen | Kind::NotADatabase => Self::CannotOpen,
            Kind::Corrupt => Self::Corrupt,
            Kind::Io | Kind::Full | Kind::PartlyCommitted => Self::Io,
            Kind::Interrupted => Self::Interrupted,
            _ => Self::Statement,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::TABLE;

    #[test]
    fn the_page_of_the_program_has_every_code() {
        let page = include_str!("../../../docs/cli.md");
        for (exit, meaning) in TABLE {
            let line = format!("| {} | {meaning} |", *exit as u8);
            assert!(page.contains(&line), "docs/cli.md has no line {line}");
        }
    }
}
