//! `cargo xtask tidy`: the budgets and rules that no compiler checks.
//!
//! Each rule is a function from a file (or the list of files) to violations; the limits stand
//! beside the rule, what depends on the shape of the crates in `layers`. A violation that is
//! meant to be is named in `exceptions.txt`, and an exception that is no longer needed is a
//! violation itself, so that the list only shrinks. Neighbours: `source` takes files apart.

mod doors;
mod exceptions;
mod form;
mod layers;
mod manifests;
mod reach;
mod sizes;
mod text;
mod unsafe_files;

use std::fmt;

use crate::process::{Failure, Outcome};
use crate::source::Source;
use crate::workspace;

/// What `cargo xtask tidy` takes.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Arguments {
    /// Name the rules and stop.
    #[arg(long)]
    rules: bool,
}

/// A rule broken at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Violation {
    rule: &'static str,
    /// The file, or `file::item`: what an exception names.
    place: String,
    line: usize,
    /// What was measured, for rules with a limit that an exception can raise.
    measured: usize,
    message: String,
}

impl Violation {
    fn new(rule: &'static str, place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { rule, place: place.into(), line: 0, measured: 0, message: message.into() }
    }

    fn at_line(mut self, line: usize) -> Self {
        self.line = line;
        self
    }

    fn measuring(mut self, measured: usize) -> Self {
        self.measured = measured;
        self
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (file, item) = self.place.split_once("::").unwrap_or((&self.place, ""));
        f.write_str(file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        let item = if item.is_empty() { String::new() } else { format!("`{item}`: ") };
        write!(f, ": {item}{} [{}]", self.message, self.rule)
    }
}

/// A file of the repository, as the rules see it.
#[derive(Debug)]
struct File {
    path: String,
    text: String,
    /// Only for `.rs` files.
    source: Option<Source>,
    /// Whether only tests compile it.
    is_test: bool,
}

impl File {
    fn new(path: &str, text: String) -> Self {
        let source = path.ends_with(".rs").then(|| Source::new(&text));
        let name = path.rsplit('/').next().unwrap_or_default();
        let in_tests = path.starts_with("tests/") || path.contains("/tests/");
        let is_test = name == "tests.rs" || name == "loom.rs" || in_tests;
        Self { path: path.to_owned(), text, source, is_test }
    }

    /// The paths, without `.rs`, of the modules that it declares for tests only.
    fn test_modules(&self) -> Vec<String> {
        let Some(source) = &self.source else { return Vec::new() };
        let (folder, name) = self.path.rsplit_once('/').unwrap_or(("", &self.path));
        let folder = match name {
            "mod.rs" | "lib.rs" | "main.rs" => folder.to_owned(),
            _ => format!("{folder}/{}", name.trim_end_matches(".rs")),
        };
        let items = source.test_items();
        let declared = items.into_iter().filter_map(|item| {
            let (_, name) = source.code[item].strip_suffix(';')?.rsplit_once("mod ")?;
            Some(format!("{folder}/{}", name.trim()))
        });
        declared.collect()
    }
}

/// Marks the files that stand behind `#[cfg(test)] mod name;`, however they are called.
fn mark_tests(files: &mut [File]) {
    let modules: Vec<String> = files.iter().flat_map(File::test_modules).collect();
    for file in files {
        let declared = |module: &String| {
            let rest = file.path.strip_prefix(module.as_str());
            rest.is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
        };
        file.is_test |= modules.iter().any(declared);
    }
}

/// A rule: its name, what it wants, and how it is checked.
struct Rule {
    name: &'static str,
    wants: &'static str,
    check: Check,
}

enum Check {
    /// Looks at one text file.
    File(fn(&File) -> Vec<Violation>),
    /// Looks at the paths of all files.
    Paths(fn(&[String]) -> Vec<Violation>),
    /// Looks at all text files together.
    Files(fn(&[File]) -> Vec<Violation>),
}

const RULES: [Rule; 16] = [
    sizes::FILE_LINES,
    sizes::FUNCTION_LINES,
    sizes::PARAMETERS,
    sizes::LINE_WIDTH,
    sizes::FOLDER_FILES,
    form::OPENING,
    form::MODULE_FILES,
    reach::REACHED,
    layers::CRATE_EDGES,
    layers::MODULE_EDGES,
    manifests::DIRECT_DEPENDENCIES,
    doors::DOORS,
    unsafe_files::UNSAFE,
    text::TODO,
    text::WORDS,
    text::TRACKED,
];

/// Checks everything and prints what is wrong.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    if arguments.rules {
        for rule in &RULES {
            println!("{:<15} {}", rule.name, rule.wants);
        }
        return Ok(());
    }
    let paths = workspace::files()?;
    let mut files = Vec::new();
    for path in &paths {
        // Files that are no text (images, fixtures) have no lines to check.
        if let Ok(text) = String::from_utf8(workspace::read(path)?) {
            files.push(File::new(path, text));
        }
    }
    mark_tests(&mut files);
    let tolerated = reach::tolerated(&files);
    for path in &tolerated {
        println!("note: {path}: no `mod` leads to it, so nothing checks it [reached]");
    }
    files.retain(|file| !tolerated.contains(&file.path));
    let found = check(&paths, &files);
    let exceptions = exceptions::read()?;
    let exception_count = exceptions.len();
    let violations = exceptions::apply(exceptions, found);
    for violation in &violations {
        println!("{violation}");
    }
    if violations.is_empty() {
        println!("tidy: {} files, {exception_count} exceptions, nothing to say", paths.len());
        return Ok(());
    }
    Err(Failure::new(format!("tidy: {} violations", violations.len())))
}

fn check(paths: &[String], files: &[File]) -> Vec<Violation> {
    let mut found = Vec::new();
    for rule in &RULES {
        match rule.check {
            Check::File(check) => found.extend(files.iter().flat_map(check)),
            Check::Paths(check) => found.extend(check(paths)),
            Check::Files(check) => found.extend(check(files)),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_have_names_of_their_own() {
        let mut names: Vec<_> = RULES.iter().map(|rule| rule.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), RULES.len());
    }

    #[test]
    fn modules_that_only_tests_declare_are_tests() {
        let mut files = [
            File::new("src/a/mod.rs", "#[cfg(test)]\nmod model;\nmod real;".into()),
            File::new("src/a/model.rs", String::new()),
            File::new("src/a/real.rs", "#[cfg(test)]\nmod cases;".into()),
            File::new("src/a/real/cases.rs", String::new()),
        ];
        mark_tests(&mut files);
        assert_eq!(files.map(|file| file.is_test), [false, true, false, true]);
    }

    #[test]
    fn a_violation_says_where_and_what() {
        let violation = Violation::new("a-rule", "src/a.rs::name", "is wrong").at_line(3);
        assert_eq!(violation.to_string(), "src/a.rs:3: `name`: is wrong [a-rule]");
    }
}
