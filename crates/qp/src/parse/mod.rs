//! From text to statements.
//!
//! A lexer and a parser written by hand: recursive descent for statements, a table of levels
//! for operators. The grammar is SQLite's, and with it go the statements of PandoDB. What
//! SQLite takes as a name we take as a name, also where it looks like a keyword.
//!
//! [`parse_statement`] reads the first statement of a text and tells where the next one
//! begins, so that a script can run statement by statement; [`is_complete`] tells a shell
//! whether to ask for another line. No text makes the parser panic, loop, or run out of stack:
//! `limits` bounds the nesting. Neighbours: `ast` (what is made), `display` (the way back).

mod branch;
mod complete;
mod define;
mod expression;
mod function;
mod lexer;
mod modify;
mod operand;
mod parser;
mod select;
mod table;
#[cfg(test)]
mod tests;
mod token;
mod transaction;
mod words;

pub use complete::is_complete;
pub(crate) use table::{parse_column, parse_constraint, parse_name, parse_table_options};
pub use words::{parameter_places, tokens};

use self::parser::Parser;
use self::token::TokenKind;
use crate::ast::{ExplainMode, Expression, Statement, StatementKind};
use crate::error::{Error, ErrorKind, Result};
use crate::limits::{Limit, Limits};

/// Reads the first statement of `sql`, and returns with it the offset at which to go on:
/// behind its semicolon, or at the end. Blanks, comments and semicolons in front of it are
/// skipped; if nothing else is there the statement is `None`.
pub fn parse_statement(sql: &str) -> Result<(Option<Statement>, usize)> {
    parse_statement_within(sql, &Limits::default())
}

/// As [`parse_statement`], within the limits of a session.
pub fn parse_statement_within(sql: &str, limits: &Limits) -> Result<(Option<Statement>, usize)> {
    if sql.len() > limits.get(Limit::SqlLength) as usize {
        return Err(Error::new(ErrorKind::Limit, "statement too long"));
    }
    first_statement(Parser::new(sql, 0)?.limited(limits))
}

/// As [`parse_statement`], a definition that the catalog has: older builds took forms in triggers
/// that no new one may have.
pub fn parse_stored(sql: &str) -> Result<(Option<Statement>, usize)> {
    first_statement(Parser::new(sql, 0)?.of_stored())
}

fn first_statement(mut parser: Parser<'_>) -> Result<(Option<Statement>, usize)> {
    let sql = parser.text;
    while parser.accept(TokenKind::Semicolon) {}
    if parser.at(TokenKind::End) {
        return Ok((None, sql.len()));
    }
    let statement = parser.statement()?;
    parser.end_statement()?;
    let rest = if parser.at(TokenKind::End) { sql.len() } else { parser.token.end as usize };
    Ok((Some(statement), rest))
}

/// Reads all statements of `sql`.
pub fn parse_all(sql: &str) -> Result<Vec<Statement>> {
    let mut parser = Parser::new(sql, 0)?;
    let mut statements = Vec::new();
    loop {
        while parser.accept(TokenKind::Semicolon) {}
        if parser.at(TokenKind::End) {
            return Ok(statements);
        }
        parser.begin_statement();
        statements.push(parser.statement()?);
        parser.end_statement()?;
    }
}

/// Reads `sql` as one expression.
pub fn parse_expression(sql: &str) -> Result<Expression> {
    let mut parser = Parser::new(sql, 0)?;
    let expression = parser.expression()?;
    if parser.at(TokenKind::End) { Ok(expression) } else { Err(parser.expected("an operator")) }
}

/// Whether `text` is a name without quotes in any place: a word that is no keyword.
pub(crate) fn is_plain_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.first().is_some_and(|byte| !matches!(byte, b'0'..=b'9' | b'$'))
        && bytes.iter().all(|byte| lexer::continues_word(*byte))
        && token::keyword::kind_of(bytes) == TokenKind::Identifier
}

impl Parser<'_> {
    /// One statement, up to its semicolon.
    pub(crate) fn statement(&mut self) -> Result<Statement> {
        let start = self.token.start;
        let kind = match self.token.kind {
            TokenKind::Explain => self.explain()?,
            _ => self.statement_kind()?,
        };
        Ok(Statement { kind, span: self.span_from(start) })
    }

    fn statement_kind(&mut self) -> Result<StatementKind> {
        use TokenKind as Kind;
        let start = self.token.start;
        match self.token.kind {
            Kind::Select | Kind::Values => {
                Ok(StatementKind::Select(self.select_behind(None, start)?))
            }
            Kind::With => {
                let with = self.with()?;
                match self.token.kind {
                    Kind::Insert | Kind::Replace => self.insert(with),
                    Kind::Update => self.update(with),
                    Kind::Delete => self.delete(with),
                    Kind::Select | Kind::Values => {
                        Ok(StatementKind::Select(self.select_behind(with, start)?))
                    }
                    _ => Err(self.expected("SELECT, VALUES, INSERT, REPLACE, UPDATE or DELETE")),
                }
            }
            Kind::Insert | Kind::Replace => self.insert(None),
            Kind::Update => self.update(None),
            Kind::Delete => self.delete(None),
            Kind::Create => self.create(),
            Kind::Alter => self.alter(),
            Kind::Drop => self.drop_object(),
            Kind::Begin => self.begin(),
            Kind::Commit | Kind::EndKeyword => self.commit(),
            Kind::Rollback => self.rollback(),
            Kind::Savepoint => self.savepoint(),
            Kind::Release => self.release(),
            Kind::Pragma => self.pragma(),
            Kind::Attach => self.attach(),
            Kind::Detach => self.detach(),
            Kind::Vacuum => self.vacuum(),
            Kind::Analyze => Ok(StatementKind::Analyze(self.optional_object()?)),
            Kind::Reindex => Ok(StatementKind::Reindex(self.optional_object()?)),
            Kind::Identifier | Kind::Rename | Kind::Abort => match self.own_statement()? {
                Some(statement) => Ok(statement),
                None => Err(self.unknown_statement()),
            },
            _ => Err(self.unknown_statement()),
        }
    }

    fn explain(&mut self) -> Result<StatementKind> {
        self.advance();
        let mut mode = ExplainMode::Plan;
        if self.at(TokenKind::Query) {
            self.advance();
            self.expect(TokenKind::Plan, "PLAN")?;
            mode = ExplainMode::QueryPlan;
        } else if self.at(TokenKind::Analyze) && self.analyze_belongs_to_explain() {
            self.advance();
            mode = ExplainMode::Analyze;
        }
        let start = self.token.start;
        let kind = self.statement_kind()?;
        let statement = Statement { kind, span: self.span_from(start) };
        Ok(StatementKind::Explain(mode, Box::new(statement)))
    }

    /// `EXPLAIN ANALYZE` may also explain the statement ANALYZE: then at most a name follows.
    fn analyze_belongs_to_explain(&self) -> bool {
        let (first, second) = self.peek_two();
        let ends = |kind| matches!(kind, TokenKind::End | TokenKind::Semicolon);
        let name = first.kind.is_name() && (ends(second.kind) || second.kind == TokenKind::Dot);
        !ends(first.kind) && !name
    }

    /// A statement ends at a semicolon or at the end of the text.
    fn end_statement(&self) -> Result<()> {
        if self.at_end() {
            return Ok(());
        }
        let error = self.expected("an operator, a clause or `;`");
        if self.previous.kind == TokenKind::EndKeyword && error.kind() == ErrorKind::Syntax {
            return Err(Error::syntax(error.message(), self.token_span())
                .with_hint("expected ; behind END"));
        }
        Err(error)
    }
}
