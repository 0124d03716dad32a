//! SELECT, VALUES, WITH and FROM.
//!
//! Compounds, joins and rows of VALUES are read in loops into lists, so only real nesting
//! (subqueries, parentheses around joins) costs stack. Neighbours: `expression`, `function`
//! (windows), `ast::select` (the tree).

use super::parser::Parser;
use super::token::{Token, TokenKind};
use crate::ast::{
    CommonTable, CompoundOperator, From, IndexHint, Join, JoinConstraint, JoinKind, Limit, Name,
    NamedTable, PointInTime, Query, ResultColumn, Select, SelectCore, TableFunction,
    TableReference, TableReferenceKind, With,
};
use crate::error::{Error, Result};
use crate::limits;
use crate::span::Span;

impl Parser<'_> {
    /// Whether a query begins here.
    #[inline]
    pub(super) fn at_select(&self) -> bool {
        matches!(self.token.kind, TokenKind::Select | TokenKind::Values | TokenKind::With)
    }

    /// A query up to the closing parenthesis, whose opening one has been read. The height it
    /// leaves is that of its tallest expression.
    #[inline(never)]
    pub(super) fn subquery(&mut self) -> Result<Select> {
        self.enter(limits::WEIGHT_SELECT)?;
        let tallest = std::mem::take(&mut self.tallest);
        let select = self.select()?;
        self.height = std::mem::replace(&mut self.tallest, tallest);
        self.leave(limits::WEIGHT_SELECT);
        self.expect(TokenKind::RightParenthesis, ")")?;
        Ok(select)
    }

    /// A query, WITH included.
    pub(super) fn select(&mut self) -> Result<Select> {
        let start = self.token.start;
        let with = self.with()?;
        self.select_behind(with, start)
    }

    /// A query behind its WITH.
    pub(super) fn select_behind(&mut self, with: Option<With>, start: u32) -> Result<Select> {
        let first = self.select_core()?;
        let mut compounds = Vec::new();
        let mut values = matches!(first, SelectCore::Values(_));
        while let Some(operator) = self.compound_operator() {
            let core = self.select_core()?;
            values = matches!(core, SelectCore::Values(_));
            compounds.push((operator, core));
        }
        let mut select = Select {
            with,
            first,
            compounds,
            order_by: Vec::new(),
            limit: None,
            span: Span::default(),
        };
        // As in SQLite, rows of VALUES have no clauses behind them.
        if !values {
            select.order_by = self.order_by()?;
            select.limit = self.limit()?;
            self.no_compound_behind(&select)?;
        }
        select.span = self.span_from(start);
        Ok(select)
    }

    #[inline]
    fn compound_operator(&mut self) -> Option<CompoundOperator> {
        let operator = match self.token.kind {
            TokenKind::Union => CompoundOperator::Union,
            TokenKind::Except => CompoundOperator::Except,
            TokenKind::Intersect => CompoundOperator::Intersect,
            _ => return None,
        };
        self.advance();
        if operator == CompoundOperator::Union && self.accept(TokenKind::All) {
            return Some(CompoundOperator::UnionAll);
        }
        Some(operator)
    }

    /// `SELECT .. ORDER BY .. UNION ..`: the clauses belong to the whole, so behind it.
    fn no_compound_behind(&mut self, select: &Select) -> Result<()> {
        let clause = if select.limit.is_some() {
            "LIMIT"
        } else if select.order_by.is_empty() {
            return Ok(());
        } else {
            "ORDER BY"
        };
        let place = self.token_span();
        let Some(operator) = self.compound_operator() else { return Ok(()) };
        let operator = match operator {
            CompoundOperator::Union => "UNION",
            CompoundOperator::UnionAll => "UNION ALL",
            CompoundOperator::Except => "EXCEPT",
            CompoundOperator::Intersect => "INTERSECT",
        };
        let message = format!("{clause} clause should come after {operator} not before");
        Err(Error::invalid(message)
            .at(place)
            .with_hint(format!("to use {clause} inside, write SELECT * FROM (SELECT ...)")))
    }

    /// `WITH [RECURSIVE] name [(columns)] AS [[NOT] MATERIALIZED] (select), ...`, or nothing.
    pub(super) fn with(&mut self) -> Result<Option<With>> {
        if !self.accept(TokenKind::With) {
            return Ok(None);
        }
        let recursive = self.accept(TokenKind::Recursive);
        let mut tables = vec![self.common_table()?];
        while self.accept(TokenKind::Comma) {
            let table = self.common_table()?;
            if tables.iter().any(|known| known.name == table.name) {
                let message = format!("duplicate WITH table name: {}", table.name.text);
                return Err(Error::invalid(message).at(table.name.span));
            }
            tables.push(table);
        }
        Ok(Some(With { recursive, tables }))
    }

    fn common_table(&mut self) -> Result<CommonTable> {
        let name = self.name("the name of a common table")?;
        let columns = self.optional_name_list("a column name")?;
        self.expect(TokenKind::As, "AS")?;
        let materialized = if self.accept(TokenKind::Not) {
            self.expect(TokenKind::Materialized, "MATERIALIZED")?;
            Some(false)
        } else {
            self.accept(TokenKind::Materialized).then_some(true)
        };
        self.expect(TokenKind::LeftParenthesis, "( and a SELECT")?;
        if !self.at_select() {
            return Err(self.expected("SELECT"));
        }
        Ok(CommonTable { name, columns, materialized, select: self.subquery()? })
    }

    fn select_core(&mut self) -> Result<SelectCore> {
        if self.accept(TokenKind::Values) {
            return self.values();
        }
        self.expect(TokenKind::Select, "SELECT or VALUES")?;
        Ok(SelectCore::Query(Box::new(self.query()?)))
    }

    fn values(&mut self) -> Result<SelectCore> {
        let mut rows = Vec::new();
        loop {
            self.expect(TokenKind::LeftParenthesis, "(")?;
            rows.push(self.expression_list()?);
            self.expect(TokenKind::RightParenthesis, ", or )")?;
            if !self.accept(TokenKind::Comma) {
                return Ok(SelectCore::Values(rows));
            }
        }
    }

    fn query(&mut self) -> Result<Query> {
        let distinct = self.distinct_or_all();
        let columns = self.result_columns()?;
        let from = if self.accept(TokenKind::From) { Some(self.from()?) } else { None };
        let filter = self.filter()?;
        let mut group_by = Vec::new();
        if self.accept(TokenKind::Group) {
            self.expect(TokenKind::By, "BY")?;
            group_by = self.expression_list()?;
        }
        let having = if self.accept(TokenKind::Having) { Some(self.expression()?) } else { None };
        let windows = self.window_clause()?;
        Ok(Query { distinct, columns, from, filter, group_by, having, windows })
    }

    /// `WHERE ...`, or nothing.
    pub(super) fn filter(&mut self) -> Result<Option<crate::ast::Expression>> {
        if self.accept(TokenKind::Where) { Ok(Some(self.expression()?)) } else { Ok(None) }
    }

    /// `expression [alias], table.*, * ...`
    pub(super) fn result_columns(&mut self) -> Result<Vec<ResultColumn>> {
        let mut columns = vec![self.result_column()?];
        while self.accept(TokenKind::Comma) {
            columns.push(self.result_column()?);
        }
        Ok(columns)
    }

    fn result_column(&mut self) -> Result<ResultColumn> {
        if self.at(TokenKind::Star) {
            let star = self.advance();
            return Ok(ResultColumn::Star(Span::new(star.start, star.end)));
        }
        if self.token.kind.is_name() && self.at_table_star() {
            let table = self.name("a table name")?;
            self.advance();
            self.advance();
            return Ok(ResultColumn::TableStar(table));
        }
        let expression = self.expression()?;
        Ok(ResultColumn::Expression(expression, self.alias()?))
    }

    /// Whether `.*` follows the token.
    fn at_table_star(&self) -> bool {
        if self.next_byte() != b'.' {
            return false;
        }
        let (first, second) = self.peek_two();
        first.kind == TokenKind::Dot && second.kind == TokenKind::Star
    }

    /// `[AS] alias`, or nothing.
    pub(super) fn alias(&mut self) -> Result<Option<Name>> {
        if self.accept(TokenKind::As) {
            return self.name("an alias").map(Some);
        }
        if self.token.kind.is_plain_name() && !self.at_window_clause() {
            return self.name("an alias").map(Some);
        }
        Ok(None)
    }

    /// `LIMIT ...`, or nothing.
    pub(super) fn limit(&mut self) -> Result<Option<Limit>> {
        if !self.accept(TokenKind::Limit) {
            return Ok(None);
        }
        let first = self.expression()?;
        if self.accept(TokenKind::Comma) {
            return Ok(Some(Limit { count: self.expression()?, offset: Some(first) }));
        }
        let offset = if self.accept(TokenKind::Offset) { Some(self.expression()?) } else { None };
        Ok(Some(Limit { count: first, offset }))
    }

    // FROM.

    /// What stands behind FROM.
    pub(super) fn from(&mut self) -> Result<From> {
        let first = self.table_reference()?;
        if matches!(self.token.kind, TokenKind::On | TokenKind::Using) {
            return Err(Error::invalid("a JOIN clause is required before ON")
                .at(self.token_span())
                .with_hint("write JOIN between two tables, or WHERE for a condition"));
        }
        let mut joins = Vec::new();
        while let Some((kind, natural)) = self.join_operator()? {
            let table = self.table_reference()?;
            let constraint = self.join_constraint()?;
            joins.push(Join { kind, natural, table, constraint });
        }
        Ok(From { first, joins })
    }

    fn join_constraint(&mut self) -> Result<Option<JoinConstraint>> {
        if self.accept(TokenKind::On) {
            return Ok(Some(JoinConstraint::On(self.expression()?)));
        }
        if self.accept(TokenKind::Using) {
            return Ok(Some(JoinConstraint::Using(self.name_list("a column name")?)));
        }
        Ok(None)
    }

    /// `,`, `JOIN`, or up to three words and `JOIN`.
    #[inline]
    fn join_operator(&mut self) -> Result<Option<(JoinKind, bool)>> {
        match self.token.kind {
            TokenKind::Comma => {
                self.advance();
                Ok(Some((JoinKind::Comma, false)))
            }
            TokenKind::Join => {
                self.advance();
                Ok(Some((JoinKind::Inner, false)))
            }
            kind if kind.class() == super::token::Class::Join => self.worded_join().map(Some),
            _ => Ok(None),
        }
    }

    /// The words may stand in any order, as in SQLite: `LEFT NATURAL OUTER JOIN`.
    fn worded_join(&mut self) -> Result<(JoinKind, bool)> {
        let mut words: smallvec::SmallVec<[Token; 3]> = smallvec::smallvec![self.advance()];
        while words.len() < 3 && self.token.kind.is_name() {
            words.push(self.advance());
        }
        self.expect(TokenKind::Join, "JOIN")?;
        let has = |kind| words.iter().any(|word| word.kind == kind);
        let inner = has(TokenKind::Inner) || has(TokenKind::Cross);
        let (left, right) = (has(TokenKind::Left), has(TokenKind::Right));
        let full = has(TokenKind::Full) || (left && right);
        let outer = left || right || full || has(TokenKind::Outer);
        let known = words.iter().all(|word| word.kind.class() == super::token::Class::Join);
        if !known || (inner && outer) || (outer && !(left || right || full)) {
            let texts: Vec<&str> = words.iter().map(|word| self.slice(*word)).collect();
            let span = Span::new(words[0].start, words[words.len() - 1].end);
            return Err(Error::syntax(format!("unknown join type: {}", texts.join(" ")), span)
                .with_hint("joins are [NATURAL] INNER, CROSS, LEFT, RIGHT and FULL [OUTER]"));
        }
        let kind = if full {
            JoinKind::Full
        } else if left {
            JoinKind::Left
        } else if right {
            JoinKind::Right
        } else if has(TokenKind::Cross) {
            JoinKind::Cross
        } else {
            JoinKind::Inner
        };
        Ok((kind, has(TokenKind::Natural)))
    }

    fn table_reference(&mut self) -> Result<TableReference> {
        let start = self.token.start;
        let kind = if self.at(TokenKind::LeftParenthesis) {
            self.parenthesized_reference()?
        } else {
            self.named_reference()?
        };
        if let TableReferenceKind::Table(mut table) = kind {
            table.as_of = self.as_of()?;
            let alias = self.alias()?;
            table.index = self.index_hint()?;
            let kind = TableReferenceKind::Table(table);
            return Ok(TableReference { kind, alias, span: self.span_from(start) });
        }
        let alias = self.alias()?;
        Ok(TableReference { kind, alias, span: self.span_from(start) })
    }

    #[inline(never)]
    fn parenthesized_reference(&mut self) -> Result<TableReferenceKind> {
        self.advance();
        if self.at_select() {
            return Ok(TableReferenceKind::Subquery(Box::new(self.subquery()?)));
        }
        self.enter(limits::WEIGHT_SELECT)?;
        let from = Box::new(self.from()?);
        self.leave(limits::WEIGHT_SELECT);
        self.expect(TokenKind::RightParenthesis, "a join or )")?;
        Ok(TableReferenceKind::Join(from))
    }

    #[inline(never)]
    fn named_reference(&mut self) -> Result<TableReferenceKind> {
        let name = self.table_name()?;
        if name.branch.is_none() && self.accept(TokenKind::LeftParenthesis) {
            let arguments = self.arguments()?;
            let name = crate::ast::QualifiedName { schema: name.schema, name: name.name };
            let function = TableFunction { name, arguments };
            return Ok(TableReferenceKind::Function(Box::new(function)));
        }
        let table = NamedTable { name, as_of: None, index: None };
        Ok(TableReferenceKind::Table(Box::new(table)))
    }

    /// `INDEXED BY name`, `NOT INDEXED`, or nothing.
    pub(super) fn index_hint(&mut self) -> Result<Option<IndexHint>> {
        if self.accept(TokenKind::Indexed) {
            self.expect(TokenKind::By, "BY")?;
            return Ok(Some(IndexHint::IndexedBy(self.name("the name of an index")?)));
        }
        if self.accept(TokenKind::Not) {
            self.expect(TokenKind::Indexed, "INDEXED")?;
            return Ok(Some(IndexHint::NotIndexed));
        }
        Ok(None)
    }

    /// `AS OF ...`, or nothing. `AS of` alone is an alias: what follows tells them apart.
    pub(super) fn as_of(&mut self) -> Result<Option<PointInTime>> {
        if !self.at(TokenKind::As) {
            return Ok(None);
        }
        let (first, second) = self.peek_two();
        let moment = second.kind == TokenKind::Transaction
            || ["NOW", "TIMESTAMP", "SCN", "TAG"].iter().any(|word| self.is_word(second, word));
        if first.kind != TokenKind::Of || !moment {
            return Ok(None);
        }
        self.advance();
        self.advance();
        self.point_in_time().map(Some)
    }

    /// `NOW`, `TIMESTAMP '...'`, `TRANSACTION n`, `SCN n` or `TAG t`.
    pub(super) fn point_in_time(&mut self) -> Result<PointInTime> {
        if self.accept_word("NOW") {
            return Ok(PointInTime::Now);
        }
        if self.accept_word("TIMESTAMP") {
            return Ok(PointInTime::Timestamp(self.string("a time in quotes")?));
        }
        if self.accept(TokenKind::Transaction) {
            return Ok(PointInTime::Transaction(self.number("the number of a transaction")?));
        }
        if self.accept_word("SCN") {
            return Ok(PointInTime::Scn(self.number("the number of a commit")?));
        }
        if self.accept_word("TAG") {
            return Ok(PointInTime::Tag(self.name("the name of a tag")?));
        }
        Err(self.expected("NOW, TIMESTAMP, TRANSACTION, SCN or TAG"))
    }

    /// A number without sign.
    pub(super) fn number(&mut self, what: &str) -> Result<u64> {
        if !self.at(TokenKind::Integer) {
            return Err(self.expected(what));
        }
        let Ok(number) = self.slice(self.token).parse() else {
            return Err(self.expected(what));
        };
        self.advance();
        Ok(number)
    }
}
