//! Setting a branch to another moment, and names for moments.
//!
//! Neighbours: the module above knows how moments are said.

use super::{branch_at, branch_with, point_of};
use crate::failure::Outcome;
use crate::output::quote::quoted_identifier;
use crate::shell::Shell;

pub(crate) fn reset(shell: &mut Shell, name: &str, to: &str) -> Outcome {
    let is_branch = shell.branch_fact(to, "branch_name")?.is_some();
    if is_branch && !to.eq_ignore_ascii_case(name) {
        move_to_branch(shell, name, to)?;
    } else {
        let point = point_of(shell, to)?;
        match point.strip_prefix("TRANSACTION ") {
            Some(number) if !is_of_branch(shell, name, number)? => {
                move_elsewhere(shell, name, number)?;
            }
            _ => shell.execute(&format!("RESET BRANCH {} TO {point}", quoted_identifier(name)))?,
        }
    }
    shell.say(format_args!("Reset branch: {name} to {to}"))
}

/// Whether a commit is known, and is none of the branch's own or of those it came from; what a
/// branch was at such a number would be what it was before.
fn is_of_branch(shell: &Shell, branch: &str, number: &str) -> Outcome<bool> {
    let sql = "SELECT (SELECT count(*) FROM pando_log(?1) WHERE transaction_id = ?2) > 0 \
               OR (SELECT count(*) FROM pando_log('*') WHERE transaction_id = ?2) = 0";
    let number: i64 = number.parse().unwrap_or(i64::MAX);
    let told = shell.query_texts(sql, &[branch.into(), number.into()])?;
    Ok(told.first().is_none_or(|told| told == "1"))
}

/// Puts a branch to where another one stands.
pub(in crate::verb) fn move_to_branch(shell: &mut Shell, name: &str, other: &str) -> Outcome {
    move_to_tagged(shell, name, &format!("TAG BRANCH {}", quoted_identifier(other)), "")
}

/// Puts a branch to a commit that only other branches have.
fn move_elsewhere(shell: &mut Shell, name: &str, number: &str) -> Outcome {
    let owner = branch_with(shell, number.parse().unwrap_or(i64::MAX))?;
    let owner = owner.as_deref().unwrap_or(name);
    let behind = format!(" AS OF TRANSACTION {number}");
    move_to_tagged(shell, name, &format!("TAG BRANCH {}", quoted_identifier(owner)), &behind)
}

/// Resets to a tag that is there for as long as that takes: tags are of all branches.
fn move_to_tagged(shell: &mut Shell, name: &str, tag: &str, behind: &str) -> Outcome {
    let mark = quoted_identifier(&format!("reset-{}", std::process::id()));
    shell.execute(&format!("{tag} AS {mark}{behind}"))?;
    let moved = shell.execute(&format!("RESET BRANCH {} TO TAG {mark}", quoted_identifier(name)));
    let dropped = shell.execute(&format!("DROP TAG {mark}"));
    moved.and(dropped)
}

/// Puts a branch back to a snapshot, which is a branch, or to a tag or commit.
pub(crate) fn restore(shell: &mut Shell, name: &str, to: &str) -> Outcome {
    match shell.branch_fact(to, "head_commit")? {
        Some(commit) => reset(shell, name, &commit),
        None => reset(shell, name, to),
    }
}

pub(crate) fn tag(shell: &mut Shell, name: &str, commit: Option<&str>) -> Outcome {
    let mut branch = shell.connection.current_branch();
    let mut behind = String::new();
    if let Some(commit) = commit {
        let point = point_of(shell, commit)?;
        branch = branch_at(shell, &point)?.unwrap_or(branch);
        behind = format!(" AS OF {point}");
    }
    let (branch, name_in_sql) = (quoted_identifier(&branch), quoted_identifier(name));
    let sql = format!("TAG BRANCH {branch} AS {name_in_sql}{behind}");
    shell.execute(&sql)?;
    shell.say(format_args!("Created tag: {name}"))
}

pub(crate) fn delete_tag(shell: &mut Shell, name: &str) -> Outcome {
    shell.execute(&format!("DROP TAG {}", quoted_identifier(name)))?;
    shell.say(format_args!("Deleted tag: {name}"))
}
