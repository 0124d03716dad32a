//! What may be computed by a helper: by any thread, without the session.
//!
//! Excluded are columns of blocks around, functions that are not the same for ever or that the
//! application made, and its collations. Subqueries are run by the statement's own thread: where
//! one does not depend on any row its result can be found before helpers start, and they get it
//! as a constant; which ones those are is gathered with the answer. Neighbours: `helper` is what
//! is there instead of a session, `compile` asks once for each plan.

use pandodb_ds::record::Collation;

use crate::error::Result;
use crate::execute::batch::Run;
use crate::execute::batch::expression::{Condition, Expression};
use crate::function::{Determinism, Implementation};
use crate::scalar::{Binary, Correlation, Scalar};

/// Whether a collation is known to every thread.
pub(in crate::execute::batch) fn is_built_in(collation: Collation) -> bool {
    !matches!(collation, Collation::Custom(_))
}

/// Subqueries whose results helpers are given: `None` where there may be none.
#[derive(Debug, Default)]
pub(in crate::execute::batch) struct Asked(Option<Vec<Scalar>>);

impl Asked {
    /// A place for subqueries.
    pub(in crate::execute::batch) fn any() -> Self {
        Self(Some(Vec::new()))
    }

    fn add(&mut self, subquery: &Scalar) -> bool {
        let Some(asked) = &mut self.0 else { return false };
        asked.push(subquery.clone());
        true
    }

    /// Finds the results, so that they are known in the frame; whether all are.
    pub(in crate::execute::batch) fn find(&self, run: &Run<'_>) -> bool {
        let scope = run.frame.scope(run.outer);
        let find = |subquery: &Scalar| -> Result<()> {
            match subquery {
                Scalar::InSubquery(set) => set.set(&scope).map(|_| ()),
                other => other.evaluate(&scope).map(|_| ()),
            }
        };
        // What fails is told by the thread that needs the result, if one does.
        self.0.iter().flatten().all(|subquery| find(subquery).is_ok())
    }
}

/// Whether a constant is made of literals, parameters and results of subqueries.
fn is_plain(scalar: &Scalar, asked: &mut Asked) -> bool {
    let mut is_plain = true;
    scalar.columns(&mut |_| is_plain = false);
    is_plain
        && !scalar.any(&mut |node| match node {
            Scalar::Subquery(call, _) | Scalar::Exists(call) => {
                call.correlation != Correlation::None || !asked.add(node)
            }
            Scalar::InSubquery(_)
            | Scalar::Quantified(_)
            | Scalar::Call(_)
            | Scalar::Row(_)
            | Scalar::RowCompare(_)
            | Scalar::RowBetween(_)
            | Scalar::RowCase(_)
            | Scalar::Raise(..)
            | Scalar::Binary(Binary::Concatenate, _) => true,
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
    /// Whether a helper may compute it without asking for anything.
    pub(in crate::execute::batch) fn is_portable(&self) -> bool {
        self.is_portable_with(&mut Asked::default())
    }

    /// Whether a helper may compute it once it has what is `asked`.
    pub(in crate::execute::batch) fn is_portable_with(&self, asked: &mut Asked) -> bool {
        match self {
            Self::Constant(scalar) => is_plain(scalar, asked),
            Self::Column(_) => true,
            Self::Arithmetic(_, operands) => {
                operands.iter().all(|operand| operand.is_portable_with(asked))
            }
            Self::Negate(operand)
            | Self::BitNot(operand)
            | Self::Convert(operand, _)
            | Self::Cast(operand, _)
            | Self::Kept(_, operand) => operand.is_portable_with(asked),
            Self::Case(case) => {
                let mut branches = case.branches.iter();
                branches.all(|(when, then)| {
                    when.is_portable_with(asked) && then.is_portable_with(asked)
                }) && case.otherwise.as_ref().is_none_or(|it| it.is_portable_with(asked))
            }
            Self::Call(call) => {
                call.function.determinism == Determinism::Pure
                    && matches!(call.function.implementation, Implementation::Scalar(_))
                    && is_built_in(call.collation)
                    && call.arguments.iter().all(|it| it.is_portable_with(asked))
            }
            Self::Truth(condition) => condition.is_portable_with(asked),
            Self::Rows(_) => false,
        }
    }
}

impl Condition {
    /// Whether a helper may compute it once it has what is `asked`.
    pub(in crate::execute::batch) fn is_portable_with(&self, asked: &mut Asked) -> bool {
        match self {
            Self::And(terms) | Self::Or(terms) => {
                terms.iter().all(|term| term.is_portable_with(asked))
            }
            Self::Not(operand) | Self::IsTruth { operand, .. } => operand.is_portable_with(asked),
            Self::Compare(_, rule, operands) => {
                is_built_in(rule.collation) && operands.iter().all(|it| it.is_portable_with(asked))
            }
            Self::Between(between) => {
                let ends = [&between.low, &between.high];
                between.operand.is_portable_with(asked)
                    && ends
                        .iter()
                        .all(|end| is_built_in(end.1.collation) && end.0.is_portable_with(asked))
            }
            Self::IsNull(operand, _) | Self::Value(operand) => operand.is_portable_with(asked),
            Self::InList(list) => {
                is_built_in(list.rule.collation) && list.operand.is_portable_with(asked)
            }
            Self::InSet(condition) => {
                is_built_in(condition.rule.collation)
                    && condition.operand.is_portable_with(asked)
                    && asked.add(&Scalar::InSubquery(Box::new(condition.set.clone())))
            }
            Self::Like(like) => {
                like.operand.is_portable_with(asked)
                    && like.call.as_ref().is_none_or(|it| it.is_portable_with(asked))
            }
        }
    }
}

// Neighbours: `expression`, `helper`.
