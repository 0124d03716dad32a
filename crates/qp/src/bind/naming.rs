//! What result columns are called, as SQLite calls them.
//!
//! A column without alias goes by three names. In a result it has that of the column that it is, or
//! its text; a view sees through COLLATE and hints, too. A query in FROM is named before its names
//! are looked up: its columns are called as they are written there. Neighbours: `select` asks,
//! `from` makes the columns of what is read.

use super::scope::Found;
use super::{Binder, Block};
use crate::ast::{self, ColumnReference, Expression, ExpressionKind, FunctionArguments};
use crate::plan::OutputColumn;
use crate::scalar::Scalar;

/// Who reads a block as a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Naming {
    /// A view, or CREATE TABLE AS: names were looked up.
    View,
    /// A query in FROM, or a common table.
    Query,
}

impl Binder<'_> {
    /// A column of a result, without or with an alias.
    pub(super) fn output_column(
        &self,
        expression: &Expression,
        alias: Option<&ast::Name>,
        scalar: &Scalar,
    ) -> OutputColumn {
        let declared_type = self.declared_type_of(expression, scalar);
        if let Some(alias) = alias {
            let name = alias.text.clone();
            return OutputColumn { name, declared_type, ..OutputColumn::default() };
        }
        let text = || Box::from(expression.span.of(&self.text).trim());
        let reference = column(unhinted(expression, true));
        let looked_up = reference.and_then(|reference| self.name_of_column(reference, scalar));
        let written = column(unhinted(expression, false));
        let name = looked_up.clone().filter(|_| column(expression).is_some());
        OutputColumn {
            name: name.unwrap_or_else(text),
            in_view: looked_up,
            in_query: written.map(|reference| reference.column.text.clone()),
            declared_type,
        }
    }

    /// What the column is called that a name of the innermost block means; none where it means no
    /// column, or several that a join has made one.
    fn name_of_column(&self, reference: &ColumnReference, scalar: &Scalar) -> Option<Box<str>> {
        let index = self.scopes.len().checked_sub(1)?;
        let schema = reference.schema.as_ref().map(|name| self.database(name));
        let found = self.find_in(index, schema.transpose().ok()?, reference).ok()??;
        let Found::Scalar(found, (table, column)) = found else { return None };
        let Some(column) = column else {
            // The rowid may be a column of the table.
            let known = self.visible_column(scalar).map(|(name, _)| name);
            return Some(known.unwrap_or_else(|| Box::from("rowid")));
        };
        let column = &self.scopes[index].tables[table].columns[column];
        match (&found, &column.common, &reference.table) {
            (Scalar::Case(case), ..) if case.merges => None,
            // Of columns that a join has made one the right one counts.
            (_, Some(_), None) => self.visible_column(&found).map(|(name, _)| name),
            _ => Some(column.name.clone()),
        }
    }
}

/// The column that an expression is.
fn column(expression: &Expression) -> Option<&ColumnReference> {
    match &expression.kind {
        ExpressionKind::Column(reference) => Some(reference),
        _ => None,
    }
}

/// An expression without COLLATE and, where functions are known, what is a hint to a planner.
fn unhinted(expression: &Expression, knows_functions: bool) -> &Expression {
    match &expression.kind {
        ExpressionKind::Collate(collate) => unhinted(&collate.operand, knows_functions),
        ExpressionKind::Function(call) if knows_functions => {
            let is_hint = ["likely", "unlikely", "likelihood"]
                .iter()
                .any(|name| call.name.text.eq_ignore_ascii_case(name));
            match &call.arguments {
                FunctionArguments::List(arguments) if is_hint => {
                    arguments.first().map_or(expression, |first| unhinted(first, true))
                }
                _ => expression,
            }
        }
        _ => expression,
    }
}

/// The names of a block's columns for who reads it; those that come again get a number.
pub(crate) fn unique_names(block: &Block, names: &[Box<str>], naming: Naming) -> Vec<Box<str>> {
    let mut result: Vec<Box<str>> = Vec::with_capacity(block.columns.len());
    for (index, column) in block.columns.iter().enumerate() {
        let own = match naming {
            Naming::View => column.in_view.as_ref(),
            Naming::Query => column.in_query.as_ref(),
        };
        let wanted = names.get(index).or(own).unwrap_or(&column.name);
        let is_truth = ["true", "false"].iter().any(|word| wanted.eq_ignore_ascii_case(word));
        let mut name =
            if is_truth { format!("column{}", index + 1).into() } else { wanted.clone() };
        let mut number = 0;
        while result.iter().any(|known| known.eq_ignore_ascii_case(&name)) {
            number += 1;
            name = format!("{}:{number}", without_number(&name)).into_boxed_str();
        }
        result.push(name);
    }
    result
}

/// A name without the number that made it another.
fn without_number(name: &str) -> &str {
    let base = name.trim_end_matches(|sign: char| sign.is_ascii_digit());
    base.strip_suffix(':').filter(|base| !base.is_empty()).unwrap_or(name)
}
