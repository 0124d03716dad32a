//! `pando rebase`: the commits of a branch, done again on top of another one.
//!
//! They are picked one by one onto a new branch, `rebase-NAME`, whose options say which are left;
//! when all are there the branch is reset to it. So a rebase that waits for conflicts to be
//! resolved is an ordinary branch with an open merge, which later calls find again, and giving up
//! is dropping it. A commit counts as left until it is there, however this program ends: where the
//! branch in between stood before the newest pick tells whether it is. Neighbours: `stash`,
//! `branches`.

use pandodb::Branch;

use super::{branches, chosen};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::quote::quoted_identifier;
use crate::shell::Shell;

const PREFIX: &str = "rebase-";

/// A rebase that is not over.
struct Rebase {
    /// The branch whose commits are done again.
    branch: String,
    /// What they are put on.
    onto: String,
    /// Up to which commit the branch was looked at.
    from: u64,
    /// Where the branch in between stood before the first of those that are left was picked.
    at: u64,
    /// How many there were.
    all: usize,
    /// Those that are left, oldest first.
    left: Vec<u64>,
}

impl Rebase {
    fn place(&self) -> String {
        format!("{PREFIX}{}", self.branch)
    }

    /// The options of the branch in between that keep it.
    fn options(&self) -> String {
        let left: Vec<String> = self.left.iter().map(u64::to_string).collect();
        format!(
            "(rebase_of = {}, rebase_onto = {}, rebase_from = '{}', rebase_at = '{}', \
             rebase_all = '{}', rebase_left = '{}')",
            branches::text(&self.branch),
            branches::text(&self.onto),
            self.from,
            self.at,
            self.all,
            left.join(" ")
        )
    }

    fn keep(&self, shell: &mut Shell) -> Outcome {
        let place = quoted_identifier(&self.place());
        shell.execute(&format!("ALTER BRANCH {place} SET {}", self.options()))
    }

    /// The rebase that a branch is in between for.
    fn of(place: &Branch) -> Option<Self> {
        let option = |name: &str| place.options.get(name);
        let number = |name: &str| option(name)?.parse().ok();
        let left: Result<_, _> =
            option("rebase_left")?.split_whitespace().map(str::parse).collect();
        let rebase = Self {
            branch: option("rebase_of")?.clone(),
            onto: option("rebase_onto")?.clone(),
            from: number("rebase_from")?,
            at: number("rebase_at")?,
            all: usize::try_from(number("rebase_all")?).ok()?,
            left: left.ok()?,
        };
        (rebase.place() == place.name).then_some(rebase)
    }

    /// The rebase that the current branch is in.
    fn current(shell: &Shell) -> Outcome<Self> {
        let place = shell.connection.branch(&shell.connection.current_branch())?;
        Self::of(&place).ok_or_else(|| {
            Failure::usage("no rebase waits on this branch")
                .with_hint("pando rebase UPSTREAM begins one")
        })
    }
}

/// The branch whose rebase waits on the current one.
pub(super) fn waiting(shell: &Shell) -> Option<String> {
    Rebase::current(shell).ok().map(|rebase| rebase.branch)
}

/// Says how a rebase goes on whose merge somebody ended by hand.
pub(super) fn remind(shell: &mut Shell) -> Outcome {
    let Some(branch) = waiting(shell) else { return Ok(()) };
    shell.say(format_args!(
        "The rebase of {branch} waits: pando rebase --continue goes on, --abort gives it up"
    ))
}

/// Does the commits that the current branch has alone again on top of another one.
pub(super) fn begin(shell: &mut Shell, upstream: &str) -> Outcome {
    let branch = shell.connection.current_branch();
    if branch.eq_ignore_ascii_case(upstream) {
        return shell.say(format_args!("{branch} is up to date"));
    }
    if shell.branch_fact(upstream, "branch_name")?.is_none() {
        return Err(Failure::usage(format!("there is no branch {upstream} to rebase onto")));
    }
    let sql = "SELECT transaction_id FROM pando_log(?1) WHERE changes > 0 AND transaction_id \
               NOT IN (SELECT transaction_id FROM pando_log(?2)) ORDER BY transaction_id";
    let own = shell.query_texts(sql, &[branch.as_str().into(), upstream.into()])?;
    let theirs = shell.query_texts(sql, &[upstream.into(), branch.as_str().into()])?;
    if theirs.is_empty() {
        return shell.say(format_args!("{branch} is up to date"));
    }
    let left: Vec<u64> = own.iter().filter_map(|number| number.parse().ok()).collect();
    let (from, at) = (head(shell, &branch)?, head(shell, upstream)?);
    let rebase = Rebase { branch, onto: upstream.to_owned(), from, at, all: left.len(), left };
    let place = rebase.place();
    if shell.branch_fact(&place, "branch_name")?.is_some() {
        let message = format!("the branch {place}, where a rebase waits, is there already");
        return Err(Failure::usage(message)
            .with_hint(format!("pando switch {place}, then pando rebase --continue or --abort")));
    }
    let (name, from) = (quoted_identifier(&place), quoted_identifier(upstream));
    shell.execute(&format!("CREATE BRANCH {name} FROM {from} WITH {}", rebase.options()))?;
    let branch = rebase.branch.clone();
    let outcome = branches::switch_quietly(shell, &place).and_then(|()| go_on(shell, rebase));
    // Only conflicts wait for somebody; where the branch itself refuses (it may be protected)
    // nothing was begun.
    if outcome.as_ref().is_err_and(|failure| failure.exit() != Exit::Conflict) {
        leave(shell, &branch, &place);
    }
    outcome
}

