//! Golden scripts: files of commands with the answers that they must get.
//!
//! ```text
//! # A comment.
//! put color red          <- commands, one a line: a name, words, key=value
//! get color
//! ---                    <- what they answer follows, up to an empty line
//! red
//!
//! get "no such key"
//! ---
//! error: not found
//! ```
//!
//! A command is played by the test's own code. An answer that is empty is `ok`; one that
//! contains an empty line is written with `> ` before each line. `UPDATE_GOLDEN=1` writes the
//! answers into the files; otherwise a missing or changed answer is a failure that shows the
//! difference. Neighbours: `difference`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use crate::difference::difference;

/// Rewrites the answers.
const UPDATE: &str = "UPDATE_GOLDEN";
/// Separates commands from their answer.
const SEPARATOR: &str = "---";
/// Begins each line of an answer that has empty lines.
const QUOTE: &str = "> ";

/// A word of a command: `value`, or `key=value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument {
    /// The key before `=`, where there is one.
    pub key: Option<String>,
    /// The value, without quotes.
    pub value: String,
}

/// A line of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The first word.
    pub name: String,
    /// The words behind it.
    pub arguments: Vec<Argument>,
    /// The whole line as it was written.
    pub text: String,
    /// Its number in the file, from 1.
    pub line: usize,
}

impl Command {
    /// Takes a line apart: words are separated by spaces; quotes (`"` with `\n`, `\"`, `\\`)
    /// hold spaces together.
    fn parse(text: &str, line: usize) -> Result<Self, String> {
        let mut words = Vec::new();
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let (argument, after) =
                parse_argument(rest).map_err(|what| format!("line {line}: {what}: {text}"))?;
            words.push(argument);
            rest = after.trim_start();
        }
        if words.is_empty() {
            return Err(format!("line {line}: no command"));
        }
        let name = words.remove(0).value;
        Ok(Self { name, arguments: words, text: text.trim().to_owned(), line })
    }

    /// The words without a key, in order.
    pub fn positional(&self) -> impl Iterator<Item = &str> {
        let words = self.arguments.iter().filter(|argument| argument.key.is_none());
        words.map(|argument| argument.value.as_str())
    }

    /// The value of `key=value`.
    pub fn get(&self, key: &str) -> Option<&str> {
        let mut all = self.arguments.iter();
        let found = all.find(|argument| argument.key.as_deref() == Some(key))?;
        Some(&found.value)
    }

    /// The value of `key=value` as a number or another thing that can be parsed; a value that
    /// cannot be is an error that names it.
    pub fn parse_key<T: std::str::FromStr>(&self, key: &str) -> Result<Option<T>, String> {
        let Some(value) = self.get(key) else { return Ok(None) };
        value.parse().map(Some).map_err(|_| format!("{key}={value} is not understood"))
    }

    /// The `n`-th word without a key, from 0; that it is missing is an error that says so.
    pub fn word(&self, n: usize) -> Result<&str, String> {
        let missing = || format!("`{}` needs a word {}", self.name, n + 1);
        self.positional().nth(n).ok_or_else(missing)
    }
}

/// Takes one argument off the front of `text`.
fn parse_argument(text: &str) -> Result<(Argument, &str), String> {
    let key_length = text.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '-');
    let key_length = key_length.unwrap_or(text.len());
    let has_key = key_length > 0 && text[key_length..].starts_with('=');
    let (key, text) = if has_key {
        (Some(text[..key_length].to_owned()), &text[key_length + 1..])
    } else {
        (None, text)
    };
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(char::is_whitespace).unwrap_or(text.len());
        return Ok((Argument { key, value: text[..end].to_owned() }, &text[end..]));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Ok((Argument { key, value }, &quoted[at + 1..])),
            '\\' => match characters.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, 't')) => value.push('\t'),
                Some((_, '0')) => value.push('\0'),
                Some((_, other)) => value.push(other),
                None => break,
            },
            other => value.push(other),
        }
    }
    Err("a quote is not closed".to_owned())
}

/// Plays a script and returns it with the answers that it got. `play_one` answers a command; an
/// `Err` is an answer too, written as `error: ...`. A script that cannot be read is an error.
pub fn play(
    script: &str,
    mut play_one: impl FnMut(&Command) -> Result<String, String>,
) -> Result<String, String> {
    let mut played = String::with_capacity(script.len());
    let mut commands: Vec<Command> = Vec::new();
    let mut lines = script.lines().enumerate().peekable();
    while let Some((at, line)) = lines.next() {
        let is_block_end = line.trim().is_empty() || line.trim() == SEPARATOR;
        if !is_block_end {
            played.push_str(line);
            played.push('\n');
            if !line.trim_start().starts_with('#') {
                commands.push(Command::parse(line, at + 1)?);
            }
            if lines.peek().is_some() {
                continue;
            }
        }
        if !commands.is_empty() {
            played.push_str(SEPARATOR);
            played.push('\n');
            played.push_str(&answer(&commands, &mut play_one));
            commands.clear();
        }
        if line.trim() == SEPARATOR {
            // The old answer, up to the empty line that ends it.
            while lines.next_if(|(_, line)| !line.trim().is_empty()).is_some() {}
        } else if line.trim().is_empty() {
            played.push('\n');
        }
    }
    Ok(played)
}

