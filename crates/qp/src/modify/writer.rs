//! One row into or out of a table and its indexes.
//!
//! Expressions of the table (index parts, conditions of partial indexes, generated columns,
//! checks) are bound over the row slot of the statement's frame; whoever calls puts the row
//! there first. Neighbours: `constraint` asks before a row goes in.

use pandodb_ds::record::key::{
    prefix_successor, push_column, rowid_from_key, rowid_key, shown_as_integers, skip_column,
};
use pandodb_ds::record::row::{RowView, encode_row};
use pandodb_ds::record::{Value, ValueRef};
use pandodb_ds::sync::Arc;
use smallvec::SmallVec;

use super::foreign_key::ForeignKeys;
use super::trigger::Triggers;
use crate::ast::ConflictAction;
use crate::catalog::{Column, Index, IndexColumn, Table};
use crate::error::{Error, Result};
use crate::execute::{Frame, Kept, Outer, push_collated};
use crate::function::{RowChange, RowImages};
use crate::plan::SourceId;
use crate::scalar::{Scalar, SlotId};
use crate::types::{Datum, apply_affinity, compare};

/// Everything that a table demands of its rows, bound.
#[derive(Debug)]
pub struct TableWriter {
    /// The table.
    pub table: Arc<Table>,
    /// Where it is.
    pub source: SourceId,
    /// Where its expressions read the row.
    pub row: SlotId,
    /// Generated columns in the order in which they can be computed: index and expression.
    pub generated: Vec<(usize, Scalar)>,
    /// CHECK constraints: what the message names, and the expression.
    pub checks: Vec<(Box<str>, Scalar)>,
    /// The indexes, in the table's order.
    pub indexes: Vec<IndexWriter>,
    /// What REPLACE puts in the place of a NULL: column and default.
    pub replacements: Vec<(usize, Scalar)>,
    /// Triggers of the statement's kind.
    pub(super) triggers: Triggers,
    /// Triggers of rows that REPLACE deletes.
    pub(super) replaced: Triggers,
    /// Foreign keys from and to the table.
    pub(super) foreign_keys: ForeignKeys,
}

/// An index, bound.
#[derive(Debug)]
pub struct IndexWriter {
    /// The index.
    pub index: Arc<Index>,
    /// Its parts over the row slot.
    pub parts: Vec<Scalar>,
    /// Which rows it holds.
    pub filter: Option<Scalar>,
    /// Whether it can tell two rows apart that are equal in its parts: never for unique ones.
    pub unique: Option<Option<ConflictAction>>,
    /// Whether no column that the statement assigns is read by it: while a row keeps its key its
    /// entry stays as it is.
    pub is_untouched: bool,
}

/// What a row is known by in its table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowKey {
    /// Its rowid.
    Rowid(i64),
    /// The bytes of its primary key.
    Bytes(Vec<u8>),
}

impl RowKey {
    /// The rowid; 0 in a table without.
    pub fn rowid(&self) -> i64 {
        match self {
            Self::Rowid(rowid) => *rowid,
            Self::Bytes(_) => 0,
        }
    }

    /// The bytes in the table's tree.
    pub fn bytes(&self) -> SmallVec<[u8; 24]> {
        match self {
            Self::Rowid(rowid) => SmallVec::from_slice(&rowid_key(*rowid)),
            Self::Bytes(bytes) => SmallVec::from_slice(bytes),
        }
    }
}

impl TableWriter {
    /// Computes generated columns into the row in the row slot.
    pub fn compute_generated(&self, frame: &mut Frame, outer: Outer<'_>) -> Result<()> {
        let _pure = outer.context.run.pure("a generated column");
        for (index, expression) in &self.generated {
            let column = &self.table.columns[*index];
            let value = {
                let scope = frame.scope(outer);
                apply_affinity(expression.evaluate(&scope)?, column.affinity).into_value()
            };
            let values = frame.slot_mut(self.row).values_mut();
            if let Some(place) = values.get_mut(column.position) {
                *place = value;
            }
        }
        Ok(())
    }

