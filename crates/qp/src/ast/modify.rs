//! INSERT, UPDATE and DELETE, with upsert and RETURNING.
//!
//! Neighbours: `select` (sources, results), `define` (triggers hold these too).

use super::{
    Expression, From, IndexHint, Limit, Name, OrderTerm, ResultColumn, Select, TableName, With,
};

/// What happens to a row that breaks a constraint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConflictAction {
    /// Ends the statement and the transaction.
    Rollback,
    /// Ends the statement and takes it back: the default.
    Abort,
    /// Ends the statement and keeps what it did.
    Fail,
    /// Leaves the row out.
    Ignore,
    /// Removes the rows in the way.
    Replace,
}

/// `[WITH ..] INSERT [OR ..] INTO table [AS alias] [(columns)] source [ON CONFLICT ..]`
#[derive(Clone, Debug, PartialEq)]
pub struct Insert {
    /// Common table expressions.
    pub with: Option<With>,
    /// `OR action`; `REPLACE INTO` is `Replace`.
    pub conflict: Option<ConflictAction>,
    /// Where to.
    pub table: TableName,
    /// Its alias.
    pub alias: Option<Name>,
    /// Which columns; all without.
    pub columns: Vec<Name>,
    /// The rows.
    pub source: InsertSource,
    /// `ON CONFLICT` clauses in order.
    pub upserts: Vec<Upsert>,
    /// `RETURNING`
    pub returning: Vec<ResultColumn>,
}

/// Where the rows of an INSERT come from.
#[derive(Clone, Debug, PartialEq)]
pub enum InsertSource {
    /// `SELECT` or `VALUES`
    Select(Box<Select>),
    /// `DEFAULT VALUES`
    DefaultValues,
}

/// `ON CONFLICT [(target) [WHERE ..]] DO ...`
#[derive(Clone, Debug, PartialEq)]
pub struct Upsert {
    /// The columns of the unique index; any conflict if empty.
    pub target: Vec<OrderTerm>,
    /// The condition of a partial index.
    pub target_filter: Option<Expression>,
    /// What is done instead.
    pub action: UpsertAction,
}

/// What an upsert does with a row in the way.
#[derive(Clone, Debug, PartialEq)]
pub enum UpsertAction {
    /// `DO NOTHING`
    Nothing,
    /// `DO UPDATE SET .. [WHERE ..]`
    Update(Vec<Assignment>, Option<Expression>),
}

/// `column = value` or `(columns) = value`
#[derive(Clone, Debug, PartialEq)]
pub struct Assignment {
    /// One column, or several that take the parts of a row.
    pub columns: Vec<Name>,
    /// Written with parentheses: the value is a row, also with one column.
    pub row: bool,
    /// The new value.
    pub value: Expression,
}

/// `[WITH ..] UPDATE [OR ..] table SET .. [FROM ..] [WHERE ..] [RETURNING ..] [LIMIT ..]`
#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    /// Common table expressions.
    pub with: Option<With>,
    /// `OR action`
    pub conflict: Option<ConflictAction>,
    /// Which table.
    pub table: TableName,
    /// Its alias.
    pub alias: Option<Name>,
    /// Which index must serve it.
    pub index: Option<IndexHint>,
    /// SET
    pub assignments: Vec<Assignment>,
    /// FROM
    pub from: Option<From>,
    /// WHERE
    pub filter: Option<Expression>,
    /// RETURNING
    pub returning: Vec<ResultColumn>,
    /// ORDER BY, for LIMIT.
    pub order_by: Vec<OrderTerm>,
    /// How many rows at most.
    pub limit: Option<Limit>,
}

/// `[WITH ..] DELETE FROM table [WHERE ..] [RETURNING ..] [ORDER BY ..] [LIMIT ..]`
#[derive(Clone, Debug, PartialEq)]
pub struct Delete {
    /// Common table expressions.
    pub with: Option<With>,
    /// Which table.
    pub table: TableName,
    /// Its alias.
    pub alias: Option<Name>,
    /// Which index must serve it.
    pub index: Option<IndexHint>,
    /// WHERE
    pub filter: Option<Expression>,
    /// RETURNING
    pub returning: Vec<ResultColumn>,
    /// ORDER BY, for LIMIT.
    pub order_by: Vec<OrderTerm>,
    /// How many rows at most.
    pub limit: Option<Limit>,
}
