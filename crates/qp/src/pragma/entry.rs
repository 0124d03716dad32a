//! What an entry of the table of PRAGMAs is, and what one use of it can ask.
//!
//! Neighbours: `table` lists the entries, the other files of this folder do the work.

use std::ops::RangeInclusive;

use pandodb_ds::record::Value;
use pandodb_tm::BeginOptions;

use crate::ast::Name;
use crate::catalog::DatabaseIndex;
use crate::error::{Error, Result};
use crate::session::Session;
use crate::store::{Database, Kept};

/// The rows of a PRAGMA.
pub(super) type PragmaRows = Vec<Vec<Value>>;

/// How far a PRAGMA reaches, and how long what it sets lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// It tells something.
    Tells,
    /// It does something, once.
    Does,
    /// What it sets is the session's.
    Session,
    /// What it sets holds for all sessions, as long as the database is open.
    Open,
    /// What it sets is kept in the file.
    Kept,
    /// What it sets is kept in the file, by each branch for itself.
    Branch,
    /// It has one value, which is told; another one is an error.
    Fixed,
    /// SQLite documents that it does nothing, and it does nothing here.
    Nothing,
}

impl Scope {
    /// The word in the manual.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Tells => "tells",
            Self::Does => "does",
            Self::Session => "session",
            Self::Open => "while open",
            Self::Kept => "kept",
            Self::Branch => "branch",
            Self::Fixed => "fixed",
            Self::Nothing => "nothing",
        }
    }
}

impl Entry {
    /// Whether a use of it is the owner's: it changes what all branches or all sessions share.
    pub(super) fn is_for_owner(&self, sets: bool) -> bool {
        match self.scope {
            Scope::Kept | Scope::Open => sets,
            // ANALYZE asks for what it needs itself.
            Scope::Does => self.name != "optimize",
            _ => false,
        }
    }
}

/// A PRAGMA.
#[derive(Debug)]
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// What its rows are called.
    pub columns: &'static [&'static str],
    /// How far it reaches.
    pub scope: Scope,
    /// What it can be given; empty for nothing.
    pub values: &'static str,
    /// What it is for.
    pub help: &'static str,
    /// Reads or sets it.
    pub run: fn(&Call<'_>) -> Result<PragmaRows>,
}

/// One use of a PRAGMA.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// Which.
    pub name: &'static str,
    /// Whose.
    pub session: &'a Session,
    /// `schema.` in front of the name.
    pub schema: Option<&'a Name>,
    /// The text of the value it is given.
    pub value: Option<&'a str>,
    /// Whether that is written as a number.
    pub is_number: bool,
}

impl<'a> Call<'a> {
    /// The text of the value.
    pub(super) fn text(&self) -> Option<&'a str> {
        self.value
    }

    /// The value as a switch, with SQLite's words. SQLite takes any other for off: a misspelled
    /// `ON` would switch off and say nothing, and so it is refused here.
    pub(super) fn switch(&self) -> Result<Option<bool>> {
        let Some(text) = self.text() else { return Ok(None) };
        match text.to_ascii_lowercase().as_str() {
            "on" | "yes" | "true" => Ok(Some(true)),
            "off" | "no" | "false" => Ok(Some(false)),
            other => match other.parse::<i64>() {
                Ok(number) => Ok(Some(number != 0)),
                Err(_) => Err(self.refuse("ON or OFF")),
            },
        }
    }

    /// The value as a number, in decimal or hexadecimal digits. SQLite reads anything else as 0,
    /// or as the digits that it begins with: a misspelled `busy_timeout` would wait for nobody,
    /// and so it is refused here.
    pub(super) fn number(&self) -> Result<Option<i64>> {
        let Some(text) = self.text() else { return Ok(None) };
        match whole_number(text.trim()) {
            Some(number) => Ok(Some(number)),
            None => Err(self.refuse_number()),
        }
    }

    /// As [`number`](Self::number), within `range`.
    pub(super) fn number_within(&self, range: RangeInclusive<i64>) -> Result<Option<i64>> {
        match self.number()? {
            Some(number) if !range.contains(&number) => Err(self.refuse_number()),
            number => Ok(number),
        }
    }

    /// An error that says which numbers there are.
    fn refuse_number(&self) -> Error {
        let values = super::find(self.name).map_or("", |entry| entry.values);
        self.refuse(&format!("a whole number is wanted: {}", values.replace('`', "")))
    }

    /// The database that is meant, if one is named.
    pub(super) fn database(&self) -> Result<Option<DatabaseIndex>> {
        self.schema.map(|name| self.session.database_named(name)).transpose()
    }

    /// The number of the database that is meant: `main` unless another one is named.
    pub(super) fn index(&self) -> Result<DatabaseIndex> {
        Ok(self.database()?.unwrap_or(DatabaseIndex::MAIN))
    }

    /// The database that is meant: `main` unless another one is named.
    pub(super) fn store(&self) -> Result<Database> {
        Ok(self.session.database(self.index()?)?.0)
    }

    /// Keeps a setting in the file of the database that is meant; the commit waits for what the
    /// session's commits wait for.
    pub(super) fn keep(&self, what: Kept, value: i64) -> Result<()> {
        let index = self.index()?;
        let (database, head) = self.session.database(index)?;
        database.check_no_fork(head)?;
        let options = self.session.tuned(&BeginOptions::default(), index);
        self.store()?.keep(what, value, &options)
    }

    /// An error about the value.
    pub(super) fn refuse(&self, hint: &str) -> Error {
        let value = self.text().unwrap_or_default();
        Error::invalid(format!("{} cannot be {value}", self.name)).with_hint(hint)
    }

    /// Refuses what cannot be done while a transaction is open.
    pub(super) fn check_no_transaction(&self) -> Result<()> {
        if self.session.is_autocommit() {
            return Ok(());
        }
        let message = format!("{} cannot be changed inside of a transaction", self.name);
        Err(Error::invalid(message).with_hint("COMMIT or ROLLBACK first"))
    }
}

/// Decimal or, behind `0x`, hexadecimal digits.
pub(super) fn whole_number(text: &str) -> Option<i64> {
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(digits) if !digits.starts_with(['+', '-']) => {
            let number = i64::from_str_radix(digits, 16).ok()?;
            Some(if is_negative { -number } else { number })
        }
        Some(_) => None,
        None => text.parse().ok(),
    }
}

/// One row with one value.
pub(super) fn one(value: impl Into<Value>) -> PragmaRows {
    vec![vec![value.into()]]
}

/// One row with one number.
pub(super) fn number(value: u64) -> PragmaRows {
    one(Value::Integer(i64::try_from(value).unwrap_or(i64::MAX)))
}
