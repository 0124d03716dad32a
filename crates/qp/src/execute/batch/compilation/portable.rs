//! What may be computed by a helper: by any thread, without the session.
//!
//! Excluded are subqueries, columns of blocks around, functions that are not the same for ever or
//! that the application made, and its collations. Neighbours: `helper` is what is there instead
//! of a session, `compile` asks once for each plan.

use pandodb_ds::record::Collation;

use crate::execute::batch::expression::{Condition, Expression};
use crate::function::{Determinism, Implementation};
use crate::scalar::Scalar;

/// Whether a collation is known to every thread.
pub(in crate::execute::batch) fn is_built_in(collation: Collation) -> bool {
    !matches!(collation, Collation::Custom(_))
}

/// Whether a constant is made of literals and parameters.
fn is_plain(scalar: &Scalar) -> bool {
    let mut is_plain = !crate::execute::batch::expression::may_fail(scalar);
    scalar.columns(&mut |_| is_plain = false);
    is_plain
        && !scalar.any(&mut |node| match node {
            Scalar::Compare(compare) => !is_built_in(compare.rule.collation),
            Scalar::Between(between) => {
                !is_built_in(between.low_rule.collation)
                    || !is_built_in(between.high_rule.collation)
            }
            Scalar::InList(list) => !is_built_in(list.rule.collation),
            Scalar::Case(case) => {
                case.branches.iter().any(|(_, rule, _)| !is_built_in(rule.collation))
            }
            _ => false,
        })
}

impl Expression {
    /// Whether a helper may compute it.
    pub(in crate::execute::batch) fn is_portable(&self) -> bool {
        match self {
            Self::Constant(scalar) => is_plain(scalar),
            Self::Column(_) => true,
            Self::Arithmetic(_, operands) => operands.iter().all(Self::is_portable),
            Self::Negate(operand)
            | Self::BitNot(operand)
            | Self::Convert(operand, _)
            | Self::Cast(operand, _)
            | Self::Kept(_, operand) => operand.is_portable(),
            Self::Case(case) => {
                let mut branches = case.branches.iter();
                branches.all(|(when, then)| when.is_portable() && then.is_portable())
                    && case.otherwise.as_ref().is_none_or(Self::is_portable)
            }
            Self::Call(call) => {
                call.function.determinism == Determinism::Pure
                    && matches!(call.function.implementation, Implementation::Scalar(_))
                    && is_built_in(call.collation)
                    && call.arguments.iter().all(Self::is_portable)
            }
            Self::Truth(condition) => condition.is_portable(),
            Self::Rows(_) => false,
        }
    }
}

impl Condition {
    /// Whether a helper may compute it.
    pub(in crate::execute::batch) fn is_portable(&self) -> bool {
        match self {
            Self::And(terms) | Self::Or(terms) => terms.iter().all(Self::is_portable),
            Self::Not(operand) | Self::IsTruth { operand, .. } => operand.is_portable(),
            Self::Compare(_, rule, operands) => {
                is_built_in(rule.collation) && operands.iter().all(Expression::is_portable)
            }
            Self::Between(between) => {
                let ends = [&between.low, &between.high];
                between.operand.is_portable()
                    && ends.iter().all(|end| is_built_in(end.1.collation) && end.0.is_portable())
            }
            Self::IsNull(operand, _) | Self::Value(operand) => operand.is_portable(),
            Self::InList(list) => is_built_in(list.rule.collation) && list.operand.is_portable(),
            Self::Like(like) => {
                like.operand.is_portable() && like.call.as_ref().is_none_or(Expression::is_portable)
            }
        }
    }
}

// Neighbours: `expression`, `helper`.
