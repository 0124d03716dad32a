//! Single-dash long options (`-json`, `-cmd SQL`) become what clap reads.
//!
//! Hands that know sqlite3, duckdb or sqlvibe type them by habit. Only names of the table below
//! are rewritten, before the first verb, and never the value of an option. Behind a verb that
//! takes no words of its own a word is the database: `pando check FILE` is `pando FILE check`.
//! Neighbours: the parent module declares the options.

use clap::{Command, CommandFactory};

use crate::failure::Failure;

/// The name with one dash, what it means here, and whether a value follows.
const SINGLE_DASH: &[(&str, &str, bool)] = &[
    ("ascii", "--ascii", false),
    ("bail", "--bail", false),
    ("batch", "--batch", false),
    ("box", "--box", false),
    ("branch", "--branch", true),
    ("cmd", "--cmd", true),
    ("column", "--column", false),
    ("csv", "--csv", false),
    ("db", "--db", true),
    ("echo", "--echo", false),
    ("escape", "--escape", true),
    ("header", "--header", false),
    ("headers", "--header", false),
    ("help", "--help", false),
    ("html", "--html", false),
    ("init", "--init", true),
    ("insert", "--insert", true),
    ("interactive", "--interactive", false),
    ("json", "--json", false),
    ("jsonl", "--jsonl", false),
    ("jsonlines", "--jsonl", false),
    ("line", "--line", false),
    ("list", "--list", false),
    ("markdown", "--markdown", false),
    ("newline", "--newline", true),
    ("no-init", "--no-init", false),
    ("noheader", "--noheader", false),
    ("nullvalue", "--nullvalue", true),
    ("quote", "--quote", false),
    ("readonly", "--readonly", false),
    ("separator", "--separator", true),
    ("table", "--ascii-table", false),
    ("tabs", "--tsv", false),
    ("tsv", "--tsv", false),
    ("version", "--version", false),
];

/// Options of ours that take a value, so that the value is not looked at.
const WITH_VALUE: &[&str] = &[
    "--db",
    "--branch",
    "--user",
    "-c",
    "--command",
    "--cmd",
    "-f",
    "--file",
    "--init",
    "--insert",
    "--mode",
    "--newline",
    "--nullvalue",
    "--separator",
    "--color",
    "--escape",
];

/// Rewrites the arguments behind the program's name.
pub(crate) fn normalise(arguments: impl IntoIterator<Item = String>) -> Vec<String> {
    let verbs = verb_names();
    let mut rewritten = Vec::new();
    let mut rest = arguments.into_iter();
    let mut has_database = false;
    while let Some(argument) = rest.next() {
        if argument == "--" || verbs.contains(&argument) {
            rewritten.push(argument.clone());
            rewritten.extend(with_database(&argument, rest, has_database));
            return rewritten;
        }
        let known = argument.strip_prefix('-').filter(|name| name.len() > 1).and_then(|name| {
            SINGLE_DASH
                .iter()
                .find(|(single, _, has_value)| *single == name && (name.len() > 2 || *has_value))
        });
        let takes_value = if let Some((_, long, has_value)) = known {
            has_database |= *long == "--db";
            rewritten.push((*long).to_owned());
            *has_value
        } else {
            let takes_value = WITH_VALUE.contains(&argument.as_str());
            has_database |= !argument.starts_with('-') || argument == "--db";
            rewritten.push(if argument == "--table" { "--ascii-table".into() } else { argument });
            takes_value
        };
        if takes_value {
            rewritten.extend(rest.next());
        }
    }
    rewritten
}

/// What follows a verb; a word is the database where the verb has no use for it and no database
/// stands before it.
fn with_database(
    verb: &str,
    rest: impl Iterator<Item = String>,
    has_database: bool,
) -> Vec<String> {
    let command = super::Arguments::command();
    let found = command.find_subcommand(verb);
    let takes_none = |verb: &&Command| {
        verb.get_positionals().next().is_none() && verb.get_subcommands().next().is_none()
    };
    let Some(verb) = found.filter(takes_none) else { return rest.collect() };
    let mut rewritten = Vec::new();
    let (mut is_value, mut is_named) = (false, has_database);
    for word in rest {
        let is_option = word.starts_with('-');
        if !is_option && !is_value && !is_named {
            rewritten.push("--db".to_owned());
            is_named = true;
        }
        is_named |= word == "--db";
        let named = |option: &&clap::Arg| {
            let long = option.get_long().is_some_and(|long| word == format!("--{long}"));
            long || option.get_short().is_some_and(|short| word == format!("-{short}"))
        };
        let options = verb.get_arguments().chain(command.get_arguments());
        let is_taking = options.into_iter().find(named).map(|it| it.get_action().takes_values());
        is_value = is_option && is_taking.unwrap_or(false);
        rewritten.push(word);
    }
    rewritten
}

