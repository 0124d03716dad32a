//! The syntax tree: plain owned data, one node for each construct, a byte span on every node.
//!
//! Names are kept as they were written (with the kind of quotes), numbers and strings as
//! values. Parentheses leave no node: the shape of the tree says it, and `display` puts back
//! those that are needed. Left-associative operators of one level are one flat node
//! ([`Chain`]), and so are joins, compound selects and rows of VALUES, so that the depth of a
//! tree is bounded by `limits` whatever the length of the text, and walking or dropping it
//! cannot run out of stack.
//!
//! Equality is that of SQL: names compare without regard to ASCII case, spans do not count.
//!
//! Neighbours: `parse` builds it, `display` prints it, the binder reads it.

// Parts that all statements share.
mod name;

// Queries.
mod expression;
mod select;

// Statements.
mod branch;
mod define;
mod modify;
mod pragma;
mod transaction;

// Back to text.
mod display;

pub use branch::*;
pub use define::*;
pub use display::Parenthesized;
pub use expression::*;
pub use modify::*;
pub use name::{Name, QualifiedName, Quote, TableName};
pub use pragma::*;
pub use select::*;
pub use transaction::*;

use crate::span::Span;

/// One statement with its place in the text (without the semicolon).
#[derive(Clone, Debug)]
pub struct Statement {
    /// What it says.
    pub kind: StatementKind,
    /// Where it stands.
    pub span: Span,
}

impl PartialEq for Statement {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

/// The kinds of statements.
#[derive(Clone, Debug, PartialEq)]
pub enum StatementKind {
    /// `EXPLAIN ...`
    Explain(ExplainMode, Box<Statement>),
    /// `SELECT`, `VALUES`, with or without `WITH`.
    Select(Box<Select>),
    /// `INSERT` and `REPLACE`.
    Insert(Box<Insert>),
    /// `UPDATE`
    Update(Box<Update>),
    /// `DELETE`
    Delete(Box<Delete>),
    /// `CREATE TABLE`
    CreateTable(Box<CreateTable>),
    /// `CREATE VIRTUAL TABLE`
    CreateVirtualTable(Box<CreateVirtualTable>),
    /// `CREATE INDEX`
    CreateIndex(Box<CreateIndex>),
    /// `CREATE VIEW`
    CreateView(Box<CreateView>),
    /// `CREATE TRIGGER`
    CreateTrigger(Box<CreateTrigger>),
    /// `ALTER TABLE`
    AlterTable(Box<AlterTable>),
    /// `DROP TABLE | INDEX | VIEW | TRIGGER`
    Drop(Box<Drop>),
    /// `BEGIN`, `COMMIT`, `ROLLBACK`, savepoints.
    Transaction(TransactionStatement),
    /// `PRAGMA`
    Pragma(Box<Pragma>),
    /// `ATTACH`
    Attach(Box<Attach>),
    /// `DETACH [DATABASE] schema`
    Detach(Box<Expression>),
    /// `ANALYZE [name]`
    Analyze(Option<Box<QualifiedName>>),
    /// `REINDEX [name]`
    Reindex(Option<Box<QualifiedName>>),
    /// `VACUUM [schema] [INTO file]`
    Vacuum(Box<Vacuum>),
    /// Branches, history, merges, backup: what PandoDB adds.
    Branch(Box<BranchStatement>),
    /// `SUMMARIZE table`: statistics of each column.
    Summarize(Box<TableName>),
}

/// What `EXPLAIN` is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExplainMode {
    /// `EXPLAIN`: the plan as a tree.
    Plan,
    /// `EXPLAIN QUERY PLAN`: in SQLite's wording.
    QueryPlan,
    /// `EXPLAIN ANALYZE`: runs the statement and reports what each step took.
    Analyze,
}
