//! This crate's limits as the engine knows them, and what it advises.
//!
//! Neighbours: `session` is what they belong to.

use pandodb_qp::limits::Limit as Inner;

use super::Session;
use super::session::convert;
use crate::advice::IndexAdvice;
use crate::error::Result;
use crate::limits::Limit;

impl Limit {
    pub(crate) const fn inner(self) -> Inner {
        match self {
            Self::Length => Inner::Length,
            Self::SqlLength => Inner::SqlLength,
            Self::Column => Inner::Column,
            Self::ExprDepth => Inner::ExpressionDepth,
            Self::CompoundSelect => Inner::CompoundSelect,
            Self::VdbeOp => Inner::Operations,
            Self::FunctionArg => Inner::FunctionArgument,
            Self::Attached => Inner::Attached,
            Self::LikePatternLength => Inner::LikePatternLength,
            Self::VariableNumber => Inner::VariableNumber,
            Self::TriggerDepth => Inner::TriggerDepth,
            Self::WorkerThreads => Inner::WorkerThreads,
        }
    }
}

impl Session {
    pub(crate) fn limit(&self, limit: Inner) -> u32 {
        self.inner().limit(limit)
    }

    pub(crate) fn set_limit(&self, limit: Inner, value: u32) {
        self.inner().set_limit(limit, value);
    }

    /// What indexes would help the first statement of a text, and where the next one begins.
    pub(crate) fn advise(
        &self,
        sql: &str,
        sample_rows: u64,
    ) -> Result<(Option<IndexAdvice>, usize)> {
        let (advice, behind) =
            self.inner().advise(sql, sample_rows).map_err(|error| convert(error, sql))?;
        let advice = advice.map(|advice| IndexAdvice {
            statement: sql.get(..behind).unwrap_or(sql).to_owned(),
            indexes: advice.indexes,
            candidates: advice.candidates,
            plan: advice.plan,
        });
        Ok((advice, behind))
    }
}
