//! A database that takes the steps of a script, and the model beside it.
//!
//! Every change is a transaction, every merge a moment with two parents. Neighbours: `script` has
//! the steps, `model` says what they come to.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use fastrand::Rng;
use pandodb_qp::{Error, ErrorKind};

use super::model::{Address, Answer, COLUMNS, History, Merged, Row, Rows, three_way};
use super::script::{ASIDE, BRANCHES, Kind, Policy, Script, Step};
use crate::laws::{Checked, broken, failed};
use crate::world::World;

/// What a script met.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Met {
    /// Merges of two branches that both had gone on.
    pub(crate) merges: usize,
    /// Those with several bases.
    pub(crate) crossed: usize,
    /// Conflicts of theirs.
    pub(crate) conflicts: usize,
    /// Those that asked for more than the model does, which they may where bases crossed again.
    pub(crate) careful: usize,
}

impl Met {
    pub(crate) fn add(&mut self, more: Self) {
        self.merges += more.merges;
        self.crossed += more.crossed;
        self.conflicts += more.conflicts;
        self.careful += more.careful;
    }
}

impl fmt::Display for Met {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { merges, crossed, conflicts, careful } = self;
        write!(
            formatter,
            "{merges} merges, {crossed} with several bases, {conflicts} conflicts; {careful} asked \
             for more than the model"
        )
    }
}

/// Takes all steps of a script, and compares.
pub(crate) fn check(script: &Script) -> Checked<Met> {
    let mut trial = Trial::new(script)?;
    for step in &script.steps {
        trial.take(*step)?;
    }
    for branch in BRANCHES.iter().take(script.branches) {
        trial.compare(branch, "a branch has what was done on it")?;
        let told =
            trial.world.column("PRAGMA integrity_check").map_err(|it| failed("a check", &it))?;
        if told != ["ok"] {
            return broken("branches stay whole", format!("{branch}: {told:?}"));
        }
    }
    Ok(trial.met)
}

/// A merge that is under way.
#[derive(Clone, Copy)]
struct Pair<'p> {
    source: &'p str,
    target: &'p str,
}

struct Trial {
    world: World,
    kind: Kind,
    history: History,
    /// The moments that branches stand at.
    heads: BTreeMap<String, usize>,
    met: Met,
}

impl Trial {
    fn new(script: &Script) -> Checked<Self> {
        let made = |error: Error| failed("making branches", &error);
        let mut trial = Self {
            world: World::new().map_err(made)?,
            kind: script.kind,
            history: History::default(),
            heads: BTreeMap::new(),
            met: Met::default(),
        };
        trial.world.rows(script.kind.definition()).map_err(made)?;
        let start = trial.history.add(&[], Rows::new());
        trial.heads.insert(BRANCHES[0].to_owned(), start);
        for step in script.first() {
            trial.take(step)?;
        }
        Ok(trial)
    }

    fn rows_of(&self, branch: &str) -> &Rows {
        self.history.rows(self.heads[branch])
    }

    /// Takes a step, if it is one: changes that change nothing are none.
    fn take(&mut self, step: Step) -> Checked {
        match step {
            Step::Insert { branch, key, row } => self.change(step, branch, |rows| {
                let is_new = !rows.contains_key(&key);
                is_new && rows.insert(key, Row::of(row)).is_none()
            }),
            Step::Update { branch, key, column, value } => {
                self.change(step, branch, |rows| match rows.get_mut(&key) {
                    Some(Row::There(cells)) => cells[column].replace(value) != Some(value),
                    _ => false,
                })
            }
            Step::Delete { branch, key } => {
                self.change(step, branch, |rows| rows.remove(&key).is_some())
            }
            Step::New { branch } => self.fork(BRANCHES[branch], BRANCHES[0]),
            Step::Merge { source, target, policy } => {
                let pair = Pair { source: BRANCHES[source], target: BRANCHES[target] };
                self.merge(pair, policy)
            }
            Step::Cross { pair: [one, other], policies } => {
                let [one, other] = [BRANCHES[one], BRANCHES[other]];
                self.fork(ASIDE, one)?;
                self.merge(Pair { source: other, target: one }, policies[0])?;
                self.merge(Pair { source: ASIDE, target: other }, policies[1])?;
                self.drop(ASIDE)
            }
            Step::Anew { branch, of } => {
                self.drop(BRANCHES[branch])?;
                self.fork(BRANCHES[branch], BRANCHES[of])
            }
        }
    }

