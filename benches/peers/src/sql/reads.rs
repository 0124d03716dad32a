//! Queries over the standard rows: single rows and ranges by key, and questions about all rows.
//!
//! Each result is compared between the databases before it is timed. Neighbours: `writes`,
//! `tpch` (questions over many tables).

use super::client::{Connection, Database, Durable, Statement, difference, rows_in_time};
use super::items::{is_cold, look_ups, random_keys, warm};
use super::pando::Pando;
use super::sqlite::Sqlite;
use super::{Base, duck};
use crate::turns::{Outcome, Rounds, Turn, Unit, time_each, turn};

const POINT: &str = "SELECT * FROM items WHERE id = ?1";

/// How many rounds have cold rows of their own.
const COLD_ROUNDS: u64 = 8;

/// Queries by key: workload, statement, how many keys in a row it takes.
const LOOKUPS: [(&str, &str, i64); 3] = [
    ("sql/point-select", POINT, 1),
    ("sql/index-select", "SELECT * FROM items WHERE k = ?1", 1),
    ("sql/range-100", "SELECT * FROM items WHERE id BETWEEN ?1 AND ?2", 100),
];

/// A question about many rows.
pub(super) struct Question {
    pub(super) workload: &'static str,
    pub(super) sql: &'static str,
    pub(super) is_ordered: bool,
}

const fn question(workload: &'static str, sql: &'static str) -> Question {
    Question { workload, sql, is_ordered: false }
}

/// Questions about the whole table.
pub(super) const QUESTIONS: [Question; 8] = [
    question("sql/count", "SELECT count(*) FROM items"),
    question("sql/sum", "SELECT sum(val) FROM items"),
    question("sql/group", "SELECT k % 100, count(*), avg(val) FROM items GROUP BY k % 100"),
    Question {
        workload: "sql/top-10",
        sql: "SELECT id, val FROM items ORDER BY val LIMIT 10",
        is_ordered: true,
    },
    question("sql/like", "SELECT count(*) FROM items WHERE name LIKE '%x7%'"),
    question(
        "sql/join",
        "SELECT count(*), sum(other.weight) FROM items JOIN other ON other.name = items.name",
    ),
    question(
        "sql/window",
        "SELECT id, row_number() OVER (PARTITION BY k % 1000 ORDER BY val) FROM items",
    ),
    // Behind the others: the join is the only one that needs the other table.
    question("sql/select-all", "SELECT * FROM items"),
];

const COUNT_HALF: &str = "SELECT count(*) FROM items WHERE id BETWEEN ?1 AND ?2";

/// The table of the join: a tenth of the rows, no index, every name from `items`.
pub(super) const OTHER: &str = "CREATE TABLE other(name TEXT, weight INTEGER);
INSERT INTO other SELECT name, id % 97 FROM items WHERE id % 10 = 3;";

const NAMES: [&str; 2] = ["sql/count-half", "sql/point-select-2-threads"];

/// Whether anything here is asked for.
pub(super) fn is_wanted(rounds: &Rounds) -> bool {
    let lookups = LOOKUPS.iter().map(|lookup| lookup.0);
    let questions = QUESTIONS.iter().map(|question| question.workload);
    lookups.chain(questions).chain(NAMES).any(|name| rounds.wants(name))
}

/// Measures all of them.
pub(super) fn measure(rounds: &mut Rounds, base: &Base) -> Outcome<()> {
    if !is_wanted(rounds) {
        return Ok(());
    }
    let own = base.pando.connect(Durable::Later)?;
    let peer = base.sqlite.as_ref().map(|sqlite| sqlite.connect(Durable::Later)).transpose()?;
    let connections = Connections { own: &own, peer: peer.as_ref() };
    warm(&own)?;
    peer.as_ref().map_or(Ok(()), warm)?;
    for (workload, sql, length) in LOOKUPS {
        if rounds.wants(workload) {
            let count = look_ups(base.rows, if length == 1 { 5 } else { 50 });
            // Others in every round where they are cold: the last round left its own in the cache.
            let parts = if is_cold(base.rows) { COLD_ROUNDS } else { 1 };
            let keys: Vec<[i64; 2]> = random_keys(base.rows, count * parts, 37)
                .into_iter()
                .map(|key| [key, key + length - 1])
                .collect();
            connections.look_up(rounds, workload, sql, (&keys, count as usize))?;
        }
    }
    on_two_threads(rounds, base)?;
    let half = [base.rows as i64 / 4, base.rows as i64 / 4 * 3];
    connections.ask(rounds, "sql/count-half", COUNT_HALF, &half, true, None)?;
    if rounds.wants("sql/join") {
        own.run_all(OTHER)?;
        peer.as_ref().map_or(Ok(()), |peer| peer.run_all(OTHER))?;
    }
    let mut duck = duck::open(rounds, base, peer.as_ref())?;
    for Question { workload, sql, is_ordered } in &QUESTIONS {
        connections.ask(rounds, workload, sql, &[], *is_ordered, duck.as_mut())?;
    }
    Ok(())
}

type OwnConnection = <Pando as Database>::Connection;
type PeerConnection = <Sqlite as Database>::Connection;

/// One connection of each contender, with warm caches.
struct Connections<'a> {
    own: &'a OwnConnection,
    peer: Option<&'a PeerConnection>,
}

