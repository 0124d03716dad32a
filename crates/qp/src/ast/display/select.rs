//! Queries as text.
//!
//! Neighbours: `expression`, `mod`; `ast::select` (the tree).

use std::fmt;

use super::{Print, Printer};
use crate::ast::{
    CommonTable, CompoundOperator, From, IndexHint, Join, JoinConstraint, JoinKind, Limit, Name,
    NamedTable, PointInTime, Query, ResultColumn, Select, SelectCore, TableFunction,
    TableReference, TableReferenceKind, Window, With,
};

impl Print for Select {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        if let Some(with) = &self.with {
            printer.node(with)?;
            printer.text(" ")?;
        }
        printer.node(&self.first)?;
        for (operator, core) in &self.compounds {
            printer.text(match operator {
                CompoundOperator::Union => " UNION ",
                CompoundOperator::UnionAll => " UNION ALL ",
                CompoundOperator::Except => " EXCEPT ",
                CompoundOperator::Intersect => " INTERSECT ",
            })?;
            printer.node(core)?;
        }
        printer.clause(" ORDER BY ", &self.order_by)?;
        printer.optional(" LIMIT ", self.limit.as_ref())
    }
}

impl Print for With {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        printer.text(if self.recursive { "WITH RECURSIVE " } else { "WITH " })?;
        printer.list(&self.tables)
    }
}

impl Print for CommonTable {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        printer.node(&self.name)?;
        printer.optional_list(&self.columns)?;
        printer.text(match self.materialized {
            None => " AS (",
            Some(true) => " AS MATERIALIZED (",
            Some(false) => " AS NOT MATERIALIZED (",
        })?;
        printer.node(&self.select)?;
        printer.text(")")
    }
}

impl Print for SelectCore {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        match self {
            Self::Query(query) => printer.node(query.as_ref()),
            Self::Values(rows) => {
                printer.text("VALUES ")?;
                for (index, row) in rows.iter().enumerate() {
                    printer.text(if index == 0 { "(" } else { ", (" })?;
                    printer.list(row)?;
                    printer.text(")")?;
                }
                Ok(())
            }
        }
    }
}

impl Print for Query {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        printer.text(if self.distinct { "SELECT DISTINCT " } else { "SELECT " })?;
        printer.list(&self.columns)?;
        printer.optional(" FROM ", self.from.as_ref())?;
        printer.optional(" WHERE ", self.filter.as_ref())?;
        printer.clause(" GROUP BY ", &self.group_by)?;
        printer.optional(" HAVING ", self.having.as_ref())?;
        printer.clause(" WINDOW ", &self.windows)
    }
}

impl Print for (Name, Window) {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        printer.node(&self.0)?;
        printer.text(" AS ")?;
        printer.node(&self.1)
    }
}

impl Print for ResultColumn {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        match self {
            Self::Star(_) => printer.text("*"),
            Self::TableStar(table) => {
                printer.node(table)?;
                printer.text(".*")
            }
            Self::Expression(expression, alias) => {
                printer.node(expression)?;
                printer.optional(" AS ", alias.as_ref())
            }
        }
    }
}

impl Print for Limit {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        printer.node(&self.count)?;
        printer.optional(" OFFSET ", self.offset.as_ref())
    }
}

impl Print for From {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        printer.node(&self.first)?;
        for join in &self.joins {
            printer.node(join)?;
        }
        Ok(())
    }
}

impl Print for Join {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        printer.text(if self.natural { " NATURAL" } else { "" })?;
        printer.text(match self.kind {
            JoinKind::Comma => ", ",
            JoinKind::Inner => " JOIN ",
            JoinKind::Cross => " CROSS JOIN ",
            JoinKind::Left => " LEFT JOIN ",
            JoinKind::Right => " RIGHT JOIN ",
            JoinKind::Full => " FULL JOIN ",
        })?;
        printer.node(&self.table)?;
        match &self.constraint {
            None => Ok(()),
            Some(JoinConstraint::On(condition)) => printer.optional(" ON ", Some(condition)),
            Some(JoinConstraint::Using(columns)) => {
                printer.text(" USING")?;
                printer.optional_list(columns)
            }
        }
    }
}

impl Print for TableReference {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        match &self.kind {
            TableReferenceKind::Table(table) => {
                printer.node(&table.name)?;
                printer.optional(" AS OF ", table.as_of.as_ref())?;
                printer.optional(" AS ", self.alias.as_ref())?;
                return printer.node(table.as_ref());
            }
            TableReferenceKind::Function(function) => printer.node(function.as_ref())?,
            TableReferenceKind::Subquery(select) => {
                printer.text("(")?;
                printer.node(select.as_ref())?;
                printer.text(")")?;
            }
            TableReferenceKind::Join(from) => {
                printer.text("(")?;
                printer.node(from.as_ref())?;
                printer.text(")")?;
            }
        }
        printer.optional(" AS ", self.alias.as_ref())
    }
}

/// What stands behind the alias.
impl Print for NamedTable {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        printer.optional("", self.index.as_ref())
    }
}

impl Print for IndexHint {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        match self {
            Self::IndexedBy(name) => printer.optional(" INDEXED BY ", Some(name)),
            Self::NotIndexed => printer.text(" NOT INDEXED"),
        }
    }
}

impl Print for TableFunction {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        printer.node(&self.name)?;
        printer.text("(")?;
        printer.list(&self.arguments)?;
        printer.text(")")
    }
}

impl Print for PointInTime {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        match self {
            Self::Now => printer.text("NOW"),
            Self::Timestamp(text) => {
                printer.text("TIMESTAMP ")?;
                printer.quoted(text, '\'', '\'')
            }
            Self::Transaction(number) => write!(printer.out, "TRANSACTION {number}"),
            Self::Scn(number) => write!(printer.out, "SCN {number}"),
            Self::Tag(name) => printer.optional("TAG ", Some(name)),
        }
    }
}
