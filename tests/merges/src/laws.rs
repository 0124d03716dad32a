//! The laws of merges, tried on two branches.
//!
//! Every trial merges into a branch of the target that is made for it, so that the two sides stay
//! as they are. Neighbours: `snapshot` says what a branch holds, `model` what it should hold.

use std::collections::BTreeMap;

use pandodb_qp::{Error, ErrorKind};

use crate::again;
use crate::model;
use crate::settle;
use crate::snapshot::Snapshot;
use crate::world::World;

/// The policies that take a side.
const WINS: [&str; 2] = ["source_wins", "target_wins"];

/// A law that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    /// Which one, in the same words whatever the script is.
    pub(crate) law: String,
    /// How it was seen.
    pub(crate) how: String,
}

pub(crate) type Checked<T = ()> = Result<T, Broken>;

pub(crate) fn broken<T>(law: &str, how: impl Into<String>) -> Checked<T> {
    Err(Broken { law: law.to_owned(), how: how.into() })
}

/// An error of something that cannot fail.
pub(crate) fn failed(what: &str, error: &Error) -> Broken {
    Broken { law: format!("{what} works"), how: error.to_string() }
}

/// What a merge came to.
#[derive(Clone, Debug, PartialEq)]
enum Outcome {
    Merged(Box<Snapshot>),
    Conflicts,
}

/// The two sides of a merge.
#[derive(Clone, Copy)]
pub(crate) struct Pair<'p> {
    pub(crate) source: &'p str,
    pub(crate) target: &'p str,
}

impl Pair<'_> {
    fn mirrored(self) -> Self {
        Self { source: self.target, target: self.source }
    }
}

/// Tries all laws on a world.
pub(crate) fn check(world: &mut World) -> Checked {
    for (source, target) in [("one", "other"), ("third", "one")] {
        check_pair(world, Pair { source, target })?;
    }
    Ok(())
}

fn check_pair(world: &mut World, pair: Pair<'_>) -> Checked {
    let read = |world: &mut World, branch: &str| {
        Snapshot::of(world, branch).map_err(|error| failed("reading a branch", &error))
    };
    let sides = [read(world, pair.source)?, read(world, pair.target)?];
    let mut outcomes: BTreeMap<(bool, &str), Outcome> = BTreeMap::new();
    for (is_mirrored, pair) in [(false, pair), (true, pair.mirrored())] {
        for policy in ["fail", "source_wins", "target_wins", "renumber"] {
            let before = &sides[usize::from(!is_mirrored)];
            let outcome = try_merge(world, pair, policy, before, &sides)?;
            outcomes.insert((is_mirrored, policy), outcome);
        }
    }
    let of = |is_mirrored, policy| &outcomes[&(is_mirrored, policy)];
    let same = |law: &str, left: &Outcome, right: &Outcome| match (left, right) {
        (Outcome::Merged(left), Outcome::Merged(right)) => match left.difference(right) {
            Some(difference) => broken(law, difference),
            None => Ok(()),
        },
        (Outcome::Conflicts, Outcome::Conflicts) => Ok(()),
        (Outcome::Merged(_), _) => broken(law, "only the second has conflicts"),
        (_, Outcome::Merged(_)) => broken(law, "only the first has conflicts"),
    };
    same("both directions agree", of(false, "fail"), of(true, "fail"))?;
    same("wins are mirrored", of(false, "source_wins"), of(true, "target_wins"))?;
    same("wins are mirrored", of(false, "target_wins"), of(true, "source_wins"))?;
    if *of(false, "fail") == Outcome::Conflicts {
        for (choice, mirrored) in [("source", "target"), ("target", "source")] {
            let wins = |is_mirrored, choice| of(is_mirrored, WINS[usize::from(choice == "target")]);
            let one = conflicts(world, pair, (choice, wins(false, choice)), &sides)?;
            let other = (mirrored, wins(true, mirrored));
            let two = conflicts(world, pair.mirrored(), other, &sides)?;
            if one.kinds != two.kinds {
                return broken(
                    "both directions have the same conflicts",
                    format!("{:?} and {:?}", one.kinds, two.kinds),
                );
            }
            same("answers are mirrored", &one.outcome, &two.outcome)?;
        }
        for (number, pair) in [pair, pair.mirrored()].into_iter().enumerate() {
            settle::check(world, pair, &sides[1 - number], &sides)?;
        }
    } else {
        for policy in ["source_wins", "target_wins", "renumber"] {
            let law = "a policy is for conflicts only";
            same(law, of(false, "fail"), of(false, policy))?;
        }
    }
    for (is_mirrored, pair) in [(false, pair), (true, pair.mirrored())] {
        if *of(is_mirrored, "renumber") != Outcome::Conflicts {
            again::check(world, pair)?;
        }
    }
    let merged = match of(false, "fail") {
        Outcome::Merged(merged) => Some(&**merged),
        Outcome::Conflicts => None,
    };
    let base = read(world, "main")?;
    match model::check(&world.history, &base, &sides, merged) {
        Some(how) => broken("rows are merged cell by cell", how),
        None => Ok(()),
    }
}

