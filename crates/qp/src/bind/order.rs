//! ORDER BY and LIMIT.
//!
//! A term is a number of a result column, an alias, or an expression, tried in this order.
//! Neighbours: `select` and `compound`.

use super::Binder;
use super::expression::no_row;
use super::select::{Item, numbered, ordinal};
use crate::ast::{self, ExpressionKind, NullsOrder, OrderTerm, SortOrder};
use crate::error::{Error, Result};
use crate::plan::SortKey;
use crate::scalar::Scalar;

impl Binder<'_> {
    /// The terms of a select's ORDER BY.
    pub(crate) fn order_terms(
        &mut self,
        terms: &[OrderTerm],
        items: &[Item],
        outputs: &[Scalar],
    ) -> Result<Vec<SortKey>> {
        let mut keys = Vec::with_capacity(terms.len());
        for (index, term) in terms.iter().enumerate() {
            let mut value = None;
            if let Some(number) = ordinal(&term.expression) {
                numbered(items, number, ("ORDER", term.expression.span), index)?;
                value = outputs.get((number - 1) as usize).cloned();
            } else if let Some(name) = bare_name(&term.expression) {
                let place = items.iter().position(
                    |item| matches!(item, Item::Expression(_, Some(alias)) if alias == name),
                );
                value = place.and_then(|place| outputs.get(place).cloned());
            }
            let value = match value {
                Some(value) => self.with_collation(value, &term.expression)?,
                None => self.expression(&term.expression)?,
            };
            no_row(&value)?;
            keys.push(sort_key(value, term));
        }
        Ok(keys)
    }

    /// The terms of an ORDER BY that has no result to refer to: of a window or an aggregate.
    pub(crate) fn sort_keys(&mut self, terms: &[OrderTerm]) -> Result<Vec<SortKey>> {
        let mut keys = Vec::with_capacity(terms.len());
        for term in terms {
            let value = self.expression(&term.expression)?;
            no_row(&value)?;
            keys.push(sort_key(value, term));
        }
        Ok(keys)
    }

    /// The COLLATE that stands around a number or an alias.
    pub(crate) fn with_collation(
        &self,
        value: Scalar,
        expression: &ast::Expression,
    ) -> Result<Scalar> {
        match &expression.kind {
            ExpressionKind::Collate(collate) => {
                Ok(Scalar::Collate(Box::new(value), self.collation(&collate.collation)?))
            }
            _ => Ok(value),
        }
    }

    /// LIMIT and OFFSET, which see only the blocks further out.
    pub(crate) fn limit(&mut self, limit: &ast::Limit) -> Result<(Scalar, Option<Scalar>)> {
        let count = self.expression(&limit.count)?;
        no_row(&count)?;
        let offset = match &limit.offset {
            Some(offset) => Some(self.expression(offset)?),
            None => None,
        };
        if offset.as_ref().is_some_and(|offset| no_row(offset).is_err()) {
            return Err(Error::invalid("row value misused"));
        }
        Ok((count, offset))
    }
}

/// The name that a term is, COLLATE aside.
pub(crate) fn bare_name(expression: &ast::Expression) -> Option<&ast::Name> {
    match &expression.kind {
        ExpressionKind::Column(reference) if reference.table.is_none() => Some(&reference.column),
        ExpressionKind::Collate(collate) => bare_name(&collate.operand),
        _ => None,
    }
}

/// A value with the direction of its term.
pub(crate) fn sort_key(value: Scalar, term: &OrderTerm) -> SortKey {
    let descending = term.order == Some(SortOrder::Descending);
    let nulls_first = match term.nulls {
        Some(NullsOrder::First) => true,
        Some(NullsOrder::Last) => false,
        None => !descending,
    };
    let collation = value.collation().unwrap_or_default();
    SortKey { value, collation, descending, nulls_first }
}
