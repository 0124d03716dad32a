//! Merges that stay open, answered at random until they end.
//!
//! Each conflict gets some answer, the merge is continued, and what is left then is answered again.
//! However that goes, a merge whose conflicts are those of rows ends: rows that break constraints
//! can be deleted. Neighbours: `laws` has what holds for what was merged.

use fastrand::Rng;
use pandodb_qp::{Error, ErrorKind};

use crate::definition::literal;
use crate::laws::{Checked, Pair, broken, check_whole, failed, try_again};
use crate::snapshot::Snapshot;
use crate::world::{World, is_defect};

/// How often a merge is continued with answers of any kind, and then with those that end it.
const ROUNDS: usize = 6;
const LAST_ROUNDS: usize = 200;

/// Tries one direction; `before` is what the target holds.
pub(crate) fn check(
    world: &mut World,
    pair: Pair<'_>,
    before: &Snapshot,
    sides: &[Snapshot; 2],
) -> Checked {
    let open = |error: Error| failed("an open merge", &error);
    // The same script is answered in the same way.
    let seed = world.history.iter().map(String::len).sum::<usize>() + pair.source.len();
    let mut random = Rng::with_seed(seed as u64);
    let trial = world.branch_of(pair.target).map_err(open)?;
    world.go(&trial).map_err(open)?;
    let merge =
        format!("MERGE BRANCH {} INTO {trial} WITH (conflict_resolution = 'manual')", pair.source);
    world.rows(&merge).map_err(open)?;
    let mut said = Vec::new();
    let is_merged = answer(world, &mut random, &mut said)?;
    let what = format!("{} into {}: {}", pair.source, pair.target, said.join("; "));
    if is_merged {
        let after = Snapshot::of(world, &trial).map_err(open)?;
        check_whole(&what, &after, sides)?;
        try_again(world, pair, &what, &trial, &after)?;
    } else {
        world.go(&trial).map_err(open)?;
        world.rows("ABORT MERGE").map_err(open)?;
        let after = Snapshot::of(world, &trial).map_err(open)?;
        if let Some(difference) = after.difference(before) {
            return broken(
                "a merge that is given up leaves no trace",
                format!("{what}: {difference}"),
            );
        }
    }
    world.drop_branch(&trial).map_err(open)
}

/// Answers until the merge ends; false where definitions stay in its way.
fn answer(world: &mut World, random: &mut Rng, said: &mut Vec<String>) -> Checked<bool> {
    let open = |error: Error| failed("an open merge", &error);
    for round in 0..ROUNDS + LAST_ROUNDS {
        let listed = "SELECT conflict_id, kind, object_name, resolution FROM pando_conflicts";
        let conflicts = world.rows(listed).map_err(open)?;
        let is_last = round >= ROUNDS;
        for conflict in &conflicts {
            let [number, kind, table, _] = conflict.as_slice() else { continue };
            if !is_last && random.u8(..6) == 0 {
                continue;
            }
            let choice = if is_last { last_choice(kind) } else { choice(world, random, table) };
            let sql = format!("RESOLVE CONFLICT {number} WITH {choice}");
            match world.rows(&sql) {
                Ok(_) => said.push(sql),
                Err(error) if is_defect(&error) => {
                    return broken("answers are taken or refused", format!("{sql}: {error}"));
                }
                Err(_) => {}
            }
        }
        match world.rows("CONTINUE MERGE") {
            Ok(_) => return Ok(true),
            Err(error) if error.kind() == ErrorKind::MergeConflict => said.push("go on".into()),
            Err(error) => {
                let how = format!("{}: {error}", said.join("; "));
                return broken("merges end well or with conflicts", how);
            }
        }
        let left = "SELECT kind FROM pando_conflicts WHERE resolution IS NULL";
        let left = world.column(left).map_err(open)?;
        if is_last && left.iter().all(|kind| kind == "schema") {
            return Ok(false);
        }
    }
    broken("what rows conflict about can be settled", said.join("; "))
}

/// What settles a conflict for certain.
fn last_choice(kind: &str) -> String {
    if kind.starts_with("constraint") { "DELETE" } else { "SOURCE" }.to_owned()
}

fn choice(world: &World, random: &mut Rng, table: &str) -> String {
    match random.u8(..10) {
        0..2 => "SOURCE".to_owned(),
        2..4 => "TARGET".to_owned(),
        4..6 => "BASE".to_owned(),
        6 => "DELETE".to_owned(),
        7 => format!("VALUE {}", literal(random)),
        _ => {
            let sql = format!("SELECT name FROM pragma_table_xinfo('{table}') WHERE hidden = 0");
            let columns = world.column(&sql).unwrap_or_default();
            let column = columns.get(random.usize(..columns.len().max(1)));
            format!("({} = {})", column.map_or("a", String::as_str), literal(random))
        }
    }
}
