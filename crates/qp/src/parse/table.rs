//! CREATE TABLE and CREATE VIRTUAL TABLE: columns and constraints; also alone, as what somebody
//! says in RESOLVE that a part of a merged definition is to be.
//!
//! Neighbours: `define` (the other definitions), `operand` (types), `ast::define` (the tree).

use super::parser::Parser;
use super::token::TokenKind;
use crate::ast::{
    ColumnConstraint, ColumnConstraintKind, ColumnDefinition, ColumnReference, CreateTable,
    CreateTableBody, CreateVirtualTable, Deferrable, Expression, ExpressionKind, ForeignKeyAction,
    ForeignKeyTarget, GeneratedStorage, GivenDefinition, Name, StatementKind, TableConstraint,
    TableConstraintKind, TableDefinition, UnaryOperator,
};
use crate::error::{Error, Result};
use crate::span::Span;

impl Parser<'_> {
    /// `CREATE TABLE ...` behind TABLE.
    pub(super) fn create_table(&mut self, temporary: bool) -> Result<StatementKind> {
        let if_not_exists = self.if_not_exists()?;
        let name = self.qualified_name("a table name")?;
        let body = if self.accept(TokenKind::As) {
            if !self.at_select() {
                return Err(self.expected("SELECT"));
            }
            CreateTableBody::Select(*self.select()?)
        } else {
            self.expect(TokenKind::LeftParenthesis, "( or AS")?;
            CreateTableBody::Columns(self.table_definition()?)
        };
        let table = CreateTable { temporary, if_not_exists, name, body };
        Ok(StatementKind::CreateTable(Box::new(table)))
    }

    fn table_definition(&mut self) -> Result<TableDefinition> {
        let mut definition = TableDefinition {
            columns: vec![self.column_definition()?],
            constraints: Vec::new(),
            without_rowid: false,
            strict: false,
            counts_alone: false,
        };
        while self.accept(TokenKind::Comma) {
            if self.at_table_constraint() {
                self.table_constraints(&mut definition.constraints)?;
                break;
            }
            definition.columns.push(self.column_definition()?);
        }
        self.expect(TokenKind::RightParenthesis, "a constraint, \",\" or )")?;
        // SQLite allows a comma in front of the first option too.
        let has_option = self.accept(TokenKind::Comma)
            || self.token.kind == TokenKind::Autoincrement
            || self.token.kind.is_name();
        if has_option {
            self.table_options(&mut definition)?;
        }
        Ok(definition)
    }

    pub(super) fn table_options(&mut self, definition: &mut TableDefinition) -> Result<()> {
        loop {
            let place = self.token_span();
            if self.accept(TokenKind::Without) {
                let name = self.name("ROWID")?;
                if !name.is("rowid") {
                    return Err(unknown_option(&name.text, place.to(name.span)));
                }
                definition.without_rowid = true;
            } else if self.accept(TokenKind::Autoincrement) {
                self.expect_word("per")?;
                self.expect_word("branch")?;
                definition.counts_alone = true;
            } else {
                let name = self.name("WITHOUT ROWID, STRICT or AUTOINCREMENT PER BRANCH")?;
                if !name.is("strict") {
                    return Err(unknown_option(&name.text, name.span));
                }
                definition.strict = true;
            }
            if !self.accept(TokenKind::Comma) {
                return Ok(());
            }
        }
    }

    /// A column with its type and constraints.
    pub(super) fn column_definition(&mut self) -> Result<ColumnDefinition> {
        let start = self.token.start;
        let name = self.name("a column name")?;
        let type_name = self.type_name()?;
        let mut constraints = Vec::new();
        while let Some(constraint) = self.column_constraint()? {
            constraints.push(constraint);
        }
        Ok(ColumnDefinition { name, type_name, constraints, span: self.span_from(start) })
    }

    fn column_constraint(&mut self) -> Result<Option<ColumnConstraint>> {
        let start = self.token.start;
        let mut name = None;
        if self.accept(TokenKind::Constraint) {
            name = Some(self.name("the name of a constraint")?);
        }
        let kind = self.column_constraint_kind()?;
        let span = self.span_from(start);
        match kind {
            Some(kind) => Ok(Some(ColumnConstraint { name, kind, span })),
            None if name.is_some() => {
                Ok(Some(ColumnConstraint { name, kind: ColumnConstraintKind::Empty, span }))
            }
            None => Ok(None),
        }
    }

    fn column_constraint_kind(&mut self) -> Result<Option<ColumnConstraintKind>> {
        use ColumnConstraintKind as Constraint;
        Ok(Some(match self.token.kind {
            TokenKind::Null => {
                self.advance();
                Constraint::Null(self.on_conflict()?)
            }
            TokenKind::Not => {
                self.advance();
                if self.at(TokenKind::Deferrable) {
                    Constraint::Deferrable(self.deferrable(true)?)
                } else {
                    self.expect(TokenKind::Null, "NULL or DEFERRABLE")?;
                    Constraint::NotNull(self.on_conflict()?)
                }
            }
            TokenKind::Deferrable => Constraint::Deferrable(self.deferrable(false)?),
            TokenKind::Primary => {
                self.advance();
                self.expect(TokenKind::Key, "KEY")?;
                let order = self.sort_order();
                let conflict = self.on_conflict()?;
                let autoincrement = self.accept(TokenKind::Autoincrement);
                Constraint::PrimaryKey { order, conflict, autoincrement }
            }
            TokenKind::Unique => {
                self.advance();
                Constraint::Unique(self.on_conflict()?)
            }
            TokenKind::Check => {
                self.advance();
                Constraint::Check(self.in_parentheses()?)
            }
            TokenKind::Default => {
                self.advance();
                Constraint::Default(self.default_value()?)
            }
            TokenKind::Collate => {
                self.advance();
                if !self.token.kind.is_plain_name() {
                    return Err(self.expected("the name of a collation"));
                }
                Constraint::Collate(self.name("the name of a collation")?)
            }
            TokenKind::References => {
                self.advance();
                Constraint::References(Box::new(self.foreign_key_target()?))
            }
            TokenKind::Generated => {
                self.advance();
                self.expect(TokenKind::Always, "ALWAYS")?;
                self.generated()?
            }
            TokenKind::As => self.generated()?,
            _ => return Ok(None),
        }))
    }

    /// `AS (expression) [STORED | VIRTUAL]`
    fn generated(&mut self) -> Result<ColumnConstraintKind> {
        self.expect(TokenKind::As, "AS")?;
        let expression = self.in_parentheses()?;
        let mut storage = None;
        if self.accept(TokenKind::Virtual) {
            storage = Some(GeneratedStorage::Virtual);
        } else if self.accept_word("STORED") {
            storage = Some(GeneratedStorage::Stored);
        }
        Ok(ColumnConstraintKind::Generated { expression, storage })
    }

    /// `(expression)`
    pub(super) fn in_parentheses(&mut self) -> Result<Expression> {
        self.expect(TokenKind::LeftParenthesis, "(")?;
        let expression = self.expression()?;
        self.expect(TokenKind::RightParenthesis, "an operator or )")?;
        Ok(expression)
    }

    /// A constant, an expression in parentheses, or a bare word, which stands for a string (or
    /// for TRUE and FALSE) and is kept as a column's name.
    pub(super) fn default_value(&mut self) -> Result<Expression> {
        let start = self.token.start;
        let operator = match self.token.kind {
            TokenKind::LeftParenthesis => return self.default_expression(),
            TokenKind::Minus => Some(UnaryOperator::Negate),
            TokenKind::Plus => Some(UnaryOperator::Plus),
            _ => None,
        };
        if operator.is_some() {
            if !is_constant(self.peek().kind) {
                self.advance();
                return Err(self.expected("a constant"));
            }
            return self.operand();
        }
        if is_constant(self.token.kind) {
            let token = self.advance();
            let literal = self.literal(token)?;
            return Ok(Expression::new(ExpressionKind::Literal(literal), self.span_from(start)));
        }
        let kind = self.token.kind;
        if !kind.is_identifier() || kind.class() == super::token::Class::Join {
            return Err(self.expected("a constant, or an expression in parentheses"));
        }
        let column = self.name("a constant")?;
        let span = column.span;
        let reference = ColumnReference { schema: None, table: None, column };
        Ok(Expression::new(ExpressionKind::Column(Box::new(reference)), span))
    }

    fn default_expression(&mut self) -> Result<Expression> {
        let start = self.token.start;
        let mut expression = self.in_parentheses()?;
        expression.span = self.span_from(start);
        Ok(expression)
    }

    fn foreign_key_target(&mut self) -> Result<ForeignKeyTarget> {
        let table = self.name("a table name")?;
        let columns = self.optional_name_list("a column name")?;
        let mut target =
            ForeignKeyTarget { table, columns, on_delete: None, on_update: None, match_name: None };
        loop {
            if self.accept(TokenKind::Match) {
                target.match_name = Some(self.name("FULL, PARTIAL or SIMPLE")?);
            } else if self.accept(TokenKind::On) {
                let event = self.token.kind;
                if !matches!(event, TokenKind::Delete | TokenKind::Update) {
                    return Err(self.expected("DELETE or UPDATE"));
                }
                self.advance();
                let action = Some(self.foreign_key_action()?);
                if event == TokenKind::Delete {
                    target.on_delete = action;
                } else {
                    target.on_update = action;
                }
            } else {
                return Ok(target);
            }
        }
    }

    fn foreign_key_action(&mut self) -> Result<ForeignKeyAction> {
        if self.accept(TokenKind::Set) {
            if self.accept(TokenKind::Null) {
                return Ok(ForeignKeyAction::SetNull);
            }
            self.expect(TokenKind::Default, "NULL or DEFAULT")?;
            return Ok(ForeignKeyAction::SetDefault);
        }
        if self.accept(TokenKind::Cascade) {
            return Ok(ForeignKeyAction::Cascade);
        }
        if self.accept(TokenKind::Restrict) {
            return Ok(ForeignKeyAction::Restrict);
        }
        self.expect(TokenKind::No, "SET NULL, SET DEFAULT, CASCADE, RESTRICT or NO ACTION")?;
        self.expect(TokenKind::Action, "ACTION")?;
        Ok(ForeignKeyAction::NoAction)
    }

    /// `DEFERRABLE [INITIALLY DEFERRED | IMMEDIATE]`
    fn deferrable(&mut self, not: bool) -> Result<Deferrable> {
        self.expect(TokenKind::Deferrable, "DEFERRABLE")?;
        let mut initially_deferred = None;
        if self.accept(TokenKind::Initially) {
            if self.accept(TokenKind::Deferred) {
                initially_deferred = Some(true);
            } else {
                self.expect(TokenKind::Immediate, "DEFERRED or IMMEDIATE")?;
                initially_deferred = Some(false);
            }
        }
        Ok(Deferrable { not, initially_deferred })
    }

    pub(super) fn at_table_constraint(&self) -> bool {
        matches!(
            self.token.kind,
            TokenKind::Constraint
                | TokenKind::Primary
                | TokenKind::Unique
                | TokenKind::Check
                | TokenKind::Foreign
        )
    }

    /// Constraints; the comma between two of them may be missing.
    fn table_constraints(&mut self, constraints: &mut Vec<TableConstraint>) -> Result<()> {
        loop {
            constraints.push(self.table_constraint()?);
            let comma = self.accept(TokenKind::Comma);
            if comma && !self.at_table_constraint() {
                return Err(self.expected("a constraint"));
            }
            if !self.at_table_constraint() {
                return Ok(());
            }
        }
    }

    pub(super) fn table_constraint(&mut self) -> Result<TableConstraint> {
        let start = self.token.start;
        let mut name = None;
        if self.accept(TokenKind::Constraint) {
            name = Some(self.name("the name of a constraint")?);
        }
        let kind = self.table_constraint_kind()?;
        Ok(TableConstraint { name, kind, span: self.span_from(start) })
    }

    fn table_constraint_kind(&mut self) -> Result<TableConstraintKind> {
        match self.token.kind {
            TokenKind::Primary => {
                self.advance();
                self.expect(TokenKind::Key, "KEY")?;
                self.expect(TokenKind::LeftParenthesis, "(")?;
                let columns = self.order_terms()?;
                let autoincrement = self.accept(TokenKind::Autoincrement);
                self.expect(TokenKind::RightParenthesis, ", or )")?;
                let conflict = self.on_conflict()?;
                Ok(TableConstraintKind::PrimaryKey { columns, autoincrement, conflict })
            }
            TokenKind::Unique => {
                self.advance();
                self.expect(TokenKind::LeftParenthesis, "(")?;
                let columns = self.order_terms()?;
                self.expect(TokenKind::RightParenthesis, ", or )")?;
                Ok(TableConstraintKind::Unique { columns, conflict: self.on_conflict()? })
            }
            TokenKind::Check => {
                self.advance();
                let expression = self.in_parentheses()?;
                Ok(TableConstraintKind::Check(expression, self.on_conflict()?))
            }
            TokenKind::Foreign => {
                self.advance();
                self.expect(TokenKind::Key, "KEY")?;
                let columns = self.name_list("a column name")?;
                self.expect(TokenKind::References, "REFERENCES")?;
                let target = Box::new(self.foreign_key_target()?);
                let deferrable = match self.token.kind {
                    TokenKind::Deferrable => Some(self.deferrable(false)?),
                    TokenKind::Not => {
                        self.advance();
                        Some(self.deferrable(true)?)
                    }
                    _ => None,
                };
                Ok(TableConstraintKind::ForeignKey { columns, target, deferrable })
            }
            _ => Ok(TableConstraintKind::Empty),
        }
    }

    /// `CREATE VIRTUAL TABLE ...` behind TABLE.
    pub(super) fn create_virtual_table(&mut self) -> Result<StatementKind> {
        let if_not_exists = self.if_not_exists()?;
        let name = self.qualified_name("a table name")?;
        self.expect(TokenKind::Using, "USING")?;
        let module = self.name("the name of a module")?;
        let arguments =
            if self.accept(TokenKind::LeftParenthesis) { self.raw_arguments()? } else { vec![] };
        let table = CreateVirtualTable { if_not_exists, name, module, arguments };
        Ok(StatementKind::CreateVirtualTable(Box::new(table)))
    }

    /// The texts between commas up to the closing parenthesis; what they mean is the module's
    /// matter, so only parentheses and strings are told apart.
    fn raw_arguments(&mut self) -> Result<Vec<Box<str>>> {
        let mut arguments = Vec::new();
        let mut depth = 0_u32;
        let mut start = self.token.start;
        loop {
            match self.token.kind {
                TokenKind::End | TokenKind::Illegal => return Err(self.expected(")")),
                TokenKind::LeftParenthesis => depth += 1,
                TokenKind::RightParenthesis if depth > 0 => depth -= 1,
                TokenKind::RightParenthesis | TokenKind::Comma if depth == 0 => {
                    let text = Span::new(start, self.token.start).of(self.text).trim();
                    arguments.push(text.into());
                    let token = self.advance();
                    start = token.end;
                    if token.kind == TokenKind::RightParenthesis {
                        return Ok(arguments);
                    }
                    continue;
                }
                _ => {}
            }
            self.advance();
        }
    }
}

