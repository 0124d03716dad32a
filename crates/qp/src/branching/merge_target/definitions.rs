//! The merged definitions: rows of the catalog, with the numbers that never change.
//!
//! A table that only one side changed is taken as that side has it. One that both changed is
//! written anew from the columns of both; meanwhile everything has the source's names (`renames`).
//! Neighbours: `target` puts the rows in afterwards.

use std::collections::BTreeSet;

use pandodb_branch::diff::schema::ObjectKind as Kind;
use pandodb_branch::merge::{
    Conflict, MergedTable, MergedText, SchemaMerge, SchemaPart, Scope, TextSource,
};
use pandodb_branch::shape::{ObjectId as ShapeId, TableShape};
use pandodb_ds::format::TreeKind;

use super::{SqlTarget, defined, joined, renames};
use crate::ast::{CreateTable, Statement, StatementKind};
use crate::catalog::{
    ColumnId, DatabaseIndex, ObjectId, ObjectKind, ObjectRow, delete_object, load, read_objects,
    write_cookie, write_object,
};
use crate::error::{Error, ErrorKind, Result};
use crate::limits::Limit;
use crate::modify::{SEQUENCE_TABLE, bind_writer, quoted_text};
use crate::parse::parse_statement;
use crate::store::{Own, TreeId, write_own};

