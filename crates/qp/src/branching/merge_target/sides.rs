//! The two sides of a merge as they were before it, to be asked what was broken there already.
//!
//! What a side had broken is not the merge's doing, whichever side it is: it comes along, as it
//! does where a branch moves to another one. A merge is to blame for what is broken in the end and
//! was not on a side that has it. Sides are opened when something is found, which is rare.
//! Neighbours: `verify` and `references` ask for rows, `dependents` for views and triggers.

use std::collections::{BTreeMap, BTreeSet};

use pandodb_branch::fork::Fork;
use pandodb_branch::merge::SchemaMerge;
use pandodb_branch::shape::{Affinity, ColumnId, ObjectId};
use pandodb_ds::forest::Forest;
use pandodb_ds::record::Value;
use pandodb_ds::sync::Arc;
use pandodb_tm::{BeginOptions, MAIN};

use super::SqlTarget;
use crate::catalog::{DatabaseIndex, Schema, Table, load_forest};
use crate::error::{Error, ErrorKind, Result};
use crate::execute::{Frame, SharedTransaction};
use crate::modify::{RowKey, bind_writer};

/// The forests of the sides, and what of the source has another number in the merge.
pub(super) struct Before {
    ours: Forest,
    theirs: Forest,
    /// The source's numbers of objects and columns that both sides added, by the merged ones.
    objects: BTreeMap<u64, u64>,
    columns: BTreeMap<u64, u64>,
    /// The source's rowids of rows that got another one, by the merged ones.
    rowids: BTreeMap<ObjectId, BTreeMap<i64, i64>>,
    /// The merged ones by those.
    merged: BTreeMap<ObjectId, BTreeMap<i64, i64>>,
    /// What rowids in cells of the source are in the merge, by columns.
    referred: BTreeMap<(ObjectId, ColumnId), Arc<BTreeMap<i64, i64>>>,
}

impl Before {
    pub(super) fn new(ours: &Forest, theirs: &Forest) -> Self {
        Self {
            ours: ours.clone(),
            theirs: theirs.clone(),
            objects: BTreeMap::new(),
            columns: BTreeMap::new(),
            rowids: BTreeMap::new(),
            merged: BTreeMap::new(),
            referred: BTreeMap::new(),
        }
    }

    /// Notes what has two numbers.
    pub(super) fn note(&mut self, merge: &SchemaMerge) {
        let objects = merge.adapted.objects.iter();
        self.objects = objects.map(|(theirs, ours)| (ours.0, theirs.0)).collect();
        let columns = merge.adapted.columns.iter();
        self.columns = columns.map(|(theirs, ours)| (ours.0, theirs.0)).collect();
    }

    /// Notes that a row of the source has another rowid in the merge.
    pub(super) fn note_rowid(&mut self, table: ObjectId, theirs: i64, merged: i64) {
        self.rowids.entry(table).or_default().insert(merged, theirs);
        self.merged.entry(table).or_default().insert(theirs, merged);
    }

    /// Notes what a column of the source refers to: the merged rowids, by the source's.
    pub(super) fn note_reference(
        &mut self,
        column: (ObjectId, ColumnId),
        called: &Arc<BTreeMap<i64, i64>>,
    ) {
        self.referred.insert(column, Arc::clone(called));
    }
}

/// A side, opened for reading.
pub(super) struct Side {
    pub(super) sources: Vec<Option<SharedTransaction>>,
    pub(super) schemas: Vec<Arc<Schema>>,
    is_theirs: bool,
    /// What keeps the side open; the last to go.
    _fork: Fork,
}

