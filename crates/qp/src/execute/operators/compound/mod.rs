//! UNION [ALL], EXCEPT and INTERSECT, grouped from the left.
//!
//! UNION ALL parts are passed through as they come. Everything else keeps rows in a sorted map
//! of their keys, so that results come in the order of the rows, as SQLite's do. When the map takes
//! too much memory, rows of other keys are put aside into files with the number of their part, and
//! each file is worked on afterwards as all parts were. Parts that come in the order of ORDER BY
//! are merged (`merge`). Neighbours: `files::partition` has the files, `recursive` is for recursive
//! tables.

mod merge;

use std::collections::BTreeMap;
use std::collections::btree_map::{Entry, IntoValues};

use pandodb_ds::record::{Collation, Value};
use smallvec::smallvec;

use super::kept::{RowCodec, take_part, take_word};
use super::materialize::{KeptRow, values_bytes};
use super::sort::{SortState, Sorter};
use super::{OperatorState, not_open};
use crate::ast::CompoundOperator;
use crate::error::Result;
use crate::execute::files::partition::{Partitions, Waiting, may_be_divided};
use crate::execute::key::push_collated;
use crate::execute::memory::{SpillReader, Weight};
use crate::execute::{Context, Frame, HashedRow, Kept, Outer};
use crate::plan::{Arm, Compound};

/// About what the map takes for a row, beside its bytes.
const ROW_BYTES: usize = 48;

/// Where a compound is.
#[derive(Debug, Default)]
pub struct CompoundState {
    /// The part that is read.
    arm: usize,
    is_open: bool,
    /// The rows of all parts up to the last that is not UNION ALL.
    rows: Option<Folded>,
    /// Where the parts are that come in an order.
    merging: Option<merge::Merging>,
}

/// Rows of several parts that became one.
#[derive(Debug)]
enum Folded {
    Kept(
        IntoValues<HashedRow, (usize, Vec<Value>)>,
        #[expect(dead_code, reason = "it counts as long as the rows are kept")] Weight,
    ),
    Sorted(SortState),
}

/// Rows of several parts that are becoming one, each with the number of the part that it is of: of
/// equal rows that of the last part of a UNION stands for all, as in SQLite.
#[derive(Debug, Default)]
struct Folding {
    rows: BTreeMap<HashedRow, (usize, Vec<Value>)>,
    /// Those of them that the part of an INTERSECT has, too.
    both: BTreeMap<HashedRow, (usize, Vec<Value>)>,
    weight: Weight,
    /// Rows whose keys there is no room for.
    aside: Option<Partitions>,
    /// How often the rows that come were put aside.
    depth: u32,
}

/// A row of a part, or its bytes.
enum PartRow<'r> {
    Values(Vec<Value>),
    Bytes(&'r [u8]),
}

impl Folding {
    /// Takes a row of a part.
    fn take(
        &mut self,
        (arm, operator): (usize, CompoundOperator),
        key: HashedRow,
        row: PartRow<'_>,
        context: &Context<'_>,
    ) -> Result<()> {
        match operator {
            CompoundOperator::Union | CompoundOperator::UnionAll => match self.rows.entry(key) {
                Entry::Occupied(mut known) => {
                    if operator == CompoundOperator::Union && known.get().0 != arm {
                        let row = row.into_values()?;
                        let grown = row_bytes(known.key(), &row) as isize
                            - row_bytes(known.key(), &known.get().1) as isize;
                        self.weight.change(grown, context)?;
                        known.insert((arm, row));
                    }
                    Ok(())
                }
                Entry::Vacant(free) if self.aside.is_some() => {
                    let key = free.into_key();
                    self.put_aside((arm, true), &key, row, context)
                }
                Entry::Vacant(free) => {
                    let row = row.into_values()?;
                    let is_too_much = self.weight.add(row_bytes(free.key(), &row), context)?;
                    free.insert((arm, row));
                    if is_too_much && may_be_divided(self.rows.len(), self.depth) {
                        self.aside = Some(Partitions::new(self.depth));
                    }
                    Ok(())
                }
            },
            CompoundOperator::Except => {
                if let Some((_, row)) = self.rows.remove(&key) {
                    self.weight.take_off(row_bytes(&key, &row));
                    return Ok(());
                }
                self.put_aside((arm, false), &key, row, context)
            }
            CompoundOperator::Intersect => {
                if let Some(row) = self.rows.remove(&key) {
                    self.both.insert(key, row);
                    return Ok(());
                }
                self.put_aside((arm, false), &key, row, context)
            }
        }
    }

