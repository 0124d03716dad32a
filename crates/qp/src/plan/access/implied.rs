//! What makes a partial index a way: that conditions hold only for rows which are in it.
//!
//! The condition of the index must follow from those of the query for every row: it stands among
//! them, or all that it asks is that something is not NULL, and a condition about that could not
//! be true otherwise. The value of a parameter says nothing, because a plan outlives it.
//! Neighbours: `index` asks for each way, `hint` for INDEXED BY.

use pandodb_ds::record::Value;

use crate::bind::{Binder, Called, TableRelation};
use crate::catalog::Index;
use crate::function::Implementation;
use crate::plan::rewrite::one_of;
use crate::scalar::{Case, Comparison, Scalar, Unary};

/// Whether every row that passes the predicates is in an index.
pub(super) fn implies_filter(
    binder: &mut Binder<'_>,
    table: &TableRelation,
    index: &Index,
    predicates: &[&Scalar],
) -> bool {
    let Some(filter) = &index.filter else { return true };
    let Ok(mut scope) = binder.table_scope(&table.table, table.slot, &table.alias, Called::Name)
    else {
        return false;
    };
    let Ok(bound) = binder.over_columns(&mut scope, filter, "partial index WHERE clauses") else {
        return false;
    };
    let parts = crate::bind::split_and(bound);
    parts.iter().all(|part| predicates.iter().any(|predicate| implies(predicate, part)))
}

/// Whether a row that passes `predicate` passes `part`.
fn implies(predicate: &Scalar, part: &Scalar) -> bool {
    if predicate.same(part) || is_exchanged(predicate, part) {
        return true;
    }
    match (predicate, part) {
        (Scalar::And(terms), _) => terms.iter().any(|term| implies(term, part)),
        (_, Scalar::And(parts)) => parts.iter().all(|part| implies(predicate, part)),
        (Scalar::Or(terms), _) => {
            terms.iter().all(|term| implies(term, part))
                || one_of(terms).is_some_and(|list| list.same(part))
        }
        (Scalar::Case(case), _) if is_condition(case) => implies(&case.branches[0].0, part),
        (_, Scalar::Or(parts)) => {
            parts.iter().any(|part| implies(predicate, part))
                || one_of(parts).is_some_and(|list| predicate.same(&list))
        }
        (_, Scalar::IsNull(operand, true)) => rejects_null(predicate, operand),
        _ => false,
    }
}

/// Whether a CASE is true only where its one condition is.
fn is_condition(case: &Case) -> bool {
    let is_never =
        |otherwise: &Scalar| matches!(otherwise, Scalar::Literal(Value::Null | Value::Integer(0)));
    case.operand.is_none() && case.branches.len() == 1 && case.otherwise.iter().all(is_never)
}

/// Whether two comparisons are the same with their sides exchanged.
fn is_exchanged(predicate: &Scalar, part: &Scalar) -> bool {
    let (Scalar::Compare(one), Scalar::Compare(other)) = (predicate, part) else { return false };
    one.operator.exchanged() == other.operator
        && one.rule == other.rule
        && one.left.same(&other.right)
        && one.right.same(&other.left)
}

/// Whether a predicate cannot be true where `subject` is NULL.
fn rejects_null(predicate: &Scalar, subject: &Scalar) -> bool {
    let is_null = |scalar: &Scalar| is_null_with(scalar, subject);
    let is_value = |scalar: &Scalar| matches!(scalar, Scalar::Literal(value) if !value.is_null());
    match predicate {
        Scalar::IsNull(operand, true) => is_null(operand),
        Scalar::IsTruth { operand, negated: false, .. } => is_null(operand),
        Scalar::Compare(compare) if compare.operator == Comparison::Is => {
            (is_null(&compare.left) && is_value(&compare.right))
                || (is_null(&compare.right) && is_value(&compare.left))
        }
        Scalar::Between(between) => {
            is_null(predicate)
                || (!between.negated && (is_null(&between.low) || is_null(&between.high)))
        }
        Scalar::InList(list) if !list.negated => is_null(&list.operand),
        Scalar::InSubquery(set) => !set.negated && set.operands.iter().any(is_null),
        Scalar::And(terms) => terms.iter().any(|term| rejects_null(term, subject)),
        Scalar::Or(terms) => terms.iter().all(|term| rejects_null(term, subject)),
        other => is_null(other),
    }
}

/// Whether an expression is NULL where `subject` is, whatever else there is.
fn is_null_with(scalar: &Scalar, subject: &Scalar) -> bool {
    let is_null = |scalar: &Scalar| is_null_with(scalar, subject);
    if scalar.same(subject) {
        return true;
    }
    match scalar {
        Scalar::Unary(Unary::Negate | Unary::BitNot | Unary::Not | Unary::Plus, operand)
        | Scalar::Collate(operand, _)
        | Scalar::Cast(operand, _)
        | Scalar::Convert(operand, ..) => is_null(operand),
        Scalar::Binary(_, operands) => operands.iter().any(is_null),
        Scalar::Compare(compare) => {
            !matches!(compare.operator, Comparison::Is | Comparison::IsNot)
                && (is_null(&compare.left) || is_null(&compare.right))
        }
        // The first pair that differs decides, and a NULL there leaves it open.
        Scalar::RowCompare(rows) => {
            use Comparison::{Greater, GreaterOrEqual, Less, LessOrEqual};
            matches!(rows.operator, Less | LessOrEqual | Greater | GreaterOrEqual)
                && (rows.left.first().is_some_and(is_null)
                    || rows.right.first().is_some_and(is_null))
        }
        Scalar::Between(between) => is_null(&between.operand),
        // Nothing is in an empty list, not even NULL.
        Scalar::InList(list) => {
            let is_empty = list.constants.is_empty() && list.others.is_empty() && !list.has_null;
            !is_empty && is_null(&list.operand)
        }
        Scalar::Call(call) => {
            matches!(&*call.function.name, "like" | "glob")
                && matches!(call.function.implementation, Implementation::Scalar(_))
                && call.arguments.iter().any(is_null)
        }
        _ => false,
    }
}