    /// As [`compute_generated`](Self::compute_generated) for a row that is to go in. What a
    /// virtual column of a STRICT table refuses is an error at once; what a stored one refuses is
    /// told, because NOT NULL is looked at first.
    pub(super) fn generate(&self, frame: &mut Frame, outer: Outer<'_>) -> Result<Option<Error>> {
        self.compute_generated(frame, outer)?;
        if self.generated.is_empty() || !self.table.strict {
            return Ok(None);
        }
        self.misfit(frame, Column::is_virtual)?.map_or(Ok(()), Err)?;
        self.misfit(frame, |column| column.generated.is_some())
    }

    /// The key of the row in the row slot, in a table without rowid.
    pub fn primary_key(&self, frame: &Frame) -> Result<RowKey> {
        let mut key = Vec::new();
        for part in self.table.key_columns() {
            let position = part.column().map_or(0, |index| self.table.columns[index].position);
            let value = frame.slot(self.row).column(position as u16)?;
            push_column(value.as_ref(), part.order(), &mut key)?;
        }
        Ok(RowKey::Bytes(key))
    }

    /// Puts the row in the row slot into the table and its indexes, unasked.
    pub fn insert_row(&self, key: &RowKey, frame: &Frame, outer: Outer<'_>) -> Result<()> {
        let bytes = self.encode(frame)?;
        let row_key = key.bytes();
        if outer.context.session.watches_rows() {
            let new = frame.slot(self.row).keep()?;
            self.tell_before(RowChange::Insert, None, Some((key.rowid(), &new)), outer);
        }
        {
            let mut transaction = outer.context.transaction(self.source)?.borrow_mut();
            transaction.put_later(self.table.tree, &row_key, &bytes)?;
        }
        outer.context.session.row_changed(RowChange::Insert, &self.table.name, key.rowid());
        for index in &self.indexes {
            index.insert(self, &row_key, frame, outer)?;
        }
        Ok(())
    }

    /// Takes the row in the row slot out of the table and its indexes.
    pub fn delete_row(&self, key: &RowKey, frame: &Frame, outer: Outer<'_>) -> Result<()> {
        let row_key = key.bytes();
        if outer.context.session.watches_rows() {
            let old = frame.slot(self.row).keep()?;
            self.tell_before(RowChange::Delete, Some((key.rowid(), &old)), None, outer);
        }
        for index in &self.indexes {
            index.delete(self, &row_key, frame, outer)?;
        }
        let mut transaction = outer.context.transaction(self.source)?.borrow_mut();
        transaction.delete_later(self.table.tree, &row_key)?;
        drop(transaction);
        outer.context.session.row_changed(RowChange::Delete, &self.table.name, key.rowid());
        Ok(())
    }

    /// Exchanges a row: `old` is taken out of the indexes where it differs from the row in the
    /// row slot, which goes in.
    pub fn replace_row(
        &self,
        old_key: &RowKey,
        old: Vec<Value>,
        new_key: &RowKey,
        frame: &mut Frame,
        outer: Outer<'_>,
    ) -> Result<()> {
        if outer.context.session.watches_rows() {
            let new = frame.slot(self.row).keep()?;
            let before = Kept::Values { rowid: old_key.rowid(), values: old.clone() };
            let (before, after) = ((old_key.rowid(), &before), (new_key.rowid(), &new));
            self.tell_before(RowChange::Update, Some(before), Some(after), outer);
        }
        self.exchange(old_key, old, new_key, frame, outer)?;
        outer.context.session.row_changed(RowChange::Update, &self.table.name, new_key.rowid());
        Ok(())
    }

    /// Puts the row in the row slot in the place of `old`, which has its key: as deleting that
    /// and inserting this.
    pub(super) fn exchange_row(
        &self,
        key: &RowKey,
        old: Vec<Value>,
        frame: &mut Frame,
        outer: Outer<'_>,
    ) -> Result<()> {
        let new = std::mem::take(frame.slot_mut(self.row).values_mut());
        self.load(key, old, frame, outer)?;
        self.fill_alias(frame);
        let old = std::mem::replace(frame.slot_mut(self.row).values_mut(), new);
        self.exchange(key, old, key, frame, outer)?;
        let session = outer.context.session;
        session.row_changed(RowChange::Delete, &self.table.name, key.rowid());
        session.row_changed(RowChange::Insert, &self.table.name, key.rowid());
        Ok(())
    }

