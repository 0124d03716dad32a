//! Groups that are being made, in memory and in files.
//!
//! When the groups take too much memory no new ones are made: of rows of other groups what is read
//! of them is put aside into files, by the hashes of their keys. Afterwards each file is grouped as
//! if it were the input, and the results of all of them are sorted together. All rows of a group go
//! one way in the order in which they came, so that every aggregate sees them as it would without
//! files. Neighbours: `call` has the states, `files::partition` the files.

use std::fmt;

use pandodb_ds::record::Value;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::super::kept::{RowCodec, take_part};
use super::super::materialize::{KeptRow, values_bytes};
use super::super::sort::{SortState, Sorter};
use super::call::{CallSets, CallState, group_of};
use crate::error::Result;
use crate::execute::files::partition::{Partitions, Waiting, may_be_divided};
use crate::execute::key::push_collated;
use crate::execute::memory::{SpillReader, Weight};
use crate::execute::{Context, Frame, Kept, Outer};
use crate::plan::{AggregateCall, Aggregation};
use crate::types::Datum;

/// One group.
pub(super) struct Group {
    key: Box<[u8]>,
    values: Vec<Value>,
    calls: Vec<CallState>,
    kept: KeptRow,
    is_empty: bool,
}

/// Groups that are being made.
#[derive(Debug, Default)]
pub(super) struct Making {
    groups: Vec<Group>,
    by_key: FxHashMap<Box<[u8]>, usize>,
    key: Vec<u8>,
    weight: Weight,
    /// What the groups of each call share, where any call has a use for it.
    sets: Vec<CallSets>,
    /// Rows of groups that there is no room for.
    aside: Option<Partitions>,
    /// How often the rows that are grouped were put aside.
    depth: u32,
    /// The bytes of rows that were put aside, of whatever depth.
    codec: RowCodec,
}

/// Groups to be given out.
#[derive(Debug)]
pub(super) enum Made {
    /// In memory.
    Kept(
        std::vec::IntoIter<Group>,
        #[expect(dead_code, reason = "it counts as long as they are")] Weight,
    ),
    /// In their order, from files: values and calls, then the other slots.
    Sorted(SortState),
}

/// A row that is taken into a group.
#[derive(Clone, Copy)]
enum Row<'r> {
    /// The current one.
    Current(&'r Frame),
    /// One that was put aside: its group's values, what the calls read, the other slots.
    Aside(&'r KeptRow),
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group").field("values", &self.values).finish_non_exhaustive()
    }
}

impl Default for Made {
    fn default() -> Self {
        Self::Kept(Vec::new().into_iter(), Weight::default())
    }
}

impl Making {
    pub(super) fn new(node: &Aggregation) -> Self {
        let mut making = Self::default();
        making.fit(node);
        making
    }

