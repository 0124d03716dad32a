//! Reading tables: all rows, by rowid, by index.
//!
//! Whatever the way in, opening a scan makes a list of key ranges in the tree that drives it
//! (the table's own, or an index's), in the order in which they are read; from then on a scan
//! is: go to the start of a range, step until its end, go to the next. An index that does not
//! have all that is read leads to the row in the table. Neighbours: `plan::access` chooses the
//! ways, `row` gives out columns.

use pandodb_ds::record::key::{prefix_successor, push_column, rowid_key, skip_column};
use pandodb_ds::record::{Value, ValueRef};
use pandodb_ds::sync::Arc;
use rustc_hash::FxHashSet;
use smallvec::SmallVec;

use super::OperatorState;
use super::ranges::{KeyBytes, KeyRange, Ranges, ranges_behind, rowid_range, sought};
use crate::catalog::{IndexColumn, SystemTable, TableKind};
use crate::error::Result;
use crate::execute::row::{CursorRow, IndexRow, Slot, SlotRow, index_rowid};
use crate::execute::{Frame, HashedRow, Outer, Scope};
use crate::plan::{AccessPath, IndexEqual, IndexIn, IndexPath, Scan};
use crate::scalar::Scalar;
use crate::store::Cursor;
use crate::types::{Affinity, Datum, apply_affinity};

/// How many entries are looked at before the next that differs is searched for.
const JUMP_STEPS: usize = 3;

/// Where a scan is.
#[derive(Debug, Default)]
pub struct ScanState {
    ranges: Ranges,
    /// The range that is next.
    next_range: usize,
    /// Whether a range is being read.
    inside: bool,
    /// How many ends of the entries that agree were looked at.
    ends: u8,
    /// The index's cursor, where the slot has the table's.
    index: Option<Cursor>,
    /// Which way of a union is read, and the keys of rows that were given out.
    union: Option<(usize, FxHashSet<HashedRow>)>,
    /// The rows of a system table, with their rowids.
    rows: Option<std::iter::Zip<std::ops::RangeFrom<i64>, std::vec::IntoIter<Vec<Value>>>>,
}

impl ScanState {
    /// Forgets where it is.
    pub(super) fn clear(&mut self) {
        self.ranges.clear();
        self.next_range = 0;
        self.inside = false;
        self.index = None;
        self.union = None;
        self.rows = None;
    }
}

impl Scan {
    pub(super) fn open(&self, frame: &mut Frame, outer: Outer<'_>) -> Result<()> {
        let mut state = match std::mem::take(frame.state_mut(self.state)) {
            OperatorState::Scan(state) => state,
            _ => Box::default(),
        };
        state.ranges.clear();
        state.next_range = 0;
        state.inside = false;
        state.ends = 0;
        if let TableKind::System(table) = self.table.kind {
            state.rows = Some((1..).zip(self.system_rows(table, outer)));
            *frame.state_mut(self.state) = OperatorState::Scan(state);
            return Ok(());
        }
        let is_open = match &frame.slot(self.slot).row {
            SlotRow::Cursor(row) => Arc::ptr_eq(&row.table, &self.table),
            SlotRow::Index(row) => Arc::ptr_eq(&row.table, &self.table),
            _ => false,
        };
        if !is_open {
            self.open_cursors(frame.slot_mut(self.slot), &mut state, outer)?;
        }
        state.union = None;
        match &self.path {
            AccessPath::Union(paths) => {
                state.union = Some((0, FxHashSet::default()));
                if let Some(path) = paths.first() {
                    self.open_way(path, &mut state, frame, outer)?;
                }
            }
            path => self.make_ranges(path, &mut state.ranges, &frame.scope(outer))?,
        }
        frame.slot_mut(self.slot).is_null = false;
        *frame.state_mut(self.state) = OperatorState::Scan(state);
        Ok(())
    }

    /// Puts cursors where they belong: a covering index's into the slot, else the table's.
    fn open_cursors(&self, slot: &mut Slot, state: &mut ScanState, outer: Outer<'_>) -> Result<()> {
        let context = outer.context;
        if let AccessPath::Index(path) = &self.path
            && let Some(index) = &path.index
        {
            let cursor = context.cursor(self.source, index.tree)?;
            if path.covering {
                let (table, index) = (self.table.clone(), index.clone());
                slot.row = SlotRow::Index(Box::new(IndexRow { table, index, cursor, rowid: 0 }));
                return Ok(());
            }
            state.index = Some(cursor);
        }
        let cursor = context.cursor(self.source, self.table.tree)?;
        let table = self.table.clone();
        slot.row = SlotRow::Cursor(Box::new(CursorRow { table, cursor, rowid: 0 }));
        Ok(())
    }

