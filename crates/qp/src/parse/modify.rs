//! INSERT, REPLACE, UPDATE and DELETE.
//!
//! Neighbours: `select` (sources and WITH), `define` (triggers hold these too).

use super::parser::Parser;
use super::token::TokenKind;
use crate::ast::{
    Assignment, ConflictAction, Delete, IndexHint, Insert, InsertSource, Limit, Name, OrderTerm,
    ResultColumn, StatementKind, Update, Upsert, UpsertAction, With,
};
use crate::error::{Error, Result};

/// What may stand behind the condition of an UPDATE or DELETE.
#[derive(Default)]
struct Ending {
    returning: Vec<ResultColumn>,
    order_by: Vec<OrderTerm>,
    limit: Option<Limit>,
}

impl Parser<'_> {
    /// `INSERT ...` or `REPLACE ...`
    pub(super) fn insert(&mut self, with: Option<With>) -> Result<StatementKind> {
        let conflict = if self.accept(TokenKind::Replace) {
            Some(ConflictAction::Replace)
        } else {
            self.expect(TokenKind::Insert, "INSERT")?;
            self.or_conflict()?
        };
        self.expect(TokenKind::Into, "INTO")?;
        let table = self.table_name()?;
        let alias = self.as_alias()?;
        let columns = self.optional_name_list("a column name")?;
        let mut insert = Insert {
            with,
            conflict,
            table,
            alias,
            columns,
            source: InsertSource::DefaultValues,
            upserts: Vec::new(),
            returning: Vec::new(),
        };
        if !self.in_new_trigger && self.accept(TokenKind::Default) {
            self.expect(TokenKind::Values, "VALUES")?;
        } else {
            if !self.at_select() {
                let is_new = self.in_new_trigger;
                let sources =
                    if is_new { "VALUES or SELECT" } else { "VALUES, SELECT or DEFAULT VALUES" };
                return Err(self.expected(sources));
            }
            insert.source = InsertSource::Select(self.select()?);
            self.upserts(&mut insert.upserts)?;
        }
        insert.returning = self.returning()?;
        Ok(StatementKind::Insert(Box::new(insert)))
    }

    /// Only the last clause may do without a target.
    fn upserts(&mut self, upserts: &mut Vec<Upsert>) -> Result<()> {
        while self.accept(TokenKind::On) {
            self.expect(TokenKind::Conflict, "CONFLICT")?;
            let mut upsert =
                Upsert { target: Vec::new(), target_filter: None, action: UpsertAction::Nothing };
            if self.accept(TokenKind::LeftParenthesis) {
                upsert.target = self.order_terms()?;
                self.expect(TokenKind::RightParenthesis, ", or )")?;
                upsert.target_filter = self.filter()?;
            }
            self.expect(TokenKind::Do, "DO NOTHING or DO UPDATE")?;
            if self.accept(TokenKind::Update) {
                self.expect(TokenKind::Set, "SET")?;
                let assignments = self.assignments()?;
                upsert.action = UpsertAction::Update(assignments, self.filter()?);
            } else {
                self.expect(TokenKind::Nothing, "NOTHING or UPDATE")?;
            }
            let last = upsert.target.is_empty();
            upserts.push(upsert);
            if last {
                return Ok(());
            }
        }
        Ok(())
    }

    /// `UPDATE ...`
    pub(super) fn update(&mut self, with: Option<With>) -> Result<StatementKind> {
        self.expect(TokenKind::Update, "UPDATE")?;
        let conflict = self.or_conflict()?;
        let table = self.table_name()?;
        let alias = self.as_alias()?;
        let index = self.hint_of_change()?;
        self.expect(TokenKind::Set, "SET")?;
        let assignments = self.assignments()?;
        let from = if self.accept(TokenKind::From) { Some(*self.from()?) } else { None };
        let filter = self.filter()?;
        let Ending { returning, order_by, limit } = self.ending()?;
        Ok(StatementKind::Update(Box::new(Update {
            with,
            conflict,
            table,
            alias,
            index,
            assignments,
            from,
            filter,
            returning,
            order_by,
            limit,
        })))
    }

    /// `DELETE ...`
    pub(super) fn delete(&mut self, with: Option<With>) -> Result<StatementKind> {
        self.expect(TokenKind::Delete, "DELETE")?;
        self.expect(TokenKind::From, "FROM")?;
        let table = self.table_name()?;
        let alias = self.as_alias()?;
        let index = self.hint_of_change()?;
        let filter = self.filter()?;
        let Ending { returning, order_by, limit } = self.ending()?;
        Ok(StatementKind::Delete(Box::new(Delete {
            with,
            table,
            alias,
            index,
            filter,
            returning,
            order_by,
            limit,
        })))
    }

    /// What may stand behind the condition of an UPDATE or DELETE: nothing in a trigger.
    fn ending(&mut self) -> Result<Ending> {
        let mut ending = Ending::default();
        if self.in_new_trigger {
            return Ok(ending);
        }
        ending.returning = self.returning()?;
        ending.order_by = self.order_by()?;
        ending.limit = self.limit()?;
        if ending.returning.is_empty() {
            ending.returning = self.returning()?;
        }
        Ok(ending)
    }

    /// Which index must serve an UPDATE or DELETE: that is not said in a trigger.
    fn hint_of_change(&mut self) -> Result<Option<IndexHint>> {
        let start = self.token.start;
        let hint = self.index_hint()?;
        let (true, Some(written)) = (self.in_new_trigger, &hint) else { return Ok(hint) };
        let clause = match written {
            IndexHint::IndexedBy(_) => "INDEXED BY",
            IndexHint::NotIndexed => "NOT INDEXED",
        };
        let message = format!(
            "the {clause} clause is not allowed on UPDATE or DELETE statements within triggers"
        );
        Err(Error::invalid(message).at(self.span_from(start)))
    }

    /// `AS alias`, or nothing: changed tables have no alias without AS.
    fn as_alias(&mut self) -> Result<Option<Name>> {
        if self.accept(TokenKind::As) { self.name("an alias").map(Some) } else { Ok(None) }
    }

    fn assignments(&mut self) -> Result<Vec<Assignment>> {
        let mut assignments = vec![self.assignment()?];
        while self.accept(TokenKind::Comma) {
            assignments.push(self.assignment()?);
        }
        Ok(assignments)
    }

    fn assignment(&mut self) -> Result<Assignment> {
        let row = self.at(TokenKind::LeftParenthesis);
        let columns =
            if row { self.name_list("a column name")? } else { vec![self.name("a column name")?] };
        // The lexer reads `==` as `=`; as in SQLite both are one operator.
        self.expect(TokenKind::Equal, "=")?;
        Ok(Assignment { columns, row, value: self.expression()? })
    }

    fn returning(&mut self) -> Result<Vec<ResultColumn>> {
        if self.accept(TokenKind::Returning) { self.result_columns() } else { Ok(Vec::new()) }
    }

    /// `OR action`, or nothing.
    fn or_conflict(&mut self) -> Result<Option<ConflictAction>> {
        if self.accept(TokenKind::Or) { self.conflict_action().map(Some) } else { Ok(None) }
    }

    /// `ON CONFLICT action` of a constraint, or nothing.
    pub(super) fn on_conflict(&mut self) -> Result<Option<ConflictAction>> {
        if !self.accept(TokenKind::On) {
            return Ok(None);
        }
        self.expect(TokenKind::Conflict, "CONFLICT")?;
        self.conflict_action().map(Some)
    }

    fn conflict_action(&mut self) -> Result<ConflictAction> {
        let action = match self.token.kind {
            TokenKind::Rollback => ConflictAction::Rollback,
            TokenKind::Abort => ConflictAction::Abort,
            TokenKind::Fail => ConflictAction::Fail,
            TokenKind::Ignore => ConflictAction::Ignore,
            TokenKind::Replace => ConflictAction::Replace,
            _ => return Err(self.expected("ROLLBACK, ABORT, FAIL, IGNORE or REPLACE")),
        };
        self.advance();
        Ok(action)
    }
}
