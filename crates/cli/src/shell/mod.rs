//! The shell: a connection, how results are shown, and where lines come from.
//!
//! A [`Shell`] runs text: statements (`statement`) and dot commands (`dot`). Lines come from an
//! editor on a terminal (`editor`) or from a script (`script`); both end in [`Shell::run_text`].
//! Neighbours: `verb` makes a shell too, and uses it without lines.

// Where lines come from.
mod complete;
mod editor;
mod highlight;
mod history;
mod script;

// What is done with them.
mod paged;
mod statement;
mod summarize;
mod watch;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, OnceLock};

use pandodb::{Connection, ErrorKind, OpenOptions, Value};

pub(crate) use self::history::{History, state_folder};
use self::script::Language;
pub(crate) use self::statement::{TableColumn, columns_of};
pub(crate) use self::watch::{Log, Trace, TraceForm};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::sink::Sink;
use crate::output::{Mode, Settings};
use crate::progress::Progress;
use crate::terminal::Terminal;

/// So much log is done again in some tenths of a second.
const RECOVERY_SHOWN_BYTES: u64 = 8 << 20;

/// Whether and when something is done; what dot commands switch on and off.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(crate) struct Switches {
    /// Stop at the first error.
    pub(crate) bail: bool,
    /// Print statements before they run.
    pub(crate) echo: bool,
    /// Print how long each took.
    pub(crate) timer: bool,
    /// Print how many rows each changed.
    pub(crate) changes: bool,
    /// Print the query plan first.
    pub(crate) plan: Plan,
    /// Print storage figures after each.
    pub(crate) stats: bool,
    /// Use a pager where output is longer than the screen.
    pub(crate) pager: bool,
    /// Show progress bars on a terminal.
    pub(crate) progress: bool,
    /// Errors are JSON objects.
    pub(crate) json_errors: bool,
    /// Say nothing about what was done.
    pub(crate) quiet: bool,
    /// A person is at the other end.
    pub(crate) interactive: bool,
}

/// Which plan of a query is printed before it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    None,
    /// As EXPLAIN QUERY PLAN tells it.
    Short,
    /// And as EXPLAIN does.
    Full,
}

impl Plan {
    /// The word that asks for it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::None => "off",
            Self::Short => "on",
            Self::Full => "full",
        }
    }
}

/// How the database was opened, so that it can be opened again.
#[derive(Clone, Debug)]
pub(crate) struct Opening {
    /// The file, or `:memory:`.
    pub(crate) path: String,
    pub(crate) read_only: bool,
    pub(crate) create: bool,
    /// Whose rights it has; without one the owner's.
    pub(crate) user: Option<String>,
}

/// How `.expert` was asked.
#[derive(Clone, Debug)]
pub(crate) struct Expert {
    /// Also list what was tried.
    pub(crate) is_verbose: bool,
    /// How many of a table's rows to look at; a fixed number without.
    pub(crate) sample_percent: Option<u8>,
}

/// A session with everything around it.
pub(crate) struct Shell {
    pub(crate) connection: Connection,
    pub(crate) opening: Opening,
    /// The database was not there before it was opened.
    pub(crate) is_new: bool,
    pub(crate) terminal: Terminal,
    pub(crate) settings: Settings,
    pub(crate) switches: Switches,
    pub(crate) sink: Sink,
    /// The sink is for one statement only.
    pub(crate) once: bool,
    /// The mode and headers to go back to behind one statement.
    pub(crate) mode_after_once: Option<(Mode, Option<bool>)>,
    /// The next statements are looked at for indexes that would help them, and not run.
    pub(crate) expert: Option<Expert>,
    /// What is written about statements beside their rows.
    pub(crate) watch: watch::Watch,
    /// Values for parameters, by name with its mark, or by `?` and number.
    pub(crate) parameters: BTreeMap<String, Value>,
    pub(crate) prompts: (String, String),
    /// Set when the shell is to end.
    pub(crate) ended: Option<Exit>,
    /// The first failure's number, which a script ends with.
    pub(crate) failed: Option<Exit>,
    pub(crate) history: History,
    /// Scripts that are being read, so that none reads itself for ever.
    pub(crate) reading: Vec<String>,
}

