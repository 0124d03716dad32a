//! What the tests of this crate share: versions of a small database in memory, edited row by
//! row, and a merge target that writes to them.
//!
//! Neighbours: the tests of `diff` and `merge`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::collections::BTreeMap;
use std::path::Path;

use pandodb_ds::forest::{Forest, TreeId};
use pandodb_ds::format::TreeKind;
use pandodb_ds::pager::Pager;
use pandodb_ds::record::key::{ColumnOrder, rowid_key};
use pandodb_ds::record::{Collation, Value};
use pandodb_ds::store::{Store, StoreOptions};
use pandodb_ds::sync::Arc;
use pandodb_ds::tree::{PutMode, Writer};
use pandodb_ds::vfs::{MemoryVfs, Vfs};

use crate::diff::source::for_each_row;
use crate::diff::{TableVersion, Version};
use crate::error::Result;
use crate::merge::{
    BrokenConstraint, Conflict, ConflictKey, ConflictKind, Known, MergeOptions, Report, RowChange,
    SchemaMerge, Target, Versions, Violation, merge,
};
use crate::shape::row::Row;
use crate::shape::{
    Affinity, ColumnId, ColumnShape, ConstraintShape, KeyColumn, KeyShape, ObjectId, Shape,
    TableShape, TextShape, Written,
};

/// A store for trees.
pub(crate) struct World {
    store: Store,
}

pub(crate) fn int(value: i64) -> Value {
    Value::Integer(value)
}

pub(crate) fn text(value: &str) -> Value {
    Value::text(value)
}

pub(crate) fn column(id: u64, name: &str, declared: &str, position: usize) -> ColumnShape {
    let upper = declared.to_ascii_uppercase();
    let affinity = if upper.contains("INT") {
        Affinity::Integer
    } else if upper.contains("CHAR") || upper.contains("TEXT") {
        Affinity::Text
    } else if upper.contains("REAL") {
        Affinity::Real
    } else if upper.is_empty() || upper.contains("JSON") {
        Affinity::Blob
    } else {
        Affinity::Numeric
    };
    ColumnShape {
        id: ColumnId(id),
        name: name.into(),
        position,
        declared_type: declared.into(),
        affinity,
        collation: Collation::Binary,
        not_null: false,
        on_null: "",
        default: None,
        missing: Value::Null,
        generated: None,
        is_json: matches!(upper.as_str(), "JSON" | "JSONB"),
    }
}

/// A table whose columns have the ids `id * 100`, `id * 100 + 1` and so on.
pub(crate) fn table(id: u64, name: &str, columns: &[(&str, &str)]) -> TableShape {
    let columns: Vec<ColumnShape> = columns
        .iter()
        .enumerate()
        .map(|(at, (name, declared))| column(id * 100 + at as u64, name, declared, at))
        .collect();
    TableShape {
        id: ObjectId(id),
        name: name.into(),
        tree: TreeId(id),
        stored_columns: columns.len(),
        columns,
        key: KeyShape::Rowid { alias: None, autoincrement: false },
        primary_key: Vec::new(),
        key_index: None,
        constraints: Vec::new(),
        options: String::new(),
        holds_counters: false,
    }
}

pub(crate) fn key_column(id: u64) -> KeyColumn {
    KeyColumn { column: ColumnId(id), order: ColumnOrder::ASCENDING }
}

pub(crate) trait Shaped: Sized {
    /// With the first column as `INTEGER PRIMARY KEY`.
    fn with_alias(self) -> Self;
    /// With columns as the key, `WITHOUT ROWID`.
    fn with_key(self, columns: &[u64]) -> Self;
    /// With columns that must be unique together.
    fn with_unique(self, name: &str, columns: &[u64]) -> Self;
}

impl Shaped for TableShape {
    fn with_alias(mut self) -> Self {
        let alias = Some(self.columns[0].id);
        self.key = KeyShape::Rowid { alias, autoincrement: false };
        self
    }

    fn with_key(mut self, columns: &[u64]) -> Self {
        self.key = KeyShape::Columns(columns.iter().map(|id| key_column(*id)).collect());
        self
    }

    fn with_unique(mut self, name: &str, columns: &[u64]) -> Self {
        self.constraints.push(ConstraintShape {
            name: Some(name.into()),
            definition: "UNIQUE".into(),
            written: Written::default(),
            columns: columns.iter().map(|id| ColumnId(*id)).collect(),
            foreign_key: None,
        });
        self
    }
}

pub(crate) fn index(id: u64, name: &str, of: u64, column: u64) -> TextShape {
    TextShape {
        id: ObjectId(id),
        name: name.into(),
        definition: "INDEX ON {t0} ({c0})".into(),
        written: Written::default(),
        objects: vec![ObjectId(of)],
        columns: vec![ColumnId(column)],
        hangs_on: Some(ObjectId(of)),
    }
}

impl World {
    pub(crate) fn new() -> Self {
        let vfs: Arc<dyn Vfs> = Arc::new(MemoryVfs::default());
        let options = StoreOptions { creates: true, page_bytes: 1024, ..StoreOptions::default() };
        let store = Store::open(&vfs, Path::new("world"), &options).unwrap();
        Self { store }
    }

