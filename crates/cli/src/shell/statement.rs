//! Running statements and showing their rows.
//!
//! A text is run statement by statement, each prepared only when the ones before it have run, and
//! never a second time. Neighbours: `paged` (long results), `interrupt` (Ctrl-C), `output`.

use std::borrow::Cow;
use std::io::Write;
use std::time::Instant;

use pandodb::{Connection, Statement, Value, ValueRef};

use super::paged::Paged;
use super::{Plan, Shell};
use crate::failure::{Failure, Outcome};
use crate::interrupt;
use crate::language::{self, Kind};
use crate::output::Settings;
use crate::output::escape::{Escape, escaped};
use crate::terminal::{self, Terminal};

impl Shell {
    /// Runs all statements of a text; `origin` is the file and the line that the text begins on.
    pub(crate) fn run_sql(&mut self, text: &str, origin: Option<(&str, usize)>) -> Outcome {
        if let Some(expert) = self.expert.take() {
            return crate::dot::limits::advise(self, &expert, text);
        }
        let mut rest = text;
        while !rest.trim().is_empty() {
            let start = text.len() - rest.len();
            let consumed = self.run_first(rest).map_err(|failure| match origin {
                Some((name, line)) => {
                    failure.in_script(name, line + text[..start].matches('\n').count())
                }
                None => failure,
            })?;
            rest = rest.get(consumed..).unwrap_or("");
        }
        Ok(())
    }

    /// Runs the first statement of a text and says how many bytes of it are done.
    fn run_first(&mut self, text: &str) -> Outcome<usize> {
        if let Some((query, consumed)) = super::summarize::query(self, text)? {
            self.show_query(&query, &[])?;
            self.end_once()?;
            return Ok(consumed.max(1));
        }
        let branch = self.connection.current_branch();
        let changes = self.connection.total_changes();
        let began = Instant::now();
        let guard = interrupt::Guard::new(self.connection.interrupt_handle());
        interrupt::check()?;
        let mut created = None;
        let traced;
        let (consumed, shown) = {
            let mut batch = self.connection.batch(text);
            match batch.next() {
                Ok(None) => return Ok(text.len()),
                Ok(Some(mut statement)) => {
                    bind(&mut statement, &self.parameters)?;
                    traced = self.watch.begins(&statement, &self.parameters, &mut self.sink)?;
                    if self.switches.echo {
                        writeln!(self.sink, "{};", statement.sql().trim_end_matches(';'))?;
                    }
                    if self.switches.plan != Plan::None && statement.readonly() {
                        let plan = self.switches.plan;
                        show_plan(&self.connection, statement.sql(), plan, &mut self.sink)?;
                    }
                    if self.switches.changes {
                        created = created_branch(statement.sql())
                            .filter(|name| self.connection.branch(name).is_err());
                    }
                    let settings = self.settings_here();
                    let mut out = Paged::new(&mut self.sink, self.switches.pager);
                    let shown = show_rows(&mut statement, &settings, &mut out);
                    out.finish()?;
                    drop(statement);
                    (batch.position(), shown?)
                }
                Err(error) => {
                    // What follows a statement that is no SQL is another statement.
                    return Err(error.into());
                }
            }
        };
        drop(guard);
        let elapsed = began.elapsed();
        if let Some(text) = traced {
            self.watch.ended(&text, elapsed, &mut self.sink)?;
        }
        let changed = self.connection.total_changes() - changes;
        if self.switches.changes && !shown && changed > 0 {
            let direct = self.connection.changes();
            let rows = if direct == 1 { "row" } else { "rows" };
            self.say(format_args!("{direct} {rows} affected"))?;
        }
        if let Some(name) = created {
            self.say(format_args!("Created branch: {name}"))?;
        }
        self.say_branch(&branch)?;
        if self.switches.timer {
            self.say(format_args!("Run Time: real {:.3} ms", elapsed.as_secs_f64() * 1000.0))?;
        }
        if self.switches.stats {
            self.show_query("PRAGMA storage_info", &[])?;
        }
        self.end_once()?;
        Ok(consumed.max(1))
    }

    /// Says that the session moved to another branch.
    fn say_branch(&mut self, before: &str) -> Outcome {
        let now = self.connection.current_branch();
        if now == before {
            return Ok(());
        }
        // Of a branch that is gone its number is left, which nobody has chosen.
        if now.starts_with('#') && self.connection.branch(&now).is_err() {
            return self.say(format_args!(
                "The branch {before} is gone (dropped, or its time was over): USE BRANCH main, or \
                 another one"
            ));
        }
        let suffix = if self.is_read_only_branch() { " (read-only)" } else { "" };
        self.say(format_args!("Switched to branch: {now}{suffix}"))
    }

    /// Whether a person reads on a terminal what is written now, also where it is long.
    fn is_on_screen(&self) -> bool {
        self.terminal.has_output && self.sink.is_screen()
    }

    /// The settings for output to where it goes now.
    fn settings_here(&self) -> Settings {
        if self.is_on_screen() { self.settings.on_screen() } else { self.settings.clone() }
    }

