//! By how much the file grows: for a branch on which 1% of the rows change, and for one on which
//! nothing does.
//!
//! The file is looked at closed, behind its last checkpoint; the log beside it is not counted,
//! since it goes when the time is over for which the past is kept. Neighbours: `changes`.

use std::path::Path;

use super::dolt::{self, Dolt};
use crate::sql::client::{Cell, Connection, Database, Durable, Statement};
use crate::sql::files::copy_folder;
use crate::sql::items::{self, random_keys};
use crate::sql::pando::Pando;
use crate::turns::{Outcome, PANDO, Rounds, Turn, Unit, turn};

const NAMES: [&str; 2] = ["branching/growth-1-percent", "branching/growth-unchanged"];

/// So many branches without changes share what they cost.
const UNCHANGED: u64 = 1000;

pub(super) fn measure(rounds: &mut Rounds, folder: &Path, rows: u64) -> Outcome<()> {
    if !NAMES.iter().any(|name| rounds.wants(name)) {
        return Ok(());
    }
    let folder = folder.join("growth");
    let template = folder.join("template");
    drop(items::create::<Pando>(&template, rows)?);
    let dolt = if rounds.wants(NAMES[0]) { Dolt::start(rounds, &folder, rows)? } else { None };
    let mut seed = 0;
    let mut turns: Vec<Turn<'_>> = vec![turn(PANDO, || {
        seed += 1;
        let keys = random_keys(rows, rows / 100, seed);
        let grown = grow(&template, |connection| {
            connection.run_all("CREATE BRANCH grown; USE BRANCH grown; BEGIN")?;
            let sql = "UPDATE items SET val = val + 1.5 WHERE id = ?1";
            let mut update = Connection::prepare(connection, sql)?;
            for key in &keys {
                update.change(&[Cell::Integer(*key)])?;
            }
            connection.run_all("COMMIT")
        })?;
        Ok(grown / std::fs::metadata(template.join("data.pando"))?.len() as f64)
    })];
    if let Some(dolt) = &dolt {
        let size = dolt.bytes()?;
        let mut seed = 0;
        turns.push(turn(dolt::NAME, move || {
            seed += 1;
            let before = dolt.bytes()?;
            let branch = format!("SELECT dolt_branch('grown_{seed}')");
            let checkout = format!("SELECT dolt_checkout('grown_{seed}')");
            let keys = random_keys(rows, rows / 100, seed);
            let update = |key| format!("UPDATE items SET val = val + 1.5 WHERE id = {key}");
            let updates: Vec<String> = keys.into_iter().map(update).collect();
            let mut all = vec![&*branch, &*checkout, "BEGIN"];
            all.extend(updates.iter().map(|sql| &**sql));
            all.push("COMMIT");
            dolt.run(&all)?;
            dolt.commit("grown")?;
            dolt.run(&["SELECT dolt_checkout('main')"])?;
            Ok((dolt.bytes()? - before) / size)
        }));
    }
    rounds.run(NAMES[0], Unit::Fraction, turns)?;
    rounds.run(
        NAMES[1],
        Unit::Bytes,
        vec![turn(PANDO, || {
            let grown = grow(&template, |connection| {
                (0..UNCHANGED)
                    .try_for_each(|number| connection.run_all(&format!("CREATE BRANCH u{number}")))
            })?;
            Ok(grown / UNCHANGED as f64)
        })],
    )
}

/// By how many bytes a copy of the database grows.
fn grow(template: &Path, work: impl FnOnce(&pandodb::Connection) -> Outcome<()>) -> Outcome<f64> {
    let folder = template.with_extension("grown");
    copy_folder(template, &folder)?;
    let file = folder.join("data.pando");
    let before = std::fs::metadata(&file)?.len();
    let database = Pando::open(&folder)?;
    let connection = database.connect(Durable::Later)?;
    work(&connection)?;
    drop(connection);
    drop(database);
    let grown = std::fs::metadata(&file)?.len() as f64 - before as f64;
    std::fs::remove_dir_all(folder)?;
    Ok(grown)
}