    fn change(
        &mut self,
        step: Step,
        branch: usize,
        change: impl FnOnce(&mut Rows) -> bool,
    ) -> Checked {
        let branch = BRANCHES[branch];
        let mut rows = self.rows_of(branch).clone();
        if !change(&mut rows) {
            return Ok(());
        }
        for (branch, sql) in step.statements(self.kind) {
            let done = self.world.go(branch).and_then(|()| self.world.rows(&sql));
            done.map_err(|error| failed("a change of a row", &error))?;
        }
        let moment = self.history.add(&[self.heads[branch]], rows);
        self.heads.insert(branch.to_owned(), moment);
        Ok(())
    }

    fn fork(&mut self, name: &str, of: &str) -> Checked {
        let made = self.world.rows(&format!("CREATE BRANCH {name} FROM {of}"));
        made.map_err(|error| failed("making a branch", &error))?;
        self.heads.insert(name.to_owned(), self.heads[of]);
        Ok(())
    }

    fn drop(&mut self, name: &str) -> Checked {
        self.heads.remove(name);
        self.world.drop_branch(name).map_err(|error| failed("dropping a branch", &error))
    }

    /// What a branch holds.
    fn found(&mut self, branch: &str) -> Checked<Rows> {
        let found = self.world.go(branch).and_then(|()| self.world.rows("SELECT * FROM t"));
        let found = found.map_err(|error| failed("reading a branch", &error))?;
        let number = |text: &String| text.trim_start_matches('k').parse().unwrap_or(u8::MAX);
        let rows = found.iter().map(|row| {
            let mut values = row[1..].iter().map(number);
            (number(&row[0]), Row::of([(); COLUMNS].map(|()| values.next().unwrap_or(u8::MAX))))
        });
        Ok(rows.collect())
    }

    fn compare(&mut self, branch: &str, law: &str) -> Checked {
        let found = self.found(branch)?;
        let expected = self.rows_of(branch);
        if found == *expected {
            return Ok(());
        }
        broken(law, format!("{branch}: {found:?} instead of {expected:?}"))
    }

    fn merge(&mut self, pair: Pair<'_>, policy: Policy) -> Checked {
        let Pair { source, target } = pair;
        let (theirs, ours) = (self.heads[source], self.heads[target]);
        if self.history.has(ours, theirs) {
            return self.merge_nothing(pair);
        }
        if self.history.has(theirs, ours) {
            self.run(pair, policy, false).map_err(|error| failed("a fast-forward", &error))?;
            self.heads.insert(target.to_owned(), theirs);
            self.compare(target, "a fast-forward takes what the source has")?;
        } else {
            self.merge_both(pair, policy)?;
        }
        match self.heads[target] {
            moment if moment == ours => Ok(()),
            _ => self.merge_nothing(pair),
        }
    }

    /// A merge of what the target has already.
    fn merge_nothing(&mut self, pair: Pair<'_>) -> Checked {
        let told = self.run(pair, Policy::Fail, false);
        let told = told.map_err(|error| failed("a merge of what is there", &error))?;
        if told.get("status").is_none_or(|status| status != "up to date") {
            return broken("what was merged is up to date", format!("{told:?}"));
        }
        self.compare(pair.target, "a merge of what is there changes nothing")
    }

