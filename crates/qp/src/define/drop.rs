//! DROP. Neighbours: `create`.

use super::Definer;
use crate::ast::{self, DropKind};
use crate::catalog::{Attachment, ObjectKind, ObjectRow, Table, TableKind, delete_object};
use crate::error::{Error, Result};
use crate::modify::SEQUENCE_TABLE;

/// The kind of object that is dropped.
pub(super) fn kind(kind: DropKind) -> ObjectKind {
    match kind {
        DropKind::Table => ObjectKind::Table,
        DropKind::Index => ObjectKind::Index,
        DropKind::View => ObjectKind::View,
        DropKind::Trigger => ObjectKind::Trigger,
    }
}

impl Definer<'_> {
    pub(super) fn drop_object(&mut self, drop: &ast::Drop) -> Result<()> {
        let name = &drop.name.name;
        let wanted = kind(drop.kind);
        let Some(row) = self.schema().object(wanted, &name.text).cloned() else {
            let schema = self.schema();
            if wanted == ObjectKind::Table && schema.view(&name.text).is_some() {
                let message = format!("use DROP VIEW to delete view {}", name.text);
                return Err(Error::invalid(message).at(name.span));
            }
            if wanted == ObjectKind::View && schema.table(&name.text).is_some() {
                let message = format!("use DROP TABLE to delete table {}", name.text);
                return Err(Error::invalid(message).at(name.span));
            }
            if matches!(wanted, ObjectKind::Table | ObjectKind::View) {
                self.check_defined(name, "dropped")?;
            }
            if drop.if_exists {
                return Ok(());
            }
            let full = match &drop.name.schema {
                Some(schema) => format!("{}.{}", schema.text, name.text),
                None => name.text.to_string(),
            };
            let error = Error::not_found(wanted.as_str(), full).at(name.span);
            let known = schema.objects.iter().filter(|row| row.kind == wanted);
            return Err(crate::suggest::hinting(error, &name.text, known.map(|row| &*row.name)));
        };
        match wanted {
            ObjectKind::Table => self.drop_table(&row)?,
            ObjectKind::Index => {
                if row.sql.is_none() {
                    let message =
                        "index associated with UNIQUE or PRIMARY KEY constraint cannot be dropped";
                    return Err(Error::invalid(message).at(name.span));
                }
                if self.explains {
                    return Ok(());
                }
                self.drop_row(&row)?;
            }
            ObjectKind::View | ObjectKind::Trigger if self.explains => {}
            ObjectKind::View => {
                self.drop_hanging(&row.name)?;
                self.drop_row(&row)?;
            }
            ObjectKind::Trigger => self.drop_row(&row)?,
        }
        if self.explains {
            return Ok(());
        }
        self.changed()
    }

    fn drop_table(&mut self, row: &ObjectRow) -> Result<()> {
        if crate::catalog::is_reserved_name(&row.name) {
            let message = format!("table {} may not be dropped", row.name);
            return Err(Error::invalid(message));
        }
        if self.explains {
            return Ok(());
        }
        let table = self.schema().table(&row.name).cloned();
        if self.session.settings().foreign_keys && self.minds_keys(&row.name, table.as_deref()) {
            // Dropping a parent deletes its rows first, with all that follows; so does dropping a
            // child some of whose rows wait for a parent.
            let name = super::text::identifier(&row.name);
            let database = super::text::identifier(&self.session.database_name(self.database));
            let sql = format!("DELETE FROM {database}.{name}");
            self.session.delete_before_drop(&sql, &self.sources, &self.schemas)?;
        }
        self.drop_hanging(&row.name)?;
        self.drop_row(row)?;
        if let Some(table) = table
            && matches!(table.kind, TableKind::Rowid { autoincrement: true, .. })
            && self.schema().table(SEQUENCE_TABLE).is_some()
        {
            let database = super::text::identifier(&self.session.database_name(self.database));
            let name = table.name.replace('\'', "''");
            let sql = format!("DELETE FROM {database}.{SEQUENCE_TABLE} WHERE name = '{name}'");
            self.session.run_inside(&sql, &self.sources, &self.schemas)?;
        }
        Ok(())
    }

    /// Whether foreign keys can tell that the rows of a table are gone.
    fn minds_keys(&self, name: &str, table: Option<&Table>) -> bool {
        let may_wait = |table: &Table| {
            let by_setting = self.session.settings().defer_foreign_keys;
            let is_deferred = by_setting || table.foreign_keys.iter().any(|key| key.deferred);
            is_deferred && self.session.waits_for_parents()
        };
        !self.schema().children_of(name).is_empty() || table.is_some_and(may_wait)
    }

    /// Drops the indexes and triggers of a table or view, those in `temp` too.
    fn drop_hanging(&self, table: &str) -> Result<()> {
        let home = self.session.attachment(self.database)?;
        let hanging = self.schema().objects.iter().filter(|object| {
            matches!(object.kind, ObjectKind::Index | ObjectKind::Trigger)
                && object.is_of(table, home, home)
        });
        hanging.cloned().collect::<Vec<_>>().iter().try_for_each(|row| self.drop_row(row))?;
        let Some(temp) = self.in_temp() else { return Ok(()) };
        let triggers = temp.schema().objects.iter().filter(|object| {
            object.kind == ObjectKind::Trigger && object.is_of(table, home, Attachment::TEMP)
        });
        let triggers: Vec<ObjectRow> = triggers.cloned().collect();
        if triggers.is_empty() {
            return Ok(());
        }
        temp.transaction()?.borrow_mut().prepare_write()?;
        triggers.iter().try_for_each(|row| temp.drop_row(row))?;
        temp.note_change()
    }

    fn drop_row(&self, row: &ObjectRow) -> Result<()> {
        let mut transaction = self.transaction()?.borrow_mut();
        delete_object(&mut transaction, row.id)?;
        if row.tree.0 != 0 {
            transaction.drop_tree(row.tree)?;
        }
        Ok(())
    }
}
