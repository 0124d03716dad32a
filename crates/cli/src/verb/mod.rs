//! The verbs of the command line, each a few statements on a shell that reads no lines.
//!
//! Neighbours: `arguments::verbs` declares them, `branches` does what is about branches, `tables`
//! what is about tables, `inspect` looks at the whole database, `generate` needs no database.

mod bench;
mod blame;
pub(crate) mod branches;
mod changes;
pub(crate) mod chosen;
mod generate;
mod graph;
mod inspect;
mod preview;
mod rebase;
mod revision;
mod stash;
mod tables;

use std::io::Write;

use crate::arguments::{
    Arguments, BranchAction, BranchArguments, ConflictAction, CreateArguments, DbAction,
    DiffArguments, ExportArguments, ImportArguments, LogArguments, MergeArguments, StashAction,
    StashArguments, TagArguments, Verb,
};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::shell::{Opening, Shell};
use crate::terminal::Terminal;
use crate::transfer;

/// Does what a verb says.
pub(crate) fn run(arguments: &Arguments, verb: &Verb) -> Outcome<Exit> {
    let terminal = Terminal::detect(arguments.global.color);
    let terminal = terminal.with_progress(!arguments.global.no_progress);
    match verb {
        Verb::Help { about } => return generate::help(about).map(|()| Exit::Success),
        Verb::Completions { shell } => {
            return generate::completions(*shell).map(|()| Exit::Success);
        }
        Verb::Man { folder } => {
            return generate::manual(folder.as_deref()).map(|()| Exit::Success);
        }
        Verb::Init { file } | Verb::Db { action: DbAction::Init { file } } => {
            let path = file.clone().or_else(|| database(arguments)).ok_or_else(no_database)?;
            return init(arguments, terminal, &path).map(|()| Exit::Success);
        }
        Verb::Bench { rows } => return bench::run(arguments, terminal, *rows),
        Verb::Restore { files, to } => {
            let target = to.clone().or_else(|| arguments.file.clone());
            let target = target.or_else(|| arguments.global.database()).ok_or_else(no_database)?;
            let mut shell = open(arguments, terminal, ":memory:", true, true)?;
            transfer::restore_to(&mut shell, files, &target)?;
            shell.sink.flush()?;
            return Ok(shell.exit());
        }
        _ => {}
    }
    let path = database(arguments).ok_or_else(no_database)?;
    let needs_branch = needs_chosen_branch(verb);
    let mut shell =
        open(arguments, terminal, &path, matches!(verb, Verb::Import(_)), needs_branch)?;
    let exit = on_database(&mut shell, verb)
        .map_err(|failure| if has_sql(verb) { failure } else { failure.without_statement() })?;
    shell.sink.flush()?;
    let sink = std::mem::replace(&mut shell.sink, crate::output::sink::Sink::screen());
    sink.close()?;
    Ok(exit.max(shell.exit()))
}

fn no_database() -> Failure {
    Failure::usage("which database?")
        .with_hint("name it before the verb, with --db FILE, or in PANDO_DB")
}

