//! ORDER BY: rows are kept with a key whose bytes stand in the order, and sorted by it.
//!
//! With a LIMIT only the first rows are kept: what is greater than the last of them is
//! thrown away at once. Rows that are too much for the statement's memory go to files in sorted
//! runs, which are merged. Neighbours: `pieces` sorts what comes in a part of the order, `kept` has
//! the rows' bytes, `key` those of keys, `files::runs` merges.

mod pieces;

pub(super) use self::pieces::PiecesState;

use super::kept::RowCodec;
use super::materialize::KeptRow;
use super::{OperatorState, limit, state};
use crate::error::Result;
use crate::execute::files::runs::{RunMerge, write_row};
use crate::execute::key::sort_key;
use crate::execute::memory::{SpillFile, SpillReader, Weight};
use crate::execute::{Context, Frame, Outer};
use crate::plan::Sort;

/// How many rows more than wanted are gathered before they are sorted and cut.
const SLACK: usize = 1024;

/// How many rows the first runs have at least; with every eighth run it is twice as many, so that
/// a limit that is far too low, or used up by other operators, does not end in countless files.
const RUN_ROWS_MIN: usize = 8;

/// Rows in their order, to be given out.
#[derive(Debug)]
pub struct SortState {
    rows: Sorted,
    /// Holds the memory on the statement's account.
    weight: Weight,
}

/// Where sorted rows are.
#[derive(Debug)]
enum Sorted {
    Kept(std::vec::IntoIter<(Vec<u8>, KeptRow)>),
    /// In files, the first so many of them.
    Merged(Box<RunMerge>, RowCodec, usize),
}

/// Rows that are to be sorted.
#[derive(Debug, Default)]
pub(in crate::execute) struct Sorter {
    /// With the bytes of their keys.
    rows: Vec<(Vec<u8>, KeptRow)>,
    weight: Weight,
    codec: RowCodec,
    /// Sorted rows in files, the oldest first.
    runs: Vec<SpillReader>,
}

impl Sorter {
    /// Takes a row, under a key whose bytes stand in the order.
    pub(in crate::execute) fn push(
        &mut self,
        key: Vec<u8>,
        row: KeptRow,
        context: &Context<'_>,
    ) -> Result<()> {
        let bytes = sorted_bytes(&key, &row);
        self.rows.push((key, row));
        let least = RUN_ROWS_MIN << (self.runs.len() / 8).min(32);
        if self.weight.add(bytes, context)? && self.rows.len() >= least {
            self.spill(context)?;
        }
        Ok(())
    }

    fn sort(&mut self) {
        self.rows.sort_by(|left, right| left.0.cmp(&right.0));
    }

    /// Keeps the first rows only, and gives the key of the last of them.
    fn cut(&mut self, wanted: usize, context: &Context<'_>) -> Result<Option<Vec<u8>>> {
        self.sort();
        self.rows.truncate(wanted);
        self.weight.clear(context)?;
        let kept = self.rows.iter().map(|(key, row)| key.len() + row.memory_bytes());
        self.weight.add(kept.sum(), context)?;
        Ok(self.rows.last().map(|(key, _)| key.clone()))
    }

    /// Moves the rows to a file.
    fn spill(&mut self, context: &Context<'_>) -> Result<()> {
        self.sort();
        let mut file = SpillFile::create(context)?;
        let mut bytes = Vec::new();
        for (key, row) in self.rows.drain(..) {
            bytes.clear();
            self.codec.encode(&row, &mut bytes)?;
            write_row(&mut file, &key, &bytes)?;
        }
        self.runs.push(file.into_reader()?);
        self.weight.clear(context)
    }

    /// The rows, or the first so many of them, in their order.
    pub(in crate::execute) fn finish(
        mut self,
        wanted: Option<usize>,
        context: &Context<'_>,
    ) -> Result<SortState> {
        if self.runs.is_empty() {
            self.sort();
            if let Some(wanted) = wanted {
                self.rows.truncate(wanted);
            }
            let rows = Sorted::Kept(self.rows.into_iter());
            return Ok(SortState { rows, weight: self.weight });
        }
        self.spill(context)?;
        let merge = Box::new(RunMerge::new(self.runs)?);
        let rows = Sorted::Merged(merge, self.codec, wanted.unwrap_or(usize::MAX));
        Ok(SortState { rows, weight: self.weight })
    }
}

