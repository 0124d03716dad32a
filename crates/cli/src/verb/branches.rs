//! What can be done with branches, as the statements that do it.
//!
//! Names go into SQL as quoted identifiers, never as they are. Neighbours: `verb` and
//! `dot::branching` call these, `graph` draws the log.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use pandodb::{ErrorKind, Value, ValueRef};

use super::graph::{self, Commit};
use super::{inspect, revision};
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

pub(crate) fn delete(shell: &mut Shell, name: &str, may_be_missing: bool) -> Outcome {
    if may_be_missing && shell.branch_fact(name, "branch_name")?.is_none() {
        return Ok(());
    }
    if shell.connection.current_branch().eq_ignore_ascii_case(name) {
        if name.eq_ignore_ascii_case("main") {
            let message = "main is the branch that you are on, and the first one: it stays";
            return Err(Failure::statement(message).with_hint("reset it, or rename it"));
        }
        switch_quietly(shell, "main")?;
    }
    shell.execute(&format!("DROP BRANCH {}", quoted_identifier(name)))?;
    shell.say(format_args!("Deleted branch: {name}"))
}

pub(crate) fn rename(shell: &mut Shell, old: &str, new: &str) -> Outcome {
    let (from, to) = (quoted_identifier(old), quoted_identifier(new));
    shell.execute(&format!("RENAME BRANCH {from} TO {to}"))?;
    shell.say(format_args!("Renamed branch: {old} to {new}"))
}

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
pub(super) fn move_to_branch(shell: &mut Shell, name: &str, other: &str) -> Outcome {
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

/// Options of a merge.
#[derive(Clone, Debug, Default)]
pub(crate) struct Merge {
    pub(crate) dry_run: bool,
    pub(crate) strategy: Option<String>,
    pub(crate) delete_branch: bool,
}

pub(crate) fn merge(shell: &mut Shell, source: &str, target: &str, options: &Merge) -> Outcome {
    let (from, to) = (quoted_identifier(source), quoted_identifier(target));
    let mut sql = format!("MERGE BRANCH {from} INTO {to}");
    let mut settings = Vec::new();
    if let Some(strategy) = &options.strategy {
        settings.push(format!("conflict_resolution = {}", text(strategy)));
    }
    if options.delete_branch {
        settings.push("delete_branch_after = true".to_owned());
    }
    if options.dry_run {
        settings.push("dry_run = true".to_owned());
    }
    if !settings.is_empty() {
        sql.push_str(&format!(" WITH ({})", settings.join(", ")));
    }
    let progress = crate::progress::Progress::rows(shell, "merging");
    if is_for_programs(shell) {
        let outcome = shell.show_query(&sql, &[]);
        progress.end(shell);
        return outcome.map_err(how_to_decide);
    }
    let told = merge_told(shell, &sql);
    progress.end(shell);
    let (status, told) = match told {
        Err(failure) if failure.is(ErrorKind::MergeConflict) => {
            write_conflicts(shell, source, target)?;
            return Err(how_to_decide(failure));
        }
        told => told?,
    };
    writeln!(shell.sink, "{told}")?;
    if status == "conflicts" {
        return list_conflicts(shell, source, target, options);
    }
    if options.dry_run || status == "up to date" {
        return Ok(());
    }
    shell.say(format_args!("Merged branch: {source} into {target}"))
}

/// What to do about a merge with conflicts, in words of this program.
fn how_to_decide(failure: Failure) -> Failure {
    if !failure.is(ErrorKind::MergeConflict) {
        return failure;
    }
    // These are found where no other conflict is left.
    let breaks_constraint = failure.to_string().contains("; the first: constraint: ");
    failure.with_hint(if breaks_constraint {
        "no strategy decides what breaks a constraint: \
         --strategy manual keeps the merge open for pando conflicts"
    } else {
        "--strategy source_wins or target_wins decides all of them, \
         --strategy manual keeps the merge open for pando conflicts"
    })
}

/// Merges, and says in a line what came of it.
fn merge_told(shell: &Shell, sql: &str) -> Outcome<(String, String)> {
    let mut statement = shell.connection.prepare(sql)?;
    Ok(statement.query_row((), |row| {
        // None where it was not counted.
        let number = |name: &str| row.get::<_, Option<u64>>(name).map(Option::unwrap_or_default);
        let status: String = row.get("status")?;
        let facts = [
            ("inserted", number("rows_inserted")?),
            ("updated", number("rows_updated")?),
            ("deleted", number("rows_deleted")?),
            ("renumbered", number("rows_renumbered")?),
            ("schema", number("schema_changes")?),
            ("open", number("conflicts")?),
        ];
        let facts = facts.iter().filter(|(_, count)| *count > 0);
        let facts: Vec<String> = facts.map(|(what, count)| format!("{count} {what}")).collect();
        let told = if facts.is_empty() {
            status.clone()
        } else {
            format!("{status}: {}", facts.join(", "))
        };
        Ok((status, told))
    })?)
}

/// What two branches cannot agree on, one a line, and what to do.
fn list_conflicts(shell: &mut Shell, source: &str, target: &str, options: &Merge) -> Outcome {
    write_conflicts(shell, source, target)?;
    if options.dry_run {
        return Ok(());
    }
    shell.say(format_args!(
        "The merge waits: pando conflicts shows, pando conflicts resolve answers, \
         pando merge --continue ends it"
    ))
}

/// What two branches cannot agree on, one a line.
fn write_conflicts(shell: &mut Shell, source: &str, target: &str) -> Outcome {
    let merge = shell.connection.merge(source).into_branch(target).dry_run(true);
    // A merge that waits for answers is there already: then it lists them itself.
    let conflicts = merge.run().map(|seen| seen.conflicts).unwrap_or_default();
    for conflict in &conflicts {
        let kind = format!("{:?}", conflict.kind).to_lowercase();
        let key: Vec<String> = conflict.row_key.iter().map(ToString::to_string).collect();
        let (object, key) = (&conflict.object, key.join(", "));
        writeln!(shell.sink, "CONFLICT ({kind}) {object} {key}: {}", conflict.detail)?;
    }
    Ok(())
}

/// How conflicts are resolved, as SQL says it.
pub(crate) fn choice(word: &str, text: Option<&str>) -> Outcome<String> {
    let choice = match word.to_ascii_lowercase().as_str() {
        "source" | "theirs" | "source_wins" => "SOURCE",
        "target" | "ours" | "target_wins" => "TARGET",
        "base" => "BASE",
        "delete" => "DELETE",
        "definition" => {
            let text = text.ok_or_else(|| {
                Failure::usage("a definition has a text".to_owned())
                    .with_hint("pando conflicts resolve definition 'price REAL' --number 1")
            })?;
            return Ok(format!("DEFINITION '{}'", text.replace('\'', "''")));
        }
        _ => {
            return Err(Failure::usage(format!("a conflict cannot be resolved with {word}"))
                .with_hint("source (theirs), target (ours), base, delete, or definition TEXT"));
        }
    };
    match text {
        Some(text) => Err(Failure::usage(format!("{word} takes no text: {text}"))
            .with_hint("definition TEXT says what a part of a definition is to be")),
        None => Ok(choice.to_owned()),
    }
}

/// Resolves conflicts: one, those of a table, or all.
pub(crate) fn resolve(
    shell: &mut Shell,
    choice: &str,
    table: Option<&str>,
    number: Option<u64>,
) -> Outcome {
    let scope = match (number, table) {
        (Some(number), _) => format!("CONFLICT {number}"),
        (None, Some(table)) => format!("CONFLICTS IN TABLE {}", quoted_identifier(table)),
        (None, None) => "CONFLICTS".to_owned(),
    };
    shell.execute(&format!("RESOLVE {scope} WITH {choice}"))?;
    let open = shell.query_texts("SELECT 1 FROM pando_conflicts WHERE resolution IS NULL", &[])?;
    match open.len() {
        0 => shell.say("All conflicts are resolved: pando merge --continue ends the merge"),
        1 => shell.say("1 conflict is open"),
        count => shell.say(format_args!("{count} conflicts are open")),
    }
}

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
    super::graph::diff::show(shell, &sql, options)
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
    let script = super::changes::script(shell, &from, &to, &comparison, table)?;
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
            names: names.get(&number).map(|names| names.join(", ")),
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
    let open = shell.query_texts("SHOW CONFLICTS", &[]).map_or(0, |conflicts| conflicts.len());
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
    match open {
        0 => {}
        1 => writeln!(shell.sink, "A merge waits: 1 conflict (pando conflicts)")?,
        count => {
            writeln!(shell.sink, "A merge waits: {count} conflicts (pando conflicts)")?;
        }
    }
    Ok(())
}