/// The database that the command line names, or the only one in this folder.
fn database(arguments: &Arguments) -> Option<String> {
    if let Some(path) = arguments.file.clone().or_else(|| arguments.global.database()) {
        return Some(path);
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(".").ok()?.flatten() {
        let name = entry.file_name();
        if name.to_string_lossy().to_ascii_lowercase().ends_with(".pando") {
            found.push(name);
        }
    }
    // One whose name is not UTF-8 would be another one.
    if found.len() == 1 { found.pop()?.into_string().ok() } else { None }
}

/// Whether a verb is for the branch that was chosen: not where it chooses one, or lists them.
fn needs_chosen_branch(verb: &Verb) -> bool {
    use BranchAction as Action;
    match verb {
        Verb::Switch { .. } | Verb::Checkout { .. } | Verb::List | Verb::Check(_) => false,
        Verb::Branch(branch) => match &branch.action {
            None => branch.name.is_some() || !branch.rename.is_empty() || branch.is_deletion(),
            Some(Action::List | Action::Switch { .. } | Action::Show { .. } | Action::Du) => false,
            Some(_) => true,
        },
        _ => true,
    }
}

/// Whether a verb is told SQL, or parts of it.
fn has_sql(verb: &Verb) -> bool {
    matches!(
        verb,
        Verb::Execute { .. }
            | Verb::Query { .. }
            | Verb::Preview(_)
            | Verb::Apply { .. }
            | Verb::Export(_)
            | Verb::Table { .. }
            | Verb::Conflicts { .. }
    )
}

fn open(
    arguments: &Arguments,
    terminal: Terminal,
    path: &str,
    create: bool,
    needs_branch: bool,
) -> Outcome<Shell> {
    let (path, user) = (path.to_owned(), arguments.global.user.clone());
    let opening = Opening { path, read_only: arguments.global.readonly, create, user };
    let mut shell = Shell::open(opening, terminal, false)?;
    crate::configure(&mut shell, arguments);
    shell.switches.pager = terminal.has_output && terminal.has_input && !arguments.shell.no_pager;
    chosen::enter(&mut shell, arguments.global.branch.as_deref(), needs_branch)?;
    Ok(shell)
}

fn init(arguments: &Arguments, terminal: Terminal, path: &str) -> Outcome {
    if std::path::Path::new(path).exists() {
        return Err(Failure::new(Exit::CannotOpen, format!("{path} exists already")));
    }
    let user = arguments.global.user.clone();
    let opening = Opening { path: path.to_owned(), read_only: false, create: true, user };
    let mut shell = Shell::open(opening, terminal, false)?;
    crate::configure(&mut shell, arguments);
    shell.say(format_args!("Created {path}"))?;
    Ok(shell.sink.flush()?)
}

fn on_database(shell: &mut Shell, verb: &Verb) -> Outcome<Exit> {
    match verb {
        Verb::CherryPick { .. }
        | Verb::Revert { .. }
        | Verb::Reset { .. }
        | Verb::Rebase(_)
        | Verb::Stash(_) => rewrite(shell, verb)?,
        Verb::Blame { table, key } => blame::blame(shell, table, key.as_deref())?,
        Verb::Reflog { branch } => blame::reflog(shell, branch.as_deref())?,
        Verb::Status => branches::status(shell)?,
        Verb::Branch(branch) => return on_branches(shell, branch),
        Verb::List => branches::list(shell)?,
        Verb::Switch { create, name } | Verb::Checkout { create, name } => {
            if *create {
                branches::create(shell, name, None)?;
            }
            chosen::choose(shell, name)?;
        }
        Verb::Create { name, source } => branches::create(shell, name, source.as_deref())?,
        Verb::CreateBranch { words } => {
            let (name, parent) = pair(words, "from", "create-branch NAME [from PARENT]")?;
            branches::create(shell, name, parent)?;
        }
        Verb::MergeBranch { words } => {
            let (source, target) = pair(words, "into", "merge-branch SOURCE [into TARGET]")?;
            let target = target.map_or_else(|| shell.connection.current_branch(), str::to_owned);
            branches::merge(shell, source, &target, &branches::Merge::default())?;
        }
        Verb::DeleteBranch { name } | Verb::Delete { name } => {
            branches::delete(shell, name, branches::Delete::UNMERGED)?;
        }
        Verb::Log(log) => run_log(shell, log)?,
        Verb::Show { revision } => branches::show_commit(shell, revision.as_deref())?,
        Verb::Diff(diff) => return run_diff(shell, diff),
        Verb::Merge(merge) => run_merge(shell, merge)?,
        Verb::Conflicts { action } => run_conflicts(shell, action.as_ref())?,
        Verb::Preview(what) => return preview::preview(shell, what),
        Verb::Apply { base, what } => return preview::apply(shell, what, *base),
        Verb::Tag(tag) => run_tag(shell, tag)?,
        Verb::Execute { sql } => tables::execute(shell, sql)?,
        Verb::Query { sql } => tables::query(shell, sql)?,
        Verb::Table { action } => tables::run(shell, action)?,
        Verb::Add { table, json } => tables::add(shell, table, json)?,
        Verb::Import(import) => run_import(shell, import)?,
        Verb::Export(export) => run_export(shell, export)?,
        Verb::Dump(dump) => {
            let dump = transfer::Dump {
                schema: !dump.data_only,
                data: !dump.schema_only,
                tables: dump.tables.clone(),
                ..transfer::Dump::default()
            };
            transfer::dump_to_sink(shell, &dump)?;
        }
        Verb::Recover => transfer::recover(shell)?,
        Verb::Backup { file, incremental } => {
            transfer::backup(shell, file, incremental.as_deref())?;
        }
        Verb::Check(check) => return inspect::check(shell, check),
        Verb::Stat => inspect::stat(shell)?,
        Verb::Db { action: DbAction::Info } => inspect::info(shell)?,
        Verb::Compact => inspect::compact(shell)?,
        Verb::Init { .. }
        | Verb::Restore { .. }
        | Verb::Db { .. }
        | Verb::Bench { .. }
        | Verb::Help { .. }
        | Verb::Completions { .. }
        | Verb::Man { .. } => {}
    }
    Ok(Exit::Success)
}

/// What takes a commit over, back, or a branch back to one.
fn rewrite(shell: &mut Shell, verb: &Verb) -> Outcome {
    match verb {
        Verb::CherryPick { transaction } => {
            let number = revision::number(shell, transaction)?;
            shell.execute(&format!("CHERRY PICK TRANSACTION {number}"))?;
            shell.say(format_args!("Picked transaction {number}"))
        }
        Verb::Revert { transaction } => {
            let number = revision::number(shell, transaction)?;
            shell.execute(&format!("UNDO TRANSACTION {number}"))?;
            shell.say(format_args!("Undid transaction {number}"))
        }
        Verb::Reset { to, on } => {
            let branch = on.clone().unwrap_or_else(|| shell.connection.current_branch());
            branches::reset(shell, &branch, to)
        }
        Verb::Rebase(rebase) if rebase.abort => rebase::abort(shell),
        Verb::Rebase(rebase) => match &rebase.upstream {
            Some(upstream) => rebase::begin(shell, upstream),
            None if rebase.r#continue => rebase::resume(shell),
            None => {
                let branch = shell.connection.current_branch();
                let Some(parent) = shell.branch_fact(&branch, "parent_branch")? else {
                    let message = format!("{branch} has no parent to rebase onto");
                    return Err(Failure::usage(message)
                        .with_hint("name the other branch: pando rebase UPSTREAM"));
                };
                rebase::begin(shell, &parent)
            }
        },
        Verb::Stash(stash) => run_stash(shell, stash),
        _ => Ok(()),
    }
}

fn run_stash(shell: &mut Shell, stash: &StashArguments) -> Outcome {
    match &stash.action {
        None => stash::push(shell, None, stash.message.as_deref()),
        Some(StashAction::Push { to, message }) => {
            stash::push(shell, to.as_deref(), message.as_deref().or(stash.message.as_deref()))
        }
        Some(StashAction::List) => stash::list(shell),
        Some(StashAction::Pop { which }) => stash::take(shell, which.as_deref(), false),
        Some(StashAction::Apply { which }) => stash::take(shell, which.as_deref(), true),
        Some(StashAction::Show { which }) => stash::show(shell, which.as_deref()),
        Some(StashAction::Drop { which }) => stash::drop(shell, which.as_deref()),
    }
}

/// `NAME` or `NAME word OTHER`.
fn pair<'w>(words: &'w [String], word: &str, usage: &str) -> Outcome<(&'w str, Option<&'w str>)> {
    match words {
        [name] => Ok((name, None)),
        [name, between, other] if between.eq_ignore_ascii_case(word) => Ok((name, Some(other))),
        _ => Err(Failure::usage(format!("usage: pando {usage}"))),
    }
}

