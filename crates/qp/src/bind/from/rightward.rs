//! ON that reads tables to its right: bound again when all of FROM is known.
//!
//! As in SQLite a name in ON may mean any table of its FROM. What reads a table to the right is a
//! condition on the whole of it; where a join to the right or an outer one would have to know the
//! table, that is an error. Most names are known to mean what they mean at once, and are not bound
//! twice. Neighbours: `join` binds ON over the tables to the left.

use std::ops::Range;

use super::{Group, Relation};
use crate::ast::{self, JoinConstraint, JoinKind};
use crate::bind::Binder;
use crate::bind::scope::{NameScope, ScopeTable, is_rowid_name};
use crate::error::{Error, Result};
use crate::scalar::Scalar;

/// An ON with tables to its right.
pub(super) struct EarlyOn<'a> {
    expression: &'a ast::Expression,
    /// How many tables its FROM had so far.
    tables: usize,
    is_outer: bool,
    /// Its conditions: in the group inside of how many outer joins, and where. None if a name was
    /// not known.
    place: Option<(usize, Range<usize>)>,
}

impl<'a> EarlyOn<'a> {
    /// The ON of a join; none where it has no expression.
    pub(super) fn of(join: &'a ast::Join, tables: usize) -> Option<Self> {
        let Some(JoinConstraint::On(expression)) = &join.constraint else { return None };
        let is_outer = matches!(join.kind, JoinKind::Left | JoinKind::Right | JoinKind::Full);
        Some(Self { expression, tables, is_outer, place: None })
    }

    /// Notes where its conditions are.
    pub(super) fn placed(self, outer_joins: usize, terms: Range<usize>) -> Self {
        Self { place: Some((outer_joins, terms)), ..self }
    }

    /// Whether a name in it may mean a table to the right: asked by its printed form, which errs on
    /// the side of yes.
    fn may_mean(&self, right: &[ScopeTable], scope: &NameScope) -> bool {
        let words = crate::parse::tokens(&self.expression.to_string());
        let is = |place: usize, mark: &str| words.get(place).is_some_and(|(word, _)| word == mark);
        let mut numbered = words.iter().enumerate();
        numbered.any(|(place, (word, _))| {
            if is(place + 1, ".") {
                return right.iter().any(|table| {
                    table.table.as_ref().is_some_and(|known| known.is_system())
                        || word.eq_ignore_ascii_case(&table.alias)
                });
            }
            if place > 0 && is(place - 1, ".") {
                return false;
            }
            let mut columns = right.iter().flat_map(|table| &table.columns);
            columns.any(|column| word.eq_ignore_ascii_case(&column.name))
                || is_rowid_name(word)
                || scope.aliases.iter().any(|(alias, _)| alias.is(word))
        })
    }
}

impl Binder<'_> {
    /// Gives conditions that read tables to their right to the group of the whole FROM, which is
    /// in `outer_joins` outer joins.
    pub(super) fn look_right(
        &mut self,
        early: Vec<EarlyOn<'_>>,
        scope: &mut NameScope,
        group: &mut Group,
        (outer_joins, has_right): (usize, bool),
    ) -> Result<()> {
        // From the last one, so that places stay what they are.
        for on in early.into_iter().rev() {
            let right = &scope.tables[on.tables..];
            if on.place.is_some() && !on.may_mean(right, scope) {
                continue;
            }
            let slots: Vec<_> = right.iter().flat_map(|table| table.slots.clone()).collect();
            let bound = self.over(scope, |binder| match on.place {
                Some(_) => binder.unasked(|binder| binder.expression(on.expression)),
                None => binder.expression(on.expression),
            })?;
            let reads_right = bound.slots().iter().any(|slot| slots.contains(slot));
            if on.place.is_some() && !reads_right {
                continue;
            }
            if on.is_outer || has_right {
                let error = Error::invalid("ON clause references tables to its right");
                return Err(error.at(on.expression.span));
            }
            if let Some((inside, terms)) = on.place {
                conditions_inside(group, outer_joins - inside).drain(terms);
            }
            group.add_predicate(bound);
        }
        Ok(())
    }
}

/// The conditions of the group to the left in so many outer joins.
fn conditions_inside(group: &mut Group, outer_joins: usize) -> &mut Vec<Scalar> {
    match group.relations.first_mut() {
        Some(Relation::Outer(outer)) if outer_joins > 0 => {
            conditions_inside(&mut outer.left, outer_joins - 1)
        }
        _ => &mut group.predicates,
    }
}
