//! What went wrong, for the person or the script that asked: a sentence, the place in the SQL
//! with a caret, a hint; or one JSON object.
//!
//! Neighbours: `exit` (the number that goes with it), `pandodb::Error` (where most come from).

use std::fmt;
use std::io;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use pandodb::ErrorKind;

use crate::exit::Exit;
use crate::output::escape::{Escape, escaped};
use crate::output::quote::json_string;

/// `Result` with a [`Failure`].
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

/// An error that ends a statement, a command or the program.
#[derive(Debug)]
pub(crate) struct Failure(Box<Inner>);

#[derive(Debug)]
struct Inner {
    exit: Exit,
    message: String,
    hint: Option<String>,
    /// The library's own error, with its SQL and place.
    cause: Option<pandodb::Error>,
    /// The SQL is ours, so that it is of no interest.
    is_of_own_statement: bool,
    /// Where the SQL stands: a file's name, and the line that the statement begins on.
    origin: Option<(String, usize)>,
}

impl Failure {
    /// An error of our own.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        let message = message.into();
        Self(Box::new(Inner {
            exit,
            message,
            hint: None,
            cause: None,
            is_of_own_statement: false,
            origin: None,
        }))
    }

    /// A command was used wrongly.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// A statement or command could not be done.
    pub(crate) fn statement(message: impl Into<String>) -> Self {
        Self::new(Exit::Statement, message)
    }

    /// A file could not be read or written.
    pub(crate) fn file(action: &str, path: impl fmt::Display, error: &io::Error) -> Self {
        Self::new(Exit::Io, format!("cannot {action} {path}: {error}"))
    }

    #[must_use]
    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    #[must_use]
    pub(crate) fn with_exit(mut self, exit: Exit) -> Self {
        self.0.exit = exit;
        self
    }

    /// Whether it is the library's error of this kind.
    pub(crate) fn is(&self, kind: ErrorKind) -> bool {
        self.0.cause.as_ref().is_some_and(|error| error.kind() == kind)
    }

    /// Says in which file, and on which of its lines, the statement begins.
    #[must_use]
    pub(crate) fn in_script(mut self, name: &str, line: usize) -> Self {
        self.0.origin.get_or_insert_with(|| (name.to_owned(), line));
        self
    }

    /// Says which line of a data file could not be stored; the SQL is of no interest then.
    #[must_use]
    pub(crate) fn in_line(mut self, line: u64) -> Self {
        self.0.message = format!("line {line}: {}", self.0.message);
        self.0.hint = self.hint().map(str::to_owned);
        self.0.cause = None;
        self
    }

    /// Leaves out a statement that nobody typed, and the place in it.
    #[must_use]
    pub(crate) fn without_statement(mut self) -> Self {
        self.0.is_of_own_statement = true;
        self
    }

    pub(crate) fn exit(&self) -> Exit {
        self.0.exit
    }

    /// Whether the reader of our output has gone away, which nobody needs to be told.
    pub(crate) fn is_closed_pipe(&self) -> bool {
        self.0.exit == Exit::Success
    }

    /// The sentence.
    pub(crate) fn message(&self) -> &str {
        &self.0.message
    }

    /// SQLite's code of a statement's error; that of a general one for our own.
    pub(crate) fn code(&self) -> i32 {
        self.0.cause.as_ref().map_or(1, pandodb::Error::extended_code)
    }

    /// The statement that failed, and where in it.
    fn place(&self) -> Option<(&str, std::ops::Range<usize>)> {
        let error = self.0.cause.as_ref().filter(|_| !self.0.is_of_own_statement)?;
        Some((error.sql()?, error.position()?))
    }

    fn hint(&self) -> Option<&str> {
        let cause = self.0.cause.as_ref();
        self.0.hint.as_deref().or_else(|| cause.and_then(pandodb::Error::hint))
    }

    /// For a person: with the SQL line and a caret where the place is known.
    pub(crate) fn render(&self, color: bool, width: usize) -> String {
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        let renderer = renderer.decor_style(DecorStyle::Ascii).term_width(width);
        let level = Level::ERROR.with_name("Error");
        // Names and values out of the database are in it.
        let message = escaped(&self.0.message, Escape::Ascii);
        let hint = self.hint().map(|hint| escaped(hint, Escape::Ascii));
        let title = level.primary_title(&*message);
        let place = self.place();
        let mut report = Vec::new();
        if let Some((sql, position)) = place {
            let (name, line) = match &self.0.origin {
                Some((name, line)) => (Some(name.as_str()).filter(|name| !name.is_empty()), *line),
                None => (None, 1),
            };
            let mark = AnnotationKind::Primary.span(visible(sql, position));
            let mut snippet = Snippet::source(sql).line_start(line).annotation(mark);
            if let Some(name) = name {
                snippet = snippet.path(name);
            }
            let mut group = title.element(snippet);
            if let Some(hint) = &hint {
                group = group.element(Level::HELP.with_name("hint").message(&**hint));
            }
            report.push(group);
        } else {
            let mut text = format!("Error: {message}");
            if let Some((name, line)) = &self.0.origin {
                let place = if name.is_empty() { "line " } else { &format!("{name}:") };
                text = format!("Error: {place}{line}: {message}");
            }
            if let Some(hint) = &hint {
                text.push_str(&format!("\nhint: {hint}"));
            }
            if color {
                let red = annotate_snippets::renderer::DEFAULT_ERROR_STYLE;
                text = text.replacen("Error:", &format!("{red}Error:{red:#}"), 1);
            }
            return text;
        }
        renderer.render(&report)
    }

    /// For a script: one JSON object on one line.
    pub(crate) fn to_json(&self) -> String {
        let cause = self.0.cause.as_ref();
        let mut parts = vec![format!("\"message\":{}", json_string(&self.0.message))];
        if let Some(error) = cause {
            parts.push(format!("\"kind\":{}", json_string(&format!("{:?}", error.kind()))));
            parts.push(format!("\"code\":{}", error.extended_code()));
            if let Some((sql, position)) = self.place() {
                let (line, column) = line_and_column(sql, position.start);
                let first = self.0.origin.as_ref().map_or(1, |(_, line)| *line);
                parts.push(format!("\"line\":{},\"column\":{column}", first + line - 1));
                parts.push(format!("\"offset\":{}", position.start));
            }
        }
        if let Some((name, _)) = self.0.origin.as_ref().filter(|(name, _)| !name.is_empty()) {
            parts.push(format!("\"file\":{}", json_string(name)));
        }
        if let Some(hint) = self.hint() {
            parts.push(format!("\"hint\":{}", json_string(hint)));
        }
        parts.push(format!("\"exit\":{}", self.0.exit as u8));
        format!("{{\"error\":{{{}}}}}", parts.join(","))
    }
}

