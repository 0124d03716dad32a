//! INSERT, UPDATE and DELETE as text.
//!
//! Neighbours: `select` (sources), `statement`; `ast::modify` (the tree).

use std::fmt;

use super::{Print, Printer};
use crate::ast::{
    Assignment, ConflictAction, Delete, Insert, InsertSource, Limit, Name, OrderTerm, ResultColumn,
    Update, Upsert, UpsertAction, With,
};

impl ConflictAction {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rollback => "ROLLBACK",
            Self::Abort => "ABORT",
            Self::Fail => "FAIL",
            Self::Ignore => "IGNORE",
            Self::Replace => "REPLACE",
        }
    }
}

impl Printer<'_, '_> {
    fn with(&mut self, with: Option<&With>) -> fmt::Result {
        self.optional("", with)?;
        self.text(if with.is_some() { " " } else { "" })
    }

    fn or_conflict(&mut self, conflict: Option<ConflictAction>) -> fmt::Result {
        self.text(if conflict.is_some() { " OR " } else { "" })?;
        self.text(conflict.map_or("", ConflictAction::as_str))
    }

    /// `(names)`, or one name.
    fn assigned(&mut self, names: &[Name], row: bool) -> fmt::Result {
        self.text(if row { "(" } else { "" })?;
        self.list(names)?;
        self.text(if row { ")" } else { "" })
    }

    fn tail(
        &mut self,
        returning: &[ResultColumn],
        order_by: &[OrderTerm],
        limit: Option<&Limit>,
    ) -> fmt::Result {
        self.clause(" RETURNING ", returning)?;
        self.clause(" ORDER BY ", order_by)?;
        self.optional(" LIMIT ", limit)
    }
}

impl Print for Insert {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        printer.with(self.with.as_ref())?;
        printer.text("INSERT")?;
        printer.or_conflict(self.conflict)?;
        printer.text(" INTO ")?;
        printer.node(&self.table)?;
        printer.optional(" AS ", self.alias.as_ref())?;
        printer.optional_list(&self.columns)?;
        match &self.source {
            InsertSource::DefaultValues => printer.text(" DEFAULT VALUES")?,
            InsertSource::Select(select) => printer.optional(" ", Some(select.as_ref()))?,
        }
        for upsert in &self.upserts {
            printer.node(upsert)?;
        }
        printer.clause(" RETURNING ", &self.returning)
    }
}

impl Print for Upsert {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        printer.text(" ON CONFLICT")?;
        printer.optional_list(&self.target)?;
        printer.optional(" WHERE ", self.target_filter.as_ref())?;
        match &self.action {
            UpsertAction::Nothing => printer.text(" DO NOTHING"),
            UpsertAction::Update(assignments, filter) => {
                printer.clause(" DO UPDATE SET ", assignments)?;
                printer.optional(" WHERE ", filter.as_ref())
            }
        }
    }
}

impl Print for Assignment {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        printer.assigned(&self.columns, self.row)?;
        printer.optional(" = ", Some(&self.value))
    }
}

impl Print for Update {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        printer.with(self.with.as_ref())?;
        printer.text("UPDATE")?;
        printer.or_conflict(self.conflict)?;
        printer.text(" ")?;
        printer.node(&self.table)?;
        printer.optional(" AS ", self.alias.as_ref())?;
        printer.optional("", self.index.as_ref())?;
        printer.clause(" SET ", &self.assignments)?;
        printer.optional(" FROM ", self.from.as_ref())?;
        printer.optional(" WHERE ", self.filter.as_ref())?;
        printer.tail(&self.returning, &self.order_by, self.limit.as_ref())
    }
}

impl Print for Delete {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        printer.with(self.with.as_ref())?;
        printer.text("DELETE FROM ")?;
        printer.node(&self.table)?;
        printer.optional(" AS ", self.alias.as_ref())?;
        printer.optional("", self.index.as_ref())?;
        printer.optional(" WHERE ", self.filter.as_ref())?;
        printer.tail(&self.returning, &self.order_by, self.limit.as_ref())
    }
}
