//! Definitions as text.
//!
//! A schema stores the text that was given, not this; this is for messages and for definitions
//! that stand in no text. Neighbours: `statement`, `modify`; `ast::define` (the tree).

use std::fmt;

use super::{Print, Printer};
use crate::ast::{
    AlterAction, AlterTable, ColumnConstraint, ColumnConstraintKind, ColumnDefinition,
    ConflictAction, CreateIndex, CreateTable, CreateTableBody, CreateTrigger, CreateView,
    CreateVirtualTable, Deferrable, Drop, DropKind, Expression, ExpressionKind, ForeignKeyAction,
    ForeignKeyTarget, GeneratedStorage, SortOrder, TableConstraint, TableConstraintKind,
    TableDefinition, TriggerEvent, TriggerTime,
};

impl ForeignKeyAction {
    /// The words for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoAction => "NO ACTION",
            Self::Restrict => "RESTRICT",
            Self::SetNull => "SET NULL",
            Self::SetDefault => "SET DEFAULT",
            Self::Cascade => "CASCADE",
        }
    }
}

impl Printer<'_, '_> {
    fn when(&mut self, condition: bool, text: &str) -> fmt::Result {
        self.text(if condition { text } else { "" })
    }

    fn on_conflict(&mut self, conflict: Option<ConflictAction>) -> fmt::Result {
        self.when(conflict.is_some(), " ON CONFLICT ")?;
        self.text(conflict.map_or("", ConflictAction::as_str))
    }

    fn in_parentheses(&mut self, before: &str, expression: &Expression) -> fmt::Result {
        self.text(before)?;
        self.text("(")?;
        self.node(expression)?;
        self.text(")")
    }

    /// A constant stands alone, all else in parentheses.
    fn default_value(&mut self, value: &Expression) -> fmt::Result {
        let bare = match &value.kind {
            ExpressionKind::Literal(_) => true,
            ExpressionKind::Column(column) => column.table.is_none(),
            _ => false,
        };
        if bare {
            return self.optional("DEFAULT ", Some(value));
        }
        self.in_parentheses("DEFAULT ", value)
    }
}

impl Print for CreateTable {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        printer.text(if self.temporary { "CREATE TEMP TABLE " } else { "CREATE TABLE " })?;
        printer.when(self.if_not_exists, "IF NOT EXISTS ")?;
        printer.node(&self.name)?;
        match &self.body {
            CreateTableBody::Columns(definition) => printer.optional(" ", Some(definition)),
            CreateTableBody::Select(select) => printer.optional(" AS ", Some(select)),
        }
    }
}

impl Print for TableDefinition {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        printer.text("(")?;
        printer.list(&self.columns)?;
        printer.clause(", ", &self.constraints)?;
        printer.text(")")?;
        printer.when(self.without_rowid, " WITHOUT ROWID")?;
        printer.when(self.without_rowid && self.strict, ",")?;
        printer.when(self.strict, " STRICT")?;
        let has_option = self.without_rowid || self.strict;
        printer.when(has_option && self.counts_alone, ",")?;
        printer.when(self.counts_alone, " AUTOINCREMENT PER BRANCH")
    }
}

impl Print for ColumnDefinition {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        printer.node(&self.name)?;
        printer.optional(" ", self.type_name.as_ref())?;
        for constraint in &self.constraints {
            printer.text(" ")?;
            printer.node(constraint)?;
        }
        Ok(())
    }
}

