//! What can be done with branches, as the statements that do it.
//!
//! Names go into SQL as quoted identifiers, never as they are. Neighbours: `verb` and
//! `dot::branching` call these; `moves` sets a branch or tag to another moment, `merges` joins two
//! and settles conflicts, `told` says what differs, what happened and where we are.

mod merges;
mod moves;
mod told;

use std::io::Write;

use pandodb::{Value, ValueRef};

pub(crate) use self::merges::{Merge, choice, merge, resolve};
pub(super) use self::moves::move_to_branch;
pub(crate) use self::moves::{delete_tag, reset, restore, tag};
pub(crate) use self::told::{Diff, Log, diff, diff_as_sql, log, show_commit, status};
use super::{chosen, inspect, revision};
use crate::failure::{Failure, Outcome};
use crate::output::Mode;
use crate::output::quote::{literal, quoted_identifier};
use crate::shell::Shell;

/// A text as SQL's literal.
pub(super) fn text(value: &str) -> String {
    literal(ValueRef::Text(value.as_bytes()))
}

/// A moment as SQL says it: a commit's number, a time, or a tag.
fn point_in_time(word: &str) -> String {
    if word.eq_ignore_ascii_case("now") {
        return "NOW".to_owned();
    }
    if word.bytes().all(|byte| byte.is_ascii_digit()) && word.parse::<i64>().is_ok() {
        return format!("TRANSACTION {word}");
    }
    let looks_like_time =
        word.len() >= 10 && word.as_bytes()[4] == b'-' && word.as_bytes()[7] == b'-';
    if looks_like_time && word[..4].bytes().all(|byte| byte.is_ascii_digit()) {
        return format!("TIMESTAMP {}", text(word));
    }
    format!("TAG {}", quoted_identifier(word))
}

/// The same for any revision; a branch stands for its newest commit.
fn point_of(shell: &Shell, word: &str) -> Outcome<String> {
    let is_branch = shell.branch_fact(word, "branch_name")?.is_some();
    if !is_branch && !word.contains(['~', '^', '@']) && !word.eq_ignore_ascii_case("HEAD") {
        return Ok(point_in_time(word));
    }
    Ok(format!("TRANSACTION {}", revision::number(shell, word)?))
}

/// Options of a new branch.
#[derive(Clone, Debug, Default)]
pub(crate) struct Create {
    pub(crate) parent: Option<String>,
    pub(crate) at: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) read_only: bool,
    /// An option of the program's own, and its value.
    pub(crate) option: Option<(&'static str, String)>,
}

pub(crate) fn create_with(shell: &mut Shell, name: &str, options: &Create) -> Outcome {
    let mut parent = options.parent.clone();
    let mut behind = String::new();
    if let Some(at) = &options.at {
        let point = point_of(shell, at)?;
        if parent.is_none() {
            parent = branch_at(shell, &point)?;
        }
        behind = format!(" AS OF {point}");
    }
    let mut sql = format!("CREATE BRANCH {}", quoted_identifier(name));
    if let Some(parent) = &parent {
        sql.push_str(&format!(" FROM {}", quoted_identifier(parent)));
    }
    sql.push_str(&behind);
    let mut settings = Vec::new();
    if let Some(description) = &options.description {
        settings.push(format!("description = {}", text(description)));
    }
    if options.read_only {
        settings.push("read_only = true".to_owned());
    }
    if let Some((name, value)) = &options.option {
        settings.push(format!("{name} = {}", text(value)));
    }
    if !settings.is_empty() {
        sql.push_str(&format!(" WITH ({})", settings.join(", ")));
    }
    shell.execute(&sql)?;
    shell.say(format_args!("Created branch: {name}"))
}

/// A new branch; its start is a branch, or else a tag or a commit's number.
pub(crate) fn create(shell: &mut Shell, name: &str, start: Option<&str>) -> Outcome {
    let mut options = Create::default();
    if let Some(start) = start {
        (options.parent, options.at) = start_of(shell, start)?;
    }
    create_with(shell, name, &options)
}

/// Where a branch starts, as its parent or as a moment of the current branch.
pub(crate) fn start_of(shell: &Shell, start: &str) -> Outcome<(Option<String>, Option<String>)> {
    let start = revision::resolve(shell, start)?;
    let is_number = start.bytes().all(|byte| byte.is_ascii_digit());
    let is_branch = !is_number && shell.branch_fact(&start, "branch_name")?.is_some();
    let is_name = !is_number && point_in_time(&start).starts_with("TAG") && !is_tag(shell, &start);
    Ok(if is_branch || is_name { (Some(start), None) } else { (None, Some(start)) })
}

fn is_tag(shell: &Shell, name: &str) -> bool {
    let tags = shell.query_texts("SHOW TAGS", &[]).unwrap_or_default();
    tags.iter().any(|tag| tag.eq_ignore_ascii_case(name))
}

