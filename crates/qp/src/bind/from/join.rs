//! What makes a pair: ON, USING and NATURAL, and what becomes of the columns of both sides.
//!
//! Neighbours: the module above asks for it, join by join.

use crate::ast::{self, JoinConstraint, JoinKind};
use crate::bind::Binder;
use crate::bind::scope::{NameScope, ScopeColumn, ScopeTable};
use crate::error::{Error, ErrorKind, Result};
use crate::scalar::{Case, CompareRule, Comparison, Scalar};
use crate::span::Span;

use super::split_and;

impl Binder<'_> {
    /// ON, USING and NATURAL: what makes a pair.
    pub(super) fn join_condition(
        &mut self,
        join: &ast::Join,
        scope: &mut NameScope,
        left_tables: usize,
        has_right: bool,
    ) -> Result<Vec<Scalar>> {
        if join.natural && join.constraint.is_some() {
            let message = "a NATURAL join may not have an ON or USING clause";
            return Err(Error::invalid(message));
        }
        let names: Vec<(Box<str>, Span)> = match &join.constraint {
            Some(JoinConstraint::On(expression)) => {
                let bound = self.over(scope, |binder| binder.expression(expression))?;
                return Ok(split_and(bound));
            }
            Some(JoinConstraint::Using(names)) => {
                names.iter().map(|name| (name.text.clone(), name.span)).collect()
            }
            None if join.natural => {
                let names = common_names(scope, left_tables).into_iter();
                names.map(|name| (name, Span::default())).collect()
            }
            None => return Ok(Vec::new()),
        };
        names
            .iter()
            .map(|name| self.merge_column(name, join.kind, scope, left_tables, has_right))
            .collect()
    }

    /// Makes the columns called `name` on both sides one.
    fn merge_column(
        &mut self,
        (name, span): &(Box<str>, Span),
        kind: JoinKind,
        scope: &mut NameScope,
        left_tables: usize,
        has_right: bool,
    ) -> Result<Scalar> {
        let missing = || {
            Error::invalid(format!(
                "cannot join using column {name} - column not present in both tables"
            ))
            .at(*span)
        };
        let (left, right) = scope.tables.split_at_mut(left_tables);
        let find = |tables: &mut [ScopeTable]| -> Option<(usize, usize)> {
            tables.iter().enumerate().find_map(|(table, names)| {
                let column = names
                    .columns
                    .iter()
                    .position(|column| !column.merged && column.name.eq_ignore_ascii_case(name))?;
                Some((table, column))
            })
        };
        let (left_table, left_column) = find(left).ok_or_else(missing)?;
        let (right_table, right_column) = find(right).ok_or_else(missing)?;
        let left_count = left
            .iter()
            .flat_map(|table| &table.columns)
            .filter(|column| !column.merged && column.name.eq_ignore_ascii_case(name))
            .count();
        // Only where a RIGHT JOIN may make up its rows it matters which of several is meant.
        if left_count > 1 && has_right {
            let message = format!("ambiguous reference to {name} in USING()");
            return Err(Error::new(ErrorKind::Ambiguous, message).at(*span));
        }
        for (table, column) in
            [(&mut left[left_table], left_column), (&mut right[right_table], right_column)]
        {
            if !self.may_read_of(table, column)? {
                table.columns[column].scalar = Scalar::NULL;
            }
        }
        let compared_right = compared(&right[right_table], right_column, has_right);
        let common_right = common(&right[right_table], right_column);
        // As in SQLite, the right side's tables (there may be several in parentheses) have other
        // columns of that name only where the right one's rows count.
        let takes_right = matches!(kind, JoinKind::Right | JoinKind::Full);
        for (place, table) in right.iter_mut().enumerate() {
            let is_one = |it: &ScopeColumn| !it.merged && it.name.eq_ignore_ascii_case(name);
            if let Some(at) = table.columns.iter().position(is_one)
                && (place == right_table || !takes_right)
            {
                table.columns[at].merged = true;
            }
        }
        let common_left = common(&left[left_table], left_column);
        // Where rows may be made up any of the columns to the left may be the one that is there.
        let mut all = vec![compared(&left[left_table], left_column, has_right)];
        for table in left.iter().skip(left_table + 1).filter(|_| has_right) {
            let named = |column: &ScopeColumn| column.name.eq_ignore_ascii_case(name);
            all.extend(table.columns.iter().position(named).map(|at| compared(table, at, true)));
        }
        let left_column = &mut left[left_table].columns[left_column];
        match kind {
            // What both sides have is the right one's, as in SQLite: the two may be spelled
            // differently.
            JoinKind::Right => left_column.common = Some(common_right),
            JoinKind::Full => left_column.common = Some(first_of(vec![common_left, common_right])),
            _ => {}
        }
        self.compare(Comparison::Equal, first_of(all), compared_right)
    }
}