impl Connections<'_> {
    fn look_up(
        &self,
        rounds: &mut Rounds,
        workload: &'static str,
        sql: &str,
        (keys, count): (&[[i64; 2]], usize),
    ) -> Outcome<()> {
        let arity = if sql.contains("?2") { 2 } else { 1 };
        for key in keys.iter().take(50) {
            if !self.agree(rounds, workload, sql, &key[..arity], true) {
                return Ok(());
            }
        }
        let (mut own_parts, mut parts) = (keys.chunks(count).cycle(), keys.chunks(count).cycle());
        let mut turns: Vec<Turn<'_>> = vec![turn(Pando::NAME, || {
            touch_each(self.own, sql, own_parts.next().unwrap_or(keys), arity)
        })];
        if let Some(peer) = self.peer {
            turns.push(turn(Sqlite::NAME, move || {
                touch_each(peer, sql, parts.next().unwrap_or(keys), arity)
            }));
        }
        rounds.run(workload, Unit::Nanoseconds, turns)
    }

    fn ask(
        &self,
        rounds: &mut Rounds,
        workload: &'static str,
        sql: &str,
        keys: &[i64],
        is_ordered: bool,
        duck: Option<&mut duck::Duck>,
    ) -> Outcome<()> {
        if !rounds.wants(workload) {
            return Ok(());
        }
        if !self.agree(rounds, workload, sql, keys, is_ordered) {
            return Ok(());
        }
        let mut turns: Vec<Turn<'_>> = vec![turn(Pando::NAME, || ask_once(self.own, sql, keys))];
        if let Some(peer) = self.peer {
            turns.push(turn(Sqlite::NAME, || ask_once(peer, sql, keys)));
        }
        if let Some(duck) = duck {
            turns.push(turn(duck::NAME, || duck.ask(sql)));
        }
        rounds.run(workload, Unit::Nanoseconds, turns)
    }

    /// Whether the contenders' results are the same; keeps what differs.
    fn agree(
        &self,
        rounds: &mut Rounds,
        workload: &'static str,
        sql: &str,
        keys: &[i64],
        is_ordered: bool,
    ) -> bool {
        let found = self.compare(sql, keys, is_ordered).unwrap_or_else(|e| Some(e.to_string()));
        found.is_none_or(|found| {
            rounds.fail(workload, found);
            false
        })
    }

    /// What differs between the contenders' results.
    fn compare(&self, sql: &str, keys: &[i64], is_ordered: bool) -> Outcome<Option<String>> {
        let Some(peer) = self.peer else { return Ok(None) };
        let ours = rows_in_time(self.own, sql, keys)?;
        let theirs = rows_in_time(peer, sql, keys)?;
        Ok(difference(theirs, ours, is_ordered))
    }
}

/// The time of one execution, of many with other keys.
fn touch_each<C: Connection>(
    connection: &C,
    sql: &str,
    keys: &[[i64; 2]],
    arity: usize,
) -> Outcome<f64> {
    let mut statement = connection.prepare(sql)?;
    time_each(keys.len() as u64, || {
        for key in keys {
            statement.touch(&key[..arity])?;
        }
        Ok(())
    })
}

/// The time of one execution; quick ones are repeated for twenty milliseconds. The clock is looked
/// at ever less often, because a look at it takes as long as the quickest of them do.
fn ask_once<C: Connection>(connection: &C, sql: &str, keys: &[i64]) -> Outcome<f64> {
    let mut statement = connection.prepare(sql)?;
    let (mut times, mut between): (u32, u32) = (0, 1);
    let start = std::time::Instant::now();
    loop {
        for _ in 0..between {
            statement.touch(keys)?;
        }
        times += between;
        let time = start.elapsed();
        if time.as_millis() >= 20 {
            return Ok(time.as_secs_f64() * 1e9 / f64::from(times));
        }
        // Never so many that the end comes much later than asked for.
        between = (times / 8).clamp(1, 1000);
    }
}

/// The point query on two threads, beside the same on one.
fn on_two_threads(rounds: &mut Rounds, base: &Base) -> Outcome<()> {
    let keys = random_keys(base.rows, look_ups(base.rows, 5), 53);
    let mut turns: Vec<Turn<'_>> = vec![
        turn(Pando::NAME, || reads_on(&base.pando, &keys, 2)),
        turn("itself, 1 thread", || reads_on(&base.pando, &keys, 1)),
    ];
    if let Some(sqlite) = &base.sqlite {
        turns.push(turn(Sqlite::NAME, || reads_on(sqlite, &keys, 2)));
    }
    rounds.run(NAMES[1], Unit::Nanoseconds, turns)
}

/// The time of one of all reads that `threads` threads do together, each on a connection that
/// is warm before the clock starts.
fn reads_on<D: Database>(database: &D, keys: &[i64], threads: usize) -> Outcome<f64> {
    let share = keys.len().div_ceil(threads);
    super::together(keys.chunks(share).collect(), keys.len() as u64, |part: &[i64], ready| {
        let connection = database.connect(Durable::Later)?;
        warm(&connection)?;
        let mut statement = connection.prepare(POINT)?;
        ready();
        for key in part {
            statement.touch(&[*key])?;
        }
        Ok(())
    })
}