/// Merges with a policy into a branch of the target, with everything that holds for one merge.
fn try_merge(
    world: &mut World,
    pair: Pair<'_>,
    policy: &str,
    before: &Snapshot,
    sides: &[Snapshot; 2],
) -> Checked<Outcome> {
    let trial = world.branch_of(pair.target).map_err(|error| failed("making a branch", &error))?;
    let outcome = try_merge_into(world, pair, policy, before, sides, &trial)?;
    world.drop_branch(&trial).map_err(|error| failed("dropping a branch", &error))?;
    Ok(outcome)
}

fn try_merge_into(
    world: &mut World,
    pair: Pair<'_>,
    policy: &str,
    before: &Snapshot,
    sides: &[Snapshot; 2],
    trial: &str,
) -> Checked<Outcome> {
    let what = format!("{} into {}, {policy}", pair.source, pair.target);
    let read = |world: &mut World| {
        Snapshot::of(world, trial).map_err(|error| failed("reading what was merged", &error))
    };
    let merge =
        format!("MERGE BRANCH {} INTO {trial} WITH (conflict_resolution = '{policy}'", pair.source);
    let dry = world.rows(&format!("{merge}, dry_run = true)"));
    let done = world.rows(&format!("{merge})"));
    let after = read(world)?;
    let row = match done {
        Ok(rows) => rows.into_iter().next().unwrap_or_default(),
        Err(error) if error.kind() == ErrorKind::MergeConflict => {
            check_whole(&what, &after, &[before.clone(), before.clone()])?;
            if let Some(difference) = after.difference(before) {
                return broken("conflicts change nothing", format!("{what}: {difference}"));
            }
            let count = dry.as_ref().ok().and_then(|rows| rows.first()?.get(8).cloned());
            let is_told = count
                .as_ref()
                .is_some_and(|count| error.to_string().contains(&format!("met {count} conflict")));
            return if is_told {
                Ok(Outcome::Conflicts)
            } else {
                broken("a dry run tells what happens", format!("{what}: {dry:?}, {error}"))
            };
        }
        Err(error) => {
            return broken("merges end well or with conflicts", format!("{what}: {error}"));
        }
    };
    if row.first().is_some_and(|status| status == "merged") {
        let told = dry.ok().and_then(|rows| rows.into_iter().next()).unwrap_or_default();
        if told.get(3..10) != row.get(3..10) {
            return broken(
                "a dry run tells what happens",
                format!("{what}: {told:?}, then {row:?}"),
            );
        }
    }
    check_whole(&what, &after, sides)?;
    try_again(world, pair, &what, trial, &after)?;
    Ok(Outcome::Merged(Box::new(after)))
}