    /// Merges; gives the first row of what that tells.
    fn run(
        &mut self,
        pair: Pair<'_>,
        policy: Policy,
        is_dry: bool,
    ) -> Result<BTreeMap<Box<str>, String>, Error> {
        self.world.go(pair.target)?;
        let mut sql = policy.merge(pair.source, pair.target);
        if is_dry {
            sql.insert_str(sql.len() - 1, ", dry_run = true");
        }
        let rows = self.world.named_rows(&sql)?;
        Ok(rows.into_iter().next().unwrap_or_default())
    }

    /// A merge of two branches that both have gone on.
    fn merge_both(&mut self, pair: Pair<'_>, policy: Policy) -> Checked {
        let Pair { source, target } = pair;
        let (theirs, ours) = (self.heads[source], self.heads[target]);
        let base = self.history.base(ours, theirs);
        let sides = [self.history.rows(ours), self.history.rows(theirs)].map(Rows::clone);
        let answer = if policy == Policy::SourceWins { Answer::Theirs } else { Answer::Ours };
        let mut merged = three_way(&base.rows, &sides[0], &sides[1], answer);
        if matches!(policy, Policy::SourceWins | Policy::TargetWins) {
            merged.conflicts.clear();
        }
        self.met.merges += 1;
        self.met.crossed += usize::from(base.bests > 1);
        self.met.conflicts += merged.conflicts.len();
        let how = format!(
            "{source} into {target}, {policy}, {} bases\nbase {:?}\nours {:?}\ntheirs {:?}\n",
            base.bests, base.rows, sides[0], sides[1]
        );
        let asked = self.asked(pair, policy)?;
        if let Some(address) = merged.conflicts.difference(&asked).next() {
            return broken("what nobody settled is asked for", format!("{how}{address:?}"));
        }
        if let Some(address) = asked.difference(&merged.conflicts).next() {
            if !base.is_deep {
                return broken("what is settled is not asked for", format!("{how}{address:?}"));
            }
            self.met.careful += 1;
        }
        let dry = self.run(pair, policy, true).map_err(|error| failed("a dry run", &error))?;
        let done = self.run(pair, policy, false);
        let told = match done {
            Ok(told) => told,
            Err(error)
                if policy == Policy::Fail
                    && !asked.is_empty()
                    && error.kind() == ErrorKind::MergeConflict =>
            {
                return self.compare(target, "a merge that fails changes nothing");
            }
            Err(error) => return Err(failed("a merge that is settled", &error)),
        };
        if let Policy::Manual(seed) = policy
            && !asked.is_empty()
        {
            self.compare(target, "an open merge changes nothing")?;
            if !self.answer(&mut merged, &sides, &mut Rng::with_seed(seed))? {
                return self.compare(target, "a merge that is given up changes nothing");
            }
        } else {
            let after = self.found(target)?;
            check_counts(&how, [&dry, &told], [&base.rows, &sides[0], &after])?;
        }
        let found = self.found(target)?;
        if !is_right(&found, &merged.rows, &sides, policy, base.is_deep) {
            let how = format!("{how}{found:?}\ninstead of {:?}", merged.rows);
            return broken("a merge has what both sides did", how);
        }
        let moment = self.history.add(&[ours, theirs], found);
        self.heads.insert(target.to_owned(), moment);
        Ok(())
    }

    /// The conflicts that a preview tells of.
    fn asked(&mut self, pair: Pair<'_>, policy: Policy) -> Checked<BTreeSet<Address>> {
        let preview = format!("PREVIEW {}", policy.merge(pair.source, pair.target));
        let told = self.world.go(pair.target).and_then(|()| self.world.named_rows(&preview));
        let told = told.map_err(|error| failed("a preview", &error))?;
        let conflicts = told.iter().filter(|row| row["section"] == "conflict");
        Ok(conflicts.map(|row| address(&row["row_key"], &row["column_name"])).collect())
    }