impl SortState {
    /// The next row.
    pub(in crate::execute) fn next(&mut self) -> Result<Option<KeptRow>> {
        match &mut self.rows {
            Sorted::Kept(rows) => Ok(rows.next().map(|(_, row)| row)),
            Sorted::Merged(_, _, 0) => Ok(None),
            Sorted::Merged(merge, codec, left) => {
                *left -= 1;
                merge.next()?.map(|bytes| codec.decode(bytes)).transpose()
            }
        }
    }
}

impl SortState {
    /// The next row with its key. What a row takes is on the account no more.
    pub(super) fn next_keyed(
        &mut self,
        context: &Context<'_>,
    ) -> Result<Option<(Vec<u8>, KeptRow)>> {
        match &mut self.rows {
            Sorted::Kept(rows) => {
                let Some((key, row)) = rows.next() else { return Ok(None) };
                self.weight.change(-(sorted_bytes(&key, &row) as isize), context)?;
                Ok(Some((key, row)))
            }
            Sorted::Merged(merge, ..) => {
                let Some(key) = merge.next_key()?.map(<[u8]>::to_vec) else { return Ok(None) };
                Ok(self.next()?.map(|row| (key, row)))
            }
        }
    }
}

/// What a row takes while it is sorted.
fn sorted_bytes(key: &[u8], row: &KeptRow) -> usize {
    key.len() + size_of::<Vec<u8>>() + row.memory_bytes()
}

/// Rows that are sorted, of which the first ones may be wanted alone.
#[derive(Debug, Default)]
struct First {
    sorter: Sorter,
    wanted: Option<usize>,
    /// The key of the last wanted row so far: rows behind it are not.
    bound: Option<Vec<u8>>,
}

impl First {
    fn new(wanted: Option<usize>) -> Self {
        Self { wanted, ..Self::default() }
    }

    /// Whether a row with this key may be among the wanted ones.
    fn wants(&self, key: &[u8]) -> bool {
        self.bound.as_ref().is_none_or(|bound| key < bound.as_slice())
    }

    /// Takes a row that is wanted.
    fn push(&mut self, key: Vec<u8>, row: KeptRow, context: &Context<'_>) -> Result<()> {
        self.sorter.push(key, row, context)?;
        let Some(wanted) = self.wanted else { return Ok(()) };
        if self.sorter.rows.len() >= wanted.saturating_mul(2).saturating_add(SLACK) {
            self.bound = self.sorter.cut(wanted, context)?;
        }
        Ok(())
    }

    fn finish(self, context: &Context<'_>) -> Result<SortState> {
        self.sorter.finish(self.wanted, context)
    }
}

impl Sort {
    /// How many rows are wanted, where a LIMIT says it.
    fn wanted(&self, frame: &Frame, outer: Outer<'_>) -> Result<Option<usize>> {
        let Some((count, offset)) = &self.limit else { return Ok(None) };
        let (give, skip) = limit::bounds(count, offset.as_ref(), &frame.scope(outer))?;
        Ok(give.and_then(|give| usize::try_from(give.saturating_add(skip)).ok()))
    }

    pub(super) fn open(&self, frame: &mut Frame, outer: Outer<'_>) -> Result<()> {
        if self.sorted > 0 {
            return self.open_pieces(frame, outer);
        }
        let wanted = self.wanted(frame, outer)?;
        self.input.open(frame, outer)?;
        let mut first = First::new(wanted);
        let mut key = Vec::new();
        while wanted != Some(0) && self.input.next(frame, outer)? {
            key.clear();
            sort_key(&self.keys, &frame.scope(outer), &mut key)?;
            if first.wants(&key) {
                first.push(key.clone(), KeptRow::of(&self.slots, frame)?, outer.context)?;
            }
        }
        let state = first.finish(outer.context)?;
        *frame.state_mut(self.state) = OperatorState::Sorted(Box::new(state));
        Ok(())
    }

    pub(super) fn next(&self, frame: &mut Frame, outer: Outer<'_>) -> Result<bool> {
        if self.sorted > 0 {
            return self.next_of_pieces(frame, outer);
        }
        let Some(row) = state!(frame, self.state, Sorted).next()? else { return Ok(false) };
        row.put_back(&self.slots, frame);
        Ok(true)
    }
}
