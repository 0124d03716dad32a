//! Changes of views: INSTEAD OF triggers get the rows, nothing else happens.
//!
//! Neighbours: `trigger`; `bind` makes the plan.

use pandodb_ds::record::ValueRef;

use super::trigger::{Event, Fired, Images, Triggers};
use super::{Changes, Returning};
use crate::ast::ConflictAction;
use crate::error::Result;
use crate::execute::{Frame, Kept, Outer};
use crate::plan::Node;
use crate::scalar::{Scalar, SlotId};
use crate::types::{Affinity, apply_affinity};

/// A change of a view.
#[derive(Debug)]
pub struct InsteadPlan {
    /// The database of the view.
    pub(super) database: crate::catalog::DatabaseIndex,
    /// The triggers.
    pub(super) triggers: Triggers,
    /// `OR ..`: what the triggers' own statements do about conflicts.
    pub(super) conflict: Option<ConflictAction>,
    /// The rows.
    pub(super) input: Node,
    /// The view's row as it is.
    pub(super) old: Option<Vec<Scalar>>,
    /// The view's row as it shall be.
    pub(super) new: Option<Vec<Scalar>>,
    /// Where RETURNING reads a row: as it shall be, or as it was where it goes.
    pub(super) row: SlotId,
    /// What the view's columns make of new values. As in SQLite an INSERT's values stay as they
    /// are, except that whole numbers are read as reals from columns of reals.
    pub(super) affinities: Vec<Affinity>,
}

impl InsteadPlan {
    pub(super) fn run(
        &self,
        frame: &mut Frame,
        outer: Outer<'_>,
        returning: Option<&Returning>,
        changes: &mut Changes,
    ) -> Result<()> {
        self.input.open(frame, outer)?;
        let mut rows = Vec::new();
        let is_update = self.old.is_some();
        while self.input.next(frame, outer)? {
            let read = |outputs: &Option<Vec<Scalar>>, affinities: &[Affinity]| {
                let Some(outputs) = outputs else { return Ok(None) };
                let mut affinities = affinities.iter().copied();
                let scope = frame.scope(outer);
                let values = outputs
                    .iter()
                    .map(|output| {
                        let affinity = affinities.next().unwrap_or_default();
                        let value = output.evaluate(&scope)?;
                        let is_whole = matches!(value.as_ref(), ValueRef::Integer(_));
                        let converts = is_update || (is_whole && affinity == Affinity::Real);
                        let affinity = if converts { affinity } else { Affinity::None };
                        Ok(apply_affinity(value, affinity).into_value())
                    })
                    .collect::<Result<Vec<_>>>()?;
                Ok::<_, crate::error::Error>(Some(Kept::Values { rowid: 0, values }))
            };
            rows.push((read(&self.old, &[])?, read(&self.new, &self.affinities)?));
        }
        for (old, new) in rows {
            let returned = returning.and(new.clone().or_else(|| old.clone()));
            let inherited = outer.context.run.conflict.get().or(self.conflict);
            // A DELETE says nothing about conflicts.
            let conflict = inherited.filter(|_| new.is_some());
            let images = Images::new(old, new.unwrap_or(Kept::Null));
            if self.triggers.fire(Event::Instead, images, conflict, outer)? == Fired::Ignore {
                continue;
            }
            if let (Some(returning), Some(Kept::Values { rowid, values })) = (returning, returned) {
                frame.slot_mut(self.row).set_values(rowid, values);
                returning.take(frame, outer, changes)?;
            }
        }
        Ok(())
    }
}