/// A read-only branch at this moment.
pub(crate) fn snapshot(shell: &mut Shell, name: &str) -> Outcome {
    create_with(shell, name, &Create { read_only: true, ..Create::default() })
}

/// The branches with what is known about them; in boxes only what fits a terminal.
pub(crate) fn list(shell: &mut Shell) -> Outcome {
    if shell.settings.mode != Mode::Box {
        return list_all(shell);
    }
    let many: i64 =
        shell.connection.query_row("SELECT count(*) FROM pando_branches", (), |row| row.get(0))?;
    let (size, sizes) = if many > SIZED_MAX { ("", "") } else { (SIZE, SIZES) };
    let sql = format!(
        "SELECT CASE WHEN is_current THEN '*' ELSE '' END AS \" \", branch_name, parent_branch, \
         head_commit, state, created_at, {size} description FROM pando_branches {sizes}"
    );
    shell.show_query(&sql, &[])
}

/// From more branches on a list of them has no sizes: each has to be looked for.
const SIZED_MAX: i64 = 500;

/// What a branch holds, alone or with others, as of the newest checkpoint.
const SIZES: &str = "LEFT JOIN (SELECT key, json_extract(value, '$.own') + \
    json_extract(value, '$.shared') AS bytes \
    FROM json_each((SELECT branch_bytes FROM pragma_storage_info))) ON key = branch_name";

/// The same for people.
const SIZE: &str = "CASE WHEN bytes < 1024 THEN bytes || ' bytes' \
    WHEN bytes < 1048576 THEN format('%.1f KiB', bytes / 1024.0) \
    WHEN bytes < 1073741824 THEN format('%.1f MiB', bytes / 1048576.0) \
    ELSE format('%.1f GiB', bytes / 1073741824.0) END AS size,";

/// The branches with everything that is known about them.
pub(crate) fn list_all(shell: &mut Shell) -> Outcome {
    shell.show_query("SHOW BRANCHES", &[])
}

/// The names alone, with a star at the current one, as Git lists them; as rows for programs.
pub(crate) fn names(shell: &mut Shell) -> Outcome {
    if is_for_programs(shell) {
        return list(shell);
    }
    let current = shell.connection.current_branch();
    let names = shell.query_texts("SHOW BRANCHES", &[])?;
    let green = anstyle::AnsiColor::Green.on_default();
    for name in names {
        match (name == current, shell.settings.color) {
            (true, true) => writeln!(shell.sink, "* {green}{name}{green:#}")?,
            (true, false) => writeln!(shell.sink, "* {name}")?,
            (false, _) => writeln!(shell.sink, "  {name}")?,
        }
    }
    Ok(())
}

pub(crate) fn show(shell: &mut Shell, name: &str) -> Outcome {
    let mode = shell.settings.mode;
    if matches!(mode, Mode::Box | Mode::List) {
        shell.settings.mode = Mode::Line;
    }
    let sql = "SELECT * FROM pando_branches WHERE branch_name = ?1";
    let outcome = shell.show_query(sql, &[Value::from(name)]);
    shell.settings.mode = mode;
    outcome
}

/// What each branch has alone, what it shares, and what dropping it frees: what is its own, and
/// what only the moment holds that it left its parent.
pub(crate) fn sizes(shell: &mut Shell) -> Outcome {
    let sql = "SELECT branch_name, own_bytes, shared_bytes, total_bytes, freed_bytes \
               FROM pando_sizes WHERE object_type = 'branch' ORDER BY own_bytes DESC";
    if is_for_programs(shell) {
        return shell.show_query(sql, &[]);
    }
    let first = "(SELECT branch_name FROM pando_branches WHERE branch_id = 1)";
    let sql = sql.replace(" FROM", &format!(", branch_name = {first} FROM"));
    let mut sizes = Vec::new();
    {
        let mut statement = shell.connection.prepare(&sql)?;
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            // The first branch cannot be dropped.
            let freed = if row.get(5)? { None } else { Some(row.get(4)?) };
            let (name, own, shared) = (row.get(0)?, row.get(1)?, row.get(2)?);
            sizes.push(inspect::Bar { name, own, shared, freed });
        }
    }
    let text = inspect::size_bars(&sizes);
    shell.show_text(&text)
}

pub(super) fn is_for_programs(shell: &Shell) -> bool {
    shell.is_for_programs()
}

/// What the first branch is called: it may have been renamed.
pub(super) fn first(shell: &Shell) -> Outcome<String> {
    let sql = "SELECT branch_name FROM pando_branches WHERE branch_id = 1";
    Ok(shell.connection.query_row(sql, (), |row| row.get(0))?)
}

/// The branch that a branch came from.
pub(crate) fn parent(shell: &Shell, name: &str) -> Outcome<String> {
    let parent = shell.branch_fact(name, "parent_branch")?;
    parent.ok_or_else(|| {
        Failure::usage(format!("{name} has no parent to compare with"))
            .with_hint("name two branches: pando diff A B")
    })
}