    /// How control characters are written to where output goes now.
    pub(crate) fn escape_here(&self) -> Escape {
        let otherwise = if self.is_on_screen() { Escape::Ascii } else { Escape::Off };
        self.settings.escape.unwrap_or(otherwise)
    }

    /// A text out of the database as it is written to where output goes now.
    pub(crate) fn shown<'t>(&self, text: &'t str) -> Cow<'t, str> {
        escaped(text, self.escape_here())
    }

    /// Runs a query of our own and shows its rows in the mode that is set.
    pub(crate) fn show_query(&mut self, sql: &str, parameters: &[Value]) -> Outcome {
        let _guard = interrupt::Guard::new(self.connection.interrupt_handle());
        let mut statement = self.connection.prepare(sql)?;
        for (at, value) in parameters.iter().enumerate() {
            statement.raw_bind_parameter(at + 1, value)?;
        }
        let settings = self.settings_here();
        let mut out = Paged::new(&mut self.sink, self.switches.pager);
        let shown = show_rows(&mut statement, &settings, &mut out);
        out.finish()?;
        shown.map(drop)
    }

    /// Shows text of our own, through the pager where it is long.
    pub(crate) fn show_text(&mut self, text: &str) -> Outcome {
        let mut out = Paged::new(&mut self.sink, self.switches.pager);
        for line in text.split_inclusive('\n') {
            out.write_all(line.as_bytes())?;
        }
        out.finish()
    }

    /// The first column of a query of our own, as text.
    pub(crate) fn query_texts(&self, sql: &str, parameters: &[Value]) -> Outcome<Vec<String>> {
        let mut statement = self.connection.prepare(sql)?;
        let mut rows = statement.query(parameters)?;
        let mut texts = Vec::new();
        while let Some(row) = rows.next()? {
            texts.push(row.get_ref(0)?.to_string());
        }
        Ok(texts)
    }

    /// What SHOW BRANCHES says of a branch in one of its columns; none where that is NULL or
    /// there is no such branch.
    pub(crate) fn branch_fact(&self, branch: &str, column: &str) -> Outcome<Option<String>> {
        let mut statement = self.connection.prepare("SHOW BRANCHES")?;
        let wanted = statement.column_names().iter().position(|name| *name == column);
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            if !row.get_ref(0)?.to_string().eq_ignore_ascii_case(branch) {
                continue;
            }
            let Some(wanted) = wanted else { break };
            let value = row.get_ref(wanted)?;
            return Ok((!value.is_null()).then(|| value.to_string()));
        }
        Ok(None)
    }

    /// What is to be said where there is no table or view of a name: one that is like it is a hint.
    pub(crate) fn no_such_table(&self, name: &str) -> Failure {
        let query = format!("SELECT 1 FROM {}", crate::output::quote::quoted_identifier(name));
        let Err(error) = self.connection.prepare(&query) else {
            return Failure::statement(format!("there is no table or view {name}"));
        };
        let failure = Failure::statement(error.message());
        match error.hint() {
            Some(hint) => failure.with_hint(hint),
            None => failure,
        }
    }

    /// The columns of a table or view; none where there is no such table.
    pub(crate) fn columns_of(&self, table: &str) -> Outcome<Vec<TableColumn>> {
        Ok(columns_of(&self.connection, None, table)?)
    }

    /// Shows rows that are no statement's.
    pub(crate) fn show_values(&mut self, columns: &[&str], rows: &[Vec<Value>]) -> Outcome {
        let names: Vec<String> = columns.iter().map(|&name| name.to_owned()).collect();
        let mut renderer = self.settings_here().renderer(&names);
        let mut out = Paged::new(&mut self.sink, self.switches.pager);
        for row in rows {
            let values: Vec<ValueRef<'_>> = row.iter().map(Value::as_ref).collect();
            renderer.row(&values, &mut out)?;
        }
        renderer.finish(&mut out)?;
        out.finish()
    }

    /// Runs a statement of our own that returns nothing.
    pub(crate) fn execute(&self, sql: &str) -> Outcome {
        let _guard = interrupt::Guard::new(self.connection.interrupt_handle());
        Ok(self.connection.execute_batch(sql)?)
    }

    /// Whether the current branch refuses writes.
    pub(crate) fn is_read_only_branch(&self) -> bool {
        let name = self.connection.current_branch();
        let fact = self.branch_fact(&name, "read_only");
        fact.is_ok_and(|fact| fact.as_deref() == Some("1"))
    }
}

/// The columns of a table or view; none where there is no such table.
pub(crate) fn columns_of(
    connection: &Connection,
    schema: Option<&str>,
    table: &str,
) -> Result<Vec<TableColumn>, pandodb::Error> {
    let name = crate::output::quote::quoted_identifier(table);
    let schema = schema.map_or_else(String::new, |schema| {
        format!("{}.", crate::output::quote::quoted_identifier(schema))
    });
    let mut statement = connection.prepare(&format!("PRAGMA {schema}table_xinfo({name})"))?;
    let mut rows = statement.raw_query();
    let mut columns = Vec::new();
    while let Some(row) = rows.next()? {
        columns.push(TableColumn {
            name: row.get("name")?,
            declared: row.get_ref("type")?.to_string(),
            is_not_null: row.get("notnull")?,
            default: row.get("dflt_value")?,
            key: row.get("pk")?,
            is_computed: row.get::<_, i64>("hidden")? != 0,
        });
    }
    Ok(columns)
}

