//! Definitions in conflicts as they were written.
//!
//! Merges compare definitions in a form in which names are numbers, so that a rename is no change.
//! Who is to decide between them sees the statements that made them. Neighbours: `job` finds the
//! conflicts, `canonical` makes the form.

use std::cell::OnceCell;

use pandodb_branch::diff::schema::ObjectKind;
use pandodb_branch::merge::{Conflict, SchemaPart, Scope};
use pandodb_ds::forest::Forest;
use pandodb_ds::record::Value;

use crate::branching::Work;
use crate::catalog::{DatabaseIndex, Schema, load_forest};
use crate::error::Result;

/// One of the three versions of a merge, whose catalog is read when it is needed.
struct Version<'f> {
    forest: &'f Forest,
    schema: OnceCell<Schema>,
}

impl Work<'_> {
    /// Puts the statements of indexes, views and triggers where conflicts about them have the
    /// form that was compared; `forests` are the base, the target and the source.
    pub(in crate::branching) fn tell_definitions(
        &self,
        conflicts: &mut [Conflict],
        forests: [&Forest; 3],
    ) -> Result<()> {
        let versions = forests.map(|forest| Version { forest, schema: OnceCell::new() });
        for conflict in conflicts {
            let is_whole = conflict.key.scope == Scope::Schema(SchemaPart::Whole);
            if !is_whole || conflict.object_kind == ObjectKind::Table {
                continue;
            }
            let (kind, id) = (conflict.object_kind, conflict.key.object.0);
            let name = conflict.object_name.clone();
            let sides = [&mut conflict.base, &mut conflict.ours, &mut conflict.theirs];
            for (side, version) in sides.into_iter().zip(&versions) {
                if let Some([definition @ Value::Text(_)]) = side.as_deref_mut()
                    && let Some(sql) = written(self.schema_of(version)?, kind, id, &name)
                {
                    *definition = Value::Text(sql.as_bytes().into());
                }
            }
        }
        Ok(())
    }

    fn schema_of<'v>(&self, version: &'v Version<'_>) -> Result<&'v Schema> {
        if let Some(known) = version.schema.get() {
            return Ok(known);
        }
        let pager = self.branches.manager().pager();
        let schema = self.session.with_stored_collations(|find| {
            load_forest(pager, version.forest, DatabaseIndex::MAIN, find)
        })?;
        Ok(version.schema.get_or_init(|| schema))
    }
}

/// The statement that made an object. What two branches added under one name has two numbers.
fn written<'s>(schema: &'s Schema, kind: ObjectKind, id: u64, name: &str) -> Option<&'s str> {
    let is_it = |number: u64, own: &str| (number == id, own.eq_ignore_ascii_case(name));
    let best = |found: Vec<((bool, bool), &'s str)>| {
        let best = found.into_iter().filter(|(is, _)| is.0 || is.1).max_by_key(|(is, _)| *is);
        best.map(|(_, sql)| sql)
    };
    best(match kind {
        ObjectKind::Table | ObjectKind::Setting => Vec::new(),
        ObjectKind::View => {
            let all = schema.views.values();
            all.map(|view| (is_it(view.id.0, &view.name), &*view.sql)).collect()
        }
        ObjectKind::Trigger => {
            let all = schema.triggers.values();
            all.map(|it| (is_it(it.id.0, &it.name), &*it.sql)).collect()
        }
        ObjectKind::Index => {
            let all = schema.tables.values().flat_map(|table| &table.indexes);
            let all = all.filter_map(|it| Some((is_it(it.id.0, &it.name), it.sql.as_deref()?)));
            all.collect()
        }
    })
}