    /// Opens one way of a union.
    fn open_way(
        &self,
        path: &AccessPath,
        state: &mut ScanState,
        frame: &Frame,
        outer: Outer<'_>,
    ) -> Result<()> {
        state.ranges.clear();
        state.next_range = 0;
        state.inside = false;
        state.index = match path {
            AccessPath::Index(IndexPath { index: Some(index), .. }) => {
                Some(outer.context.cursor(self.source, index.tree)?)
            }
            _ => None,
        };
        self.make_ranges(path, &mut state.ranges, &frame.scope(outer))
    }

    /// How many rows its way finds, from the counts that trees keep.
    pub(super) fn count(&self, frame: &Frame, outer: Outer<'_>) -> Result<u64> {
        if matches!(self.path, AccessPath::Full) {
            return outer.context.len(self.source, self.table.tree);
        }
        let mut ranges = Ranges::new();
        self.make_ranges(&self.path, &mut ranges, &frame.scope(outer))?;
        let tree = match &self.path {
            AccessPath::Index(IndexPath { index: Some(index), .. }) => index.tree,
            _ => self.table.tree,
        };
        let mut count = 0;
        for range in &ranges {
            if range.exact {
                let mut cursor = outer.context.cursor(self.source, tree)?;
                count += u64::from(cursor.seek_exact(&range.from)?);
                continue;
            }
            if range.to.as_ref().is_some_and(|to| *to <= range.from) {
                continue;
            }
            let to = range.to.as_deref();
            count += outer.context.count_range(self.source, tree, &range.from, to)?;
        }
        Ok(count)
    }

    fn make_ranges(&self, path: &AccessPath, ranges: &mut Ranges, scope: &Scope<'_>) -> Result<()> {
        match path {
            AccessPath::Full => {
                ranges.push(KeyRange { from: KeyBytes::new(), to: None, exact: false });
            }
            AccessPath::Rowid(value) => {
                if let Some(rowid) = exact_rowid(value.evaluate(scope)?.as_ref()) {
                    ranges.push(KeyRange::rowid(rowid));
                }
            }
            AccessPath::Rowids(set, part) => {
                let values = in_values(set, *part, Affinity::Integer, scope)?;
                let mut rowids: Vec<i64> =
                    values.iter().filter_map(|value| exact_rowid(value.as_ref())).collect();
                rowids.sort_unstable();
                rowids.dedup();
                ranges.extend(rowids.into_iter().map(KeyRange::rowid));
            }
            AccessPath::RowidRange(range) => {
                if let Some((low, high)) = rowid_range(range, scope)? {
                    let to = high.checked_add(1);
                    ranges.push(KeyRange {
                        from: KeyBytes::from_slice(&rowid_key(low)),
                        to: to.map(|to| KeyBytes::from_slice(&rowid_key(to))),
                        exact: false,
                    });
                }
            }
            AccessPath::Index(path) => self.index_ranges(path, ranges, scope)?,
            AccessPath::Union(_) => {}
        }
        if self.backward {
            ranges.reverse();
        }
        Ok(())
    }

    /// The ranges of a part of an index.
    fn index_ranges(&self, path: &IndexPath, ranges: &mut Ranges, scope: &Scope<'_>) -> Result<()> {
        let columns: &[IndexColumn] = match &path.index {
            Some(index) => &index.columns,
            None => self.table.key_columns(),
        };
        let mut prefixes: Vec<Vec<u8>> = vec![Vec::new()];
        let mut next = 0;
        while let (Some(equal), Some(column)) = (path.equals.get(next), columns.get(next)) {
            let set = match equal {
                IndexEqual::Value { value, is, affinity } => {
                    let value = apply_affinity(value.evaluate(scope)?, sought(*affinity));
                    if value.is_null() && !is {
                        return Ok(());
                    }
                    for prefix in &mut prefixes {
                        push_column(value.as_ref(), column.order(), prefix)?;
                    }
                    next += 1;
                    continue;
                }
                IndexEqual::In(set) => set,
            };
            let follows = |it: &&IndexEqual| matches!(it, IndexEqual::In(set) if set.follows);
            let width = 1 + path.equals[next + 1..].iter().take_while(follows).count();
            let sets = path.equals[next..next + width].iter().filter_map(|it| match it {
                IndexEqual::In(set) => Some(set),
                IndexEqual::Value { .. } => None,
            });
            let ends = in_keys(set, sets.zip(&columns[next..]), scope)?;
            next += width;
            let mut longer = Vec::with_capacity(prefixes.len() * ends.len());
            for prefix in &prefixes {
                longer.extend(ends.iter().map(|end| [prefix.as_slice(), end].concat()));
            }
            prefixes = longer;
        }
        prefixes.sort_unstable();
        prefixes.dedup();
        let behind = columns.get(next..).unwrap_or_default();
        for prefix in prefixes {
            ranges_behind(prefix, &path.range, behind, scope, ranges)?;
        }
        Ok(())
    }

