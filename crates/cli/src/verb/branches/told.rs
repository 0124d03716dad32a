//! What differs, what happened, and where we are.
//!
//! Neighbours: `graph` draws the log and lists differences.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use pandodb::Value;

use super::{branch_with, is_for_programs};
use crate::failure::{Failure, Outcome};
use crate::output::quote::quoted_identifier;
use crate::shell::Shell;
use crate::verb::graph::{self, Commit};
use crate::verb::{changes, inspect, rebase, revision};

/// Options of a comparison.
#[derive(Clone, Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub(crate) struct Diff {
    pub(crate) table: Option<String>,
    pub(crate) stat: bool,
    pub(crate) schema_only: bool,
    pub(crate) data_only: bool,
}

/// Shows what differs; whether anything does.
pub(crate) fn diff(shell: &mut Shell, from: &str, to: &str, options: &Diff) -> Outcome<bool> {
    let (from, to) = (revision::resolve(shell, from)?, revision::resolve(shell, to)?);
    let (left, right) = (quoted_identifier(&from), quoted_identifier(&to));
    let mut sql = format!("SHOW DIFF BETWEEN {left} AND {right}");
    if let Some(table) = &options.table {
        sql.push_str(&format!(" FOR TABLE {}", quoted_identifier(table)));
    }
    graph::diff::show(shell, &sql, options)
}

/// Writes SQL that leads from one state to another; whether there is any.
pub(crate) fn diff_as_sql(
    shell: &mut Shell,
    from: &str,
    to: &str,
    table: Option<&str>,
) -> Outcome<bool> {
    let (from, to) = (revision::resolve(shell, from)?, revision::resolve(shell, to)?);
    let comparison = shell.connection.compare_branches(&from, &to)?;
    let script = changes::script(shell, &from, &to, &comparison, table)?;
    shell.show_text(&script)?;
    Ok(!script.is_empty())
}

/// Options of the log.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    pub(crate) oneline: bool,
    pub(crate) graph: bool,
    pub(crate) most: Option<usize>,
}

pub(crate) fn log(shell: &mut Shell, from: &str, log: &Log) -> Outcome {
    let (branch, newest) = branch_and_newest(shell, from)?;
    if is_for_programs(shell) {
        let sql = "SELECT * FROM pando_log(?1) WHERE transaction_id <= ?2";
        return shell.show_query(sql, &[branch.into(), newest.into()]);
    }
    // A graph is of all branches: one alone would be a line.
    let branch = if log.graph { "*" } else { &branch };
    let commits = commits(shell, branch, newest, log.most)?;
    let text = graph::log(&commits, log, shell.settings.color);
    shell.show_text(&text)
}

/// The branch whose log a revision is in, and the commit that it stands for; for a branch itself
/// all commits count.
fn branch_and_newest(shell: &Shell, from: &str) -> Outcome<(String, i64)> {
    let resolved = revision::resolve(shell, from)?;
    if shell.branch_fact(&resolved, "branch_name")?.is_some() {
        return Ok((resolved, i64::MAX));
    }
    let number = revision::number(shell, from)?;
    let newest = i64::try_from(number).unwrap_or(i64::MAX);
    match branch_with(shell, newest)? {
        Some(branch) => Ok((branch, newest)),
        None => Err(Failure::statement(format!("no branch has the commit {number}"))
            .with_hint("pando log --graph lists the commits of all branches")),
    }
}

/// So many names of a commit are told.
const NAMES_MAX: usize = 5;

/// Commits with the names of the branches and tags that stand on them.
fn commits(shell: &Shell, branch: &str, newest: i64, most: Option<usize>) -> Outcome<Vec<Commit>> {
    let mut names: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for branch in shell.connection.branches()? {
        let star = if branch.is_current { "*" } else { "" };
        names.entry(branch.head_commit).or_default().push(format!("{star}{}", branch.name));
    }
    for tag in shell.connection.tags()? {
        names.entry(tag.commit).or_default().push(format!("tag: {}", tag.name));
    }
    let sql = "SELECT transaction_id, parent, merged, committed_at, author, message, changes \
               FROM pando_log(?1) WHERE transaction_id <= ?2 LIMIT ?3";
    let mut statement = shell.connection.prepare(sql)?;
    let most = most.and_then(|most| i64::try_from(most).ok()).unwrap_or(-1);
    let found = statement.query_map((branch, newest, most), |row| {
        let number: u64 = row.get(0)?;
        let parents: [Option<u64>; 2] = [row.get(1)?, row.get(2)?];
        let written = |text: Option<String>| text.filter(|text| !text.is_empty());
        let changes: Option<u64> = row.get(6)?;
        Ok(Commit {
            id: number.to_string(),
            parents: parents
                .into_iter()
                .flatten()
                .filter(|&id| id > 0)
                .map(|id| id.to_string())
                .collect(),
            time: row.get(3)?,
            author: written(row.get(4)?),
            message: written(row.get(5)?),
            names: names.get(&number).map(|names| some_of(names)),
            changes: changes
                .map(|count| format!("{count} change{}", if count == 1 { "" } else { "s" })),
        })
    })?;
    let mut commits = found.collect::<Result<Vec<_>, _>>()?;
    let known: BTreeSet<String> =
        shell.query_texts("SELECT transaction_id FROM pando_log('*')", &[])?.into_iter().collect();
    for commit in &mut commits {
        // A parent that no log lists is a branch that was moved.
        if let Some(parent) = commit.parents.first_mut()
            && !known.contains(parent)
            && let Ok(number) = commit.id.parse()
            && let Some(moved_to) = revision::parent_of(shell, number)?
        {
            *parent = moved_to.to_string();
        }
    }
    // Where the list ends the lines end, too: what is not shown is waited for by nobody.
    let shown: BTreeSet<String> = commits.iter().map(|commit| commit.id.clone()).collect();
    for commit in &mut commits {
        commit.parents.retain(|parent| shown.contains(parent));
    }
    Ok(commits)
}