/// A column of a table as the schema has it.
#[derive(Clone, Debug)]
pub(crate) struct TableColumn {
    pub(crate) name: String,
    pub(crate) declared: String,
    pub(crate) is_not_null: bool,
    pub(crate) default: Option<String>,
    /// Its place in the primary key, from 1; zero where it is not in it.
    pub(crate) key: i64,
    /// Its value is computed and cannot be written.
    pub(crate) is_computed: bool,
}

/// Shows the rows of a statement; whether it is one that has rows.
fn show_rows(
    statement: &mut Statement<'_>,
    settings: &Settings,
    out: &mut dyn Write,
) -> Outcome<bool> {
    let names: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
    let columns = names.len();
    let has_rows = columns > 0;
    let mut renderer = settings.renderer(&names);
    let mut rows = statement.raw_query();
    let mut values = Vec::with_capacity(columns);
    while let Some(row) = rows.next()? {
        values.clear();
        for at in 0..columns {
            values.push(row.get_ref(at)?);
        }
        renderer.row(&values, out)?;
        // The values borrow from the row; the vector's room is kept.
        values = recycle(values);
    }
    if has_rows {
        renderer.finish(out)?;
    }
    Ok(has_rows)
}

/// An empty vector with the same room, for borrows of another lifetime.
fn recycle<'a>(mut values: Vec<ValueRef<'_>>) -> Vec<ValueRef<'a>> {
    values.clear();
    values.into_iter().map(|_| ValueRef::Null).collect()
}

/// Binds what `.param` has set; parameters without a value are NULL, as in sqlite3.
fn bind(
    statement: &mut Statement<'_>,
    parameters: &std::collections::BTreeMap<String, Value>,
) -> Outcome {
    for number in 1..=statement.parameter_count() {
        let name = statement.parameter_name(number).map_or(format!("?{number}"), str::to_owned);
        if let Some(value) = parameters.get(&name) {
            statement.raw_bind_parameter(number, value)?;
        }
    }
    Ok(())
}

/// Prints how a query would run.
fn show_plan(connection: &Connection, sql: &str, plan: Plan, out: &mut dyn Write) -> Outcome {
    let first = language::tokens(sql)
        .into_iter()
        .find(|token| !matches!(token.kind, language::Kind::Space | language::Kind::Comment));
    let explains = first.is_some_and(|token| sql[token.range].eq_ignore_ascii_case("EXPLAIN"));
    if explains {
        return Ok(());
    }
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
    writeln!(out, "QUERY PLAN")?;
    let mut depths: Vec<i64> = Vec::new();
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        let (id, parent): (i64, i64) = (row.get(0)?, row.get(1)?);
        while depths.last().is_some_and(|open| *open != parent) {
            depths.pop();
        }
        let detail = row.get_ref(row.column_count() - 1)?;
        writeln!(out, "{}`--{detail}", "   ".repeat(depths.len()))?;
        depths.push(id);
    }
    if plan == Plan::Full {
        let mut statement = connection.prepare(&format!("EXPLAIN {sql}"))?;
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            writeln!(out, "{}", row.get_ref(0)?)?;
        }
    }
    Ok(())
}

/// The lines that fit the screen, where a pager may be used.
pub(super) fn page_lines() -> Option<(usize, String)> {
    Some((Terminal::height()?.saturating_sub(2), terminal::pager()?))
}

impl From<std::fmt::Error> for Failure {
    fn from(_: std::fmt::Error) -> Self {
        Self::statement("a value cannot be shown")
    }
}

/// The branch that a statement creates, if it is such a statement.
fn created_branch(sql: &str) -> Option<String> {
    let mut words = language::tokens(sql)
        .into_iter()
        .filter(|token| !matches!(token.kind, Kind::Space | Kind::Comment))
        .filter_map(|token| sql.get(token.range));
    let mut next_is = |word: &str| words.next().is_some_and(|it| it.eq_ignore_ascii_case(word));
    if !next_is("CREATE") || !next_is("BRANCH") {
        return None;
    }
    let mut name = words.next()?;
    if name.eq_ignore_ascii_case("IF") {
        name = words.nth(2)?;
    }
    let inner = ['"', '`', '\''].into_iter().find_map(|quote| {
        let inner = name.strip_prefix(quote)?.strip_suffix(quote)?;
        Some(inner.replace(&format!("{quote}{quote}"), &quote.to_string()))
    });
    let bracketed = || name.strip_prefix('[')?.strip_suffix(']').map(str::to_owned);
    Some(inner.or_else(bracketed).unwrap_or_else(|| name.to_owned()))
}
