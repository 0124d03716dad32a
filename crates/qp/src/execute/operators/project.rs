//! Expressions computed into a slot. Neighbours: `compound` does the same for its parts.

use crate::error::Result;
use crate::execute::{Frame, Outer};
use crate::plan::Project;
use crate::scalar::{Scalar, SlotId};

impl Project {
    pub(super) fn next(&self, frame: &mut Frame, outer: Outer<'_>) -> Result<bool> {
        if !self.input.next(frame, outer)? {
            return Ok(false);
        }
        compute_into(&self.outputs, self.slot, frame, outer)?;
        Ok(true)
    }
}

/// Computes expressions over the current rows and makes them the row of `slot`.
pub(super) fn compute_into(
    outputs: &[Scalar],
    slot: SlotId,
    frame: &mut Frame,
    outer: Outer<'_>,
) -> Result<()> {
    // The slot's own old row may still be read by the expressions: it is replaced at the end.
    let mut values = Vec::with_capacity(outputs.len());
    let scope = frame.scope(outer);
    for output in outputs {
        values.push(output.evaluate(&scope)?.into_value());
    }
    frame.slot_mut(slot).set_values(0, values);
    Ok(())
}
