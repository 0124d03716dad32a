//! Where merged data goes: the engine's own tables and indexes, in one transaction.
//!
//! Rows go in and out through the writers of the merged table, so that indexes and generated
//! columns follow. What was touched is looked at in the end: a merge can break a constraint that
//! neither side breaks. Neighbours: `definitions` makes the merged definitions,
//! `references` looks at foreign keys.

mod defined;
mod definitions;
mod dependents;
mod fitting;
mod joined;
mod redefined;
mod references;
mod renames;
mod sides;
mod twins;
mod verify;

use std::collections::{BTreeMap, BTreeSet};

use pandodb_branch::merge::{
    BrokenConstraint, Conflict, MergeOptions, RowChange, SchemaMerge, Target, Violation,
};
use pandodb_branch::shape::{ColumnId, ObjectId, TableShape};
use pandodb_ds::forest::Forest;
use pandodb_ds::record::Value;
use pandodb_ds::record::key::rowid_from_key;
use pandodb_ds::sync::Arc;

use self::sides::Before;
use crate::catalog::{DatabaseIndex, ObjectRow, Schema, Table, read_objects_of};
use crate::error::{Constraint, Error, ErrorKind, Result};
use crate::execute::{Frame, SharedTransaction};
use crate::modify::{BoundWriter, RowKey, bind_writer};
use crate::session::Session;

type BranchError = pandodb_branch::Error;

/// The target of a merge.
pub(super) struct SqlTarget<'s> {
    pub(super) session: &'s Session,
    pub(super) sources: Vec<Option<SharedTransaction>>,
    pub(super) schemas: Vec<Arc<Schema>>,
    /// The rows of the source's catalog, and of the target's.
    pub(super) theirs: Vec<ObjectRow>,
    pub(super) ours: Vec<ObjectRow>,
    /// Indexes that are built when all rows are there.
    pub(super) unfilled: Vec<crate::catalog::ObjectId>,
    writers: BTreeMap<ObjectId, (BoundWriter, Frame)>,
    /// The keys of the rows that changed.
    pub(super) touched: BTreeMap<ObjectId, Vec<RowKey>>,
    /// Rows of parents that went or changed, as they were.
    pub(super) replaced: BTreeMap<ObjectId, Vec<Vec<Value>>>,
    /// Tables whose definition the merge changes.
    pub(super) redefined: BTreeSet<ObjectId>,
    /// Tables that foreign keys refer to.
    parents: BTreeSet<ObjectId>,
    /// The schemas of the target as it was.
    pub(super) schemas_before: Vec<Arc<Schema>>,
    /// Both sides as they were.
    before: Before,
    /// What is done about conflicts.
    options: &'s MergeOptions,
    /// Tables whose rows were never seen beside all of their constraints.
    seen_anew: BTreeSet<ObjectId>,
    /// Whether it was verified before: then a row may have been touched twice.
    is_again: bool,
    /// The target has nothing of its own: what comes out is the source, whatever it breaks.
    pub(super) follows: bool,
    /// Views and triggers that were broken on the side whose text they have: renames pass them by,
    /// also where a name in between would make them whole.
    spared: Arc<BTreeSet<crate::catalog::ObjectId>>,
    /// Where only the definitions are tried: what stands in their way.
    pub(super) tried: Option<Vec<Conflict>>,
    /// Indexes that go before anything is renamed and are defined anew in the end.
    aside: Vec<ObjectRow>,
    /// Tables that somebody defined.
    defined: BTreeSet<ObjectId>,
    /// The engine's own error behind the one that ended the merge.
    pub(super) error: Option<Error>,
}

impl<'s> SqlTarget<'s> {
    pub(super) fn new(
        session: &'s Session,
        sources: Vec<Option<SharedTransaction>>,
        schemas: Vec<Arc<Schema>>,
        (ours, theirs): (&Forest, &Forest),
        options: &'s MergeOptions,
    ) -> Result<Self> {
        let (database, _) = session.database(DatabaseIndex::MAIN)?;
        let pager = database.manager().pager();
        let before = Before::new(ours, theirs);
        let (_, theirs) = read_objects_of(pager, theirs)?;
        let (_, ours) = read_objects_of(pager, ours)?;
        Ok(Self {
            session,
            sources,
            follows: false,
            is_again: false,
            before,
            options,
            seen_anew: BTreeSet::new(),
            schemas_before: schemas.clone(),
            schemas,
            theirs,
            ours,
            unfilled: Vec::new(),
            writers: BTreeMap::new(),
            touched: BTreeMap::new(),
            replaced: BTreeMap::new(),
            redefined: BTreeSet::new(),
            parents: BTreeSet::new(),
            spared: Arc::default(),
            tried: None,
            aside: Vec::new(),
            defined: BTreeSet::new(),
            error: None,
        })
    }

    /// Keeps the engine's error and gives the branch crate one that ends the merge.
    fn told<T>(&mut self, result: Result<T>) -> Result<T, BranchError> {
        result.map_err(|error| {
            let told = BranchError::new(
                pandodb_branch::ErrorKind::Transaction,
                error.message().to_owned(),
            );
            self.error = Some(error);
            told
        })
    }

