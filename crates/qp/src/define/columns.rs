//! What a new column may not be: generated and with a default, or with a default that is not
//! constant.
//!
//! Asked where a definition comes from a statement, and not where it is read from the catalog: a
//! file with such a column, however it came there, has to open. Neighbours: `create`,
//! `alter_column`.

use crate::ast::{
    self, ColumnConstraintKind, Expression, ExpressionKind, FunctionArguments, InSet,
};
use crate::error::{Error, Result};

/// Refuses a column whose constraints contradict each other, in the order of the text.
pub(super) fn check_column(definition: &ast::ColumnDefinition) -> Result<()> {
    let name = &definition.name.text;
    let (mut has_default, mut is_generated, mut is_key) = (false, false, false);
    for constraint in &definition.constraints {
        match &constraint.kind {
            ColumnConstraintKind::Default(value) => {
                if !is_default(value) {
                    let message = format!("default value of column [{name}] is not constant");
                    return Err(Error::invalid(message).at(value.span));
                }
                if is_generated {
                    let message = "cannot use DEFAULT on a generated column";
                    return Err(Error::invalid(message).at(value.span));
                }
                has_default = true;
            }
            ColumnConstraintKind::Generated { expression, .. } => {
                if has_default || is_generated {
                    let message = format!("error in generated column \"{name}\"");
                    return Err(Error::invalid(message)
                        .at(expression.span)
                        .with_hint("a generated column has one expression, and no DEFAULT"));
                }
                is_generated = true;
            }
            ColumnConstraintKind::PrimaryKey { .. } => is_key = true,
            _ => {}
        }
        if is_generated && is_key {
            let message = "generated columns cannot be part of the PRIMARY KEY";
            return Err(Error::invalid(message).at(constraint.span));
        }
    }
    Ok(())
}

/// Whether an expression may be a default: a name without parentheses is a text.
fn is_default(value: &Expression) -> bool {
    match &value.kind {
        ExpressionKind::Column(column) if value.span == column.column.span => true,
        _ => is_constant(value),
    }
}

/// Whether an expression is made of constants and functions alone.
fn is_constant(expression: &Expression) -> bool {
    let are_constant = |parts: &[Expression]| parts.iter().all(is_constant);
    match &expression.kind {
        ExpressionKind::Literal(_) => true,
        ExpressionKind::Column(column) => {
            let name = &column.column;
            column.table.is_none()
                && name.quote == ast::Quote::None
                && (name.is("true") || name.is("false"))
        }
        ExpressionKind::Unary(_, operand) | ExpressionKind::IsNull(operand, _) => {
            is_constant(operand)
        }
        ExpressionKind::Chain(chain) => {
            is_constant(&chain.first) && chain.rest.iter().all(|(_, operand)| is_constant(operand))
        }
        ExpressionKind::Collate(collate) => is_constant(&collate.operand),
        ExpressionKind::Cast(cast) => is_constant(&cast.operand),
        ExpressionKind::Like(like) => {
            is_constant(&like.operand)
                && is_constant(&like.pattern)
                && like.escape.as_ref().is_none_or(is_constant)
        }
        ExpressionKind::Between(between) => {
            [&between.operand, &between.low, &between.high].into_iter().all(is_constant)
        }
        ExpressionKind::In(set) => match &set.set {
            InSet::List(values) => is_constant(&set.operand) && are_constant(values),
            InSet::Subquery(_) | InSet::Table(_) | InSet::Function(..) => false,
        },
        ExpressionKind::Case(case) => {
            case.operand.as_ref().is_none_or(is_constant)
                && case.branches.iter().all(|(when, then)| is_constant(when) && is_constant(then))
                && case.otherwise.as_ref().is_none_or(is_constant)
        }
        ExpressionKind::Function(call) => {
            call.over.is_none()
                && call.filter.as_ref().is_none_or(is_constant)
                && match &call.arguments {
                    FunctionArguments::Star => true,
                    FunctionArguments::List(arguments) => are_constant(arguments),
                }
        }
        ExpressionKind::Row(parts) => are_constant(parts),
        ExpressionKind::Parameter(_)
        | ExpressionKind::Quantified(_)
        | ExpressionKind::Exists(_)
        | ExpressionKind::Subquery(_)
        | ExpressionKind::Raise(..) => false,
    }
}