impl Print for ColumnConstraint {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        printer.optional("CONSTRAINT ", self.name.as_ref())?;
        let empty = matches!(self.kind, ColumnConstraintKind::Empty);
        printer.when(self.name.is_some() && !empty, " ")?;
        match &self.kind {
            ColumnConstraintKind::Empty => Ok(()),
            ColumnConstraintKind::Null(conflict) => {
                printer.text("NULL")?;
                printer.on_conflict(*conflict)
            }
            ColumnConstraintKind::NotNull(conflict) => {
                printer.text("NOT NULL")?;
                printer.on_conflict(*conflict)
            }
            ColumnConstraintKind::PrimaryKey { order, conflict, autoincrement } => {
                printer.text(match order {
                    None => "PRIMARY KEY",
                    Some(SortOrder::Ascending) => "PRIMARY KEY ASC",
                    Some(SortOrder::Descending) => "PRIMARY KEY DESC",
                })?;
                printer.on_conflict(*conflict)?;
                printer.when(*autoincrement, " AUTOINCREMENT")
            }
            ColumnConstraintKind::Unique(conflict) => {
                printer.text("UNIQUE")?;
                printer.on_conflict(*conflict)
            }
            ColumnConstraintKind::Check(expression) => printer.in_parentheses("CHECK ", expression),
            ColumnConstraintKind::Default(value) => printer.default_value(value),
            ColumnConstraintKind::Collate(name) => printer.optional("COLLATE ", Some(name)),
            ColumnConstraintKind::References(target) => printer.node(target.as_ref()),
            ColumnConstraintKind::Deferrable(deferrable) => printer.node(deferrable),
            ColumnConstraintKind::Generated { expression, storage } => {
                printer.in_parentheses("GENERATED ALWAYS AS ", expression)?;
                printer.text(match storage {
                    None => "",
                    Some(GeneratedStorage::Stored) => " STORED",
                    Some(GeneratedStorage::Virtual) => " VIRTUAL",
                })
            }
        }
    }
}

impl Print for TableConstraint {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        printer.optional("CONSTRAINT ", self.name.as_ref())?;
        let empty = matches!(self.kind, TableConstraintKind::Empty);
        printer.when(self.name.is_some() && !empty, " ")?;
        match &self.kind {
            TableConstraintKind::Empty => Ok(()),
            TableConstraintKind::PrimaryKey { columns, autoincrement, conflict } => {
                printer.clause("PRIMARY KEY (", columns)?;
                printer.when(*autoincrement, " AUTOINCREMENT")?;
                printer.text(")")?;
                printer.on_conflict(*conflict)
            }
            TableConstraintKind::Unique { columns, conflict } => {
                printer.clause("UNIQUE (", columns)?;
                printer.text(")")?;
                printer.on_conflict(*conflict)
            }
            TableConstraintKind::Check(expression, conflict) => {
                printer.in_parentheses("CHECK ", expression)?;
                printer.on_conflict(*conflict)
            }
            TableConstraintKind::ForeignKey { columns, target, deferrable } => {
                printer.clause("FOREIGN KEY (", columns)?;
                printer.text(") ")?;
                printer.node(target.as_ref())?;
                printer.optional(" ", deferrable.as_ref())
            }
        }
    }
}

impl Print for ForeignKeyTarget {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        printer.text("REFERENCES ")?;
        printer.node(&self.table)?;
        printer.optional_list(&self.columns)?;
        for (event, action) in [(" ON DELETE ", self.on_delete), (" ON UPDATE ", self.on_update)] {
            printer.when(action.is_some(), event)?;
            printer.text(action.map_or("", ForeignKeyAction::as_str))?;
        }
        printer.optional(" MATCH ", self.match_name.as_ref())
    }
}

impl Print for Deferrable {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        printer.text(if self.not { "NOT DEFERRABLE" } else { "DEFERRABLE" })?;
        printer.text(match self.initially_deferred {
            None => "",
            Some(true) => " INITIALLY DEFERRED",
            Some(false) => " INITIALLY IMMEDIATE",
        })
    }
}

impl Print for CreateVirtualTable {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        printer.text("CREATE VIRTUAL TABLE ")?;
        printer.when(self.if_not_exists, "IF NOT EXISTS ")?;
        printer.node(&self.name)?;
        printer.optional(" USING ", Some(&self.module))?;
        for (index, argument) in self.arguments.iter().enumerate() {
            printer.text(if index == 0 { "(" } else { ", " })?;
            printer.text(argument)?;
        }
        printer.when(!self.arguments.is_empty(), ")")
    }
}

impl Print for CreateIndex {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        printer.text(if self.unique { "CREATE UNIQUE INDEX " } else { "CREATE INDEX " })?;
        printer.when(self.if_not_exists, "IF NOT EXISTS ")?;
        printer.node(&self.name)?;
        printer.optional(" ON ", Some(&self.table))?;
        printer.optional_list(&self.columns)?;
        printer.optional(" WHERE ", self.filter.as_ref())
    }
}

