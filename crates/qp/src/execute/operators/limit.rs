//! LIMIT and OFFSET. Neighbours: `sort` uses the same numbers to keep less.

use super::{OperatorState, state};
use crate::error::{Error, ErrorKind, Result};
use crate::execute::{Frame, Outer, Scope};
use crate::plan::Limit;
use crate::scalar::Scalar;
use crate::types::{Affinity, Datum, apply_affinity};
use pandodb_ds::record::ValueRef;

/// What is left.
#[derive(Clone, Copy, Debug)]
pub struct LimitState {
    skip: u64,
    /// `None`: no limit.
    give: Option<u64>,
}

impl Limit {
    pub(super) fn open(&self, frame: &mut Frame, outer: Outer<'_>) -> Result<()> {
        let (give, skip) = bounds(&self.count, self.offset.as_ref(), &frame.scope(outer))?;
        *frame.state_mut(self.state) = OperatorState::Limit(LimitState { skip, give });
        if give != Some(0) {
            self.input.open(frame, outer)?;
        }
        Ok(())
    }

    pub(super) fn next(&self, frame: &mut Frame, outer: Outer<'_>) -> Result<bool> {
        let LimitState { skip, give } = *state!(frame, self.state, Limit);
        if give == Some(0) {
            return Ok(false);
        }
        for _ in 0..skip {
            if !self.input.next(frame, outer)? {
                return Ok(false);
            }
        }
        let found = self.input.next(frame, outer)?;
        let left = if found { give.map(|give| give - 1) } else { Some(0) };
        *state!(frame, self.state, Limit) = LimitState { skip: 0, give: left };
        Ok(found)
    }
}

/// How many rows (`None`: all) and how many are skipped.
pub(in crate::execute) fn bounds(
    count: &Scalar,
    offset: Option<&Scalar>,
    scope: &Scope<'_>,
) -> Result<(Option<u64>, u64)> {
    let count = integer(count.evaluate(scope)?)?;
    let skip = match offset {
        Some(offset) => integer(offset.evaluate(scope)?)?,
        None => 0,
    };
    Ok((u64::try_from(count).ok(), u64::try_from(skip).unwrap_or(0)))
}

fn integer(value: Datum<'_>) -> Result<i64> {
    match apply_affinity(value, Affinity::Integer).as_ref() {
        ValueRef::Integer(value) => Ok(value),
        _ => Err(Error::new(ErrorKind::Mismatch, "datatype mismatch")),
    }
}
