//! Words and files that the repository does not hold.
//!
//! Open ends carry the number of an issue; paths of one machine help nobody on another; build
//! results and databases are not sources. Neighbours: `.gitignore` keeps most of them out.

use super::{Check, File, Rule, Violation};
use crate::source::find_words;
use crate::workspace;

/// Marks of an open end.
const MARKS: [&str; 4] = ["TODO", "FIXME", "XXX", "HACK"];

/// Words that belong to one machine; cut in two so that this file does not hold them.
const WORDS_OF_MACHINES: [&str; 6] = [
    concat!("/wo", "rk/"),
    concat!("../sha", "red"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("crates.io ", "mirror"),
    concat!("/tmp/", "bash"),
];

/// Ends of names that build and other tools leave behind.
const LEFT_BEHIND: [&str; 8] =
    [".pando", ".pando-log", ".orig", ".rej", ".rs.bk", ".profraw", "perf.data", ".DS_Store"];

/// Below these databases are kept on purpose.
const FIXTURES: [&str; 2] = ["tests/fixtures/", "fuzz/seeds/"];

const BYTES_LIMIT: usize = 1 << 20;

pub(super) const TODO: Rule = Rule {
    name: "todo",
    wants: "an open end names its issue: `TODO(#12)`",
    check: Check::File(todo),
};

pub(super) const WORDS: Rule =
    Rule { name: "words", wants: "no path of one machine in any file", check: Check::File(words) };

pub(super) const TRACKED: Rule = Rule {
    name: "tracked",
    wants: "no build results, databases or files over 1 MiB",
    check: Check::Paths(|paths| tracked(paths, size_of)),
};

fn todo(file: &File) -> Vec<Violation> {
    let Some(source) = &file.source else { return Vec::new() };
    let mut found = Vec::new();
    for mark in MARKS {
        for at in find_words(&source.comments, mark) {
            let number = source.comments[at + mark.len()..].strip_prefix("(#");
            if number.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) {
                continue;
            }
            // The rule's own documents show the form in back quotes.
            if source.comments[..at].ends_with('`') {
                continue;
            }
            let message = format!("{mark} without the number of an issue");
            let line = source.line_of(at);
            found.push(Violation::new("todo", &file.path, message).at_line(line));
        }
    }
    found
}

fn words(file: &File) -> Vec<Violation> {
    let mut found = Vec::new();
    for (at, line) in file.text.lines().enumerate() {
        for word in WORDS_OF_MACHINES {
            let Some(start) = line.find(word) else { continue };
            // A part of a longer path of the repository is no path of a machine.
            let is_part = line[..start].ends_with(|c: char| c.is_alphanumeric() || c == '_');
            if !is_part {
                let message = format!("`{word}` belongs to one machine");
                found.push(Violation::new("words", &file.path, message).at_line(at + 1));
            }
        }
    }
    found
}

fn size_of(path: &str) -> usize {
    workspace::root().join(path).metadata().map_or(0, |metadata| metadata.len() as usize)
}

fn tracked(paths: &[String], size_of: impl Fn(&str) -> usize) -> Vec<Violation> {
    let mut found = Vec::new();
    for path in paths {
        let is_fixture = FIXTURES.iter().any(|folder| path.starts_with(folder));
        let is_build = path.starts_with("target/") || path.contains("/target/");
        let left = LEFT_BEHIND.iter().any(|end| path.ends_with(end));
        if is_build || (left && !is_fixture) {
            found.push(Violation::new("tracked", path, "does not belong in the repository"));
        }
        let bytes = size_of(path);
        if bytes > BYTES_LIMIT {
            let message = format!("{bytes} bytes (limit {BYTES_LIMIT})");
            found.push(Violation::new("tracked", path, message).measuring(bytes));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_ends_without_an_issue_are_found() {
        let check = |text: &str| todo(&File::new("a.rs", text.into())).len();
        assert_eq!(check("// TODO: later"), 1);
        assert_eq!(check("/* FIXME(#x) */"), 1);
        assert_eq!(check("// TODO(#12): later"), 0);
        assert_eq!(check("let a = \"TODO\";"), 0);
        assert_eq!(check("// TODOS of others"), 0);
    }

    #[test]
    fn paths_of_a_machine_are_found_in_any_text() {
        for word in WORDS_OF_MACHINES {
            assert_eq!(words(&File::new("a.md", format!("see {word}x"))).len(), 1, "{word}");
        }
        let own = concat!("the framewo", "rk/of this");
        assert!(words(&File::new("a.md", own.into())).is_empty());
        let folder = concat!("crates/wo", "rk/src");
        assert!(words(&File::new("a.md", folder.into())).is_empty());
    }

    #[test]
    fn files_that_do_not_belong_are_found() {
        let check = |path: &str, size: usize| tracked(&[path.to_owned()], |_| size).len();
        assert_eq!(check("app.pando", 0), 1);
        assert_eq!(check("fuzz/target/a", 0), 1);
        assert_eq!(check("tests/fixtures/v1/app.pando", 0), 0);
        assert_eq!(check("src/lib.rs", BYTES_LIMIT + 1), 1);
        assert_eq!(check("src/lib.rs", BYTES_LIMIT), 0);
    }
}