fn on_branches(shell: &mut Shell, branch: &BranchArguments) -> Outcome<Exit> {
    let Some(action) = &branch.action else {
        for (names, may_be_unmerged) in
            [(&branch.delete, branch.force), (&branch.delete_unmerged, true)]
        {
            for name in names {
                let options = branches::Delete { may_be_unmerged, may_be_missing: false };
                branches::delete(shell, name, options)?;
            }
        }
        match branch.rename.as_slice() {
            [] => {}
            [new] => {
                let old = shell.connection.current_branch();
                branches::rename(shell, &old, new)?;
            }
            [old, new, ..] => branches::rename(shell, old, new)?,
        }
        match &branch.name {
            Some(name) => branches::create(shell, name, branch.start.as_deref())?,
            None if !branch.is_deletion() && branch.rename.is_empty() => {
                branches::names(shell)?;
            }
            None => {}
        }
        return Ok(Exit::Success);
    };
    match action {
        BranchAction::Create(create) => create_branch(shell, create)?,
        BranchAction::List => branches::list(shell)?,
        BranchAction::Current => {
            let name = shell.connection.current_branch();
            if shell.is_for_programs() {
                shell.show_values(&["branch_name"], &[vec![name.into()]])?;
            } else {
                writeln!(shell.sink, "{name}")?;
            }
        }
        BranchAction::Switch { name } => chosen::choose(shell, name)?,
        BranchAction::Delete { name, force } => {
            let options = branches::Delete { may_be_unmerged: *force, may_be_missing: *force };
            branches::delete(shell, name, options)?;
        }
        BranchAction::Merge(merge) => run_merge(shell, merge)?,
        BranchAction::Diff(diff) => return run_diff(shell, diff),
        BranchAction::Snapshot { name } => branches::snapshot(shell, name)?,
        BranchAction::Restore { name } => {
            let branch = shell.connection.current_branch();
            branches::restore(shell, &branch, name)?;
        }
        BranchAction::Tag { name } => branches::tag(shell, name, None)?,
        BranchAction::Log(log) => run_log(shell, log)?,
        BranchAction::Rename { old, new } => branches::rename(shell, old, new)?,
        BranchAction::Reset { name, to } => branches::reset(shell, name, to)?,
        BranchAction::Show { name } => branches::show(shell, name)?,
        BranchAction::Du => branches::sizes(shell)?,
    }
    Ok(Exit::Success)
}

