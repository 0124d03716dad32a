//! What one thread does: mostly it moves money, sometimes it changes the branches.
//!
//! An action may be refused: branches go while they are used, others write the same rows. It may
//! not break the bank. Neighbours: `life` has the books.

use fastrand::Rng;
use pandodb::{Connection, ErrorKind, Moment, Result};

use crate::life::{ACCOUNTS, Books, Life, MONEY, money};

const LEVELS: [&str; 5] =
    ["READ UNCOMMITTED", "READ COMMITTED", "SNAPSHOT", "CONCURRENT", "SERIALIZABLE"];

/// A thread's own.
pub(crate) struct Teller {
    rng: Rng,
    number: u64,
    /// How often it wrote to the branch that is kept, acknowledged.
    kept: i64,
    /// Actions that were done.
    pub(crate) done: u64,
    /// Actions that were refused.
    pub(crate) refused: u64,
}

impl Teller {
    pub(crate) fn new(seed: u64, number: u64) -> Self {
        let rng = Rng::with_seed(seed.wrapping_mul(1_000_003).wrapping_add(number));
        Self { rng, number, kept: 0, done: 0, refused: 0 }
    }

    /// Acts until its day is over, or the life.
    pub(crate) fn work(mut self, life: Life, books: &Books) -> Result<Self> {
        let connection = books.database.connect()?;
        for _ in 0..life.actions {
            if books.is_over() {
                break;
            }
            let outcome = self.act(&connection, books);
            if !connection.is_autocommit() {
                connection.execute_batch("ROLLBACK")?;
            }
            match outcome {
                Ok(()) => self.done += 1,
                Err(error) => {
                    self.refused += 1;
                    let kind = error.kind();
                    if matches!(kind, ErrorKind::Internal | ErrorKind::Corrupt | ErrorKind::Io) {
                        books.end(format!("an action ended with {error}"));
                    }
                }
            }
        }
        Ok(self)
    }

    fn act(&mut self, connection: &Connection, books: &Books) -> Result<()> {
        let all: Vec<String> = connection.branches()?.into_iter().map(|it| it.name).collect();
        let one = self.rng.choice(&all).cloned().unwrap_or_default();
        let other = self.rng.choice(&all).cloned().unwrap_or_default();
        let new = self.rng.u8(..8);
        let is_kept = matches!(&*one, "main" | "keep");
        match self.rng.u8(..20) {
            0 => connection.execute_batch(&format!("CREATE BRANCH b{new} FROM {one}")),
            1 if !is_kept => connection.execute_batch(&format!("DROP BRANCH {one}")),
            2 if !is_kept => connection.execute_batch(&format!("RENAME BRANCH {one} TO b{new}")),
            3 | 4 => connection.execute_batch(&format!("MERGE BRANCH {one} INTO {other}")),
            5 if one != "keep" => self.reset(connection, books, &one),
            6 => connection.execute_batch(&format!("PREVIEW MERGE BRANCH {one} INTO {other}")),
            7 => Self::fork(books, &one),
            8 => self.keep(connection, books),
            9 | 10 => self.look(connection, books, &one),
            11 => self.move_on_both(connection, [&one, &other]),
            _ => self.move_money(connection, books, &one),
        }
    }