    pub(super) fn next(&self, frame: &mut Frame, outer: Outer<'_>) -> Result<bool> {
        outer.context.tick()?;
        if let Some(found) = self.step_simply(frame)? {
            return Ok(found);
        }
        let OperatorState::Scan(mut state) = std::mem::take(frame.state_mut(self.state)) else {
            return Err(super::not_open(self.state));
        };
        let found = self.advance(&mut state, frame, outer);
        *frame.state_mut(self.state) = OperatorState::Scan(state);
        found
    }

    /// The next row of a table that is read by its own keys: what most scans do for most rows.
    #[inline]
    fn step_simply(&self, frame: &mut Frame) -> Result<Option<bool>> {
        let Frame { slots, states, .. } = frame;
        let OperatorState::Scan(state) = &mut states[usize::from(self.state.0)] else {
            return Ok(None);
        };
        let slot = &mut slots[usize::from(self.slot.0)];
        let SlotRow::Cursor(row) = &mut slot.row else { return Ok(None) };
        let is_plain = state.index.is_none() && state.rows.is_none() && state.union.is_none();
        if !state.inside || !is_plain || slot.is_null {
            return Ok(None);
        }
        let (ranges, next) = (&state.ranges, &mut state.next_range);
        if !step(&mut row.cursor, ranges, next, &mut state.inside, self.backward)? {
            return Ok(Some(false));
        }
        row.load_rowid()?;
        Ok(Some(true))
    }

    fn advance(&self, state: &mut ScanState, frame: &mut Frame, outer: Outer<'_>) -> Result<bool> {
        if let Some(rows) = &mut state.rows {
            let row = rows.next();
            let found = row.is_some();
            if let Some((rowid, row)) = row {
                frame.slot_mut(self.slot).set_values(rowid, row);
            }
            return Ok(found);
        }
        frame.slot_mut(self.slot).is_null = false;
        loop {
            let slot = frame.slot_mut(self.slot);
            let found = match (&mut state.index, &mut slot.row) {
                (Some(index), _) => self.step_or_jump(
                    index,
                    &state.ranges,
                    (&mut state.next_range, &mut state.inside, &mut state.ends),
                )?,
                (None, SlotRow::Cursor(row)) => step(
                    &mut row.cursor,
                    &state.ranges,
                    &mut state.next_range,
                    &mut state.inside,
                    self.backward,
                )?,
                (None, SlotRow::Index(row)) => self.step_or_jump(
                    &mut row.cursor,
                    &state.ranges,
                    (&mut state.next_range, &mut state.inside, &mut state.ends),
                )?,
                _ => return Err(super::not_open(self.state)),
            };
            if !found {
                let Some((way, _)) = &mut state.union else { return Ok(false) };
                *way += 1;
                let AccessPath::Union(paths) = &self.path else { return Ok(false) };
                let Some(path) = paths.get(*way) else { return Ok(false) };
                self.open_way(path, state, frame, outer)?;
                continue;
            }
            if self.load(state, frame.slot_mut(self.slot))? {
                return Ok(true);
            }
        }
    }