/// A second merge does nothing, and the source gets what was merged by moving there.
pub(crate) fn try_again(
    world: &mut World,
    pair: Pair<'_>,
    what: &str,
    trial: &str,
    after: &Snapshot,
) -> Checked {
    let again = world.rows(&format!("MERGE BRANCH {} INTO {trial}", pair.source));
    match again {
        Ok(rows) if rows.first().is_some_and(|row| row[0] == "up to date") => {}
        other => return broken("a second merge does nothing", format!("{what}: {other:?}")),
    }
    let back = world.branch_of(pair.source).map_err(|error| failed("making a branch", &error))?;
    if let Err(error) = world.rows(&format!("MERGE BRANCH {trial} INTO {back}")) {
        return broken("what was merged goes back", format!("{what}: {error}"));
    }
    let moved = Snapshot::of(world, &back).map_err(|error| failed("reading a branch", &error))?;
    if let Some(difference) = moved.difference(after) {
        return broken("what was merged goes back", format!("{what}: {difference}"));
    }
    world.drop_branch(&back).map_err(|error| failed("dropping a branch", &error))
}

/// An open merge that was answered as a whole.
struct Answered {
    /// The kinds of its conflicts, each with its number.
    kinds: BTreeMap<String, usize>,
    outcome: Outcome,
}

/// The conflicts of a merge that stays open, and what it comes to where all are resolved for one
/// side, one by one or all at once: what `wins` is, unless rows broke constraints, which no policy
/// settles.
fn conflicts(
    world: &mut World,
    pair: Pair<'_>,
    (choice, wins): (&str, &Outcome),
    sides: &[Snapshot; 2],
) -> Checked<Answered> {
    let open = |error: Error| failed("an open merge", &error);
    let trial = world.branch_of(pair.target).map_err(open)?;
    world.go(&trial).map_err(open)?;
    let merge =
        format!("MERGE BRANCH {} INTO {trial} WITH (conflict_resolution = 'manual')", pair.source);
    world.rows(&merge).map_err(open)?;
    let mut kinds = BTreeMap::new();
    for kind in world.column("SELECT kind FROM pando_conflicts").map_err(open)? {
        // Of a row that breaks several constraints one is told, whichever is looked at first.
        if kind.starts_with("constraint") {
            kinds.insert("constraint".to_owned(), 1);
        } else {
            *kinds.entry(kind).or_default() += 1;
        }
    }
    world.rows(&format!("RESOLVE CONFLICTS WITH {choice}")).map_err(open)?;
    let law = "conflicts that are resolved are a policy";
    let what = format!("{} into {}, all {choice}", pair.source, pair.target);
    let outcome = match (world.rows("CONTINUE MERGE"), wins) {
        (Ok(_), wins) => {
            let done = Snapshot::of(world, &trial).map_err(open)?;
            check_whole(&what, &done, sides)?;
            if let Outcome::Merged(wins) = wins
                && let Some(difference) = done.difference(wins)
            {
                return broken(law, format!("{what}: {difference}"));
            }
            Outcome::Merged(Box::new(done))
        }
        (Err(error), Outcome::Conflicts) if error.kind() == ErrorKind::MergeConflict => {
            world.rows("ABORT MERGE").map_err(open)?;
            Outcome::Conflicts
        }
        (done, _) => return broken(law, format!("{what}: {done:?}")),
    };
    world.drop_branch(&trial).map_err(open)?;
    Ok(Answered { kinds, outcome })
}

/// What holds for everything that was merged.
pub(crate) fn check_whole(what: &str, after: &Snapshot, sides: &[Snapshot; 2]) -> Checked {
    if after.check != ["ok"] {
        return broken("what was merged is whole", format!("{what}: {:?}", after.check));
    }
    if sides.iter().all(|side| side.broken.is_empty()) && !after.broken.is_empty() {
        return broken("what worked goes on working", format!("{what}: {:?}", after.broken));
    }
    if sides.iter().all(|side| side.orphans == 0) && after.orphans > 0 {
        return broken("merges make no orphans", format!("{what}: {} orphans", after.orphans));
    }
    Ok(())
}