    fn exchange(
        &self,
        old_key: &RowKey,
        old: Vec<Value>,
        new_key: &RowKey,
        frame: &mut Frame,
        outer: Outer<'_>,
    ) -> Result<()> {
        let (old_bytes, new_bytes) = (old_key.bytes(), new_key.bytes());
        let keeps_key = old_bytes == new_bytes;
        let touched = || self.indexes.iter().filter(|index| !(keeps_key && index.is_untouched));
        if touched().next().is_some() {
            let mut entries: SmallVec<[Option<Entry>; 4]> = SmallVec::new();
            for index in touched() {
                entries.push(index.entry(&new_bytes, frame, outer)?);
            }
            let new = std::mem::take(frame.slot_mut(self.row).values_mut());
            frame.slot_mut(self.row).set_values(old_key.rowid(), old);
            for (index, new_entry) in touched().zip(entries) {
                let old_entry = index.entry(&old_bytes, frame, outer)?;
                if old_entry == new_entry {
                    continue;
                }
                let mut transaction = outer.context.transaction(self.source)?.borrow_mut();
                let tree = index.index.tree;
                if let Some(entry) = old_entry
                    && new_entry.as_ref().is_none_or(|new| new.key != entry.key)
                {
                    transaction.delete_later(tree, &entry.key)?;
                }
                if let Some(entry) = new_entry {
                    transaction.put_later(tree, &entry.key, &entry.exact)?;
                }
            }
            frame.slot_mut(self.row).set_values(new_key.rowid(), new);
        }
        let bytes = self.encode(frame)?;
        let mut transaction = outer.context.transaction(self.source)?.borrow_mut();
        if !keeps_key {
            transaction.delete_later(self.table.tree, &old_bytes)?;
        }
        transaction.put_later(self.table.tree, &new_bytes, &bytes)?;
        Ok(())
    }

    /// Tells of a row before it changes.
    fn tell_before(
        &self,
        change: RowChange,
        old: Option<(i64, &Kept)>,
        new: Option<(i64, &Kept)>,
        outer: Outer<'_>,
    ) {
        let columns = |(rowid, row): (i64, &Kept)| {
            let columns = self.table.columns.iter().map(|column| match row {
                Kept::Values { values, .. } => values.get(column.position).cloned(),
                _ => None,
            });
            (rowid, columns.map(Option::unwrap_or_default).collect::<Vec<Value>>())
        };
        let (old, new) = (old.map(columns), new.map(columns));
        outer.context.session.row_changes(&RowImages {
            change,
            database: usize::from(self.table.database.0),
            table: &self.table.name,
            old: old.as_ref().map(|(rowid, values)| (*rowid, values.as_slice())),
            new: new.as_ref().map(|(rowid, values)| (*rowid, values.as_slice())),
            depth: outer.context.run.depth.get(),
        });
    }

