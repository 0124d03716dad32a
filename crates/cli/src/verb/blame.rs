//! `pando blame` and `pando reflog`: who changed what last, and where branches stood.
//!
//! Blame goes back through the commits of the branch until every row has one. Neighbours:
//! `revision`, `branches`.

use std::collections::{BTreeMap, BTreeSet};

use pandodb::Value;

use crate::failure::{Failure, Outcome};
use crate::output::quote::quoted_identifier;
use crate::shell::Shell;

/// A commit as it is shown beside what it changed.
#[derive(Clone)]
struct Commit {
    number: i64,
    time: String,
    author: String,
    message: String,
}

/// The commit that changed each row of a table last, or each column of one row.
pub(super) fn blame(shell: &mut Shell, table: &str, key: Option<&str>) -> Outcome {
    if shell.columns_of(table)?.is_empty() {
        return Err(shell.no_such_table(table));
    }
    match key {
        Some(key) => columns(shell, table, key),
        None => rows(shell, table),
    }
}

fn commits(shell: &Shell) -> Outcome<Vec<Commit>> {
    let branch = shell.connection.current_branch();
    let sql = "SELECT transaction_id, committed_at, coalesce(author, ''), coalesce(message, '') \
               FROM pando_log(?1) WHERE changes > 0";
    let mut statement = shell.connection.prepare(sql)?;
    let commits = statement.query_map([branch], |row| {
        Ok(Commit {
            number: row.get(0)?,
            time: row.get(1)?,
            author: row.get(2)?,
            message: row.get(3)?,
        })
    })?;
    Ok(commits.collect::<Result<_, _>>()?)
}

/// What a commit did to the rows of a table: key, kind of change, column, new value.
fn changes(
    shell: &Shell,
    commit: &Commit,
    table: &str,
) -> Outcome<Vec<(String, String, String, Value)>> {
    let sql = "SELECT row_key, change, coalesce(column_name, ''), new_value \
               FROM pando_changes(?1) \
               WHERE object_type = 'row' AND object_name = ?2 COLLATE NOCASE";
    let mut statement = shell.connection.prepare(sql)?;
    let found = statement.query_map((commit.number, table), |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

fn rows(shell: &mut Shell, table: &str) -> Outcome {
    let sql = format!("SELECT count(*) FROM {}", quoted_identifier(table));
    let count = shell.query_texts(&sql, &[])?;
    let count: usize = count.first().and_then(|count| count.parse().ok()).unwrap_or(0);
    let mut blamed: BTreeMap<Key, Commit> = BTreeMap::new();
    let mut gone: BTreeSet<Key> = BTreeSet::new();
    for commit in commits(shell)? {
        if blamed.len() >= count {
            break;
        }
        for (key, change, ..) in changes(shell, &commit, table)? {
            let key = Key::new(key);
            if blamed.contains_key(&key) || gone.contains(&key) {
                continue;
            }
            if change == "delete" {
                gone.insert(key);
            } else {
                blamed.insert(key, commit.clone());
            }
        }
    }
    let older = count.saturating_sub(blamed.len());
    let row = |(key, commit): (Key, Commit)| {
        let Commit { number, time, author, message } = commit;
        vec![number.into(), time.into(), author.into(), key.text.into(), message.into()]
    };
    let rows: Vec<Vec<Value>> = blamed.into_iter().map(row).collect();
    shell.show_values(&["commit", "date", "author", "row", "message"], &rows)?;
    if older > 0 && !shell.is_for_programs() {
        let noun = if older == 1 { "row is" } else { "rows are" };
        shell.say(format_args!("{older} {noun} older than the history that is kept"))?;
    }
    Ok(())
}

fn columns(shell: &mut Shell, table: &str, key: &str) -> Outcome {
    let wanted = plain(key);
    let mut blamed: BTreeMap<String, (Commit, Value)> = BTreeMap::new();
    'history: for commit in commits(shell)? {
        for (found, change, column, value) in changes(shell, &commit, table)? {
            if plain(&found) != wanted {
                continue;
            }
            if change == "delete" {
                break 'history;
            }
            blamed.entry(column).or_insert_with(|| (commit.clone(), value));
        }
    }
    if blamed.is_empty() {
        return Err(Failure::statement(format!(
            "no commit is known that made row {key} of {table}"
        ))
        .with_hint("pando blame TABLE lists the rows"));
    }
    let mut rows: Vec<Vec<Value>> = Vec::new();
    for column in shell.columns_of(table)? {
        let Some((commit, value)) = blamed.remove(&column.name) else { continue };
        let Commit { number, time, author, message } = commit;
        let values = [number.into(), time.into(), author.into(), column.name.into(), value];
        rows.push(values.into_iter().chain([message.into()]).collect());
    }
    shell.show_values(&["commit", "date", "author", "column", "value", "message"], &rows)
}

/// A key without quotes and blanks, so that it can be typed as it is shown or shorter.
fn plain(key: &str) -> String {
    key.chars().filter(|c| !c.is_whitespace() && *c != '\'').collect()
}

/// The key of a row, numbers before texts.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    number: i64,
    text: String,
}

impl Key {
    fn new(text: String) -> Self {
        Self { number: text.parse().unwrap_or(i64::MAX), text }
    }
}

/// Where branches stood before they were reset, the newest first.
pub(super) fn reflog(shell: &mut Shell, branch: Option<&str>) -> Outcome {
    let branch = branch.map_or_else(|| shell.connection.current_branch(), str::to_owned);
    let sql = "SELECT transaction_id, reset_at, branch_name, reason FROM pando_reflog \
               WHERE branch_name = ?1 COLLATE NOCASE OR ?1 = '*' ORDER BY entry DESC";
    shell.show_query(sql, &[branch.into()])
}