/// A caret under nothing helps nobody: an empty place at the end moves to the last character.
fn visible(sql: &str, position: std::ops::Range<usize>) -> std::ops::Range<usize> {
    let end = sql.trim_end().len();
    if position.start < end || end == 0 {
        return position;
    }
    let last = sql[..end].char_indices().next_back().map_or(0, |(at, _)| at);
    last..end
}

/// The line and column, from 1, of a byte.
fn line_and_column(sql: &str, offset: usize) -> (usize, usize) {
    let before = sql.get(..offset).unwrap_or(sql);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    (line, column)
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl From<pandodb::Error> for Failure {
    fn from(error: pandodb::Error) -> Self {
        let mut message = error.message().to_owned();
        // Where the newest cause's sentence begins.
        let mut newest = 0;
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            let text = cause.to_string();
            // The engine's own texts end with the hint, which is shown below.
            let with_hint = error.hint().map(|hint| format!("{message} ({hint})"));
            if !message.contains(&text) && with_hint.as_ref() != Some(&text) {
                // Storage errors repeat the sentence before they add the file.
                if text.starts_with(&message[newest..]) {
                    message.truncate(newest);
                } else {
                    message.push_str(": ");
                    newest = message.len();
                }
                message.push_str(&text);
            }
            source = cause.source();
        }
        let exit = Exit::for_kind(error.kind());
        let mut failure = Self::new(exit, message);
        if error.kind() == ErrorKind::Interrupted {
            "interrupted".clone_into(&mut failure.0.message);
        }
        failure.0.cause = Some(error);
        failure
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::new(Exit::Success, "the reader has gone"),
            _ => Self::new(Exit::Io, format!("cannot write: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_without_place_is_one_line_and_a_hint() {
        let failure = Failure::usage("no such mode: boxx").with_hint("one of box, table");
        assert_eq!(failure.render(false, 80), "Error: no such mode: boxx\nhint: one of box, table");
        assert_eq!(
            failure.to_json(),
            "{\"error\":{\"message\":\"no such mode: boxx\",\
             \"hint\":\"one of box, table\",\"exit\":2}}",
        );
    }

    #[test]
    fn an_empty_place_is_shown_at_the_last_character() {
        assert_eq!(visible("SELECT 1 FROM", 13..13), 12..13);
        assert_eq!(visible("SELECT 1 \n", 10..10), 7..8);
        assert_eq!(visible("", 0..0), 0..0);
        assert_eq!(line_and_column("a\nbc\nd", 3), (2, 2));
    }
}
