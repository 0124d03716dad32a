//! What a person may write for a state of the database: a branch, a tag, a commit's number,
//! `HEAD`, `b~2` (two commits before), `b@{2 hours ago}` and `b@2026-01-01 12:00`.
//!
//! SQL knows branches, tags and numbers; the rest is turned into the number of a commit here.
//! Neighbours: `branches` uses it wherever a revision is asked for.

use crate::failure::{Failure, Outcome};
use crate::shell::Shell;

/// The revision as SQL knows it: a branch, a tag, or a commit's number.
pub(crate) fn resolve(shell: &Shell, word: &str) -> Outcome<String> {
    if is_name(shell, word)? || is_number(word) {
        return Ok(word.to_owned());
    }
    if word.eq_ignore_ascii_case("HEAD") || word == "@" {
        return Ok(shell.connection.current_branch());
    }
    if let Some((base, time)) = word.split_once('@') {
        let time = time.strip_prefix('{').and_then(|time| time.strip_suffix('}')).unwrap_or(time);
        return at_time(shell, &branch_of(shell, base), time.trim().trim_matches('\'')).map(text);
    }
    if let Some((base, steps)) = split_ancestor(word) {
        let base = resolve(shell, if base.is_empty() { "HEAD" } else { base })?;
        return ancestor(shell, &base, steps, word).map(text);
    }
    Ok(word.to_owned())
}

/// The number of the commit that a revision stands for.
pub(crate) fn number(shell: &Shell, word: &str) -> Outcome<u64> {
    let revision = resolve(shell, word)?;
    // A branch comes first, as in SQL.
    let is_branch = shell.branch_fact(&revision, "branch_name")?.is_some();
    let tags = if is_branch { Vec::new() } else { shell.connection.tags()? };
    if let Some(tag) = tags.iter().find(|tag| tag.name.eq_ignore_ascii_case(&revision)) {
        return Ok(tag.commit);
    }
    if let Ok(number) = revision.parse()
        && !is_name(shell, &revision)?
    {
        return Ok(number);
    }
    // The newest that the log lists: a branch that was reset stands at a commit of its own.
    let newest = shell.query_texts(
        "SELECT transaction_id FROM pando_log(?1) LIMIT 1",
        &[revision.as_str().into()],
    )?;
    let newest = newest.first().and_then(|number| number.parse().ok());
    newest.ok_or_else(|| Failure::statement(format!("{revision} has no commit yet")))
}

fn text(number: u64) -> String {
    number.to_string()
}

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_name(shell: &Shell, word: &str) -> Outcome<bool> {
    Ok(shell.branch_fact(word, "branch_name")?.is_some()
        || shell.connection.tags()?.iter().any(|tag| tag.name.eq_ignore_ascii_case(word)))
}

fn branch_of(shell: &Shell, base: &str) -> String {
    if base.is_empty() || base.eq_ignore_ascii_case("HEAD") {
        shell.connection.current_branch()
    } else {
        base.to_owned()
    }
}

/// `b~2`, `b~` and `b^` as what is before the mark and the number of steps.
fn split_ancestor(word: &str) -> Option<(&str, usize)> {
    if let Some(base) = word.strip_suffix('^') {
        return Some((base, 1));
    }
    let (base, steps) = word.rsplit_once('~')?;
    if steps.is_empty() {
        return Some((base, 1));
    }
    Some((base, steps.parse().ok()?))
}

/// The commit that many first parents before.
fn ancestor(shell: &Shell, base: &str, steps: usize, word: &str) -> Outcome<u64> {
    let mut at = number(shell, base)?;
    for _ in 0..steps {
        let Some(parent) = parent_of(shell, at)? else {
            let message = format!("{word} is before the first commit that is known");
            return Err(Failure::statement(message).with_hint("pando log lists the commits"));
        };
        at = parent;
    }
    Ok(at)
}