/// What `DEFAULT` takes without parentheses.
fn is_constant(kind: TokenKind) -> bool {
    use TokenKind as Kind;
    matches!(
        kind,
        Kind::Null
            | Kind::Integer
            | Kind::Float
            | Kind::String
            | Kind::Blob
            | Kind::CurrentDate
            | Kind::CurrentTime
            | Kind::CurrentTimestamp
    )
}

fn unknown_option(name: &str, span: Span) -> Error {
    Error::syntax(format!("unknown table option: {name}"), span)
        .with_hint("the options of a table are WITHOUT ROWID, STRICT and AUTOINCREMENT PER BRANCH")
}

impl Parser<'_> {
    /// The text behind DEFINITION: a string, or a definition as it is.
    pub(super) fn given_definition(&mut self) -> Result<GivenDefinition> {
        let start = self.token.start;
        if matches!(self.token.kind, TokenKind::String | TokenKind::Quoted) {
            let quote = self.token_span().of(self.text).chars().next();
            let text = self.string("a definition")?;
            return Ok(GivenDefinition { text, quote, span: self.span_from(start) });
        }
        match self.token.kind {
            TokenKind::Create => drop(self.create()?),
            TokenKind::Without => {
                self.advance();
                self.name("ROWID")?;
            }
            _ if self.at_table_constraint() => drop(self.table_constraint()?),
            _ => drop(self.column_definition()?),
        }
        let span = self.span_from(start);
        Ok(GivenDefinition { text: span.of(self.text).into(), quote: None, span })
    }
}