    /// Puts a row aside with the number of its part, if any row is; of some parts only whether a
    /// key is there matters.
    fn put_aside(
        &mut self,
        (arm, is_wanted): (usize, bool),
        key: &[u8],
        row: PartRow<'_>,
        context: &Context<'_>,
    ) -> Result<()> {
        let Some(aside) = &mut self.aside else { return Ok(()) };
        let length = (key.len() as u64).to_le_bytes();
        let arm = (arm as u64).to_le_bytes();
        let mut encoded = Vec::new();
        let bytes = match row {
            _ if !is_wanted => &[],
            PartRow::Bytes(bytes) => bytes,
            PartRow::Values(values) => {
                let row = KeptRow(smallvec![Kept::Values { rowid: 0, values }]);
                RowCodec::default().encode(&row, &mut encoded)?;
                encoded.as_slice()
            }
        };
        aside.put(key, &[&length, key, &arm, bytes], context)
    }

    /// All rows of a part have come.
    fn end(&mut self, operator: CompoundOperator) {
        if operator == CompoundOperator::Intersect {
            let gone = std::mem::replace(&mut self.rows, std::mem::take(&mut self.both));
            let bytes = gone.iter().map(|(key, (_, row))| row_bytes(key, row));
            self.weight.take_off(bytes.sum());
        }
    }

    /// Takes the rows of a file, which come part by part.
    fn take_file(
        &mut self,
        operators: &[CompoundOperator],
        mut reader: SpillReader,
        context: &Context<'_>,
    ) -> Result<()> {
        let mut at = 0;
        let mut entry = Vec::new();
        while reader.read(&mut entry)? {
            context.tick()?;
            let mut row = entry.as_slice();
            let key = take_part(&mut row)?;
            let arm = take_word(&mut row)? as usize;
            while at < arm.min(operators.len()) {
                self.end(operators[at]);
                at += 1;
            }
            if let Some(operator) = operators.get(arm) {
                self.take((arm, *operator), Box::from(key), PartRow::Bytes(row), context)?;
            }
        }
        operators[at..].iter().for_each(|operator| self.end(*operator));
        Ok(())
    }

    /// Puts the rows among those that are sorted together; what was put aside is left.
    fn sort_in(self, sorter: &mut Sorter, context: &Context<'_>) -> Result<Vec<Waiting>> {
        let Self { rows, mut weight, aside, .. } = self;
        for (key, (_, values)) in rows {
            context.tick()?;
            weight.change(-(row_bytes(&key, &values) as isize), context)?;
            let row = KeptRow(smallvec![Kept::Values { rowid: 0, values }]);
            sorter.push(key.into_vec(), row, context)?;
        }
        aside.map_or(Ok(Vec::new()), Partitions::into_waiting)
    }

    /// The rows that are left, here and in files.
    fn finish(self, operators: &[CompoundOperator], context: &Context<'_>) -> Result<Folded> {
        if self.aside.is_none() {
            return Ok(Folded::Kept(self.rows.into_values(), self.weight));
        }
        let mut sorter = Sorter::default();
        let mut waiting = self.sort_in(&mut sorter, context)?;
        while let Some((reader, depth)) = waiting.pop() {
            let mut folding = Self { depth, ..Self::default() };
            folding.take_file(operators, reader, context)?;
            waiting.extend(folding.sort_in(&mut sorter, context)?);
        }
        Ok(Folded::Sorted(sorter.finish(None, context)?))
    }
}

impl PartRow<'_> {
    fn into_values(self) -> Result<Vec<Value>> {
        Ok(match self {
            Self::Values(values) => values,
            Self::Bytes(bytes) => values_of(RowCodec::default().decode(bytes)?),
        })
    }
}

/// The values of a row that is nothing else.
pub(super) fn values_of(row: KeptRow) -> Vec<Value> {
    match row.0.into_iter().next() {
        Some(Kept::Values { values, .. }) => values,
        _ => Vec::new(),
    }
}

