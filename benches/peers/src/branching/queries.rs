//! The same queries on main and on branches: of main, and a hundred deep.
//!
//! Every branch on the way has changes of its own. Neighbours: the suite `sql` measures the
//! queries themselves.

use super::Base;
use crate::sql::client::{Connection, Database, Durable, Statement};
use crate::sql::items::{look_ups, random_keys, warm};
use crate::turns::{Outcome, PANDO, Rounds, Unit, time_each, turn};

pub(super) const NAMES: [&str; 4] = [
    "branching/point-on-branch",
    "branching/scan-on-branch",
    "branching/point-100-deep",
    "branching/scan-100-deep",
];

const MAIN: &str = "itself, main";
const POINT: &str = "SELECT * FROM items WHERE id = ?1";
const SCAN: &str = "SELECT count(*) FROM items WHERE val > 3.5";

pub(super) fn measure(rounds: &mut Rounds, base: &Base) -> Outcome<()> {
    if !NAMES.iter().any(|name| rounds.wants(name)) {
        return Ok(());
    }
    base.run("CREATE BRANCH near; USE BRANCH near")?;
    base.run("UPDATE items SET val = val + 1.5 WHERE id % 100 = 11")?;
    base.run("USE BRANCH main; CREATE BRANCH deep_0")?;
    for depth in 1..=100 {
        base.run(&format!("CREATE BRANCH deep_{depth} FROM deep_{}", depth - 1))?;
        base.run(&format!("USE BRANCH deep_{depth}"))?;
        base.run(&format!("UPDATE items SET val = val + 1.5 WHERE id = {depth}"))?;
    }
    base.run("USE BRANCH main")?;
    let connect = |branch: &str| -> Outcome<pandodb::Connection> {
        let connection = base.pando.connect(Durable::Later)?;
        connection.run_all(&format!("USE BRANCH {branch}"))?;
        warm(&connection)?;
        Ok(connection)
    };
    let (main, near, deep) = (connect("main")?, connect("near")?, connect("deep_100")?);
    let keys = random_keys(base.rows, look_ups(base.rows, 5), 37);
    for (branch, [point, scan]) in [(&near, [NAMES[0], NAMES[1]]), (&deep, [NAMES[2], NAMES[3]])] {
        rounds.run(
            point,
            Unit::Nanoseconds,
            vec![turn(PANDO, || points(branch, &keys)), turn(MAIN, || points(&main, &keys))],
        )?;
        rounds.run(
            scan,
            Unit::Nanoseconds,
            vec![turn(PANDO, || scans(branch)), turn(MAIN, || scans(&main))],
        )?;
    }
    Ok(())
}

fn points(connection: &pandodb::Connection, keys: &[i64]) -> Outcome<f64> {
    let mut statement = Connection::prepare(connection, POINT)?;
    time_each(keys.len() as u64, || {
        keys.iter().try_for_each(|key| statement.touch(&[*key]).map(drop))
    })
}

fn scans(connection: &pandodb::Connection) -> Outcome<f64> {
    let mut statement = Connection::prepare(connection, SCAN)?;
    time_each(3, || (0..3).try_for_each(|_| statement.touch(&[]).map(drop)))
}
