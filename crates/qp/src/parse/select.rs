//! SELECT, VALUES, WITH and FROM.
//!
//! Compounds, joins and rows of VALUES are read in loops into lists, so only real nesting
//! (subqueries, parentheses around joins) costs stack. Neighbours: `expression`, `function`
//! (windows), `ast::select` (the tree).

use super::parser::Parser;
use super::token::{Token, TokenKind};
use crate::ast::{
    CommonTable, CompoundOperator, Expression, From, IndexHint, Join, JoinConstraint, JoinKind,
    Limit, Name, NamedTable, PointInTime, Query, ResultColumn, Select, SelectCore, TableFunction,
    TableReference, TableReferenceKind, With,
};
use crate::error::{Error, Result};
use crate::limits;
use crate::span::Span;

impl Parser<'_> {
    /// Whether a query begins here.
    #[inline]
    pub(super) fn at_select(&self) -> bool {
        self.token.kind.begins_select()
    }

    /// A query up to the closing parenthesis, whose opening one has been read. The height it
    /// leaves is that of its tallest expression.
    #[inline(never)]
    pub(super) fn subquery(&mut self) -> Result<Box<Select>> {
        self.enter(limits::WEIGHT_SELECT)?;
        let tallest = std::mem::take(&mut self.tallest);
        let select = self.select()?;
        self.height = std::mem::replace(&mut self.tallest, tallest);
        self.leave(limits::WEIGHT_SELECT);
        self.expect(TokenKind::RightParenthesis, ")")?;
        Ok(select)
    }

    /// A query, WITH included.
    pub(super) fn select(&mut self) -> Result<Box<Select>> {
        let start = self.token.start;
        let mut select = new_select();
        if self.at(TokenKind::With) {
            self.with_of(&mut select)?;
        }
        self.clauses(&mut select, start)?;
        Ok(select)
    }

    /// A query behind its WITH.
    pub(super) fn select_behind(&mut self, with: Option<With>, start: u32) -> Result<Box<Select>> {
        let mut select = new_select();
        select.with = with;
        self.clauses(&mut select, start)?;
        Ok(select)
    }

    #[inline(never)]
    fn with_of(&mut self, select: &mut Select) -> Result<()> {
        select.with = self.with()?;
        Ok(())
    }

    /// All of a query that is not WITH, put where it belongs piece by piece: a query that is on
    /// the stack while one inside of it is read takes little of it.
    fn clauses(&mut self, select: &mut Select, start: u32) -> Result<()> {
        self.select_core(&mut select.first)?;
        let mut values = matches!(select.first, SelectCore::Values(_));
        while let Some(operator) = self.compound_operator() {
            select.compounds.push((operator, SelectCore::Values(Vec::new())));
            if let Some((_, core)) = select.compounds.last_mut() {
                self.select_core(core)?;
                values = matches!(core, SelectCore::Values(_));
            }
        }
        // As in SQLite, rows of VALUES have no clauses behind them.
        if !values {
            self.order_and_limit(select)?;
        }
        select.span = self.span_from(start);
        Ok(())
    }

    #[inline(never)]
    fn order_and_limit(&mut self, select: &mut Select) -> Result<()> {
        select.order_by = self.order_by()?;
        select.limit = self.limit()?;
        self.no_compound_behind(select)
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
        let mut tables = Vec::with_capacity(1);
        loop {
            self.common_table(&mut tables)?;
            if !self.accept(TokenKind::Comma) {
                return Ok(Some(With { recursive, tables }));
            }
        }
    }

    #[inline(never)]
    fn common_table(&mut self, tables: &mut Vec<CommonTable>) -> Result<()> {
        let mut table = self.common_table_head()?;
        let select = self.subquery()?;
        table.select = *select;
        if tables.iter().any(|known| known.name == table.name) {
            let message = format!("duplicate WITH table name: {}", table.name.text);
            return Err(Error::invalid(message).at(table.name.span));
        }
        tables.push(*table);
        Ok(())
    }

    /// All of a common table before its query, which is an empty one.
    #[inline(never)]
    fn common_table_head(&mut self) -> Result<Box<CommonTable>> {
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
        let select = *new_select();
        Ok(Box::new(CommonTable { name, columns, materialized, select }))
    }

    fn select_core(&mut self, core: &mut SelectCore) -> Result<()> {
        if self.accept(TokenKind::Values) {
            return self.values(core);
        }
        self.expect(TokenKind::Select, "SELECT or VALUES")?;
        let mut query = new_query();
        self.query(&mut query)?;
        *core = SelectCore::Query(query);
        Ok(())
    }

    #[inline(never)]
    fn values(&mut self, core: &mut SelectCore) -> Result<()> {
        let mut rows = Vec::new();
        loop {
            self.expect(TokenKind::LeftParenthesis, "(")?;
            rows.push(self.expression_list()?);
            self.expect(TokenKind::RightParenthesis, ", or )")?;
            if !self.accept(TokenKind::Comma) {
                *core = SelectCore::Values(rows);
                return Ok(());
            }
        }
    }

    fn query(&mut self, query: &mut Query) -> Result<()> {
        query.distinct = self.distinct_or_all();
        loop {
            self.result_column(&mut query.columns)?;
            if !self.accept(TokenKind::Comma) {
                break;
            }
        }
        if self.accept(TokenKind::From) {
            self.query_from(query)?;
        }
        if self.accept(TokenKind::Where) {
            let filter = self.expression();
            self.held(&mut query.filter, filter)?;
        }
        if matches!(self.token.kind, TokenKind::Group | TokenKind::Having)
            || self.at_window_clause()
        {
            self.grouping(query)?;
        }
        Ok(())
    }

    /// GROUP BY, HAVING and WINDOW.
    #[inline(never)]
    fn grouping(&mut self, query: &mut Query) -> Result<()> {
        if self.accept(TokenKind::Group) {
            self.expect(TokenKind::By, "BY")?;
            query.group_by = self.expression_list()?;
        }
        if self.accept(TokenKind::Having) {
            query.having = Some(self.expression()?);
        }
        query.windows = self.window_clause()?;
        Ok(())
    }

    #[inline(never)]
    fn query_from(&mut self, query: &mut Query) -> Result<()> {
        let from = self.from()?;
        query.from = Some(*from);
        Ok(())
    }

    /// `WHERE ...`, or nothing.
    pub(super) fn filter(&mut self) -> Result<Option<crate::ast::Expression>> {
        if self.accept(TokenKind::Where) { Ok(Some(self.expression()?)) } else { Ok(None) }
    }

    /// `expression [alias], table.*, * ...`
    pub(super) fn result_columns(&mut self) -> Result<Vec<ResultColumn>> {
        let mut columns = Vec::with_capacity(1);
        loop {
            self.result_column(&mut columns)?;
            if !self.accept(TokenKind::Comma) {
                return Ok(columns);
            }
        }
    }

    fn result_column(&mut self, columns: &mut Vec<ResultColumn>) -> Result<()> {
        if self.at(TokenKind::Star) || (self.token.kind.is_name() && self.at_table_star()) {
            return self.star(columns);
        }
        let expression = self.expression();
        self.behind_column(columns, expression)
    }

    /// `*` and `table.*`
    #[inline(never)]
    fn star(&mut self, columns: &mut Vec<ResultColumn>) -> Result<()> {
        if self.at(TokenKind::Star) {
            let star = self.advance();
            columns.push(ResultColumn::Star(Span::new(star.start, star.end)));
            return Ok(());
        }
        let table = self.name("a table name")?;
        self.advance();
        self.advance();
        columns.push(ResultColumn::TableStar(table));
        Ok(())
    }

    #[inline]
    fn behind_column(
        &mut self,
        columns: &mut Vec<ResultColumn>,
        expression: Result<Expression>,
    ) -> Result<()> {
        let expression = expression?;
        columns.push(ResultColumn::Expression(expression, self.alias()?));
        Ok(())
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
    pub(super) fn from(&mut self) -> Result<Box<From>> {
        let start = self.token.start;
        let first = self.reference_kind();
        let mut from = self.first_reference(first, start)?;
        while let Some((kind, natural)) = self.join_operator()? {
            let start = self.token.start;
            let table = self.reference_kind();
            self.join(&mut from, (kind, natural), table, start)?;
        }
        Ok(from)
    }

    #[inline(never)]
    fn first_reference(
        &mut self,
        kind: Result<TableReferenceKind>,
        start: u32,
    ) -> Result<Box<From>> {
        let first = self.table_reference(kind?, start)?;
        if matches!(self.token.kind, TokenKind::On | TokenKind::Using) {
            return Err(Error::invalid("a JOIN clause is required before ON")
                .at(self.token_span())
                .with_hint("write JOIN between two tables, or WHERE for a condition"));
        }
        Ok(Box::new(From { first, joins: Vec::new() }))
    }

    #[inline(never)]
    fn join(
        &mut self,
        from: &mut From,
        (kind, natural): (JoinKind, bool),
        table: Result<TableReferenceKind>,
        start: u32,
    ) -> Result<()> {
        let table = self.table_reference(table?, start)?;
        let constraint = self.join_constraint()?;
        from.joins.push(Join { kind, natural, table, constraint });
        Ok(())
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

    #[inline]
    fn reference_kind(&mut self) -> Result<TableReferenceKind> {
        if self.at(TokenKind::LeftParenthesis) {
            self.parenthesized_reference()
        } else {
            self.named_reference()
        }
    }

    /// What stands behind a name or a parenthesis in FROM.
    fn table_reference(&mut self, kind: TableReferenceKind, start: u32) -> Result<TableReference> {
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
            let select = self.subquery()?;
            return Ok(TableReferenceKind::Subquery(select));
        }
        self.enter(limits::WEIGHT_SELECT)?;
        let from = self.from()?;
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
        self.databases.extend(name.schema.clone());
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

/// An empty query; it is boxed at once, so that no frame under way holds the node.
#[inline(never)]
fn new_select() -> Box<Select> {
    Box::new(Select {
        with: None,
        first: SelectCore::Values(Vec::new()),
        compounds: Vec::new(),
        order_by: Vec::new(),
        limit: None,
        span: Span::default(),
    })
}

#[inline(never)]
fn new_query() -> Box<Query> {
    Box::new(Query {
        distinct: false,
        columns: Vec::with_capacity(1),
        from: None,
        filter: None,
        group_by: Vec::new(),
        having: None,
        windows: Vec::new(),
    })
}
