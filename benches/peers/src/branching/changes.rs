//! Differences and merges of 1% of the rows, and of one row.
//!
//! Results are compared before they are timed: both databases must find the same number of
//! changed rows, and the same rows after a merge. Neighbours: `queries`, `growth`.

use super::{Base, Dolt, dolt, time_of, time_of_query, unique};
use crate::sql::client::{Cell, Connection, Statement};
use crate::turns::{Outcome, PANDO, Rounds, Turn, Unit, turn};

pub(super) const NAMES: [&str; 4] = [
    "branching/diff-1-percent",
    "branching/diff-one-row",
    "branching/merge-1-percent",
    "branching/fast-forward",
];

const STATE: &str = "SELECT count(*) + sum(id) + 3 * sum(val) FROM items";

pub(super) fn measure(rounds: &mut Rounds, base: &Base) {
    for (name, work) in NAMES.into_iter().zip([diff, diff_one, merge, fast_forward]) {
        if rounds.wants(name) {
            let outcome = work(rounds, base);
            rounds.keep(name, outcome);
        }
    }
}

fn change(residue: u64) -> String {
    format!("UPDATE items SET val = val + 1.5 WHERE id % 100 = {}", residue % 100)
}

/// The number that a query of one row gives.
fn number(base: &Base, sql: &str) -> Outcome<f64> {
    match Connection::prepare(&base.connection, sql)?.rows(&[])?.first().and_then(|row| row.first())
    {
        Some(Cell::Real(value)) => Ok(*value),
        Some(Cell::Integer(value)) => Ok(*value as f64),
        other => Err(format!("{sql} gave {other:?}").into()),
    }
}

/// A branch of main on which 1% of the rows have changed.
fn changed_branch(base: &Base, name: &str, residue: u64) -> Outcome<()> {
    base.run(&format!("CREATE BRANCH {name}; USE BRANCH {name}"))?;
    base.run(&change(residue))?;
    base.run("USE BRANCH main")
}

fn changed_branch_there(dolt: &Dolt, name: &str, residue: u64) -> Outcome<()> {
    let (branch, checkout) =
        (format!("SELECT dolt_branch('{name}')"), format!("SELECT dolt_checkout('{name}')"));
    dolt.run(&[&branch, &checkout, &change(residue)])?;
    dolt.commit(name)?;
    dolt.run(&["SELECT dolt_checkout('main')"]).map(drop)
}

fn diff(rounds: &mut Rounds, base: &Base) -> Outcome<()> {
    const OWN: &str = "SHOW DIFF BETWEEN main AND differs";
    const THEIRS: &str = "SELECT * FROM dolt_diff_items('main', 'differs')";
    changed_branch(base, "differs", 7)?;
    let found = Connection::prepare(&base.connection, OWN)?.rows(&[])?.len() as u64;
    let mut turns: Vec<Turn<'_>> = vec![turn(PANDO, || time_of_query(&base.connection, OWN))];
    if let Some(dolt) = &base.dolt {
        changed_branch_there(dolt, "differs", 7)?;
        let theirs = dolt.count(THEIRS)?;
        if theirs != found {
            rounds.fail(NAMES[0], format!("{theirs} rows differ, PandoDB finds {found}"));
            return Ok(());
        }
        turns.push(turn(dolt::NAME, || dolt.run(&[THEIRS])));
    }
    rounds.run(NAMES[0], Unit::Nanoseconds, turns)?;
    base.run("DROP BRANCH differs")
}

fn diff_one(rounds: &mut Rounds, base: &Base) -> Outcome<()> {
    let middle = base.rows / 2;
    let update = format!("UPDATE items SET val = val + 1.5 WHERE id = {middle}");
    base.run("CREATE BRANCH one; USE BRANCH one")?;
    base.run(&update)?;
    base.run("USE BRANCH main")?;
    let mut turns: Vec<Turn<'_>> =
        vec![turn(PANDO, || time_of_query(&base.connection, "SHOW DIFF BETWEEN main AND one"))];
    if let Some(dolt) = &base.dolt {
        dolt.run(&["SELECT dolt_branch('one')", "SELECT dolt_checkout('one')", &update])?;
        dolt.commit("one")?;
        dolt.run(&["SELECT dolt_checkout('main')"])?;
        let sql = "SELECT * FROM dolt_diff_items('main', 'one')";
        turns.push(turn(dolt::NAME, || dolt.run(&[sql])));
    }
    rounds.run(NAMES[1], Unit::Nanoseconds, turns)?;
    base.run("DROP BRANCH one")
}

/// Merges a branch with 1% of the rows into main, where another 1% have changed since.
fn merge(rounds: &mut Rounds, base: &Base) -> Outcome<()> {
    let watch = rounds.watch();
    let own = |step: u64| {
        let name = format!("merged_{step}");
        watch.pause()?;
        changed_branch(base, &name, 2 * step)?;
        base.run(&change(2 * step + 1))?;
        watch.resume()?;
        let figure = time_of(&base.connection, &format!("MERGE BRANCH {name} INTO main"))?;
        base.run(&format!("DROP BRANCH {name}"))?;
        Ok(figure)
    };
    let theirs = |dolt: &Dolt, step: u64| {
        let name = format!("merged_{step}");
        changed_branch_there(dolt, &name, 2 * step)?;
        dolt.run(&[&change(2 * step + 1)])?;
        dolt.commit(&name)?;
        dolt.run(&[&format!("SELECT dolt_merge('{name}')")])
    };
    if let Some(dolt) = &base.dolt {
        // Main may have been changed here and not there before.
        let before = number(base, STATE)? - dolt.number(STATE)?;
        own(0)?;
        theirs(dolt, 0)?;
        let behind = number(base, STATE)? - dolt.number(STATE)?;
        if (behind - before).abs() > 1e-3 * base.rows as f64 {
            rounds.fail(NAMES[2], format!("sums differ by {behind} after a merge, not {before}"));
            return Ok(());
        }
    }
    let (mut step, mut step_there) = (0, 0);
    let mut turns: Vec<Turn<'_>> = vec![turn(PANDO, || {
        step += 1;
        own(step)
    })];
    if let Some(dolt) = &base.dolt {
        turns.push(turn(dolt::NAME, || {
            step_there += 1;
            theirs(dolt, step_there)
        }));
    }
    rounds.run(NAMES[2], Unit::Nanoseconds, turns)
}

fn fast_forward(rounds: &mut Rounds, base: &Base) -> Outcome<()> {
    let own = || {
        let step = unique();
        let name = format!("ahead_{step}");
        changed_branch(base, &name, step)?;
        let figure = time_of(&base.connection, &format!("MERGE BRANCH {name} INTO main"))?;
        base.run(&format!("DROP BRANCH {name}"))?;
        Ok(figure)
    };
    let mut turns: Vec<Turn<'_>> = vec![turn(PANDO, own)];
    if let Some(dolt) = &base.dolt {
        turns.push(turn(dolt::NAME, || {
            let step = unique();
            let name = format!("ahead_{step}");
            changed_branch_there(dolt, &name, step)?;
            dolt.run(&[&format!("SELECT dolt_merge('{name}')")])
        }));
    }
    rounds.run(NAMES[3], Unit::Nanoseconds, turns)
}
