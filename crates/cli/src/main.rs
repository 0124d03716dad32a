//! `pando`: a shell and Git-like verbs for PandoDB.
//!
//! Reading order: `arguments` (what was asked), `shell` (statements and lines), `dot` (dot
//! commands), `verb` (Git's verbs and tools), `transfer` (data in and out), `output` (how rows
//! are shown), `failure` and `exit` (what went wrong). Everything below is the facade `pandodb`;
//! no other crate of the engine is used.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a program reads scripts, shows the time and waits for its user"
)]
#![allow(
    clippy::format_push_string,
    reason = "reads better than write!, whose error would have to be thrown away"
)]

// What was asked.
mod arguments;
mod language;

// Doing it.
mod dot;
mod interrupt;
mod shell;
mod transfer;
mod verb;

// Showing it.
mod exit;
mod failure;
mod output;
mod progress;
mod terminal;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use crate::arguments::Arguments;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::Mode;
use crate::shell::{History, Opening, Shell};
use crate::terminal::{ColorChoice, Terminal};

fn main() -> ExitCode {
    let given = match arguments::given() {
        Ok(given) => given,
        Err(failure) => {
            shell::tell(&failure, false, Terminal::detect(ColorChoice::Never));
            return Exit::Usage.into();
        }
    };
    let line: Vec<String> =
        std::iter::once("pando".to_owned()).chain(arguments::normalise(given)).collect();
    let as_json = line.iter().any(|word| word == "--json" || word == "--jsonl");
    let arguments = match Arguments::try_parse_from(line) {
        Ok(arguments) => arguments,
        Err(error) if as_json && error.use_stderr() => {
            let text = error.render().to_string();
            let lines = text.lines().map(str::trim).take_while(|line| !line.starts_with("Usage"));
            let message = lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
            let message = message.trim_start_matches("error: ");
            shell::tell(&Failure::usage(message), true, Terminal::detect(ColorChoice::Never));
            return Exit::Usage.into();
        }
        Err(error) => {
            // Help and version are no errors, and clap prints all of these well.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    interrupt::install();
    interrupt::bear_file_limits();
    let outcome = match &arguments.verb {
        Some(verb) => verb::run(&arguments, verb),
        None => run_shell(&arguments),
    };
    match outcome {
        Ok(exit) => exit.into(),
        Err(failure) => {
            let as_json = matches!(arguments.output.chosen(), Some(Mode::Json | Mode::Jsonl));
            shell::tell(&failure, as_json, Terminal::detect(arguments.global.color));
            failure.exit().into()
        }
    }
}

/// Statements from the command line, from standard input, or from a person.
fn run_shell(arguments: &Arguments) -> Outcome<Exit> {
    let options = &arguments.shell;
    let (path, sql) = database_and_sql(arguments);
    let terminal = Terminal::detect(arguments.global.color);
    let terminal = terminal.with_progress(!arguments.global.no_progress);
    if let Some(word) = sql.iter().find(|word| is_mistyped_verb(word)) {
        return Err(arguments::no_such_verb(word));
    }
    // A slip in a verb makes no database of that name.
    if !std::path::Path::new(&path).exists()
        && is_mistyped_verb(&path)
        && let Some(verb) = arguments::verb_one_slip_away(&path)
    {
        return Err(Failure::usage(format!("there is no verb {path}"))
            .with_hint(format!("did you mean {verb}? ./{path} is a database of that name")));
    }
    if arguments.global.database().is_none() && is_statement(&path) {
        return Err(Failure::usage("this looks like SQL, and a database is missing before it")
            .with_hint(format!(
                "pando FILE \"{path}\", or :memory: as the FILE; ./NAME is a database of any name"
            )));
    }
    let has_work = !sql.is_empty() || !options.command.is_empty() || !options.script.is_empty();
    let interactive = options.interactive || (terminal.has_input && !options.batch && !has_work);
    let opening = Opening {
        path,
        read_only: arguments.global.readonly,
        create: !options.no_create,
        user: arguments.global.user.clone(),
    };
    let mut shell = Shell::open(opening, terminal, interactive)?;
    if interactive {
        shell.history = History::of_user();
    }
    verb::chosen::enter(&mut shell, arguments.global.branch.as_deref(), true)?;
    if !options.no_init {
        read_init(&mut shell, options.init.as_deref())?;
    }
    configure(&mut shell, arguments);
    for text in &options.cmd {
        if !shell.run_text(text, None) {
            break;
        }
    }
    if has_work {
        run_given(&mut shell, arguments, &sql);
    } else if shell.ended.is_none() {
        shell.run_input()?;
        if interactive && !shell.connection.is_autocommit() {
            shell.say("The transaction was open: it is rolled back")?;
        }
    }
    let sink = std::mem::replace(&mut shell.sink, output::sink::Sink::screen());
    // What could not be written was told when it was tried first.
    if let Err(error) = sink.close()
        && shell.failed.is_none()
    {
        let failure = Failure::from(error);
        shell.report(&failure);
    }
    Ok(shell.exit())
}

/// The file and the statements. With `--db` the words are all statements.
fn database_and_sql(arguments: &Arguments) -> (String, Vec<String>) {
    let mut sql = arguments.sql.clone();
    let memory = || ":memory:".to_owned();
    match (&arguments.global.database(), &arguments.file) {
        (Some(db), Some(first)) if looks_like_sql(first) => {
            sql.insert(0, first.clone());
            (db.clone(), sql)
        }
        (_, Some(file)) => (file.clone(), sql),
        (Some(db), None) => (db.clone(), sql),
        (None, None) => (memory(), sql),
    }
}

/// A statement has blanks, or is a dot command; a file that exists is a file.
fn looks_like_sql(word: &str) -> bool {
    let is_command = shell::command_of(word).is_some() && !word.contains('/');
    !std::path::Path::new(word).exists()
        && (is_command || word.contains(char::is_whitespace) || word.ends_with(';'))
}

/// Whether a word begins as statements do and goes on behind that, and no file is called so.
fn is_statement(word: &str) -> bool {
    let sql = word.trim_start();
    let first = sql.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(sql.len());
    let (first, behind) = sql.split_at(first);
    behind.starts_with(|c: char| c.is_whitespace() || matches!(c, '(' | ';' | '*'))
        && language::STATEMENTS.iter().any(|it| it.eq_ignore_ascii_case(first))
        && !std::path::Path::new(word).exists()
}

/// Whether it is one word that no statement is made of.
fn is_mistyped_verb(word: &str) -> bool {
    let is_word = word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    let is_keyword = language::KEYWORDS.iter().any(|it| it.eq_ignore_ascii_case(word));
    is_word && !word.is_empty() && !is_keyword && shell::command_of(word).is_none()
}

/// Runs what the command line holds, in its order, to the first error.
fn run_given(shell: &mut Shell, arguments: &Arguments, sql: &[String]) {
    for text in arguments.shell.command.iter().chain(sql) {
        // A one-shot statement that fails must not be followed by the next.
        if !shell.run_text(text, None) || shell.failed.is_some() {
            return;
        }
    }
    for path in &arguments.shell.script {
        if let Err(failure) = shell.run_file(path) {
            shell.report(&failure);
        }
        if shell.ended.is_some() || shell.failed.is_some() {
            return;
        }
    }
}

/// The user's own settings.
fn read_init(shell: &mut Shell, named: Option<&str>) -> Outcome {
    let path = match named {
        Some(path) => path.to_owned(),
        None if shell.switches.interactive => {
            let Some(home) = std::env::var_os("HOME") else { return Ok(()) };
            let path = std::path::Path::new(&home).join(".pandorc");
            if !path.is_file() {
                return Ok(());
            }
            path.display().to_string()
        }
        None => return Ok(()),
    };
    shell.run_file(&path)
}

/// What the options say about output and behaviour.
pub(crate) fn configure(shell: &mut Shell, arguments: &Arguments) {
    let output = &arguments.output;
    if let Some(mode) = output.chosen() {
        shell.settings.mode = mode;
        shell.switches.json_errors = matches!(mode, Mode::Json | Mode::Jsonl);
    }
    if let Some(headers) = output.headers() {
        shell.settings.headers = Some(headers);
    }
    if let Some(table) = &output.insert {
        shell.settings.insert_table.clone_from(table);
    }
    if output.nullvalue.is_some() {
        shell.settings.null.clone_from(&output.nullvalue);
    }
    if output.separator.is_some() {
        shell.settings.separator.clone_from(&output.separator);
    }
    if output.escape.is_some() {
        shell.settings.escape = output.escape;
    }
    if output.newline.is_some() {
        shell.settings.row_separator.clone_from(&output.newline);
    }
    shell.switches.bail |= arguments.shell.bail;
    shell.switches.echo |= arguments.shell.echo;
    shell.switches.pager &= !arguments.shell.no_pager;
    shell.switches.progress = !arguments.global.no_progress;
    shell.switches.quiet = arguments.global.quiet;
    if arguments.global.color == ColorChoice::Always {
        shell.settings.color = true;
    }
    // What was set up so far may have printed something.
    let _ = shell.sink.flush();
}