/// Reads `text` as a name.
pub(crate) fn parse_name(text: &str) -> Result<Name> {
    alone(text, |parser| parser.name("a name"))
}

/// Reads `text` as the definition of a column.
pub(crate) fn parse_column(text: &str) -> Result<ColumnDefinition> {
    alone(text, Parser::column_definition)
}

/// Reads `text` as a constraint of a table.
pub(crate) fn parse_constraint(text: &str) -> Result<TableConstraint> {
    alone(text, |parser| {
        if parser.at_table_constraint() {
            parser.table_constraint()
        } else {
            Err(parser.expected("CHECK, UNIQUE, FOREIGN KEY, or CONSTRAINT and a name"))
        }
    })
}

/// Reads `text` as what stands behind the columns of a table; nothing says nothing.
pub(crate) fn parse_table_options(text: &str) -> Result<TableDefinition> {
    let mut options = TableDefinition {
        columns: Vec::new(),
        constraints: Vec::new(),
        without_rowid: false,
        strict: false,
        counts_alone: false,
    };
    alone(text, |parser| {
        if parser.at(TokenKind::End) { Ok(()) } else { parser.table_options(&mut options) }
    })?;
    Ok(options)
}

/// Reads all of `text` by one rule.
fn alone<'t, T>(text: &'t str, rule: impl FnOnce(&mut Parser<'t>) -> Result<T>) -> Result<T> {
    let mut parser = Parser::new(text, 0)?;
    let part = rule(&mut parser)?;
    if parser.at(TokenKind::End) { Ok(part) } else { Err(parser.expected("the end")) }
}