    /// Moves an index's cursor to the next key inside the ranges, past those that agree with this
    /// one in the columns of which one entry is enough.
    fn step_or_jump(
        &self,
        cursor: &mut Cursor,
        ranges: &[KeyRange],
        (next_range, inside, ends): (&mut usize, &mut bool, &mut u8),
    ) -> Result<bool> {
        let AccessPath::Index(IndexPath { index: Some(index), .. }) = &self.path else {
            return step(cursor, ranges, next_range, inside, self.backward);
        };
        if self.jump == 0 && !self.ends || !*inside {
            *ends = 0;
            return step(cursor, ranges, next_range, inside, self.backward);
        }
        let mut prefix = KeyBytes::from_slice(cursor.key());
        let mut len = 0;
        for column in index.columns.iter().take(self.jump) {
            len += skip_column(&prefix[len..], column.descending)?;
        }
        prefix.truncate(len);
        if self.ends {
            if to_other_end(cursor, &prefix, index.columns.get(self.jump), ends)? {
                return Ok(true);
            }
            *ends = 0;
            return self.behind(cursor, &prefix, ranges, (next_range, inside));
        }
        // A few steps are cheaper than a search, where few entries agree.
        for _ in 0..JUMP_STEPS {
            if !step(cursor, ranges, next_range, inside, self.backward)? {
                return Ok(false);
            }
            if !cursor.key().starts_with(&prefix) {
                return Ok(true);
            }
        }
        self.behind(cursor, &prefix, ranges, (next_range, inside))
    }

    /// Moves a cursor past all keys that begin with `prefix`.
    fn behind(
        &self,
        cursor: &mut Cursor,
        prefix: &[u8],
        ranges: &[KeyRange],
        (next_range, inside): (&mut usize, &mut bool),
    ) -> Result<bool> {
        let Some(range) = ranges.get(next_range.saturating_sub(1)) else { return Ok(false) };
        let found = if self.backward {
            cursor.seek_before(Some(prefix))? && range.contains(cursor.key(), true)
        } else {
            match prefix_successor(prefix) {
                Some(behind) => cursor.seek(&behind)? && range.contains(cursor.key(), false),
                None => false,
            }
        };
        *inside = found;
        if found { Ok(true) } else { step(cursor, ranges, next_range, inside, self.backward) }
    }

    /// Reads the row that the driving cursor leads to; false for a row that was there before.
    fn load(&self, state: &mut ScanState, slot: &mut Slot) -> Result<bool> {
        match (&mut state.index, &mut slot.row) {
            (None, SlotRow::Cursor(row)) => row.load_rowid()?,
            (None, SlotRow::Index(row)) => row.load_rowid()?,
            (Some(index), SlotRow::Cursor(row)) => {
                let found = if self.table.has_rowid() {
                    row.rowid = index_rowid(index.key())?;
                    row.cursor.seek_exact(&rowid_key(row.rowid))?
                } else {
                    let way = state.union.as_ref().map(|(way, _)| *way);
                    let key = self.row_key(index.key(), way)?;
                    row.cursor.seek_exact(key)?
                };
                if !found {
                    let message = "an index leads to a row that is not there";
                    return Err(pandodb_ds::Error::corrupt(message).into());
                }
            }
            _ => return Err(super::not_open(self.state)),
        }
        if let (Some((_, seen)), SlotRow::Cursor(row)) = (&mut state.union, &slot.row) {
            return Ok(seen.insert(Box::from(row.cursor.key())));
        }
        Ok(true)
    }

    /// The part of an index entry's key that is the key of the row.
    fn row_key<'k>(&self, key: &'k [u8], way: Option<usize>) -> Result<&'k [u8]> {
        let path = match (&self.path, way) {
            (AccessPath::Union(paths), Some(way)) => paths.get(way).unwrap_or(&self.path),
            (path, _) => path,
        };
        let columns = match path {
            AccessPath::Index(path) => path.index.as_ref().map(|index| &index.columns),
            _ => None,
        };
        let mut rest = key;
        for column in columns.into_iter().flatten() {
            let len = pandodb_ds::record::key::skip_column(rest, column.descending)?;
            rest = rest.get(len..).unwrap_or(&[]);
        }
        Ok(rest)
    }

    /// The rows of a table that the engine makes.
    fn system_rows(&self, table: SystemTable, outer: Outer<'_>) -> Vec<Vec<Value>> {
        let Some(schema) = outer.context.schema(self.table.database) else { return Vec::new() };
        match table {
            SystemTable::Schema => crate::catalog::schema_rows(&schema),
        }
    }
}

