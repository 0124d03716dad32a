//! DoltLite as a contender: SQLite's interface over a storage of its own that keeps versions.
//!
//! It runs in a process of Python, which takes the times. Its clean state is a Dolt commit:
//! changes are committed to the database at once and to the branch by `dolt_commit`. Neighbours:
//! the workloads ask it, `python/dolt.py` is the other side.

use std::cell::RefCell;
use std::io::Write;
use std::path::Path;

use serde_json::json;

use crate::python::Python;
use crate::sql::items::{INSERT, Items, SCHEMA};
use crate::turns::{Outcome, Rounds};

/// Its name in the table.
pub(super) const NAME: &str = "DoltLite";

/// A running DoltLite with the standard rows; closures of several workloads ask it.
pub(super) struct Dolt(RefCell<Python>);

impl Dolt {
    /// Starts it and loads the rows; none where it is not installed.
    pub(super) fn start(rounds: &mut Rounds, folder: &Path, rows: u64) -> Outcome<Option<Self>> {
        if rounds.is_alone() {
            return Ok(None);
        }
        let Some(mut python) = Python::start("doltlite", "dolt.py")? else {
            rounds.skip(NAME);
            return Ok(None);
        };
        let file = folder.join("items.csv");
        let mut out = std::io::BufWriter::new(std::fs::File::create(&file)?);
        for item in Items::new(rows) {
            let payload = item.payload;
            writeln!(out, "{},{},{},{:?},{payload}", item.id, item.k, item.name, item.val)?;
        }
        out.flush()?;
        python.call(&json!({ "do": "open", "path": folder.join("dolt.db") }))?;
        python.call(&json!({ "do": "load", "schema": SCHEMA, "insert": INSERT, "file": file }))?;
        std::fs::remove_file(file)?;
        let dolt = Self(RefCell::new(python));
        dolt.commit("load")?;
        Ok(Some(dolt))
    }

    /// Runs statements; the nanoseconds that they take together.
    pub(super) fn run(&self, sql: &[&str]) -> Outcome<f64> {
        self.0.borrow_mut().nanoseconds(&json!({ "do": "run", "sql": sql }))
    }

    /// The number of rows of a query.
    pub(super) fn count(&self, sql: &str) -> Outcome<u64> {
        let answer = self.0.borrow_mut().call(&json!({ "do": "run", "sql": [sql] }))?;
        answer["rows"].as_u64().ok_or_else(|| format!("{answer} holds no count").into())
    }

    /// A number that a query gives.
    pub(super) fn number(&self, sql: &str) -> Outcome<f64> {
        let answer = self.0.borrow_mut().call(&json!({ "do": "run", "sql": [sql] }))?;
        answer["first"].as_f64().ok_or_else(|| format!("{answer} holds no number").into())
    }

    /// Commits all changes to the current branch.
    pub(super) fn commit(&self, message: &str) -> Outcome<()> {
        self.run(&[&format!("SELECT dolt_commit('-A', '-m', '{message}')")]).map(drop)
    }

    /// The bytes of its file.
    pub(super) fn bytes(&self) -> Outcome<f64> {
        let answer = self.0.borrow_mut().call(&json!({ "do": "size" }))?;
        answer["first"].as_f64().ok_or_else(|| format!("{answer} holds no size").into())
    }

    /// The time of one of the commits of many writers, each on a branch.
    pub(super) fn writers(&self, branches: &[String], keys: &[&[i64]]) -> Outcome<f64> {
        let request = json!({ "do": "writers", "branches": branches, "keys": keys });
        self.0.borrow_mut().nanoseconds(&request)
    }
}