/// Goes back to a branch, and drops the one in between. Why is told already.
fn leave(shell: &mut Shell, branch: &str, place: &str) {
    if branches::switch_quietly(shell, branch).is_ok() {
        let _ = shell.execute(&format!("DROP BRANCH IF EXISTS {}", quoted_identifier(place)));
    }
}

fn head(shell: &Shell, branch: &str) -> Outcome<u64> {
    Ok(shell.connection.branch(branch)?.head_commit)
}

/// Goes on behind conflicts that are resolved.
pub(super) fn resume(shell: &mut Shell) -> Outcome {
    let mut rebase = Rebase::current(shell)?;
    let is_merged = has_open_merge(shell)?;
    if is_merged {
        shell.execute("CONTINUE MERGE")?;
    }
    // Without an open merge it was picked if the branch has moved since: then this program was
    // stopped, or somebody ended the merge by hand. Who gave the merge up, or ended it with nothing
    // changed, meets it again.
    if (is_merged || head(shell, &rebase.place())? != rebase.at) && !rebase.left.is_empty() {
        rebase.left.remove(0);
    }
    go_on(shell, rebase)
}

/// Gives up: the branch stays as it is.
pub(super) fn abort(shell: &mut Shell) -> Outcome {
    let rebase = Rebase::current(shell)?;
    if has_open_merge(shell)? {
        shell.execute("ABORT MERGE")?;
    }
    chosen::choose(shell, &rebase.branch)?;
    shell.execute(&format!("DROP BRANCH {}", quoted_identifier(&rebase.place())))?;
    shell.say(format_args!("Gave the rebase up: {} is as it was", rebase.branch))
}

fn go_on(shell: &mut Shell, mut rebase: Rebase) -> Outcome {
    loop {
        while let Some(&number) = rebase.left.first() {
            pick(shell, &mut rebase, number)?;
            rebase.left.remove(0);
        }
        // What was committed while the rebase waited belongs to the branch as well.
        let sql = "SELECT transaction_id FROM pando_log(?1) WHERE changes > 0 \
                   AND transaction_id > ?2 ORDER BY transaction_id";
        let from = i64::try_from(rebase.from).unwrap_or(i64::MAX);
        let newer = shell.query_texts(sql, &[rebase.branch.as_str().into(), from.into()])?;
        rebase.left.extend(newer.iter().filter_map(|number| number.parse::<u64>().ok()));
        rebase.all += rebase.left.len();
        rebase.from = head(shell, &rebase.branch)?;
        if rebase.left.is_empty() {
            return finish(shell, &rebase);
        }
    }
}

/// Does one commit again, the first of those that are left.
fn pick(shell: &mut Shell, rebase: &mut Rebase, number: u64) -> Outcome {
    let place = rebase.place();
    rebase.at = head(shell, &place)?;
    rebase.keep(shell)?;
    let sql = format!("CHERRY PICK TRANSACTION {number} WITH (conflict_resolution = 'manual')");
    if let Err(failure) = shell.execute(&sql) {
        // Something else than a conflict: the branch stays as it is.
        leave(shell, &rebase.branch, &place);
        return Err(failure);
    }
    let conflicts = open_conflicts(shell)?;
    if conflicts.is_empty() {
        return Ok(());
    }
    chosen::choose(shell, &place)?;
    for conflict in conflicts {
        shell.say(format_args!("CONFLICT {conflict}"))?;
    }
    let message = format!("commit {number} does not fit onto {}", rebase.onto);
    Err(Failure::new(Exit::Conflict, message).with_hint(
        "pando conflicts resolve source (the commit) or target, then pando rebase --continue; \
         --abort gives up",
    ))
}

fn finish(shell: &mut Shell, rebase: &Rebase) -> Outcome {
    let place = rebase.place();
    branches::move_to_branch(shell, &rebase.branch, &place)?;
    let was_chosen = chosen::of(&shell.opening).is_some_and(|name| name == place);
    if was_chosen {
        chosen::choose(shell, &rebase.branch)?;
    } else {
        branches::switch_quietly(shell, &rebase.branch)?;
    }
    shell.execute(&format!("DROP BRANCH {}", quoted_identifier(&place)))?;
    let noun = if rebase.all == 1 { "commit" } else { "commits" };
    let Rebase { branch, onto, all, .. } = rebase;
    shell.say(format_args!("Rebased branch: {branch} onto {onto}, {all} {noun}"))
}

fn open_conflicts(shell: &Shell) -> Outcome<Vec<String>> {
    let branch = shell.connection.current_branch();
    let sql = "SELECT '(' || kind || ') ' || object_name || ' ' || coalesce(row_key, '') || ': ' \
               || detail FROM pando_conflicts WHERE target_branch = ?1 AND resolution IS NULL";
    shell.query_texts(sql, &[branch.as_str().into()])
}

/// Whether a merge into the current branch waits, with all of its conflicts resolved or not.
fn has_open_merge(shell: &Shell) -> Outcome<bool> {
    let branch = shell.connection.current_branch();
    let sql = "SELECT 1 FROM pando_conflicts WHERE target_branch = ?1";
    Ok(!shell.query_texts(sql, &[branch.as_str().into()])?.is_empty())
}
