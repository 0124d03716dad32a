//! CREATE INDEX, VIEW and TRIGGER, ALTER TABLE and DROP.
//!
//! Neighbours: `table` (CREATE TABLE), `branch` (what begins the same and is about branches).

use super::parser::Parser;
use super::token::TokenKind;
use crate::ast::{
    AlterAction, AlterTable, CreateIndex, CreateTrigger, CreateView, Drop, DropKind, Name,
    Statement, StatementKind, TriggerEvent, TriggerTime,
};
use crate::error::{Error, Result};

impl Parser<'_> {
    /// `CREATE ...`
    pub(super) fn create(&mut self) -> Result<StatementKind> {
        self.expect(TokenKind::Create, "CREATE")?;
        if self.at_branch() {
            return self.create_branch();
        }
        let temporary = self.accept(TokenKind::Temp) || self.accept(TokenKind::Temporary);
        match self.token.kind {
            TokenKind::Table => {
                self.advance();
                self.create_table(temporary)
            }
            TokenKind::View => {
                self.advance();
                self.create_view(temporary)
            }
            TokenKind::Trigger => {
                self.advance();
                self.create_trigger(temporary)
            }
            TokenKind::Unique if !temporary => {
                self.advance();
                self.expect(TokenKind::Index, "INDEX")?;
                self.create_index(true)
            }
            TokenKind::Index if !temporary => {
                self.advance();
                self.create_index(false)
            }
            TokenKind::Virtual if !temporary => {
                self.advance();
                self.expect(TokenKind::Table, "TABLE")?;
                self.create_virtual_table()
            }
            _ if temporary => Err(self.expected("TABLE, VIEW or TRIGGER")),
            _ => Err(self.expected("TABLE, INDEX, VIEW, TRIGGER, VIRTUAL TABLE or BRANCH")),
        }
    }

    fn create_index(&mut self, unique: bool) -> Result<StatementKind> {
        let if_not_exists = self.if_not_exists()?;
        let name = self.qualified_name("the name of an index")?;
        self.expect(TokenKind::On, "ON")?;
        let table = self.name("a table name")?;
        self.expect(TokenKind::LeftParenthesis, "(")?;
        let columns = self.order_terms()?;
        self.expect(TokenKind::RightParenthesis, ", or )")?;
        let filter = self.filter()?;
        let index = CreateIndex { unique, if_not_exists, name, table, columns, filter };
        Ok(StatementKind::CreateIndex(Box::new(index)))
    }

    fn create_view(&mut self, temporary: bool) -> Result<StatementKind> {
        let if_not_exists = self.if_not_exists()?;
        let name = self.qualified_name("the name of a view")?;
        let columns = self.optional_name_list("a column name")?;
        self.expect(TokenKind::As, "AS")?;
        if !self.at_select() {
            return Err(self.expected("SELECT"));
        }
        let select = *self.select()?;
        let databases = std::mem::take(&mut self.databases);
        let view = CreateView { temporary, if_not_exists, name, columns, select, databases };
        Ok(StatementKind::CreateView(Box::new(view)))
    }

    fn create_trigger(&mut self, temporary: bool) -> Result<StatementKind> {
        let if_not_exists = self.if_not_exists()?;
        let name = self.qualified_name("the name of a trigger")?;
        let time = self.trigger_time()?;
        let event = self.trigger_event()?;
        self.expect(TokenKind::On, "ON")?;
        let table = self.qualified_name("a table name")?;
        let for_each_row = self.accept(TokenKind::For);
        if for_each_row {
            self.expect(TokenKind::Each, "EACH ROW")?;
            self.expect(TokenKind::Row, "ROW")?;
        }
        let condition = if self.accept(TokenKind::When) { Some(self.expression()?) } else { None };
        self.expect(TokenKind::Begin, "FOR EACH ROW, WHEN or BEGIN")?;
        let body = self.trigger_body()?;
        let trigger = CreateTrigger {
            temporary,
            if_not_exists,
            name,
            time,
            event,
            table,
            for_each_row,
            condition,
            body,
            databases: std::mem::take(&mut self.databases),
        };
        Ok(StatementKind::CreateTrigger(Box::new(trigger)))
    }

    fn trigger_body(&mut self) -> Result<Vec<Statement>> {
        let mut body = Vec::new();
        self.in_new_trigger = !self.is_stored;
        loop {
            body.push(self.trigger_statement()?);
            self.expect(TokenKind::Semicolon, ";")?;
            if self.accept(TokenKind::EndKeyword) {
                self.in_new_trigger = false;
                return Ok(body);
            }
        }
    }

    fn trigger_time(&mut self) -> Result<Option<TriggerTime>> {
        let time = match self.token.kind {
            TokenKind::Before => TriggerTime::Before,
            TokenKind::After => TriggerTime::After,
            TokenKind::Instead => TriggerTime::InsteadOf,
            _ => return Ok(None),
        };
        self.advance();
        if time == TriggerTime::InsteadOf {
            self.expect(TokenKind::Of, "OF")?;
        }
        Ok(Some(time))
    }

    fn trigger_event(&mut self) -> Result<TriggerEvent> {
        if self.accept(TokenKind::Delete) {
            return Ok(TriggerEvent::Delete);
        }
        if self.accept(TokenKind::Insert) {
            return Ok(TriggerEvent::Insert);
        }
        self.expect(TokenKind::Update, "BEFORE, AFTER, INSTEAD OF, DELETE, INSERT or UPDATE")?;
        let mut columns = Vec::new();
        if self.accept(TokenKind::Of) {
            columns.push(self.name("a column name")?);
            while self.accept(TokenKind::Comma) {
                columns.push(self.name("a column name")?);
            }
        }
        Ok(TriggerEvent::Update(columns))
    }

    fn trigger_statement(&mut self) -> Result<Statement> {
        let start = self.token.start;
        let kind = match self.token.kind {
            TokenKind::Insert | TokenKind::Replace => self.insert(None)?,
            TokenKind::Update => self.update(None)?,
            TokenKind::Delete => self.delete(None)?,
            _ if self.at_select() => StatementKind::Select(self.select()?),
            _ => return Err(self.expected("INSERT, UPDATE, DELETE, SELECT or END")),
        };
        let span = self.span_from(start);
        if let StatementKind::Insert(insert) = &kind
            && !insert.returning.is_empty()
        {
            return Err(Error::invalid("cannot use RETURNING in a trigger").at(span));
        }
        Ok(Statement { kind, span })
    }

    /// `ALTER ...`
    pub(super) fn alter(&mut self) -> Result<StatementKind> {
        self.expect(TokenKind::Alter, "ALTER")?;
        if self.at_branch() {
            return self.alter_branch();
        }
        self.expect(TokenKind::Table, "TABLE or BRANCH")?;
        let table = self.qualified_name("a table name")?;
        let action = match self.token.kind {
            TokenKind::Rename => {
                self.advance();
                self.alter_rename()?
            }
            TokenKind::Add => {
                self.advance();
                self.alter_add()?
            }
            TokenKind::Drop => {
                self.advance();
                if self.accept(TokenKind::Constraint) {
                    AlterAction::DropConstraint(self.name("the name of a constraint")?)
                } else {
                    self.accept(TokenKind::Column);
                    AlterAction::DropColumn(self.name("a column name")?)
                }
            }
            TokenKind::Alter => {
                self.advance();
                self.alter_column()?
            }
            TokenKind::Set => {
                self.advance();
                self.expect(TokenKind::Autoincrement, "AUTOINCREMENT PER BRANCH")?;
                self.expect_word("per")?;
                self.expect_word("branch")?;
                AlterAction::CountAlone
            }
            _ => return Err(self.expected("RENAME, ADD, DROP, ALTER or SET")),
        };
        Ok(StatementKind::AlterTable(Box::new(AlterTable { table, action })))
    }

    fn alter_rename(&mut self) -> Result<AlterAction> {
        if self.accept(TokenKind::To) {
            return Ok(AlterAction::RenameTable(self.name("the new name")?));
        }
        self.accept(TokenKind::Column);
        let from = self.name("TO, or a column name")?;
        self.expect(TokenKind::To, "TO")?;
        Ok(AlterAction::RenameColumn(from, self.name("the new name")?))
    }

    fn alter_add(&mut self) -> Result<AlterAction> {
        let start = self.token.start;
        let mut name: Option<Name> = None;
        if self.accept(TokenKind::Constraint) {
            name = Some(self.name("the name of a constraint")?);
            if !self.at(TokenKind::Check) {
                return Err(self.expected("CHECK"));
            }
        }
        if self.accept(TokenKind::Check) {
            let expression = self.in_parentheses()?;
            let conflict = self.on_conflict()?;
            return Ok(AlterAction::AddCheck(name, expression, conflict, self.span_from(start)));
        }
        self.accept(TokenKind::Column);
        Ok(AlterAction::AddColumn(self.column_definition()?))
    }

    fn alter_column(&mut self) -> Result<AlterAction> {
        self.accept(TokenKind::Column);
        let column = self.name("a column name")?;
        if self.accept_word("type") {
            return self.column_type(column);
        }
        if self.accept(TokenKind::Set) {
            if self.accept_word("data") {
                self.expect_word("type")?;
                return self.column_type(column);
            }
            if self.accept(TokenKind::Default) {
                return Ok(AlterAction::SetDefault(column, self.default_value()?));
            }
            self.expect(TokenKind::Not, "NOT NULL, DEFAULT or DATA TYPE")?;
            self.expect(TokenKind::Null, "NULL")?;
            return Ok(AlterAction::SetNotNull(column, self.on_conflict()?));
        }
        self.expect(TokenKind::Drop, "TYPE, SET or DROP")?;
        if self.accept(TokenKind::Default) {
            return Ok(AlterAction::DropDefault(column));
        }
        self.expect(TokenKind::Not, "NOT NULL or DEFAULT")?;
        self.expect(TokenKind::Null, "NULL")?;
        Ok(AlterAction::DropNotNull(column))
    }

    /// What stands behind `ALTER COLUMN name TYPE`.
    fn column_type(&mut self, column: Name) -> Result<AlterAction> {
        match self.type_name()? {
            Some(type_name) => Ok(AlterAction::SetType(column, type_name)),
            None => Err(self.expected("a type")),
        }
    }

    /// `DROP ...`
    pub(super) fn drop_object(&mut self) -> Result<StatementKind> {
        self.expect(TokenKind::Drop, "DROP")?;
        if self.at_branch() || self.at_word("TAG") {
            return self.drop_branch_or_tag();
        }
        let kind = match self.token.kind {
            TokenKind::Table => DropKind::Table,
            TokenKind::Index => DropKind::Index,
            TokenKind::View => DropKind::View,
            TokenKind::Trigger => DropKind::Trigger,
            _ => return Err(self.expected("TABLE, INDEX, VIEW, TRIGGER, BRANCH or TAG")),
        };
        self.advance();
        let if_exists = self.if_exists()?;
        let name = self.qualified_name("a name")?;
        if let Some(branch) = self.stray_branch() {
            return Err(branch);
        }
        Ok(StatementKind::Drop(Box::new(Drop { kind, if_exists, name })))
    }

    /// `table@branch` where a definition allows the session's branch only.
    fn stray_branch(&self) -> Option<Error> {
        let marked = self.text.as_bytes().get(self.token.start as usize) == Some(&b'@');
        (marked && self.token.start == self.previous.end).then(|| {
            self.expected("the end of the statement")
                .with_hint("definitions change the session's branch: USE BRANCH first")
        })
    }
}