pub(crate) fn switch_quietly(shell: &mut Shell, name: &str) -> Outcome {
    if shell.connection.current_branch() == name {
        return Ok(());
    }
    shell.execute(&format!("USE BRANCH {}", quoted_identifier(name)))
}

pub(crate) fn switch(shell: &mut Shell, name: &str) -> Outcome {
    switch_quietly(shell, name)?;
    let suffix = if shell.is_read_only_branch() { " (read-only)" } else { "" };
    shell.say(format_args!("Switched to branch: {name}{suffix}"))
}

/// What is no error where a branch is deleted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Delete {
    pub(crate) may_be_unmerged: bool,
    pub(crate) may_be_missing: bool,
}

impl Delete {
    /// As the verbs of other programs delete, which have no word for "all the same".
    pub(crate) const UNMERGED: Self = Self { may_be_unmerged: true, may_be_missing: false };
}

pub(crate) fn delete(shell: &mut Shell, name: &str, options: Delete) -> Outcome {
    if options.may_be_missing && shell.branch_fact(name, "branch_name")?.is_none() {
        return Ok(());
    }
    if shell.connection.current_branch().eq_ignore_ascii_case(name) {
        let first = first(shell)?;
        if name.eq_ignore_ascii_case(&first) {
            let message =
                format!("{first} is the branch that you are on, and the first one: it stays");
            return Err(Failure::statement(message).with_hint("reset it, or rename it"));
        }
        refuse_unmerged(shell, name, options)?;
        switch_quietly(shell, &first)?;
    } else {
        refuse_unmerged(shell, name, options)?;
    }
    shell.execute(&format!("DROP BRANCH {}", quoted_identifier(name)))?;
    chosen::forget(shell, name)?;
    shell.say(format_args!("Deleted branch: {name}"))
}

/// Refuses to delete a branch with commits that neither its parent has nor the branch that we are
/// on: nothing else names them, so that they would be gone for good.
fn refuse_unmerged(shell: &Shell, name: &str, options: Delete) -> Outcome {
    if options.may_be_unmerged || shell.branch_fact(name, "branch_name")?.is_none() {
        return Ok(());
    }
    let mut others: Vec<String> = shell.branch_fact(name, "parent_branch")?.into_iter().collect();
    let mut current = shell.connection.current_branch();
    if current.eq_ignore_ascii_case(name) {
        current = first(shell)?;
    }
    if !others.contains(&current) {
        others.push(current);
    }
    let mut sql = "SELECT count(*) FROM pando_log(?1) WHERE true".to_owned();
    for at in 2..others.len() + 2 {
        let of_other = format!("SELECT transaction_id FROM pando_log(?{at})");
        sql.push_str(&format!(" AND transaction_id NOT IN ({of_other})"));
    }
    let names: Vec<Value> =
        std::iter::once(name).chain(others.iter().map(String::as_str)).map(Value::from).collect();
    let told = shell.query_texts(&sql, &names)?;
    let count = told.first().map_or("0", String::as_str);
    let (commits, are) = if count == "1" { ("commit", "is") } else { ("commits", "are") };
    let place = match others.as_slice() {
        [one] => format!("not in {one}"),
        several => format!("neither in {}", several.join(" nor in ")),
    };
    if count == "0" {
        return Ok(());
    }
    let message = format!("{name} is not merged: {count} {commits} of it {are} {place}");
    let hint = format!("pando branch -D {name} deletes it all the same");
    Err(Failure::statement(message).with_hint(hint))
}

pub(crate) fn rename(shell: &mut Shell, old: &str, new: &str) -> Outcome {
    let (from, to) = (quoted_identifier(old), quoted_identifier(new));
    shell.execute(&format!("RENAME BRANCH {from} TO {to}"))?;
    shell.say(format_args!("Renamed branch: {old} to {new}"))
}

/// The same for a moment, where it is a commit.
fn branch_at(shell: &Shell, point: &str) -> Outcome<Option<String>> {
    match point.strip_prefix("TRANSACTION ").and_then(|number| number.parse().ok()) {
        Some(number) => branch_with(shell, number),
        None => Ok(None),
    }
}

/// A branch that has a commit: the current one, the one that made it, or another one.
fn branch_with(shell: &Shell, number: i64) -> Outcome<Option<String>> {
    let sql = "SELECT branch_name FROM pando_log('*') WHERE transaction_id = ?1 \
               AND branch_name IS NOT NULL";
    let mut names = vec![shell.connection.current_branch()];
    names.extend(shell.query_texts(sql, &[number.into()])?);
    names.extend(shell.query_texts("SELECT branch_name FROM pando_branches", &[])?);
    let sql = "SELECT 1 FROM pando_log(?1) WHERE transaction_id = ?2";
    for name in names {
        if !shell.query_texts(sql, &[name.as_str().into(), number.into()])?.is_empty() {
            return Ok(Some(name));
        }
    }
    Ok(None)
}
