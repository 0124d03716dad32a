//! Reading tables: all rows, by rowid, by index.
//!
//! Whatever the way in, opening a scan makes a list of key ranges in the tree that drives it
//! (the table's own, or an index's), in the order in which they are read; from then on a scan
//! is: go to the start of a range, step until its end, go to the next. An index that does not
//! have all that is read leads to the row in the table. Neighbours: `plan::access` chooses the
//! ways, `row` gives out columns.

use pandodb_ds::record::key::{push_column, rowid_key};
use pandodb_ds::record::{Value, ValueRef};
use pandodb_ds::sync::Arc;
use rustc_hash::FxHashSet;
use smallvec::SmallVec;

use super::OperatorState;
use crate::catalog::{IndexColumn, SystemTable, TableKind};
use crate::error::Result;
use crate::execute::row::{CursorRow, IndexRow, Slot, SlotRow, index_rowid};
use crate::execute::{Frame, HashedRow, Outer, Scope};
use crate::plan::{AccessPath, IndexEqual, IndexPath, Range, Scan};
use crate::scalar::Scalar;
use crate::store::Cursor;
use crate::types::{Affinity, Datum, apply_affinity};

/// Bytes of a key; those of rowids and short texts need no allocation.
type KeyBytes = SmallVec<[u8; 24]>;

/// The parts of a tree that a scan reads, in order.
type Ranges = SmallVec<[KeyRange; 1]>;

/// Keys from `from` up to, not including, `to`.
#[derive(Debug)]
struct KeyRange {
    from: KeyBytes,
    to: Option<KeyBytes>,
    /// Only the key `from` itself.
    exact: bool,
}

