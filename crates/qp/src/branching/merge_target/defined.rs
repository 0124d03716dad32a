//! Definitions of somebody's own: put in where everything else has its merged name.
//!
//! Until then the catalog has one side's version in their place. A definition that does not fit is
//! a conflict again, and the catalog is as it was without it, so that what else there is to be
//! told is found. Indexes go before anything is renamed, because one whose columns went cannot be
//! read. Neighbours: `redefined` does tables, `merge::definition` has read the texts before.

use pandodb_branch::diff::schema::ObjectKind as Kind;
use pandodb_branch::merge::{Conflict, Defined, MergedText, SchemaMerge, TextSource};
use pandodb_branch::shape::ObjectId as ShapeId;
use pandodb_ds::sync::Arc;

use super::SqlTarget;
use crate::ast::{CreateIndex, Name, Statement, StatementKind};
use crate::branching::merge::definition as read;
use crate::catalog::{
    ObjectId, ObjectKind, ObjectRow, Twins, delete_object, index_columns, is_reserved_name,
    write_object,
};
use crate::define::{identifier, run_within};
use crate::error::{Error, ErrorKind, Result};
use crate::modify::bind_writer;
use crate::parse::parse_stored;
use crate::store::TreeId;

impl SqlTarget<'_> {
    /// Makes room: gives the target's indexes and triggers their merged names, since a table may
    /// wait for theirs, and takes indexes that are defined anew out of the catalog; their trees
    /// stay.
    pub(super) fn set_aside(&mut self, merge: &SchemaMerge) -> Result<()> {
        for text in merge.texts.iter().filter(|text| text.is_changed && text.kind != Kind::View) {
            let mut own = self.ours.iter().filter(|row| row.id.0 == text.shape.id.0);
            if own.any(|row| *row.name != *text.shape.name) {
                self.rename_text(text.shape.id, &text.shape.name)?;
                self.ours = self.objects()?;
            }
        }
        let anew = merge
            .texts
            .iter()
            .filter(|text| text.kind == Kind::Index && text.source == TextSource::Defined);
        for text in anew {
            let own = self.ours.iter().find(|row| row.id.0 == text.shape.id.0).cloned();
            if let Some(row) = own {
                delete_object(&mut self.transaction()?.borrow_mut(), row.id)?;
                self.aside.push(row);
            }
        }
        if self.aside.is_empty() {
            return Ok(());
        }
        self.ours = self.objects()?;
        self.reload()
    }

    /// Puts in what somebody defined; returns the conflicts that this does not settle. The merge
    /// has the shapes of the tables then.
    pub(super) fn define_own(&mut self, merge: &mut SchemaMerge) -> Result<Vec<Conflict>> {
        if merge.defined.is_empty() {
            return Ok(Vec::new());
        }
        let mut left = Vec::new();
        for place in 0..merge.tables.len() {
            let (id, is_blocked) = (merge.tables[place].shape.id, merge.tables[place].is_blocked);
            let own = of_object(merge, id);
            if own.is_empty() || is_blocked {
                continue;
            }
            match told(self.redefine(&merge.tables[place], &own))? {
                Ok(shape) => {
                    self.defined.insert(id);
                    merge.tables[place].shape = shape;
                }
                Err(why) => {
                    merge.tables[place].is_blocked = true;
                    left.extend(own.iter().map(|defined| again(defined, &why)));
                }
            }
        }
        for kind in [Kind::View, Kind::Index, Kind::Trigger] {
            for text in merge.texts.iter().filter(|text| text.kind == kind) {
                if merge.conflicts.iter().any(|conflict| conflict.key.object == text.shape.id) {
                    continue;
                }
                for defined in of_object(merge, text.shape.id) {
                    if let Err(why) = told(self.define_text(text, &defined))? {
                        left.push(again(&defined, &why));
                    }
                }
            }
        }
        if left.is_empty() && merge.conflicts.is_empty() {
            left = self.broken_own(merge)?;
            left.extend(self.parentless_own(merge)?);
        }
        Ok(left)
    }

    /// Views and triggers that somebody defined and that cannot be used.
    fn broken_own(&self, merge: &SchemaMerge) -> Result<Vec<Conflict>> {
        let main = self.main_schema()?;
        self.session.with_environment(&self.schemas, &self.sources, |environment| {
            let broken = crate::define::broken_dependents(environment, main);
            let own = broken.iter().flat_map(|(object, error)| {
                let own = of_object(merge, ShapeId(object.id.0)).into_iter();
                own.map(|defined| again(&defined, error.message()))
            });
            Ok(own.collect())
        })
    }

    fn define_text(&mut self, merged: &MergedText, defined: &Defined) -> Result<()> {
        let text = &defined.definition.text;
        let statement = read::statement(text)?;
        let id = merged.shape.id;
        match &statement.kind {
            StatementKind::CreateIndex(create) => {
                self.define_index(id, create, &statement, text)?;
            }
            _ => self.define_by_statement(id, text)?,
        }
        // It may be one of two things that had one name.
        match merged.kind {
            Kind::View => Ok(()),
            _ => self.rename_text(id, &merged.shape.name),
        }
    }

    /// A view or a trigger: the engine's own CREATE makes it, then it gets its lasting number.
    fn define_by_statement(&mut self, id: ShapeId, text: &str) -> Result<()> {
        let before = self.objects()?.into_iter().find(|row| row.id.0 == id.0);
        if let Some(row) = &before {
            delete_object(&mut self.transaction()?.borrow_mut(), row.id)?;
            self.reload()?;
        }
        let known: Vec<ObjectId> = self.objects()?.iter().map(|row| row.id).collect();
        let schemas = self.schemas.clone();
        let made = run_within(self.session, text, &self.sources, schemas, &self.spared);
        if let Err(error) = made {
            if let Some(row) = &before {
                write_object(&mut self.transaction()?.borrow_mut(), row)?;
                self.reload()?;
            }
            return Err(error);
        }
        let twins = before.map(|row| row.twins).unwrap_or_default();
        let made = self.objects()?.into_iter().find(|row| !known.contains(&row.id));
        if let Some(row) = made {
            let mut transaction = self.transaction()?.borrow_mut();
            delete_object(&mut transaction, row.id)?;
            write_object(&mut transaction, &ObjectRow { id: ObjectId(id.0), twins, ..row })?;
        }
        self.reload()
    }

    /// An index; its entries come when all rows are there.
    fn define_index(
        &mut self,
        id: ShapeId,
        create: &CreateIndex,
        statement: &Statement,
        text: &str,
    ) -> Result<()> {
        let schema = Arc::clone(self.main_schema()?);
        let table = schema.table(&create.table.text).filter(|it| !is_reserved_name(&it.name));
        let table = table.ok_or_else(|| Error::not_found("table", &create.table.text))?;
        self.session
            .with_collations(|find| index_columns(&create.columns, table, find).map(drop))?;
        let aside = self.aside.iter().find(|row| row.id.0 == id.0);
        let (tree, twins) = match aside {
            Some(row) => (row.tree, row.twins.clone()),
            None => (self.theirs_row(id.0)?.tree, Twins::default()),
        };
        let kind = if create.unique { "UNIQUE INDEX" } else { "INDEX" };
        let name = &create.name.name;
        let row = ObjectRow {
            id: ObjectId(id.0),
            kind: ObjectKind::Index,
            name: name.text.clone(),
            table: table.name.clone(),
            tree,
            sql: Some(crate::define::definition(kind, name.span, statement.span, text)),
            columns: Vec::new(),
            stored_columns: 0,
            twins,
            subject: None,
        };
        self.create_index_tree(tree)?;
        write_object(&mut self.transaction()?.borrow_mut(), &row)?;
        self.reload()?;
        let bound = self.bind_table(&table.name);
        if bound.is_err() {
            delete_object(&mut self.transaction()?.borrow_mut(), row.id)?;
            self.reload()?;
        } else {
            self.unfilled.push(row.id);
        }
        bound
    }

    pub(super) fn create_index_tree(&self, tree: TreeId) -> Result<()> {
        self.create_tree(tree, false)
    }

    /// Binds what a table and its indexes are made of.
    pub(super) fn bind_table(&self, name: &str) -> Result<()> {
        let table = self.main_schema()?.table(name).cloned();
        let table = table.ok_or_else(|| Error::not_found("table", name))?;
        self.session.with_environment(&self.schemas, &self.sources, |environment| {
            bind_writer(environment, &table).map(drop)
        })
    }

    /// Another name for an index or a trigger, which nothing mentions.
    fn rename_text(&mut self, id: ShapeId, name: &str) -> Result<()> {
        let found = self.objects()?.into_iter().find(|row| row.id.0 == id.0);
        let Some(mut row) = found.filter(|row| *row.name != *name) else { return Ok(()) };
        rename_row(&mut row, name)?;
        write_object(&mut self.transaction()?.borrow_mut(), &row)?;
        self.reload()
    }
}

