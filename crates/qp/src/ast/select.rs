//! Queries: SELECT, VALUES, compounds of them, and what they read from.
//!
//! Compounds and joins are flat lists from the left, as SQL groups them. Neighbours:
//! `expression` (what is computed), `branch` (points in time), `display` (printing).

use super::{Expression, Name, PointInTime, QualifiedName, TableName, Window};
use crate::span::Span;

/// `[WITH ..] core [UNION core ..] [ORDER BY ..] [LIMIT ..]`
#[derive(Clone, Debug)]
pub struct Select {
    /// Common table expressions.
    pub with: Option<With>,
    /// The first select.
    pub first: SelectCore,
    /// Those that follow, from the left.
    pub compounds: Vec<(CompoundOperator, SelectCore)>,
    /// ORDER BY of the whole.
    pub order_by: Vec<OrderTerm>,
    /// LIMIT of the whole.
    pub limit: Option<Limit>,
    /// Where it stands.
    pub span: Span,
}

impl PartialEq for Select {
    fn eq(&self, other: &Self) -> bool {
        self.with == other.with
            && self.first == other.first
            && self.compounds == other.compounds
            && self.order_by == other.order_by
            && self.limit == other.limit
    }
}

/// `WITH [RECURSIVE] table, ...`
#[derive(Clone, Debug, PartialEq)]
pub struct With {
    /// `RECURSIVE`; SQLite allows recursion without it too.
    pub recursive: bool,
    /// The tables.
    pub tables: Vec<CommonTable>,
}

/// `name [(columns)] AS [[NOT] MATERIALIZED] (select)`
#[derive(Clone, Debug, PartialEq)]
pub struct CommonTable {
    /// Its name.
    pub name: Name,
    /// Names of its columns, those of the select without.
    pub columns: Vec<Name>,
    /// The hint: `Some(true)` for MATERIALIZED, `Some(false)` for NOT MATERIALIZED.
    pub materialized: Option<bool>,
    /// What it holds.
    pub select: Select,
}

/// How two selects are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompoundOperator {
    /// `UNION`
    Union,
    /// `UNION ALL`
    UnionAll,
    /// `EXCEPT`
    Except,
    /// `INTERSECT`
    Intersect,
}

/// One part of a compound.
#[derive(Clone, Debug, PartialEq)]
pub enum SelectCore {
    /// `SELECT ...`
    Query(Box<Query>),
    /// `VALUES (..), (..)`
    Values(Vec<Vec<Expression>>),
}

impl SelectCore {
    /// Where its result columns stand, or the first of its rows; empty where they came from no
    /// text.
    pub fn results_span(&self) -> Span {
        let spans: Vec<Span> = match self {
            Self::Query(query) => query.columns.iter().map(ResultColumn::span).collect(),
            Self::Values(rows) => {
                rows.iter().take(1).flatten().map(|expression| expression.span).collect()
            }
        };
        spans.into_iter().reduce(Span::to).unwrap_or_default()
    }
}

/// `SELECT [DISTINCT] .. [FROM ..] [WHERE ..] [GROUP BY .. ] [HAVING ..] [WINDOW ..]`
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// `DISTINCT`
    pub distinct: bool,
    /// What is returned.
    pub columns: Vec<ResultColumn>,
    /// Where from.
    pub from: Option<From>,
    /// WHERE
    pub filter: Option<Expression>,
    /// GROUP BY
    pub group_by: Vec<Expression>,
    /// HAVING
    pub having: Option<Expression>,
    /// Named windows.
    pub windows: Vec<(Name, Window)>,
}

/// A column of a result, also of RETURNING.
#[derive(Clone, Debug)]
pub enum ResultColumn {
    /// `*`
    Star(Span),
    /// `table.*`
    TableStar(Name),
    /// `expression [[AS] alias]`; without an alias the column is named by the span's text.
    Expression(Expression, Option<Name>),
}

impl ResultColumn {
    /// Where it stands, without its alias.
    pub fn span(&self) -> Span {
        match self {
            Self::Star(span) => *span,
            Self::TableStar(name) => name.span,
            Self::Expression(expression, _) => expression.span,
        }
    }
}