/// What a join compares of a column that may be one with others.
fn compared(table: &ScopeTable, column: usize, may_be_made_up: bool) -> Scalar {
    match &table.columns[column].paired {
        Some(paired) => paired.clone(),
        None if may_be_made_up => guarded(table, column),
        None => table.columns[column].scalar.clone(),
    }
}

/// What a column that is one with others means without its table's name.
fn common(table: &ScopeTable, column: usize) -> Scalar {
    table.columns[column].common.clone().unwrap_or_else(|| guarded(table, column))
}

/// The first of several columns that is not NULL, as SQLite's `coalesce` of them. One that is made
/// of several itself gives these: each is there twice, so that one inside of the other would
/// double with every join.
fn first_of(all: Vec<Scalar>) -> Scalar {
    let mut parts = Vec::with_capacity(all.len());
    for one in all {
        match one {
            Scalar::Case(case) if case.merges => {
                parts.extend(case.branches.into_iter().map(|(_, _, part)| part));
                parts.extend(case.otherwise);
            }
            other => parts.push(other),
        }
    }
    if parts.len() < 2 {
        return parts.pop().unwrap_or(Scalar::NULL);
    }
    let otherwise = parts.pop();
    let branch =
        |one: Scalar| (Scalar::IsNull(Box::new(one.clone()), true), CompareRule::default(), one);
    let branches = parts.into_iter().map(branch).collect();
    let case = Case { operand: None, branches, otherwise, merges: true };
    Scalar::Case(Box::new(case))
}

/// Notes which columns of the table before a join a star shows first: those that the join made one
/// with columns behind it.
pub(super) fn show_first(join: &ast::Join, scope: &mut NameScope, left_tables: usize) {
    let Some(place) = left_tables.checked_sub(1) else { return };
    let (left, right) = scope.tables.split_at(left_tables);
    let names: Vec<&str> = match &join.constraint {
        Some(JoinConstraint::Using(names)) => names.iter().map(|name| &*name.text).collect(),
        None if join.natural => {
            let columns = right.iter().flat_map(|table| &table.columns);
            columns.filter(|column| column.merged).map(|column| &*column.name).collect()
        }
        _ => return,
    };
    let columns = &left[place].columns;
    let shown =
        |name: &str| columns.iter().position(|it| !it.merged && it.name.eq_ignore_ascii_case(name));
    let found: Vec<_> = names.into_iter().filter_map(shown).map(|column| (place, column)).collect();
    scope.shown_first.extend(found);
}

/// Names that both sides of a NATURAL join have.
fn common_names(scope: &NameScope, left_tables: usize) -> Vec<Box<str>> {
    let (left, right) = scope.tables.split_at(left_tables);
    let visible = |column: &&ScopeColumn| !column.hidden && !column.merged;
    let mut names: Vec<Box<str>> = Vec::new();
    for column in right.iter().flat_map(|table| &table.columns).filter(visible) {
        let is_left = left
            .iter()
            .flat_map(|table| &table.columns)
            .filter(visible)
            .any(|other| other.name.eq_ignore_ascii_case(&column.name));
        if is_left && !names.iter().any(|name| name.eq_ignore_ascii_case(&column.name)) {
            names.push(column.name.clone());
        }
    }
    names
}

/// Makes virtual columns NULL where an outer join makes up the row: their expressions are read in
/// the place of a column, and may be something else over NULLs.
pub(super) fn guard_virtual_columns(scope: &mut ScopeTable) {
    for column in 0..scope.columns.len() {
        scope.columns[column].scalar = guarded(scope, column);
    }
}

/// A column as it is read where its row may be made up.
fn guarded(scope: &ScopeTable, index: usize) -> Scalar {
    let value = scope.columns[index].scalar.clone();
    let Some(table) = &scope.table else { return value };
    let Some(column) = table.columns.get(index).filter(|column| column.is_virtual()) else {
        return value;
    };
    // No row has a NULL there.
    let marker = if let Some(rowid) = &scope.rowid {
        Some(rowid.clone())
    } else {
        let key = table.key_columns().first().and_then(crate::catalog::IndexColumn::column);
        key.and_then(|index| scope.columns.get(index)).map(|column| column.scalar.clone())
    };
    let Some(marker) = marker else { return value };
    let is_there = Scalar::IsNull(Box::new(marker), true);
    let branches = vec![(is_there, CompareRule::default(), value)];
    let case = Case { operand: None, branches, otherwise: None, merges: false };
    let value = Box::new(Scalar::Case(Box::new(case)));
    Scalar::Convert(value, column.affinity, Some(column.collation), true)
}

// Neighbours: `bind::from`.