/// Where a scan is.
#[derive(Debug, Default)]
pub struct ScanState {
    ranges: Ranges,
    /// The range that is next.
    next_range: usize,
    /// Whether a range is being read.
    inside: bool,
    /// The index's cursor, where the slot has the table's.
    index: Option<Cursor>,
    /// Which way of a union is read, and the keys of rows that were given out.
    union: Option<(usize, FxHashSet<HashedRow>)>,
    /// The rows of a system table.
    rows: Option<std::vec::IntoIter<Vec<Value>>>,
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
        if let TableKind::System(table) = self.table.kind {
            state.rows = Some(self.system_rows(table, outer).into_iter());
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
            AccessPath::Rowids(set) => {
                let values = in_values(set, Affinity::Integer, scope)?;
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
        for (equal, column) in path.equals.iter().zip(columns) {
            let values: SmallVec<[Value; 1]> = match equal {
                IndexEqual::Value { value, is, affinity } => {
                    let value = apply_affinity(value.evaluate(scope)?, sought(*affinity));
                    if value.is_null() && !is {
                        return Ok(());
                    }
                    SmallVec::from_iter([value.into_value()])
                }
                IndexEqual::In(set, affinity) => {
                    SmallVec::from_vec(in_values(set, sought(*affinity), scope)?)
                }
            };
            let mut longer = Vec::with_capacity(prefixes.len() * values.len());
            for prefix in &prefixes {
                for value in &values {
                    let mut key = prefix.clone();
                    push_column(value.as_ref(), column.order(), &mut key)?;
                    longer.push(key);
                }
            }
            prefixes = longer;
        }
        prefixes.sort_unstable();
        prefixes.dedup();
        let behind = columns.get(path.equals.len());
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
            if let Some(row) = row {
                frame.slot_mut(self.slot).set_values(0, row);
            }
            return Ok(found);
        }
        frame.slot_mut(self.slot).is_null = false;
        loop {
            let slot = frame.slot_mut(self.slot);
            let found = match (&mut state.index, &mut slot.row) {
                (Some(index), _) => step(
                    index,
                    &state.ranges,
                    &mut state.next_range,
                    &mut state.inside,
                    self.backward,
                )?,
                (None, SlotRow::Cursor(row)) => step(
                    &mut row.cursor,
                    &state.ranges,
                    &mut state.next_range,
                    &mut state.inside,
                    self.backward,
                )?,
                (None, SlotRow::Index(row)) => step(
                    &mut row.cursor,
                    &state.ranges,
                    &mut state.next_range,
                    &mut state.inside,
                    self.backward,
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

impl KeyRange {
    fn rowid(rowid: i64) -> Self {
        Self { from: KeyBytes::from_slice(&rowid_key(rowid)), to: None, exact: true }
    }

    /// Whether the end on the far side is not passed.
    #[inline]
    fn contains(&self, key: &[u8], backward: bool) -> bool {
        if backward {
            key >= self.from.as_slice()
        } else {
            self.to.as_ref().is_none_or(|to| key < to.as_slice())
        }
    }
}

/// The keys that begin with `prefix` and whose next column is in `range`, in their order.
fn ranges_behind(
    prefix: Vec<u8>,
    range: &Range,
    column: Option<&IndexColumn>,
    scope: &Scope<'_>,
    ranges: &mut Ranges,
) -> Result<()> {
    let blobs = match column {
        Some(column) if range.blobs => Some((blob_range(&prefix, column)?, column.descending)),
        _ => None,
    };
    let found = range_behind(prefix, range, column, scope)?;
    match blobs {
        Some((blobs, true)) => {
            ranges.push(blobs);
            ranges.extend(found);
        }
        Some((blobs, false)) => {
            ranges.extend(found);
            ranges.push(blobs);
        }
        None => ranges.extend(found),
    }
    Ok(())
}

/// The keys that begin with `prefix` and whose next column is a blob: they are the greatest.
fn blob_range(prefix: &[u8], column: &IndexColumn) -> Result<KeyRange> {
    use pandodb_ds::record::key::prefix_successor;
    let mut least = prefix.to_vec();
    push_column(ValueRef::Blob(&[]), column.order(), &mut least)?;
    let (from, to) = if column.descending {
        (prefix.to_vec(), prefix_successor(&least))
    } else {
        (least, prefix_successor(prefix))
    };
    let to = to.map(KeyBytes::from_vec);
    Ok(KeyRange { from: KeyBytes::from_vec(from), to, exact: false })
}

/// The keys that begin with `prefix` and whose next column is between the bounds of `range`.
fn range_behind(
    prefix: Vec<u8>,
    range: &Range,
    column: Option<&IndexColumn>,
    scope: &Scope<'_>,
) -> Result<Option<KeyRange>> {
    let successor =
        |key: &[u8]| pandodb_ds::record::key::prefix_successor(key).map(KeyBytes::from_vec);
    let (Some(column), true) = (column, range.is_bounded()) else {
        let to = successor(&prefix);
        return Ok(Some(KeyRange { from: KeyBytes::from_vec(prefix), to, exact: false }));
    };
    // NULL is in no range; its key is the least (or, descending, the greatest) of a column.
    let mut null = prefix.clone();
    push_column(ValueRef::Null, column.order(), &mut null)?;
    let (mut from, mut to) = if column.descending {
        (KeyBytes::from_slice(&prefix), Some(KeyBytes::from_vec(null)))
    } else {
        (successor(&null).unwrap_or_default(), successor(&prefix))
    };
    for (bound, is_low) in [(&range.low, true), (&range.high, false)] {
        let Some(bound) = bound else { continue };
        let value = apply_affinity(bound.value.evaluate(scope)?, sought(bound.affinity));
        if value.is_null() {
            return Ok(None);
        }
        let mut key = prefix.clone();
        push_column(value.as_ref(), column.order(), &mut key)?;
        if is_low == column.descending {
            // The far end: behind the equal keys if they are in.
            to = if bound.inclusive { successor(&key) } else { Some(KeyBytes::from_vec(key)) };
        } else if bound.inclusive {
            from = KeyBytes::from_vec(key);
        } else {
            match successor(&key) {
                Some(key) => from = key,
                None => return Ok(None),
            }
        }
    }
    Ok(Some(KeyRange { from, to, exact: false }))
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

/// The rowids in a range, both ends included; `None` if there are none.
pub(in crate::execute) fn rowid_range(
    range: &Range,
    scope: &Scope<'_>,
) -> Result<Option<(i64, i64)>> {
    let (mut low, mut high) = (i64::MIN, i64::MAX);
    if let Some(bound) = &range.low {
        let value = apply_affinity(bound.value.evaluate(scope)?, Affinity::Numeric);
        match value.as_ref() {
            ValueRef::Integer(value) if bound.inclusive => low = value,
            ValueRef::Integer(value) => match value.checked_add(1) {
                Some(value) => low = value,
                None => return Ok(None),
            },
            ValueRef::Real(value) => {
                let above = value.ceil();
                if above >= 9_223_372_036_854_775_808.0 {
                    return Ok(None);
                }
                low = above as i64;
                if above <= value && !bound.inclusive {
                    low = low.saturating_add(1);
                }
            }
            _ => return Ok(None),
        }
    }
    if let Some(bound) = &range.high {
        let value = apply_affinity(bound.value.evaluate(scope)?, Affinity::Numeric);
        match value.as_ref() {
            ValueRef::Integer(value) if bound.inclusive => high = value,
            ValueRef::Integer(value) => match value.checked_sub(1) {
                Some(value) => high = value,
                None => return Ok(None),
            },
            ValueRef::Real(value) => {
                let below = value.floor();
                if below < -9_223_372_036_854_775_808.0 {
                    return Ok(None);
                }
                high = below as i64;
                if below >= value && !bound.inclusive {
                    match high.checked_sub(1) {
                        Some(value) => high = value,
                        None => return Ok(None),
                    }
                }
            }
            ValueRef::Null => return Ok(None),
            // Texts and blobs are greater than all numbers.
            ValueRef::Text(_) | ValueRef::Blob(_) => {}
        }
    }
    Ok((low <= high).then_some((low, high)))
}

/// The affinity that a value gets that is looked for in a column: an integer stays one beside the
/// column's reals, because it may be none of them.
pub(in crate::execute) fn sought(column: Affinity) -> Affinity {
    if column == Affinity::Real { Affinity::Numeric } else { column }
}

/// The values of an IN, each converted to the column's affinity.
fn in_values(set: &Scalar, affinity: Affinity, scope: &Scope<'_>) -> Result<Vec<Value>> {
    let mut values = match set {
        Scalar::InList(list) => {
            let mut values = list.constants.clone();
            for other in &list.others {
                values.push(other.evaluate(scope)?.into_value());
            }
            values
        }
        Scalar::InSubquery(set) => {
            let rule = set.rules.first().copied().unwrap_or_default();
            set.subquery.values(scope, rule)?
        }
        _ => Vec::new(),
    };
    values.retain(|value| !value.is_null());
    let convert = |value| apply_affinity(Datum::Owned(value), affinity).into_value();
    Ok(values.into_iter().map(convert).collect())
}