/// Gives the row of an index or a trigger, and its text, another name.
pub(super) fn rename_row(row: &mut ObjectRow, name: &str) -> Result<()> {
    if *row.name == *name {
        return Ok(());
    }
    let mut sql = row.sql.take().unwrap_or_default().into_string();
    let statement = parse_stored(&sql)?.0;
    let old: Option<&Name> = statement.as_ref().and_then(|it| match &it.kind {
        StatementKind::CreateIndex(create) => Some(&create.name.name),
        StatementKind::CreateTrigger(create) => Some(&create.name.name),
        _ => None,
    });
    if let Some(old) = old.filter(|old| sql.get(old.span.range()).is_some()) {
        sql.replace_range(old.span.range(), &identifier(name));
    }
    row.name = Box::from(name);
    row.sql = Some(sql.into());
    Ok(())
}

/// What somebody said about an object.
pub(super) fn of_object(merge: &SchemaMerge, id: ShapeId) -> Vec<Defined> {
    let own = merge.defined.iter().filter(|defined| defined.conflict.key.object == id);
    own.cloned().collect()
}

/// The conflict of a definition that does not settle it.
pub(super) fn again(defined: &Defined, why: &str) -> Conflict {
    let detail = format!("the definition cannot be used: {why}");
    Conflict { detail, ..defined.conflict.clone() }
}

/// Tells what is wrong with a definition from what is wrong with the database.
fn told<T>(done: Result<T>) -> Result<Result<T, String>> {
    use ErrorKind::{
        Ambiguous, Constraint, Denied, Exists, Invalid, Limit, Mismatch, NotFound, Syntax,
        Unsupported,
    };
    match done {
        Ok(done) => Ok(Ok(done)),
        Err(error) => match error.kind() {
            Ambiguous | Constraint(_) | Denied | Exists | Invalid | Limit | Mismatch | NotFound
            | Syntax | Unsupported => Ok(Err(error.message().to_owned())),
            _ => Err(error),
        },
    }
}
