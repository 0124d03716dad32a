//! Views and triggers after a merge: what worked on both sides works still, or is a conflict.
//!
//! Numbers tell which definitions name a table or column that went (the branch crate looks at
//! that), but not everything that makes one fail: a name that two columns have now, a view whose
//! columns are others. So all of them are bound in the end. What a side had broken before is not
//! looked at again. Neighbours: `sides` says what was broken, `definitions` put them in.

use pandodb_branch::diff::schema::ObjectKind as Kind;
use pandodb_branch::merge::{
    Conflict, ConflictKey, ConflictKind, Pick, SchemaMerge, SchemaPart, Scope,
};
use pandodb_branch::shape::ObjectId;
use pandodb_ds::record::Value;

use super::SqlTarget;
use crate::catalog::{ObjectKind, ObjectRow, delete_object};
use crate::error::Result;

impl SqlTarget<'_> {
    /// Looks for views and triggers that only the merge breaks. Where one side wins, they go: they
    /// cannot be there, whoever is right.
    pub(super) fn check_dependents(&mut self, merge: &SchemaMerge) -> Result<Vec<Conflict>> {
        if self.follows || merge.changes() == 0 || !merge.conflicts.is_empty() {
            return Ok(Vec::new());
        }
        loop {
            let mut conflicts = Vec::new();
            let broken = self.newly_broken()?;
            let mut is_changed = false;
            for (object, message) in broken {
                let conflict = conflict(&object, &message);
                let pick = self.options.pick(&conflict.key);
                if pick.is_some_and(|pick| !matches!(pick, Pick::Definition(_))) {
                    delete_object(&mut self.transaction()?.borrow_mut(), object.id)?;
                    is_changed = true;
                } else {
                    conflicts.push(conflict);
                }
            }
            if !is_changed {
                conflicts.extend(self.newly_parentless()?);
                return Ok(conflicts);
            }
            // What needs a view that went is broken now.
            self.reload()?;
        }
    }

    /// What is broken now and worked on all sides that have it.
    fn newly_broken(&self) -> Result<Vec<(ObjectRow, String)>> {
        let main = self.main_schema()?;
        let broken: Vec<(ObjectRow, String)> =
            self.session.with_environment(&self.schemas, &self.sources, |environment| {
                let broken = crate::define::broken_dependents(environment, main).into_iter();
                Ok(broken.map(|(row, error)| (row.clone(), error.message().to_owned())).collect())
            })?;
        if broken.is_empty() {
            return Ok(broken);
        }
        let mut known = Vec::new();
        for side in self.sides()? {
            let of_side = self.broken_on(&side)?;
            for (row, _) in &broken {
                known.push((row.id, of_side.contains(&self.object_on(&side, row.id.0))));
            }
        }
        let is_old = |row: &ObjectRow| known.iter().any(|(id, was)| *id == row.id && *was);
        Ok(broken.into_iter().filter(|(row, _)| !is_old(row)).collect())
    }
}

fn conflict(object: &ObjectRow, message: &str) -> Conflict {
    let object_kind = match object.kind {
        ObjectKind::Table => Kind::Table,
        ObjectKind::Index => Kind::Index,
        ObjectKind::View => Kind::View,
        ObjectKind::Trigger => Kind::Trigger,
    };
    let definition = object.sql.as_ref().map(|sql| vec![Value::text(sql.as_bytes())]);
    Conflict {
        key: ConflictKey {
            object: ObjectId(object.id.0),
            scope: Scope::Schema(SchemaPart::Mentions),
        },
        kind: ConflictKind::Schema,
        object_kind,
        object_name: object.name.to_string(),
        column_name: None,
        columns: vec!["definition".into()],
        row_key: Vec::new(),
        base: None,
        ours: definition,
        theirs: None,
        detail: format!("it cannot be used with what both branches changed: {message}"),
    }
}
