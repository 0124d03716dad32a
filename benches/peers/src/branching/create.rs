//! Making, switching and dropping branches, forks in memory, branches of the past.
//!
//! Neighbours: `many` does the same beside 10,000 others.

use std::sync::Arc;

use pandodb_ds::vfs::{OsVfs, Vfs};
use pandodb_qp::catalog::DatabaseIndex;
use pandodb_qp::session::Session;
use pandodb_qp::store::Database;
use pandodb_tm::{MAIN, Options};

use super::{Base, dolt, time_of, unique};
use crate::sql::client::{Connection, Database as _, Durable, Statement};
use crate::sql::items;
use crate::sql::pando::Pando;
use crate::turns::{Outcome, PANDO, Rounds, Turn, Unit, time_each, turn};

pub(super) const NAMES: [&str; 7] = [
    "branching/create",
    "branching/create-unsynced",
    "branching/switch",
    "branching/drop",
    "branching/as-of",
    "branching/writers-8",
    "branching/fork",
];

/// Rows of about a megabyte.
const ROWS_SMALL: u64 = 6000;

/// How many are made in a round.
const COUNT: u64 = 20;

pub(super) fn measure(rounds: &mut Rounds, base: &Base) {
    let all = [create, create_unsynced, switch, drop_one, as_of, writers, fork];
    for (name, work) in NAMES.into_iter().zip(all) {
        if rounds.wants(name) {
            let outcome = work(rounds, base);
            rounds.keep(name, outcome);
        }
    }
}

/// The time of one of `COUNT` new branches, which are dropped again.
fn create_each(connection: &pandodb::Connection) -> Outcome<f64> {
    let names: Vec<String> = (0..COUNT).map(|_| format!("made_{}", unique())).collect();
    let figure = time_each(COUNT, || {
        names.iter().try_for_each(|name| connection.run_all(&format!("CREATE BRANCH {name}")))
    })?;
    names.iter().try_for_each(|name| connection.run_all(&format!("DROP BRANCH {name}")))?;
    Ok(figure)
}

/// The same in DoltLite.
fn dolt_create_each(dolt: &dolt::Dolt) -> Outcome<f64> {
    let names: Vec<String> = (0..COUNT).map(|_| format!("made_{}", unique())).collect();
    let all =
        |sql: fn(&str) -> String| -> Vec<String> { names.iter().map(|name| sql(name)).collect() };
    let create = all(|name| format!("SELECT dolt_branch('{name}')"));
    let drop = all(|name| format!("SELECT dolt_branch('-D', '{name}')"));
    let texts = |all: &[String]| dolt.run(&all.iter().map(|s| &**s).collect::<Vec<_>>());
    let figure = texts(&create)? / COUNT as f64;
    texts(&drop)?;
    Ok(figure)
}

fn create(rounds: &mut Rounds, base: &Base) -> Outcome<()> {
    let small: Pando = items::create(&base.folder.join("small"), ROWS_SMALL.min(base.rows))?;
    let small = small.connect(Durable::Now)?;
    let mut turns: Vec<Turn<'_>> = vec![
        turn(PANDO, || create_each(&base.connection)),
        turn("itself, 1 MB", || create_each(&small)),
    ];
    if let Some(dolt) = &base.dolt {
        turns.push(turn(dolt::NAME, || dolt_create_each(dolt)));
    }
    let (file, copy) = (base.folder.join("pando/data.pando"), base.folder.join("copy"));
    turns.push(turn("file copy", move || {
        time_each(1, || {
            std::fs::copy(&file, &copy)?;
            Ok(std::fs::File::open(&copy)?.sync_all()?)
        })
    }));
    rounds.run(NAMES[0], Unit::Nanoseconds, turns)
}

/// Without the sync of the disk, which both pay once a branch: what the databases themselves do.
/// Neither then says that a branch outlives a crashed machine.
fn create_unsynced(rounds: &mut Rounds, base: &Base) -> Outcome<()> {
    let set = |mode: &str| -> Outcome<()> {
        let pragma = format!("PRAGMA synchronous = {mode}");
        base.run(&pragma)?;
        base.dolt.as_ref().map_or(Ok(()), |dolt| dolt.run(&[&pragma]).map(drop))
    };
    set("OFF")?;
    let mut turns: Vec<Turn<'_>> = vec![turn(PANDO, || create_each(&base.connection))];
    if let Some(dolt) = &base.dolt {
        turns.push(turn(dolt::NAME, || dolt_create_each(dolt)));
    }
    let outcome = rounds.run(NAMES[1], Unit::Nanoseconds, turns);
    set("FULL")?;
    outcome
}

fn switch(rounds: &mut Rounds, base: &Base) -> Outcome<()> {
    base.run("CREATE BRANCH other_side")?;
    let there_and_back = || {
        let figure = time_each(200, || {
            for _ in 0..100 {
                base.run("USE BRANCH other_side")?;
                base.run("USE BRANCH main")?;
            }
            Ok(())
        });
        base.run("USE BRANCH main")?;
        figure
    };
    let mut turns: Vec<Turn<'_>> = vec![turn(PANDO, there_and_back)];
    if let Some(dolt) = &base.dolt {
        dolt.run(&["SELECT dolt_branch('other_side')"])?;
        turns.push(turn(dolt::NAME, || {
            let pair = ["SELECT dolt_checkout('other_side')", "SELECT dolt_checkout('main')"];
            Ok(dolt.run(&pair.repeat(20))? / 40.0)
        }));
    }
    rounds.run(NAMES[2], Unit::Nanoseconds, turns)?;
    base.run("DROP BRANCH other_side")
}