    /// Answers the conflicts of the open merge and has `merged` say the same; false if the merge is
    /// given up.
    fn answer(
        &mut self,
        merged: &mut Merged,
        sides: &[Rows; 2],
        random: &mut Rng,
    ) -> Checked<bool> {
        let open = |error: Error| failed("an open merge", &error);
        if random.u8(..5) == 0 {
            self.world.rows("ABORT MERGE").map_err(open)?;
            return Ok(false);
        }
        let listed = "SELECT conflict_id, row_key, column_name FROM pando_conflicts";
        let listed = self.world.rows(listed).map_err(open)?;
        let for_all = random.bool().then(|| random.bool());
        for conflict in &listed {
            let takes_source = for_all.unwrap_or_else(|| random.bool());
            let side = if takes_source { "SOURCE" } else { "TARGET" };
            if for_all.is_none() {
                let sql = format!("RESOLVE CONFLICT {} WITH {side}", conflict[0]);
                self.world.rows(&sql).map_err(open)?;
            }
            merged.take(address(&conflict[1], &conflict[2]), &sides[usize::from(takes_source)]);
        }
        if let Some(takes_source) = for_all {
            let side = if takes_source { "SOURCE" } else { "TARGET" };
            self.world.rows(&format!("RESOLVE CONFLICTS WITH {side}")).map_err(open)?;
        }
        self.world.rows("CONTINUE MERGE").map_err(open)?;
        Ok(true)
    }
}

/// A conflict by the texts of its key and column.
fn address(key: &str, column: &str) -> Address {
    let number = |text: &str| text.trim_matches(|it: char| !it.is_ascii_digit()).parse().ok();
    Address { key: number(key).unwrap_or(u8::MAX), column: number(column).map(usize::from) }
}

/// Whether the rows are those of the model, or, where bases crossed again, those of the side that
/// wins in what the model settles otherwise.
fn is_right(
    found: &Rows,
    expected: &Rows,
    sides: &[Rows; 2],
    policy: Policy,
    is_deep: bool,
) -> bool {
    if found == expected {
        return true;
    }
    let winner = match policy {
        Policy::SourceWins => &sides[1],
        Policy::TargetWins => &sides[0],
        Policy::Fail | Policy::Manual(_) => return false,
    };
    let keys: BTreeSet<&u8> = found.keys().chain(expected.keys()).collect();
    is_deep
        && keys.into_iter().all(|key| {
            let [found, expected, wins] = [found, expected, winner].map(|rows| rows.get(key));
            match (found, expected, wins) {
                (Some(Row::There(found)), Some(Row::There(expected)), Some(Row::There(wins))) => {
                    (0..COLUMNS).all(|at| [expected[at], wins[at]].contains(&found[at]))
                }
                _ => found == expected || found == wins,
            }
        })
}

/// What a merge tells of itself is what a dry run told before, and what it did.
fn check_counts(
    how: &str,
    [dry, told]: [&BTreeMap<Box<str>, String>; 2],
    [base, before, after]: [&Rows; 3],
) -> Checked {
    let of_both = |row: &BTreeMap<Box<str>, String>| -> BTreeMap<Box<str>, String> {
        let told = row.iter().filter(|(name, _)| !["dry_run", "status"].contains(&name.as_ref()));
        told.map(|(name, value)| (name.clone(), value.clone())).collect()
    };
    let is_moved = told.get("status").is_some_and(|status| status == "fast-forward");
    if is_moved && before == base {
        // What the target had done it had undone, so that it went to where the source stands.
        return Ok(());
    }
    if of_both(dry) != of_both(told) {
        return broken("a dry run tells what is done", format!("{how}{dry:?}\n{told:?}"));
    }
    let inserted = after.keys().filter(|key| !before.contains_key(key)).count();
    let deleted = before.keys().filter(|key| !after.contains_key(key)).count();
    let is_updated = |(key, row): &(&u8, &Row)| before.get(key).is_some_and(|old| old != *row);
    let updated = after.iter().filter(is_updated).count();
    let counts = [inserted, updated, deleted].map(|count| count.to_string());
    if ["rows_inserted", "rows_updated", "rows_deleted"].map(|name| told[name].as_str())
        != counts.each_ref().map(String::as_str)
    {
        return broken("a merge tells what it did", format!("{how}{told:?}, not {counts:?}"));
    }
    Ok(())
}
