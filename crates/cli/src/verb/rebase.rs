//! `pando rebase`: the commits of a branch, done again on top of another one.
//!
//! They are picked one by one onto a new branch, `rebase-NAME`, whose description says which are
//! left; when all are there the branch is reset to it. So a rebase that waits for conflicts to be
//! resolved is an ordinary branch with an open merge, which later calls find again, and giving up
//! is dropping it. Neighbours: `stash`, `branches`.

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
    /// How many there were.
    all: usize,
    /// Those that are left, oldest first.
    left: Vec<u64>,
}

impl Rebase {
    fn place(&self) -> String {
        format!("{PREFIX}{}", self.branch)
    }

    /// What the description of the branch in between says.
    fn described(&self) -> String {
        let left: Vec<String> = self.left.iter().map(u64::to_string).collect();
        format!(
            "rebase of {} onto {}, left of {}: {}",
            self.branch,
            self.onto,
            self.all,
            left.join(" ")
        )
    }

    /// The rebase that the current branch is in.
    fn current(shell: &Shell) -> Outcome<Self> {
        let none = || {
            Failure::usage("no rebase waits on this branch")
                .with_hint("pando rebase UPSTREAM begins one")
        };
        let place = shell.connection.current_branch();
        let branch = place.strip_prefix(PREFIX).ok_or_else(none)?;
        let description = shell.branch_fact(&place, "description")?.unwrap_or_default();
        let rest = description.strip_prefix(&format!("rebase of {branch} onto "));
        let (onto, rest) = rest.and_then(|rest| rest.rsplit_once(", left of ")).ok_or_else(none)?;
        let (all, left) = rest.split_once(':').ok_or_else(none)?;
        Ok(Self {
            branch: branch.to_owned(),
            onto: onto.to_owned(),
            all: all.parse().map_err(|_| none())?,
            left: left.split_whitespace().filter_map(|word| word.parse().ok()).collect(),
        })
    }
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
    let rebase = Rebase { branch, onto: upstream.to_owned(), all: left.len(), left };
    let place = rebase.place();
    let (name, from) = (quoted_identifier(&place), quoted_identifier(upstream));
    shell.execute(&format!("CREATE BRANCH {name} FROM {from}"))?;
    branches::switch_quietly(shell, &place)?;
    go_on(shell, rebase)
}

/// Goes on behind conflicts that are resolved.
pub(super) fn resume(shell: &mut Shell) -> Outcome {
    let rebase = Rebase::current(shell)?;
    if !open_conflicts(shell)?.is_empty() || has_open_merge(shell)? {
        shell.execute("CONTINUE MERGE")?;
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
    let place = rebase.place();
    while !rebase.left.is_empty() {
        let number = rebase.left.remove(0);
        let description = rebase.described();
        shell.connection.set_branch_option(&place, "description", &description)?;
        let sql = format!("CHERRY PICK TRANSACTION {number} WITH (conflict_resolution = 'manual')");
        if let Err(failure) = shell.execute(&sql) {
            // Something else than a conflict: the branch stays as it is.
            let _ = branches::switch_quietly(shell, &rebase.branch);
            let _ = shell.execute(&format!("DROP BRANCH {}", quoted_identifier(&place)));
            return Err(failure);
        }
        let conflicts = open_conflicts(shell)?;
        if !conflicts.is_empty() {
            chosen::choose(shell, &place)?;
            for conflict in conflicts {
                shell.say(format_args!("CONFLICT {conflict}"))?;
            }
            let message = format!("commit {number} does not fit onto {}", rebase.onto);
            return Err(Failure::new(Exit::Conflict, message).with_hint(
                "pando conflicts resolve source (the commit) or target, then \
                 pando rebase --continue; --abort gives up",
            ));
        }
    }
    finish(shell, &rebase)
}

fn finish(shell: &mut Shell, rebase: &Rebase) -> Outcome {
    let place = rebase.place();
    branches::move_to_branch(shell, &rebase.branch, &place)?;
    let was_chosen = chosen::of(&shell.opening.path).is_some_and(|name| name == place);
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
