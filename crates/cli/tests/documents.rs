//! Every command block of README.md, CONTRIBUTING.md, CHANGELOG.md and all pages below docs is run.
//!
//! The rule, which CONTRIBUTING.md states: the blocks of one document are run in its order in one
//! empty folder. `sh` must end well, `sql` is run on `app.pando` there, `console` has commands
//! behind `$ ` and compares what they print (`UPDATE_GOLDEN=1` rewrites it), `rust` is a doctest of
//! the library; other blocks are no commands. Of commands of `cargo`, which build, only their
//! names are checked, but for the one that starts `pando`, which is this very program. So there is
//! no list of blocks that are left out.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use pandodb_testkit::{TemporaryFolder, assert_same_text};

use crate::run;

/// Starts the program from a checkout; what follows are its own arguments.
const START: &str = "cargo run --release --bin pando --";

/// A fenced block: its language, the number of the line behind the fence, and its text.
struct Block<'d> {
    language: &'d str,
    line: usize,
    text: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn documents() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(|name| root().join(name)).into();
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "md") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn blocks(document: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut open: Option<Block<'_>> = None;
    for (number, line) in document.lines().enumerate() {
        let fence = line.trim_start().strip_prefix("```");
        match (fence, open.take()) {
            (Some(language), None) => {
                open = Some(Block {
                    language: language.trim(),
                    line: number + 2,
                    text: String::new(),
                });
            }
            (Some(_), Some(block)) => blocks.push(block),
            (None, Some(mut block)) => {
                block.text.push_str(line);
                block.text.push('\n');
                open = Some(block);
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}

/// The names that `cargo xtask` knows.
fn chores() -> String {
    std::fs::read_to_string(root().join("xtask/src/main.rs")).unwrap()
}

/// A line for `sh`; none where it builds something.
fn command(line: &str) -> Option<String> {
    if let Some(arguments) = line.strip_prefix(START) {
        return Some(format!("pando {arguments} < /dev/null"));
    }
    let Some(cargo) = line.strip_prefix("cargo ") else { return Some(line.to_owned()) };
    if let Some(chore) = cargo.strip_prefix("xtask ").and_then(|rest| rest.split(' ').next()) {
        let (first, rest) = chore.split_at(1);
        let variant = format!("    {}{rest}(", first.to_uppercase());
        assert!(chores().contains(&variant), "cargo xtask has no {chore}");
    }
    None
}

/// Commands that must end well.
fn run_script(folder: &Path, block: &Block<'_>) {
    let lines: Vec<String> = block.text.lines().filter_map(command).collect();
    let printed = run(folder, &format!("set -e\n{}", lines.join("\n")));
    assert!(!printed.contains("[exit "), "line {}: {printed}", block.line);
}

/// Commands behind `$ `, each followed by what it prints now.
fn run_session(folder: &Path, block: &Block<'_>) -> String {
    let mut session = String::new();
    let mut lines = block.text.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(first) = line.strip_prefix("$ ") else { continue };
        let mut asked = first.to_owned();
        while asked.ends_with('\\') {
            let next = lines.next().unwrap_or("");
            let _ = write!(asked, "\n{next}");
        }
        let _ = writeln!(session, "$ {asked}");
        let printed = command(&asked).map_or(String::new(), |asked| run(folder, &asked));
        session.push_str(&printed);
        if !printed.is_empty() && !printed.ends_with('\n') {
            session.push('\n');
        }
    }
    session
}

/// Runs the blocks of a document; its text with what they print now.
fn run_document(text: &str) -> String {
    let folder = TemporaryFolder::new();
    let mut now = text.to_owned();
    for block in blocks(text) {
        match block.language {
            "sh" | "bash" | "shell" => run_script(folder.path(), &block),
            "sql" => {
                std::fs::write(folder.file("block.sql"), &block.text).unwrap();
                let printed = run(folder.path(), "pando --bail app.pando < block.sql");
                assert!(!printed.contains("[exit "), "line {}: {printed}", block.line);
            }
            "console" => {
                let session = run_session(folder.path(), &block);
                if session != block.text {
                    now = now.replacen(&block.text, &session, 1);
                }
            }
            _ => {}
        }
    }
    now
}

#[test]
fn every_command_block_of_the_documents_does_what_it_shows() {
    let updates = std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| !value.is_empty());
    let mut commands = 0;
    for path in documents() {
        let text = std::fs::read_to_string(&path).unwrap();
        let is_command = |block: &&Block<'_>| matches!(block.language, "sh" | "sql" | "console");
        commands += blocks(&text).iter().filter(is_command).count();
        eprintln!("{}", path.display());
        let now = run_document(&text);
        if updates && now != text {
            std::fs::write(&path, now).unwrap();
        } else {
            assert_same_text(&text, &now);
        }
    }
    assert!(commands > 10, "only {commands} blocks were found");
}

#[test]
fn blocks_are_found_and_commands_that_build_are_told_apart() {
    let document = "a\n```sh\ncargo xtask ci\necho x\n```\nb\n```\nno command\n```\n";
    let found = blocks(document);
    assert_eq!((found.len(), found[0].language, found[0].line), (2, "sh", 3));
    assert_eq!(found[0].text.lines().filter_map(command).collect::<Vec<_>>(), ["echo x"]);
    let start = command("cargo run --release --bin pando -- app.pando").unwrap();
    assert!(start.starts_with("pando  app.pando"), "{start}");
    let wrong = "```console\n$ echo right\nwrong\n```\n";
    assert_eq!(run_document(wrong), "```console\n$ echo right\nright\n```\n");
}
