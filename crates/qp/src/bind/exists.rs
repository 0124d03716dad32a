//! WHERE, and the EXISTS and IN in it that become joins.
//!
//! A subquery under EXISTS or NOT EXISTS that only joins and chooses is bound in the frame of the
//! query around it, as if it stood in FROM; whether its rows are searched for each row or read
//! once is then the planner's choice. So is one under IN, with one condition more: that the two
//! values are equal. NOT IN is unknown where one of them is NULL, so that it comes here only where
//! neither can be. A subquery that does not depend on the row stays what it is: it is asked once.
//! Neighbours: `select` binds the other clauses, `plan::semi` joins.

use super::from::SemiRelation;
use super::{Binder, Group, Relation};
use crate::ast::{self, BinaryOperator, Expression, ExpressionKind, ResultColumn, SelectCore};
use crate::error::Result;
use crate::plan::Rules;
use crate::scalar::{Compare, Comparison, ROWID, Scalar};

impl Binder<'_> {
    /// Adds the terms of a WHERE to a group.
    pub(crate) fn filter(&mut self, filter: &Expression, group: &mut Group) -> Result<()> {
        let mut terms = Vec::new();
        and_terms(filter, &mut terms);
        for term in terms {
            if let Some((select, anti)) = existence(term)
                && self.environment.rules.has(Rules::SEMI_JOIN)
                && self.recorder.is_none()
                && let Some((inner, _)) = self.dissolved(select, group)?
            {
                group.semis.push(SemiRelation { anti, group: inner });
                continue;
            }
            if let ExpressionKind::In(set) = &term.kind
                && let Some(semi) = self.membership(set, group)?
            {
                group.semis.push(semi);
                continue;
            }
            let bound = self.expression(term)?;
            super::expression::no_row(&bound)?;
            self.note_aggregated(term, &bound, group)?;
            group.add_predicate(bound);
        }
        Ok(())
    }

    /// `operand [NOT] IN (SELECT ..)` of a subquery that reads the row, as a join.
    fn membership(&mut self, set: &ast::In, around: &Group) -> Result<Option<SemiRelation>> {
        let ast::InSet::Subquery(select) = &set.set else { return Ok(None) };
        if !self.environment.rules.has(Rules::SEMI_JOIN) || self.recorder.is_some() {
            return Ok(None);
        }
        let operand = self.expression(&set.operand)?;
        let is_asked_again = operand.has_subquery()
            || operand.any(&mut |node| match node {
                Scalar::Call(_) | Scalar::Row(_) => true,
                _ => false,
            });
        if is_asked_again {
            return Ok(None);
        }
        let Some((mut group, outputs)) = self.dissolved(select, around)? else { return Ok(None) };
        let [output] = outputs.as_slice() else { return Ok(None) };
        if set.negated && !(is_never_null(&operand, around) && is_never_null(output, &group)) {
            return Ok(None);
        }
        let rule = super::operators::member_rule(&operand, output);
        let equal =
            Compare { operator: Comparison::Equal, rule, left: operand, right: output.clone() };
        group.add_predicate(Scalar::Compare(Box::new(equal)));
        Ok(Some(SemiRelation { anti: set.negated, group }))
    }

    /// The group of a subquery that reads rows of `around`, and what it gives of its rows.
    fn dissolved(
        &mut self,
        select: &ast::Select,
        around: &Group,
    ) -> Result<Option<(Group, Vec<Scalar>)>> {
        if !is_plain(select) || self.restricted.is_some() {
            return Ok(None);
        }
        let around = around.slots();
        let block = self.nested(|binder| binder.select(select, true))?;
        let Some(group) = block.group else { return Ok(None) };
        let outputs = block.outputs;
        let reads = |group: &Group| {
            let predicates = &group.predicates;
            predicates.iter().any(|term| term.slots().iter().any(|slot| around.contains(slot)))
        };
        let is_volatile = group.predicates.iter().any(|term| {
            term.any(&mut |node| match node {
                crate::scalar::Scalar::Call(call) => {
                    call.function.determinism == crate::function::Determinism::Volatile
                }
                _ => false,
            })
        });
        Ok((reads(&group) && !is_volatile).then_some((group, outputs)))
    }
}

/// Whether a value is a column of a group's tables that has no NULL.
fn is_never_null(scalar: &Scalar, group: &Group) -> bool {
    let Scalar::Column(place) = scalar else { return false };
    let table = group.relations.iter().find_map(|relation| match relation {
        Relation::Table(table) if table.slot == place.slot => Some(&table.table),
        _ => None,
    });
    let Some(table) = table.filter(|table| place.depth == 0 && !table.is_system()) else {
        return false;
    };
    place.column == ROWID && table.has_rowid()
        || table.columns.iter().any(|column| {
            column.position == usize::from(place.column)
                && !column.is_virtual()
                && column.not_null.is_some()
        })
}

/// The terms of an AND, however they are nested.
fn and_terms<'e>(expression: &'e Expression, terms: &mut Vec<&'e Expression>) {
    match &expression.kind {
        ExpressionKind::Chain(chain)
            if chain.rest.iter().all(|(operator, _)| *operator == BinaryOperator::And) =>
        {
            and_terms(&chain.first, terms);
            chain.rest.iter().for_each(|(_, term)| and_terms(term, terms));
        }
        _ => terms.push(expression),
    }
}

/// The subquery of `[NOT] EXISTS`.
fn existence(expression: &Expression) -> Option<(&ast::Select, bool)> {
    match &expression.kind {
        ExpressionKind::Exists(select) => Some((select, false)),
        ExpressionKind::Unary(ast::UnaryOperator::Not, operand) => match &operand.kind {
            ExpressionKind::Exists(select) => Some((select, true)),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a subquery only joins tables and chooses rows.
fn is_plain(select: &ast::Select) -> bool {
    let SelectCore::Query(query) = &select.first else { return false };
    let is_simple = |column: &ResultColumn| match column {
        ResultColumn::Expression(expression, _) => {
            matches!(expression.kind, ExpressionKind::Literal(_) | ExpressionKind::Column(_))
        }
        _ => true,
    };
    only_joins_and_chooses(select, query) && query.columns.iter().all(is_simple)
}

/// Whether a query is all of its select, and has no clauses but FROM with inner joins and WHERE.
pub(super) fn only_joins_and_chooses(select: &ast::Select, query: &ast::Query) -> bool {
    select.with.is_none()
        && select.compounds.is_empty()
        && select.order_by.is_empty()
        && select.limit.is_none()
        && query.group_by.is_empty()
        && query.having.is_none()
        && query.windows.is_empty()
        && !query.distinct
        && query.from.as_ref().is_some_and(joins_only_inside)
}

/// Whether FROM only has tables and inner joins: what stands in it must not read the row around,
/// since it may be read once for all rows.
fn joins_only_inside(from: &ast::From) -> bool {
    let is_named =
        |table: &ast::TableReference| matches!(table.kind, ast::TableReferenceKind::Table(_));
    is_named(&from.first)
        && from.joins.iter().all(|join| {
            use ast::JoinKind::{Comma, Cross, Inner};
            matches!(join.kind, Inner | Comma | Cross) && is_named(&join.table)
        })
}