impl PartialEq for ResultColumn {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Star(_), Self::Star(_)) => true,
            (Self::TableStar(left), Self::TableStar(right)) => left == right,
            (Self::Expression(left, alias), Self::Expression(right, other)) => {
                left == right && alias == other
            }
            _ => false,
        }
    }
}

/// `FROM first join ...`, joined from the left.
#[derive(Clone, Debug, PartialEq)]
pub struct From {
    /// The leftmost.
    pub first: TableReference,
    /// What is joined to it.
    pub joins: Vec<Join>,
}

/// `operator table [ON .. | USING ..]`
#[derive(Clone, Debug, PartialEq)]
pub struct Join {
    /// Which kind of join.
    pub kind: JoinKind,
    /// `NATURAL`
    pub natural: bool,
    /// The right side.
    pub table: TableReference,
    /// On what.
    pub constraint: Option<JoinConstraint>,
}

/// The kinds of joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JoinKind {
    /// `,`
    Comma,
    /// `[INNER] JOIN`
    Inner,
    /// `CROSS JOIN`: the order of the tables is kept.
    Cross,
    /// `LEFT [OUTER] JOIN`
    Left,
    /// `RIGHT [OUTER] JOIN`
    Right,
    /// `FULL [OUTER] JOIN`
    Full,
}

/// On what two tables are joined.
#[derive(Clone, Debug, PartialEq)]
pub enum JoinConstraint {
    /// `ON expression`
    On(Expression),
    /// `USING (columns)`
    Using(Vec<Name>),
}

/// One thing to read rows from.
#[derive(Clone, Debug)]
pub struct TableReference {
    /// What it is.
    pub kind: TableReferenceKind,
    /// Its alias.
    pub alias: Option<Name>,
    /// Where it stands, the alias included.
    pub span: Span,
}

impl PartialEq for TableReference {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind && self.alias == other.alias
    }
}

/// The kinds of things to read from.
#[derive(Clone, Debug, PartialEq)]
pub enum TableReferenceKind {
    /// A table, a view or a common table.
    Table(Box<NamedTable>),
    /// `[schema.]function(arguments)`
    Function(Box<TableFunction>),
    /// `(SELECT ...)`
    Subquery(Box<Select>),
    /// `(a JOIN b ...)`
    Join(Box<From>),
}

/// `[schema.]name[@branch] [AS OF ..] [INDEXED BY .. | NOT INDEXED]`
#[derive(Clone, Debug, PartialEq)]
pub struct NamedTable {
    /// Its name.
    pub name: TableName,
    /// As it was when.
    pub as_of: Option<PointInTime>,
    /// Which index must serve it.
    pub index: Option<IndexHint>,
}

/// `[schema.]name(arguments)` in FROM.
#[derive(Clone, Debug, PartialEq)]
pub struct TableFunction {
    /// The function.
    pub name: QualifiedName,
    /// What it is called with.
    pub arguments: Vec<Expression>,
}

/// Which index must or must not serve a table.
#[derive(Clone, Debug, PartialEq)]
pub enum IndexHint {
    /// `INDEXED BY name`
    IndexedBy(Name),
    /// `NOT INDEXED`
    NotIndexed,
}

/// `expression [ASC | DESC] [NULLS FIRST | LAST]`, also a column of an index.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderTerm {
    /// By what; `COLLATE` is part of it.
    pub expression: Expression,
    /// ASC or DESC, if said.
    pub order: Option<SortOrder>,
    /// Where NULLs go, if said.
    pub nulls: Option<NullsOrder>,
}

/// The direction of a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SortOrder {
    /// `ASC`
    Ascending,
    /// `DESC`
    Descending,
}

/// Where NULLs go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NullsOrder {
    /// `NULLS FIRST`
    First,
    /// `NULLS LAST`
    Last,
}

/// `LIMIT count [OFFSET offset]`
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    /// How many rows; a negative number is no limit.
    pub count: Expression,
    /// How many are skipped first.
    pub offset: Option<Expression>,
}