impl Opening {
    /// Opens the database.
    pub(crate) fn open(&self, terminal: Terminal) -> Outcome<Connection> {
        let mut options = OpenOptions::new();
        if let Some(user) = &self.user {
            options.user(user);
        }
        options.read_only(self.read_only).create(self.create && !self.read_only);
        let bar = Arc::new(OnceLock::<Progress>::new());
        if terminal.shows_progress {
            let bar = Arc::clone(&bar);
            options.on_recovery(move |_, bytes| {
                // A short one is over before anybody could read of it.
                if bytes >= RECOVERY_SHOWN_BYTES {
                    bar.get_or_init(Progress::recovery).set(bytes);
                }
            });
        }
        let opened = self.open_with(&options);
        if let Some(bar) = bar.get() {
            bar.finish();
        }
        opened
    }

    fn open_with(&self, options: &OpenOptions) -> Outcome<Connection> {
        let database = match self.path.as_str() {
            "" | ":memory:" => options.open_in_memory(),
            path if path.get(..5).is_some_and(|it| it.eq_ignore_ascii_case("file:")) => {
                let message = format!("URIs are not supported: {path}");
                return Err(Failure::new(Exit::CannotOpen, message).with_hint(
                    "give the file's path (./file:... for one that is called so); --readonly \
                     opens it without writing",
                ));
            }
            path => options.open(path),
        };
        let database = database.map_err(|error| self.refused(error))?;
        warn_of_lost(&database);
        database.connect().map_err(|error| self.refused(error))
    }

    /// What cannot be opened, for whatever reason, ends with one number; and people who open
    /// another program's file are told what to do with it.
    fn refused(&self, error: pandodb::Error) -> Failure {
        let kind = error.kind();
        let failure = Failure::from(error);
        match kind {
            ErrorKind::Io => failure.with_exit(Exit::CannotOpen),
            ErrorKind::Full => {
                failure.with_hint("free some room; until then --readonly opens it without writing")
            }
            ErrorKind::CannotOpen if self.could_be_made() => {
                failure.with_hint(format!("pando init {} makes one", self.path))
            }
            ErrorKind::NotADatabase => match self.other_kind_of_file() {
                Some(hint) => failure.with_hint(hint),
                None => failure,
            },
            _ => failure,
        }
    }

    /// Whether there is nothing at the path, but a folder that it would lie in.
    fn could_be_made(&self) -> bool {
        let path = std::path::Path::new(&self.path);
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        !path.exists() && folder.is_none_or(std::path::Path::is_dir)
    }

    fn other_kind_of_file(&self) -> Option<String> {
        let mut begun = [0; 16];
        let mut file = std::fs::File::open(&self.path).ok()?;
        std::io::Read::read(&mut file, &mut begun).ok()?;
        let path = &self.path;
        if begun.starts_with(b"SQLite format 3\0") {
            return Some(format!("it is one of SQLite: pando NEW.pando import {path}"));
        }
        if begun.starts_with(b"PandoBk\0") {
            return Some(format!("it is a backup: pando restore {path} --to NEW.pando"));
        }
        None
    }
}

/// Tells at each opening that commits were lost, as long as what is left of them is there.
fn warn_of_lost(database: &pandodb::Database) {
    let [first, ..] = database.lost_log() else { return };
    let text = format!(
        "warning: commits of the log cannot be reached, because a file of it is missing or cut \
         short: this is the database before them. What is left of them is kept in {} and those \
         that follow it: remove them if nobody needs them",
        first.display()
    );
    let _ = writeln!(std::io::stderr(), "{text}");
}