/// A branch with 1% of the rows changed, dropped.
fn drop_one(rounds: &mut Rounds, base: &Base) -> Outcome<()> {
    let watch = rounds.watch();
    let own = || {
        let name = format!("dropped_{}", unique());
        watch.pause()?;
        base.run(&format!("CREATE BRANCH {name}; USE BRANCH {name}"))?;
        base.run("UPDATE items SET val = val + 1.5 WHERE id % 100 = 7")?;
        base.run("USE BRANCH main")?;
        watch.resume()?;
        time_of(&base.connection, &format!("DROP BRANCH {name}"))
    };
    rounds.run(NAMES[3], Unit::Nanoseconds, vec![turn(PANDO, own)])
}

/// A branch of a moment a thousand commits ago.
fn as_of(rounds: &mut Rounds, base: &Base) -> Outcome<()> {
    base.run("UPDATE items SET val = 1 WHERE id = 1")?;
    let moments = Connection::prepare(&base.connection, "SHOW COMMITS")?.rows(&[])?;
    let number = match moments.first().and_then(|row| row.first()) {
        Some(crate::sql::client::Cell::Integer(number)) => *number,
        other => return Err(format!("SHOW COMMITS gave {other:?}").into()),
    };
    for step in 0..1000 {
        base.run(&format!("UPDATE items SET val = {} WHERE id = {}", step + 2, step % 50 + 1))?;
    }
    let create = || {
        let name = format!("past_{}", unique());
        let sql = format!("CREATE BRANCH {name} FROM main AS OF TRANSACTION {number}");
        let figure = time_of(&base.connection, &sql)?;
        base.run(&format!("DROP BRANCH {name}"))?;
        Ok(figure)
    };
    rounds.run(NAMES[4], Unit::Nanoseconds, vec![turn(PANDO, create)])
}

/// Eight writers, each on its branch.
fn writers(rounds: &mut Rounds, base: &Base) -> Outcome<()> {
    let names: Vec<String> = (0..8).map(|number| format!("writer_{number}")).collect();
    let keys = items::random_keys(base.rows, 400, 67);
    for name in &names {
        base.run(&format!("CREATE BRANCH {name}"))?;
    }
    let parts: Vec<(&String, &[i64])> = names.iter().zip(keys.chunks(50)).collect();
    let pando = &base.pando;
    let own = || {
        crate::sql::together(parts.clone(), keys.len() as u64, |(name, part), ready| {
            let connection = pando.connect(Durable::Now)?;
            connection.run_all(&format!("USE BRANCH {name}"))?;
            let sql = "UPDATE items SET val = val + 1.5 WHERE id = ?1";
            let mut update = Connection::prepare(&connection, sql)?;
            ready();
            part.iter().try_for_each(|key| {
                update.change(&[crate::sql::client::Cell::Integer(*key)]).map(drop)
            })
        })
    };
    let mut turns: Vec<Turn<'_>> = vec![turn(PANDO, own)];
    if let Some(dolt) = &base.dolt {
        for name in &names {
            dolt.run(&[&format!("SELECT dolt_branch('{name}')")])?;
        }
        turns.push(turn(dolt::NAME, || dolt.writers(&names, &keys.chunks(50).collect::<Vec<_>>())));
    }
    rounds.run(NAMES[5], Unit::Nanoseconds, turns)?;
    names.iter().try_for_each(|name| base.run(&format!("DROP BRANCH {name}")))
}

/// A fork in memory, a session on it, its first query, and its end. The library has no call for
/// it yet, so it is made with the crates below.
fn fork(rounds: &mut Rounds, base: &Base) -> Outcome<()> {
    let folder = base.folder.join("fork");
    drop(items::create::<Pando>(&folder, base.rows)?);
    let vfs: Arc<dyn Vfs> = Arc::new(OsVfs::new());
    let database = Database::open(&vfs, &folder.join("data.pando"), &Options::default())?;
    let ask = |session: &Session| -> Outcome<()> {
        let (statement, _) = session.prepare("SELECT val FROM items WHERE id = 1")?;
        let mut statement = statement.ok_or("there is no statement")?;
        Ok(statement.run()?)
    };
    ask(&Session::new(database.clone()))?;
    let once = || {
        time_each(COUNT, || {
            for _ in 0..COUNT {
                let head = database.manager().fork_in_memory(MAIN, b"")?;
                let session = Session::new(database.clone());
                session.use_head(DatabaseIndex::MAIN, head);
                ask(&session)?;
                drop(session);
                database.manager().drop_head(head)?;
            }
            Ok(())
        })
    };
    rounds.run(NAMES[6], Unit::Nanoseconds, vec![turn(PANDO, once)])
}
