//! `pando stash`: the newest commits of a branch, put aside for later.
//!
//! Every statement commits here, so what is put aside are commits: a branch `stash-N` keeps where
//! the branch stood, and the branch goes back. Taking them out again is a merge of that branch. An
//! option tells such a branch from one that only has a name like it, which is nobody's to drop.
//! Neighbours: `rebase`, `branches`.

use super::{branches, revision};
use crate::failure::{Failure, Outcome};
use crate::output::quote::quoted_identifier;
use crate::shell::Shell;

const PREFIX: &str = "stash-";

/// The option of a branch that was put aside, and whose it was.
const OPTION: &str = "stash_of";

/// Puts everything behind a revision aside; the newest commit without one.
pub(super) fn push(shell: &mut Shell, to: Option<&str>, message: Option<&str>) -> Outcome {
    let branch = shell.connection.current_branch();
    let to = to.unwrap_or("HEAD~1");
    let number = revision::number(shell, to)?;
    let sql = "SELECT count(*) FROM pando_log(?1) WHERE transaction_id > ?2";
    let bound = i64::try_from(number).unwrap_or(i64::MAX);
    let commits = shell.query_texts(sql, &[branch.as_str().into(), bound.into()])?;
    let commits = commits.first().map_or("0", String::as_str);
    if commits == "0" {
        return Err(Failure::statement(format!("{branch} has nothing behind {to} to put aside")));
    }
    let noun = if commits == "1" { "commit" } else { "commits" };
    let told = match message {
        Some(message) => format!("On {branch}: {message}"),
        None => format!("{commits} {noun} of {branch} behind {number}"),
    };
    let name = free_name(shell)?;
    let was_quiet = std::mem::replace(&mut shell.switches.quiet, true);
    let options = branches::Create {
        description: Some(told.clone()),
        option: Some((OPTION, branch.clone())),
        ..branches::Create::default()
    };
    let done = branches::create_with(shell, &name, &options).and_then(|()| {
        let reset = branches::reset(shell, &branch, &number.to_string());
        if reset.is_err() {
            // Nothing was put aside (the branch may be protected): the reset's error says why.
            let _ = shell.execute(&format!("DROP BRANCH {}", quoted_identifier(&name)));
        }
        reset
    });
    shell.switches.quiet = was_quiet;
    done?;
    shell.say(format_args!("Put aside as {name}: {told}"))
}

/// Lists what was put aside, the newest first.
pub(super) fn list(shell: &mut Shell) -> Outcome {
    let mut numbers = numbers(shell)?;
    numbers.sort_unstable_by(|left, right| right.cmp(left));
    let mut rows = Vec::new();
    for number in numbers {
        let name = format!("{PREFIX}{number}");
        let told = shell.branch_fact(&name, "description")?.unwrap_or_default();
        rows.push((name, told));
    }
    if shell.is_for_programs() {
        let rows: Vec<_> =
            rows.into_iter().map(|(name, told)| vec![name.into(), told.into()]).collect();
        return shell.show_values(&["stash", "description"], &rows);
    }
    let mut text = String::new();
    for (name, told) in rows {
        text.push_str(&name);
        text.push_str(": ");
        text.push_str(&told);
        text.push('\n');
    }
    shell.show_text(&text)
}

/// Takes out what was put aside, and forgets it unless it is to be kept.
pub(super) fn take(shell: &mut Shell, number: Option<&str>, is_kept: bool) -> Outcome {
    let name = named(shell, number)?;
    let branch = shell.connection.current_branch();
    branches::merge(shell, &name, &branch, &branches::Merge::default())?;
    if is_kept { Ok(()) } else { forget(shell, &name) }
}

/// Forgets what was put aside.
pub(super) fn drop(shell: &mut Shell, number: Option<&str>) -> Outcome {
    let name = named(shell, number)?;
    forget(shell, &name)
}

/// Shows what differs between where it was put aside and what was.
pub(super) fn show(shell: &mut Shell, number: Option<&str>) -> Outcome {
    let name = named(shell, number)?;
    let branch = shell.connection.current_branch();
    branches::diff(shell, &branch, &name, &branches::Diff::default()).map(|_| ())
}

fn forget(shell: &mut Shell, name: &str) -> Outcome {
    shell.execute(&format!("DROP BRANCH {}", quoted_identifier(name)))?;
    shell.say(format_args!("Dropped {name}"))
}

/// The numbers of what was put aside.
fn numbers(shell: &Shell) -> Outcome<Vec<u64>> {
    let branches = shell.connection.branches()?;
    let stashes = branches.iter().filter(|branch| branch.options.contains_key(OPTION));
    Ok(stashes.filter_map(|branch| branch.name.strip_prefix(PREFIX)?.parse().ok()).collect())
}

/// A name behind those of all stashes that no other branch has.
fn free_name(shell: &Shell) -> Outcome<String> {
    let newest = numbers(shell)?.into_iter().max().unwrap_or(0);
    let taken = shell.query_texts("SHOW BRANCHES", &[])?;
    let mut names = (newest..u64::MAX).map(|number| format!("{PREFIX}{}", number + 1));
    let is_free = |name: &String| !taken.iter().any(|other| other.eq_ignore_ascii_case(name));
    names.find(is_free).ok_or_else(|| Failure::statement("there is no number left for a stash"))
}

/// The stash of this number or name; the newest without.
fn named(shell: &Shell, number: Option<&str>) -> Outcome<String> {
    let numbers = numbers(shell)?;
    let wanted = match number {
        None => numbers.iter().max().copied(),
        Some(word) => {
            let digits = word.trim_start_matches(PREFIX);
            let digits = digits.trim_start_matches("stash@{").trim_end_matches('}');
            digits.parse().ok().filter(|number| numbers.contains(number))
        }
    };
    wanted.map(|number| format!("{PREFIX}{number}")).ok_or_else(|| {
        Failure::statement("nothing like that was put aside").with_hint("pando stash list shows it")
    })
}