impl Shell {
    /// Opens the database and makes a shell that shows rows as people or programs want them.
    pub(crate) fn open(opening: Opening, terminal: Terminal, interactive: bool) -> Outcome<Self> {
        let is_new = !std::path::Path::new(&opening.path).exists();
        let connection = opening.open(terminal)?;
        let mut settings = Settings::new(if terminal.has_output { Mode::Box } else { Mode::List });
        settings.color = terminal.color_output;
        settings.footer = interactive && terminal.has_output;
        settings.width_max = if terminal.has_output { Terminal::width() } else { 0 };
        Ok(Self {
            connection,
            opening,
            is_new,
            terminal,
            settings,
            switches: Switches {
                bail: false,
                echo: false,
                timer: false,
                changes: interactive,
                plan: Plan::None,
                stats: false,
                pager: interactive && terminal.has_output,
                progress: true,
                json_errors: false,
                quiet: false,
                interactive,
            },
            sink: Sink::screen(),
            once: false,
            mode_after_once: None,
            expert: None,
            watch: watch::Watch::default(),
            parameters: BTreeMap::new(),
            prompts: ("pando".to_owned(), "   ...> ".to_owned()),
            ended: None,
            failed: None,
            history: History::default(),
            reading: Vec::new(),
        })
    }

    /// Runs a whole input: complete statements and dot commands, as typed at the prompt.
    ///
    /// Errors are told and remembered; the answer is whether to go on.
    pub(crate) fn run_text(&mut self, text: &str, origin: Option<(&str, usize)>) -> bool {
        let outcome = match command_of(text) {
            Some(command) => self.run_command(command),
            None => self.run_sql(text, origin),
        };
        self.settle(outcome, origin)
    }

    /// Tells an error; whether to go on.
    fn settle(&mut self, outcome: Outcome, origin: Option<(&str, usize)>) -> bool {
        if let Err(failure) = outcome {
            let failure = match origin {
                Some((name, line)) => failure.in_script(name, line),
                None => failure,
            };
            self.report(&failure);
            if self.switches.bail || failure.is_closed_pipe() {
                self.ended.get_or_insert(failure.exit());
            }
            if failure.exit() == Exit::Interrupted && !self.switches.interactive {
                self.ended.get_or_insert(Exit::Interrupted);
            }
        }
        if self.sink.flush().is_err() && self.sink.is_screen() {
            // Nobody reads any more: a pipe such as `| head` has closed.
            self.ended.get_or_insert(Exit::Success);
        }
        self.ended.is_none()
    }

    fn run_command(&mut self, command: &str) -> Outcome {
        if self.switches.echo {
            let dot = if command.starts_with('\\') { "" } else { "." };
            writeln!(self.sink, "{dot}{command}")?;
        }
        crate::dot::run(self, command)
    }

    /// Writes an error to standard error.
    pub(crate) fn report(&mut self, failure: &Failure) {
        if failure.is_closed_pipe() {
            return;
        }
        // The rows before the error come first.
        let _ = self.sink.flush();
        self.failed.get_or_insert(failure.exit());
        self.watch.failed(failure, &mut self.sink);
        if failure.exit() == Exit::Interrupted && self.switches.interactive {
            // The terminal has printed ^C.
            let _ = writeln!(self.sink).and_then(|()| self.sink.flush());
        }
        tell(failure, self.switches.json_errors, self.terminal);
    }

    /// A line about what was done, for people; an object where output is JSON.
    pub(crate) fn say(&mut self, text: impl std::fmt::Display) -> Outcome {
        if self.switches.quiet {
            return Ok(());
        }
        if !self.switches.interactive && matches!(self.settings.mode, Mode::Json | Mode::Jsonl) {
            let text = crate::output::quote::json_string(&text.to_string());
            writeln!(self.sink, "{{\"message\":{text}}}")?;
        } else {
            let text = text.to_string();
            let text = self.shown(&text);
            writeln!(self.sink, "{text}")?;
        }
        Ok(())
    }