/// The names of a commit in one line: thousands of branches may stand where they were made. The
/// session's branch is among those that are told, and tags come before other branches.
fn some_of(names: &[String]) -> String {
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    names.sort_by_key(|name| (!name.starts_with('*'), !name.starts_with("tag: ")));
    let more = names.len().saturating_sub(NAMES_MAX);
    // One more name is as short as to say that there is one.
    if more < 2 {
        return names.join(", ");
    }
    format!("{}, + {more} more", names[..NAMES_MAX].join(", "))
}

/// One commit: its heading and what it changed. A revision is a commit's number, a branch or a
/// tag.
pub(crate) fn show_commit(shell: &mut Shell, revision: Option<&str>) -> Outcome {
    let revision = revision.map_or_else(|| shell.connection.current_branch(), str::to_owned);
    let number = revision::number(shell, &revision)?;
    let sql = format!("SELECT * FROM pando_changes({number})");
    if is_for_programs(shell) {
        return shell.show_query(&sql, &[]);
    }
    let newest = i64::try_from(number).unwrap_or(i64::MAX);
    let all = commits(shell, "*", newest, None)?;
    let commit: Vec<Commit> =
        all.into_iter().filter(|commit| commit.id == number.to_string()).collect();
    // Without one there is an error to come.
    if !commit.is_empty() {
        let heading = graph::log(&commit, &Log::default(), shell.settings.color);
        shell.show_text(&format!("{heading}\n"))?;
    }
    graph::diff::show(shell, &sql, &Diff::default())?;
    Ok(())
}

/// Where we are: database, branch, transaction, open merge.
pub(crate) fn status(shell: &mut Shell) -> Outcome {
    let branch = shell.connection.current_branch();
    let path = shell.opening.path.clone();
    let waits = "SELECT resolution IS NULL FROM pando_conflicts JOIN pando_branches \
                 ON branch_name = target_branch AND is_current";
    let conflicts = shell.query_texts(waits, &[]).unwrap_or_default();
    let open = conflicts.iter().filter(|is_open| *is_open == "1").count();
    let bytes = std::fs::metadata(&path).map_or(0, |file| file.len());
    if is_for_programs(shell) {
        let number = |count: u64| Value::from(i64::try_from(count).unwrap_or(i64::MAX));
        let row = vec![
            branch.into(),
            path.into(),
            number(bytes),
            Value::from(i64::from(shell.is_read_only_branch())),
            Value::from(i64::from(!shell.connection.is_autocommit())),
            number(open as u64),
        ];
        let columns =
            ["branch_name", "database", "bytes", "read_only", "in_transaction", "conflicts"];
        return shell.show_values(&columns, &[row]);
    }
    let suffix = if shell.is_read_only_branch() { " (read-only)" } else { "" };
    writeln!(shell.sink, "On branch {branch}{suffix}")?;
    let size = if bytes > 0 { format!(" ({})", inspect::bytes(bytes)) } else { String::new() };
    writeln!(shell.sink, "Database {path}{size}")?;
    if !shell.connection.is_autocommit() {
        writeln!(shell.sink, "A transaction is open")?;
    }
    let rebased = rebase::waiting(shell);
    if let Some(rebased) = &rebased {
        writeln!(
            shell.sink,
            "A rebase of {rebased} waits (pando rebase --continue, or --abort to give it up)"
        )?;
    }
    match open {
        0 if rebased.is_some() => {}
        0 if conflicts.is_empty() => {}
        0 => writeln!(shell.sink, "A merge waits to go on (pando merge --continue)")?,
        1 => writeln!(shell.sink, "A merge waits: 1 conflict (pando conflicts)")?,
        count => {
            writeln!(shell.sink, "A merge waits: {count} conflicts (pando conflicts)")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_with_many_names_tells_the_nearest_and_counts_the_others() {
        let named = |count: usize, others: &[&str]| {
            let names = (1..=count).map(|number| format!("b{number}"));
            some_of(&names.chain(others.iter().map(|&name| name.to_owned())).collect::<Vec<_>>())
        };
        assert_eq!(named(1, &[]), "b1");
        // That there is one more takes as much room as its name.
        assert_eq!(named(6, &[]), "b1, b2, b3, b4, b5, b6");
        assert_eq!(named(7, &[]), "b1, b2, b3, b4, b5, + 2 more");
        assert_eq!(named(10_000, &["*main", "tag: v1"]), "*main, tag: v1, b1, b2, b3, + 9997 more");
    }
}