fn row_bytes(key: &[u8], row: &[Value]) -> usize {
    key.len() + values_bytes(row) + ROW_BYTES
}

impl Folded {
    fn next(&mut self) -> Result<Option<Vec<Value>>> {
        match self {
            Self::Kept(rows, _) => Ok(rows.next().map(|(_, row)| row)),
            Self::Sorted(rows) => Ok(rows.next()?.map(values_of)),
        }
    }
}

impl Compound {
    /// How many leading parts must be computed as a whole: up to the last that is not UNION ALL.
    fn computed(&self) -> usize {
        let is_set = |arm: &Arm| arm.operator != CompoundOperator::UnionAll;
        self.arms.iter().skip(1).rposition(is_set).map_or(0, |last| last + 2)
    }

    pub(super) fn open(&self, frame: &mut Frame, outer: Outer<'_>) -> Result<()> {
        let computed = self.computed();
        let mut state = CompoundState { arm: computed, ..CompoundState::default() };
        if !self.order.is_empty() {
            state.merging = Some(merge::Merging::new(self.arms.len()));
        } else if computed > 0 {
            state.rows = Some(self.compute(computed, frame, outer)?);
        }
        *frame.state_mut(self.state) = OperatorState::Compound(Box::new(state));
        Ok(())
    }

    fn compute(&self, arms: usize, frame: &mut Frame, outer: Outer<'_>) -> Result<Folded> {
        // Rows of leading UNION ALL parts are told apart, too: a set operator follows.
        let first = std::iter::once(CompoundOperator::UnionAll);
        let others = self.arms.iter().skip(1).map(|arm| arm.operator);
        let operators: Vec<CompoundOperator> = first.chain(others).take(arms).collect();
        let mut folding = Folding::default();
        for (index, (arm, operator)) in self.arms.iter().zip(&operators).enumerate() {
            arm.input.open(frame, outer)?;
            while arm.input.next(frame, outer)? {
                let (key, row) = keyed_row(arm, &self.collations, frame, outer)?;
                let row = PartRow::Values(row);
                folding.take((index, *operator), key, row, outer.context)?;
            }
            folding.end(*operator);
        }
        folding.finish(&operators, outer.context)
    }

    pub(super) fn next(&self, frame: &mut Frame, outer: Outer<'_>) -> Result<bool> {
        let OperatorState::Compound(mut state) = std::mem::take(frame.state_mut(self.state)) else {
            return Err(not_open(self.state));
        };
        let found = self.advance(&mut state, frame, outer);
        *frame.state_mut(self.state) = OperatorState::Compound(state);
        found
    }

    fn advance(
        &self,
        state: &mut CompoundState,
        frame: &mut Frame,
        outer: Outer<'_>,
    ) -> Result<bool> {
        if let Some(merging) = &mut state.merging {
            return merging.next(self, frame, outer);
        }
        if let Some(rows) = &mut state.rows {
            if let Some(row) = rows.next()? {
                frame.slot_mut(self.slot).set_values(0, row);
                return Ok(true);
            }
            state.rows = None;
        }
        while let Some(arm) = self.arms.get(state.arm) {
            if !state.is_open {
                arm.input.open(frame, outer)?;
                state.is_open = true;
            }
            if arm.input.next(frame, outer)? {
                super::project::compute_into(&arm.outputs, self.slot, frame, outer)?;
                return Ok(true);
            }
            state.arm += 1;
            state.is_open = false;
        }
        Ok(false)
    }
}

/// The current row of a part, with its key.
pub(super) fn keyed_row(
    arm: &Arm,
    collations: &[Collation],
    frame: &Frame,
    outer: Outer<'_>,
) -> Result<(HashedRow, Vec<Value>)> {
    let scope = frame.scope(outer);
    let mut key = Vec::new();
    let mut row = Vec::with_capacity(arm.outputs.len());
    for (index, output) in arm.outputs.iter().enumerate() {
        let value = output.evaluate(&scope)?;
        let collation = collations.get(index).copied().unwrap_or_default();
        push_collated(value.as_ref(), collation, outer.context, &mut key)?;
        row.push(value.into_value());
    }
    Ok((key.into_boxed_slice(), row))
}