/// The first parent of a commit.
///
/// A branch that was moved (by a reset, or a merge that had only to follow) stands at a number of
/// its own, which no log lists; what it moved to is the newest commit before in its log.
pub(super) fn parent_of(shell: &Shell, commit: u64) -> Outcome<Option<u64>> {
    let number = i64::try_from(commit).unwrap_or(i64::MAX);
    let sql = "SELECT parent, branch_name, parent IN (SELECT transaction_id FROM pando_log('*')) \
               FROM pando_log('*') WHERE transaction_id = ?1 AND parent > 0";
    let mut statement = shell.connection.prepare(sql)?;
    let mut rows = statement.query([number])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let (parent, branch): (u64, Option<String>) = (row.get(0)?, row.get(1)?);
    if row.get(2)? {
        return Ok(Some(parent));
    }
    let Some(branch) = branch else { return Ok(None) };
    let sql = "SELECT max(transaction_id) FROM pando_log(?1) WHERE transaction_id < ?2";
    Ok(shell.connection.query_row(sql, (branch, number), |row| row.get(0))?)
}

/// The newest commit of a branch that was made by then.
fn at_time(shell: &Shell, branch: &str, time: &str) -> Outcome<u64> {
    let modifier = ago(time);
    let (base, modifier) = match &modifier {
        Some(modifier) => ("now", modifier.as_str()),
        None => (time, "+0 seconds"),
    };
    let sql = "SELECT strftime('%Y-%m-%d %H:%M:%f', ?1, ?2)";
    let until: Option<String> =
        shell.connection.query_row(sql, [base, modifier], |row| row.get(0))?;
    let Some(until) = until else {
        return Err(Failure::usage(format!("{time:?} is no time"))
            .with_hint("2026-01-31, 2026-01-31 12:00, or 2 hours ago"));
    };
    let sql = "SELECT transaction_id FROM pando_log(?1) WHERE committed_at <= ?2 LIMIT 1";
    let found = shell.query_texts(sql, &[branch.into(), until.as_str().into()])?;
    found.first().and_then(|number| number.parse().ok()).ok_or_else(|| {
        Failure::statement(format!("{branch} has no commit that is as old as {until}"))
            .with_hint("pando log lists the commits")
    })
}

/// `2 hours ago` and `yesterday` as SQLite's date functions have it.
fn ago(time: &str) -> Option<String> {
    if time.eq_ignore_ascii_case("yesterday") {
        return Some("-1 days".to_owned());
    }
    let words: Vec<&str> = time.split(|c: char| c.is_whitespace() || c == '.').collect();
    let [count, unit, ago] = words.as_slice() else { return None };
    if !ago.eq_ignore_ascii_case("ago") {
        return None;
    }
    let count: u32 = if count.eq_ignore_ascii_case("an") || count.eq_ignore_ascii_case("a") {
        1
    } else {
        count.parse().ok()?
    };
    let unit = unit.to_ascii_lowercase();
    let (count, unit) = match unit.trim_end_matches('s') {
        "week" => (count.checked_mul(7)?, "days"),
        "second" | "sec" => (count, "seconds"),
        "minute" | "min" => (count, "minutes"),
        "hour" => (count, "hours"),
        "day" => (count, "days"),
        "month" => (count, "months"),
        "year" => (count, "years"),
        _ => return None,
    };
    Some(format!("-{count} {unit}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_and_times_are_read() {
        assert_eq!(split_ancestor("main~2"), Some(("main", 2)));
        assert_eq!(split_ancestor("main~"), Some(("main", 1)));
        assert_eq!(split_ancestor("HEAD^"), Some(("HEAD", 1)));
        assert_eq!(split_ancestor("main"), None);
        assert_eq!(split_ancestor("a~b"), None);
        assert_eq!(ago("2 hours ago").as_deref(), Some("-2 hours"));
        assert_eq!(ago("2.weeks.ago").as_deref(), Some("-14 days"));
        assert_eq!(ago("an hour ago").as_deref(), Some("-1 hours"));
        assert_eq!(ago("2026-01-01"), None);
        assert_eq!(ago("2 moons ago"), None);
    }
}