/// The answers of a block of commands, quoted where they need to be.
fn answer(
    commands: &[Command],
    play_one: &mut impl FnMut(&Command) -> Result<String, String>,
) -> String {
    let mut text = String::new();
    for command in commands {
        let said = play_one(command).unwrap_or_else(|error| format!("error: {error}"));
        if !said.is_empty() {
            text.push_str(said.strip_suffix('\n').unwrap_or(&said));
            text.push('\n');
        }
    }
    if text.is_empty() {
        return "ok\n".to_owned();
    }
    if !text.lines().any(|line| line.trim().is_empty() || line.starts_with(QUOTE)) {
        return text;
    }
    let mut quoted = String::with_capacity(text.len() * 2);
    for line in text.lines() {
        // Writing to a string cannot fail.
        let _ = writeln!(quoted, "{QUOTE}{line}");
    }
    quoted
}

/// Plays the script in `file` and compares. The error is for people.
pub fn check_file(
    file: &Path,
    play_one: impl FnMut(&Command) -> Result<String, String>,
) -> Result<(), String> {
    check(file, env::var_os(UPDATE).is_some(), play_one)
}

fn check(
    file: &Path,
    update: bool,
    play_one: impl FnMut(&Command) -> Result<String, String>,
) -> Result<(), String> {
    let name = file.display();
    let script =
        fs::read_to_string(file).map_err(|cause| format!("cannot read {name}: {cause}"))?;
    let played = play(&script, play_one).map_err(|what| format!("{name}: {what}"))?;
    let Some(difference) = difference(&script, &played) else { return Ok(()) };
    if update {
        return fs::write(file, played).map_err(|cause| format!("cannot write {name}: {cause}"));
    }
    Err(format!(
        "{name} got other answers (- expected, + actual; {UPDATE}=1 rewrites):\n{difference}"
    ))
}

/// Plays every file below `folder`, each with a player of its own from `start`.
///
/// # Panics
///
/// When an answer is missing or has changed, or the folder holds no file: then nothing would
/// have been tested.
#[track_caller]
pub fn check_folder<P>(folder: &Path, mut start: impl FnMut(&Path) -> P)
where
    P: FnMut(&Command) -> Result<String, String>,
{
    let mut files = Vec::new();
    if let Err(what) = collect(folder, &mut files) {
        panic!("{what}");
    }
    assert!(!files.is_empty(), "{} holds no script", folder.display());
    let mut failures = String::new();
    for file in &files {
        if let Err(what) = check_file(file, start(file)) {
            failures.push_str(&what);
            failures.push('\n');
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

/// The files below `folder`, sorted, without hidden ones.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let failed = |cause: std::io::Error| format!("cannot read {}: {cause}", folder.display());
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if !entry.file_name().to_string_lossy().starts_with('.') {
            paths.push(entry.path());
        }
    }
    paths.sort();
    for path in paths {
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TemporaryFolder;

    fn echo(command: &Command) -> Result<String, String> {
        match command.name.as_str() {
            "say" => Ok(command.positional().collect::<Vec<_>>().join("\n")),
            "fail" => Err(command.word(0)?.to_owned()),
            _ => Ok(String::new()),
        }
    }

    #[test]
    fn words_keys_and_quotes_are_read() {
        let command = Command::parse("put a=1 \"two words\" b=\"x\\n\\\"y\" =c", 3).unwrap();
        assert_eq!((command.name.as_str(), command.line), ("put", 3));
        assert_eq!(command.positional().collect::<Vec<_>>(), ["two words", "=c"]);
        assert_eq!((command.get("a"), command.get("b")), (Some("1"), Some("x\n\"y")));
        assert_eq!(command.parse_key::<u8>("a"), Ok(Some(1)));
        assert!(command.parse_key::<u8>("b").is_err());
        assert!(command.word(2).is_err());
        assert!(Command::parse("put \"open", 1).is_err());
    }

    #[test]
    fn answers_are_filled_in() {
        let script = "# why\nsay a\nnothing\nfail x\n\nnothing\n---\nold\nolder\n\nsay \"\" b\n";
        let played = "# why\nsay a\nnothing\nfail x\n---\na\nerror: x\n\n\
                      nothing\n---\nok\n\nsay \"\" b\n---\n> \n> b\n";
        assert_eq!(play(script, echo).as_deref(), Ok(played));
        assert_eq!(play(played, echo).as_deref(), Ok(played), "a fixed point");
    }

    #[test]
    fn a_changed_or_missing_answer_fails_and_an_update_writes_it() {
        let folder = TemporaryFolder::new();
        let file = folder.file("script");
        for script in ["say a\n---\nb\n", "say a\n", "say a\n---\n"] {
            fs::write(&file, script).unwrap();
            let failure = check(&file, false, echo).unwrap_err();
            assert!(failure.contains("+ a\n"), "{failure}");
            check(&file, true, echo).unwrap();
            assert_eq!(fs::read_to_string(&file).unwrap(), "say a\n---\na\n");
            check(&file, false, echo).unwrap();
        }
    }

    #[test]
    fn every_file_below_a_folder_is_played() {
        let folder = TemporaryFolder::new();
        fs::create_dir(folder.file("deep")).unwrap();
        fs::write(folder.file("a"), "say a\n---\na\n").unwrap();
        fs::write(folder.file("deep/b"), "say b\n---\nb\n").unwrap();
        let mut started = Vec::new();
        check_folder(&folder, |file| {
            started.push(file.to_path_buf());
            echo
        });
        assert_eq!(started, [folder.file("a"), folder.file("deep/b")]);
    }

    #[test]
    #[should_panic(expected = "holds no script")]
    fn an_empty_folder_tests_nothing_and_fails() {
        check_folder(&TemporaryFolder::new(), |_| echo);
    }
}