fn create_branch(shell: &mut Shell, create: &CreateArguments) -> Outcome {
    let (mut parent, mut at) = (create.from.clone(), create.at.clone());
    if let Some(start) = &create.start {
        (parent, at) = branches::start_of(shell, start)?;
    }
    let options = branches::Create {
        parent,
        at,
        description: create.description.clone(),
        read_only: create.read_only,
        option: None,
    };
    branches::create_with(shell, &create.name, &options)?;
    if create.switch { chosen::choose(shell, &create.name) } else { Ok(()) }
}

fn run_log(shell: &mut Shell, log: &LogArguments) -> Outcome {
    let branch = log.branch.clone().unwrap_or_else(|| shell.connection.current_branch());
    let log = branches::Log { oneline: log.oneline, graph: log.graph, most: log.max_count };
    branches::log(shell, &branch, &log)
}

fn run_diff(shell: &mut Shell, diff: &DiffArguments) -> Outcome<Exit> {
    let current = shell.connection.current_branch();
    // `A..B` is Git's way to write two revisions, but a branch may be called so.
    let range = match diff.from.as_deref() {
        Some(from) if shell.branch_fact(from, "branch_name")?.is_none() => from.split_once(".."),
        _ => None,
    };
    let side = |word: &str| if word.is_empty() { current.clone() } else { word.to_owned() };
    let (from, to) = match (range, &diff.from, &diff.to) {
        (Some((from, to)), ..) => (side(from), side(to)),
        (None, Some(from), Some(to)) => (from.clone(), to.clone()),
        (None, Some(from), None) => (from.clone(), current),
        _ => (branches::parent(shell, &current)?, current),
    };
    let behind = if range.is_some() { diff.to.as_deref() } else { None };
    let table = diff.table.as_deref().or(behind).or(diff.only.as_deref());
    if diff.sql {
        return branches::diff_as_sql(shell, &from, &to, table)
            .map(|differs| if differs && diff.exit_code { Exit::Conflict } else { Exit::Success });
    }
    let options = branches::Diff {
        table: table.map(str::to_owned),
        stat: diff.stat,
        schema_only: diff.schema,
        data_only: diff.data,
    };
    let differs = branches::diff(shell, &from, &to, &options)?;
    Ok(if differs && diff.exit_code { Exit::Conflict } else { Exit::Success })
}

fn run_merge(shell: &mut Shell, merge: &MergeArguments) -> Outcome {
    if merge.abort {
        shell.execute("ABORT MERGE")?;
        shell.say("Gave the merge up: nothing was changed")?;
        return rebase::remind(shell);
    }
    if merge.r#continue {
        shell.execute("CONTINUE MERGE")?;
        shell.say("Ended the merge")?;
        return rebase::remind(shell);
    }
    let Some(source) = &merge.source else {
        return Err(Failure::usage("usage: pando merge SOURCE [--into TARGET]"));
    };
    let target = merge.into.clone().unwrap_or_else(|| shell.connection.current_branch());
    let options = branches::Merge {
        dry_run: merge.dry_run,
        strategy: merge.strategy.clone(),
        delete_branch: merge.delete_branch,
    };
    branches::merge(shell, source, &target, &options)
}

fn run_conflicts(shell: &mut Shell, action: Option<&ConflictAction>) -> Outcome {
    match action {
        None | Some(ConflictAction::Show) => shell.show_query("SHOW CONFLICTS", &[]),
        Some(ConflictAction::Resolve { choice, text, table, number }) => {
            let choice = branches::choice(choice, text.as_deref())?;
            branches::resolve(shell, &choice, table.as_deref(), *number)
        }
    }
}

fn run_tag(shell: &mut Shell, tag: &TagArguments) -> Outcome {
    match (&tag.name, &tag.delete) {
        (_, Some(name)) => branches::delete_tag(shell, name),
        (Some(name), None) => branches::tag(shell, name, tag.commit.as_deref()),
        (None, None) => shell.show_query("SHOW TAGS", &[]),
    }
}

fn run_import(shell: &mut Shell, import: &ImportArguments) -> Outcome {
    let options = transfer::Import {
        file: import.file.clone(),
        program: None,
        table: import.table.clone(),
        schema: None,
        format: import.format,
        must_create: import.create,
        has_names: !import.no_names,
        is_lenient: false,
        skip: import.skip,
        all_text: import.all_text,
        null: import.null_text.clone(),
        separator: shell.settings.separator.clone(),
    };
    let rows = transfer::import(shell, &options)?;
    shell.say(format_args!("Imported {rows} rows"))
}

fn run_export(shell: &mut Shell, export: &ExportArguments) -> Outcome {
    let what = export.what.as_deref().unwrap_or("");
    transfer::export(shell, &export.file, what, export.format)?;
    if export.file == "-" {
        Ok(())
    } else {
        shell.say(format_args!("Exported to '{}'", export.file))
    }
}