impl SqlTarget<'_> {
    /// The target and the source as they were.
    pub(super) fn sides(&self) -> Result<[Side; 2]> {
        Ok([self.side(&self.before.ours, false)?, self.side(&self.before.theirs, true)?])
    }

    fn side(&self, forest: &Forest, is_theirs: bool) -> Result<Side> {
        let (database, _) = self.session.database(DatabaseIndex::MAIN)?;
        let fork = Fork::of_forest(database.manager(), MAIN, forest)?;
        let transaction = database.begin(fork.head(), BeginOptions::read_only())?;
        let pager = database.manager().pager();
        let schema = self
            .session
            .with_stored_collations(|find| load_forest(pager, forest, DatabaseIndex::MAIN, find))?;
        let (mut sources, mut schemas) = (self.sources.clone(), self.schemas_before.clone());
        match (sources.first_mut(), schemas.first_mut()) {
            (Some(source), Some(main)) => {
                *source = Some(SharedTransaction::new(transaction));
                *main = Arc::new(schema);
            }
            _ => return Err(Error::new(ErrorKind::Internal, "the target has no schema")),
        }
        Ok(Side { sources, schemas, is_theirs, _fork: fork })
    }

    /// The number that a side has for an object of the merge.
    pub(super) fn object_on(&self, side: &Side, id: u64) -> u64 {
        if side.is_theirs { self.id_in_theirs(id) } else { id }
    }

    /// The number that the source has for an object of the merge.
    pub(super) fn id_in_theirs(&self, id: u64) -> u64 {
        self.before.objects.get(&id).copied().unwrap_or(id)
    }

    /// The number that the source has for a column of the merge.
    pub(super) fn column_in_theirs(&self, id: u64) -> u64 {
        self.before.columns.get(&id).copied().unwrap_or(id)
    }

    /// The number that a side has for a column of the merge.
    pub(super) fn column_on(&self, side: &Side, id: u64) -> u64 {
        if side.is_theirs { self.column_in_theirs(id) } else { id }
    }

    /// The table of the merge as a side has it.
    pub(super) fn table_on<'s>(&self, side: &'s Side, id: ObjectId) -> Option<&'s Arc<Table>> {
        let id = self.object_on(side, id.0);
        side.schemas.first()?.tables.values().find(|table| table.id.0 == id)
    }

    /// The rowid that a side has for a row of the merge; none where another row has it there.
    pub(super) fn rowid_on(&self, side: &Side, table: ObjectId, rowid: i64) -> Option<i64> {
        if !side.is_theirs {
            return Some(rowid);
        }
        let rowids = self.before.rowids.get(&table);
        let theirs = rowids.and_then(|rowids| rowids.get(&rowid)).copied();
        let is_other = || self.before.merged.get(&table).is_some_and(|it| it.contains_key(&rowid));
        theirs.or_else(|| (!is_other()).then_some(rowid))
    }

    /// The rowid that a row of a side has in the merge.
    pub(super) fn rowid_of(&self, side: &Side, table: ObjectId, rowid: i64) -> i64 {
        let rowids = if side.is_theirs { self.before.merged.get(&table) } else { None };
        rowids.and_then(|rowids| rowids.get(&rowid)).copied().unwrap_or(rowid)
    }

    /// What a cell of a side is in the merge, if it refers to a row that has another rowid there.
    pub(super) fn cell_of(
        &self,
        side: &Side,
        column: (ObjectId, ColumnId),
        affinity: Affinity,
        cell: &Value,
    ) -> Option<Value> {
        let called = if side.is_theirs { self.before.referred.get(&column)? } else { return None };
        let Value::Integer(rowid) = Affinity::Integer.convert(cell.clone()) else { return None };
        Some(affinity.convert(Value::Integer(*called.get(&rowid)?)))
    }

    /// Whether a row broke such a constraint on a side already.
    pub(super) fn was_broken(
        &self,
        side: &Side,
        id: ObjectId,
        key: &RowKey,
        kind: ErrorKind,
    ) -> Result<bool> {
        let Some(table) = self.table_on(side, id) else { return Ok(false) };
        let key = match key {
            RowKey::Rowid(rowid) => match self.rowid_on(side, id, *rowid) {
                Some(rowid) => RowKey::Rowid(rowid),
                None => return Ok(false),
            },
            RowKey::Bytes(bytes) => RowKey::Bytes(bytes.clone()),
        };
        if table.has_rowid() != matches!(key, RowKey::Rowid(_)) {
            return Ok(false);
        }
        let bound = self.session.with_environment(&side.schemas, &side.sources, |environment| {
            bind_writer(environment, table)
        })?;
        let (writer, mut frame) = (&bound.writer, Frame::new(bound.layout));
        self.session.with_outer(&side.sources, &side.schemas, |outer| {
            let Some(values) = writer.fetch(&key, outer)? else { return Ok(false) };
            writer.load(&key, values, &mut frame, outer)?;
            writer.fill_alias(&mut frame);
            let found = writer.violation(&key, &mut frame, outer)?;
            Ok(found.is_some_and(|found| found.error.kind() == kind))
        })
    }

    /// The views and triggers that cannot be bound on a side, by the side's numbers.
    pub(super) fn broken_on(&self, side: &Side) -> Result<BTreeSet<u64>> {
        let Some(main) = side.schemas.first() else { return Ok(BTreeSet::new()) };
        self.session.with_environment(&side.schemas, &side.sources, |environment| {
            let broken = crate::define::broken_dependents(environment, main);
            Ok(broken.into_iter().map(|(object, _)| object.id.0).collect())
        })
    }
}