impl SqlTarget<'_> {
    /// Brings the catalog of the target to the merged one.
    pub(super) fn merge_definitions(&mut self, merge: &SchemaMerge) -> Result<()> {
        for setting in merge.changed_settings() {
            let own = Own::ALL.into_iter().find(|own| *own as u64 == setting.id.0);
            if let Some(own) = own {
                write_own(&mut self.transaction()?.borrow_mut(), own, setting.value)?;
            }
        }
        if !merge.changes_objects() {
            return Ok(());
        }
        let lost = self.lost_for_renames(merge)?;
        self.set_aside(merge)?;
        self.drop_objects(merge)?;
        let added = self.add_free_tables(merge)?;
        self.speak_as_theirs(merge)?;
        // What a conflict is about stays as the target has it: there will be no commit.
        let blocked: BTreeSet<u64> = {
            let tables = merge.tables.iter().filter(|table| table.is_blocked);
            let ids = tables.map(|table| table.shape.id.0);
            ids.chain(merge.conflicts.iter().map(|conflict| conflict.key.object.0)).collect()
        };
        for table in merge.tables.iter().filter(|table| table.is_changed && !table.is_blocked) {
            if !added.contains(&table.shape.id) {
                self.check_width(table)?;
                self.merge_table(table)?;
            }
        }
        for text in &merge.texts {
            let is_lost = lost.contains(&text.shape.id);
            if !(is_lost || text.is_changed && text.source == TextSource::Theirs) {
                continue;
            }
            let mut all = text.shape.objects.iter().chain([&text.shape.id]);
            if !all.any(|id| blocked.contains(&id.0)) {
                self.merge_text(text)?;
            }
        }
        self.reload()?;
        let both = merge.tables.iter().filter(|table| table.is_changed && !table.is_blocked);
        for table in both.filter(|table| !table.is_rebuilt) {
            self.note_stale_indexes(table.ours.as_ref(), &table.shape)?;
        }
        self.speak_as_merged(merge)
    }

    /// Refuses a table that has more columns than either side, and more than there may be.
    fn check_width(&self, table: &MergedTable) -> Result<()> {
        let most = self.session.limits().get(Limit::Column) as usize;
        let columns = table.shape.columns.len();
        let mut sides = table.ours.iter().chain(&table.theirs);
        if columns <= most || sides.any(|side| side.columns.len() >= columns) {
            return Ok(());
        }
        let message = format!("too many columns on {}: {columns} of both sides", table.shape.name);
        Err(Error::invalid(message).with_hint(format!("there may be {most}: drop some before")))
    }

    /// Adds the tables that only the source has and that no rename has to do with, so that what
    /// mentions them can be followed by renames; returns which.
    fn add_free_tables(&mut self, merge: &SchemaMerge) -> Result<BTreeSet<ShapeId>> {
        let mut added = BTreeSet::new();
        for table in merge.tables.iter().filter(|table| !table.is_blocked && !table.is_rebuilt) {
            let (None, Some(theirs)) = (&table.ours, &table.theirs) else { continue };
            let schema = self.main_schema()?;
            let name = &theirs.name;
            let is_taken = schema.table(name).is_some()
                || schema.view(name).is_some()
                || schema.index(name).is_some();
            if !is_taken && renames::names_parents_alike(merge, theirs) {
                self.add_table(table)?;
                added.insert(table.shape.id);
            }
        }
        if !added.is_empty() {
            self.reload()?;
        }
        Ok(added)
    }

    /// Takes out what goes, before anything is renamed: a table may get the name of one that goes,
    /// and foreign keys that lead to that one go on naming it, as they do after DROP TABLE.
    fn drop_objects(&mut self, merge: &SchemaMerge) -> Result<()> {
        let mut gone: BTreeSet<u64> = merge.dropped.iter().map(|dropped| dropped.id.0).collect();
        // An index cannot be read without its table, if only to find the other conflicts.
        let is_left =
            |conflict: &&Conflict| conflict.key.scope == Scope::Schema(SchemaPart::Mentions);
        gone.extend(merge.conflicts.iter().filter(is_left).map(|it| it.key.object.0));
        let tables = self.ours.iter().filter(|row| row.kind == ObjectKind::Table);
        let names: Vec<&str> =
            tables.filter(|row| gone.contains(&row.id.0)).map(|row| &*row.name).collect();
        let hanging = self.ours.iter().filter(|row| {
            let is_of = |table: &&str| row.table.eq_ignore_ascii_case(table);
            row.kind == ObjectKind::Index && row.sql.is_some() && names.iter().any(is_of)
        });
        let hanging: Vec<u64> = hanging.map(|row| row.id.0).collect();
        gone.extend(hanging);
        for id in &gone {
            self.drop_counter(*id)?;
            self.drop_object(*id)?;
        }
        if gone.is_empty() {
            return Ok(());
        }
        self.reload()?;
        self.ours = self.objects()?;
        Ok(())
    }

    /// Reads the catalog as it is now.
    pub(super) fn reload(&mut self) -> Result<()> {
        let mut transaction = self.transaction()?.borrow_mut();
        write_cookie(&mut transaction)?;
        let schema = self
            .session
            .with_stored_collations(|find| load(&transaction, DatabaseIndex::MAIN, find))?;
        drop(transaction);
        if let Some(main) = self.schemas.first_mut() {
            *main = schema.into();
        }
        Ok(())
    }

    /// The catalog's rows as they are now.
    pub(super) fn objects(&self) -> Result<Vec<ObjectRow>> {
        Ok(read_objects(&self.transaction()?.borrow())?.1)
    }

    pub(super) fn transaction(&self) -> Result<&crate::execute::SharedTransaction> {
        self.sources.first().and_then(Option::as_ref).ok_or_else(|| {
            Error::new(ErrorKind::Internal, "the target of the merge has no transaction")
        })
    }

    /// Forgets how far AUTOINCREMENT has counted for a table that goes.
    fn drop_counter(&self, id: u64) -> Result<()> {
        let is_it = |row: &&ObjectRow| row.id.0 == id && row.kind == ObjectKind::Table;
        let Some(table) = self.ours.iter().find(is_it) else { return Ok(()) };
        if self.main_schema()?.table(SEQUENCE_TABLE).is_none() {
            return Ok(());
        }
        let name = quoted_text(&table.name);
        let sql = format!("DELETE FROM main.{SEQUENCE_TABLE} WHERE name = {name}");
        self.session.run_inside(&sql, &self.sources, &self.schemas).map(drop)
    }

    /// Takes an object out of the catalog, with the indexes of a table's constraints.
    fn drop_object(&self, id: u64) -> Result<()> {
        let Some(object) = self.ours.iter().find(|row| row.id.0 == id) else { return Ok(()) };
        let is_part = |row: &&ObjectRow| {
            row.id.0 == id
                || (object.kind == ObjectKind::Table
                    && row.kind == ObjectKind::Index
                    && row.sql.is_none()
                    && row.table.eq_ignore_ascii_case(&object.name))
        };
        let mut transaction = self.transaction()?.borrow_mut();
        for row in self.ours.iter().filter(is_part) {
            delete_object(&mut transaction, row.id)?;
            if matches!(row.kind, ObjectKind::Table | ObjectKind::Index) {
                transaction.drop_tree(row.tree)?;
            }
        }
        Ok(())
    }

    /// Empties the indexes of a table whose rows are replaced: those that stay get the new ones.
    fn empty_indexes(&self, id: u64) -> Result<()> {
        let Some(table) = self.ours.iter().find(|row| row.id.0 == id) else { return Ok(()) };
        let mut transaction = self.transaction()?.borrow_mut();
        let of_table = self.ours.iter().filter(|row| {
            row.kind == ObjectKind::Index
                && row.sql.is_some()
                && row.table.eq_ignore_ascii_case(&table.name)
        });
        for index in of_table {
            // One that goes as well has no tree any more.
            if transaction.inner()?.tree_kind(index.tree).is_some() {
                transaction.clear(index.tree)?;
            }
        }
        Ok(())
    }

    fn merge_table(&mut self, merged: &MergedTable) -> Result<()> {
        match (&merged.ours, &merged.theirs) {
            (None, Some(_)) => {
                if merged.is_rebuilt {
                    // The source's table stands in the place of the target's.
                    self.drop_counter(merged.shape.id.0)?;
                    self.empty_indexes(merged.shape.id.0)?;
                    self.drop_object(merged.shape.id.0)?;
                }
                self.add_table(merged)
            }
            _ if merged.is_rebuilt => {
                Err(self.unsupported(merged, "its primary key is another one"))
            }
            (Some(ours), Some(theirs)) => self.change_table(merged, ours, theirs),
            // A constraint of it may have gone with a column of another table.
            (Some(ours), None) => self.change_table(merged, ours, ours),
            _ => Ok(()),
        }
    }

    fn unsupported(&self, merged: &MergedTable, why: &str) -> Error {
        let name = &merged.shape.name;
        let message = format!("the definitions of table {name} cannot be merged yet: {why}");
        Error::new(ErrorKind::Unsupported, message)
            .with_hint("make the same change on the target first")
    }

    /// A table that only the source has, with the indexes of its constraints.
    fn add_table(&mut self, merged: &MergedTable) -> Result<()> {
        let id = merged.shape.id.0;
        let mut row = self.theirs_row(id)?.clone();
        row.id = ObjectId(id);
        if let Some(theirs) = merged.theirs.as_ref()
            && theirs.constraints != merged.shape.constraints
        {
            let written = definition(row.sql.as_deref().unwrap_or_default())?;
            row.sql = Some(self.joined(merged, (theirs, &written), (theirs, &written))?);
        }
        let columns = merged.shape.columns.iter();
        row.columns = columns.map(|column| (ColumnId(column.id.0), column.position)).collect();
        let fixed = merged.shape.has_rowid();
        self.create_tree(row.tree, fixed)?;
        let parts: Vec<ObjectRow> = self
            .theirs
            .iter()
            .filter(|part| {
                part.kind == ObjectKind::Index
                    && part.sql.is_none()
                    && part.table.eq_ignore_ascii_case(&row.name)
            })
            .cloned()
            .collect();
        for part in &parts {
            self.create_tree(part.tree, false)?;
        }
        let mut transaction = self.transaction()?.borrow_mut();
        for object in parts.iter().chain([&row]) {
            write_object(&mut transaction, object)?;
        }
        Ok(())
    }

    pub(super) fn create_tree(&self, tree: TreeId, fixed: bool) -> Result<()> {
        let kind = if fixed { TreeKind::Fixed } else { TreeKind::Slotted };
        let mut transaction = self.transaction()?.borrow_mut();
        if transaction.inner()?.tree_kind(tree).is_none() {
            transaction.inner_mut()?.create_tree(tree, kind)?;
        }
        Ok(())
    }

    pub(super) fn theirs_row(&self, id: u64) -> Result<&ObjectRow> {
        let id = self.id_in_theirs(id);
        let found = self.theirs.iter().find(|row| row.id.0 == id);
        found.ok_or_else(|| Error::new(ErrorKind::Internal, "a merged object has no definition"))
    }

    /// A table of the target: written anew where the merged one is another. One that the source
    /// has not is given as both.
    fn change_table(
        &mut self,
        merged: &MergedTable,
        ours: &TableShape,
        theirs: &TableShape,
    ) -> Result<()> {
        let own = self.ours.iter().find(|row| row.id.0 == merged.shape.id.0).cloned();
        let Some(mut row) = own else { return Ok(()) };
        let mine = definition(row.sql.as_deref().unwrap_or_default())?;
        row.sql = Some(if merged.theirs.is_some() {
            let id = self.id_in_theirs(merged.shape.id.0);
            let source = self.theirs.iter().find(|other| other.id.0 == id);
            let other = definition(source.and_then(|row| row.sql.as_deref()).unwrap_or_default())?;
            self.joined(merged, (ours, &mine), (theirs, &other))?
        } else {
            self.joined(merged, (ours, &mine), (ours, &mine))?
        });
        row.columns = merged
            .shape
            .columns
            .iter()
            .map(|column| (ColumnId(column.id.0), column.position))
            .collect();
        row.stored_columns = merged.shape.stored_columns;
        let create = definition(row.sql.as_deref().unwrap_or_default())?;
        let (_, implied) = self.built(&create, row.sql.as_deref().unwrap_or_default())?;
        let replaced = self.replace_table(&row, &implied)?;
        self.unfilled.extend(replaced.new.iter().map(|part| part.id));
        self.drop_trees(&replaced.gone)
    }

    /// The text of a merged table.
    fn joined(
        &self,
        merged: &MergedTable,
        ours: (&TableShape, &CreateTable),
        theirs: (&TableShape, &CreateTable),
    ) -> Result<Box<str>> {
        let create = joined::join(merged, ours, theirs)
            .ok_or_else(|| self.unsupported(merged, "both sides changed its constraints"))?;
        let kind = StatementKind::CreateTable(Box::new(create));
        let sql = Statement { kind, span: crate::span::Span::default() }.to_string();
        Ok(sql.into())
    }

    /// An index, view or trigger that is taken from the source.
    fn merge_text(&mut self, merged: &MergedText) -> Result<()> {
        let mut row = self.theirs_row(merged.shape.id.0)?.clone();
        row.id = ObjectId(merged.shape.id.0);
        let own = self.ours.iter().find(|own| own.id == row.id);
        row.twins = own.map(|own| own.twins.clone()).unwrap_or_default();
        if merged.kind != Kind::View {
            defined::rename_row(&mut row, &merged.shape.name)?;
        }
        self.drop_object(row.id.0)?;
        if merged.kind == Kind::Index {
            self.create_tree(row.tree, false)?;
            self.unfilled.push(row.id);
        }
        let mut transaction = self.transaction()?.borrow_mut();
        write_object(&mut transaction, &row)
    }

    /// Builds the indexes that came with the merge.
    pub(super) fn fill_indexes(&mut self) -> Result<()> {
        for id in std::mem::take(&mut self.unfilled) {
            let schema = self.main_schema()?.clone();
            let Some(index) = schema.indexes.values().find(|index| index.id == id) else {
                continue;
            };
            let Some(table) = schema.table(&index.table) else { continue };
            let Some(place) = table.indexes.iter().position(|known| known.id == index.id) else {
                continue;
            };
            self.transaction()?.borrow_mut().clear(index.tree)?;
            let bound =
                self.session.with_environment(&self.schemas, &self.sources, |environment| {
                    bind_writer(environment, table)
                })?;
            let id = ObjectId(table.id.0);
            let are_equal = self.session.with_outer(&self.sources, &self.schemas, |outer| {
                crate::modify::fill_index(&bound, place, false, outer)
            })?;
            if are_equal {
                self.seen_anew.insert(pandodb_branch::shape::ObjectId(id.0));
            }
        }
        Ok(())
    }
}

pub(super) fn definition(sql: &str) -> Result<CreateTable> {
    match parse_statement(sql)?.0.map(|statement| statement.kind) {
        Some(StatementKind::CreateTable(create)) => Ok(*create),
        _ => Err(Error::new(ErrorKind::Internal, "a table's definition is not one")),
    }
}