    /// The stored form of the row in the row slot.
    pub(super) fn encode(&self, frame: &Frame) -> Result<Vec<u8>> {
        let slot = frame.slot(self.row);
        let columns = self.table.columns.iter().filter(|column| !column.is_virtual());
        let mut values: SmallVec<[Datum<'_>; 16]> = SmallVec::new();
        // Virtual and dropped columns are nowhere.
        values.resize(self.table.stored_columns, Datum::NULL);
        for position in columns.map(|column| column.position) {
            values[position] = slot.column(position as u16)?;
        }
        if let Some(alias) = self.table.rowid_alias() {
            // The rowid is the key already.
            values[self.table.columns[alias].position] = Datum::NULL;
        }
        let references: SmallVec<[ValueRef<'_>; 16]> = values.iter().map(Datum::as_ref).collect();
        let mut bytes = Vec::with_capacity(room_of_row(&references));
        encode_row(&references, &mut bytes)?;
        Ok(bytes)
    }

    /// The stored row with that key, if it is there: its values by position.
    pub fn fetch(&self, key: &RowKey, outer: Outer<'_>) -> Result<Option<Vec<Value>>> {
        let transaction = outer.context.transaction(self.source)?.borrow();
        let decode = |bytes: &[u8]| decode(&self.table, bytes);
        transaction.get_with(self.table.tree, &key.bytes(), decode)?.transpose()
    }

    /// Puts a stored row into the row slot, with its generated columns.
    pub fn load(
        &self,
        key: &RowKey,
        values: Vec<Value>,
        frame: &mut Frame,
        outer: Outer<'_>,
    ) -> Result<()> {
        frame.slot_mut(self.row).set_values(key.rowid(), values);
        if self.generated.is_empty() { Ok(()) } else { self.compute_generated(frame, outer) }
    }
}

/// About as many bytes as a row takes, and no fewer: it is encoded in one piece of memory.
fn room_of_row(columns: &[ValueRef<'_>]) -> usize {
    let room = |column: &ValueRef<'_>| match column {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.len() + 5,
        // A code, and what an integer is written in before its length is cut.
        _ => 9,
    };
    columns.iter().map(room).sum::<usize>() + 8
}

/// The values of a stored row by position, those that it is too old to have included.
pub(super) fn decode(table: &Table, bytes: &[u8]) -> Result<Vec<Value>> {
    let view = RowView::new(bytes)?;
    let mut values = Vec::with_capacity(table.stored_columns);
    for value in view.columns() {
        values.push(value?.to_owned());
    }
    for position in values.len()..table.stored_columns {
        values.push(table.missing_value(position).clone());
    }
    Ok(values)
}

/// The key of a row whose bytes stand behind the parts of an entry.
fn row_key(writer: &TableWriter, bytes: &[u8]) -> Result<RowKey> {
    Ok(if writer.table.has_rowid() {
        RowKey::Rowid(rowid_from_key(bytes)?)
    } else {
        RowKey::Bytes(bytes.to_vec())
    })
}

/// An entry of an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// The parts and the row's key.
    pub(super) key: Vec<u8>,
    /// How much of the key the parts are.
    pub(super) prefix: usize,
    /// The parts' exact values, where the key does not say them.
    pub(super) exact: Vec<u8>,
    /// Whether a part is NULL: such entries equal no other.
    pub(super) has_null: bool,
}

impl IndexWriter {
    /// The entry of the row in the row slot; none where the index leaves it out.
    pub(super) fn entry(
        &self,
        row_key: &[u8],
        frame: &Frame,
        outer: Outer<'_>,
    ) -> Result<Option<Entry>> {
        let _pure = outer.context.run.pure("an index");
        let scope = frame.scope(outer);
        if let Some(filter) = &self.filter
            && !filter.is_true(&scope)?
        {
            return Ok(None);
        }
        let mut values: SmallVec<[Datum<'_>; 4]> = SmallVec::new();
        for part in &self.parts {
            values.push(part.evaluate(&scope)?);
        }
        let references: SmallVec<[ValueRef<'_>; 4]> = values.iter().map(Datum::as_ref).collect();
        let mut key = Vec::with_capacity(row_key.len() + 16);
        let mut is_exact = shown_as_integers(&references) == 0;
        for (value, column) in references.iter().zip(&self.index.columns) {
            push_column(*value, column.order(), &mut key)?;
            let is_text = matches!(value, ValueRef::Text(_));
            is_exact = is_exact && (!is_text || column.order().is_exact()) && !column.is_custom();
        }
        let prefix = key.len();
        key.extend_from_slice(row_key);
        let mut exact = Vec::new();
        if !is_exact {
            encode_row(&references, &mut exact)?;
        }
        let has_null = references.iter().any(|value| value.is_null());
        Ok(Some(Entry { key, prefix, exact, has_null }))
    }

    fn insert(
        &self,
        writer: &TableWriter,
        row_key: &[u8],
        frame: &Frame,
        outer: Outer<'_>,
    ) -> Result<()> {
        if let Some(entry) = self.entry(row_key, frame, outer)? {
            let mut transaction = outer.context.transaction(writer.source)?.borrow_mut();
            transaction.put_later(self.index.tree, &entry.key, &entry.exact)?;
        }
        Ok(())
    }

    fn delete(
        &self,
        writer: &TableWriter,
        row_key: &[u8],
        frame: &Frame,
        outer: Outer<'_>,
    ) -> Result<()> {
        if let Some(entry) = self.entry(row_key, frame, outer)? {
            let mut transaction = outer.context.transaction(writer.source)?.borrow_mut();
            transaction.delete_later(self.index.tree, &entry.key)?;
        }
        Ok(())
    }

    /// The key of another row that is equal in all parts, if the index is unique.
    pub(super) fn conflict(
        &self,
        writer: &TableWriter,
        own: Option<&RowKey>,
        frame: &Frame,
        outer: Outer<'_>,
    ) -> Result<Option<RowKey>> {
        let mut other = None;
        self.each_equal(writer, frame, outer, |row| {
            if own != Some(&row) {
                other = Some(row);
            }
            other.is_none()
        })?;
        Ok(other)
    }

    /// Calls `take` with the keys of the rows that are equal to the row in the row slot in all
    /// parts, if the index is unique, until it says that these are enough.
    pub(super) fn each_equal(
        &self,
        writer: &TableWriter,
        frame: &Frame,
        outer: Outer<'_>,
        mut take: impl FnMut(RowKey) -> bool,
    ) -> Result<()> {
        if self.unique.is_none() {
            return Ok(());
        }
        let Some(entry) = self.entry(&[], frame, outer)? else { return Ok(()) };
        if entry.has_null {
            return Ok(());
        }
        if self.index.columns.iter().any(IndexColumn::is_custom) {
            return super::checking(writer, outer, || {
                self.each_by_comparison(writer, &entry, outer, take)
            });
        }
        let prefix = &entry.key[..entry.prefix];
        super::checking(writer, outer, || {
            let mut cursor = outer.context.cursor(writer.source, self.index.tree)?;
            cursor.limit(prefix, prefix_successor(prefix).as_deref());
            let mut found = cursor.seek(prefix)?;
            while found && cursor.key().starts_with(prefix) {
                if !take(row_key(writer, &cursor.key()[entry.prefix..])?) {
                    break;
                }
                found = cursor.next()?;
            }
            Ok(())
        })
    }

    /// As [`each_equal`](Self::each_equal) where an order of the application decides what is
    /// equal: entries that agree in the columns before it are compared one by one.
    fn each_by_comparison(
        &self,
        writer: &TableWriter,
        entry: &Entry,
        outer: Outer<'_>,
        mut take: impl FnMut(RowKey) -> bool,
    ) -> Result<()> {
        let columns = &self.index.columns;
        let mut prefix = 0;
        for column in columns.iter().take_while(|column| !column.is_custom()) {
            prefix += skip_column(&entry.key[prefix..], column.descending)?;
        }
        let prefix = &entry.key[..prefix];
        let wanted = RowView::new(&entry.exact)?.columns().collect::<Result<Vec<_>, _>>()?;
        let mut cursor = outer.context.cursor(writer.source, self.index.tree)?;
        cursor.limit(prefix, prefix_successor(prefix).as_deref());
        let mut found = cursor.seek(prefix)?;
        while found && cursor.key().starts_with(prefix) {
            outer.context.tick()?;
            let mut rest = cursor.key();
            for column in columns {
                rest = rest.get(skip_column(rest, column.descending)?..).unwrap_or_default();
            }
            let row = row_key(writer, rest)?;
            let values = RowView::new(cursor.value()?)?.columns();
            let mut is_equal = true;
            for ((value, wanted), column) in values.zip(&wanted).zip(columns) {
                let value = value?;
                let order = compare(value, *wanted, column.collation, outer.context.collations);
                is_equal = is_equal && !value.is_null() && order.is_eq();
            }
            if is_equal && !take(row) {
                break;
            }
            found = cursor.next()?;
        }
        Ok(())
    }

    /// What rows that this index finds equal have in common.
    pub(super) fn group_key(&self, frame: &Frame, outer: Outer<'_>) -> Result<Vec<u8>> {
        let scope = frame.scope(outer);
        let mut key = Vec::new();
        for (part, column) in self.parts.iter().zip(&self.index.columns) {
            let value = part.evaluate(&scope)?;
            push_collated(value.as_ref(), column.collation, outer.context, &mut key)?;
        }
        Ok(key)
    }
}
