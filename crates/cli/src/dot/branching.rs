//! Dot commands about branches.
//!
//! Neighbours: `verb::branches` does the work, for the verbs as well.

use super::{Argument, Command, NONE, command, usage};
use crate::failure::Outcome;
use crate::shell::Shell;
use crate::verb::branches;

pub(super) const COMMANDS: &[Command] = &[
    command(
        "branches",
        NONE,
        [
            "[all]",
            "list the branches",
            "At a terminal with the columns that matter most; all shows every column.",
        ],
        Argument::Branch,
        list,
    ),
    command(
        "branch",
        NONE,
        [
            "[NAME [PARENT]]",
            "create a branch, or say which one this is",
            "It starts as PARENT is now, or as the current branch is.",
        ],
        Argument::Branch,
        branch,
    ),
    command(
        "use",
        &["switch", "checkout"],
        ["NAME", "go on to a branch", ""],
        Argument::Branch,
        switch,
    ),
    command(
        "diff",
        NONE,
        ["[A [B]]", "show what differs between two branches", ""],
        Argument::Branch,
        diff,
    ),
    command(
        "merge",
        NONE,
        [
            "SRC [INTO DST] [--dry-run]",
            "merge a branch into another",
            "Without DST it goes into the current branch.",
        ],
        Argument::Branch,
        merge,
    ),
    command(
        "conflicts",
        NONE,
        ["", "show the conflicts of a merge", ""],
        Argument::Branch,
        conflicts,
    ),
    command(
        "log",
        NONE,
        [
            "[BRANCH] | FILE|stdout|stderr|off",
            "show the commits of a branch, or log errors",
            "A FILE has a dot or a slash in its name; errors are written there, too, from then on.",
        ],
        Argument::Branch,
        log,
    ),
    command(
        "snapshot",
        NONE,
        ["NAME", "keep the current state under a name, for reading only", ""],
        Argument::Branch,
        snapshot,
    ),
    command(
        "tag",
        NONE,
        ["[NAME]", "give the newest commit a name, or list the tags", ""],
        Argument::Branch,
        tag,
    ),
    command("status", NONE, ["", "say where we are", ""], Argument::Branch, status),
];

fn list(shell: &mut Shell, words: &[String]) -> Outcome {
    match words {
        [] => branches::list(shell),
        [all] if all.eq_ignore_ascii_case("all") => branches::list_all(shell),
        _ => Err(usage("branches")),
    }
}

fn branch(shell: &mut Shell, words: &[String]) -> Outcome {
    match words {
        [] => {
            let name = shell.connection.current_branch();
            shell.say(name)
        }
        [name] => branches::create(shell, name, None),
        [name, parent] => branches::create(shell, name, Some(parent)),
        _ => Err(usage("branch")),
    }
}

fn switch(shell: &mut Shell, words: &[String]) -> Outcome {
    let [name] = words else { return Err(usage("use")) };
    branches::switch(shell, name)
}

fn diff(shell: &mut Shell, words: &[String]) -> Outcome {
    match words {
        [] => {
            let to = shell.connection.current_branch();
            let from = branches::parent(shell, &to)?;
            branches::diff(shell, &from, &to, &branches::Diff::default()).map(drop)
        }
        [from] => {
            let to = shell.connection.current_branch();
            branches::diff(shell, from, &to, &branches::Diff::default()).map(drop)
        }
        [from, to] => branches::diff(shell, from, to, &branches::Diff::default()).map(drop),
        _ => Err(usage("diff")),
    }
}

fn merge(shell: &mut Shell, words: &[String]) -> Outcome {
    let mut merge = branches::Merge::default();
    let mut names = Vec::new();
    for word in words {
        match word.as_str() {
            "--dry-run" | "-n" => merge.dry_run = true,
            option if option.starts_with("--") => return Err(usage("merge")),
            name => names.push(name),
        }
    }
    let (source, target) = match names.as_slice() {
        [source] => (*source, shell.connection.current_branch()),
        [source, into, target] if into.eq_ignore_ascii_case("into") => {
            (*source, (*target).to_owned())
        }
        [source, target] => (*source, (*target).to_owned()),
        _ => return Err(usage("merge")),
    };
    branches::merge(shell, source, &target, &merge)
}

fn conflicts(shell: &mut Shell, _: &[String]) -> Outcome {
    shell.show_query("SHOW CONFLICTS", &[])
}

fn log(shell: &mut Shell, words: &[String]) -> Outcome {
    let branch = match words {
        [] => shell.connection.current_branch(),
        [word] if super::watch::is_log_target(shell, word) => {
            return super::watch::log(shell, word);
        }
        [branch] => branch.clone(),
        _ => return Err(usage("log")),
    };
    branches::log(shell, &branch, &branches::Log::default())
}

fn snapshot(shell: &mut Shell, words: &[String]) -> Outcome {
    let [name] = words else { return Err(usage("snapshot")) };
    branches::snapshot(shell, name)
}

fn tag(shell: &mut Shell, words: &[String]) -> Outcome {
    match words {
        [] => shell.show_query("SHOW TAGS", &[]),
        [name] => branches::tag(shell, name, None),
        _ => Err(usage("tag")),
    }
}

fn status(shell: &mut Shell, _: &[String]) -> Outcome {
    branches::status(shell)
}