    /// Tells on standard error what somebody should know who looks, and what is no failure.
    pub(crate) fn warn(&self, text: impl std::fmt::Display) {
        let text = text.to_string();
        let text = if self.switches.json_errors {
            format!("{{\"warning\":{}}}", crate::output::quote::json_string(&text))
        } else {
            text
        };
        // There is nowhere left to say that standard error is gone.
        let _ = writeln!(std::io::stderr(), "{text}");
    }

    /// Whether programs read the output, which then is rows only.
    pub(crate) fn is_for_programs(&self) -> bool {
        use Mode::{Ascii, Csv, Json, Jsonl, Tcl, Tsv};
        matches!(self.settings.mode, Json | Jsonl | Csv | Tsv | Ascii | Tcl)
    }

    /// Sends output to somewhere else; what was there before is closed.
    pub(crate) fn redirect(&mut self, sink: Sink) -> Outcome {
        self.once = false;
        let old = std::mem::replace(&mut self.sink, sink);
        Ok(old.close()?)
    }

    /// Ends `.once`: what follows goes to the screen again.
    pub(crate) fn end_once(&mut self) -> Outcome {
        if let Some((mode, headers)) = self.mode_after_once.take() {
            self.settings.mode = mode;
            self.settings.headers = headers;
        }
        if self.once { self.redirect(Sink::screen()) } else { Ok(()) }
    }

    /// Opens another database in place of this one.
    pub(crate) fn reopen(&mut self, opening: Opening) -> Outcome {
        self.connection = opening.open(self.terminal)?;
        self.opening = opening;
        Ok(())
    }

    /// The number that the program ends with.
    pub(crate) fn exit(&self) -> Exit {
        self.ended.filter(|exit| *exit != Exit::Success).or(self.failed).unwrap_or_default()
    }

    /// Lines from a person or from a pipe, to the end.
    pub(crate) fn run_input(&mut self) -> Outcome {
        if self.switches.interactive && self.terminal.has_input {
            editor::run(self)
        } else {
            script::run_standard_input(self);
            Ok(())
        }
    }

    /// The statements of a stream of data, which is not trusted with commands; errors name `name`.
    pub(crate) fn run_statements(&mut self, input: impl std::io::BufRead, name: &str) {
        script::run_reader(self, input, name, Language::Sql);
    }

    /// The same of a file; `-` is standard input.
    pub(crate) fn run_statements_of(&mut self, path: &str) -> Outcome {
        if path == "-" {
            script::run_reader(self, std::io::stdin().lock(), "", Language::Sql);
            return Ok(());
        }
        script::run_file(self, path, Language::Sql)
    }

    /// The statements and commands that a program prints.
    pub(crate) fn run_program(&mut self, command: &str) -> Outcome {
        script::run_program(self, command)
    }

    /// The statements of a file.
    pub(crate) fn run_file(&mut self, path: &str) -> Outcome {
        script::run_file(self, path, Language::SqlAndCommands)
    }
}

/// Writes an error to standard error.
pub(crate) fn tell(failure: &Failure, as_json: bool, terminal: Terminal) {
    if failure.is_closed_pipe() {
        return;
    }
    let text = if as_json {
        failure.to_json()
    } else {
        failure.render(terminal.color_errors, Terminal::width())
    };
    // There is nowhere left to say that standard error is gone.
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// The dot command in a line, without its dot: `.tables`, `\dt`, and bare `exit`, `quit`, `help`.
pub(crate) fn command_of(text: &str) -> Option<&str> {
    let line = text.trim();
    let is_number = |rest: &str| rest.starts_with(|first: char| first.is_ascii_digit());
    if let Some(rest) = line.strip_prefix('.').filter(|rest| !is_number(rest)) {
        return Some(rest);
    }
    if line.starts_with('\\') {
        return Some(line);
    }
    let bare = line.trim_end_matches(';').trim_end();
    let is_word = |word: &&str| bare.eq_ignore_ascii_case(word);
    ["exit", "quit", "help"].into_iter().find(is_word)
}
