//! What both sides added and the merge makes one: the other side's numbers are noted.
//!
//! The next merge of the two starts from the source as it was, which has the thing under a number
//! that the target has not. Without the note it would be dropped there and added anew here.
//! Neighbours: the branch crate's `merge::schema::adapt` reads the notes, `definitions` merges.

use std::collections::BTreeSet;

use pandodb_branch::merge::SchemaMerge;
use pandodb_branch::shape::{ColumnId as Column, ObjectId as Object};

use super::SqlTarget;
use crate::catalog::{ColumnId, ObjectId, ObjectRow, Twins, read_objects, write_object};
use crate::error::Result;

impl SqlTarget<'_> {
    /// Notes the source's numbers of what the target has under others.
    pub(super) fn note_twins(&mut self, merge: &SchemaMerge) -> Result<()> {
        let is_known = self.theirs.iter().all(|row| row.twins == Twins::default());
        if merge.adapted.is_empty() && is_known {
            return Ok(());
        }
        let (_, rows) = read_objects(&self.transaction()?.borrow())?;
        let mut is_changed = false;
        for mut row in rows {
            let twins = self.twins_of(&row, merge);
            if twins != row.twins {
                row.twins = twins;
                write_object(&mut self.transaction()?.borrow_mut(), &row)?;
                is_changed = true;
            }
        }
        if is_changed { self.reload() } else { Ok(()) }
    }

    /// Everything that is known of an object of the merge.
    fn twins_of(&self, row: &ObjectRow, merge: &SchemaMerge) -> Twins {
        let mut twins = row.twins.clone();
        let own: BTreeSet<u64> = row.columns.iter().map(|(column, _)| column.0).collect();
        twins.columns.retain(|(column, _)| own.contains(&column.0));
        let id = self.id_in_theirs(row.id.0);
        // Of two tables that one side won nothing is one.
        let is_one = merge
            .table(Object(row.id.0))
            .is_none_or(|table| table.theirs.is_some() && !table.is_blocked);
        let Some(theirs) = self.theirs.iter().find(|it| it.id.0 == id).filter(|_| is_one) else {
            return twins;
        };
        twins.objects.extend(theirs.twins.objects.iter().copied());
        twins.objects.insert(theirs.id);
        twins.objects.remove(&row.id);
        for column in &own {
            let other = self.column_in_theirs(*column);
            if other != *column {
                twins.columns.insert((ColumnId(*column), ColumnId(other)));
            }
        }
        for (column, other) in &theirs.twins.columns {
            let column = merge.adapted.column(Column(column.0)).0;
            if own.contains(&column) && column != other.0 {
                twins.columns.insert((ColumnId(column), *other));
            }
        }
        debug_assert!(!twins.objects.contains(&ObjectId(row.id.0)), "nothing is its own twin");
        twins
    }
}