/// Moves a cursor from the first of the keys that begin with `prefix` to those that are the ends
/// of what is not NULL in the column behind; whether there is one left that differs.
fn to_other_end(
    cursor: &mut Cursor,
    prefix: &[u8],
    column: Option<&IndexColumn>,
    ends: &mut u8,
) -> Result<bool> {
    let Some(column) = column else { return Ok(false) };
    let now = KeyBytes::from_slice(cursor.key());
    let mut null = KeyBytes::from_slice(prefix).into_vec();
    push_column(ValueRef::Null, column.order(), &mut null)?;
    let is_new = |key: &[u8]| key.starts_with(prefix) && key > now.as_slice();
    if *ends == 0 {
        *ends = 1;
        // NULLs stand first, or last.
        if now.starts_with(&null)
            && !column.descending
            && let Some(behind) = prefix_successor(&null)
            && cursor.seek(&behind)?
            && is_new(cursor.key())
        {
            return Ok(true);
        }
    }
    if *ends > 1 {
        return Ok(false);
    }
    *ends = 2;
    let end = if column.descending { Some(null) } else { prefix_successor(prefix) };
    Ok(cursor.seek_before(end.as_deref())? && is_new(cursor.key()))
}

/// Moves a cursor to the next key inside the ranges.
#[inline]
fn step(
    cursor: &mut Cursor,
    ranges: &[KeyRange],
    next_range: &mut usize,
    inside: &mut bool,
    backward: bool,
) -> Result<bool> {
    if *inside {
        let range = &ranges[*next_range - 1];
        if !range.exact {
            let found = if backward { cursor.previous()? } else { cursor.next()? };
            if found && range.contains(cursor.key(), backward) {
                return Ok(true);
            }
        }
        *inside = false;
    }
    while let Some(range) = ranges.get(*next_range) {
        *next_range += 1;
        if !range.exact {
            cursor.limit(&range.from, range.to.as_deref());
        }
        let found = if range.exact {
            cursor.seek_exact(&range.from)?
        } else if backward {
            cursor.seek_before(range.to.as_deref())? && range.contains(cursor.key(), true)
        } else {
            cursor.seek(&range.from)? && range.contains(cursor.key(), false)
        };
        if found {
            *inside = true;
            return Ok(true);
        }
    }
    Ok(false)
}

/// The rowid that equals `value`.
pub(in crate::execute) fn exact_rowid(value: ValueRef<'_>) -> Option<i64> {
    if let ValueRef::Integer(rowid) = value {
        return Some(rowid);
    }
    match apply_affinity(Datum::Ref(value), Affinity::Integer).as_ref() {
        ValueRef::Integer(rowid) => Some(rowid),
        ValueRef::Real(real) => pandodb_ds::record::number::real_is_integer(real),
        _ => None,
    }
}

/// The values of a column of an IN, each converted to the column's affinity.
fn in_values(set: &Scalar, part: u16, affinity: Affinity, scope: &Scope<'_>) -> Result<Vec<Value>> {
    let mut values = match set {
        Scalar::InList(list) => {
            let mut values = list.constants.clone();
            for other in &list.others {
                values.push(other.evaluate(scope)?.into_value());
            }
            values
        }
        Scalar::InSubquery(set) => {
            set.rows(scope, &[part])?.iter().filter_map(|row| row.first().cloned()).collect()
        }
        _ => Vec::new(),
    };
    values.retain(|value| !value.is_null());
    let convert = |value| apply_affinity(Datum::Owned(value), affinity).into_value();
    Ok(values.into_iter().map(convert).collect())
}

/// The keys of what an IN lets columns be, which come one after the other in the index.
fn in_keys<'p>(
    first: &IndexIn,
    columns: impl Iterator<Item = (&'p IndexIn, &'p IndexColumn)>,
    scope: &Scope<'_>,
) -> Result<Vec<Vec<u8>>> {
    let columns: SmallVec<[_; 2]> = columns.collect();
    let rows = match &first.set {
        Scalar::InSubquery(set) => {
            let parts: SmallVec<[u16; 2]> = columns.iter().map(|(set, _)| set.part).collect();
            set.rows(scope, &parts)?
        }
        set => {
            let values = in_values(set, first.part, Affinity::None, scope)?;
            Arc::new(values.into_iter().map(|value| vec![value]).collect())
        }
    };
    let mut keys = Vec::with_capacity(rows.len());
    for row in rows.iter() {
        let mut key = Vec::new();
        for (value, (set, column)) in row.iter().zip(&columns) {
            let value = apply_affinity(Datum::Ref(value.as_ref()), sought(set.affinity));
            push_column(value.as_ref(), column.order(), &mut key)?;
        }
        keys.push(key);
    }
    Ok(keys)
}