    /// Makes room for what calls share.
    fn fit(&mut self, node: &Aggregation) {
        if node.calls.iter().any(CallSets::are_needed) {
            self.sets.resize_with(node.calls.len(), CallSets::default);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// About how many bytes a group takes that knows nothing of its rows.
    fn group_bytes(node: &Aggregation, group: &Group) -> usize {
        let calls = node.calls.len() * (size_of::<CallState>() + size_of::<Value>());
        let key = 2 * (group.key.len() + size_of::<[usize; 2]>());
        size_of::<Group>() + calls + key + values_bytes(&group.values)
    }

    /// Adds a group without rows.
    pub(super) fn add_group(
        &mut self,
        node: &Aggregation,
        values: Vec<Value>,
        context: &Context<'_>,
    ) -> Result<()> {
        let calls = node.calls.iter().map(CallState::new).collect::<Result<_>>()?;
        let mut kept = KeptRow::default();
        kept.0.resize(node.bare_slots.len(), Kept::Null);
        let key = Box::from(self.key.as_slice());
        let group = Group { key, values, calls, kept, is_empty: true };
        self.weight.add(Self::group_bytes(node, &group), context)?;
        self.groups.push(group);
        Ok(())
    }

    /// Takes the current row into its group.
    pub(super) fn take(
        &mut self,
        node: &Aggregation,
        frame: &Frame,
        outer: Outer<'_>,
    ) -> Result<()> {
        let context = outer.context;
        self.key.clear();
        let scope = frame.scope(outer);
        let mut values: SmallVec<[Datum<'_>; 4]> = SmallVec::new();
        for part in &node.keys {
            let value = part.value.evaluate(&scope)?;
            push_collated(value.as_ref(), part.collation, context, &mut self.key)?;
            values.push(value);
        }
        let number = match self.known(is_only(node)) {
            Some(number) => number,
            None if self.aside.is_some() => {
                let values = values.into_iter().map(Datum::into_value).collect();
                let row = row_aside(node, values, frame, outer)?;
                let mut bytes = Vec::new();
                self.codec.encode(&row, &mut bytes)?;
                return self.put_aside(&bytes, context);
            }
            None => {
                let values = values.into_iter().map(Datum::into_value).collect();
                self.begin_group(node, values, context)?
            }
        };
        self.step(node, number, Row::Current(frame), outer)
    }

    /// Takes a row in that was put aside, its key in `key`.
    fn take_aside(
        &mut self,
        node: &Aggregation,
        (bytes, codec): (&[u8], &RowCodec),
        outer: Outer<'_>,
    ) -> Result<()> {
        let context = outer.context;
        let number = match self.known(false) {
            Some(number) => number,
            None if self.aside.is_some() => return self.put_aside(bytes, context),
            None => usize::MAX,
        };
        let row = codec.decode(bytes)?;
        let number = match row.0.first() {
            Some(Kept::Values { values, .. }) if number == usize::MAX => {
                self.begin_group(node, values.clone(), context)?
            }
            _ => number,
        };
        self.step(node, number, Row::Aside(&row), outer)
    }

    /// The group of the key.
    fn known(&self, is_only: bool) -> Option<usize> {
        if is_only && !self.groups.is_empty() {
            return Some(0);
        }
        self.by_key.get(self.key.as_slice()).copied()
    }

    /// Puts a row with the key aside.
    fn put_aside(&mut self, bytes: &[u8], context: &Context<'_>) -> Result<()> {
        let Some(aside) = &mut self.aside else { return Ok(()) };
        let length = (self.key.len() as u64).to_le_bytes();
        aside.put(&self.key, &[&length, &self.key, bytes], context)
    }

    /// Makes a group of the key.
    fn begin_group(
        &mut self,
        node: &Aggregation,
        values: Vec<Value>,
        context: &Context<'_>,
    ) -> Result<usize> {
        let number = self.groups.len();
        self.add_group(node, values, context)?;
        if !is_only(node) {
            self.by_key.insert(Box::from(self.key.as_slice()), number);
        }
        Ok(number)
    }

    /// Takes a row into a group.
    fn step(
        &mut self,
        node: &Aggregation,
        number: usize,
        row: Row<'_>,
        outer: Outer<'_>,
    ) -> Result<()> {
        let context = outer.context;
        let Self { groups, sets, .. } = self;
        let group = &mut groups[number];
        let mut keep = group.is_empty;
        let mut grown = 0;
        for (place, (call, state)) in node.calls.iter().zip(&mut group.calls).enumerate() {
            let follows = follows(node, call);
            let before = if follows { state.value(context)? } else { Value::Null };
            let shared = (number, sets.get_mut(place));
            let passes = match row {
                Row::Current(frame) => state.step(call, &frame.scope(outer), shared)?,
                Row::Aside(row) => state.step_kept(call, &row.0[1 + place], shared, context)?,
            };
            grown += state.growth();
            if follows {
                let after = state.value(context)?;
                // A new extreme brings its row with it; a NULL only while there is none.
                keep = (passes && (after != before || after.is_null())) || group.is_empty;
            }
        }
        if keep && !node.bare_slots.is_empty() {
            let kept = match row {
                Row::Current(frame) => KeptRow::of(&node.bare_slots, frame)?,
                Row::Aside(row) => KeptRow(SmallVec::from(&row.0[1 + node.calls.len()..])),
            };
            grown += kept.memory_bytes() as isize - group.kept.memory_bytes() as isize;
            group.kept = kept;
        }
        group.is_empty = false;
        if self.weight.change(grown, context)? {
            self.relieve(node, context)?;
        }
        Ok(())
    }

    /// The statement keeps too much: moves to files what can be moved, from now on.
    fn relieve(&mut self, node: &Aggregation, context: &Context<'_>) -> Result<()> {
        let is_large = may_be_divided(self.groups.len(), self.depth);
        if self.aside.is_none() && is_large && !is_only(node) {
            self.aside = Some(Partitions::new(self.depth));
        }
        for (place, call) in node.calls.iter().enumerate() {
            let is_moved = self.sets.get(place).is_none_or(CallSets::has_sorter);
            if !is_moved && !call.order_by.is_empty() {
                self.move_waiting(place, context)?;
            }
        }
        Ok(())
    }

    /// Moves arguments of a call that wait for their order to where those of all groups do.
    fn move_waiting(&mut self, place: usize, context: &Context<'_>) -> Result<()> {
        let Some(sets) = self.sets.get_mut(place) else { return Ok(()) };
        for (number, group) in self.groups.iter_mut().enumerate() {
            let state = &mut group.calls[place];
            state.move_waiting((number, sets), context)?;
            self.weight.change(state.growth(), context)?;
        }
        Ok(())
    }

    /// Gives the groups what waits for them in files, and forgets which arguments were there.
    fn settle(&mut self, node: &Aggregation, context: &Context<'_>) -> Result<()> {
        for (place, call) in node.calls.iter().enumerate() {
            if !self.sets.get(place).is_some_and(CallSets::has_files) {
                continue;
            }
            if !call.order_by.is_empty() {
                self.move_waiting(place, context)?;
            }
            let mut rows = std::mem::take(&mut self.sets[place]).into_rows(context)?;
            while let Some(row) = rows.next()? {
                context.tick()?;
                let Some(group) = self.groups.get_mut(group_of(&row)) else { continue };
                let state = &mut group.calls[place];
                state.take_back(call, &row, context)?;
                self.weight.change(state.growth(), context)?;
            }
        }
        self.sets.clear();
        Ok(())
    }

    /// The groups, from here on and those in files.
    pub(super) fn finish(mut self, node: &Aggregation, outer: Outer<'_>) -> Result<Made> {
        self.settle(node, outer.context)?;
        self.groups.sort_by(|left, right| left.key.cmp(&right.key));
        if self.aside.is_none() {
            return Ok(Made::Kept(self.groups.into_iter(), self.weight));
        }
        let mut sorter = Sorter::default();
        let codec = std::mem::take(&mut self.codec);
        let mut waiting = self.sort_in(node, &mut sorter, outer)?;
        while let Some((reader, depth)) = waiting.pop() {
            let mut making = Self { depth, ..Self::new(node) };
            making.take_file(node, (reader, &codec), outer)?;
            making.settle(node, outer.context)?;
            waiting.extend(making.sort_in(node, &mut sorter, outer)?);
        }
        Ok(Made::Sorted(sorter.finish(None, outer.context)?))
    }

    /// Groups the rows of a file.
    fn take_file(
        &mut self,
        node: &Aggregation,
        (mut reader, codec): (SpillReader, &RowCodec),
        outer: Outer<'_>,
    ) -> Result<()> {
        let mut entry = Vec::new();
        while reader.read(&mut entry)? {
            outer.context.tick()?;
            let mut row = entry.as_slice();
            let key = take_part(&mut row)?;
            self.key.clear();
            self.key.extend_from_slice(key);
            self.take_aside(node, (row, codec), outer)?;
        }
        Ok(())
    }

    /// Puts the results of the groups among those that are sorted together; the rows that were put
    /// aside are what is left.
    fn sort_in(
        self,
        node: &Aggregation,
        sorter: &mut Sorter,
        outer: Outer<'_>,
    ) -> Result<Vec<Waiting>> {
        let Self { mut groups, by_key, mut weight, aside, .. } = self;
        drop(by_key);
        let share = weight.bytes() / groups.len().max(1);
        for group in groups.drain(..) {
            outer.context.tick()?;
            let key = group.key.to_vec();
            let (values, kept) = group.finish(node, outer)?;
            let mut row = KeptRow::default();
            row.0.push(Kept::Values { rowid: 0, values });
            row.0.extend(kept.0);
            weight.change(-(share as isize), outer.context)?;
            sorter.push(key, row, outer.context)?;
        }
        aside.map_or(Ok(Vec::new()), Partitions::into_waiting)
    }
}

impl Group {
    /// Its results, and the row that is read beside.
    fn finish(self, node: &Aggregation, outer: Outer<'_>) -> Result<(Vec<Value>, KeptRow)> {
        let Self { mut values, calls, kept, .. } = self;
        for (call, mut state) in node.calls.iter().zip(calls) {
            values.push(state.finish(call, outer.context)?);
        }
        Ok((values, kept))
    }
}

impl Made {
    /// Shows the next group; whether there is one.
    pub(super) fn next(
        &mut self,
        node: &Aggregation,
        frame: &mut Frame,
        outer: Outer<'_>,
    ) -> Result<bool> {
        let (values, kept) = match self {
            Self::Kept(groups, _) => {
                let Some(group) = groups.next() else { return Ok(false) };
                group.finish(node, outer)?
            }
            Self::Sorted(rows) => {
                let Some(row) = rows.next()? else { return Ok(false) };
                outer.context.tick()?;
                let mut row = row.0.into_iter();
                let values = match row.next() {
                    Some(Kept::Values { values, .. }) => values,
                    _ => Vec::new(),
                };
                (values, KeptRow(row.collect()))
            }
        };
        kept.put_back(&node.bare_slots, frame);
        frame.slot_mut(node.slot).set_values(0, values);
        Ok(true)
    }
}

/// Whether there can be one group only: all rows, or all of a run.
fn is_only(node: &Aggregation) -> bool {
    node.keys.is_empty() || node.sorted.len() == node.keys.len()
}

/// Whether the other slots show the row of a call's extreme.
fn follows(node: &Aggregation, call: &AggregateCall) -> bool {
    !node.bare_slots.is_empty()
        && call.arguments.len() == 1
        && matches!(&*call.function.name, "min" | "max")
}

/// What is put aside of the current row.
fn row_aside(
    node: &Aggregation,
    values: Vec<Value>,
    frame: &Frame,
    outer: Outer<'_>,
) -> Result<KeptRow> {
    let scope = frame.scope(outer);
    let mut row = KeptRow::default();
    row.0.push(Kept::Values { rowid: 0, values });
    for call in &node.calls {
        row.0.push(CallState::of_row(call, &scope)?);
    }
    row.0.extend(KeptRow::of(&node.bare_slots, frame)?.0);
    Ok(row)
}
