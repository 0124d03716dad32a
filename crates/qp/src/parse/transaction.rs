//! Transactions, savepoints, PRAGMA, ATTACH and upkeep.
//!
//! Neighbours: `mod` (which statement begins how), `branch`.

use super::parser::Parser;
use super::token::TokenKind;
use crate::ast::{
    Attach, BeginMode, Expression, IsolationLevel, Pragma, PragmaValue, QualifiedName,
    StatementKind, TransactionStatement, Vacuum,
};
use crate::error::{Error, Result};

impl Parser<'_> {
    /// `BEGIN [mode] [TRANSACTION [name]] [ISOLATION LEVEL level]`
    pub(super) fn begin(&mut self) -> Result<StatementKind> {
        self.advance();
        let mode = match self.token.kind {
            TokenKind::Deferred => Some(BeginMode::Deferred),
            TokenKind::Immediate => Some(BeginMode::Immediate),
            TokenKind::Exclusive => Some(BeginMode::Exclusive),
            TokenKind::Identifier if self.at_word("CONCURRENT") => Some(BeginMode::Concurrent),
            TokenKind::Identifier if self.at_word("READ") => {
                self.advance();
                if !self.at_word("ONLY") {
                    return Err(self.expected("ONLY"));
                }
                Some(BeginMode::ReadOnly)
            }
            _ => None,
        };
        if mode.is_some() {
            self.advance();
        }
        self.transaction_name()?;
        let mut isolation = None;
        if self.accept_word("ISOLATION") {
            self.expect_word("LEVEL")?;
            isolation = Some(self.isolation_level()?);
        }
        Ok(StatementKind::Transaction(TransactionStatement::Begin { mode, isolation }))
    }

    /// `[TRANSACTION [name]]`; the name means nothing, as in SQLite.
    fn transaction_name(&mut self) -> Result<()> {
        let begins_clause = |parser: &Self| match parser.token.kind {
            TokenKind::With => parser.is_word(parser.peek(), "MESSAGE"),
            _ => parser.at_word("ISOLATION") && parser.is_word(parser.peek(), "LEVEL"),
        };
        if self.accept(TokenKind::Transaction) && self.token.kind.is_name() && !begins_clause(self)
        {
            self.name("a name")?;
        }
        Ok(())
    }

    fn isolation_level(&mut self) -> Result<IsolationLevel> {
        if self.accept_word("READ") {
            if self.accept_word("UNCOMMITTED") {
                return Ok(IsolationLevel::ReadUncommitted);
            }
            self.expect_word("COMMITTED")?;
            return Ok(IsolationLevel::ReadCommitted);
        }
        if self.accept_word("REPEATABLE") {
            self.expect_word("READ")?;
            return Ok(IsolationLevel::Snapshot);
        }
        if self.accept_word("SNAPSHOT") {
            return Ok(IsolationLevel::Snapshot);
        }
        if self.accept_word("SERIALIZABLE") {
            return Ok(IsolationLevel::Serializable);
        }
        Err(self.expected("READ UNCOMMITTED, READ COMMITTED, SNAPSHOT or SERIALIZABLE"))
    }

    /// `COMMIT | END [TRANSACTION [name]] [WITH MESSAGE '..' [AUTHOR '..']]`
    pub(super) fn commit(&mut self) -> Result<StatementKind> {
        self.advance();
        self.transaction_name()?;
        let (mut message, mut author) = (None, None);
        if self.accept(TokenKind::With) {
            self.expect_word("MESSAGE")?;
            message = Some(self.string("a message in quotes")?);
            if self.accept_word("AUTHOR") {
                author = Some(self.string("an author in quotes")?);
            }
        }
        Ok(StatementKind::Transaction(TransactionStatement::Commit { message, author }))
    }

    /// `ROLLBACK [TRANSACTION [name]] [TO [SAVEPOINT] name]`
    pub(super) fn rollback(&mut self) -> Result<StatementKind> {
        self.advance();
        self.transaction_name()?;
        if !self.accept(TokenKind::To) {
            return Ok(StatementKind::Transaction(TransactionStatement::Rollback));
        }
        self.accept(TokenKind::Savepoint);
        let name = self.name("the name of a savepoint")?;
        Ok(StatementKind::Transaction(TransactionStatement::RollbackTo(name)))
    }

    /// `SAVEPOINT name`
    pub(super) fn savepoint(&mut self) -> Result<StatementKind> {
        self.advance();
        let name = self.name("the name of a savepoint")?;
        Ok(StatementKind::Transaction(TransactionStatement::Savepoint(name)))
    }

    /// `RELEASE [SAVEPOINT] name`
    pub(super) fn release(&mut self) -> Result<StatementKind> {
        self.advance();
        self.accept(TokenKind::Savepoint);
        let name = self.name("the name of a savepoint")?;
        Ok(StatementKind::Transaction(TransactionStatement::Release(name)))
    }

    /// `PRAGMA [schema.]name [= value | (value)]`
    pub(super) fn pragma(&mut self) -> Result<StatementKind> {
        self.advance();
        let name = self.qualified_name("the name of a PRAGMA")?;
        let call = self.accept(TokenKind::LeftParenthesis);
        let mut value = None;
        if call || self.accept(TokenKind::Equal) {
            value = Some(self.pragma_value()?);
        }
        if call {
            self.expect(TokenKind::RightParenthesis, ")")?;
        }
        Ok(StatementKind::Pragma(Box::new(Pragma { name, value, call })))
    }

    fn pragma_value(&mut self) -> Result<PragmaValue> {
        use TokenKind as Kind;
        let start = self.token.start;
        match self.token.kind {
            Kind::Plus | Kind::Minus | Kind::Integer | Kind::Float => {
                let number = self.signed_number()?;
                return Ok(PragmaValue::Number(number, self.span_from(start)));
            }
            Kind::On | Kind::Delete | Kind::Default => {
                let token = self.advance();
                return Ok(PragmaValue::Name(self.name_of(token)));
            }
            _ => {}
        }
        let name = self.name("a value")?;
        // Of all values only the names of isolation levels have several words.
        if !(name.is("READ") || name.is("REPEATABLE")) || !self.at(Kind::Identifier) {
            return Ok(PragmaValue::Name(name));
        }
        let mut words = name.text.into_string();
        while self.at(Kind::Identifier) {
            let token = self.advance();
            words.push(' ');
            words.push_str(self.slice(token));
        }
        Ok(PragmaValue::Words(words.into_boxed_str(), self.span_from(start)))
    }

    /// `ATTACH [DATABASE] file AS schema [KEY key]`
    pub(super) fn attach(&mut self) -> Result<StatementKind> {
        self.advance();
        self.accept(TokenKind::Database);
        let file = self.expression()?;
        self.expect(TokenKind::As, "AS")?;
        let schema = self.expression()?;
        let key = if self.accept(TokenKind::Key) { Some(self.expression()?) } else { None };
        Ok(StatementKind::Attach(Box::new(Attach { file, schema, key })))
    }

    /// `DETACH [DATABASE] schema`
    pub(super) fn detach(&mut self) -> Result<StatementKind> {
        self.advance();
        self.accept(TokenKind::Database);
        let schema: Expression = self.expression()?;
        Ok(StatementKind::Detach(Box::new(schema)))
    }

    /// `[schema.]name`, or nothing, behind ANALYZE and REINDEX.
    pub(super) fn optional_object(&mut self) -> Result<Option<Box<QualifiedName>>> {
        self.advance();
        if self.at_end() {
            return Ok(None);
        }
        self.qualified_name("a name").map(|name| Some(Box::new(name)))
    }

    /// `VACUUM [schema] [INTO file]`
    pub(super) fn vacuum(&mut self) -> Result<StatementKind> {
        self.advance();
        let mut vacuum = Vacuum { schema: None, into: None };
        if self.token.kind.is_name() {
            vacuum.schema = Some(self.name("the name of a database")?);
        }
        if self.accept(TokenKind::Into) {
            vacuum.into = Some(self.expression()?);
        }
        Ok(StatementKind::Vacuum(Box::new(vacuum)))
    }

    /// The error of a statement that begins like none.
    #[cold]
    pub(super) fn unknown_statement(&self) -> Error {
        self.expected("a statement")
    }
}
