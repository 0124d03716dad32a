//! What is written about statements beside their rows: `.trace` and `.log`.
//!
//! Both go to the screen, to standard error or to a file, line by line, so that nothing is lost
//! when the program ends at once. Neighbours: `dot::watch` switches them, `statement` runs what is
//! traced.

use std::fs::File;
use std::io::{self, Write};
use std::time::Duration;

use pandodb::{Connection, Statement};

use crate::failure::{Failure, Outcome};
use crate::language::{self, Kind};
use crate::output::{own, quote};

/// What a trace shows of a statement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum TraceForm {
    /// As it was written.
    #[default]
    Plain,
    /// With the values of its parameters.
    Expanded,
    /// With a question mark for each value, so that alike statements look alike.
    Normalized,
}

/// Where lines go.
pub(crate) enum Log {
    Screen,
    Errors,
    File(File),
}

/// What is watched.
#[derive(Default)]
pub(crate) struct Watch {
    /// Statements as they begin, or (timed) as they end.
    pub(crate) trace: Option<Trace>,
    /// Errors.
    pub(crate) errors: Option<Log>,
}

/// A trace of statements.
pub(crate) struct Trace {
    pub(crate) to: Log,
    pub(crate) form: TraceForm,
    /// Written when the statement has ended, with the time that it took.
    pub(crate) is_timed: bool,
}

impl Log {
    /// Where a word says.
    pub(crate) fn open(connection: &Connection, word: &str) -> Outcome<Self> {
        match word {
            "stdout" | "-" => Ok(Self::Screen),
            "stderr" | "on" => Ok(Self::Errors),
            path => {
                own::refuse(connection, path)?;
                let file = File::create(path);
                file.map(Self::File).map_err(|error| Failure::file("create", path, &error))
            }
        }
    }

    fn line(&mut self, sink: &mut dyn Write, text: &str) -> io::Result<()> {
        match self {
            // The rows so far come first.
            Self::Screen => sink.flush().and_then(|()| writeln!(io::stdout(), "{text}")),
            Self::Errors => sink.flush().and_then(|()| writeln!(io::stderr(), "{text}")),
            Self::File(file) => writeln!(file, "{text}"),
        }
    }
}

impl Watch {
    /// A statement begins.
    pub(super) fn begins(
        &mut self,
        statement: &Statement<'_>,
        values: &std::collections::BTreeMap<String, pandodb::Value>,
        sink: &mut dyn Write,
    ) -> Outcome<Option<String>> {
        let Some(trace) = &mut self.trace else { return Ok(None) };
        let sql = statement.sql().trim().trim_end_matches(';');
        let text = match trace.form {
            TraceForm::Plain => sql.to_owned(),
            TraceForm::Expanded => expanded(statement, sql, values),
            TraceForm::Normalized => normalized(sql),
        };
        if trace.is_timed {
            return Ok(Some(text));
        }
        trace.to.line(sink, &format!("{text};"))?;
        Ok(None)
    }

    /// A statement whose text was kept has ended.
    pub(super) fn ended(&mut self, text: &str, took: Duration, sink: &mut dyn Write) -> Outcome {
        let Some(trace) = &mut self.trace else { return Ok(()) };
        Ok(trace.to.line(sink, &format!("{text}; -- {} ns", took.as_nanos()))?)
    }

    /// An error was told.
    pub(super) fn failed(&mut self, failure: &Failure, sink: &mut dyn Write) {
        if let Some(log) = &mut self.errors {
            // There is nobody to tell that the log itself cannot be written.
            let _ = log.line(sink, &format!("({}) {}", failure.code(), failure.message()));
        }
    }
}

/// The statement with the values of its parameters as literals.
fn expanded(
    statement: &Statement<'_>,
    sql: &str,
    values: &std::collections::BTreeMap<String, pandodb::Value>,
) -> String {
    let mut text = String::new();
    let mut highest = 0;
    for token in language::tokens(sql) {
        let word = &sql[token.range];
        if token.kind != Kind::Variable {
            text.push_str(word);
            continue;
        }
        let number = match word.strip_prefix('?') {
            Some("") => highest + 1,
            Some(digits) => digits.parse().unwrap_or(0),
            None => (1..=statement.parameter_count())
                .find(|number| statement.parameter_name(*number) == Some(word))
                .unwrap_or(0),
        };
        highest = highest.max(number);
        let value = values.get(word).or_else(|| values.get(&format!("?{number}")));
        text.push_str(&value.map_or_else(|| "NULL".to_owned(), quote::literal_of));
    }
    text
}

/// The statement with a question mark for each value, keywords in capitals, one blank at most.
fn normalized(sql: &str) -> String {
    let mut text = String::new();
    let mut is_parted = false;
    for token in language::tokens(sql) {
        let word = &sql[token.range];
        match token.kind {
            Kind::Space | Kind::Comment => is_parted = !text.is_empty(),
            kind => {
                if std::mem::take(&mut is_parted) {
                    text.push(' ');
                }
                match kind {
                    Kind::Keyword if word.eq_ignore_ascii_case("NULL") => text.push('?'),
                    Kind::Keyword => text.push_str(&word.to_ascii_uppercase()),
                    Kind::Word => text.push_str(&word.to_ascii_lowercase()),
                    Kind::Number | Kind::String | Kind::Variable => text.push('?'),
                    _ => text.push_str(word),
                }
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::normalized;

    #[test]
    fn alike_statements_look_alike() {
        for (sql, expected) in [
            ("select  A, 'x'\nfrom T -- why\n where b=17", "SELECT a, ? FROM t WHERE b=?"),
            ("Select \"A\", x'00' FROM t where b = :b", "SELECT \"A\", ? FROM t WHERE b = ?"),
        ] {
            assert_eq!(normalized(sql), expected);
        }
    }
}