    pub(crate) fn pager(&self) -> &Arc<Pager> {
        self.store.pager()
    }

    pub(crate) fn version(tables: Vec<TableShape>) -> Version {
        let mut version = Version { shape: Shape::default(), forest: Forest::new() };
        for table in tables {
            Self::add_table(&mut version, table);
        }
        version
    }

    pub(crate) fn add_table(version: &mut Version, table: TableShape) {
        version.forest.create_tree(table.tree, kind_of(&table)).unwrap();
        version.shape.tables.push(table);
    }

    pub(crate) fn write(
        &self,
        version: &mut Version,
        change: impl FnOnce(&mut Forest, &mut Writer<'_>) -> pandodb_ds::Result<()>,
    ) {
        let pager = self.pager();
        let (mut ledger, mut dirty) = (pager.ledger(), 0);
        let mut writer = Writer::new(pager, &mut ledger, &mut dirty);
        change(&mut version.forest, &mut writer).unwrap();
        self.store.adopt(ledger);
    }

    /// Puts a row; `rowid` where the row does not hold its key itself.
    pub(crate) fn put(&self, version: &mut Version, id: u64, rowid: Option<i64>, row: &[Value]) {
        let shape = version.shape.table(ObjectId(id)).unwrap().clone();
        let key = match rowid {
            Some(rowid) => rowid_key(rowid).to_vec(),
            None => shape.key_of(row).unwrap(),
        };
        let bytes = shape.encode(row).unwrap();
        self.write(version, |forest, writer| {
            forest.put(writer, shape.tree, &key, &bytes, PutMode::Replace).map(drop)
        });
    }

    pub(crate) fn delete(&self, version: &mut Version, id: u64, key: &[u8]) {
        let tree = version.shape.table(ObjectId(id)).unwrap().tree;
        self.write(version, |forest, writer| forest.remove(writer, tree, key).map(drop));
    }

    /// Rows of a table by key.
    pub(crate) fn rows(&self, version: &Version, id: u64) -> BTreeMap<Vec<u8>, Row> {
        let shape = version.shape.table(ObjectId(id)).unwrap();
        let mut rows = BTreeMap::new();
        for_each_row(self.pager(), version.table_of(shape), |stored| {
            rows.insert(stored.key.clone(), shape.decode(&stored.key, &stored.bytes)?);
            Ok(())
        })
        .unwrap();
        rows
    }

    /// What people see: rows as sorted lists of named cells, by table; without the rowids that
    /// nobody declared.
    pub(crate) fn contents(&self, version: &Version) -> BTreeMap<String, Vec<String>> {
        let mut contents = BTreeMap::new();
        for shape in &version.shape.tables {
            let rows = self.rows(version, shape.id.0);
            let mut rows: Vec<String> = rows
                .values()
                .map(|row| {
                    let mut cells: Vec<String> = shape
                        .columns
                        .iter()
                        .zip(row)
                        .map(|(column, value)| format!("{}={value:?}", column.name.to_lowercase()))
                        .collect();
                    cells.sort();
                    cells.join(" ")
                })
                .collect();
            rows.sort();
            contents.insert(shape.name.to_lowercase(), rows);
        }
        contents
    }

    /// Merges into a copy of `ours`.
    pub(crate) fn merge(
        &self,
        base: &Version,
        ours: &Version,
        theirs: &Version,
        options: &MergeOptions,
    ) -> Merged {
        let mut target =
            ModelTarget { world: self, version: ours.clone(), counters: BTreeMap::new() };
        let mut conflicts = Vec::new();
        let report = merge(
            self.pager(),
            Versions { base, ours, theirs, known: &Known::default() },
            options,
            &mut target,
            &mut |conflict| {
                conflicts.push(conflict);
                Ok(())
            },
        )
        .unwrap();
        assert_eq!(report.conflict_count(), conflicts.len() as u64);
        let ModelTarget { version, counters, .. } = target;
        Merged { version, conflicts, report, counters }
    }
}

pub(crate) struct Merged {
    pub(crate) version: Version,
    pub(crate) conflicts: Vec<Conflict>,
    pub(crate) report: Report,
    pub(crate) counters: BTreeMap<ObjectId, i64>,
}

impl Merged {
    /// Kinds and details, for comparing with what a table of expectations says.
    pub(crate) fn kinds(&self) -> Vec<ConflictKind> {
        self.conflicts.iter().map(|conflict| conflict.kind).collect()
    }

    pub(crate) fn keys(&self) -> Vec<ConflictKey> {
        self.conflicts.iter().map(|conflict| conflict.key.clone()).collect()
    }
}

pub(crate) fn kind_of(table: &TableShape) -> TreeKind {
    if table.has_rowid() { TreeKind::Fixed } else { TreeKind::Slotted }
}

/// Writes rows as they come, without indexes; knows UNIQUE and NOT NULL.
struct ModelTarget<'a> {
    world: &'a World,
    version: Version,
    counters: BTreeMap<ObjectId, i64>,
}

