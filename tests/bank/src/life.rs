//! The life of one database, and what must hold during it and at its end.
//!
//! Neighbours: `teller` acts; `main` begins lives.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pandodb::{Connection, Database, OpenOptions, Result};

use crate::teller::Teller;

/// Accounts of a branch.
pub(crate) const ACCOUNTS: u64 = 40;
/// What all of them have together, on every branch at every time.
pub(crate) const MONEY: i64 = 100 * ACCOUNTS as i64;

/// What a life is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Life {
    /// What threads choose by.
    pub(crate) seed: u64,
    /// How many of them.
    pub(crate) threads: u64,
    /// How much each does.
    pub(crate) actions: u64,
}

/// What all threads of a life share.
pub(crate) struct Books {
    pub(crate) database: Database,
    /// The commit that founded it: nobody goes back beyond.
    pub(crate) founded: i64,
    /// Set when something was found: nobody goes on, for the next action may hide it.
    is_over: AtomicBool,
    found: Mutex<Option<String>>,
}

impl Books {
    pub(crate) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// Ends the life with a finding; the first one stays.
    pub(crate) fn end(&self, found: String) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Ok(mut first) = self.found.lock() {
            first.get_or_insert(found);
        }
    }
}

impl Life {
    /// Lives; what was done, or what was found.
    pub(crate) fn live(self, file: Option<&Path>) -> std::result::Result<String, String> {
        let told = |error: pandodb::Error| error.to_string();
        let database = open(file).map_err(told)?;
        let founded = found(&database).map_err(told)?;
        let books =
            Books { database, founded, is_over: AtomicBool::new(false), found: Mutex::new(None) };
        let tellers = std::thread::scope(|scope| {
            let books = &books;
            let threads = 0..self.threads;
            let threads: Vec<_> = threads
                .map(|number| scope.spawn(move || Teller::new(self.seed, number).work(self, books)))
                .collect();
            threads.into_iter().map(std::thread::ScopedJoinHandle::join).collect::<Vec<_>>()
        });
        if let Ok(Some(found)) = books.found.into_inner() {
            return Err(found);
        }
        let mut database = books.database;
        if let Some(file) = file {
            drop(database);
            database = open(Some(file)).map_err(told)?;
        }
        let connection = database.connect().map_err(told)?;
        audit(&connection).map_err(told)??;
        let (mut done, mut refused) = (0, 0);
        for teller in tellers {
            let teller = teller.map_err(|_| "a thread panicked".to_owned())?.map_err(told)?;
            teller.check_kept(&connection).map_err(told)??;
            done += teller.done;
            refused += teller.refused;
        }
        Ok(format!("{done} done, {refused} refused"))
    }
}

fn open(file: Option<&Path>) -> Result<Database> {
    let mut options = OpenOptions::new();
    let options = options.busy_timeout(Duration::from_millis(100));
    match file {
        Some(file) => options.open(file),
        None => options.open_in_memory(),
    }
}

/// The bank on the first day; the commit that made it.
fn found(database: &Database) -> Result<i64> {
    let connection = database.connect()?;
    connection.execute_batch(&format!(
        "PRAGMA synchronous = NORMAL;
         CREATE TABLE account(id INTEGER PRIMARY KEY, money INT, stamp INT);
         CREATE INDEX by_money ON account(money);
         INSERT INTO account SELECT value, 100, 0 FROM generate_series(1, {ACCOUNTS});
         CREATE TABLE kept(teller INTEGER PRIMARY KEY, count INT);
         CREATE BRANCH keep;"
    ))?;
    let newest = "SELECT max(transaction_id) FROM pando_log('main')";
    connection.query_row(newest, (), |row| row.get(0))
}

/// What a branch has by its rows, and by its index.
pub(crate) fn money(connection: &Connection, branch: &str) -> Result<(i64, i64)> {
    connection.query_row(
        &format!(
            "SELECT (SELECT sum(money) FROM account@{branch} NOT INDEXED),
                    (SELECT sum(money) FROM account@{branch} INDEXED BY by_money)"
        ),
        (),
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

/// Looks at the books of every branch.
fn audit(connection: &Connection) -> Result<std::result::Result<(), String>> {
    for branch in connection.branches()? {
        let name = &branch.name;
        let (rows, index) = money(connection, name)?;
        connection.execute_batch(&format!("USE BRANCH {name}"))?;
        let check: String = connection.query_row("PRAGMA integrity_check", (), |row| row.get(0))?;
        if (rows, index, &*check) != (MONEY, MONEY, "ok") {
            let told = format!("{name} has {rows}, by its index {index}; integrity: {check}");
            return Ok(Err(told));
        }
    }
    Ok(Ok(()))
}

/// Removes a database with its log.
pub(crate) fn remove(file: &Path) {
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let folder = file.parent().unwrap_or_else(|| Path::new("."));
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(&name) {
            // What stays is in nobody's way.
            drop(std::fs::remove_file(entry.path()));
        }
    }
}
