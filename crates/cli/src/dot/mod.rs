//! Dot commands: one table of what there is, from which help and completion come too.
//!
//! A command is found by its name or by any beginning of it that fits one command only. psql's
//! backslash commands are other names. Neighbours: `words` cuts a line into words; the other
//! files hold what the commands do, one for each group of the help.

mod words;

// One for each group.
mod authorize;
mod branching;
mod database;
mod files;
mod help;
pub(crate) mod limits;
mod other;
mod output;
mod schema;
mod watch;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use crate::failure::{Failure, Outcome};
use crate::shell::Shell;

/// The groups of the help, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    Database,
    Output,
    Files,
    Other,
    Branching,
}

impl Group {
    pub(crate) const ALL: [Self; 5] =
        [Self::Database, Self::Output, Self::Files, Self::Other, Self::Branching];

    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Database => "Database",
            Self::Output => "Output",
            Self::Files => "I/O",
            Self::Other => "Other",
            Self::Branching => "Branching",
        }
    }

    /// Its commands, in the order of the help.
    pub(crate) const fn commands(self) -> &'static [Command] {
        match self {
            Self::Database => database::COMMANDS,
            Self::Output => output::COMMANDS,
            Self::Files => files::COMMANDS,
            Self::Other => other::COMMANDS,
            Self::Branching => branching::COMMANDS,
        }
    }
}

/// What a command's first argument is, for completion.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Argument {
    None,
    Table,
    Branch,
    File,
    Command,
    Word(&'static [&'static str]),
}

type Run = fn(&mut Shell, &[String]) -> Outcome;

/// One dot command.
pub(crate) struct Command {
    pub(crate) name: &'static str,
    /// Other names, with `\` for psql's.
    pub(crate) others: &'static [&'static str],
    /// What follows the name, as the help shows it.
    pub(crate) usage: &'static str,
    /// One line of help.
    pub(crate) about: &'static str,
    /// More help, or nothing.
    pub(crate) details: &'static str,
    pub(crate) argument: Argument,
    run: Run,
}

/// No other names.
const NONE: &[&str] = &[];

/// A row of the table: the middle holds usage, one line of help, and more help.
const fn command(
    name: &'static str,
    others: &'static [&'static str],
    [usage, about, details]: [&'static str; 3],
    argument: Argument,
    run: Run,
) -> Command {
    Command { name, others, usage, about, details, argument, run }
}

/// All commands, in the order of the help.
pub(crate) fn commands() -> impl Iterator<Item = &'static Command> {
    Group::ALL.into_iter().flat_map(Group::commands)
}

/// The commands' own names.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    commands().map(|command| command.name)
}

/// What the command's argument is.
pub(crate) fn argument_of(name: &str) -> Argument {
    find(name).map_or(Argument::None, |command| command.argument)
}

/// The command of this name, or the only one that begins so.
pub(crate) fn find(name: &str) -> Option<&'static Command> {
    let exact = |command: &&Command| command.name == name || command.others.contains(&name);
    if let Some(command) = commands().find(exact) {
        return Some(command);
    }
    let mut begin = commands().filter(|command| !name.is_empty() && command.name.starts_with(name));
    match (begin.next(), begin.next()) {
        (Some(command), None) => Some(command),
        _ => None,
    }
}

/// Runs the command in a line; the line has no dot, but keeps a backslash.
pub(crate) fn run(shell: &mut Shell, line: &str) -> Outcome {
    let mut words = words::split(line)?;
    if words.is_empty() {
        return Err(Failure::usage("there is no command behind the dot"));
    }
    let name = words.remove(0);
    let bare = name.strip_prefix('\\').unwrap_or(&name);
    let command = find(&name).or_else(|| find(bare));
    let Some(command) = command else {
        let told =
            if bare == name { format!(".{bare} (try .help)") } else { format!("{name} (try \\?)") };
        let failure = Failure::usage(format!("Unknown command: {told}"));
        let begin: Vec<&str> = names().filter(|name| name.starts_with(bare)).collect();
        return Err(match (begin.as_slice(), nearest(bare)) {
            ([_, _, ..], _) => failure.with_hint(format!("did you mean .{}?", begin.join(", ."))),
            (_, Some(near)) => failure.with_hint(format!("did you mean .{near}?")),
            _ => failure,
        });
    };
    (command.run)(shell, &words)
}

/// The name that was probably meant.
fn nearest(name: &str) -> Option<&'static str> {
    let allowed = if name.len() < 4 { 1 } else { 2 };
    names()
        .map(|known| (distance(name.as_bytes(), known.as_bytes()), known))
        .filter(|(edits, _)| *edits <= allowed)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, known)| known)
}

/// Edits from one word to the other: insert, remove, replace.
fn distance(left: &[u8], right: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (at, byte) in left.iter().enumerate() {
        let mut diagonal = at;
        row[0] = at + 1;
        for (column, other) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(byte != other);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[right.len()]
}

/// An option with two dashes; sqlite3's people write one as well.
fn two_dashes(word: &str) -> Cow<'_, str> {
    let is_single = word.strip_prefix('-').is_some_and(|rest| {
        rest.len() > 1 && rest.starts_with(|first: char| first.is_ascii_alphabetic())
    });
    if is_single { Cow::Owned(format!("-{word}")) } else { Cow::Borrowed(word) }
}

/// A command was used in a way that it does not know.
fn usage(name: &str) -> Failure {
    let usage = find(name).map_or("", |command| command.usage);
    Failure::usage(format!("usage: .{name} {usage}"))
}

/// `on` or `off`, as sqlite3 reads them.
fn switch(name: &str, word: &str) -> Outcome<bool> {
    match word.to_ascii_lowercase().as_str() {
        "on" | "yes" | "true" | "1" => Ok(true),
        "off" | "no" | "false" | "0" => Ok(false),
        _ => Err(Failure::usage(format!(".{name} takes on or off, not {word}"))),
    }
}
