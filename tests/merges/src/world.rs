//! A database in memory with its branches, as a script makes it.
//!
//! A script is a list of statements, each on a branch. Statements that fail change nothing and are
//! part of the game: when a script is shrunk, what a statement needs may be gone. Neighbours:
//! `generate` writes scripts, `snapshot` reads branches, `laws` merges them.

use std::collections::BTreeMap;

use pandodb_qp::function::ValueRef;
use pandodb_qp::session::{Session, Step};
use pandodb_qp::store::Database;
use pandodb_qp::{Error, ErrorKind};

/// The branches of a script that are made of `main`.
pub(crate) const BRANCHES: [&str; 3] = ["one", "other", "third"];

/// A statement and the branch that it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) branch: &'static str,
    pub(crate) sql: String,
}

impl Line {
    pub(crate) fn new(branch: &'static str, sql: impl Into<String>) -> Self {
        Self { branch, sql: sql.into() }
    }
}

/// Whether an error is a defect wherever it comes up.
pub(crate) fn is_defect(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Internal)
}

/// A database and what was done to it.
pub(crate) struct World {
    session: Session,
    branch: String,
    has_branches: bool,
    names: u32,
    /// What went through on the branches.
    pub(crate) history: Vec<String>,
}

impl World {
    /// An empty database.
    pub(crate) fn new() -> Result<Self, Error> {
        let session = Session::new(Database::in_memory()?);
        Ok(Self {
            session,
            branch: "main".to_owned(),
            has_branches: false,
            names: 0,
            history: Vec::new(),
        })
    }

    /// The database that a script makes; also the statement that met a defect.
    pub(crate) fn of(script: &[Line]) -> Result<Self, String> {
        let mut world = Self::new().map_err(|error| error.to_string())?;
        for line in script {
            if let Err(error) = world.run(line)
                && is_defect(&error)
            {
                return Err(format!("{}: {error}", line.sql));
            }
        }
        world.part().map_err(|error| error.to_string())?;
        // A key may lead to a table that is not there: then a write fails, which is no defect.
        let off = Line::new("main", "PRAGMA foreign_keys = off");
        world.run(&off).map_err(|error| error.to_string())?;
        Ok(world)
    }

    /// Runs a statement on its branch.
    pub(crate) fn run(&mut self, line: &Line) -> Result<(), Error> {
        if line.branch != "main" {
            self.part()?;
        }
        self.go(line.branch)?;
        self.session.execute(&line.sql)?;
        if line.branch != "main" {
            self.history.push(line.sql.clone());
        }
        Ok(())
    }

    /// Makes the branches, if they are not there.
    pub(crate) fn part(&mut self) -> Result<(), Error> {
        if self.has_branches {
            return Ok(());
        }
        self.has_branches = true;
        BRANCHES
            .iter()
            .try_for_each(|name| self.session.execute(&format!("CREATE BRANCH {name} FROM main")))
    }

    /// A new branch of another one.
    pub(crate) fn branch_of(&mut self, parent: &str) -> Result<String, Error> {
        self.names += 1;
        let name = format!("trial_{}", self.names);
        self.session.execute(&format!("CREATE BRANCH {name} FROM {parent}"))?;
        Ok(name)
    }

    /// Drops a branch that was made for a trial.
    pub(crate) fn drop_branch(&mut self, name: &str) -> Result<(), Error> {
        self.go("main")?;
        self.session.execute(&format!("DROP BRANCH {name}"))
    }

    /// Works on a branch from now on.
    pub(crate) fn go(&mut self, branch: &str) -> Result<(), Error> {
        if self.branch != branch {
            self.session.execute(&format!("USE BRANCH {branch}"))?;
            branch.clone_into(&mut self.branch);
        }
        Ok(())
    }

    /// Whether a statement can be prepared.
    pub(crate) fn prepares(&self, sql: &str) -> Result<(), Error> {
        self.session.prepare(sql).map(drop)
    }

    /// The rows of a query on the branch of now.
    pub(crate) fn rows(&self, sql: &str) -> Result<Vec<Vec<String>>, Error> {
        let (statement, _) = self.session.prepare(sql)?;
        let Some(mut statement) = statement else { return Ok(Vec::new()) };
        let mut rows = Vec::new();
        while statement.step()? == Step::Row {
            rows.push(statement.with_row(|row| row.iter().map(written).collect())?);
        }
        Ok(rows)
    }

    /// The rows of a query, with the names of their columns.
    pub(crate) fn named_rows(&self, sql: &str) -> Result<Vec<BTreeMap<Box<str>, String>>, Error> {
        let names = self.session.prepare(sql)?.0.map(|statement| statement.column_names());
        let rows = self.rows(sql)?.into_iter();
        Ok(rows.map(|row| names.iter().flatten().cloned().zip(row).collect()).collect())
    }

    /// The first column of a query.
    pub(crate) fn column(&self, sql: &str) -> Result<Vec<String>, Error> {
        let rows = self.rows(sql)?.into_iter();
        Ok(rows.filter_map(|row| row.into_iter().next()).collect())
    }
}

fn written(value: &ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Integer(value) => value.to_string(),
        ValueRef::Real(value) => format!("{value:?}"),
        ValueRef::Text(text) => String::from_utf8_lossy(AsRef::<[u8]>::as_ref(text)).into_owned(),
        ValueRef::Blob(bytes) => format!("{bytes:?}"),
    }
}
