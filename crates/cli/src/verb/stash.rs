//! `pando stash`: the newest commits of a branch, put aside for later.
//!
//! Every statement commits here, so what is put aside are commits: a branch `stash-N` keeps where
//! the branch stood, and the branch goes back. Taking them out again is a merge of that branch.
//! Neighbours: `rebase`, `branches`.

use super::{branches, revision};
use crate::failure::{Failure, Outcome};
use crate::output::quote::quoted_identifier;
use crate::shell::Shell;

const PREFIX: &str = "stash-";

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
    let next = numbers(shell)?.into_iter().max().map_or(1, |newest| newest + 1);
    let name = format!("{PREFIX}{next}");
    let was_quiet = std::mem::replace(&mut shell.switches.quiet, true);
    let options =
        branches::Create { description: Some(told.clone()), ..branches::Create::default() };
    let done = branches::create_with(shell, &name, &options)
        .and_then(|()| branches::reset(shell, &branch, &number.to_string()));
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
    let text: String = rows.iter().map(|(name, told)| format!("{name}: {told}\n")).collect();
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

fn numbers(shell: &Shell) -> Outcome<Vec<u64>> {
    let names = shell.query_texts("SHOW BRANCHES", &[])?;
    Ok(names.iter().filter_map(|name| name.strip_prefix(PREFIX)?.parse().ok()).collect())
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
