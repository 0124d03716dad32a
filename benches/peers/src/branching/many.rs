//! What branches cost beside 10,000 others, and beside 10.
//!
//! Each of them has a change of its own. Neighbours: `create` measures the same with few.

use std::path::{Path, PathBuf};

use super::unique;
use crate::sql::client::{Connection, Database, Durable, Statement};
use crate::sql::items;
use crate::sql::pando::Pando;
use crate::turns::{Outcome, PANDO, Rounds, Unit, time_each, turn};

const NAMES: [&str; 5] = [
    "branching/create-beside-10000",
    "branching/switch-beside-10000",
    "branching/list-one-of-10000",
    "branching/open-with-10000",
    "branching/drop-beside-10000",
];

const FEW: u64 = 10;
const ITSELF: &str = "itself, 10 branches";
const ROWS: u64 = 10_000;
const COUNT: u64 = 20;

/// A database with so many branches.
struct Many {
    folder: PathBuf,
    branches: u64,
}

impl Many {
    fn create(folder: PathBuf, branches: u64) -> Outcome<Self> {
        let database: Pando = items::create(&folder, ROWS)?;
        let connection = database.connect(Durable::Later)?;
        for number in 0..branches {
            connection.run_all(&format!("CREATE BRANCH b{number} FROM main"))?;
            connection.run_all(&format!("USE BRANCH b{number}"))?;
            let key = number % ROWS + 1;
            connection.run_all(&format!("UPDATE items SET val = {number} WHERE id = {key}"))?;
        }
        Ok(Self { folder, branches })
    }

    fn open(&self) -> Outcome<f64> {
        time_each(1, || {
            let connection = Pando::open(&self.folder)?.connect(Durable::Later)?;
            Connection::prepare(&connection, "SELECT * FROM items WHERE id = 1")?.touch(&[])?;
            Ok(())
        })
    }
}

pub(super) fn measure(rounds: &mut Rounds, folder: &Path, branches: u64) -> Outcome<()> {
    if !NAMES.iter().any(|name| rounds.wants(name)) {
        return Ok(());
    }
    let many = Many::create(folder.join(format!("many-{branches}")), branches)?;
    let few = Many::create(folder.join(format!("few-{branches}")), FEW)?;
    rounds.run(
        NAMES[3],
        Unit::Nanoseconds,
        vec![turn(PANDO, || many.open()), turn(ITSELF, || few.open())],
    )?;
    let (database, database_few) = (Pando::open(&many.folder)?, Pando::open(&few.folder)?);
    let own = database.connect(Durable::Now)?;
    let own_few = database_few.connect(Durable::Now)?;
    for (name, work) in [
        (NAMES[0], create as fn(&pandodb::Connection, u64) -> Outcome<f64>),
        (NAMES[1], switch),
        (NAMES[2], list_one),
        (NAMES[4], drop_one),
    ] {
        rounds.run(
            name,
            Unit::Nanoseconds,
            vec![
                turn(PANDO, || work(&own, many.branches)),
                turn(ITSELF, || work(&own_few, few.branches)),
            ],
        )?;
    }
    Ok(())
}

fn create(connection: &pandodb::Connection, _: u64) -> Outcome<f64> {
    let names: Vec<String> = (0..COUNT).map(|_| format!("new_{}", unique())).collect();
    time_each(COUNT, || {
        names.iter().try_for_each(|name| connection.run_all(&format!("CREATE BRANCH {name}")))
    })
}

fn drop_one(connection: &pandodb::Connection, _: u64) -> Outcome<f64> {
    let name = format!("gone_{}", unique());
    connection.run_all(&format!("CREATE BRANCH {name}"))?;
    time_each(1, || connection.run_all(&format!("DROP BRANCH {name}")))
}

fn switch(connection: &pandodb::Connection, branches: u64) -> Outcome<f64> {
    let figure = time_each(2 * COUNT, || {
        for step in 0..COUNT {
            connection.run_all(&format!("USE BRANCH b{}", step * 7919 % branches))?;
            connection.run_all("USE BRANCH main")?;
        }
        Ok(())
    });
    connection.run_all("USE BRANCH main")?;
    figure
}

fn list_one(connection: &pandodb::Connection, branches: u64) -> Outcome<f64> {
    time_each(COUNT, || {
        for step in 0..COUNT {
            let name = format!("b{}", step * 7919 % branches);
            let sql = format!("SELECT * FROM pando_branches WHERE branch_name = '{name}'");
            if Connection::prepare(connection, &sql)?.touch(&[])? != 1 {
                return Err(format!("the branch {name} is not listed once").into());
            }
        }
        Ok(())
    })
}