impl Print for CreateView {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        printer.text(if self.temporary { "CREATE TEMP VIEW " } else { "CREATE VIEW " })?;
        printer.when(self.if_not_exists, "IF NOT EXISTS ")?;
        printer.node(&self.name)?;
        printer.optional_list(&self.columns)?;
        printer.optional(" AS ", Some(&self.select))
    }
}

impl Print for CreateTrigger {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        printer.text(if self.temporary { "CREATE TEMP TRIGGER " } else { "CREATE TRIGGER " })?;
        printer.when(self.if_not_exists, "IF NOT EXISTS ")?;
        printer.node(&self.name)?;
        printer.text(match self.time {
            None => "",
            Some(TriggerTime::Before) => " BEFORE",
            Some(TriggerTime::After) => " AFTER",
            Some(TriggerTime::InsteadOf) => " INSTEAD OF",
        })?;
        match &self.event {
            TriggerEvent::Delete => printer.text(" DELETE")?,
            TriggerEvent::Insert => printer.text(" INSERT")?,
            TriggerEvent::Update(columns) => {
                printer.text(" UPDATE")?;
                printer.clause(" OF ", columns)?;
            }
        }
        printer.optional(" ON ", Some(&self.table))?;
        printer.when(self.for_each_row, " FOR EACH ROW")?;
        printer.optional(" WHEN ", self.condition.as_ref())?;
        printer.text(" BEGIN")?;
        for statement in &self.body {
            printer.optional(" ", Some(statement))?;
            printer.text(";")?;
        }
        printer.text(" END")
    }
}

impl Print for AlterTable {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        printer.text("ALTER TABLE ")?;
        printer.node(&self.table)?;
        match &self.action {
            AlterAction::RenameTable(name) => printer.optional(" RENAME TO ", Some(name)),
            AlterAction::RenameColumn(from, to) => {
                printer.optional(" RENAME COLUMN ", Some(from))?;
                printer.optional(" TO ", Some(to))
            }
            AlterAction::AddColumn(column) => printer.optional(" ADD COLUMN ", Some(column)),
            AlterAction::DropColumn(name) => printer.optional(" DROP COLUMN ", Some(name)),
            AlterAction::SetNotNull(name, conflict) => {
                printer.optional(" ALTER COLUMN ", Some(name))?;
                printer.text(" SET NOT NULL")?;
                printer.on_conflict(*conflict)
            }
            AlterAction::CountAlone => printer.text(" SET AUTOINCREMENT PER BRANCH"),
            AlterAction::DropNotNull(name) => {
                printer.optional(" ALTER COLUMN ", Some(name))?;
                printer.text(" DROP NOT NULL")
            }
            AlterAction::SetType(name, type_name) => {
                printer.optional(" ALTER COLUMN ", Some(name))?;
                printer.optional(" TYPE ", Some(type_name))
            }
            AlterAction::SetDefault(name, value) => {
                printer.optional(" ALTER COLUMN ", Some(name))?;
                printer.text(" SET ")?;
                printer.default_value(value)
            }
            AlterAction::DropDefault(name) => {
                printer.optional(" ALTER COLUMN ", Some(name))?;
                printer.text(" DROP DEFAULT")
            }
            AlterAction::AddCheck(name, expression, conflict, _) => {
                printer.text(" ADD")?;
                printer.optional(" CONSTRAINT ", name.as_ref())?;
                printer.in_parentheses(" CHECK ", expression)?;
                printer.on_conflict(*conflict)
            }
            AlterAction::DropConstraint(name) => printer.optional(" DROP CONSTRAINT ", Some(name)),
        }
    }
}

impl Print for Drop {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        printer.text(match self.kind {
            DropKind::Table => "DROP TABLE ",
            DropKind::Index => "DROP INDEX ",
            DropKind::View => "DROP VIEW ",
            DropKind::Trigger => "DROP TRIGGER ",
        })?;
        printer.when(self.if_exists, "IF EXISTS ")?;
        printer.node(&self.name)
    }
}