/// The verbs and their other names.
fn verb_names() -> Vec<String> {
    let command = super::Arguments::command();
    let names = command.get_subcommands().flat_map(|verb| {
        verb.get_all_aliases().chain([verb.get_name()]).map(str::to_owned).collect::<Vec<_>>()
    });
    names.collect()
}

/// The verbs that are most like a word, and how many letters are between them and it.
fn nearest(word: &str) -> (usize, Vec<String>) {
    let command = super::Arguments::command();
    let shown = command.get_subcommands().filter(|verb| !verb.is_hide_set());
    let names = shown.flat_map(|verb| verb.get_visible_aliases().chain([verb.get_name()]));
    let mut near: Vec<_> = names.map(|name| (distance(word, name), name.to_owned())).collect();
    near.sort();
    let least = near.first().map_or(usize::MAX, |(distance, _)| *distance);
    near.retain(|(distance, _)| *distance == least);
    (least, near.into_iter().map(|(_, name)| name).collect())
}

/// The verb that a word without it differs from in one letter, or in two that changed places.
pub(crate) fn verb_one_slip_away(word: &str) -> Option<String> {
    let mut letters: Vec<char> = word.chars().collect();
    let mut exchanged = (1..letters.len()).map(|at| {
        letters.swap(at - 1, at);
        let tried: String = letters.iter().collect();
        letters.swap(at - 1, at);
        tried
    });
    let verbs = verb_names();
    exchanged.find(|tried| verbs.contains(tried)).or_else(|| {
        let (distance, names) = nearest(word);
        (distance == 1 && word.len() > 3).then(|| names.join(" or "))
    })
}

/// What to say of a word that is no verb: the one that it may have been meant to be.
pub(crate) fn no_such_verb(word: &str) -> Failure {
    let (distance, mut names) = nearest(word);
    names.retain(|name| distance <= 1 + name.len() / 4);
    let failure = Failure::usage(format!("there is no verb {word}"));
    if names.is_empty() {
        return failure.with_hint("pando --help lists the verbs");
    }
    failure.with_hint(format!("did you mean {}?", names.join(" or ")))
}

/// How many letters must be changed, added or left out to make one word of the other.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, letter) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (at, other) in right.iter().enumerate() {
            let cost = diagonal + usize::from(letter != *other);
            diagonal = row[at + 1];
            row[at + 1] = cost.min(row[at] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{distance, normalise, verb_one_slip_away};

    #[test]
    fn a_word_behind_a_verb_without_words_is_the_database() {
        let run = |line: &str| normalise(line.split(' ').map(str::to_owned)).join(" ");
        for (typed, read) in [
            ("check app.pando", "check --db app.pando"),
            ("check --branch dev app.pando", "check --branch dev --db app.pando"),
            ("--json stat app.pando", "--json stat --db app.pando"),
            ("-db a check", "--db a check"),
            // Two databases are for the reader of the options to refuse.
            ("a.pando check b.pando", "a.pando check b.pando"),
            ("check a b", "check --db a b"),
            ("diff main dev", "diff main dev"),
            ("branch create dev", "branch create dev"),
        ] {
            assert_eq!(run(typed), read, "{typed}");
        }
    }

    #[test]
    fn a_slip_in_a_verb_is_seen() {
        for (typed, meant) in [
            ("brnch", Some("bench or branch")),
            ("statsu", Some("status")),
            ("mrege", Some("merge")),
            ("test", None),
            ("data", None),
            ("app", None),
        ] {
            assert_eq!(verb_one_slip_away(typed).as_deref(), meant, "{typed}");
        }
    }

    #[test]
    fn distances_count_letters() {
        assert_eq!(distance("status", "status"), 0);
        assert_eq!(distance("statsu", "status"), 2);
        assert_eq!(distance("brnch", "branch"), 1);
        assert_eq!(distance("", "log"), 3);
    }
}