impl ModelTarget<'_> {
    /// What the merge takes for the target's row must be what is stored.
    fn check_old(&self, table: &TableShape, key: &[u8], old: Option<&Row>) {
        let Some(old) = old else { return };
        let tree = self.version.forest.existing(table.tree).unwrap();
        let bytes = tree.get(self.world.pager(), key).unwrap().expect("the row is there");
        assert_eq!(&table.decode(key, &bytes).unwrap(), old, "{key:?}");
    }
}

impl Target for ModelTarget<'_> {
    fn schema(&mut self, merge: &mut SchemaMerge) -> Result<Vec<Conflict>> {
        for dropped in &merge.dropped {
            if let Some(table) = self.version.shape.table(dropped.id) {
                self.version.forest.drop_tree(table.tree);
            }
        }
        for table in &merge.tables {
            if table.is_rebuilt {
                if let Some(old) = self.version.shape.table(table.shape.id) {
                    self.version.forest.drop_tree(old.tree);
                }
                self.version.forest.drop_tree(table.shape.tree);
            }
            if self.version.forest.tree(table.shape.tree).is_none() {
                self.version.forest.create_tree(table.shape.tree, kind_of(&table.shape))?;
            }
        }
        self.version.shape = merge.shape();
        Ok(Vec::new())
    }

    fn apply(&mut self, table: &TableShape, change: RowChange) -> Result<()> {
        let tree = self.version.forest.existing(table.tree)?.clone();
        let pager = self.world.pager();
        let exists = |key: &[u8]| tree.contains(pager, key).unwrap();
        match change {
            RowChange::Insert { key, row } => {
                assert!(!exists(&key), "an inserted row is there: {row:?}");
                let bytes = table.encode(&row)?;
                self.world.write(&mut self.version, |forest, writer| {
                    forest.put(writer, table.tree, &key, &bytes, PutMode::Replace).map(drop)
                });
            }
            RowChange::Update { key, row, old } => {
                self.check_old(table, &key, old.as_ref());
                assert!(exists(&key), "an updated row is not there: {row:?}");
                let bytes = table.encode(&row)?;
                self.world.write(&mut self.version, |forest, writer| {
                    forest.put(writer, table.tree, &key, &bytes, PutMode::Replace).map(drop)
                });
            }
            RowChange::Delete { key, old } => {
                self.check_old(table, &key, old.as_ref());
                assert!(exists(&key), "a deleted row is not there");
                self.world.write(&mut self.version, |forest, writer| {
                    forest.remove(writer, table.tree, &key).map(drop)
                });
            }
        }
        Ok(())
    }

    fn raise_counter(&mut self, table: &TableShape, value: i64) -> Result<()> {
        let counter = self.counters.entry(table.id).or_default();
        *counter = value.max(*counter);
        Ok(())
    }

    fn row(&mut self, table: &TableShape, key: &[u8]) -> Result<Option<Row>> {
        let tree = self.version.forest.existing(table.tree)?;
        let bytes = tree.get(self.world.pager(), key)?;
        bytes.map(|bytes| table.decode(key, &bytes)).transpose()
    }

    fn verify(&mut self, report: &mut dyn FnMut(BrokenConstraint) -> Result<()>) -> Result<()> {
        for shape in &self.version.shape.tables {
            let rows = self.world.rows(&self.version, shape.id.0);
            let unique = shape.constraints.iter().filter(|it| it.definition == "UNIQUE");
            for constraint in unique {
                let mut groups: BTreeMap<Vec<String>, Vec<Vec<u8>>> = BTreeMap::new();
                for (key, row) in &rows {
                    let cells = constraint.columns.iter();
                    let cells = cells.map(|id| format!("{:?}", row[shape.index_of(*id).unwrap()]));
                    groups.entry(cells.collect()).or_default().insert(0, key.clone());
                }
                for keys in groups.into_values().filter(|keys| keys.len() > 1) {
                    report(broken(shape, keys, "UNIQUE", Violation::Unique))?;
                }
            }
            for (key, row) in &rows {
                let columns = shape.columns.iter().zip(row);
                for (column, _) in columns.filter(|(it, value)| it.not_null && value.is_null()) {
                    report(broken(shape, vec![key.clone()], &column.name, Violation::NotNull))?;
                }
            }
        }
        Ok(())
    }
}

fn broken(
    shape: &TableShape,
    rows: Vec<Vec<u8>>,
    constraint: &str,
    violation: Violation,
) -> BrokenConstraint {
    BrokenConstraint {
        object: shape.id,
        constraint: constraint.into(),
        violation,
        rows,
        reference: None,
        detail: constraint.into(),
    }
}

/// The changes of one table between two versions, for comparisons.
pub(crate) fn pair<'a>(
    old: &'a Version,
    new: &'a Version,
    id: u64,
) -> (TableVersion<'a>, TableVersion<'a>) {
    (old.table(ObjectId(id)).unwrap(), new.table(ObjectId(id)).unwrap())
}