    fn level(&mut self) -> &'static str {
        LEVELS[self.rng.usize(..LEVELS.len())]
    }

    /// Goes back a few commits.
    fn reset(&mut self, connection: &Connection, books: &Books, branch: &str) -> Result<()> {
        let (back, founded) = (self.rng.u8(..5), books.founded);
        let sql = format!(
            "SELECT transaction_id FROM pando_log('{branch}')
             WHERE transaction_id >= {founded} LIMIT 1 OFFSET {back}"
        );
        let commit: i64 = connection.query_row(&sql, (), |row| row.get(0))?;
        connection.execute_batch(&format!("RESET BRANCH {branch} TO TRANSACTION {commit}"))
    }

    /// What is done in a fork stays there.
    fn fork(books: &Books, branch: &str) -> Result<()> {
        let fork = books.database.fork_at(branch, Moment::Now)?;
        let (own, again) = (fork.connect()?, fork.fork()?.connect()?);
        own.execute("UPDATE account SET money = money + 1", ())?;
        let sum = "SELECT sum(money) FROM account";
        let sums: [i64; 2] = [
            own.query_row(sum, (), |row| row.get(0))?,
            again.query_row(sum, (), |row| row.get(0))?,
        ];
        if sums != [MONEY + ACCOUNTS as i64, MONEY] {
            books.end(format!("forks of {branch} have {sums:?}"));
        }
        Ok(())
    }

    /// Counts on the branch that is never taken back.
    fn keep(&mut self, connection: &Connection, books: &Books) -> Result<()> {
        if let Err(lost) = self.check_kept(connection)? {
            books.end(lost);
            return Ok(());
        }
        let number = self.number;
        connection.execute_batch(&format!(
            "INSERT INTO kept@keep VALUES ({number}, 1) ON CONFLICT DO UPDATE SET count = count + 1"
        ))?;
        self.kept += 1;
        Ok(())
    }

    /// Whether all that was acknowledged is there.
    pub(crate) fn check_kept(
        &self,
        connection: &Connection,
    ) -> Result<std::result::Result<(), String>> {
        let number = self.number;
        let sql =
            format!("SELECT coalesce((SELECT count FROM kept@keep WHERE teller = {number}), 0)");
        let there: i64 = connection.query_row(&sql, (), |row| row.get(0))?;
        if there == self.kept {
            return Ok(Ok(()));
        }
        let kept = self.kept;
        Ok(Err(format!(
            "teller {number} wrote {kept} times, which was acknowledged; {there} are there"
        )))
    }

    /// Looks at a branch twice in a transaction that sees one moment of it.
    fn look(&mut self, connection: &Connection, books: &Books, branch: &str) -> Result<()> {
        let level = LEVELS[self.rng.usize(2..LEVELS.len())];
        connection.execute_batch(&format!("USE BRANCH {branch}; BEGIN ISOLATION LEVEL {level}"))?;
        let all = money(connection, &connection.current_branch())?;
        std::thread::yield_now();
        let halves = "SELECT sum(money) FILTER (WHERE id <= 20), sum(money) FILTER (WHERE id > 20)
            FROM account";
        let halves: (i64, i64) =
            connection.query_row(halves, (), |row| Ok((row.get(0)?, row.get(1)?)))?;
        connection.execute_batch("COMMIT")?;
        if all != (MONEY, MONEY) || halves.0 + halves.1 != MONEY {
            books.end(format!("{branch} at {level} has {all:?}, by halves {halves:?}"));
        }
        Ok(())
    }

    /// Moves the same money on two branches in one transaction. The stamps differ, so that a merge
    /// of the two cannot take what one of them did to a row for what the other did.
    fn move_on_both(&mut self, connection: &Connection, branches: [&str; 2]) -> Result<()> {
        let (from, to, sum) = self.order();
        let stamp = self.rng.i64(..i64::MAX - 1);
        let level = self.level();
        connection.execute_batch(&format!("BEGIN ISOLATION LEVEL {level}"))?;
        for (branch, place) in branches.into_iter().zip(0..) {
            connection.execute_batch(&format!(
                "UPDATE account@{branch} SET money = money + iif(id = {from}, -{sum}, {sum}),
                     stamp = {stamp} + {place}
                 WHERE id IN ({from}, {to}) AND {from} <> {to}"
            ))?;
        }
        connection.execute_batch("COMMIT")
    }

    /// Moves money, with a detour that is taken back.
    fn move_money(&mut self, connection: &Connection, books: &Books, branch: &str) -> Result<()> {
        let (from, to, sum) = self.order();
        let stamp = self.rng.i64(..i64::MAX - 1);
        let level = self.level();
        connection.execute_batch(&format!("USE BRANCH {branch}; BEGIN ISOLATION LEVEL {level}"))?;
        let change = "UPDATE account SET money = money + ?, stamp = ? WHERE id = ?";
        connection.execute(change, (-sum, stamp, from))?;
        connection.execute_batch("SAVEPOINT s; UPDATE account SET money = 0; ROLLBACK TO s")?;
        connection.execute(change, (sum, stamp + 1, to))?;
        let all: i64 =
            connection.query_row("SELECT sum(money) FROM account", (), |row| row.get(0))?;
        connection.execute_batch("COMMIT")?;
        if all != MONEY && level != "READ UNCOMMITTED" {
            books.end(format!("{branch} had {all} inside of a transaction at {level}"));
        }
        Ok(())
    }

    /// From where to where, and how much.
    fn order(&mut self) -> (i64, i64, i64) {
        let accounts = 1..=ACCOUNTS as i64;
        (self.rng.i64(accounts.clone()), self.rng.i64(accounts), self.rng.i64(1..10))
    }
}