    fn bind(&mut self, id: ObjectId) -> Result<()> {
        if self.writers.contains_key(&id) {
            return Ok(());
        }
        let schema = self.main_schema()?;
        let table = schema.tables.values().find(|table| table.id.0 == id.0).cloned();
        let table = table.ok_or_else(|| {
            Error::new(ErrorKind::Internal, "a merged table is not in the merged schema")
        })?;
        let bound = self.session.with_environment(&self.schemas, &self.sources, |environment| {
            bind_writer(environment, &table)
        })?;
        let frame = Frame::new(bound.layout);
        self.writers.insert(id, (bound, frame));
        Ok(())
    }

    pub(super) fn main_schema(&self) -> Result<&Arc<Schema>> {
        self.schemas
            .first()
            .ok_or_else(|| Error::new(ErrorKind::Internal, "the target has no schema"))
    }

    fn apply_change(&mut self, table: &TableShape, change: RowChange) -> Result<()> {
        self.bind(table.id)?;
        let Some((bound, frame)) = self.writers.get_mut(&table.id) else { return Ok(()) };
        let writer = &bound.writer;
        let key_of = |bytes: &[u8]| row_key(&writer.table, bytes);
        let touched = self.touched.entry(table.id).or_default();
        // A row that is new has nothing before it. Where the merge knows what the target has, the
        // tree is not asked: then all changes of it wait and are done in one pass.
        let (key, row, old, is_new) = match change {
            RowChange::Insert { key, row } => (key_of(&key)?, Some(row), None, true),
            RowChange::Update { key, row, old } => (key_of(&key)?, Some(row), old, false),
            RowChange::Delete { key, old } => (key_of(&key)?, None, old, false),
        };
        touched.push(key.clone());
        let replaced =
            self.parents.contains(&table.id).then(|| self.replaced.entry(table.id).or_default());
        self.session.with_outer(&self.sources, &self.schemas, |outer| {
            let old = match old {
                Some(cells) => Some(by_position(&writer.table, cells)),
                None if is_new => None,
                None => writer.fetch(&key, outer)?,
            };
            let is_there = old.is_some();
            if let Some(old) = old {
                writer.load(&key, old, frame, outer)?;
                writer.fill_alias(frame);
                if let Some(replaced) = replaced {
                    replaced.push(frame.slot_mut(writer.row).values_mut().clone());
                }
            }
            let Some(row) = row else {
                if is_there {
                    writer.delete_row(&key, frame, outer)?;
                }
                return Ok(());
            };
            let before = std::mem::take(frame.slot_mut(writer.row).values_mut());
            writer.load(&key, by_position(&writer.table, row), frame, outer)?;
            writer.fill_alias(frame);
            if is_there {
                writer.replace_row(&key, before, &key, frame, outer)
            } else {
                writer.insert_row(&key, frame, outer)
            }
        })
    }
}

/// The cells of a row, in the order of the columns, as a stored row has them.
fn by_position(table: &Table, row: Vec<Value>) -> Vec<Value> {
    let mut values = vec![Value::Null; table.stored_columns];
    for (column, value) in table.columns.iter().zip(row) {
        if let Some(place) = values.get_mut(column.position) {
            *place = value;
        }
    }
    values
}

/// A constraint that rows break.
pub(super) fn broken(id: ObjectId, rows: &[RowKey], error: &Error) -> BrokenConstraint {
    let violation = match error.kind() {
        ErrorKind::Constraint(Constraint::NotNull) => Violation::NotNull,
        ErrorKind::Constraint(Constraint::Check) => Violation::Check,
        ErrorKind::Constraint(Constraint::ForeignKey) => Violation::ForeignKey,
        ErrorKind::Constraint(Constraint::DataType) => Violation::Type,
        _ => Violation::Unique,
    };
    BrokenConstraint {
        object: id,
        constraint: error.message().to_owned(),
        violation,
        rows: rows.iter().map(|row| row.bytes().to_vec()).collect(),
        reference: None,
        detail: error.message().to_owned(),
    }
}

/// The key of a row by its bytes.
fn row_key(table: &Table, bytes: &[u8]) -> Result<RowKey> {
    Ok(if table.has_rowid() {
        RowKey::Rowid(rowid_from_key(bytes)?)
    } else {
        RowKey::Bytes(bytes.to_vec())
    })
}

