//! A statement of the engine's behind this crate's types, and who is told that it runs.
//!
//! Neighbours: `session` prepares it, `trace` has who is told, `text` writes values as literals.

use std::time::Duration;

use pandodb_qp::parse::parameter_places;
use pandodb_qp::session::{PreparedKind, Statement, Step};

use super::session::{RowValues, Session, borrowed, convert, lent};
use super::{Cursor, literal};
use crate::error::Result;
use crate::value::ValueRef;

/// A prepared statement of a session.
pub(crate) struct Prepared<'s> {
    statement: Statement<'s>,
    session: &'s Session,
    /// When the run began that somebody was told of.
    began: Option<Duration>,
}

impl<'s> Prepared<'s> {
    pub(super) fn new(session: &'s Session, statement: Statement<'s>) -> Self {
        Self { statement, session, began: None }
    }

    #[inline]
    pub(crate) fn parameter_count(&self) -> usize {
        self.statement.parameter_count()
    }

    pub(crate) fn parameter_name(&self, number: usize) -> Option<&str> {
        let names = &self.statement.prepared().parameter_names;
        names.get(number.checked_sub(1)?)?.as_deref()
    }

    /// The declared type of the table's column that a column is.
    pub(crate) fn declared_type(&self, at: usize) -> Option<&str> {
        self.statement.prepared().columns.get(at)?.declared_type.as_deref()
    }

    /// Whether the statement changes nothing.
    pub(crate) fn is_readonly(&self) -> bool {
        matches!(self.statement.prepared().kind, PreparedKind::Select(_) | PreparedKind::Rows(_))
    }

    /// Whether the statement changes rows, so that their number is known afterwards.
    pub(crate) fn changes_rows(&self) -> bool {
        matches!(self.statement.prepared().kind, PreparedKind::Modify(_))
    }

    pub(crate) fn bind(&mut self, number: usize, value: ValueRef<'_>) -> Result<()> {
        self.statement
            .bind_ref(number, lent(value))
            .map_err(|error| convert(error, &self.statement.prepared().sql))
    }

    /// Runs to the end and drops the rows.
    pub(crate) fn run_to_end(&mut self) -> Result<()> {
        self.tell_of_begin();
        let outcome = self.statement.run();
        self.tell_of_end();
        outcome.map_err(|error| convert(error, &self.statement.prepared().sql))
    }

    /// The text with the values that are bound in the places of the parameters.
    pub(crate) fn expanded(&self) -> String {
        let sql = self.sql();
        let mut text = String::with_capacity(sql.len());
        // Numbered as the parser does: `?` is one more than the highest number so far.
        let (mut highest, mut behind) = (0, 0);
        for place in parameter_places(sql) {
            let spelled = sql.get(place.clone()).unwrap_or_default();
            let number = match spelled.strip_prefix('?') {
                Some("") => highest + 1,
                Some(digits) => digits.parse().unwrap_or(0),
                None => self.statement.parameter_index(spelled).unwrap_or(0),
            };
            highest = highest.max(number);
            text.push_str(sql.get(behind..place.start).unwrap_or_default());
            behind = place.end;
            match self.statement.parameter(number) {
                Some(value) => text.push_str(&literal(borrowed(value))),
                None => text.push_str(spelled),
            }
        }
        text.push_str(sql.get(behind..).unwrap_or_default());
        text
    }

    #[inline]
    fn tell_of_begin(&mut self) {
        if self.began.is_none() && self.session.tracer.is_wanted() {
            self.session.tracer.tell_of_begin(|| self.expanded().trim().to_owned());
            self.began = Some(self.session.now());
        }
    }

    #[inline]
    fn tell_of_end(&mut self) {
        if let Some(began) = self.began.take() {
            let took = self.session.now().saturating_sub(began);
            self.session.tracer.tell_of_end(self.sql().trim(), took);
        }
    }
}

impl Cursor for Prepared<'_> {
    fn advance(&mut self) -> Result<bool> {
        self.tell_of_begin();
        match self.statement.step() {
            Ok(Step::Row) => Ok(true),
            Ok(Step::Done) => {
                self.tell_of_end();
                Ok(false)
            }
            Err(error) => {
                self.tell_of_end();
                Err(convert(error, &self.statement.prepared().sql))
            }
        }
    }

    fn row(&self) -> RowValues<'_> {
        RowValues(self.statement.lent())
    }

    fn reset(&mut self) {
        self.statement.reset();
        self.tell_of_end();
    }

    #[inline]
    fn column_count(&self) -> usize {
        self.statement.column_count()
    }

    fn column_name(&self, at: usize) -> &str {
        self.statement.prepared().columns.get(at).map_or("", |column| &column.name)
    }

    fn sql(&self) -> &str {
        &self.statement.prepared().sql
    }
}