impl Target for SqlTarget<'_> {
    fn schema(&mut self, merge: &mut SchemaMerge) -> Result<Vec<Conflict>, BranchError> {
        self.before.note(merge);
        let made = self.merge_definitions(merge).and_then(|()| self.define_own(merge));
        let mut found = self.told(made)?;
        let noted = self.note_twins(merge);
        self.told(noted)?;
        if found.is_empty() {
            let checked = self.check_dependents(merge);
            found = self.told(checked)?;
        }
        if let Some(tried) = &mut self.tried {
            *tried = found;
            return Err(BranchError::new(pandodb_branch::ErrorKind::Conflicts, "only tried"));
        }
        let noted = self.note_definitions(merge);
        self.told(noted).map(|()| found)
    }

    fn apply(&mut self, table: &TableShape, change: RowChange) -> Result<(), BranchError> {
        let done = self.apply_change(table, change);
        self.told(done)
    }

    fn raise_counter(&mut self, table: &TableShape, value: i64) -> Result<(), BranchError> {
        let name = crate::modify::quoted_text(&table.name);
        let statements = [
            format!("UPDATE main.sqlite_sequence SET seq = max(seq, {value}) WHERE name = {name}"),
            format!(
                "INSERT INTO main.sqlite_sequence(name, seq) SELECT {name}, {value} WHERE NOT \
                 EXISTS (SELECT 1 FROM main.sqlite_sequence WHERE name = {name})"
            ),
        ];
        for sql in statements {
            let done = self.session.run_inside(&sql, &self.sources, &self.schemas);
            self.told(done)?;
        }
        Ok(())
    }

    fn renumbered(
        &mut self,
        table: &TableShape,
        theirs: &[u8],
        merged: &[u8],
    ) -> Result<(), BranchError> {
        let noted = rowid_from_key(theirs)
            .and_then(|theirs| Ok((theirs, rowid_from_key(merged)?)))
            .map(|(theirs, merged)| self.before.note_rowid(table.id, theirs, merged));
        self.told(noted.map_err(Error::from))
    }

    fn refers(&mut self, column: (ObjectId, ColumnId), called: &Arc<BTreeMap<i64, i64>>) {
        self.before.note_reference(column, called);
    }

    fn progress(&mut self, _: u64) -> Result<(), BranchError> {
        let goes_on = self.session.check_stopped();
        self.told(goes_on)
    }

    fn row(&mut self, table: &TableShape, key: &[u8]) -> Result<Option<Vec<Value>>, BranchError> {
        let found = self.row_of(table.id, key);
        self.told(found)
    }

    fn verify(
        &mut self,
        report: &mut dyn FnMut(BrokenConstraint) -> Result<(), BranchError>,
    ) -> Result<(), BranchError> {
        let filled = self.fill_indexes();
        self.told(filled)?;
        if self.follows {
            return Ok(());
        }
        let mut found = Vec::new();
        let rows = self.verify_rows(&mut |broken| found.push(broken));
        self.told(rows)?;
        let keys = self.verify_foreign_keys(&mut |broken| found.push(broken));
        self.told(keys)?;
        let noted = self.look_at_next(&found);
        self.told(noted)?;
        found.into_iter().try_for_each(report)
    }
}

impl SqlTarget<'_> {
    /// The row that there is under a key, in the order of the columns.
    fn row_of(&mut self, id: ObjectId, key: &[u8]) -> Result<Option<Vec<Value>>> {
        self.bind(id)?;
        let Some((bound, _)) = self.writers.get(&id) else { return Ok(None) };
        let table = &bound.writer.table;
        let key = row_key(table, key)?;
        let fetched = self
            .session
            .with_outer(&self.sources, &self.schemas, |outer| bound.writer.fetch(&key, outer))?;
        let cells = fetched.map(|values| {
            let columns = table.columns.iter().enumerate();
            let cells = columns.map(|(index, column)| match &key {
                RowKey::Rowid(rowid) if table.rowid_alias() == Some(index) => {
                    Value::Integer(*rowid)
                }
                _ => values.get(column.position).cloned().unwrap_or_default(),
            });
            cells.collect()
        });
        Ok(cells)
    }

    /// Notes what is looked at if it is verified again: the rows that were found, and what is
    /// touched from now on.
    fn look_at_next(&mut self, found: &[BrokenConstraint]) -> Result<()> {
        self.touched.clear();
        self.replaced.clear();
        self.seen_anew.clear();
        self.redefined.clear();
        for broken in found {
            self.bind(broken.object)?;
            let Some((bound, _)) = self.writers.get(&broken.object) else { continue };
            let rows = broken.rows.iter().map(|row| row_key(&bound.writer.table, row));
            let touched = self.touched.entry(broken.object).or_default();
            for row in rows {
                touched.push(row?);
            }
        }
        self.is_again = true;
        Ok(())
    }

    /// Notes which definitions the merge changes, and which tables are parents.
    fn note_definitions(&mut self, merge: &SchemaMerge) -> Result<()> {
        let changed = merge.tables.iter().filter(|table| table.is_changed);
        self.redefined = changed.map(|table| table.shape.id).collect();
        let anew = merge.tables.iter().filter(|table| !table.is_blocked);
        let anew = anew.filter(|table| verify::has_new_constraint(table));
        self.seen_anew = anew.map(|table| table.shape.id).chain(self.defined.clone()).collect();
        let schema = Arc::clone(self.main_schema()?);
        for table in schema.tables.values() {
            for key in &table.foreign_keys {
                if let Some(parent) = schema.table(&key.parent) {
                    self.parents.insert(ObjectId(parent.id.0));
                }
            }
        }
        Ok(())
    }
}
